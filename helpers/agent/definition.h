/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * definition.h: the stored definition of a guest that has arrived.
 */
#ifndef VFERRY_AGENT_DEFINITION_H
#define VFERRY_AGENT_DEFINITION_H

#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "base/reason.h"
#include "domain/domain.h"

/*
 * With --persistent the source sends its own stored definition, whose VFs have the source's addresses (src/qemu/qemu_migration.c): its next
 * start here would take another VF, or none. Puts the addresses that the running guest has into it, and changes nothing else.
 * domain: handle of the guest; live: as it runs; is_late: nobody saw it arrive, and somebody may have changed the definition since: then only
 * an address at which this host has no device is replaced. Return: 0 (also if it has no stored definition), negative errno with *why.
 */
int definition_mend(virDomainPtr domain, const struct domain *live, bool is_late, struct reason *why);

/* The part without libvirt: whether a stored definition was changed. */
bool definition_adopt(struct domain *stored, const struct domain *live, bool is_late);

#endif
