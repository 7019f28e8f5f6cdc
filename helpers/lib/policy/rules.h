/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rules.h: the limits, each a row of a table: name, what it looks at, verdict, sentence, what to do.
 *
 * Two tables: rules about a guest, and rules about one of its VFs on one PF of this host. Numbers L1 to L8 are those of the vendor's
 * procedure (see tests/README.md).
 */
#ifndef VFERRY_POLICY_RULES_H
#define VFERRY_POLICY_RULES_H

#include "base/config.h"
#include "base/reason.h"
#include "domain/domain.h"
#include "domain/status.h"
#include "host/inventory.h"
#include "policy/guest.h"

enum verdict { VERDICT_PASS, VERDICT_WARN, VERDICT_REFUSE };

/* Everything that a rule may look at. status: libvirt's file of this guest, NULL where there is none yet. */
struct guest_case {
	const struct config *config;
	const struct domain *domain;
	const struct inventory *inventory;
	const struct guest *guest;
	const struct status *status;
	bool incoming; /* a migration; else an ordinary start */
};

struct guest_rule {
	const char *name;     /* "L2-viommu" */
	const char *looks_at; /* for documents and the checker */
	enum verdict (*judge)(const struct guest_case *c, struct reason *why);
};

/* One VF on one PF. */
struct pf_case {
	const struct config *config;
	const struct inventory *inventory;
	const struct inventory_pf *pf;
	const struct guest_vf *vf;
};

struct pf_rule {
	const char *name;
	const char *looks_at;
	enum verdict (*judge)(const struct pf_case *c, struct reason *why);
};

/* The tables, ended by a NULL name. */
const struct guest_rule *guest_rules(void);
const struct pf_rule *pf_rules(void);

/*
 * Judges a guest by all rules. warn (may be NULL) is called for each warning. Return: 0, or -EPERM with the first refusal in *why.
 */
int rules_judge_guest(const struct guest_case *c, void (*warn)(const struct reason *why, void *arg), void *arg, struct reason *why);

/* The part of it that needs libvirt's status file and nothing else: what the flags of a migration say. */
int rules_judge_flags(const struct status *status, struct reason *why);

/* The same for a VF on a PF. */
int rules_judge_pf(const struct pf_case *c, void (*warn)(const struct reason *why, void *arg), void *arg, struct reason *why);

/* Compares firmware versions "28.41.1000" number by number, as strcmp(3). What is no number counts as 0. */
int firmware_compare(const char *a, const char *b);

#endif
