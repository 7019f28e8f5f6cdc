/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vferryd.c: vferry's agent: makes the live migration of guests with ConnectX-7 VFs seamless on both hosts.
 *
 * In order: read the options and the configuration, connect to libvirt, and then wait, in one thread, for changes of libvirt's status
 * directory, libvirt's events and the minute. It writes passports into guests' live metadata, ends outgoing migrations that break a limit,
 * gives QEMU the downtime that VFs need, announces guests that have arrived, plugs the representors of hot-plugged VFs, mends stored
 * definitions and takes back what was left over (helpers/agent/). It runs as root, with the capabilities that its unit leaves it, and
 * everything else of vferry works without it. Exit status: 0 told to stop, 1 failure, 2 wrong use.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/work.h"
#include "base/log.h"

/* Prints what there is. */
static void help(FILE *out)
{
	fputs("Usage: vferryd [OPTION...]\n\n"
	      "The agent of vferry: runs on a host whose guests have ConnectX-7 VFs, and makes their live migration seamless.\n"
	      "It stays in the foreground; systemd or another supervisor starts it. SIGHUP makes it read its configuration again.\n\n"
	      "  --settings FILE  instead of " SYSCONFDIR CONFIG_FILE "\n"
	      "  --verbose        write the log to stderr too\n"
	      "  --version        print the version\n"
	      "  --help           print this\n\n"
	      "For its own use: vferryd " THREADS_OPTION " DAEMON gives libvirt's daemon threads enough.\n", out);
}

/* What the command line says. */
struct options {
	const char *file;
	bool verbose;
};

/* Reads the command line. Return: -1 to go on, else the exit status. */
static int parse(int argc, char **argv, struct options *options)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			help(stdout);
			return 0;
		} else if (strcmp(argv[i], "--version") == 0) {
			puts("vferryd " VFERRY_VERSION);
			return 0;
		} else if (strcmp(argv[i], "--verbose") == 0) {
			options->verbose = true;
		} else if (strcmp(argv[i], "--settings") == 0 && i + 1 < argc) {
			options->file = argv[++i];
		} else {
			fprintf(stderr, "vferryd: %s: no such option, or its value is missing; 'vferryd --help' tells what there is\n", argv[i]);
			return 2;
		}
	}
	return -1;
}

/* The second process of threads_raise(). Return: exit status. */
static int raise_workers(char **argv)
{
	struct reason why = { 0 };
	int now = threads_write(argv[2], &why);

	if (now < 0) {
		reason_print(&why, NULL, stderr);
		return 1;
	}
	printf("%d\n", now);
	return 0;
}

/* What vferryd starts itself for. Return: -1 if it is not that, else the exit status. */
static int as_second(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], THREADS_OPTION) == 0)
		return raise_workers(argv);
	return -1;
}

int main(int argc, char **argv)
{
	struct config config;
	struct options options = { 0 };
	struct reason why = { 0 };
	int status = as_second(argc, argv);

	if (status < 0)
		status = parse(argc, argv, &options);
	if (status >= 0)
		return status;
	if (geteuid() != 0) {
		fputs("vferryd: only root can run the agent; start it with: systemctl start vferryd\n", stderr);
		return 1;
	}
	log_open("vferryd", options.verbose);
	if (config_read(options.file, &config, &why)) {
		char line[1600];

		reason_print(&why, NULL, stderr);
		reason_format(&why, NULL, line, sizeof(line));
		log_error("%s", line);
		return 1;
	}
	status = agent_run(options.file, &config);
	log_notice(status ? "ending after a failure" : "ending, as told");
	return status;
}
