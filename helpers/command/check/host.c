/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host.c: what the host needs beside the card: P2, P4, P5, P8, P9, P13, L1, L3, L8.
 */
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "command/check/tables.h"
#include "engine/ready.h"
#include "host/workers.h"
#include "policy/rules.h"
#include "state/history.h"

/* P2: the tool that sets and burns firmware. */
static void look_mstflint(const struct check_case *c, struct finding *f)
{
	const struct facts *facts = &c->view->facts;

	if (facts->has_mstflint && facts->has_mstconfig) {
		check_found(f, STATE_OK, "mstflint and mstconfig are installed");
		return;
	}
	check_found(f, STATE_WARNING, "%s is not installed", facts->has_mstflint ? "mstconfig" : "mstflint");
	check_mend(f, "%s mstflint", *facts->installer ? facts->installer : "dnf install");
}

/* Return: the package that Open vSwitch comes in here. RHEL and its kin have one for each version, and none called openvswitch. */
static const char *ovs_package(const struct facts *facts)
{
	if (strncmp(facts->installer, "apt", 3) == 0)
		return "openvswitch-switch";
	return strncmp(facts->installer, "dnf", 3) == 0 && strncmp(facts->system, "Fedora", 6) != 0 ? "openvswitch3.5" : "openvswitch";
}

/* P4: Open vSwitch is installed. */
static void look_ovs_installed(const struct check_case *c, struct finding *f)
{
	const struct facts *facts = &c->view->facts;
	const char *package = ovs_package(facts);

	if (facts->has_openvswitch || c->view->scene.inventory.has_ovs) {
		check_found(f, STATE_OK, "Open vSwitch %s is installed", c->view->scene.inventory.ovs.version);
		return;
	}
	check_found(f, STATE_FAILURE, "Open vSwitch is not installed");
	if (strcmp(package, "openvswitch3.5") == 0)
		check_advise(f, "RHEL has it in the channel Fast Datapath, CentOS and its kin by dnf install centos-release-nfv-openvswitch");
	check_mend(f, "%s %s", *facts->installer ? facts->installer : "dnf install", package);
}

/* P5: an IOMMU is on. */
static void look_iommu(const struct check_case *c, struct finding *f)
{
	const struct facts *facts = &c->view->facts;
	const char *arguments = strcmp(facts->cpu_vendor, "GenuineIntel") == 0 ? "intel_iommu=on iommu=pt" : "iommu=pt";

	char fine[256];

	snprintf(fine, sizeof(fine), "devices are in IOMMU groups%s%s", *facts->iommu_arguments ? "; kernel arguments: " : "",
		 facts->iommu_arguments);
	if (check_by_rule(c, "P5-iommu", fine, f) == VERDICT_PASS)
		return;
	if (*facts->iommu_arguments)
		check_advise(f, "the kernel arguments are there (%s): switch VT-d, AMD-Vi or the SMMU on in the host's firmware", facts->iommu_arguments);
	if (strncmp(facts->installer, "apt", 3) == 0)
		check_mend(f, "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&%s /' /etc/default/grub && update-grub", arguments);
	else
		check_mend(f, "grubby --update-kernel=ALL --args='%s'", arguments);
}

/* P8: KVM. */
static void look_kvm(const struct check_case *c, struct finding *f)
{
	const char *vendor = c->view->facts.cpu_vendor;

	if (c->view->facts.has_kvm) {
		check_found(f, STATE_OK, "/dev/kvm is there");
		return;
	}
	check_found(f, STATE_WARNING, "there is no /dev/kvm: guests are emulated, slowly");
	check_advise(f, "virtualisation must be on in the host's firmware");
	if (strcmp(vendor, "GenuineIntel") == 0 || strcmp(vendor, "AuthenticAMD") == 0)
		check_mend(f, "modprobe %s", strcmp(vendor, "GenuineIntel") == 0 ? "kvm_intel" : "kvm_amd");
}

