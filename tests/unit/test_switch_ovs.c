/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_switch_ovs.c: vferry's changes of Open vSwitch against real ones: ovsdb-server and ovs-vswitchd with the userspace datapath, in
 * a network namespace of this program. Skipped without root or without Open vSwitch installed.
 *
 * Two are started: one sees the namespace's real netdevs (veth); the other has OVS's own dummy datapath, in which bridges of type
 * "system" work without a kernel module.
 */
#include "check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/scope.h"
#include "host/announce.h"
#include "switch/ovs.h"
#include "switch/ovs_change.h"

#define GUEST "8d1e34b0-1111-2222-3333-444455556666"
#define SCHEMA "/usr/share/openvswitch/vswitch.ovsschema"

/* One Open vSwitch. */
struct instance {
	char directory[64];
	char socket[96];
	pid_t server, daemon;
};

static struct instance real, dummy;

/* Ends a process and waits for it. */
static void end_process(pid_t *pid)
{
	if (*pid > 0) {
		kill(*pid, SIGCONT);
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

/* Ends both instances and removes their files; at exit. */
static void end_all(void)
{
	struct instance *all[] = { &real, &dummy };

	for (int i = 0; i < 2; i++) {
		end_process(&all[i]->daemon);
		end_process(&all[i]->server);
		if (all[i]->directory[0])
			nftw(all[i]->directory, check_remove, 16, FTW_DEPTH | FTW_PHYS);
	}
}

/* Runs a program found in PATH with its output thrown away. Return: its pid. */
static pid_t start(const struct instance *instance, char *const argv[])
{
	pid_t child = fork();

	if (child == 0) {
		int null = open("/dev/null", O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
		setenv("OVS_RUNDIR", instance->directory, 1);
		setenv("OVS_LOGDIR", instance->directory, 1);
		setenv("OVS_DBDIR", instance->directory, 1);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execvp(argv[0], argv);
		_exit(127);
	}
	return child;
}

/* Runs a program to its end. Return: its exit status. */
static int run(const struct instance *instance, char *const argv[])
{
	int status = -1;

	waitpid(start(instance, argv), &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Runs ovs-vsctl: the reference that vferry is compared with. Return: its exit status. */
static int vsctl(const struct instance *instance, const char *format, ...)
{
	char database[128], words[512], *argv[32], *rest = words, *word;
	va_list args;
	int count = 0;

	snprintf(database, sizeof(database), "--db=unix:%s", instance->socket);
	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	argv[count++] = (char[]){ "ovs-vsctl" };
	argv[count++] = database;
	argv[count++] = (char[]){ "--timeout=20" };
	while ((word = strsep(&rest, " ")) && count < 31)
		argv[count++] = word;
	argv[count] = NULL;
	return run(instance, argv);
}

/* Waits up to 10 s for a file. */
static void wait_file(const char *path)
{
	for (int i = 0; i < 1000 && access(path, F_OK) < 0; i++)
		usleep(10000);
	if (access(path, F_OK) < 0)
		FAIL("%s did not appear", path);
}

/* Starts ovs-vswitchd of an instance. dummies: with the dummy datapath and dummy netdevs. */
static void start_daemon(struct instance *instance, bool dummies)
{
	static char dummy_option[] = "--enable-dummy=override";
	char control[128], database[128], *argv[] = { (char[]){ "ovs-vswitchd" }, database, control, dummies ? dummy_option : NULL, NULL };

	snprintf(control, sizeof(control), "--unixctl=%s/vswitchd.ctl", instance->directory);
	snprintf(database, sizeof(database), "unix:%s", instance->socket);
	instance->daemon = start(instance, argv);
}

/* Starts an instance. */
static void start_instance(struct instance *instance, bool dummies)
{
	char file[96], remote[128], control[128];
	char *create[] = { (char[]){ "ovsdb-tool" }, (char[]){ "create" }, file, (char[]){ SCHEMA }, NULL };
	char *serve[] = { (char[]){ "ovsdb-server" }, file, remote, control, NULL };

	snprintf(instance->directory, sizeof(instance->directory), "/tmp/vferry-ovs-XXXXXX");
	if (!mkdtemp(instance->directory))
		FAIL("no scratch directory: %s", strerror(errno));
	snprintf(file, sizeof(file), "%s/conf.db", instance->directory);
	snprintf(instance->socket, sizeof(instance->socket), "%s/db.sock", instance->directory);
	snprintf(remote, sizeof(remote), "--remote=punix:%s", instance->socket);
	snprintf(control, sizeof(control), "--unixctl=%s/server.ctl", instance->directory);
	CHECK_INT(run(instance, create), 0);
	instance->server = start(instance, serve);
	wait_file(instance->socket);
	CHECK_INT(vsctl(instance, "--no-wait init"), 0);
	start_daemon(instance, dummies);
}

/* Starts both instances in a network namespace of our own, once. */
static void need_ovs(void)
{
	if (real.server)
		return;
	if (geteuid() != 0)
		SKIP("needs root, for a network namespace");
	if (access(SCHEMA, R_OK) < 0)
		SKIP("Open vSwitch is not installed (openvswitch-switch)");
	if (access("/dev/net/tun", R_OK | W_OK) < 0)
		SKIP("no /dev/net/tun, which the userspace datapath needs (modprobe tun)");
	if (unshare(CLONE_NEWNET) < 0)
		SKIP("no network namespace: %s", strerror(errno));
	atexit(end_all);
	start_instance(&real, false);
	start_instance(&dummy, true);
	CHECK_INT(run(&real, (char *[]){ (char[]){ "ip" }, (char[]){ "link" }, (char[]){ "add" }, (char[]){ "v0" }, (char[]){ "type" },
					 (char[]){ "veth" }, (char[]){ "peer" }, (char[]){ "v1" }, NULL }), 0);
	CHECK_INT(vsctl(&real, "add-br br0 -- set Bridge br0 datapath_type=netdev"), 0);
	CHECK_INT(vsctl(&real, "add-br br1 -- set Bridge br1 datapath_type=netdev"), 0);
}

/* Connects to an instance, with everything ready. */
static struct ovs *connect_to(const struct instance *instance)
{
	struct ovs *ovs = NULL;
	struct reason why = { 0 };

	if (ovs_open(&ovs, instance->socket, deadline_in(5000), &why) < 0)
		FAIL("%s", why.what);
	return ovs;
}

/* Reads a port back through vferry. A name that is absent gives bridge "". */
static struct ovs_port look(struct ovs *ovs, const char *name)
{
	struct ovs_state state = { 0 };
	const struct ovs_port *found;
	struct ovs_port port = { 0 };

	CHECK_INT(ovs_read(ovs, &state, deadline_in(5000), NULL), 0);
	found = ovs_find_port(&state, name);
	if (found)
		port = *found;
	ovs_state_release(&state);
	return port;
}

/* A request for a netdev in bridge br0. */
static struct ovs_port_request request(const char *port)
{
	return (struct ovs_port_request){ .bridge = "br0", .port = port, .guest = GUEST, .vf = "0000:81:00.2", .mac = "52:54:00:12:34:56",
					  .name = "guest7", .tag = -1, .transient = true };
}

/* Fails the test with the sentence unless error is 0. */
static void must(int error, const struct reason *why)
{
	if (error)
		FAIL("%d: %s: %s", error, why->object, why->what);
}

TEST(adds_a_port_and_reads_its_number_back)
{
	autoovs struct ovs *ovs = (need_ovs(), connect_to(&real));
	struct ovs_port_request wanted = request("v0");
	struct reason why = { 0 };
	struct ovs_port port;

	wanted.tag = 42;
	must(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), &why);
	port = look(ovs, "v0");
	CHECK_STR(port.bridge, "br0");
	CHECK(port.ofport > 0);
	CHECK_STR(port.error, "");
	CHECK(port.ours);
	CHECK_STR(port.guest, GUEST);
	CHECK_STR(port.vf, "0000:81:00.2");
	CHECK_INT(port.tag, 42);
	CHECK_INT(vsctl(&real, "get Interface v0 external_ids:attached-mac external_ids:vm-id external_ids:vm-name"), 0);
	CHECK_INT(vsctl(&real, "get Port v0 other_config:transient"), 0);
}

TEST(adding_it_again_keeps_its_number_and_takes_the_new_settings)
{
	autoovs struct ovs *ovs = (need_ovs(), connect_to(&real));
	struct ovs_port_request wanted = request("v0");
	struct reason why = { 0 };
	struct ovs_port port;
	int ofport;

	must(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), &why);
	ofport = look(ovs, "v0").ofport;
	wanted.tag = 7;
	must(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), &why);
	port = look(ovs, "v0");
	CHECK_INT(port.ofport, ofport);
	CHECK_INT(port.tag, 7);
	wanted.tag = -1;
	must(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), &why);
	CHECK_INT(look(ovs, "v0").tag, -1);
}

TEST(what_was_set_on_a_port_elsewhere_is_set_here_and_read_back)
{
	autoovs struct ovs *ovs = (need_ovs(), connect_to(&real));
	struct port_settings settings = { .has_tag = true, .tag = 12, .vlan_mode = "native-untagged",
					  .ingress_rate = 100000, .ingress_burst = 8000,
					  .qos = "linux-htb max-rate=1000000000 0:max-rate=400000000,burst=8000000 7:min-rate=1",
					  .has_attached_mac = true,
					  .attached_mac = { { 0x52, 0x54, 0, 1, 2, 3 } }, .iface_id = "port-1", .vm_id = "vm-1", .vm_uuid = "uuid-1" };
	struct ovs_port_request wanted = request("v0");
	struct reason why = { 0 };
	struct ovs_port port;

	for (unsigned int vlan = 20; vlan < 1020; vlan++)
		port_settings_add_trunk(&settings, vlan);
	wanted.settings = &settings;
	must(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), &why);
	port = look(ovs, "v0");
	CHECK_INT(port.settings.trunks, 1000);
	CHECK(port_settings_equal(&port.settings, &settings));
	CHECK_INT(vsctl(&real, "set Interface v0 external_ids:iface-id=a/b external_ids:vm-uuid=%070d", 7), 0);
	port = look(ovs, "v0");
	CHECK_STR(port.settings.iface_id, "");
	CHECK_STR(port.settings.vm_uuid, "");
	settings = (struct port_settings){ 0 };
	port_settings_add_trunk(&settings, 4000);
	must(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), &why);
	port = look(ovs, "v0");
	CHECK(!port.settings.has_tag && port.settings.trunks == 1 && port_settings_has_trunk(&port.settings, 4000));
	CHECK_STR(port.settings.vlan_mode, "");
	CHECK_INT(port.settings.ingress_rate, 0);
	CHECK_STR(port.settings.vm_id, GUEST);
	wanted.settings = NULL;
	must(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), &why);
	CHECK_INT(look(ovs, "v0").settings.trunks, 1);
}

