/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * learned.h: what was seen of downtimes on this host, kept on disk. Losing it costs nothing but knowledge.
 */
#ifndef VFERRY_AGENT_LEARNED_H
#define VFERRY_AGENT_LEARNED_H

#include "agent/story.h"
#include "policy/downtime.h"

/* Reads it; what is not there or no sensible number is not known. */
void learned_recall(struct downtime_model *model);

/* Takes a migration that is over, and writes what was learned. */
void learned_take(struct downtime_model *model, const struct story_end *end);

#endif
