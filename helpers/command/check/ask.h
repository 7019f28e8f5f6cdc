/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ask.h: what vferry check asks of the cards beside the inventory.
 */
#ifndef VFERRY_COMMAND_CHECK_ASK_H
#define VFERRY_COMMAND_CHECK_ASK_H

#include "command/check/look.h"

/* What was asked of the cards beside the inventory. */
struct check_answers {
	char migration_mode[INVENTORY_MAX_PFS][48]; /* VF_MIGRATION_MODE by mstconfig, "" unknown */
	struct vfio_answer vfio[INVENTORY_MAX_PFS];
};

/* Asks, where that harms nobody; nothing of a recorded host. */
void check_ask(const struct view *view, struct check_answers *answers);

#endif
