/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * look.c: how vferryd looks at the host of a world, for what that asks of the firmware. libvirt, which the rest of vferryd needs, has no
 * part in that.
 */
#include <stdio.h>

#include "agent/host.h"

int main(void)
{
	struct host host = { 0 };
	struct config config;
	struct reason why = { 0 };

	config_defaults(&config);
	if (host_refresh(&host, &config, 0, deadline_in(20000), &why)) {
		fprintf(stderr, "%s\n", why.what);
		return 1;
	}
	for (size_t i = 0; i < host.inventory.pfs; i++)
		printf("%u VFs\n", host.inventory.pf[i].num_vfs);
	inventory_release(&host.inventory);
	return 0;
}
