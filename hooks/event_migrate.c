/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * event_migrate.c: "migrate begin" at the destination: a guest is about to come.
 *
 * All slow work belongs here, since libvirt holds no lock on the guest (src/qemu/qemu_migration.c, qemuMigrationDstPrepareAny). In
 * order: its turn; what became of earlier guests; which VFs this one has; the limits; which VFs it gets here (the lease); make them
 * ready; the XML with only the source addresses changed.
 *
 * libvirt calls this for offline migrations too, and may fail afterwards without telling anybody: the lease then runs out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/scope.h"
#include "base/watch.h"
#include "domain/status.h"
#include "engine/ready.h"
#include "engine/scene.h"
#include "event.h"
#include "host/workers.h"
#include "policy/patience.h"
#include "policy/placement.h"
#include "policy/rules.h"
#include "state/maintenance.h"
#include "state/migration.h"
#include "state/queue.h"

#define WAIT_MS 5000 /* a lease that runs out changes no file: look again now and then */
#define AGAIN_MS 2000 /* that another VF needs at least */
#define MOVES 20     /* that are asked how long one takes */
#define AVOID_MAX 8  /* VFs that are tried: more that cannot be used are no accident */

/* How a try for a lease can come out, beside PLACEMENT_WAIT. No error is called like these. */
#define LOOK_BACK 2   /* what became of others is to be looked at first, without the lock */
#define CLAIM_AGAIN 3 /* another one was faster: choose again */
#define WAIT_TURN 4   /* it is not this guest's turn yet */

/*
 * refuse_running() - a guest that libvirt has here already cannot come, and what it has must not be taken from it. libvirt itself looks
 * only after this call.
 * @seen:	all guests, or NULL to look for this one
 */
static int refuse_running(const struct event *event, const struct status_list *seen, struct reason *why)
{
	struct status status = { 0 };
	int error;

	if (seen && !seen->unreadable && !status_find_uuid(seen, event->domain->uuid))
		return 0;
	error = status_read(event->domain->uuid, &status, why);
	if (error)
		return error == -ENOENT ? 0 : error;
	reason_set(why, -EEXIST, NULL, "a guest with the same uuid is here already (%s)", status.state);
	reason_cure(why, "migrate it to another host, or look why it is on both");
	status_release(&status);
	return -EEXIST;
}

/* One arrival: what is looked at, and what comes of it. */
struct arrival {
	struct scene scene;
	struct owner owner;            /* its lease, once it has one */
	struct pci_address avoid[AVOID_MAX]; /* VFs that could not be made ready: another one is taken */
	size_t avoided;
	bool looked_back;              /* what became of others was looked at */
};

/*
 * forget_earlier_try() - gives back what an earlier, failed migration of the same guest left, or an instance of it that is gone
 */
static int forget_earlier_try(const struct event *event, struct reason *why)
{
	const struct ready_choice earlier = { .uuid = event->domain->uuid };
	struct record_list leases = { 0 };
	int error = refuse_running(event, NULL, why);

	if (!error)
		error = ready_leases(event->domain->uuid, &leases, why);
	if (!error && leases.count) {
		log_notice("an earlier migration of this guest did not end: what it left is given back");
		(void)ready_give_back(event->config, &earlier, false, event->deadline, NULL);
	}
	record_list_release(&leases);
	return error;
}

/*
 * decide() - limits and placement; writes the lease. The caller holds the host-wide lock.
 * Return: 0, PLACEMENT_WAIT, CLAIM_AGAIN if another one was faster, negative errno
 */
static int decide(const struct event *event, struct arrival *arrival, struct reason *why)
{
	struct scene *scene = &arrival->scene;
	struct rule_case c = { .config = event->config, .domain = event->domain, .inventory = &scene->inventory, .guest = &scene->guest,
				.incoming = true };
	struct placement placement = scene_placement(scene);
	struct pci_address *which = &arrival->avoid[arrival->avoided];
	int error = rules_judge_guest(&c, scene_warn, NULL, why);

	placement.avoid = arrival->avoid;
	placement.avoided = arrival->avoided;
	if (!error)
		error = placement_choose(&placement, &scene->guest, why);
	if (error)
		return error;
	arrival->owner = ready_new_owner(scene, RECORD_ARRIVING);
	error = ready_claim(scene, &arrival->owner, false, deadline_in(0), which, why);
	if (error == CLAIM_TAKEN && arrival->avoided + 1 < AVOID_MAX) {
		arrival->avoided++;
		return CLAIM_AGAIN;
	}
	return error == CLAIM_TAKEN ? -EBUSY : error;
}

