/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * downtime.c: how long QEMU may stop a guest with VFs. See downtime.h.
 *
 * The first model is what ConnectX-7 VFs were measured to need on 100 Gbit/s (Oracle's measurements on qemu-devel, 1, 2 and 4 VFs): 475 ms
 * a VF in one stream; 100 ms and 245 ms a VF with device states over multifd (QEMU 10.0). What this host has seen takes its place.
 */
#include "policy/downtime.h"

#include <stdlib.h>
#include <string.h>

#define ONE_STREAM_PER_VF 475
#define PARALLEL_ONCE 100
#define PARALLEL_PER_VF 245

/* bounded() - ms, within what is ever set */
static unsigned int bounded(unsigned long ms)
{
	if (ms < DOWNTIME_QEMU)
		return DOWNTIME_QEMU;
	return ms > DOWNTIME_MOST ? DOWNTIME_MOST : (unsigned int)ms;
}

/*
 * downtime_limit() - the limit to begin with
 * @model:	what was seen on this host: half as much again is allowed, since no two states are equal
 * @vfs:	of the guest
 * @parallel:	over several streams
 * Return: ms
 */
unsigned int downtime_limit(const struct downtime_model *model, unsigned int vfs, bool parallel)
{
	unsigned long seen = model->per_vf[parallel];

	if (seen)
		return bounded(seen * vfs * 3 / 2);
	return bounded(parallel ? PARALLEL_ONCE + PARALLEL_PER_VF * (unsigned long)vfs : ONE_STREAM_PER_VF * (unsigned long)vfs);
}

/*
 * downtime_raise() - the next limit
 * Return: ms, half as much again
 */
unsigned int downtime_raise(unsigned int limit)
{
	return bounded((unsigned long)limit * 3 / 2);
}

/*
 * downtime_learn() - takes in the result of a migration
 * @ms:		downtime that it had
 */
void downtime_learn(struct downtime_model *model, unsigned int vfs, bool parallel, unsigned int ms)
{
	unsigned int *seen = &model->per_vf[parallel], now = vfs ? ms / vfs : 0;

	if (!now || ms > DOWNTIME_MOST)
		return;
	*seen = now >= *seen ? now : *seen - (*seen - now) / 4;
}

/*
 * downtime_can_multifd() - see downtime.h
 * @machine:	ends with its version, behind the last "-"
 */
bool downtime_can_multifd(const char *machine)
{
	const char *last = strrchr(machine, '-');
	char *end;
	long major = last ? strtol(last + 1, &end, 10) : 0;

	return major >= 10 && *end == '.';
}

/*
 * begins() - the limit that a job begins with
 * Return: ms, 0: somebody else's is kept
 */
static unsigned int begins(const struct downtime_case *c)
{
	if (c->now != DOWNTIME_QEMU && (!c->before || c->now != c->before))
		return 0;
	return c->key == CONFIG_DOWNTIME_AUTO ? downtime_limit(c->model, c->vfs, c->parallel) : c->key;
}

/*
 * downtime_wanted() - see downtime.h
 */
unsigned int downtime_wanted(const struct downtime_case *c)
{
	unsigned int floor = c->key & ~CONFIG_DOWNTIME_AT_LEAST, raised;

	if (c->key == CONFIG_DOWNTIME_OFF)
		return 0;
	if (c->key & CONFIG_DOWNTIME_AT_LEAST)
		return c->now < floor ? floor : 0;
	if (!c->limit)
		return begins(c);
	raised = downtime_raise(c->limit);
	return c->key == CONFIG_DOWNTIME_AUTO && c->now == c->limit && c->stuck >= DOWNTIME_STUCK && raised != c->limit ? raised : 0;
}
