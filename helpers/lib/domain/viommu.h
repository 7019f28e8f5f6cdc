/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * viommu.h: whether a guest has an IOMMU of its own: by <iommu>, or by what its XML hands to QEMU past libvirt (<qemu:commandline>).
 */
#ifndef VFERRY_DOMAIN_VIOMMU_H
#define VFERRY_DOMAIN_VIOMMU_H

#include <stdbool.h>
#include <stddef.h>

struct _xmlNode; /* of libxml2 */

/* Reads a <domain>. Return: whether there is one; model: its model, or QEMU's device; "" where none is named. */
bool viommu_read(const struct _xmlNode *domain, char *model, size_t size);

#endif
