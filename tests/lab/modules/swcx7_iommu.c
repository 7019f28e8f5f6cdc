// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: a software IOMMU.
 *
 * Gives each function of the card its own IOMMU group and a paging domain that VFIO type1 fills. No hardware translates; the
 * software device reads guest memory with vfio_dma_rw(), which looks the pages up itself. The domain is a map from page
 * number to page frame, so that iommu_iova_to_phys() answers.
 *
 * It claims only devices on the card's bus and lives beside intel-iommu or amd-iommu.
 */
#include <linux/iommu.h>
#include <linux/irqdomain.h>
#include <linux/module.h>
#include <linux/msi.h>
#include <linux/xarray.h>
#include "compat.h"
#include "swcx7.h"

#define APERTURE_END	((1ULL << 52) - 1)
#define MSI_BASE	0xfee00000
#define MSI_SIZE	0x100000

/*
 * struct paging_domain - what a VFIO container maps
 * @domain:	for the IOMMU core
 * @pages:	IOVA page number to page frame number
 */
struct paging_domain {
	struct iommu_domain domain;
	struct xarray pages;
};

static struct iommu_device iommu;
static struct device *iommu_parent;
static struct fwnode_handle *iommu_fwnode;
static struct irq_domain *msi_domain;
static const struct pci_ops *card_ops;

/** to_paging() - from the IOMMU core's view of a paging domain to ours */
static struct paging_domain *to_paging(struct iommu_domain *domain)
{
	return container_of(domain, struct paging_domain, domain);
}

/**
 * is_on_card() - is this a function of the software card?
 * @dev:	any device
 */
static bool is_on_card(struct device *dev)
{
	return dev_is_pci(dev) && card_ops && to_pci_dev(dev)->bus->ops == card_ops;
}

/**
 * swcx7_iommu_set_ops() - say which PCI devices are ours
 * @ops:	config accessors of the card's bus, NULL when the card is gone
 */
void swcx7_iommu_set_ops(const struct pci_ops *ops)
{
	card_ops = ops;
}
EXPORT_SYMBOL_GPL(swcx7_iommu_set_ops);

/**
 * attach_any() - iommu_domain_ops.attach_dev: nothing to program
 *
 * Return: 0
 */
static int attach_any(struct iommu_domain *domain, struct device *dev COMPAT_OLD_DOMAIN)
{
	return 0;
}

/**
 * paging_map() - iommu_domain_ops.map_pages
 * @domain:	paging domain
 * @iova, @paddr: first address on each side
 * @pgsize, @pgcount: pages; only PAGE_SIZE is advertised
 * @prot:	not modelled
 * @gfp:	how to allocate
 * @mapped:	bytes mapped, also after an error
 *
 * Return: 0 or a negative errno
 */
static int paging_map(struct iommu_domain *domain, unsigned long iova, phys_addr_t paddr, size_t pgsize, size_t pgcount,
		      int prot, gfp_t gfp, size_t *mapped)
{
	struct paging_domain *paging = to_paging(domain);
	void *old;

	while (pgcount--) {
		old = xa_store(&paging->pages, iova >> PAGE_SHIFT, xa_mk_value(paddr >> PAGE_SHIFT), gfp);
		if (xa_is_err(old))
			return xa_err(old);
		iova += PAGE_SIZE;
		paddr += PAGE_SIZE;
		*mapped += PAGE_SIZE;
	}
	return 0;
}

/**
 * paging_unmap() - iommu_domain_ops.unmap_pages
 *
 * Return: bytes unmapped; stops at the first page that was not mapped
 */
static size_t paging_unmap(struct iommu_domain *domain, unsigned long iova, size_t pgsize, size_t pgcount,
			   struct iommu_iotlb_gather *gather)
{
	struct paging_domain *paging = to_paging(domain);
	size_t i;

	for (i = 0; i < pgcount; i++)
		if (!xa_erase(&paging->pages, (iova >> PAGE_SHIFT) + i))
			break;
	return i * PAGE_SIZE;
}

/**
 * paging_iova_to_phys() - iommu_domain_ops.iova_to_phys
 *
 * Return: physical address, 0 when not mapped
 */
static phys_addr_t paging_iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	void *entry = xa_load(&to_paging(domain)->pages, iova >> PAGE_SHIFT);

	if (!entry)
		return 0;
	return ((phys_addr_t)xa_to_value(entry) << PAGE_SHIFT) | (iova & ~PAGE_MASK);
}

/** paging_free() - iommu_domain_ops.free */
static void paging_free(struct iommu_domain *domain)
{
	struct paging_domain *paging = to_paging(domain);

	xa_destroy(&paging->pages);
	kfree(paging);
}

/** paging_coherent() - iommu_domain_ops.enforce_cache_coherency: VFIO asks for it, the CPU does all the copying */
static bool paging_coherent(struct iommu_domain *domain)
{
	return true;
}

static const struct iommu_domain_ops paging_ops = {
	.attach_dev = attach_any,
	.map_pages = paging_map,
	.unmap_pages = paging_unmap,
	.iova_to_phys = paging_iova_to_phys,
	.enforce_cache_coherency = paging_coherent,
	.free = paging_free,
};

static const struct iommu_domain_ops static_ops = { .attach_dev = attach_any };
static struct iommu_domain identity_domain = { .type = IOMMU_DOMAIN_IDENTITY, .ops = &static_ops };
static struct iommu_domain blocked_domain = { .type = IOMMU_DOMAIN_BLOCKED, .ops = &static_ops };

/**
 * paging_alloc() - iommu_ops.domain_alloc_paging
 *
 * Return: a new empty domain, NULL without memory
 */
