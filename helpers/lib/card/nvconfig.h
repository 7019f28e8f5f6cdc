/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nvconfig.h: settings in a card's non-volatile memory, by mstconfig where that is installed. For the checker; slow on a real card.
 */
#ifndef VFERRY_CARD_NVCONFIG_H
#define VFERRY_CARD_NVCONFIG_H

#include "base/clock.h"
#include "base/pci_address.h"
#include "base/reason.h"

/* The value of a setting, such as "MIGRATION_ENABLED(2)". Needs root. Return: 0, -ENOENT without mstconfig, other negative errno. */
int nvconfig_get(const struct pci_address *pf, const char *setting, char *out, size_t size, deadline_t deadline, struct reason *why);

#endif
