/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * operation_eswitch.c: the step that switches the mode of a PF's eswitch.
 *
 * A mode change that fails may leave more behind than the mode: mlx5 takes the uplink's netdev off, and if it can put neither the new nor
 * the old one on again, the netdev stays and answers nothing (mlx5/core/en_main.c mlx5e_netdev_change_profile(), "failed to rollback to
 * orig profile"). So whether the uplink lives is looked at before anything is tried again or advised.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/operation.h"

#define BUSY_MS 5000
#define POLL_MS 100
#define TRIES 4 /* of a change that fails without a cause to be seen: the MAC address that such a kernel draws is wrong every other time */

/* see_mode() - the eswitch mode of a PF. arg: struct operation_look. In a child. */
static int see_mode(void *arg, struct reason *why)
{
	autonetlink struct netlink nl = { 0 };
	struct operation_look *look = arg;
	int error = devlink_open(&nl, why);

	return error ? error : devlink_eswitch_get(&nl, &look->step.pf, &look->mode, why);
}

/*
 * read_mode() - the eswitch mode of a step's PF
 */
static int read_mode(const struct step *step, enum eswitch_mode *mode, struct context *context, struct reason *why)
{
	struct operation_look look = { .step = *step };
	int error = operation_fetch(see_mode, &look, context, why);

	*mode = look.mode;
	return error;
}

/* look_eswitch() - reads the mode */
static int look_eswitch(struct step *step, struct context *context, struct reason *why)
{
	enum eswitch_mode mode;
	int error = read_mode(step, &mode, context, why);

	if (error)
		return error;
	step->before = mode;
	return step->before == step->number;
}

/* A mode change that is being tried. */
struct attempt {
	const struct pci_address *pf;
	char uplink[16];     /* its netdev before, "" none was to be seen */
	unsigned int tries;
};

/* What has become of the uplink. */
enum life { ALIVE, DEAD, GONE };

/*
 * see_uplink() - whether the uplink that was there before is there and answers; one that was not to be seen before tells nothing
 */
static enum life see_uplink(const struct attempt *attempt)
{
	char address[PCI_ADDRESS_LEN];
	struct netdev netdev;

	if (!*attempt->uplink)
		return ALIVE;
	if (!netdev_find_uplink(pci_address_format(attempt->pf, address), &netdev))
		return GONE;
	return netdev_answers(netdev.ifindex) ? ALIVE : DEAD;
}

/*
 * is_worth_again() - whether a change that was refused may be made a moment later
 * @attempt:	what was tried
 * @error:	what came of it, *why its words
 */
static bool is_worth_again(const struct attempt *attempt, int error, const struct reason *why)
{
	switch (devlink_eswitch_refusal(error, why->what)) {
	case ESWITCH_REFUSED_FOR_NOW:
		return true;
	case ESWITCH_FAILED:
		return error == -EINVAL && attempt->tries < TRIES && see_uplink(attempt) == ALIVE &&
		       !operation_refuse_bound(attempt->pf, NULL);
	default:
		return false;
	}
}

/*
 * explain_failure() - what to do about a change that failed, by what is there now: the words of the kernel are the same for all of these
 * Return: error
 */
static int explain_failure(const struct attempt *attempt, int error, struct reason *why)
{
	enum life uplink = see_uplink(attempt);
	char address[PCI_ADDRESS_LEN];

	pci_address_format(attempt->pf, address);
	if (uplink != ALIVE)
		reason_cure(why, "its uplink %s %s since: move the guests of this card to another host, then: devlink dev reload pci/%s; "
			    "if that fails, reboot the host", attempt->uplink, uplink == GONE ? "is gone" : "does not answer", address);
	else if (devlink_eswitch_refusal(error, why->what) != ESWITCH_FAILED)
		return error;
	else if (operation_refuse_bound(attempt->pf, NULL) == -EBUSY)
		reason_cure(why, "unbind every VF of the PF from its driver and try again; the VFs may have no network until then");
	else
		reason_cure(why, "no driver holds a VF of it, its uplink %s%s, and %u tr%s failed: look for mlx5_core's own words "
			    "(journalctl -k | grep mlx5_core) and mend what they name", attempt->uplink,
			    *attempt->uplink ? " lives" : "cannot be seen here", attempt->tries, attempt->tries == 1 ? "y" : "ies");
	return error;
}

/*
 * write_eswitch() - sets the mode, once
 * @arg:	struct operation_look; netdev: the uplink before; tries: of the change, this one included
 * Return: 0; 1 if it failed by look->error and another try is worth it; other negative errno; *why filled unless it is 0
 *
 * mlx5 answers EBUSY at once, and changes nothing, while an offloaded flow of Open vSwitch is left (mlx5 eswitch.c
 * mlx5_esw_try_lock()); ovs-vswitchd takes the flows of a port that was removed away a moment later.
 */
static int write_eswitch(void *arg, struct reason *why)
{
	autonetlink struct netlink nl = { 0 };
	struct operation_look *look = arg;
	struct attempt attempt = { .pf = &look->step.pf, .tries = look->tries };
	int error = devlink_open(&nl, why);
	bool again;

	if (error)
		return error;
	memcpy(attempt.uplink, look->netdev.name, sizeof(attempt.uplink));
	error = devlink_eswitch_set(&nl, attempt.pf, (enum eswitch_mode)look->step.number, why);
	if (!error)
		return 0;
	look->error = error;
	again = is_worth_again(&attempt, error, why);
	(void)explain_failure(&attempt, error, why);
	return again ? 1 : error;
}

/* find_uplink() - the uplink of a step's PF, if it is to be seen. arg: struct operation_look. In a child. */
static int find_uplink(void *arg, struct reason *why)
{
	struct operation_look *look = arg;
	char address[PCI_ADDRESS_LEN];

	(void)why;
	return netdev_find_uplink(pci_address_format(&look->step.pf, address), &look->netdev);
}

/*
 * may_again() - waits a moment, and asks the door again: whoever has come to use the PF since must not be cut off, and a mode that somebody
 * else has set is not set again
 * Return: 0 it may be tried again; -EALREADY it is as wanted; as a judge
 */
static int may_again(const struct step *step, struct context *context, struct reason *why)
{
	enum eswitch_mode mode;
	int error;

	nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000000L }, NULL);
	error = read_mode(step, &mode, context, why);
	if (error || mode == step->number)
		return error ? error : -EALREADY;
	return context->ask ? context->ask(context->ask_arg, why) : 0;
}

