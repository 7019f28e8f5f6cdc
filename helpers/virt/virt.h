/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virt.h: libvirt, for the programs that may call it: vferry and its agent. Never for a hook, which would wait for a libvirtd that waits
 * for the hook; so this room is no part of the library.
 *
 * Each call is one of libvirt's, with its error as a reason. libvirt bounds none of them: a call that needs the guest's lock or a job of
 * it waits while a hook of that guest runs, or up to 30 s for a job (src/conf/virdomainjob.c).
 */
#ifndef VFERRY_VIRT_VIRT_H
#define VFERRY_VIRT_VIRT_H

#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "base/reason.h"

#define VIRT_URI "qemu:///system"

/*
 * Before the first call of libvirt: it prints no error to stderr by itself any more, and a libvirtd that goes while it is written to is an
 * error and not the end of the program. libvirt writes without MSG_NOSIGNAL (src/rpc/virnetsocket.c) and blocks SIGPIPE only while it waits
 * (src/rpc/virnetclient.c). virt_open() does this; for a program that begins with another of libvirt's libraries.
 */
void virt_begin(void);

/* Connects. Error: -ECONNREFUSED with what to do. Closing is harmless on NULL. */
int virt_open(virConnectPtr *connection, struct reason *why);
void virt_close(virConnectPtr *connection);

/* Finds a guest that somebody named: by uuid, if it can be one, else by name. Return: 0, -ENOENT, other negative errno. */
int virt_find(virConnectPtr connection, const char *name, virDomainPtr *domain, struct reason *why);

/* Finds the guest that has a uuid, and no other: a guest may be named like another's uuid. Return: as virt_find(). */
int virt_find_uuid(virConnectPtr connection, const char *uuid, virDomainPtr *domain, struct reason *why);
void virt_free(virDomainPtr *domain);

/* Calls fn for each guest that libvirt has, until it fails. Return: 0, negative errno. */
int virt_each(virConnectPtr connection, int (*fn)(virDomainPtr domain, void *arg, struct reason *why), void *arg, struct reason *why);

/* Whether a guest runs; whether it has a definition. A guest that has gone in the meantime: neither. */
bool virt_is_running(virDomainPtr domain);
bool virt_is_defined(virDomainPtr domain);

/*
 * The guest's XML, for free(): as it runs, or (is_stored) the definition that it next starts from, complete with its secrets, so that it
 * can be defined again. Return: 0, negative errno.
 */
int virt_xml(virDomainPtr domain, bool is_stored, char **xml, struct reason *why);

/*
 * Changes; where: VIR_DOMAIN_AFFECT_LIVE, VIR_DOMAIN_AFFECT_CONFIG, both or-ed. metadata: xml without namespace (passport_print() with
 * is_plain), NULL removes it; key is its prefix there. Fails after 30 s while a job of the guest, such as a migration, runs.
 */
int virt_set_metadata(virDomainPtr domain, const char *xml, const char *key, const char *uri, unsigned int where, struct reason *why);
int virt_attach(virDomainPtr domain, const char *xml, unsigned int where, struct reason *why);
int virt_detach(virDomainPtr domain, const char *xml, unsigned int where, struct reason *why);

/* Replaces the stored definition of the guest that the XML names. A running guest is not touched. */
int virt_define(virConnectPtr connection, const char *xml, struct reason *why);

/* Ends the guest's job, such as an outgoing migration: the guest runs on. */
int virt_abort(virDomainPtr domain, struct reason *why);

/* Fills *why with libvirt's last error: "libvirt cannot WHAT: ITS WORDS". Return: negative errno. */
int virt_reason(struct reason *why, const char *object, const char *what);

#define autovirt __attribute__((cleanup(virt_close)))
#define autoguest __attribute__((cleanup(virt_free)))

#endif
