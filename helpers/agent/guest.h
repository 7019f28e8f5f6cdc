/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guest.h: what the agent asks libvirt about a guest: by its uuid alone, since a guest may be named like another's uuid, and never for
 * longer than until a deadline.
 *
 * Each returns 0; -ENOENT if the guest has gone; -ENOTCONN without a connection; -ETIME, -EBUSY if libvirt does not answer (call.h); other
 * negative errno; with *why.
 */
#ifndef VFERRY_AGENT_GUEST_H
#define VFERRY_AGENT_GUEST_H

#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/reason.h"
#include "domain/domain.h"

/* A guest, and until when it may take. */
struct guest_link {
	virConnectPtr connection; /* NULL: none */
	const char *uuid;
	deadline_t deadline;
};

/* How its outgoing migration gets on. */
struct guest_progress {
	unsigned long long pass;      /* of its memory, counted from 1 */
	unsigned long long remaining; /* bytes */
	unsigned long long speed;     /* bytes/s */
};

/* Reads it as it runs; domain_release() it. */
int guest_read(const struct guest_link *guest, struct domain *domain, struct reason *why);

/* Its stored definition, for free(); NULL if it has none. Replaces that. */
int guest_stored(const struct guest_link *guest, char **xml, struct reason *why);
int guest_define(const struct guest_link *guest, const char *xml, struct reason *why);

/* Writes its passport into its live metadata, without its namespace; NULL removes it. Waits for its job, if it has one. */
int guest_write_passport(const struct guest_link *guest, const char *xml, struct reason *why);

/* Ends its job: it runs on. */
int guest_abort(const struct guest_link *guest, struct reason *why);

/* QEMU's downtime limit in ms; how far its memory is sent. */
int guest_limit(const struct guest_link *guest, unsigned int *now, struct reason *why);
int guest_set_limit(const struct guest_link *guest, unsigned int limit, struct reason *why);
int guest_progress(const struct guest_link *guest, struct guest_progress *progress, struct reason *why);

#endif
