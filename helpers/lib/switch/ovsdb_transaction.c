/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ovsdb_transaction.c: OVSDB's operations (RFC 7047, 5.2) and values (5.1) in json-c's types.
 *
 * What comes from the database is read without trust in its types: another type than expected reads as empty. An operation that could not
 * be built for lack of memory becomes JSON null, which the database refuses as a whole.
 */
#include "switch/ovsdb.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

/* ---- Building values ----------------------------------------------------------------------------------------------------------- */

/* A string; control characters and bytes that are no UTF-8 become '?', since the database refuses them. */
struct json_object *json_text(const char *text)
{
	char clean[512];

	reason_clean(clean, sizeof(clean), text);
	return json_object_new_string(clean);
}

/* A list of JSON values, ended by NULL. All are consumed. */
struct json_object *json_list(struct json_object *first, ...)
{
	struct json_object *list = json_object_new_array();
	va_list args;

	va_start(args, first);
	for (struct json_object *value = first; value; value = va_arg(args, struct json_object *))
		json_object_array_add(list, value);
	va_end(args);
	return list;
}

/* OVSDB's map: ["map", [[key, value], ...]] of text pairs, ended by a NULL key; pairs with an empty value are left out. */
struct json_object *json_map(const char *key, ...)
{
	struct json_object *pairs = json_object_new_array();
	va_list args;

	va_start(args, key);
	while (key) {
		const char *value = va_arg(args, const char *);

		if (value && value[0])
			json_object_array_add(pairs, json_list(json_text(key), json_text(value), NULL));
		key = va_arg(args, const char *);
	}
	va_end(args);
	return json_list(json_text("map"), pairs, NULL);
}

/* ["named-uuid", name]: a row that the same transaction inserts. */
struct json_object *json_named_uuid(const char *name)
{
	return json_list(json_text("named-uuid"), json_text(name), NULL);
}

/* A list of one condition: [[column, function, value]]. value is consumed. */
struct json_object *condition(const char *column, const char *function, struct json_object *value)
{
	return json_list(json_list(json_text(column), json_text(function), value, NULL), NULL);
}

/* ---- Operations ---------------------------------------------------------------------------------------------------------------- */

/* Begins an operation on a table. where: consumed; NULL: none is written. */
static struct json_object *operation(const char *name, const char *table, struct json_object *where)
{
	struct json_object *op = json_object_new_object();

	json_object_object_add(op, "op", json_text(name));
	json_object_object_add(op, "table", json_text(table));
	if (where)
		json_object_object_add(op, "where", where);
	return op;
}

/* Reads columns (ended by NULL) of the rows that meet where, or of all rows if it is NULL. */
struct json_object *op_select(const char *table, struct json_object *where, const char *const *columns)
{
	struct json_object *op = operation("select", table, where ? where : json_object_new_array());
	struct json_object *list = json_object_new_array();

	for (; *columns; columns++)
		json_object_array_add(list, json_text(*columns));
	json_object_object_add(op, "columns", list);
	return op;
}

/*
 * Waits until (or, with a time of 0, demands that) the column of the chosen rows equals ("==") or differs from ("!=") rows.
 * timeout_ms: then the operation fails with "timed out" and the whole transaction with it.
 */
struct json_object *op_wait(const char *table, struct json_object *where, const char *column, const char *until, struct json_object *rows,
			    int timeout_ms)
{
	struct json_object *op = operation("wait", table, where ? where : json_object_new_array());

	json_object_object_add(op, "columns", json_list(json_text(column), NULL));
	json_object_object_add(op, "until", json_text(until));
	json_object_object_add(op, "rows", rows);
	json_object_object_add(op, "timeout", json_object_new_int(timeout_ms));
	return op;
}

/* Inserts a row, which other operations of the transaction may call uuid_name. */
struct json_object *op_insert(const char *table, const char *uuid_name, struct json_object *row)
{
	struct json_object *op = operation("insert", table, NULL);

	json_object_object_add(op, "uuid-name", json_text(uuid_name));
	json_object_object_add(op, "row", row);
	return op;
}

/* Overwrites the columns in row. */
struct json_object *op_update(const char *table, struct json_object *where, struct json_object *row)
{
	struct json_object *op = operation("update", table, where ? where : json_object_new_array());

	json_object_object_add(op, "row", row);
	return op;
}

/* Deletes the rows that meet where. */
struct json_object *op_delete(const char *table, struct json_object *where)
{
	return operation("delete", table, where);
}

/* Changes columns: mutations is a list of [column, mutator, value]. */
struct json_object *op_mutate(const char *table, struct json_object *where, struct json_object *mutations)
{
	struct json_object *op = operation("mutate", table, where ? where : json_object_new_array());

	json_object_object_add(op, "mutations", mutations);
	return op;
}

/* ---- Transactions -------------------------------------------------------------------------------------------------------------- */

/* Begins an empty transaction on the database Open_vSwitch. */
void transaction_begin(struct transaction *t)
{
	memset(t, 0, sizeof(*t));
	t->failed = -1;
	t->params = json_list(json_text("Open_vSwitch"), NULL);
}

/* Frees a transaction; harmless twice. */
void transaction_release(struct transaction *t)
{
	json_object_put(t->params);
	json_object_put(t->result);
	t->params = NULL;
	t->result = NULL;
}

/* Adds an operation (consumed). Return: its number, from 0. */
int transaction_add(struct transaction *t, struct json_object *op)
{
	json_object_array_add(t->params, op);
	return t->operations++;
}

