/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * card.h: the table of cards that vferry knows: the only place that holds device ids.
 */
#ifndef VFERRY_CARD_CARD_H
#define VFERRY_CARD_CARD_H

#include <stdbool.h>
#include <stdint.h>

/* What the VFs of all cards since ConnectX-6 Dx are called: the id that mlx5_vfio_pci has an alias for. */
#define CARD_VF_VENDOR 0x15b3
#define CARD_VF_DEVICE 0x101e

/* With what firmware versions of a ConnectX-7 begin. */
#define CARD_FIRMWARE_CONNECTX_7 28

/* Kinds of cards that are switched on or off together by the configuration. */
enum card_profile { CARD_NO_PROFILE, CARD_CONNECTX_7, CARD_BLUEFIELD_3 };

struct card {
	uint16_t vendor, device;   /* of the PF; the VF's id is shared by several cards and proves nothing */
	const char *name;          /* "ConnectX-7" */
	bool can_migrate;          /* VFs of it can be live-migrated by mlx5_vfio_pci */
	enum card_profile profile; /* of a card that can migrate */
	unsigned int firmware;     /* first number of its firmware versions; 0: not known, and not needed */
};

/* The row of a PF, NULL if vferry does not know it. */
const struct card *card_find(uint16_t vendor, uint16_t device);

/* All rows, ended by one with vendor 0. */
const struct card *card_table(void);

#endif
