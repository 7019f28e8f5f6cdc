/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pair.c: this host beside another one: L5, L6, P8, P10, S6, and whether the guest can go there and back.
 *
 * "There" is decided by the hook's own policy on the other host's inventory, with the passport that the guest would have; "back" the same
 * with the hosts exchanged.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "command/check/tables.h"
#include "policy/arrival.h"

/* Says that a row needs another host. Return: whether there is none. */
static bool needs_other(const struct check_case *c, struct finding *f)
{
	if (c->other)
		return false;
	check_found(f, STATE_NONE, "name another host: --against HOST");
	return true;
}

/* The name of the other host. */
static const char *other_name(const struct check_case *c)
{
	return c->other->scene.inventory.hostname;
}

/* The first PF of a host that vferry may use and that is prepared, else the first it may use; NULL. */
static struct inventory_pf *main_pf(struct view *view)
{
	struct inventory_pf *first = NULL;

	for (size_t i = 0; i < view->scene.inventory.pfs; i++) {
		struct inventory_pf *pf = &view->scene.inventory.pf[i];

		if (!guest_can_use_pf(view->scene.config, pf))
			continue;
		if (pf->mode == ESWITCH_SWITCHDEV)
			return pf;
		if (!first)
			first = pf;
	}
	return first;
}

/*
 * Judges by the hook's rule whether a VF of the PF under check, which comes with a full passport, fits to a PF of the other host.
 * firmware: by its firmware too. Return: whether it fits.
 */
static bool fits(const struct check_case *c, const struct inventory_pf *to, bool firmware)
{
	struct passport_vf passport = { 0 };
	struct guest_vf vf = { .passport = &passport };
	struct rule_case r = { .config = c->config, .inventory = &c->other->scene.inventory, .incoming = true, .pf = to, .vf = &vf };

	snprintf(passport.psid, sizeof(passport.psid), "%s", c->pf->info.psid);
	snprintf(passport.firmware, sizeof(passport.firmware), "%s", c->pf->info.firmware);
	if (rules_judge_by(rules_find("L5-psid"), &r, NULL) != VERDICT_PASS)
		return false;
	return !firmware || rules_judge_by(rules_find("L6-same-firmware"), &r, NULL) == VERDICT_PASS;
}

/* Whether a PF of the other host has the same PSID; with firmware: the same running firmware too. */
static bool has_twin(const struct check_case *c, bool firmware)
{
	const struct inventory *other = &c->other->scene.inventory;

	for (size_t i = 0; i < other->pfs; i++) {
		if (fits(c, &other->pf[i], firmware))
			return true;
	}
	return false;
}

/* L5: the same PSID. */
static void look_psid(const struct check_case *c, struct finding *f)
{
	struct inventory_pf *pf;

	if (needs_other(c, f))
		return;
	pf = main_pf(c->other);
	if (!pf)
		check_found(f, STATE_FAILURE, "%s has no card that can move VFs", other_name(c));
	else if (has_twin(c, false))
		check_found(f, STATE_OK, "PSID %s is on %s too", c->pf->info.psid, other_name(c));
	else
		check_found(f, check_is_spare(c) ? STATE_WARNING : STATE_FAILURE, "PSID %s here, %s on %s", c->pf->info.psid, pf->info.psid,
			    other_name(c));
	if (f->state == STATE_FAILURE)
		check_advise(f, "%s", rules_find("L5-psid")->cure);
}

/* L6: the same firmware. */
static void look_firmware(const struct check_case *c, struct finding *f)
{
	struct inventory_pf *pf;

	if (needs_other(c, f))
		return;
	pf = main_pf(c->other);
	if (!pf || !has_twin(c, false)) {
		check_found(f, STATE_NONE, "%s has no card with PSID %s", other_name(c), c->pf->info.psid);
	} else if (has_twin(c, true)) {
		check_found(f, STATE_OK, "firmware %s runs on %s too", c->pf->info.firmware, other_name(c));
	} else {
		bool older = firmware_compare(c->pf->info.firmware, pf->info.firmware) < 0;
		char address[PCI_ADDRESS_LEN];

		pci_address_format(older ? &c->pf->address : &pf->address, address);
		check_found(f, STATE_FAILURE, "firmware %s here, %s on %s", c->pf->info.firmware, pf->info.firmware, other_name(c));
		check_advise(f, "burn the same version on %s", older ? "this host" : other_name(c));
		check_mend(f, "mstflint -d %s -i IMAGE burn && mstfwreset -y -d %s reset", address, address);
	}
}

