/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * publish.h: puts the agent's figures where the node exporter's text file collector reads them (metrics.h).
 */
#ifndef VFERRY_AGENT_PUBLISH_H
#define VFERRY_AGENT_PUBLISH_H

#include "agent/facts.h"
#include "agent/metrics.h"
#include "base/reason.h"

/* What the figures are made of. */
struct published {
	const struct config *config;
	const struct facts *facts;
	struct inventory *inventory;
	const struct metrics *metrics;
	const struct downtime_model *downtime;
};

/*
 * Writes the file, in a directory that is there: without a node exporter there is none, and that is no failure.
 * Return: 0, negative errno with *why.
 */
int publish(const struct published *what, struct reason *why);

#endif
