/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * operation.h: how each kind of step looks at the host and changes it, whichever way it goes. Whether it may is asked by the door (door.h).
 */
#ifndef VFERRY_ENGINE_OPERATION_H
#define VFERRY_ENGINE_OPERATION_H

#include "base/clock.h"
#include "base/config.h"
#include "base/reason.h"
#include "base/guard.h"
#include "card/devlink.h"
#include "card/netdev.h"
#include "card/netlink.h"
#include "switch/ovs.h"
#include "card/sriov.h"
#include "state/step.h"

/* What operations share while a plan is carried out: connections and the child are made when first needed. */
struct context {
	const struct config *config;
	deadline_t deadline;
	bool once;                /* what is not there is gone: it is not waited for */
	bool no_wait;             /* the same, for one whose owner has had its wait */
	int (*ask)(void *arg, struct reason *why); /* asks the door again, before one more try of the step that is made; as a judge (door.c) */
	void *ask_arg;
	struct ovs *ovs;
	struct guard guard;       /* makes the calls that can block in the kernel */
	bool looks;               /* steps are looked at, one after the other */
	bool has_port;            /* the port of a VF as the last look saw it, until something is changed: several steps look at it */
	struct pci_address port_of;
	struct devlink_port port;
};

/* The connection to Open vSwitch, opened when first needed. */
int context_ovs(struct context *context, struct ovs **ovs, struct reason *why);
void context_release(struct context *context);

#define autocontext __attribute__((cleanup(context_release)))

struct operation {
	/*
	 * Reads what is there into the step's "before". Return: 1 if it is as wanted already, 0 if the step has work to do, negative errno;
	 * -ENODEV where the thing itself is gone.
	 */
	int (*look)(struct step *step, struct context *context, struct reason *why);
	/* Makes the change and reads it back. What is tried more than once asks the door in between: what that says comes back. */
	int (*apply)(const struct step *step, struct context *context, struct reason *why);
};

/* The operation of a kind; every kind has one. */
const struct operation *operation_of(enum step_kind kind);

/*
 * Runs one write of a step in a child with the context's deadline, for whatever can block in the kernel. fn gets a
 * struct operation_write.
 */
struct operation_write {
	struct step step;
	unsigned int value;
	deadline_t deadline;      /* for what fn tries again: a little before the context's */
};
int operation_guarded(int (*fn)(void *arg, struct reason *why), const struct step *step, unsigned int value, struct context *context,
		      struct reason *why);

/* What a child finds that looks at the host for a step: reading blocks too, behind a driver at work or whoever holds the kernel's lock. */
struct operation_look {
	struct step step;
	deadline_t deadline;      /* for what fn waits for by itself: a little before the context's */
	bool once;                /* looks once, and waits for nothing */
	bool need_netdev, need_link; /* its representor has a final name; and "netdev" is read */
	enum eswitch_mode mode;
	unsigned int tries;       /* of a mode change (operation_eswitch.c), this one included */
	int error;                /* that one of them has met and that is worth another try, negative errno */
	struct sriov_pf pf;
	struct netdev netdev;
	struct netdev_vf_rate rate;
	struct devlink_port port;
};

/* Runs fn, which gets the struct operation_look, in a child with the context's deadline. Return: as fn, or as guard_ask(). */
int operation_fetch(int (*fn)(void *arg, struct reason *why), struct operation_look *look, struct context *context, struct reason *why);

#define OPERATION_OF(kind, word) extern const struct operation operation_##word;
STEP_KINDS_OF(OPERATION_OF)
#undef OPERATION_OF

/*
 * operation_carrier.c. Whether the uplink of a step's PF has a link (1, 0, negative errno); and waits until it has, at most until the
 * deadline. Return: 0, -ENOLINK if it did not come, negative errno.
 */
int operation_has_carrier(const struct step *step, struct context *context, struct reason *why);
int operation_await_carrier(const struct step *step, struct context *context, struct reason *why);

/* Which driver holds a VF, "" none. Return: 0, negative errno with *why if that cannot be read. */
int operation_driver(const struct pci_address *vf, char *name, size_t size, struct reason *why);

/* Whether a driver holds a VF of a PF. Return: 0 if none does, -EBUSY with *why, negative errno. */
int operation_refuse_bound(const struct pci_address *pf, struct reason *why);

/*
 * operation_port.c. The devlink port of a step's VF, once its representor has a netdev that udev has named if need_netdev is set. Waits
 * for it, at most until the deadline. Return: 0, -ENODEV if it did not appear, negative errno.
 */
int operation_find_port(const struct step *step, bool need_netdev, struct devlink_port *port, struct context *context, struct reason *why);

/* The netdev of a representor, once udev has named it. Return: 0, -ENODEV if it did not appear, negative errno. */
int operation_find_representor(const struct step *step, struct netdev *netdev, struct context *context, struct reason *why);

/* One look for its netdev, without a child of its own. Return: 1 found, 0 not (yet), negative errno. */
int operation_see_representor(const struct step *step, struct netdev *netdev, struct reason *why);

/* The same for a write to it: *nl is open then. Return: 1 found, 0 the port is gone, negative errno. */
int operation_open_port(const struct step *step, struct netlink *nl, struct devlink_port *port, struct reason *why);

#endif
