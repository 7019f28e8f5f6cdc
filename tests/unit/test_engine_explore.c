/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_engine_explore.c: the real functions of hooks/ and engine/, run by two to four actors: two in all orders in which they can meet
 * (EXPLORE=0; usually the first 3000 of them; EXPLORE=N, fewer than that: N by chance), more in seeded ones.
 *
 * What must hold in each: no running guest loses port, carrier, VLAN or driver by a turn of anybody; no lock is awaited with a wider one held,
 * and nobody waits for ever; who was let in has a port of its own and its network; and when all is over, and time has passed, nothing is left
 * of guests that are gone, and those that run have what they need.
 */
#include "state.h"
#include "world.h"

#define USUAL 3000 /* runs of a scene; EXPLORE=0: all orders there are */

static struct config config;
static bool let_in[WORLD_GUESTS]; /* "started" was passed */

/* Whether a guest comes by a migration, as its note says to the first program of the hook. */
static bool is_noted(const char *uuid)
{
	struct guest_note note;

	return !guest_note_read(uuid, &note, NULL) && note.is_arriving;
}

/*
 * Runs an event; if its program is killed, libvirt is told what hooks/qemu.c tells: a migration is refused, and whoever comes by one until it has
 * landed; nothing else is.
 */
static int live(int (*run)(struct event *event, struct reason *why), struct event *event, struct reason *why)
{
	fault.inside = fault.armed;
	if (!setjmp(fault.killed)) {
		int error = run(event, why);

		fault.inside = false;
		return error;
	}
	fault.armed = fault.inside = false;
	world_free_locks();
	if (run == event_migrate)
		return -EINTR;
	return (run == event_prepare || run == event_start || run == event_started) && is_noted(event->domain->uuid) ? -EINTR : 0;
}

/* Calls one event. Return: 0, negative errno. */
static int call(int (*run)(struct event *event, struct reason *why), int guest, int vf, const char *extra, int *given)
{
	struct domain *domain = calloc(1, sizeof(*domain));
	struct event event = { .config = &config, .domain = domain, .extra = extra };
	struct reason why = { 0 };
	const char *xml = world_xml(guest, vf);
	int error = domain_parse(xml, strlen(xml), domain, NULL);
	const char *place;

	event_begin(&event);
	if (!error)
		error = live(run, &event, &why);
	if (given)
		*given = vf;
	place = event.output ? strstr(event.output, "function=") : NULL;
	if (place && given)
		*given = place[12] - '0' - 2;
	if (getenv("EXPLORE_LOG"))
		fprintf(stderr, "guest%d %s: %d %s\n", guest, extra, error, why.what);
	free(event.output);
	domain_release(domain);
	free(domain);
	return error;
}

/* libvirt ends a guest, or what was to become one, and tells so. */
static void end(int guest, int vf, const char *reason)
{
	touch(THING_VF + vf, true, -1);
	if (world.guest[guest].vf == vf)
		*world.vf[vf].driver = '\0';
	(void)call(event_stopped, guest, vf, "-", NULL);
	touch(THING_STATUS, true, -1);
	world.guest[guest].runs = world.guest[guest].cpu = false;
	world.guest[guest].vf = -1;
	(void)call(event_release, guest, vf, reason, NULL);
}

/* libvirt takes the VF for a guest. Return: whether it got it. */
static bool bind_vf(int guest, int vf)
{
	touch(THING_VF + vf, true, -1);
	for (int i = 0; i < WORLD_GUESTS; i++)
		if (i != guest && world.guest[i].vf == vf) /* libvirt's own list of what is in use */
			return false;
	world.guest[guest].vf = vf;
	snprintf(world.vf[vf].driver, sizeof(world.vf[vf].driver), "mlx5_vfio_pci");
	touch(THING_STATUS, true, -1);
	world.guest[guest].vf = vf;
	return true;
}

static void (*between)(void); /* what happens once libvirt has taken the VF, before it calls "start" */

