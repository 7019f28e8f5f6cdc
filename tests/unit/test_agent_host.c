/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_agent_host.c: the host is read once for all who do not need it newer.
 */
#include "state.h"

#include "agent/host.h"

TEST(the_host_is_read_once_for_all_who_do_not_need_it_newer)
{
	struct host host = { 0 };
	struct config config;
	struct reason why = { 0 };
	int64_t first;

	state_empty_root();
	check_file("/sys/bus/pci/devices/.keep", "");
	config_defaults(&config);
	if (host_refresh(&host, &config, 0, deadline_in(20000), &why))
		FAIL("%s", why.what);
	first = host.read;
	CHECK(first > 0);
	host.inventory.pfs = 7; /* so that a second reading shows */
	for (int i = 0; i < 100; i++)
		CHECK_INT(host_refresh(&host, &config, first, deadline_in(20000), &why), 0);
	CHECK_INT(host.inventory.pfs, 7);
	usleep(2000);
	CHECK_INT(host_refresh(&host, &config, clock_ms(), deadline_in(20000), &why), 0);
	CHECK_INT(host.inventory.pfs, 0);
	CHECK(host.read > first);
	inventory_release(&host.inventory);
	CHECK_INT(sysroot_set(""), 0);
}
