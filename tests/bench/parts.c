/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * parts.c: where the time of one call of the worker goes, on the machine of files (machine.c).
 *
 * Linked into the worker with --wrap for the doors that it waits at: ovsdb_call() and poll() (Open vSwitch's database, and ovs-vswitchd
 * that does what it says), the functions of guard.h (a child that asks the card or writes to it), fork(), and converge_to() and log_line(),
 * which tell when a step began and ended. At its end the worker adds lines to $VFERRY_BENCH_ROOT/parts:
 *
 *     OPERATION<tab>PART<tab>NUMBER
 *
 * PART is "ovsdb", "children" or "step NAME", each in microseconds, or "count", how many children there were.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/guard.h"
#include "engine/converge.h"
#include "switch/ovsdb.h"

#define STEPS_MAX_SHOWN 32

static struct {
	const char *operation;
	pid_t owner; /* its children say nothing */
	int64_t ovsdb, children, count;
	bool asks; /* Open vSwitch's database */
	int64_t began; /* the step that is at work */
	struct {
		char name[64];
		int64_t time;
	} step[STEPS_MAX_SHOWN];
	size_t steps;
} parts;

/* Monotonic time, microseconds. */
static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Notes whose call this is. glibc hands the arguments of main() to constructors. */
__attribute__((constructor)) static void begin(int argc, char **argv)
{
	parts.operation = argc > 2 ? argv[2] : "";
	parts.owner = getpid();
}

/* Writes the parts down. */
__attribute__((destructor)) static void end(void)
{
	const char *root = getenv("VFERRY_BENCH_ROOT");
	char path[4096];
	FILE *file;

	if (!root || getpid() != parts.owner)
		return;
	snprintf(path, sizeof(path), "%s/parts", root);
	file = fopen(path, "a");
	if (!file)
		return;
	fprintf(file, "%s\tovsdb\t%lld\n%s\tchildren\t%lld\n%s\tcount\t%lld\n", parts.operation, (long long)parts.ovsdb, parts.operation,
		(long long)parts.children, parts.operation, (long long)parts.count);
	for (size_t i = 0; i < parts.steps; i++)
		fprintf(file, "%s\tstep %s\t%lld\n", parts.operation, parts.step[i].name, (long long)parts.step[i].time);
	fclose(file);
}

int __real_ovsdb_call(struct ovsdb *db, const char *method, struct json_object *params, deadline_t deadline, struct json_object **result,
		      struct reason *why);
int __wrap_ovsdb_call(struct ovsdb *db, const char *method, struct json_object *params, deadline_t deadline, struct json_object **result,
		      struct reason *why);
int __wrap_ovsdb_call(struct ovsdb *db, const char *method, struct json_object *params, deadline_t deadline, struct json_object **result,
		      struct reason *why)
{
	int error;

	parts.asks = true;
	error = __real_ovsdb_call(db, method, params, deadline, result, why);
	parts.asks = false;
	return error;
}

int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	int64_t before = now_us();
	int ready = __real_poll(fds, count, timeout);

	parts.ovsdb += parts.asks ? now_us() - before : 0;
	return ready;
}

int __real_guard_call(int (*fn)(void *arg, struct reason *why), void *arg, const char *label, deadline_t deadline, struct reason *why);
int __wrap_guard_call(int (*fn)(void *arg, struct reason *why), void *arg, const char *label, deadline_t deadline, struct reason *why);
int __wrap_guard_call(int (*fn)(void *arg, struct reason *why), void *arg, const char *label, deadline_t deadline, struct reason *why)
{
	int64_t before = now_us();
	int error = __real_guard_call(fn, arg, label, deadline, why);

	parts.children += now_us() - before;
	return error;
}

int __real_guard_ask(struct guard *guard, int (*fn)(void *arg, struct reason *why), void *arg, size_t size, const struct guard_limit *limit,
		     struct reason *why);
int __wrap_guard_ask(struct guard *guard, int (*fn)(void *arg, struct reason *why), void *arg, size_t size, const struct guard_limit *limit,
		     struct reason *why);
int __wrap_guard_ask(struct guard *guard, int (*fn)(void *arg, struct reason *why), void *arg, size_t size, const struct guard_limit *limit,
		     struct reason *why)
{
	int64_t before = now_us();
	int error = __real_guard_ask(guard, fn, arg, size, limit, why);

	parts.children += now_us() - before;
	return error;
}

int __real_guard_begin(struct guard *guard, int (*fn)(void *arg, struct reason *why), void *arg, const struct guard_limit *limit,
		       struct reason *why);
int __wrap_guard_begin(struct guard *guard, int (*fn)(void *arg, struct reason *why), void *arg, const struct guard_limit *limit,
		       struct reason *why);
int __wrap_guard_begin(struct guard *guard, int (*fn)(void *arg, struct reason *why), void *arg, const struct guard_limit *limit,
		       struct reason *why)
{
	int64_t before = now_us();
	int error = __real_guard_begin(guard, fn, arg, limit, why);

	parts.children += now_us() - before;
	return error;
}

int __real_guard_finish(struct guard *guard, const struct guard_limit *limit, struct reason *why);
int __wrap_guard_finish(struct guard *guard, const struct guard_limit *limit, struct reason *why);
int __wrap_guard_finish(struct guard *guard, const struct guard_limit *limit, struct reason *why)
{
	int64_t before = now_us();
	int error = __real_guard_finish(guard, limit, why);

	parts.children += now_us() - before;
	return error;
}

pid_t __real_fork(void);
pid_t __wrap_fork(void);
pid_t __wrap_fork(void)
{
	parts.count++;
	return __real_fork();
}

int __real_converge_to(struct door *door, struct object *object, const struct steps *plan, struct reason *why);
int __wrap_converge_to(struct door *door, struct object *object, const struct steps *plan, struct reason *why);
int __wrap_converge_to(struct door *door, struct object *object, const struct steps *plan, struct reason *why)
{
	parts.began = now_us();
	return __real_converge_to(door, object, plan, why);
}

void __real_log_line(int priority, const char *format, ...);
void __wrap_log_line(int priority, const char *format, ...);

/* What a step says when it ends, "step: NAME: done in 3 ms", ends its time. */
void __wrap_log_line(int priority, const char *format, ...)
{
	int64_t now = now_us();
	char line[512], name[64];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	__real_log_line(priority, "%s", line);
	if (sscanf(line, "step: %*[0-9a-f:.] %63[^:]:", name) != 1 && sscanf(line, "step: %63[^:]:", name) != 1)
		return;
	if (parts.steps < STEPS_MAX_SHOWN) {
		snprintf(parts.step[parts.steps].name, sizeof(name), "%s", name);
		parts.step[parts.steps++].time = now - parts.began;
	}
	parts.began = now;
}
