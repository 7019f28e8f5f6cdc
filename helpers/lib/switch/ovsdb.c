/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ovsdb.c: the connection to ovsdb-server: JSON-RPC 1.0 over its Unix socket, as RFC 7047 has it.
 *
 * Theory of operation: messages are JSON objects back to back without framing, so bytes go into an incremental parser until an object is
 * whole. Requests are numbered; a reply with another number (of a call that gave up) is dropped, a request of the server ("echo", its
 * test of whether we live) is answered while we wait. The socket never blocks: every wait is a poll() with what is left of the deadline.
 * After an error of the stream the connection is useless, and every later call says so.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* SOCK_NONBLOCK */
#endif

#include "switch/ovsdb.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/scope.h"
#include "switch/local.h"

#define JSON_DEPTH 32
#define BUFFER_SIZE 65536
#define LISTEN_MS 1000 /* for an answer to the server's request */
#define MORE_MS 5      /* within which more must come, or nothing is left */

struct ovsdb {
	int fd;
	bool broken;
	char socket[108];
	int64_t calls; /* number of the last request */
	struct ovsdb_parser parser;
	char buffer[BUFFER_SIZE];
	size_t begin, end; /* unread bytes in the buffer */
};

/* ---- Messages ------------------------------------------------------------------------------------------------------------------ */

/*
 * Makes the parser ready for the next message. Return: 0, -ENOMEM.
 * json-c's own check of UTF-8 stays off: it takes a character that is cut by the end of a read for a broken one (json_tokener_parse_ex()
 * counts its bytes anew at each call). Texts are cleaned where they are shown. Its strict mode stays off too: that of json-c 0.18 takes
 * every byte beyond ASCII for a control character (its issue 875), and a bridge may be called anything. Outside that mode json-c leaves
 * alone what comes behind a message: it is the next one's.
 */
static int parser_begin(struct ovsdb_parser *parser)
{
	if (parser->tokener)
		json_tokener_reset(parser->tokener);
	else
		parser->tokener = json_tokener_new_ex(JSON_DEPTH);
	parser->bytes = 0;
	return parser->tokener ? 0 : -ENOMEM;
}

/* Cuts bytes into messages; see the header. data, len: what came; len is at most INT_MAX. */
int ovsdb_parse(struct ovsdb_parser *parser, const char *data, size_t len, size_t *used, struct json_object **message)
{
	enum json_tokener_error state;
	struct json_object *parsed;

	*used = 0;
	if (len == 0)
		return 0;
	if ((!parser->tokener || parser->bytes == 0) && parser_begin(parser) < 0)
		return -ENOMEM;
	parsed = json_tokener_parse_ex(parser->tokener, data, (int)len);
	state = json_tokener_get_error(parser->tokener);
	*used = json_tokener_get_parse_end(parser->tokener);
	parser->bytes += *used;
	if (parser->bytes > OVSDB_MESSAGE_MAX) {
		json_object_put(parsed);
		return -EMSGSIZE;
	}
	if (state == json_tokener_continue)
		return 0;
	parser->bytes = 0;
	if (state != json_tokener_success || !json_object_is_type(parsed, json_type_object)) {
		json_object_put(parsed);
		return -EPROTO;
	}
	*message = parsed;
	return 1;
}

/* Frees what the parser holds; harmless on a zeroed struct. */
void ovsdb_parser_release(struct ovsdb_parser *parser)
{
	if (parser->tokener)
		json_tokener_free(parser->tokener);
	memset(parser, 0, sizeof(*parser));
}

/* ---- Connection ---------------------------------------------------------------------------------------------------------------- */

/* Explains why there is no connection. Return: error. */
static int explain_connect(int error, const char *socket, struct reason *why)
{
	const char *start = "start it on this host with: systemctl start openvswitch (Debian, Ubuntu: openvswitch-switch)";

	switch (error) {
	case -ENOENT:
		reason_set(why, error, "Open vSwitch", "it does not run (there is no %s)", socket);
		reason_cure(why, "%s", start);
		break;
	case -ECONNREFUSED:
		reason_set(why, error, "Open vSwitch", "it does not run (nobody listens at %s)", socket);
		reason_cure(why, "%s", start);
		break;
	case -EACCES:
	case -EPERM:
		reason_set(why, error, "Open vSwitch", "its database %s may not be opened", socket);
		reason_cure(why, "run it as root");
		break;
	default:
		reason_set(why, error, "Open vSwitch", "its database %s cannot be reached: %s", socket, strerror(-error));
	}
	return error;
}

