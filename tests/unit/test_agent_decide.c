/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_agent_decide.c: what the agent intends to do after what it has seen. See agent_world.h for the words.
 */
#include "agent_world.h"

/* A row: looks, one after the other; what was pending after each but the last was done; what is pending then. */
struct row {
	const char *what;
	const char *looks[5];
	const char *pending;
};

/* A guest with a VF on its way in: its memory comes; the source has stopped it; it runs, and libvirt has yet to finish; it has landed. */
#define PREPARE "a in prepare paused because=migration vf=1"
#define FINISH "a in finish3 paused because=migration vf=1"
#define RUNS "a in finish3 running because=migrated vf=1"
#define LANDED "a running because=migrated vf=1"
/* On its way out: its memory goes; it is taken back. */
#define OUT "a vf=1 out perform3"
#define CANCELLED "a vf=1 out confirm3_cancelled"

static const struct row passports[] = {
	{ "a guest that is seen first", { "a vf=1" }, "passport@a" },
	{ "nothing new", { "a vf=1", "a vf=1" }, "" },
	{ "a guest without a VF is none of its business", { "a", "a out begin3", "a out perform3 postcopy", "a", "" }, "" },
	{ "nor one with a device of another make", { "a foreign=1", "a foreign=1,2", "a out perform3 foreign=1 postcopy",
						     "[ports] a foreign=1" }, "" },
	{ "a port that somebody has set something on", { "a vf=1; b", "[ports] a vf=1; b" }, "passport@a" },
	{ "the minute", { "a vf=1; b vf=2; c", "[all] a vf=1; b vf=2; c" }, "reconcile passport@a passport@b publish" },
	{ "libvirt is back", { "a vf=1", "[connected] a vf=1" }, "threads reconcile passport@a" },
	{ "a job has ended", { "a vf=1 other", "a vf=1" }, "passport@a" },
	{ "a job begins", { "a vf=1", "a vf=1 other" }, "" },
	{ "the guest has gone", { "a vf=1", "" }, "reconcile" },
	{ "a guest without VFs has gone", { "a", "" }, "" },
	{ "a file that cannot be read makes nobody gone", { "a vf=1; b vf=2", "[unreadable] b vf=2" }, "" },
	{ "and what is known of it stays", { "a vf=1", "[unreadable]", "a vf=1" }, "" },
};

static const struct row devices[] = {
	{ "a VF comes", { "a vf=1", "a vf=1,2" }, "adopt@a passport@a" },
	{ "the first VF comes", { "a", "a vf=1" }, "adopt@a passport@a" },
	{ "a VF leaves", { "a vf=1,2", "a vf=1" }, "yield@a passport@a" },
	{ "the last VF leaves", { "a vf=1", "a" }, "yield@a passport@a" },
	{ "one takes another's place", { "a vf=1", "a vf=2" }, "yield@a adopt@a passport@a" },
	{ "the same in another order", { "a vf=1,2", "a vf=2,1" }, "" },
	{ "a VF goes from guest to guest: given back before it is taken in", { "a vf=1; b vf=2", "a; b vf=2,1" },
	  "yield@a adopt@b passport@a passport@b" },
	{ "whichever comes first in the list", { "b vf=2; a vf=1", "b vf=2,1; a" }, "yield@a adopt@b passport@b passport@a" },
	{ "two guests change VFs", { "a vf=1; b vf=2", "a vf=2; b vf=1" }, "yield@a yield@b adopt@a adopt@b passport@a passport@b" },
	{ "a device of another make comes beside a VF", { "a vf=1", "a vf=1 foreign=3" }, "adopt@a passport@a" },
	{ "the devices of an arrival are the hook's", { "a in prepare paused because=migration", PREPARE },
	  "locate@a passport@a" },
};

