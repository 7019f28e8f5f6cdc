/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * spawn.c: the one door through which a process is made. See spawn.h.
 *
 * Theory of operation. A write to sysfs, or a devlink request, can hold its caller in the kernel for as long as a driver likes, and no
 * signal ends that. So such a call is made by a child; at the deadline the parent sends it SIGKILL, which takes effect when the kernel
 * lets go of it, and goes on without it. The child's number is kept, and it is reaped by a later call if it has died by then, so that a
 * program that runs for months gathers no zombies; when the program ends before, init reaps it. While too many such children are
 * stuck, no new one is made.
 *
 * The child gives up every descriptor of its parent at once: libvirtd waits for the end of a hook's stdout and stderr, and a stuck child
 * that still held a flock(2)ed file would keep the lock. The library has no threads; fork(2) without exec would not be safe with them.
 *
 * A child ends with its parent: one that went on after its parent was killed could change the machine behind the back of the next call,
 * which has looked already and found nothing to take back.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pipe2, close_range */
#endif

#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/scope.h"

#define LEFT_BEHIND_MAX 16
#define ERROR_TEXT_MAX 256 /* bytes of a program's stderr that are shown */
#define GRACE_MS 50        /* for a killed child to die before it counts as left behind */

static pid_t left_behind[LEFT_BEHIND_MAX];

/*
 * Reaps those left-behind children that have died since.
 * Return: a free place in the table, NULL if all are still stuck.
 */
static pid_t *reap_left_behind(void)
{
	pid_t *place = NULL;

	for (size_t i = 0; i < LEFT_BEHIND_MAX; i++) {
		if (left_behind[i] > 0 && waitpid(left_behind[i], NULL, WNOHANG) != 0)
			left_behind[i] = 0;
		if (left_behind[i] == 0)
			place = &left_behind[i];
	}
	return place;
}

/*
 * Makes sure that exit statuses can be collected: a program started with SIGCHLD ignored inherits that (execve(2)), and the kernel then
 * throws them away (waitpid(2)).
 */
static void want_exit_status(void)
{
	struct sigaction action;

	if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
		signal(SIGCHLD, SIG_DFL);
}

/* Leaves a child that will end to a later call to be reaped. Return: false if there is no place to note it. */
static bool leave_behind(pid_t child)
{
	pid_t *place = reap_left_behind();

	if (place)
		*place = child;
	return place != NULL;
}

/* Waits for the end of a child. */
static void reap(pid_t child)
{
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}

/*
 * Kills a child, with all of its session, and reaps it, or leaves it behind if it does not die at once.
 */
static void kill_child(pid_t child)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	kill(-child, SIGKILL);
	kill(child, SIGKILL);
	for (int ms = 0; ms < GRACE_MS; ms++) {
		if (waitpid(child, NULL, WNOHANG) != 0)
			return;
		nanosleep(&pause, NULL);
	}
	(void)leave_behind(child);
}

/* Closes every descriptor from first on. close_range(2) is Linux 5.9; the loop serves a seccomp filter that does not know it. */
static void close_from(int first)
{
	if (close_range((unsigned int)first, ~0u, 0) == 0)
		return;
	for (int fd = first; fd < 1024; fd++)
		close(fd);
}

/*
 * In a child: makes stdin, stdout and stderr the given descriptors (-1: /dev/null), leaves the parent's session, and closes all else but
 * keep (-1: none), which becomes descriptor 3.
 * Return: 0, negative errno.
 */
static int detach(const int standard[3], int keep)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), high[4];

	if (null < 0)
		return -errno;
	setsid();
	for (int i = 0; i < 4; i++) {
		int from = i < 3 ? standard[i] : keep;

		high[i] = fcntl(from >= 0 ? from : null, F_DUPFD, 10);
		if (high[i] < 0)
			return -errno;
	}
	for (int i = 0; i < 4; i++)
		if (dup2(high[i], i) < 0)
			return -errno;
	close_from(keep >= 0 ? 4 : 3);
	return 0;
}

/*
 * In a child: dies when the parent dies (prctl(2), PR_SET_PDEATHSIG).
 * parent: its number, told before the fork. Return: 0, -ESRCH if it is dead already.
 */
static int die_with(pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	return getppid() == parent ? 0 : -ESRCH;
}

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
static _Noreturn void guard_child(int fd, pid_t parent)
{
	static const int nothing[3] = {-1, -1, -1};

	closelog();
	if (die_with(parent) < 0 || detach(nothing, fd) < 0)
		_exit(1);
	while (serve(3))
		;
	_exit(0);
}

/*
 * Makes a guarded child. Return: 0, negative errno.
 */
