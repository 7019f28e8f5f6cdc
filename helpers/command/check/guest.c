/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guest.c: what a guest needs to be moved: L2, L4 for the guest alone, P10 to P12, memory, and its VFs here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "command/check/tables.h"
#include "host/storage.h"
#include "policy/rules.h"
#include "policy/network.h"

/* Says that a row needs a guest. Return: whether there is none. */
static bool needs_guest(const struct check_case *c, struct finding *f)
{
	if (c->has_guest)
		return false;
	check_found(f, STATE_NONE, "name a guest: vferry check GUEST");
	return true;
}

/* L2: no vIOMMU. */
static void look_viommu(const struct check_case *c, struct finding *f)
{
	if (!needs_guest(c, f))
		(void)check_by_rule(c, "L2-viommu", "the guest has no vIOMMU", f);
}

/* L4: the guest alone. */
static void look_alone(const struct check_case *c, struct finding *f)
{
	if (!needs_guest(c, f))
		(void)check_by_rule(c, "L4-guest-alone", "the guest's VFs of one PF fit into its slots", f);
}

/* L5 and L6: what the destination can compare. */
static void look_passport(const struct check_case *c, struct finding *f)
{
	if (!needs_guest(c, f))
		(void)check_by_rule(c, "L5-L6-unknown-source", "PSID and firmware of the source are known, by its passport or by [peer]", f);
}

/* What a VF cannot have: a <vlan>, which the driver does not take, and what libvirt does not. */
static void look_vlan(const struct check_case *c, struct finding *f)
{
	if (needs_guest(c, f) || check_by_rule(c, "vlan", "no interface has a <vlan>", f) != VERDICT_PASS)
		return;
	(void)check_by_rule(c, "interface", "no interface has a <vlan>, or what libvirt does not take for a VF", f);
}

/* P10: machine type and CPU. */
static void look_machine(const struct check_case *c, struct finding *f)
{
	const struct hardware *hardware = c->hardware;

	if (needs_guest(c, f))
		return;
	if (strcmp(hardware->cpu_mode, "host-passthrough") == 0 || strcmp(hardware->cpu_mode, "maximum") == 0) {
		check_found(f, STATE_WARNING, "machine %s; its CPU is %s: it runs on processors of the very same kind only",
			    hardware->machine,
			    hardware->cpu_mode);
		check_advise(f, "give it a named CPU model that all hosts have: virsh hypervisor-cpu-baseline");
		return;
	}
	check_found(f, STATE_OK, "machine %s, CPU %s%s%s", hardware->machine, *hardware->cpu_mode ? hardware->cpu_mode : "by default",
		    *hardware->cpu_model ? " " : "", hardware->cpu_model);
}

/* Whether one disk can be reached from other hosts. */
static enum state judge_disk(const struct check_case *c, const struct hardware_disk *disk, char *kind, size_t size)
{
	int shared;

	if (strcmp(disk->type, "network") == 0 || !*disk->source)
		return STATE_OK;
	if (strcmp(disk->type, "block") == 0) {
		snprintf(kind, size, "a block device");
		return STATE_UNKNOWN;
	}
	if (c->view->is_recorded || *disk->source != '/') {
		snprintf(kind, size, "%s", c->view->is_recorded ? "on a recorded host" : disk->type);
		return STATE_UNKNOWN;
	}
	shared = storage_is_shared(disk->source, kind, size);
	if (shared < 0)
		snprintf(kind, size, "a file that cannot be seen: %s", strerror(-shared));
	return shared < 0 ? STATE_UNKNOWN : shared ? STATE_OK : STATE_FAILURE;
}

/* P11: disks. The worst one is named. */
static void look_disks(const struct check_case *c, struct finding *f)
{
	if (needs_guest(c, f))
		return;
	check_found(f, STATE_OK, "%s", c->hardware->disks ? "its disks are where other hosts can reach them" : "it has no disks");
	for (size_t i = 0; i < c->hardware->disks; i++) {
		const struct hardware_disk *disk = &c->hardware->disk[i];
		char kind[128] = "", name[WORD], target[WORD];
		enum state state = judge_disk(c, disk, kind, sizeof(kind));

		if (state == STATE_OK || f->state == STATE_FAILURE)
			continue;
		check_found(f, state, "disk %s, %s, is on %s%s", disk->target, disk->source, kind,
			    state == STATE_FAILURE ? "" : ": see yourself that the other host reaches it under the same name");
		if (state != STATE_FAILURE)
			continue;
		if (disk->is_removable)
			check_mend(f, "virsh change-media --domain %s --path %s --eject", reason_word(c->view->domain.name, name, sizeof(name)),
				   reason_word(disk->target, target, sizeof(target)));
		else
			check_advise(f, "move it to shared storage, or migrate with --copy-storage-all");
	}
}

