/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * times.h: times as a person types and reads them.
 */
#ifndef VFERRY_COMMAND_FLEET_TIMES_H
#define VFERRY_COMMAND_FLEET_TIMES_H

#include <stddef.h>
#include <stdint.h>

/* Seconds, minutes, hours: "6 min". */
const char *fleet_say_time(int64_t ms, char *out, size_t size);

/* Reads "90s", "10m", "2h". Return: ms, -EINVAL. */
int64_t fleet_parse_time(const char *text);

#endif