static int guard_make(struct guard *guard, const char *label, struct reason *why)
{
	autoclose int mine = -1, theirs = -1;
	pid_t child, parent = getpid();
	int ends[2];

	if (!reap_left_behind())
		return reason_set(why, -EBUSY, "", "%s was not tried, %d earlier calls are still stuck in the kernel", label, LEFT_BEHIND_MAX);
	want_exit_status();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return reason_set(why, -errno, "", "%s: no socket: %s", label, strerror(errno));
	mine = ends[0];
	theirs = ends[1];
	child = fork();
	if (child < 0)
		return reason_set(why, -errno, "", "%s: no child process: %s", label, strerror(errno));
	if (child == 0)
		guard_child(theirs, parent);
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
 * Collects the report of a child; one that gives none is made an end of.
 * request: what it was asked for; arg: receives the argument. Return: its result; -ECHILD if it died; -ETIME.
 */
static int guard_collect(struct guard *guard, const struct request *request, void *arg, const struct guard_limit *limit, struct reason *why)
{
	alignas(max_align_t) char found[GUARD_ARG_MAX];
	struct report report;

	if (!wait_readable(guard->fd, limit->deadline)) {
		kill_child(guard_close(guard));
		return reason_set(why, -ETIME, "", "%s did not end in time", limit->label);
	}
	if (receive_message(guard->fd, &report, sizeof(report), found, sizeof(found)) != (ssize_t)(sizeof(report) + request->size)) {
		reap(guard_close(guard));
		return reason_set(why, -ECHILD, "", "%s ended without a result", limit->label);
	}
	if (why)
		*why = report.why;
	if (report.result >= 0 && request->size)
		memcpy(arg, found, request->size);
	return report.result;
}

/*
 * Has a child make a call; see guard_ask(). request: arg is not passed by value where its size is 0, and is then what it was when the
 * child was made.
 */
static int guard_request(struct guard *guard, struct request *request, const struct guard_limit *limit, struct reason *why)
{
	int error = 0;

	if (deadline_left(limit->deadline) == 0)
		return reason_set(why, -ETIME, "", "no time was left for %s", limit->label);
	if (!guard->child)
		error = guard_make(guard, limit->label, why);
	if (error)
		return error;
	(void)send_message(guard->fd, request, sizeof(*request), request->arg, request->size); /* else the child has gone: no report */
	return guard_collect(guard, request, request->arg, limit, why);
}

/*
 * guard: keeps the child. fn, arg, size, limit: see spawn.h. why: receives fn's reason, or ours; may be NULL.
 * Return: what fn returned; -ETIME when the deadline passed or had passed already (then fn was not called); -EBUSY while 16 earlier
 * children are stuck; -ECHILD if the child died; -E2BIG; negative errno if none could be made.
 */
int guard_ask(struct guard *guard, int (*fn)(void *arg, struct reason *why), void *arg, size_t size, const struct guard_limit *limit,
	      struct reason *why)
{
	struct request request = {fn, arg, size};

	if (size > GUARD_ARG_MAX)
		return reason_set(why, -E2BIG, "", "%s needs %zu bytes, of %d", limit->label, size, GUARD_ARG_MAX);
	return guard_request(guard, &request, limit, why);
}

/* Ends the child, which has nothing to do. */
void guard_end(struct guard *guard)
{
	pid_t child = guard->child ? guard_close(guard) : 0;

	if (child && !leave_behind(child))
		reap(child);
}

/*
 * fn: what to do. arg: handed to fn. label, why: see spawn.h. Return: as guard_ask().
 */
int guard_call(int (*fn)(void *arg, struct reason *why), void *arg, const char *label, deadline_t deadline, struct reason *why)
{
	const struct guard_limit limit = {label, deadline};
	struct request request = {.fn = fn, .arg = arg};
	struct guard guard = {0};
	int result = guard_request(&guard, &request, &limit, why);

	if (guard.child)
		reap(guard_close(&guard));
	return result;
}

/* One stream of a running program, collected as far as there is room; the rest is read and dropped. */
struct stream {
	int fd; /* -1 at its end */
	char *out;
	size_t room, used;
};

/* Reads what a stream has now, and closes it at its end. */
static void stream_take(struct stream *stream)
{
	char buffer[4096];
	ssize_t got = read(stream->fd, buffer, sizeof(buffer));
	size_t kept;

	if (got < 0 && errno == EINTR)
		return;
	if (got <= 0) {
		close(scope_take_fd(&stream->fd));
		return;
	}
	kept = (size_t)got < stream->room - stream->used ? (size_t)got : stream->room - stream->used;
	if (kept > 0)
		memcpy(stream->out + stream->used, buffer, kept);
	stream->used += kept;
}

/*
 * Reads both streams to their ends.
 * Return: true, or false when the deadline passed first.
 */
static bool streams_drain(struct stream stream[2], deadline_t deadline)
{
	while (stream[0].fd >= 0 || stream[1].fd >= 0) {
		struct pollfd poll_fd[2] = {{.fd = stream[0].fd, .events = POLLIN}, {.fd = stream[1].fd, .events = POLLIN}};
		int ready = poll(poll_fd, 2, deadline_left(deadline));

		if (ready == 0 || (ready < 0 && errno != EINTR))
			return false;
		for (int i = 0; ready > 0 && i < 2; i++)
			if (poll_fd[i].revents)
				stream_take(&stream[i]);
	}
	return true;
}

/* The child of spawn_run(): never returns. Status 127 means that the program could not be executed. */
static _Noreturn void run_child(char *const argv[], int out_end, int err_end, pid_t parent)
{
	static char locale[] = "LC_ALL=C", path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char *const environment[] = {locale, path, NULL};
	const int standard[3] = {-1, out_end, err_end};

	if (die_with(parent) == 0 && detach(standard, -1) == 0)
		execve(argv[0], argv, environment);
	_exit(127);
}

/*
 * Waits for a program that has closed its streams.
 * Return: exit status, -ECHILD if a signal ended it, -ETIME.
 */
static int run_status(pid_t child, deadline_t deadline)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	int status = 0;
	pid_t got;

	while ((got = waitpid(child, &status, WNOHANG)) == 0 && deadline_left(deadline) > 0)
		nanosleep(&pause, NULL);
	if (got == 0) {
		kill_child(child);
		return -ETIME;
	}
	return got == child && WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}