/* P9: the ports that a migration needs. */
static void look_ports(const struct check_case *c, struct finding *f)
{
	const struct facts *facts = &c->view->facts;
	bool any = facts->listens_ssh || facts->listens_tls || facts->listens_tcp;

	check_found(f, !any ? STATE_FAILURE : *facts->firewall ? STATE_WARNING : STATE_OK,
		    "ssh 22 %s, libvirt TLS %d %s, libvirt TCP %d %s; QEMU takes 49152 to 49215%s%s", facts->listens_ssh ? "open" : "closed",
		    FACTS_LIBVIRT_TLS, facts->listens_tls ? "open" : "closed", FACTS_LIBVIRT_TCP, facts->listens_tcp ? "open" : "closed",
		    *facts->firewall ? "; " : "", facts->firewall);
	if (!any)
		check_mend(f, "systemctl enable --now %s", strncmp(facts->installer, "apt", 3) == 0 ? "ssh" : "sshd");
	else if (*facts->firewall)
		check_mend(f, "%s", facts->firewall_mend);
}

/* P13: the socket that a connection ends at. */
static void look_sockets(const struct check_case *c, struct finding *f)
{
	const struct facts *facts = &c->view->facts;

	if (facts->listens_libvirt) {
		check_found(f, STATE_OK, "%s listens", facts->is_modular ? "virtqemud" : "libvirtd");
		return;
	}
	check_found(f, STATE_FAILURE, "nobody listens on libvirt's socket (/run/libvirt/virtqemud-sock or libvirt-sock)");
	if (facts->has_systemd)
		check_mend(f, "systemctl enable --now virtqemud.socket || systemctl enable --now libvirtd.socket");
	else
		check_mend(f, "libvirtd -d");
}

#define LIBVIRT_LOWEST "6.5.0" /* the first that runs programs in /etc/libvirt/hooks/qemu.d (NEWS of 6.5.0) */

/* Whether the hook has been called for a migration on this host: then libvirt knows of it. */
static bool was_called(const struct check_case *c)
{
	autofree struct history *history = calloc(1, sizeof(*history));

	return !c->view->is_recorded && history && history_read(history, NULL) == 0 && history->count;
}

/* L1: only vferry's hook keeps post-copy out. */
static void look_postcopy(const struct check_case *c, struct finding *f)
{
	const struct facts *facts = &c->view->facts;

	if (*facts->libvirt && firmware_compare(facts->libvirt, LIBVIRT_LOWEST) < 0) {
		check_found(f, STATE_FAILURE, "libvirt %s is older than " LIBVIRT_LOWEST " and never calls vferry's hook: it does not look into qemu.d",
			    facts->libvirt);
		check_advise(f, "install libvirt " LIBVIRT_LOWEST " or newer");
		return;
	}
	if (facts->has_hook && facts->has_worker && facts->is_hook_newer && !was_called(c)) {
		check_found(f, STATE_UNKNOWN, "vferry's hook is installed, but libvirt's daemon was started before, and has not called it for a "
			    "migration yet: unless it was reloaded since, it knows nothing of it");
		check_mend(f, "systemctl reload %s", facts->is_modular ? "virtqemud" : "libvirtd");
		return;
	}
	if (facts->has_hook && facts->has_worker) {
		check_found(f, STATE_OK, "vferry's hook is installed and refuses it when the guest arrives");
		return;
	}
	if (facts->is_hook_hidden) {
		check_found(f, STATE_UNKNOWN, "only root sees whether vferry's hook is installed: /etc/libvirt is closed to others");
		return;
	}
	check_found(f, STATE_FAILURE, "vferry's %s is not installed, or not executable: nothing refuses post-copy here",
		    facts->has_hook ? "worker" : "hook");
	check_advise(f, "install vferry on this host (make install prefix=/usr)");
	check_mend(f, "systemctl reload %s", facts->is_modular ? "virtqemud" : "libvirtd");
}

/* L3: what the figures leave out. */
static void look_dirty_rate(const struct check_case *c, struct finding *f)
{
	(void)check_by_rule(c, "L3-dirty-rate", "the guest has no VF: the figures of libvirt are right", f);
}

