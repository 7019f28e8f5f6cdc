/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check.c: vferry check: every line of the vendor's procedure on this host, with what was found, why it matters and what mends it.
 *
 * Changes nothing. The rows are in check_*.c; here they are run, put in order and printed.
 */
#include "command/check.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "command/terminal.h"

#define MAX_RESULTS 512
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

struct result {
	const struct check_row *row;
	struct finding finding;
};

struct results {
	struct result result[MAX_RESULTS];
	size_t count;
	size_t number[STATES];
};

/* ---- For looks ----------------------------------------------------------------------------------------------------------------- */

/* Says what was found. */
void check_found(struct finding *f, enum state state, const char *format, ...)
{
	va_list args;

	f->state = state;
	va_start(args, format);
	vsnprintf(f->found, sizeof(f->found), format, args);
	va_end(args);
}

/* Says which command mends it. */
void check_mend(struct finding *f, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->mend, sizeof(f->mend), format, args);
	va_end(args);
}

/* Says what to do where no command can. */
void check_advise(struct finding *f, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->advice, sizeof(f->advice), format, args);
	va_end(args);
}

/* Appends a word to a list, cleaned. */
void check_list(char *list, size_t size, const char *word)
{
	size_t used = strlen(list);
	char clean[128];

	reason_clean(clean, sizeof(clean), word);
	snprintf(list + used, size - used, "%s%s", used ? ", " : "", clean);
}

/* Whether somebody prepared a PF: its eswitch or its VFs are not as they boot. */
static bool is_prepared(const struct inventory_pf *pf)
{
	return pf->mode == ESWITCH_SWITCHDEV || pf->num_vfs;
}

/* Whether vferry has no use for a PF. */
bool check_is_spare(const struct check_case *c)
{
	const struct inventory *inventory = &c->view->scene.inventory;

	if (is_prepared(c->pf) || c->pf->mode == ESWITCH_UNKNOWN)
		return false;
	for (size_t i = 0; i < inventory->pfs; i++) {
		if (&inventory->pf[i] != c->pf && guest_can_use_pf(c->config, &inventory->pf[i]) && is_prepared(&inventory->pf[i]))
			return true;
	}
	return false;
}

/* ---- Running ------------------------------------------------------------------------------------------------------------------- */

/* Where an id comes in the order of the procedure: prerequisites, limits, steps, vferry's own. */
static unsigned long order_of(const char *id)
{
	static const char letters[] = "PLSV";
	const char *letter = strchr(letters, *id);
	char *end;
	unsigned long number = strtoul(id + 1, &end, 10);

	return (letter ? (unsigned long)(letter - letters) : sizeof(letters)) * 10000 + number * 100 + (unsigned char)*end % 32;
}

/* Puts a result behind those of the same id. */
static void add(struct results *results, const struct check_row *row, const struct finding *finding)
{
	size_t at = results->count;

	if (at == MAX_RESULTS)
		return;
	while (at > 0 && order_of(results->result[at - 1].row->id) > order_of(row->id))
		at--;
	memmove(&results->result[at + 1], &results->result[at], (results->count - at) * sizeof(results->result[0]));
	results->result[at] = (struct result){ row, *finding };
	results->count++;
	results->number[finding->state]++;
}

/* Runs one row about the host or the guest. */
static void run_once(struct check_case *c, const struct check_row *row, struct results *results)
{
	struct finding f = { .state = STATE_NONE };

	row->look(c, &f);
	add(results, row, &f);
}

/* Runs one row about each PF that vferry may use. */
static void run_pfs(struct check_case *c, const struct check_row *row, struct results *results)
{
	struct inventory *inventory = &c->view->scene.inventory;

	for (size_t i = 0; i < inventory->pfs; i++) {
		struct finding f = { .state = STATE_NONE };

		c->pf = &inventory->pf[i];
		if (!guest_can_use_pf(c->config, c->pf))
			continue;
		pci_address_format(&c->pf->address, f.object);
		row->look(c, &f);
		add(results, row, &f);
	}
}

/* Runs all rows of a table. */
static void run_table(struct check_case *c, const struct check_row *rows, struct results *results)
{
	for (const struct check_row *row = rows; row->id; row++) {
		if (row->scope == SCOPE_PF)
			run_pfs(c, row, results);
		else
			run_once(c, row, results);
	}
}

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

/* Prints all results and what they come to. */
static void show(struct call *call, const struct view *view, const struct results *results)
{
	terminal_print(call, TONE_STRONG, "%s\n", view->scene.inventory.hostname);
	view_say_unseen(call, view);
	for (size_t i = 0; i < results->count; i++)
		show_result(call, &results->result[i]);
	fprintf(call->out, "\n%zu ok, %zu warnings, %zu failures, %zu unknown, %zu not applicable\n", results->number[STATE_OK],
		results->number[STATE_WARNING], results->number[STATE_FAILURE], results->number[STATE_UNKNOWN], results->number[STATE_NONE]);
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
static void show_json(struct call *call, const struct view *view, const struct results *results)
{
	struct json_object *json = json_object_new_object(), *checks = json_object_new_array(), *summary = json_object_new_object();
	struct json_object *unseen = json_object_new_array();

	for (size_t i = 0; i < results->count; i++)
		json_object_array_add(checks, result_json(&results->result[i]));
	for (int i = 0; i < STATES; i++)
		json_object_object_add(summary, states[i].key, json_object_new_int64((int64_t)results->number[i]));
	for (size_t i = 0; i < view->unseens; i++)
		json_object_array_add(unseen, json_object_new_string(view->unseen[i]));
	terminal_add(json, "host", view->scene.inventory.hostname);
	json_object_object_add(json, "ready", json_object_new_boolean(results->number[STATE_FAILURE] == 0));
	json_object_object_add(json, "checks", checks);
	json_object_object_add(json, "summary", summary);
	json_object_object_add(json, "unseen", unseen);
	(void)terminal_json(call, json);
}

/* Runs and prints all rows. Return: enum command_status. */
static int check(struct call *call, struct check_case *c, struct results *results)
{
	run_table(c, check_rows_host, results);
	run_table(c, check_rows_card, results);
	run_table(c, check_rows_ovs, results);
	if (call->json)
		show_json(call, c->view, results);
	else
		show(call, c->view, results);
	return results->number[STATE_FAILURE] ? COMMAND_NOT_READY : COMMAND_OK;
}

/* vferry check. */
static int run(struct call *call)
{
	autofree struct results *results = calloc(1, sizeof(*results));
	autoview struct view view = { 0 };
	struct check_case c = { .config = &call->config, .view = &view };
	struct reason why = { 0 };

	if (!results || view_read(call, VIEW_FACTS | VIEW_GUESTS, &view, &why))
		return command_fail(call, &why, NULL);
	if (!view_has_card(call, &view))
		return COMMAND_NOT_READY;
	return check(call, &c, results);
}

static const struct command_option options[] = {
	OPTION_INVENTORY,
	OPTION_CONFIG,
	OPTION_JSON,
	OPTION_END,
};

const struct command command_check = {
	.name = "check", .operands = "", .summary = "Checks this host line by line, and says what mends it.", .options = options, .run = run,
};
