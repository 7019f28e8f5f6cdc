/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * decide.c: what follows from what was seen. See decide.h.
 *
 * Each rule looks at one guest before and now and asks for one thing. To add an intent: a kind in agenda.h with its times in agenda.c, a
 * rule here, the part that carries it out with its row in agent.c, and rows in tests/unit/test_agent_decide.c.
 */
#include "agent/decide.h"

#include <stdio.h>
#include <string.h>

#include "base/scope.h"
#include "policy/gate.h"

#define VERDICTS 16

/* One guest, before and now. */
struct pair {
	const struct facts *facts;
	struct seen before, now; /* before.status NULL: it is new */
	struct agenda *agenda;
};

/* Asks for something that concerns a guest, or the host ("" as uuid); what there is no memory for is asked for at the next look. */
static void ask(const struct pair *pair, enum intent_kind kind, unsigned int how)
{
	struct intent intent = { .kind = kind, .how = how };

	if (pair->now.status) {
		snprintf(intent.uuid, sizeof(intent.uuid), "%s", pair->now.status->uuid);
		intent.job = pair->now.guest->job;
	}
	(void)agenda_ask(pair->agenda, &intent, pair->facts->clock);
}

/* Asks for something that concerns the host. */
static void ask_host(const struct decide_case *c, struct agenda *agenda, enum intent_kind kind)
{
	ask(&(struct pair){ .facts = c->now, .agenda = agenda }, kind, 0);
}

/* Return: whether the guest was on its way in before and has landed. */
static bool has_landed(const struct pair *pair)
{
	return pair->before.status && pair->before.guest->is_coming && !pair->now.guest->is_coming;
}

/*
 * Return: whether a guest's outgoing migration is over and it runs on here. One that is paused may run at the destination: if the one who
 * migrates it dies before he confirms, libvirt leaves it so (src/qemu/qemu_migration.c qemuMigrationSrcCleanup()).
 */
static bool has_stayed(const struct pair *pair)
{
	const struct status *before = pair->before.status, *now = pair->now.status;

	return before && before->job == STATUS_MIGRATION_OUT && now->job != STATUS_MIGRATION_IN && !facts_is_same_job(before, now) &&
	       strcmp(now->state, "running") == 0;
}

/* Return: the stage at which a guest should be announced by what is seen of it. */
static enum announced announced_stage(const struct pair *pair)
{
	const struct status *now = pair->now.status;
	bool runs = strcmp(now->state, "running") == 0;

	if (has_stayed(pair))
		return ANNOUNCED_STAYED;
	if (pair->now.guest->has_resumed || has_landed(pair) || (pair->now.guest->is_coming && runs))
		return ANNOUNCED_RUNNING;
	return pair->now.guest->is_coming && strncmp(now->phase, "finish", 6) == 0 ? ANNOUNCED_EARLY : ANNOUNCED_NOT;
}

/* The network is told where a guest is: once for each stage. */
static void rule_announce(const struct pair *pair)
{
	const struct intent *pending = agenda_find(pair->agenda, INTENT_ANNOUNCE, pair->now.status->uuid);
	enum announced stage = announced_stage(pair);

	if (stage > pair->now.guest->announced && (!pending || pending->job != pair->now.guest->job || pending->how < stage))
		ask(pair, INTENT_ANNOUNCE, stage);
}

/* While a guest's memory comes there is time to find out where to announce it. */
static void rule_locate(const struct pair *pair)
{
	const struct guest_facts *before = pair->before.guest, *now = pair->now.guest;

	if (now->is_coming && (!before || before->job != now->job || !before->vfs))
		ask(pair, INTENT_LOCATE, 0);
}

/* A guest that begins to move gets the downtime that it needs, unless its migration is to be ended anyway. */
static void rule_limit(const struct pair *pair)
{
	bool is_same = pair->before.status && pair->before.guest->job == pair->now.guest->job;

	if (gate_is_moving(pair->now.status) && !(is_same && gate_is_moving(pair->before.status)) &&
	    !agenda_find(pair->agenda, INTENT_END, pair->now.status->uuid))
		ask(pair, INTENT_LIMIT, 0);
}

/* The guest runs at the destination: what is sent to it here would only be lost. */
static void rule_unplug(const struct pair *pair)
{
	const struct status *before = pair->before.status, *now = pair->now.status;

	if (now->job == STATUS_MIGRATION_OUT && strcmp(now->phase, "confirm3") == 0 && !(before && strcmp(before->phase, "confirm3") == 0))
		ask(pair, INTENT_UNPLUG, 0);
}

