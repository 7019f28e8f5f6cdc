/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tables.h: the rows of vferry check, a table a file.
 */
#ifndef VFERRY_COMMAND_CHECK_TABLES_H
#define VFERRY_COMMAND_CHECK_TABLES_H

#include "command/check/look.h"

/* The tables, ended by a NULL id, in the order of the output. */
extern const struct check_row check_rows_host[], check_rows_card[], check_rows_ovs[], check_rows_guest[], check_rows_pair[],
	check_rows_kept[], check_rows_cluster[];

#endif
