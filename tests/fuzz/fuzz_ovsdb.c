/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_ovsdb.c: what comes out of the socket of ovsdb-server. The first byte of an input chooses what vferry does; the rest is all that the
 * server says, whatever it is asked, before it ends the connection. Where the bytes are cut in pieces must make no difference.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/scope.h"
#include "switch/ovsdb.h"

#define MESSAGES_MAX 64
#define SENT_MAX 65536 /* bytes that the socket holds, so that nobody waits */
#define BYTEWISE_MAX 512 /* longer inputs are not also cut at every byte, which takes its time */
#define TIME 5000      /* ms; never used up, since the server has said everything and closed */

static const int errors[] = { -EIO, -EPROTO, -ECONNRESET, -EMSGSIZE, -EEXIST, -EPERM, -ENOENT, -EINVAL, -EAGAIN, -EPIPE, -ETIME, 0 };

/* The messages of a stream, and how it ended. */
struct stream {
	char *message[MESSAGES_MAX];
	size_t count;
	int end; /* 0: more would be needed; negative errno */
};

/* Reads a stream in pieces of that size. */
static struct stream read_stream(const uint8_t *data, size_t size, size_t piece)
{
	struct ovsdb_parser parser = { 0 };
	struct stream stream = { .count = 0 };

	for (size_t at = 0; at < size && stream.count < MESSAGES_MAX;) {
		size_t len = size - at < piece ? size - at : piece, used = 0;
		struct json_object *message = NULL;
		int state = ovsdb_parse(&parser, (const char *)data + at, len, &used, &message);

		REQUIRE(used <= len);
		at += used;
		if (state < 0) {
			stream.end = state;
			break;
		}
		REQUIRE(state == 1 || used == len);
		if (state == 0)
			continue;
		REQUIRE(used > 0 && json_object_is_type(message, json_type_object));
		stream.message[stream.count++] = strdup(json_object_to_json_string_ext(message, JSON_C_TO_STRING_PLAIN));
		json_object_put(message);
	}
	ovsdb_parser_release(&parser);
	return stream;
}

/*
 * Demands that a stream in pieces of that size is what it was in one piece. What is wrong in one piece may be taken in several: json-c 0.16
 * refuses a number such as "0-" only if it sees both characters at once. The messages before it must be the same.
 * json-c before 0.15 reads a character beyond 16 bits, written as two escapes, otherwise when it is cut between them: one that is shown, and
 * nothing else of vferry's depends on it. There only the number of messages is compared.
 */
static void check_pieces(const uint8_t *data, size_t size, size_t piece)
{
	struct stream whole = read_stream(data, size, size), cut = read_stream(data, size, piece);

	REQUIRE(whole.end ? cut.count >= whole.count : cut.count == whole.count && cut.end == 0);
	for (size_t i = 0; i < cut.count; i++) {
		if (i < whole.count) {
			REQUIRE(json_c_version_num() < (15 << 8) || strcmp(whole.message[i], cut.message[i]) == 0);
			free(whole.message[i]);
		}
		free(cut.message[i]);
	}
}

/* Listens at /db.sock of the scratch directory. Returns the socket, kept for all inputs. */
static int listener(void)
{
	static int fd = -1;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *root = fuzz_root();

	if (fd >= 0)
		return fd;
	REQUIRE((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s/db.sock", root) < sizeof(address.sun_path));
	unlink(address.sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	REQUIRE(fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 8) == 0);
	return fd;
}

/* Does what an operator's command would. Return: its result. */
static int act(struct ovs *ovs, uint8_t choice, struct reason *why)
{
	const struct ovs_port_request request = {
		.bridge = "br0", .port = "rep0", .guest = "9e0c7f57-b8d6-4b29-8c3e-20d1f7a65b44", .vf = "0000:81:00.2",
		.mac = "52:54:00:12:34:56", .name = "g", .tag = choice & 8 ? 42 : -1, .transient = true,
	};
	struct ovs_state state = { 0 };
	int error;

	switch (choice & 7) {
	case 1:
		return ovs_add_port(ovs, &request, deadline_in(TIME), why);
	case 2:
		return ovs_del_port(ovs, "rep0", deadline_in(TIME), why);
	case 3:
		return ovs_add_bridge(ovs, "br0", deadline_in(TIME), why);
	case 4:
		return ovs_del_bridge(ovs, "br0", deadline_in(TIME), why);
	case 5:
		return ovs_set_option(ovs, "max-idle", choice & 8 ? "300000" : NULL, deadline_in(TIME), why);
	default:
		error = ovs_read(ovs, &state, deadline_in(TIME), why);
		ovs_state_release(&state);
		return error;
	}
}

/* Talks to a server that says this. */
static void check_talk(uint8_t choice, const uint8_t *data, size_t size)
{
	int waiting = listener(), error;
	autoclose int server = -1;
	struct reason why = { 0 };
	struct ovs *ovs = NULL;

	REQUIRE(ovs_open(&ovs, "/db.sock", deadline_in(TIME), &why) == 0);
	server = accept4(waiting, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	REQUIRE(server >= 0);
	if (size)
		(void)!send(server, data, size < SENT_MAX ? size : SENT_MAX, MSG_NOSIGNAL);
	shutdown(server, SHUT_WR);
	error = act(ovs, choice, &why);
	if (error)
		fuzz_check_reason(error, errors, &why);
	ovs_close(&ovs);
}

/* One input: a choice and a stream. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (size <= BYTEWISE_MAX)
		check_pieces(data + 1, size - 1, 1);
	check_pieces(data + 1, size - 1, 1 + data[0] % 31);
	check_talk(data[0], data + 1, size - 1);
	return 0;
}
