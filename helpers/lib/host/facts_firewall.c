/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * facts_firewall.c: whether the packet filter lets a migration in.
 *
 * Theory of operation. The ruleset, as `nft -j list ruleset` prints it, is walked as a new TCP packet to QEMU's first port would walk it
 * (libnftables-json(5)): from each base chain at hook "input" through the chains that are jumped to, until a verdict. A rule with
 * conditions counts only if one of them names that port: who wrote such a rule knows of migrations, and for whom it holds is his
 * business. A chain that takes everything but what rules accept ends with its policy (drop), or, as firewalld's, with a rule without
 * conditions (reject).
 */
#include "host/facts.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/spawn.h"
#include "base/sysroot.h"

#define RULESET_MAX (4u << 20)
#define FIRST_PORT 49152 /* libvirt's migration_port_min (qemu.conf) */
#define DEPTH_MAX 16     /* jumps; nf_tables takes no more (NFT_JUMP_STACK_SIZE) */

enum fate { GOES_ON, LET_IN, KEPT_OUT, RETURNS };

/* A table of the ruleset. */
struct table {
	struct json_object *items; /* of the whole ruleset, an array */
	const char *family, *name;
};

/* Return: a member that is a text, "" if there is none. */
static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) && json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

/* Return: the number of elements of an array; 0 for everything else. */
static size_t count(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

/* Return: the element's object of that kind ("rule") if it belongs to the table, else NULL. */
static struct json_object *item_of(const struct table *table, size_t i, const char *kind)
{
	struct json_object *item = json_object_object_get(json_object_array_get_idx(table->items, i), kind);

	return item && strcmp(text_of(item, "family"), table->family) == 0 && strcmp(text_of(item, "table"), table->name) == 0 ? item : NULL;
}

/* Return: whether a port, a range or a list of both has the port. A port may be written as a number alone. */
static bool has_port(struct json_object *right)
{
	struct json_object *inner;

	if (json_object_is_type(right, json_type_int))
		return json_object_get_int64(right) == FIRST_PORT;
	if (json_object_is_type(right, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(right); i++) {
			if (has_port(json_object_array_get_idx(right, i)))
				return true;
		}
		return false;
	}
	if (json_object_object_get_ex(right, "set", &inner))
		return has_port(inner);
	return json_object_object_get_ex(right, "range", &inner) && count(inner) == 2 &&
	       json_object_get_int64(json_object_array_get_idx(inner, 0)) <= FIRST_PORT &&
	       json_object_get_int64(json_object_array_get_idx(inner, 1)) >= FIRST_PORT;
}

/* Return: whether a condition names the port: "tcp dport 49152", "tcp dport { 80, 49152-49215 }", "tcp dport @set". */
static bool names_port(const struct table *table, struct json_object *match)
{
	struct json_object *left = json_object_object_get(json_object_object_get(match, "left"), "payload");
	struct json_object *right = json_object_object_get(match, "right");
	const char *set = text_of(match, "right");

	if (strcmp(text_of(left, "field"), "dport") != 0 || strcmp(text_of(match, "op"), "!=") == 0)
		return false;
	for (size_t i = 0; *set == '@' && i < count(table->items); i++) {
		struct json_object *item = item_of(table, i, "set");

		if (item && strcmp(text_of(item, "name"), set + 1) == 0)
			return has_port(json_object_object_get(item, "elem"));
	}
	return has_port(right);
}

static enum fate walk_chain(const struct table *table, const char *name, unsigned int depth);

/* What becomes of the packet by a statement that is a verdict. Return: GOES_ON if it is none. */
static enum fate verdict(const struct table *table, struct json_object *statement, unsigned int depth)
{
	static const struct { const char *name; enum fate fate; } words[] = {
		{ "accept", LET_IN }, { "drop", KEPT_OUT }, { "reject", KEPT_OUT }, { "return", RETURNS },
	};
	struct json_object *to;
	enum fate fate;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (json_object_object_get_ex(statement, words[i].name, NULL))
			return words[i].fate;
	}
	if (json_object_object_get_ex(statement, "goto", &to)) {
		fate = walk_chain(table, text_of(to, "target"), depth + 1);
		return fate == GOES_ON ? RETURNS : fate;
	}
	return json_object_object_get_ex(statement, "jump", &to) ? walk_chain(table, text_of(to, "target"), depth + 1) : GOES_ON;
}

