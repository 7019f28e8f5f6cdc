/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * story.h: the story of each migration of a guest with VFs, told by the facts, by libvirt's figures and by what the agent did, for history
 * and metrics. It decides nothing.
 */
#ifndef VFERRY_AGENT_STORY_H
#define VFERRY_AGENT_STORY_H

#include <libvirt/libvirt.h>

#include "agent/agenda.h"
#include "agent/facts.h"
#include "state/migration.h"

/* A migration that is over. */
struct story_end {
	struct migration migration;
	bool is_multifd; /* the states of its VFs went over several streams */
};

/* Who is told of each. */
struct story_listener {
	void (*tell)(const struct story_end *end, void *arg);
	void *arg;
};

/* Follows all migrations by two looks, one after the other. */
void story_follow(const struct facts *before, const struct facts *now, const struct story_listener *listener);

/* Takes what libvirt tells of a guest's job that has succeeded; that ends the story at the source. */
void story_figures(const char *uuid, virTypedParameterPtr params, int count, const struct story_listener *listener);

/*
 * Takes what came of an intent: what the agent has ended itself; the limit that it has set; whether what is to be done for an arrival is
 * done, which ends the story here, as "unsettled" if something has failed more often than it may.
 */
void story_result(const struct intent *intent, const struct outcome *outcome, const struct story_listener *listener);

/* When story_follow() must be called though nothing happens: clock; INT64_MAX: never. */
int64_t story_wake(void);

/* Forgets all without telling. */
void story_release(void);

#endif