/* The PF of a host that vferry may use whose uplink has the largest MTU; NULL: there is none. */
static const struct inventory_pf *widest_pf(const struct view *view)
{
	const struct inventory_pf *widest = NULL;

	for (size_t i = 0; i < view->scene.inventory.pfs; i++) {
		const struct inventory_pf *pf = &view->scene.inventory.pf[i];

		if (guest_can_use_pf(view->scene.config, pf) && (!widest || pf->uplink_mtu > widest->uplink_mtu))
			widest = pf;
	}
	return widest;
}

/* The uplinks carry the same. */
static void look_mtu(const struct check_case *c, struct finding *f)
{
	unsigned int here = c->pf->uplink_mtu;
	const struct inventory_pf *there;

	if (needs_other(c, f))
		return;
	there = widest_pf(c->other);
	if (!here || !there || !there->uplink_mtu) {
		check_found(f, STATE_NONE, "the MTU of an uplink is not known");
		return;
	}
	if (here == there->uplink_mtu) {
		check_found(f, STATE_OK, "the MTU of the uplinks is %u", here);
		return;
	}
	check_found(f, STATE_WARNING, "the MTU of %s is %u, and on %s that of %s is %u: a guest cannot go where it is less than at home",
		    c->pf->uplink, here, other_name(c), there->uplink, there->uplink_mtu);
	if (here < there->uplink_mtu)
		check_mend(f, "ip link set dev %s mtu %u", c->pf->uplink, there->uplink_mtu);
	else
		check_mend(f, "ssh %s ip link set dev %s mtu %u", other_name(c), there->uplink, here);
}

/* The size of the MSI-X tables of a host's VFs; 0: it has none, or does not tell. dynamic: they can be set. */
static unsigned int msix_of(const struct view *view, bool *dynamic)
{
	for (size_t i = 0; i < view->scene.inventory.pfs; i++) {
		const struct inventory_pf *pf = &view->scene.inventory.pf[i];

		*dynamic = pf->msix_dynamic;
		if (guest_can_use_pf(view->scene.config, pf) && pf->num_vfs && pf->vf[0].msix)
			return pf->vf[0].msix;
	}
	return 0;
}

/* The VFs have MSI-X tables of one size, or can get them. */
static void look_msix(const struct check_case *c, struct finding *f)
{
	unsigned int here = c->pf->num_vfs ? c->pf->vf[0].msix : 0, there;
	bool dynamic = false;

	if (needs_other(c, f))
		return;
	there = msix_of(c->other, &dynamic);
	if (!here || !there)
		check_found(f, here == there ? STATE_NONE : STATE_WARNING, "the size of the MSI-X tables of VFs is not known on %s",
			    here ? other_name(c) : there ? "this host" : "either host");
	else if (here == there)
		check_found(f, STATE_OK, "the MSI-X tables of VFs have %u entries", here);
	else if (dynamic && c->pf->msix_dynamic)
		check_found(f, STATE_OK, "the MSI-X tables of VFs have %u entries, and %u on %s; a VF gets what its guest had", here, there,
			    other_name(c));
	else {
		check_found(f, STATE_FAILURE, "the MSI-X tables of VFs have %u entries, and %u on %s: QEMU refuses a guest at the end", here,
			    there, other_name(c));
		check_advise(f, "let both hosts have the same number of VFs and the same settings of the card (mstconfig)");
	}
}

/* What a host's PF lets its VFs do, by the first one that tells; NULL: none does. */
static const struct vf_function *function_of(const struct inventory_pf *pf)
{
	for (unsigned int i = 0; i < pf->num_vfs; i++) {
		if (pf->vf[i].has_port && !pf->vf[i].port_unasked)
			return &pf->vf[i].port.function;
	}
	return NULL;
}

