/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pf.h: makes one PF ready.
 */
#ifndef VFERRY_COMMAND_PREPARE_PF_H
#define VFERRY_COMMAND_PREPARE_PF_H

#include "command/prepare/preparation.h"

/* Decides, shows, asks and does. Return: enum command_status. */
int prepare_pf(struct call *call, struct preparation *p);

#endif
