/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rules.c: the limits of the vendor's procedure and vferry's own, as one table, and judging by it. The judges are in rules_guest.c and
 * rules_pf.c.
 *
 * The order is the order of judging: the first refusal is what the operator reads, so what makes others pointless comes first.
 */
#include "policy/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/rules_judges.h"

static const struct rule table[] = {
	{ "L1-postcopy", ABOUT_GUEST, "the flags of the job in libvirt's status file", VERDICT_REFUSE,
	  "a VF cannot move by post-copy",
	  "run virsh migrate again without --postcopy, --postcopy-after-precopy and --timeout-postcopy", rules_postcopy },
	{ "L2-viommu", ABOUT_GUEST, "<iommu> in the domain XML, and an IOMMU in <qemu:commandline>", VERDICT_REFUSE,
	  "a guest with a vIOMMU cannot move with a VF",
	  "remove <iommu>, or QEMU's own arguments for one, from the guest and start it anew", rules_viommu },
	{ "L4-guest-alone", ABOUT_GUEST, "the number of the guest's VFs for each PF of the source", VERDICT_REFUSE,
	  "a guest cannot have more VFs of one PF than may be in live migration at the same time",
	  "detach VFs until it has no more of this PF than that", rules_alone },
	{ "passport", ABOUT_GUEST, "what of the guest's passport was left out, and whether it speaks of the guest's devices", VERDICT_WARN,
	  "what another host tells is used only as far as it is sound and speaks of this guest",
	  "run vferryd on the source: it writes passports anew when they are wrong", rules_passport },
	{ "L5-L6-unknown-source", ABOUT_GUEST, "PSID and firmware in the guest's passport, and in [peer] of vferry.conf", VERDICT_REFUSE,
	  "PSID and firmware of the source must be known to be compared",
	  "run vferryd on the source, or say in vferry.conf what guests without a passport come from ([peer]), or set unknown_source",
	  rules_unknown_source },
	{ "L7-any-card", ABOUT_GUEST, "the device ids of the host's PFs", VERDICT_REFUSE,
	  "the host needs a card whose VFs can be live-migrated",
	  "choose another destination", rules_any_card },
	{ "L8-processor", ABOUT_GUEST, "the processor's architecture", VERDICT_REFUSE,
	  "the procedure is for Intel 64, AMD64 and ARM 64",
	  "choose another host", rules_architecture },
	{ "P5-iommu", ABOUT_GUEST, "/sys/kernel/iommu_groups", VERDICT_REFUSE,
	  "without an IOMMU no VF can be given to a guest",
	  "switch VT-d or AMD-Vi on in the host's firmware and boot with 'intel_iommu=on iommu=pt' (Intel) or 'iommu=pt' (AMD)",
	  rules_iommu },
	{ "L7-variant-driver", ABOUT_GUEST, "modules.alias of the running kernel", VERDICT_REFUSE,
	  "only mlx5_vfio_pci can move a VF",
	  "run a kernel with CONFIG_MLX5_VFIO_PCI on this host", rules_variant_driver },
	{ "S5a-openvswitch", ABOUT_GUEST, "the answer of ovsdb-server", VERDICT_REFUSE,
	  "without Open vSwitch VFs have no way to the network",
	  "start it on this host with 'systemctl start openvswitch' (Debian: openvswitch-switch)", rules_openvswitch },
	{ "vlan", ABOUT_GUEST, "<vlan> in the guest's hostdev interfaces, and in the network or port group of those of a pool", VERDICT_REFUSE,
	  "the tag belongs to the representor's port",
	  "remove <vlan> there and put the tag on the representor's port in Open vSwitch (vferry attach --vlan)", rules_vlan },
	{ "interface", ABOUT_GUEST, "<virtualport>, <bandwidth> and <port isolated> at the same places", VERDICT_REFUSE,
	  "names, limits and isolation belong to the representor's port",
	  "remove it there and set it on the representor's port in Open vSwitch, where the passport carries it", rules_interface },

	{ "L7-card", ABOUT_PF, "the PF's device id", VERDICT_REFUSE,
	  "only a ConnectX-7, or a BlueField-3 that is switched on, can move its VFs",
	  "choose a host with such a card", rules_card },
	{ "pf-readable", ABOUT_PF, "what the inventory could read", VERDICT_REFUSE,
	  "a PF that cannot be read is not used",
	  "look for mlx5_core in the kernel's log: journalctl -k | grep mlx5", rules_readable },
	{ "pf-driver", ABOUT_PF, "the PF's driver", VERDICT_REFUSE,
	  "a PF has VFs and an eswitch with mlx5_core only",
	  "bind it to mlx5_core", rules_driver },
	{ "L5-psid", ABOUT_PF, "the PSID of the PF, and that of the source", VERDICT_REFUSE,
	  "the state of a VF fits into the same kind of card only",
	  "choose a host with the same card", rules_psid },
	{ "L6-same-firmware", ABOUT_PF, "the running firmware of the PF, and that of the source", VERDICT_REFUSE,
	  "the state of a VF fits to the same firmware only",
	  "burn the same version on both hosts, and reset the firmware", rules_same_firmware },
	{ "L6-old-firmware", ABOUT_PF, "the running firmware of the PF", VERDICT_REFUSE,
	  "older firmware cannot move a VF",
	  "burn newer firmware on this host and reset it", rules_old_firmware },
	{ "network", ABOUT_PF, "where the PF's uplink is, and the bridge the VF belongs into", VERDICT_REFUSE,
	  "the uplink's traffic is not cut off, and no loop is made",
	  "mend what is named, or let guests use another PF", rules_network },
	{ "mtu", ABOUT_PF, "the MTU of the PF's uplink, and that of the guest's representor at the source", VERDICT_REFUSE,
	  "what the guest sends must fit through the uplink here too",
	  "raise the MTU of the uplink and of what carries it on here (ip link set dev UPLINK mtu NUMBER), or choose another destination",
	  rules_mtu },
	{ "msix", ABOUT_PF, "the size of the MSI-X tables of the PF's VFs, and of the guest's VF at the source", VERDICT_REFUSE,
	  "QEMU refuses the state of a VF with another table, after all memory was sent",
	  "let both hosts have the same number of VFs and the same settings of the card (mstconfig), or choose another destination",
	  rules_msix },
	{ "function", ABOUT_PF, "ipsec_crypto and ipsec_packet of the PF's VFs, and of the guest's VF at the source", VERDICT_REFUSE,
	  "the state of a VF fits to a function that may do the same",
	  "let the VFs of both hosts have the same attributes (devlink-port(8)), or choose another destination", rules_function },
	{ "S2-sriov", ABOUT_PF, "sriov_totalvfs", VERDICT_REFUSE,
	  "guests need a VF each",
	  "set SRIOV_EN=1 and NUM_OF_VFS with mstconfig, and reset the firmware", rules_sriov },
	{ "eswitch", ABOUT_PF, "the eswitch mode and what a change would disturb", VERDICT_REFUSE,
	  "the eswitch is switched only where that disturbs nobody",
	  "end what is named, then: vferry prepare", rules_eswitch },
	{ "hook-deadline", ABOUT_PF, "how long a mode change and making VFs take, and hook_deadline in vferry.conf", VERDICT_REFUSE,
	  "what an arrival finds unprepared is made ready within one call of the hook, or not begun",
	  "run 'vferry prepare' here before guests come", rules_time },
	{ "L4-slots", ABOUT_PF, "libvirt's status files and the leases of arriving guests", VERDICT_REFUSE,
	  "more VFs of one PF at a time are not supported",
	  "try again when other migrations have ended", rules_slots },

	{ "L3-dirty-rate", ABOUT_FIGURES, "whether the guest has a VF", VERDICT_EXPLAIN,
	  "domjobinfo and domdirtyrate-calc count guest memory only: with a VF their figures are too low",
	  "plan with more than they say", rules_dirty_rate },
	{ 0 },
};

