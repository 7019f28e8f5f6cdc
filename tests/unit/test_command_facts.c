/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What vferry check reads beside the card, on a machine made of files: who listens, versions, the packet filter, settings of a card (a
 * fake mstconfig stands in for the card's memory), and the hardware of a guest.
 */
#include "check.h"

#include <json-c/json.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "base/sysroot.h"
#include "domain/hardware.h"
#include "host/facts.h"
#include "card/nvconfig.h"
#include "host/storage.h"

/* A program of that machine that prints a text. */
static void program(const char *path, const char *output)
{
	char script[4096];

	snprintf(script, sizeof(script), "#!/bin/sh\ncat <<'END'\n%s\nEND\n", output);
	chmod(check_file(path, script), 0755);
}

/* Reads the facts of the machine that was made in the scratch directory. */
static struct facts read_facts(void)
{
	struct facts facts;

	check_file("/proc/.keep", "");
	CHECK_INT(sysroot_set(check_scratch()), 0);
	facts_read(&facts, deadline_in(10000));
	sysroot_set("");
	return facts;
}

TEST(kernel_processor_and_system_are_read)
{
	struct facts facts;

	check_file("/proc/sys/kernel/osrelease", "6.12.41\n");
	check_file("/proc/sys/kernel/arch", "aarch64\n");
	check_file("/proc/cpuinfo",
		   "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon 6430\n\nprocessor\t: 1\nvendor_id\t: other\n");
	check_file("/etc/os-release", "NAME=x\nPRETTY_NAME=\"Debian 13\"\n");
	check_file("/proc/cmdline", "root=/dev/sda1 intel_iommu=on quiet iommu=pt\n");
	facts = read_facts();
	CHECK_STR(facts.kernel, "6.12.41");
	CHECK_STR(facts.architecture, "aarch64");
	CHECK_STR(facts.cpu_vendor, "GenuineIntel");
	CHECK_STR(facts.cpu_model, "Xeon 6430");
	CHECK_STR(facts.system, "Debian 13");
	CHECK_STR(facts.iommu_arguments, "intel_iommu=on iommu=pt");
	CHECK(!facts.has_kvm);
}

TEST(versions_are_read_without_starting_anything)
{
	char qemu[PATH_MAX], link[PATH_MAX], xml[512];
	struct facts facts;
	struct stat st;

	check_file("/proc/sys/kernel/arch", "x86_64\n");
	snprintf(qemu, sizeof(qemu), "%s", check_file("/usr/bin/qemu-system-x86_64", "#!/bin/sh\necho QEMU emulator version 1.2.3\n"));
	chmod(qemu, 0755);
	CHECK_INT(stat(qemu, &st), 0);
	check_file("/var/cache/libvirt/qemu/capabilities/0.xml", "nonsense");
	snprintf(xml, sizeof(xml), "<qemuCaps>\n  <emulator>/usr/bin/qemu-system-x86_64</emulator>\n  <qemuctime>%lld</qemuctime>\n"
		 "  <version>10000002</version>\n</qemuCaps>\n", (long long)st.st_ctime);
	check_file("/var/cache/libvirt/qemu/capabilities/1.xml", xml);
	check_file("/usr/lib/x86_64-linux-gnu/libvirt.so.0.11003.0", "");
	snprintf(link, sizeof(link), "%s/usr/lib/x86_64-linux-gnu/libvirt.so.0", check_scratch());
	CHECK_INT(symlink("libvirt.so.0.11003.0", link), 0);
	facts = read_facts();
	CHECK_STR(facts.qemu, "10.0.2");
	CHECK_STR(facts.libvirt, "11.3.0");
}

TEST(a_qemu_that_libvirt_does_not_know_yet_is_asked)
{
	char qemu[PATH_MAX];
	struct facts facts;

	check_file("/proc/sys/kernel/arch", "x86_64\n");
	snprintf(qemu, sizeof(qemu), "%s", check_file("/usr/bin/qemu-system-x86_64", "#!/bin/sh\necho QEMU emulator version 10.1.0\n"));
	chmod(qemu, 0755);
	check_file("/var/cache/libvirt/qemu/capabilities/1.xml", "<qemuCaps>\n  <emulator>/usr/bin/qemu-system-x86_64</emulator>\n"
		   "  <qemuctime>1</qemuctime>\n  <version>10000002</version>\n</qemuCaps>\n");
	facts = read_facts();
	CHECK_STR(facts.qemu, "10.1.0");
}

TEST(listening_ports_are_seen_and_connections_are_none)
{
	struct facts facts;

	check_file("/proc/net/tcp", "  sl  local_address rem_address   st tx_queue rx_queue\n"
				    "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1\n"
				    "   1: 0100007F:407D 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 2 1\n");
	check_file("/proc/net/tcp6", "  sl  local_address\n"
				     "   0: 00000000000000000000000000000000:4082 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 3\n");
	facts = read_facts();
	CHECK(facts.listens_ssh);
	CHECK(facts.listens_tls); /* 0x4082 */
	CHECK(!facts.listens_tcp);
}

TEST(libvirts_socket_counts_only_while_somebody_listens)
{
	check_file("/proc/net/unix", "Num       RefCount Protocol Flags    Type St Inode Path\n"
				     "0000000000000000: 00000002 00000000 00000000 0001 01 11 /run/libvirt/libvirt-sock\n");
	CHECK(!read_facts().listens_libvirt);
	check_file("/proc/net/unix", "Num       RefCount Protocol Flags    Type St Inode Path\n"
				     "0000000000000000: 00000002 00000000 00010000 0001 01 11 /run/libvirt/virtqemud-sock\n");
	CHECK(read_facts().listens_libvirt);
	CHECK(read_facts().is_modular);
}

TEST(versions_are_asked_of_the_programs)
{
	struct facts facts;

	check_file("/proc/sys/kernel/arch", "x86_64\n");
	program("/usr/bin/qemu-system-x86_64", "QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)");
	program("/usr/sbin/libvirtd", "/usr/sbin/libvirtd (libvirt) 11.3.0");
	facts = read_facts();
	CHECK_STR(facts.qemu, "10.0.2");
	CHECK_STR(facts.libvirt, "11.3.0");
}

TEST(a_program_that_says_something_else_has_no_version)
{
	check_file("/proc/sys/kernel/arch", "x86_64\n");
	program("/usr/bin/qemu-system-x86_64", "hello");
	CHECK_STR(read_facts().qemu, "");
}

TEST(open_vswitch_is_started_by_the_unit_that_the_system_has)
{
	check_file("/run/systemd/system/.keep", "");
	CHECK_STR(read_facts().ovs_start, "systemctl start openvswitch");
	check_file("/lib/systemd/system/openvswitch-switch.service", "");
	CHECK_STR(read_facts().ovs_start, "systemctl start openvswitch-switch");
}

TEST(a_chain_that_drops_what_comes_in_is_named_with_its_mend)
{
	struct facts facts;

	if (geteuid() != 0)
		SKIP("only root asks the packet filter");
	program("/usr/sbin/nft",
		"{\"nftables\": [{\"metainfo\": {}}, {\"chain\": {\"family\": \"inet\", \"table\": \"filter\", \"name\": \"input\", "
				 "\"hook\": \"input\", \"policy\": \"drop\"}}]}");
	facts = read_facts();
	CHECK_CONTAINS(facts.firewall, "chain inet filter input drops what no rule accepts, and no rule accepts port 49152");
	CHECK_STR(facts.firewall_mend, "nft insert rule inet filter input tcp dport 49152-49215 accept");
}

TEST(a_chain_with_a_rule_for_migrations_is_none_of_our_business)
{
	if (geteuid() != 0)
		SKIP("only root asks the packet filter");
	program("/usr/sbin/nft",
		"{\"nftables\": [{\"chain\": {\"family\": \"inet\", \"table\": \"filter\", \"name\": \"input\", \"hook\": \"input\", "
				 "\"policy\": \"drop\"}}, {\"rule\": {\"family\": \"inet\", \"table\": \"filter\", \"chain\": \"input\", \"expr\": "
				 "[{\"match\": {\"op\": \"==\", \"left\": {\"payload\": {\"protocol\": \"tcp\", \"field\": \"dport\"}}, \"right\": {\"range\": [49152, 49215]}}}, {\"accept\": null}]}}]}");
	CHECK_STR(read_facts().firewall, "");
}

/* A ruleset as firewalld writes it for its zone "public" (nft -j of a real nft). in_zone: further rules of that zone's chain. */
static const char *firewalld(const char *in_zone)
{
	static char text[4000];

#define RULE(chain, expr) "{\"rule\": {\"family\": \"inet\", \"table\": \"firewalld\", \"chain\": \"" chain "\", \"expr\": [" expr "]}}"
#define DPORT(right) "{\"match\": {\"op\": \"==\", \"left\": {\"payload\": {\"protocol\": \"tcp\", \"field\": \"dport\"}}, \"right\": " right "}}"
	snprintf(text, sizeof(text), "{\"nftables\": [{\"metainfo\": {}}, {\"table\": {\"family\": \"inet\", \"name\": \"firewalld\"}}, "
		 "{\"chain\": {\"family\": \"inet\", \"table\": \"firewalld\", \"name\": \"filter_INPUT\", \"hook\": \"input\", "
		 "\"policy\": \"accept\"}}, {\"set\": {\"family\": \"inet\", \"table\": \"firewalld\", \"name\": \"moving\", \"elem\": "
		 "[5900, {\"range\": [49152, 49215]}]}}, "
		 RULE("filter_INPUT", "{\"match\": {\"op\": \"==\", \"left\": {\"meta\": {\"key\": \"iifname\"}}, \"right\": \"lo\"}}, "
				      "{\"accept\": null}") ", "
		 RULE("filter_INPUT", "{\"jump\": {\"target\": \"filter_INPUT_ZONES\"}}") ", "
		 RULE("filter_INPUT", "{\"counter\": {\"packets\": 1, \"bytes\": 60}}, {\"reject\": {\"type\": \"icmpx\", \"expr\": "
				      "\"admin-prohibited\"}}") ", "
		 RULE("filter_INPUT_ZONES", "{\"goto\": {\"target\": \"filter_IN_public\"}}") ", "
		 RULE("filter_IN_public", DPORT("22") ", {\"accept\": null}") "%s]}", in_zone);
	return text;
}

TEST(firewalld_that_rejects_at_the_end_of_its_chain_is_named_with_its_mend)
{
	struct facts facts;

	if (geteuid() != 0)
		SKIP("only root asks the packet filter");
	program("/usr/sbin/nft", firewalld(""));
	facts = read_facts();
	CHECK_CONTAINS(facts.firewall, "chain inet firewalld filter_INPUT");
	CHECK_STR(facts.firewall_mend, "firewall-cmd --permanent --add-port=49152-49215/tcp && firewall-cmd --reload");
}

TEST(a_zone_that_lets_migrations_in_is_none_of_our_business)
{
	static const char *const opened[] = {
		", " RULE("filter_IN_public", DPORT("{\"range\": [1025, 65535]}") ", {\"accept\": null}"),
		", " RULE("filter_IN_public", DPORT("{\"set\": [80, {\"range\": [49152, 49215]}]}") ", {\"accept\": null}"),
		", " RULE("filter_IN_public", DPORT("\"@moving\"") ", {\"accept\": null}"),
		", " RULE("filter_IN_public", "{\"accept\": null}"),
		", " RULE("filter_IN_public", "{\"goto\": {\"target\": \"deeper\"}}") ", " RULE("deeper", "{\"accept\": null}"),
	};

	if (geteuid() != 0)
		SKIP("only root asks the packet filter");
	for (size_t i = 0; i < sizeof(opened) / sizeof(opened[0]); i++) {
		program("/usr/sbin/nft", firewalld(opened[i]));
		CHECK_STR(read_facts().firewall, "");
	}
}

TEST(a_rule_for_other_ports_or_for_some_hosts_lets_no_migration_in)
{
	static const char *const shut[] = {
		", " RULE("filter_IN_public", DPORT("{\"range\": [5900, 6000]}") ", {\"accept\": null}"),
		", " RULE("filter_IN_public", DPORT("{\"range\": [49152, 49215]}") ", {\"drop\": null}"),
		", " RULE("filter_IN_public", "{\"limit\": {\"rate\": 1, \"per\": \"second\"}}, {\"accept\": null}"),
		", " RULE("filter_IN_public", "{\"return\": null}") ", " RULE("filter_IN_public", "{\"accept\": null}"),
		", " RULE("filter_IN_public", "{\"goto\": {\"target\": \"filter_IN_public\"}}"), /* for ever: nft takes none, a record may */
	};

	if (geteuid() != 0)
		SKIP("only root asks the packet filter");
	for (size_t i = 0; i < sizeof(shut) / sizeof(shut[0]); i++) {
		program("/usr/sbin/nft", firewalld(shut[i]));
		CHECK_CONTAINS(read_facts().firewall, "filter_INPUT");
	}
}

/* Reads the facts as a user, in a child if this is root. Return: by value, from memory that both share. */
static struct facts read_facts_as_user(void)
{
	struct facts *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), facts;
	int status;
	pid_t child;

	CHECK(shared != MAP_FAILED);
	CHECK_INT(chmod(check_scratch(), 0755), 0);
	child = fork();
	if (child == 0) {
		if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
			_exit(1);
		if (sysroot_set(check_scratch()) < 0)
			_exit(2);
		facts_read(shared, deadline_in(10000));
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	facts = *shared;
	munmap(shared, sizeof(*shared));
	return facts;
}

TEST(a_user_sees_firewalld_by_its_control_group)
{
	check_file("/proc/.keep", "");
	CHECK_STR(read_facts_as_user().firewall, "");
	check_file("/run/firewalld.pid", "1\n");
	CHECK_STR(read_facts_as_user().firewall, "");
	check_file("/sys/fs/cgroup/system.slice/firewalld.service/cgroup.procs", "1\n");
	CHECK_CONTAINS(read_facts_as_user().firewall, "firewalld runs");
	CHECK_CONTAINS(read_facts_as_user().firewall_mend, "firewall-cmd --permanent --add-port=49152-49215/tcp");
}

TEST(root_who_cannot_read_the_rules_is_told_of_the_firewall_as_a_user_is)
{
	static const char *const unread[] = { NULL, "not JSON", "{\"nftables\": 7}", "" };
	struct facts facts;

	if (geteuid() != 0)
		SKIP("only root asks the packet filter");
	check_file("/sys/fs/cgroup/system.slice/firewalld.service/cgroup.procs", "1\n");
	for (size_t i = 0; i < sizeof(unread) / sizeof(unread[0]); i++) {
		if (unread[i])
			program("/usr/sbin/nft", unread[i]);
		facts = read_facts();
		CHECK_STR(facts.firewall, "firewalld runs; its rules could not be read with nft");
		CHECK_CONTAINS(facts.firewall_mend, "firewall-cmd --permanent --add-port=49152-49215/tcp");
	}
	chmod(check_file("/usr/sbin/nft", "#!/bin/sh\necho '{\"nftables\": []}'\nexit 1\n"), 0755);
	CHECK_CONTAINS(read_facts().firewall, "firewalld runs");
	program("/usr/sbin/nft", "{\"nftables\": []}");
	CHECK_STR(read_facts().firewall, ""); /* firewalld has been started, and has written no rule */
}

TEST(root_without_nft_is_told_of_ufw)
{
	if (geteuid() != 0)
		SKIP("only root asks the packet filter");
	check_file("/etc/ufw/ufw.conf", "ENABLED=yes\n");
	CHECK_STR(read_facts().firewall, "ufw is enabled; its rules could not be read with nft");
}

TEST(a_hook_in_a_folder_that_a_user_may_not_enter_is_not_known_to_be_absent)
{
	char folder[PATH_MAX];
	struct facts facts;

	check_file("/proc/.keep", "");
	facts = read_facts_as_user();
	CHECK(!facts.has_hook && !facts.is_hook_hidden);
	check_file("/etc/libvirt/hooks/qemu.d/50-vferry", "");
	facts = read_facts_as_user();
	CHECK(!facts.has_hook && !facts.is_hook_hidden); /* libvirt passes over a file that cannot be executed */
	snprintf(folder, sizeof(folder), "%s/etc/libvirt/hooks/qemu.d/50-vferry", check_scratch());
	CHECK_INT(chmod(folder, 0755), 0);
	facts = read_facts_as_user();
	CHECK(facts.has_hook && !facts.is_hook_hidden);
	snprintf(folder, sizeof(folder), "%s/etc/libvirt", check_scratch());
	CHECK_INT(chmod(folder, 0), 0);
	facts = read_facts_as_user();
	CHECK(!facts.has_hook && facts.is_hook_hidden);
	CHECK_INT(chmod(folder, 0755), 0);
}

TEST(the_label_of_hook_and_worker_is_read_where_selinux_is)
{
	char hook[PATH_MAX], worker[PATH_MAX];
	struct facts facts;

	snprintf(hook, sizeof(hook), "%s", check_file("/etc/libvirt/hooks/qemu.d/50-vferry", ""));
	snprintf(worker, sizeof(worker), "%s", check_file(LIBEXECDIR "/vferry/hook", ""));
	if (setxattr(hook, "security.selinux", "system_u:object_r:vferry_hook_exec_t:s0", 40, 0) < 0 ||
	    setxattr(worker, "security.selinux", "system_u:object_r:bin_t:s0", 27, 0) < 0)
		SKIP("labels cannot be set here: %s", strerror(errno));
	facts = read_facts();
	CHECK(!facts.has_selinux);
	CHECK_STR(facts.hook_label, "");
	check_file("/sys/fs/selinux/enforce", "1");
	facts = read_facts();
	CHECK(facts.has_selinux && facts.selinux_enforces);
	CHECK_STR(facts.hook_label, "vferry_hook_exec_t");
	CHECK_STR(facts.worker_label, "bin_t");
}

/* Text that a process may not be given as its oom_score_adj is refused as SELinux refuses a label that it does not know (EINVAL). */
TEST(a_type_that_the_policy_does_not_know_is_named)
{
	char hook[PATH_MAX], context[PATH_MAX], asked[128] = "";
	struct facts facts;

	snprintf(hook, sizeof(hook), "%s", check_file("/etc/libvirt/hooks/qemu.d/50-vferry", ""));
	snprintf(context, sizeof(context), "%s", check_file("/sys/fs/selinux/context", ""));
	check_file("/sys/fs/selinux/enforce", "1");
	if (setxattr(hook, "security.selinux", "system_u:object_r:vferry_hook_exec_t:s0", 40, 0) < 0)
		SKIP("labels cannot be set here: %s", strerror(errno));
	facts = read_facts();
	CHECK_STR(facts.selinux_lacks, "");
	CHECK_INT(sysroot_set(check_scratch()), 0);
	CHECK(sysroot_read(asked, sizeof(asked), "/sys/fs/selinux/context") > 0);
	sysroot_set("");
	CHECK_STR(asked, "system_u:object_r:vferry_tmpfs_t:s0"); /* the last that was asked for */
	CHECK_INT(unlink(context), 0);
	facts = read_facts();
	CHECK_STR(facts.selinux_lacks, ""); /* nobody to ask */
	CHECK_INT(symlink("/proc/self/oom_score_adj", context), 0);
	facts = read_facts();
	CHECK_STR(facts.selinux_lacks, "vferry_hook_exec_t");
}

TEST(facts_survive_json)
{
	struct facts facts, again;
	struct json_object *json;
	struct reason why = { 0 };

	check_file("/proc/sys/kernel/osrelease", "6.12.41\n");
	check_file("/dev/kvm", "");
	facts = read_facts();
	json = facts_to_json(&facts);
	CHECK_INT(facts_from_json(json, &again, &why), 0);
	CHECK(memcmp(&facts, &again, sizeof(facts)) == 0);
	json_object_object_add(json, "has_kvm", json_object_new_string("yes"));
	CHECK_INT(facts_from_json(json, &again, &why), -EINVAL);
	CHECK_STR(why.what, "\"has_kvm\" is not true or false");
	json_object_put(json);
}

TEST(a_setting_of_the_card_is_read_by_mstconfig)
{
	struct pci_address pf = { .bus = 0x81 };
	struct reason why = { 0 };
	char value[64];

	CHECK_INT(sysroot_set(check_scratch()), 0);
	CHECK_INT(nvconfig_get(&pf, "VF_MIGRATION_MODE", value, sizeof(value), deadline_in(10000), &why), -ENOENT);
	program("/usr/bin/mstconfig", "Device #1:\n\nConfigurations:      Next Boot\n        VF_MIGRATION_MODE   MIGRATION_ENABLED(2)");
	CHECK_INT(nvconfig_get(&pf, "VF_MIGRATION_MODE", value, sizeof(value), deadline_in(10000), &why), 0);
	CHECK_STR(value, "MIGRATION_ENABLED(2)");
	CHECK_INT(nvconfig_get(&pf, "SRIOV_EN", value, sizeof(value), deadline_in(10000), &why), -ENODATA);
	sysroot_set("");
}

TEST(a_file_of_this_machine_is_on_no_shared_storage)
{
	char kind[64];

	check_file("/disk.img", "");
	CHECK_INT(sysroot_set(check_scratch()), 0);
	CHECK_INT(storage_is_shared("/disk.img", kind, sizeof(kind)), 0);
	CHECK_STR(kind, "a local file system");
	CHECK_INT(storage_is_shared("/absent.img", kind, sizeof(kind)), -ENOENT);
	sysroot_set("");
}

TEST(the_hardware_of_a_guest_is_read)
{
	static const char xml[] =
		"<domain type='kvm'><name>g</name><uuid>11111111-2222-3333-4444-555555555555</uuid><memory unit='GiB'>4</memory>"
		"<memtune><hard_limit unit='MiB'>5120</hard_limit></memtune><memoryBacking><hugepages/><locked/></memoryBacking>"
		"<os><type arch='x86_64' machine='pc-q35-9.2'>hvm</type></os><cpu mode='host-model'><model>EPYC</model></cpu><devices>"
		"<disk type='file' device='disk'><source file='/a'/><target dev='vda'/></disk>"
		"<disk type='block' device='cdrom'><source dev='/dev/b'/><target dev='sda'/></disk></devices></domain>";
	struct hardware hardware;
	struct domain domain;
	struct reason why = { 0 };

	CHECK_INT(domain_parse(xml, sizeof(xml) - 1, &domain, &why), 0);
	hardware_read(&domain, &hardware);
	CHECK_STR(hardware.kind, "kvm");
	CHECK_STR(hardware.machine, "pc-q35-9.2");
	CHECK_STR(hardware.cpu_mode, "host-model");
	CHECK_STR(hardware.cpu_model, "EPYC");
	CHECK(hardware.has_hugepages && hardware.has_locked);
	CHECK(hardware.memory == UINT64_C(4) << 30);
	CHECK(hardware.hard_limit == UINT64_C(5) << 30);
	CHECK_INT(hardware.disks, 2);
	CHECK_STR(hardware.disk[0].source, "/a");
	CHECK_STR(hardware.disk[1].source, "/dev/b");
	CHECK(hardware.disk[1].is_removable && !hardware.disk[0].is_removable);
	domain_release(&domain);
}
