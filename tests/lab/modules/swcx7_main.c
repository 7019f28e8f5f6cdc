// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: module swcx7_hw, the card itself.
 *
 * Builds the card from its parameters, plugs it into a PCI bus of its own and answers its drivers' first question: is this
 * device of mine?
 */
#include <linux/hex.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "swcx7_internal.h"

static int pfs = 2;
module_param(pfs, int, 0444);
MODULE_PARM_DESC(pfs, "physical functions, 1 or 2 (2)");
static int total_vfs = 8;
module_param(total_vfs, int, 0444);
MODULE_PARM_DESC(total_vfs, "VFs that each PF can have, 1 to 64 (8)");
static int domain;
module_param(domain, int, 0444);
MODULE_PARM_DESC(domain, "PCI domain (0)");
static int busnr = 0x80;
module_param(busnr, int, 0444);
MODULE_PARM_DESC(busnr, "bus of the root port; the card is on the next one (0x80)");
static ushort pf_device = 0x1021;
module_param(pf_device, ushort, 0444);
MODULE_PARM_DESC(pf_device, "PCI device id of PFs (0x1021)");
static ushort vf_device = 0x101e;
module_param(vf_device, ushort, 0444);
MODULE_PARM_DESC(vf_device, "PCI device id of VFs (0x101e)");
static char *mac = "a0:88:c2:00:00:10";
module_param(mac, charp, 0444);
MODULE_PARM_DESC(mac, "MAC of PF0; PF1 has the next one");
static char *firmware = "28.42.1000";
module_param(firmware, charp, 0444);
MODULE_PARM_DESC(firmware, "running firmware version");
static char *firmware_stored = "";
module_param(firmware_stored, charp, 0444);
MODULE_PARM_DESC(firmware_stored, "stored firmware version (same as running)");
static char *psid = "MT_0000000834";
module_param(psid, charp, 0444);
MODULE_PARM_DESC(psid, "PSID");
static bool capability_migration = true;
module_param(capability_migration, bool, 0444);
MODULE_PARM_DESC(capability_migration, "firmware setting VF_MIGRATION_MODE (1)");
static uint eswitch_delay_ms = 200;
module_param(eswitch_delay_ms, uint, 0444);
MODULE_PARM_DESC(eswitch_delay_ms, "duration of a mode change in milliseconds (200)");
static uint link_training_ms;
module_param(link_training_ms, uint, 0444);
MODULE_PARM_DESC(link_training_ms, "how long after a mode change the link is away (0)");
static bool sibling_link;
module_param(sibling_link, bool, 0444);
MODULE_PARM_DESC(sibling_link, "a mode change takes the link of the card's other port away too (0)");
static uint vf_create_ms;
module_param(vf_create_ms, uint, 0444);
MODULE_PARM_DESC(vf_create_ms, "what each VF adds to a write to sriov_numvfs, in milliseconds (0)");
static uint msix_pool;
module_param(msix_pool, uint, 0444);
MODULE_PARM_DESC(msix_pool, "MSI-X vectors that the VFs of a PF share; 0: each has 12, which nobody can change (0)");
static uint capability_word;
module_param(capability_word, uint, 0444);
MODULE_PARM_DESC(capability_word, "stands for all that two cards must have in common beside firmware and PSID (0)");
static char *wire0 = "";
module_param(wire0, charp, 0444);
MODULE_PARM_DESC(wire0, "netdev that is the cable of PF0");
static char *wire1 = "";
module_param(wire1, charp, 0444);
MODULE_PARM_DESC(wire1, "netdev that is the cable of PF1");

static struct swcx7_card *the_card;

/**
 * swcx7_pf_of() - the PF that a PCI device is, or is a VF of
 * @pdev:	any PCI device
 *
 * Return: the PF; NULL for a device that is not of this card, above all for a real ConnectX
 */
struct swcx7_pf *swcx7_pf_of(struct pci_dev *pdev)
{
	if (!the_card || pdev->bus->ops != &swcx7_pci_ops || pdev->bus->number != the_card->layout.busnr + 1)
		return NULL;
	return &the_card->pfs[pci_physfn(pdev)->devfn];
}
EXPORT_SYMBOL_GPL(swcx7_pf_of);