/* Return: the number of rows of a table. */
static size_t count_rows(struct ovs *ovs, const char *table)
{
	static const char *const columns[] = { "_uuid", NULL };
	autotransaction struct transaction t;
	struct reason why = { 0 };

	transaction_begin(&t);
	transaction_add(&t, op_select(table, NULL, columns));
	must(transaction_run(ovs->db, &t, deadline_in(20000), &why), &why);
	return json_object_array_length(transaction_rows(&t, 0));
}

TEST(the_egress_qos_of_its_port_is_made_changed_and_goes_with_it_and_somebody_elses_stays)
{
	autoovs struct ovs *ovs = (need_ovs(), connect_to(&real));
	struct port_settings settings = { .qos = "linux-hfsc 0:min-rate=5,max-rate=10 3:" };
	struct ovs_port_request wanted = request("v0");
	struct reason why = { 0 };

	CHECK_INT(vsctl(&real, "create QoS type=linux-htb queues:1=@q -- --id=@q create Queue other_config:max-rate=7"), 0);
	wanted.settings = &settings;
	must(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), &why);
	CHECK_STR(look(ovs, "v0").settings.qos, settings.qos);
	CHECK_INT(count_rows(ovs, "QoS"), 2);
	CHECK_INT(count_rows(ovs, "Queue"), 3);
	settings = (struct port_settings){ .qos = "linux-htb max-rate=12" };
	must(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), &why);
	CHECK_STR(look(ovs, "v0").settings.qos, settings.qos);
	CHECK_INT(count_rows(ovs, "Queue"), 1);
	/* What cannot be carried whole is not carried. */
	CHECK_INT(vsctl(&real, "-- set Port v0 qos=@n -- --id=@n create QoS type=linux-htb other_config:max-rate=7 other_config:x=y"), 0);
	CHECK_STR(look(ovs, "v0").settings.qos, "");
	must(ovs_del_port(ovs, "v0", deadline_in(20000), &why), &why);
	CHECK_INT(count_rows(ovs, "QoS"), 2);
	CHECK_INT(count_rows(ovs, "Queue"), 1);
	must(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), &why);
	CHECK_INT(count_rows(ovs, "QoS"), 3);
	must(ovs_del_port(ovs, "v0", deadline_in(20000), &why), &why);
	CHECK_INT(count_rows(ovs, "QoS"), 2);
	CHECK_INT(vsctl(&real, "--all destroy QoS -- --all destroy Queue"), 0);
}

