/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ours.h: whether a guest is any of vferry's business, before anything of vferry's can fail it.
 *
 * A guest with a GPU or a USB device reaches the worker too. It must come and go whatever is wrong with vferry, so this is decided first,
 * from its XML, its passport, sysfs and libvirt's networks, without a lock and without anything below /run/vferry but one look.
 */
#ifndef VFERRY_HOOKS_OURS_H
#define VFERRY_HOOKS_OURS_H

#include <stdbool.h>

#include "base/config.h"
#include "domain/domain.h"

struct ours {
	bool has_vf;      /* its XML has a VF that vferry carries, or a device that the configuration refuses */
	bool has_state;   /* something is kept for it here (state/mark.h) */
	bool is_arriving; /* "migrate" has made ready for it, and it was not seen to run */
};

/*
 * Looks. incoming: at "migrate", where the configuration judges devices that nothing identifies. Never fails: what cannot be read is
 * no reason to take a device for a VF, unless it is one of a card of ours by its ids.
 */
void ours_look(const struct config *config, const struct domain *domain, bool incoming, struct ours *ours);

#endif
