/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * reconcile.c: brings objects, PFs and ports in line with libvirt's status directory. See ready.h.
 *
 * libvirt can drop an incoming guest between its calls of "migrate" and "prepare" without telling anybody, and when libvirtd is killed, or
 * a VF is attached or detached while a guest runs, no hook is called either. So whoever gives a VF to a guest first looks what became of
 * the others. All decisions are made on one look, and asked again under the lock of the object that they are about.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/scope.h"
#include "base/sysroot.h"
#include "engine/converge.h"
#include "engine/hotplug.h"
#include "engine/ready.h"

#define STATUS_MAX (16u << 20) /* bytes of a status file */

/*
 * log_trouble() - what went wrong with a guest's leftovers; the next call tries again
 */
static void log_trouble(const char *about, const struct reason *why)
{
	char line[1024];

	reason_format(why, about, line, sizeof(line));
	log_warning("clean-up: %s", line);
}

/* ---- What there is to do --------------------------------------------------------------------------------------------------------- */

/* What an object asks for. */
enum need { NEED_NOTHING, NEED_COMMIT, NEED_LAPSE, NEED_END, NEED_ADOPT };

/*
 * need_of_runner() - what an object asks for whose owner runs with it. One that is being attached is not in its guest's status file yet.
 */
static enum need need_of_runner(const struct object *object, const struct ownership_facts *facts)
{
	bool is_up = object->owner.state == RECORD_RUNNING || ownership_fate(&object->owner, facts) == LEASE_UP;

	if (is_up && object->owner.unmade) /* whoever was to make it was killed, or could not */
		return NEED_ADOPT;
	return is_up && object->owner.state != RECORD_RUNNING ? NEED_COMMIT : NEED_NOTHING;
}

/*
 * need_of() - what an object asks for
 * @guest:	result: who runs with it, NULL if nobody does
 */
static enum need need_of(const struct object *object, const struct ownership_facts *facts, const struct status **guest)
{
	switch (ownership_of(object, facts, guest)) {
	case OWNED_BY_LEASE:
		return *guest ? need_of_runner(object, facts) : NEED_NOTHING;
	case OWNED_BY_LAPSED:
		return object->owner.lapsed && !object->changes.count ? NEED_NOTHING : NEED_LAPSE;
	case OWNED_BY_OTHER:
		return NEED_ADOPT;
	default:
		return NEED_END;
	}
}

/*
 * ready_is_lost() - whether a guest that has a lease is not coming, or is gone without a word
 */
bool ready_is_lost(const struct scene *scene, const struct record *record)
{
	const struct ownership_facts facts = scene_facts(scene);
	enum lease_fate fate = ownership_record_fate(record, &facts);

	return fate == LEASE_LAPSED || fate == LEASE_OVER;
}

/*
 * ready_is_orphan_port() - whether a port that vferry made belongs to a guest that is neither here nor expected
 */
bool ready_is_orphan_port(const struct scene *scene, const struct ovs_port *port)
{
	if (!port->ours || !*port->guest || strcmp(port->guest, "host") == 0 || record_find_uuid(&scene->records, port->guest))
		return false;
	return !scene->running.unreadable && !status_find_uuid(&scene->running, port->guest);
}

/*
 * ready_needs_reconcile() - whether anything is not in line
 */
bool ready_needs_reconcile(const struct scene *scene)
{
	const struct ownership_facts facts = scene_facts(scene);
	const struct status *guest;
	struct pci_address pf;

	for (size_t i = 0; i < scene->objects.count; i++) {
		if (need_of(&scene->objects.object[i], &facts, &guest) != NEED_NOTHING)
			return true;
	}
	for (size_t i = 0; i < scene->inventory.ovs.ports; i++) {
		if (ready_is_orphan_port(scene, &scene->inventory.ovs.port[i]))
			return true;
	}
	return record_list_pfs(&pf, 1, NULL) != 0;
}

/* ---- What is done about it ------------------------------------------------------------------------------------------------------- */

/*
 * lapse() - an arrival's time ran out: its VF is given back, and it is known as one that can still come
 */
