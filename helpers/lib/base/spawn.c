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
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
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

/*
 * Kills a child, with all of its session, and reaps it, or notes it in *place if it does not die at once.
 */
static void kill_child(pid_t child, pid_t *place)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	kill(-child, SIGKILL);
	kill(child, SIGKILL);
	for (int ms = 0; ms < GRACE_MS; ms++) {
		if (waitpid(child, NULL, WNOHANG) != 0)
			return;
		nanosleep(&pause, NULL);
	}
	*place = child;
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

/* What a guarded child reports. Its size is below PIPE_BUF, so one write(2) passes it whole (pipe(7)). */
struct report {
	int result;
	struct reason why;
};

_Static_assert(sizeof(struct report) <= 4096, "a report must pass through a pipe in one piece");

/* The child of guard_call(): never returns. */
static _Noreturn void guard_child(int (*fn)(void *arg, struct reason *why), void *arg, int pipe_end, pid_t parent)
{
	static const int nothing[3] = {-1, -1, -1};
	struct report report = {0};

	closelog();
	if (die_with(parent) < 0 || detach(nothing, pipe_end) < 0)
		_exit(1);
	report.result = fn(arg, &report.why);
	_exit(write(3, &report, sizeof(report)) == (ssize_t)sizeof(report) ? 0 : 1);
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
 * Collects the report of a child.
 * Return: its result; -ECHILD if it died without one; -ETIME.
 */
static int guard_collect(int fd, pid_t child, pid_t *place, const char *label, deadline_t deadline, struct reason *why)
{
	struct report report;
	ssize_t got;

	if (!wait_readable(fd, deadline)) {
		kill_child(child, place);
		return reason_set(why, -ETIME, "", "%s did not end in time", label);
	}
	do
		got = read(fd, &report, sizeof(report));
	while (got < 0 && errno == EINTR);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	if (got != (ssize_t)sizeof(report))
		return reason_set(why, -ECHILD, "", "%s ended without a result", label);
	if (why)
		*why = report.why;
	return report.result;
}

/*
 * fn: what to do; it opens what it needs by itself, since the caller's descriptors are closed in the child. arg: handed to fn. label: see
 * spawn.h. why: receives fn's reason, or ours; may be NULL.
 * Return: what fn returned; -ETIME when the deadline passed or had passed already (then fn was not called); -EBUSY while 16 earlier
 * children are stuck; -ECHILD if the child died; negative errno if none could be made.
 */
int guard_call(int (*fn)(void *arg, struct reason *why), void *arg, const char *label, deadline_t deadline, struct reason *why)
{
	autoclose int read_end = -1, write_end = -1;
	pid_t *place = reap_left_behind();
	pid_t child, parent = getpid();
	int ends[2];

	if (!place)
		return reason_set(why, -EBUSY, "", "%s was not tried, %d earlier calls are still stuck in the kernel", label, LEFT_BEHIND_MAX);
	if (deadline_left(deadline) == 0)
		return reason_set(why, -ETIME, "", "no time was left for %s", label);
	want_exit_status();
	if (pipe2(ends, O_CLOEXEC) < 0)
		return reason_set(why, -errno, "", "%s: no pipe: %s", label, strerror(errno));
	read_end = ends[0];
	write_end = ends[1];
	child = fork();
	if (child < 0)
		return reason_set(why, -errno, "", "%s: no child process: %s", label, strerror(errno));
	if (child == 0)
		guard_child(fn, arg, write_end, parent);
	close(scope_take_fd(&write_end));
	return guard_collect(read_end, child, place, label, deadline, why);
}

/*
 * fn, label, why: as guard_call(). arg, size: in memory that both share while fn runs; what fn made of it is copied back if it did not fail.
 * Return: as guard_call(); -ENOMEM.
 */
int guard_fetch(int (*fn)(void *arg, struct reason *why), void *arg, size_t size, const struct guard_limit *limit, struct reason *why)
{
	void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int result;

	if (shared == MAP_FAILED)
		return reason_set(why, -ENOMEM, "", "%s: out of memory", limit->label);
	memcpy(shared, arg, size);
	result = guard_call(fn, shared, limit->label, limit->deadline, why);
	if (result >= 0)
		memcpy(arg, shared, size);
	munmap(shared, size);
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
static int run_status(pid_t child, pid_t *place, deadline_t deadline)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	int status = 0;
	pid_t got;

	while ((got = waitpid(child, &status, WNOHANG)) == 0 && deadline_left(deadline) > 0)
		nanosleep(&pause, NULL);
	if (got == 0) {
		kill_child(child, place);
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
	pid_t *place = reap_left_behind(), child;
	int result = -ETIME;

	if (!place)
		return run_reason(argv[0], -EBUSY, text, why);
	if (access(argv[0], X_OK) < 0)
		return run_reason(argv[0], -errno, text, why);
	want_exit_status();
	child = run_start(argv, stream);
	if (child < 0)
		result = child;
	else if (streams_drain(stream, deadline))
		result = run_status(child, place, deadline);
	else
		kill_child(child, place);
	for (int i = 0; i < 2; i++)
		if (stream[i].fd >= 0)
			close(stream[i].fd);
	if (out && size > 0)
		out[stream[0].used] = '\0';
	return run_reason(argv[0], result, text, why);
}