/*
 * Connects to ovsdb-server.
 * socket: path of its Unix socket. deadline: for the connection alone.
 * Return: 0; -ENOENT, -ECONNREFUSED if Open vSwitch does not run; other negative errno; *why filled.
 */
int ovsdb_open(struct ovsdb **db, const char *socket_path, deadline_t deadline, struct reason *why)
{
	autofree struct ovsdb *opened = calloc(1, sizeof(*opened));
	int fd = opened ? local_connect(socket_path, deadline) : -ENOMEM;

	if (fd < 0)
		return explain_connect(fd, socket_path, why);
	snprintf(opened->socket, sizeof(opened->socket), "%s", socket_path);
	opened->fd = fd;
	*db = scope_take(&opened);
	return 0;
}

/* Closes the connection and leaves NULL; harmless on NULL. */
void ovsdb_close(struct ovsdb **db)
{
	if (!*db)
		return;
	close((*db)->fd);
	ovsdb_parser_release(&(*db)->parser);
	free(*db);
	*db = NULL;
}

/* Notes that the stream is lost. Return: error, with *why filled. */
static int lose(struct ovsdb *db, int error, const char *what, struct reason *why)
{
	db->broken = true;
	reason_set(why, error, "Open vSwitch", "%s", what);
	reason_cure(why, "look at its log and at the socket %s, then try again", db->socket);
	return error;
}

/* Waits until the socket can be read or written. events: POLLIN, POLLOUT. Return: 0, -ETIME, negative errno; *why filled. */
static int wait_for(struct ovsdb *db, short events, deadline_t deadline, struct reason *why)
{
	struct pollfd descriptor = { .fd = db->fd, .events = events };

	for (;;) {
		int ready = poll(&descriptor, 1, deadline_left(deadline));

		if (ready > 0)
			return 0;
		if (ready < 0 && errno != EINTR)
			return lose(db, -errno, strerror(errno), why);
		if (ready == 0 && deadline_left(deadline) == 0) {
			reason_set(why, -ETIME, "Open vSwitch", "its database (ovsdb-server) did not answer in time");
			reason_cure(why, "see whether it is busy or stopped: systemctl status openvswitch (Debian: openvswitch-switch)");
			return -ETIME;
		}
	}
}

/* Sends a message. message is consumed. Return: 0, negative errno with *why filled. */
static int send_message(struct ovsdb *db, struct json_object *message, deadline_t deadline, struct reason *why)
{
	const char *text = json_object_to_json_string_ext(message, JSON_C_TO_STRING_PLAIN);
	size_t len = text ? strlen(text) : 0, sent = 0;
	int error = text ? 0 : reason_set(why, -ENOMEM, "Open vSwitch", "out of memory");

	while (!error && sent < len) {
		ssize_t part = send(db->fd, text + sent, len - sent, MSG_NOSIGNAL);

		if (part >= 0)
			sent += (size_t)part;
		else if (errno == EAGAIN)
			error = wait_for(db, POLLOUT, deadline, why);
		else if (errno != EINTR)
			error = lose(db, errno == EPIPE ? -ECONNRESET : -errno, "its database (ovsdb-server) ended the connection", why);
	}
	if (sent > 0 && sent < len)
		db->broken = true; /* half a message: nothing can follow */
	json_object_put(message);
	return error;
}

/* Fills the empty buffer. An answer is never there at once: it is waited for first. Return: 0, negative errno with *why filled. */
static int fill_buffer(struct ovsdb *db, deadline_t deadline, struct reason *why)
{
	for (;;) {
		int error = wait_for(db, POLLIN, deadline, why);
		ssize_t len = error ? 0 : recv(db->fd, db->buffer, sizeof(db->buffer), 0);

		if (error)
			return error;
		if (len > 0) {
			db->begin = 0;
			db->end = (size_t)len;
			return 0;
		}
		if (len == 0)
			return lose(db, -ECONNRESET, "its database (ovsdb-server) ended the connection", why);
		if (errno != EAGAIN && errno != EINTR)
			return lose(db, -errno, strerror(errno), why);
	}
}