static struct iommu_domain *paging_alloc(struct device *dev)
{
	struct paging_domain *paging = kzalloc(sizeof(*paging), GFP_KERNEL);

	if (!paging)
		return NULL;
	xa_init(&paging->pages);
	paging->domain.pgsize_bitmap = PAGE_SIZE;
	paging->domain.geometry.aperture_end = APERTURE_END;
	paging->domain.geometry.force_aperture = true;
	return &paging->domain;
}

/** is_capable() - iommu_ops.capable: cache coherency is what VFIO insists on */
static bool is_capable(struct device *dev, enum iommu_cap cap)
{
	return cap == IOMMU_CAP_CACHE_COHERENCY;
}

/** probe_device() - iommu_ops.probe_device: take the card's functions, leave all others */
static struct iommu_device *probe_device(struct device *dev)
{
	return is_on_card(dev) ? &iommu : ERR_PTR(-ENODEV);
}

/** release_device() - iommu_ops.release_device: there is no per-device state */
static void release_device(struct device *dev)
{
}

/** default_domain_type() - iommu_ops.def_domain_type: as with iommu=pt, so that drivers need no mapping */
static int default_domain_type(struct device *dev)
{
	return IOMMU_DOMAIN_IDENTITY;
}

/**
 * get_reserved_regions() - iommu_ops.get_resv_regions: the MSI window, as intel-iommu reports it
 * @dev:	a function of the card
 * @head:	list to add to
 */
static void get_reserved_regions(struct device *dev, struct list_head *head)
{
	struct iommu_resv_region *region;

	region = iommu_alloc_resv_region(MSI_BASE, MSI_SIZE, 0, IOMMU_RESV_MSI, GFP_KERNEL);
	if (region)
		list_add_tail(&region->list, head);
}

static const struct iommu_ops iommu_ops_of_card = {
	.capable = is_capable,
	.domain_alloc_paging = paging_alloc,
	.probe_device = probe_device,
	.release_device = release_device,
	.device_group = generic_device_group,
	.get_resv_regions = get_reserved_regions,
	.def_domain_type = default_domain_type,
	.default_domain_ops = &paging_ops,
	.identity_domain = &identity_domain,
	.blocked_domain = &blocked_domain,
	.owner = THIS_MODULE,
};

/**
 * device_added() - bus notifier: give a new function its IOMMU and its interrupt domain
 *
 * Runs before the IOMMU core's own notifier (higher priority), which looks for the fwspec. VFIO wants interrupts that are
 * isolated per device, else it refuses without allow_unsafe_interrupts; the empty MSI domain carries that flag.
 *
 * Return: NOTIFY_DONE
 */
static int device_added(struct notifier_block *block, unsigned long action, void *data)
{
	struct device *dev = data;

	if (action == BUS_NOTIFY_ADD_DEVICE && is_on_card(dev)) {
		iommu_fwspec_init(dev, iommu_fwnode);
		dev_set_msi_domain(dev, msi_domain);
	}
	return NOTIFY_DONE;
}

static struct notifier_block pci_notifier = { .notifier_call = device_added, .priority = 100 };
static const struct irq_domain_ops no_irq_ops = { };

/**
 * create_msi_domain() - make the interrupt domain of the functions
 *
 * Return: 0 or a negative errno
 */
static int create_msi_domain(void)
{
	iommu_fwnode = irq_domain_alloc_named_fwnode("swcx7-iommu");
	if (!iommu_fwnode)
		return -ENOMEM;
	msi_domain = irq_domain_create_tree(iommu_fwnode, &no_irq_ops, NULL);
	if (!msi_domain) {
		irq_domain_free_fwnode(iommu_fwnode);
		return -ENOMEM;
	}
	msi_domain->flags |= IRQ_DOMAIN_FLAG_ISOLATED_MSI;
	return 0;
}

/** destroy_msi_domain() - take create_msi_domain() back */
static void destroy_msi_domain(void)
{
	irq_domain_remove(msi_domain);
	irq_domain_free_fwnode(iommu_fwnode);
}

/**
 * register_iommu() - show the IOMMU in sysfs and to the IOMMU core
 *
 * Return: 0 or a negative errno
 */
static int register_iommu(void)
{
	int ret = iommu_device_sysfs_add(&iommu, iommu_parent, NULL, "swcx7-iommu0");

	if (ret)
		return ret;
	iommu.fwnode = iommu_fwnode;
	ret = iommu_device_register(&iommu, &iommu_ops_of_card, NULL);
	if (ret)
		iommu_device_sysfs_remove(&iommu);
	return ret;
}

/** swcx7_iommu_init() - module entry */
static int __init swcx7_iommu_init(void)
{
	int ret;

	iommu_parent = root_device_register("swcx7-iommu");
	if (IS_ERR(iommu_parent))
		return PTR_ERR(iommu_parent);
	ret = create_msi_domain();
	if (ret)
		goto undo_parent;
	ret = register_iommu();
	if (ret)
		goto undo_msi;
	bus_register_notifier(&pci_bus_type, &pci_notifier);
	return 0;

undo_msi:
	destroy_msi_domain();
undo_parent:
	root_device_unregister(iommu_parent);
	return ret;
}

/** swcx7_iommu_exit() - module exit; swcx7_hw holds a reference, so no function is left */
static void __exit swcx7_iommu_exit(void)
{
	bus_unregister_notifier(&pci_bus_type, &pci_notifier);
	iommu_device_unregister(&iommu);
	iommu_device_sysfs_remove(&iommu);
	destroy_msi_domain();
	root_device_unregister(iommu_parent);
}

module_init(swcx7_iommu_init);
module_exit(swcx7_iommu_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("software ConnectX-7: IOMMU");
