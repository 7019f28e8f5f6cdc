/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gather.c: reads many hosts: by ssh, all at the same time, so that one that is dead keeps nobody waiting; or records in a folder.
 */
#include "command/fleet/gather.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/spawn.h"
#include "base/sysroot.h"
#include "domain/hardware.h"

#define RECORD_MAX (16u << 20) /* bytes */
#define SSH_TIME 20000         /* ms */
#define ARGUMENTS 8

/* ---- Texts --------------------------------------------------------------------------------------------------------------------- */

/* Adds a host that could not be read to the list. */
static void miss(struct fleet_case *c, const char *name, const char *why)
{
	size_t used = strlen(c->missing);

	snprintf(c->missing + used, sizeof(c->missing) - used, "%s%.80s (%.200s)", used ? ", " : "", name, why);
}

/* Takes [USER@]HOST out of what a user may call a host. Return: 0, -EINVAL with *why. */
static int target_of(const char *word, char *out, size_t size, struct reason *why)
{
	const char *scheme = strstr(word, "://"), *start = scheme ? scheme + 3 : word;

	snprintf(out, size, "%.*s", (int)strcspn(start, "/"), start);
	if (*out && *out != '-')
		return 0;
	reason_set(why, -EINVAL, word, "it is no name of a host");
	reason_cure(why, "name hosts as for ssh: [USER@]HOST");
	return -EINVAL;
}

/* What one ssh needs. */
struct question {
	char program[256], option[3], batch[32], agent[300], end[3], host[256], command[32];
	char *argv[ARGUMENTS + 1];
};

/* Fills a command line of ssh: without a terminal and without questions. */
static void fill_question(struct question *q, const char *program, const char *target)
{
	const char *socket = getenv("SSH_AUTH_SOCK");
	char *argv[] = { q->program, q->option, q->batch, q->option, q->agent, q->end, q->host, q->command, NULL };

	snprintf(q->program, sizeof(q->program), "%s", program);
	snprintf(q->option, sizeof(q->option), "-o");
	snprintf(q->batch, sizeof(q->batch), "BatchMode=yes");
	snprintf(q->agent, sizeof(q->agent), "IdentityAgent=%s", socket && *socket ? socket : "none");
	snprintf(q->end, sizeof(q->end), "--");
	snprintf(q->host, sizeof(q->host), "%s", target);
	snprintf(q->command, sizeof(q->command), "vferry inventory");
	memcpy(q->argv, argv, sizeof(argv));
}

/* ---- One host ------------------------------------------------------------------------------------------------------------------ */

/* Reads the short XML of the guests of a record. Return: 0, -ENOMEM. */
static int read_domains(struct json_object *guests, struct fleet_view *host)
{
	size_t count = host->view.scene.running.count;

	host->domain = calloc(count + 1, sizeof(*host->domain));
	host->has_domain = calloc(count + 1, sizeof(*host->has_domain));
	if (!host->domain || !host->has_domain)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const char *xml = json_object_get_string(json_object_object_get(json_object_array_get_idx(guests, i), "domain"));

		host->has_domain[i] = xml && domain_parse(xml, strlen(xml), &host->domain[i], NULL) == 0;
	}
	return 0;
}

/* Reads the moves that a host wrote down: how long each guest's last one took, and all together by memory. */
static void read_moves(struct json_object *list, struct fleet *fleet)
{
	size_t count = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *move = json_object_array_get_idx(list, i), *memory;
		const char *uuid = json_object_get_string(json_object_object_get(move, "uuid"));
		const char *outcome = json_object_get_string(json_object_object_get(move, "outcome"));
		int64_t ms = json_object_get_int64(json_object_object_get(move, "ms"));

		if (!uuid || !outcome || strcmp(outcome, "completed") != 0 || ms <= 0)
			continue;
		if (json_object_object_get_ex(move, "memory_bytes", &memory) && json_object_get_int64(memory) > 1 << 20) {
			double rate = (double)ms / ((double)json_object_get_int64(memory) / (1 << 20));

			fleet->ms_per_mib = fleet->ms_per_mib > 0 ? (3 * fleet->ms_per_mib + rate) / 4 : rate;
		}
		for (size_t g = 0; g < fleet->guests; g++) {
			if (fleet->guest[g].uuid && strcmp(fleet->guest[g].uuid, uuid) == 0)
				fleet->guest[g].ms = ms;
		}
	}
}