/* Return: the table, ended by a NULL name. */
const struct rule *rules_table(void)
{
	return table;
}

/*
 * rules_find() - a row by its name
 * Return: NULL if there is none
 */
const struct rule *rules_find(const char *name)
{
	for (const struct rule *rule = table; rule->name; rule++) {
		if (strcmp(rule->name, name) == 0)
			return rule;
	}
	return NULL;
}

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
 * rules_judge_by() - judges by one row
 * @rule:	row; NULL, which rules_find() gives for a wrong name, refuses
 * @c:		the case
 * @why:	filled but for VERDICT_PASS: sentence, rule, cure
 * Return: the verdict
 */
enum verdict rules_judge_by(const struct rule *rule, const struct rule_case *c, struct reason *why)
{
	struct reason found = { 0 };
	enum verdict verdict;

	if (!rule) { /* a name that the table does not have: when in doubt, refuse */
		reason_set(why, -EINVAL, NULL, "vferry itself is wrong: it asks for a rule that it does not have");
		reason_cure(why, "report this with what 'vferry version' says");
		return VERDICT_REFUSE;
	}
	verdict = rule->judge(c, &found);
	if (verdict == VERDICT_PASS)
		return verdict;
	reason_rule(&found, rule->name);
	if (!*found.cure)
		reason_cure(&found, "%s", rule->cure);
	if (why)
		*why = found;
	return verdict;
}

