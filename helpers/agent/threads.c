/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * threads.c: gives libvirt's daemon threads enough for all arrivals that may wait for a slot. See work.h, host/workers.h.
 *
 * The change is one of the running daemon (what "virt-admin server-threadpool-set" does) and disturbs no guest; its files stay as they are,
 * so it is made anew whenever the daemon has been started again.
 *
 * libvirt-admin has types of its own by the names of libvirt's (src/datatypes.c is in both), and whichever of the two comes second in a
 * process crashes there. So the agent, which is connected to libvirt, starts itself a second time for this, as for metadata.
 */
#include <errno.h>
#include <libvirt/libvirt-admin.h>
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/work.h"
#include "base/log.h"
#include "base/scope.h"
#include "base/spawn.h"
#include "host/workers.h"
#include "virt/virt.h"

/* For the release by scope. */
static void close_admin(virAdmConnectPtr *admin)
{
	if (*admin)
		(void)virAdmConnectClose(*admin);
}

static void free_server(virAdmServerPtr *server)
{
	if (*server)
		(void)virAdmServerFree(*server);
}

/* A list of libvirt's typed parameters. */
struct list {
	virTypedParameterPtr item;
	int count;
};

static void free_list(struct list *list)
{
	virTypedParamsFree(list->item, list->count);
}

/* The reason, before closing anything makes libvirt forget its error. Return: negative errno. */
static int cannot_raise(const char *daemon, struct reason *why)
{
	int error = virt_reason(why, daemon, "raise its number of threads for calls");

	reason_cure(why, "set min_workers = %u in /etc/libvirt/%s.conf: until then fewer guests may wait for a slot", WORKERS_ENOUGH, daemon);
	return error;
}

/*
 * Makes a server of the daemon have threads enough, or as many as its configuration allows.
 * Return: their number, negative errno with *why.
 */
static int raise_of(virAdmServerPtr server, const char *daemon, struct reason *why)
{
	struct list now __attribute__((cleanup(free_list))) = { 0 }, next __attribute__((cleanup(free_list))) = { 0 };
	unsigned int most = 0, wanted = WORKERS_ENOUGH;
	int room = 0;

	if (virAdmServerGetThreadPoolParameters(server, &now.item, &now.count, 0) < 0 ||
	    virTypedParamsGetUInt(now.item, now.count, VIR_THREADPOOL_WORKERS_MAX, &most) != 1)
		return cannot_raise(daemon, why);
	if (wanted > most)
		wanted = most;
	if (virTypedParamsAddUInt(&next.item, &next.count, &room, VIR_THREADPOOL_WORKERS_MIN, wanted) < 0 ||
	    virAdmServerSetThreadPoolParameters(server, next.item, next.count, 0) < 0)
		return cannot_raise(daemon, why);
	return (int)wanted;
}

/*
 * In the second process. daemon: "libvirtd" or "virtqemud", which is also the name of its server that serves libvirt's calls.
 * Return: as raise_of().
 */
int threads_write(const char *daemon, struct reason *why)
{
	virAdmConnectPtr admin __attribute__((cleanup(close_admin))) = NULL;
	virAdmServerPtr server __attribute__((cleanup(free_server))) = NULL;
	char uri[64];

	virt_begin();
	snprintf(uri, sizeof(uri), "%s:///system", daemon);
	if (virAdmInitialize() < 0)
		return cannot_raise(daemon, why);
	admin = virAdmConnectOpen(uri, 0);
	server = admin ? virAdmConnectLookupServer(admin, daemon, 0) : NULL;
	return server ? raise_of(server, daemon, why) : cannot_raise(daemon, why);
}

/* Starts the second process. Return: as raise_of(). */
static int raise_daemon(const char *daemon, deadline_t deadline, struct reason *why)
{
	char program[] = "/proc/self/exe", option[] = THREADS_OPTION, name[16], number[16] = "";
	char *argv[] = { program, option, name, NULL };
	int status;

	snprintf(name, sizeof(name), "%s", daemon);
	status = spawn_run(argv, number, sizeof(number), deadline, why);
	return status < 0 ? status : status > 0 ? -EIO : (int)strtol(number, NULL, 10);
}

/* Says how many threads the daemon has now. */
static void say(const char *daemon, const struct work *work, unsigned int had, unsigned int now)
{
	if (now < work->config->slot_queue + WORKERS_SPARE)
		log_warning("%s has %u threads for calls, as many as its max_workers allows; with %u guests that wait for a slot "
			    "(slot_queue) it needs %u", daemon, now, work->config->slot_queue, work->config->slot_queue + WORKERS_SPARE);
	else
		log_notice("%s was given %u threads for calls and had %u, since guests that wait for a slot keep some", daemon, now, had);
}

/*
 * See work.h. It is told which daemon it is by its process, since a socket of systemd's would start a daemon that nobody uses.
 */
void threads_raise(const struct work *work, struct outcome *outcome)
{
	bool is_modular = workers_of_host(true) > 0;
	const char *daemon = is_modular ? "virtqemud" : "libvirtd";
	unsigned int have = workers_of_host(is_modular);
	int now;

	if (!work->config->slot_queue || !have || have >= work->config->slot_queue + WORKERS_SPARE)
		return;
	now = raise_daemon(daemon, work->deadline, &outcome->why);
	outcome->error = now < 0 ? now : 0;
	if (now >= 0)
		say(daemon, work, have, (unsigned int)now);
}
