/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * clock.c: monotonic time and deadlines. See clock.h.
 */
#include "base/clock.h"

#include <limits.h>
#include <time.h>

/*
 * Return: milliseconds since boot. CLOCK_BOOTTIME cannot fail on Linux 2.6.39 and newer (clock_gettime(2)).
 */
int64_t clock_ms(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * ms: milliseconds from now; a negative number counts as 0.
 * Return: that point in time.
 */
deadline_t deadline_in(int ms)
{
	return clock_ms() + (ms > 0 ? ms : 0);
}

/*
 * Return: milliseconds until the deadline, 0 when it has passed, never more than INT_MAX.
 */
int deadline_left(deadline_t deadline)
{
	int64_t left = deadline - clock_ms();

	if (left <= 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

/*
 * deadline: the outer one; ms: what the inner step may take, in milliseconds.
 * Return: the earlier of the two.
 */
deadline_t deadline_within(deadline_t deadline, int ms)
{
	deadline_t inner = deadline_in(ms);

	return inner < deadline ? inner : deadline;
}
