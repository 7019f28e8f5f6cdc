/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lines.c: the rules as they are typed: for pcs, and for crmsh.
 *
 * What each is for: migrate_to on-fail=block: a refused migration leaves the guest running where it is, in place of a stop on both nodes. A
 * timeout above the wait for a slot: a guest that waits is not cut off. The same for migrate_from, by which the node that a guest has reached
 * sees it run: by the defaults one that is not seen within 20 s, as where libvirt is busy with other arrivals, is stopped. The location
 * rule: a node of another card or firmware comes last. migration-limit: no more at a time than the card has slots. stop on-fail=block of
 * vferry's own agent: by the defaults a node on which a stop takes too long is fenced, with all guests of it.
 *
 * None of them may stop a guest. Pacemaker stops one that no node may have: so the rule is no ban (a number, not -INFINITY), and says nothing
 * of a node that has not published its card; a try that comes to nothing is refused by the hook, and the guest runs on. For the same reason
 * placement-strategy=utilization is not printed: a guest that fits nowhere is stopped then, and whatever VirtualDomain writes of processors and
 * memory counts, of which nodes have nothing. Where the cluster has it already, a guest's VFs are told once every node has published its own.
 */
#include "command/cluster/lines.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define WORD 300
#define AWAY "-100000" /* INFINITY is a million */

/* Adds a line to a list. */
__attribute__((format(printf, 2, 3)))
static void add(struct json_object *list, const char *format, ...)
{
	char line[4 * WORD];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	json_object_array_add(list, json_object_new_string(line));
}

#define AGENT_OPERATIONS " op start timeout=%us op monitor interval=60s timeout=%us op stop interval=0s timeout=%us on-fail=block"
#define AGENT_S 90 /* what ocf:vferry:host may take, as its meta-data say */

/* An operation, and what it must be. */
struct need {
	const char *name;
	const struct cluster_operation *known; /* NULL: the cluster has no such resource */
	unsigned int timeout;                  /* s */
};

/* The operations that are not as they should be. Return: how many of need[2] are filled. */
static size_t find_needs(const struct cluster_guest *known, unsigned int timeout, struct need *need)
{
	const struct need all[] = { { "migrate_to", known ? &known->migrate_to : NULL, timeout },
				    { "migrate_from", known ? &known->migrate_from : NULL, CLUSTER_SEEN_S } };
	size_t count = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (!all[i].known || !cluster_is_safe(all[i].known, all[i].timeout))
			need[count++] = all[i];
	}
	return count;
}

/* Adds an operation as pcs and crmsh write it. */
static void add_operation(const struct need *need, char *out, size_t size)
{
	size_t used = strlen(out);

	snprintf(out + used, size - used, " op %s interval=0s timeout=%us on-fail=block", need->name, need->timeout);
}

/*
 * crmsh has a word for an operation that is there, and changes the text of the resource where it is not. A new one must stand beside those
 * that are there: behind anything else (VirtualDomain writes a utilization) crmsh makes a second list of it, which Pacemaker's schema forbids.
 */
static void add_operations(const char *resource, const struct need *need, size_t needs, struct json_object *pcs, struct json_object *crm)
{
	char all[WORD] = "", missing[WORD] = "";

	for (size_t i = 0; i < needs; i++) {
		add_operation(&need[i], all, sizeof(all));
		if (!need[i].known || !need[i].known->is_own)
			add_operation(&need[i], missing, sizeof(missing));
	}
	if (needs)
		add(pcs, "pcs resource update %s%s", resource, all);
	if (*missing)
		add(crm, "crm configure filter \"sed -z 's/[[:space:]]op /%s op /;t;s/[[:space:]]*\\$/%s/'\" %s", missing, missing, resource);
	for (size_t i = 0; i < needs; i++) {
		if (!need[i].known || !need[i].known->is_own)
			continue;
		add(crm, "crm configure set %s.%s.timeout %us", resource, need[i].name, need[i].timeout);
		add(crm, "crm configure set %s.%s.on-fail block", resource, need[i].name);
	}
}

