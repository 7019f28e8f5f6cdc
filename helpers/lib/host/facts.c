/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * facts.c: what a host is made of beside the card.
 *
 * Who listens is read from /proc/net, which needs neither root nor systemd, and is true whoever started the daemon.
 */
#include "host/facts.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/sysroot.h"
#include "host/workers.h"

#define PROC_MAX (4u << 20) /* bytes of one file of /proc that are read */
#define HOOK SYSCONFDIR "/libvirt/hooks/qemu.d/50-vferry"
#define WORKER LIBEXECDIR "/vferry/hook"
#define TCP_LISTEN 0x0a     /* Linux include/net/tcp_states.h */
#define UNIX_LISTENS 0x10000 /* __SO_ACCEPTCON, Linux include/uapi/linux/net.h, shown by /proc/net/unix */

/* ---- JSON ---------------------------------------------------------------------------------------------------------------------- */

struct field {
	const char *key;
	size_t offset, size;
	json_type type; /* string: char []; boolean: bool; int: unsigned int */
};

#define FIELD(member, type) { #member, offsetof(struct facts, member), sizeof(((struct facts *)NULL)->member), type }
#define TEXT(member) FIELD(member, json_type_string)
#define FLAG(member) FIELD(member, json_type_boolean)
#define NUMBER(member) FIELD(member, json_type_int)

static const struct field fields[] = {
	TEXT(kernel), TEXT(architecture), TEXT(system), TEXT(cpu_vendor), TEXT(cpu_model), TEXT(iommu_arguments), TEXT(qemu),
	TEXT(libvirt), TEXT(installer), TEXT(ovs_start), TEXT(ovs_restart), TEXT(firewall), TEXT(firewall_mend), TEXT(managers),
	FLAG(has_systemd), FLAG(is_modular), FLAG(has_kvm), FLAG(has_mstconfig), FLAG(has_mstflint), FLAG(has_openvswitch), FLAG(has_hook),
	FLAG(is_hook_hidden), FLAG(has_worker), FLAG(is_hook_newer), FLAG(has_boot_services), FLAG(has_selinux), FLAG(selinux_enforces),
	TEXT(hook_label), TEXT(worker_label), TEXT(selinux_lacks), FLAG(listens_ssh), FLAG(listens_tls), FLAG(listens_tcp),
	FLAG(listens_libvirt), NUMBER(libvirt_workers), NUMBER(memory), NUMBER(memory_available), FLAG(seen_by_root),
	{ NULL, 0, 0, json_type_null },
};

/* Return: one value as JSON. */
static struct json_object *fetch(const struct field *field, const struct facts *facts)
{
	const char *member = (const char *)facts + field->offset;

	if (field->type == json_type_string)
		return json_object_new_string(member);
	if (field->type == json_type_boolean)
		return json_object_new_boolean(*(const bool *)(const void *)member);
	return json_object_new_int64(*(const unsigned int *)(const void *)member);
}

/* Return: the facts as a JSON object, to be put. */
struct json_object *facts_to_json(const struct facts *facts)
{
	struct json_object *out = json_object_new_object();

	for (const struct field *field = fields; field->key; field++)
		json_object_object_add(out, field->key, fetch(field, facts));
	return out;
}

/* Stores one value of a recorded host. Return: 0, -EINVAL with *why filled. */
static int store(const struct field *field, struct json_object *value, struct facts *facts, struct reason *why)
{
	char *member = (char *)facts + field->offset;
	int64_t number = json_object_get_int64(value);

	if (!json_object_is_type(value, field->type) || (field->type == json_type_int && (number < 0 || number > UINT_MAX)))
		return reason_set(why, -EINVAL, "inventory", "\"%s\" is not %s", field->key, field->type == json_type_string ? "a text" :
				  field->type == json_type_boolean ? "true or false" : "a number of 0 or more");
	if (field->type == json_type_string)
		reason_clean(member, field->size, json_object_get_string(value));
	else if (field->type == json_type_boolean)
		*(bool *)(void *)member = json_object_get_boolean(value);
	else
		*(unsigned int *)(void *)member = (unsigned int)number;
	return 0;
}

/*
 * json: an object as facts_to_json() makes it; NULL leaves all zero. Return: 0, -EINVAL with *why filled.
 */
int facts_from_json(struct json_object *json, struct facts *facts, struct reason *why)
{
	int error = 0;

	memset(facts, 0, sizeof(*facts));
	if (!json)
		return 0;
	if (!json_object_is_type(json, json_type_object))
		return reason_set(why, -EINVAL, "inventory", "\"software\" is not an object");
	for (const struct field *field = fields; !error && field->key; field++) {
		struct json_object *value;

		if (json_object_object_get_ex(json, field->key, &value))
			error = store(field, value, facts, why);
	}
	return error;
}