/**
 * swcx7_vport_of() - the vport of a PCI function
 * @pdev:	any PCI device
 *
 * Return: the uplink vport of a PF, the vport of a VF, NULL for a device that is not of this card
 */
struct swcx7_vport *swcx7_vport_of(struct pci_dev *pdev)
{
	struct swcx7_pf *pf = swcx7_pf_of(pdev);

	if (!pf)
		return NULL;
	if (!pdev->is_virtfn)
		return &pf->uplink;
	return &pf->vports[pdev->devfn - pf->index - swcx7_config_vf_offset(&pf->card->layout, pf->index)];
}
EXPORT_SYMBOL_GPL(swcx7_vport_of);

/**
 * swcx7_total_vfs() - VFs that a PF can have
 * @pf:		the PF
 */
int swcx7_total_vfs(const struct swcx7_pf *pf)
{
	return pf->card->layout.total_vfs;
}
EXPORT_SYMBOL_GPL(swcx7_total_vfs);

/**
 * swcx7_switch_id() - phys_switch_id: the card's system image GUID, one for all its PFs
 * @pf:		a PF
 * @id:		filled with 8 bytes
 *
 * Source: mlx5_esw_get_port_parent_id() in Linux 6.12.
 */
void swcx7_switch_id(const struct swcx7_pf *pf, struct netdev_phys_item_id *id)
{
	const u8 *base = pf->card->pfs[0].uplink.fallback_mac;

	id->id_len = 8;
	memcpy(id->id, base, 3);
	id->id[3] = 0x03;
	id->id[4] = 0x00;
	memcpy(id->id + 5, base + 3, 3);
}
EXPORT_SYMBOL_GPL(swcx7_switch_id);

/** free_card() - free a card that is not plugged in; also a half-built one */
static void free_card(struct swcx7_card *card)
{
	int pf, vf;

	for (pf = 0; pf < SWCX7_MAX_PFS; pf++) {
		for (vf = 0; vf < SWCX7_MAX_VFS; vf++)
			kfree(card->vf_config[pf][vf]);
		kfree(card->pf_config[pf]);
		kvfree(card->pfs[pf].vports);
	}
	kfree(card->root);
	kvfree(card);
}

/**
 * build_pf() - fill a PF and its vports
 * @card:	the card
 * @index:	PF number
 * @base:	MAC of PF0
 *
 * Return: 0 or -ENOMEM
 */
static int build_pf(struct swcx7_card *card, int index, const u8 *base)
{
	struct swcx7_pf *pf = &card->pfs[index];
	int i;

	pf->card = card;
	pf->index = index;
	pf->capability_migration = capability_migration;
	pf->eswitch_delay_ms = eswitch_delay_ms;
	pf->link_training_ms = link_training_ms;
	pf->sibling_link = sibling_link;
	pf->vf_create_ms = vf_create_ms;
	pf->msix_pool = msix_pool;
	pf->capability_word = capability_word;
	swcx7_link_init(pf);
	strscpy(pf->firmware, firmware, sizeof(pf->firmware));
	strscpy(pf->firmware_stored, *firmware_stored ? firmware_stored : firmware, sizeof(pf->firmware_stored));
	strscpy(pf->psid, psid, sizeof(pf->psid));
	pf->uplink.pf = pf;
	pf->uplink.index = SWCX7_VPORT_UPLINK;
	u64_to_ether_addr(ether_addr_to_u64(base) + index, pf->uplink.fallback_mac);
	swcx7_vport_load_mac(&pf->uplink);
	pf->vports = kvcalloc(card->layout.total_vfs, sizeof(*pf->vports), GFP_KERNEL);
	if (!pf->vports)
		return -ENOMEM;
	for (i = 0; i < card->layout.total_vfs; i++) {
		pf->vports[i].pf = pf;
		pf->vports[i].index = i;
		eth_random_addr(pf->vports[i].fallback_mac);
		swcx7_vport_clear(&pf->vports[i]);
	}
	return 0;
}

