/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hook.c: vferry's worker: one libvirt event in, one verdict out.
 *
 * Called by hooks/qemu.c (which libvirt calls) as: hook GUEST OPERATION SUBOPERATION EXTRA, with the domain XML on stdin, as root.
 * In order: read the configuration, read and parse the XML, do what the event's function does, print the changed domain XML to stdout
 * if there is any (only libvirt reads it, and only at "migrate"), or one sentence to stderr and exit 1 (which the person who typed
 * virsh migrate or virsh start reads). It never calls libvirt: libvirtd may hold the guest's lock while it waits for this program.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/scope.h"
#include "event.h"

/* What a failure of an event means: a refusal that libvirt obeys, or only a line in the log. */
enum on_failure { REFUSE, LOG_ONLY };

static const struct operation_row {
	const char *operation, *suboperation;
	int (*run)(struct event *event, struct reason *why);
	enum on_failure on_failure;
} table[] = {
	{ "migrate", "begin", event_migrate, REFUSE },
	{ "prepare", "begin", event_prepare, REFUSE },
	{ "start", "begin", event_start, REFUSE },
	{ "started", "begin", event_started, REFUSE },
	{ "stopped", "end", event_stopped, LOG_ONLY },
	{ "release", "end", event_release, LOG_ONLY },
	{ "reconnect", "begin", event_reconnect, LOG_ONLY }, /* libvirt kills the guest if this fails */
};

static int backstop_status; /* what the program ends with when it is ended by force */

/*
 * find_row() - the row of an event, NULL for one that vferry has nothing to do with
 */
static const struct operation_row *find_row(const char *operation, const char *suboperation)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(operation, table[i].operation) == 0 && strcmp(suboperation, table[i].suboperation) == 0)
			return &table[i];
	}
	return NULL;
}

/*
 * read_stdin() - the domain XML, bounded
 * @xml:	result, malloc'ed
 * @len:	its length in bytes
 * Return: 0, negative errno
 */
static int read_stdin(char **xml, size_t *len, struct reason *why)
{
	autofree char *buffer = malloc(DOMAIN_XML_MAX + 1);
	size_t used = 0;
	ssize_t n;

	if (!buffer)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	while ((n = read(STDIN_FILENO, buffer + used, DOMAIN_XML_MAX + 1 - used)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return reason_set(why, -errno, "stdin", "cannot read the domain XML: %s", strerror(errno));
		used += (size_t)n;
		if (used > DOMAIN_XML_MAX)
			return reason_set(why, -E2BIG, "stdin", "the domain XML is larger than %u MiB", DOMAIN_XML_MAX >> 20);
	}
	*len = used;
	*xml = scope_take(&buffer);
	return 0;
}

/*
 * write_output() - domain XML to stdout, all of it or an error
 */
static int write_output(const struct event *event, struct reason *why)
{
	if (fwrite(event->output, 1, (size_t)event->output_len, stdout) == (size_t)event->output_len && fflush(stdout) == 0)
		return 0;
	return reason_set(why, -EIO, "stdout", "cannot give libvirt the domain XML: %s", strerror(errno));
}

/*
 * on_backstop() - ends the program when its time is up, whatever it is doing (SIGALRM)
 *
 * Nothing of vferry should come to that: every wait has a deadline. What the call changed stands in the journal, and the next call, or
 * vferry release, takes it back.
 */
static _Noreturn void on_backstop(int signal_number)
{
	static const char text[] = "vferry: the hook did not end within hook_deadline; what it changed is taken back by the next call, or by "
				   "'vferry release'\n";

	(void)signal_number;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(backstop_status);
	_exit(backstop_status);
}

/*
 * set_backstop() - the time after which the program ends by force
 */
static void set_backstop(const struct operation_row *row, const struct config *config)
{
	backstop_status = row->on_failure == REFUSE;
	signal(SIGALRM, on_backstop);
	alarm(config->hook_deadline + (row->run == event_migrate ? config->slot_wait : 0));
}

/*
 * run_event() - configuration, XML, the event's function, output
 * @row:	event
 * @extra:	libvirt's fourth argument
 * @begin:	clock_ms() when the call began
 * Return: 0, negative errno with *why
 */
static int run_event(const struct operation_row *row, const char *extra, int64_t begin, struct reason *why)
{
	autofree char *xml = NULL, *output = NULL;
	autodomain struct domain domain = { 0 };
	struct event event = { .domain = &domain, .extra = extra };
	struct config config;
	size_t len = 0;
	int error;

	config_defaults(&config);
	error = config_read(NULL, &config, why);
	if (!error)
		error = read_stdin(&xml, &len, why);
	if (!error)
		error = domain_parse(xml, len, &domain, why);
	if (error)
		return error;
	event.config = &config;
	event_begin(&event);
	set_backstop(row, &config);
	error = row->run(&event, why);
	event_note(&event, row->operation, begin, error, why);
	output = event.output;
	return error || !output ? error : write_output(&event, why);
}

/*
 * say() - the failure, to the log and (if libvirt will show it) to stderr
 */
static void say(const struct operation_row *row, const char *guest, const struct reason *why)
{
	char line[2048];

	reason_format(why, NULL, line, sizeof(line));
	log_error("%s%s%s", *why->rule ? why->rule : "", *why->rule ? ": " : "", line);
	if (row->on_failure == REFUSE)
		reason_print(why, guest, stderr);
}

/* main() - one event. Return: 0; 1 if libvirt is to refuse; 2 for a wrong command line */
int main(int argc, char **argv)
{
	struct reason why = { 0 };
	const struct operation_row *row;
	int64_t begin = clock_ms();
	int error;

	if (argc != 5) {
		fputs("vferry: usage: hook GUEST OPERATION SUBOPERATION EXTRA; libvirt calls this program, see vferry-hook(8)\n", stderr);
		return 2;
	}
	log_open("vferry", false);
	log_context(argv[1], argv[2]);
	row = find_row(argv[2], argv[3]);
	if (!row)
		return 0;
	error = run_event(row, argv[4], begin, &why);
	if (error)
		say(row, argv[1], &why);
	log_info("%s in %lld ms", error ? "failed" : "done", (long long)(clock_ms() - begin));
	return error && row->on_failure == REFUSE ? 1 : 0;
}
