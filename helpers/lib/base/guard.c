/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guard.c: calls that are made by a child. See guard.h; what a child is, and why, stands in child.c.
 *
 * Theory of operation. A process costs more than most of what is done in it, so a child makes one call after another for whoever keeps it
 * (struct guard). A call travels to it as the address of its function, which both have at the same place, and a copy of its argument; the
 * socket keeps messages whole (SOCK_SEQPACKET, unix(7)), and its end tells the child that no more will come. A child that does not answer
 * in time is killed, and the next call makes a new one.
 */
#include "base/guard.h"

#include <errno.h>
#include <poll.h>
#include <stdalign.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/child.h"
#include "base/scope.h"

/* What a guarded child is asked for; behind it comes the argument, if that is passed by value. */
struct request {
	int (*fn)(void *arg, struct reason *why);
	void *arg;   /* where size is 0 */
	size_t size; /* of the argument */
};

/* What it reports; behind it comes the argument. */
struct report {
	int result;
	struct reason why;
};

/* Sends head and body as one message. Return: whether it went. */
static bool send_message(int fd, void *head, size_t head_size, void *body, size_t size)
{
	struct iovec part[2] = {{head, head_size}, {body, size}};
	const struct msghdr message = {.msg_iov = part, .msg_iovlen = size ? 2 : 1};
	ssize_t sent;

	do
		sent = sendmsg(fd, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)(head_size + size);
}

/* Receives one. Return: its length, 0 if the other side has gone, -1. */
static ssize_t receive_message(int fd, void *head, size_t head_size, void *body, size_t size)
{
	const struct iovec part[2] = {{head, head_size}, {body, size}};
	ssize_t got;

	do
		got = readv(fd, part, 2);
	while (got < 0 && errno == EINTR);
	return got;
}

/* In a guarded child: makes one call. Return: false when no more will come. */
static bool serve(int fd)
{
	alignas(max_align_t) char arg[GUARD_ARG_MAX];
	struct report report = {0};
	struct request request;

	if (receive_message(fd, &request, sizeof(request), arg, sizeof(arg)) < (ssize_t)sizeof(request))
		return false;
	report.result = request.fn(request.size ? arg : request.arg, &report.why);
	return send_message(fd, &report, sizeof(report), arg, request.size);
}

/* A guarded child: never returns. */
static _Noreturn void guard_child(int fd)
{
	while (serve(fd))
		;
	_exit(0);
}

/*
 * Makes a guarded child. Return: 0, negative errno.
 */
static int guard_make(struct guard *guard, const char *label, struct reason *why)
{
	static const int nothing[3] = {-1, -1, -1};
	autoclose int mine = -1, theirs = -1;
	int ends[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return reason_set(why, -errno, "", "%s: no socket: %s", label, strerror(errno));
	mine = ends[0];
	theirs = ends[1];
	child = child_make(nothing, theirs);
	if (child == 0)
		guard_child(3);
	if (child == -EBUSY)
		return reason_set(why, -EBUSY, "", "%s was not tried, %d earlier calls are still stuck in the kernel", label, CHILDREN_STUCK_MAX);
	if (child < 0)
		return reason_set(why, child, "", "%s: no child process: %s", label, strerror(-child));
	*guard = (struct guard){child, scope_take_fd(&mine)};
	return 0;
}

/* Closes the socket to the child. Return: the child, which ends then. */
static pid_t guard_close(struct guard *guard)
{
	pid_t child = guard->child;

	close(guard->fd);
	*guard = (struct guard){0};
	return child;
}

/*
 * Waits until fd can be read (or its writer is gone).
 * Return: true, or false when the deadline passed first.
 */
static bool wait_readable(int fd, deadline_t deadline)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	for (;;) {
		int ready = poll(&poll_fd, 1, deadline_left(deadline));

		if (ready > 0)
			return true;
		if (ready == 0 || errno != EINTR)
			return false;
	}
}

/*
 * Asks the child, which is made if there is none. Return: 0; negative errno.
 */
static int guard_send(struct guard *guard, struct request *request, const struct guard_limit *limit, struct reason *why)
{
	int error = 0;

	if (deadline_left(limit->deadline) == 0)
		return reason_set(why, -ETIME, "", "no time was left for %s", limit->label);
	if (!guard->child)
		error = guard_make(guard, limit->label, why);
	if (!error)
		(void)send_message(guard->fd, request, sizeof(*request), request->arg, request->size); /* else it has gone: no report */
	return error;
}

/*
 * Collects the report of the child; one that gives none is made an end of.
 * arg, size: receives the argument. Return: its result; -ECHILD if it died; -ETIME.
 */
static int guard_collect(struct guard *guard, void *arg, size_t size, const struct guard_limit *limit, struct reason *why)
{
	alignas(max_align_t) char found[GUARD_ARG_MAX];
	struct report report;

	if (!wait_readable(guard->fd, limit->deadline)) {
		child_kill(guard_close(guard));
		return reason_set(why, -ETIME, "", "%s did not end in time", limit->label);
	}
	if (receive_message(guard->fd, &report, sizeof(report), found, sizeof(found)) != (ssize_t)(sizeof(report) + size)) {
		child_reap(guard_close(guard));
		return reason_set(why, -ECHILD, "", "%s ended without a result", limit->label);
	}
	if (why)
		*why = report.why;
	if (report.result >= 0 && size)
		memcpy(arg, found, size);
	return report.result;
}

/*
 * guard: keeps the child. fn, arg, size, limit: see guard.h. why: receives fn's reason, or ours; may be NULL.
 * Return: what fn returned; -ETIME when the deadline passed or had passed already (then fn was not called); -EBUSY while 16 earlier
 * children are stuck; -ECHILD if the child died; -E2BIG; negative errno if none could be made.
 */
int guard_ask(struct guard *guard, int (*fn)(void *arg, struct reason *why), void *arg, size_t size, const struct guard_limit *limit,
	      struct reason *why)
{
	struct request request = {fn, arg, size};
	int error;

	if (size > GUARD_ARG_MAX)
		return reason_set(why, -E2BIG, "", "%s: %s", limit->label, strerror(E2BIG));
	error = guard_send(guard, &request, limit, why);
	return error ? error : guard_collect(guard, arg, size, limit, why);
}

/* fn, arg, limit, why: see guard.h. Return: 0; -ETIME, -EBUSY and others as guard_ask() if the call was not begun. */
int guard_begin(struct guard *guard, int (*fn)(void *arg, struct reason *why), void *arg, const struct guard_limit *limit,
		struct reason *why)
{
	struct request request = {.fn = fn, .arg = arg};

	return guard_send(guard, &request, limit, why);
}

/* Return: as guard_ask(). */
int guard_finish(struct guard *guard, const struct guard_limit *limit, struct reason *why)
{
	return guard_collect(guard, NULL, 0, limit, why);
}

/* Ends the child, which has nothing to do. */
void guard_end(struct guard *guard)
{
	if (guard->child)
		child_leave(guard_close(guard));
}

/*
 * fn: what to do. arg: handed to fn. label, why: see guard.h. Return: as guard_ask().
 */
int guard_call(int (*fn)(void *arg, struct reason *why), void *arg, const char *label, deadline_t deadline, struct reason *why)
{
	const struct guard_limit limit = {label, deadline};
	struct guard guard = {0};
	int result = guard_begin(&guard, fn, arg, &limit, why);

	if (!result)
		result = guard_finish(&guard, &limit, why);
	if (guard.child)
		child_reap(guard_close(&guard));
	return result;
}
