/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * results.h: what the rows of vferry check have found.
 */
#ifndef VFERRY_COMMAND_CHECK_RESULTS_H
#define VFERRY_COMMAND_CHECK_RESULTS_H

#include "command/check/ask.h"
#include "command/check/look.h"

#define MAX_RESULTS 512

/* What one row has found. */
struct result {
	const struct check_row *row;
	struct finding finding;
};

/* What all have, in the order of the procedure, and what was asked for them. */
struct results {
	struct result result[MAX_RESULTS];
	size_t count;
	size_t number[STATES];
	struct check_answers answers;
};

/* Runs all rows of a table, those about PFs once for each, and adds what they find to *results. */
void check_run_table(struct check_case *c, const struct check_row *rows, struct results *results);

/* Whether no row about this host fails, Pacemaker and guests left out: nothing is asked of cards. */
bool check_is_ready(const struct config *config, struct view *view);

#endif