/*
 * try_eswitch() - sets the mode; tries again for a while when somebody else is at work, and a few times when it fails and nothing is to be
 * seen that stands in the way
 * Return: 0; as a judge, if the door has come to refuse it; negative errno
 */
static int try_eswitch(const struct step *step, struct context *context, struct reason *why)
{
	struct operation_look look = { .step = *step };
	deadline_t patience = deadline_within(context->deadline, BUSY_MS);
	int error = operation_fetch(find_uplink, &look, context, why), asked = 0;

	if (error < 0)
		return error;
	if (error == 0)
		look.netdev = (struct netdev){ 0 };
	do {
		look.tries++;
		error = operation_fetch(write_eswitch, &look, context, why);
		if (error != 1 || !deadline_left(patience))
			return error == 1 ? look.error : error;
		asked = may_again(step, context, why);
	} while (!asked);
	return asked == -EALREADY ? 0 : asked;
}

/*
 * apply_eswitch() - switches the mode, reads it back, and waits for the link that the change took. What is given back waits for nothing.
 */
static int apply_eswitch(const struct step *step, struct context *context, struct reason *why)
{
	enum eswitch_mode mode;
	char address[PCI_ADDRESS_LEN];
	int had_carrier = context->once ? 0 : operation_has_carrier(step, context, why);
	int error = had_carrier < 0 ? had_carrier : try_eswitch(step, context, why);

	if (!error)
		error = read_mode(step, &mode, context, why);
	if (!error && mode == step->number && had_carrier)
		error = operation_await_carrier(step, context, why);
	if (error || mode == step->number)
		return error;
	return reason_set(why, -EIO, pci_address_format(&step->pf, address), "the eswitch took the new mode without an error and is not in it");
}

const struct operation operation_eswitch = { look_eswitch, apply_eswitch };
