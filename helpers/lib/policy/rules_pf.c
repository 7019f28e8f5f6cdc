/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rules_pf.c: the judges of one VF on one PF. Their sentences speak of the PF as "it": who prints them names it.
 */
#include "policy/rules_judges.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/disturb.h"
#include "policy/estimate.h"
#include "policy/network.h"
#include "policy/plan.h"

/*
 * rules_readable() - a PF that could not be read is not used
 */
enum verdict rules_readable(const struct rule_case *c, struct reason *why)
{
	if (!*c->pf->trouble)
		return VERDICT_PASS;
	reason_set(why, -EIO, NULL, "%s", c->pf->trouble);
	reason_cure(why, "%s", c->pf->cure);
	return VERDICT_REFUSE;
}

/*
 * rules_card() - L7: a card whose VFs mlx5_vfio_pci can migrate, and that is switched on here
 */
enum verdict rules_card(const struct rule_case *c, struct reason *why)
{
	const struct card *card = &c->pf->card;

	if (guest_can_use_pf(c->config, c->pf))
		return VERDICT_PASS;
	if (!card->can_migrate)
		reason_set(why, -ENODEV, NULL, "it is a %s, whose VFs cannot be live-migrated", card->name);
	else if (*c->config->pf)
		reason_set(why, -ENODEV, NULL, "the configuration says pf = %s", c->config->pf);
	else
		reason_set(why, -ENODEV, NULL, "it is a %s, and cards of that kind are not switched on here", card->name);
	if (card->can_migrate && *c->config->pf)
		reason_cure(why, "set pf in vferry.conf to this one, or to nothing");
	else if (card->can_migrate)
		reason_cure(why, "set cards = all in vferry.conf, or cards = %s to use no others",
			    card->profile == CARD_BLUEFIELD_3 ? "bluefield-3" : "connectx-7");
	return VERDICT_REFUSE;
}

/*
 * rules_driver() - a PF without mlx5_core has no VFs and no eswitch
 */
enum verdict rules_driver(const struct rule_case *c, struct reason *why)
{
	if (strcmp(c->pf->driver, "mlx5_core") == 0)
		return VERDICT_PASS;
	reason_set(why, -ENODEV, NULL, "its driver is '%s', not mlx5_core", c->pf->driver);
	return VERDICT_REFUSE;
}

/*
 * is_unplugged() - whether a VF is of a failover pair: QEMU unplugs it at the source and plugs another one here, and no state travels
 */
static bool is_unplugged(const struct rule_case *c)
{
	return c->vf && c->vf->device && c->vf->device->is_transient;
}

/*
 * travels() - whether the state of a VF comes from a source
 */
static bool travels(const struct rule_case *c)
{
	return c->incoming && c->vf && !is_unplugged(c);
}

/*
 * source_psid() - what the source has: by the passport, else by what the configuration says of all peers
 * Return: "" if nobody tells, or if nothing comes from a source
 */
static const char *source_psid(const struct rule_case *c)
{
	if (!travels(c))
		return "";
	return c->vf->passport && *c->vf->passport->psid ? c->vf->passport->psid : c->config->peer_psid;
}

/*
 * source_firmware() - the same for its running firmware
 */
static const char *source_firmware(const struct rule_case *c)
{
	if (!travels(c))
		return "";
	return c->vf->passport && *c->vf->passport->firmware ? c->vf->passport->firmware : c->config->peer_firmware;
}

/*
 * known() - a value of the card as it is said: "unknown" where devlink did not tell it
 */
static const char *known(const char *value)
{
	return *value ? value : "unknown";
}

/*
 * rules_psid() - L5
 */
enum verdict rules_psid(const struct rule_case *c, struct reason *why)
{
	const char *source = source_psid(c);
	char shown[40];

	if (!*source || strcmp(source, c->pf->info.psid) == 0)
		return VERDICT_PASS;
	reason_clean(shown, sizeof(shown), source);
	reason_set(why, -EPERM, NULL, "its PSID is %s and the source's is %s", known(c->pf->info.psid), shown);
	return VERDICT_REFUSE;
}

/*
 * rules_same_firmware() - L6: running firmware, not stored
 */
enum verdict rules_same_firmware(const struct rule_case *c, struct reason *why)
{
	const char *source = source_firmware(c);
	char shown[40];

	if (!*source || firmware_compare(source, c->pf->info.firmware) == 0)
		return VERDICT_PASS;
	reason_clean(shown, sizeof(shown), source);
	reason_set(why, -EPERM, NULL, "its firmware is %s and the source's is %s", known(c->pf->info.firmware), shown);
	return VERDICT_REFUSE;
}