/* ---- Kernel and processor ------------------------------------------------------------------------------------------------------ */

/* Finds "key: value" or "key=value" in a text of lines. Return: whether it is there; out is the first value without quotes. */
static bool find_value(const char *text, const char *key, char separator, char *out, size_t size)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *value = line + len;
		size_t n;

		if (strncmp(line, key, len) != 0)
			continue;
		value += strspn(value, " \t");
		if (*value++ != separator)
			continue;
		value += strspn(value, " \t\"");
		n = strcspn(value, "\n\"");
		snprintf(out, size, "%.*s", (int)(n < size ? n : size - 1), value);
		return true;
	}
	return false;
}

/* Reads a whole text file, bounded. Return: the text for free(3), NULL if it cannot be read. */
static char *read_text(const char *path)
{
	char *text = NULL;

	return sysroot_slurp(&text, PROC_MAX, "%s", path) < 0 ? NULL : text;
}

/* Keeps the kernel arguments that speak of an IOMMU. */
static void read_arguments(struct facts *facts)
{
	autofree char *text = read_text("/proc/cmdline");
	char *rest = text, *word;
	size_t used = 0;

	while (rest && (word = strsep(&rest, " \n"))) {
		if (!strstr(word, "iommu") || used + strlen(word) + 2 > sizeof(facts->iommu_arguments))
			continue;
		used += (size_t)snprintf(facts->iommu_arguments + used, sizeof(facts->iommu_arguments) - used, "%s%s", used ? " " : "",
					 word);
	}
}

/* Reads the processor's architecture. /proc/sys/kernel/arch is there since Linux 6.1. */
void facts_read_architecture(char *out, size_t size)
{
	struct utsname name;

	if (sysroot_read(out, size, "/proc/sys/kernel/arch") >= 0)
		return;
	snprintf(out, size, "%s", uname(&name) == 0 ? name.machine : "");
}

/* Reads what kernel and processor say of themselves. */
static void read_machine(struct facts *facts)
{
	autofree char *cpuinfo = read_text("/proc/cpuinfo"), *release = read_text("/etc/os-release");

	if (sysroot_read(facts->kernel, sizeof(facts->kernel), "/proc/sys/kernel/osrelease") < 0)
		facts->kernel[0] = '\0';
	facts_read_architecture(facts->architecture, sizeof(facts->architecture));
	if (cpuinfo) {
		find_value(cpuinfo, "vendor_id", ':', facts->cpu_vendor, sizeof(facts->cpu_vendor));
		find_value(cpuinfo, "model name", ':', facts->cpu_model, sizeof(facts->cpu_model));
	}
	if (release)
		find_value(release, "PRETTY_NAME", '=', facts->system, sizeof(facts->system));
	read_arguments(facts);
	facts->has_kvm = sysroot_exists("/dev/kvm");
}

/* Reads a size of /proc/meminfo. Return: MiB, 0 unknown. */
static unsigned int read_mebibytes(const char *meminfo, const char *key)
{
	char value[32] = "";

	find_value(meminfo, key, ':', value, sizeof(value));
	return (unsigned int)(strtoul(value, NULL, 10) / 1024);
}

/* Reads how much memory there is, and is left. */
static void read_memory(struct facts *facts)
{
	autofree char *meminfo = read_text("/proc/meminfo");

	if (!meminfo)
		return;
	facts->memory = read_mebibytes(meminfo, "MemTotal");
	facts->memory_available = read_mebibytes(meminfo, "MemAvailable");
}

/* ---- Programs ------------------------------------------------------------------------------------------------------------------ */

/* Whether a program is installed. */
static bool has_program(const char *name)
{
	static const char *const folders[] = { "/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin", "/usr/local/sbin" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		if (sysroot_exists("%s/%s", folders[i], name))
			return true;
	}
	return false;
}

/* Finds out how Open vSwitch is started here: the unit's name differs, and a small system has no systemd. */
static void read_ovs_start(struct facts *facts)
{
	static const char *const folders[] = { "/lib/systemd/system", "/usr/lib/systemd/system", "/etc/systemd/system" };
	const char *unit = "openvswitch";

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		if (sysroot_exists("%s/openvswitch-switch.service", folders[i]))
			unit = "openvswitch-switch";
	}
	if (facts->has_systemd) {
		snprintf(facts->ovs_start, sizeof(facts->ovs_start), "systemctl start %s", unit);
		snprintf(facts->ovs_restart, sizeof(facts->ovs_restart), "systemctl restart %s", unit);
		return;
	}
	snprintf(facts->ovs_start, sizeof(facts->ovs_start), "/usr/share/openvswitch/scripts/ovs-ctl start --system-id=random");
	snprintf(facts->ovs_restart, sizeof(facts->ovs_restart), "/usr/share/openvswitch/scripts/ovs-ctl restart --system-id=random");
}

