/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * inventory_card.h: what children read of the cards, within a deadline. Private to the inventory.
 */
#ifndef VFERRY_HOST_INVENTORY_CARD_H
#define VFERRY_HOST_INVENTORY_CARD_H

#include "base/clock.h"
#include "base/guard.h"
#include "base/reason.h"
#include "host/inventory.h"

/* The child that reads netdevs and e-switches of all PFs, and the memory that it writes to. Zeroed: none. */
struct inventory_cards {
	struct guard guard;
	struct guard_limit limit;
	struct whole_part *whole;
	struct netdev_part *netdevs; /* for those children that come after it */
};

/*
 * Lets the child begin, while the caller reads something else. inventory: has the PFs and their VFs as sysfs tells them.
 * Return: 0, -ENOMEM with *why filled.
 */
int inventory_cards_begin(struct inventory_cards *cards, struct inventory *inventory, deadline_t deadline, struct reason *why);

/* Waits for it until the deadline, and takes what it has found; what it has not is read now, or becomes a "trouble" of its PF. */
void inventory_cards_take(struct inventory_cards *cards, struct inventory *inventory, deadline_t deadline);

/* Ends the child and frees the memory; harmless on a zeroed struct. */
void inventory_cards_end(struct inventory_cards *cards);

#define autocards __attribute__((cleanup(inventory_cards_end)))

/* Notes the first trouble with a PF, without its address: whoever shows it names the PF. */
void inventory_note_trouble(struct inventory_pf *pf, const struct reason *why);

#endif
