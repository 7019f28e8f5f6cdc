/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kept.c: V6: whether the host is as vferry prepare made it, and will be after the next boot.
 */
#include <string.h>

#include "base/scope.h"
#include "command/check/tables.h"
#include "policy/plan_host.h"

/* Adds what a kept PF lacks by now to a list. Return: whether it lacks something. */
static bool has_drifted(const struct check_case *c, const struct prepared_pf *kept, char *list, size_t size)
{
	struct inventory *inventory = &c->view->scene.inventory;
	struct inventory_pf *pf = inventory_find_pf(inventory, &kept->pf);
	autosteps struct steps plan = { 0 };
	struct config config = *c->config;
	char address[PCI_ADDRESS_LEN], text[256];

	if (!pf) {
		snprintf(text, sizeof(text), "%s is gone", pci_address_format(&kept->pf, address));
		check_list(list, size, text);
		return true;
	}
	snprintf(config.pf, sizeof(config.pf), "%s", pci_address_format(&kept->pf, address));
	if (*kept->bridge)
		snprintf(config.bridge, sizeof(config.bridge), "%s", kept->bridge);
	if (plan_host(&config, inventory, pf, config.bridge, kept->vfs, &plan))
		return false;
	if (!*kept->bridge)
		plan_host_keep_card(&plan);
	if (!plan.count)
		return false;
	check_list(list, size, step_describe(&plan.step[0], text, sizeof(text)));
	if (plan.count > 1) {
		snprintf(text, sizeof(text), "%zu more", plan.count - 1);
		check_list(list, size, text);
	}
	return true;
}

/* V6: what was prepared. */
static void look_kept(const struct check_case *c, struct finding *f)
{
	const struct facts *facts = &c->view->facts;
	char drift[400] = "";
	size_t drifted = 0;

	if (c->view->is_recorded) {
		check_found(f, STATE_NONE, "a record does not tell");
		return;
	}
	if (!c->prepared->pfs) {
		check_found(f, STATE_NONE, "nothing is kept: vferry prepare was not called here; the hook prepares when a guest comes");
		return;
	}
	if (!facts->seen_by_root) {
		check_found(f, STATE_UNKNOWN, "only root may read the eswitch and Open vSwitch");
		return;
	}
	for (size_t i = 0; i < c->prepared->pfs; i++)
		drifted += has_drifted(c, &c->prepared->pf[i], drift, sizeof(drift));
	if (drifted) {
		check_found(f, STATE_WARNING, "not as vferry prepare made it, since it lacks: %s", drift);
		check_mend(f, "vferry prepare --boot host");
	} else if (facts->has_systemd && !facts->has_boot_services) {
		check_found(f, STATE_WARNING, "as vferry prepare made it, but the next boot will not make it so again");
		check_mend(f, "systemctl enable vferry-card.service vferry-host.service");
	} else {
		check_found(f, STATE_OK, "%zu PF%s as vferry prepare made %s%s", c->prepared->pfs, c->prepared->pfs == 1 ? " is" : "s are",
			    c->prepared->pfs == 1 ? "it" : "them", facts->has_boot_services ? ", also after the next boot" : "");
	}
}

const struct check_row check_rows_kept[] = {
	{ "V6", "kept", SCOPE_HOST, "the card forgets its mode and its VFs when it is reset", look_kept },
	{ 0 },
};
