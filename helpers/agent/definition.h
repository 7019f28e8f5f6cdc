/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * definition.h: the part of mending a stored definition that needs no libvirt.
 */
#ifndef VFERRY_AGENT_DEFINITION_H
#define VFERRY_AGENT_DEFINITION_H

#include <stdbool.h>

#include "domain/domain.h"

/*
 * Puts the addresses that the running guest (live) has into its stored definition. is_late: nobody saw it arrive, and somebody may have
 * changed the definition since: then only an address at which this host has no device is replaced. Return: whether something was changed.
 */
bool definition_adopt(struct domain *stored, const struct domain *live, bool is_late);

#endif
