/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * spawn.c: running programs. See spawn.h; what a child is, and why, stands in child.c.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pipe2 */
#endif

#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"
#include "base/scope.h"

#define ERROR_TEXT_MAX 256 /* bytes of a program's stderr that are shown */

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
static _Noreturn void run_child(char *const argv[])
{
	static char locale[] = "LC_ALL=C", path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char *const environment[] = {locale, path, NULL};

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
		child_kill(child);
		return -ETIME;
	}
	return got == child && WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}

/*
 * Starts the program with its two pipes.
 * stream: two, which receive the parent's ends. Return: its process number, negative errno.
 */
static pid_t run_start(char *const argv[], struct stream *stream)
{
	int out_ends[2], err_ends[2];
	pid_t child;

	if (pipe2(out_ends, O_CLOEXEC) < 0)
		return -errno;
	stream[0].fd = out_ends[0];
	if (pipe2(err_ends, O_CLOEXEC) < 0) {
		close(out_ends[1]);
		return -EMFILE;
	}
	stream[1].fd = err_ends[0];
	child = child_make((int[3]){-1, out_ends[1], err_ends[1]}, -1);
	if (child == 0)
		run_child(argv);
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
 * Return: exit status (127 also if execve(2) failed); -ETIME, -ECHILD, -EBUSY as guard_ask(); -ENOENT, -EACCES and the like if there is
 * no such program.
 */
int spawn_run(char *const argv[], char *out, size_t size, deadline_t deadline, struct reason *why)
{
	char text[ERROR_TEXT_MAX] = "";
	struct stream stream[2] = {{-1, out, out && size > 0 ? size - 1 : 0, 0}, {-1, text, sizeof(text) - 1, 0}};
	int result = -ETIME;
	pid_t child;

	if (access(argv[0], X_OK) < 0)
		return run_reason(argv[0], -errno, text, why);
	child = run_start(argv, stream);
	if (child < 0)
		result = child;
	else if (streams_drain(stream, deadline))
		result = run_status(child, deadline);
	else
		child_kill(child);
	for (int i = 0; i < 2; i++)
		if (stream[i].fd >= 0)
			close(stream[i].fd);
	if (out && size > 0)
		out[stream[0].used] = '\0';
	return run_reason(argv[0], result, text, why);
}

/* ---- Several at once ----------------------------------------------------------------------------------------------------------- */

/* One of them while it runs. */
struct running {
	struct stream stream[2];
	char text[ERROR_TEXT_MAX];
	pid_t child;
};

/* Starts one. A program that cannot be started has its result at once. */
static void all_start(struct spawn_job *job, struct running *running)
{
	*running = (struct running){.stream = {{-1, job->out, job->size - 1, 0}, {-1, running->text, sizeof(running->text) - 1, 0}}};
	running->child = access(job->argv[0], X_OK) < 0 ? -errno : run_start(job->argv, running->stream);
}

/* Fills what poll(2) wants. Return: streams that are open. */
static size_t all_open(const struct running *running, size_t count, struct pollfd *poll_fd)
{
	size_t open = 0;

	for (size_t i = 0; i < 2 * count; i++) {
		poll_fd[i] = (struct pollfd){.fd = running[i / 2].stream[i % 2].fd, .events = POLLIN};
		open += poll_fd[i].fd >= 0;
	}
	return open;
}

/* Ends one: by itself, or at the deadline. */
static void all_end(struct spawn_job *job, struct running *running, deadline_t deadline)
{
	bool ended = running->stream[0].fd < 0 && running->stream[1].fd < 0;

	if (running->child < 0)
		job->result = running->child;
	else if (ended)
		job->result = run_status(running->child, deadline);
	else
		job->result = -ETIME;
	if (running->child >= 0 && !ended)
		child_kill(running->child);
	for (int i = 0; i < 2; i++)
		if (running->stream[i].fd >= 0)
			close(running->stream[i].fd);
	job->out[running->stream[0].used] = '\0';
	run_reason(job->argv[0], job->result, running->text, &job->why);
}

/* job: argv, out and size (at least 1) are set; result and why receive what came of it. count: how many. */
void spawn_run_all(struct spawn_job *job, size_t count, deadline_t deadline)
{
	autofree struct running *running = calloc(count + 1, sizeof(*running));
	autofree struct pollfd *poll_fd = calloc(2 * count + 1, sizeof(*poll_fd));

	for (size_t i = 0; i < count && (!running || !poll_fd); i++)
		job[i].result = reason_set(&job[i].why, -ENOMEM, NULL, "out of memory");
	if (!running || !poll_fd)
		return;
	for (size_t i = 0; i < count; i++)
		all_start(&job[i], &running[i]);
	while (all_open(running, count, poll_fd)) {
		int ready = poll(poll_fd, (nfds_t)(2 * count), deadline_left(deadline));

		if (ready == 0 || (ready < 0 && errno != EINTR))
			break;
		for (size_t i = 0; ready > 0 && i < 2 * count; i++)
			if (poll_fd[i].revents)
				stream_take(&running[i / 2].stream[i % 2]);
	}
	for (size_t i = 0; i < count; i++)
		all_end(&job[i], &running[i], deadline);
}
