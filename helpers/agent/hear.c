/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hear.c: what wakes the agent. See hear.h.
 */
#include "agent/hear.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "agent/facts.h"
#include "base/log.h"
#include "base/watch.h"

#define MINUTE 60000  /* ms */
#define PORTS_MS 2000 /* for a connection to Open vSwitch */

/* The status directory has changed. */
static void on_status(int handle, int fd, int events, void *opaque)
{
	struct ears *ears = opaque;

	(void)handle;
	(void)events;
	(void)watch_wait(fd, deadline_in(0));
	ears->news(0, NULL, ears->arg);
}

/* Begins to watch the status directory anew; it may not be there before libvirt's first start. */
static void watch_status(struct ears *ears)
{
	static const char *const directories[] = { STATUS_DIRECTORY, NULL };

	if (ears->status >= 0) {
		virEventRemoveHandle(ears->status_handle);
		close(ears->status);
	}
	ears->status = watch_open(directories);
	if (ears->status < 0) {
		log_warning(STATUS_DIRECTORY ": it cannot be watched (%s); the agent looks each minute", strerror(-ears->status));
		return;
	}
	ears->status_handle = virEventAddHandle(ears->status, VIR_EVENT_HANDLE_READABLE, on_status, ears, NULL);
}

/* Ends to hear of ports. */
static void forget_ports(struct ears *ears)
{
	if (!ears->ports)
		return;
	virEventRemoveHandle(ears->ports_handle);
	ovs_close(&ears->ports);
}

/*
 * Open vSwitch has something to say: somebody has set a VLAN or another thing on a port. Passports must be right within moments: libvirt
 * lets nobody change them once a migration has begun.
 */
static void on_ports(int handle, int fd, int events, void *opaque)
{
	struct ears *ears = opaque;
	struct reason why = { 0 };
	bool some = false;

	(void)handle;
	(void)fd;
	(void)events;
	if (ovs_watch_take(ears->ports, &some, &why))
		forget_ports(ears); /* the minute opens it again */
	else if (some)
		ears->news(NEWS_PORTS, NULL, ears->arg);
}

/* Begins to hear of changes of ports, unless that is so. Without Open vSwitch there is nothing to hear. */
static void watch_ports(struct ears *ears)
{
	struct reason why = { 0 };

	if (ears->ports || ovs_watch_open(&ears->ports, ears->config->ovsdb_socket, deadline_in(PORTS_MS), &why))
		return;
	ears->ports_handle = virEventAddHandle(ovs_watch_fd(ears->ports), VIR_EVENT_HANDLE_READABLE, on_ports, ears, NULL);
}

/* The agent's share of a guest's life: RESUMED after a migration is the moment when it runs here, also when one from here has failed. */
static int on_lifecycle(virConnectPtr connection, virDomainPtr domain, int event, int detail, void *opaque)
{
	bool has_resumed = event == VIR_DOMAIN_EVENT_RESUMED && detail == VIR_DOMAIN_EVENT_RESUMED_MIGRATED;
	char uuid[VIR_UUID_STRING_BUFLEN];
	struct ears *ears = opaque;

	(void)connection;
	ears->news(0, has_resumed && virDomainGetUUIDString(domain, uuid) == 0 ? uuid : NULL, ears->arg);
	return 0;
}

/* A migration from here has succeeded. */
static void on_completed(virConnectPtr connection, virDomainPtr domain, virTypedParameterPtr params, int nparams, void *opaque)
{
	char uuid[VIR_UUID_STRING_BUFLEN];
	struct ears *ears = opaque;

	(void)connection;
	if (virDomainGetUUIDString(domain, uuid) == 0)
		ears->figures(uuid, params, nparams, ears->arg);
}

/* A device came or went. */
static void on_device(virConnectPtr connection, virDomainPtr domain, const char *alias, void *opaque)
{
	struct ears *ears = opaque;

	(void)connection;
	(void)domain;
	(void)alias;
	ears->news(0, NULL, ears->arg);
}

/* The connection has come: events are asked for. */
static void on_up(virConnectPtr connection, void *opaque)
{
	static const struct { int id; virConnectDomainEventGenericCallback callback; } wanted[] = {
		{ VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle) },
		{ VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, VIR_DOMAIN_EVENT_CALLBACK(on_completed) },
		{ VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, VIR_DOMAIN_EVENT_CALLBACK(on_device) },
		{ VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_device) },
	};
	struct ears *ears = opaque;

	log_notice("connected to libvirt");
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		virConnectDomainEventRegisterAny(connection, NULL, wanted[i].id, wanted[i].callback, ears, NULL);
	watch_status(ears);
	ears->news(NEWS_CONNECTED, NULL, ears->arg);
}

/* The connection is lost. Nothing keeps a virDomainPtr. */
static void on_down(void *opaque)
{
	(void)opaque;
}

/* Each minute. */
static void on_minute(int timer, void *opaque)
{
	struct ears *ears = opaque;

	(void)timer;
	sd_notify(0, "WATCHDOG=1");
	if (ears->status < 0)
		watch_status(ears);
	watch_ports(ears);
	ears->news(NEWS_ALL, NULL, ears->arg);
}

/* A signal: end, or read the configuration again. */
static void on_signal(int handle, int fd, int events, void *opaque)
{
	struct signalfd_siginfo signal;
	struct ears *ears = opaque;

	(void)handle;
	(void)events;
	if (read(fd, &signal, sizeof(signal)) != sizeof(signal))
		return;
	if (signal.ssi_signo == SIGHUP)
		ears->hangup(ears->arg);
	else
		ears->stop = true;
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

/* See hear.h. */
int ears_open(struct ears *ears)
{
	ears->status = -1;
	ears->signals = open_signals();
	if (virEventRegisterDefaultImpl() < 0 || ears->signals < 0)
		return -EIO;
	virEventAddHandle(ears->signals, VIR_EVENT_HANDLE_READABLE, on_signal, ears, NULL);
	virEventAddTimeout(look_period(), on_minute, ears, NULL);
	watch_status(ears);
	watch_ports(ears);
	return 0;
}

/* See hear.h. */
void ears_connect(struct ears *ears)
{
	ears->session = (struct virt_session){ .up = on_up, .down = on_down, .arg = ears };
	virt_session_start(&ears->session);
}

/* See hear.h. */
int ears_listen(struct ears *ears)
{
	while (!ears->stop && virEventRunDefaultImpl() == 0)
		;
	return ears->stop ? 0 : 1;
}

/* See hear.h. */
void ears_end(struct ears *ears)
{
	virt_session_stop(&ears->session);
	forget_ports(ears);
	if (ears->status >= 0)
		close(ears->status);
	close(ears->signals);
}
