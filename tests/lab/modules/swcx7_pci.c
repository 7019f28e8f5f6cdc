// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: the PCI host bridge.
 *
 * One root bus with one root port and, behind it, the PFs and their VFs; config accesses end in memory. The host bridge gets
 * a window of unused address space, so that BARs can be assigned; nothing is there, no driver of ours touches it.
 */
#include <linux/ioport.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include "swcx7_internal.h"

#define WINDOW_SIZE SZ_256M

/*
 * struct swcx7_bridge - the host bridge
 * @sysdata:	x86 keeps the PCI domain here; bus->sysdata points to it
 * @bus:	root bus
 * @window:	address space for BARs
 * @buses:	bus numbers
 * @lock:	protects the bytes of config space
 * @card:	the card behind the root port
 */
static struct swcx7_bridge {
	struct pci_sysdata sysdata;
	struct pci_bus *bus;
	struct resource window, buses;
	raw_spinlock_t lock;
	struct swcx7_card *card;
} bridge = {
	.lock = __RAW_SPIN_LOCK_UNLOCKED(bridge.lock),
};

/**
 * find_card_function() - find a function of the card
 * @card:	the card
 * @devfn:	its number on the card's bus
 *
 * Return: its config space, or NULL when no function answers there
 */
static struct swcx7_config *find_card_function(struct swcx7_card *card, int devfn)
{
	int pf, vf;

	if (devfn < card->layout.pfs)
		return card->pf_config[devfn];
	for (pf = 0; pf < card->layout.pfs; pf++) {
		vf = devfn - pf - swcx7_config_vf_offset(&card->layout, pf);
		if (vf >= 0 && vf < card->layout.total_vfs && vf < swcx7_config_vfs_enabled(card->pf_config[pf]))
			return card->vf_config[pf][vf];
	}
	return NULL;
}

/**
 * find_config() - find the config space that an access means
 * @bus, @devfn: address of the function
 *
 * Return: its config space, or NULL when no function answers there
 */
static struct swcx7_config *find_config(struct pci_bus *bus, unsigned int devfn)
{
	struct swcx7_card *card = bridge.card;

	if (bus->number == card->layout.busnr)
		return devfn == 0 ? card->root : NULL;
	if (bus->number == card->layout.busnr + 1)
		return find_card_function(card, devfn);
	return NULL;
}

/**
 * config_read() - pci_ops.read
 * @bus, @devfn: address of the function
 * @where:	offset in bytes
 * @size:	1, 2 or 4 bytes
 * @val:	what was read; all ones when nothing answers
 *
 * Return: PCIBIOS_*
 */
static int config_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *val)
{
	struct swcx7_config *config;
	unsigned long flags;
	u32 value = 0;
	int i;

	*val = ~0u;
	if (where + size > SWCX7_CONFIG_SIZE)
		return PCIBIOS_BAD_REGISTER_NUMBER;
	raw_spin_lock_irqsave(&bridge.lock, flags);
	config = find_config(bus, devfn);
	for (i = 0; config && i < size; i++)
		value |= (u32)config->value[where + i] << (8 * i);
	raw_spin_unlock_irqrestore(&bridge.lock, flags);
	if (!config)
		return PCIBIOS_DEVICE_NOT_FOUND;
	*val = value;
	return PCIBIOS_SUCCESSFUL;
}

/**
 * config_write() - pci_ops.write
 * @bus, @devfn: address of the function
 * @where:	offset in bytes
 * @size:	1, 2 or 4 bytes
 * @val:	value; read-only bits are left as they are
 *
 * Return: PCIBIOS_*
 */
static int config_write(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 val)
{
	struct swcx7_config *config;
	unsigned long flags;
	u8 mask;
	int i;

	if (where + size > SWCX7_CONFIG_SIZE)
		return PCIBIOS_BAD_REGISTER_NUMBER;
	raw_spin_lock_irqsave(&bridge.lock, flags);
	config = find_config(bus, devfn);
	for (i = 0; config && i < size; i++) {
		mask = config->writable[where + i];
		config->value[where + i] = (config->value[where + i] & ~mask) | ((val >> (8 * i)) & mask);
	}
	raw_spin_unlock_irqrestore(&bridge.lock, flags);
	return config ? PCIBIOS_SUCCESSFUL : PCIBIOS_DEVICE_NOT_FOUND;
}

struct pci_ops swcx7_pci_ops = { .read = config_read, .write = config_write };

/**
 * reserve_window() - take unused address space above 4 GiB for BARs
 *
 * Return: 0 or a negative errno
 */
static int reserve_window(void)
{
	bridge.window = (struct resource) {
		.name = "swcx7 MMIO",
		.flags = IORESOURCE_MEM | IORESOURCE_MEM_64 | IORESOURCE_PREFETCH,
	};
	return allocate_resource(&iomem_resource, &bridge.window, WINDOW_SIZE, SZ_4G, iomem_resource.end, WINDOW_SIZE,
				 NULL, NULL);
}

/**
 * scan_bus() - create the root bus, find the functions and give them addresses
 * @card:	the card; the pdev of each PF is filled, with a reference
 *
 * Drivers that are loaded probe when this function adds the devices.
 *
 * Return: 0 or a negative errno
 */
static int scan_bus(struct swcx7_card *card)
{
	const struct swcx7_layout *layout = &card->layout;
	LIST_HEAD(resources);
	int pf;

	bridge.buses = (struct resource) {
		.name = "swcx7 buses",
		.start = layout->busnr,
		.end = layout->busnr + 1,
		.flags = IORESOURCE_BUS,
	};
	pci_add_resource(&resources, &bridge.buses);
	pci_add_resource(&resources, &bridge.window);
	pci_lock_rescan_remove();
	/* No parent: with one, the domain of x86's sysdata would not be used. */
	bridge.bus = pci_create_root_bus(NULL, layout->busnr, &swcx7_pci_ops, &bridge.sysdata, &resources);
	if (!bridge.bus) {
		pci_unlock_rescan_remove();
		pci_free_resource_list(&resources);
		return -ENODEV;
	}
	pci_scan_child_bus(bridge.bus);
	pci_assign_unassigned_bus_resources(bridge.bus);
	for (pf = 0; pf < layout->pfs; pf++)
		card->pfs[pf].pdev = pci_get_domain_bus_and_slot(layout->domain, layout->busnr + 1, pf);
	pci_bus_add_devices(bridge.bus);
	pci_unlock_rescan_remove();
	return 0;
}

/**
 * swcx7_pci_create() - plug the card in
 * @card:	the card with its config spaces; must live until swcx7_pci_destroy()
 *
 * Return: 0 or a negative errno
 */
int swcx7_pci_create(struct swcx7_card *card)
{
	int ret;

	bridge.card = card;
	bridge.sysdata.domain = card->layout.domain;
	bridge.sysdata.node = 0;
	ret = reserve_window();
	if (ret) {
		pr_err("swcx7: no address space for BARs: %d\n", ret);
		return ret;
	}
	ret = scan_bus(card);
	if (ret)
		release_resource(&bridge.window);
	return ret;
}

/**
 * swcx7_pci_destroy() - pull the card out
 *
 * Drivers are unbound, VFs removed; blocks while a VF is open in a VMM.
 */
void swcx7_pci_destroy(void)
{
	int pf;

	for (pf = 0; pf < bridge.card->layout.pfs; pf++)
		pci_dev_put(bridge.card->pfs[pf].pdev);
	pci_lock_rescan_remove();
	pci_stop_root_bus(bridge.bus);
	pci_remove_root_bus(bridge.bus);
	pci_unlock_rescan_remove();
	release_resource(&bridge.window);
}
