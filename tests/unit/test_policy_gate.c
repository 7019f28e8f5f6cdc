/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which outgoing migrations are ended, and which downtime a guest gets. */
#include "check.h"

#include "policy/downtime.h"
#include "policy/gate.h"

#define GUESTS 6

/* A host with two PFs of 8 VFs each, and guests that a test fills in. */
static struct {
	struct config config;
	struct inventory inventory;
	struct pci_address device[GUESTS][8];
	struct status status[GUESTS];
	uint64_t began[GUESTS];
	struct status_list list;
	struct gate_verdict verdict[GUESTS];
} host;

/* Makes the host, without guests. */
static void make_host(void)
{
	memset(&host, 0, sizeof(host));
	config_defaults(&host.config);
	host.inventory.pfs = 2;
	for (unsigned int i = 0; i < 2; i++) {
		struct inventory_pf *pf = &host.inventory.pf[i];

		*pf = (struct inventory_pf){.address = {0, 0x81, 0, (uint8_t)i}, .total_vfs = 8, .offset = 2 + 7 * i, .stride = 1};
		pf->card.can_migrate = true;
	}
	host.list.status = host.status;
}

/* Adds a guest with some VFs of PF 0, numbered from first on. */
static struct status *add_guest(enum status_job job, const char *phase, uint64_t began, unsigned int first, unsigned int vfs)
{
	size_t i = host.list.count++;
	struct status *status = &host.status[i];

	status->job = job;
	snprintf(status->phase, sizeof(status->phase), "%s", phase);
	snprintf(status->uuid, sizeof(status->uuid), "guest-%zu", i);
	host.began[i] = began;
	status->device = host.device[i];
	for (unsigned int k = 0; k < vfs; k++)
		CHECK_INT(pci_address_vf(&host.inventory.pf[0].address, 2, 1, first + k, &status->device[status->devices++]), 0);
	return status;
}

/* Returns how many migrations would be ended. */
static size_t judge(void)
{
	struct gate_case c = {.config = &host.config, .inventory = &host.inventory, .running = &host.list, .began = host.began};

	return gate_judge(&c, host.verdict, GUESTS);
}

TEST(four_vfs_may_move_and_a_guest_without_a_job_counts_for_nothing)
{
	make_host();
	add_guest(STATUS_MIGRATION_OUT, "perform3", 1, 0, 2);
	add_guest(STATUS_MIGRATION_OUT, "perform3", 2, 2, 2);
	add_guest(STATUS_NO_JOB, "", 0, 4, 4);
	CHECK_INT(judge(), 0);
}

TEST(the_newest_yields_whatever_the_order_of_the_files)
{
	make_host();
	add_guest(STATUS_MIGRATION_OUT, "perform3", 30, 0, 2);
	add_guest(STATUS_MIGRATION_OUT, "perform3", 10, 2, 2);
	add_guest(STATUS_MIGRATION_OUT, "perform3", 20, 4, 2);
	CHECK_INT(judge(), 1);
	CHECK(host.verdict[0].guest == &host.status[0]);
	CHECK_STR(host.verdict[0].why.rule, "L4-slots");
	CHECK_STR(host.verdict[0].why.object, "0000:81:00.0");
	CHECK_CONTAINS(host.verdict[0].why.what, "6 VFs of this PF");
	CHECK_CONTAINS(host.verdict[0].why.cure, "when the others have arrived");
}

TEST(neither_the_uuid_nor_the_clock_of_the_host_tells_which_is_newer)
{
	make_host();
	add_guest(STATUS_MIGRATION_OUT, "perform3", 2, 0, 3)->started = 1700000000000; /* began later, when the clock had been set back */
	add_guest(STATUS_MIGRATION_OUT, "perform3", 1, 3, 3)->started = 1700000500000;
	CHECK_INT(judge(), 1);
	CHECK(host.verdict[0].guest == &host.status[0]);
}

TEST(who_waits_at_the_destination_does_not_count)
{
	make_host();
	add_guest(STATUS_MIGRATION_OUT, "perform3", 10, 0, 4);
	add_guest(STATUS_MIGRATION_OUT, "begin3", 20, 4, 2);
	add_guest(STATUS_MIGRATION_OUT, "", 30, 6, 2);
	CHECK_INT(judge(), 0);
	snprintf(host.status[1].phase, sizeof(host.status[1].phase), "perform3");
	CHECK_INT(judge(), 1);
	CHECK(host.verdict[0].guest == &host.status[1]);
}

TEST(what_comes_in_takes_slots_and_is_not_ended_here)
{
	make_host();
	add_guest(STATUS_MIGRATION_IN, "prepare", 90, 0, 3);
	add_guest(STATUS_MIGRATION_OUT, "perform3", 10, 3, 2);
	CHECK_INT(judge(), 1);
	CHECK(host.verdict[0].guest == &host.status[1]);
}