TEST(tells_of_what_somebody_sets_on_a_port_and_of_nothing_else)
{
	autoovs struct ovs *ovs = (need_ovs(), connect_to(&real)), *watch = NULL;
	struct ovs_port_request wanted = request("v0");
	struct reason why = { 0 };
	bool some = true;

	must(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), &why);
	must(ovs_watch_open(&watch, real.socket, deadline_in(20000), &why), &why);
	must(ovs_watch_take(watch, &some, &why), &why);
	CHECK(!some);
	CHECK_INT(vsctl(&real, "set Bridge br0 external_ids:x=y"), 0);
	CHECK_INT(vsctl(&real, "set Port v0 tag=77"), 0);
	for (int i = 0; i < 1000 && !some; i++) {
		must(ovs_watch_take(watch, &some, &why), &why);
		usleep(10000);
	}
	CHECK(some);
	must(ovs_watch_take(watch, &some, &why), &why);
	CHECK(!some);
}

/* Runs "ip link" with three more words. */
static void ip_link(const char *one, const char *two, const char *three)
{
	CHECK_INT(run(&real, (char *[]){ (char[]){ "ip" }, (char[]){ "link" }, strdupa(one), strdupa(two), strdupa(three), NULL }), 0);
}

/* Receives until the RARP of a MAC comes. Return: the VLAN that it carries, -1 if it carries none. */
static int receive_rarp(int fd, const struct mac_address *mac)
{
	union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))]; } control;
	uint8_t frame[2048];

	for (;;) {
		struct iovec part = { frame, sizeof(frame) };
		struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
		struct tpacket_auxdata extra = { 0 };

		if (recvmsg(fd, &message, 0) < 0)
			FAIL("no RARP came: %s", strerror(errno));
		if (memcmp(frame + 6, mac->octet, 6) || memcmp(frame + 12, "\x80\x35", 2))
			continue;
		CHECK(CMSG_FIRSTHDR(&message));
		memcpy(&extra, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(extra));
		return extra.tp_status & TP_STATUS_VLAN_VALID ? extra.tp_vlan_tci & 0xfff : -1;
	}
}

