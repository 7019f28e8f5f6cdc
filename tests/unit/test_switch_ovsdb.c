/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_switch_ovsdb.c: the OVSDB connection against a fake server that misbehaves, and the parsers alone. The real server is in
 * test_switch_ovs.c.
 */
#include "check.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/scope.h"
#include "switch/ovs.h"
#include "switch/ovsdb.h"

/* ---- The parser ---------------------------------------------------------------------------------------------------------------- */

/* Feeds a text in pieces of a size and counts the messages. Return: their number, or the error. */
static int feed(const char *text, size_t piece)
{
	struct ovsdb_parser parser = { 0 };
	size_t len = strlen(text), at = 0;
	int messages = 0, state = 0;

	while (at < len && state >= 0) {
		struct json_object *message = NULL;
		size_t part = len - at < piece ? len - at : piece, used;

		state = ovsdb_parse(&parser, text + at, part, &used, &message);
		at += used;
		if (state == 1) {
			messages++;
			json_object_put(message);
		}
	}
	ovsdb_parser_release(&parser);
	return state < 0 ? state : messages;
}

TEST(cuts_messages_that_stand_back_to_back_at_every_piece_size)
{
	const char *text = "{\"id\":1,\"result\":[{\"a\":\"}{\"}]}{\"id\":2}\n {\"method\":\"echo\",\"params\":[],\"id\":\"e\"}";

	for (size_t piece = 1; piece <= strlen(text); piece++)
		CHECK_INT(feed(text, piece), 3);
}

TEST(half_a_message_is_no_message)
{
	CHECK_INT(feed("{\"id\":1,\"result\":[", 100), 0);
}

TEST(refuses_what_is_no_json_object)
{
	CHECK_INT(feed("HTTP/1.1 400 Bad Request\r\n", 100), -EPROTO);
	CHECK_INT(feed("[1,2]", 100), -EPROTO);
	CHECK_INT(feed("{\"id\":1}}", 100), -EPROTO);
	CHECK_INT(feed("\"text\"", 3), -EPROTO);
}

TEST(takes_a_name_beyond_ascii_at_every_piece_size)
{
	const char *text = "{\"name\":\"br-\xc3\xbc\xe2\x82\xac\"}";

	for (size_t piece = 1; piece <= strlen(text); piece++)
		CHECK_INT(feed(text, piece), 1);
}

TEST(a_broken_character_is_cleaned_where_the_text_is_shown)
{
	char shown[16];

	CHECK_INT(feed("{\"a\":\"\xff\xfe\"}", 100), 1);
	reason_clean(shown, sizeof(shown), "\xff\xfe");
	CHECK_STR(shown, "??");
}

TEST(refuses_a_message_that_is_nested_without_end)
{
	char text[4096];

	memset(text, '[', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "{\"a\":", 5);
	CHECK_INT(feed(text, 1000), -EPROTO);
}

/* ---- Values -------------------------------------------------------------------------------------------------------------------- */

TEST(reads_sets_and_values_that_stand_alone_alike)
{
	struct json_object *row = json_tokener_parse("{\"one\":7,\"set\":[\"set\",[7,8]],\"none\":[\"set\",[]],\"id\":[\"uuid\",\"u-1\"],"
						      "\"map\":[\"map\",[[\"k\",\"v\"],[\"n\",3]]],\"odd\":[\"set\"]}");

	CHECK_INT(value_count(row, "one"), 1);
	CHECK_INT(json_object_get_int(value_first(row, "one")), 7);
	CHECK_INT(value_count(row, "set"), 2);
	CHECK_INT(json_object_get_int(value_element(row, "set", 1)), 8);
	CHECK(value_element(row, "set", 2) == NULL);
	CHECK_INT(value_count(row, "none"), 0);
	CHECK(value_first(row, "none") == NULL);
	CHECK_INT(value_count(row, "id"), 1);
	CHECK_STR(value_uuid(value_first(row, "id")), "u-1");
	CHECK_STR(value_map_text(row, "map", "k"), "v");
	CHECK(value_map_text(row, "map", "n") == NULL);
	CHECK(value_map_text(row, "one", "k") == NULL);
	CHECK_STR(value_text(row, "one"), "");
	CHECK_INT(value_count(row, "absent"), 0);
	CHECK_INT(value_count(NULL, "x"), 0);
	CHECK(value_uuid(NULL) == NULL);
	json_object_put(row);
}

