/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * estimate.h: how long it takes to make a PF ready, before it is begun.
 *
 * Two steps take seconds, all others milliseconds: the mode change, and making VFs. Published times of real cards, none of them of a
 * ConnectX-7: a mode change of 1.3 to 4 s (a ConnectX-4 Lx; mlnx-tools, pull request 146), and 4, 8, 16 and 125 VFs made in 1.6, 2.6, 4.5
 * and 65 s (sriov-network-operator, pull request 1019).
 */
#ifndef VFERRY_POLICY_ESTIMATE_H
#define VFERRY_POLICY_ESTIMATE_H

#include <stddef.h>

#include "base/config.h"
#include "base/reason.h"
#include "state/step.h"

/* ms */
#define ESTIMATE_MODE_LEAST 1300
#define ESTIMATE_MODE_MOST 4000
#define ESTIMATE_VF_LEAST 280
#define ESTIMATE_VF_MOST 520

struct estimate {
	unsigned int modes, vfs;  /* mode changes, and VFs that are made */
	unsigned int least, most; /* ms; both 0: nothing in it takes long */
};

/* How long a plan takes. */
struct estimate estimate_plan(const struct steps *plan);

/* "2.4 to 6.1 s: the mode change 1.3 to 4.0 s, 4 VFs 1.1 to 2.1 s"; "" where nothing takes long. Returns out. */
char *estimate_describe(const struct estimate *estimate, char *out, size_t size);

/* How much of hook_deadline is for making ready, in ms: a third is kept for taking back. */
unsigned int estimate_allowed(const struct config *config);

/* Whether a call of the hook has the time for it. Return: 0, -ETIME with *why. */
int estimate_judge(const struct config *config, const struct estimate *estimate, struct reason *why);

#endif
