/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * operation.c: the table of operations, and what they share.
 */
#include "engine/operation.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(struct operation_write) <= GUARD_ARG_MAX && sizeof(struct operation_look) <= GUARD_ARG_MAX, "must reach the child");

static const struct operation *const table[STEP_KINDS] = {
#define ROW(kind, word) [kind] = &operation_##word,
	STEP_KINDS_OF(ROW)
#undef ROW
};

/*
 * operation_of() - the operation of a kind of step
 * @kind:	a kind below STEP_KINDS
 */
const struct operation *operation_of(enum step_kind kind)
{
	return table[kind];
}

/*
 * context_ovs() - the connection to Open vSwitch
 * @context:	keeps it
 * @ovs:	result, owned by the context
 * @why:	filled on failure
 * Return: 0, negative errno of ovs_open()
 */
int context_ovs(struct context *context, struct ovs **ovs, struct reason *why)
{
	int error = context->ovs ? 0 : ovs_open(&context->ovs, context->config->ovsdb_socket, context->deadline, why);

	*ovs = context->ovs;
	return error;
}

/*
 * context_release() - closes what was opened
 */
void context_release(struct context *context)
{
	ovs_close(&context->ovs);
	guard_end(&context->guard);
}

/*
 * explain_slow() - what an operator can do about a kernel that does not answer
 * Return: error
 */
static int explain_slow(int error, struct reason *why)
{
	reason_cure(why, "look for what keeps the driver busy (journalctl -k | grep mlx5_core); raise hook_deadline if it is only slow");
	return error;
}

/*
 * a_little_before() - when a child gives up by itself, so that it can still say why
 */
static deadline_t a_little_before(deadline_t deadline)
{
	int left = deadline_left(deadline);

	return deadline_in(left - left / 8);
}

/*
 * operation_driver() - which driver holds a VF
 * @name:	result, "" none does, or the VF is gone
 * @why:	filled on failure: what cannot be read is not free
 * Return: 0, negative errno
 */
int operation_driver(const struct pci_address *vf, char *name, size_t size, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];
	int error = pci_driver(vf, name, size);

	if (!error)
		return 0;
	name[0] = '\0';
	if (error == -ENODEV)
		return 0;
	return reason_set(why, error, pci_address_format(vf, address), "its driver cannot be read: %s", strerror(-error));
}

/*
 * operation_guarded() - one write, in a child
 * @fn:		gets a struct operation_write
 * @step:	step it belongs to, which also names it in a sentence about a time-out
 * @value:	what to write
 * @context:	deadline
 * @why:	filled on failure
 * Return: as guard_ask()
 */
int operation_guarded(int (*fn)(void *arg, struct reason *why), const struct step *step, unsigned int value, struct context *context,
		      struct reason *why)
{
	struct operation_write job = { *step, value, a_little_before(context->deadline) };
	char label[160];
	struct guard_limit limit = { step_describe(step, label, sizeof(label)), context->deadline };
	int result = guard_ask(&context->guard, fn, &job, sizeof(job), &limit, why);

	return result == -ETIME ? explain_slow(result, why) : result;
}

/*
 * operation_fetch() - a look at the host, in a child
 * @fn:		gets the look
 * @look:	its step is set; the rest is what fn finds
 * @context:	deadline
 * @why:	filled on failure
 * Return: as guard_ask()
 */
int operation_fetch(int (*fn)(void *arg, struct reason *why), struct operation_look *look, struct context *context, struct reason *why)
{
	char text[160], label[192];
	struct guard_limit limit = { label, context->deadline };
	int result;

	look->once = context->once || context->no_wait;
	look->deadline = a_little_before(context->deadline);
	snprintf(label, sizeof(label), "the look at %s", step_describe(&look->step, text, sizeof(text)));
	result = guard_ask(&context->guard, fn, look, sizeof(*look), &limit, why);
	return result == -ETIME ? explain_slow(result, why) : result;
}
