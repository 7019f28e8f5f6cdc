/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The frame that announces a guest, and the OpenFlow message that carries it: byte for byte. */
#include "check.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "host/announce.h"
#include "switch/openflow.h"

static const struct mac_address mac = {{0x52, 0x54, 0, 0x12, 0x34, 0x56}};

/* Returns bytes as hexadecimal text (static). */
static const char *hex(const uint8_t *data, size_t len)
{
	static char text[2 * OPENFLOW_MESSAGE_MAX + 1];

	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", data[i]);
	return text;
}

#define FRAME                                                                                    \
	"ffffffffffff5254001234568035" "0001080006040003" "525400123456" "00000000" "525400123456" \
	"00000000" "000000000000000000000000000000000000"

TEST(the_frame_is_a_rarp_request_of_the_guest_to_all)
{
	uint8_t frame[ANNOUNCE_FRAME_LEN];

	announce_frame(&mac, frame);
	CHECK_STR(hex(frame, sizeof(frame)), FRAME);
}

TEST(openflow_1_0_says_the_port_in_16_bits_and_a_barrier_follows)
{
	uint8_t out[OPENFLOW_MESSAGE_MAX];
	struct openflow_packet packet = {.in_port = 5, .data = (const uint8_t *)"\xab\xcd", .len = 2};
	int length = openflow_build(1, &packet, out);

	CHECK_INT(length, 26 + 8);
	CHECK_STR(hex(out, (size_t)length), "010d001a00000001" "ffffffff" "0005" "0008" "00000008fff90000" "abcd" "0112000800000002");
}

TEST(openflow_1_3_says_the_port_in_32_bits)
{
	uint8_t out[OPENFLOW_MESSAGE_MAX];
	struct openflow_packet packet = {.in_port = 5, .data = (const uint8_t *)"\xab\xcd", .len = 2};
	int length = openflow_build(4, &packet, out);

	CHECK_INT(length, 42 + 8);
	CHECK_STR(hex(out, (size_t)length),
		  "040d002a00000001" "ffffffff" "00000005" "0010" "000000000000" "00000010fffffff90000000000000000" "abcd" "0414000800000002");
}

TEST(a_version_that_is_not_spoken_and_a_packet_that_is_too_large_are_refused)
{
	uint8_t out[OPENFLOW_MESSAGE_MAX], data[OPENFLOW_PACKET_MAX + 1] = {0};
	struct openflow_packet packet = {.in_port = 5, .data = data, .len = sizeof(data)};

	CHECK_INT(openflow_build(1, &packet, out), -EMSGSIZE);
	packet.len = OPENFLOW_PACKET_MAX;
	CHECK(openflow_build(5, &packet, out) > 0);
	CHECK_INT(openflow_build(6, &packet, out), -EOPNOTSUPP);
	CHECK_INT(openflow_build(0, &packet, out), -EOPNOTSUPP);
}

/* Makes the socket of a bridge that says hello with a version, takes what comes, and answers with bytes; in a child. */
static pid_t fake_bridge(uint8_t version, const char *answer, size_t len)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), fd;
	uint8_t hello[8] = {version, 0, 0, 8}, in[512];
	pid_t child;

	snprintf(address.sun_path, sizeof(address.sun_path), "%.90s/br0.mgmt", check_scratch());
	unlink(address.sun_path);
	CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(listener, 8) == 0);
	child = fork();
	if (child) {
		close(listener);
		return child;
	}
	alarm(60);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		if (write(fd, hello, 8) != 8 || read(fd, in, 8) != 8 || read(fd, in, sizeof(in)) <= 0 || write(fd, answer, len) < 0)
			_exit(1);
		close(fd);
	}
	_exit(0);
}

/* Announces through a fake bridge. Returns what came of it. */
static int announce(uint8_t version, const char *answer, size_t len, struct reason *why)
{
	pid_t bridge = fake_bridge(version, answer, len);
	char database[PATH_MAX];
	int error;

	snprintf(database, sizeof(database), "%s/db.sock", check_scratch());
	error = announce_through_bridge(database, "br0", 5, &mac, deadline_in(30000), why);
	kill(bridge, SIGKILL);
	waitpid(bridge, NULL, 0);
	return error;
}

TEST(a_bridge_that_answers_the_barrier_has_taken_the_frame)
{
	struct reason why = {0};

	/* an echo request in between is passed over */
	if (announce(1, "\x01\x02\0\x08\0\0\0\0" "\x01\x13\0\x08\0\0\0\x02", 16, &why))
		FAIL("%s", why.what);
}

