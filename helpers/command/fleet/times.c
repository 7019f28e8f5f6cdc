/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * times.c: times as a person types and reads them.
 */
#include "command/fleet/times.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Seconds, minutes, hours. Return: out. */
const char *fleet_say_time(int64_t ms, char *out, size_t size)
{
	int64_t seconds = (ms + 999) / 1000;

	if (seconds < 100)
		snprintf(out, size, "%lld s", (long long)seconds);
	else if (seconds < 100 * 60)
		snprintf(out, size, "%lld min", (long long)(seconds + 59) / 60);
	else
		snprintf(out, size, "%lld h", (long long)(seconds + 3599) / 3600);
	return out;
}

/* Reads a time. Return: ms, -EINVAL. */
int64_t fleet_parse_time(const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);
	int64_t unit = *end == 'h' ? 3600000 : *end == 'm' ? 60000 : *end == 's' || !*end ? 1000 : 0;

	if (end == text || *text == '-' || !unit || (*end && end[1]) || number > 1000000)
		return -EINVAL;
	return (int64_t)number * unit;
}