/* The lines for one guest; see the header. */
void cluster_add_rules(const struct cluster_rules *rules, struct json_object *pcs, struct json_object *crm)
{
	const struct cluster_guest *known = rules->known;
	char resource[WORD], rule[WORD], vfs[16];
	struct need need[2];

	reason_word(known ? known->resource : rules->guest, resource, sizeof(resource));
	snprintf(vfs, sizeof(vfs), "%u", rules->vfs);
	add_operations(resource, need, find_needs(known, rules->timeout, need), pcs, crm);
	if (!known || !known->migrates) {
		add(pcs, "pcs resource meta %s allow-migrate=true", resource);
		add(crm, "crm resource meta %s set allow-migrate true", resource);
	}
	if (rules->by_use && (!known || strcmp(known->vfs, vfs) != 0)) {
		add(pcs, "pcs resource utilization %s " CLUSTER_VFS "=%s", resource, vfs);
		add(crm, "crm resource utilization %s set " CLUSTER_VFS " %s", resource, vfs);
	}
	if (known && known->has_rule && strcmp(known->rule_card, rules->card) == 0)
		return;
	if (known && known->has_rule) { /* of another firmware */
		add(pcs, "pcs constraint delete %s", reason_word(known->rule, rule, sizeof(rule)));
		add(crm, "crm configure delete %s", rule);
	}
	add(pcs, "pcs constraint location %s rule id=" CLUSTER_CARD "-%s score=" AWAY " defined " CLUSTER_CARD " and " CLUSTER_CARD " ne %s",
	    resource, resource, rules->card);
	add(crm, "crm configure location " CLUSTER_CARD "-%s %s rule " AWAY ": defined " CLUSTER_CARD " and " CLUSTER_CARD " ne %s", resource,
	    resource, rules->card);
}

/* See the header. */
bool cluster_may_fence(const struct cluster *cluster)
{
	return *cluster->agent && !cluster_is_safe(&cluster->agent_stop, AGENT_S);
}

/* The lines for the whole cluster; see the header. limit: guests that may leave a node at the same time. */
void cluster_add_options(const struct cluster *cluster, unsigned int limit, struct json_object *pcs, struct json_object *crm)
{
	const struct need stop = { "stop", &cluster->agent_stop, AGENT_S };
	long have = *cluster->limit ? strtol(cluster->limit, NULL, 10) : -1;
	char agent[WORD];

	if (!*cluster->agent) {
		add(pcs, "pcs resource create vferry-host ocf:vferry:host" AGENT_OPERATIONS " clone", AGENT_S, AGENT_S, AGENT_S);
		add(crm, "crm configure primitive vferry-host ocf:vferry:host" AGENT_OPERATIONS, AGENT_S, AGENT_S, AGENT_S);
		add(crm, "crm configure clone vferry-host-clone vferry-host");
	} else if (cluster_may_fence(cluster)) {
		add_operations(reason_word(cluster->agent, agent, sizeof(agent)), &stop, 1, pcs, crm);
	}
	if (have < 0 || have > (long)limit) {
		add(pcs, "pcs property set migration-limit=%u", limit);
		add(crm, "crm configure property migration-limit=%u", limit);
	}
}

/* See the header. */
bool cluster_places_by_use(const struct cluster *cluster)
{
	return *cluster->placement && strcmp(cluster->placement, "default") != 0;
}

/* The line that keeps a guest running; see the header. */
char *cluster_mend(const struct cluster_view *seen, size_t guest, unsigned int timeout, char *out, size_t size)
{
	struct json_object *pcs = json_object_new_array(), *crm = json_object_new_array(), *use = seen->has_pcs ? pcs : crm;
	const struct cluster_guest *known = &seen->cluster.guest[guest];
	char resource[WORD];
	struct need need[2];
	size_t used = 0;

	out[0] = '\0';
	add_operations(reason_word(known->resource, resource, sizeof(resource)), need, find_needs(known, timeout, need), pcs, crm);
	for (size_t i = 0; (seen->has_pcs || seen->has_crm) && i < json_object_array_length(use) && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s", i ? " && " : "",
					 json_object_get_string(json_object_array_get_idx(use, i)));
	if (used >= size) /* half a line is none */
		out[0] = '\0';
	json_object_put(pcs);
	json_object_put(crm);
	return out;
}
