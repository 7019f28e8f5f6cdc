/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check.c: vferry check: every line of the vendor's procedure on this host, with what was found, why it matters and what mends it.
 *
 * Changes nothing. The rows are in the tables of tables.h; results.c runs them and puts them in order, here they are printed.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/spawn.h"
#include "base/sysroot.h"
#include "command/check/ask.h"
#include "command/check/results.h"
#include "command/check/tables.h"
#include "command/terminal.h"

#define INVENTORY_MAX (16u << 20) /* bytes */
#define SSH_TIME 20000            /* ms */
#define ID_WIDTH 5
#define NAME_WIDTH 18

/* Words for each state: for programs, for people, and their tone. */
static const struct {
	const char *key, *word;
	enum tone tone;
} states[STATES] = {
	[STATE_OK] = { "ok", "ok", TONE_GOOD },
	[STATE_WARNING] = { "warning", "WARNING", TONE_WARNING },
	[STATE_FAILURE] = { "failure", "FAILURE", TONE_BAD },
	[STATE_UNKNOWN] = { "unknown", "unknown", TONE_WARNING },
	[STATE_NONE] = { "not-applicable", "-", TONE_FAINT },
};

/* ---- Printing ------------------------------------------------------------------------------------------------------------------ */

/* Prints a labelled line below a result; a command is never broken, so that it can be copied. */
static void show_line(struct call *call, const char *label, const char *text, bool is_command)
{
	if (!*text)
		return;
	terminal_print(call, TONE_FAINT, "%*s%-5s ", ID_WIDTH, "", label);
	if (is_command)
		terminal_print(call, TONE_STRONG, "%s\n", text);
	else
		terminal_wrap(call, ID_WIDTH + 6, text);
}

/* Prints one result. */
static void show_result(struct call *call, const struct result *result)
{
	const struct finding *f = &result->finding;
	char text[sizeof(f->object) + sizeof(f->found) + 4];

	snprintf(text, sizeof(text), "%s%s%s", f->object, *f->object ? ": " : "", f->found);
	fprintf(call->out, "%-*s%-*s", ID_WIDTH, result->row->id, NAME_WIDTH, result->row->name);
	terminal_print(call, states[f->state].tone, "%-8s", states[f->state].word);
	terminal_wrap(call, ID_WIDTH + NAME_WIDTH + 8, text);
	if (f->state == STATE_OK || f->state == STATE_NONE)
		return;
	show_line(call, "why:", result->row->why, false);
	show_line(call, "do:", f->advice, false);
	show_line(call, "mend:", f->mend, true);
}

/* Prints "N THING", with an s where it must be. */
static void show_number(struct call *call, size_t number, const char *thing)
{
	fprintf(call->out, "%zu %s%s, ", number, thing, number == 1 ? "" : "s");
}

/* Prints what the results come to: an operator may have lost sight of a failure far above. Each line's id stands once. */
static void show_sum(struct call *call, const struct results *results)
{
	char text[512] = "";
	const char *last = "";

	fprintf(call->out, "\n%zu ok, ", results->number[STATE_OK]);
	show_number(call, results->number[STATE_WARNING], "warning");
	show_number(call, results->number[STATE_FAILURE], "failure");
	fprintf(call->out, "%zu unknown, %zu not applicable\n", results->number[STATE_UNKNOWN], results->number[STATE_NONE]);
	if (!results->number[STATE_FAILURE]) {
		terminal_print(call, TONE_GOOD, "Ready.\n");
		return;
	}
	for (size_t i = 0; i < results->count; i++) {
		const struct result *result = &results->result[i];
		size_t length = strlen(text);

		if (result->finding.state != STATE_FAILURE || strcmp(last, result->row->name) == 0)
			continue;
		snprintf(text + length, sizeof(text) - length, "%s%s %s", length ? ", " : "", result->row->id, result->row->name);
		last = result->row->name;
	}
	terminal_print(call, TONE_BAD, "Not ready: ");
	terminal_wrap(call, 11, text);
}

