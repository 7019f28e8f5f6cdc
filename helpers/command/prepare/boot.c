/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boot.c: vferry prepare --boot: what the two boot services run.
 *
 * vferry-card.service, before Open vSwitch and the network: mode, VFs and what is migratable, while nobody uses the card yet.
 * vferry-host.service, after Open vSwitch and before libvirt: all of it, so that a card that came late is made ready too.
 *
 * Both take what vferry prepare kept, PF by PF, wait a while for a PF and for Open vSwitch to appear, and try again when the card changes
 * under their hands. Idempotent.
 */
#include "command/prepare/boot.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/scope.h"
#include "command/prepare/pf.h"
#include "command/terminal.h"
#include "engine/ready.h"
#include "state/prepared.h"

#define WAIT_TIME 60000 /* ms, for a PF and Open vSwitch to appear */
#define POLL_MS 500
#define ATTEMPTS 3 /* a driver that is loaded anew meanwhile makes one fail, and systemd starts no service that is starting */
#define PAUSE 2    /* s, between them */

/* Whether a PF is there with its driver and netdev, and, if it is needed, Open vSwitch. */
static bool is_there(struct call *call, const struct pci_address *address, bool needs_ovs)
{
	autoview struct view view = { 0 };
	const struct inventory_pf *pf = view_read(call, 0, &view, NULL) ? NULL : inventory_find_pf(&view.scene.inventory, address);

	return pf && *pf->uplink && !*pf->trouble && (view.scene.inventory.has_ovs || !needs_ovs);
}

/* Waits until it is; what is missing after that is said by the attempt itself. */
static void wait_there(struct call *call, const struct pci_address *address, bool needs_ovs, deadline_t deadline)
{
	while (!is_there(call, address, needs_ovs) && deadline_left(deadline))
		nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000000L }, NULL);
}

/* Makes one PF ready. Return: enum command_status. */
static int boot_pf_once(struct call *call, const struct prepared_pf *kept, bool card_only)
{
	autofree struct preparation *p = calloc(1, sizeof(*p));
	char address[PCI_ADDRESS_LEN];
	int status;

	if (!p)
		return COMMAND_NOT_READY;
	call->pf = pci_address_format(&kept->pf, address);
	snprintf(call->config.pf, sizeof(call->config.pf), "%s", address);
	if (*kept->bridge)
		snprintf(call->config.bridge, sizeof(call->config.bridge), "%s", kept->bridge);
	p->bridge = call->config.bridge;
	p->vfs = kept->vfs;
	p->card_only = card_only || !*kept->bridge;
	status = prepare_pf(call, p);
	prepare_release(p);
	call->pf = NULL;
	return status;
}

/* Waits for a PF and makes it ready, in several attempts. Return: enum command_status. */
static int boot_pf(struct call *call, const struct prepared_pf *kept, bool card_only)
{
	deadline_t deadline = deadline_in(WAIT_TIME);
	int status = COMMAND_NOT_READY;

	for (int attempt = 1; attempt <= ATTEMPTS && status != COMMAND_OK; attempt++) {
		if (attempt > 1)
			nanosleep(&(struct timespec){ .tv_sec = PAUSE }, NULL);
		wait_there(call, &kept->pf, !card_only && *kept->bridge, deadline);
		status = boot_pf_once(call, kept, card_only);
	}
	return status;
}

/* Makes what was kept so again; see the header. */
int prepare_boot(struct call *call)
{
	bool card_only = strcmp(call->boot, "card") == 0;
	struct prepared prepared;
	struct reason why = { 0 };
	int status = COMMAND_OK;

	if (!card_only && strcmp(call->boot, "host") != 0) {
		command_say(call, "prepare: --boot is card or host, not '%s'", call->boot);
		return COMMAND_USAGE;
	}
	if (prepared_read(&prepared, &why))
		return command_fail(call, &why, NULL);
	call->yes = true;
	if (!card_only) /* what Open vSwitch has kept of guests that the last boot has ended */
		(void)ready_reconcile(&call->config, deadline_in(COMMAND_TIME), NULL);
	if (!prepared.pfs && !call->json)
		fputs("Nothing is kept: vferry prepare was not called here.\n", call->out);
	for (size_t i = 0; i < prepared.pfs; i++) {
		if (boot_pf(call, &prepared.pf[i], card_only) != COMMAND_OK)
			status = COMMAND_NOT_READY;
	}
	return status;
}
