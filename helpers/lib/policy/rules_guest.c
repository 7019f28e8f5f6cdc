/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rules_guest.c: the judges of a guest, of the host as a whole, and of figures.
 */
#include "policy/rules_judges.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * rules_postcopy() - L1: QEMU cannot move a VFIO device with post-copy, and says so only after the destination was started
 */
enum verdict rules_postcopy(const struct rule_case *c, struct reason *why)
{
	bool migrates = c->status && (c->status->job == STATUS_MIGRATION_IN || c->status->job == STATUS_MIGRATION_OUT);

	if (!migrates || !(c->status->flags & STATUS_POSTCOPY) || status_is_failover(c->status))
		return VERDICT_PASS;
	reason_set(why, -EPERM, NULL, "post-copy was asked for, and a VF cannot move by post-copy");
	return VERDICT_REFUSE;
}

/*
 * is_failover() - whether no VF of a guest travels with it: QEMU unplugs those of failover pairs before it sends anything
 * (hw/net/virtio-net.c)
 */
static bool is_failover(const struct guest *guest)
{
	size_t travel = 0;

	for (size_t i = 0; guest && i < guest->vfs; i++)
		travel += !guest->vf[i].device->is_transient;
	return guest && guest->vfs && !travel;
}

/*
 * rules_viommu() - L2: no vIOMMU of any model
 */
enum verdict rules_viommu(const struct rule_case *c, struct reason *why)
{
	char model[sizeof(c->domain->iommu_model)];

	if (!c->domain || !c->domain->has_iommu || is_failover(c->guest))
		return VERDICT_PASS;
	reason_clean(model, sizeof(model), c->domain->iommu_model);
	reason_set(why, -EPERM, NULL, "the guest has a vIOMMU (model '%s'), and with it a VF cannot be live-migrated", model);
	return VERDICT_REFUSE;
}

/*
 * same_source_pf() - whether two VFs count as of one PF on the source; those of unknown origin count as of one
 */
static bool same_source_pf(const struct guest_vf *a, const struct guest_vf *b)
{
	if (!a->has_source_pf || !b->has_source_pf)
		return a->has_source_pf == b->has_source_pf;
	return pci_address_equal(&a->source_pf, &b->source_pf);
}

/*
 * rules_alone() - L4 for a guest that exceeds it by itself
 */
enum verdict rules_alone(const struct rule_case *c, struct reason *why)
{
	const struct guest *guest = c->guest;

	for (size_t i = 0; guest && i < guest->vfs; i++) {
		const struct guest_vf *vf = &guest->vf[i];
		char address[PCI_ADDRESS_LEN] = "";
		unsigned int n = 0;

		for (size_t k = 0; k < guest->vfs; k++)
			n += !guest->vf[k].device->is_transient && same_source_pf(vf, &guest->vf[k]);
		if (vf->device->is_transient || n <= c->config->vfs_in_flight)
			continue;
		if (vf->has_source_pf)
			pci_address_format(&vf->source_pf, address);
		reason_set(why, -EPERM, address, "the guest has %u VFs of one PF, and at most %u can be in live migration at the same time",
			   n, c->config->vfs_in_flight);
		reason_cure(why, "detach VFs until it has %u of this PF", c->config->vfs_in_flight);
		return VERDICT_REFUSE;
	}
	return VERDICT_PASS;
}

/*
 * by_severity() - turns a configured severity into a verdict
 */
static enum verdict by_severity(enum severity severity)
{
	return severity == SEVERITY_REFUSE ? VERDICT_REFUSE : severity == SEVERITY_WARN ? VERDICT_WARN : VERDICT_PASS;
}

/*
 * is_of_guest() - whether an entry of the passport speaks of a device that the guest has
 */
static bool is_of_guest(const struct domain *domain, const struct passport_vf *entry)
{
	for (size_t i = 0; i < domain->hostdevs; i++) {
		if (domain->hostdev[i].passport == entry)
			return true;
	}
	return false;
}