/* L8: processors that the procedure is meant for. */
static void look_architecture(const struct check_case *c, struct finding *f)
{
	const char *architecture = c->view->scene.inventory.architecture;
	char fine[160];

	snprintf(fine, sizeof(fine), "%s%s%s", architecture, *c->view->facts.cpu_model ? ", " : "", c->view->facts.cpu_model);
	(void)check_by_rule(c, "L8-processor", fine, f);
	if (!*architecture)
		check_found(f, STATE_UNKNOWN, "the record does not tell the processor");
}

/* Beside the procedure: what vferry itself left behind. */
static void look_leftovers(const struct check_case *c, struct finding *f)
{
	const struct scene *scene = &c->view->scene;
	char list[256] = "";

	if (c->view->is_recorded) {
		check_found(f, STATE_NONE, "a record does not tell");
		return;
	}
	for (size_t i = 0; i < scene->records.count; i++) {
		const struct record *record = &scene->records.record[i];

		if (ready_is_lost(scene, record))
			check_list(list, sizeof(list), record->name);
	}
	for (size_t i = 0; i < scene->inventory.ovs.ports; i++) {
		if (ready_is_orphan_port(scene, &scene->inventory.ovs.port[i]))
			check_list(list, sizeof(list), scene->inventory.ovs.port[i].name);
	}
	if (!*list) {
		check_found(f, STATE_OK, "nothing is left of guests that are gone");
		return;
	}
	check_found(f, STATE_WARNING, "left of guests that are gone: %s", list);
	check_mend(f, "vferry release --yes");
}

/* Beside the procedure: threads enough for all that may wait for a slot, and for those that move meanwhile. */
static void look_workers(const struct check_case *c, struct finding *f)
{
	unsigned int have = c->view->facts.libvirt_workers, need = c->config->slot_queue + WORKERS_SPARE;
	const char *daemon = c->view->facts.is_modular ? "virtqemud" : "libvirtd";

	if (!have) {
		check_found(f, STATE_NONE, c->view->facts.is_modular ? "%s does not run at the moment; it is started by whoever calls it" :
			    "%s does not run, or its threads cannot be seen", daemon);
		return;
	}
	check_found(f, have < need ? STATE_WARNING : STATE_OK,
		    "%s has %u threads for calls; with %u guests that wait for a slot (slot_queue) it needs %u", daemon, have, c->config->slot_queue,
		    need);
	if (have >= need)
		return;
	check_advise(f, "until then fewer may wait; to keep it, run vferryd, or set min_workers = %u in /etc/libvirt/%s.conf",
		     WORKERS_ENOUGH, daemon);
	check_mend(f, "virt-admin server-threadpool-set %s --min-workers %u", daemon, WORKERS_ENOUGH);
}

#define HOOK_LABEL "vferry_hook_exec_t" /* install/selinux/vferry.fc */

/*
 * Beside the procedure: whether SELinux has vferry's module, and by which label it knows hook and worker. virtqemud_t may read what has
 * another label, not execute it, and libvirt passes over what it may not execute (virHookCheck, access(X_OK)): guests would start and
 * arrive without vferry, and nobody told.
 */
static void look_label(const struct check_case *c, struct finding *f)
{
	const struct facts *facts = &c->view->facts;
	bool is_hook = strcmp(facts->hook_label, HOOK_LABEL) != 0;
	const char *label = is_hook ? facts->hook_label : facts->worker_label;

	if (!facts->has_selinux) {
		check_found(f, STATE_NONE, "SELinux is not on");
		return;
	}
	if (*facts->selinux_lacks) {
		check_found(f, facts->selinux_enforces ? STATE_FAILURE : STATE_WARNING, "SELinux's policy does not know the type %s: "
			    "vferry's module is not loaded, or older than vferry", facts->selinux_lacks);
		check_advise(f, "install the package vferry-selinux of this version, or without packages run make install-selinux");
		return;
	}
	if (!*label) {
		check_found(f, facts->is_hook_hidden ? STATE_UNKNOWN : STATE_NONE,
			    facts->is_hook_hidden ? "only root sees the labels: /etc/libvirt is closed to others" :
			    facts->has_hook && facts->has_worker ? "hook and worker have no label: SELinux has no policy" :
								   "hook or worker is not installed");
		return;
	}
	if (strcmp(label, HOOK_LABEL) == 0) {
		check_found(f, STATE_OK, "vferry's hook and worker have the label " HOOK_LABEL);
		return;
	}
	check_found(f, facts->selinux_enforces ? STATE_FAILURE : STATE_WARNING, "vferry's %s has the label %s, not " HOOK_LABEL
		    ": where SELinux confines virtqemud, libvirt passes over it and says nothing", is_hook ? "hook" : "worker", label);
	check_advise(f, "if it stays so, SELinux lacks the module: install vferry-selinux, or without packages run make install-selinux");
	check_mend(f, "restorecon -Rv /etc/libvirt/hooks /usr/libexec/vferry");
}