/* Fills one guest of the fleet. */
static void fill_guest(struct fleet_case *c, size_t number, size_t i, struct fleet_guest *guest)
{
	struct fleet_view *host = &c->host[number];
	const struct status *status = &host->view.scene.running.status[i];
	struct hardware *hardware = calloc(1, sizeof(*hardware));
	struct guest_search search = { .config = c->fleet.config, .domain = &host->domain[i], .inventory = &host->view.scene.inventory };

	*guest = (struct fleet_guest){ .name = status->name, .uuid = status->uuid, .host = number, .group = -1,
				       .devices = (unsigned int)status->devices };
	if (host->has_domain[i] && hardware) {
		guest->domain = &host->domain[i];
		hardware_read(&host->domain[i], hardware);
		snprintf(guest->machine.machine, sizeof(guest->machine.machine), "%s", hardware->machine);
		guest->machine.is_host_cpu = !strcmp(hardware->cpu_mode, "host-passthrough") || !strcmp(hardware->cpu_mode, "maximum");
		guest->machine.memory = (unsigned int)(hardware->memory >> 20);
		(void)guest_find_vfs(&search, &guest->vfs, NULL);
	}
	free(hardware);
}

/* Reads a record into a host. Return: 0, negative errno with *why. */
static int read_record(const char *text, const char *name, struct fleet_case *c, struct fleet_view *host, struct reason *why)
{
	struct json_object *json = json_tokener_parse(text), *closed;
	int error;

	if (!json) {
		reason_set(why, -EINVAL, name, "it is no JSON, so it is no inventory");
		reason_cure(why, "make one on that host with: vferry inventory >FILE");
		return -EINVAL;
	}
	error = view_parse_json(json, c->fleet.config, &host->view, why);
	host->is_read = true;
	if (!error)
		error = read_domains(json_object_object_get(json, "guests"), host);
	if (!error) {
		reason_clean(host->name, sizeof(host->name), *host->view.scene.inventory.hostname ? host->view.scene.inventory.hostname : name);
		host->moves = json_object_get(json_object_object_get(json, "migrations"));
		host->is_closed = json_object_object_get_ex(json, "maintenance", &closed) && json_object_get_boolean(closed);
	}
	json_object_put(json);
	return error;
}

/* Takes a text as the next host; one that is none is missed, and no failure. */
static void take(struct fleet_case *c, const char *text, const char *name, const char *target)
{
	struct fleet_view *host = &c->host[c->hosts];
	struct reason why = { 0 };

	snprintf(host->target, sizeof(host->target), "%s", target);
	if (read_record(text, name, c, host, &why)) {
		miss(c, name, why.what);
		view_release(&host->view);
		free(host->domain);
		free(host->has_domain);
		*host = (struct fleet_view){ 0 };
		return;
	}
	for (size_t i = 0; i < c->hosts; i++) {
		if (strcmp(c->host[i].name, host->name) == 0)
			miss(c, name, "a second record of the same host; both are used");
	}
	c->hosts++;
}

/* ---- All hosts ----------------------------------------------------------------------------------------------------------------- */