/* Prints all results and what they come to. */
static void show(struct call *call, const struct view *view, const struct results *results)
{
	terminal_print(call, TONE_STRONG, "%s\n", view->scene.inventory.hostname);
	view_say_unseen(call, view);
	for (size_t i = 0; i < results->count; i++)
		show_result(call, &results->result[i]);
	show_sum(call, results);
}

/* Return: one result as JSON. */
static struct json_object *result_json(const struct result *result)
{
	struct json_object *json = json_object_new_object();

	terminal_add(json, "id", result->row->id);
	terminal_add(json, "name", result->row->name);
	terminal_add(json, "object", result->finding.object);
	terminal_add(json, "state", states[result->finding.state].key);
	terminal_add(json, "found", result->finding.found);
	terminal_add(json, "why", result->row->why);
	terminal_add(json, "advice", result->finding.advice);
	terminal_add(json, "mend", result->finding.mend);
	return json;
}

/* Prints all results as JSON. */
static void show_json(struct call *call, const struct check_case *c, const struct results *results)
{
	const struct view *view = c->view;
	struct json_object *json = json_object_new_object(), *checks = json_object_new_array(), *summary = json_object_new_object();
	struct json_object *unseen = json_object_new_array();

	for (size_t i = 0; i < results->count; i++)
		json_object_array_add(checks, result_json(&results->result[i]));
	for (int i = 0; i < STATES; i++)
		json_object_object_add(summary, states[i].key, json_object_new_int64((int64_t)results->number[i]));
	for (size_t i = 0; i < view->unseens; i++)
		json_object_array_add(unseen, json_object_new_string(view->unseen[i]));
	terminal_add(json, "host", view->scene.inventory.hostname);
	terminal_add(json, "guest", c->has_guest ? view->domain.name : "");
	terminal_add(json, "against", c->other ? c->other->scene.inventory.hostname : "");
	json_object_object_add(json, "ready", json_object_new_boolean(results->number[STATE_FAILURE] == 0));
	json_object_object_add(json, "checks", checks);
	json_object_object_add(json, "summary", summary);
	json_object_object_add(json, "unseen", unseen);
	(void)terminal_json(call, json);
}

/* Runs and prints all rows. Return: enum command_status. */
static int check(struct call *call, struct check_case *c, struct results *results)
{
	check_run_table(c, check_rows_host, results);
	check_run_table(c, check_rows_card, results);
	check_run_table(c, check_rows_ovs, results);
	check_run_table(c, check_rows_guest, results);
	check_run_table(c, check_rows_pair, results);
	check_run_table(c, check_rows_kept, results);
	check_run_table(c, check_rows_cluster, results);
	if (call->json)
		show_json(call, c, results);
	else
		show(call, c->view, results);
	return results->number[STATE_FAILURE] ? COMMAND_NOT_READY : COMMAND_OK;
}

/* ---- The other host ------------------------------------------------------------------------------------------------------------ */

/*
 * Asks the other host by ssh. target: [USER@]HOST. Without a terminal and without questions: a host that wants a password does not answer.
 * Return: its inventory for free(3), NULL with *why filled.
 */
static char *ask_ssh(const char *target, struct reason *why)
{
	char program[256], option[] = "-o", batch[] = "BatchMode=yes", agent[300], end[] = "--", host[256], command[] = "vferry inventory";
	char *argv[] = { program, option, batch, option, agent, end, host, command, NULL };
	const char *socket = getenv("SSH_AUTH_SOCK");
	autofree char *text = calloc(1, INVENTORY_MAX);

	snprintf(agent, sizeof(agent), "IdentityAgent=%s", socket && *socket ? socket : "none");
	snprintf(host, sizeof(host), "%s", target);
	if (!text || sysroot_path(program, sizeof(program), "/usr/bin/ssh")) {
		reason_set(why, -ENOMEM, NULL, "out of memory");
		return NULL;
	}
	if (spawn_run(argv, text, INVENTORY_MAX, deadline_in(SSH_TIME), why) == 0)
		return scope_take(&text);
	reason_cure(why, "see that 'ssh %s vferry inventory' works without a question, or save its output and give --against FILE", target);
	return NULL;
}

