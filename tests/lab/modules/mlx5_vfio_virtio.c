// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: the virtio-net PCI function that the guest sees (virtio 1.0, modern only).
 *
 * BAR 0 holds, from its beginning: common configuration, ISR, device configuration, notification (one address for both
 * queues), MSI-X table (kept by the VMM, which traps it itself).
 */
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/unaligned.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_pci.h>
#include "mlx5_vfio.h"

static bool guest_id_mlx5;
module_param(guest_id_mlx5, bool, 0644);
MODULE_PARM_DESC(guest_id_mlx5, "show the guest 15b3:101e instead of virtio-net's id (0)");

#define BAR_COMMON	0x0000
#define BAR_ISR		0x1000
#define BAR_DEVICE	0x2000
#define BAR_NOTIFY	0x3000
#define BAR_MSIX_TABLE	0x4000
#define BAR_MSIX_PBA	0x4800
#define BAR_PART_SIZE	0x1000
#define COMMON_SIZE	0x38

#define CONFIG_CAP_COMMON	0x40
#define CONFIG_CAP_ISR		0x50
#define CONFIG_CAP_DEVICE	0x60
#define CONFIG_CAP_NOTIFY	0x70
#define CONFIG_CAP_MSIX		0x84
#define CONFIG_CAP_PCIE		0x90

#define VIRTIO_VENDOR		0x1af4
#define VIRTIO_NET_DEVICE	0x1041
#define DEVICE_FEATURES		(BIT_ULL(VIRTIO_F_VERSION_1) | BIT_ULL(VIRTIO_NET_F_MAC) | \
				 BIT_ULL(VIRTIO_NET_F_STATUS) | BIT_ULL(VIRTIO_F_ACCESS_PLATFORM))

/**
 * add_virtio_cap() - put a vendor capability that says where a part of the function is
 * @config:	config space
 * @at:		offset of the capability
 * @next:	offset of the next one
 * @type:	VIRTIO_PCI_CAP_*
 * @bar_offset:	offset in BAR 0; the part ends BAR_PART_SIZE later
 */
static void add_virtio_cap(u8 *config, int at, int next, int type, u32 bar_offset)
{
	config[at] = PCI_CAP_ID_VNDR;
	config[at + 1] = next;
	config[at + 2] = type == VIRTIO_PCI_CAP_NOTIFY_CFG ? sizeof(struct virtio_pci_notify_cap) : sizeof(struct virtio_pci_cap);
	config[at + 3] = type;
	config[at + 4] = 0;	/* BAR 0 */
	put_unaligned_le32(bar_offset, config + at + 8);
	put_unaligned_le32(BAR_PART_SIZE, config + at + 12);
}

/**
 * add_config_caps() - put the capability list
 * @device:	the device
 */
