/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent.c: the agent's loop: a round after everything that happens. What happens is heard in hear.c. See agent.h.
 */
#include "agent/agent.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "agent/decide.h"
#include "agent/hear.h"
#include "agent/learned.h"
#include "agent/metrics.h"
#include "agent/publish.h"
#include "agent/story.h"
#include "agent/work.h"
#include "base/log.h"

#define HOST_TIME 10000 /* ms that reading the host may take */
#define BLIND 1000      /* ms until the next round if this one could not look */

struct agent {
	struct config config;
	const char *file;
	struct ears ears;
	struct host host;
	struct status_cache seen; /* libvirt's status files */
	struct facts facts;       /* of the last look */
	unsigned int news;        /* since then */
	struct agenda agenda;
	struct downtime_model downtime;
	struct metrics metrics;
	int timer;
};

/* Who carries out an intent; who forgets a guest that has gone. publish() has no part of its own. */
static const struct {
	void (*act)(const struct work *work, struct outcome *outcome);
	void (*forget)(const char *uuid);
} parts[INTENT_KINDS] = {
	[INTENT_END] = { end_job, NULL },
	[INTENT_ANNOUNCE] = { announce_send, announce_forget },
	[INTENT_LOCATE] = { announce_locate, NULL },
	[INTENT_UNPLUG] = { unplug, NULL },
	[INTENT_LIMIT] = { limit_follow, limit_forget },
	[INTENT_THREADS] = { threads_raise, NULL },
	[INTENT_RECONCILE] = { devices_reconcile, NULL },
	[INTENT_YIELD] = { devices_yield, NULL },
	[INTENT_ADOPT] = { devices_adopt, NULL },
	[INTENT_DEFINITION] = { definition_mend, NULL },
	[INTENT_PASSPORT] = { passport_refresh, NULL },
};

/* Writes a failure to the log. guest: its name, NULL if it is about the host. */
static void complain(const char *guest, const struct reason *why)
{
	char line[1600];

	reason_format(why, guest, line, sizeof(line));
	log_warning("%s", line);
}

/* A migration is over: it is counted, kept, and something may be learned of it. */
static void tell(const struct story_end *end, void *arg)
{
	struct agent *agent = arg;
	struct reason why = { 0 };

	metrics_count(&agent->metrics, &end->migration);
	if (migration_add(&end->migration, &why))
		complain(end->migration.guest, &why);
	learned_take(&agent->downtime, end);
	(void)agenda_ask(&agent->agenda, &(struct intent){ .kind = INTENT_PUBLISH }, clock_ms());
}

/* Reads the host anew where what no event tells may have changed. */
static void look_at_host(struct agent *agent, int64_t since)
{
	struct reason why = { 0 };

	if (host_refresh(&agent->host, &agent->config, since, deadline_in(HOST_TIME), &why))
		complain(NULL, &why);
}

/* What the parts remember of guests that are not here any more is forgotten. uuid NULL: all of them. */
static void forget(const char *uuid)
{
	for (size_t i = 0; i < INTENT_KINDS; i++)
		if (parts[i].forget)
			parts[i].forget(uuid);
}

/* The facts of the last look are not those of now any more. */
static void replace_facts(struct agent *agent, const struct facts *now)
{
	for (size_t i = 0; i < agent->facts.running.count; i++) {
		if (!facts_find(now, agent->facts.running.status[i].uuid).status)
			forget(agent->facts.running.status[i].uuid);
	}
	facts_release(&agent->facts);
	agent->facts = *now;
	agent->news = 0;
}

/*
 * Looks and decides. resumed: uuid of a guest of which libvirt has said that it runs again after a migration; NULL. A status directory that
 * cannot be read changes nothing. Return: whether there are new facts.
 */
static bool look(struct agent *agent, const char *resumed)
{
	struct facts now = { .clock = clock_ms(), .news = agent->news, .is_connected = agent->ears.session.connection != NULL };
	struct story_listener listener = { tell, agent };
	struct status_list list = { 0 };
	struct reason why = { 0 };

	if (now.news & (NEWS_ALL | NEWS_CONNECTED))
		look_at_host(agent, now.clock);
	if (status_read_new(&agent->seen, &list, &why)) {
		complain(NULL, &why);
		return false;
	}
	if (facts_take(&agent->facts, &list, &agent->host.inventory, &now)) {
		log_error("out of memory");
		return false;
	}
	if (resumed)
		facts_resumed(&now, resumed);
	decide(&(struct decide_case){ &agent->config, &agent->host.inventory, &agent->facts, &now }, &agent->agenda);
	story_follow(&agent->facts, &now, &listener);
	replace_facts(agent, &now);
	return true;
}

/* Counts what was done. */
static void count(struct metrics *metrics, enum intent_kind kind, const struct outcome *outcome)
{
	unsigned long *const counters[INTENT_KINDS] = {
		[INTENT_RECONCILE] = &metrics->reconciliations,
		[INTENT_PASSPORT] = &metrics->passports,
		[INTENT_ANNOUNCE] = &metrics->announcements,
		[INTENT_LIMIT] = &metrics->limits_raised,
	};

	if (counters[kind])
		*counters[kind] += outcome->count;
}

