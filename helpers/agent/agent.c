/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent.c: the agent's event loop: what wakes it, and what it does then. See agent.h.
 */
#include "agent/agent.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/log.h"
#include "base/scope.h"
#include "base/watch.h"
#include "virt/virt.h"

#define MINUTE 60000       /* ms */
#define HOST_TIME 10000    /* ms that reading the host may take */

/* Return: the guest, NULL. */
struct agent_guest *agent_find(struct agent *agent, const char *uuid)
{
	for (struct agent_guest *guest = agent->guests; guest; guest = guest->next) {
		if (strcmp(guest->status.uuid, uuid) == 0)
			return guest;
	}
	return NULL;
}

/* guest: NULL if it is about the host. */
void agent_log(const struct agent_guest *guest, int priority, const struct reason *why)
{
	char line[1600];

	reason_format(why, guest ? guest->status.name : NULL, line, sizeof(line));
	log_line(priority, "%s%s%s", line, *why->rule ? "; rule " : "", why->rule);
}

/* Replaces the inventory by a new reading; keeps the old one if there is none. */
void agent_read_host(struct agent *agent)
{
	struct inventory fresh = { 0 };
	struct reason why = { 0 };

	if (inventory_read(&fresh, agent->config.ovsdb_socket, deadline_in(HOST_TIME), &why)) {
		agent_log(NULL, LOG_WARNING, &why);
		return;
	}
	inventory_release(&agent->inventory);
	agent->inventory = fresh;
}

/* domain: for virt_free(). Return: 0, negative errno. */
int agent_domain(const struct agent_guest *guest, virDomainPtr *domain, struct reason *why)
{
	if (!guest->agent->session.connection)
		return reason_set(why, -ENOTCONN, "", "there is no connection to libvirt");
	return virt_find_uuid(guest->agent->session.connection, guest->status.uuid, domain, why);
}

/* The status directory has changed. */
static void on_status(int handle, int fd, int events, void *opaque)
{
	(void)handle;
	(void)events;
	(void)watch_wait(fd, deadline_in(0));
	look_now(opaque);
}

/* Begins to watch the status directory, unless that is so; it may not be there before libvirt's first start. */
static void watch_status(struct agent *agent)
{
	static const char *const directories[] = { STATUS_DIRECTORY, NULL };

	if (agent->watch >= 0) {
		virEventRemoveHandle(agent->watch_handle);
		close(agent->watch);
	}
	agent->watch = watch_open(directories);
	if (agent->watch < 0) {
		log_warning(STATUS_DIRECTORY ": it cannot be watched (%s); the agent looks each minute", strerror(-agent->watch));
		return;
	}
	agent->watch_handle = virEventAddHandle(agent->watch, VIR_EVENT_HANDLE_READABLE, on_status, agent, NULL);
}

/* The agent's share of a guest's life: RESUMED after a migration is the moment when it runs here. */
static int on_lifecycle(virConnectPtr connection, virDomainPtr domain, int event, int detail, void *opaque)
{
	struct agent *agent = opaque;
	char uuid[VIR_UUID_STRING_BUFLEN];
	struct agent_guest *guest;

	(void)connection;
	guest = virDomainGetUUIDString(domain, uuid) == 0 ? agent_find(agent, uuid) : NULL;
	if (guest && guest->vfs && event == VIR_DOMAIN_EVENT_RESUMED && detail == VIR_DOMAIN_EVENT_RESUMED_MIGRATED) {
		/* A guest that was stopped for a migration which then failed resumes here with the same words. */
		if (!guest->arriving)
			announce_end(guest);
		announce_begin(guest, ANNOUNCED_RUNNING);
	}
	look_now(agent);
	return 0;
}

/* A migration from here has succeeded: libvirt tells its figures. */
static void on_completed(virConnectPtr connection, virDomainPtr domain, virTypedParameterPtr params, int nparams, void *opaque)
{
	char uuid[VIR_UUID_STRING_BUFLEN];
	struct agent_guest *guest;

	(void)connection;
	guest = virDomainGetUUIDString(domain, uuid) == 0 ? agent_find(opaque, uuid) : NULL;
	if (guest) {
		story_figures(guest, params, nparams);
		leave_completed(guest);
	}
}

/* A device came or went. */
static void on_device(virConnectPtr connection, virDomainPtr domain, const char *alias, void *opaque)
{
	(void)connection;
	(void)domain;
	(void)alias;
	look_now(opaque);
}

