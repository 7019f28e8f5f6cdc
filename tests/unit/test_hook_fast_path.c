/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The first program of the hook: which guests it keeps away from the worker, and what it does without one. Its own source runs here, in a
 * child process, with a fake worker (a script that keeps what it was given) and a directory of networks in the scratch directory.
 */
#include "check.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "base/dev_log.h"
#include "state/mark.h"

static char worker_path[256], network_path[256], mark_path[256], conf_path[256];
int hook_main(int argc, char **argv);

#undef MARK_DIRECTORY
#define MARK_DIRECTORY mark_path
#define CONF conf_path
#define WORKER worker_path
#define NETWORK_DIRECTORY network_path
#define main hook_main
#include "../../hooks/qemu.c" /* NOLINT(bugprone-suspicious-include): a program of one file, tested as it is */
#undef main

#define PLAIN "<domain type='kvm'><name>g</name><devices><disk/></devices></domain>"
#define WITH(inner) "<domain type='kvm'><name>g</name>" inner "</domain>"
#define NETWORK(attribute) WITH("<devices><interface type='network'><source " attribute "/></interface></devices>")

/* What a run left behind. */
static struct {
	int status;
	char out[1024], err[1024], worker_stdin[4096], worker_arguments[256];
} run;

/* Runs the hook as libvirt does. Returns whether the worker was reached. */
static bool hook_bytes(const char *operation, const void *data, size_t length)
{
	char guest[] = "gu\x1b[1mest", copy[32], begin[] = "begin", extra[] = "-", name[] = "50-vferry";
	char *argv[] = {name, guest, copy, begin, extra, NULL};

	snprintf(copy, sizeof(copy), "%s", operation);
	snprintf(network_path, sizeof(network_path), "%s/network", check_scratch());
	snprintf(mark_path, sizeof(mark_path), "%s/guests", check_scratch());
	snprintf(conf_path, sizeof(conf_path), "%s/vferry.conf", check_scratch());
	if (!worker_path[0])
		snprintf(worker_path, sizeof(worker_path), "%s", check_file("/fake-worker", "#!/bin/sh\ncd \"${0%/*}\"\ncat >worker-stdin\n"
											  "echo \"$@\" >worker-arguments\necho '<domain/>'\nexit 3\n"));
	chmod(worker_path, 0700);
	check_file_bytes("/stdin", data, length);
	check_file("/worker-stdin", "");
	check_file("/worker-arguments", "");
	run.status = check_program(hook_main, argv, run.out, run.err, sizeof(run.out));
	check_fetch("worker-stdin", run.worker_stdin, sizeof(run.worker_stdin));
	check_fetch("worker-arguments", run.worker_arguments, sizeof(run.worker_arguments));
	worker_path[0] = '\0';
	return run.worker_arguments[0] != '\0';
}

/* As hook_bytes(), for a text; checks that a guest which never reaches the worker gets exit 0 and no output. */
static bool hook(const char *operation, const char *text)
{
	bool reached = hook_bytes(operation, text, strlen(text));

	if (!reached) {
		CHECK_INT(run.status, 0);
		CHECK_STR(run.out, "");
		CHECK_STR(run.err, "");
	}
	return reached;
}

TEST(a_guest_without_a_candidate_costs_nothing_and_prints_nothing)
{
	static const char *const operation[] = {"migrate", "prepare", "start", "started", "stopped", "release", "reconnect"};
	char *text = CHECK_DATA("data/domain/plain.xml", NULL);

	for (size_t i = 0; i < sizeof(operation) / sizeof(operation[0]); i++) {
		CHECK(!hook(operation[i], text));
		CHECK(!hook(operation[i], PLAIN));
	}
	free(text);
}

TEST(a_guest_with_a_host_device_reaches_the_worker_with_its_xml_and_arguments)
{
	char *text = CHECK_DATA("data/domain/interface.xml", NULL), *shown;

	CHECK(hook("migrate", text));
	CHECK_INT(run.status, 3);
	CHECK_STR(run.out, "<domain/>\n");
	CHECK_STR(run.worker_arguments, "gu\x1b[1mest migrate begin -\n");
	shown = strndup(text, sizeof(run.worker_stdin) - 1);
	CHECK_STR(run.worker_stdin, shown);
	free(shown);
	free(text);
}

#define UUID "9e0c7f57-b8d6-4b29-8c3e-20d1f7a65b44"

