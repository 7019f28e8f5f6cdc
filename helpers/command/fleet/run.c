/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * run.c: vferry fleet evacuate --run: moves the guests of a plan, wave by wave, over libvirt's own connections.
 *
 * Theory of operation. The plan is a file, and each move's state in it is written before and after libvirt is asked: planned, moving, done,
 * refused. Moves are peer to peer, so the host that a guest leaves drives its move, and this program may end at any instant: a guest that
 * was on its way goes on. Called again with the same file, the program looks first where each guest is, also
 * those that had left: they may have come back. A guest that a host refuses is
 * offered to the next best one; one that all refuse runs on where it is. Nothing here ever stops a guest.
 *
 * After the first Ctrl-C no further guest sets out, and those on their way are waited for; a second one ends the program.
 */
#include "command/fleet/run.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/fleet/evacuate.h"
#include "command/fleet/times.h"
#include "command/terminal.h"
#include "virt/virt.h"

#define FLAGS (VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER)
#define LOOK_AGAIN 1 /* s, between two looks at a guest that is still on its way from an earlier run */

static volatile sig_atomic_t is_stopped;

/* The run: shared by the movers, each of which holds the lock while it touches it. */
struct run {
	struct call *call;
	struct json_object *plan;
	const char *file;
	virConnectPtr source;
	pthread_mutex_t lock;
};

/* One guest that is moved. */
struct mover {
	struct run *run;
	struct json_object *move;
	pthread_t thread;
};

/* Ctrl-C: the first one is an order to end soon; the handler is gone with it. */
static void stop(int number)
{
	(void)number;
	is_stopped = 1;
}

/* A text of a JSON object; "" if there is none. */
static const char *text_of(struct json_object *json, const char *key)
{
	const char *text = json_object_get_string(json_object_object_get(json, key));

	return text ? text : "";
}

/* Whether a move is in a state. */
static bool is_state(struct json_object *move, const char *state)
{
	return strcmp(text_of(move, "state"), state) == 0;
}

/* Writes the plan, whole or not at all. Return: 0, negative errno with *why. */
static int keep(struct run *run, struct reason *why)
{
	char fresh[4096];

	snprintf(fresh, sizeof(fresh), "%s.new", run->file);
	if (json_object_to_file_ext(fresh, run->plan, JSON_C_TO_STRING_PRETTY) == 0 && rename(fresh, run->file) == 0)
		return 0;
	reason_set(why, -EIO, run->file, "the plan cannot be written there: %s", strerror(errno));
	reason_cure(why, "give a file that can be written with --plan FILE");
	return -EIO;
}

/* Notes the state of a move in the plan, and says it. what: further words, may be "". */
static int note(struct run *run, struct json_object *move, const char *state, const char *what)
{
	struct reason why = { 0 };
	int error;

	pthread_mutex_lock(&run->lock);
	terminal_add(move, "state", state);
	terminal_add(move, "said", what);
	error = keep(run, &why);
	fprintf(run->call->out, "%s: %s%s%s\n", text_of(move, "guest"), state, *what ? ": " : "", what);
	fflush(run->call->out);
	if (error)
		reason_print(&why, NULL, run->call->err);
	pthread_mutex_unlock(&run->lock);
	return error;
}

/* Whether a guest is on its way out of its host. */
static bool is_leaving(virDomainPtr domain)
{
	virDomainJobInfo info;

	return virDomainGetJobInfo(domain, &info) == 0 && info.type != VIR_DOMAIN_JOB_NONE;
}

/* Waits for a guest that is still on its way from an earlier run. */
static void wait_for_earlier(struct run *run, struct json_object *move)
{
	for (bool said = false;; said = true) {
		struct reason why = { 0 };
		autoguest virDomainPtr domain = NULL;

		if (virt_find(run->source, text_of(move, "uuid"), &domain, &why) || !virt_is_running(domain) || !is_leaving(domain))
			return;
		if (!said)
			(void)note(run, move, "moving", "it is on its way already");
		sleep(LOOK_AGAIN);
	}
}

