/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * card.c: the cards that vferry knows.
 *
 * Ids: Linux drivers/net/ethernet/mellanox/mlx5/core/main.c, mlx5_core_pci_table. Which cards can move a VF: NVIDIA's "SR-IOV Live
 * Migration" names ConnectX-7 and BlueField-3 with Ethernet ports; the driver's own id table (drivers/vfio/pci/mlx5/main.c) matches a
 * VF id, 15b3:101e, that older cards have too, so it says nothing. Firmware of one release is called 28.x.y for one card and 32.x.y for
 * the other (the same document asks for 28.41.1000 and 32.41.1000).
 */
#include "card/card.h"

#include <stddef.h>

#define MELLANOX CARD_VF_VENDOR

static const struct card cards[] = {
	/* vendor, device, name, can migrate, profile, firmware */
	{ MELLANOX, 0x1021, "ConnectX-7", true, CARD_CONNECTX_7, CARD_FIRMWARE_CONNECTX_7 },
	{ MELLANOX, 0xa2dc, "BlueField-3", true, CARD_BLUEFIELD_3, 32 },
	{ MELLANOX, 0x1017, "ConnectX-5", false, CARD_NO_PROFILE, 0 },
	{ MELLANOX, 0x1019, "ConnectX-5 Ex", false, CARD_NO_PROFILE, 0 },
	{ MELLANOX, 0x101b, "ConnectX-6", false, CARD_NO_PROFILE, 0 },
	{ MELLANOX, 0x101d, "ConnectX-6 Dx", false, CARD_NO_PROFILE, 0 },
	{ MELLANOX, 0x101f, "ConnectX-6 Lx", false, CARD_NO_PROFILE, 0 },
	{ MELLANOX, 0x1023, "ConnectX-8", false, CARD_NO_PROFILE, 0 },
	{ MELLANOX, 0x1025, "ConnectX-9", false, CARD_NO_PROFILE, 0 },
	{ MELLANOX, 0xa2d6, "BlueField-2", false, CARD_NO_PROFILE, 0 },
	{ MELLANOX, 0xa2df, "BlueField-4", false, CARD_NO_PROFILE, 0 },
	{ 0, 0, NULL, false, CARD_NO_PROFILE, 0 },
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
