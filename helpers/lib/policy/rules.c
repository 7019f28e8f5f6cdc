/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rules.c: the limits of the vendor's procedure and vferry's own, one function each.
 */
#include "policy/rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/disturb.h"

/*
 * firmware_compare() - orders two firmware versions
 * @a, @b:	"28.41.1000"
 * Return: less than, equal to or greater than 0
 */
int firmware_compare(const char *a, const char *b)
{
	for (;;) {
		char *end_a, *end_b;
		unsigned long x = strtoul(a, &end_a, 10), y = strtoul(b, &end_b, 10);

		if (x != y)
			return x < y ? -1 : 1;
		if (*end_a != '.' && *end_b != '.')
			return 0;
		a = *end_a == '.' ? end_a + 1 : end_a;
		b = *end_b == '.' ? end_b + 1 : end_b;
	}
}

/*
 * judge_postcopy() - L1: QEMU cannot move a VFIO device with post-copy, and says so only after the destination was started
 */
static enum verdict judge_postcopy(const struct guest_case *c, struct reason *why)
{
	if (!c->status || c->status->job != STATUS_MIGRATION_IN || !(c->status->flags & STATUS_POSTCOPY))
		return VERDICT_PASS;
	reason_set(why, -EPERM, NULL, "post-copy was asked for, and a VF cannot move by post-copy");
	reason_cure(why, "run virsh migrate again without --postcopy, --postcopy-after-precopy and --timeout-postcopy");
	return VERDICT_REFUSE;
}

/*
 * judge_viommu() - L2: no vIOMMU of any model
 */
static enum verdict judge_viommu(const struct guest_case *c, struct reason *why)
{
	char model[sizeof(c->domain->iommu_model)];

	if (!c->domain->has_iommu)
		return VERDICT_PASS;
	reason_clean(model, sizeof(model), c->domain->iommu_model);
	reason_set(why, -EPERM, NULL, "the guest has a vIOMMU (model '%s'), and with it a VF cannot be live-migrated", model);
	reason_cure(why, "remove the <iommu> element from the guest and start it anew");
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
 * judge_alone() - L4 for a guest that exceeds it by itself
 */
static enum verdict judge_alone(const struct guest_case *c, struct reason *why)
{
	const struct guest *guest = c->guest;