TEST(a_guest_is_announced_through_the_bridge_with_the_vlan_of_its_port)
{
	autoovs struct ovs *ovs = (need_ovs(), connect_to(&real));
	const struct mac_address mac = { { 0x52, 0x54, 0, 0xaa, 0xbb, 0xcc } };
	struct ovs_port_request wanted = request("v0");
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	autoclose int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	struct timeval patience = { .tv_sec = 20 };
	struct reason why = { 0 };

	CHECK_INT(run(&real, (char *[]){ (char[]){ "ip" }, (char[]){ "link" }, (char[]){ "add" }, (char[]){ "u0" }, (char[]){ "type" },
					 (char[]){ "veth" }, (char[]){ "peer" }, (char[]){ "u1" }, NULL }), 0);
	ip_link("set", "u0", "up");
	ip_link("set", "u1", "up");
	ip_link("set", "v0", "up");
	CHECK_INT(vsctl(&real, "add-port br0 u0"), 0);
	wanted.tag = 42;
	must(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), &why);
	at.sll_ifindex = (int)if_nametoindex("u1");
	CHECK(fd >= 0 && at.sll_ifindex && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	CHECK_INT(setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &(int){ 1 }, sizeof(int)), 0);
	CHECK_INT(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	must(announce_through_bridge(real.socket, "br0", (uint32_t)look(ovs, "v0").ofport, &mac, deadline_in(20000), &why), &why);
	CHECK_INT(receive_rarp(fd, &mac), 42);
	CHECK_INT(vsctl(&real, "set Bridge br0 protocols=OpenFlow13"), 0);
	must(announce_through_bridge(real.socket, "br0", (uint32_t)look(ovs, "v0").ofport, &mac, deadline_in(20000), &why), &why);
	CHECK_INT(receive_rarp(fd, &mac), 42);
	must(announce_from(if_nametoindex("u0"), &mac, &why), &why);
	CHECK_INT(receive_rarp(fd, &mac), -1);
	CHECK_INT(announce_from(999999, &mac, &why), -ENXIO);
	CHECK_INT(vsctl(&real, "clear Bridge br0 protocols -- del-port u0"), 0);
}

