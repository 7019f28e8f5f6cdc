/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Children with deadlines. */
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/spawn.h"

/* Answers with the number behind arg and a reason. */
static int answer(void *arg, struct reason *why)
{
	return reason_set(why, *(int *)arg, "0000:81:00.0", "said the child");
}

/* Never answers. */
static int sleep_for_ever(void *arg, struct reason *why)
{
	(void)arg;
	(void)why;
	while (pause() < 0)
		;
	return 0;
}

/* Dies. */
static int die(void *arg, struct reason *why)
{
	(void)why;
	raise(*(int *)arg);
	return 0;
}

/* Answers -EBADF if one of the caller's descriptors is still open, 0 if none is; stdin, stdout and stderr must be /dev/null. */
static int look_at_descriptors(void *arg, struct reason *why)
{
	struct stat null, mine;

	(void)why;
	if (fcntl(*(int *)arg, F_GETFD) >= 0 || stat("/dev/null", &null) < 0)
		return -EBADF;
	for (int fd = 0; fd < 3; fd++)
		if (fstat(fd, &mine) < 0 || mine.st_rdev != null.st_rdev)
			return -EBADF;
	return 0;
}

/* Whether a process runs: neither gone nor a zombie. */
static bool is_alive(pid_t pid)
{
	char path[64], text[256] = "";
	const char *state;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	state = strrchr(text, ')');
	return state && state[1] == ' ' && state[2] != 'Z' && state[2] != 'X';
}

TEST(brings_back_the_result_and_the_reason_of_the_call)
{
	struct reason why = {0};
	int number = -EOPNOTSUPP;

	CHECK_INT(guard_call(answer, &number, "setting the eswitch mode", deadline_in(5000), &why), -EOPNOTSUPP);
	CHECK_STR(why.object, "0000:81:00.0");
	CHECK_STR(why.what, "said the child");
	number = 0;
	CHECK_INT(guard_call(answer, &number, "x", deadline_in(5000), NULL), 0);
}

TEST(goes_on_without_a_call_that_does_not_end)
{
	struct reason why = {0};
	int64_t start = clock_ms();

	CHECK_INT(guard_call(sleep_for_ever, NULL, "writing sriov_numvfs", deadline_in(100), &why), -ETIME);
	CHECK(clock_ms() - start >= 100);
	CHECK(clock_ms() - start < 3000);
	CHECK_STR(why.what, "writing sriov_numvfs did not end in time");
}

/* A call that tells its process number in memory that it shares, and never ends. */
static int tell_and_sleep(void *arg, struct reason *why)
{
	*(volatile pid_t *)*(void **)arg = getpid();
	return sleep_for_ever(NULL, why);
}

TEST(the_child_dies_with_its_parent)
{
	pid_t *told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), parent;

	CHECK(told != MAP_FAILED);
	parent = fork();
	if (parent == 0)
		_exit(guard_call(tell_and_sleep, &told, "x", deadline_in(60000), NULL) != 0);
	for (int i = 0; i < 10000 && !*(volatile pid_t *)told; i++)
		usleep(1000);
	CHECK(*told > 0);
	kill(parent, SIGKILL);
	CHECK_INT(waitpid(parent, NULL, 0), parent);
	/* It is a child of init's now, which may be slow in reaping it: a zombie cannot be told from a live one by kill(2). */
	for (int i = 0; i < 10000 && is_alive(*told); i++)
		usleep(1000);
	CHECK(!is_alive(*told));
	munmap(told, sizeof(*told));
}

/* What a call finds. */
struct found {
	int number;
	char text[16];
};

static int find(void *arg, struct reason *why)
{
	struct found *found = arg;

	(void)why;
	found->number++;
	strcpy(found->text, "found");
	return found->number > 10 ? -E2BIG : found->number;
}

TEST(brings_back_what_the_call_found)
{
	struct guard_limit limit = {"looking", deadline_in(5000)};
	struct found found = {.number = 6};

	struct guard guard = {0};

	CHECK_INT(guard_ask(&guard, find, &found, sizeof(found), &limit, NULL), 7);
	CHECK_INT(found.number, 7);
	CHECK_STR(found.text, "found");
	guard_end(&guard);
}