/*
 * try_lease() - everything that must not happen twice at the same time. The caller holds the host-wide lock.
 * Return: 0 (scene.guest.vfs is 0 if the guest has no VF of ours); PLACEMENT_WAIT, LOOK_BACK or negative errno
 */
static int try_lease(const struct event *event, struct arrival *arrival, struct reason *why)
{
	struct scene *scene = &arrival->scene;
	int error;

	scene_release(scene);
	error = scene_read(scene, event->config, event->deadline, why);
	if (!error && !arrival->looked_back && (ready_needs_reconcile(scene) || record_find_uuid(&scene->records, event->domain->uuid)))
		return LOOK_BACK;
	if (!error)
		error = refuse_running(event, &scene->running, why);
	if (!error)
		error = scene_find_guest(scene, event->domain, true, why);
	if (error || !scene->guest.vfs)
		return error;
	if (maintenance_refuse(why))
		return -EPERM;
	while ((error = decide(event, arrival, why)) == CLAIM_AGAIN)
		;
	return error;
}

/*
 * look_back() - what became of others, and of this guest's earlier tries, with no lock held
 * Return: 0, negative errno
 */
static int look_back(const struct event *event, struct arrival *arrival, struct reason *why)
{
	int error = forget_earlier_try(event, why);

	arrival->looked_back = true;
	/* Where the card hangs, looking back must leave time to find that out for this guest. */
	if (!error)
		(void)ready_reconcile(event->config, deadline_within(event->deadline, deadline_left(event->deadline) / 2), NULL);
	return error;
}

/*
 * One guest's turn. Of all arrivals one at a time decides and makes ready (the door); the others wait in line, most of them for a slot.
 */
struct turn {
	struct ticket ticket;
	deadline_t patience;       /* how long it may wait for others */
	unsigned int wait;         /* the same in seconds, as it began */
	int door;                  /* > 0: held */
	bool is_next;              /* nobody came before: only who holds the door is in the way */
	char said[REASON_TEXT_MAX]; /* what it was last said to wait for */
};

/* Opens the door for the next one. */
static void open_door(struct turn *turn)
{
	if (turn->door > 0)
		close(turn->door);
	turn->door = 0;
}

/* Leaves line and door: for the release by scope. */
static void leave(struct turn *turn)
{
	queue_leave(&turn->ticket);
	open_door(turn);
}

/*
 * look_at_flights() - who has the slots here; counted over all PFs together, since there is one line for all
 * @out, @size:	result, "" if that cannot be seen
 * Return: how many more VFs could be in flight
 */
static unsigned int look_at_flights(const struct event *event, char *out, size_t size)
{
	autoscene struct scene scene = { 0 };
	struct placement placement;
	unsigned int n = 0;

	out[0] = '\0';
	if (scene_read_holders(&scene, event->config, NULL))
		return 0;
	placement = scene_placement(&scene);
	placement_say_flights(&placement, out, size);
	for (size_t i = 0; i < scene.inventory.pfs; i++)
		n += placement_in_flight(&placement, &scene.inventory.pf[i]);
	return rules_slots_left(event->config, n);
}

/*
 * say_waiting() - tells the log for whom the guest waits, when that has changed
 * @why:	why it got no slot, when it tried
 */
static void say_waiting(const struct event *event, struct turn *turn, const struct reason *why)
{
	char names[200], before[240], flights[240] = "", line[REASON_TEXT_MAX];

	snprintf(line, sizeof(line), "%s", why->what);
	if (!*line) {
		queue_names(&turn->ticket, names, sizeof(names));
		snprintf(before, sizeof(before), "%s", turn->is_next ? "another arrival is being made ready for" : "");
		if (!turn->is_next)
			snprintf(before, sizeof(before), "%s came before", *names ? names : "others");
		if (strncmp(turn->said, before, strlen(before)) == 0)
			return;
		if (!*turn->said) /* once: looking takes its time */
			(void)look_at_flights(event, flights, sizeof(flights));
		snprintf(line, sizeof(line), "%s%s%s", before, *flights ? "; in flight are " : "", flights);
	}
	if (strcmp(line, turn->said) == 0)
		return;
	log_notice("waiting for a slot, up to %u s: %s", turn->wait, line);
	memcpy(turn->said, line, sizeof(turn->said));
}

/*
 * How many may wait, and why no more.
 */
struct places {
	unsigned int places;
	unsigned int workers;   /* threads of libvirt's daemon, if they are what sets the limit; else 0 */
	char flights[240];      /* who has the slots, "" if that cannot be seen */
};