TEST(a_guest_that_has_something_here_reaches_the_worker_though_its_xml_has_no_vf_any_more)
{
	static const char *const operation[] = {"migrate", "prepare", "start", "started", "stopped", "release", "reconnect"};

	check_file("/guests/" UUID MARK_SUFFIX, "{}");
	for (size_t i = 0; i < sizeof(operation) / sizeof(operation[0]); i++) {
		CHECK(hook(operation[i], WITH("<uuid>" UUID "</uuid><devices/>")));
		CHECK(!hook(operation[i], WITH("<uuid>9e0c7f57-b8d6-4b29-8c3e-20d1f7a65b45</uuid><devices/>")));
	}
	CHECK(hook("release", WITH("\n  <uuid>9E0C7F57-B8D6-4B29-8C3E-20D1F7A65B44</uuid>")));
	CHECK(!hook("restore", WITH("<uuid>" UUID "</uuid>")));
	check_file("/guests/9e0c7f57-b8d6-4b29-8c3e-20d1f7a65b4" MARK_SUFFIX, "{}");
	CHECK(!hook("release", WITH("<uuid>9e0c7f57-b8d6-4b29-8c3e-20d1f7a65b4</uuid>")));
	CHECK(!hook("release", WITH("<uuid>../../../../../../../../../../../../../x</uuid>")));
	CHECK(!hook("release", WITH("<uuid>" UUID "0</uuid>")));
}

TEST(operations_that_vferry_does_not_act_on_end_at_once)
{
	char *text = CHECK_DATA("data/domain/interface.xml", NULL);

	CHECK(!hook("restore", text));
	CHECK(!hook("attach", text));
	CHECK(!hook("of-a-later-libvirt", text));
	free(text);
}

TEST(a_passport_alone_is_a_reason_to_look)
{
	CHECK(hook("migrate", WITH("<metadata><p xmlns='urn:vferry:passport:1'/></metadata>")));
}

TEST(a_letter_spelled_by_number_is_a_reason_to_look)
{
	CHECK(hook("migrate", WITH("<interface type='&#104;ostdev'/>")));
	CHECK(hook("migrate", WITH("<interface type='&#x68;ostdev'/>")));
	CHECK(hook("migrate", WITH("<interface type='&#0000104;ostdev'/>")));
	CHECK(hook("migrate", WITH("<title>&#104</title>")));
	CHECK(hook("migrate", WITH("<title>&#;</title>")));
	CHECK(!hook("migrate", WITH("<title>a&#13;&#10;&#xE4;&#228; &amp; b</title>")));
}

TEST(xml_of_another_kind_than_libvirts_own_is_a_reason_to_look)
{
	static const char zero[] = WITH("\0");

	CHECK(hook("migrate", "<?xml version='1.0' encoding='UTF-7'?>" PLAIN));
	CHECK(hook("migrate", "<!DOCTYPE domain>" PLAIN));
	CHECK(hook("migrate", "\xff\xfe<\1d"));
	CHECK(hook("migrate", " " PLAIN));
	CHECK(hook("migrate", "<domainx/>"));
	CHECK(hook("migrate", ""));
	CHECK(hook_bytes("migrate", zero, sizeof(zero) - 1));
}

TEST(a_network_that_is_a_pool_is_a_reason_to_look)
{
	char *pool = CHECK_DATA("data/domain/network-pool.xml", NULL), *nat = CHECK_DATA("data/domain/network-nat.xml", NULL);

	check_file("/network/cx7-pool.xml", pool);
	check_file("/network/default.xml", nat);
	CHECK(hook("prepare", NETWORK("network='cx7-pool'")));
	CHECK(hook("prepare", NETWORK("network=\"cx7-pool\"")));
	CHECK(hook("prepare", NETWORK("portid='x'\n  network = 'cx7-pool'")));
	CHECK(hook("prepare", WITH("<source network='default'/><source network='cx7-pool'/>")));
	CHECK(!hook("prepare", NETWORK("network='default'")));
	CHECK(!hook("prepare", NETWORK("network='absent'")));
	CHECK(!hook("prepare", WITH("<title>a network of ours, network without end</title>")));
	free(pool);
	free(nat);
}

TEST(a_network_whose_name_cannot_be_looked_up_here_is_a_reason_to_look)
{
	char text[1024];

	CHECK(hook("migrate", NETWORK("network='../x'")));
	CHECK(hook("migrate", NETWORK("network='a&amp;b'")));
	CHECK(hook("migrate", NETWORK("network=''")));
	CHECK(hook("migrate", WITH("<source network='x")));
	snprintf(text, sizeof(text), NETWORK("network='%0300d'"), 0);
	CHECK(hook("migrate", text));
	check_file("/network/directory.xml/file", "");
	CHECK(hook("migrate", NETWORK("network='directory'")));
}