TEST(a_call_that_fails_leaves_the_callers_memory_alone)
{
	struct guard_limit limit = {"looking", deadline_in(5000)};
	struct found found = {.number = 10};

	struct guard guard = {0};

	CHECK_INT(guard_ask(&guard, find, &found, sizeof(found), &limit, NULL), -E2BIG);
	CHECK_INT(found.number, 10);
	CHECK_STR(found.text, "");
	guard_end(&guard);
}

TEST(a_look_that_does_not_end_is_left_behind)
{
	struct reason why = {0};
	struct guard_limit limit = {"the look at sriov_numvfs", deadline_in(100)};
	struct guard guard = {0};
	int nothing = 0;

	CHECK_INT(guard_ask(&guard, sleep_for_ever, &nothing, sizeof(nothing), &limit, &why), -ETIME);
	CHECK_STR(why.what, "the look at sriov_numvfs did not end in time");
}

/* Tells which process makes the call, and counts the calls that it made. */
static int tell_process(void *arg, struct reason *why)
{
	static int calls;
	int *told = arg;

	(void)why;
	told[0] = getpid();
	told[1] = ++calls;
	return 0;
}

/* Asks for the process that makes the calls. Returns its number; calls receives how many it made. */
static int ask_process(struct guard *guard, int *calls)
{
	struct guard_limit limit = {"asking", deadline_in(5000)};
	int told[2] = {0, 0};

	CHECK_INT(guard_ask(guard, tell_process, told, sizeof(told), &limit, NULL), 0);
	*calls = told[1];
	return told[0];
}

TEST(one_child_makes_many_calls)
{
	struct guard guard = {0}, other = {0};
	int calls, child = ask_process(&guard, &calls);

	CHECK(child != getpid());
	CHECK_INT(calls, 1);
	CHECK(ask_process(&other, &calls) != child);
	CHECK_INT(calls, 1);
	CHECK_INT(ask_process(&guard, &calls), child);
	CHECK_INT(calls, 2);
	CHECK(is_alive(child));
	guard_end(&other);
	guard_end(&guard);
	guard_end(&guard);
	CHECK_INT(waitpid(child, NULL, 0), child);
	CHECK(ask_process(&guard, &calls) != child);
	CHECK_INT(calls, 1);
	guard_end(&guard);
}

TEST(after_a_call_that_does_not_end_there_is_a_new_child)
{
	struct guard_limit limit = {"x", deadline_in(50)};
	struct guard guard = {0};
	int calls, child = ask_process(&guard, &calls), nothing = 0;

	CHECK_INT(guard_ask(&guard, sleep_for_ever, &nothing, sizeof(nothing), &limit, NULL), -ETIME);
	CHECK(!is_alive(child));
	CHECK(ask_process(&guard, &calls) != child);
	CHECK_INT(calls, 1);
	guard_end(&guard);
}

TEST(after_a_child_that_died_there_is_a_new_one)
{
	struct guard_limit limit = {"the call", deadline_in(5000)};
	struct reason why = {0};
	struct guard guard = {0};
	int calls, child = ask_process(&guard, &calls), number = SIGKILL;

	CHECK_INT(guard_ask(&guard, die, &number, sizeof(number), &limit, &why), -ECHILD);
	CHECK_STR(why.what, "the call ended without a result");
	CHECK_INT(waitpid(child, NULL, WNOHANG), -1);
	child = ask_process(&guard, &calls);
	CHECK_INT(calls, 1);
	kill(child, SIGKILL); /* between two calls */
	while (is_alive(child))
		usleep(1000);
	CHECK_INT(guard_ask(&guard, answer, &(int){0}, sizeof(int), &limit, &why), -ECHILD);
	CHECK_INT(guard_ask(&guard, answer, &(int){0}, sizeof(int), &limit, &why), 0);
	guard_end(&guard);
}

TEST(a_child_that_waits_for_calls_holds_nothing_and_dies_with_its_parent)
{
	const char *path = check_file("/lock", "");
	int ends[2], calls, child = 0, again = open(path, O_RDWR);
	pid_t parent;

	CHECK_INT(pipe(ends), 0);
	parent = fork();
	if (parent == 0) {
		int fd = open(path, O_RDWR);
		struct guard guard = {0};

		CHECK_INT(flock(fd, LOCK_EX), 0);
		child = ask_process(&guard, &calls);
		CHECK_INT(close(fd), 0);
		CHECK_INT(write(ends[1], &child, sizeof(child)), sizeof(child));
		while (pause() < 0)
			;
	}
	CHECK_INT(read(ends[0], &child, sizeof(child)), sizeof(child));
	CHECK(is_alive(child));
	CHECK_INT(flock(again, LOCK_EX | LOCK_NB), 0);
	kill(parent, SIGKILL);
	CHECK_INT(waitpid(parent, NULL, 0), parent);
	for (int i = 0; i < 10000 && is_alive(child); i++)
		usleep(1000);
	CHECK(!is_alive(child));
	close(again);
}

