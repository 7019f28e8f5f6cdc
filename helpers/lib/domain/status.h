/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * status.h: libvirt's status directory, /run/libvirt/qemu/NAME.xml: what runs here, and what is in flight.
 *
 * The files are private to libvirt (written by rename, never half; src/qemu/qemu_domainjob.c, conf/domain_conf.c). They are read
 * because a hook may not call libvirt, and because they are the truth: a restart of libvirtd reads them too. A file that does not
 * parse is skipped and counted, not fatal: another guest's file must not stop this one.
 */
#ifndef VFERRY_DOMAIN_STATUS_H
#define VFERRY_DOMAIN_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pci_address.h"
#include "base/reason.h"
#include "domain/domain.h"

#define STATUS_DIRECTORY "/run/libvirt/qemu"
#define STATUS_POSTCOPY 0x8000u /* VIR_MIGRATE_POSTCOPY, include/libvirt/libvirt-domain.h */
#define STATUS_PARALLEL 0x20000u /* VIR_MIGRATE_PARALLEL */

enum status_job { STATUS_NO_JOB, STATUS_MIGRATION_IN, STATUS_MIGRATION_OUT, STATUS_OTHER_JOB };

/* One guest that libvirt runs (or is about to). */
struct status {
	char uuid[DOMAIN_UUID_LEN];
	char name[DOMAIN_NAME_MAX];
	char state[16];               /* "running", "paused", … as libvirt writes it */
	char state_reason[32];        /* "migrated", "migration", "booted", … */
	enum status_job job;
	char phase[24];               /* "prepare", "begin3", "perform3", … */
	unsigned int flags;           /* VIR_MIGRATE_* of the job */
	uint64_t started;             /* of the job, ms since 1970; 0 unknown */
	char machine[48];             /* type of its machine, "pc-q35-10.0" */
	struct pci_address *device;   /* host PCI devices that it has: hostdevs, hostdev interfaces, actual of pool interfaces */
	size_t devices;
	size_t transient;             /* how many of them, the last ones, QEMU unplugs before a migration: nothing of them travels */
	struct mac_address *mac;      /* of its network interfaces */
	size_t macs;
};

struct status_list {
	struct status *status;
	size_t count;
	size_t unreadable;            /* files that did not parse */
};

/* What a process that looks again and again has read. Zeroed: nothing yet. */
struct status_cache {
	struct status_kept *kept;     /* by the names of the files, in order */
	size_t count;
};

/* Reads the text of one status file, whose last byte is followed by NUL. Return: 0, -EINVAL, -ENOMEM. */
int status_parse(const char *text, size_t len, struct status *status, struct reason *why);

/* Reads the whole directory. An absent directory is an empty list. Return: 0, negative errno. */
int status_read_all(struct status_list *list, struct reason *why);

/*
 * The same for a process that looks again and again: only files that are new are read. libvirt never writes into a status file that is
 * there, so a file of the same inode, size and time of change says what it said.
 */
int status_read_new(struct status_cache *cache, struct status_list *list, struct reason *why);

/*
 * Reads the status of one guest by uuid (lower case).
 * Return: 0; -ENOENT if libvirt has no file for it; -EINVAL if its file does not parse; other negative errno.
 */
int status_read(const char *uuid, struct status *status, struct reason *why);

void status_release(struct status *status);
void status_list_release(struct status_list *list);
void status_cache_release(struct status_cache *cache);

/* Whether nothing of a guest's host devices travels with it. */
bool status_is_failover(const struct status *status);

/* Whether one of them is such a device. */
bool status_is_transient(const struct status *status, const struct pci_address *device);

/* The guest that has a PCI device, NULL if none. */
const struct status *status_find_device(const struct status_list *list, const struct pci_address *device);

/* Whether one of a guest's network interfaces has a MAC. */
bool status_has_mac(const struct status *status, const struct mac_address *mac);

/*
 * Another guest (by its uuid) of a list, NULL if none, that has one MAC with a guest.
 * mac: that MAC, of the guest's; only where there is one.
 */
const struct status *status_find_twin(const struct status *status, const struct status_list *list, const struct mac_address **mac);

/* The guest with a uuid, NULL if none. */
const struct status *status_find_uuid(const struct status_list *list, const char *uuid);

/*
 * Whether an incoming guest has certainly landed: libvirt has a file, no incoming migration in it, and the guest runs, or is paused for a
 * reason that only a guest has that ran (libvirt sets running/migrated in Finish, src/qemu/qemu_migration.c). A guest that is on its way
 * out again has landed before. One that is being ended looks the same whether it had landed or not.
 */
bool status_is_landed(const struct status *status);

#endif