/* "prepare" to "started", as libvirt calls them. cpu: it is an ordinary start. */
static void come_up(int guest, int vf, bool cpu)
{
	if (call(event_prepare, guest, vf, "prepare", NULL) || !bind_vf(guest, vf)) {
		world.guest[guest].vf = -1;
		end(guest, vf, "failed");
		return;
	}
	if (between)
		between();
	if (call(event_start, guest, vf, "start", NULL)) {
		end(guest, vf, "failed");
		return;
	}
	touch(THING_STATUS, true, -1);
	world.guest[guest].runs = true;
	world.guest[guest].cpu = cpu;
	world.guest[guest].job = cpu ? STATUS_NO_JOB : STATUS_MIGRATION_IN;
	if (call(event_started, guest, vf, "started", NULL)) {
		end(guest, vf, "failed");
		return;
	}
	if (!cpu && (world.guest[guest].flags & STATUS_POSTCOPY))
		wrong("post-copy was let through for guest%d", guest);
	if (!cpu && !world.vf[vf].migratable)
		wrong("guest%d was let in on a VF that is not migratable", guest);
	if (!cpu && (!world.vf[vf].port.is || strcmp(world.vf[vf].port.guest, world_uuid(guest)) != 0 || world.vf[vf].port.tag != world.guest[guest].tag))
		wrong("guest%d was let in on a port that is not its own", guest);
	let_in[guest] = true;
	touch(THING_STATUS, true, -1);
	world.guest[guest].cpu = true;
	world.guest[guest].job = STATUS_NO_JOB;
}

/* ---- Actors ---------------------------------------------------------------------------------------------------------------------- */

/* A guest comes by a migration. */
static void arrives(int guest)
{
	int vf = 0;

	if (!call(event_migrate, guest, 0, "migrate", &vf))
		come_up(guest, vf, false);
}

/* A guest starts that is defined with the first VF. */
static void starts(int guest)
{
	come_up(guest, 0, true);
}

/* A guest that runs is shut down. */
static void shuts_down(int guest)
{
	end(guest, 0, "shutdown");
}

/* The old instance's release is late: libvirt has removed its status file already. */
static void is_released(int guest)
{
	(void)call(event_release, guest, 0, "migrated", NULL);
}

/* The agent's minute. */
static void looks(int unused)
{
	(void)unused;
	(void)ready_reconcile(&config, deadline_in(10000), NULL);
}

/* The agent sees that a guest's devices have changed. */
static void syncs(int guest)
{
	struct domain *domain = calloc(1, sizeof(*domain));
	struct reason why = { 0 };
	const char *xml;

	touch(THING_STATUS, false, -1);
	xml = world_xml(guest, world.guest[guest].runs ? world.guest[guest].vf : -1);
	if (world.guest[guest].runs && !domain_parse(xml, strlen(xml), domain, NULL)) {
		(void)hotplug_sync(&config, domain, deadline_in(10000), &why);
		domain_release(domain);
	}
	free(domain);
}

/* More than lease_time passes. */
static void waits(int unused)
{
	(void)unused;
	touch(THING_STATUS, true, -1);
	world.now += 10 * 60 * 1000;
}

/* Who runs ./vferry release. */
static void cleans(int unused)
{
	const struct ready_choice lapsed = { .is_lapsed = true, .try = true };

	(void)unused;
	(void)ready_give_back(&config, &lapsed, false, deadline_in(10000), NULL);
	(void)ready_reconcile(&config, deadline_in(10000), NULL);
}

/* virsh moves a VF from a guest to another one while both run. */
static void moves_vf(int unused)
{
	(void)unused;
	touch(THING_STATUS, true, -1);
	world.guest[0].vf = -1;
	touch(THING_STATUS, true, -1);
	world.guest[1].vf = 0;
	world.guest[1].runs = world.guest[1].cpu = true;
}

/* ---- What there is at the beginning ------------------------------------------------------------------------------------------------ */

/* Guest 0 runs with the first VF. */
static void one_runs(void)
{
	come_up(0, 0, true);
	world.now += 10 * 60 * 1000;
}

