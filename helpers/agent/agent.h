/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent.h: the agent's loop.
 *
 * Theory of operation. One thread, libvirt's event loop (and call.h for calls that may not come back). The truth about guests is libvirt's
 * status directory, as for the hook: a change there (inotify), an event of libvirt, the minute or the time of something that is to be done
 * makes a round:
 *
 *   look         status files and what was heard become facts (facts.h)
 *   decide       a pure function of the facts before, the facts now and the agenda asks for intents (decide.h, agenda.h)
 *   carry out    each intent has a part (work.h); its outcome goes back to the agenda, which keeps what has failed and tries it again later
 *
 * What must be quick (ending, announcing) is carried out at once; of the rest one thing a round, so that the next look is never far. No
 * part knows another; what a part must remember of a guest is in the part, by uuid.
 */
#ifndef VFERRY_AGENT_AGENT_H
#define VFERRY_AGENT_AGENT_H

#include "base/config.h"

/* Runs until it is told to stop. file: of the configuration, NULL the usual one; config: as it was read. Return: exit status. */
int agent_run(const char *file, const struct config *config);

#endif