/*
 * rules_passport() - a passport that is not taken as it is: it comes from another host, and may be hostile or old
 */
enum verdict rules_passport(const struct rule_case *c, struct reason *why)
{
	const struct passport *passport = c->incoming && c->domain ? &c->domain->passport : NULL;
	char mac[MAC_ADDRESS_LEN];

	if (passport && *passport->note) {
		reason_set(why, -EINVAL, NULL, "of the guest's passport something is left out: %s", passport->note);
		return VERDICT_WARN;
	}
	for (size_t i = 0; passport && i < passport->vfs; i++) {
		if (is_of_guest(c->domain, &passport->vf[i]))
			continue;
		reason_set(why, -EINVAL, mac_address_format(&passport->vf[i].mac, mac),
			   "the guest's passport speaks of a VF that the guest does not have; that is left out");
		return VERDICT_WARN;
	}
	return VERDICT_PASS;
}

/*
 * rules_unknown_source() - L5 and L6 cannot be checked where neither passport nor configuration tells PSID and firmware
 */
enum verdict rules_unknown_source(const struct rule_case *c, struct reason *why)
{
	for (size_t i = 0; c->incoming && c->guest && i < c->guest->vfs; i++) {
		const struct guest_vf *vf = &c->guest->vf[i];
		bool psid = *c->config->peer_psid || (vf->passport && *vf->passport->psid);
		bool firmware = *c->config->peer_firmware || (vf->passport && *vf->passport->firmware);
		char address[PCI_ADDRESS_LEN] = "";

		if ((psid && firmware) || vf->device->is_transient)
			continue;
		if (vf->device->has_source)
			pci_address_format(&vf->device->source, address);
		reason_set(why, -EPERM, address,
			   "%s of the source %s unknown: neither the guest's passport nor [peer] in vferry.conf tells",
			   psid ? "the firmware" : firmware ? "the PSID" : "PSID and firmware", psid || firmware ? "is" : "are");
		return by_severity(c->config->unknown_source);
	}
	return VERDICT_PASS;
}

/*
 * refuse_extra() - the sentence for the first VF that is to have one of some extras, by its interface or by its pool
 * @extras:	bits that count
 */
static enum verdict refuse_extra(const struct rule_case *c, unsigned int extras, const char *who, struct reason *why)
{
	for (size_t i = 0; c->guest && i < c->guest->vfs; i++) {
		const struct guest_vf *vf = &c->guest->vf[i];
		unsigned int own = vf->device->extras & extras, pools = vf->pool ? vf->pool->extras & extras : 0;
		char mac[MAC_ADDRESS_LEN] = "", network[64], giver[128] = "the interface has";

		if (!own && !pools)
			continue;
		if (vf->device->has_mac)
			mac_address_format(&vf->device->mac, mac);
		reason_clean(network, sizeof(network), vf->device->network);
		if (!own)
			snprintf(giver, sizeof(giver), "its network %s gives the interface", network);
		reason_set(why, -EPERM, mac, "%s a %s, which %s", giver, extras_name(own ? own : pools), who);
		return VERDICT_REFUSE;
	}
	return VERDICT_PASS;
}

/*
 * rules_vlan() - a switchdev mlx5 takes no VLAN on the VF itself: libvirt would fail with "Operation not supported"
 * (drivers/net/ethernet/mellanox/mlx5/core/eswitch.c, mlx5_eswitch_set_vport_vlan)
 */
enum verdict rules_vlan(const struct rule_case *c, struct reason *why)
{
	return refuse_extra(c, EXTRA_VLAN, "a VF of an eswitch in switchdev mode does not take", why);
}

/*
 * rules_interface() - what libvirt itself refuses for a host device, after the host was made ready for it
 */
enum verdict rules_interface(const struct rule_case *c, struct reason *why)
{
	return refuse_extra(c, EXTRA_VIRTUALPORT | EXTRA_BANDWIDTH | EXTRA_ISOLATED, "libvirt does not take for a VF", why);
}

