/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * reconcile.c: brings records, journals and ports in line with libvirt's status directory.
 *
 * libvirt can drop an incoming guest between its calls of "migrate" and "prepare" without telling anybody, and when libvirtd is killed
 * no hook is called either. So each call of the hook for a guest with VFs first looks what became of the others.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/scope.h"
#include "engine/executor.h"
#include "engine/ready.h"

/*
 * log_trouble() - what went wrong with a guest's leftovers; the next call tries again
 */
static void log_trouble(const char *about, const struct reason *why)
{
	char line[1024];

	reason_format(why, about, line, sizeof(line));
	log_warning("clean-up: %s", line);
}

/*
 * ready_is_lost() - whether a guest that has a record is not coming, or is gone without a word
 * @record:	of the guest
 * @status:	libvirt's, NULL if it knows none of that uuid
 * @config:	lease_time
 * @gone:	uuid of a guest that counts as gone, or NULL
 */
bool ready_is_lost(const struct record *record, const struct status *status, const struct config *config, const char *gone)
{
	if (gone && strcmp(gone, record->uuid) == 0)
		return true;
	if (status)
		return false;
	return clock_ms() - record->touched > (int64_t)config->lease_time * 1000 || record->touched > clock_ms();
}

/*
 * has_come_up() - whether a guest that was made ready for runs by now: landed after a migration, or through an ordinary start
 */
static bool has_come_up(const struct record *record, const struct status *status)
{
	if (!status || record->state == RECORD_RUNNING)
		return false;
	return record->state == RECORD_ARRIVING ? status_is_landed(status) : status->job == STATUS_NO_JOB;
}

/*
 * settle_record() - looks what became of one guest
 * Return: whether something had to be done
 */
static bool settle_record(struct record *record, const struct scene *scene, const char *gone, deadline_t deadline)
{
	const struct status *status = status_find_uuid(&scene->running, record->uuid);
	struct reason why = { 0 };
	int error = 0;

	if (!status && scene->running.unreadable && !(gone && strcmp(gone, record->uuid) == 0))
		return false; /* one of the files that cannot be read may be its own: it counts as running */
	if (ready_is_lost(record, status, scene->config, gone)) {
		log_notice("guest %s is not here any more: taking back what was made for it", record->name);
		error = ready_give_back(record, scene->config, deadline, &why);
	} else if (has_come_up(record, status)) {
		log_notice("guest %s runs here", record->name);
		error = ready_commit(record, &why);
	}
	else
		return false;
	if (error)
		log_trouble(record->name, &why);
	return true;
}

/*
 * has_record() - whether some guest is recorded with a uuid
 */
static bool has_record(const struct record_list *records, const char *uuid)
{
	for (size_t i = 0; i < records->count; i++) {
		if (strcmp(records->record[i].uuid, uuid) == 0)
			return true;
	}
	return false;
}

/*
 * ready_is_orphan_port() - whether a port that vferry made belongs to a guest that is neither here nor expected
 * @scene:	host, guests and records
 * @port:	one of its ports
 * @gone:	as above
 */
bool ready_is_orphan_port(const struct scene *scene, const struct ovs_port *port, const char *gone)
{
	if (!port->ours || !*port->guest || strcmp(port->guest, "host") == 0 || has_record(&scene->records, port->guest))
		return false;
	if (gone && strcmp(gone, port->guest) == 0)
		return true;
	return !scene->running.unreadable && !status_find_uuid(&scene->running, port->guest);
}

/*
 * sweep_ports() - removes the ports of guests that are neither here nor expected
 * Return: whether there were any
 */
static bool sweep_ports(const struct scene *scene, const char *gone, deadline_t deadline)
{
	autocontext struct context context = { .config = scene->config, .deadline = deadline };
	bool some = false;

	for (size_t i = 0; i < scene->inventory.ovs.ports; i++) {
		const struct ovs_port *port = &scene->inventory.ovs.port[i];
		struct reason why = { 0 };
		struct ovs *ovs;

		if (!ready_is_orphan_port(scene, port, gone))
			continue;
		some = true;
		log_notice("port %s belongs to a guest that is gone: removing it from bridge %s", port->name, port->bridge);
		if (context_ovs(&context, &ovs, &why) || ovs_del_port(ovs, port->name, deadline, &why))
			log_trouble(NULL, &why);
	}
	return some;
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
 * ready_reconcile() - looks what became of every guest that vferry made ready for
 * @config:	configuration
 * @gone:	uuid of a guest that counts as gone although libvirt may still have a file, or NULL
 * @deadline:	when to give up
 * @seen:	NULL, or receives what was read, if it is still true; zeroed before, to be released by the caller
 * Return: whether *seen was filled
 *
 * A PF with a journal may be taken back here: where there is one, the host must be read again.
 */
bool ready_reconcile(const struct config *config, const char *gone, deadline_t deadline, struct scene *seen)
{
	struct reason why = { 0 };
	autoscene struct scene scene = { 0 };
	struct pci_address pf;
	bool changed = false;

	record_sweep();
	if (scene_read(&scene, config, deadline, &why)) {
		log_trouble(NULL, &why);
		return false;
	}
	for (size_t i = 0; i < scene.records.count; i++)
		changed |= settle_record(&scene.records.record[i], &scene, gone, deadline);
	changed |= sweep_ports(&scene, gone, deadline);
	changed |= record_list_pfs(&pf, 1, NULL) != 0;
	if (ready_give_back_pfs(config, deadline, &why))
		log_trouble(NULL, &why);
	if (changed || !seen || !is_whole(&scene))
		return false;
	*seen = scene;
	memset(&scene, 0, sizeof(scene)); /* it is theirs now */
	return true;
}
