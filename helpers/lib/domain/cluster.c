/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cluster.c: Pacemaker's CIB, as far as it speaks of guests. See cluster.h.
 *
 * What a resource does not say its template says, and then the defaults of the cluster (xml/resources.rng; lib/pengine/complex.c). Rules
 * that hold at some times or on some nodes only are taken as if they always held.
 */
#include "domain/cluster.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "domain/xml.h"

/* A value of a CIB. */
struct value {
	char text[256];
};

/* What the walk through a CIB needs. */
struct walk {
	const xmlNode *configuration, *resources;
	struct cluster *cluster;
	bool failed;
};

/* cluster_parse_time() - text: a number and a unit, none is seconds (lib/common/utils.c, crm_get_msec()) */
int64_t cluster_parse_time(const char *text)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = { { "", 1000 }, { "s", 1000 }, { "sec", 1000 }, { "ms", 1 }, { "msec", 1 }, { "m", 60000 }, { "min", 60000 },
		      { "h", 3600000 }, { "hr", 3600000 } };
	char *end;
	long number;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	number = strtol(text, &end, 10);
	while (*end == ' ')
		end++;
	for (size_t i = 0; !errno && number < 100000000 && i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit) == 0)
			return number * units[i].ms;
	}
	return -EINVAL;
}

/* See the header. */
bool cluster_is_safe(const struct cluster_operation *operation, unsigned int timeout)
{
	return strcmp(operation->on_fail, "block") == 0 && operation->timeout >= (int64_t)timeout * 1000;
}

/* Copies a value to where there is room for it; one that does not fit is cut. */
static void keep(const struct value *value, char *out, size_t size)
{
	size_t length = strnlen(value->text, size - 1);

	memcpy(out, value->text, length);
	out[length] = '\0';
}

/* Looks for a name in all sets of a kind. Return: 0 with its value, -ENOENT. */
static int pair_in(const xmlNode *owner, const char *kind, const char *name, struct value *value)
{
	for (const xmlNode *set = owner ? xml_child(owner, kind) : NULL; set; set = xml_next(set, kind)) {
		for (const xmlNode *pair = xml_child(set, "nvpair"); pair; pair = xml_next(pair, "nvpair")) {
			if (xml_attribute_is(pair, "name", name) && xml_attribute(pair, "value", value->text, sizeof(value->text)) == 0)
				return 0;
		}
	}
	value->text[0] = '\0';
	return -ENOENT;
}

/* Return: the template of a resource, NULL if it has none. */
static const xmlNode *template_of(const struct walk *walk, const xmlNode *primitive)
{
	char name[128];

	if (xml_attribute(primitive, "template", name, sizeof(name)) || !*name)
		return NULL;
	for (const xmlNode *template = xml_child(walk->resources, "template"); template; template = xml_next(template, "template")) {
		if (xml_attribute_is(template, "id", name))
			return template;
	}
	return NULL;
}

/* The same of a resource, or else of its template. */
static int pair_of(const struct walk *walk, const xmlNode *primitive, const char *kind, const char *name, struct value *value)
{
	if (pair_in(primitive, kind, name, value) == 0)
		return 0;
	return pair_in(template_of(walk, primitive), kind, name, value);
}

/* Return: an operation of a resource or template, NULL if it has none of that name. */
static const xmlNode *find_operation(const xmlNode *owner, const char *name)
{
	const xmlNode *operations = owner ? xml_child(owner, "operations") : NULL;

	for (const xmlNode *op = operations ? xml_child(operations, "op") : NULL; op; op = xml_next(op, "op")) {
		if (xml_attribute_is(op, "name", name))
			return op;
	}
	return NULL;
}

/* What an operation has as an attribute or in a set of its own; else what all operations have. */
static void option_of(const struct walk *walk, const xmlNode *op, const char *name, struct value *value)
{
	if (op && xml_attribute(op, name, value->text, sizeof(value->text)) == 0)
		return;
	if (pair_in(op, "meta_attributes", name, value) == 0 || pair_in(op, "instance_attributes", name, value) == 0)
		return;
	(void)pair_in(xml_child(walk->configuration, "op_defaults"), "meta_attributes", name, value);
}