static void two_arrive(void) { world_actor(arrives, 0); world_actor(arrives, 1); }
static void arrival_beside_start(void) { world_actor(arrives, 1); world_actor(starts, 0); }
static void two_starts_on_one_vf(void) { world_actor(starts, 0); world_actor(starts, 1); }
static void shutdown_beside_start(void) { one_runs(); world_actor(shuts_down, 0); world_actor(starts, 1); }
static void shutdown_beside_arrival(void) { one_runs(); world_actor(shuts_down, 0); world_actor(arrives, 1); }
static void shutdown_beside_agent(void) { one_runs(); world_actor(shuts_down, 0); world_actor(looks, 0); }
static void arrival_beside_agent(void) { world_actor(arrives, 0); world_actor(looks, 0); }
static void arrival_beside_command(void) { world_actor(arrives, 0); world_actor(cleans, 0); }
static void two_looks_after_a_crash(void)
{
	one_runs();
	world.guest[0].runs = world.guest[0].cpu = false; /* nobody is told */
	world.guest[0].vf = -1;
	*world.vf[0].driver = '\0';
	world_actor(looks, 0);
	world_actor(looks, 0);
}
static void start_beside_a_look_after_a_crash(void)
{
	two_looks_after_a_crash();
	actor_count = 0;
	world_actor(looks, 0);
	world_actor(starts, 1);
}
static void arrival_comes_back_beside_its_release(void)
{
	one_runs();
	world.guest[0].runs = world.guest[0].cpu = false; /* it has left, and its release hook is late */
	world.guest[0].vf = -1;
	*world.vf[0].driver = '\0';
	world.guest[0].flags = STATUS_POSTCOPY;
	world_actor(arrives, 0);
	world_actor(is_released, 0);
}
static void vf_moves_beside_two_syncs(void)
{
	one_runs();
	world.guest[1].runs = world.guest[1].cpu = true;
	moves_vf(0);
	world_actor(syncs, 0);
	world_actor(syncs, 1);
}
/* libvirt calls no hook for a move: what is asked right before an act can be otherwise right after. So the move comes first, and then all look. */
static void vf_moved_beside_agent(void)
{
	one_runs();
	moves_vf(0);
	world_actor(syncs, 0);
	world_actor(looks, 0);
}
static void late_arrival_beside_another(void) { world_actor(arrives, 0); world_actor(waits, 0); world_actor(arrives, 1); }
static void late_arrival_beside_agent(void) { world_actor(arrives, 0); world_actor(waits, 0); world_actor(looks, 0); }
static void all_at_once(void)
{
	one_runs();
	world_actor(shuts_down, 0);
	world_actor(arrives, 1);
	world_actor(starts, 2);
	world_actor(looks, 0);
}

/* ---- The invariants --------------------------------------------------------------------------------------------------------------- */

/* What must hold when all is over and time has passed. */
static void demand_end(void)
{
	world.now += 10 * 60 * 1000;
	for (int i = 0; i < WORLD_GUESTS; i++) { /* the agent's minute */
		syncs(i);
		looks(0);
	}
	cleans(0);
	for (int i = 0; i < WORLD_VFS; i++) {
		int holder = world_holder(i);
		const struct world_vf *vf = &world.vf[i];

		if (holder >= 0) {
			if (!vf->up || !vf->port.is || strcmp(vf->port.guest, world_uuid(holder)) != 0 || vf->port.tag != world.guest[holder].tag)
				wrong("guest%d runs, and VF %d is %s, its port %s's with VLAN %d", holder, i, vf->up ? "up" : "down",
				      vf->port.is ? vf->port.guest : "nobody", vf->port.tag);
			continue;
		}
		if (vf->up || vf->port.is || vf->migratable || *vf->driver)
			wrong("of VF %d, which is nobody's, there is left:%s%s%s %s", i, vf->up ? " up" : "", vf->port.is ? " port" : "",
			      vf->migratable ? " migratable" : "", vf->driver);
	}
	for (int i = 0; i < WORLD_FILES; i++) {
		int number;

		if (!world.file[i].text || strstr(world.file[i].text, "\"lost\"")) /* who may still come is to be told */
			continue;
		if (sscanf(world.file[i].path, "/run/vferry/vfs/0000:81:00.%d.json", &number) == 1 && world_holder(number - 2) >= 0)
			continue;
		if (sscanf(world.file[i].path, "/run/vferry/guests/9e0c7f57-b8d6-4b29-8c3e-00000000000%d", &number) == 1 && world.guest[number - 1].runs)
			continue;
		wrong("%s is left: %.200s", world.file[i].path, world.file[i].text);
	}
}

