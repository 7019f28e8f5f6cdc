/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * prepare.c: vferry prepare: makes a PF of this host ready for guests, from any state: S1 to S5 of the procedure.
 *
 * In order: whether this may be done here, what was asked for, the PFs that it is about; each is made ready by pf.c.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "command/prepare/boot.h"
#include "command/prepare/pf.h"

/* Reads --vfs. Return: COMMAND_RUN, COMMAND_USAGE. */
static int read_number(struct call *call, unsigned int *vfs)
{
	char *end;
	unsigned long number;

	*vfs = 0;
	if (!call->vfs)
		return COMMAND_RUN;
	number = strtoul(call->vfs, &end, 10);
	if (*end || end == call->vfs || *call->vfs == '-' || !number || number > INVENTORY_MAX_VFS) {
		command_say(call, "prepare: --vfs is a number from 1 to %u, not '%s'", INVENTORY_MAX_VFS, call->vfs);
		return COMMAND_USAGE;
	}
	*vfs = (unsigned int)number;
	return COMMAND_RUN;
}

/* Whether this may be done here at all. Return: COMMAND_RUN, or what the program ends with. */
static int check_use(struct call *call)
{
	if (call->inventory && !call->dry_run) {
		command_say(call, "prepare: a recorded host can only be planned for: --inventory needs --dry-run");
		return COMMAND_USAGE;
	}
	if (geteuid() != 0 && !call->inventory) {
		command_say(call, "prepare: only root may read all of this host and change it");
		return COMMAND_NOT_READY;
	}
	if (call->bridge && (!*call->bridge || strlen(call->bridge) > 15 || strchr(call->bridge, '/'))) {
		command_say(call, "prepare: '%s' cannot be the name of a bridge: it has 1 to 15 characters, and no '/'", call->bridge);
		return COMMAND_USAGE;
	}
	if (call->card_only && call->bridge) {
		command_say(call, "prepare: --card-only leaves Open vSwitch alone, so there is no --bridge with it");
		return COMMAND_USAGE;
	}
	if (call->boot && (call->pf || call->vfs || call->bridge || call->once || call->inventory || call->card_only)) {
		command_say(call, "prepare: --boot takes what earlier calls were asked for, and nothing else");
		return COMMAND_USAGE;
	}
	return COMMAND_RUN;
}

/* Prepares one PF, or the one that is nearest to ready. Return: enum command_status. */
static int run_one(struct call *call, const char *pf, unsigned int vfs)
{
	autofree struct preparation *p = calloc(1, sizeof(*p));
	int status;

	if (!p)
		return COMMAND_NOT_READY;
	call->pf = pf;
	p->bridge = call->config.bridge;
	p->card_only = call->card_only;
	p->vfs = vfs;
	status = prepare_pf(call, p);
	prepare_release(p);
	return status;
}

/* Prepares all PFs that vferry may use, the card alone: a bond is made over them afterwards. Return: enum command_status, the worst. */
static int run_all(struct call *call, const struct inventory *inventory, unsigned int vfs)
{
	int worst = COMMAND_OK;

	for (size_t i = 0; i < inventory->pfs; i++) {
		char address[PCI_ADDRESS_LEN];
		int status;

		if (!guest_can_use_pf(&call->config, &inventory->pf[i]))
			continue;
		status = run_one(call, pci_address_format(&inventory->pf[i].address, address), vfs);
		worst = status > worst ? status : worst;
	}
	call->pf = NULL;
	return worst;
}

/* vferry prepare. */
static int run(struct call *call)
{
	autoview struct view view = { 0 };
	struct reason why = { 0 };
	unsigned int vfs = 0;
	int status = check_use(call);

	if (status == COMMAND_RUN && call->boot)
		return prepare_boot(call);
	if (status == COMMAND_RUN)
		status = read_number(call, &vfs);
	if (status != COMMAND_RUN)
		return status;
	if (call->pf) /* named by hand: it may be used, whatever the configuration names */
		snprintf(call->config.pf, sizeof(call->config.pf), "%s", call->pf);
	if (call->bridge)
		snprintf(call->config.bridge, sizeof(call->config.bridge), "%s", call->bridge);
	if (view_read(call, 0, &view, &why))
		return command_fail(call, &why, NULL);
	if (!view_has_card(call, &view))
		return COMMAND_NOT_READY;
	return call->card_only && !call->pf ? run_all(call, &view.scene.inventory, vfs) : run_one(call, call->pf, vfs);
}

static const struct command_option options[] = {
	OPTION("pf", "PF", pf, "PCI address or network device (else: nearest to ready)"),
	OPTION("vfs", "NUMBER", vfs, "VFs that it shall have (else as they are, or 'vfs')"),
	OPTION("bridge", "BRIDGE", bridge, "Open vSwitch bridge for its uplink (else 'bridge')"),
	OPTION("card-only", NULL, card_only, "the card alone, of all PFs or --pf: before a bond"),
	OPTION("dry-run", NULL, dry_run, "only show the plan"),
	OPTION("yes", NULL, yes, "do not ask"),
	OPTION("once", NULL, once, "until the next reboot only"),
	OPTION("boot", "STAGE", boot, "card or host: make it so again, for the boot services"),
	OPTION_INVENTORY,
	OPTION_SETTINGS,
	OPTION_JSON,
	OPTION_END,
};

const struct command command_prepare = {
	.name = "prepare", .operands = "", .summary = "Makes a PF of this host ready for guests.", .options = options, .run = run,
};
