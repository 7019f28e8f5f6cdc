/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * domain.h: the domain XML that libvirt gives to a hook, and the same XML with other source addresses.
 *
 * The XML may come from another host. Nothing in it is trusted: sizes are bounded, a document type or entity declaration is refused,
 * names are cleaned before they are shown.
 */
#ifndef VFERRY_DOMAIN_DOMAIN_H
#define VFERRY_DOMAIN_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mac_address.h"
#include "base/pci_address.h"
#include "base/reason.h"
#include "domain/extras.h"
#include "domain/passport.h"

#define DOMAIN_XML_MAX (16u << 20) /* bytes; libvirt's own RPC limit for a string is 4 MiB, a message 32 MiB */
#define DOMAIN_UUID_LEN 37
#define DOMAIN_NAME_MAX 256

enum hostdev_kind {
	HOSTDEV_INTERFACE, /* <interface type='hostdev'> */
	HOSTDEV_PLAIN,     /* <hostdev mode='subsystem' type='pci'> */
	HOSTDEV_POOL,      /* <interface type='network'>: a VF only if that network is a hostdev pool on this host */
};

/* One device of the guest that is, or may be, a PCI device of the host. */
struct hostdev {
	enum hostdev_kind kind;
	bool managed;
	bool has_source;
	struct pci_address source;      /* host's address; not for HOSTDEV_POOL */
	bool has_mac;
	struct mac_address mac;
	bool has_guest;
	struct pci_address guest;       /* address that the guest sees */
	bool is_transient;              /* <teaming type='transient'>: QEMU unplugs it before the guest moves, and plugs it behind that */
	unsigned int extras;            /* bits of enum extra: what a VF cannot have */
	char network[DOMAIN_NAME_MAX];  /* of HOSTDEV_POOL */
	char portgroup[64];             /* of that network; "" none is named */
	char model[64];                 /* <driver model=>, empty if none */
	const struct passport_vf *passport; /* the entry that speaks of this device, NULL if none */
	void *node;                     /* its <source><address> in the document (xmlNode), NULL for HOSTDEV_POOL */
};

/* Not to be copied: hostdevs point into passport and document. */
struct domain {
	char uuid[DOMAIN_UUID_LEN];     /* lower case, 8-4-4-4-12 */
	char name[DOMAIN_NAME_MAX];     /* as given; clean before showing */
	bool has_iommu;                 /* an IOMMU of its own (viommu.h) */
	char iommu_model[64];
	struct hostdev *hostdev;        /* owned; as many as there are: a virtual switch has hundreds of interfaces */
	size_t hostdevs;
	struct passport passport;
	void *document;                 /* xmlDoc, owned; of <metadata> it has vferry's own element alone */
	char *metadata;                 /* owned: the content of <metadata> as it came, NULL if that is in the document */
};

/*
 * Reads domain XML. xml need not end with NUL. On success *domain must be given to domain_release().
 * Return: 0; -EINVAL (malformed, hostile, or not a domain), -E2BIG (over a bound above), -ENOMEM; *why filled, *domain zeroed.
 */
int domain_parse(const char *xml, size_t len, struct domain *domain, struct reason *why);

/* Gives back what domain_parse() took; harmless on a zeroed struct. */
void domain_release(struct domain *domain);

/*
 * Changes the source address of hostdev number index in the document, and only that: the attributes domain, bus, slot and function of
 * its <source><address>. Return: 0, -EINVAL if it has no source address (a pool interface).
 */
int domain_set_source(struct domain *domain, size_t index, const struct pci_address *address);

/*
 * Serialises the document, <metadata> byte by byte as it came: *xml is malloc'ed and ends with NUL. Return: length; -ENOMEM; -EINVAL if
 * libxml2 does not print what it read.
 */
long domain_print(const struct domain *domain, char **xml);

#define autodomain __attribute__((cleanup(domain_release)))

#endif
