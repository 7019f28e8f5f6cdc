/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * devlink.h: the devlink calls that vferry needs, over generic netlink.
 *
 * Numbers are our own copies of the kernel's uapi (include/uapi/linux/devlink.h), since distributions ship headers without them.
 *
 * Every call takes the instance's lock in the kernel and waits behind a mode change or a write to sriov_numvfs on that card; no signal
 * ends such a wait. Where that matters, call them in a guard_call(), and open the socket in there: a guarded child starts without
 * descriptors.
 */
#ifndef VFERRY_CARD_DEVLINK_H
#define VFERRY_CARD_DEVLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mac_address.h"
#include "base/pci_address.h"
#include "base/vf_function.h"
#include "card/netlink.h"

enum eswitch_mode { ESWITCH_LEGACY = 0, ESWITCH_SWITCHDEV = 1, ESWITCH_UNKNOWN = 0xffff };

enum devlink_flavour { DEVLINK_PHYSICAL = 0, DEVLINK_PCI_PF = 3, DEVLINK_PCI_VF = 4, DEVLINK_VIRTUAL = 5 };

struct devlink_info {
	char psid[32];
	char firmware[24];        /* running */
	char firmware_stored[24];
};

struct devlink_port {
	char bus[16], device[32]; /* "pci", "0000:81:00.0" or "auxiliary", "mlx5_core.eth.2" */
	uint32_t index;
	uint16_t flavour;
	bool external;            /* belongs to another controller (BlueField) */
	uint16_t pf_number, vf_number;
	uint32_t ifindex;         /* 0: no netdev (yet) */
	char netdev[16];
	bool has_hw_addr;
	struct mac_address hw_addr;
	bool can_migrate;         /* the kernel and the firmware know "migratable" */
	bool migratable;
	struct vf_function function;
};

/* Opens the devlink family. */
int devlink_open(struct netlink *nl, struct reason *why);

/* Firmware versions and PSID of a PCI device. */
int devlink_info_get(struct netlink *nl, const struct pci_address *device, struct devlink_info *info, struct reason *why);

/* Needs CAP_NET_ADMIN. A mode that vferry does not know is ESWITCH_UNKNOWN. */
int devlink_eswitch_get(struct netlink *nl, const struct pci_address *pf, enum eswitch_mode *mode, struct reason *why);

/*
 * Sets the mode; never call it with the mode that is set already (mlx5 drops LAG or fails with EBUSY then). Blocks for seconds inside
 * the kernel: use it in a guard_call().
 */
int devlink_eswitch_set(struct netlink *nl, const struct pci_address *pf, enum eswitch_mode mode, struct reason *why);

/*
 * devlink_refusal.c: what the kernel means with a mode that it did not set, by its errno and words; and what an operator can do.
 * ESWITCH_REFUSED: something stands in the way. ESWITCH_REFUSED_FOR_NOW: somebody is at work on the e-switch, and nothing was changed.
 * ESWITCH_FAILED: the change was begun and failed, the words say no more.
 */
enum eswitch_refusal { ESWITCH_REFUSED, ESWITCH_REFUSED_FOR_NOW, ESWITCH_FAILED };
enum eswitch_refusal devlink_eswitch_refusal(int error, const char *words);
const char *devlink_refusal_cure(int error, const char *words);

/*
 * All ports of a PF's devlink instance and of the auxiliary instances below it (where the uplink is since Linux 6.3), into *ports
 * (malloc) and *count. A dump that a sick port cut short is completed by nothing: callers that miss a port ask again with
 * devlink_port_get().
 */
int devlink_ports(struct netlink *nl, const struct pci_address *pf, struct devlink_port **ports, size_t *count, struct reason *why);

/* One port again, by its bus, device and index. */
int devlink_port_get(struct netlink *nl, struct devlink_port *port, struct reason *why);

/*
 * The port of the netdev with an index (devlink_netdev.c). -ENODEV: there is no such netdev; -EOPNOTSUPP: the kernel does not tell;
 * -EMSGSIZE: a sick firmware does not answer for it.
 */
int devlink_port_of(struct netlink *nl, uint32_t ifindex, struct devlink_port *port, struct reason *why);

/* May block while the firmware works: use them in a guard_call(). */
int devlink_port_set_migratable(struct netlink *nl, const struct devlink_port *port, bool on, struct reason *why);
int devlink_port_set_hw_addr(struct netlink *nl, const struct devlink_port *port, const struct mac_address *mac, struct reason *why);

/* The same for "roce" and "max_io_eqs". value: enum function_switch, a number. */
int devlink_port_set_attribute(struct netlink *nl, const struct devlink_port *port, enum function_attribute attribute, uint32_t value,
			       struct reason *why);

/* "pci/0000:81:00.0/1", as devlink(8) writes it. Returns out. */
#define DEVLINK_HANDLE_LEN 64
char *devlink_port_handle(const struct devlink_port *port, char out[DEVLINK_HANDLE_LEN]);

/* The parsing halves, for tests and fuzzing: one reply of the kernel. -EPROTO: it is none. */
int devlink_parse_port(struct nlmsghdr *reply, struct devlink_port *port);
int devlink_parse_info(struct nlmsghdr *reply, struct devlink_info *info);

#endif
