/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_policy_estimate.c: how long it takes to make a PF ready, and whether a call of the hook has the time.
 */
#include "check.h"

#include "policy/estimate.h"

/* The estimate of a mode change, or none, and so many VFs. */
static struct estimate estimate_of(bool mode, unsigned int vfs)
{
	autosteps struct steps plan = { 0 };
	const struct step eswitch = { .kind = STEP_ESWITCH, .number = 1 }, number = { .kind = STEP_NUM_VFS, .number = vfs };
	const struct step quick = { .kind = STEP_UPLINK_UP, .number = 1 };

	CHECK_INT(steps_add(&plan, &quick), 0);
	if (mode)
		CHECK_INT(steps_add(&plan, &eswitch), 0);
	if (vfs)
		CHECK_INT(steps_add(&plan, &number), 0);
	return estimate_plan(&plan);
}

TEST(a_plan_takes_what_its_slow_steps_take)
{
	struct estimate e = estimate_of(true, 8);
	char text[192];

	CHECK_INT(e.least, 1300 + 8 * 280);
	CHECK_INT(e.most, 4000 + 8 * 520);
	CHECK_STR(estimate_describe(&e, text, sizeof(text)), "3.5 to 8.2 s: the mode change 1.3 to 4.0 s, 8 VFs 2.2 to 4.2 s");
	e = estimate_of(false, 1);
	CHECK_STR(estimate_describe(&e, text, sizeof(text)), "0.2 to 0.6 s: 1 VF 0.2 to 0.6 s");
	e = estimate_of(true, 0);
	CHECK_STR(estimate_describe(&e, text, sizeof(text)), "1.3 to 4.0 s: the mode change 1.3 to 4.0 s");
	e = estimate_of(false, 0);
	CHECK_INT(e.most, 0);
	CHECK_STR(estimate_describe(&e, text, sizeof(text)), "");
}

TEST(the_published_times_lie_within)
{
	static const struct {
		unsigned int vfs, ms;
	} seen[] = { { 4, 1600 }, { 8, 2600 }, { 16, 4500 }, { 125, 65000 } };

	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++) {
		struct estimate e = estimate_of(false, seen[i].vfs);

		CHECK(e.least <= seen[i].ms && seen[i].ms <= e.most);
	}
}

TEST(a_deadline_is_judged_by_the_longest_time_and_the_cure_is_enough)
{
	struct estimate e = estimate_of(true, 127);
	struct config config = { .hook_deadline = 105 };
	struct reason why = { 0 };

	CHECK_INT(estimate_allowed(&config), 105000 - 35000);
	CHECK_INT(estimate_judge(&config, &e, &why), -ETIME);
	CHECK_STR(why.what, "making it ready may take 36.8 to 70.1 s: the mode change 1.3 to 4.0 s, 127 VFs 35.5 to 66.1 s; an arrival has 70 s "
			    "for that, which is what hook_deadline = 105 leaves");
	CHECK_STR(why.cure, "run 'vferry prepare' here before guests come, which takes its time, or set hook_deadline = 106");
	config.hook_deadline = 106;
	CHECK_INT(estimate_judge(&config, &e, &why), 0);
	e = estimate_of(false, 0);
	config.hook_deadline = 5;
	CHECK_INT(estimate_judge(&config, &e, &why), 0);
}

TEST(what_the_cure_names_is_enough_for_every_number_of_vfs)
{
	for (unsigned int vfs = 1; vfs <= 256; vfs++) {
		struct estimate e = estimate_of(vfs & 1, vfs);
		struct config config = { .hook_deadline = 5 };
		struct reason why = { 0 };
		const char *named;

		if (!estimate_judge(&config, &e, &why))
			continue;
		named = strstr(why.cure, "hook_deadline = ");
		CHECK(named);
		config.hook_deadline = (unsigned int)atoi(named + strlen("hook_deadline = "));
		CHECK(config.hook_deadline <= 600);
		CHECK_INT(estimate_judge(&config, &e, NULL), 0);
	}
}
