// SPDX-License-Identifier: GPL-2.0-only
/* Software ConnectX-7: /sys/kernel/debug/swcx7, see README.md for each file. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/string_helpers.h>
#include <linux/uaccess.h>
#include "swcx7_internal.h"

#define LINE_LEN 160

static struct dentry *root;

/**
 * read_line() - copy what a user wrote
 * @line:	LINE_LEN bytes, filled without white space around it
 * @user, @count: what was written
 *
 * Return: the stripped line within @line, or an ERR_PTR
 */
static char *read_line(char *line, const char __user *user, size_t count)
{
	if (count >= LINE_LEN)
		return ERR_PTR(-E2BIG);
	if (copy_from_user(line, user, count))
		return ERR_PTR(-EFAULT);
	line[count] = '\0';
	return strim(line);
}

/** private_of() - what a debugfs file is about */
static void *private_of(struct file *file)
{
	return ((struct seq_file *)file->private_data)->private;
}

/** fault_show() - read a fault_* file, a struct swcx7_fault */
static int fault_show(struct seq_file *out, void *unused)
{
	swcx7_fault_print(out->private, out);
	return 0;
}

/** fault_write() - write a fault_* file. Return: @count or a negative errno */
static ssize_t fault_write(struct file *file, const char __user *user, size_t count, loff_t *pos)
{
	char buffer[LINE_LEN], *line = read_line(buffer, user, count);
	int ret = IS_ERR(line) ? PTR_ERR(line) : swcx7_fault_parse(private_of(file), line);

	return ret ?: count;
}
DEFINE_SHOW_STORE_ATTRIBUTE(fault);

/**
 * store_word() - replace a short string by one word that a user wrote
 * @word:	the string
 * @size:	its size in bytes
 * @user, @count: what was written
 *
 * Return: @count, or a negative errno; -EINVAL for white space inside
 */
static ssize_t store_word(char *word, size_t size, const char __user *user, size_t count)
{
	char buffer[LINE_LEN], *line = read_line(buffer, user, count);

	if (IS_ERR(line))
		return PTR_ERR(line);
	if (strlen(line) >= size)
		return -E2BIG;
	if (strpbrk(line, " \t\n"))
		return -EINVAL;
	strscpy(word, line, size);
	return count;
}

/** version_show() - read a version or PSID, a word of SWCX7_VERSION_LEN bytes */
static int version_show(struct seq_file *out, void *unused)
{
	seq_printf(out, "%s\n", (char *)out->private);
	return 0;
}

/** version_write() - write a version or PSID. Return: @count or a negative errno */
static ssize_t version_write(struct file *file, const char __user *user, size_t count, loff_t *pos)
{
	return store_word(private_of(file), SWCX7_VERSION_LEN, user, count);
}
DEFINE_SHOW_STORE_ATTRIBUTE(version);

/** ifname_show() - read the name of a netdev, a word of IFNAMSIZ bytes */
static int ifname_show(struct seq_file *out, void *unused)
{
	return version_show(out, unused);
}

/** ifname_write() - write the name of a netdev. Return: @count or a negative errno */
static ssize_t ifname_write(struct file *file, const char __user *user, size_t count, loff_t *pos)
{
	return store_word(private_of(file), IFNAMSIZ, user, count);
}
DEFINE_SHOW_STORE_ATTRIBUTE(ifname);

/** wire_show() - read `wire`: name of the cable's netdev, an empty line without one */
static int wire_show(struct seq_file *out, void *unused)
{
	struct swcx7_pf *pf = out->private;
	struct net_device *wire;

	rcu_read_lock();
	wire = rcu_dereference(pf->wire);
	seq_printf(out, "%s\n", wire ? wire->name : "");
	rcu_read_unlock();
	return 0;
}

