/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * operation.c: the table of operations, and what they share.
 */
#include "engine/operation.h"

#include "base/spawn.h"

static const struct operation *const table[STEP_KINDS] = {
	[STEP_AUTOPROBE] = &operation_autoprobe,
	[STEP_ESWITCH] = &operation_eswitch,
	[STEP_NUM_VFS] = &operation_num_vfs,
	[STEP_UPLINK_UP] = &operation_uplink_up,
	[STEP_OVS_OPTION] = &operation_ovs_option,
	[STEP_BRIDGE] = &operation_bridge,
	[STEP_UPLINK_PORT] = &operation_uplink_port,
	[STEP_UNBIND] = &operation_unbind,
	[STEP_MAC] = &operation_mac,
	[STEP_MIGRATABLE] = &operation_migratable,
	[STEP_BIND] = &operation_bind,
	[STEP_REPRESENTOR_UP] = &operation_representor_up,
	[STEP_PORT] = &operation_port,
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
}

/*
 * operation_guarded() - one write, in a child
 * @fn:		gets a struct operation_write
 * @step:	step it belongs to, which also names it in a sentence about a time-out
 * @value:	what to write
 * @context:	deadline
 * @why:	filled on failure
 * Return: as guard_call()
 */
int operation_guarded(int (*fn)(void *arg, struct reason *why), const struct step *step, unsigned int value, struct context *context,
		      struct reason *why)
{
	struct operation_write job = { step, value };
	char label[160];

	return guard_call(fn, &job, step_describe(step, label, sizeof(label)), context->deadline, why);
}
