/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * decide.h: what follows from what was seen. One pure function: facts before, facts now and what is pending give intents.
 */
#ifndef VFERRY_AGENT_DECIDE_H
#define VFERRY_AGENT_DECIDE_H

#include "agent/agenda.h"
#include "agent/facts.h"
#include "base/config.h"
#include "host/inventory.h"

struct decide_case {
	const struct config *config;
	struct inventory *inventory; /* for the PFs that VFs belong to */
	const struct facts *before, *now;
};

/* Brings the agenda in line with what was seen: what is to be done is asked for, what is about something that is over is taken out. */
void decide(const struct decide_case *c, struct agenda *agenda);

#endif
