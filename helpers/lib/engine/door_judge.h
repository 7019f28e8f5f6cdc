/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * door_judge.h: the door's judges, one for each kind of step. Private to the door: door.c has those of VFs, door_pf.c the others.
 */
#ifndef VFERRY_ENGINE_DOOR_JUDGE_H
#define VFERRY_ENGINE_DOOR_JUDGE_H

#include "engine/door.h"

/* One question to a judge. */
struct question {
	struct door *door;
	const struct object *object;
	const struct step *step; /* looked at */
	const struct step *made; /* what it gives back, NULL: nothing */
};

/* What a judge says: 0: it may be; negative errno: not now, with *why; OTHERS: somebody else's by now, with *why. */
#define OTHERS 1

/* Whether somebody else has set a number since vferry did. Return: 0, OTHERS with *why. */
int door_is_changed_since(const struct question *q, struct reason *why);

/* door_pf.c. */
int judge_autoprobe(const struct question *q, struct reason *why);
int judge_eswitch(const struct question *q, struct reason *why);
int judge_num_vfs(const struct question *q, struct reason *why);
int judge_uplink_up(const struct question *q, struct reason *why);
int judge_ovs_option(const struct question *q, struct reason *why);
int judge_bridge(const struct question *q, struct reason *why);
int judge_uplink_port(const struct question *q, struct reason *why);

#endif