static const struct row arrivals[] = {
	{ "a guest comes", { PREPARE }, "locate@a passport@a" },
	{ "its place is looked for once", { PREPARE, PREPARE }, "" },
	{ "the source has stopped it", { PREPARE, FINISH }, "announce:1@a" },
	{ "that is announced once", { PREPARE, FINISH,
				      FINISH }, "" },
	{ "it runs here, and libvirt has yet to finish", { FINISH, RUNS },
	  "announce:2@a" },
	{ "it has landed", { FINISH, LANDED },
	  "announce:2@a reconcile definition@a passport@a" },
	{ "it runs, and then lands: announced once", { FINISH, RUNS,
						       LANDED }, "reconcile definition@a passport@a" },
	{ "libvirt says it first", { FINISH, FINISH " resumed",
				     RUNS }, "" },
	{ "no finish is seen", { PREPARE, LANDED },
	  "announce:2@a reconcile definition@a passport@a" },
	{ "it arrives paused by its user", { FINISH, "a paused because=user vf=1" },
	  "announce:2@a reconcile definition@a passport@a" },
	{ "libvirt throws its job away before it ends it", { PREPARE, "a paused because=migration vf=1" },
	  "passport@a" },
	{ "and then it has gone", { PREPARE, "a shutdown because=unknown vf=1", "" }, "reconcile" },
	{ "it had arrived before the agent was there", { LANDED }, "definition:1@a passport@a" },
	{ "it had been started here", { "a running because=booted vf=1" }, "passport@a" },
	{ "it leaves again at once", { FINISH, "a out begin3 running because=migrated vf=1" },
	  "announce:2@a reconcile definition@a passport@a" },
	{ "it comes a second time", { "a in finish3 running because=migration vf=1 t=1", LANDED, "",
				      FINISH " t=9" }, "announce:1@a locate@a passport@a" },
};

static const struct row departures[] = {
	{ "it waits at the destination", { "a vf=1", "a vf=1 out begin3" }, "" },
	{ "it moves", { "a vf=1 out begin3", "a vf=1 out perform3" }, "limit@a" },
	{ "its first save has no phase", { "a vf=1", "a vf=1 out" }, "" },
	{ "it moves on", { "a vf=1 out perform3", "a vf=1 out perform3" }, "" },
	{ "it moves when the agent comes", { "a vf=1 out perform3" }, "limit@a passport@a" },
	{ "the next job moves already", { "a vf=1 out perform3 t=1", "a vf=1 out perform3 t=2" }, "announce:3@a limit@a" },
	{ "the next job of a libvirt that tells no times", { "a vf=1 out perform3", "a vf=1 out begin3",
							      "a vf=1 out perform3" }, "limit@a" },
	{ "it is confirmed", { "a vf=1 out perform3", "a vf=1 out confirm3 paused because=migration" }, "unplug@a" },
	{ "that is seen twice", { "a vf=1 out confirm3 paused", "a vf=1 out confirm3 paused" }, "" },
	{ "taken back", { "a vf=1 out perform3", "a vf=1 out confirm3_cancelled" }, "" },
	{ "it stays", { "a vf=1 out perform3 t=5", "a vf=1" }, "announce:3@a passport@a" },
	{ "it stays, and libvirt tells no times", { "a vf=1 out perform3", "a vf=1" }, "announce:3@a passport@a" },
	{ "it runs on here before its job has ended", { OUT " paused t=5", CANCELLED " running t=5 resumed" }, "announce:2@a" },
	{ "and is announced again when it has", { OUT " paused t=5", CANCELLED " running t=5 resumed", "a vf=1" },
	  "announce:3@a passport@a" },
	{ "it fails twice: announced twice", { OUT " t=5", "a vf=1", OUT " t=6", "a vf=1" }, "announce:3@a passport@a" },
	{ "one that is paused may run elsewhere", { "a vf=1 out perform3 t=5", "a vf=1 paused because=migration" }, "passport@a" },
	{ "it has gone", { "a vf=1 out confirm3 paused", "" }, "reconcile" },
};