/* Takes [USER@]HOST out of ssh://HOST or qemu+ssh://HOST:PORT/system. Return: whether text is such an address. */
static bool ssh_target(const char *text, char *out, size_t size)
{
	static const char *const schemes[] = { "ssh://", "qemu+ssh://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t len = strlen(schemes[i]);

		if (strncmp(text, schemes[i], len) != 0)
			continue;
		snprintf(out, size, "%.*s", (int)strcspn(text + len, "/:?"), text + len);
		return *out && *out != '-';
	}
	return false;
}

/* Reads the other host. Return: 0, negative errno with *why filled. */
static int read_other(struct call *call, struct view *other, struct reason *why)
{
	char target[256];
	autofree char *text = NULL;

	if (ssh_target(call->against, target, sizeof(target))) {
		text = ask_ssh(target, why);
	} else if (strstr(call->against, "://")) {
		reason_set(why, -EINVAL, call->against, "such a host cannot be asked");
		reason_cure(why, "name it by ssh://HOST or qemu+ssh://HOST/system, or save 'vferry inventory' there and give the file");
	} else {
		text = view_read_file(call, call->against, INVENTORY_MAX, why);
	}
	return text ? view_parse(text, call->against, &call->config, other, why) : why->error;
}

/* ---- The command --------------------------------------------------------------------------------------------------------------- */

/* Reads the guest, if one is named. Return: 0, negative errno with *why filled. */
static int read_guest(struct call *call, struct check_case *c, struct hardware *hardware, struct reason *why)
{
	int error;

	if (!call->guest && !call->domain)
		return 0;
	error = view_read_guest(call, c->view, false, why);
	if (error)
		return error;
	hardware_read(&c->view->domain, hardware);
	c->has_guest = true;
	c->hardware = hardware;
	return 0;
}

/* vferry check. */
static int run(struct call *call)
{
	autofree struct results *results = calloc(1, sizeof(*results));
	autofree struct hardware *hardware = calloc(1, sizeof(*hardware));
	autoview struct view view = { 0 }, other = { 0 };
	autocluster_view struct cluster_view cluster = { 0 };
	struct prepared prepared = { 0 };
	struct check_case c = { .config = &call->config, .view = &view, .prepared = &prepared };
	struct reason why = { 0 };
	char record[PATH_MAX];

	if (call->report) {
		snprintf(record, sizeof(record), "%s/inventory.json", call->report);
		call->inventory = record;
	}
	if (!results || !hardware || view_read(call, VIEW_FACTS | VIEW_GUESTS, &view, &why))
		return command_fail(call, &why, NULL);
	if (!view_has_card(call, &view))
		return COMMAND_NOT_READY;
	if (read_guest(call, &c, hardware, &why))
		return command_fail(call, &why, call->guest);
	if (call->against && read_other(call, &other, &why))
		return command_fail(call, &why, NULL);
	if (call->against)
		c.other = &other;
	if (!view.is_recorded && prepared_read(&prepared, &why))
		command_say(call, "check: %s: %s", why.object, why.what);
	if ((!view.is_recorded || call->cib) && cluster_view_read(call, call->cib, &cluster, &why))
		return command_fail(call, &why, NULL);
	c.cluster = view.is_recorded && !call->cib ? NULL : &cluster;
	check_ask(&view, &results->answers);
	return check(call, &c, results);
}

static const struct command_option options[] = {
	OPTION("against", "HOST", against, "also ssh://HOST, qemu+ssh://HOST/system, or a record"),
	OPTION("domain", "FILE", domain, "the guest's XML, instead of asking libvirt ('-': stdin)"),
	OPTION("cib", "FILE", cib, "Pacemaker's CIB, instead of asking the cluster"),
	OPTION("report", "FOLDER", report, "look at what 'vferry report' wrote there instead"),
	OPTION_INVENTORY,
	OPTION_SETTINGS,
	OPTION_JSON,
	OPTION_END,
};

const struct command command_check = {
	.name = "check", .operands = "[GUEST]", .most = 1, .summary = "Checks this host line by line, and says what mends it.",
	.options = options, .run = run,
};