TEST(builds_maps_without_empty_values)
{
	struct json_object *map = json_map("a", "1", "b", "", "c", "3", NULL);

	CHECK_STR(json_object_to_json_string_ext(map, JSON_C_TO_STRING_PLAIN), "[\"map\",[[\"a\",\"1\"],[\"c\",\"3\"]]]");
	json_object_put(map);
}

/* Parses an answer given as text. Return: what ovs_state_parse() returned. */
static int parse_state(const char *text, struct ovs_state *state, struct reason *why)
{
	struct json_object *answer = json_tokener_parse(text);
	int error = ovs_state_parse(answer, state, why);

	json_object_put(answer);
	return error;
}

TEST(joins_bridges_ports_and_interfaces)
{
	autofree char *text = CHECK_DATA("data/host/ovs-state.json", NULL);
	struct ovs_state state;
	const struct ovs_port *port;

	CHECK_INT(parse_state(text, &state, NULL), 0);
	CHECK_INT(state.bridges, 2);
	CHECK_INT(state.ports, 5);
	CHECK(state.hw_offload);
	CHECK_INT(state.max_idle, 300000);
	CHECK_STR(state.version, "3.5.0");
	CHECK(ovs_find_bridge(&state, "br-ours")->ours);
	CHECK(!ovs_find_bridge(&state, "br-theirs")->ours);
	CHECK_STR(ovs_find_bridge(&state, "br-theirs")->datapath_type, "netdev");
	port = ovs_find_port(&state, "enp129s0f0r0");
	CHECK_STR(port->bridge, "br-ours");
	CHECK(port->ours);
	CHECK_STR(port->guest, "8d1e34b0-1111-2222-3333-444455556666");
	CHECK_STR(port->vf, "0000:81:00.2");
	CHECK_INT(port->tag, 42);
	CHECK_INT(port->ofport, 3);
	CHECK_INT(port->members, 0);
	port = ovs_find_port(&state, "gone0");
	CHECK_INT(port->ofport, -1);
	CHECK_CONTAINS(port->error, "No such device");
	ovs_state_release(&state);
}

TEST(finds_the_bond_that_a_netdev_is_in)
{
	autofree char *text = CHECK_DATA("data/host/ovs-state.json", NULL);
	struct ovs_state state;

	CHECK_INT(parse_state(text, &state, NULL), 0);
	CHECK_STR(ovs_find_interface(&state, "enp130s0f1np1")->name, "bond0");
	CHECK_INT(ovs_find_interface(&state, "enp130s0f1np1")->members, 2);
	CHECK(ovs_find_interface(&state, "bond0") == NULL); /* the name of the port, not of a netdev */
	CHECK(ovs_find_port(&state, "enp130s0f1np1") == NULL);
	CHECK_STR(ovs_find_interface(&state, "enp129s0f0r0")->name, "enp129s0f0r0");
	ovs_state_release(&state);
}

TEST(an_answer_of_wrong_types_is_an_empty_state_or_refused)
{
	struct ovs_state state;
	struct reason why = { 0 };

	CHECK_INT(parse_state("[]", &state, &why), -EPROTO);
	CHECK_INT(parse_state("{}", &state, &why), -EPROTO);
	CHECK_INT(parse_state("[{\"rows\":[]},{\"rows\":1},{\"rows\":[]},{\"rows\":[]}]", &state, &why), -EPROTO);
	CHECK_CONTAINS(why.what, "an answer without rows");
	CHECK_INT(parse_state("[{\"rows\":[3]},{\"rows\":[null,{\"ports\":[\"set\",[1,[\"uuid\",\"x\"]]]}]},"
			      "{\"rows\":[[],{\"_uuid\":[\"uuid\",\"x\"],\"interfaces\":[\"uuid\",\"y\"],\"name\":[]}]},{\"rows\":[{}]}]",
			      &state, &why), 0);
	CHECK_INT(state.bridges, 2);
	CHECK_INT(state.ports, 1);
	ovs_state_release(&state);
}