/* What becomes of the packet by one rule. */
static enum fate walk_rule(const struct table *table, struct json_object *rule, unsigned int depth)
{
	struct json_object *expr = json_object_object_get(rule, "expr");
	bool is_conditional = false, is_ours = false;

	for (size_t i = 0; i < count(expr); i++) {
		struct json_object *statement = json_object_array_get_idx(expr, i), *match;
		enum fate fate = is_conditional && !is_ours ? GOES_ON : verdict(table, statement, depth);

		if (fate != GOES_ON)
			return fate;
		if (json_object_object_get_ex(statement, "match", &match))
			is_ours |= names_port(table, match);
		is_conditional |= !json_object_object_get_ex(statement, "counter", NULL) && !json_object_object_get_ex(statement, "log", NULL) &&
				  !json_object_object_get_ex(statement, "jump", NULL);
	}
	return GOES_ON;
}

/* What becomes of the packet in a chain. Return: GOES_ON if it comes out at the end or by return. */
static enum fate walk_chain(const struct table *table, const char *name, unsigned int depth)
{
	for (size_t i = 0; depth <= DEPTH_MAX && i < count(table->items); i++) {
		struct json_object *rule = item_of(table, i, "rule");
		enum fate fate = rule && strcmp(text_of(rule, "chain"), name) == 0 ? walk_rule(table, rule, depth) : GOES_ON;

		if (fate == RETURNS)
			return GOES_ON;
		if (fate != GOES_ON)
			return fate;
	}
	return GOES_ON;
}

/* Whether a chain is one at "input" that keeps migrations out. */
static bool keeps_out(struct json_object *items, struct json_object *chain)
{
	struct table table = { items, text_of(chain, "family"), text_of(chain, "table") };
	enum fate fate;

	if (strcmp(text_of(chain, "hook"), "input") != 0)
		return false;
	fate = walk_chain(&table, text_of(chain, "name"), 0);
	return fate == KEPT_OUT || (fate == GOES_ON && strcmp(text_of(chain, "policy"), "drop") == 0);
}

/* Notes the chain, and the command that opens it. firewalld's own table is its alone: what is written there by hand is lost. */
static void note(struct facts *facts, struct json_object *chain)
{
	const char *table = text_of(chain, "table");
	char name[96];

	snprintf(name, sizeof(name), "%s %s %s", text_of(chain, "family"), table, text_of(chain, "name"));
	snprintf(facts->firewall, sizeof(facts->firewall), "nftables: chain %s drops what no rule accepts, and no rule accepts port %d", name,
		 FIRST_PORT);
	if (strcmp(table, "firewalld") == 0)
		snprintf(facts->firewall_mend, sizeof(facts->firewall_mend), "%s", FACTS_FIREWALLD_MEND);
	else
		snprintf(facts->firewall_mend, sizeof(facts->firewall_mend), "nft insert rule %s tcp dport 49152-49215 accept", name);
}

/* See the header. */
bool facts_read_packet_filter(struct facts *facts, deadline_t deadline)
{
	char program[256], json[] = "-j", list[] = "list", ruleset[] = "ruleset";
	char *argv[] = { program, json, list, ruleset, NULL };
	autofree char *text = calloc(1, RULESET_MAX);
	struct json_object *root, *items;
	bool is_read;

	if (!text || sysroot_path(program, sizeof(program), "/usr/sbin/nft") || !sysroot_exists("/usr/sbin/nft") ||
	    spawn_run(argv, text, RULESET_MAX, deadline_within(deadline, 2000), NULL) != 0)
		return false;
	root = json_tokener_parse(text);
	items = root ? json_object_object_get(root, "nftables") : NULL;
	is_read = json_object_is_type(items, json_type_array);
	for (size_t i = 0; !*facts->firewall && i < count(items); i++) {
		struct json_object *chain = json_object_object_get(json_object_array_get_idx(items, i), "chain");

		if (chain && keeps_out(items, chain))
			note(facts, chain);
	}
	json_object_put(root);
	return is_read;
}