/** wire_write() - write `wire`. Return: @count or a negative errno, see swcx7_wire_set() */
static ssize_t wire_write(struct file *file, const char __user *user, size_t count, loff_t *pos)
{
	char buffer[LINE_LEN], *line = read_line(buffer, user, count);
	int ret = IS_ERR(line) ? PTR_ERR(line) : swcx7_wire_set(private_of(file), line);

	return ret ?: count;
}
DEFINE_SHOW_STORE_ATTRIBUTE(wire);

/** eswitch_state_show() - read `eswitch_state` */
static int eswitch_state_show(struct seq_file *out, void *unused)
{
	static const char *const names[] = {
		[SWCX7_ESW_LEGACY] = "legacy",
		[SWCX7_ESW_SWITCHDEV] = "switchdev",
		[SWCX7_ESW_CHANGING] = "changing",
		[SWCX7_ESW_DEAD] = "dead",
	};
	struct swcx7_pf *pf = out->private;

	seq_printf(out, "%s\n", names[READ_ONCE(pf->state)]);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(eswitch_state);

/** bdf_show() - read `bdf` */
static int bdf_show(struct seq_file *out, void *unused)
{
	struct swcx7_pf *pf = out->private;

	seq_printf(out, "%s\n", pf->pdev ? pci_name(pf->pdev) : "");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(bdf);

/** owner_show() - read `owner` of a VF */
static int owner_show(struct seq_file *out, void *unused)
{
	const char *owner = swcx7_vport_owner(out->private);

	seq_printf(out, "%s%s\n", owner ?: "none", swcx7_vport_is_initialised(out->private) ? " in-use" : "");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(owner);

/** mac_show() - read `mac` or `admin_mac` of a VF */
static int mac_show(struct seq_file *out, void *unused)
{
	seq_printf(out, "%pM\n", out->private);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(mac);

/** link_show() - read `link` of a VF */
static int link_show(struct seq_file *out, void *unused)
{
	seq_printf(out, "%s\n", swcx7_vport_link_is_up(out->private) ? "up" : "down");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(link);

/** frames_show() - read `frames` of a VF */
static int frames_show(struct seq_file *out, void *unused)
{
	struct swcx7_vport *vport = out->private;

	seq_printf(out, "to_function %lld from_function %lld dropped %lld\n", atomic64_read(&vport->to_function),
		   atomic64_read(&vport->from_function), atomic64_read(&vport->dropped));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(frames);

/**
 * add_vf() - directory of a VF
 * @pf:		its PF
 * @index:	VF number
 */
static void add_vf(struct swcx7_pf *pf, int index)
{
	struct swcx7_vport *vport = &pf->vports[index];
	struct dentry *dir;
	char name[8];

	snprintf(name, sizeof(name), "vf%d", index);
	dir = debugfs_create_dir(name, pf->debugfs);
	debugfs_create_file("owner", 0444, dir, vport, &owner_fops);
	debugfs_create_file("mac", 0444, dir, vport->mac, &mac_fops);
	debugfs_create_file("admin_mac", 0444, dir, vport->admin_mac, &mac_fops);
	debugfs_create_file("link", 0444, dir, vport, &link_fops);
	debugfs_create_file("frames", 0444, dir, vport, &frames_fops);
	debugfs_create_u32("rep_missing", 0644, dir, &vport->rep_missing);
	debugfs_create_u32("rep_delay_ms", 0644, dir, &vport->rep_delay_ms);
	debugfs_create_file("rep_name", 0644, dir, vport->rep_name, &ifname_fops);
	debugfs_create_u32("port_sick", 0644, dir, &vport->port_sick);
	debugfs_create_u16("msix", 0444, dir, &vport->msix);
	debugfs_create_bool("ipsec_crypto", 0644, dir, &vport->ipsec_crypto);
	debugfs_create_bool("ipsec_packet", 0644, dir, &vport->ipsec_packet);
}

/**
 * add_faults() - the fault files of a PF
 * @pf:		the PF, with its directory
 */
static void add_faults(struct swcx7_pf *pf)
{
	const struct {
		const char *name;
		struct swcx7_fault *fault;
	} files[] = {
		{ "fault_eswitch_set", &pf->fault_eswitch_set },
		{ "fault_numvfs", &pf->fault_numvfs },
		{ "fault_migratable_set", &pf->fault_migratable_set },
		{ "fault_hw_addr_set", &pf->fault_hw_addr_set },
		{ "fault_info_get", &pf->fault_info_get },
		{ "fault_precopy", &pf->fault_precopy },
		{ "fault_state_save", &pf->fault_state_save },
		{ "fault_state_load", &pf->fault_state_load },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(files); i++)
		debugfs_create_file(files[i].name, 0644, pf->debugfs, files[i].fault, &fault_fops);
}

/**
 * add_settings() - the plain files of a PF
 * @pf:		the PF, with its directory
 */
static void add_settings(struct swcx7_pf *pf)
{
	struct dentry *dir = pf->debugfs;

	debugfs_create_file("bdf", 0444, dir, pf, &bdf_fops);
	debugfs_create_file("wire", 0644, dir, pf, &wire_fops);
	debugfs_create_file("eswitch_state", 0444, dir, pf, &eswitch_state_fops);
	debugfs_create_file("firmware", 0644, dir, pf->firmware, &version_fops);
	debugfs_create_file("firmware_stored", 0644, dir, pf->firmware_stored, &version_fops);
	debugfs_create_file("psid", 0644, dir, pf->psid, &version_fops);
	debugfs_create_bool("capability_migration", 0644, dir, &pf->capability_migration);
	debugfs_create_bool("migratable_when_bound", 0644, dir, &pf->migratable_when_bound);
	debugfs_create_bool("fault_eswitch_kills", 0644, dir, &pf->fault_eswitch_kills);
	debugfs_create_u32("eswitch_delay_ms", 0644, dir, &pf->eswitch_delay_ms);
	debugfs_create_u32("link_training_ms", 0644, dir, &pf->link_training_ms);
	debugfs_create_bool("sibling_link", 0644, dir, &pf->sibling_link);
	debugfs_create_u32("vf_create_ms", 0644, dir, &pf->vf_create_ms);
	debugfs_create_u32("msix_pool", 0644, dir, &pf->msix_pool);
	debugfs_create_u32("capability_word", 0644, dir, &pf->capability_word);
	debugfs_create_u32("state_save_delay_ms", 0644, dir, &pf->state_save_delay_ms);
	debugfs_create_u32("state_load_delay_ms", 0644, dir, &pf->state_load_delay_ms);
	debugfs_create_u64("state_filler_bytes", 0644, dir, &pf->state_filler_bytes);
	debugfs_create_u32("count_mode_sets", 0444, dir, &pf->count_mode_sets);
	debugfs_create_u32("count_same_mode_sets", 0444, dir, &pf->count_same_mode_sets);
	debugfs_create_u32("count_numvfs_writes", 0444, dir, &pf->count_numvfs_writes);
	debugfs_create_atomic_t("tc_rules", 0444, dir, &pf->tc_rules);
	debugfs_create_atomic_t("firmware_commands", 0644, dir, &pf->firmware_commands);
}

/**
 * swcx7_debugfs_init() - make all directories and files
 * @card:	the card
 *
 * Failures are not reported: debugfs is for tests only, and they notice.
 */
void swcx7_debugfs_init(struct swcx7_card *card)
{
	char name[8];
	int i, vf;

	root = debugfs_create_dir("swcx7", NULL);
	for (i = 0; i < card->layout.pfs; i++) {
		struct swcx7_pf *pf = &card->pfs[i];

		snprintf(name, sizeof(name), "pf%d", i);
		pf->debugfs = debugfs_create_dir(name, root);
		add_settings(pf);
		add_faults(pf);
		for (vf = 0; vf < card->layout.total_vfs; vf++)
			add_vf(pf, vf);
	}
}

/** swcx7_debugfs_exit() - remove everything */
void swcx7_debugfs_exit(void)
{
	debugfs_remove_recursive(root);
}
