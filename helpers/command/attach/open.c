/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * open.c: how vferry attach and detach begin: the guest, all other guests, the host.
 */
#include "command/attach/open.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/scope.h"

#define ATTACH_LOCK STATE_DIRECTORY "/attach.lock"

/* Whether it may be tried here at all: root, and a card. Return: COMMAND_RUN, or what the program ends with. */
static int check_use(struct call *call)
{
	autoview struct view view = { 0 };
	struct reason why = { 0 };

	if (geteuid() != 0) {
		command_say(call, "%s: only root may change a guest and this host", call->command->name);
		return COMMAND_NOT_READY;
	}
	if (view_read(call, 0, &view, &why))
		return command_fail(call, &why, NULL);
	return view_has_card(call, &view) ? COMMAND_RUN : COMMAND_NOT_READY;
}

/* One attach or detach at a time; no hook takes this lock. Return: descriptor, -ETIME, negative errno with *why filled. */
static int take_lock(struct reason *why)
{
	int error = record_make_directory(STATE_DIRECTORY, why);

	return error ? error : lock_take(ATTACH_LOCK, deadline_in(COMMAND_TIME), why);
}

/* ---- Guests -------------------------------------------------------------------------------------------------------------------- */

/* Keeps one XML of a guest. Return: 0, negative errno with *why filled. */
static int keep_xml(struct attachment *a, virDomainPtr domain, bool is_stored, struct reason *why)
{
	struct known_xml *more = realloc(a->known, (a->knowns + 1) * sizeof(*more));
	int error;

	if (!more)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	a->known = more;
	more[a->knowns] = (struct known_xml){ 0 };
	error = virt_xml(domain, is_stored, &more[a->knowns].xml, why);
	if (error)
		return virt_is_running(domain) || virt_is_defined(domain) ? error : 0; /* it has gone in the meantime */
	reason_clean(more[a->knowns].name, sizeof(more->name), virDomainGetName(domain));
	more[a->knowns].is_stored = is_stored;
	(void)virDomainGetUUIDString(domain, more[a->knowns].uuid);
	a->knowns++;
	return 0;
}

/* Keeps what libvirt knows of one guest. Return: 0, negative errno with *why filled. */
static int keep_guest(virDomainPtr domain, void *arg, struct reason *why)
{
	int error = virt_is_running(domain) ? keep_xml(arg, domain, false, why) : 0;

	return !error && virt_is_defined(domain) ? keep_xml(arg, domain, true, why) : error;
}

/* Decides between running guest and definition: what is asked for, else both as far as they are there. Return: 0, -EINVAL. */
static int decide_where(struct attachment *a, struct reason *why)
{
	bool running = virt_is_running(a->guest), defined = virt_is_defined(a->guest), any = a->call->live || a->call->persistent;

	a->live = any ? a->call->live : running;
	a->stored = any ? a->call->persistent : defined;
	if (a->live && !running) {
		reason_set(why, -EINVAL, NULL, "it does not run, so that --live cannot be");
		reason_cure(why, "start it, or give --config alone");
	} else if (a->stored && !defined) {
		reason_set(why, -EINVAL, NULL, "it has no definition, so that --config cannot be");
		reason_cure(why, "give --live alone, or define it: virsh define");
	} else {
		return 0;
	}
	return -EINVAL;
}

/* Finds the guest, reads all guests' XML, and decides between running guest and definition. Return: 0, negative errno with *why filled. */
static int open_guest(struct attachment *a, struct reason *why)
{
	int error = virt_open(&a->connection, why);

	if (!error)
		error = virt_find(a->connection, a->call->guest, &a->guest, why);
	if (error)
		return error;
	reason_clean(a->name, sizeof(a->name), virDomainGetName(a->guest));
	if (virDomainGetUUIDString(a->guest, a->uuid))
		return virt_reason(why, "", "tell the guest's uuid");
	error = decide_where(a, why);
	return error ? error : virt_each(a->connection, keep_guest, a, why);
}

/* One call of attach or detach; see the header. */
int attach_run(struct call *call, const struct attach_verb *verb)
{
	autoattachment struct attachment a = { .call = call, .tag = -1 };
	struct reason why = { 0 };
	autoclose int lock = -1;
	int64_t begin = clock_ms();
	int status = verb->read_options(call, &a), error;

	if (status == COMMAND_RUN)
		status = check_use(call);
	if (status != COMMAND_RUN)
		return status;
	lock = take_lock(&why);
	error = lock < 0 ? lock : open_guest(&a, &why);
	if (!error)
		error = verb->work(&a, &why);
	a.ms = clock_ms() - begin;
	return verb->show(&a, error, &why);
}

/* ---- The host ------------------------------------------------------------------------------------------------------------------ */

/* Adds a VF that a definition names to what is promised. Return: 0, -ENOMEM. */
static int add_claim(struct record_list *leases, const struct hostdev *device, const char *uuid, const char *name)
{
	struct record *more = realloc(leases->record, (leases->count + 1) * sizeof(*more)), *last;

	if (!more)
		return -ENOMEM;
	leases->record = more;
	last = &more[leases->count];
	*last = (struct record){ .state = RECORD_RUNNING, .vf = calloc(1, sizeof(*last->vf)), .vfs = 1 }; /* in no migration */
	if (!last->vf)
		return -ENOMEM;
	snprintf(last->uuid, sizeof(last->uuid), "%s", uuid);
	reason_clean(last->name, sizeof(last->name), name);
	last->vf[0].address = device->source;
	leases->count++;
	return 0;
}

/* Counts what a guest names as promised to it. A guest that cannot be understood claims nothing. Return: 0, -ENOMEM with *why filled. */
static int claim(struct record_list *leases, const char *xml, struct reason *why)
{
	autodomain struct domain domain = { 0 };

	if (domain_parse(xml, strlen(xml), &domain, NULL))
		return 0;
	for (size_t i = 0; i < domain.hostdevs; i++) {
		if (domain.hostdev[i].has_source && add_claim(leases, &domain.hostdev[i], domain.uuid, domain.name))
			return reason_set(why, -ENOMEM, NULL, "out of memory");
	}
	return 0;
}

/* Reads the host; see the header. */
int attach_look(struct attachment *a, struct reason *why)
{
	int error = view_read(a->call, VIEW_GUESTS, &a->view, why);

	for (size_t i = 0; !error && i < a->knowns; i++)
		error = claim(&a->view.scene.records, a->known[i].xml, why);
	return error;
}
