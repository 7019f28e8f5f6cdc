/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cluster.c: whoever moves guests: V12, V13. A migration that is refused, or waits, must not end the guest.
 */
#include <string.h>

#include "command/check/tables.h"
#include "command/cluster/lines.h"

/* What is wrong with how Pacemaker moves one guest, from mild to hard. */
enum flaw { FLAW_NONE, FLAW_PLACE, FLAW_WAIT, FLAW_STOP_THERE, FLAW_STOP };

/* Return: the worst of one guest. One without host devices is none of vferry's business. */
static enum flaw flaw_of(const struct check_case *c, size_t i)
{
	const struct cluster_guest *guest = &c->cluster->cluster.guest[i];

	if (!c->cluster->domain[i].devices)
		return FLAW_NONE;
	if (guest->migrates && strcmp(guest->migrate_to.on_fail, "block") != 0)
		return FLAW_STOP;
	if (guest->migrates && !cluster_is_safe(&guest->migrate_from, CLUSTER_SEEN_S))
		return FLAW_STOP_THERE;
	if (guest->migrates && !cluster_is_safe(&guest->migrate_to, cluster_timeout(c->config)))
		return FLAW_WAIT;
	return guest->migrates && guest->has_rule ? FLAW_NONE : FLAW_PLACE;
}

/* Says a flaw that these guests have. first: one of them. */
static void say_flaw(const struct check_case *c, enum flaw flaw, const char *guests, const struct cluster_guest *first, struct finding *f)
{
	unsigned int need = cluster_timeout(c->config);

	switch (flaw) {
	case FLAW_STOP:
		check_found(f, STATE_FAILURE, "a refused migration would stop %s: Pacemaker has on-fail=%s for migrate_to", guests,
			    *first->migrate_to.on_fail ? first->migrate_to.on_fail : "restart (its default)");
		check_advise(f, "set on-fail=block, which leaves the guest running where it is; see all lines with: vferry cluster --all");
		break;
	case FLAW_STOP_THERE:
		check_found(f, STATE_FAILURE,
			    "%s would be stopped where it has gone, if it is not seen to run there in %lld s: Pacemaker has on-fail=%s for migrate_from",
			    guests, (long long)(first->migrate_from.timeout / 1000),
			    *first->migrate_from.on_fail ? first->migrate_from.on_fail : "restart (its default)");
		check_advise(f, "set on-fail=block and a longer timeout; see all lines with: vferry cluster --all");
		break;
	case FLAW_WAIT:
		check_found(f, STATE_WARNING, "Pacemaker gives a migration of %s up after %lld s, and with a wait for a slot it can take %u s", guests,
			    (long long)(first->migrate_to.timeout / 1000), need);
		if (first->migrate_to.timeout / 1000 > c->config->hook_deadline)
			check_advise(f, "raise the timeout of migrate_to, or set patience = %lld in vferry.conf here: that and hook_deadline fit into it",
				     (long long)(first->migrate_to.timeout / 1000 - c->config->hook_deadline));
		else
			check_advise(f, "raise the timeout of migrate_to above hook_deadline (%u s)", c->config->hook_deadline);
		break;
	default:
		check_found(f, STATE_WARNING,
			    "Pacemaker does not know where %s can go: allow-migrate or a rule about the card is missing", guests);
		check_advise(f, "see the lines with: vferry cluster --all");
	}
}

/* V12: what Pacemaker does with guests that have VFs. */
static void look_pacemaker(const struct check_case *c, struct finding *f)
{
	char guests[256] = "", mend[sizeof(f->mend)];
	enum flaw worst = FLAW_NONE;
	size_t first = 0;

	if (!c->cluster || !c->cluster->is_there) {
		check_found(f, STATE_NONE, c->cluster ? "this host is in no cluster of Pacemaker's, or it does not run" : "a record does not tell");
		return;
	}
	for (size_t i = 0; i < c->cluster->cluster.guests; i++) {
		if (flaw_of(c, i) > worst) {
			worst = flaw_of(c, i);
			first = i;
		}
	}
	for (size_t i = 0; worst && i < c->cluster->cluster.guests; i++) {
		if (flaw_of(c, i) == worst)
			check_list(guests, sizeof(guests), c->cluster->cluster.guest[i].resource);
	}
	if (worst) {
		say_flaw(c, worst, guests, &c->cluster->cluster.guest[first], f);
	} else if (cluster_may_fence(&c->cluster->cluster)) {
		check_found(f, STATE_WARNING, "a node where %s takes long to stop would be fenced, with all its guests", c->cluster->cluster.agent);
		check_advise(f, "see the line with on-fail=block for its stop: vferry cluster --all");
	} else {
		check_found(f, STATE_OK, "a refused migration leaves every guest of Pacemaker's running");
	}
	if (worst > FLAW_PLACE)
		check_mend(f, "%s", cluster_mend(c->cluster, first, cluster_timeout(c->config), mend, sizeof(mend)));
}

/* V13: how long an arrival may wait, and whether that is longer than whoever moves it does. */
static void look_patience(const struct check_case *c, struct finding *f)
{
	const struct config *config = c->config;

	if (config->patience && config->patience <= config->hook_deadline) {
		check_found(f, STATE_WARNING, "patience is %u s, and making ready alone may take %u s (hook_deadline)", config->patience,
			    config->hook_deadline);
		check_advise(f, "let the engine wait longer for a migration, and raise patience in vferry.conf to that");
	} else if (config->patience) {
		check_found(f, STATE_OK, "an arrival that would wait too long for a slot is refused at once: patience is %u s", config->patience);
	} else {
		check_found(f, STATE_OK, "an arrival waits up to %u s for a slot; an engine that waits less for a migration has its time set as patience",
			    config->slot_wait);
	}
}

const struct check_row check_rows_cluster[] = {
	{ "V12", "Pacemaker", SCOPE_HOST, "by its defaults it stops a guest whose migration is refused on both nodes, and starts it elsewhere",
	  look_pacemaker },
	{ "V13", "patience", SCOPE_HOST, "a guest that still waits when its engine gives up is cut off in the middle", look_patience },
	{ 0 },
};
