/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * executor.c: carries out plans.
 *
 * Killed at any instruction, what is on disk is enough to take everything back: a step is in the journal, with what was there before,
 * before it is made, and taking back a step that was never made does nothing.
 */
#include "engine/executor.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

/*
 * same_target() - whether two steps concern the same thing, so that the older "before" is the one to restore
 */
static bool same_target(const struct step *a, const struct step *b)
{
	return a->kind == b->kind && pci_address_equal(&a->pf, &b->pf) && a->has_vf == b->has_vf &&
	       (!a->has_vf || pci_address_equal(&a->vf, &b->vf)) && strcmp(a->name, b->name) == 0;
}

/*
 * journal_add() - writes a step down
 */
static int journal_add(struct journal *journal, const struct step *step, struct reason *why)
{
	for (size_t i = 0; i < journal->steps->count; i++) {
		if (same_target(&journal->steps->step[i], step))
			return 0;
	}
	if (steps_add(journal->steps, step))
		return reason_set(why, -E2BIG, NULL, "the journal is full");
	return journal->save(journal->owner, why);
}

/*
 * apply_one() - one step: look, write down, do, say
 */
static int apply_one(const struct step *planned, struct journal *journal, struct context *context, struct reason *why)
{
	const struct operation *operation = operation_of(planned->kind);
	int64_t begin = clock_ms();
	struct step step = *planned;
	char text[192];
	int result = operation->look(&step, context, why);

	step_describe(&step, text, sizeof(text));
	if (result == 1) {
		log_info("step: %s: is so already (%lld ms)", text, (long long)(clock_ms() - begin));
		return 0;
	}
	if (result == 0)
		result = journal_add(journal, &step, why);
	if (result == 0)
		result = operation->apply(&step, context, why);
	if (result)
		log_error("step: %s: failed after %lld ms", text, (long long)(clock_ms() - begin));
	else
		log_info("step: %s: done in %lld ms", text, (long long)(clock_ms() - begin));
	return result;
}

/*
 * executor_apply() - carries out a plan
 * @plan:	steps in order
 * @journal:	where they are written down
 * @context:	configuration, deadline, connections
 * @why:	filled on failure
 * Return: 0, negative errno of the step that failed
 */
int executor_apply(const struct steps *plan, struct journal *journal, struct context *context, struct reason *why)
{
	for (size_t i = 0; i < plan->count; i++) {
		int error = apply_one(&plan->step[i], journal, context, why);

		if (error)
			return error;
	}
	return 0;
}

/*
 * undo_one() - takes one step back, and says so
 */
static int undo_one(const struct step *step, struct context *context, struct reason *why)
{
	int64_t begin = clock_ms();
	char text[192], line[1024];
	struct reason reason = { 0 };
	int error = operation_of(step->kind)->undo(step, context, &reason);

	step_describe(step, text, sizeof(text));
	if (!error) {
		log_info("undo: %s: done in %lld ms", text, (long long)(clock_ms() - begin));
		return 0;
	}
	reason_format(&reason, NULL, line, sizeof(line));
	log_warning("undo: %s: %s", text, line);
	if (why)
		*why = reason;
	return error;
}

/*
 * strike_out() - takes one step out of a list
 */
static void strike_out(struct steps *steps, size_t i)
{
	memmove(&steps->step[i], &steps->step[i + 1], (steps->count - i - 1) * sizeof(steps->step[0]));
	steps->count--;
}

/*
 * executor_undo() - takes a journal back, last step first
 * @journal:	what is taken back is struck out and saved as it goes
 * @order:	what a step that cannot be taken back means for those before it
 * @context:	configuration, deadline, connections
 * @why:	the first failure
 * Return: 0 if the journal is empty now, negative errno
 *
 * A journal that cannot be written (disk full) stops nothing: taking back a second time what is in it does nothing.
 */
int executor_undo(struct journal *journal, enum undo_order order, struct context *context, struct reason *why)
{
	struct steps *steps = journal->steps;
	struct reason unsaved = { 0 };
	int first = 0, saved = 0;

	for (size_t i = steps->count; i-- > 0;) {
		int error = undo_one(&steps->step[i], context, first ? NULL : why);

		if (error && !first)
			first = error;
		if (error && order == UNDO_UNTIL_STUCK)
			break;
		if (error)
			continue;
		strike_out(steps, i);
		saved = journal->save(journal->owner, &unsaved);
	}
	if (first || !saved)
		return first;
	if (why)
		*why = unsaved;
	return saved;
}
