/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guest.c: a guest as libvirt has it. See guest.h.
 */
#include "agent/guest.h"

#include <errno.h>
#include <string.h>

#include "base/scope.h"
#include "virt/virt.h"

/* See guest.h. */
int guest_handle(virConnectPtr connection, const char *uuid, virDomainPtr *handle, struct reason *why)
{
	if (!connection)
		return reason_set(why, -ENOTCONN, "", "there is no connection to libvirt");
	*handle = virDomainLookupByUUIDString(connection, uuid);
	return *handle ? 0 : virt_reason(why, "", "find the guest");
}

/* See guest.h. */
int guest_parse(virDomainPtr handle, struct domain *domain, struct reason *why)
{
	autofree char *xml = NULL;
	int error = virt_xml(handle, false, &xml, why);

	return error ? error : domain_parse(xml, strlen(xml), domain, why);
}

/* See guest.h. */
int guest_read(virConnectPtr connection, const char *uuid, struct domain *domain, struct reason *why)
{
	autoguest virDomainPtr handle = NULL;
	int error = guest_handle(connection, uuid, &handle, why);

	return error ? error : guest_parse(handle, domain, why);
}
