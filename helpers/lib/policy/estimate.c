/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * estimate.c: how long it takes to make a PF ready. See estimate.h.
 */
#include "policy/estimate.h"

#include <errno.h>
#include <stdio.h>

/*
 * estimate_plan() - how long a plan takes
 * @plan:	steps
 * Return: the estimate
 */
struct estimate estimate_plan(const struct steps *plan)
{
	struct estimate e = { 0 };

	for (size_t i = 0; i < plan->count; i++) {
		if (plan->step[i].kind == STEP_ESWITCH)
			e.modes++;
		else if (plan->step[i].kind == STEP_NUM_VFS)
			e.vfs += plan->step[i].number;
	}
	e.least = e.modes * ESTIMATE_MODE_LEAST + e.vfs * ESTIMATE_VF_LEAST;
	e.most = e.modes * ESTIMATE_MODE_MOST + e.vfs * ESTIMATE_VF_MOST;
	return e;
}

/*
 * say_time() - "1.3 to 4.0 s", the one rounded down and the other up
 * @least, @most:	ms
 * @out:	result
 */
static const char *say_time(unsigned int least, unsigned int most, char *out, size_t size)
{
	unsigned int up = most + 99;

	snprintf(out, size, "%u.%u to %u.%u s", least / 1000, least % 1000 / 100, up / 1000, up % 1000 / 100);
	return out;
}

/*
 * estimate_describe() - how long, and what of it, in words
 * @out:	result, "" where nothing takes long
 * Return: out
 */
char *estimate_describe(const struct estimate *estimate, char *out, size_t size)
{
	const unsigned int modes = estimate->modes, vfs = estimate->vfs;
	char whole[48], mode[96] = "", made[96] = "", time[48];

	if (modes)
		snprintf(mode, sizeof(mode), "the mode change %s%s",
			 say_time(modes * ESTIMATE_MODE_LEAST, modes * ESTIMATE_MODE_MOST, time, sizeof(time)), vfs ? ", " : "");
	if (vfs)
		snprintf(made, sizeof(made), "%u VF%s %s", vfs, vfs == 1 ? "" : "s",
			 say_time(vfs * ESTIMATE_VF_LEAST, vfs * ESTIMATE_VF_MOST, time, sizeof(time)));
	*out = '\0';
	if (modes || vfs)
		snprintf(out, size, "%s: %s%s", say_time(estimate->least, estimate->most, whole, sizeof(whole)), mode, made);
	return out;
}

/* How much of hook_deadline is for making ready; see the header. */
unsigned int estimate_allowed(const struct config *config)
{
	unsigned int whole = config->hook_deadline * 1000;

	return whole - whole / 3;
}

/*
 * estimate_judge() - whether a call of the hook has the time for it, also if it takes as long as it has been seen to take
 * @why:	filled if not
 * Return: 0, -ETIME
 */
int estimate_judge(const struct config *config, const struct estimate *estimate, struct reason *why)
{
	unsigned int allowed = estimate_allowed(config), needed = (estimate->most * 3 / 2 + 999) / 1000;
	char text[192];

	if (estimate->most <= allowed)
		return 0;
	reason_set(why, -ETIME, NULL, "making it ready may take %s; an arrival has %u s for that, which is what hook_deadline = %u leaves",
		   estimate_describe(estimate, text, sizeof(text)), allowed / 1000, config->hook_deadline);
	reason_cure(why, "run 'vferry prepare' here before guests come, which takes its time, or set hook_deadline = %u", needed);
	return -ETIME;
}
