/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rules.h: the limits, each a row of one table: name, what it looks at, verdict, sentence, what to do.
 *
 * The hook, "vferry check" and "vferry plan" all judge by this table. A rule is about a guest (and the host as a whole), about one of
 * its VFs on one PF, or about figures that somebody reads. Numbers L1 to L8 are those of the vendor's procedure (see tests/README.md).
 */
#ifndef VFERRY_POLICY_RULES_H
#define VFERRY_POLICY_RULES_H

#include "base/config.h"
#include "base/reason.h"
#include "domain/domain.h"
#include "domain/status.h"
#include "host/inventory.h"
#include "policy/guest.h"

/* From mild to hard. EXPLAIN: nothing is wrong, but somebody must know it. WAIT: no now, perhaps yes later. */
enum verdict { VERDICT_PASS, VERDICT_EXPLAIN, VERDICT_WARN, VERDICT_WAIT, VERDICT_REFUSE };

enum rule_about { ABOUT_GUEST, ABOUT_PF, ABOUT_FIGURES };

/* Who is in live migration on a PF, in either direction. */
struct flights {
	unsigned int vfs;  /* of other guests */
	unsigned int own;  /* of the guest itself that were placed on the PF before this one */
	char guests[160];  /* the others' names, clean: "guest1, guest2" */
};

/* Everything that a rule may look at. What a rule needs and is NULL makes it pass. */
struct rule_case {
	const struct config *config;
	const struct inventory *inventory;
	bool incoming;                     /* a migration to here; else an ordinary start, or a look at the host */
	/* about a guest */
	const struct domain *domain;
	const struct guest *guest;
	const struct status *status;       /* libvirt's file of this guest, NULL where there is none yet */
	/* about one VF on one PF */
	const struct inventory_pf *pf;
	const struct guest_vf *vf;
	const struct status_list *running; /* who has the VFs of the PF */
	const struct flights *flights;
};

struct rule {
	const char *name;       /* "L2-viommu" */
	enum rule_about about;
	const char *looks_at;   /* for documents and the checker */
	enum verdict hardest;   /* the hardest verdict that it gives */
	const char *limit;      /* the rule, a sentence without full stop */
	const char *cure;       /* what to do, unless the judge says something more exact */
	enum verdict (*judge)(const struct rule_case *c, struct reason *why); /* fills *why but for VERDICT_PASS */
};

/* The table, ended by a NULL name; the row of that name, NULL if there is none. */
const struct rule *rules_table(void);
const struct rule *rules_find(const char *name);

/* Judges by one row: the judge's sentence, the row's name, and a cure. */
enum verdict rules_judge_by(const struct rule *rule, const struct rule_case *c, struct reason *why);

/*
 * Judges a guest by all rules about guests. warn (may be NULL) is called for each warning. Return: 0, or -EPERM with the first refusal in
 * *why.
 */
int rules_judge_guest(const struct rule_case *c, void (*warn)(const struct reason *why, void *arg), void *arg, struct reason *why);

/* The part of it that needs libvirt's status file and nothing else: what the flags of a migration say. */
int rules_judge_flags(const struct status *status, struct reason *why);

/* The same for a VF on a PF. Return: 0, -EPERM, or -EBUSY if only waiting is needed. */
int rules_judge_pf(const struct rule_case *c, void (*warn)(const struct reason *why, void *arg), void *arg, struct reason *why);

/* L4 as a number: how many more VFs of a PF may be in flight beside so many that are. */
unsigned int rules_slots_left(const struct config *config, unsigned int in_flight);

/* Compares firmware versions "28.41.1000" number by number, as strcmp(3). What is no number counts as 0. */
int firmware_compare(const char *a, const char *b);

#endif
