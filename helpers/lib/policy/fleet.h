/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fleet.h: many hosts and their guests: who can go where, by the rules of the hook and of the checker, and plans made of it.
 *
 * Structs in, structs out: nothing here reads or changes a host.
 */
#ifndef VFERRY_POLICY_FLEET_H
#define VFERRY_POLICY_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/reason.h"
#include "domain/domain.h"
#include "domain/status.h"
#include "host/facts.h"
#include "host/inventory.h"
#include "policy/guest.h"
#include "policy/machine.h"
#include "state/record.h"

#define FLEET_MAX_HOSTS 256
#define FLEET_MAX_GUESTS 8192
#define FLEET_NOWHERE SIZE_MAX
#define FLEET_SOURCE_PFS 4      /* of one guest: VFs of more PFs count as of the last one */

/* Why a guest cannot go to a host, in one word: what would have to change. */
enum fleet_need {
	NEED_NOTHING,
	NEED_HERE,        /* it is there already */
	NEED_CARD,        /* another card */
	NEED_FLASH,       /* the same firmware */
	NEED_NETWORK,
	NEED_PREPARE,     /* the host is not ready */
	NEED_MACHINE,     /* processor or QEMU */
	NEED_MEMORY,
	NEED_VFS,         /* as many free VFs */
	NEED_POOL,        /* a pool of that name, which records do not tell */
	NEED_OPEN,        /* the host takes no arrivals */
	NEED_GUEST,       /* the guest itself: it can go nowhere */
	NEED_OTHER,
	FLEET_NEEDS
};

struct fleet_host {
	const char *name;
	struct inventory *inventory;
	const struct facts *facts;
	struct status_list *running;
	const struct record_list *leases;
	bool is_closed;           /* it takes no arrivals */
};

struct fleet_guest {
	const char *name, *uuid;
	size_t host;
	struct domain *domain;    /* NULL: the record tells only which devices it has */
	struct machine_guest machine;
	struct guest vfs;         /* its VFs on its host */
	unsigned int devices;     /* PCI devices of the host that it has */
	int64_t ms;               /* that its last move took; 0 unknown */
	int group;                /* guests of one group are kept on different hosts; -1 none */
};

struct fleet {
	const struct config *config;
	struct fleet_host *host;
	size_t hosts;
	struct fleet_guest *guest;
	size_t guests;
	double ms_per_mib;        /* of guests' memory, as moves were; 0 unknown */
};

/* Whether and how a guest fits to a host, free VFs and slots left out. */
struct fleet_fit {
	enum fleet_need need;           /* NEED_NOTHING: it fits */
	unsigned int vfs;
	uint16_t mask[GUEST_MAX_VFS];   /* of each VF: the PFs that can take it, a bit each */
};

/* A word for a need: "flash". */
const char *fleet_need_word(enum fleet_need need);

/* How a question is asked. */
struct fleet_question {
	bool any_firmware;              /* as if the hosts had the same firmware */
	bool start;                     /* it starts there; else it moves there */
};

/* Whether a guest fits to a host. why may be NULL. */
struct fleet_fit fleet_judge(const struct fleet *fleet, size_t guest, size_t host, const struct fleet_question *question,
			     struct reason *why);

/* Free VFs of a PF of a host, and its free memory in MiB (INT32_MAX unknown). */
unsigned int fleet_free_vfs(const struct fleet *fleet, size_t host, size_t pf);
int32_t fleet_free_memory(const struct fleet *fleet, size_t host);

#endif