/* ---- What goes wrong once --------------------------------------------------------------------------------------------------------- */

/* Runs something of the agent's or the command's, which may be killed. */
static void live_alone(void (*run)(int number), int number)
{
	fault.inside = fault.armed;
	if (!setjmp(fault.killed))
		run(number);
	else
		world_free_locks();
	fault.armed = fault.inside = false;
}

static void guest_starts(void) { starts(0); }
static void guest_arrives(void) { arrives(0); }
static void guest_starts_after_a_crash(void)
{
	one_runs();
	world.guest[0].runs = world.guest[0].cpu = false;
	world.guest[0].vf = -1;
	*world.vf[0].driver = '\0';
	starts(1);
}
static void time_passes_and_the_agent_looks(void) { waits(0); looks(0); }
static void time_passes_and_another_guest_comes(void) { between = NULL; waits(0); arrives(1); }
static void run_with(void (*what)(void), void (*run)(int guest), int guest)
{
	between = what;
	run(guest);
	between = NULL;
}
static void arrival_that_libvirt_holds_up(void) { run_with(time_passes_and_the_agent_looks, arrives, 0); }
static void start_that_libvirt_holds_up(void) { run_with(time_passes_and_the_agent_looks, starts, 0); }
static void arrival_that_another_overtakes(void) { run_with(time_passes_and_another_guest_comes, arrives, 0); }
static void start_that_an_arrival_overtakes(void) { run_with(time_passes_and_another_guest_comes, starts, 0); }
static void guest_shuts_down(void) { shuts_down(0); }
static void agent_looks_after_a_move(void) { live_alone(looks, 0); }
static void agent_syncs_after_a_move(void) { live_alone(syncs, 1); }
static void agent_syncs_a_vf_that_left(void) { live_alone(syncs, 0); }
static void command_cleans_what_did_not_come(void) { live_alone(cleans, 0); }
static void moved(void) { one_runs(); moves_vf(0); }
static void came_not(void)
{
	int vf;

	(void)call(event_migrate, 0, 0, "migrate", &vf);
	world.now += 10 * 60 * 1000;
}

/*
 * Lives through a history with each fault of a kind, one in each run, until there are no more. prepare: what comes before, without a fault.
 * Return: whether nothing was wrong.
 */
static bool fail_once(const char *name, void (*prepare)(void), void (*run)(void))
{
	static const char *const kinds[] = { [FAULT_KILL] = "kills", [FAULT_REFUSAL] = "refusals" };

	state_empty_root();
	config_defaults(&config);
	snprintf(config.bridge, sizeof(config.bridge), "br0");
#ifdef __SANITIZE_ADDRESS__
	fault.kind = FAULT_REFUSAL; /* who is killed gives no memory back */
#else
	fault.kind = FAULT_KILL;
#endif
	for (; fault.kind <= FAULT_REFUSAL; fault.kind++) {
		int at = 0;

		do {
			fault.armed = false;
			world_reset();
			if (prepare)
				prepare();
			fault.at = ++at;
			fault.seen = 0;
			fault.armed = true;
			run();
			fault.armed = false;
			if (!*world.wrong)
				demand_end();
			if (*world.wrong) {
				fprintf(stderr, "%s, with %s number %d: %s\n", name, kinds[fault.kind], at, world.wrong);
				return false;
			}
		} while (fault.seen >= at);
		printf("# %s: %d %s\n", name, at - 1, kinds[fault.kind]);
	}
	fault.kind = FAULT_NONE;
	return true;
}

