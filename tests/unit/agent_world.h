/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_world.h: what the tests of the agent's pure part share: a host whose guests are said in words, look after look.
 *
 * A look is a text with a guest a line or after a ";": its uuid, then in any order
 *
 *     in, out, other      its job; without one it has none
 *     PHASE               of the job: begin3, perform3, …
 *     running, paused     its state; running without one of them
 *     because=R           the reason of its state
 *     vf=N,M              its VFs, numbers on the one PF; foreign=N: devices that are none
 *     t=N                 asyncStarted
 *     postcopy, parallel  flags of its job
 *     resumed             libvirt has said that it runs again after a migration
 *
 * and words in brackets for all: [ports], [all], [connected], [away] (libvirt is), [unreadable] (some of the files).
 */
#ifndef VFERRY_TESTS_AGENT_WORLD_H
#define VFERRY_TESTS_AGENT_WORLD_H

#include "check.h"

#include "agent/decide.h"

#define WORLD_TIME 1000 /* ms from one look to the next */

/* The host of the test that runs. */
static struct {
	struct config config;
	struct inventory inventory;
	struct facts facts;
	struct agenda agenda;
	int64_t clock;
} world;

/* Makes the host: one PF of 8 VFs, nobody there. */
static void world_begin(void)
{
	struct inventory_pf *pf = &world.inventory.pf[0];

	facts_release(&world.facts);
	agenda_release(&world.agenda);
	memset(&world, 0, sizeof(world));
	config_defaults(&world.config);
	world.inventory.pfs = 1;
	*pf = (struct inventory_pf){ .address = { 0, 0x81, 0, 0 }, .total_vfs = 8, .offset = 2, .stride = 1 };
	pf->card.can_migrate = true;
	world.clock = 1000000;
}

/* Adds devices, "2,3": VFs of the PF, or functions of a card that is none of ours. */
static void world_devices(struct status *status, const char *numbers, bool is_foreign)
{
	for (const char *at = numbers; *at; at += *at == ',') {
		char *end;
		unsigned int number = (unsigned int)strtoul(at, &end, 10);
		struct pci_address address = { 0, 0xc1, 0, (uint8_t)number };

		CHECK(end > at);
		at = end;
		if (!is_foreign)
			CHECK_INT(pci_address_vf(&world.inventory.pf[0].address, 2, 1, number, &address), 0);
		status->device = reallocarray(status->device, status->devices + 1, sizeof(address));
		status->device[status->devices++] = address;
	}
}

/* Takes one word about a guest. */
static void world_word(struct status *status, const char *word, char *resumed)
{
	static const struct { const char *word; enum status_job job; } jobs[] = {
		{ "in", STATUS_MIGRATION_IN }, { "out", STATUS_MIGRATION_OUT }, { "other", STATUS_OTHER_JOB },
	};
	const char *value = strchr(word, '=') ? strchr(word, '=') + 1 : "";

	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		if (strcmp(word, jobs[i].word) == 0) {
			status->job = jobs[i].job;
			return;
		}
	}
	if (strcmp(word, "running") == 0 || strcmp(word, "paused") == 0 || strcmp(word, "shutdown") == 0)
		snprintf(status->state, sizeof(status->state), "%s", word);
	else if (strncmp(word, "because=", 8) == 0)
		snprintf(status->state_reason, sizeof(status->state_reason), "%s", value);
	else if (strncmp(word, "vf=", 3) == 0 || strncmp(word, "foreign=", 8) == 0)
		world_devices(status, value, word[0] == 'f');
	else if (strncmp(word, "t=", 2) == 0)
		status->started = strtoull(value, NULL, 10);
	else if (strcmp(word, "postcopy") == 0)
		status->flags |= STATUS_POSTCOPY;
	else if (strcmp(word, "parallel") == 0)
		status->flags |= STATUS_PARALLEL;
	else if (strcmp(word, "resumed") == 0)
		snprintf(resumed, DOMAIN_UUID_LEN, "%s", status->uuid);
	else
		snprintf(status->phase, sizeof(status->phase), "%s", word);
}

/* Takes a word in brackets. */
static void world_host_word(struct facts *now, struct status_list *list, const char *word)
{
	if (strcmp(word, "[ports]") == 0)
		now->news |= NEWS_PORTS;
	else if (strcmp(word, "[all]") == 0)
		now->news |= NEWS_ALL;
	else if (strcmp(word, "[connected]") == 0)
		now->news |= NEWS_CONNECTED;
	else if (strcmp(word, "[away]") == 0)
		now->is_connected = false;
	else if (strcmp(word, "[unreadable]") == 0)
		list->unreadable = 1;
	else
		FAIL("%s is no word of a look", word);
}

/* Looks: what the text says is there now. The facts before are given to *before if that is not NULL, and to nobody else then. */
static void world_look(const char *text, struct facts *before)
{
	struct facts now = { .clock = world.clock += WORLD_TIME, .is_connected = true };
	struct status_list list = { 0 };
	char copy[1024], resumed[DOMAIN_UUID_LEN] = "", *lines = copy, *line, *word;

	snprintf(copy, sizeof(copy), "%s", text);
	while ((line = strsep(&lines, ";\n"))) {
		struct status *status = NULL;

		while ((word = strsep(&line, " \t"))) {
			if (!*word)
				continue;
			if (*word == '[') {
				world_host_word(&now, &list, word);
			} else if (!status) {
				list.status = reallocarray(list.status, list.count + 1, sizeof(*list.status));
				status = &list.status[list.count++];
				*status = (struct status){ .state = "running", .state_reason = "booted" };
				snprintf(status->uuid, sizeof(status->uuid), "%s", word);
				snprintf(status->name, sizeof(status->name), "guest-%.100s", word);
			} else {
				world_word(status, word, resumed);
			}
		}
	}
	CHECK_INT(facts_take(&world.facts, &list, &world.inventory, &now), 0);
	if (*resumed)
		facts_resumed(&now, resumed);
	decide(&(struct decide_case){ &world.config, &world.inventory, &world.facts, &now }, &world.agenda);
	if (before)
		*before = world.facts;
	else
		facts_release(&world.facts);
	world.facts = now;
}

/* Return: what is pending, "KIND[:how]@uuid" in the order of kinds, then of being asked for (static). */
__attribute__((unused)) static const char *world_pending(void)
{
	static char text[1024];
	size_t length = 0;

	*text = '\0';
	for (int kind = 0; kind < INTENT_KINDS; kind++) {
		for (size_t i = 0; i < world.agenda.count; i++) {
			const struct intent *intent = &world.agenda.intent[i];
			char how[16] = "";

			if ((int)intent->kind != kind)
				continue;
			if (intent->how)
				snprintf(how, sizeof(how), ":%u", intent->how);
			length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s%s%s%s", length ? " " : "",
						   intent_name(intent->kind), how, *intent->uuid ? "@" : "", intent->uuid);
		}
	}
	return text;
}

/* All that is pending was done, as if each part had succeeded. */
__attribute__((unused)) static void world_done(void)
{
	for (size_t i = 0; i < world.agenda.count; i++) {
		if (world.agenda.intent[i].kind == INTENT_ANNOUNCE)
			facts_announced(&world.facts, world.agenda.intent[i].uuid, world.agenda.intent[i].how);
	}
	agenda_release(&world.agenda);
}

#endif