/* Who is told of warnings. */
struct listener {
	void (*warn)(const struct reason *why, void *arg);
	void *arg;
};

/*
 * judge() - judges by all rows about one kind of thing
 * @warnings:	who is told of warnings
 * @why:	the first refusal, else the first reason to wait
 * Return: 0, -EPERM, -EBUSY
 */
static int judge(enum rule_about about, const struct rule_case *c, const struct listener *warnings, struct reason *why)
{
	int result = 0;

	for (const struct rule *rule = table; rule->name; rule++) {
		struct reason found = { 0 };
		enum verdict verdict = rule->about == about ? rules_judge_by(rule, c, &found) : VERDICT_PASS;

		if (verdict == VERDICT_WARN && warnings->warn)
			warnings->warn(&found, warnings->arg);
		if (verdict < VERDICT_WAIT || (verdict == VERDICT_WAIT && result))
			continue;
		if (why)
			*why = found;
		if (verdict == VERDICT_REFUSE)
			return -EPERM;
		result = -EBUSY;
	}
	return result;
}

/*
 * rules_judge_guest() - all rules about a guest
 * @c:		the case
 * @warn:	called for each warning, or NULL
 * @arg:	for warn
 * @why:	the first refusal
 * Return: 0, -EPERM
 */
int rules_judge_guest(const struct rule_case *c, void (*warn)(const struct reason *why, void *arg), void *arg, struct reason *why)
{
	return judge(ABOUT_GUEST, c, &(struct listener){ warn, arg }, why);
}

/*
 * rules_judge_flags() - what the flags of a migration say
 * @status:	libvirt's status file of the guest
 * @why:	filled on refusal
 * Return: 0, -EPERM
 */
int rules_judge_flags(const struct status *status, struct reason *why)
{
	const struct rule_case c = { .status = status };

	return rules_judge_by(rules_find("L1-postcopy"), &c, why) == VERDICT_REFUSE ? -EPERM : 0;
}

/*
 * rules_judge_pf() - all rules about one VF on one PF
 * @c:		the case
 * @warn:	called for each warning, or NULL
 * @arg:	for warn
 * @why:	the first refusal, or reason to wait
 * Return: 0, -EPERM, -EBUSY
 */
int rules_judge_pf(const struct rule_case *c, void (*warn)(const struct reason *why, void *arg), void *arg, struct reason *why)
{
	return judge(ABOUT_PF, c, &(struct listener){ warn, arg }, why);
}
