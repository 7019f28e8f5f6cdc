/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * inventory.c: what a host has.
 *
 * Theory of operation: libpci finds the PFs, sysfs tells their VFs, OVSDB the bridges, rtnetlink the netdevs, devlink the e-switches and
 * ports; then the lists are joined. Reading changes nothing. Open vSwitch is read while a child reads the card (inventory_card.c), which
 * may hang: the time that one takes must not make the other look sick.
 */
#include "host/inventory.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/sysroot.h"
#include "host/facts.h"
#include "host/inventory_card.h"
#include "host/inventory_join.h"
#include "card/msix.h"
#include "card/pci_scan.h"
#include "card/sriov.h"
#include "card/vfio.h"

/* ---- PFs ----------------------------------------------------------------------------------------------------------------------- */

/* Return: how many virtfnN links a PF has: the number of its VFs for those who may not read its capabilities. */
static unsigned int count_links(struct inventory_pf *pf)
{
	struct reason why = { 0 };
	struct pci_address vf;
	unsigned int count = 0;
	int error = 0;

	while (count < INVENTORY_MAX_VFS && (error = sriov_vf_address(&pf->address, count, &vf)) == 0)
		count++;
	if (error && error != -ENOENT) {
		reason_set(&why, error, "", "VF %u cannot be read: %s", count, strerror(-error));
		inventory_note_trouble(pf, &why);
	}
	return count;
}

/* Reads which driver has a function of a PF. out: "" none. */
static void read_driver(struct inventory_pf *pf, const struct pci_address *device, char *out, size_t size)
{
	char address[PCI_ADDRESS_LEN];
	struct reason why = { 0 };
	int error = pci_driver(device, out, size);

	if (!error || error == -ENODEV)
		return;
	reason_set(&why, error, pci_address_format(device, address), "its driver cannot be read: %s", strerror(-error));
	inventory_note_trouble(pf, &why);
}

/* Reads what sysfs tells of VF number index. */
static void read_vf(struct inventory_pf *pf, unsigned int index)
{
	struct inventory_vf *vf = &pf->vf[index];
	struct reason why = { 0 };

	vf->index = index;
	if (sriov_vf_address(&pf->address, index, &vf->address) < 0) {
		/* Another process is making or removing VFs. */
		(void)pci_address_vf(&pf->address, pf->offset, pf->stride, index, &vf->address);
		reason_set(&why, -EAGAIN, "", "VF %u has no link in sysfs: VFs are being made or removed", index);
		inventory_note_trouble(pf, &why);
		return;
	}
	read_driver(pf, &vf->address, vf->driver, sizeof(vf->driver));
	vf->group_members = pci_group_members(&vf->address);
	vf->msix = msix_size(&vf->address);
}

/* Reads a PF and its VFs as libpci and sysfs tell them. Return: 0, -ENOMEM with *why filled. */
static int read_pf(struct inventory_pf *pf, const struct pci_pf *found, struct reason *why)
{
	struct sriov_pf sriov = { 0 };
	struct reason trouble = { 0 };
	struct inventory_vf *vfs;

	pf->address = found->address;
	pf->card = *found->card;
	pf->mode = ESWITCH_UNKNOWN;
	pf->numa_node = -1;
	read_driver(pf, &pf->address, pf->driver, sizeof(pf->driver));
	if (sriov_read_static(&pf->address, &sriov, &trouble) < 0) {
		inventory_note_trouble(pf, &trouble);
		pf->offset = found->offset; /* so that its VFs are known for what they are */
		pf->stride = found->stride;
		pf->num_vfs = found->num_vfs;
	} else {
		pf->total_vfs = sriov.total_vfs;
		pf->offset = sriov.offset ? sriov.offset : found->offset;
		pf->stride = sriov.stride ? sriov.stride : found->stride;
		pf->autoprobe = sriov.autoprobe;
		pf->msix_dynamic = msix_is_dynamic(&pf->address);
		pf->numa_node = sriov.numa_node;
		pf->num_vfs = found->has_sriov ? found->num_vfs : count_links(pf);
	}
	if (pf->num_vfs > INVENTORY_MAX_VFS)
		pf->num_vfs = INVENTORY_MAX_VFS;
	vfs = calloc(pf->num_vfs + 1, sizeof(*vfs));
	if (!vfs)
		return reason_set(why, -ENOMEM, "inventory", "out of memory");
	pf->vf = vfs;
	for (unsigned int i = 0; i < pf->num_vfs; i++)
		read_vf(pf, i);
	return 0;
}