/*
 * count_places() - how many may wait for a slot here: slot_queue, but whoever waits keeps a thread of libvirt's daemon until others have
 * moved, and where all threads are kept no migration can end (workers.h)
 */
static void count_places(const struct event *event, struct places *places)
{
	unsigned int workers = workers_above(), spare = workers > WORKERS_SPARE ? workers - WORKERS_SPARE : 0;

	places->workers = workers && spare < event->config->slot_queue ? workers : 0;
	places->places = places->workers ? spare : event->config->slot_queue;
}

/*
 * refuse_to_wait() - the refusal where all places in the line are taken
 * @full:	what the line says
 */
static void refuse_to_wait(const struct places *places, const struct reason *full, struct reason *why)
{
	char flights[280] = "";

	if (*places->flights)
		snprintf(flights, sizeof(flights), "; in flight are %s", places->flights);
	if (places->workers) {
		reason_set(why, -EAGAIN, full->object, "%.280s; no more may wait, as libvirt has only %u threads for calls here%s", full->what,
			   places->workers, flights);
		reason_cure(why, "start vferryd here or set min_workers = %u in libvirtd.conf (virtqemud.conf), then try again", WORKERS_ENOUGH);
	} else {
		reason_set(why, -EAGAIN, full->object, "%.280s%s", full->what, flights);
		reason_cure(why, "%s", full->cure);
	}
	reason_rule(why, full->rule);
}

/*
 * own_patience() - what its caller's patience is judged by; only where patience is set, the moves that were seen are read
 */
static struct patience own_patience(const struct event *event)
{
	struct patience patience = { .config = event->config };
	struct json_object *moves = event->config->patience ? migration_last(MOVES) : NULL;
	int64_t sum = 0, count = 0;

	for (size_t i = 0; moves && i < json_object_array_length(moves); i++) {
		struct json_object *move = json_object_array_get_idx(moves, i);
		const char *outcome = json_object_get_string(json_object_object_get(move, "outcome"));
		int64_t ms = json_object_get_int64(json_object_object_get(move, "ms"));

		if (!outcome || strcmp(outcome, migration_outcome_name(MIGRATION_COMPLETED)) != 0 || ms <= 0)
			continue;
		sum += ms;
		count++;
	}
	json_object_put(moves);
	patience.move_ms = count ? sum / count : 0;
	return patience;
}

/*
 * judge_line() - whether the place in the line that it got is near enough to the door for its caller's patience
 * Return: WAIT_TURN; -EAGAIN with *why, and no place in the line
 */
static int judge_line(const struct event *event, struct turn *turn, struct reason *why)
{
	const struct patience patience = own_patience(event);
	struct waiting *waiting = event->config->patience ? calloc(QUEUE_MAX, sizeof(*waiting)) : NULL;
	size_t before = waiting ? queue_list(waiting, QUEUE_MAX) : 0;
	struct reason late = { 0 };

	free(waiting);
	if (!patience_judge(&patience, before ? before - 1 : 0, &late))
		return WAIT_TURN;
	queue_leave(&turn->ticket);
	*why = late;
	return -EAGAIN;
}

/*
 * enter() - gets in line
 *
 * Those for whom there still is a slot, and who wait for the door alone, have their places beside those who wait for a slot. To count them
 * takes a look at the host, so that is done only where it decides.
 *
 * Return: WAIT_TURN; negative errno with *why
 */
static int enter(const struct event *event, struct turn *turn, struct reason *why)
{
	const char *uuid = event->domain->uuid, *name = event->domain->name;
	struct places places = { 0 };
	struct reason full = { 0 };
	int error;

	count_places(event, &places);
	error = queue_enter(uuid, name, places.places, &turn->ticket, &full);
	if (error == -EAGAIN) {
		places.places += look_at_flights(event, places.flights, sizeof(places.flights));
		error = queue_enter(uuid, name, places.places, &turn->ticket, &full);
	}
	if (!error)
		return judge_line(event, turn, why);
	*why = full;
	if (error == -EAGAIN)
		refuse_to_wait(&places, &full, why);
	return error;
}

/*
 * has_door() - whether it is one's turn, and nobody else is made ready for; with the host-wide lock held
 */
static bool has_door(struct turn *turn)
{
	turn->is_next = queue_is_first(turn->ticket.fd ? &turn->ticket : NULL);
	if (turn->is_next && turn->door <= 0)
		turn->door = queue_door(deadline_in(0), NULL);
	return turn->is_next && turn->door > 0;
}

/*
 * lock_host() - takes the host-wide lock, for which many arrivals at once wait one after the other, as they do for the door: it is waited
 * for as long as for that
 * Return: descriptor, negative errno with *why
 */