TEST(an_argument_has_the_size_that_is_said)
{
	static char large[GUARD_ARG_MAX + 1];
	struct guard_limit limit = {"the call", deadline_in(5000)};
	struct reason why = {0};
	struct guard guard = {0};

	CHECK_INT(guard_ask(&guard, find, large, GUARD_ARG_MAX, &limit, NULL), 1);
	CHECK_STR(((struct found *)(void *)large)->text, "found");
	CHECK_INT(guard_ask(&guard, find, large, sizeof(large), &limit, &why), -E2BIG);
	CHECK_STR(why.what, "the call: Argument list too long");
	guard_end(&guard);
}

TEST(does_not_begin_when_no_time_is_left)
{
	struct reason why = {0};
	int number = 0;

	CHECK_INT(guard_call(answer, &number, "the call", deadline_in(0), &why), -ETIME);
	CHECK_STR(why.what, "no time was left for the call");
}

TEST(says_when_the_child_died)
{
	struct reason why = {0};
	int signal_number = SIGKILL;

	CHECK_INT(guard_call(die, &signal_number, "the call", deadline_in(5000), &why), -ECHILD);
	CHECK_STR(why.what, "the call ended without a result");
}

TEST(leaves_no_zombie)
{
	int number = 0;

	CHECK_INT(guard_call(answer, &number, "x", deadline_in(5000), NULL), 0);
	CHECK_INT(guard_call(sleep_for_ever, NULL, "x", deadline_in(20), NULL), -ETIME);
	CHECK_INT(guard_call(answer, &number, "x", deadline_in(5000), NULL), 0);
	CHECK_INT(waitpid(-1, NULL, WNOHANG), -1);
	CHECK_INT(errno, ECHILD);
}

TEST(works_where_children_are_ignored)
{
	char *const program[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, (char[]){"exit 7"}, NULL};
	int number = -EIO;

	signal(SIGCHLD, SIG_IGN);
	CHECK_INT(guard_call(answer, &number, "x", deadline_in(5000), NULL), -EIO);
	signal(SIGCHLD, SIG_IGN);
	CHECK_INT(spawn_run(program, NULL, 0, deadline_in(5000), NULL), 7);
	signal(SIGCHLD, SIG_DFL);
}

TEST(the_child_holds_none_of_the_callers_descriptors)
{
	int fd = fcntl(0, F_DUPFD, 50);

	CHECK(fd >= 50);
	CHECK_INT(guard_call(look_at_descriptors, &fd, "x", deadline_in(5000), NULL), 0);
	close(fd);
}

TEST(a_stuck_child_keeps_no_lock)
{
	const char *path = check_file("/lock", "");
	int fd = open(path, O_RDWR), again = open(path, O_RDWR);

	CHECK_INT(flock(fd, LOCK_EX), 0);
	CHECK_INT(guard_call(sleep_for_ever, NULL, "x", deadline_in(20), NULL), -ETIME);
	close(fd);
	CHECK_INT(flock(again, LOCK_EX | LOCK_NB), 0);
	close(again);
}

/* Runs a shell script. Returns what spawn_run() returns. */
static int run(const char *script, char *out, size_t size, int ms, struct reason *why)
{
	char copy[256];
	char *const program[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, copy, NULL};

	snprintf(copy, sizeof(copy), "%s", script);
	return spawn_run(program, out, size, deadline_in(ms), why);
}

TEST(collects_what_a_program_prints)
{
	struct reason why = {0};
	char out[16];

	CHECK_INT(run("echo hello; cat", out, sizeof(out), 5000, &why), 0);
	CHECK_STR(out, "hello\n");
	CHECK_INT(run("echo 0123456789abcdefghij", out, sizeof(out), 5000, &why), 0);
	CHECK_STR(out, "0123456789abcde");
	CHECK_INT(run("echo x", NULL, 0, 5000, NULL), 0);
}