/* ---- A fake server ------------------------------------------------------------------------------------------------------------- */

static pid_t fake;

/* Ends the fake server of the last test. */
static void end_fake(void)
{
	if (fake > 0) {
		kill(fake, SIGKILL);
		waitpid(fake, NULL, 0);
	}
	fake = 0;
}

/* Starts a fake server that serves one connection with serve(fd). Return: the socket's path. */
static const char *start_fake(void (*serve)(int fd))
{
	static struct sockaddr_un address;
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sun_family = AF_UNIX;
	snprintf(address.sun_path, sizeof(address.sun_path), "%.90s/db.sock", check_scratch());
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 5) < 0)
		FAIL("no socket %s: %s", address.sun_path, strerror(errno));
	end_fake();
	fake = fork();
	if (fake == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(accept(listener, NULL, NULL));
		_exit(0);
	}
	close(listener);
	return address.sun_path;
}

/* Reads whatever the client says, once. */
static void read_some(int fd)
{
	char buffer[65536];

	if (read(fd, buffer, sizeof(buffer)) < 0)
		_exit(1);
}

/* Writes a text. */
static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		_exit(1);
}

/* Reads the state from a fake server. Return: what failed, or 0; *ms is the time that it took. */
static int read_fake(void (*serve)(int fd), int timeout, int *ms, struct reason *why)
{
	autoovs struct ovs *ovs = NULL;
	struct ovs_state state = { 0 };
	int64_t begin = clock_ms();
	int error = ovs_open(&ovs, start_fake(serve), deadline_in(timeout), why);

	if (!error)
		error = ovs_read(ovs, &state, deadline_in(timeout), why);
	*ms = (int)(clock_ms() - begin);
	ovs_state_release(&state);
	end_fake();
	return error;
}

/* Says nothing. */
static void serve_silence(int fd)
{
	read_some(fd);
	pause();
}

TEST(a_silent_server_costs_the_deadline_and_no_more)
{
	struct reason why = { 0 };
	int ms;

	CHECK_INT(read_fake(serve_silence, 200, &ms, &why), -ETIME);
	CHECK(ms >= 190 && ms < 5000);
	CHECK_CONTAINS(why.what, "did not answer in time");
	CHECK_CONTAINS(why.cure, "systemctl status");
}

/* Speaks another protocol. */
static void serve_nonsense(int fd)
{
	read_some(fd);
	say(fd, "HTTP/1.1 400 Bad Request\r\n\r\n");
	pause();
}

TEST(a_server_of_another_protocol_is_refused)
{
	struct reason why = { 0 };
	int ms;

	CHECK_INT(read_fake(serve_nonsense, 3000, &ms, &why), -EPROTO);
	CHECK_CONTAINS(why.what, "does not speak OVSDB");
}

/* Closes the connection instead of answering. */
static void serve_end(int fd)
{
	read_some(fd);
	say(fd, "{\"id\":1,");
	close(fd);
}

TEST(a_server_that_goes_away_is_a_sentence)
{
	struct reason why = { 0 };
	int ms;

	CHECK_INT(read_fake(serve_end, 3000, &ms, &why), -ECONNRESET);
	CHECK_CONTAINS(why.what, "ended the connection");
}

/* Talks without end, a byte at a time. */
static void serve_slowly(int fd)
{
	read_some(fd);
	say(fd, "{\"id\":1,\"result\":\"");
	for (;;) {
		say(fd, "x");
		usleep(1000);
	}
}

TEST(a_server_that_talks_slowly_without_end_costs_the_deadline)
{
	struct reason why = { 0 };
	int ms;

	CHECK_INT(read_fake(serve_slowly, 200, &ms, &why), -ETIME);
	CHECK(ms < 5000);
}

/* Sends a message of more than 64 MiB. */
static void serve_too_much(int fd)
{
	static char much[1 << 20];

	memset(much, ' ', sizeof(much) - 1);
	read_some(fd);
	say(fd, "{");
	for (int i = 0; i < 80; i++)
		say(fd, much);
	pause();
}

