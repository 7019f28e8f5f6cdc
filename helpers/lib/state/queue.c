/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * queue.c: the line of arrivals that wait for a slot.
 */
#include "state/queue.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/scope.h"
#include "base/sysroot.h"
#include "state/record.h"

#define QUEUE_DIRECTORY STATE_DIRECTORY "/queue"
#define DOOR STATE_DIRECTORY "/arrivals.lock" /* in no directory that is watched: closing it would wake all who wait */

/*
 * is_held() - whether a ticket's owner lives; a ticket without one is thrown away
 */
static bool is_held(const char *name)
{
	/* Not opened for writing: closing it would wake all who wait, and they would look again, without end. */
	autoclose int fd = sysroot_open(O_RDONLY | O_NOFOLLOW, 0, QUEUE_DIRECTORY "/%s", name);
	char path[256];

	if (fd < 0)
		return false;
	if (flock(fd, LOCK_EX | LOCK_NB))
		return true;
	if (sysroot_path(path, sizeof(path), QUEUE_DIRECTORY "/%s", name) == 0)
		(void)unlink(path);
	return false;
}

/*
 * count_waiting() - how many wait who came before a name, or at all
 * @before:	file name of a ticket, NULL: all
 */
static unsigned int count_waiting(const char *before)
{
	autoclosedir DIR *directory = sysroot_opendir(QUEUE_DIRECTORY);
	const struct dirent *entry;
	unsigned int n = 0;

	while (directory && (entry = readdir(directory))) {
		if (entry->d_name[0] == '.' || (before && strcmp(entry->d_name, before) >= 0))
			continue;
		n += is_held(entry->d_name);
	}
	return n;
}

/*
 * queue_enter() - gets in line
 * @uuid:	of the guest
 * @guest:	its name, for those who look
 * @max:	how many may wait
 * @ticket:	result, given back with queue_leave()
 * @why:	filled on failure
 * Return: 0, -EAGAIN when the line is full, negative errno
 */
int queue_enter(const char *uuid, const char *guest, unsigned int max, struct ticket *ticket, struct reason *why)
{
	int error = record_make_directory(QUEUE_DIRECTORY, why);
	char names[200];

	if (error)
		return error;
	if (count_waiting(NULL) >= max) {
		if (max) {
			reason_set(why, -EAGAIN, NULL, "all slots for live migration are taken here, and %u guest%s for one already (%s)", max,
				   max == 1 ? " waits" : "s wait", queue_names(NULL, names, sizeof(names)));
			reason_cure(why, "try again when some have arrived, or run fewer migrations at the same time");
		} else {
			reason_set(why, -EAGAIN, NULL, "all slots for live migration are taken here, and nobody may wait for one");
			reason_cure(why, "try again when some have arrived, or let guests wait: slot_queue in vferry.conf here");
		}
		reason_rule(why, "L4-queue");
		return -EAGAIN;
	}
	snprintf(ticket->name, sizeof(ticket->name), "%016llx-%.36s", (unsigned long long)clock_ms(), uuid);
	ticket->fd = sysroot_open(O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, QUEUE_DIRECTORY "/%s", ticket->name);
	if (ticket->fd < 0 || flock(ticket->fd, LOCK_EX | LOCK_NB)) {
		error = ticket->fd < 0 ? ticket->fd : -errno;
		queue_leave(ticket);
		return reason_set(why, error, QUEUE_DIRECTORY, "cannot take a ticket for the line: %s", strerror(-error));
	}
	if (write(ticket->fd, guest, strlen(guest)) < 0) {
		/* The name is for people only: a ticket without one is as good. */
	}
	return 0;
}

/*
 * by_name() - order of tickets, which is that of their coming
 */
static int by_name(const void *a, const void *b)
{
	const struct waiting *first = a, *second = b;

	if (first->since != second->since)
		return first->since < second->since ? -1 : 1;
	return strcmp(first->uuid, second->uuid);
}

/*
 * queue_list() - who waits
 * @waiting:	result, first come first
 * @max:	its entries; more are left out
 * Return: how many
 */
size_t queue_list(struct waiting *waiting, size_t max)
{
	autoclosedir DIR *directory = sysroot_opendir(QUEUE_DIRECTORY);
	const struct dirent *entry;
	size_t n = 0;

	while (directory && n < max && (entry = readdir(directory))) {
		char name[sizeof(waiting->guest)] = "";
		unsigned long long since = strtoull(entry->d_name, NULL, 16);

		if (strlen(entry->d_name) != 53 || entry->d_name[16] != '-')
			continue;
		(void)sysroot_read(name, sizeof(name), QUEUE_DIRECTORY "/%s", entry->d_name);
		waiting[n] = (struct waiting){ .since = (int64_t)since };
		reason_clean(waiting[n].uuid, sizeof(waiting[n].uuid), entry->d_name + 17);
		reason_clean(waiting[n++].guest, sizeof(waiting->guest), name);
	}
	qsort(waiting, n, sizeof(*waiting), by_name);
	return n;
}

/*
 * queue_names() - who waits, in words
 * @before:	only those who came before it; NULL: all
 * @out, @size:	result
 * Return: out
 */
char *queue_names(const struct ticket *before, char *out, size_t size)
{
	autofree struct waiting *waiting = calloc(QUEUE_MAX, sizeof(*waiting));
	size_t n = waiting ? queue_list(waiting, QUEUE_MAX) : 0;
	struct waiting own = { 0 };

	if (before && strlen(before->name) > 17) {
		own.since = (int64_t)strtoull(before->name, NULL, 16);
		snprintf(own.uuid, sizeof(own.uuid), "%s", before->name + 17);
	}
	out[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		size_t used = strlen(out);

		if (before && by_name(&waiting[i], &own) >= 0)
			continue;
		snprintf(out + used, size - used, "%s%.64s", used ? ", " : "", waiting[i].guest);
	}
	return out;
}

/*
 * queue_is_first() - whether it is one's turn
 * @ticket:	own ticket, NULL: somebody who has just come
 */
bool queue_is_first(const struct ticket *ticket)
{
	return count_waiting(ticket ? ticket->name : NULL) == 0;
}

/*
 * queue_sees_before() - whether a ticket that came before is there, whoever holds it
 * @ticket:	own ticket
 */
bool queue_sees_before(const struct ticket *ticket)
{
	autoclosedir DIR *directory = sysroot_opendir(QUEUE_DIRECTORY);
	const struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, ticket->name) < 0)
			return true;
	}
	return false;
}

/*
 * queue_door() - takes the lock of the one arrival that is made ready for
 * @deadline:	when to give up; one that has passed means: try once
 * @why:	filled on failure
 * Return: descriptor, -ETIME, negative errno
 */
int queue_door(deadline_t deadline, struct reason *why)
{
	int error = record_make_directories(why);

	return error ? error : lock_take(DOOR, deadline, why);
}

/*
 * queue_leave() - leaves the line
 */
void queue_leave(struct ticket *ticket)
{
	char path[256];

	if (ticket->fd <= 0)
		return;
	if (sysroot_path(path, sizeof(path), QUEUE_DIRECTORY "/%s", ticket->name) == 0)
		(void)unlink(path);
	close(ticket->fd);
	ticket->fd = 0;
}
