/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * passport.c: the entry of one VF in a guest's passport, which is in the metadata of the running guest and of its definition.
 */
#include "command/attach/passport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"

#define PASSPORT_PREFIX "vf"

/* Takes the entry of a MAC out. */
static void take_out(struct passport *passport, const struct mac_address *mac)
{
	size_t kept = 0;

	for (size_t i = 0; i < passport->vfs; i++) {
		if (!mac_address_equal(&passport->vf[i].mac, mac))
			passport->vf[kept++] = passport->vf[i];
	}
	passport->vfs = kept;
}

/* Puts an entry in, with the address at which the guest sees the device. Return: 0, -E2BIG with *why filled. */
static int put_in(struct passport *passport, const struct domain *domain, const struct passport_vf *entry, struct reason *why)
{
	struct passport_vf *vf = &passport->vf[passport->vfs];

	if (passport->vfs == PASSPORT_MAX_VFS)
		return reason_set(why, -E2BIG, "", "the guest's passport has %d entries already", PASSPORT_MAX_VFS);
	*vf = *entry;
	for (size_t i = 0; i < domain->hostdevs; i++) {
		const struct hostdev *device = &domain->hostdev[i];

		if (!device->has_mac || !mac_address_equal(&device->mac, &entry->mac))
			continue;
		vf->has_guest = device->has_guest;
		vf->guest = device->guest;
	}
	passport->vfs++;
	return 0;
}

/* Writes a passport into the guest's metadata; an empty one is removed. Return: 0, negative errno with *why filled. */
static int write_passport(struct attachment *a, const struct passport *passport, bool is_stored, struct reason *why)
{
	unsigned int where = is_stored ? VIR_DOMAIN_AFFECT_CONFIG : VIR_DOMAIN_AFFECT_LIVE;
	autofree char *xml = NULL;

	if (passport->vfs && passport_print(passport, true, &xml) < 0)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	return virt_set_metadata(a->guest, xml, PASSPORT_PREFIX, PASSPORT_NAMESPACE, where, why);
}

/* Reads the guest as it runs, or as it is stored. Return: 0, negative errno with *why filled. */
static int read_guest(struct attachment *a, bool is_stored, struct domain *domain, struct reason *why)
{
	autofree char *xml = NULL;
	int error = virt_xml(a->guest, is_stored, &xml, why);

	return error ? error : domain_parse(xml, strlen(xml), domain, why);
}

/* Reads the guest's passport as it is now, changes it and writes it. entry NULL: only removes. Return: 0, negative errno. */
static int change(struct attachment *a, const struct mac_address *mac, const struct passport_vf *entry, bool is_stored, struct reason *why)
{
	autofree struct passport *passport = malloc(sizeof(*passport));
	autodomain struct domain domain = { 0 };
	int error;

	if (!passport)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	error = read_guest(a, is_stored, &domain, why);
	if (error)
		return error;
	*passport = domain.passport;
	take_out(passport, mac);
	if (entry)
		error = put_in(passport, &domain, entry, why);
	if (error || (!entry && passport->vfs == domain.passport.vfs))
		return error;
	return write_passport(a, passport, is_stored, why);
}

/* Adds an entry; see the header. */
int attach_write_passport(struct attachment *a, const struct passport_vf *entry, bool is_stored, struct reason *why)
{
	return change(a, &entry->mac, entry, is_stored, why);
}

/* Removes an entry; see the header. */
int attach_erase_passport(struct attachment *a, const struct mac_address *mac, bool is_stored, struct reason *why)
{
	return change(a, mac, NULL, is_stored, why);
}
