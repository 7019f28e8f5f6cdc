/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * clock.h: monotonic time and deadlines, in milliseconds.
 */
#ifndef VFERRY_BASE_CLOCK_H
#define VFERRY_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since boot, suspended time included (CLOCK_BOOTTIME): comparable between processes, lost at reboot. */
int64_t clock_ms(void);

/* A point in time, in clock_ms(). */
typedef int64_t deadline_t;

/* The deadline ms milliseconds from now. */
deadline_t deadline_in(int ms);

/* Milliseconds left, 0 when it has passed: fit for poll(). */
int deadline_left(deadline_t deadline);

/* The earlier of a deadline and one ms milliseconds from now. */
deadline_t deadline_within(deadline_t deadline, int ms);

#endif
