/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long an arrival waits for a slot, when whoever moves it has no more time than that. */
#include "check.h"

#include "policy/patience.h"

/* A configuration with slot_wait 300 and this patience. */
static struct config with(unsigned int patience)
{
	struct config config;

	config_defaults(&config);
	config.patience = patience;
	return config;
}

TEST(without_patience_it_waits_as_long_as_slot_wait_behind_anybody)
{
	struct config config = with(0);
	struct patience p = { .config = &config, .move_ms = 60000 };

	CHECK_INT(patience_wait(&p), 300000);
	CHECK_INT(patience_judge(&p, 16, NULL), 0);
}

TEST(time_for_the_move_itself_is_kept)
{
	struct config config = with(120);
	struct patience p = { .config = &config, .move_ms = 30000 };

	CHECK_INT(patience_wait(&p), 90000);
	p.move_ms = 0;
	CHECK_INT(patience_wait(&p), 60000);
	p.move_ms = 500000;
	CHECK_INT(patience_wait(&p), 0);
	config.patience = 3600;
	p.move_ms = 1000;
	CHECK_INT(patience_wait(&p), 300000);
}

TEST(a_line_that_is_longer_than_what_is_left_is_refused_at_once)
{
	struct config config = with(120);
	struct patience p = { .config = &config, .move_ms = 60000 };
	struct reason why = { 0 };

	CHECK_INT(patience_judge(&p, 3, &why), 0);
	CHECK_INT(patience_judge(&p, 7, &why), 0);
	CHECK_INT(patience_judge(&p, 8, &why), -EAGAIN);
	CHECK_STR(why.what, "8 guests wait for a slot before it, which takes 120 s or more, and whoever moves it leaves it 60 s");
	CHECK_CONTAINS(why.cure, "patience");
	p.move_ms = 0;
	CHECK_INT(patience_judge(&p, 8, &why), 0);
}

TEST(fewer_slots_make_a_line_longer)
{
	struct config config = with(120);
	struct patience p = { .config = &config, .move_ms = 60000 };

	config.vfs_in_flight = 1;
	CHECK_INT(patience_judge(&p, 1, NULL), 0);
	CHECK_INT(patience_judge(&p, 2, NULL), -EAGAIN);
}