static void add_config_caps(struct mlx5_vfio_device *device)
{
	u8 *config = device->config, *writable = device->config_writable;

	put_unaligned_le16(PCI_STATUS_CAP_LIST, config + PCI_STATUS);
	config[PCI_CAPABILITY_LIST] = CONFIG_CAP_COMMON;
	add_virtio_cap(config, CONFIG_CAP_COMMON, CONFIG_CAP_ISR, VIRTIO_PCI_CAP_COMMON_CFG, BAR_COMMON);
	add_virtio_cap(config, CONFIG_CAP_ISR, CONFIG_CAP_DEVICE, VIRTIO_PCI_CAP_ISR_CFG, BAR_ISR);
	add_virtio_cap(config, CONFIG_CAP_DEVICE, CONFIG_CAP_NOTIFY, VIRTIO_PCI_CAP_DEVICE_CFG, BAR_DEVICE);
	/* The multiplier after the notify capability stays 0: one address for all queues. */
	add_virtio_cap(config, CONFIG_CAP_NOTIFY, CONFIG_CAP_MSIX, VIRTIO_PCI_CAP_NOTIFY_CFG, BAR_NOTIFY);
	config[CONFIG_CAP_MSIX] = PCI_CAP_ID_MSIX;
	config[CONFIG_CAP_MSIX + 1] = CONFIG_CAP_PCIE;
	/* QEMU compares the size of the table with the source's at the end of a migration; the interrupts that exist are three. */
	put_unaligned_le16((device->vport->pf->msix_pool ? device->vport->msix : MLX5_VFIO_VECTORS) - 1,
			   config + CONFIG_CAP_MSIX + PCI_MSIX_FLAGS);
	put_unaligned_le16(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL, writable + CONFIG_CAP_MSIX + PCI_MSIX_FLAGS);
	put_unaligned_le32(BAR_MSIX_TABLE, config + CONFIG_CAP_MSIX + PCI_MSIX_TABLE);
	put_unaligned_le32(BAR_MSIX_PBA, config + CONFIG_CAP_MSIX + PCI_MSIX_PBA);
	config[CONFIG_CAP_PCIE] = PCI_CAP_ID_EXP;
	put_unaligned_le16(2 | PCI_EXP_TYPE_ENDPOINT << 4, config + CONFIG_CAP_PCIE + PCI_EXP_FLAGS);
	put_unaligned_le32(PCI_EXP_DEVCAP_FLR | PCI_EXP_DEVCAP_RBER, config + CONFIG_CAP_PCIE + PCI_EXP_DEVCAP);
	put_unaligned_le16((u16)~PCI_EXP_DEVCTL_BCR_FLR, writable + CONFIG_CAP_PCIE + PCI_EXP_DEVCTL);
}

/**
 * mlx5_vfio_config_init() - set the config space that the guest sees to its state after power-on
 * @device:	the device, locked
 */
void mlx5_vfio_config_init(struct mlx5_vfio_device *device)
{
	u8 *config = device->config, *writable = device->config_writable;

	memset(config, 0, MLX5_VFIO_CONFIG_SIZE);
	memset(writable, 0, MLX5_VFIO_CONFIG_SIZE);
	put_unaligned_le16(guest_id_mlx5 ? PCI_VENDOR_ID_MELLANOX : VIRTIO_VENDOR, config + PCI_VENDOR_ID);
	put_unaligned_le16(guest_id_mlx5 ? 0x101e : VIRTIO_NET_DEVICE, config + PCI_DEVICE_ID);
	config[PCI_REVISION_ID] = 1;
	put_unaligned_le16(PCI_CLASS_NETWORK_ETHERNET, config + PCI_CLASS_DEVICE);
	put_unaligned_le16(PCI_VENDOR_ID_MELLANOX, config + PCI_SUBSYSTEM_VENDOR_ID);
	put_unaligned_le16(guest_id_mlx5 ? VIRTIO_ID_NET : 0x1100, config + PCI_SUBSYSTEM_ID);
	put_unaligned_le16(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE,
			   writable + PCI_COMMAND);
	put_unaligned_le32(PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH, config + PCI_BASE_ADDRESS_0);
	put_unaligned_le32(~(MLX5_VFIO_BAR_SIZE - 1), writable + PCI_BASE_ADDRESS_0);
	put_unaligned_le32(~0u, writable + PCI_BASE_ADDRESS_1);
	add_config_caps(device);
}

/**
 * mlx5_vfio_virtio_reset() - set the function to its state after reset
 * @device:	the device, locked; its MAC is read from the vport anew
 */
void mlx5_vfio_virtio_reset(struct mlx5_vfio_device *device)
{
	struct mlx5_vfio_state *state = &device->state;
	int i;

	memset(state, 0, sizeof(*state));
	state->config_vector = VIRTIO_MSI_NO_VECTOR;
	for (i = 0; i < MLX5_VFIO_QUEUES; i++) {
		state->queues[i].vector = VIRTIO_MSI_NO_VECTOR;
		state->queues[i].size = MLX5_VFIO_QUEUE_SIZE;
	}
	swcx7_vport_load_mac(device->vport);
	ether_addr_copy(state->mac, device->vport->mac);
	state->link_up = swcx7_vport_link_is_up(device->vport);
}