TEST(a_bridge_that_answers_with_an_error_or_closes_has_not)
{
	struct reason why = {0};

	CHECK_INT(announce(1, "\x01\x01\0\x0c\0\0\0\x01\0\x01\0\x01", 12, &why), -EPROTO);
	CHECK_STR(why.object, "br0");
	CHECK_CONTAINS(why.what, "does not send a packet through this bridge");
	CHECK_INT(announce(1, "", 0, &why), -ECONNRESET);
	CHECK_INT(announce(1, "\x01\x13\0\x02\0\0\0\x02", 8, &why), -EPROTO);
}

TEST(a_bridge_that_is_not_there_and_a_name_that_is_a_path_are_errors)
{
	char database[PATH_MAX];
	struct reason why = {0};

	snprintf(database, sizeof(database), "%s/db.sock", check_scratch());
	CHECK_INT(announce_through_bridge(database, "br1", 5, &mac, deadline_in(1000), &why), -ENOENT);
	CHECK_INT(announce_through_bridge(database, "../br1", 5, &mac, deadline_in(1000), &why), -EINVAL);
}

TEST(a_bridge_whose_daemon_takes_no_connection_costs_the_deadline)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), full = 0, filler[64];
	struct reason why = {0};
	char database[PATH_MAX];
	int64_t begin;

	snprintf(address.sun_path, sizeof(address.sun_path), "%.90s/br2.mgmt", check_scratch());
	CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(listener, 0) == 0);
	for (; full < 64; full++) { /* until its backlog is full (unix(7): EAGAIN) */
		filler[full] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(filler[full], (struct sockaddr *)&address, sizeof(address)))
			break;
	}
	CHECK(full < 64 && errno == EAGAIN);
	snprintf(database, sizeof(database), "%s/db.sock", check_scratch());
	begin = clock_ms();
	alarm(20); /* who waits without end ends here, and with him this program */
	CHECK_INT(announce_through_bridge(database, "br2", 5, &mac, deadline_in(200), &why), -ETIME);
	alarm(0);
	CHECK(clock_ms() - begin >= 200 && clock_ms() - begin < 10000);
	CHECK_STR(why.object, "br2");
	for (int i = 0; i <= full; i++)
		close(filler[i]);
	close(listener);
}

/* ---- OVN ----------------------------------------------------------------------------------------------------------------------- */

/* Runs a command of tests/unit/ovn-chassis. Return: its exit status; out: its output, a line. */
static int chassis(const char *command, const char *folder, char out[64])
{
	char line[512];
	FILE *pipe;

	snprintf(line, sizeof(line), "%.*sovn-chassis %s %s", (int)(strlen(__FILE__) - strlen("test_host_announce.c")), __FILE__, command, folder);
	pipe = popen(line, "r");
	CHECK(pipe != NULL);
	out[0] = '\0';
	while (fgets(line, sizeof(line), pipe))
		snprintf(out, 64, "%.63s", line);
	return pclose(pipe);
}

/*
 * What a cloud does at a migration (requested-chassis with two, activation-strategy=rarp): the port is bound at the destination, and stays
 * closed until a RARP frame of the guest comes by it. QEMU sends none for a VF.
 */
TEST(the_announcement_opens_a_port_that_ovn_keeps_closed)
{
	static const char *const steps[] = { "up", "move", "blocked", "port" };
	static const struct mac_address guest = {{0x52, 0x54, 0, 0x0c, 0, 0x01}};
	char folder[] = "/tmp/vferry-XXXXXX", socket[64], out[64], failed[32] = "";
	struct reason why = {0};
	int error = 0;

	if (system("command -v ovn-northd ovn-controller ovs-vswitchd >/dev/null 2>&1"))
		SKIP("OVN is not installed");
	CHECK(mkdtemp(folder) != NULL);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !*failed; i++) {
		if (chassis(steps[i], folder, out))
			snprintf(failed, sizeof(failed), "%s", steps[i]);
	}
	if (!*failed) {
		snprintf(socket, sizeof(socket), "%s/B/ovs.sock", folder);
		error = announce_through_bridge(socket, "br-int", (uint32_t)atoi(out), &guest, deadline_in(2000), &why);
		if (chassis("opened", folder, out))
			snprintf(failed, sizeof(failed), "opened");
	}
	chassis("down", folder, out);
	if (*failed || error)
		FAIL("%s: %s (%s/log)", *failed ? failed : "announcing", why.what, folder);
	snprintf(socket, sizeof(socket), "rm -rf %s", folder);
	CHECK_INT(system(socket), 0);
}