static const struct row limits[] = {
	{ "post-copy is ended as soon as it can be seen, and gets no limit", { "a vf=1", "a vf=1 out perform3 postcopy" }, "end@a" },
	{ "once", { "a vf=1 out begin3 postcopy", "a vf=1 out begin3 postcopy" }, "end@a" },
	{ "of five the newest, by what was seen", { OUT " t=9; b vf=2 out perform3 t=8; c vf=3 out perform3 t=7; d vf=4 out perform3 t=6",
		"e vf=5 out perform3 t=1; " OUT " t=9; b vf=2 out perform3 t=8; c vf=3 out perform3 t=7; d vf=4 out perform3 t=6" },
	  "end@e passport@e" },
	{ "the same where libvirt tells no times", { "z vf=1 out perform3; b vf=2 out perform3; c vf=3 out perform3; d vf=4 out perform3",
		"a vf=5 out perform3; z vf=1 out perform3; b vf=2 out perform3; c vf=3 out perform3; d vf=4 out perform3" },
	  "end@a passport@a" },
	{ "seen at once: by libvirt's times", { "a vf=1,2,3 out perform3 t=30; b vf=4,5 out perform3 t=20" },
	  "end@a limit@b passport@a passport@b" },
	{ "seen at once without times: the one that is less far", { "a vf=1,2,3 out perform3; b vf=4,5 out perform3_done" },
	  "end@a limit@b passport@a passport@b" },
	{ "one that has waited is newer than what moves already", { "a vf=1,2,3 out begin3 t=1; b vf=4,5 out perform3 t=2",
		"a vf=1,2,3 out perform3 t=1; b vf=4,5 out perform3 t=2" }, "end@a" },
	{ "one that is confirmed counts, and is left alone", { "a vf=1,2,3 out perform3; b vf=4 out perform3",
		"a vf=1,2,3 out perform3; b vf=4 out confirm3 paused; c vf=5 out perform3" }, "end@c unplug@b passport@c" },
};

/* Goes through a table. */
static void go_through(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		world_begin();
		for (size_t k = 0; k < 5 && rows[i].looks[k]; k++) {
			if (k)
				world_done();
			world_look(rows[i].looks[k], NULL);
		}
		if (strcmp(world_pending(), rows[i].pending))
			FAIL("%s: pending is \"%s\", not \"%s\"", rows[i].what, world_pending(), rows[i].pending);
	}
	printf("# %zu rows\n", count);
	world_begin();
}

#define TABLE(name, rows)                                           \
	TEST(name)                                                  \
	{                                                           \
		go_through(rows, sizeof(rows) / sizeof((rows)[0])); \
	}

TABLE(what_calls_for_a_passport_and_what_for_reconciling, passports)
TABLE(what_follows_from_devices_that_come_and_go, devices)
TABLE(what_follows_from_an_arrival, arrivals)
TABLE(what_follows_from_a_departure, departures)
TABLE(what_is_ended, limits)

TEST(a_migration_that_is_to_be_ended_names_its_rule)
{
	world_begin();
	world_look("a vf=1 out perform3 postcopy", NULL);
	CHECK_STR(agenda_find(&world.agenda, INTENT_END, "a")->why.rule, "L1-postcopy");
	CHECK(agenda_find(&world.agenda, INTENT_END, "a")->job == world.facts.guest[0].job);
	world_begin();
}

TEST(what_is_pending_and_about_something_that_is_over_is_taken_out)
{
	world_begin();
	world_look("a vf=1 out perform3 postcopy t=1; b vf=2 out perform3 t=1", NULL);
	CHECK_STR(world_pending(), "end@a limit@b passport@a passport@b");
	world_look("a vf=1 out perform3 postcopy t=2; b vf=2", NULL); /* another migration that breaks it, too; the other is over */
	CHECK_STR(world_pending(), "end@a announce:3@a announce:3@b passport@a passport@b");
	CHECK(agenda_find(&world.agenda, INTENT_END, "a")->job == world.facts.guest[0].job);
	world_look("b vf=2", NULL);
	CHECK_STR(world_pending(), "announce:3@b reconcile passport@b");
	world_look("b vf=2 in prepare paused", NULL); /* as a guest of that uuid that comes anew */
	CHECK_STR(world_pending(), "announce:3@b locate@b reconcile passport@b");
	world_look("", NULL);
	CHECK_STR(world_pending(), "reconcile");
	world_begin();
}