/* Whether a guest runs on the host that is to be emptied. Return: 1, 0; negative errno: that cannot be told, *why filled. */
static int is_here(struct run *run, struct json_object *move, struct reason *why)
{
	autoguest virDomainPtr domain = NULL;
	int error = virt_find(run->source, text_of(move, "uuid"), &domain, why), active;

	if (error == -ENOENT)
		return 0;
	if (error)
		return error;
	active = virDomainIsActive(domain);
	return active >= 0 ? active : virt_reason(why, text_of(move, "guest"), "tell whether it runs");
}

/* Moves a guest to one host. Return: 0, negative errno with *why. */
static int move_to(struct run *run, struct json_object *move, const char *uri, struct reason *why)
{
	autoguest virDomainPtr domain = NULL;
	int error = virt_find(run->source, text_of(move, "uuid"), &domain, why);

	if (error)
		return error;
	if (virDomainMigrateToURI3(domain, uri, NULL, 0, FLAGS) == 0)
		return 0;
	return virt_reason(why, text_of(move, "guest"), "move it");
}

/* Moves a guest to the first host that takes it. Return: 0, negative errno: no host takes it. */
static int try_hosts(struct run *run, struct json_object *move)
{
	struct json_object *others = json_object_object_get(move, "others"), *host = move;
	size_t count = json_object_is_type(others, json_type_array) ? json_object_array_length(others) : 0;
	int64_t begin = clock_ms();

	for (size_t i = 0; i <= count && !is_stopped; i++, host = json_object_array_get_idx(others, i - 1)) {
		struct reason why = { 0 };
		char text[1024], time[32];

		snprintf(text, sizeof(text), "to %s", text_of(host, "to"));
		if (note(run, move, "moving", text))
			return -EIO;
		if (move_to(run, move, text_of(host, "uri"), &why) == 0) {
			fleet_say_time(clock_ms() - begin, time, sizeof(time));
			snprintf(text, sizeof(text), "on %s, after %s", text_of(host, "to"), time);
			return note(run, move, "done", text);
		}
		snprintf(text, sizeof(text), "%s: %.700s; it runs on", text_of(host, "to"), why.what);
		(void)note(run, move, "refused", text);
	}
	return -EPERM;
}

/* One mover. */
static void *mover_main(void *arg)
{
	struct mover *mover = arg;
	struct run *run = mover->run;
	struct reason why = { 0 };
	int here;

	if (is_state(mover->move, "moving"))
		wait_for_earlier(run, mover->move);
	here = is_here(run, mover->move, &why);
	if (here > 0)
		(void)try_hosts(run, mover->move);
	else if (here == 0 && !is_state(mover->move, "done"))
		(void)note(run, mover->move, "done", "it does not run there any more");
	else if (here < 0)
		(void)note(run, mover->move, "refused", why.what);
	return NULL;
}

/* Moves the guests of one wave at the same time. Return: 0, -ENOMEM. */
static int one_wave(struct run *run, struct json_object *moves, int64_t wave)
{
	size_t count = json_object_array_length(moves), movers = 0;
	struct mover *mover = calloc(count + 1, sizeof(*mover));

	if (!mover)
		return -ENOMEM;
	for (size_t i = 0; i < count && !is_stopped; i++) {
		struct json_object *move = json_object_array_get_idx(moves, i);

		if (json_object_get_int64(json_object_object_get(move, "wave")) != wave)
			continue;
		mover[movers] = (struct mover){ .run = run, .move = move };
		if (pthread_create(&mover[movers].thread, NULL, mover_main, &mover[movers]) == 0)
			movers++;
	}
	for (size_t i = 0; i < movers; i++)
		pthread_join(mover[i].thread, NULL);
	free(mover);
	return 0;
}