TEST(a_port_in_another_bridge_is_refused_with_its_name)
{
	autoovs struct ovs *ovs = (need_ovs(), connect_to(&real));
	struct ovs_port_request wanted = request("v1");
	struct reason why = { 0 };

	CHECK_INT(vsctl(&real, "--may-exist add-port br1 v1"), 0);
	CHECK_INT(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), -EEXIST);
	CHECK_STR(why.object, "v1");
	CHECK_CONTAINS(why.what, "in Open vSwitch bridge br1 already");
	CHECK_CONTAINS(why.cure, "somebody else put it there");
}

TEST(somebody_elses_port_is_taken_as_it_is_and_never_removed)
{
	autoovs struct ovs *ovs = (need_ovs(), connect_to(&real));
	struct ovs_port_request wanted = request("v1");
	struct reason why = { 0 };

	CHECK_INT(vsctl(&real, "--may-exist add-port br1 v1"), 0);
	wanted.bridge = "br1";
	must(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), &why);
	CHECK(!look(ovs, "v1").ours);
	CHECK_INT(ovs_del_port(ovs, "v1", deadline_in(20000), &why), -EPERM);
	CHECK_CONTAINS(why.what, "was not made by vferry");
	CHECK_STR(look(ovs, "v1").bridge, "br1");
	wanted.tag = 9;
	CHECK_INT(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), -EEXIST);
	CHECK_CONTAINS(why.what, "no VLAN tag instead of VLAN tag 9");
}

TEST(a_netdev_that_is_not_there_is_refused_in_open_vswitchs_words_and_taken_out_again)
{
	autoovs struct ovs *ovs = (need_ovs(), connect_to(&real));
	struct ovs_port_request wanted = request("nosuch0");
	struct reason why = { 0 };

	CHECK_INT(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), -EIO);
	CHECK_STR(why.object, "nosuch0");
	CHECK_CONTAINS(why.what, "No such device");
	CHECK_STR(look(ovs, "nosuch0").bridge, "");
}

TEST(a_bridge_that_is_not_there_is_refused)
{
	autoovs struct ovs *ovs = (need_ovs(), connect_to(&real));
	struct ovs_port_request wanted = request("v9");
	struct reason why = { 0 };

	wanted.bridge = "br-none";
	CHECK_INT(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), -ENOENT);
	CHECK_STR(why.object, "br-none");
	CHECK_CONTAINS(why.cure, "ovs-vsctl add-br br-none");
}

TEST(names_and_tags_that_cannot_be_are_refused)
{
	autoovs struct ovs *ovs = (need_ovs(), connect_to(&real));
	struct ovs_port_request wanted = request("sixteen-letters-");
	struct reason why = { 0 };

	CHECK_INT(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), -EINVAL);
	wanted = request("");
	CHECK_INT(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), -EINVAL);
	wanted = request("v0");
	wanted.tag = 4096;
	CHECK_INT(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), -EINVAL);
	CHECK_CONTAINS(why.what, "4096");
}

