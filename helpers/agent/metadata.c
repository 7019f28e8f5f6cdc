/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * metadata.c: writes a guest's passport into its live metadata.
 *
 * virDomainSetMetadata() takes a job of the guest and waits up to 30 s for one, for instance when a migration begins in that moment
 * (src/qemu/qemu_driver.c, src/conf/virdomainjob.c). The agent has one thread and gates to keep, so it starts itself a second time for the
 * call, with a deadline. (A child by fork alone would not do: GLib's main context, on which libvirt's event loop is built, goes on
 * writing to its wake-up descriptor there, whose number the child's own connection may have got.)
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "base/spawn.h"
#include "domain/passport.h"
#include "virt/virt.h"

#define WRITE_MS 10000 /* an idle guest takes milliseconds */

/* In the second process. uuid: of the guest. xml: passport, "" removes it. Return: 0, negative errno. */
int metadata_write(const char *uuid, const char *xml, struct reason *why)
{
	autovirt virConnectPtr connection = NULL;
	autoguest virDomainPtr domain = NULL;
	int error = virt_open(&connection, why);

	if (!error)
		error = virt_find_uuid(connection, uuid, &domain, why);
	return error ? error : virt_set_metadata(domain, *xml ? xml : NULL, "vf", PASSPORT_NAMESPACE, VIR_DOMAIN_AFFECT_LIVE, why);
}

/* xml: NULL removes it. Return: 0, -ETIME, -EIO, other negative errno, *why filled. */
int metadata_start(const char *uuid, const char *xml, struct reason *why)
{
	char program[] = "/proc/self/exe", option[] = METADATA_OPTION, nothing[] = "";
	char *argv[] = { program, option, strdup(uuid), xml ? strdup(xml) : nothing, NULL };
	int status = argv[2] && argv[3] ? spawn_run(argv, NULL, 0, deadline_in(WRITE_MS), why) : -ENOMEM;

	free(argv[2]);
	if (xml)
		free(argv[3]);
	return status > 0 ? -EIO : status;
}
