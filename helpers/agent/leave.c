/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * leave.c: guests on their way to another host: what breaks a limit is ended, and QEMU gets the downtime that VFs need.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/agent.h"
#include "base/log.h"
#include "switch/ovs.h"
#include "policy/gate.h"
#include "state/history.h"
#include "virt/virt.h"

#define TICK 1000          /* ms between two looks at what is on its way */
#define AGAIN 5000         /* ms until a job that has not ended is ended again */
#define STUCK 3            /* looks in a row at which the memory is as good as sent before the limit is raised */
#define VERDICTS 16
#define PORT_TIME 3000     /* ms */
#define HISTORY_TIME 500   /* ms */
#define QEMU_MULTIFD_STATE 10000000 /* version 10.0.0 as virConnectGetVersion() tells it: device states over multifd */

/* Writes what was ended into the history that 'vferry status' shows. */
static void remember(const struct agent_guest *guest, const struct reason *why)
{
	struct history_entry entry = { .when = time(NULL), .kind = HISTORY_REFUSED, .event = "agent", .vfs = guest->vfs, .why = *why };

	snprintf(entry.uuid, sizeof(entry.uuid), "%s", guest->status.uuid);
	reason_clean(entry.guest, sizeof(entry.guest), guest->status.name);
	(void)history_add(&entry, deadline_in(HISTORY_TIME), NULL);
}

/* Ends a guest's migration, once. */
static void end_job(struct agent_guest *guest, const struct gate_verdict *verdict)
{
	autoguest virDomainPtr domain = NULL;
	struct reason why = { 0 };
	int error;

	if (guest->ended == verdict->guest->started && deadline_left(guest->ended_again))
		return;
	error = agent_domain(guest, &domain, &why);
	if (!error)
		error = virt_abort(domain, &why);
	if (error) {
		agent_log(guest, LOG_ERR, &why);
		log_error("%s: the migration of this guest breaks %s and could not be ended", guest->status.name, verdict->why.rule);
		return;
	}
	if (guest->ended != verdict->guest->started) {
		log_warning("%s: the migration of this guest is ended, it runs on here", guest->status.name);
		agent_log(guest, LOG_WARNING, &verdict->why);
		remember(guest, &verdict->why);
	}
	guest->ended = verdict->guest->started;
	guest->ended_why = verdict->why;
	guest->ended_again = deadline_in(AGAIN);
}

/* Ends what breaks a limit. running: as libvirt tells now. */
void leave_judge(struct agent *agent, const struct status_list *running)
{
	struct gate_case c = { .config = &agent->config, .inventory = &agent->inventory, .running = running };
	struct gate_verdict verdict[VERDICTS];
	size_t count = gate_judge(&c, verdict, VERDICTS);

	for (size_t i = 0; i < count; i++) {
		struct agent_guest *guest = agent_find(agent, verdict[i].guest->uuid);

		if (guest)
			end_job(guest, &verdict[i]);
	}
}

/* Says what would make the migration shorter, where that is possible. */
static void advise(const struct agent_guest *guest, virDomainPtr domain)
{
	unsigned long version = 0;

	if (guest->status.flags & STATUS_PARALLEL || virConnectGetVersion(virDomainGetConnect(domain), &version) < 0 ||
	    version < QEMU_MULTIFD_STATE)
		return;
	log_info("%s: with 'virsh migrate --parallel' QEMU sends the states of VFs side by side, which shortens the downtime",
		 guest->status.name);
}

/*
 * Return: the downtime limit that a job should have, in ms; 0: it is left alone.
 * now: what QEMU has. One that is neither QEMU's own nor from here is the operator's.
 */
static unsigned int wanted_limit(const struct agent_guest *guest, unsigned long long now)
{
	const struct config *config = &guest->agent->config;
	bool is_ours = now == DOWNTIME_QEMU || (guest->limit_before && now == guest->limit_before);

	if (config->max_downtime == CONFIG_DOWNTIME_OFF || !is_ours)
		return 0;
	if (config->max_downtime != CONFIG_DOWNTIME_AUTO)
		return config->max_downtime;
	return downtime_limit(&guest->agent->downtime, guest->vfs, guest->status.flags & STATUS_PARALLEL);
}

/* Sets QEMU's downtime limit. Return: 0, negative errno with *why. */
static int set_limit(struct agent_guest *guest, virDomainPtr domain, unsigned int limit, struct reason *why)
{
	if (virDomainMigrateSetMaxDowntime(domain, limit, 0) < 0)
		return virt_reason(why, "", "set the guest's maximum downtime");
	guest->limit = guest->limit_before = limit;
	return 0;
}

