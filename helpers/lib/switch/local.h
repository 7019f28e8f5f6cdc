/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * local.h: connections to the Unix sockets of Open vSwitch's daemons.
 */
#ifndef VFERRY_SWITCH_LOCAL_H
#define VFERRY_SWITCH_LOCAL_H

#include "base/clock.h"

/*
 * Connects to a socket by its path, which is put behind the sysroot. The descriptor does not block, so that every wait is a poll().
 * Return: descriptor; -ENAMETOOLONG; -ETIME if nobody took the connection until the deadline; other negative errno.
 */
int local_connect(const char *path, deadline_t deadline);

#endif