/* Whether a file is there and may be executed: libvirt passes over one that may not, and a folder (virfile.c virFileIsExecutable()). */
static bool is_executable(const char *file)
{
	char path[PATH_MAX];
	struct stat status;

	return sysroot_path(path, sizeof(path), "%s", file) == 0 && access(path, X_OK) == 0 && stat(path, &status) == 0 &&
	       S_ISREG(status.st_mode);
}

/*
 * Whether a hook was put there after libvirt's daemon was started, which looks once whether there are any (src/util/virhook.c
 * virHookInitialize()), and again when it is reloaded. The daemon's start is the time of its folder in /proc.
 */
static bool is_newer_than_daemon(const struct facts *facts, const char *file)
{
	char hook[PATH_MAX], daemon[PATH_MAX];
	struct stat hook_status, daemon_status;
	unsigned long process;

	if (sysroot_read_number(&process, "/run/%s.pid", facts->is_modular ? "virtqemud" : "libvirtd") ||
	    sysroot_path(daemon, sizeof(daemon), "/proc/%lu", process) || sysroot_path(hook, sizeof(hook), "%s", file))
		return false;
	return stat(hook, &hook_status) == 0 && stat(daemon, &daemon_status) == 0 && hook_status.st_ctime > daemon_status.st_ctime;
}

/* A label of SELinux, USER:ROLE:TYPE:LEVEL. */
struct label {
	char user[64], role[64], type[64], level[128]; /* level with the colon before it; "" in a policy without levels */
};

/* Reads the label of a file. Return: whether it has one that the caller may see; if not, all of *label is "". */
static bool read_label(struct label *label, const char *path)
{
	char full[PATH_MAX], text[256] = "";
	ssize_t len = sysroot_path(full, sizeof(full), "%s", path) < 0 ? -1 : getxattr(full, "security.selinux", text, sizeof(text) - 1);

	memset(label, 0, sizeof(*label));
	if (len > 0 && sscanf(text, "%63[^:]:%63[^:]:%63[^:]%127s", label->user, label->role, label->type, label->level) >= 3)
		return true;
	memset(label, 0, sizeof(*label));
	return false;
}

/*
 * Asks whether the policy in force knows the types of vferry's module. A label that is written to /sys/fs/selinux/context is judged,
 * nothing more: EINVAL if the policy does not know it (sel_write_context). A file may bear a type that the policy no longer knows, and root
 * is shown it all the same (selinux_inode_getsecurity). The types: install/selinux/vferry.fc, and what came last.
 * like: the label of a file, of which all but the type is taken.
 */
static void read_module(struct facts *facts, const struct label *like)
{
	static const char *const types[] = {
		"vferry_hook_exec_t", "vferryd_exec_t", "vferry_var_run_t", "vferry_var_lib_t", "vferry_tmpfs_t",
	};
	char label[320];

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]) && !*facts->selinux_lacks; i++) {
		snprintf(label, sizeof(label), "%s:%s:%s%s", like->user, like->role, types[i], like->level);
		if (sysroot_write(label, "/sys/fs/selinux/context") == -EINVAL)
			snprintf(facts->selinux_lacks, sizeof(facts->selinux_lacks), "%s", types[i]);
	}
}

/*
 * Reads whether hook and worker are there, and by which labels SELinux knows them. libvirt's RPM closes /etc/libvirt to users
 * (libvirt.spec.in: attr(0700)), so that the hook is there or not, and a user cannot tell.
 */
static void read_hook(struct facts *facts)
{
	struct label hook, worker;
	char enforce[8] = "";

	facts->has_selinux = sysroot_read(enforce, sizeof(enforce), "/sys/fs/selinux/enforce") >= 0;
	facts->selinux_enforces = strcmp(enforce, "1") == 0;
	errno = 0;
	facts->is_hook_hidden = !sysroot_exists("%s", HOOK) && errno == EACCES;
	facts->has_hook = is_executable(HOOK);
	facts->has_worker = is_executable(WORKER);
	if (!facts->has_selinux)
		return;
	if (read_label(&hook, HOOK))
		snprintf(facts->hook_label, sizeof(facts->hook_label), "%s", hook.type);
	if (read_label(&worker, WORKER))
		snprintf(facts->worker_label, sizeof(facts->worker_label), "%s", worker.type);
	if (*hook.type || *worker.type)
		read_module(facts, *hook.type ? &hook : &worker);
}