/* P12: what nobody can know beforehand. */
static void look_bandwidth(const struct check_case *c, struct finding *f)
{
	char name[WORD];

	if (needs_guest(c, f))
		return;
	reason_word(c->view->domain.name, name, sizeof(name));
	check_found(f, STATE_NONE, "the guest's dirty rate must be below the migration's bandwidth; to see it: "
		    "virsh domdirtyrate-calc --domain %s --seconds 1 && virsh domstats --dirtyrate --domain %s (L3: %s)", name, name,
		    rules_find("L3-dirty-rate")->limit);
}

/* Memory that QEMU must lock for a VF. */
static void look_memory(const struct check_case *c, struct finding *f)
{
	const struct hardware *hardware = c->hardware;
	char name[WORD];
	const uint64_t spare = UINT64_C(1) << 30; /* libvirt adds 1 GiB for the device's own regions (qemuDomainGetMemLockLimitBytes) */

	if (needs_guest(c, f))
		return;
	if (hardware->hard_limit && hardware->hard_limit < hardware->memory + spare) {
		check_found(f, STATE_WARNING,
			    "its hard_limit is %llu MiB and it has %llu MiB of memory, all of which a VF locks, and 1 GiB more",
			    (unsigned long long)(hardware->hard_limit >> 20), (unsigned long long)(hardware->memory >> 20));
		check_mend(f, "virsh memtune --domain %s --hard-limit %llu --config", reason_word(c->view->domain.name, name, sizeof(name)),
			   (unsigned long long)((hardware->memory + spare) >> 10));
		return;
	}
	check_found(f, STATE_OK, "%llu MiB%s%s", (unsigned long long)(hardware->memory >> 20),
		    hardware->has_hugepages ? "; huge pages must be free on the other host too" : "", hardware->has_locked ? ", locked" : "");
}

/* The guest's VFs, each as the hook judges it at an ordinary start. */
static void look_guest_vfs(const struct check_case *c, struct finding *f)
{
	struct scene *scene = &c->view->scene;
	struct guest guest = scene->guest;
	struct placement placement = scene_placement(scene);
	struct reason why = { 0 };

	if (needs_guest(c, f))
		return;
	placement.warn = NULL;
	if (!guest.vfs) {
		check_found(f, STATE_WARNING, "it has no VF of a card that can move them here");
		check_advise(f, "give it one: see README.md, First host");
	} else if (placement_fixed(&placement, &guest, &why)) {
		check_found(f, STATE_FAILURE, "%s%s%s", why.object, *why.object ? ": " : "", why.what);
		check_advise(f, "%s", why.cure);
	} else {
		check_found(f, STATE_OK, "%zu VF%s, each of a PF that can move it", guest.vfs, guest.vfs == 1 ? "" : "s");
	}
}

/*
 * V9: QEMU 10.0 reports the CPU feature "ht" of a guest with several threads in a socket in another way, and libvirt before 11.10 takes
 * that for a fault of a guest that arrives ("guest CPU doesn't match specification: extra features: ht"; libvirt's NEWS, v11.10.0).
 */
static void look_threads(const struct check_case *c, struct finding *f)
{
	const struct facts *facts = &c->view->facts;

	if (needs_guest(c, f))
		return;
	if (c->hardware->socket_threads <= 1 || !*facts->libvirt || !*facts->qemu || firmware_compare(facts->libvirt, "11.10.0") >= 0 ||
	    firmware_compare(facts->qemu, "10.0.0") < 0) {
		check_found(f, STATE_OK, "libvirt %s takes it as it comes", *facts->libvirt ? facts->libvirt : "(version unknown)");
		return;
	}
	check_found(f, STATE_WARNING, "libvirt %s with QEMU %s may refuse it when it arrives (\"extra features: ht\"): it has %u CPU threads in a "
		    "socket", facts->libvirt, facts->qemu, c->hardware->socket_threads);
	check_advise(f, "upgrade libvirt to 11.10 or later where guests arrive; the guest itself runs on where it is");
}