TEST(a_migration_that_is_confirmed_is_left_alone)
{
	make_host();
	add_guest(STATUS_MIGRATION_OUT, "perform3", 10, 0, 4);
	add_guest(STATUS_MIGRATION_OUT, "confirm3", 20, 4, 4);
	CHECK_INT(judge(), 0);
}

TEST(each_pf_has_its_own_slots)
{
	make_host();
	add_guest(STATUS_MIGRATION_OUT, "perform3", 10, 0, 4);
	add_guest(STATUS_MIGRATION_OUT, "perform3", 20, 0, 0);
	for (unsigned int k = 0; k < 4; k++)
		CHECK_INT(pci_address_vf(&host.inventory.pf[1].address, 9, 1, k, &host.status[1].device[host.status[1].devices++]), 0);
	CHECK_INT(judge(), 0);
	CHECK_INT(gate_count_vfs(&host.status[1], &host.inventory, &host.inventory.pf[1]), 4);
	CHECK_INT(gate_count_vfs(&host.status[1], &host.inventory, &host.inventory.pf[0]), 0);
}

TEST(post_copy_is_ended_as_soon_as_it_can_be_seen)
{
	make_host();
	add_guest(STATUS_MIGRATION_OUT, "begin3", 10, 0, 1)->flags = 0x8003;
	CHECK_INT(judge(), 1);
	CHECK_STR(host.verdict[0].why.rule, "L1-postcopy");
}

TEST(a_card_unlike_those_of_the_other_hosts_keeps_its_guest_where_that_is_known)
{
	make_host();
	add_guest(STATUS_MIGRATION_OUT, "begin3", 1, 0, 1);
	snprintf(host.config.peer_psid, sizeof(host.config.peer_psid), "MT_0000000834");
	snprintf(host.config.peer_firmware, sizeof(host.config.peer_firmware), "28.42.1000");
	CHECK_INT(judge(), 0); /* devlink did not tell what this one is */
	snprintf(host.inventory.pf[0].info.psid, sizeof(host.inventory.pf[0].info.psid), "MT_0000000834");
	snprintf(host.inventory.pf[0].info.firmware, sizeof(host.inventory.pf[0].info.firmware), "28.42.1000");
	snprintf(host.inventory.pf[1].info.psid, sizeof(host.inventory.pf[1].info.psid), "MT_0000000999");
	CHECK_INT(judge(), 0);
	snprintf(host.inventory.pf[0].info.firmware, sizeof(host.inventory.pf[0].info.firmware), "28.43.2000");
	CHECK_INT(judge(), 1);
	CHECK_STR(host.verdict[0].why.rule, "L6-same-firmware");
	CHECK_STR(host.verdict[0].why.object, "0000:81:00.0");
	CHECK_STR(host.verdict[0].why.what, "its firmware is 28.43.2000 and the destination's is 28.42.1000, by [peer] in vferry.conf");
	snprintf(host.config.peer_psid, sizeof(host.config.peer_psid), "MT_0000000001");
	CHECK_INT(judge(), 1);
	CHECK_STR(host.verdict[0].why.rule, "L5-psid");
}

TEST(a_guest_without_a_vf_that_can_migrate_may_do_what_it_likes)
{
	make_host();
	add_guest(STATUS_MIGRATION_OUT, "perform3", 10, 0, 8)->flags = 0x8003;
	host.inventory.pf[0].card.can_migrate = false;
	CHECK_INT(judge(), 0);
}

TEST(the_configured_limit_counts)
{
	make_host();
	host.config.vfs_in_flight = 1;
	add_guest(STATUS_MIGRATION_OUT, "perform3", 10, 0, 1);
	add_guest(STATUS_MIGRATION_OUT, "perform3", 20, 1, 1);
	CHECK_INT(judge(), 1);
	CHECK(host.verdict[0].guest == &host.status[1]);
}

TEST(the_first_model_is_what_was_measured_on_the_card)
{
	struct downtime_model model = {0};

	CHECK_INT(downtime_limit(&model, 1, false), 475);
	CHECK_INT(downtime_limit(&model, 4, false), 1900);
	CHECK_INT(downtime_limit(&model, 4, true), 1080);
	CHECK_INT(downtime_limit(&model, 0, true), DOWNTIME_QEMU);
	CHECK_INT(downtime_limit(&model, 200, false), DOWNTIME_MOST);
}

TEST(what_was_seen_takes_the_place_of_the_model_up_at_once_and_down_slowly)
{
	struct downtime_model model = {0};

	downtime_learn(&model, 2, false, 1000);
	CHECK_INT(model.per_vf[0], 500);
	CHECK_INT(downtime_limit(&model, 2, false), 1500);
	CHECK_INT(downtime_limit(&model, 2, true), 590);
	downtime_learn(&model, 1, false, 900);
	CHECK_INT(model.per_vf[0], 900);
	downtime_learn(&model, 1, false, 100);
	CHECK_INT(model.per_vf[0], 700);
	downtime_learn(&model, 0, false, 100);
	downtime_learn(&model, 1, false, 0);
	downtime_learn(&model, 1, false, DOWNTIME_MOST + 1);
	CHECK_INT(model.per_vf[0], 700);
}

