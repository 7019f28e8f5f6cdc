/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * replay.c: the main() of a fuzz target without a fuzzer: feeds it the files of its corpus, each in a child process.
 *
 *     replay_NAME [FILE|DIRECTORY...]
 *
 * Without arguments: tests/fuzz/corpus/NAME, seen from the current directory. A child that dies, leaks (under ASan), prints anything or
 * takes longer than TIME_LIMIT is a failed test with the name of its file. Output and exit status are those of a unit test.
 */
#include "fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/scope.h"

#define TIME_LIMIT 60 /* s for one input; the slowest takes milliseconds, but the machine may be busy */
#define PRINTED (-2)

static const char *name; /* of the target */
static unsigned int inputs, bad;

/* Reads a file. Return: its bytes, malloc'ed to the byte, NULL on failure. */
static uint8_t *read_input(const char *path, size_t *size)
{
	autofclose FILE *file = fopen(path, "rb");
	struct stat info;
	uint8_t *data;

	if (!file || fstat(fileno(file), &info) < 0 || !(data = malloc(info.st_size ? (size_t)info.st_size : 1)))
		return NULL;
	*size = fread(data, 1, (size_t)info.st_size, file);
	if (*size == (size_t)info.st_size)
		return data;
	free(data);
	return NULL;
}

/* The child: runs the target with all output going to a file. */
static _Noreturn void run_target(const uint8_t *data, size_t size, int output)
{
	if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
		_exit(2);
	alarm(TIME_LIMIT);
	LLVMFuzzerTestOneInput(data, size);
	exit(0); /* not _exit(): the search for leaks runs at exit */
}

/* Shows what a child printed. Return: how many bytes. */
static off_t show_output(int output)
{
	char text[4096];
	ssize_t len;

	lseek(output, 0, SEEK_SET);
	while ((len = read(output, text, sizeof(text))) > 0)
		fwrite(text, 1, (size_t)len, stderr);
	return lseek(output, 0, SEEK_CUR);
}

/* Runs the target with one input, in a child. Return: its wait status, PRINTED if it printed anything, -1 if it could not be run. */
static int run_child(const char *path)
{
	autoclose int output = memfd_create("vferry-replay", MFD_CLOEXEC);
	size_t size = 0;
	autofree uint8_t *data = read_input(path, &size);
	int status = -1;
	pid_t child;

	if (!data || output < 0)
		return -1;
	fflush(NULL);
	child = fork();
	if (child == 0)
		run_target(data, size, output);
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return show_output(output) > 0 && status == 0 ? PRINTED : status;
}

/* Replays one file. */
static void replay_file(const char *path)
{
	int status = run_child(path);

	inputs++;
	if (status == 0)
		return;
	bad++;
	if (status == -1)
		printf("not ok fuzz corpus %s: %s: cannot be read or run\n", name, path);
	else if (status == PRINTED)
		printf("not ok fuzz corpus %s: %s: something was printed\n", name, path);
	else if (WIFSIGNALED(status))
		printf("not ok fuzz corpus %s: %s: %s\n", name, path, strsignal(WTERMSIG(status)));
	else
		printf("not ok fuzz corpus %s: %s: exit status %d\n", name, path, WEXITSTATUS(status));
}

/* Replays a file, or the files of a directory in the order of their names. */
static void replay(const char *path)
{
	struct dirent **entry = NULL;
	int count = scandir(path, &entry, NULL, alphasort);

	if (count < 0) {
		replay_file(path);
		return;
	}
	for (int i = 0; i < count; i++) {
		char file[PATH_MAX];

		snprintf(file, sizeof(file), "%s/%s", path, entry[i]->d_name);
		if (entry[i]->d_name[0] != '.')
			replay_file(file);
		free(entry[i]);
	}
	free(entry);
}

int main(int argc, char **argv)
{
	char corpus[PATH_MAX];

	name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	if (strncmp(name, "replay_", strlen("replay_")) == 0)
		name += strlen("replay_");
	fuzz_root(); /* here, so that it is removed even when a child dies */
	snprintf(corpus, sizeof(corpus), "tests/fuzz/corpus/%s", name);
	if (argc < 2)
		replay(corpus);
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	if (!inputs) {
		bad++;
		printf("not ok fuzz corpus %s: there is no input\n", name);
	}
	if (!bad)
		printf("ok fuzz corpus %s holds (%u inputs)\n", name, inputs);
	printf("%d passed, %u failed, 0 skipped\n", !bad, bad);
	return bad > 0;
}