/*
 * for_card() - a threshold of the configuration, which speaks of a ConnectX-7, as it is for a card: releases of firmware have the same
 * second and third number for all cards
 * @out:	32 bytes
 */
static const char *for_card(const struct card *card, const char *threshold, char *out)
{
	unsigned int number = (unsigned int)strtoul(threshold, NULL, 10);
	const char *rest = strchr(threshold, '.');

	if (!rest || !card->firmware || number != CARD_FIRMWARE_CONNECTX_7)
		return threshold;
	snprintf(out, 32, "%u%.16s", card->firmware, rest);
	return out;
}

/*
 * rules_old_firmware() - the lowest firmware
 */
enum verdict rules_old_firmware(const struct rule_case *c, struct reason *why)
{
	const char *running = c->pf->info.firmware, *lowest, *advised;
	char text[2][32];

	lowest = for_card(&c->pf->card, c->config->firmware_refuse_below, text[0]);
	advised = for_card(&c->pf->card, c->config->firmware_warn_below, text[1]);
	if (firmware_compare(running, lowest) < 0) {
		reason_set(why, -EPERM, NULL, "its firmware is %s, and live migration needs %s", known(running), lowest);
		return VERDICT_REFUSE;
	}
	if (firmware_compare(running, advised) < 0) {
		reason_set(why, -EPERM, NULL, "its firmware is %s, and %s or newer is advised for live migration", running, advised);
		return VERDICT_WARN;
	}
	return VERDICT_PASS;
}

/*
 * rules_network() - its uplink reaches the network that the VF belongs to
 */
enum verdict rules_network(const struct rule_case *c, struct reason *why)
{
	bool plug;
	int error = network_judge(c->config, c->inventory, c->pf, c->vf->bridge, &plug, why);

	if (!error && plug)
		error = disturb_uplink(c->inventory, c->pf, why);
	return error ? VERDICT_REFUSE : VERDICT_PASS;
}

/*
 * narrow_port() - the widest port by which the guest's bridge reaches the network, if it carries less than the guest's port at the source: a
 * VLAN on the uplink, or another device, may carry less than the uplink. What goes by tunnels does not go by it.
 * Return: NULL if it carries as much, or if that is not known
 */
static const struct ovs_port *narrow_port(const struct rule_case *c, unsigned int source)
{
	struct network network;

	network_find(c->inventory, c->vf->bridge, &network);
	return !network.is_ovn && !network.tunnel && network.widest && network.widest->mtu < source ? network.widest : NULL;
}

/*
 * rules_mtu() - its uplink, and what its bridge reaches the network by, carry what the guest's port carried at the source. A source or a
 * record that does not tell passes.
 */
enum verdict rules_mtu(const struct rule_case *c, struct reason *why)
{
	unsigned int source = c->incoming && c->vf && c->vf->passport ? c->vf->passport->mtu : 0;
	const struct ovs_port *narrow = source ? narrow_port(c, source) : NULL;

	if (narrow && strcmp(narrow->name, c->pf->uplink) != 0) {
		reason_set(why, -EPERM, NULL, "the MTU of %s, by which bridge %s reaches the network, is %u, and that of the guest's representor at "
			   "the source is %u", narrow->name, c->vf->bridge, narrow->mtu, source);
		reason_cure(why, "ip link set dev %s mtu %u, here and at what carries it on; or choose another destination", narrow->name, source);
		return VERDICT_REFUSE;
	}
	if (!source || !c->pf->uplink_mtu || source <= c->pf->uplink_mtu)
		return VERDICT_PASS;
	reason_set(why, -EPERM, NULL, "the MTU of its uplink %s is %u, and that of the guest's representor at the source is %u", c->pf->uplink,
		   c->pf->uplink_mtu, source);
	reason_cure(why, "ip link set dev %s mtu %u, here and at what carries it on; or choose another destination", c->pf->uplink, source);
	return VERDICT_REFUSE;
}

/*
 * rules_msix() - its VFs have MSI-X tables as large as the guest's VF had at the source, or can get them. A source that does not tell
 * passes.
 *
 * VFs of one PF have tables of one size unless the card lets them be set. That of a VF which libvirt chooses out of a pool cannot be: it is
 * bound by then.
 */
enum verdict rules_msix(const struct rule_case *c, struct reason *why)
{
	unsigned int source = travels(c) && c->vf->passport ? c->vf->passport->msix : 0;
	unsigned int here = c->pf->num_vfs ? c->pf->vf[0].msix : 0;

