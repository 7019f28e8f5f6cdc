/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guest.h: a guest as libvirt has it, by its uuid alone: a guest may be named like another's uuid.
 */
#ifndef VFERRY_AGENT_GUEST_H
#define VFERRY_AGENT_GUEST_H

#include <libvirt/libvirt.h>

#include "base/reason.h"
#include "domain/domain.h"

/* Looks it up; virt_free() it. Return: 0, -ENOENT if it has gone, -ENOTCONN, negative errno with *why. */
int guest_handle(virConnectPtr connection, const char *uuid, virDomainPtr *handle, struct reason *why);

/* Reads it as it runs, by its handle or by its uuid; domain_release() it. Return: 0, negative errno with *why. */
int guest_parse(virDomainPtr handle, struct domain *domain, struct reason *why);
int guest_read(virConnectPtr connection, const char *uuid, struct domain *domain, struct reason *why);

#endif
