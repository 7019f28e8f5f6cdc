/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * flights.c: who is in live migration on a PF: guests that libvirt has in a migration, and those that it does not have yet, whose VFs are
 * kept for them. See placement.h.
 */
#include <stdio.h>
#include <string.h>

#include "policy/flights.h"

/*
 * status_counts() - VFs of a PF that travel with a guest in flight, by libvirt
 */
static unsigned int status_counts(const struct status *status, struct inventory *inventory, const struct inventory_pf *pf)
{
	unsigned int n = 0, index;

	if (status->job != STATUS_MIGRATION_IN && status->job != STATUS_MIGRATION_OUT)
		return 0;
	for (size_t i = 0; i < status->devices - status->transient; i++)
		n += inventory_find_vf(inventory, &status->device[i], &index) == pf;
	return n;
}

/*
 * lease_counts() - VFs of a PF that are kept for an arriving guest which libvirt does not have yet
 */
static unsigned int lease_counts(const struct placement *p, const struct record *record, const struct inventory_pf *pf)
{
	unsigned int n = 0;

	if (record->state != RECORD_ARRIVING || record->lapsed || strcmp(record->uuid, p->uuid) == 0 || status_find_uuid(p->running, record->uuid))
		return 0;
	for (size_t k = 0; k < record->vfs; k++)
		n += pci_address_equal(&record->vf[k].pf, &pf->address);
	return n;
}

/*
 * add_flight() - adds a guest in flight
 * @vfs:	its VFs on the PF; 0: it is none of these
 */
static void add_flight(struct flights *flights, unsigned int vfs, const char *name)
{
	size_t used = strlen(flights->guests);
	char clean[64];

	if (!vfs)
		return;
	flights->vfs += vfs;
	reason_clean(clean, sizeof(clean), name);
	snprintf(flights->guests + used, sizeof(flights->guests) - used, "%s%s", used ? ", " : "", clean);
}

/*
 * placement_flights() - who is in live migration on a PF, in either direction
 * @p:		host
 * @pf:		PF
 * Return: their VFs and names, the guest with p->uuid not counted
 */
struct flights placement_flights(const struct placement *p, const struct inventory_pf *pf)
{
	struct flights flights = { 0 };

	for (size_t i = 0; i < p->running->count; i++) {
		const struct status *status = &p->running->status[i];

		if (strcmp(status->uuid, p->uuid))
			add_flight(&flights, status_counts(status, p->inventory, pf), status->name);
	}
	for (size_t i = 0; i < p->leases->count; i++)
		add_flight(&flights, lease_counts(p, &p->leases->record[i], pf), p->leases->record[i].name);
	return flights;
}

/*
 * placement_say_flights() - who is in flight, in words
 * @p:		host
 * @out, @size:	result
 */
void placement_say_flights(const struct placement *p, char *out, size_t size)
{
	out[0] = '\0';
	for (size_t i = 0; i < p->inventory->pfs; i++) {
		const struct inventory_pf *pf = &p->inventory->pf[i];
		struct flights flights = placement_flights(p, pf);
		size_t used = strlen(out);
		char address[PCI_ADDRESS_LEN];

		if (flights.vfs && guest_can_use_pf(p->config, pf))
			snprintf(out + used, size - used, "%sPF %s: %s", used ? "; " : "", pci_address_format(&pf->address, address),
				 flights.guests);
	}
}

/*
 * placement_in_flight() - VFs of a PF in live migration, in either direction
 * @p:		host
 * @pf:		PF
 * Return: their number, the guest with p->uuid not counted
 */
unsigned int placement_in_flight(const struct placement *p, const struct inventory_pf *pf)
{
	return placement_flights(p, pf).vfs;
}