/* The same of the first PF that vferry may use and whose VFs tell. */
static const struct vf_function *function_there(const struct view *view)
{
	const struct vf_function *found = NULL;

	for (size_t i = 0; i < view->scene.inventory.pfs && !found; i++) {
		if (guest_can_use_pf(view->scene.config, &view->scene.inventory.pf[i]))
			found = function_of(&view->scene.inventory.pf[i]);
	}
	return found;
}

/* The attributes that differ, in words: "roce is on here and off on node7"; "" none does. Returns out. */
static const char *say_differences(const struct check_case *c, const struct vf_function *here, const struct vf_function *there,
				   unsigned int first, char *out, size_t size)
{
	char is[FUNCTION_VALUE_LEN], other[FUNCTION_VALUE_LEN];
	size_t used = 0;

	*out = '\0';
	for (unsigned int i = vf_function_differs(here, there, first); i < ATTRIBUTES && used < size;
	     i = vf_function_differs(here, there, i + 1))
		used += (size_t)snprintf(out + used, size - used, "%s%s is %s here and %s on %s", used ? ", " : "", vf_function_name(i),
					 vf_function_say(i, vf_function_value(here, i), is),
					 vf_function_say(i, vf_function_value(there, i), other), other_name(c));
	return out;
}

/* The VFs may do the same, or can be made to. */
static void look_function(const struct check_case *c, struct finding *f)
{
	const struct vf_function *here = function_of(c->pf), *there;
	char text[256];

	if (needs_other(c, f))
		return;
	there = function_there(c->other);
	if (!here || !there)
		check_found(f, STATE_NONE, "the attributes of VFs are not known on %s", here ? other_name(c) : there ? "this host" : "either host");
	else if (vf_function_refuse(here, there, NULL, NULL)) {
		check_found(f, STATE_FAILURE, "%s: a guest is refused", say_differences(c, here, there, ATTRIBUTES_SETTABLE, text, sizeof(text)));
		check_advise(f, "let the VFs of both hosts have the same attributes ('function set' in devlink-port(8))");
	} else if (*say_differences(c, here, there, 0, text, sizeof(text)))
		check_found(f, STATE_OK, "%s; a VF gets what its guest had", text);
	else
		check_found(f, STATE_OK, "the attributes of VFs are the same, as far as both hosts tell");
}

/* No two guests have one MAC, here or there. A guest that is on both hosts is one guest. */
static void look_macs(const struct check_case *c, struct finding *f)
{
	const struct status_list *here = &c->view->scene.running, *lists[] = { here, c->other ? &c->other->scene.running : NULL };

	for (size_t k = 0; k < 2 && lists[k]; k++) {
		for (size_t i = 0; i < here->count; i++) {
			const struct mac_address *mac = NULL;
			const struct status *twin = status_find_twin(&here->status[i], lists[k], &mac);
			char text[MAC_ADDRESS_LEN], name[2][64];

			if (!twin)
				continue;
			reason_clean(name[0], sizeof(name[0]), here->status[i].name);
			reason_clean(name[1], sizeof(name[1]), twin->name);
			check_found(f, STATE_FAILURE, "guest %s here and guest %s %s%s have one MAC, %s", name[0], name[1], k ? "on " : "here",
				    k ? other_name(c) : "", mac_address_format(mac, text));
			check_advise(f, "give one of them another MAC: the network sends the frames of both to one");
			return;
		}
	}
	check_found(f, STATE_OK, "no two guests %s have one MAC", c->other ? "of both hosts" : "here");
}

/* P8: the hosts reach each other. */
static void look_reached(const struct check_case *c, struct finding *f)
{
	if (!needs_other(c, f))
		check_found(f, STATE_OK, "%s answered, or was recorded", other_name(c));
}