/* Notes the operation that failed. Return: 0 if none did; -EIO with the database's words in *why. */
static int find_failure(struct transaction *t, struct reason *why)
{
	for (size_t i = 0; i < json_object_array_length(t->result); i++) {
		struct json_object *answer = json_object_array_get_idx(t->result, i);
		const char *error = value_text(answer, "error");
		char words[384], clean[384];

		if (!error[0])
			continue;
		t->failed = (int)i;
		t->timed_out = strcmp(error, "timed out") == 0;
		snprintf(words, sizeof(words), "%.96s: %.256s", error, value_text(answer, "details"));
		reason_clean(clean, sizeof(clean), words);
		return reason_set(why, -EIO, "Open vSwitch", "its database refused a change: %s", clean);
	}
	return 0;
}

/*
 * Runs a transaction.
 * Return: 0; -EIO if an operation failed (t->failed tells which); -EPROTO if the answer is none; other negative errno; *why filled.
 */
int transaction_run(struct ovsdb *db, struct transaction *t, deadline_t deadline, struct reason *why)
{
	struct json_object *params = t->params;
	int error;

	t->params = NULL;
	error = ovsdb_call(db, "transact", params, deadline, &t->result, why);
	if (error)
		return error;
	if (!json_object_is_type(t->result, json_type_array) || json_object_array_length(t->result) < (size_t)t->operations)
		return reason_set(why, -EPROTO, "Open vSwitch", "its database gave an answer that is none to the question");
	return find_failure(t, why);
}

/* Return: the answer to operation number i, borrowed; NULL if there is none. */
static struct json_object *answer_of(const struct transaction *t, int i)
{
	return json_object_is_type(t->result, json_type_array) ? json_object_array_get_idx(t->result, (size_t)i) : NULL;
}

/* Return: the rows that operation number i selected, borrowed; NULL if it has none. */
struct json_object *transaction_rows(const struct transaction *t, int i)
{
	struct json_object *rows = json_object_object_get(answer_of(t, i), "rows");

	return json_object_is_type(rows, json_type_array) ? rows : NULL;
}

/* ---- Reading values ------------------------------------------------------------------------------------------------------------ */

/* Return: a text column of a row (or a text member of any object), "" if it is absent or of another type. */
const char *value_text(struct json_object *row, const char *column)
{
	struct json_object *value;

	if (!json_object_is_type(row, json_type_object))
		return "";
	value = json_object_object_get(row, column);
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

/* Whether a value is [tag, list], and that list. Return: NULL if it is not. */
static struct json_object *tagged_list(struct json_object *value, const char *tag)
{
	struct json_object *name, *list;

	if (!json_object_is_type(value, json_type_array) || json_object_array_length(value) != 2)
		return NULL;
	name = json_object_array_get_idx(value, 0);
	list = json_object_array_get_idx(value, 1);
	if (!json_object_is_type(name, json_type_string) || strcmp(json_object_get_string(name), tag) != 0)
		return NULL;
	return json_object_is_type(list, json_type_array) ? list : NULL;
}

/* Return: the [key, value] pairs of a map column, borrowed; NULL if it is none. */
struct json_object *value_map(struct json_object *row, const char *column)
{
	return json_object_is_type(row, json_type_object) ? tagged_list(json_object_object_get(row, column), "map") : NULL;
}

/* Return: the text under a key of a map column, borrowed; NULL if there is none. */
const char *value_map_text(struct json_object *row, const char *column, const char *key)
{
	struct json_object *pairs = value_map(row, column);

	for (size_t i = 0; pairs && i < json_object_array_length(pairs); i++) {
		struct json_object *pair = json_object_array_get_idx(pairs, i), *name, *value;

		if (!json_object_is_type(pair, json_type_array) || json_object_array_length(pair) != 2)
			continue;
		name = json_object_array_get_idx(pair, 0);
		value = json_object_array_get_idx(pair, 1);
		if (json_object_is_type(name, json_type_string) && json_object_is_type(value, json_type_string) &&
		    strcmp(json_object_get_string(name), key) == 0)
			return json_object_get_string(value);
	}
	return NULL;
}

/* Return: how many elements a column has: a set's, or 1 for a value that stands alone (RFC 7047, 5.1, <set>). */
size_t value_count(struct json_object *row, const char *column)
{
	struct json_object *value, *set;

	if (!json_object_is_type(row, json_type_object))
		return 0;
	value = json_object_object_get(row, column);
	set = tagged_list(value, "set");
	if (set)
		return json_object_array_length(set);
	return value ? 1 : 0;
}

/* Return: element number i of a set column, or the value that stands alone, borrowed; NULL beyond the end. */
struct json_object *value_element(struct json_object *row, const char *column, size_t i)
{
	struct json_object *value, *set;

	if (i >= value_count(row, column))
		return NULL;
	value = json_object_object_get(row, column);
	set = tagged_list(value, "set");
	return set ? json_object_array_get_idx(set, i) : value;
}

/* Return: the first element of a column, borrowed; NULL if it is empty. */
struct json_object *value_first(struct json_object *row, const char *column)
{
	return value_element(row, column, 0);
}

/* Return: the text of ["uuid", text], borrowed; NULL if the value is none. */
const char *value_uuid(struct json_object *value)
{
	struct json_object *tag, *text;

	if (!json_object_is_type(value, json_type_array) || json_object_array_length(value) != 2)
		return NULL;
	tag = json_object_array_get_idx(value, 0);
	text = json_object_array_get_idx(value, 1);
	if (!json_object_is_type(tag, json_type_string) || strcmp(json_object_get_string(tag), "uuid") != 0)
		return NULL;
	return json_object_is_type(text, json_type_string) ? json_object_get_string(text) : NULL;
}