/**
 * build_configs() - make all config spaces
 * @card:	the card with its layout
 *
 * Return: 0 or -ENOMEM; what was made stays in @card
 */
static int build_configs(struct swcx7_card *card)
{
	const struct swcx7_layout *layout = &card->layout;
	int pf, vf;

	card->root = swcx7_config_root_port(layout);
	if (!card->root)
		return -ENOMEM;
	for (pf = 0; pf < layout->pfs; pf++) {
		card->pf_config[pf] = swcx7_config_pf(layout, pf);
		if (!card->pf_config[pf])
			return -ENOMEM;
		for (vf = 0; vf < layout->total_vfs; vf++) {
			card->vf_config[pf][vf] = swcx7_config_vf();
			if (!card->vf_config[pf][vf])
				return -ENOMEM;
		}
	}
	return 0;
}

/**
 * build_card() - make a card from the module's parameters
 *
 * Return: the card, or an ERR_PTR
 */
static struct swcx7_card *build_card(void)
{
	struct swcx7_card *card;
	u8 base[ETH_ALEN];
	int i, ret = 0;

	if (pfs < 1 || pfs > SWCX7_MAX_PFS || total_vfs < 1 || total_vfs > SWCX7_MAX_VFS || busnr < 1 || busnr > 0xfe ||
	    !mac_pton(mac, base) || !is_valid_ether_addr(base))
		return ERR_PTR(-EINVAL);
	card = kvzalloc(sizeof(*card), GFP_KERNEL);
	if (!card)
		return ERR_PTR(-ENOMEM);
	card->layout = (struct swcx7_layout) {
		.domain = domain, .busnr = busnr, .pfs = pfs, .total_vfs = total_vfs,
		.pf_device = pf_device, .vf_device = vf_device,
	};
	for (i = 0; i < pfs && !ret; i++)
		ret = build_pf(card, i, base);
	if (!ret)
		ret = build_configs(card);
	if (ret) {
		free_card(card);
		return ERR_PTR(ret);
	}
	return card;
}

/**
 * plug_cables() - act on wire0 and wire1
 * @card:	the card
 *
 * A cable that cannot be plugged is reported and left out; it can be set later through debugfs.
 */
static void plug_cables(struct swcx7_card *card)
{
	const char *names[SWCX7_MAX_PFS] = { wire0, wire1 };
	int i, ret;

	for (i = 0; i < card->layout.pfs; i++) {
		if (!*names[i])
			continue;
		ret = swcx7_wire_set(&card->pfs[i], names[i]);
		if (ret)
			pr_warn("swcx7: wire%d=%s: %d\n", i, names[i], ret);
	}
}

/** swcx7_hw_init() - module entry */
static int __init swcx7_hw_init(void)
{
	struct swcx7_card *card = build_card();
	int ret;

	if (IS_ERR(card))
		return PTR_ERR(card);
	the_card = card;
	ret = swcx7_wire_init(card);
	if (ret)
		goto undo_card;
	plug_cables(card);
	swcx7_debugfs_init(card);
	swcx7_iommu_set_ops(&swcx7_pci_ops);
	ret = swcx7_pci_create(card);
	if (ret)
		goto undo_wire;
	return 0;

undo_wire:
	swcx7_iommu_set_ops(NULL);
	swcx7_debugfs_exit();
	swcx7_wire_exit();
undo_card:
	the_card = NULL;
	free_card(card);
	return ret;
}

/** swcx7_hw_exit() - module exit; drivers hold a reference, so none is bound */
static void __exit swcx7_hw_exit(void)
{
	int i;

	swcx7_wire_exit();
	swcx7_debugfs_exit();
	swcx7_pci_destroy();
	for (i = 0; i < the_card->layout.pfs; i++)
		swcx7_link_exit(&the_card->pfs[i]);
	swcx7_iommu_set_ops(NULL);
	free_card(the_card);
	the_card = NULL;
}

module_init(swcx7_hw_init);
module_exit(swcx7_hw_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("software ConnectX-7: PCI, eswitch, cables, faults");
