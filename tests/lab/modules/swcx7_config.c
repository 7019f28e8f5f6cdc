// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: contents of the config spaces (root port, PF, VF).
 *
 * Each space is a block of bytes with a mask of writable bits; registers with side effects are kept out (FLR and bus reset
 * read as 0 and do nothing), so that plain memory is enough.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sizes.h>
#include <linux/unaligned.h>
#include "swcx7_internal.h"

#define CAP_PCIE		0x60
#define CAP_MSIX		0x9c
#define CAP_ARI			0x100
#define PF_BAR_SIZE		SZ_32M
#define VF_BAR_SIZE		SZ_1M
#define PF_MSIX_VECTORS		64
#define VF_MSIX_VECTORS		12
#define BAR_64BIT_PREFETCH	(PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH)
#define ROOT_PORT_VENDOR	0x8086
#define ROOT_PORT_DEVICE	0x352a
#define COMMAND_WRITABLE	(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | \
				 PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE)
#define LINK_GEN5_X16		(5 | (16 << 4))
#define ALL_LINK_SPEEDS		0x3e	/* 2.5 to 32 GT/s */
#define PAGE_SIZES_SUPPORTED	0x553	/* as a ConnectX-7 reports them */
#define SYSTEM_PAGE_SIZE_4K	1

/** set_value8() - preset a register of 8 bits. @at: offset in bytes */
static void set_value8(struct swcx7_config *config, int at, u8 value)
{
	config->value[at] = value;
}

/** set_value16() - preset a register of 16 bits. @at: offset in bytes */
static void set_value16(struct swcx7_config *config, int at, u16 value)
{
	put_unaligned_le16(value, config->value + at);
}

/** set_value32() - preset a register of 32 bits. @at: offset in bytes */
static void set_value32(struct swcx7_config *config, int at, u32 value)
{
	put_unaligned_le32(value, config->value + at);
}

/** allow_write16() - say which bits of a register of 16 bits can be written. @at: offset in bytes */
static void allow_write16(struct swcx7_config *config, int at, u16 mask)
{
	put_unaligned_le16(mask, config->writable + at);
}

/** allow_write32() - say which bits of a register of 32 bits can be written. @at: offset in bytes */
static void allow_write32(struct swcx7_config *config, int at, u32 mask)
{
	put_unaligned_le32(mask, config->writable + at);
}

/**
 * add_pcie_cap() - put a PCI Express capability at CAP_PCIE, first in the list
 * @config:	config space
 * @type:	PCI_EXP_TYPE_*
 * @next:	offset of the next capability, 0 for none
 */
static void add_pcie_cap(struct swcx7_config *config, int type, u8 next)
{
	set_value16(config, PCI_STATUS, PCI_STATUS_CAP_LIST);
	set_value8(config, PCI_CAPABILITY_LIST, CAP_PCIE);
	set_value8(config, CAP_PCIE, PCI_CAP_ID_EXP);
	set_value8(config, CAP_PCIE + PCI_CAP_LIST_NEXT, next);
	set_value16(config, CAP_PCIE + PCI_EXP_FLAGS, 2 | (type << 4));
	set_value32(config, CAP_PCIE + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_FLR | PCI_EXP_DEVCAP_RBER | 2);
	allow_write16(config, CAP_PCIE + PCI_EXP_DEVCTL, (u16)~PCI_EXP_DEVCTL_BCR_FLR);
	set_value32(config, CAP_PCIE + PCI_EXP_LNKCAP, LINK_GEN5_X16);
	allow_write16(config, CAP_PCIE + PCI_EXP_LNKCTL, (u16)~PCI_EXP_LNKCTL_RL);
	set_value16(config, CAP_PCIE + PCI_EXP_LNKSTA, LINK_GEN5_X16 | PCI_EXP_LNKSTA_DLLLA);
	set_value32(config, CAP_PCIE + PCI_EXP_DEVCAP2, PCI_EXP_DEVCAP2_ARI);
	allow_write16(config, CAP_PCIE + PCI_EXP_DEVCTL2, 0xffff);
	set_value32(config, CAP_PCIE + PCI_EXP_LNKCAP2, ALL_LINK_SPEEDS);
	allow_write16(config, CAP_PCIE + PCI_EXP_LNKCTL2, 0xffff);
}

/**
 * add_msix_cap() - put an MSI-X capability at CAP_MSIX
 * @config:	config space
 * @vectors:	size of the table
 */
