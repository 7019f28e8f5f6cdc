/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check.h: the harness of the unit tests. A test program is one file: it includes this header once and has no main().
 *
 *     TEST(refuses_an_empty_name) { CHECK_INT(parse(""), -EINVAL); }
 *
 * Tests run in the order of the file. The first CHECK that fails ends its test. Output: one line "ok NAME", "not ok NAME: WHERE: what"
 * or "skip NAME: why" a test, and a last line "N passed, N failed, N skipped". Exit status 1 if any failed; with STRICT=1 in the
 * environment a skip counts as a failure. An argument runs only the tests whose name contains it.
 */
#ifndef VFERRY_TESTS_CHECK_H
#define VFERRY_TESTS_CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK_MAX_TESTS 256

struct check_test {
	const char *name;
	void (*run)(void);
};

static struct check_test check_tests[CHECK_MAX_TESTS];
static size_t check_count;
static jmp_buf check_exit;
static char check_message[4096];
static char check_scratch_path[PATH_MAX];

/* Adds a test; called before main(). */
static void check_register(const char *name, void (*run)(void))
{
	if (check_count == CHECK_MAX_TESTS)
		abort();
	check_tests[check_count++] = (struct check_test){name, run};
}

/* Defines and registers a test. */
#define TEST(test_name)                                                          \
	static void test_##test_name(void);                                      \
	__attribute__((constructor)) static void check_add_##test_name(void)     \
	{                                                                        \
		check_register(#test_name, test_##test_name);                    \
	}                                                                        \
	static void test_##test_name(void)

/* Ends the running test; how: 1 failed, 2 skipped. */
__attribute__((format(printf, 2, 3), unused))
static _Noreturn void check_end(int how, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(check_message, sizeof(check_message), format, args);
	va_end(args);
	longjmp(check_exit, how);
}

/* Fails the test with a sentence of its own. */
#define FAIL(...) check_end(1, __VA_ARGS__)

/* Leaves the test because something that it needs is missing. */
#define SKIP(...) check_end(2, __VA_ARGS__)

/* Fails the test unless the condition holds. */
#define CHECK(condition)                                                                   \
	do {                                                                               \
		if (!(condition))                                                          \
			check_end(1, "%s:%d: not true: %s", __FILE__, __LINE__, #condition); \
	} while (0)

/* Fails the test unless both numbers are equal. */
#define CHECK_INT(actual, expected)                                                                                             \
	do {                                                                                                                    \
		long long check_a = (long long)(actual), check_b = (long long)(expected);                                       \
		if (check_a != check_b)                                                                                         \
			check_end(1, "%s:%d: %s is %lld, not %lld", __FILE__, __LINE__, #actual, check_a, check_b);              \
	} while (0)

/* Fails the test unless both texts are equal; NULL equals only NULL. */
#define CHECK_STR(actual, expected)                                                                                             \
	do {                                                                                                                    \
		const char *check_a = (actual), *check_b = (expected);                                                          \
		if (!check_a || !check_b ? check_a != check_b : strcmp(check_a, check_b) != 0)                                   \
			check_end(1, "%s:%d: %s is \"%s\", not \"%s\"", __FILE__, __LINE__, #actual, check_a ? check_a : "(NULL)", \
				  check_b ? check_b : "(NULL)");                                                                \
	} while (0)

/* Fails the test unless the text contains the part. */
#define CHECK_CONTAINS(text, part)                                                                                              \
	do {                                                                                                                    \
		const char *check_a = (text), *check_b = (part);                                                                \
		if (!check_a || !strstr(check_a, check_b))                                                                      \
			check_end(1, "%s:%d: \"%s\" does not contain \"%s\"", __FILE__, __LINE__, check_a ? check_a : "(NULL)", check_b); \
	} while (0)

/* Removes one file or directory, for nftw(3). */
static int check_remove(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info;
	(void)kind;
	(void)where;
	return remove(path);
}

/* Removes the scratch directory. */
static void check_clean(void)
{
	if (check_scratch_path[0])
		nftw(check_scratch_path, check_remove, 16, FTW_DEPTH | FTW_PHYS);
	check_scratch_path[0] = '\0';
}

/* Returns a scratch directory of the running test, made at the first call and removed when the test ends. */
__attribute__((unused)) static const char *check_scratch(void)
{
	const char *parent = getenv("TMPDIR");

	if (!check_scratch_path[0]) {
		snprintf(check_scratch_path, sizeof(check_scratch_path), "%s/vferry-test-XXXXXX", parent && *parent ? parent : "/tmp");
		if (!mkdtemp(check_scratch_path))
			FAIL("no scratch directory %s: %s", check_scratch_path, strerror(errno));
	}
	return check_scratch_path;
}

/* Makes a file in the scratch directory, and the directories above it. path: "/sys/class/net/x"; Returns its full path (static). */
__attribute__((unused)) static const char *check_file_bytes(const char *path, const void *data, size_t length)
{
	static char full[PATH_MAX];
	FILE *file;

	if ((size_t)snprintf(full, sizeof(full), "%s%s", check_scratch(), path) >= sizeof(full))
		FAIL("path too long: %s", path);
	for (char *slash = full + strlen(check_scratch_path) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(full, 0755) < 0 && errno != EEXIST)
			FAIL("mkdir %s: %s", full, strerror(errno));
		*slash = '/';
	}
	file = fopen(full, "w");
	if (!file || fwrite(data, 1, length, file) != length || fclose(file) != 0)
		FAIL("write %s: %s", full, strerror(errno));
	return full;
}

/* As check_file_bytes(), for a text. */
__attribute__((unused)) static const char *check_file(const char *path, const char *text)
{
	return check_file_bytes(path, text, strlen(text));
}

/* Makes a file of the scratch directory descriptor to, in a child that is about to run a program. */
__attribute__((unused)) static void check_redirect(const char *name, int flags, int to)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", check_scratch(), name);
	fd = open(path, flags, 0600);
	if (fd < 0 || dup2(fd, to) < 0)
		_exit(99);
}

/* Reads a file of the scratch directory as a text. Returns whether there is one; out is "" without. */
__attribute__((unused)) static bool check_fetch(const char *name, char *out, size_t size)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", check_scratch(), name);
	file = fopen(path, "r");
	out[file ? fread(out, 1, size - 1, file) : 0] = '\0';
	return file && fclose(file) == 0;
}