/* Receives one message. Return: 0 with *message (to be put), negative errno with *why filled. */
static int receive_message(struct ovsdb *db, deadline_t deadline, struct json_object **message, struct reason *why)
{
	for (;;) {
		size_t used;
		int state = ovsdb_parse(&db->parser, db->buffer + db->begin, db->end - db->begin, &used, message);
		int error;

		db->begin += used;
		if (state == 1)
			return 0;
		if (state == -EMSGSIZE)
			return lose(db, state, "its database sent a message larger than 64 MiB, which vferry does not accept", why);
		if (state < 0)
			return lose(db, state, "what answers at its database's socket does not speak OVSDB", why);
		/* A peer that never stops talking must not keep us for ever. */
		error = deadline_left(deadline) > 0 ? fill_buffer(db, deadline, why) : wait_for(db, 0, deadline, why);
		if (error)
			return error;
	}
}

/* Answers a request of the server: only "echo" is known (RFC 7047, 4.1.11). Return: 0, negative errno with *why filled. */
static int answer_request(struct ovsdb *db, struct json_object *message, deadline_t deadline, struct reason *why)
{
	struct json_object *reply, *id = json_object_object_get(message, "id");

	if (!id || strcmp(value_text(message, "method"), "echo") != 0)
		return 0;
	reply = json_object_new_object();
	json_object_object_add(reply, "id", json_object_get(id));
	json_object_object_add(reply, "result", json_object_get(json_object_object_get(message, "params")));
	json_object_object_add(reply, "error", NULL);
	return send_message(db, reply, deadline, why);
}

/* Takes the result out of a reply. Return: 0 with *result (to be put); -EIO with the server's words in *why. */
static int take_result(struct json_object *reply, struct json_object **result, struct reason *why)
{
	struct json_object *refusal = json_object_object_get(reply, "error"), *found = json_object_object_get(reply, "result");
	char words[256];

	if (!refusal && found) {
		*result = json_object_get(found);
		return 0;
	}
	reason_clean(words, sizeof(words), refusal ? json_object_to_json_string_ext(refusal, JSON_C_TO_STRING_PLAIN) : "no result");
	return reason_set(why, -EIO, "Open vSwitch", "its database refused: %s", words);
}

/* Receives until the reply to the last request has come. Return: 0 with *result (to be put), negative errno with *why filled. */
static int receive_result(struct ovsdb *db, deadline_t deadline, struct json_object **result, struct reason *why)
{
	for (;;) {
		struct json_object *message = NULL, *id;
		int error = receive_message(db, deadline, &message, why);

		if (error)
			return error;
		id = json_object_object_get(message, "id");
		if (json_object_object_get_ex(message, "method", NULL)) {
			error = answer_request(db, message, deadline, why);
		} else if (json_object_is_type(id, json_type_int) && json_object_get_int64(id) == db->calls) {
			error = take_result(message, result, why);
			json_object_put(message);
			return error;
		}
		json_object_put(message);
		if (error)
			return error;
	}
}

/*
 * Calls a method.
 * params: consumed. deadline: for request and reply. Return: 0 with *result (to be put), negative errno with *why filled.
 */
int ovsdb_call(struct ovsdb *db, const char *method, struct json_object *params, deadline_t deadline, struct json_object **result,
	       struct reason *why)
{
	struct json_object *request;
	int error;

	if (db->broken) {
		json_object_put(params);
		return reason_set(why, -EPIPE, "Open vSwitch", "the connection to its database was lost before");
	}
	request = json_object_new_object();
	json_object_object_add(request, "method", json_text(method));
	json_object_object_add(request, "params", params);
	json_object_object_add(request, "id", json_object_new_int64(++db->calls));
	error = send_message(db, request, deadline, why);
	return error ? error : receive_result(db, deadline, result, why);
}

/* Return: the descriptor that can be read when the server has something to say. */
int ovsdb_fd(const struct ovsdb *db)
{
	return db->fd;
}

/*
 * Takes what the server has sent by itself: answers its requests; some is set if it told of a change.
 * Return: 0 when nothing is left to read, negative errno if the connection is lost, *why filled.
 */
int ovsdb_listen(struct ovsdb *db, bool *some, struct reason *why)
{
	for (;;) {
		struct json_object *message = NULL;
		int error = receive_message(db, deadline_in(MORE_MS), &message, why);

		if (error == -ETIME)
			return 0;
		if (error)
			return error;
		*some |= strcmp(value_text(message, "method"), "update") == 0;
		error = answer_request(db, message, deadline_in(LISTEN_MS), why);
		json_object_put(message);
		if (error)
			return error;
	}
}