TEST(reads_more_than_a_pipe_holds)
{
	char out[8];

	CHECK_INT(run("head -c 300000 /dev/zero | tr '\\0' x; head -c 300000 /dev/zero >&2", out, sizeof(out), 10000, NULL), 0);
	CHECK_STR(out, "xxxxxxx");
}

TEST(tells_the_status_of_a_program_that_failed_and_its_first_words)
{
	struct reason why = {0};

	CHECK_INT(run("echo 'no such thing' >&2; echo more >&2; exit 3", NULL, 0, 5000, &why), 3);
	CHECK_STR(why.object, "/bin/sh");
	CHECK_STR(why.what, "the program failed with status 3: no such thing");
	CHECK_INT(run("kill -9 $$", NULL, 0, 5000, &why), -ECHILD);
	CHECK_STR(why.what, "the program died by a signal");
}

TEST(kills_a_program_and_its_children_at_the_deadline)
{
	struct reason why = {0};
	int64_t start = clock_ms();
	char out[32];
	pid_t grandchild;

	CHECK_INT(run("sleep 60 & echo $!; wait", out, sizeof(out), 300, &why), -ETIME);
	CHECK(clock_ms() - start < 5000);
	CHECK_STR(why.what, "the program did not end in time");
	grandchild = (pid_t)strtol(out, NULL, 10);
	CHECK(grandchild > 0);
	for (int i = 0; i < 200 && kill(grandchild, 0) == 0; i++) {
		char stat_path[64], state[256] = "";
		FILE *file;

		snprintf(stat_path, sizeof(stat_path), "/proc/%d/stat", grandchild);
		file = fopen(stat_path, "r");
		if (!file || !fgets(state, sizeof(state), file) || strstr(state, ") Z")) {
			if (file)
				fclose(file);
			return; /* dead, and waits for a parent that reaps */
		}
		fclose(file);
		usleep(10000);
	}
	CHECK(kill(grandchild, 0) < 0 && errno == ESRCH);
}

TEST(says_when_there_is_no_such_program)
{
	char *const program[] = {(char[]){"/nonexistent/mstconfig"}, NULL};
	struct reason why = {0};

	CHECK_INT(spawn_run(program, NULL, 0, deadline_in(1000), &why), -ENOENT);
	CHECK_CONTAINS(why.what, "the program cannot be run: No such file");
}

TEST(a_program_sees_a_clean_environment)
{
	char out[256];
	char *const program[] = {(char[]){"/usr/bin/env"}, NULL};

	setenv("VFERRY_SECRET", "x", 1);
	CHECK_INT(spawn_run(program, out, sizeof(out), deadline_in(5000), NULL), 0);
	CHECK_STR(out, "LC_ALL=C\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n");
}

TEST(deadlines_add_up)
{
	deadline_t outer = deadline_in(1000);

	CHECK(deadline_left(outer) > 900 && deadline_left(outer) <= 1000);
	CHECK_INT(deadline_left(deadline_in(-5)), 0);
	CHECK(deadline_left(deadline_within(outer, 10)) <= 10);
	CHECK(deadline_within(outer, 100000) == outer);
	CHECK_INT(deadline_left(INT64_MAX), INT_MAX);
}

TEST(programs_run_side_by_side_and_one_that_hangs_keeps_none_waiting)
{
	char sleep_program[] = "/bin/sleep", for_ever[] = "60", echo[] = "/bin/echo", word[] = "here", none[] = "/nonexistent/program";
	char *hangs[] = {sleep_program, for_ever, NULL}, *answers[] = {echo, word, NULL}, *is_not[] = {none, NULL};
	char out[3][64];
	struct spawn_job job[] = {{.argv = hangs, .out = out[0], .size = 64}, {.argv = answers, .out = out[1], .size = 64},
				  {.argv = is_not, .out = out[2], .size = 64}};
	int64_t begin = clock_ms();

	spawn_run_all(job, 3, deadline_in(500));
	CHECK(clock_ms() - begin < 5000);
	CHECK_INT(job[0].result, -ETIME);
	CHECK_CONTAINS(job[0].why.what, "did not end in time");
	CHECK_INT(job[1].result, 0);
	CHECK_STR(out[1], "here\n");
	CHECK_INT(job[2].result, -ENOENT);
	CHECK(waitpid(-1, NULL, WNOHANG) <= 0);
}
