/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * look.c: what looks are made of: the phrases of a finding, the hook's own rules.
 */
#include "command/check/look.h"

#include <stdarg.h>
#include <string.h>

#include "policy/network.h"
#include "policy/plan_host.h"

/* Says what was found. */
void check_found(struct finding *f, enum state state, const char *format, ...)
{
	va_list args;

	f->state = state;
	va_start(args, format);
	vsnprintf(f->found, sizeof(f->found), format, args);
	va_end(args);
}

/* Says which command mends it. */
void check_mend(struct finding *f, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->mend, sizeof(f->mend), format, args);
	va_end(args);
}

/* Says what to do where no command can. */
void check_advise(struct finding *f, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->advice, sizeof(f->advice), format, args);
	va_end(args);
}

/* The states that verdicts are shown as. */
static enum state state_of(enum verdict verdict)
{
	static const enum state state[] = {
		[VERDICT_PASS] = STATE_OK, [VERDICT_EXPLAIN] = STATE_NONE, [VERDICT_WARN] = STATE_WARNING, [VERDICT_WAIT] = STATE_WARNING,
		[VERDICT_REFUSE] = STATE_FAILURE,
	};

	return state[verdict];
}

/* Judges by a rule of the hook; see the header. */
enum verdict check_by_rule(const struct check_case *c, const char *name, const char *fine, struct finding *f)
{
	struct scene *scene = &c->view->scene;
	struct inventory_vf room[INVENTORY_MAX_VFS];
	struct inventory_pf idle = { 0 };
	struct guest_vf vf = { 0 };
	struct flights flights = { 0 };
	struct placement placement = scene_placement(scene);
	struct rule_case r = { .config = c->config, .inventory = &scene->inventory, .incoming = true, .domain = scene->domain,
			       .guest = c->has_guest ? &scene->guest : NULL, .pf = &idle, .vf = &vf, .running = &scene->running,
			       .flights = &flights };
	struct reason why = { 0 };
	enum verdict verdict;

	snprintf(vf.bridge, sizeof(vf.bridge), "%s", network_bridge(c->config, &scene->inventory, c->pf));
	if (c->pf) {
		idle = plan_host_idle(&scene->inventory, c->pf, room);
		flights = placement_flights(&placement, c->pf);
	}
	verdict = rules_judge_by(rules_find(name), &r, &why);
	check_found(f, state_of(verdict), "%s", verdict == VERDICT_PASS ? fine : why.what);
	if (verdict != VERDICT_PASS)
		check_advise(f, "%s", why.cure);
	return verdict;
}

/* Appends a word to a list, cleaned. */
void check_list(char *list, size_t size, const char *word)
{
	size_t used = strlen(list);
	char clean[128];

	reason_clean(clean, sizeof(clean), word);
	snprintf(list + used, size - used, "%s%s", used ? ", " : "", clean);
}

/* Whether somebody prepared a PF: its eswitch or its VFs are not as they boot, or its uplink is in the bridge already. */
static bool is_prepared(const struct check_case *c, const struct inventory_pf *pf)
{
	return pf->mode == ESWITCH_SWITCHDEV || pf->num_vfs || strcmp(pf->uplink_bridge, c->config->bridge) == 0;
}

/* Whether vferry has no use for a PF. */
bool check_is_spare(const struct check_case *c)
{
	const struct inventory *inventory = &c->view->scene.inventory;

	if (is_prepared(c, c->pf) || c->pf->mode == ESWITCH_UNKNOWN)
		return false;
	for (size_t i = 0; i < inventory->pfs; i++) {
		if (&inventory->pf[i] != c->pf && guest_can_use_pf(c->config, &inventory->pf[i]) && is_prepared(c, &inventory->pf[i]))
			return true;
	}
	return false;
}