TEST(a_network_status_without_end_is_a_reason_to_look)
{
	char *big = malloc(300000);

	CHECK(big != NULL);
	memset(big, ' ', 300000);
	check_file_bytes("/network/big.xml", big, 300000);
	free(big);
	CHECK(hook("migrate", NETWORK("network='big'")));
}

TEST(without_a_worker_only_a_migration_is_refused)
{
	static const char *const others[] = {"prepare", "start", "started", "stopped", "release", "reconnect"};
	char *text = CHECK_DATA("data/domain/interface.xml", NULL);

	snprintf(worker_path, sizeof(worker_path), "%s/absent", check_scratch());
	CHECK(!hook_bytes("migrate", text, strlen(text)));
	CHECK_INT(run.status, 1);
	CHECK_STR(run.out, "");
	CHECK_CONTAINS(run.err, "vferry: gu?[1mest: ");
	CHECK_CONTAINS(run.err, "/absent cannot be run: No such file or directory; install vferry completely, or remove its hook\n");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		snprintf(worker_path, sizeof(worker_path), "%s/absent", check_scratch());
		CHECK(!hook(others[i], text));
	}
	free(text);
}

/* Makes a worker that ends in some way. */
static void make_worker(const char *script)
{
	snprintf(worker_path, sizeof(worker_path), "%s", check_file("/dying-worker", script));
	chmod(worker_path, 0700);
}

TEST(a_worker_that_dies_refuses_a_migration_and_no_start_and_kills_no_guest)
{
	static const char *const scripts[] = {"#!/bin/sh\nkill -SEGV $$\n", "#!/bin/sh\nexit 127\n", "#!/no/such/interpreter\n"};
	static const char *const operation[] = {"migrate", "prepare", "start", "started", "stopped", "release", "reconnect"};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		for (size_t k = 0; k < sizeof(operation) / sizeof(operation[0]); k++) {
			make_worker(scripts[i]);
			hook_bytes(operation[k], WITH("<hostdev/>"), strlen(WITH("<hostdev/>")));
			CHECK_INT(run.status, k == 0);
			CHECK_INT(*run.err != '\0', k == 0);
		}
	}
}

TEST(a_worker_that_dies_refuses_an_arrival_until_it_has_landed)
{
	static const char guest[] = WITH("<uuid>" UUID "</uuid><hostdev/>");

	check_file("/guests/" UUID MARK_SUFFIX, "{ \"state\": \"arriving\" }");
	make_worker("#!/bin/sh\nkill -KILL $$\n");
	hook_bytes("started", guest, strlen(guest));
	CHECK_INT(run.status, 1);
	CHECK_CONTAINS(run.err, "dying-worker died (by signal 9)");
	make_worker("#!/bin/sh\nkill -KILL $$\n");
	hook_bytes("release", guest, strlen(guest));
	CHECK_INT(run.status, 0);
	check_file("/guests/" UUID MARK_SUFFIX, "{ \"state\": \"running\" }");
	make_worker("#!/bin/sh\nkill -KILL $$\n");
	hook_bytes("started", guest, strlen(guest));
	CHECK_INT(run.status, 0);
}

TEST(a_worker_that_does_not_end_is_ended_within_hook_deadline)
{
	struct timespec from, to;

	check_file("/vferry.conf", "[hook]\nhook_deadline = 5\nslot_wait = 0\n");
	make_worker("#!/bin/sh\ntrap '' ALRM\nwhile :; do sleep 1; done\n");
	clock_gettime(CLOCK_MONOTONIC, &from);
	hook_bytes("migrate", WITH("<hostdev/>"), strlen(WITH("<hostdev/>")));
	clock_gettime(CLOCK_MONOTONIC, &to);
	CHECK_INT(run.status, 1);
	CHECK_CONTAINS(run.err, "the hook's worker did not end within hook_deadline");
	CHECK(to.tv_sec - from.tv_sec < 12);
}

TEST(xml_longer_than_16_mib_refuses_a_migration_and_nothing_else)
{
	size_t size = (16u << 20) + 1, head = strlen(WITH(""));
	char *big = malloc(size);

	CHECK(big != NULL);
	memset(big, ' ', size);
	memcpy(big, WITH(""), head);
	CHECK(!hook_bytes("migrate", big, size));
	CHECK_INT(run.status, 1);
	CHECK_STR(run.err, "vferry: gu?[1mest: the domain XML is longer than 16 MiB; make the guest's metadata smaller\n");
	CHECK(!hook_bytes("release", big, size));
	CHECK_INT(run.status, 0);
	CHECK_STR(run.err, "");
	CHECK(!hook_bytes("migrate", big, size - 1));
	CHECK_INT(run.status, 0);
	CHECK_STR(run.err, "");
	free(big);
}