TEST(our_port_whose_netdev_came_back_is_made_anew)
{
	autoovs struct ovs *ovs = (need_ovs(), connect_to(&dummy));
	struct ovs_port_request wanted = request("sick0");
	struct reason why = { 0 };

	/* A port of ours with an error that will not go away by itself: an interface of a type that does not exist. */
	CHECK_INT(vsctl(&dummy, "--may-exist add-br br0"), 0);
	CHECK_INT(vsctl(&dummy, "add-port br0 sick0 -- set Interface sick0 type=nonsense"), 0);
	CHECK_INT(vsctl(&dummy, "set Port sick0 external_ids:vferry-owner=vferry"), 0);
	CHECK(look(ovs, "sick0").ofport <= 0);
	must(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), &why);
	CHECK(look(ovs, "sick0").ofport > 0);
	must(ovs_del_port(ovs, "sick0", deadline_in(20000), &why), &why);
}

TEST(removes_its_port_and_once_more)
{
	autoovs struct ovs *ovs = (need_ovs(), connect_to(&real));
	struct ovs_port_request wanted = request("v0");
	struct reason why = { 0 };

	must(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), &why);
	must(ovs_del_port(ovs, "v0", deadline_in(20000), &why), &why);
	CHECK_STR(look(ovs, "v0").bridge, "");
	must(ovs_del_port(ovs, "v0", deadline_in(20000), &why), &why);
}

TEST(adds_a_bridge_uses_it_and_removes_it_with_its_ports)
{
	autoovs struct ovs *ovs = (need_ovs(), connect_to(&dummy));
	struct ovs_port_request wanted = request("p0");
	struct reason why = { 0 };

	wanted.bridge = "br-vferry";
	must(ovs_add_bridge(ovs, "br-vferry", deadline_in(20000), &why), &why);
	must(ovs_add_bridge(ovs, "br-vferry", deadline_in(20000), &why), &why);
	must(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), &why);
	CHECK_INT(look(ovs, "br-vferry").ofport, 65534);
	CHECK(look(ovs, "br-vferry").ours);
	must(ovs_del_bridge(ovs, "br-vferry", deadline_in(20000), &why), &why);
	CHECK_STR(look(ovs, "p0").bridge, "");
	must(ovs_del_bridge(ovs, "br-vferry", deadline_in(20000), &why), &why);
}

TEST(somebody_elses_bridge_is_used_and_never_removed)
{
	autoovs struct ovs *ovs = (need_ovs(), connect_to(&real));
	struct reason why = { 0 };

	must(ovs_add_bridge(ovs, "br1", deadline_in(20000), &why), &why);
	CHECK_INT(ovs_del_bridge(ovs, "br1", deadline_in(20000), &why), -EPERM);
	CHECK_CONTAINS(why.what, "was not made by vferry");
}

TEST(a_bridge_works_or_is_gone_again)
{
	autoovs struct ovs *ovs = (need_ovs(), connect_to(&real));
	struct reason why = { 0 };
	int error = ovs_add_bridge(ovs, "br-system", deadline_in(20000), &why);

	/* The kernel's datapath is there or not, as the machine has it. */
	if (error) {
		CHECK_INT(error, -EIO);
		CHECK_CONTAINS(why.cure, "modprobe openvswitch");
		CHECK_STR(look(ovs, "br-system").bridge, "");
	} else {
		CHECK_INT(look(ovs, "br-system").ofport, 65534);
		must(ovs_del_bridge(ovs, "br-system", deadline_in(20000), &why), &why);
	}
}

TEST(sets_changes_and_removes_an_option)
{
	autoovs struct ovs *ovs = (need_ovs(), connect_to(&dummy));
	struct ovs_state state = { 0 };
	struct reason why = { 0 };

	must(ovs_set_option(ovs, "max-idle", "20000", deadline_in(20000), &why), &why);
	must(ovs_set_option(ovs, "max-idle", "300000", deadline_in(20000), &why), &why);
	must(ovs_set_option(ovs, "max-idle", "300000", deadline_in(20000), &why), &why);
	must(ovs_read(ovs, &state, deadline_in(5000), &why), &why);
	CHECK_INT(state.max_idle, 300000);
	ovs_state_release(&state);
	must(ovs_set_option(ovs, "max-idle", NULL, deadline_in(20000), &why), &why);
	must(ovs_set_option(ovs, "max-idle", NULL, deadline_in(20000), &why), &why);
	must(ovs_read(ovs, &state, deadline_in(5000), &why), &why);
	CHECK_INT(state.max_idle, -1);
	CHECK(!state.hw_offload);
	ovs_state_release(&state);
}

