/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * extras.h: what an interface, or the network or port group that it is of, asks for and a VF of an eswitch in switchdev mode cannot have.
 */
#ifndef VFERRY_DOMAIN_EXTRAS_H
#define VFERRY_DOMAIN_EXTRAS_H

/* Bits. */
enum extra {
	EXTRA_VLAN = 1,        /* <vlan>: the driver takes none (Linux mlx5/core/eswitch.c mlx5_eswitch_set_vport_vlan()) */
	EXTRA_VIRTUALPORT = 2, /* <virtualport>: none but 802.1Qbh (libvirt, src/hypervisor/virhostdev.c) */
	EXTRA_BANDWIDTH = 4,   /* <bandwidth> (libvirt, src/conf/domain_validate.c virDomainActualNetDefValidate()) */
	EXTRA_ISOLATED = 8,    /* <port isolated='yes'/> (the same) */
};

struct _xmlNode; /* of libxml2 */

/* Reads what stands below an element <interface>, <portgroup> or <network>. Return: bits of enum extra. */
unsigned int extras_read(const struct _xmlNode *node);

/* The element of the lowest bit, "<vlan>"; "" for 0. */
const char *extras_name(unsigned int extras);

#endif