/*
 * Decides whether a guest with one VF could come to a PF, as the hook decides. vf: receives where to. Return: 0, negative errno with
 * *why.
 */
static int can_arrive(const struct check_case *c, const struct inventory_pf *pf, struct guest_vf *vf, struct reason *why)
{
	const struct hostdev device = { .kind = HOSTDEV_INTERFACE, .managed = true };
	struct placement placement = scene_placement(&c->view->scene);
	autofree struct guest *guest = calloc(1, sizeof(*guest));
	struct config config = *c->config;
	int error;

	if (!guest)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	pci_address_format(&pf->address, config.pf);
	placement.config = &config;
	placement.uuid = "";
	placement.warn = NULL;
	placement.incoming = true;
	guest->vfs = 1;
	guest->vf[0].device = &device;
	snprintf(guest->vf[0].bridge, sizeof(guest->vf[0].bridge), "%s", network_bridge(c->config, &c->view->scene.inventory, pf));
	error = placement_choose(&placement, guest, why);
	if (!error)
		*vf = guest->vf[0];
	return error;
}

/* Whether a guest that arrives now would be taken: by all that the hook goes by, on this host as it is. */
static void look_arrival(const struct check_case *c, struct finding *f)
{
	const struct inventory *inventory = &c->view->scene.inventory;
	struct reason why = { 0 }, first = { 0 };
	char vf_address[PCI_ADDRESS_LEN];
	struct guest_vf vf = { 0 };
	bool is_full = false;

	if (!c->view->facts.seen_by_root) {
		check_found(f, STATE_UNKNOWN, "root alone can see what decides");
		return;
	}
	if (c->view->is_closed) {
		check_found(f, STATE_WARNING, "no arrivals here: maintenance");
		check_mend(f, "vferry maintenance off");
		return;
	}
	for (size_t i = 0; i < inventory->pfs; i++) {
		int error = guest_can_use_pf(c->config, &inventory->pf[i]) ? can_arrive(c, &inventory->pf[i], &vf, &why) : -ENODEV;

		if (!error) {
			check_found(f, STATE_OK, "a guest that arrives now gets VF %s, in bridge %s", pci_address_format(&vf.address, vf_address),
				    vf.bridge);
			return;
		}
		is_full |= error == PLACEMENT_WAIT;
		if (error != -ENODEV && !*first.what)
			first = why;
	}
	if (!*first.what) {
		check_found(f, STATE_NONE, "it has no PF that may be used");
		return;
	}
	check_found(f, is_full ? STATE_WARNING : STATE_FAILURE, "%s: %s",
		    is_full ? "a guest that arrives now waits" : "no guest with a VF could arrive", first.what);
	check_advise(f, "%s", first.cure);
}

const struct check_row check_rows_guest[] = {
	{ "P10", "machine and CPU", SCOPE_GUEST, "both hosts must be able to run the same machine", look_machine },
	{ "P11", "disks", SCOPE_GUEST, "a disk that only this host has stays behind", look_disks },
	{ "P12", "bandwidth", SCOPE_GUEST, "a migration that is slower than the guest writes does not end", look_bandwidth },
	{ "L2", "no vIOMMU", SCOPE_GUEST, "with one a VF cannot be live-migrated", look_viommu },
	{ "L4", "guest alone", SCOPE_GUEST, "more VFs of one PF at a time are not supported", look_alone },
	{ "L5", "passport", SCOPE_GUEST, "without it PSID and firmware cannot be compared", look_passport },
	{ "V2", "no <vlan>", SCOPE_GUEST, "the tag belongs to the representor's port", look_vlan },
	{ "V3", "memory", SCOPE_GUEST, "all of a guest's memory is locked while it has a VF", look_memory },
	{ "V4", "the guest's VFs", SCOPE_GUEST, "they must be VFs that can move", look_guest_vfs },
	{ "V9", "CPU threads", SCOPE_GUEST, "some versions of libvirt refuse a guest for what their QEMU shows it", look_threads },
	{ "V10", "arrival", SCOPE_HOST, "the hook would refuse it, or have it wait", look_arrival },
	{ 0 },
};
