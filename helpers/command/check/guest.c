/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guest.c: what a guest needs to be moved: L2, L4 for the guest alone, P10 to P12, memory, and its VFs here.
 */
#include <string.h>

#include "command/check/check.h"
#include "host/storage.h"
#include "policy/rules.h"

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

/* A <vlan> that a switchdev VF does not take. */
static void look_vlan(const struct check_case *c, struct finding *f)
{
	if (!needs_guest(c, f))
		(void)check_by_rule(c, "vlan", "no interface has a <vlan>", f);
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
		char kind[128] = "";
		enum state state = judge_disk(c, disk, kind, sizeof(kind));

		if (state == STATE_OK || f->state == STATE_FAILURE)
			continue;
		check_found(f, state, "disk %s, %s, is on %s%s", disk->target, disk->source, kind,
			    state == STATE_FAILURE ? "" : ": see yourself that the other host reaches it under the same name");
		if (state != STATE_FAILURE)
			continue;
		if (disk->is_removable)
			check_mend(f, "virsh change-media %s %s --eject", c->view->domain.name, disk->target);
		else
			check_advise(f, "move it to shared storage, or migrate with --copy-storage-all");
	}
}

/* P12: what nobody can know beforehand. */
static void look_bandwidth(const struct check_case *c, struct finding *f)
{
	if (needs_guest(c, f))
		return;
	check_found(f, STATE_NONE, "the guest's dirty rate must be below the migration's bandwidth; to see it: "
		    "virsh domdirtyrate-calc %.64s 1 && virsh domstats --dirtyrate %.64s (L3: %s)", c->view->domain.name,
		    c->view->domain.name, rules_find("L3-dirty-rate")->limit);
}

/* Memory that QEMU must lock for a VF. */
static void look_memory(const struct check_case *c, struct finding *f)
{
	const struct hardware *hardware = c->hardware;
	const uint64_t spare = UINT64_C(1) << 30; /* libvirt adds 1 GiB for the device's own regions (qemuDomainGetMemLockLimitBytes) */

	if (needs_guest(c, f))
		return;
	if (hardware->hard_limit && hardware->hard_limit < hardware->memory + spare) {
		check_found(f, STATE_WARNING,
			    "its hard_limit is %llu MiB and it has %llu MiB of memory, all of which a VF locks, and 1 GiB more",
			    (unsigned long long)(hardware->hard_limit >> 20), (unsigned long long)(hardware->memory >> 20));
		check_mend(f, "virsh memtune %s --hard-limit %llu --config", c->view->domain.name,
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
 * V9: QEMU 10.0 began to show the CPU feature "ht" to a guest with several threads in a socket; libvirt takes it for a fault of a guest
 * that arrives from an older QEMU ("guest CPU doesn't match specification: extra features: ht"), until 11.10.
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
	check_found(f, STATE_WARNING, "libvirt %s with QEMU %s refuses it when it arrives from a QEMU before 10.0: it has %u CPU threads in a "
		    "socket, and with these the CPU feature ht", facts->libvirt, facts->qemu, c->hardware->socket_threads);
	check_advise(f, "upgrade libvirt to 11.10 or later before guests arrive from hosts with an older QEMU");
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
	{ 0 },
};
