/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * passport.c: the passport of a guest that runs here. See work.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/work.h"
#include "base/log.h"
#include "base/scope.h"
#include "engine/scene.h"
#include "policy/issue.h"

/* Writes it. passport: one that is not present is removed. Return: 0, negative errno with *why. */
static int write_passport(const struct guest_link *guest, const struct passport *passport, struct reason *why)
{
	autofree char *xml = NULL;

	if (passport->present && passport_print(passport, true, &xml) < 0)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	return guest_write_passport(guest, xml, why);
}

/*
 * Asks for the ports of the guest's own VFs, which a passport tells of; that of another guest's VF is nothing to this one. A VF whose
 * firmware does not answer (EMSGSIZE) is told of without; one that cannot be read keeps the passport that it has.
 */
static int ask_ports(struct scene *scene, const struct domain *domain, struct reason *why)
{
	int error = 0;

	for (size_t i = 0; !error && i < domain->hostdevs; i++) {
		unsigned int index;
		struct inventory_pf *pf = domain->hostdev[i].has_source
					  ? inventory_find_vf(&scene->inventory, &domain->hostdev[i].source, &index) : NULL;

		if (pf && index < pf->num_vfs)
			error = scene_ask_port(scene, pf, index, why);
		error = error == -EMSGSIZE ? 0 : error;
	}
	return error;
}

/* The host's part of what a passport says. without: receives the number of VFs that get no entry. Return: 0, negative errno with *why. */
static int issue(const struct work *work, const struct domain *domain, struct passport *passport, size_t *without, struct reason *why)
{
	autofree struct scene *scene = calloc(1, sizeof(*scene));
	int error;

	if (!scene)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	error = host_refresh(work->host, work->config, work->intent->asked, work->deadline, why);
	if (error)
		return error;
	scene->config = work->config;
	scene->deadline = work->deadline;
	scene->inventory = work->host->inventory; /* lent */
	error = scene_find_guest(scene, domain, false, why);
	if (!error && scene->guest.vfs)
		error = ask_ports(scene, domain, why);
	if (!error)
		*without = issue_passport(&scene->guest, domain->uuid, &scene->inventory, passport);
	scene->inventory = (struct inventory){ 0 };
	scene_release(scene);
	return error;
}

/* See work.h. It is written if it says something else than this host would. */
void passport_refresh(const struct work *work, struct outcome *outcome)
{
	autofree struct passport *fresh = calloc(1, sizeof(*fresh));
	autodomain struct domain domain = { 0 };
	size_t without = 0;

	if (!fresh) {
		outcome->error = reason_set(&outcome->why, -ENOMEM, NULL, "out of memory");
		return;
	}
	outcome->error = guest_read(&work->link, &domain, &outcome->why);
	if (outcome->error)
		return;
	snprintf(outcome->host, sizeof(outcome->host), "%s", domain.passport.host);
	outcome->error = issue(work, &domain, fresh, &without, &outcome->why);
	if (outcome->error || passport_equal(fresh, &domain.passport))
		return;
	outcome->error = write_passport(&work->link, fresh, &outcome->why);
	outcome->count = !outcome->error;
	if (!outcome->error)
		log_info("%s: passport written for %zu of %zu VFs", work->guest.status->name, fresh->vfs, fresh->vfs + without);
}