/* Return: whether all devices of a guest are among those of another look. */
static bool has_all(const struct status *those, const struct status *these)
{
	for (size_t i = 0; i < these->devices; i++) {
		size_t k = 0;

		while (k < those->devices && !pci_address_equal(&those->device[k], &these->device[i]))
			k++;
		if (k == those->devices)
			return false;
	}
	return true;
}

/* VFs came or left while the guest ran. Those of an arrival are the hook's. */
static void rule_devices(const struct pair *pair)
{
	const struct status *before = pair->before.status, *now = pair->now.status;
	bool left = before && !has_all(now, before), came = before && !has_all(before, now);

	if (left || came)
		ask(pair, INTENT_PASSPORT, 0);
	if (now->job == STATUS_MIGRATION_IN || pair->now.guest->is_coming || has_landed(pair))
		return;
	if (left)
		ask(pair, INTENT_YIELD, 0);
	if (came)
		ask(pair, INTENT_ADOPT, 0);
}

/* The definition of a guest that has arrived may name the source's addresses; also of one that arrived before the agent was there. */
static void rule_definition(const struct pair *pair)
{
	if (has_landed(pair))
		ask(pair, INTENT_DEFINITION, 0);
	else if (!pair->before.status && strcmp(pair->now.status->state_reason, "migrated") == 0)
		ask(pair, INTENT_DEFINITION, 1);
}

/* A passport may be out of date: at first sight, after each job, when something on a port, or what no event tells, may have changed. */
static void rule_passport(const struct pair *pair)
{
	const struct status *before = pair->before.status;
	bool job_ended = before && before->job != STATUS_NO_JOB && pair->now.status->job == STATUS_NO_JOB;

	if (!before || job_ended || has_landed(pair) || pair->facts->news)
		ask(pair, INTENT_PASSPORT, 0);
}

/* Leases and ports are looked at when a guest with VFs has arrived. */
static void rule_reconcile(const struct pair *pair)
{
	if (has_landed(pair))
		ask(&(struct pair){ .facts = pair->facts, .agenda = pair->agenda }, INTENT_RECONCILE, 0);
}

static void (*const rules[])(const struct pair *pair) = {
	rule_announce, rule_locate, rule_limit, rule_unplug, rule_devices, rule_definition, rule_passport, rule_reconcile,
};

/* Asks for the end of each migration that breaks a limit. */
static void judge_limits(const struct decide_case *c, struct agenda *agenda)
{
	autofree uint64_t *began = calloc(c->now->running.count + 1, sizeof(*began));
	struct gate_case gate = { .config = c->config, .inventory = c->inventory, .running = &c->now->running, .began = began };
	struct gate_verdict verdict[VERDICTS];
	size_t count;

	if (!began)
		return;
	for (size_t i = 0; i < c->now->running.count; i++)
		began[i] = c->now->guest[i].moved;
	count = gate_judge(&gate, verdict, VERDICTS);
	for (size_t i = 0; i < count; i++) {
		struct intent intent = { .kind = INTENT_END, .why = verdict[i].why };
		const struct intent *pending = agenda_find(agenda, INTENT_END, verdict[i].guest->uuid);

		intent.job = c->now->guest[verdict[i].guest - c->now->running.status].job;
		snprintf(intent.uuid, sizeof(intent.uuid), "%s", verdict[i].guest->uuid);
		if (!pending || pending->job != intent.job)
			(void)agenda_ask(agenda, &intent, c->now->clock);
	}
}

/* See decide.h. */
void decide(const struct decide_case *c, struct agenda *agenda)
{
	agenda_prune(agenda, c->now);
	judge_limits(c, agenda);
	for (size_t i = 0; i < c->now->running.count; i++) {
		struct pair pair = { .facts = c->now, .agenda = agenda, .now = { &c->now->running.status[i], &c->now->guest[i] } };

		pair.before = facts_find(c->before, pair.now.status->uuid);
		if (!pair.now.guest->vfs && !(pair.before.guest && pair.before.guest->vfs))
			continue;
		for (size_t k = 0; k < sizeof(rules) / sizeof(rules[0]); k++)
			rules[k](&pair);
	}
	for (size_t i = 0; i < c->before->running.count; i++) {
		if (c->before->guest[i].vfs && !facts_find(c->now, c->before->running.status[i].uuid).status)
			ask_host(c, agenda, INTENT_RECONCILE);
	}
	if (c->now->news & (NEWS_CONNECTED | NEWS_ALL))
		ask_host(c, agenda, INTENT_RECONCILE);
	if (c->now->news & NEWS_CONNECTED)
		ask_host(c, agenda, INTENT_THREADS);
	if (c->now->news & NEWS_ALL)
		ask_host(c, agenda, INTENT_PUBLISH);
}