/* Whether a rule of a constraint, or one inside of it, asks for the card. card: the one that is named, kept if none is. */
static bool asks_for_card(const xmlNode *node, struct value *card)
{
	bool asks = false;

	for (const xmlNode *expression = xml_child(node, "expression"); expression; expression = xml_next(expression, "expression")) {
		struct value value;

		if (!xml_attribute_is(expression, "attribute", CLUSTER_CARD))
			continue;
		asks = true;
		if (xml_attribute(expression, "value", value.text, sizeof(value.text)) == 0)
			*card = value;
	}
	for (const xmlNode *rule = xml_child(node, "rule"); rule; rule = xml_next(rule, "rule"))
		asks |= asks_for_card(rule, card);
	return asks;
}

/* Reads the location rule that asks for the card where a guest is concerned. */
static void read_rule(const struct walk *walk, struct cluster_guest *guest)
{
	const xmlNode *constraints = xml_child(walk->configuration, "constraints");

	for (const xmlNode *location = constraints ? xml_child(constraints, "rsc_location") : NULL; location && !guest->has_rule;
	     location = xml_next(location, "rsc_location")) {
		struct value card = { "" };

		guest->has_rule = xml_attribute_is(location, "rsc", guest->resource) && asks_for_card(location, &card);
		if (!guest->has_rule)
			continue;
		if (xml_attribute(location, "id", guest->rule, sizeof(guest->rule)))
			guest->rule[0] = '\0';
		keep(&card, guest->rule_card, sizeof(guest->rule_card));
	}
}

/* Whether each node has a utilization of VFs. */
static bool have_vfs(const xmlNode *nodes)
{
	const xmlNode *node = nodes ? xml_child(nodes, "node") : NULL;
	bool have = node != NULL;
	struct value value;

	for (; node; node = xml_next(node, "node"))
		have = have && pair_in(node, "utilization", CLUSTER_VFS, &value) == 0;
	return have;
}

/* Whether a primitive, or its template, is of an agent. */
static bool is_of(const struct walk *walk, const xmlNode *primitive, const char *provider, const char *type)
{
	const xmlNode *template = template_of(walk, primitive), *node = template ? template : primitive;

	return xml_attribute_is(node, "class", "ocf") && xml_attribute_is(node, "provider", provider) && xml_attribute_is(node, "type", type);
}

/* Whether a text means yes to Pacemaker (lib/common/strings.c, crm_str_to_boolean()). */
static bool is_yes(const char *text)
{
	static const char *const words[] = { "true", "yes", "on", "y", "1" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i]) == 0)
			return true;
	}
	return false;
}

/* Reads what Pacemaker does with an operation of a resource. */
static void read_operation(const struct walk *walk, const xmlNode *primitive, const char *name, struct cluster_operation *out)
{
	const xmlNode *own = find_operation(primitive, name), *op = own ? own : find_operation(template_of(walk, primitive), name);
	struct value value;

	out->is_own = own != NULL;
	option_of(walk, op, "on-fail", &value);
	keep(&value, out->on_fail, sizeof(out->on_fail));
	option_of(walk, op, "timeout", &value);
	out->timeout = cluster_parse_time(value.text);
	if (out->timeout < 0)
		out->timeout = CLUSTER_TIMEOUT;
}

/* Reads what Pacemaker does when a guest is to migrate. */
static void read_migration(const struct walk *walk, const xmlNode *primitive, struct cluster_guest *guest)
{
	struct value value;

	read_operation(walk, primitive, "migrate_to", &guest->migrate_to);
	read_operation(walk, primitive, "migrate_from", &guest->migrate_from);
	if (pair_of(walk, primitive, "meta_attributes", "allow-migrate", &value))
		(void)pair_in(xml_child(walk->configuration, "rsc_defaults"), "meta_attributes", "allow-migrate", &value);
	guest->migrates = is_yes(value.text);
}