/* A guest begins to move. */
void leave_begin(struct agent_guest *guest)
{
	autoguest virDomainPtr domain = NULL;
	unsigned long long now = DOWNTIME_QEMU;
	struct reason why = { 0 };
	int error = guest->ended == guest->status.started ? -ECANCELED : agent_domain(guest, &domain, &why);
	unsigned int limit;

	guest->limit = guest->stuck = 0;
	if (error == -ECANCELED)
		return;
	if (!error && virDomainMigrateGetMaxDowntime(domain, &now, 0) < 0)
		error = virt_reason(&why, "", "tell the guest's maximum downtime");
	limit = error ? 0 : wanted_limit(guest, now);
	if (limit && limit != now)
		error = set_limit(guest, domain, limit, &why);
	guest->limit = error ? 0 : limit;
	if (error)
		agent_log(guest, LOG_WARNING, &why);
	else if (limit)
		log_notice("%s: leaving with %u VF%s; QEMU may stop it for %u ms", guest->status.name, guest->vfs,
			   guest->vfs == 1 ? "" : "s", limit);
	if (!error)
		advise(guest, domain);
}

/*
 * Return: whether the guest's memory could be sent within half of the limit, so that it is the rest that does not fit.
 */
static bool is_memory_sent(const struct agent_guest *guest, virDomainPtr domain)
{
	unsigned long long remaining = 0, speed = 0, pass = 0;
	virTypedParameterPtr params = NULL;
	int type, count = 0;
	bool sent = false;

	if (virDomainGetJobStats(domain, &type, &params, &count, 0) == 0) {
		(void)virTypedParamsGetULLong(params, count, VIR_DOMAIN_JOB_MEMORY_ITERATION, &pass);
		(void)virTypedParamsGetULLong(params, count, VIR_DOMAIN_JOB_MEMORY_BPS, &speed);
		if (virTypedParamsGetULLong(params, count, VIR_DOMAIN_JOB_MEMORY_REMAINING, &remaining) == 1)
			sent = pass > 1 && (!remaining || remaining < speed / 1000 * guest->limit / 2);
	}
	virTypedParamsFree(params, count);
	return sent;
}

/* Looks how a migration gets on, and allows more downtime where it is the device states that do not fit. */
static void look_at_progress(struct agent_guest *guest)
{
	unsigned int limit = downtime_raise(guest->limit);
	autoguest virDomainPtr domain = NULL;
	struct reason why = { 0 };

	if (!guest->limit || guest->agent->config.max_downtime != CONFIG_DOWNTIME_AUTO || limit == guest->limit ||
	    strcmp(guest->status.phase, "perform3") || agent_domain(guest, &domain, &why))
		return;
	guest->stuck = is_memory_sent(guest, domain) ? guest->stuck + 1 : 0;
	if (guest->stuck < STUCK)
		return;
	if (set_limit(guest, domain, limit, &why)) {
		agent_log(guest, LOG_WARNING, &why);
	} else {
		guest->agent->metrics.limits_raised++;
		log_notice("%s: its memory is sent and the states of its VFs do not fit; QEMU may stop it for %u ms now", guest->status.name,
			   limit);
	}
	guest->stuck = STUCK - 1;
}

/* While guests are on their way. */
void leave_tick(int timer, void *opaque)
{
	struct agent *agent = opaque;

	virEventUpdateTimeout(timer, -1);
	look_now(agent);
	for (struct agent_guest *guest = agent->guests; guest; guest = guest->next) {
		if (!guest->gone && gate_is_moving(&guest->status))
			look_at_progress(guest);
	}
}

/* See agent.h. */
void leave_watch(struct agent *agent)
{
	bool some = false;

	for (const struct agent_guest *guest = agent->guests; guest; guest = guest->next)
		some |= guest->vfs && guest->status.job == STATUS_MIGRATION_OUT;
	virEventUpdateTimeout(agent->leave_timer, some ? TICK : -1);
}

/* The guest runs at the destination: what is sent to it here would only be lost. The hook removes the ports too, when QEMU has ended. */
void leave_confirmed(struct agent_guest *guest)
{
	struct ovs_state state = { 0 };
	autoovs struct ovs *ovs = NULL;
	deadline_t deadline = deadline_in(PORT_TIME);
	struct reason why = { 0 };
	int error = ovs_open(&ovs, guest->agent->config.ovsdb_socket, deadline, &why);

	if (!error)
		error = ovs_read(ovs, &state, deadline, &why);
	for (size_t i = 0; !error && i < state.ports; i++) {
		if (!state.port[i].ours || strcmp(state.port[i].guest, guest->status.uuid))
			continue;
		error = ovs_del_port(ovs, state.port[i].name, deadline, &why);
		if (!error)
			log_info("%s: the guest has gone, port %s is taken out of bridge %s", guest->status.name, state.port[i].name,
				 state.port[i].bridge);
	}
	ovs_state_release(&state);
	if (error && error != -ENOENT && error != -ECONNREFUSED)
		agent_log(guest, LOG_WARNING, &why);
}
