/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * state.h: what the tests of the room of state share.
 */
#ifndef VFERRY_TESTS_STATE_H
#define VFERRY_TESTS_STATE_H

#include "check.h"

#include "base/sysroot.h"

/* Makes the scratch directory the sysroot, with an empty /run. Returns its path. */
static const char *state_empty_root(void)
{
	const char *root = check_scratch();
	char run[PATH_MAX + 8];

	snprintf(run, sizeof(run), "%s/run", root);
	if (mkdir(run, 0755) && errno != EEXIST)
		FAIL("cannot make %s", run);
	CHECK_INT(sysroot_set(root), 0);
	return root;
}

#endif
