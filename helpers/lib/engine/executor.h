/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * executor.h: carries out a plan step by step, journalling before it acts, and takes a journal back.
 */
#ifndef VFERRY_ENGINE_EXECUTOR_H
#define VFERRY_ENGINE_EXECUTOR_H

#include "base/reason.h"
#include "engine/operation.h"
#include "state/step.h"

/* A journal and where it is kept. */
struct journal {
	struct steps *steps;
	int (*save)(void *owner, struct reason *why);
	void *owner;
};

/*
 * Carries out a plan. Each step is written to the journal before it is made; one that finds its work done already is not. One log line
 * a step, with milliseconds. Return: 0, or the error of the step that failed, with *why; nothing is taken back here.
 */
int executor_apply(const struct steps *plan, struct journal *journal, struct context *context, struct reason *why);

enum undo_order {
	UNDO_ALL,        /* a step that cannot be taken back stays in the journal, the others go on */
	UNDO_UNTIL_STUCK /* stop there: what was done before it depends on it */
};

/* Takes a journal back, last step first. Return: 0 if it is empty now, else the first error. */
int executor_undo(struct journal *journal, enum undo_order order, struct context *context, struct reason *why);

#endif