TEST(two_that_add_the_same_port_at_once_both_succeed)
{
	struct ovs_port_request wanted = request("v0");
	struct reason why = { 0 };
	int status = 0, failed = 0;

	need_ovs();
	for (int i = 0; i < 4; i++) {
		if (fork() == 0) {
			struct ovs *ovs = NULL;
			int error = ovs_open(&ovs, real.socket, deadline_in(20000), NULL);

			_exit(error || ovs_add_port(ovs, &wanted, deadline_in(20000), NULL) ? 1 : 0);
		}
	}
	for (int i = 0; i < 4; i++) {
		wait(&status);
		failed += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	}
	CHECK_INT(failed, 0);
	{
		autoovs struct ovs *ovs = connect_to(&real);

		CHECK(look(ovs, "v0").ofport > 0);
		must(ovs_del_port(ovs, "v0", deadline_in(20000), &why), &why);
	}
}

TEST(those_who_remove_the_same_port_at_once_all_succeed)
{
	struct reason why = { 0 };

	need_ovs();
	for (int round = 0; round < 10; round++) {
		struct ovs_port_request wanted = request("v0");
		int failed = 0, gate[2];

		{
			autoovs struct ovs *ovs = connect_to(&real);

			must(ovs_add_port(ovs, &wanted, deadline_in(20000), &why), &why);
		}
		CHECK_INT(pipe(gate), 0);
		for (int i = 0; i < 6; i++) {
			if (fork() == 0) {
				struct ovs *ovs = NULL;
				char go;
				int error = ovs_open(&ovs, real.socket, deadline_in(20000), NULL);

				close(gate[1]);
				(void)!read(gate[0], &go, 1); /* until all are there */
				_exit(error || ovs_del_port(ovs, "v0", deadline_in(20000), NULL) ? 1 : 0);
			}
		}
		close(gate[0]);
		close(gate[1]);
		for (int i = 0; i < 6; i++) {
			int status = 0;

			wait(&status);
			failed += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
		}
		CHECK_INT(failed, 0);
	}
}

TEST(a_daemon_that_hangs_costs_the_deadline_and_leaves_no_port)
{
	autoovs struct ovs *ovs = (need_ovs(), connect_to(&real));
	struct ovs_port_request wanted = request("v0");
	struct reason why = { 0 };
	int64_t begin = clock_ms();
	int error;

	kill(real.daemon, SIGSTOP);
	error = ovs_add_port(ovs, &wanted, deadline_in(1000), &why);
	kill(real.daemon, SIGCONT);
	CHECK_INT(error, -ETIME);
	CHECK(clock_ms() - begin < 3000);
	CHECK_CONTAINS(why.what, "ovs-vswitchd did not apply it");
	CHECK_STR(look(ovs, "v0").bridge, "");
}

TEST(a_database_that_hangs_costs_the_deadline)
{
	autoovs struct ovs *ovs = (need_ovs(), connect_to(&real));
	struct ovs_state state = { 0 };
	struct reason why = { 0 };
	int64_t begin = clock_ms();
	int error;

	kill(real.server, SIGSTOP);
	error = ovs_read(ovs, &state, deadline_in(300), &why);
	kill(real.server, SIGCONT);
	CHECK_INT(error, -ETIME);
	CHECK(clock_ms() - begin < 3000);
	must(ovs_read(ovs, &state, deadline_in(5000), &why), &why); /* the late answer to the first question is passed over */
	ovs_state_release(&state);
}

TEST(a_database_that_dies_is_a_sentence)
{
	autoovs struct ovs *ovs = (need_ovs(), connect_to(&dummy));
	struct ovs_state state = { 0 };
	struct reason why = { 0 };

	end_process(&dummy.daemon);
	end_process(&dummy.server);
	CHECK_INT(ovs_read(ovs, &state, deadline_in(3000), &why), -ECONNRESET);
	ovs_close(&ovs);
	CHECK_INT(ovs_open(&ovs, dummy.socket, deadline_in(1000), &why), -ECONNREFUSED);
	CHECK_CONTAINS(why.cure, "systemctl start openvswitch");
}
