/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * names.h: which names a report may hold although nobody here is called so any more: those of guests that have left.
 */
#ifndef VFERRY_COMMAND_REPORT_NAMES_H
#define VFERRY_COMMAND_REPORT_NAMES_H

#include "command/report/replacer.h"

/* Has the names replaced of guests that history and migrations, or the lines of vferry's log, name. Return: 0, -ENOMEM. */
int report_note_kept(struct replacer *replacer);
int report_note_log(struct replacer *replacer, const char *log);

#endif