/* Says what has come of it. Return: enum command_status. */
static int sum_up(struct run *run, struct json_object *moves)
{
	size_t count = json_object_array_length(moves), done = 0;

	for (size_t i = 0; i < count; i++)
		done += is_state(json_object_array_get_idx(moves, i), "done");
	fprintf(run->call->out, "%zu of %zu guests of the plan have left %s.\n", done, count, text_of(run->plan, "host"));
	if (done == count)
		return COMMAND_OK;
	fprintf(run->call->out, "The others run on there. To go on: vferry fleet evacuate %s --run --plan %s\n", text_of(run->plan, "host"),
		run->file);
	return COMMAND_NOT_READY;
}

/* Runs a plan. Return: enum command_status. */
static int perform(struct run *run)
{
	struct json_object *moves = json_object_object_get(run->plan, "moves");
	int64_t waves = json_object_get_int64(json_object_object_get(run->plan, "waves"));
	struct sigaction action = { .sa_handler = stop, .sa_flags = (int)(SA_RESETHAND | SA_RESTART) };
	struct reason why = { 0 };

	if (!json_object_is_type(moves, json_type_array)) {
		reason_set(&why, -EINVAL, run->file, "it is no plan of 'vferry fleet evacuate'");
		reason_cure(&why, "give another file with --plan, or remove this one");
		return command_fail(run->call, &why, NULL);
	}
	if (keep(run, &why))
		return command_fail(run->call, &why, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	for (int64_t wave = 1; wave <= waves && !is_stopped; wave++) {
		fprintf(run->call->out, "wave %lld of %lld\n", (long long)wave, (long long)waves);
		if (one_wave(run, moves, wave))
			return COMMAND_NOT_READY;
	}
	return sum_up(run, moves);
}

/* Connects to the host that is emptied. Return: 0, negative errno with *why. */
static int connect_source(struct run *run, struct reason *why)
{
	char name[256] = "";
	const char *uri = text_of(run->plan, "uri");

	(void)gethostname(name, sizeof(name) - 1);
	if (strcmp(name, text_of(run->plan, "host")) == 0 && strncmp(uri, "qemu+ssh:", 9) == 0)
		uri = VIRT_URI;
	virt_begin();
	run->source = virConnectOpen(uri);
	return run->source ? 0 : virt_reason(why, uri, "connect");
}

/* Reads the plan that is gone on with, or makes one. Return: COMMAND_RUN, else the exit status. */
static int get_plan(struct call *call, struct run *run)
{
	struct reason why = { 0 };
	int status;

	if (access(run->file, F_OK) < 0)
		return fleet_plan_call(call, &run->plan);
	run->plan = json_object_from_file(run->file);
	if (run->plan && strcmp(text_of(run->plan, "host"), call->operand[1]) == 0) {
		fprintf(call->out, "Going on with the plan in %s; remove it for a new one.\n", run->file);
		return COMMAND_RUN;
	}
	status = reason_set(&why, -EINVAL, run->file, run->plan ? "it is the plan of another host" : "it is no plan");
	reason_cure(&why, "give another file with --plan, or remove this one");
	(void)status;
	return command_fail(call, &why, NULL);
}

/* vferry fleet evacuate --run. Return: exit status. */
int fleet_run_command(struct call *call)
{
	struct run run = { .call = call, .lock = PTHREAD_MUTEX_INITIALIZER };
	struct reason why = { 0 };
	char file[512];
	int status;

	if (!call->go || call->operands < 2) {
		command_say(call, "fleet: this program only moves guests; see vferry fleet --help");
		return COMMAND_USAGE;
	}
	snprintf(file, sizeof(file), "evacuate-%.200s.json", call->operand[1]);
	run.file = call->plan ? call->plan : file;
	status = get_plan(call, &run);
	if (status == COMMAND_RUN && connect_source(&run, &why))
		status = command_fail(call, &why, NULL);
	if (status == COMMAND_RUN)
		status = perform(&run);
	virt_close(&run.source);
	json_object_put(run.plan);
	return status;
}
