/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* events.h - time and signals, as file descriptors to poll */
#ifndef STATION_EVENTS_H
#define STATION_EVENTS_H

#include <stdint.h>

/* The time, ns since the epoch. */
int64_t wall_clock(void);

/* A timer that expires in first_s seconds (0: never) and then every every_s (0: once). */
int open_timer(double first_s, double every_s);

/* A signalfd for SIGTERM, SIGINT and SIGUSR1. */
int open_signals(void);

#endif
