/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hook.c: vferry's worker: one libvirt event in, one verdict out.
 *
 * Called by hooks/qemu.c (which libvirt calls) as: hook GUEST OPERATION SUBOPERATION EXTRA, with the domain XML on stdin, as root.
 * In order: the deadline of the whole call; configuration and XML; whether the guest is any of vferry's business (ours.h): if not, that is
 * all, whatever is wrong with vferry; else what the event's function does; what a failure means for this guest (is_refused()). It prints
 * the changed domain XML to stdout if there is any (only libvirt reads it, and only at "migrate"), or one sentence to stderr and exits with
 * 1 (which the person who typed virsh migrate or virsh start reads). It never calls libvirt: libvirtd may hold the guest's lock while it
 * waits for this program.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "backstop.h"
#include "base/log.h"
#include "base/scope.h"
#include "domain/status.h"
#include "event.h"
#include "ours.h"
#include "pipes.h"

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

/* One call: what is known of it, as it becomes known. */
struct call {
	const struct operation_row *row;
	const char *guest, *extra;  /* as libvirt gave them */
	int64_t begin;              /* clock_ms() when it began */
	struct config config;       /* the defaults, if the file is wrong */
	int config_error;
	struct reason config_why;
	struct domain domain;
	bool has_domain;            /* its XML was understood; so below */
	struct ours ours;
	bool exceeds_trust;         /* of what the guest's passport asks for */
};

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
 * is_refused() - what a failure means: whether libvirt is told, and the guest stays where it is or does not start
 *
 * A guest without a VF of ours is never refused; one that comes by a migration always is, since it stays at the source; at an ordinary
 * start at_start decides, which has to be legible to refuse; once its QEMU runs, nothing is decided any more.
 */
static bool is_refused(const struct call *call)
{
	const struct operation_row *row = call->row;
	bool is_migrate = row->run == event_migrate;

	if (row->on_failure == LOG_ONLY || (call->has_domain && !call->ours.has_vf))
		return false;
	if (is_migrate || call->ours.is_arriving || (call->exceeds_trust && row->run != event_started))
		return true;
	return row->run != event_started && !call->config_error && call->config.at_start == SEVERITY_REFUSE;
}

/*
 * look_for_arrival() - libvirt's own word on whether a guest comes by a migration, for one whose lease cannot be read
 */
static void look_for_arrival(struct call *call)
{
	struct status status = { 0 };

	if (!call->has_domain || call->ours.is_arriving || call->row->on_failure == LOG_ONLY || status_read(call->domain.uuid, &status, NULL))
		return;
	call->ours.is_arriving = status.job == STATUS_MIGRATION_IN;
	status_release(&status);
}

/*
 * read_guest() - configuration and XML, and whose guest it is
 * Return: 0, negative errno with *why; a wrong configuration is none yet
 */
static int read_guest(struct call *call, struct reason *why)
{
	autofree char *xml = NULL;
	size_t len = 0;
	int error;

	config_defaults(&call->config);
	call->config_error = config_read(NULL, &call->config, &call->config_why);
	(void)backstop_limit(call->config.hook_deadline);
	error = pipes_read_xml(&xml, &len, why);
	if (error)
		return error;
	error = domain_parse(xml, len, &call->domain, why);
	if (error) {
		reason_cure(why, "libvirt's own XML parses: look what another hook in /etc/libvirt/hooks (qemu, qemu.d) wrote to its stdout");
		return error;
	}
	call->has_domain = true;
	ours_look(&call->config, &call->domain, call->row->run == event_migrate, &call->ours);
	return 0;
}

/*
 * begin_event() - the deadlines of the event's function, less what has passed already
 */
static void begin_event(const struct call *call, struct event *event)
{
	bool is_migrate = call->row->run == event_migrate;
	int passed = backstop_limit(call->config.hook_deadline + (is_migrate ? call->config.slot_wait : 0));

	backstop_refuses(is_refused(call));
	event_begin(event);
	event->deadline -= passed;
	event->end -= passed;
}

/*
 * run_event() - the event's function, output
 * Return: 0, negative errno with *why
 *
 * With a wrong configuration nothing is made ready, but what was made is taken back.
 */
static int run_event(struct call *call, struct reason *why)
{
	autofree char *output = NULL;
	struct event event = { .domain = &call->domain, .extra = call->extra, .config = &call->config };
	int error = call->row->on_failure == REFUSE ? call->config_error : 0;

	begin_event(call, &event);
	if (error)
		*why = call->config_why;
	else
		error = call->row->run(&event, why);
	output = event.output;
	if (!error && output)
		error = pipes_write_xml(event.output, (size_t)event.output_len, why);
	if (event.way != WAY_UNKNOWN) /* what the event found out says more than what was seen before it */
		call->ours.is_arriving = event.way == WAY_ARRIVES;
	if (error == -EACCES) /* what exceeds trust is refused whatever at_start says: that is about fitness to migrate */
		call->exceeds_trust = true;
	if (error)
		look_for_arrival(call);
	event_note(&event, call->row->operation, call->begin, error && is_refused(call) ? error : 0, why);
	return error;
}

/*
 * say() - a failure, to the log and (if libvirt will show it) to stderr
 */
static void say(const struct call *call, const struct reason *why, bool refused)
{
	const char *rule = *why->rule ? why->rule : "", *colon = *why->rule ? ": " : "";
	char line[2048];

	reason_format(why, NULL, line, sizeof(line));
	if (refused) {
		log_error("%s%s%s", rule, colon, line);
		reason_print(why, call->guest, stderr);
	} else {
		log_warning("%s%s%s; libvirt goes on all the same", rule, colon, line);
	}
}

/*
 * handle() - one call, from configuration to verdict
 * Return: exit status
 */
static int handle(struct call *call)
{
	struct reason why = { 0 };
	int error = read_guest(call, &why);
	bool refused;

	if (call->config_error && (error || call->row->on_failure == LOG_ONLY || !call->ours.has_vf))
		say(call, &call->config_why, false);
	if (!error && !call->ours.has_vf && !call->ours.has_state)
		return 0;
	if (!error)
		error = run_event(call, &why);
	refused = error && is_refused(call);
	if (error)
		say(call, &why, refused);
	log_info("%s in %lld ms", error ? "failed" : "done", (long long)(clock_ms() - call->begin));
	return refused;
}

/* main() - one event. Return: 0; 1 if libvirt is to refuse; 2 for a wrong command line */
int main(int argc, char **argv)
{
	struct call call = { .begin = clock_ms() };
	int status;

	if (argc != 5) {
		fputs("vferry: usage: hook GUEST OPERATION SUBOPERATION EXTRA; libvirt calls this program, see vferry-hook(8)\n", stderr);
		return 2;
	}
	call.row = find_row(argv[2], argv[3]);
	call.guest = argv[1];
	call.extra = argv[4];
	backstop_begin(call.row && call.row->run == event_migrate);
	log_open("vferry", false);
	log_context(argv[1], argv[2]);
	if (!call.row)
		return 0;
	status = handle(&call);
	domain_release(&call.domain);
	return status;
}