/* Whether a file of the folder is a record. For scandir(3). */
static int is_record(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

/* Reads all records of a folder. Return: 0, negative errno with *why. */
static int read_folder(struct call *call, struct fleet_case *c, struct reason *why)
{
	struct dirent **entry = NULL;
	int count = scandir(call->inventory, &entry, is_record, alphasort);

	if (count < 0)
		return reason_set(why, -errno, call->inventory, "the folder cannot be read: %s", strerror(errno));
	for (int i = 0; i < count; i++) {
		char path[4096];
		struct reason its = { 0 };
		autofree char *text = NULL;

		snprintf(path, sizeof(path), "%s/%s", call->inventory, entry[i]->d_name);
		text = c->hosts < FLEET_MAX_HOSTS ? view_read_file(call, path, RECORD_MAX, &its) : NULL;
		if (text)
			take(c, text, entry[i]->d_name, "");
		else
			miss(c, entry[i]->d_name, *its.what ? its.what : "there are too many");
		free(entry[i]);
	}
	free(entry);
	return 0;
}

/* Asks all hosts at the same time. Return: 0, negative errno with *why. */
static int ask_hosts(struct call *call, struct fleet_case *c, struct reason *why)
{
	size_t count = call->operands - 1;
	autofree struct question *question = calloc(count + 1, sizeof(*question));
	autofree struct spawn_job *job = calloc(count + 1, sizeof(*job));
	char program[256];
	int error = question && job ? sysroot_path(program, sizeof(program), "/usr/bin/ssh") : -ENOMEM;

	for (size_t i = 0; !error && i < count; i++) {
		char target[256];

		error = target_of(call->operand[i + 1], target, sizeof(target), why);
		fill_question(&question[i], program, target);
		job[i] = (struct spawn_job){ .argv = question[i].argv, .out = calloc(1, RECORD_MAX), .size = RECORD_MAX };
		if (!error && !job[i].out)
			error = reason_set(why, -ENOMEM, NULL, "out of memory");
	}
	if (!error)
		spawn_run_all(job, count, deadline_in(SSH_TIME));
	for (size_t i = 0; job && i < count; i++) {
		if (!error && job[i].result == 0)
			take(c, job[i].out, question[i].host, question[i].host);
		else if (!error)
			miss(c, question[i].host, job[i].why.what);
		free(job[i].out);
	}
	return error;
}

/* Lets the fleet point to what was read. Return: 0, -ENOMEM with *why. */
static int fill_fleet(struct fleet_case *c, struct reason *why)
{
	struct fleet *fleet = &c->fleet;
	size_t guests = 0;

	for (size_t i = 0; i < c->hosts; i++)
		guests += c->host[i].view.scene.running.count;
	fleet->host = calloc(c->hosts + 1, sizeof(*fleet->host));
	fleet->guest = calloc(guests + 1, sizeof(*fleet->guest));
	if (!fleet->host || !fleet->guest)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	for (size_t i = 0; i < c->hosts; i++) {
		struct fleet_view *host = &c->host[i];

		fleet->host[fleet->hosts++] = (struct fleet_host){ .name = host->name, .inventory = &host->view.scene.inventory,
								   .facts = &host->view.facts, .running = &host->view.scene.running,
								   .leases = &host->view.scene.records, .is_closed = host->is_closed };
		for (size_t k = 0; k < host->view.scene.running.count; k++)
			fill_guest(c, i, k, &fleet->guest[fleet->guests++]);
	}
	for (size_t i = 0; i < c->hosts; i++)
		read_moves(c->host[i].moves, fleet);
	return 0;
}

/* Gives guests of --apart the numbers of their groups: "db1,db2;web1,web2". Return: 0, -ENOENT with *why. */
static int read_groups(const char *list, struct fleet *fleet, struct reason *why)
{
	char copy[4096], *groups = copy, *group;
	int number = 0;

	snprintf(copy, sizeof(copy), "%s", list);
	for (; (group = strsep(&groups, ";")); number++) {
		char *name;

		while ((name = strsep(&group, ","))) {
			size_t g = 0;

			while (g < fleet->guests && (!fleet->guest[g].name || strcmp(fleet->guest[g].name, name) != 0))
				g++;
			if (g == fleet->guests) {
				reason_set(why, -ENOENT, name, "no host that was read runs a guest of that name");
				reason_cure(why, "see the guests with: vferry fleet matrix");
				return -ENOENT;
			}
			fleet->guest[g].group = number;
		}
	}
	return 0;
}

/* Reads the hosts that the call names; see the header. */
int fleet_gather(struct call *call, struct fleet_case *c, struct reason *why)
{
	int error;

	c->fleet.config = &call->config;
	c->host = calloc(FLEET_MAX_HOSTS + 1, sizeof(*c->host));
	if (!c->host)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	error = call->inventory ? read_folder(call, c, why) : ask_hosts(call, c, why);
	if (!error && !c->hosts) {
		reason_set(why, -ENOENT, call->inventory, "no host could be read%s%s", *c->missing ? ": " : "", c->missing);
		reason_cure(why, "name hosts that 'ssh HOST vferry inventory' reaches without a question, or --inventory FOLDER with records");
		return -ENOENT;
	}
	if (!error)
		error = fill_fleet(c, why);
	if (!error && call->apart)
		error = read_groups(call->apart, &c->fleet, why);
	return error;
}

/* Gives back what was read. */
void fleet_case_release(struct fleet_case *c)
{
	for (size_t i = 0; c->host && i < c->hosts; i++) {
		struct fleet_view *host = &c->host[i];

		for (size_t k = 0; host->domain && k < host->view.scene.running.count; k++)
			domain_release(&host->domain[k]);
		free(host->domain);
		free(host->has_domain);
		json_object_put(host->moves);
		view_release(&host->view);
	}
	free(c->host);
	free(c->fleet.host);
	free(c->fleet.guest);
}
