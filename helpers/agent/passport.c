/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * passport.c: the passport of a guest that runs here. See work.h.
 *
 * virDomainSetMetadata() takes a job of the guest and waits up to 30 s for one, for instance when a migration begins in that moment
 * (src/qemu/qemu_driver.c, src/conf/virdomainjob.c). The agent has one thread and gates to keep, so it starts itself a second time for the
 * call, with a deadline. (A child by fork alone would not do: GLib's main context, on which libvirt's event loop is built, goes on
 * writing to its wake-up descriptor there, whose number the child's own connection may have got.)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/guest.h"
#include "agent/work.h"
#include "base/log.h"
#include "base/scope.h"
#include "base/spawn.h"
#include "engine/scene.h"
#include "policy/issue.h"
#include "virt/virt.h"

/* In the second process. uuid: of the guest. xml: passport, "" removes it. Return: 0, negative errno with *why. */
int passport_write(const char *uuid, const char *xml, struct reason *why)
{
	autovirt virConnectPtr connection = NULL;
	autoguest virDomainPtr handle = NULL;
	int error = virt_open(&connection, why);

	if (!error)
		error = guest_handle(connection, uuid, &handle, why);
	return error ? error : virt_set_metadata(handle, *xml ? xml : NULL, "vf", PASSPORT_NAMESPACE, VIR_DOMAIN_AFFECT_LIVE, why);
}

/* Starts it. passport: one that is not present is removed. Return: 0, -ETIME, -EIO, other negative errno with *why. */
static int write_within(const char *uuid, const struct passport *passport, deadline_t deadline, struct reason *why)
{
	char program[] = "/proc/self/exe", option[] = PASSPORT_OPTION, nothing[] = "", guest[DOMAIN_UUID_LEN];
	autofree char *xml = NULL;
	char *argv[] = { program, option, guest, nothing, NULL };
	int status;

	snprintf(guest, sizeof(guest), "%s", uuid);
	if (passport->present && passport_print(passport, true, &xml) < 0)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	if (xml)
		argv[3] = xml;
	status = spawn_run(argv, NULL, 0, deadline, why);
	return status > 0 ? -EIO : status;
}

/* The host's part of what a passport says. without: receives the number of VFs that get no entry. Return: 0, negative errno with *why. */
static int issue(const struct work *work, const struct domain *domain, struct passport *passport, size_t *without, struct reason *why)
{
	autofree struct scene *scene = calloc(1, sizeof(*scene));
	int error = scene ? 0 : reason_set(why, -ENOMEM, NULL, "out of memory");

	if (!error)
		error = host_refresh(work->host, work->config, work->intent->asked, work->deadline, why);
	if (error)
		return error;
	scene->config = work->config;
	scene->inventory = work->host->inventory; /* lent */
	error = scene_find_guest(scene, domain, false, why);
	if (!error)
		*without = issue_passport(&scene->guest, domain->uuid, &scene->inventory, passport);
	scene->inventory = (struct inventory){ 0 };
	scene_release(scene);
	return error;
}

/* See work.h. It is written if it says something else than this host would. */
void passport_refresh(const struct work *work, struct outcome *outcome)
{
	autofree struct passport *fresh = calloc(1, sizeof(*fresh));
	autodomain struct domain domain = { 0 };
	size_t without = 0;

	outcome->error = fresh ? guest_read(work->connection, work->intent->uuid, &domain, &outcome->why) : reason_set(&outcome->why, -ENOMEM, NULL, "out of memory");
	if (outcome->error)
		return;
	snprintf(outcome->host, sizeof(outcome->host), "%s", domain.passport.host);
	outcome->error = issue(work, &domain, fresh, &without, &outcome->why);
	if (outcome->error || passport_equal(fresh, &domain.passport))
		return;
	outcome->error = write_within(domain.uuid, fresh, work->deadline, &outcome->why);
	outcome->count = !outcome->error;
	if (!outcome->error)
		log_info("%s: passport written for %zu of %zu VFs", work->guest.status->name, fresh->vfs, fresh->vfs + without);
}