/* Takes a guest into the list. */
static void add_guest(struct walk *walk, const xmlNode *primitive)
{
	struct cluster *cluster = walk->cluster;
	struct cluster_guest *more = reallocarray(cluster->guest, cluster->guests + 1, sizeof(*more)), *guest;
	struct value value;

	if (!more) {
		walk->failed = true;
		return;
	}
	cluster->guest = more;
	guest = &more[cluster->guests];
	*guest = (struct cluster_guest){ 0 };
	if (xml_attribute(primitive, "id", guest->resource, sizeof(guest->resource)))
		return;
	cluster->guests++;
	(void)pair_of(walk, primitive, "instance_attributes", "config", &value);
	keep(&value, guest->config, sizeof(guest->config));
	(void)pair_of(walk, primitive, "utilization", CLUSTER_VFS, &value);
	keep(&value, guest->vfs, sizeof(guest->vfs));
	read_migration(walk, primitive, guest);
	read_rule(walk, guest);
}

/* Takes vferry's own agent, the first of them. */
static void take_agent(struct walk *walk, const xmlNode *primitive)
{
	struct cluster *cluster = walk->cluster;

	if (*cluster->agent || xml_attribute(primitive, "id", cluster->agent, sizeof(cluster->agent)))
		return;
	read_operation(walk, primitive, "stop", &cluster->agent_stop);
}

/* Reads the resources below a node; depth: groups in clones are two deep. */
static void read_resources(struct walk *walk, const xmlNode *parent, unsigned int depth)
{
	static const char *const folders[] = { "group", "clone", "master", "bundle" };

	for (const xmlNode *primitive = xml_child(parent, "primitive"); primitive; primitive = xml_next(primitive, "primitive")) {
		if (is_of(walk, primitive, "heartbeat", "VirtualDomain"))
			add_guest(walk, primitive);
		if (is_of(walk, primitive, "vferry", "host"))
			take_agent(walk, primitive);
	}
	for (size_t i = 0; depth < 3 && i < sizeof(folders) / sizeof(folders[0]); i++) {
		for (const xmlNode *folder = xml_child(parent, folders[i]); folder; folder = xml_next(folder, folders[i]))
			read_resources(walk, folder, depth + 1);
	}
}

/* cluster_parse() - see the header */
int cluster_parse(const char *xml, size_t len, struct cluster *cluster, struct reason *why)
{
	autoxmldoc xmlDoc *doc = NULL;
	struct walk walk = { .cluster = cluster };
	const xmlNode *root, *options;
	struct value value;
	int error = xml_parse(xml, len, "the CIB", &doc, why);

	*cluster = (struct cluster){ 0 };
	if (error)
		return error;
	root = xmlDocGetRootElement(doc);
	walk.configuration = root && xml_is(root, "cib") ? xml_child(root, "configuration") : NULL;
	walk.resources = walk.configuration ? xml_child(walk.configuration, "resources") : NULL;
	if (!walk.resources || !xml_child(walk.configuration, "constraints"))
		return reason_set(why, -EINVAL, NULL, "this is no CIB of Pacemaker's: it has no <configuration> with <resources> and <constraints>");
	options = xml_child(walk.configuration, "crm_config");
	(void)pair_in(options, "cluster_property_set", "placement-strategy", &value);
	keep(&value, cluster->placement, sizeof(cluster->placement));
	(void)pair_in(options, "cluster_property_set", "migration-limit", &value);
	keep(&value, cluster->limit, sizeof(cluster->limit));
	cluster->nodes_have_vfs = have_vfs(xml_child(walk.configuration, "nodes"));
	read_resources(&walk, walk.resources, 0);
	if (!walk.failed)
		return 0;
	cluster_release(cluster);
	return reason_set(why, -ENOMEM, NULL, "out of memory");
}

/* Gives back the list; harmless on a zeroed struct. */
void cluster_release(struct cluster *cluster)
{
	free(cluster->guest);
	*cluster = (struct cluster){ 0 };
}