/*
 * Starts the program with its two pipes.
 * stream: receives the parent's ends. Return: its process number, negative errno.
 */
static pid_t run_start(char *const argv[], struct stream stream[2])
{
	pid_t child, parent = getpid();
	int out_ends[2], err_ends[2];

	if (pipe2(out_ends, O_CLOEXEC) < 0)
		return -errno;
	stream[0].fd = out_ends[0];
	if (pipe2(err_ends, O_CLOEXEC) < 0) {
		close(out_ends[1]);
		return -EMFILE;
	}
	stream[1].fd = err_ends[0];
	child = fork();
	if (child == 0)
		run_child(argv, out_ends[1], err_ends[1], parent);
	if (child < 0)
		child = -errno;
	close(out_ends[1]);
	close(err_ends[1]);
	return child;
}

/*
 * Puts the sentence for a result of spawn_run() into *why, with the first line that the program wrote to its stderr.
 * Return: result.
 */
static int run_reason(const char *program, int result, char *text, struct reason *why)
{
	text[strcspn(text, "\r\n")] = '\0';
	if (result == 0)
		return 0;
	if (result == -ETIME)
		return reason_set(why, result, program, "the program did not end in time");
	if (result == -ECHILD)
		return reason_set(why, result, program, "the program died by a signal");
	if (result < 0)
		return reason_set(why, result, program, "the program cannot be run: %s", strerror(-result));
	return reason_set(why, result, program, "the program failed with status %d%s%s", result, *text ? ": " : "", text);
}

/*
 * argv: argv[0] is an absolute path; ended by NULL; the environment holds only LC_ALL=C and a PATH. out, size: see spawn.h; out is filled
 * as far as the program came, whatever is returned. why: receives a sentence unless the status is 0; may be NULL.
 * Return: exit status (127 also if execve(2) failed); -ETIME, -ECHILD, -EBUSY as guard_call(); -ENOENT, -EACCES and the like if there is
 * no such program.
 */
int spawn_run(char *const argv[], char *out, size_t size, deadline_t deadline, struct reason *why)
{
	char text[ERROR_TEXT_MAX] = "";
	struct stream stream[2] = {{-1, out, out && size > 0 ? size - 1 : 0, 0}, {-1, text, sizeof(text) - 1, 0}};
	int result = -ETIME;
	pid_t child;

	if (!reap_left_behind())
		return run_reason(argv[0], -EBUSY, text, why);
	if (access(argv[0], X_OK) < 0)
		return run_reason(argv[0], -errno, text, why);
	want_exit_status();
	child = run_start(argv, stream);
	if (child < 0)
		result = child;
	else if (streams_drain(stream, deadline))
		result = run_status(child, deadline);
	else
		kill_child(child);
	for (int i = 0; i < 2; i++)
		if (stream[i].fd >= 0)
			close(stream[i].fd);
	if (out && size > 0)
		out[stream[0].used] = '\0';
	return run_reason(argv[0], result, text, why);
}