TEST(a_message_larger_than_64_mib_is_refused)
{
	struct reason why = { 0 };
	int ms;

	CHECK_INT(read_fake(serve_too_much, 60000, &ms, &why), -EMSGSIZE);
	CHECK_CONTAINS(why.what, "larger than 64 MiB");
}

/* Asks whether we live before it answers, and answers a call of long ago first. */
static void serve_echo(int fd)
{
	static const char wanted[] = "{\"id\":\"are-you-there\",\"result\":[\"x\"],\"error\":null}";
	char reply[256] = "";

	read_some(fd);
	say(fd, "{\"method\":\"echo\",\"params\":[\"x\"],\"id\":\"are-you-there\"}{\"method\":\"update\",\"params\":[],\"id\":null}");
	if (read(fd, reply, sizeof(reply) - 1) < 0 || strcmp(reply, wanted) != 0)
		say(fd, "wrong reply to echo");
	say(fd, "{\"id\":99,\"result\":[],\"error\":null}");
	say(fd, "{\"id\":1,\"error\":null,\"result\":[{\"rows\":[]},{\"rows\":[]},{\"rows\":[]},{\"rows\":[]},"
	    "{\"rows\":[]},{\"rows\":[]}]}");
	pause();
}

TEST(answers_the_servers_echo_while_it_waits)
{
	struct reason why = { 0 };
	int ms, error = read_fake(serve_echo, 3000, &ms, &why);

	if (error)
		FAIL("%s", why.what);
}

/* Refuses the call as such. */
static void serve_refusal(int fd)
{
	read_some(fd);
	say(fd, "{\"id\":1,\"result\":null,\"error\":{\"error\":\"unknown database\",\"details\":\"\\u001b[31m\"}}");
	pause();
}

TEST(a_refusal_is_shown_in_the_servers_words_without_escapes)
{
	struct reason why = { 0 };
	int ms;

	CHECK_INT(read_fake(serve_refusal, 3000, &ms, &why), -EIO);
	CHECK_CONTAINS(why.what, "unknown database");
	CHECK(strchr(why.what, '\x1b') == NULL);
}

/* Answers with fewer results than questions. */
static void serve_too_little(int fd)
{
	read_some(fd);
	say(fd, "{\"id\":1,\"error\":null,\"result\":[{}]}");
	pause();
}

TEST(an_answer_with_too_few_results_is_refused)
{
	struct reason why = { 0 };
	int ms;

	CHECK_INT(read_fake(serve_too_little, 3000, &ms, &why), -EPROTO);
	CHECK_CONTAINS(why.what, "none to the question");
}

TEST(after_a_broken_stream_every_call_says_so)
{
	autoovs struct ovs *ovs = NULL;
	struct ovs_state state = { 0 };
	struct reason why = { 0 };

	CHECK_INT(ovs_open(&ovs, start_fake(serve_nonsense), deadline_in(3000), &why), 0);
	CHECK_INT(ovs_read(ovs, &state, deadline_in(3000), &why), -EPROTO);
	CHECK_INT(ovs_read(ovs, &state, deadline_in(3000), &why), -EPIPE);
	CHECK_CONTAINS(why.what, "was lost before");
	end_fake();
}

/* ---- No server ----------------------------------------------------------------------------------------------------------------- */

TEST(no_socket_means_that_open_vswitch_does_not_run)
{
	autoovs struct ovs *ovs = NULL;
	struct reason why = { 0 };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/none.sock", check_scratch());
	CHECK_INT(ovs_open(&ovs, path, deadline_in(1000), &why), -ENOENT);
	CHECK_STR(why.object, "Open vSwitch");
	CHECK_CONTAINS(why.what, "does not run (there is no ");
	CHECK_CONTAINS(why.cure, "openvswitch-switch");
}

TEST(a_socket_that_nobody_listens_at_means_that_open_vswitch_does_not_run)
{
	autoovs struct ovs *ovs = NULL;
	struct reason why = { 0 };
	const char *path = start_fake(serve_silence);

	end_fake();
	CHECK_INT(ovs_open(&ovs, path, deadline_in(1000), &why), -ECONNREFUSED);
	CHECK_CONTAINS(why.what, "nobody listens at");
}