/* V9: libvirt 12.1.0 ends when an interface of a network with forward mode 'hostdev' is attached; 12.2.0 does not. */
static void look_libvirt(const struct check_case *c, struct finding *f)
{
	const char *version = c->view->facts.libvirt;

	if (!*version) {
		check_found(f, STATE_UNKNOWN, "libvirt's version could not be seen");
		return;
	}
	if (firmware_compare(version, "12.1.0") != 0) {
		check_found(f, STATE_OK, "libvirt %s has no fault that vferry knows", version);
		return;
	}
	check_found(f, STATE_WARNING, "libvirt %s crashes when an interface of a hostdev network is attached to a guest that runs", version);
	check_advise(f, "upgrade libvirt to 12.2 or later; until then attach VFs by their address, as 'vferry attach' does");
}

/* Who sets up VFs and representors as network devices of the host's own. */
static void look_managers(const struct check_case *c, struct finding *f)
{
	const char *managers = c->view->facts.managers;

	if (!*managers) {
		check_found(f, STATE_OK, "no network manager has a VF or a representor");
		return;
	}
	check_found(f, STATE_WARNING, "%s: it sets them up, and may ask for an address in the guests' network", managers);
	check_advise(f, "tell it to leave them alone: 65-vferry-unmanaged.rules does for NetworkManager and systemd-networkd, for devices that "
		     "appear after it was installed; others name them in their own settings (vferry(7), FEDORA AND RHEL)");
}

const struct check_row check_rows_host[] = {
	{ "P2", "mstflint", SCOPE_HOST, "firmware and its settings are changed with it", look_mstflint },
	{ "P4", "Open vSwitch", SCOPE_HOST, "it connects the VFs' representors with the network", look_ovs_installed },
	{ "P5", "IOMMU", SCOPE_HOST, "without one no VF can be given to a guest", look_iommu },
	{ "P8", "KVM", SCOPE_HOST, "guests run with it", look_kvm },
	{ "P9", "ports", SCOPE_HOST, "a migration comes in through them (the vendor's documents have 16509 and 16514 exchanged)",
	  look_ports },
	{ "P13", "libvirt's socket", SCOPE_HOST, "a migration by qemu+ssh:// ends at it", look_sockets },
	{ "L1", "no post-copy", SCOPE_HOST, "QEMU cannot move a VF by post-copy, and says so only after the guest was started here",
	  look_postcopy },
	{ "L3", "dirty rates", SCOPE_HOST, "who plans by them expects too little to send", look_dirty_rate },
	{ "L8", "processor", SCOPE_HOST, "the procedure is for Intel 64, AMD64 and ARM 64", look_architecture },
	{ "V1", "leftovers", SCOPE_HOST, "a VF that is kept for a guest which does not come is missing to others", look_leftovers },
	{ "V7", "worker threads", SCOPE_HOST, "a guest that waits for a slot keeps one, and a migration that is to end needs one", look_workers },
	{ "V8", "SELinux's label", SCOPE_HOST, "a hook with another label is not called, and nobody says so", look_label },
	{ "NM", "network managers", SCOPE_HOST, "who takes a VF for the host's own asks by it for an address in the guests' network",
	  look_managers },
	{ "V9", "libvirt's faults", SCOPE_HOST, "a fault of libvirt's that meets VFs is better known beforehand", look_libvirt },
	{ 0 },
};