	if (!source || !here || source == here || (c->pf->msix_dynamic && !c->vf->pool))
		return VERDICT_PASS;
	reason_set(why, -EPERM, NULL, "the MSI-X tables of its VFs have %u entries, and that of the guest's VF at the source has %u", here,
		   source);
	return VERDICT_REFUSE;
}

/*
 * rules_function() - one of its VFs may do of IPsec what the guest's VF might at the source; what else differs can be set. VFs of which that
 * is not known are looked at before they are touched. A source that does not tell passes.
 */
enum verdict rules_function(const struct rule_case *c, struct reason *why)
{
	const struct vf_function *source = travels(c) && c->vf->passport ? &c->vf->passport->function : NULL;
	const struct inventory_vf *other = NULL;

	for (unsigned int i = 0; source && i < c->pf->num_vfs; i++) {
		const struct inventory_vf *vf = &c->pf->vf[i];

		if (!vf->has_port || vf->port_unasked || !vf_function_refuse(&vf->port.function, source, NULL, NULL))
			return VERDICT_PASS;
		other = other ? other : vf;
	}
	return other && vf_function_refuse(&other->port.function, source, NULL, why) ? VERDICT_REFUSE : VERDICT_PASS;
}

/*
 * rules_sriov() - it can have VFs
 */
enum verdict rules_sriov(const struct rule_case *c, struct reason *why)
{
	if (c->pf->total_vfs)
		return VERDICT_PASS;
	reason_set(why, -EBUSY, NULL, "it offers no VFs: SR-IOV is off in its firmware settings (SRIOV_EN, NUM_OF_VFS)");
	return VERDICT_REFUSE;
}

/*
 * is_idle_in_bond() - whether nothing but a bond is in the way of a mode change: of both ports, before there is a bond (LAG of VFs)
 */
static bool is_idle_in_bond(const struct inventory_pf *pf)
{
	if (strcmp(pf->uplink_master_kind, "bond"))
		return false;
	for (unsigned int i = 0; i < pf->num_vfs; i++) {
		if (*pf->vf[i].driver)
			return false;
	}
	return true;
}

/*
 * rules_eswitch() - it is in switchdev mode, or can be switched without cutting anybody off
 */
enum verdict rules_eswitch(const struct rule_case *c, struct reason *why)
{
	if (!disturb_eswitch(c->inventory, c->running, c->pf, why))
		return VERDICT_PASS;
	if (is_idle_in_bond(c->pf))
		reason_cure(why, "take the ports of the card out of %s, make both ready (vferry prepare --card-only --yes), and make the bond anew: "
			    "see vferry(7), TOPOLOGIES", c->pf->uplink_master);
	return VERDICT_REFUSE;
}

/*
 * rules_time() - what an arrival finds unprepared of it can be made ready in time
 */
enum verdict rules_time(const struct rule_case *c, struct reason *why)
{
	autosteps struct steps plan = { 0 };
	struct estimate estimate;

	if (!c->incoming || !c->vf || plan_pf(c->config, c->inventory, c->pf, c->vf->bridge, &plan))
		return VERDICT_PASS;
	estimate = estimate_plan(&plan);
	return estimate_judge(c->config, &estimate, why) ? VERDICT_REFUSE : VERDICT_PASS;
}

/*
 * rules_slots() - L4 on the PF: with one more VF not too many are in live migration. Where others have the slots, waiting helps.
 */
enum verdict rules_slots(const struct rule_case *c, struct reason *why)
{
	const struct flights *flights = c->flights;
	unsigned int limit = c->config->vfs_in_flight;

	if (!flights || flights->vfs + flights->own < limit || is_unplugged(c))
		return VERDICT_PASS;
	if (flights->own >= limit) {
		reason_set(why, -EPERM, NULL,
			   "only %u of its VFs can be in live migration at the same time, and the guest itself has more", limit);
		reason_cure(why, "detach VFs from the guest, or choose a destination with more PFs");
		return VERDICT_REFUSE;
	}
	reason_set(why, -EBUSY, NULL, "its %u slot%s for live migration %s taken by %s", limit, limit == 1 ? "" : "s",
		   limit == 1 ? "is" : "are", flights->guests);
	return VERDICT_WAIT;
}

/* L4 as a number; see rules.h. */
unsigned int rules_slots_left(const struct config *config, unsigned int in_flight)
{
	return in_flight < config->vfs_in_flight ? config->vfs_in_flight - in_flight : 0;
}