static int lock_host(const struct event *event, const struct turn *turn, struct reason *why)
{
	bool has_more = deadline_left(turn->patience) > deadline_left(event->deadline);

	return record_lock(NULL, has_more ? turn->patience : event->deadline, why);
}

/*
 * take_turn() - one try to get a lease, if it is the guest's turn; else, and if slots are missing, a place in the line
 * @event:	its deadlines begin anew when others let it in: what they took is none of this call's time
 * Return: 0 (the door is held), PLACEMENT_WAIT or WAIT_TURN while there is reason to wait, LOOK_BACK, negative errno
 */
static int take_turn(struct event *event, struct turn *turn, struct arrival *arrival, struct reason *why)
{
	autoclose int lock = lock_host(event, turn, why);
	int result = WAIT_TURN;

	if (lock < 0)
		return lock;
	if (deadline_left(turn->patience) && !arrival->avoided)
		event_begin(event);
	*why = (struct reason){ 0 };
	if (has_door(turn)) {
		result = try_lease(event, arrival, why);
		turn->is_next = result != PLACEMENT_WAIT;
	}
	if ((result == PLACEMENT_WAIT || result == WAIT_TURN) && !turn->ticket.fd)
		result = enter(event, turn, why);
	return result;
}

/*
 * waited_in_vain() - the refusal of one who got no slot in time
 * Return: -EBUSY
 */
static int waited_in_vain(const struct event *event, const struct turn *turn, struct reason *why)
{
	reason_set(why, -EBUSY, NULL, "no slot for live migration came free within %u s: %.400s", turn->wait, turn->said);
	reason_cure(why, "try again when those have arrived, or raise %s in vferry.conf here",
		    turn->wait < event->config->slot_wait ? "patience" : "slot_wait");
	reason_rule(why, "L4-slots");
	return -EBUSY;
}

/*
 * has_patience() - whether the guest may go on waiting. For the door alone it waits as it would for any lock, also with slot_wait = 0.
 */
static bool has_patience(const struct event *event, const struct turn *turn)
{
	return deadline_left(turn->patience) || (turn->is_next && deadline_left(event->deadline));
}

/*
 * wait_for_others() - waits until it may be worth trying again
 * @watch:	of what can free a slot: libvirt's status files (a guest has landed, or failed) and the leases; opened when first needed. Then
 *		it does not wait: what has changed since the last look was not watched yet.
 * Return: 0, negative errno
 */
static int wait_for_others(struct event *event, struct turn *turn, int *watch, struct reason *why)
{
	static const char *const directories[] = { STATUS_DIRECTORY, STATE_DIRECTORY "/guests", STATE_DIRECTORY "/queue", NULL };
	deadline_t until = deadline_within(deadline_left(turn->patience) ? turn->patience : event->deadline, WAIT_MS);

	if (turn->is_next) {
		turn->door = queue_door(until, why);
		return turn->door < 0 && turn->door != -ETIME ? turn->door : 0;
	}
	open_door(turn);
	if (*watch < 0) {
		*watch = watch_open(directories);
		return *watch < 0 ? reason_set(why, *watch, STATUS_DIRECTORY, "cannot wait for a slot: %s", strerror(-*watch)) : 0;
	}
	while (watch_wait(*watch, until) > 0 && queue_sees_before(&turn->ticket))
		;
	return 0;
}

/*
 * wait_turn() - waits for others, if there still is patience
 * Return: whether to try again; *error: negative errno if that went wrong
 */
static bool wait_turn(struct event *event, struct turn *turn, struct arrival *arrival, int *watch, int *error, struct reason *why)
{
	say_waiting(event, turn, why); /* without the lock: it looks at the host */
	if (!has_patience(event, turn))
		return false;
	scene_release(&arrival->scene);
	arrival->looked_back = false;
	*error = wait_for_others(event, turn, watch, why);
	if (deadline_left(turn->patience))
		event_begin(event);
	return !*error;
}

/*
 * take_lease() - gets a lease, waiting for a slot if need be
 * @event:	its deadlines begin anew after the wait
 * @turn:	result: the door is held on success, until all is ready
 * Return: 0, -EBUSY if the wait for a slot was too long, other negative errno
 */
static int take_lease(struct event *event, struct turn *turn, struct arrival *arrival, struct reason *why)
{
	autoclose int watch = -1;
	int result, error = 0;

	for (;;) {
		result = take_turn(event, turn, arrival, why);
		if (result == LOOK_BACK)
			error = look_back(event, arrival, why);
		else if (result <= 0 || !wait_turn(event, turn, arrival, &watch, &error, why))
			break;
		if (error)
			break;
	}
	queue_leave(&turn->ticket);
	if (error)
		return error;
	return result > 0 ? waited_in_vain(event, turn, why) : result;
}

