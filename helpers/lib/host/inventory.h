/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * inventory.h: what a host has, in one struct that policy can judge without touching the host, and that is also JSON.
 */
#ifndef VFERRY_HOST_INVENTORY_H
#define VFERRY_HOST_INVENTORY_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/mac_address.h"
#include "base/pci_address.h"
#include "base/reason.h"
#include "card/card.h"
#include "card/device_user.h"
#include "card/devlink.h"
#include "card/netdev.h"
#include "switch/ovs.h"

#define INVENTORY_MAX_PFS 16
#define INVENTORY_MAX_VFS 256 /* of one PF */

struct inventory_vf {
	struct pci_address address;
	unsigned int index;
	char driver[32];             /* "" none */
	bool has_port;               /* a devlink port: switchdev mode only */
	bool port_unasked;           /* of it only ifindex and netdev are known: the card was not asked for the rest, or did not tell */
	int port_error;              /* why it did not tell, negative errno; 0: it was not asked */
	struct devlink_port port;    /* representor: port.ifindex, port.netdev; migratable; hw_addr */
	bool representor_up;
	unsigned int representor_mtu;/* bytes, 0 unknown */
	char bridge[64];             /* of the representor in Open vSwitch, "" none */
	bool bridge_ours;
	unsigned int msix;           /* entries of its MSI-X table, 0 unknown */
	unsigned int group_members;  /* of its IOMMU group, 1 is right */
	unsigned int host_addresses; /* IP addresses on the VF's own netdev: the host itself uses it */
	char host_netdev[16];        /* its own netdev when mlx5_core drives it */
	bool host_netdev_up;         /* IFF_UP */
	bool host_netdev_enslaved;   /* in a bond or bridge */
};

struct inventory_pf {
	struct pci_address address;
	struct card card;            /* copy of the row */
	char driver[32];
	struct devlink_info info;
	enum eswitch_mode mode;
	unsigned int total_vfs, num_vfs, offset, stride;
	bool autoprobe;
	bool msix_dynamic;           /* the MSI-X tables of its VFs can be set */
	int numa_node;               /* -1 unknown */
	char uplink[16];             /* netdev, "" none */
	uint32_t uplink_ifindex;
	bool uplink_up;
	unsigned int uplink_mtu;     /* bytes, 0 unknown */
	char uplink_bridge[64];      /* Open vSwitch bridge it is in, "" none */
	char uplink_master[16];      /* name of a bond or Linux bridge it is in, "" none */
	char uplink_master_kind[16];
	unsigned int uplink_addresses; /* those of what rides on it included */
	bool uplink_default_route;   /* the same */
	unsigned int uplink_tc_rules;/* TC rules at its ingress, but Open vSwitch's; not counted in switchdev mode where it is a port of that */
	bool ports_unasked;          /* the ports of its VFs are not asked for one and all: see inventory_read_few() */
	struct inventory_vf *vf;     /* num_vfs entries */
	char trouble[256];           /* what could not be read, no full stop; "" all right */
	char cure[256];              /* what to do then, no full stop; "" unknown */
};

struct inventory {
	char hostname[65];
	char architecture[32];       /* of the processor: "x86_64"; "" in a record that does not tell */
	struct inventory_pf pf[INVENTORY_MAX_PFS];
	size_t pfs;
	bool has_ovs;
	char ovs_trouble[256];       /* why not, no full stop */
	char ovs_cure[256];          /* what to do then, no full stop; "" unknown */
	struct ovs_state ovs;
	struct netdev *netdev;       /* those that anything of a card or a bridge has to do with; in a record that tells none: NULL */
	size_t netdevs;
	struct device_user *user;   /* who has PFs and VFs beside their netdevs */
	size_t users;
	bool ports_untold;           /* a record of an older vferry: it does not tell what the ports of Open vSwitch are */
	bool is_few;                 /* read by inventory_read_few(); in no record */
	bool users_unseen;           /* who has functions open could not be read: nothing is proven idle */
	bool has_variant_driver;     /* modules.alias has vfio_pci: for the VF's id */
	bool has_iommu;              /* /sys/kernel/iommu_groups is not empty */
};

/*
 * Reads the machine: libpci for the functions, sysfs, devlink, rtnetlink, OVSDB at ovsdb_socket. Changes nothing. A part that cannot
 * be read is left out with its "trouble" set; only a machine that cannot be read at all is an error.
 */
int inventory_read(struct inventory *inventory, const char *ovsdb_socket, deadline_t deadline, struct reason *why);

/*
 * The same, and the firmware of the cards is asked as little as can be, however many VFs there are: a VF's port is known by its
 * representor's name alone ("port_unasked"), where that is plain, until inventory_ask_ports() has asked for it.
 */
int inventory_read_few(struct inventory *inventory, const char *ovsdb_socket, deadline_t deadline, struct reason *why);

/*
 * Asks for the ports of VFs that are "port_unasked" (inventory_port.c). vf: of one PF of the inventory; one of which the card does not tell
 * stays as it is, with its "port_error". Return: 0, negative errno with *why if they could not be asked.
 */
int inventory_ask_ports(struct inventory_pf *pf, struct inventory_vf *const *vf, size_t count, deadline_t deadline, struct reason *why);

/* Only which PFs and VFs there are: asks no driver, so nothing keeps it waiting. Return: 0, negative errno with *why. */
int inventory_read_functions(struct inventory *inventory, struct reason *why);
void inventory_release(struct inventory *inventory);

/* JSON with stable keys, and back (for recorded hosts). */
struct json_object *inventory_to_json(const struct inventory *inventory);
int inventory_from_json(struct json_object *json, struct inventory *inventory, struct reason *why);

struct inventory_pf *inventory_find_pf(struct inventory *inventory, const struct pci_address *pf);

/*
 * Finds the PF whose VF an address is, or would be once VFs are created (SR-IOV offset and stride, up to total_vfs).
 * Return: the PF, and the VF's number in *index; NULL if it is no VF of a known card here.
 */
struct inventory_pf *inventory_find_vf(struct inventory *inventory, const struct pci_address *vf, unsigned int *index);

#define autoinventory __attribute__((cleanup(inventory_release)))

#endif
