/* SPDX-License-Identifier: GPL-2.0-only */
/* Software ConnectX-7: what the files of swcx7_hw share among themselves. */
#ifndef SWCX7_INTERNAL_H
#define SWCX7_INTERNAL_H

#include "swcx7.h"

#define SWCX7_CONFIG_SIZE	4096
#define SWCX7_PCI_VENDOR	0x15b3
#define SWCX7_CAP_SRIOV		0x180	/* offset of the SR-IOV capability in a PF */

/*
 * struct swcx7_config - config space of one function
 * @value:	what is read
 * @writable:	bits that a write changes
 */
struct swcx7_config {
	u8 value[SWCX7_CONFIG_SIZE];
	u8 writable[SWCX7_CONFIG_SIZE];
};

/*
 * struct swcx7_layout - where the functions of a card are
 * @busnr:	bus of the root port; the card is on the next bus
 * @pfs:	number of PFs
 * @total_vfs:	VFs of each PF
 * @pf_device, @vf_device: PCI device ids
 */
struct swcx7_layout {
	int domain, busnr, pfs, total_vfs;
	u16 pf_device, vf_device;
};

/*
 * struct swcx7_card - the card with its root port
 * @layout:	addresses and ids
 * @pfs:	its PFs, layout.pfs of them
 * @root, @pf_config, @vf_config: config spaces
 */
struct swcx7_card {
	struct swcx7_layout layout;
	struct swcx7_pf pfs[SWCX7_MAX_PFS];
	struct swcx7_config *root;
	struct swcx7_config *pf_config[SWCX7_MAX_PFS];
	struct swcx7_config *vf_config[SWCX7_MAX_PFS][SWCX7_MAX_VFS];
};

/* swcx7_config.c: contents of config space */
struct swcx7_config *swcx7_config_root_port(const struct swcx7_layout *layout);
struct swcx7_config *swcx7_config_pf(const struct swcx7_layout *layout, int pf);
struct swcx7_config *swcx7_config_vf(void);
int swcx7_config_vf_offset(const struct swcx7_layout *layout, int pf);
int swcx7_config_vfs_enabled(const struct swcx7_config *pf_config);

/* swcx7_pci.c: the host bridge */
extern struct pci_ops swcx7_pci_ops;
int swcx7_pci_create(struct swcx7_card *card);
void swcx7_pci_destroy(void);

/* swcx7_eswitch.c */
void swcx7_esw_rx_from_wire(struct swcx7_pf *pf, struct sk_buff *skb);

/* swcx7_link.c */
void swcx7_link_init(struct swcx7_pf *pf);
void swcx7_link_exit(struct swcx7_pf *pf);

/* swcx7_wire.c: cables */
int swcx7_wire_init(struct swcx7_card *card);
void swcx7_wire_exit(void);
int swcx7_wire_set(struct swcx7_pf *pf, const char *name);
bool swcx7_wire_has_carrier(struct swcx7_pf *pf);

/* swcx7_fault.c */
struct seq_file;
void swcx7_fault_print(struct swcx7_fault *fault, struct seq_file *out);
int swcx7_fault_parse(struct swcx7_fault *fault, char *line);

/* swcx7_debugfs.c */
void swcx7_debugfs_init(struct swcx7_card *card);
void swcx7_debugfs_exit(void);

#endif
