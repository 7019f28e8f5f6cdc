/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * results.c: runs the rows of vferry check, and puts what they find in order.
 */
#include "command/check/results.h"

#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "command/check/tables.h"

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

/* Runs one row about each PF that vferry may use, or about each. */
static void run_pfs(struct check_case *c, const struct check_row *row, struct results *results)
{
	struct inventory *inventory = &c->view->scene.inventory;

	for (size_t i = 0; i < inventory->pfs; i++) {
		struct finding f = { .state = STATE_NONE };

		c->pf = &inventory->pf[i];
		if (row->scope == SCOPE_PF && !guest_can_use_pf(c->config, c->pf))
			continue;
		pci_address_format(&c->pf->address, f.object);
		c->migration_mode = *results->answers.migration_mode[i] ? results->answers.migration_mode[i] : NULL;
		c->vfio = &results->answers.vfio[i];
		row->look(c, &f);
		add(results, row, &f);
	}
	c->pf = NULL;
}

/* Runs all rows of a table; see the header. */
void check_run_table(struct check_case *c, const struct check_row *rows, struct results *results)
{
	for (const struct check_row *row = rows; row->id; row++) {
		if (row->scope == SCOPE_PF || row->scope == SCOPE_ANY_PF)
			run_pfs(c, row, results);
		else
			run_once(c, row, results);
	}
}

/* Whether a host is ready; see the header. */
bool check_is_ready(const struct config *config, struct view *view)
{
	autofree struct results *results = calloc(1, sizeof(*results));
	struct prepared prepared = { 0 };
	struct check_case c = { .config = config, .view = view, .prepared = &prepared };

	if (!results)
		return false;
	check_run_table(&c, check_rows_host, results);
	check_run_table(&c, check_rows_card, results);
	check_run_table(&c, check_rows_ovs, results);
	for (size_t i = 0; i < results->count; i++) {
		const char *id = results->result[i].row->id;

		if (results->result[i].finding.state == STATE_FAILURE && strcmp(id, "S5g") != 0 && strcmp(id, "S4") != 0)
			return false; /* those two are of guests that are here */
	}
	return true;
}