static int lapse(const struct object *seen, const struct config *config, deadline_t deadline, struct reason *why)
{
	autodoor struct door door = { .context = { .config = config, .deadline = deadline } };
	autoobject struct object object = { .pf = seen->pf, .has_vf = seen->has_vf, .vf = seen->vf, .seat = seen->seat };
	autoclose int lock = -1;
	int error;

	memcpy(object.owner.lease, seen->owner.lease, sizeof(object.owner.lease));
	lock = record_lock_object(&object, deadline_in(0), NULL);
	error = lock < 0 ? -EAGAIN : object_read(&object, why);
	if (!error)
		error = door_ask(&door, why);
	if (!error) {
		const struct ownership_facts facts = { &door.running, clock_ms(), config->lease_time };
		const struct status *guest;

		if (need_of(&object, &facts, &guest) != NEED_LAPSE)
			return 0;
		object.owner.lapsed = true;
		object.owner.unmade = object.has_vf;
		object.owner.waited = false;
		object.owner.cleared = 0;
		error = object_write(&object, why); /* first: a guest that comes must not find it made */
		if (!error)
			error = converge_back(&door, &object, true, NULL, why);
	}
	return error == -EAGAIN ? 0 : error;
}

/*
 * read_guest() - a guest as libvirt's status file has it
 * Return: 0, negative errno
 */
static int read_guest(const struct status *status, struct domain *domain, struct reason *why)
{
	static const char end[] = "</domain>";
	autofree char *text = NULL;
	ssize_t length = sysroot_slurp(&text, STATUS_MAX, STATUS_DIRECTORY "/%s.xml", status->name);
	const char *from, *to = NULL;

	if (length < 0)
		return reason_set(why, (int)length, status->name, "its status file cannot be read: %s", strerror((int)-length));
	from = strstr(text, "<domain ");
	for (const char *next = from; next && (next = strstr(next, end)); next += strlen(end))
		to = next + strlen(end); /* the last one: what comes before it may be anybody's text */
	if (!to)
		return reason_set(why, -EINVAL, status->name, "its status file has no domain");
	return domain_parse(from, (size_t)(to - from), domain, why);
}

/*
 * disown() - an object whose guest is another one, of which vferry cannot see what it needs: it is left as it is
 */
static int disown(const struct object *seen, const struct status *guest, struct reason *why)
{
	autoobject struct object object = { .pf = seen->pf, .has_vf = seen->has_vf, .vf = seen->vf };
	autoclose int lock = record_lock_object(&object, deadline_in(0), NULL);
	int error = lock < 0 ? 0 : object_read(&object, why);

	if (error || lock < 0 || strcmp(object.owner.uuid, guest->uuid) == 0)
		return error;
	log_notice("the VF of guest %s is used by guest %s now: it is left as it is", object.owner.name, guest->name);
	return object_remove(&object, why);
}

/*
 * adopt() - a VF that its guest was given without vferry: from then on it is that guest's
 */
static int adopt(const struct object *object, const struct status *guest, const struct config *config, deadline_t deadline,
		 struct reason *why)
{
	autofree struct domain *domain = calloc(1, sizeof(*domain));
	int error = domain ? read_guest(guest, domain, why) : -ENOMEM;
	bool is_own = strcmp(object->owner.uuid, guest->uuid) == 0;

	if (!error && is_own && object->owner.state != RECORD_RUNNING)
		error = ready_commit(object->owner.uuid, object->owner.lease, why);
	if (!error) {
		log_notice("guest %s has a VF that %s: connecting it", guest->name, is_own ? "is not made ready" : "vferry did not give to it");
		error = hotplug_adopt(config, domain, &object->vf, deadline, why);
		domain_release(domain);
	}
	return error == -ENOENT ? disown(object, guest, why) : error;
}

/*
 * settle() - does what an object asks for
 * Return: whether there was something to do
 */
static bool settle(const struct object *object, const struct scene *scene, deadline_t deadline)
{
	const struct ownership_facts facts = scene_facts(scene);
	const struct ready_choice over = { .uuid = object_is_owned(object) ? object->owner.uuid : NULL, .vf = object->has_vf ? &object->vf : NULL,
					   .lease = object_is_owned(object) ? object->owner.lease : NULL, .is_over = true, .try = true };
	const struct status *guest = NULL;
	struct reason why = { 0 };
	int error = 0;

	switch (need_of(object, &facts, &guest)) {
	case NEED_NOTHING:
		return false;
	case NEED_COMMIT:
		log_notice("guest %s runs here", object->owner.name);
		error = ready_commit(object->owner.uuid, object->owner.lease, &why);
		break;
	case NEED_LAPSE:
		log_notice("guest %s has not come in time: what was made for it is given back", object->owner.name);
		error = lapse(object, scene->config, deadline, &why);
		break;
	case NEED_ADOPT:
		error = adopt(object, guest, scene->config, deadline, &why);
		break;
	case NEED_END:
		if (object_is_owned(object))
			log_notice("guest %s does not have its VF any more: what was made for it is given back", object->owner.name);
		error = ready_give_back(scene->config, &over, false, deadline, &why);
	}
	if (error)
		log_trouble(object->owner.name, &why);
	return true;
}

