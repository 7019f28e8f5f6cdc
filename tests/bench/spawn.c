/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * spawn.c: what one run of a hook costs, beside one run of another program.
 *
 *     spawn ROUNDS FILE PROGRAM BASELINE
 *
 * Runs PROGRAM and BASELINE by turns, ROUNDS times each, as libvirt runs a hook: with the arguments "guest migrate begin -", the
 * FILE's content on a pipe as stdin, stdout collected by a pipe until its end. The time of one run is from before the process is
 * made until it has been waited for. The order within a round changes every round, so that neither always comes second. Prints
 * median and quartiles of both in microseconds and the ratio of the medians; fails if a run fails or prints something.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FILE_MAX 65536 /* what a pipe holds, so that writing it first cannot block (pipe(7), "Pipe capacity") */
#define ROUNDS_MAX 100000

/* The XML that every run gets on its stdin. */
static char xml[FILE_MAX];
static size_t xml_length;

/* Says what failed, with errno, and ends the program. */
static void die(const char *what)
{
	fprintf(stderr, "spawn: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Monotonic time in microseconds, with fractions. */
static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Reads a file into xml. */
static void read_xml(const char *path)
{
	FILE *file = fopen(path, "r");

	if (!file)
		die(path);
	xml_length = fread(xml, 1, sizeof(xml), file);
	if (ferror(file) || xml_length == 0 || xml_length == sizeof(xml))
		die("the file is empty or larger than a pipe");
	fclose(file);
}

/* Makes a pipe that holds the XML; Returns its reading end. */
static int xml_pipe(void)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		die("pipe");
	if (write(ends[1], xml, xml_length) != (ssize_t)xml_length)
		die("write to the pipe");
	close(ends[1]);
	return ends[0];
}

/* Starts a program with these descriptors as stdin and stdout. Return: its process id. */
static pid_t start(const char *program, int in, int out)
{
	char *argv[] = {(char[]){"hook"}, (char[]){"guest"}, (char[]){"migrate"}, (char[]){"begin"}, (char[]){"-"}, NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int error;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	error = posix_spawn(&pid, program, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (error) {
		errno = error;
		die(program);
	}
	return pid;
}

/* Runs a program once. Return: microseconds. */
static double run(const char *program)
{
	int in = xml_pipe(), out[2], status;
	char byte;
	double begin;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0)
		die("pipe");
	begin = now_us();
	pid = start(program, in, out[1]);
	close(out[1]);
	if (read(out[0], &byte, 1) != 0) {
		errno = EPROTO;
		die("a program printed something");
	}
	if (waitpid(pid, &status, 0) != pid || status != 0) {
		errno = ECHILD;
		die("a program failed");
	}
	begin = now_us() - begin;
	close(out[0]);
	close(in);
	return begin;
}

/* Orders two times, for qsort(3). */
static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Sorts the times of a program and prints them. Return: the median. */
static double report(const char *program, double *times, size_t rounds)
{
	qsort(times, rounds, sizeof(*times), compare);
	printf("%-24s median %7.1f us, quartiles %7.1f and %7.1f us\n", program, times[rounds / 2], times[rounds / 4],
	       times[rounds - 1 - rounds / 4]);
	return times[rounds / 2];
}

int main(int argc, char **argv)
{
	size_t rounds = argc == 5 ? strtoul(argv[1], NULL, 10) : 0;
	double *times[2], median;

	if (rounds < 4 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: spawn ROUNDS FILE PROGRAM BASELINE\n");
		return 2;
	}
	read_xml(argv[2]);
	for (int i = 0; i < 2; i++) {
		times[i] = calloc(rounds, sizeof(double));
		if (!times[i])
			die("memory");
		run(argv[3 + i]); /* both into the page cache */
	}
	for (size_t round = 0; round < rounds; round++)
		for (size_t turn = 0; turn < 2; turn++) {
			size_t which = (turn + round) % 2;

			times[which][round] = run(argv[3 + which]);
		}
	median = report(argv[3], times[0], rounds);
	printf("ratio %.2f\n", median / report(argv[4], times[1], rounds));
	return 0;
}
