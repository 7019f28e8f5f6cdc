/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * card.h: the table of cards that vferry knows: the only place that holds device ids.
 */
#ifndef VFERRY_HOST_CARD_H
#define VFERRY_HOST_CARD_H

#include <stdbool.h>
#include <stdint.h>

struct card {
	uint16_t vendor, device;   /* of the PF; the VF's id is shared by several cards and proves nothing */
	const char *name;          /* "ConnectX-7" */
	bool can_migrate;          /* VFs of it can be live-migrated by mlx5_vfio_pci */
	bool by_default;           /* used without being asked for in the configuration */
};

/* The row of a PF, NULL if vferry does not know it. */
const struct card *card_find(uint16_t vendor, uint16_t device);

/* All rows, ended by one with vendor 0. */
const struct card *card_table(void);

#endif
