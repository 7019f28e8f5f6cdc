/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_state_prepared.c: what vferry prepare was asked for is kept, and a file that is none is named.
 */
#include "check.h"

#include "base/sysroot.h"
#include "state/prepared.h"

#define FILE_NAME PREPARED_DIRECTORY "/prepared.json"

static struct prepared prepared;

static struct prepared_pf pf_of(const char *address, unsigned int vfs, const char *bridge)
{
	struct prepared_pf pf = { .vfs = vfs };

	CHECK_INT(pci_address_parse(address, &pf.pf), 0);
	snprintf(pf.bridge, sizeof(pf.bridge), "%s", bridge);
	return pf;
}

static void empty_root(void)
{
	check_file(LOCALSTATEDIR "/lib/.keep", "");
	CHECK_INT(sysroot_set(check_scratch()), 0);
}

TEST(nothing_is_kept_at_first)
{
	empty_root();
	CHECK_INT(prepared_read(&prepared, NULL), 0);
	CHECK_INT(prepared.pfs, 0);
}

TEST(a_pf_is_kept_once_with_its_last_wish)
{
	struct prepared_pf first = pf_of("0000:81:00.0", 8, "br-vferry"), second = pf_of("0000:81:00.1", 4, "br1");

	empty_root();
	CHECK_INT(prepared_keep(&first, NULL), 0);
	CHECK_INT(prepared_keep(&second, NULL), 0);
	first.vfs = 2;
	CHECK_INT(prepared_keep(&first, NULL), 0);
	CHECK_INT(prepared_read(&prepared, NULL), 0);
	CHECK_INT(prepared.pfs, 2);
	CHECK(pci_address_equal(&prepared.pf[0].pf, &first.pf));
	CHECK_INT(prepared.pf[0].vfs, 2);
	CHECK_STR(prepared.pf[0].bridge, "br-vferry");
	CHECK_STR(prepared.pf[1].bridge, "br1");
}

TEST(a_pf_is_forgotten)
{
	struct prepared_pf first = pf_of("0000:81:00.0", 8, "br-vferry"), second = pf_of("0000:81:00.1", 4, "br1");

	empty_root();
	CHECK_INT(prepared_forget(&first.pf, NULL), 0);
	CHECK_INT(prepared_keep(&first, NULL), 0);
	CHECK_INT(prepared_keep(&second, NULL), 0);
	CHECK_INT(prepared_forget(&first.pf, NULL), 0);
	CHECK_INT(prepared_read(&prepared, NULL), 0);
	CHECK_INT(prepared.pfs, 1);
	CHECK(pci_address_equal(&prepared.pf[0].pf, &second.pf));
}

TEST(a_file_that_is_no_list_is_named_and_replaced_by_the_next_prepare)
{
	static const char *const texts[] = {
		"", "{}", "[1]", "[{\"pf\": \"0000:81:00.0\", \"vfs\": 0, \"bridge\": \"b\"}]",
		"[{\"pf\": \"nonsense\", \"vfs\": 1, \"bridge\": \"b\"}]", "[{\"pf\": \"0000:81:00.0\", \"vfs\": 1, \"bridge\": \"a/b\"}]",
		"[{\"pf\": \"0000:81:00.0\", \"vfs\": 257, \"bridge\": \"b\"}]",
	};
	struct prepared_pf pf = pf_of("0000:81:00.0", 8, "br-vferry");

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct reason why = { 0 };

		empty_root();
		check_file(FILE_NAME, texts[i]);
		CHECK_INT(prepared_read(&prepared, &why), -EINVAL);
		CHECK_INT(prepared.pfs, 0);
		CHECK_CONTAINS(why.what, "not what vferry prepare writes");
		CHECK_INT(prepared_keep(&pf, NULL), 0);
		CHECK_INT(prepared_read(&prepared, NULL), 0);
		CHECK_INT(prepared.pfs, 1);
	}
}

TEST(more_pfs_than_a_host_has_are_refused)
{
	struct reason why = { 0 };

	empty_root();
	for (unsigned int i = 0; i <= PREPARED_MAX; i++) {
		struct prepared_pf pf = pf_of("0000:81:00.0", 8, "br-vferry");

		pf.pf.bus = (uint8_t)i;
		CHECK_INT(prepared_keep(&pf, &why), i < PREPARED_MAX ? 0 : -E2BIG);
	}
	CHECK_CONTAINS(why.what, "16 PFs are kept already");
}

TEST(the_card_alone_is_kept_without_a_bridge)
{
	struct prepared_pf pf = pf_of("0000:81:00.0", 8, "");

	empty_root();
	CHECK_INT(prepared_keep(&pf, NULL), 0);
	CHECK_INT(prepared_read(&prepared, NULL), 0);
	CHECK_INT(prepared.pfs, 1);
	CHECK_STR(prepared.pf[0].bridge, "");
	check_file(FILE_NAME, "[{\"pf\": \"0000:81:00.0\", \"vfs\": 8}]");
	CHECK_INT(prepared_read(&prepared, NULL), -EINVAL);
}
