/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * look.h: the lines of the vendor's procedure, one row each: what it is, why it matters, the function that looks.
 *
 * A look sees structs only: whatever must be read from the machine is read before. So a recorded host is checked like this one.
 */
#ifndef VFERRY_COMMAND_CHECK_LOOK_H
#define VFERRY_COMMAND_CHECK_LOOK_H

#include "command/cluster/read.h"
#include "command/view.h"
#include "domain/hardware.h"
#include "policy/rules.h"
#include "state/prepared.h"

enum state { STATE_OK, STATE_WARNING, STATE_FAILURE, STATE_UNKNOWN, STATE_NONE, STATES };

#define WORD 160 /* bytes for a name as a word of a shell (reason_word()) */

/* What a look has found. */
struct finding {
	enum state state;   /* STATE_NONE: not applicable; STATE_UNKNOWN: could not be seen */
	char object[96];    /* PCI address, guest, disk; "" the host */
	char found[640];    /* what was found, a phrase */
	char mend[640];     /* the command that mends it, "" if there is none */
	char advice[320];   /* what to do where no command can */
};

/* What VFIO says of a PF's VFs: one that is free and held by its driver was asked. */
struct vfio_answer {
	bool was_asked;
	struct pci_address vf;
	int flags;          /* enum vfio_migration, 0: it cannot; negative errno */
};

/* How often a row looks. */
enum scope { SCOPE_HOST, SCOPE_PF, SCOPE_ANY_PF, SCOPE_GUEST }; /* PF: those that vferry may use; ANY_PF: all of known cards */

struct check_case {
	const struct config *config;
	struct view *view;                /* the host, and the guest if has_guest */
	struct inventory_pf *pf;          /* SCOPE_PF, SCOPE_ANY_PF; else NULL */
	const char *migration_mode;       /* VF_MIGRATION_MODE of that PF by mstconfig, NULL unknown */
	bool has_guest;
	const struct hardware *hardware;  /* of the guest */
	struct view *other;               /* --against, NULL without */
	const struct vfio_answer *vfio;   /* of that PF; SCOPE_PF only */
	const struct cluster_view *cluster; /* Pacemaker, where this host is in one; NULL: not asked */
	const struct prepared *prepared;  /* what vferry prepare keeps over a reboot; not of a recorded host */
};

struct check_row {
	const char *id;        /* of procedure.md: "P1" */
	const char *name;
	enum scope scope;
	const char *why;       /* why it matters, a sentence without full stop */
	void (*look)(const struct check_case *c, struct finding *f);
};

/* Fill a finding. */
__attribute__((format(printf, 3, 4)))
void check_found(struct finding *f, enum state state, const char *format, ...);
__attribute__((format(printf, 2, 3)))
void check_mend(struct finding *f, const char *format, ...);
__attribute__((format(printf, 2, 3)))
void check_advise(struct finding *f, const char *format, ...);

/*
 * Judges by the hook's own rule of that name: its sentence, or fine, and its cure. The guest (if there is one) is judged as one that is to
 * arrive at a host like this, c->pf as one without drivers that hold idle VFs and with the bridge of the configuration.
 * Return: the verdict.
 */
enum verdict check_by_rule(const struct check_case *c, const char *name, const char *fine, struct finding *f);

/* Appends a word to a list "a, b, c" as far as there is room. */
void check_list(char *list, size_t size, const char *word);

/* Whether vferry has no use for a PF: another one is prepared and this one was left as it boots. */
bool check_is_spare(const struct check_case *c);

#endif
