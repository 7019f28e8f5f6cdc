/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_passport.c: the passport. An input is what stands in the <metadata> of a guest with two VFs. Whatever it says, words are words,
 * addresses are addresses, no two entries speak of one device, and nothing of it reaches a device that it does not name.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdio.h>

#include "base/scope.h"
#include "domain/domain.h"

static const char head[] = "<domain type='kvm'><name>g</name><uuid>9e0c7f57-b8d6-4b29-8c3e-20d1f7a65b44</uuid><metadata>";
static const char tail[] = "</metadata><devices><interface type='hostdev'><mac address='52:54:00:12:34:56'/></interface>"
			   "<hostdev mode='subsystem' type='pci'><address type='pci' bus='0x05'/></hostdev></devices></domain>";

/* Demands of a word that it is one, or empty. */
static void check_word(const char *word, size_t size)
{
	REQUIRE(memchr(word, '\0', size));
	REQUIRE(word[strspn(word, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.:@-")] == '\0');
}

/* Demands what holds for the settings of a port. */
static void check_port(const struct port_settings *port)
{
	size_t trunks = 0;

	REQUIRE(port->tag <= PORT_MAX_VLAN && (port->has_tag || !port->tag));
	REQUIRE(port->trunks <= PORT_MAX_TRUNKS);
	for (unsigned int vlan = 0; vlan <= PORT_MAX_VLAN; vlan++)
		trunks += port_settings_has_trunk(port, vlan);
	REQUIRE(trunks == port->trunks);
	REQUIRE(!port->vlan_mode[0] || port_settings_is_vlan_mode(port->vlan_mode));
	REQUIRE(port->ingress_rate <= PORT_MAX_RATE && port->ingress_burst <= PORT_MAX_RATE);
	REQUIRE(!port->has_attached_mac || mac_address_is_unicast(&port->attached_mac));
	check_word(port->iface_id, sizeof(port->iface_id));
	check_word(port->vm_id, sizeof(port->vm_id));
	check_word(port->vm_uuid, sizeof(port->vm_uuid));
}

/* Demands what holds for every entry. */
static void check_entry(const struct passport *passport, const struct passport_vf *vf)
{
	REQUIRE(mac_address_is_unicast(&vf->mac));
	REQUIRE(passport_find_mac(passport, &vf->mac) == vf);
	REQUIRE(!vf->has_guest || passport_find_guest(passport, &vf->guest) == vf);
	fuzz_check_address(&vf->guest);
	fuzz_check_address(&vf->pf);
	check_word(vf->psid, sizeof(vf->psid));
	check_word(vf->firmware, sizeof(vf->firmware));
	check_word(vf->bridge, sizeof(vf->bridge));
	check_port(&vf->port);
}

/* Demands that a device has the entry that speaks of it and no other. */
static void check_device(const struct domain *domain, const struct hostdev *device)
{
	const struct passport_vf *vf = device->passport;

	if (!vf)
		return;
	REQUIRE(vf >= domain->passport.vf && vf < domain->passport.vf + domain->passport.vfs);
	if (device->kind == HOSTDEV_PLAIN)
		REQUIRE(device->has_guest && vf->has_guest && pci_address_equal(&device->guest, &vf->guest));
	else
		REQUIRE(device->has_mac && mac_address_equal(&device->mac, &vf->mac));
}

/* Demands that a passport which is written says what was read. */
static void check_printed(const struct passport *passport)
{
	autofree char *xml = NULL, *whole = NULL;
	struct domain domain;
	int length;

	REQUIRE(passport_print(passport, false, &xml) > 0);
	length = asprintf(&whole, "%s%s%s", head, xml, tail);
	REQUIRE(length > 0 && domain_parse(whole, (size_t)length, &domain, NULL) == 0);
	REQUIRE(domain.passport.vfs == passport->vfs && !domain.passport.ignored);
	domain.passport.present = passport->present;
	domain.passport.ignored = passport->ignored;
	REQUIRE(passport_equal(&domain.passport, passport));
	domain_release(&domain);
}

/* Demands what holds for every passport. */
static void check_passport(const struct passport *passport)
{
	REQUIRE(passport->vfs + passport->ignored <= PASSPORT_MAX_VFS);
	REQUIRE(passport->present || passport->vfs + passport->ignored == 0);
	REQUIRE(!passport->ignored || passport->note[0]);
	REQUIRE(memchr(passport->note, '\0', sizeof(passport->note)));
	fuzz_check_clean(passport->note);
	for (size_t i = 0; i < passport->vfs; i++)
		check_entry(passport, &passport->vf[i]);
}

/* One input: the content of <metadata>. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int errors[] = { -EINVAL, -E2BIG, 0 };
	size_t length = sizeof(head) - 1 + size + sizeof(tail) - 1;
	autofree char *xml = malloc(length);
	struct reason why = { 0 };
	struct domain domain;
	int error;

	REQUIRE(xml);
	memcpy(xml, head, sizeof(head) - 1);
	if (size)
		memcpy(xml + sizeof(head) - 1, data, size);
	memcpy(xml + sizeof(head) - 1 + size, tail, sizeof(tail) - 1);
	error = domain_parse(xml, length, &domain, &why);
	if (error) {
		fuzz_check_reason(error, errors, &why);
		return 0;
	}
	check_passport(&domain.passport);
	check_printed(&domain.passport);
	for (size_t i = 0; i < domain.hostdevs; i++)
		check_device(&domain, &domain.hostdev[i]);
	domain_release(&domain);
	return 0;
}