/*
 * rules_any_card() - L7 for the whole host: one card at least whose VFs can migrate. Comes before all that such a card needs.
 */
enum verdict rules_any_card(const struct rule_case *c, struct reason *why)
{
	const struct inventory *inventory = c->inventory;
	char address[PCI_ADDRESS_LEN], others[REASON_TEXT_MAX / 2] = "";

	for (size_t i = 0; i < inventory->pfs; i++) {
		size_t used = strlen(others);

		if (inventory->pf[i].card.can_migrate)
			return VERDICT_PASS;
		snprintf(others + used, sizeof(others) - used, "%s PF %s: it is a %s, whose VFs cannot be live-migrated", used ? ";" : ":",
			 pci_address_format(&inventory->pf[i].address, address), inventory->pf[i].card.name);
	}
	reason_set(why, -ENODEV, NULL, "this host has no card whose VFs can be live-migrated%s", others);
	return VERDICT_REFUSE;
}

/*
 * rules_architecture() - L8. A record that does not tell passes.
 */
enum verdict rules_architecture(const struct rule_case *c, struct reason *why)
{
	const char *architecture = c->inventory->architecture;

	if (!*architecture || strcmp(architecture, "x86_64") == 0 || strcmp(architecture, "aarch64") == 0)
		return VERDICT_PASS;
	reason_set(why, -EPERM, NULL, "the processor is %s, and VFs are live-migrated on x86_64 and aarch64 only", architecture);
	return VERDICT_REFUSE;
}

/*
 * has_kernel_bridge() - whether the uplink of a PF is in a bridge of the kernel, where people have no Open vSwitch
 */
static bool has_kernel_bridge(const struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->pfs; i++) {
		if (inventory->pf[i].card.can_migrate && strcmp(inventory->pf[i].uplink_master_kind, "bridge") == 0)
			return true;
	}
	return false;
}

/*
 * rules_openvswitch() - S5a: Open vSwitch runs, and there is somewhere to plug the representor
 */
enum verdict rules_openvswitch(const struct rule_case *c, struct reason *why)
{
	if (c->inventory->has_ovs)
		return VERDICT_PASS;
	reason_set(why, -ENOTCONN, "Open vSwitch", "%s%s", c->inventory->ovs_trouble,
		   has_kernel_bridge(c->inventory) ? "; and VFs behind a bridge of the kernel, which the uplink is in here, are not supported" : "");
	reason_cure(why, "%s", c->inventory->ovs_cure);
	return VERDICT_REFUSE;
}

/*
 * rules_variant_driver() - L7: the kernel has the driver that migrates VFs
 */
enum verdict rules_variant_driver(const struct rule_case *c, struct reason *why)
{
	if (c->inventory->has_variant_driver)
		return VERDICT_PASS;
	reason_set(why, -ENOENT, "mlx5_vfio_pci",
		   "this host's kernel does not have the driver that migrates VFs (no vfio_pci: alias for them in modules.alias)");
	return VERDICT_REFUSE;
}

/*
 * rules_iommu() - P5: an IOMMU is on
 */
enum verdict rules_iommu(const struct rule_case *c, struct reason *why)
{
	if (c->inventory->has_iommu)
		return VERDICT_PASS;
	reason_set(why, -ENODEV, "IOMMU", "this host has no IOMMU groups, and without them no VF can be given to a guest");
	return VERDICT_REFUSE;
}

/*
 * rules_dirty_rate() - L3: what the figures of libvirt leave out. Said wherever they are shown; no guest: said in general.
 */
enum verdict rules_dirty_rate(const struct rule_case *c, struct reason *why)
{
	if (c->guest && !c->guest->vfs)
		return VERDICT_PASS;
	reason_set(why, 0, NULL, "%s", rules_find("L3-dirty-rate")->limit);
	return VERDICT_EXPLAIN;
}
