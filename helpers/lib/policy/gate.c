/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gate.c: which outgoing migrations break a limit. See gate.h.
 */
#include "policy/gate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/rules.h"

/*
 * count_vfs() - VFs among a guest's first devices
 * @pf:		only those of this PF, NULL: of all PFs whose card can migrate VFs
 */
static unsigned int count_vfs(const struct status *status, size_t devices, struct inventory *inventory, const struct inventory_pf *pf)
{
	unsigned int count = 0, index;

	for (size_t i = 0; i < devices; i++) {
		const struct inventory_pf *its = inventory_find_vf(inventory, &status->device[i], &index);

		if (its && its->card.can_migrate && (!pf || its == pf))
			count++;
	}
	return count;
}

/* Return: VFs of a guest, of a PF, NULL: of all. */
unsigned int gate_count_vfs(const struct status *status, struct inventory *inventory, const struct inventory_pf *pf)
{
	return count_vfs(status, status->devices, inventory, pf);
}

/* Return: those of them whose state travels with the guest. */
unsigned int gate_count_travelling(const struct status *status, struct inventory *inventory, const struct inventory_pf *pf)
{
	return count_vfs(status, status->devices - status->transient, inventory, pf);
}

/*
 * gate_is_moving() - whether an outgoing guest has a place at the destination
 *
 * In phase begin3 the destination's hook may still let it wait for a slot; from perform3 on it is sent. A phase that is not written yet
 * (the first save of a job) is before begin3 (src/qemu/qemu_migration.h, src/conf/virdomainjob.c).
 */
bool gate_is_moving(const struct status *status)
{
	return status->job == STATUS_MIGRATION_OUT && *status->phase && strcmp(status->phase, "none") && strcmp(status->phase, "begin3");
}

/* is_endable() - whether a migration can still be ended: once confirmed, the guest runs at the destination */
static bool is_endable(const struct status *status)
{
	return strncmp(status->phase, "confirm", 7) != 0;
}

/*
 * taken_before() - VFs of a PF that were in flight already when a guest began to move: all that come in, and what began earlier
 */
static unsigned int taken_before(const struct gate_case *c, const struct status *guest, const struct inventory_pf *pf)
{
	uint64_t own = c->began[guest - c->running->status];
	unsigned int taken = 0;

	for (size_t i = 0; i < c->running->count; i++) {
		const struct status *other = &c->running->status[i];
		bool counts = other->job == STATUS_MIGRATION_IN || (gate_is_moving(other) && c->began[i] < own);

		if (other != guest && counts)
			taken += gate_count_travelling(other, c->inventory, pf);
	}
	return taken;
}

/*
 * judge_slots() - whether a moving guest has its slots on each of its PFs
 * Return: 0, -EPERM with *why
 */
static int judge_slots(const struct gate_case *c, const struct status *guest, struct reason *why)
{
	for (size_t i = 0; i < c->inventory->pfs; i++) {
		const struct inventory_pf *pf = &c->inventory->pf[i];
		unsigned int own = gate_count_travelling(guest, c->inventory, pf), taken = own ? taken_before(c, guest, pf) : 0;
		char address[PCI_ADDRESS_LEN];

		if (!own || own + taken <= c->config->vfs_in_flight)
			continue;
		reason_set(why, -EPERM, pci_address_format(&pf->address, address),
			   "%u VFs of this PF would be in live migration at the same time, and %u may be (%u of them began earlier)",
			   own + taken, c->config->vfs_in_flight, taken);
		reason_cure(why, "migrate the guest again when the others have arrived");
		reason_rule(why, "L4-slots");
		return -EPERM;
	}
	return 0;
}

/*
 * judge_card() - a PF that the guest leaves against what [peer] says of the other hosts' cards, the destination's too. A hook at the
 * destination refuses by the same values; this is for a destination that has no vferry, or other settings.
 * Return: 0, -EPERM with *why
 */
static int judge_card(const struct config *config, const struct inventory_pf *pf, struct reason *why)
{
	bool psid = *config->peer_psid && *pf->info.psid && strcmp(config->peer_psid, pf->info.psid);
	bool firmware = *config->peer_firmware && *pf->info.firmware && firmware_compare(config->peer_firmware, pf->info.firmware);
	char address[PCI_ADDRESS_LEN];

	if (!psid && !firmware)
		return 0;
	pci_address_format(&pf->address, address);
	if (psid)
		reason_set(why, -EPERM, address, "its PSID is %s and the destination's is %s, by [peer] in vferry.conf", pf->info.psid,
			   config->peer_psid);
	else
		reason_set(why, -EPERM, address, "its firmware is %s and the destination's is %s, by [peer] in vferry.conf", pf->info.firmware,
			   config->peer_firmware);
	reason_cure(why, "use hosts whose cards have the same, or correct [peer]");
	reason_rule(why, psid ? "L5-psid" : "L6-same-firmware");
	return -EPERM;
}

/*
 * judge_cards() - the same for all PFs that the guest has VFs of
 * Return: 0, -EPERM with *why
 */
static int judge_cards(const struct gate_case *c, const struct status *guest, struct reason *why)
{
	int error = 0;

	for (size_t i = 0; !error && i < c->inventory->pfs; i++) {
		if (gate_count_travelling(guest, c->inventory, &c->inventory->pf[i]))
			error = judge_card(c->config, &c->inventory->pf[i], why);
	}
	return error;
}

/*
 * judge_guest() - whether one guest's migration may go on
 * Return: 0, -EPERM with *why
 */
static int judge_guest(const struct gate_case *c, const struct status *guest, struct reason *why)
{
	int error;

	if (guest->job != STATUS_MIGRATION_OUT || !is_endable(guest) || !gate_count_travelling(guest, c->inventory, NULL))
		return 0;
	error = rules_judge_flags(guest, why);
	if (!error)
		error = judge_cards(c, guest, why);
	return error || !gate_is_moving(guest) ? error : judge_slots(c, guest, why);
}

/*
 * gate_judge() - all outgoing migrations
 * @c:		host, guests, configuration
 * @verdict:	result
 * @max:	places in it
 * Return: number of verdicts
 */
size_t gate_judge(const struct gate_case *c, struct gate_verdict *verdict, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < c->running->count && count < max; i++) {
		struct reason why = { 0 };

		if (judge_guest(c, &c->running->status[i], &why))
			verdict[count++] = (struct gate_verdict){ &c->running->status[i], why };
	}
	return count;
}
