/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * card.c: the cards that vferry knows.
 *
 * Ids: Linux drivers/net/ethernet/mellanox/mlx5/core/main.c, mlx5_core_pci_table. Which cards can move a VF: NVIDIA's "SR-IOV Live
 * Migration" names ConnectX-7 and BlueField-3 with Ethernet ports; the driver's own id table (drivers/vfio/pci/mlx5/main.c) matches a
 * VF id, 15b3:101e, that older cards have too, so it says nothing.
 */
#include "host/card.h"

#include <stddef.h>

#define MELLANOX 0x15b3

static const struct card cards[] = {
	/* vendor, device, name, can migrate, used by default */
	{ MELLANOX, 0x1021, "ConnectX-7", true, true },
	{ MELLANOX, 0xa2dc, "BlueField-3", true, false },
	{ MELLANOX, 0x1017, "ConnectX-5", false, false },
	{ MELLANOX, 0x1019, "ConnectX-5 Ex", false, false },
	{ MELLANOX, 0x101b, "ConnectX-6", false, false },
	{ MELLANOX, 0x101d, "ConnectX-6 Dx", false, false },
	{ MELLANOX, 0x101f, "ConnectX-6 Lx", false, false },
	{ MELLANOX, 0x1023, "ConnectX-8", false, false },
	{ MELLANOX, 0x1025, "ConnectX-9", false, false },
	{ MELLANOX, 0xa2d6, "BlueField-2", false, false },
	{ MELLANOX, 0xa2df, "BlueField-4", false, false },
	{ 0, 0, NULL, false, false },
};

/*
 * Looks a PF up by its ids.
 * vendor, device: PCI ids as sysfs shows them.
 * Return: the row, NULL if vferry does not know the card.
 */
const struct card *card_find(uint16_t vendor, uint16_t device)
{
	for (const struct card *card = cards; card->vendor; card++) {
		if (card->vendor == vendor && card->device == device)
			return card;
	}
	return NULL;
}

/* Return: all rows, ended by one with vendor 0. */
const struct card *card_table(void)
{
	return cards;
}