TEST(device_states_go_over_several_streams_where_the_machine_has_it_and_parallel_was_asked_for)
{
	static const struct { const char *machine; bool can; } rows[] = {
		{ "pc-q35-10.0", true },   { "pc-i440fx-10.1", true },   { "virt-11.0", true },       { "pc-q35-9.2", false },
		{ "virt-8.2", false },     { "pc-q35-rhel9.6.0", false }, { "pc-q35-rhel10.2.0", false }, { "virt-rhel10.0.0", false },
		{ "pc-q35-noble", false }, { "microvm", false },         { "", false },               { "pc-q35-", false },
		{ "pc-q35-100.1", true },  { "pc-q35-10", false },       { "s390-ccw-virtio-10.0", true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (downtime_can_multifd(rows[i].machine) != rows[i].can)
			FAIL("machine \"%s\" is judged wrongly", rows[i].machine);
	}
}

TEST(the_limit_of_a_job_follows_the_key_and_what_somebody_else_has_set)
{
	enum { LEAVE = 0, FIRST = 0 };
	static const struct {
		const char *what;
		unsigned int key, vfs, now, before, limit, stuck;
		unsigned int wanted;
	} rows[] = {
		{ "by the number of VFs", CONFIG_DOWNTIME_AUTO, 2, 300, 0, FIRST, 0, 950 },
		{ "QEMU's own fits", CONFIG_DOWNTIME_AUTO, 0, 300, 0, FIRST, 0, 300 },
		{ "the operator's stays", CONFIG_DOWNTIME_AUTO, 2, 700, 0, FIRST, 0, LEAVE },
		{ "that of an earlier job of ours is ours", CONFIG_DOWNTIME_AUTO, 2, 700, 700, FIRST, 0, 950 },
		{ "that of an engine stays, also if we had set another", CONFIG_DOWNTIME_AUTO, 2, 500, 700, FIRST, 0, LEAVE },
		{ "a number", 800, 2, 300, 0, FIRST, 0, 800 },
		{ "a number, the operator's stays", 800, 2, 100, 0, FIRST, 0, LEAVE },
		{ "off", CONFIG_DOWNTIME_OFF, 4, 300, 0, FIRST, 0, LEAVE },
		{ "not yet stuck", CONFIG_DOWNTIME_AUTO, 2, 950, 950, 950, DOWNTIME_STUCK - 1, LEAVE },
		{ "stuck: half as much again", CONFIG_DOWNTIME_AUTO, 2, 950, 950, 950, DOWNTIME_STUCK, 1425 },
		{ "stuck, and somebody has set one meanwhile", CONFIG_DOWNTIME_AUTO, 2, 600, 950, 950, DOWNTIME_STUCK, LEAVE },
		{ "a number is not raised", 800, 2, 800, 800, 800, DOWNTIME_STUCK, LEAVE },
		{ "stuck at the most", CONFIG_DOWNTIME_AUTO, 2, DOWNTIME_MOST, DOWNTIME_MOST, DOWNTIME_MOST, DOWNTIME_STUCK, LEAVE },
		{ "at least: QEMU's is less", CONFIG_DOWNTIME_AT_LEAST | 800, 2, 300, 0, FIRST, 0, 800 },
		{ "at least: an engine's is less", CONFIG_DOWNTIME_AT_LEAST | 800, 2, 100, 0, FIRST, 0, 800 },
		{ "at least: an engine's is more", CONFIG_DOWNTIME_AT_LEAST | 800, 2, 1050, 0, FIRST, 0, LEAVE },
		{ "at least: an engine steps on from ours", CONFIG_DOWNTIME_AT_LEAST | 800, 2, 150, 800, 800, 0, 800 },
		{ "at least: it has stepped beyond", CONFIG_DOWNTIME_AT_LEAST | 800, 2, 1050, 800, 800, 0, LEAVE },
		{ "at least: never raised by itself", CONFIG_DOWNTIME_AT_LEAST | 800, 2, 800, 800, 800, DOWNTIME_STUCK, LEAVE },
	};
	struct downtime_model model = { 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct downtime_case c = { .key = rows[i].key, .model = &model, .vfs = rows[i].vfs, .now = rows[i].now,
					   .before = rows[i].before, .limit = rows[i].limit, .stuck = rows[i].stuck };

		if (downtime_wanted(&c) != rows[i].wanted)
			FAIL("%s: %u, not %u", rows[i].what, downtime_wanted(&c), rows[i].wanted);
	}
}

TEST(a_limit_is_raised_by_half_and_ends_at_the_most)
{
	unsigned int limit = 300, steps = 0;

	CHECK_INT(downtime_raise(400), 600);
	while (downtime_raise(limit) != limit && steps < 100) {
		limit = downtime_raise(limit);
		steps++;
	}
	CHECK_INT(limit, DOWNTIME_MOST);
	CHECK_INT(steps, 12);
}