/**
 * read_queue_register() - read a register of the selected queue
 * @queue:	the queue, NULL when none is selected
 * @at:		VIRTIO_PCI_COMMON_Q_*
 *
 * Return: its value
 */
static u32 read_queue_register(const struct mlx5_vfio_queue *queue, u32 at)
{
	if (!queue)
		return at == VIRTIO_PCI_COMMON_Q_MSIX ? VIRTIO_MSI_NO_VECTOR : 0;
	switch (at) {
	case VIRTIO_PCI_COMMON_Q_SIZE:
		return queue->size;
	case VIRTIO_PCI_COMMON_Q_MSIX:
		return queue->vector;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		return queue->enable;
	case VIRTIO_PCI_COMMON_Q_DESCLO:
		return lower_32_bits(queue->desc);
	case VIRTIO_PCI_COMMON_Q_DESCHI:
		return upper_32_bits(queue->desc);
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
		return lower_32_bits(queue->avail);
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
		return upper_32_bits(queue->avail);
	case VIRTIO_PCI_COMMON_Q_USEDLO:
		return lower_32_bits(queue->used);
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		return upper_32_bits(queue->used);
	default:
		return 0;
	}
}

/**
 * selected_queue() - queue that the queue registers speak of
 * @state:	the function
 *
 * Return: the queue, or NULL
 */
static struct mlx5_vfio_queue *selected_queue(struct mlx5_vfio_state *state)
{
	return state->queue_select < MLX5_VFIO_QUEUES ? &state->queues[state->queue_select] : NULL;
}

/**
 * read_common() - read a register of the common configuration
 * @state:	the function
 * @at:		VIRTIO_PCI_COMMON_*
 *
 * Return: its value
 */
static u32 read_common(struct mlx5_vfio_state *state, u32 at)
{
	switch (at) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		return state->device_feature_select;
	case VIRTIO_PCI_COMMON_DF:
		return state->device_feature_select < 2 ? DEVICE_FEATURES >> (32 * state->device_feature_select) : 0;
	case VIRTIO_PCI_COMMON_GFSELECT:
		return state->driver_feature_select;
	case VIRTIO_PCI_COMMON_GF:
		return state->driver_feature_select < 2 ? state->driver_features >> (32 * state->driver_feature_select) : 0;
	case VIRTIO_PCI_COMMON_MSIX:
		return state->config_vector;
	case VIRTIO_PCI_COMMON_NUMQ:
		return MLX5_VFIO_QUEUES;
	case VIRTIO_PCI_COMMON_STATUS:
		return state->status;
	case VIRTIO_PCI_COMMON_CFGGENERATION:
		return state->generation;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		return state->queue_select;
	default:
		return read_queue_register(selected_queue(state), at);
	}
}

/** set_lower() - replace the lower half of a 64-bit value */
static u64 set_lower(u64 old, u32 value)
{
	return (old & ~0xffffffffULL) | value;
}

/** set_upper() - replace the upper half of a 64-bit value */
static u64 set_upper(u64 old, u32 value)
{
	return (old & 0xffffffffULL) | (u64)value << 32;
}

/**
 * write_queue_register() - write a register of the selected queue
 * @queue:	the queue, NULL when none is selected
 * @at:		VIRTIO_PCI_COMMON_Q_*
 * @value:	new value
 */
static void write_queue_register(struct mlx5_vfio_queue *queue, u32 at, u32 value)
{
	if (!queue)
		return;
	switch (at) {
	case VIRTIO_PCI_COMMON_Q_SIZE:
		queue->size = clamp_t(u32, value, 1, MLX5_VFIO_QUEUE_SIZE);
		break;
	case VIRTIO_PCI_COMMON_Q_MSIX:
		queue->vector = value;
		break;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		queue->enable = value;
		break;
	case VIRTIO_PCI_COMMON_Q_DESCLO:
		queue->desc = set_lower(queue->desc, value);
		break;
	case VIRTIO_PCI_COMMON_Q_DESCHI:
		queue->desc = set_upper(queue->desc, value);
		break;
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
		queue->avail = set_lower(queue->avail, value);
		break;
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
		queue->avail = set_upper(queue->avail, value);
		break;
	case VIRTIO_PCI_COMMON_Q_USEDLO:
		queue->used = set_lower(queue->used, value);
		break;
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		queue->used = set_upper(queue->used, value);
		break;
	}
}