/* Reads which programs are there. */
static void read_programs(struct facts *facts)
{
	facts->has_systemd = sysroot_exists("/run/systemd/system");
	facts->has_mstconfig = has_program("mstconfig") || has_program("mlxconfig");
	facts->has_mstflint = has_program("mstflint") || has_program("flint");
	facts->has_openvswitch = has_program("ovs-vswitchd");
	if (has_program("apt-get"))
		snprintf(facts->installer, sizeof(facts->installer), "apt-get install");
	else if (has_program("dnf"))
		snprintf(facts->installer, sizeof(facts->installer), "dnf install");
	read_hook(facts);
	facts->has_boot_services = sysroot_exists("/etc/systemd/system/multi-user.target.wants/vferry-card.service") &&
				   sysroot_exists("/etc/systemd/system/multi-user.target.wants/vferry-host.service");
	read_ovs_start(facts);
}

/* ---- Who listens --------------------------------------------------------------------------------------------------------------- */

/* Notes the ports that /proc/net/tcp or tcp6 shows as listening. */
static void read_tcp(struct facts *facts, const char *path)
{
	autofree char *text = read_text(path);
	char *rest = text, *line;

	while (rest && (line = strsep(&rest, "\n"))) {
		char local[64], state[8];
		const char *colon;
		unsigned long port;

		if (sscanf(line, "%*s %63s %*s %7s", local, state) != 2 || strtoul(state, NULL, 16) != TCP_LISTEN)
			continue;
		colon = strrchr(local, ':');
		port = colon ? strtoul(colon + 1, NULL, 16) : 0;
		facts->listens_ssh |= port == 22;
		facts->listens_tls |= port == FACTS_LIBVIRT_TLS;
		facts->listens_tcp |= port == FACTS_LIBVIRT_TCP;
	}
}

/* Notes libvirt's local sockets; systemd may hold them for a daemon that is not started yet. */
static void read_unix(struct facts *facts)
{
	autofree char *text = read_text("/proc/net/unix");
	char *rest = text, *line;

	while (rest && (line = strsep(&rest, "\n"))) {
		char flags[16], path[128];

		if (sscanf(line, "%*s %*s %*s %15s %*s %*s %*s %127s", flags, path) != 2 || !(strtoul(flags, NULL, 16) & UNIX_LISTENS))
			continue;
		if (strcmp(path, "/run/libvirt/virtqemud-sock") == 0 || strcmp(path, "/var/run/libvirt/virtqemud-sock") == 0)
			facts->is_modular = facts->listens_libvirt = true;
		if (strcmp(path, "/run/libvirt/libvirt-sock") == 0 || strcmp(path, "/var/run/libvirt/libvirt-sock") == 0)
			facts->listens_libvirt = true;
	}
}

/*
 * Looks for a firewall, as far as one can be seen. Who cannot read its rules, a user, or root where nft is not installed or does not
 * answer in time, sees whether firewalld runs by its control group: its unit writes no pid file.
 */
static void read_firewall(struct facts *facts, deadline_t deadline)
{
	autofree char *ufw = read_text("/etc/ufw/ufw.conf");
	const char *why = geteuid() == 0 ? "could not be read with nft" : "can be seen by root alone";
	char enabled[8] = "";

	if (geteuid() == 0 && facts_read_packet_filter(facts, deadline))
		return;
	if (ufw && find_value(ufw, "ENABLED", '=', enabled, sizeof(enabled)) && strcmp(enabled, "yes") == 0) {
		snprintf(facts->firewall, sizeof(facts->firewall), "ufw is enabled; its rules %s", why);
		snprintf(facts->firewall_mend, sizeof(facts->firewall_mend), "ufw allow 49152:49215/tcp");
	} else if (sysroot_exists("/sys/fs/cgroup/system.slice/firewalld.service")) {
		snprintf(facts->firewall, sizeof(facts->firewall), "firewalld runs; its rules %s", why);
		snprintf(facts->firewall_mend, sizeof(facts->firewall_mend), "%s", FACTS_FIREWALLD_MEND);
	}
}

/*
 * Reads the machine. deadline: for the programs that are asked for their versions.
 */
void facts_read(struct facts *facts, deadline_t deadline)
{
	memset(facts, 0, sizeof(*facts));
	facts->seen_by_root = geteuid() == 0;
	read_machine(facts);
	read_memory(facts);
	read_programs(facts);
	read_tcp(facts, "/proc/net/tcp");
	read_tcp(facts, "/proc/net/tcp6");
	read_unix(facts);
	facts->libvirt_workers = workers_of_host(facts->is_modular);
	facts->is_hook_newer = facts->has_hook && is_newer_than_daemon(facts, HOOK);
	facts_read_versions(facts, deadline);
	read_firewall(facts, deadline);
}