/* Asks for events. */
static void register_events(virConnectPtr connection, struct agent *agent)
{
	static const int devices[] = { VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED };

	virConnectDomainEventRegisterAny(connection, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle), agent,
					 NULL);
	virConnectDomainEventRegisterAny(connection, NULL, VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, VIR_DOMAIN_EVENT_CALLBACK(on_completed),
					 agent, NULL);
	for (size_t i = 0; i < 2; i++)
		virConnectDomainEventRegisterAny(connection, NULL, devices[i], VIR_DOMAIN_EVENT_CALLBACK(on_device), agent, NULL);
}

/* The connection has come: everything is looked at anew. */
static void on_up(virConnectPtr connection, void *opaque)
{
	struct agent *agent = opaque;

	log_notice("connected to libvirt");
	workers_raise(agent);
	register_events(connection, agent);
	watch_status(agent);
	for (struct agent_guest *guest = agent->guests; guest; guest = guest->next)
		guest->todo |= TODO_PASSPORT;
	agent->reconcile = true;
	look_now(agent);
}

/* The connection is lost. Nothing here keeps a virDomainPtr. */
static void on_down(void *opaque)
{
	(void)opaque;
}

/* Looks at everything, also at what no event tells, such as a firmware that was changed. */
static void look_at_all(struct agent *agent)
{
	if (agent->watch < 0)
		watch_status(agent);
	ports_watch(agent);
	agent_read_host(agent);
	for (struct agent_guest *guest = agent->guests; guest; guest = guest->next)
		guest->todo |= guest->vfs ? TODO_PASSPORT : 0;
	agent->reconcile = true;
	look_now(agent);
}

/* Each minute. */
static void on_minute(int timer, void *opaque)
{
	(void)timer;
	sd_notify(0, "WATCHDOG=1");
	look_at_all(opaque);
}

/* A signal: end, or read the configuration again. */
static void on_signal(int handle, int fd, int events, void *opaque)
{
	struct signalfd_siginfo signal;
	struct agent *agent = opaque;
	struct reason why = { 0 };

	(void)handle;
	(void)events;
	if (read(fd, &signal, sizeof(signal)) != sizeof(signal))
		return;
	if (signal.ssi_signo != SIGHUP) {
		agent->stop = true;
		return;
	}
	if (config_read(agent->config_file, &agent->config, &why))
		agent_log(NULL, LOG_ERR, &why);
	else
		log_notice("the configuration is read again");
	look_at_all(agent);
}

/*
 * How often the agent looks without an event: each minute, or twice in the time after which systemd takes it for dead (WatchdogSec= of its
 * unit), if that is shorter. Return: ms.
 */
static int look_period(void)
{
	uint64_t watchdog = 0; /* us */

	if (sd_watchdog_enabled(0, &watchdog) <= 0 || watchdog / 2000 >= MINUTE)
		return MINUTE;
	return watchdog < 2000 ? 1 : (int)(watchdog / 2000);
}

/* Makes the signals come as reads. Return: descriptor, -1. */
static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Gives back what the agent has. */
static void release(struct agent *agent)
{
	virt_session_stop(&agent->session);
	while (agent->guests) {
		struct agent_guest *guest = agent->guests;

		agent->guests = guest->next;
		announce_end(guest);
		status_release(&guest->status);
		free(guest->story);
		free(guest);
	}
	ports_end(agent);
	status_cache_release(&agent->seen);
	inventory_release(&agent->inventory);
	if (agent->watch >= 0)
		close(agent->watch);
}

/* agent: zeroed but for the configuration. Return: exit status. */
int agent_run(struct agent *agent)
{
	autoclose int signals = open_signals();

	if (virEventRegisterDefaultImpl() < 0 || signals < 0) {
		log_error("libvirt's event loop cannot be started");
		return 1;
	}
	agent->watch = -1;
	virEventAddHandle(signals, VIR_EVENT_HANDLE_READABLE, on_signal, agent, NULL);
	agent->settle_timer = virEventAddTimeout(-1, settle_now, agent, NULL);
	agent->leave_timer = virEventAddTimeout(-1, leave_tick, agent, NULL);
	agent->minute_timer = virEventAddTimeout(look_period(), on_minute, agent, NULL);
	leave_recall(agent);
	agent_read_host(agent);
	watch_status(agent);
	ports_watch(agent);
	agent->reconcile = true;
	look_now(agent);
	agent->session = (struct virt_session){ .up = on_up, .down = on_down, .arg = agent };
	virt_session_start(&agent->session);
	sd_notify(0, "READY=1");
	while (!agent->stop && virEventRunDefaultImpl() == 0)
		;
	sd_notify(0, "STOPPING=1");
	release(agent);
	return agent->stop ? 0 : 1;
}