/*
 * Runs a program's main() in a child, with the scratch directory's files "stdin", "out" and "err" as its standard files.
 * out, err: receive what it said, size bytes each. Returns its exit status; a child that ends otherwise fails the test.
 */
__attribute__((unused))
static int check_program(int (*program)(int, char **), char **argv, char *out, char *err, size_t size)
{
	int status = 0, argc = 0;
	pid_t child;

	while (argv[argc])
		argc++;
	fflush(NULL);
	child = fork();
	if (child == 0) {
		check_redirect("stdin", O_RDONLY, 0);
		check_redirect("out", O_WRONLY | O_CREAT | O_TRUNC, 1);
		check_redirect("err", O_WRONLY | O_CREAT | O_TRUNC, 2);
		status = program(argc, argv);
		fflush(NULL);
		_exit(status);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
	CHECK(check_fetch("out", out, size) && check_fetch("err", err, size));
	return WEXITSTATUS(status);
}

/* Makes a symbolic link in the scratch directory. */
__attribute__((unused)) static void check_link(const char *target, const char *path)
{
	const char *full = check_file(path, "");

	unlink(full);
	if (symlink(target, full) < 0)
		FAIL("symlink %s: %s", full, strerror(errno));
}

/* Reads a file of the source tree: name is relative to the directory of the test's own source. Returns malloc'ed text with a NUL. */
#define CHECK_DATA(name, length) check_data(__FILE__, name, length)
__attribute__((unused)) static char *check_data(const char *source, const char *name, size_t *length)
{
	const char *slash = strrchr(source, '/');
	char path[PATH_MAX], *data;
	FILE *file;
	long size;

	snprintf(path, sizeof(path), "%.*s%s", slash ? (int)(slash - source + 1) : 0, source, name);
	file = fopen(path, "r");
	if (!file || fseek(file, 0, SEEK_END) < 0 || (size = ftell(file)) < 0)
		FAIL("read %s: %s", path, strerror(errno));
	rewind(file);
	data = malloc((size_t)size + 1);
	if (!data || fread(data, 1, (size_t)size, file) != (size_t)size)
		FAIL("read %s: %s", path, strerror(errno));
	fclose(file);
	data[size] = '\0';
	if (length)
		*length = (size_t)size;
	return data;
}

/* Runs one test. Returns 0 passed, 1 failed, 2 skipped. */
static int check_run(const struct check_test *test)
{
	int how = setjmp(check_exit);

	if (how == 0)
		test->run();
	check_clean();
	if (how == 0)
		printf("ok %s\n", test->name);
	else
		printf("%s %s: %s\n", how == 1 ? "not ok" : "skip", test->name, check_message);
	fflush(stdout);
	return how;
}

int main(int argc, char **argv)
{
	const char *strict = getenv("STRICT");
	int count[3] = {0};

	for (size_t i = 0; i < check_count; i++)
		if (argc < 2 || strstr(check_tests[i].name, argv[1]))
			count[check_run(&check_tests[i])]++;
	if (strict && strcmp(strict, "1") == 0) {
		count[1] += count[2];
		count[2] = 0;
	}
	printf("%d passed, %d failed, %d skipped\n", count[0], count[1], count[2]);
	return count[1] > 0;
}

#endif