static void add_msix_cap(struct swcx7_config *config, int vectors)
{
	set_value8(config, CAP_MSIX, PCI_CAP_ID_MSIX);
	set_value16(config, CAP_MSIX + PCI_MSIX_FLAGS, vectors - 1);
	allow_write16(config, CAP_MSIX + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	set_value32(config, CAP_MSIX + PCI_MSIX_TABLE, 0x2000);
	set_value32(config, CAP_MSIX + PCI_MSIX_PBA, 0x3000);
}

/**
 * set_bar64() - make a 64-bit prefetchable memory BAR
 * @config:	config space
 * @at:		offset of its lower half
 * @size:	bytes, a power of two
 */
static void set_bar64(struct swcx7_config *config, int at, u32 size)
{
	set_value32(config, at, BAR_64BIT_PREFETCH);
	allow_write32(config, at, ~(size - 1));
	allow_write32(config, at + 4, ~0u);
}

/**
 * swcx7_config_root_port() - config space of the root port above the card
 * @layout:	bus numbers
 *
 * Return: a block to be freed with kfree(), or NULL without memory
 */
struct swcx7_config *swcx7_config_root_port(const struct swcx7_layout *layout)
{
	struct swcx7_config *config = kzalloc(sizeof(*config), GFP_KERNEL);

	if (!config)
		return NULL;
	set_value16(config, PCI_VENDOR_ID, ROOT_PORT_VENDOR);
	set_value16(config, PCI_DEVICE_ID, ROOT_PORT_DEVICE);
	allow_write16(config, PCI_COMMAND, COMMAND_WRITABLE);
	set_value32(config, PCI_CLASS_REVISION, PCI_CLASS_BRIDGE_PCI_NORMAL << 8);
	set_value8(config, PCI_HEADER_TYPE, PCI_HEADER_TYPE_BRIDGE);
	set_value8(config, PCI_PRIMARY_BUS, layout->busnr);
	set_value8(config, PCI_SECONDARY_BUS, layout->busnr + 1);
	set_value8(config, PCI_SUBORDINATE_BUS, layout->busnr + 1);
	allow_write32(config, PCI_PRIMARY_BUS, 0x00ffffff);
	/* Windows start with base above limit: closed. */
	set_value32(config, PCI_IO_BASE, 0x00f0);
	allow_write16(config, PCI_IO_BASE, 0xf0f0);
	set_value32(config, PCI_MEMORY_BASE, 0x0000fff0);
	allow_write32(config, PCI_MEMORY_BASE, 0xfff0fff0);
	set_value32(config, PCI_PREF_MEMORY_BASE, 0x0001fff1);
	allow_write32(config, PCI_PREF_MEMORY_BASE, 0xfff0fff0);
	allow_write32(config, PCI_PREF_BASE_UPPER32, ~0u);
	allow_write32(config, PCI_PREF_LIMIT_UPPER32, ~0u);
	allow_write16(config, PCI_BRIDGE_CONTROL, 0x0fff & ~PCI_BRIDGE_CTL_BUS_RESET);
	add_pcie_cap(config, PCI_EXP_TYPE_ROOT_PORT, 0);
	allow_write16(config, CAP_PCIE + PCI_EXP_RTCTL, 0xffff);
	return config;
}

/**
 * swcx7_config_vf_offset() - First VF Offset of a PF
 * @layout:	PFs and VFs per PF
 * @pf:		PF number
 *
 * As on real dual-port cards the VFs of all PFs follow the PFs: first all of PF0, then all of PF1.
 *
 * Return: routing id of the PF's first VF minus the PF's own
 */
int swcx7_config_vf_offset(const struct swcx7_layout *layout, int pf)
{
	return layout->pfs + pf * layout->total_vfs - pf;
}

/**
 * add_sriov_cap() - put the ARI and SR-IOV extended capabilities of a PF
 * @config:	config space of the PF
 * @layout:	number of PFs and VFs, VF device id
 * @pf:		PF number
 */
static void add_sriov_cap(struct swcx7_config *config, const struct swcx7_layout *layout, int pf)
{
	const int sriov = SWCX7_CAP_SRIOV;
	int next_function = pf + 1 < layout->pfs ? pf + 1 : 0;

	set_value32(config, CAP_ARI, PCI_EXT_CAP_ID_ARI | (1 << 16) | (sriov << 20));
	set_value16(config, CAP_ARI + PCI_ARI_CAP, next_function << 8);
	set_value32(config, sriov, PCI_EXT_CAP_ID_SRIOV | (1 << 16));
	set_value32(config, sriov + PCI_SRIOV_CAP, 0x2);	/* ARI Capable Hierarchy Preserved */
	allow_write16(config, sriov + PCI_SRIOV_CTRL, 0x1f);
	set_value16(config, sriov + PCI_SRIOV_INITIAL_VF, layout->total_vfs);
	set_value16(config, sriov + PCI_SRIOV_TOTAL_VF, layout->total_vfs);
	allow_write16(config, sriov + PCI_SRIOV_NUM_VF, 0xffff);
	set_value8(config, sriov + PCI_SRIOV_FUNC_LINK, pf);
	set_value16(config, sriov + PCI_SRIOV_VF_OFFSET, swcx7_config_vf_offset(layout, pf));
	set_value16(config, sriov + PCI_SRIOV_VF_STRIDE, 1);
	set_value16(config, sriov + PCI_SRIOV_VF_DID, layout->vf_device);
	set_value32(config, sriov + PCI_SRIOV_SUP_PGSIZE, PAGE_SIZES_SUPPORTED);
	set_value32(config, sriov + PCI_SRIOV_SYS_PGSIZE, SYSTEM_PAGE_SIZE_4K);
	allow_write32(config, sriov + PCI_SRIOV_SYS_PGSIZE, ~0u);
	set_bar64(config, sriov + PCI_SRIOV_BAR, VF_BAR_SIZE);
}

/**
 * swcx7_config_pf() - config space of a PF
 * @layout:	number of PFs and VFs, device ids
 * @pf:		PF number
 *
 * Return: a block to be freed with kfree(), or NULL without memory
 */
struct swcx7_config *swcx7_config_pf(const struct swcx7_layout *layout, int pf)
{
	struct swcx7_config *config = kzalloc(sizeof(*config), GFP_KERNEL);

	if (!config)
		return NULL;
	set_value16(config, PCI_VENDOR_ID, SWCX7_PCI_VENDOR);
	set_value16(config, PCI_DEVICE_ID, layout->pf_device);
	allow_write16(config, PCI_COMMAND, COMMAND_WRITABLE);
	set_value32(config, PCI_CLASS_REVISION, PCI_CLASS_NETWORK_ETHERNET << 16);
	set_value8(config, PCI_HEADER_TYPE, layout->pfs > 1 ? PCI_HEADER_TYPE_MFD : 0);
	set_value16(config, PCI_SUBSYSTEM_VENDOR_ID, SWCX7_PCI_VENDOR);
	set_value16(config, PCI_SUBSYSTEM_ID, 0x0023);
	set_value8(config, PCI_INTERRUPT_LINE, 0xff);
	set_bar64(config, PCI_BASE_ADDRESS_0, PF_BAR_SIZE);
	add_pcie_cap(config, PCI_EXP_TYPE_ENDPOINT, CAP_MSIX);
	add_msix_cap(config, PF_MSIX_VECTORS);
	add_sriov_cap(config, layout, pf);
	return config;
}

/**
 * swcx7_config_vf() - config space of a VF
 *
 * Vendor and device id read as all ones and there is no BAR, as SR-IOV says for VFs.
 *
 * Return: a block to be freed with kfree(), or NULL without memory
 */
struct swcx7_config *swcx7_config_vf(void)
{
	struct swcx7_config *config = kzalloc(sizeof(*config), GFP_KERNEL);

	if (!config)
		return NULL;
	set_value32(config, PCI_VENDOR_ID, ~0u);
	allow_write16(config, PCI_COMMAND, PCI_COMMAND_MASTER);
	set_value32(config, PCI_CLASS_REVISION, PCI_CLASS_NETWORK_ETHERNET << 16);
	set_value16(config, PCI_SUBSYSTEM_VENDOR_ID, SWCX7_PCI_VENDOR);
	set_value16(config, PCI_SUBSYSTEM_ID, 0x0023);
	add_pcie_cap(config, PCI_EXP_TYPE_ENDPOINT, CAP_MSIX);
	add_msix_cap(config, VF_MSIX_VECTORS);
	set_value32(config, CAP_ARI, PCI_EXT_CAP_ID_ARI | (1 << 16));
	return config;
}

/**
 * swcx7_msix_default() - MSI-X vectors that each VF gets
 * @pf:		the PF, with the pool that its firmware has
 * @num_vfs:	VFs that share it, at least 1
 *
 * Source: mlx5_get_default_msix_vec_count() in Linux 6.12. Without a pool firmware's own number stays.
 */
int swcx7_msix_default(const struct swcx7_pf *pf, int num_vfs)
{
	if (!pf->msix_pool)
		return VF_MSIX_VECTORS;
	return max(min_t(int, pf->msix_pool / num_vfs, SWCX7_MAX_MSIX / 2), SWCX7_MIN_MSIX);
}
EXPORT_SYMBOL_GPL(swcx7_msix_default);

/**
 * swcx7_msix_set() - set the size of a VF's MSI-X table
 * @vport:	the VF
 * @vectors:	1 to SWCX7_MAX_MSIX
 */
void swcx7_msix_set(struct swcx7_vport *vport, int vectors)
{
	vport->msix = vectors;
	set_value16(vport->pf->card->vf_config[vport->pf->index][vport->index], CAP_MSIX + PCI_MSIX_FLAGS, vectors - 1);
}
EXPORT_SYMBOL_GPL(swcx7_msix_set);

/**
 * swcx7_config_vfs_enabled() - how many VFs answer on the bus
 * @pf_config:	config space of their PF
 *
 * Return: NumVFs while VF Enable is set, else 0
 */
int swcx7_config_vfs_enabled(const struct swcx7_config *pf_config)
{
	const u8 *sriov = pf_config->value + SWCX7_CAP_SRIOV;

	if (!(get_unaligned_le16(sriov + PCI_SRIOV_CTRL) & PCI_SRIOV_CTRL_VFE))
		return 0;
	return get_unaligned_le16(sriov + PCI_SRIOV_NUM_VF);
}