/*
 * rewrite() - the source addresses of the VFs that were chosen
 * Return: 0, negative errno; event->output stays NULL if no address changed
 */
static int rewrite(struct event *event, const struct guest *guest, struct reason *why)
{
	bool changed = false;

	for (size_t i = 0; i < guest->vfs; i++) {
		const struct guest_vf *vf = &guest->vf[i];
		char from[PCI_ADDRESS_LEN], to[PCI_ADDRESS_LEN];

		if (!vf->has_vf)
			continue;
		pci_address_format(&vf->device->source, from);
		log_info("VF %s of the source becomes %s here", from, pci_address_format(&vf->address, to));
		if (pci_address_equal(&vf->device->source, &vf->address))
			continue;
		if (domain_set_source(event->domain, vf->hostdev, &vf->address))
			return reason_set(why, -EINVAL, from, "the source address of this device cannot be changed");
		changed = true;
	}
	if (!changed)
		return 0;
	event->output_len = domain_print(event->domain, &event->output);
	return event->output_len < 0 ? reason_set(why, (int)event->output_len, NULL, "out of memory") : 0;
}

/*
 * give_back() - gives everything back after a failure; the reason of the failure is kept
 */
static void give_back(const struct event *event, const struct arrival *arrival)
{
	const struct ready_choice own = { .uuid = arrival->owner.uuid, .lease = arrival->owner.lease };
	struct reason why = { 0 };
	char line[1024];

	if (!ready_give_back(event->config, &own, false, event->end, &why))
		return;
	reason_format(&why, NULL, line, sizeof(line));
	log_warning("not everything could be given back; the next call tries again: %s", line);
}

/*
 * make_ready() - makes the host ready for what was chosen
 * Return: 0, CLAIM_AGAIN if a VF cannot be had and another one may be, negative errno; without a lease if it is not 0
 */
static int make_ready(const struct event *event, struct arrival *arrival, struct reason *why)
{
	static const struct pci_address nobody;
	struct pci_address *which = &arrival->avoid[arrival->avoided];
	char line[1024];
	int error;

	*which = nobody;
	error = ready_make(&arrival->scene, &arrival->owner, false, event->deadline, which, why);
	if (!error)
		return 0;
	give_back(event, arrival);
	if (pci_address_equal(which, &nobody) || arrival->avoided + 1 == AVOID_MAX || deadline_left(event->deadline) < AGAIN_MS)
		return error;
	reason_format(why, NULL, line, sizeof(line));
	log_warning("a VF cannot be used, another one is looked for: %s", line);
	arrival->avoided++;
	return CLAIM_AGAIN;
}

/*
 * arrive() - a lease, and the host made ready for it; what failed with one VF is tried with another
 */
static int arrive(struct event *event, struct turn *turn, struct arrival *arrival, struct reason *why)
{
	struct reason first = { 0 };
	int error;

	do {
		error = take_lease(event, turn, arrival, why);
		event->vfs = (unsigned int)arrival->scene.guest.vfs;
		if (error && *first.what) /* what was wrong with the VF says more than that no other is free */
			*why = first;
		if (error || !arrival->scene.guest.vfs)
			return *first.what && error ? first.error : error;
		error = make_ready(event, arrival, why);
		if (error == CLAIM_AGAIN && !*first.what)
			first = *why;
	} while (error == CLAIM_AGAIN);
	return error;
}

/*
 * event_migrate() - makes the destination ready for a guest
 * @event:	the call; output is set to the domain XML if an address changed
 * @why:	filled on failure
 * Return: 0; negative errno: the migration is refused, and nothing is changed here
 */
int event_migrate(struct event *event, struct reason *why)
{
	struct turn turn __attribute__((cleanup(leave))) = { 0 };
	autofree struct arrival *arrival = calloc(1, sizeof(*arrival));
	struct patience patience;
	int error;

	if (!arrival)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	patience = own_patience(event);
	turn.patience = deadline_in((int)patience_wait(&patience));
	turn.wait = (unsigned int)(patience_wait(&patience) / 1000);
	error = arrive(event, &turn, arrival, why);
	if (!error && arrival->scene.guest.vfs) {
		error = rewrite(event, &arrival->scene.guest, why);
		if (error)
			give_back(event, arrival);
	}
	scene_release(&arrival->scene);
	return error;
}