/* P10: processors and QEMU. */
static void look_machines(const struct check_case *c, struct finding *f)
{
	const struct facts *here, *there;

	if (needs_other(c, f))
		return;
	here = &c->view->facts;
	there = &c->other->facts;
	if (strcmp(here->architecture, there->architecture) != 0 || strcmp(here->cpu_vendor, there->cpu_vendor) != 0)
		check_found(f, STATE_FAILURE, "%s %s here, %s %s on %s", here->architecture, here->cpu_vendor, there->architecture,
			    there->cpu_vendor,
			    other_name(c));
	else if (strcmp(here->cpu_model, there->cpu_model) != 0)
		check_found(f, STATE_WARNING, "%s here, %s on %s", here->cpu_model, there->cpu_model, other_name(c));
	else
		check_found(f, STATE_OK, "the same processor, %s", here->cpu_model);
	if (f->state == STATE_FAILURE)
		check_advise(f, "choose another host");
	else if (f->state == STATE_WARNING)
		check_advise(f, "give guests a named CPU model that both have: virsh hypervisor-cpu-baseline");
}

/* P10: versions. An older QEMU may lack a newer one's machine types. */
static void look_versions(const struct check_case *c, struct finding *f)
{
	const struct facts *here, *there;
	int order;

	if (needs_other(c, f))
		return;
	here = &c->view->facts;
	there = &c->other->facts;
	order = firmware_compare(here->qemu, there->qemu);
	check_found(f, order ? STATE_WARNING : STATE_OK, "QEMU %s here, %s on %s; libvirt %s and %s; kernel %s and %s", here->qemu,
		    there->qemu,
		    other_name(c), here->libvirt, there->libvirt, here->kernel, there->kernel);
	if (order)
		check_advise(f, "pin the machine type of guests to one that QEMU %s has, such as pc-q35-%s",
			     order < 0 ? here->qemu : there->qemu,
			     order < 0 ? here->qemu : there->qemu);
}

/* S6: the other host is prepared as this one. */
static void look_there(const struct check_case *c, struct finding *f)
{
	struct inventory_pf *pf;
	char word[WORD];

	if (needs_other(c, f))
		return;
	pf = main_pf(c->other);
	if (!pf) {
		check_found(f, STATE_FAILURE, "%s has no card that can move VFs", other_name(c));
	} else if (!c->other->scene.inventory.has_variant_driver || !c->other->scene.inventory.has_ovs) {
		check_found(f, STATE_FAILURE, "%s has no %s", other_name(c),
			    c->other->scene.inventory.has_ovs ? "mlx5_vfio_pci" : "Open vSwitch that runs");
		check_mend(f, "ssh %s vferry check", reason_word(other_name(c), word, sizeof(word)));
	} else if (pf->mode != ESWITCH_SWITCHDEV || !pf->num_vfs) {
		check_found(f, STATE_WARNING, "%s is not prepared; its hook does it when a guest arrives", other_name(c));
		check_mend(f, "ssh %s vferry prepare --yes", reason_word(other_name(c), word, sizeof(word)));
	} else {
		check_found(f, STATE_OK, "%s has %u VFs in switchdev mode, uplink in bridge %s", other_name(c), pf->num_vfs,
			    pf->uplink_bridge);
	}
}

/* ---- There and back ------------------------------------------------------------------------------------------------------------ */

/* The guests that run on a host, without one: its VFs are free when it comes back. */
static struct status_list without(const struct status_list *list, const char *uuid, struct status *room)
{
	struct status_list out = { .status = room };

	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->status[i].uuid, uuid) != 0)
			room[out.count++] = list->status[i];
	}
	return out;
}

/*
 * Decides whether the guest, whose devices have passports, can come to a host. guest: result, placed. Return: 0, negative errno with *why
 * filled.
 */
static int can_come(const struct check_case *c, struct view *to, struct domain *domain, struct guest *guest, struct reason *why)
{
	autofree struct status *room = calloc(to->scene.running.count + 1, sizeof(*room));
	struct status_list running;
	struct arrival arrival = { .config = c->config, .domain = domain, .to = &to->scene.inventory, .running = &running,
				   .leases = &to->scene.records };
	struct placement placement;
	int error;

	if (!room)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	running = without(&to->scene.running, domain->uuid, room);
	error = arrival_judge(&arrival, guest, why);
	placement = arrival_placement(&arrival);
	return error ? error : placement_choose(&placement, guest, why);
}

/* What a journey there and back needs: too large for the stack. */
struct journey {
	struct domain domain; /* a copy whose devices, owned, get other passports; its document is not touched */
	struct passport_vf passport[GUEST_MAX_VFS];
	struct guest there, back;
};

