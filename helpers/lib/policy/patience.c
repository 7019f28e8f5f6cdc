/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * patience.c: see patience.h.
 */
#include "policy/patience.h"

#include <errno.h>

#include "policy/rules.h"

/*
 * patience_wait() - how long an arrival may wait for a slot
 * Return: ms. Where no move has been seen yet, half of the caller's time is kept for it.
 */
int64_t patience_wait(const struct patience *patience)
{
	int64_t most = (int64_t)patience->config->slot_wait * 1000, whole = (int64_t)patience->config->patience * 1000;
	int64_t left = whole - (patience->move_ms ? patience->move_ms : whole / 2);

	if (!whole)
		return most;
	if (left < 0)
		left = 0;
	return left < most ? left : most;
}

/*
 * patience_judge() - whether a guest's turn can come in time
 * @before:	guests in line before it; at best each has one VF, and as many move at once as there are slots
 * Return: 0, -EAGAIN
 */
int patience_judge(const struct patience *patience, size_t before, struct reason *why)
{
	unsigned int slots = patience->config->vfs_in_flight ? patience->config->vfs_in_flight : 1;
	int64_t expected = (int64_t)(before / slots) * patience->move_ms, left = patience_wait(patience);

	if (!patience->config->patience || expected <= left)
		return 0;
	reason_set(why, -EAGAIN, NULL,
		   "%zu guests wait for a slot before it, which takes %lld s or more, and whoever moves it leaves it %lld s", before,
		   (long long)(expected / 1000), (long long)(left / 1000));
	reason_cure(why, "move fewer guests at a time; or raise patience in vferry.conf here, and the time that the engine waits for a migration");
	reason_rule(why, "L4-slots");
	return -EAGAIN;
}