/* Says what has failed, once, and that it was done after all. What is only not there yet (-EAGAIN) is waited for without a word. */
static void say(const struct intent *intent, const char *guest, const struct outcome *outcome)
{
	bool has_failed = outcome->error && outcome->error != -ENOENT;

	if (has_failed && !intent->failed && outcome->error != -EAGAIN)
		complain(guest, &outcome->why);
	else if (!has_failed && intent->failed)
		log_info("%s%s%s: it was done at try %u", guest ? guest : "", guest ? ": " : "", intent_name(intent->kind),
			 intent->failed + 1);
}

/* Carries out one intent, and takes what came of it. */
static void carry_out(struct agent *agent, const struct intent *intent)
{
	struct work work = { .intent = intent, .guest = facts_find(&agent->facts, intent->uuid), .config = &agent->config,
			     .host = &agent->host, .downtime = &agent->downtime, .deadline = deadline_in(intent_deadline(intent->kind)) };
	struct published published = { &agent->config, &agent->facts, &agent->host.inventory, &agent->metrics, &agent->downtime };
	struct story_listener listener = { tell, agent };
	struct outcome outcome = { 0 };

	work.link = (struct guest_link){ agent->ears.session.connection, intent->uuid, work.deadline };
	if (intent->kind == INTENT_ANNOUNCE)
		facts_announced(&agent->facts, intent->uuid, intent->how);
	if (parts[intent->kind].act)
		parts[intent->kind].act(&work, &outcome);
	else
		outcome.error = publish(&published, &outcome.why);
	say(intent, work.guest.status ? work.guest.status->name : NULL, &outcome);
	count(&agent->metrics, intent->kind, &outcome);
	agenda_result(&agent->agenda, intent, &outcome, clock_ms());
	story_result(intent, &outcome, &listener);
	if (!intent_is_urgent(intent->kind) && intent->kind != INTENT_PUBLISH)
		(void)agenda_ask(&agent->agenda, &(struct intent){ .kind = INTENT_PUBLISH }, clock_ms());
}

/* Carries out what is urgent, and one thing that is not. */
static void work_off(struct agent *agent)
{
	const struct intent *next;
	bool go_on = true;

	while (go_on && (next = agenda_next(&agent->agenda, &agent->facts, clock_ms()))) {
		struct intent intent = *next;

		carry_out(agent, &intent);
		go_on = intent_is_urgent(intent.kind);
	}
}

/* The timer brings the next round when something is due. soonest: ms. */
static void set_timer(struct agent *agent, int soonest)
{
	int64_t wake = agenda_wake(&agent->agenda, &agent->facts), left;

	wake = wake < story_wake() ? wake : story_wake();
	left = wake == INT64_MAX ? -1 : wake - clock_ms();
	if (wake != INT64_MAX && left < soonest)
		left = soonest;
	virEventUpdateTimeout(agent->timer, left > INT32_MAX ? INT32_MAX : (int)left);
}

/* Something has happened (hear.h). */
static void on_news(unsigned int news, const char *resumed, void *arg)
{
	struct agent *agent = arg;
	bool has_looked;

	agent->news |= news;
	has_looked = look(agent, resumed);
	work_off(agent);
	set_timer(agent, has_looked ? 0 : BLIND);
}

/* Libvirt tells how a migration from here was. */
static void on_figures(const char *uuid, virTypedParameterPtr params, int count_of, void *arg)
{
	struct agent *agent = arg;
	struct story_listener listener = { tell, agent };

	story_figures(uuid, params, count_of, &listener);
	on_news(0, NULL, agent);
}

/* Somebody wants the configuration read again. A file with a mistake changes nothing. */
static void on_hangup(void *arg)
{
	struct agent *agent = arg;
	struct reason why = { 0 };

	if (config_read(agent->file, &agent->config, &why))
		complain(NULL, &why);
	else
		log_notice("the configuration is read again");
	on_news(NEWS_ALL, NULL, agent);
}

/* Something is due. */
static void on_timer(int timer, void *opaque)
{
	virEventUpdateTimeout(timer, -1);
	on_news(0, NULL, opaque);
}

/* Gives back what the agent has. */
static void release(struct agent *agent)
{
	ears_end(&agent->ears);
	agenda_release(&agent->agenda);
	facts_release(&agent->facts);
	story_release();
	forget(NULL);
	status_cache_release(&agent->seen);
	inventory_release(&agent->host.inventory);
}

/* See agent.h. */
int agent_run(const char *file, const struct config *config)
{
	static struct agent agent;
	int status;

	agent = (struct agent){ .file = file, .config = *config };
	agent.ears = (struct ears){ .config = &agent.config, .news = on_news, .figures = on_figures, .hangup = on_hangup, .arg = &agent };
	if (ears_open(&agent.ears)) {
		log_error("libvirt's event loop cannot be started");
		return 1;
	}
	agent.timer = virEventAddTimeout(-1, on_timer, &agent, NULL);
	learned_recall(&agent.downtime);
	on_news(NEWS_ALL, NULL, &agent);
	ears_connect(&agent.ears);
	sd_notify(0, "READY=1");
	status = ears_listen(&agent.ears);
	sd_notify(0, "STOPPING=1");
	release(&agent);
	return status;
}
