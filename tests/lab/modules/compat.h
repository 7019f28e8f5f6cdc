/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Software ConnectX-7: what differs between the kernels that the modules are built for.
 *
 * One paragraph a difference. Which of two ways the headers at hand go is found by compiling a few lines against them, see
 * `configure`, which writes compat-found.h: a distribution's stable kernel takes changes over from later ones, so a version
 * number tells nothing.
 */
#ifndef SWCX7_COMPAT_H
#define SWCX7_COMPAT_H

#include "compat-found.h"

/*
 * net_device.netns_local: "stays in its network namespace". Renamed to netns_immutable in Linux 6.15, and in Debian's 6.12.117.
 */
#ifdef FOUND_NETNS_IMMUTABLE
#define compat_netns_immutable netns_immutable
#else
#define compat_netns_immutable netns_local
#endif

/*
 * iommu_domain_ops.attach_dev: since Linux 6.19 it is also told which domain the device leaves. COMPAT_OLD_DOMAIN is that parameter,
 * with its comma, or nothing.
 */
#ifdef FOUND_ATTACH_DEV_OLD_DOMAIN
#define COMPAT_OLD_DOMAIN , struct iommu_domain *old
#else
#define COMPAT_OLD_DOMAIN
#endif

/*
 * vfio_device_ops.get_region_info_caps: the VFIO core of Linux 7 answers VFIO_DEVICE_GET_REGION_INFO itself, by this operation, and hands it
 * to no driver's ioctl; without it QEMU says "failed to get region 0 info: Invalid argument". COMPAT_DESCRIBE_REGION sets it where it exists.
 */
#ifdef FOUND_GET_REGION_INFO_CAPS
#define COMPAT_DESCRIBE_REGION(function) .get_region_info_caps = function,
#else
#define COMPAT_DESCRIBE_REGION(function)
#endif

/*
 * vdpa_device.dma_dev: which device does the DMA. In Linux 7 it is a member of the union vmap, and vdpa_alloc_device() has one parameter more,
 * for mapping operations of a driver's own.
 */
#ifdef FOUND_VDPA_VMAP
#define compat_vdpa_dma_dev vmap.dma_dev
#define compat_vdpa_alloc(type, member, parent, ops, name) vdpa_alloc_device(type, member, parent, ops, NULL, 1, 1, name, false)
#else
#define compat_vdpa_dma_dev dma_dev
#define compat_vdpa_alloc(type, member, parent, ops, name) vdpa_alloc_device(type, member, parent, ops, 1, 1, name, false)
#endif

#endif