/**
 * write_driver_features() - write the selected half of the features that the driver takes
 * @state:	the function
 * @value:	32 bits
 */
static void write_driver_features(struct mlx5_vfio_state *state, u32 value)
{
	if (state->driver_feature_select == 0)
		state->driver_features = set_lower(state->driver_features, value);
	else if (state->driver_feature_select == 1)
		state->driver_features = set_upper(state->driver_features, value);
}

/**
 * write_common() - write a register of the common configuration
 * @device:	the device
 * @at:		VIRTIO_PCI_COMMON_*
 * @value:	new value
 */
static void write_common(struct mlx5_vfio_device *device, u32 at, u32 value)
{
	struct mlx5_vfio_state *state = &device->state;

	switch (at) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		state->device_feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GFSELECT:
		state->driver_feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GF:
		write_driver_features(state, value);
		break;
	case VIRTIO_PCI_COMMON_MSIX:
		state->config_vector = value;
		break;
	case VIRTIO_PCI_COMMON_STATUS:
		state->status = value;
		if (!state->status)
			mlx5_vfio_virtio_reset(device);
		break;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		state->queue_select = value;
		break;
	default:
		write_queue_register(selected_queue(state), at, value);
	}
}

/**
 * read_device_config() - read from struct virtio_net_config: MAC and link status
 * @state:	the function
 * @at:		offset in it
 * @bytes:	filled; zero beyond its end
 * @size:	1, 2, 4 or 8 bytes
 */
static void read_device_config(const struct mlx5_vfio_state *state, u32 at, u8 *bytes, size_t size)
{
	u8 config[16] = {};

	memcpy(config, state->mac, ETH_ALEN);
	put_unaligned_le16(state->link_up ? VIRTIO_NET_S_LINK_UP : 0, config + ETH_ALEN);
	if (at + size <= sizeof(config))
		memcpy(bytes, config + at, size);
}

/**
 * mlx5_vfio_bar_read() - read from BAR 0
 * @device:	the device, locked
 * @at:		offset in the BAR, aligned to @size
 * @bytes:	filled, zeroed by the caller
 * @size:	1, 2, 4 or 8 bytes
 */
void mlx5_vfio_bar_read(struct mlx5_vfio_device *device, u32 at, u8 *bytes, size_t size)
{
	u64 value;

	if (at < BAR_COMMON + COMMON_SIZE) {
		value = read_common(&device->state, at);
		if (size == 8)
			value |= (u64)read_common(&device->state, at + 4) << 32;
		memcpy(bytes, &value, size);
	} else if (at == BAR_ISR) {
		bytes[0] = device->state.isr;
		device->state.isr = 0;	/* reading clears */
	} else if (at >= BAR_DEVICE && at < BAR_DEVICE + BAR_PART_SIZE) {
		read_device_config(&device->state, at - BAR_DEVICE, bytes, size);
	}
}

/**
 * mlx5_vfio_bar_write() - write to BAR 0
 * @device:	the device, locked
 * @at:		offset in the BAR, aligned to @size
 * @bytes:	value
 * @size:	1, 2, 4 or 8 bytes
 */
void mlx5_vfio_bar_write(struct mlx5_vfio_device *device, u32 at, const u8 *bytes, size_t size)
{
	u64 value = 0;

	memcpy(&value, bytes, size);
	if (at < BAR_COMMON + COMMON_SIZE) {
		write_common(device, at, value);
		if (size == 8)
			write_common(device, at + 4, value >> 32);
	} else if (at >= BAR_NOTIFY && at < BAR_NOTIFY + BAR_PART_SIZE) {
		mlx5_vfio_kick(device);
	}
}
