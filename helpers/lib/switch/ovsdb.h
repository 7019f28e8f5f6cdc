/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ovsdb.h: the connection to ovsdb-server (RFC 7047), its messages, transactions and values. Private to the ovs_*.c files.
 */
#ifndef VFERRY_SWITCH_OVSDB_H
#define VFERRY_SWITCH_OVSDB_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/reason.h"
#include "switch/ovs.h"

#define OVSDB_MESSAGE_MAX (64u << 20) /* bytes */

/* Cuts a stream of JSON values that stand back to back into messages. */
struct ovsdb_parser {
	struct json_tokener *tokener;
	size_t bytes; /* of the message so far */
};

/*
 * Takes bytes as they come. Return: 1, a message is complete (*message, to be put; *used bytes were taken); 0, more is needed;
 * -EPROTO, no JSON object; -EMSGSIZE, too large; -ENOMEM. After an error the stream is lost.
 */
int ovsdb_parse(struct ovsdb_parser *parser, const char *data, size_t len, size_t *used, struct json_object **message);
void ovsdb_parser_release(struct ovsdb_parser *parser);

struct ovsdb;
int ovsdb_open(struct ovsdb **db, const char *socket, deadline_t deadline, struct reason *why);
void ovsdb_close(struct ovsdb **db);

/* Calls a method and waits for its result. params is consumed. *result is to be put. */
int ovsdb_call(struct ovsdb *db, const char *method, struct json_object *params, deadline_t deadline, struct json_object **result,
	       struct reason *why);

/* For those who are told of changes ("monitor"): what to poll, and what to do then. */
int ovsdb_fd(const struct ovsdb *db);
int ovsdb_listen(struct ovsdb *db, bool *some, struct reason *why);

/* A list of operations that happen all or not at all. */
struct transaction {
	struct json_object *params; /* ["Open_vSwitch", operation, ...] */
	struct json_object *result; /* [answer, ...] */
	int operations;
	int failed;                 /* number of the operation that failed, -1: none */
	bool timed_out;             /* it was a "wait" whose condition did not hold */
};

void transaction_begin(struct transaction *t);
void transaction_release(struct transaction *t);
/* Adds an operation (consumed). Return: its number. */
int transaction_add(struct transaction *t, struct json_object *operation);
/* -EIO with the database's words if an operation failed; *t is to be released in every case. */
int transaction_run(struct ovsdb *db, struct transaction *t, deadline_t deadline, struct reason *why);
/* Rows that operation number i selected; NULL if the answer has none. */
struct json_object *transaction_rows(const struct transaction *t, int i);

#define autotransaction __attribute__((cleanup(transaction_release)))

/* Operations. All JSON arguments are consumed. where: a list of conditions; NULL: all rows. */
struct json_object *op_select(const char *table, struct json_object *where, const char *const *columns);
struct json_object *op_wait(const char *table, struct json_object *where, const char *column, const char *until, struct json_object *rows,
			    int timeout_ms);
struct json_object *op_insert(const char *table, const char *uuid_name, struct json_object *row);
struct json_object *op_update(const char *table, struct json_object *where, struct json_object *row);
struct json_object *op_delete(const char *table, struct json_object *where);
struct json_object *op_mutate(const char *table, struct json_object *where, struct json_object *mutations);
struct json_object *condition(const char *column, const char *function, struct json_object *value); /* [[column, function, value]] */

/* Values. json_list() and json_map() end with NULL; json_map() leaves out pairs whose value is "". */
struct json_object *json_text(const char *text);
struct json_object *json_list(struct json_object *first, ...);
struct json_object *json_map(const char *key, ...);
struct json_object *json_named_uuid(const char *name);

/* Reading values that may be of any type: they come from outside. */
const char *value_text(struct json_object *row, const char *column);                  /* "" if absent or no text */
struct json_object *value_map(struct json_object *row, const char *column);           /* its [key, value] pairs; NULL if it is none */
const char *value_map_text(struct json_object *row, const char *column, const char *key); /* NULL if absent */
struct json_object *value_first(struct json_object *row, const char *column);         /* of a set or scalar; NULL if empty */
size_t value_count(struct json_object *row, const char *column);                      /* elements of a set; a scalar is 1 */
struct json_object *value_element(struct json_object *row, const char *column, size_t i);
const char *value_uuid(struct json_object *value);                                    /* of ["uuid", text]; NULL if it is none */

/* The answer to the questions of ovs_read(), for tests and fuzzing: an array of six row lists, of which the last two may be missing. */
struct json_object *ovs_state_questions(void);
int ovs_state_parse(struct json_object *answer, struct ovs_state *state, struct reason *why);

#endif
