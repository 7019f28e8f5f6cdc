/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_base_vlan_set.c: sets of VLANs as a person writes them.
 */
#include "check.h"

#include "base/vlan_set.h"

TEST(numbers_and_ranges_are_in_the_set_and_nothing_beside_them)
{
	struct vlan_set set;

	CHECK_INT(vlan_set_parse(" 7, 100-199 4095", &set), 0);
	CHECK(vlan_set_has(&set, 7) && vlan_set_has(&set, 100) && vlan_set_has(&set, 199) && vlan_set_has(&set, 4095));
	CHECK(!vlan_set_has(&set, 6) && !vlan_set_has(&set, 8) && !vlan_set_has(&set, 99) && !vlan_set_has(&set, 200));
	CHECK(!vlan_set_has(&set, 0) && !vlan_set_has(&set, 4094) && !vlan_set_has(&set, 4096) && !vlan_set_has(&set, 70000));
	CHECK(!set.any && !set.none);
}

TEST(any_is_all_and_none_is_what_has_no_vlan)
{
	struct vlan_set set;

	CHECK_INT(vlan_set_parse("any", &set), 0);
	CHECK(set.any && vlan_set_has(&set, 0) && vlan_set_has(&set, 4095));
	CHECK_INT(vlan_set_parse("none", &set), 0);
	CHECK(set.none && !set.any && !vlan_set_has(&set, 1));
	CHECK_INT(vlan_set_parse("none 3", &set), 0);
	CHECK(set.none && vlan_set_has(&set, 3));
}

TEST(what_is_no_set_is_refused_and_changes_nothing)
{
	static const char *const wrong[] = { "", " ", ",", "4096", "10000", "5-3", "5-", "-5", "5-6-7", "5--6", "a", "anyone", "any 5", "5x", "1-4096",
					     "99999999999999999999", "0x10", "none-5", "5;6", "any any" };
	struct vlan_set set = { .bit = { 0x80 } };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (vlan_set_parse(wrong[i], &set) != -EINVAL)
			FAIL("'%s' is taken", wrong[i]);
	}
	CHECK(vlan_set_has(&set, 7) && !vlan_set_has(&set, 5));
}