/* ---- Ports ----------------------------------------------------------------------------------------------------------------------- */

/*
 * remove_port() - takes out a port whose guest is gone, if nobody has come to use its VF
 */
static int remove_port(const struct ovs_port *port, const struct inventory_pf *pf, unsigned int index, struct door *door,
		       struct reason *why)
{
	autoobject struct object object = { .pf = pf->address, .has_vf = true, .index = index };
	struct step made = { .kind = STEP_PORT, .pf = pf->address, .has_vf = true, .index = index, .number = 1 }, back;
	autoclose int lock = -1;
	int error = pci_address_parse(port->vf, &object.vf);

	lock = error ? -1 : record_lock_object(&object, deadline_in(0), NULL);
	if (lock < 0)
		return error;
	error = object_read(&object, why);
	if (error || object_is_owned(&object))
		return error; /* its new owner's making has it, or will */
	made.vf = object.vf;
	back = step_back(&made);
	error = door_look(door, &back, true, why);
	if (error == PASSAGE_MADE)
		error = door_pass(door, &object, &back, &made, why);
	return error < 0 ? error : 0;
}

/*
 * sweep_ports() - removes the ports of guests that are neither here nor expected
 * Return: whether there were any
 */
static bool sweep_ports(struct scene *scene, deadline_t deadline)
{
	autodoor struct door door = { .context = { .config = scene->config, .deadline = deadline } };
	bool some = false;

	for (size_t i = 0; i < scene->inventory.ovs.ports; i++) {
		const struct ovs_port *port = &scene->inventory.ovs.port[i];
		struct reason why = { 0 };
		struct pci_address vf;
		struct inventory_pf *pf;
		unsigned int index;

		if (!ready_is_orphan_port(scene, port))
			continue;
		pf = pci_address_parse(port->vf, &vf) ? NULL : inventory_find_vf(&scene->inventory, &vf, &index);
		if (!pf || status_find_device(&scene->running, &vf))
			continue;
		some = true;
		log_notice("port %s belongs to a guest that is gone: removing it from bridge %s", port->name, port->bridge);
		if (remove_port(port, pf, index, &door, &why))
			log_trouble(NULL, &why);
	}
	return some;
}

/*
 * give_back_pfs() - what is left of PFs that nobody came to use
 * Return: whether there were any
 */
static bool give_back_pfs(const struct config *config, deadline_t deadline)
{
	struct pci_address pf[INVENTORY_MAX_PFS];
	int n = record_list_pfs(pf, INVENTORY_MAX_PFS, NULL);

	for (int i = 0; i < n; i++) {
		struct reason why = { 0 };

		if (ready_give_back_pf(&pf[i], config, deadline, &why))
			log_trouble(NULL, &why);
	}
	return n != 0;
}

/*
 * is_whole() - whether all of the host could be read: what was not may come with more time
 */
static bool is_whole(const struct scene *scene)
{
	bool whole = scene->inventory.has_ovs;

	for (size_t i = 0; i < scene->inventory.pfs; i++)
		whole = whole && !*scene->inventory.pf[i].trouble;
	return whole;
}

/*
 * ready_reconcile() - looks what became of everything that vferry gave away
 * @config:	configuration
 * @deadline:	when to give up
 * @seen:	NULL, or receives what was read, if it is still true; zeroed before, to be released by the caller
 * Return: whether *seen was filled
 */
bool ready_reconcile(const struct config *config, deadline_t deadline, struct scene *seen)
{
	struct reason why = { 0 };
	autoscene struct scene scene = { 0 };
	bool changed = false;

	record_sweep();
	if (state_upgrade(&why) || scene_read(&scene, config, deadline, &why)) {
		log_trouble(NULL, &why);
		return false;
	}
	for (size_t i = 0; i < scene.objects.count; i++)
		changed |= settle(&scene.objects.object[i], &scene, deadline);
	guest_note_sweep(&scene.records);
	changed |= sweep_ports(&scene, deadline);
	changed |= give_back_pfs(config, deadline);
	if (changed || !seen || !is_whole(&scene))
		return false;
	*seen = scene;
	memset(&scene, 0, sizeof(scene)); /* it is theirs now */
	return true;
}
