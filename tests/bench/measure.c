/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * measure.c: what one run of a program costs, beside one run of others.
 *
 *     measure [-r COMMAND] ROUNDS INPUT COMMAND...
 *
 * Runs the COMMANDs by turns, ROUNDS times each, as libvirt runs a hook: the content of the file INPUT on a pipe as stdin, stdout
 * collected by a pipe until its end, stderr thrown away. A COMMAND is a program and its words, separated by blanks. The time of one run is
 * from before the process is made until it has been waited for. The order within a round changes every round, so that none always comes
 * second. After each run comes one of -r, which is not counted.
 *
 * Prints a line for each, separated by tabs: median and quartiles of the time, median of the processor time of the process and of all
 * children that it waited for (microseconds), peak of resident memory (KiB, of the largest of them), exit status, the kernel's part of
 * the processor time (median, microseconds), words. A program must end each time with the same status: a run that does not is told on
 * stderr and made again, and at the fourth measure ends with 1. Linked statically: the peak that the kernel tells is never less than that
 * of the program that made the process.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define INPUT_MAX 65536 /* what a pipe holds, so that writing it first cannot block (pipe(7), "Pipe capacity") */
#define ROUNDS_MAX 100000
#define WORDS_MAX 24
#define COMMANDS_MAX 16
#define FAILURES_MAX 3

/* What every run gets on its stdin. */
static char input[INPUT_MAX];
static size_t input_length;

/* A program with its words, and what was measured of it. */
struct subject {
	const char *text;
	char *words[WORDS_MAX + 1];
	double *times, *cpu, *kernel;
	long peak;
	int status, failures;
};

/* Says what failed, with errno, and ends the program. */
static void die(const char *what)
{
	fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Monotonic time in microseconds, with fractions. */
static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Reads the file of which every run gets the content. */
static void read_input(const char *path)
{
	FILE *file = fopen(path, "r");

	if (!file)
		die(path);
	input_length = fread(input, 1, sizeof(input), file);
	if (ferror(file) || input_length == sizeof(input)) {
		errno = EFBIG;
		die(path);
	}
	fclose(file);
}

/* Cuts a command into its words. */
static struct subject cut(const char *text)
{
	struct subject subject = { .text = text, .status = -1 };
	char *copy = strdup(text), *word;
	size_t count = 0;

	if (!copy)
		die("memory");
	while ((word = strsep(&copy, " ")) && count < WORDS_MAX)
		if (*word)
			subject.words[count++] = word;
	if (count == 0 || count == WORDS_MAX) {
		errno = E2BIG;
		die("a command has no word, or too many");
	}
	return subject;
}

/* Makes a pipe that holds the input; Returns its reading end. */
static int input_pipe(void)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		die("pipe");
	if (write(ends[1], input, input_length) != (ssize_t)input_length)
		die("write to the pipe");
	close(ends[1]);
	return ends[0];
}

/* Starts a program with these descriptors as stdin and stdout. Return: its process id. */
static pid_t start(const struct subject *subject, int in, int out)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int error;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	error = posix_spawn(&pid, subject->words[0], &actions, NULL, subject->words, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (error) {
		errno = error;
		die(subject->words[0]);
	}
	return pid;
}

/* Notes how a run ended. Return: whether it counts. */
static bool note(struct subject *subject, int status, const struct rusage *usage)
{
	int ended = WIFEXITED(status) ? WEXITSTATUS(status) : 128;

	if (ended > 125 || (subject->status >= 0 && subject->status != ended)) {
		fprintf(stderr, "measure: %s: ended with %d, before with %d\n", subject->text, ended, subject->status);
		if (ended > 125 || ++subject->failures > FAILURES_MAX)
			exit(1);
		return false;
	}
	subject->status = ended;
	if (usage->ru_maxrss > subject->peak)
		subject->peak = usage->ru_maxrss;
	return true;
}

/* Return: a time in microseconds. */
static double us(const struct timeval *time)
{
	return (double)time->tv_sec * 1e6 + (double)time->tv_usec;
}

/* Runs a program once. round: where the times go, -1 for nowhere. Return: whether the run counts. */
static bool run(struct subject *subject, ssize_t round)
{
	int in = input_pipe(), out[2], status;
	struct rusage usage;
	char buffer[65536];
	double begin;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0)
		die("pipe");
	begin = now_us();
	pid = start(subject, in, out[1]);
	close(out[1]);
	while (read(out[0], buffer, sizeof(buffer)) > 0)
		;
	if (wait4(pid, &status, 0, &usage) != pid)
		die("wait4");
	begin = now_us() - begin;
	close(out[0]);
	close(in);
	if (!note(subject, status, &usage))
		return false;
	if (round >= 0) {
		subject->times[round] = begin;
		subject->cpu[round] = us(&usage.ru_utime) + us(&usage.ru_stime);
		subject->kernel[round] = us(&usage.ru_stime);
	}
	return true;
}

/* Orders two times, for qsort(3). */
static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Sorts the times of a program and prints its line. */
static void report(struct subject *subject, size_t rounds)
{
	double *times = subject->times;

	qsort(times, rounds, sizeof(*times), compare);
	qsort(subject->cpu, rounds, sizeof(*times), compare);
	qsort(subject->kernel, rounds, sizeof(*times), compare);
	printf("%.1f\t%.1f\t%.1f\t%.1f\t%ld\t%d\t%.1f\t%s\n", times[rounds / 2], times[rounds / 4], times[rounds - 1 - rounds / 4],
	       subject->cpu[rounds / 2], subject->peak, subject->status, subject->kernel[rounds / 2], subject->text);
}

/* Runs all by turns. */
static void run_all(struct subject *subject, size_t count, struct subject *after, size_t rounds)
{
	for (size_t i = 0; i < count; i++) {
		subject[i].times = calloc(rounds, sizeof(double));
		subject[i].cpu = calloc(rounds, sizeof(double));
		subject[i].kernel = calloc(rounds, sizeof(double));
		if (!subject[i].times || !subject[i].cpu || !subject[i].kernel)
			die("memory");
		for (int tries = 0; tries < 2 && subject[i].status != 0; tries++) { /* into the page cache */
			subject[i].status = -1;
			run(&subject[i], -1);
			if (after)
				run(after, -1);
		}
	}
	for (size_t round = 0; round < rounds; round++)
		for (size_t turn = 0; turn < count; turn++) {
			size_t which = (turn + round) % count;

			bool counts;

			do {
				counts = run(&subject[which], (ssize_t)round);
				if (after)
					run(after, -1);
			} while (!counts);
		}
}

int main(int argc, char **argv)
{
	struct subject subject[COMMANDS_MAX], after;
	bool has_after = argc > 3 && strcmp(argv[1], "-r") == 0;
	size_t rounds, count;

	if (has_after) {
		after = cut(argv[2]);
		argc -= 2;
		argv += 2;
	}
	rounds = argc > 3 ? strtoul(argv[1], NULL, 10) : 0;
	count = (size_t)argc - 3;
	if (rounds < 1 || rounds > ROUNDS_MAX || count > COMMANDS_MAX) {
		fprintf(stderr, "usage: measure [-r COMMAND] ROUNDS INPUT COMMAND...\n");
		return 2;
	}
	read_input(argv[2]);
	for (size_t i = 0; i < count; i++)
		subject[i] = cut(argv[3 + i]);
	run_all(subject, count, has_after ? &after : NULL, rounds);
	for (size_t i = 0; i < count; i++)
		report(&subject[i], rounds);
	return 0;
}