/* Prints the path that led to something wrong, to be run again. */
static void say_path(const char *name, int depth)
{
	fprintf(stderr, "%s: %s\n  turns:", name, world.wrong);
	for (int i = 0; i < depth; i++)
		fprintf(stderr, "%d", path[i].chosen);
	fputc('\n', stderr);
}

/* Explores a scene. most: runs at most, 0: all orders. Return: whether nothing was wrong. */
static bool explore(const char *name, void (*prepare)(void), unsigned long most)
{
	const char *more = getenv("EXPLORE");
	unsigned long runs = 0, redundant = 0, limit = more ? strtoul(more, NULL, 10) : most ? most : USUAL;
	int depth = 0, fixed = 0;
	bool random = most != 0 || (limit && limit < USUAL); /* the first few of all orders differ in their last turns alone */

	state_empty_root();
	config_defaults(&config);
	snprintf(config.bridge, sizeof(config.bridge), "br0");
	srand(1);
	do {
		memset(let_in, 0, sizeof(let_in));
		depth = run_once(random ? 0 : fixed, prepare, random);
		runs++;
		redundant += !random && depth && path[depth - 1].sleep == ~0u;
		if (!*world.wrong)
			demand_end();
		if (*world.wrong) {
			say_path(name, depth);
			return false;
		}
		fixed = random ? 1 : next_path(depth);
	} while (fixed && (!limit || runs < limit));
	printf("# %s: %lu interleavings%s, %lu of them the same as an earlier one\n", name, runs,
	       fixed && !random ? " (not all)" : random ? " (seeded)" : ", all there are", redundant);
	world_reset();
	return true;
}

#define EXPLORE_ALL(scene) TEST(orders_of_##scene) { CHECK(explore(#scene, scene, 0)); }
#define EXPLORE_SOME(scene, runs) TEST(many_orders_of_##scene) { CHECK(explore(#scene, scene, runs)); }

EXPLORE_ALL(two_looks_after_a_crash)
EXPLORE_ALL(start_beside_a_look_after_a_crash)
EXPLORE_ALL(shutdown_beside_agent)
EXPLORE_ALL(vf_moves_beside_two_syncs)
EXPLORE_ALL(vf_moved_beside_agent)
EXPLORE_ALL(arrival_beside_agent)
EXPLORE_ALL(arrival_beside_command)
EXPLORE_ALL(arrival_comes_back_beside_its_release)
EXPLORE_ALL(two_starts_on_one_vf)
EXPLORE_ALL(shutdown_beside_start)
EXPLORE_ALL(shutdown_beside_arrival)
EXPLORE_ALL(arrival_beside_start)
EXPLORE_ALL(two_arrive)
EXPLORE_SOME(late_arrival_beside_another, 3000)
EXPLORE_SOME(late_arrival_beside_agent, 3000)
EXPLORE_SOME(all_at_once, 3000)

#define FAIL_ONCE(before, run) TEST(whatever_fails_once_where_##run) { CHECK(fail_once(#run, before, run)); }

FAIL_ONCE(NULL, guest_starts)
FAIL_ONCE(NULL, guest_arrives)
FAIL_ONCE(NULL, guest_starts_after_a_crash)
FAIL_ONCE(one_runs, guest_shuts_down)
FAIL_ONCE(moved, agent_looks_after_a_move)
FAIL_ONCE(moved, agent_syncs_after_a_move)
FAIL_ONCE(moved, agent_syncs_a_vf_that_left)
FAIL_ONCE(came_not, command_cleans_what_did_not_come)
FAIL_ONCE(NULL, arrival_that_libvirt_holds_up)
FAIL_ONCE(NULL, start_that_libvirt_holds_up)
FAIL_ONCE(NULL, arrival_that_another_overtakes)
FAIL_ONCE(NULL, start_that_an_arrival_overtakes)