/* Finds the PFs of known cards. Return: 0, negative errno with *why filled. */
static int read_pfs(struct inventory *inventory, struct reason *why)
{
	struct pci_pf found[INVENTORY_MAX_PFS];
	size_t count = 0;
	int error = pci_scan(found, INVENTORY_MAX_PFS, &count, why);

	for (size_t i = 0; !error && i < count; i++) {
		inventory->pfs = i + 1;
		error = read_pf(&inventory->pf[i], &found[i], why);
	}
	return error;
}

/* ---- The host ------------------------------------------------------------------------------------------------------------------ */

/* Reads Open vSwitch; without it the inventory says why, and what to do. */
static void read_ovs(struct inventory *inventory, const char *socket, deadline_t deadline)
{
	autoovs struct ovs *ovs = NULL;
	struct reason why = { 0 };
	int error = ovs_open(&ovs, socket, deadline, &why);

	if (!error)
		error = ovs_read(ovs, &inventory->ovs, deadline, &why);
	inventory->has_ovs = !error;
	if (!error)
		return;
	reason_clean(inventory->ovs_trouble, sizeof(inventory->ovs_trouble), why.what);
	reason_clean(inventory->ovs_cure, sizeof(inventory->ovs_cure), why.cure);
}

/* Whether the machine has an IOMMU that is switched on: then its devices are in groups. */
static bool has_iommu(void)
{
	autoclosedir DIR *directory = sysroot_opendir("/sys/kernel/iommu_groups");
	const struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		if (isdigit((unsigned char)entry->d_name[0]))
			return true;
	}
	return false;
}

/*
 * Whether the kernel has the variant driver of the VFs. One that is loaded is there; only where none is, its list of modules is looked
 * through, which has more than a megabyte.
 */
static bool has_variant_driver(void)
{
	return sysroot_exists("/sys/bus/pci/drivers/" VFIO_DRIVER) || pci_has_variant_driver(CARD_VF_VENDOR, CARD_VF_DEVICE);
}

/* Reads the machine. few: the cards are asked as little as can be; all else as inventory_read(). */
static int read_machine(struct inventory *inventory, bool few, const char *ovsdb_socket, deadline_t deadline, struct reason *why)
{
	autocards struct inventory_cards cards = { 0 };
	int error;

	memset(inventory, 0, sizeof(*inventory));
	if (sysroot_read(inventory->hostname, sizeof(inventory->hostname), "/proc/sys/kernel/hostname") < 0)
		inventory->hostname[0] = '\0';
	facts_read_architecture(inventory->architecture, sizeof(inventory->architecture));
	inventory->is_few = few;
	error = read_pfs(inventory, why);
	for (size_t i = 0; i < inventory->pfs; i++)
		inventory->pf[i].ports_unasked = few;
	if (!error)
		error = inventory_cards_begin(&cards, inventory, deadline, why);
	if (error) {
		inventory_release(inventory);
		return error;
	}
	read_ovs(inventory, ovsdb_socket, deadline_within(deadline, deadline_left(deadline) / 2));
	inventory->has_variant_driver = has_variant_driver();
	inventory->has_iommu = has_iommu();
	inventory_cards_take(&cards, inventory, deadline);
	if (inventory->has_ovs)
		inventory_join_ovs(inventory);
	return 0;
}

/*
 * Reads the machine; see the header.
 * ovsdb_socket: path below the sysroot. deadline: held even where the kernel keeps one waiting.
 * Return: 0 with *inventory (to be released); negative errno with *why filled if not even the PCI devices can be read.
 */
int inventory_read(struct inventory *inventory, const char *ovsdb_socket, deadline_t deadline, struct reason *why)
{
	return read_machine(inventory, false, ovsdb_socket, deadline, why);
}

/* As inventory_read(), asking little; see the header. */
int inventory_read_few(struct inventory *inventory, const char *ovsdb_socket, deadline_t deadline, struct reason *why)
{
	return read_machine(inventory, true, ovsdb_socket, deadline, why);
}

/* Reads which PFs and VFs there are; see the header. */
int inventory_read_functions(struct inventory *inventory, struct reason *why)
{
	int error;

	memset(inventory, 0, sizeof(*inventory));
	error = read_pfs(inventory, why);
	if (error)
		inventory_release(inventory);
	return error;
}

/* Frees what an inventory holds; harmless on a zeroed struct. */
void inventory_release(struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->pfs; i++)
		free(inventory->pf[i].vf);
	ovs_state_release(&inventory->ovs);
	free(inventory->netdev);
	free(inventory->user);
	memset(inventory, 0, sizeof(*inventory));
}