/* Decides there, then back. Return: 0, negative errno with *why filled; *is_back: which way failed. */
static int travel(const struct check_case *c, struct journey *j, bool *is_back, struct reason *why)
{
	int error;

	*is_back = false;
	j->domain = c->view->domain;
	j->domain.hostdev = calloc(j->domain.hostdevs, sizeof(*j->domain.hostdev));
	if (!j->domain.hostdev)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	memcpy(j->domain.hostdev, c->view->domain.hostdev, j->domain.hostdevs * sizeof(*j->domain.hostdev));
	arrival_write(&c->view->scene.guest, &c->view->scene.inventory, j->passport, &j->domain);
	error = can_come(c, c->other, &j->domain, &j->there, why);
	if (error)
		return error;
	*is_back = true;
	arrival_write(&j->there, &c->other->scene.inventory, j->passport, &j->domain);
	return can_come(c, c->view, &j->domain, &j->back, why);
}

/* The first network of libvirt's that the guest has a VF from, NULL if none: of another host nobody tells here what its networks are. */
static const char *pool_of(const struct guest *guest)
{
	for (size_t i = 0; i < guest->vfs; i++) {
		if (guest->vf[i].pool)
			return guest->vf[i].device->network;
	}
	return NULL;
}

/* Whether the guest can go there, and back. */
static void look_journey(const struct check_case *c, struct finding *f)
{
	autofree struct journey *j = calloc(1, sizeof(*j));
	struct reason why = { 0 };
	const char *pool;
	bool is_back;
	int error;

	if (!c->other || !c->has_guest || !j) {
		check_found(f, STATE_NONE, "name a guest and another host: vferry check GUEST --against HOST");
		return;
	}
	if (!c->view->scene.guest.vfs) {
		check_found(f, STATE_NONE, "the guest has no VF that is vferry's business");
		return;
	}
	pool = pool_of(&c->view->scene.guest);
	if (pool) {
		char name[64];

		reason_clean(name, sizeof(name), pool);
		check_found(f, STATE_WARNING, "not judged: a VF of the guest comes from libvirt's network %s, and %s does not tell its networks", name,
			    other_name(c));
		check_advise(f, "ask %s itself, with the guest's XML: vferry plan --domain FILE", other_name(c));
		return;
	}
	error = travel(c, j, &is_back, &why);
	free(j->domain.hostdev);
	if (!error) {
		check_found(f, STATE_OK, "the guest can go to %s, and back", other_name(c));
		return;
	}
	check_found(f, is_back ? STATE_WARNING : STATE_FAILURE, "the guest %s: %s",
		    is_back ? "can go there, but not come back" : "cannot go there",
		    why.what);
	check_advise(f, "%s", why.cure);
}

const struct check_row check_rows_pair[] = {
	{ "P8", "other host", SCOPE_HOST, "the hosts must reach each other", look_reached },
	{ "P10", "processors", SCOPE_HOST, "a guest runs on with the instructions that it began with", look_machines },
	{ "P10", "versions", SCOPE_HOST, "an older QEMU may lack a newer one's machine types", look_versions },
	{ "L5", "same PSID", SCOPE_PF, "the state of a VF fits into the same kind of card only", look_psid },
	{ "L6", "same firmware", SCOPE_PF, "the state of a VF fits to the same firmware only", look_firmware },
	{ "MAC", "one MAC each", SCOPE_HOST, "two guests with one MAC take each other's frames", look_macs },
	{ "FUNC", "same attributes", SCOPE_PF, "the state of a VF fits to a function that may do the same", look_function },
	{ "MSI-X", "same MSI-X tables", SCOPE_PF, "QEMU refuses a VF's state for another table, after all memory was sent", look_msix },
	{ "MTU", "same MTU", SCOPE_PF, "what a guest sends must fit through the uplink there too", look_mtu },
	{ "S6", "other host ready", SCOPE_HOST, "it needs S1 to S5 as this one", look_there },
	{ "V5", "there and back", SCOPE_GUEST, "a guest that cannot come back cannot be moved for a maintenance night", look_journey },
	{ 0 },
};
