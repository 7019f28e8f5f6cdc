/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * prepared.h: what vferry prepare was asked for, kept over a reboot: /var/lib/vferry/prepared.json.
 *
 * The card forgets its mode, its VFs and what is migratable; the two boot services read this and make it so again.
 */
#ifndef VFERRY_STATE_PREPARED_H
#define VFERRY_STATE_PREPARED_H

#include <stddef.h>

#include "base/pci_address.h"
#include "base/reason.h"

#define PREPARED_DIRECTORY LOCALSTATEDIR "/lib/vferry"
#define PREPARED_MAX 16

struct prepared_pf {
	struct pci_address pf;
	unsigned int vfs;
	char bridge[64];    /* "": the card alone was asked for */
};

struct prepared {
	struct prepared_pf pf[PREPARED_MAX];
	size_t pfs;
};

/* Reads it; an absent file is an empty list. Return: 0, -EINVAL for a file that does not parse, negative errno; *why filled. */
int prepared_read(struct prepared *prepared, struct reason *why);

/* Sets what is kept of a PF, and writes; forgets it. What is so already is not written again. Return: 0, -E2BIG, negative errno. */
int prepared_keep(const struct prepared_pf *pf, struct reason *why);
int prepared_forget(const struct pci_address *pf, struct reason *why);

#endif