	for (size_t i = 0; i < guest->vfs; i++) {
		const struct guest_vf *vf = &guest->vf[i];
		char address[PCI_ADDRESS_LEN] = "";
		unsigned int n = 0;

		for (size_t k = 0; k < guest->vfs; k++)
			n += same_source_pf(vf, &guest->vf[k]);
		if (n <= c->config->vfs_in_flight)
			continue;
		if (vf->has_source_pf)
			pci_address_format(&vf->source_pf, address);
		reason_set(why, -EPERM, address, "the guest has %u VFs of one PF, and at most %u can be in live migration at the same time", n,
			   c->config->vfs_in_flight);
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
 * judge_unknown_source() - L5 and L6 cannot be checked without a passport that names PSID and firmware
 */
static enum verdict judge_unknown_source(const struct guest_case *c, struct reason *why)
{
	if (!c->incoming)
		return VERDICT_PASS;
	for (size_t i = 0; i < c->guest->vfs; i++) {
		const struct guest_vf *vf = &c->guest->vf[i];
		char address[PCI_ADDRESS_LEN] = "";

		if (vf->passport && *vf->passport->psid && *vf->passport->firmware)
			continue;
		if (vf->device->has_source)
			pci_address_format(&vf->device->source, address);
		reason_set(why, -EPERM, address, "PSID and firmware of the source are unknown: the guest's passport does not tell them");
		reason_cure(why, "run vferryd on the source, or set unknown_source in vferry.conf");
		return by_severity(c->config->unknown_source);
	}
	return VERDICT_PASS;
}

/*
 * judge_vlan() - a switchdev mlx5 takes no VLAN on the VF itself: libvirt would fail with "Operation not supported"
 * (drivers/net/ethernet/mellanox/mlx5/core/eswitch.c, mlx5_eswitch_set_vport_vlan)
 */
static enum verdict judge_vlan(const struct guest_case *c, struct reason *why)
{
	for (size_t i = 0; i < c->guest->vfs; i++) {
		char mac[MAC_ADDRESS_LEN] = "";

		if (!c->guest->vf[i].device->has_vlan)
			continue;
		if (c->guest->vf[i].device->has_mac)
			mac_address_format(&c->guest->vf[i].device->mac, mac);
		reason_set(why, -EPERM, mac, "the interface has a <vlan>, which a VF of an eswitch in switchdev mode does not take");
		reason_cure(why, "remove <vlan> from the interface and put the tag on the representor's port in Open vSwitch");
		return VERDICT_REFUSE;
	}
	return VERDICT_PASS;
}

/*
 * judge_any_card() - L7 for the whole host: one card at least whose VFs can migrate. Comes before all that such a card needs.
 */
static enum verdict judge_any_card(const struct guest_case *c, struct reason *why)
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
	reason_cure(why, "choose another destination");
	return VERDICT_REFUSE;
}

/*
 * judge_ovs() - S5a: Open vSwitch runs, and there is somewhere to plug the representor
 */
static enum verdict judge_ovs(const struct guest_case *c, struct reason *why)
{
	if (c->inventory->has_ovs)
		return VERDICT_PASS;
	reason_set(why, -ENOTCONN, "Open vSwitch", "%s", c->inventory->ovs_trouble);
	reason_cure(why, "start it on this host with 'systemctl start openvswitch' (Debian: openvswitch-switch)");
	return VERDICT_REFUSE;
}

/*
 * judge_variant_driver() - L7: the kernel has the driver that migrates VFs
 */
static enum verdict judge_variant_driver(const struct guest_case *c, struct reason *why)
{
	if (c->inventory->has_variant_driver)
		return VERDICT_PASS;
	reason_set(why, -ENOENT, "mlx5_vfio_pci", "this host's kernel does not have the driver that migrates VFs (no vfio_pci: alias for them in "
		   "modules.alias)");
	reason_cure(why, "run a kernel with CONFIG_MLX5_VFIO_PCI on this host");
	return VERDICT_REFUSE;
}

/*
 * judge_iommu() - P5: an IOMMU is on
 */
static enum verdict judge_iommu(const struct guest_case *c, struct reason *why)
{
	if (c->inventory->has_iommu)
		return VERDICT_PASS;
	reason_set(why, -ENODEV, "IOMMU", "this host has no IOMMU groups, and without them no VF can be given to a guest");
	reason_cure(why, "switch VT-d or AMD-Vi on in the host's firmware and boot with 'intel_iommu=on iommu=pt' (Intel) or 'iommu=pt' (AMD)");
	return VERDICT_REFUSE;
}

static const struct guest_rule guest_table[] = {
	{ "L1-postcopy", "the flags of the job in libvirt's status file", judge_postcopy },
	{ "L2-viommu", "<iommu> in the domain XML", judge_viommu },
	{ "L4-guest-alone", "the number of the guest's VFs for each PF of the source", judge_alone },
	{ "L5-L6-unknown-source", "PSID and firmware in the guest's passport", judge_unknown_source },
	{ "L7-any-card", "the device ids of the host's PFs", judge_any_card },
	{ "P5-iommu", "/sys/kernel/iommu_groups", judge_iommu },
	{ "L7-variant-driver", "modules.alias of the running kernel", judge_variant_driver },
	{ "S5a-openvswitch", "the answer of ovsdb-server", judge_ovs },
	{ "vlan", "<vlan> in the guest's hostdev interfaces", judge_vlan },
	{ 0 },
};

/*
 * judge_readable() - a PF that could not be read is not used
 */
static enum verdict judge_readable(const struct pf_case *c, struct reason *why)
{
	if (!*c->pf->trouble)
		return VERDICT_PASS;
	reason_set(why, -EIO, NULL, "%s", c->pf->trouble);
	return VERDICT_REFUSE;
}

/*
 * judge_card() - L7: a card whose VFs mlx5_vfio_pci can migrate
 */
static enum verdict judge_card(const struct pf_case *c, struct reason *why)
{
	if (guest_can_use_pf(c->config, c->pf))
		return VERDICT_PASS;
	if (!c->pf->card.can_migrate)
		reason_set(why, -ENODEV, NULL, "it is a %s, whose VFs cannot be live-migrated", c->pf->card.name);
	else if (*c->config->pf)
		reason_set(why, -ENODEV, NULL, "the configuration says pf = %s", c->config->pf);
	else
		reason_set(why, -ENODEV, NULL, "it is a %s, which is used only when 'pf' names it", c->pf->card.name);
	return VERDICT_REFUSE;
}

/*
 * judge_driver() - a PF without mlx5_core has no VFs and no eswitch
 */
static enum verdict judge_driver(const struct pf_case *c, struct reason *why)
{
	if (strcmp(c->pf->driver, "mlx5_core") == 0)
		return VERDICT_PASS;
	reason_set(why, -ENODEV, NULL, "its driver is '%s', not mlx5_core", c->pf->driver);
	return VERDICT_REFUSE;
}

/*
 * judge_psid() - L5
 */
static enum verdict judge_psid(const struct pf_case *c, struct reason *why)
{
	const char *source = c->vf->passport ? c->vf->passport->psid : "";
	char shown[40];

	if (!*source || strcmp(source, c->pf->info.psid) == 0)
		return VERDICT_PASS;
	reason_clean(shown, sizeof(shown), source);
	reason_set(why, -EPERM, NULL, "its PSID is %s and the source's is %s", c->pf->info.psid, shown);
	return VERDICT_REFUSE;
}

/*
 * judge_same_firmware() - L6: running firmware, not stored
 */
static enum verdict judge_same_firmware(const struct pf_case *c, struct reason *why)
{
	const char *source = c->vf->passport ? c->vf->passport->firmware : "";
	char shown[40];

