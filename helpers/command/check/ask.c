/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ask.c: what vferry check asks of the cards beside the inventory: mstconfig and VFIO.
 */
#include "command/check/ask.h"

#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "card/nvconfig.h"
#include "card/vfio.h"

#define MSTCONFIG_TIME 5000 /* ms */
#define VFIO_TIME 2000

/* Whether devlink offers "migratable" for all VFs of a PF, of which there is at least one. */
static bool offers_migratable(const struct inventory_pf *pf)
{
	for (unsigned int i = 0; i < pf->num_vfs; i++) {
		if (!pf->vf[i].has_port || !pf->vf[i].port.can_migrate)
			return false;
	}
	return pf->num_vfs > 0;
}

/* Asks mstconfig, where it is installed, for what devlink does not tell. It is slow on a real card, so only then. */
static void ask_mstconfig(const struct view *view, struct check_answers *answers)
{
	const struct inventory *inventory = &view->scene.inventory;

	for (size_t i = 0; view->facts.has_mstconfig && i < inventory->pfs; i++) {
		char *out = answers->migration_mode[i];

		if (inventory->pf[i].card.can_migrate && !offers_migratable(&inventory->pf[i]))
			(void)nvconfig_get(&inventory->pf[i].address, "VF_MIGRATION_MODE", out, sizeof(answers->migration_mode[i]),
					   deadline_in(MSTCONFIG_TIME), NULL);
	}
}

/* Return: the first VF of a PF that the variant driver holds and that is nobody's, NULL if there is none. */
static const struct inventory_vf *find_askable(const struct view *view, const struct inventory_pf *pf)
{
	for (unsigned int i = 0; i < pf->num_vfs; i++) {
		const struct inventory_vf *vf = &pf->vf[i];

		if (strcmp(vf->driver, "mlx5_vfio_pci") == 0 && !status_find_device(&view->scene.running, &vf->address) &&
		    !record_find_vf(&view->scene.records, &vf->address, NULL))
			return vf;
	}
	return NULL;
}

/* Whether nobody has got a VF since the host was looked at. The caller holds the VF's lock. */
static bool is_still_free(const struct pci_address *vf)
{
	struct status_list running = { 0 };
	struct record_list records = { 0 };
	bool is_free = !status_read_all(&running, NULL) && !record_read_all(&records, NULL) && !status_find_device(&running, vf) &&
		    !record_find_vf(&records, vf, NULL);

	status_list_release(&running);
	record_list_release(&records);
	return is_free;
}

/*
 * Asks VFIO where that harms nobody: a VF is bound already, and nobody has it or is about to get it. The hook of a guest that starts waits
 * for the VF's lock, so none appears meanwhile; where somebody is at work, nothing is asked.
 */
static void ask_vfio(const struct view *view, struct check_answers *answers)
{
	const struct inventory *inventory = &view->scene.inventory;

	for (size_t i = 0; geteuid() == 0 && i < inventory->pfs; i++) {
		const struct inventory_vf *vf = find_askable(view, &inventory->pf[i]);
		const struct object object = { .pf = inventory->pf[i].address, .has_vf = true, .vf = vf ? vf->address : inventory->pf[i].address };
		autoclose int lock = vf ? record_lock_object(&object, deadline_in(0), NULL) : -1;

		if (!vf || lock < 0 || !is_still_free(&vf->address))
			continue;
		answers->vfio[i] = (struct vfio_answer){ .was_asked = true, .vf = vf->address };
		answers->vfio[i].flags = vfio_ask_migration(&vf->address, deadline_in(VFIO_TIME), NULL);
	}
}

/* Asks, where that harms nobody; see the header. */
void check_ask(const struct view *view, struct check_answers *answers)
{
	if (view->is_recorded)
		return;
	ask_mstconfig(view, answers);
	ask_vfio(view, answers);
}