TEST(a_pipe_that_is_filled_slowly_is_read_to_its_end)
{
	char guest[] = "g", operation[] = "migrate", name[] = "50-vferry";
	char *argv[] = {name, guest, operation, NULL};
	int ends[2], status;
	pid_t child;

	CHECK_INT(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		dup2(ends[0], 0);
		close(ends[1]);
		snprintf(worker_path, sizeof(worker_path), "/bin/false");
		_exit(hook_main(3, argv));
	}
	close(ends[0]);
	for (const char *at = WITH("<hostdev/>"); *at; at++) {
		CHECK_INT(write(ends[1], at, 1), 1);
		usleep(500);
	}
	close(ends[1]);
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
	CHECK_INT(WEXITSTATUS(status), 1);
	worker_path[0] = '\0';
}

/* Runs the hook with a pipe as stdin that nobody closes. Returns its exit status; seconds: how long it took. */
static int call_without_end(const char *operation, double *seconds)
{
	char guest[] = "g", copy[32], begin[] = "begin", extra[] = "-", name[] = "50-vferry", *argv[] = {name, guest, copy, begin, extra, NULL};
	struct timespec from, to;
	int ends[2], status = 0;
	pid_t child;

	snprintf(copy, sizeof(copy), "%s", operation);
	snprintf(conf_path, sizeof(conf_path), "%s/vferry.conf", check_scratch());
	CHECK_INT(pipe(ends), 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	child = fork();
	if (child == 0) {
		dup2(ends[0], 0);
		check_redirect("err", O_WRONLY | O_CREAT | O_TRUNC, 2);
		_exit(hook_main(5, argv));
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
	clock_gettime(CLOCK_MONOTONIC, &to);
	close(ends[0]);
	close(ends[1]);
	*seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	check_fetch("err", run.err, sizeof(run.err));
	return WEXITSTATUS(status);
}

TEST(xml_that_never_ends_is_waited_for_until_hook_deadline_and_refuses_a_migration_alone)
{
	double seconds;

	check_file("/vferry.conf", "[hook]\n# hook_deadline = 5\n hook_deadline =\t6 \nslot_wait = 9\n");
	CHECK_INT(call_without_end("migrate", &seconds), 1);
	CHECK_CONTAINS(run.err, "vferry: libvirt did not hand over the domain XML within hook_deadline");
	CHECK(seconds > 5.9 && seconds < 12);
	check_file("/vferry.conf", "[hook]\nhook_deadline=5\n");
	CHECK_INT(call_without_end("prepare", &seconds), 0);
	CHECK_STR(run.err, "");
	CHECK(seconds > 4.9 && seconds < 11);
}

/* Binds a socket that stands for /dev/log and is never read, and fills it. Returns it. */
static int stuck_log(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0), from = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/log", check_scratch());
	CHECK_INT(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_INT(connect(from, (struct sockaddr *)&address, sizeof(address)), 0);
	while (send(from, "x", 1, 0) == 1)
		;
	close(from);
	dev_log_path = strdup(address.sun_path);
	return fd;
}

TEST(a_log_that_nobody_reads_keeps_no_guest_waiting)
{
	int fd = stuck_log();
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	snprintf(worker_path, sizeof(worker_path), "%s/absent", check_scratch());
	CHECK(!hook("prepare", WITH("<hostdev/>")));
	snprintf(worker_path, sizeof(worker_path), "%s/absent", check_scratch());
	CHECK(!hook_bytes("migrate", WITH("<hostdev/>"), strlen(WITH("<hostdev/>"))));
	clock_gettime(CLOCK_MONOTONIC, &to);
	CHECK_INT(run.status, 1);
	CHECK(to.tv_sec - from.tv_sec <= 3);
	close(fd);
}

TEST(a_person_who_calls_it_is_told_what_it_is)
{
	char name[] = "50-vferry", *argv[] = {name, NULL};
	int saved = dup(2), status;

	fflush(stderr);
	check_redirect("err", O_WRONLY | O_CREAT | O_TRUNC, 2);
	status = hook_main(1, argv);
	dup2(saved, 2);
	close(saved);
	CHECK_INT(status, 2);
	check_fetch("err", run.err, sizeof(run.err));
	CHECK_STR(run.err, "vferry: this is a hook of libvirt, called with GUEST OPERATION SUB-OPERATION EXTRA\n");
}
