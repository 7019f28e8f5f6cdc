/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lines.c: the rules as they are typed: for pcs, and for crmsh.
 *
 * What each is for: migrate_to on-fail=block: a refused migration leaves the guest running where it is, in place of a stop on both nodes. A
 * timeout above the wait for a slot: a guest that waits is not cut off. The location rule: a node of another card or firmware comes last.
 * migration-limit: no more at a time than the card has slots.
 *
 * None of them may stop a guest. Pacemaker stops one that no node may have: so the rule is no ban (a number, not -INFINITY), and says nothing
 * of a node that has not published its card; a try that comes to nothing is refused by the hook, and the guest runs on. For the same reason
 * placement-strategy=utilization is not printed: a guest that fits nowhere is stopped then, and whatever VirtualDomain writes of processors and
 * memory counts, of which nodes have nothing. Where the cluster has it already, a guest's VFs are told once every node has published its own.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "command/cluster/cluster.h"

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

/* Whether what happens to a refused migration is as it should be, and the timeout is long enough. */
static bool is_safe(const struct cluster_guest *known, unsigned int timeout)
{
	return known && strcmp(known->on_fail, "block") == 0 && known->timeout >= (int64_t)timeout * 1000;
}

/*
 * crmsh has a word for an operation that is there, and changes the text of the resource where it is not. A new one must stand beside those
 * that are there: behind anything else (VirtualDomain writes a utilization) crmsh makes a second list of it, which Pacemaker's schema forbids.
 */
static void add_crm_migrate_to(const struct cluster_rules *rules, const char *resource, struct json_object *crm)
{
	if (rules->known && rules->known->has_migrate_to) {
		add(crm, "crm configure set %s.migrate_to.timeout %us", resource, rules->timeout);
		add(crm, "crm configure set %s.migrate_to.on-fail block", resource);
	} else {
		add(crm, "crm configure filter \"sed -z 's/[[:space:]]op / op migrate_to interval=0s timeout=%us on-fail=block op /;t;"
			 "s/[[:space:]]*\\$/ op migrate_to interval=0s timeout=%us on-fail=block/'\" %s", rules->timeout, rules->timeout, resource);
	}
}

/* The lines for one guest; see the header. */
void cluster_add_rules(const struct cluster_rules *rules, struct json_object *pcs, struct json_object *crm)
{
	const struct cluster_guest *known = rules->known;
	char resource[WORD], rule[WORD], vfs[16];

	reason_word(known ? known->resource : rules->guest, resource, sizeof(resource));
	snprintf(vfs, sizeof(vfs), "%u", rules->vfs);
	if (!is_safe(known, rules->timeout)) {
		add(pcs, "pcs resource update %s op migrate_to interval=0s timeout=%us on-fail=block", resource, rules->timeout);
		add_crm_migrate_to(rules, resource, crm);
	}
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

/* The lines for the whole cluster; see the header. limit: guests that may leave a node at the same time. */
void cluster_add_options(const struct cluster *cluster, unsigned int limit, struct json_object *pcs, struct json_object *crm)
{
	long have = *cluster->limit ? strtol(cluster->limit, NULL, 10) : -1;

	if (!cluster->has_agent) {
		add(pcs, "pcs resource create vferry-host ocf:vferry:host op monitor interval=60s timeout=90s clone");
		add(crm, "crm configure primitive vferry-host ocf:vferry:host op monitor interval=60s timeout=90s");
		add(crm, "crm configure clone vferry-host-clone vferry-host");
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
	const struct cluster_guest *known = &seen->cluster.guest[guest];
	struct json_object *pcs = json_object_new_array(), *crm = json_object_new_array(), *use = seen->has_pcs ? pcs : crm;
	const struct cluster_rules rules = { .guest = known->resource, .known = known, .timeout = timeout, .card = "" };

	out[0] = '\0';
	cluster_add_rules(&rules, pcs, crm);
	if (json_object_array_length(use) && !is_safe(known, timeout) && (seen->has_pcs || seen->has_crm)) {
		bool is_two = use == crm && known->has_migrate_to; /* crmsh's two lines for one operation */

		snprintf(out, size, "%s%s%s", json_object_get_string(json_object_array_get_idx(use, 0)), is_two ? " && " : "",
			 is_two ? json_object_get_string(json_object_array_get_idx(use, 1)) : "");
	}
	json_object_put(pcs);
	json_object_put(crm);
	return out;
}