	if (!*source || firmware_compare(source, c->pf->info.firmware) == 0)
		return VERDICT_PASS;
	reason_clean(shown, sizeof(shown), source);
	reason_set(why, -EPERM, NULL, "its firmware is %s and the source's is %s", c->pf->info.firmware, shown);
	return VERDICT_REFUSE;
}

/*
 * judge_old_firmware() - the lowest firmware
 */
static enum verdict judge_old_firmware(const struct pf_case *c, struct reason *why)
{
	const char *lowest = c->config->firmware_refuse_below, *advised = c->config->firmware_warn_below;

	if (*lowest && firmware_compare(c->pf->info.firmware, lowest) < 0) {
		reason_set(why, -EPERM, NULL, "its firmware is %s, and live migration needs %s", c->pf->info.firmware, lowest);
		return VERDICT_REFUSE;
	}
	if (*advised && firmware_compare(c->pf->info.firmware, advised) < 0) {
		reason_set(why, -EPERM, NULL, "its firmware is %s, and %s or newer is advised for live migration", c->pf->info.firmware, advised);
		return VERDICT_WARN;
	}
	return VERDICT_PASS;
}

/*
 * judge_network() - its uplink reaches the network that the VF belongs to
 */
static enum verdict judge_network(const struct pf_case *c, struct reason *why)
{
	return disturb_uplink(c->config, c->inventory, c->pf, c->vf->bridge, why) ? VERDICT_REFUSE : VERDICT_PASS;
}

/*
 * judge_eswitch() - it is in switchdev mode, or can be switched without cutting anybody off
 */
static enum verdict judge_eswitch(const struct pf_case *c, struct reason *why)
{
	return disturb_eswitch(c->inventory, c->pf, why) ? VERDICT_REFUSE : VERDICT_PASS;
}

static const struct pf_rule pf_table[] = {
	{ "L7-card", "the PF's device id", judge_card },
	{ "pf-readable", "what the inventory could read", judge_readable },
	{ "pf-driver", "the PF's driver", judge_driver },
	{ "L5-psid", "the PSID of the PF and in the passport", judge_psid },
	{ "L6-same-firmware", "the running firmware of the PF and in the passport", judge_same_firmware },
	{ "L6-old-firmware", "the running firmware of the PF", judge_old_firmware },
	{ "network", "where the PF's uplink is, and the bridge the VF belongs into", judge_network },
	{ "eswitch", "the eswitch mode and what a change would disturb", judge_eswitch },
	{ 0 },
};

const struct guest_rule *guest_rules(void)
{
	return guest_table;
}

const struct pf_rule *pf_rules(void)
{
	return pf_table;
}

/*
 * rules_judge_guest() - all rules about a guest
 * @c:		the case
 * @warn:	called for each warning, or NULL
 * @arg:	for warn
 * @why:	the first refusal
 * Return: 0, -EPERM
 */
int rules_judge_guest(const struct guest_case *c, void (*warn)(const struct reason *why, void *arg), void *arg, struct reason *why)
{
	for (const struct guest_rule *rule = guest_table; rule->name; rule++) {
		struct reason reason = { 0 };
		enum verdict verdict = rule->judge(c, &reason);

		reason_rule(&reason, rule->name);
		if (verdict == VERDICT_WARN && warn)
			warn(&reason, arg);
		if (verdict == VERDICT_REFUSE) {
			if (why)
				*why = reason;
			return -EPERM;
		}
	}
	return 0;
}

/*
 * rules_judge_flags() - what the flags of a migration say
 * @status:	libvirt's status file of the guest
 * @why:	filled on refusal
 * Return: 0, -EPERM
 */
int rules_judge_flags(const struct status *status, struct reason *why)
{
	const struct guest_case c = { .status = status };

	if (judge_postcopy(&c, why) != VERDICT_REFUSE)
		return 0;
	reason_rule(why, "L1-postcopy");
	return -EPERM;
}

/*
 * rules_judge_pf() - all rules about one VF on one PF
 * @c:		the case
 * @warn:	called for each warning, or NULL
 * @arg:	for warn
 * @why:	the first refusal
 * Return: 0, -EPERM
 */
int rules_judge_pf(const struct pf_case *c, void (*warn)(const struct reason *why, void *arg), void *arg, struct reason *why)
{
	for (const struct pf_rule *rule = pf_table; rule->name; rule++) {
		struct reason reason = { 0 };
		enum verdict verdict = rule->judge(c, &reason);

		reason_rule(&reason, rule->name);
		if (verdict == VERDICT_WARN && warn)
			warn(&reason, arg);
		if (verdict == VERDICT_REFUSE) {
			if (why)
				*why = reason;
			return -EPERM;
		}
	}
	return 0;
}
