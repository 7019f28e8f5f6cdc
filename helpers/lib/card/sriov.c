/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sriov.c: PFs, VFs and their drivers in sysfs.
 *
 * Which files block: everything that takes the device's lock, which a driver holds while it makes or removes VFs, probes or unbinds
 * (Linux drivers/pci/iov.c sriov_numvfs_show() and _store(), drivers/base/bus.c). Links, sriov_totalvfs and the like do not.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memrchr */
#endif

#include "card/sriov.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/spawn.h"
#include "base/sysroot.h"

#define DEVICES "/sys/bus/pci/devices"
#define ALIASES_MAX (1u << 20)    /* bytes of modules.alias that are about VFIO */
#define ALIASES_PIECE (64u << 10) /* that are read at once */
#define MODPROBE_TIME 20000       /* ms */

/* Reads one number of a PF, 0 if it cannot be read. */
static unsigned int read_count(const char *address, const char *attribute)
{
	unsigned long value = 0;

	if (sysroot_read_number(&value, DEVICES "/%s/%s", address, attribute) < 0 || value > UINT_MAX)
		return 0;
	return (unsigned int)value;
}

/* Reads the NUMA node of a device, -1 if the kernel does not know it. */
static int read_numa_node(const char *address)
{
	char text[16], *end;
	long node;

	if (sysroot_read(text, sizeof(text), DEVICES "/%s/numa_node", address) <= 0)
		return -1;
	node = strtol(text, &end, 10);
	return *end == '\0' && node >= 0 && node <= INT_MAX ? (int)node : -1;
}

/* Reads what does not block. Return: 0; -ENOENT with *why filled if the device is no PF that can have VFs. */
int sriov_read_static(const struct pci_address *pf, struct sriov_pf *out, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];
	unsigned long autoprobe = 1;

	pci_address_format(pf, address);
	if (!sysroot_exists(DEVICES "/%s/sriov_totalvfs", address)) {
		reason_set(why, -ENOENT, address, "this device cannot have VFs");
		reason_cure(why, "switch SR-IOV on in the card (mstconfig -d %s set SRIOV_EN=1 NUM_OF_VFS=4) and in the machine's firmware",
			    address);
		return -ENOENT;
	}
	memset(out, 0, sizeof(*out));
	out->total_vfs = read_count(address, "sriov_totalvfs");
	out->offset = read_count(address, "sriov_offset");
	out->stride = read_count(address, "sriov_stride");
	(void)sysroot_read_number(&autoprobe, DEVICES "/%s/sriov_drivers_autoprobe", address);
	out->autoprobe = autoprobe != 0;
	out->numa_node = read_numa_node(address);
	return 0;
}

/*
 * Reads a PF with the number of its VFs. May block.
 * Return: 0; -ENOENT if it is no PF that can have VFs; other negative errno; *why filled.
 */
int sriov_read(const struct pci_address *pf, struct sriov_pf *out, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];
	struct sriov_pf found;
	unsigned long vfs;
	int error = sriov_read_static(pf, &found, why);

	if (error)
		return error;
	pci_address_format(pf, address);
	error = sysroot_read_number(&vfs, DEVICES "/%s/sriov_numvfs", address);
	if (error)
		return reason_set(why, error, address, "sriov_numvfs cannot be read: %s", strerror(-error));
	found.num_vfs = (unsigned int)vfs;
	*out = found;
	return 0;
}

/* The address of a VF by its link virtfnN. Return: 0, -ENOENT if there is none. */
int sriov_vf_address(const struct pci_address *pf, unsigned int index, struct pci_address *vf)
{
	char address[PCI_ADDRESS_LEN], name[32];
	int error = sysroot_link_name(name, sizeof(name), DEVICES "/%s/virtfn%u", pci_address_format(pf, address), index);

	return error ? error : pci_address_parse(name, vf);
}

/* Explains what the kernel says to a number of VFs (drivers/pci/iov.c sriov_numvfs_store()); see the header. Return: error. */
int sriov_explain_number(int error, const struct pci_address *pf, unsigned int vfs, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];

	pci_address_format(pf, address);
	switch (error) {
	case -ERANGE:
		reason_set(why, error, address, "%u VFs are more than the card offers (%u)", vfs, read_count(address, "sriov_totalvfs"));
		reason_cure(why, "set NUM_OF_VFS with mstconfig and reset the firmware, or ask for fewer VFs");
		break;
	case -EBUSY:
		reason_set(why, error, address, "the PF has another number of VFs already, which cannot become %u while they exist", vfs);
		reason_cure(why, "use the VFs that exist, or end all their guests, write 0 to sriov_numvfs, and try again");
		break;
	case -ENOENT:
		reason_set(why, error, address, "no driver that can make VFs has this PF");
		reason_cure(why, "load mlx5_core and check that it drives the PF");
		break;
	case -ENOMEM: /* pci_enable_sriov(): "not enough MMIO resources for SR-IOV", "bus number out of range" */
		reason_set(why, error, address, "the machine has no room for %u VFs: %s", vfs, strerror(-error));
		reason_cure(why, "let its firmware give PCIe devices more room (Above 4G Decoding, SR-IOV), or boot with pci=realloc, or ask for fewer "
			    "VFs; the kernel's own words: journalctl -k | grep %s", address);
		break;
	default:
		reason_set(why, error, address, "the driver could not make %u VFs: %s", vfs, strerror(-error));
		reason_cure(why, "look for the driver's own words with: journalctl -k | grep %s", address);
	}
	return error;
}

/*
 * Sets the number of VFs. The same number again is harmless. Blocks, while a VF is open in a guest without limit: never write 0 then.
 * Return: 0, negative errno with *why filled.
 */
int sriov_set_num(const struct pci_address *pf, unsigned int vfs, struct reason *why)
{
	char address[PCI_ADDRESS_LEN], text[16];
	int error;

	snprintf(text, sizeof(text), "%u", vfs);
	error = sysroot_write(text, DEVICES "/%s/sriov_numvfs", pci_address_format(pf, address));
	return error ? sriov_explain_number(error, pf, vfs, why) : 0;
}

/*
 * Says whether drivers may take VFs that are made from now on. Lost when the PF is enumerated again.
 * Return: 0, negative errno with *why filled.
 */
int sriov_set_autoprobe(const struct pci_address *pf, bool on, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];
	int error = sysroot_write(on ? "1" : "0", DEVICES "/%s/sriov_drivers_autoprobe", pci_address_format(pf, address));

	if (error)
		reason_set(why, error, address, "sriov_drivers_autoprobe cannot be written: %s", strerror(-error));
	return error;
}

/* The driver of a device, "" if none. Return: 0; -ENODEV if there is no such device; other negative errno. */
int pci_driver(const struct pci_address *device, char *name, size_t size)
{
	char address[PCI_ADDRESS_LEN];
	int error = sysroot_link_name(name, size, DEVICES "/%s/driver", pci_address_format(device, address));

	if (error != -ENOENT)
		return error;
	name[0] = '\0';
	return sysroot_exists(DEVICES "/%s", address) ? 0 : -ENODEV;
}

/* Return: the number of devices in a device's IOMMU group, itself included; 0 if it has no group. */
unsigned int pci_group_members(const struct pci_address *device)
{
	char address[PCI_ADDRESS_LEN];
	autoclosedir DIR *directory = sysroot_opendir(DEVICES "/%s/iommu_group/devices", pci_address_format(device, address));
	const struct dirent *entry;
	unsigned int members = 0;

	while (directory && (entry = readdir(directory)))
		members += entry->d_name[0] != '.';
	return members;
}

/* ---- VFIO drivers -------------------------------------------------------------------------------------------------------------- */

/* Return: how many wildcards a pattern has: the fewer, the better it fits (as libvirt's virPCIDeviceFindBestVFIOVariant counts). */
static unsigned int count_wildcards(const char *pattern)
{
	unsigned int count = 0;

	for (; *pattern; pattern++)
		count += *pattern == '*';
	return count;
}

/*
 * The next line of modules.alias that is about VFIO. The file has tens of thousands of others.
 * at: where to begin in the text that begins at aliases. Return: its start, NULL if there is none.
 */
static const char *next_vfio_alias(const char *aliases, const char *at)
{
	while ((at = strstr(at, "alias vfio_pci:")) && at > aliases && at[-1] != '\n')
		at++;
	return at;
}

/*
 * Finds the module whose alias fits a device best.
 * aliases: text of modules.alias. alias: "vfio_pci:v0000…". name: the module, untouched if none fits.
 * Return: whether one fits.
 */
bool pci_match_alias(const char *aliases, const char *alias, char *name, size_t size)
{
	unsigned int best = UINT_MAX;

	for (const char *at = aliases; (at = next_vfio_alias(aliases, at)); at++) {
		char line[512], pattern[256], module[64];

		snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
		if (sscanf(line, "alias %255s %63s", pattern, module) != 2)
			continue;
		if (fnmatch(pattern, alias, 0) != 0 || count_wildcards(pattern) >= best)
			continue;
		best = count_wildcards(pattern);
		snprintf(name, size, "%s", module);
	}
	return best != UINT_MAX;
}

/* The lines about VFIO that were found so far. */
struct vfio_aliases {
	char *text; /* malloc'ed, NULL: none */
	size_t used;
};

/* Keeps the VFIO lines of whole lines of modules.alias. Return: 0, -ENOMEM, -EFBIG. */
static int keep_aliases(struct vfio_aliases *kept, const char *lines)
{
	for (const char *at = lines; (at = next_vfio_alias(lines, at)); at++) {
		size_t length = strcspn(at, "\n") + 1;
		char *grown = kept->used + length > ALIASES_MAX ? NULL : realloc(kept->text, kept->used + length + 1);

		if (!grown)
			return kept->used + length > ALIASES_MAX ? -EFBIG : -ENOMEM;
		kept->text = grown;
		kept->used += (size_t)snprintf(grown + kept->used, length + 1, "%.*s\n", (int)length - 1, at);
	}
	return 0;
}

/*
 * Reads a file of lines piece by piece, and keeps those about VFIO: it has more than a megabyte, and all but a few are about others.
 * Return: 0, negative errno.
 */
static int filter_aliases(int fd, struct vfio_aliases *kept)
{
	autofree char *piece = malloc(ALIASES_PIECE + 1);
	size_t used = 0;
	ssize_t got;
	int error = piece ? 0 : -ENOMEM;

	while (!error && (got = read(fd, piece + used, ALIASES_PIECE - used)) != 0) {
		char *end;

		if (got < 0 && errno != EINTR)
			return -errno;
		used += got > 0 ? (size_t)got : 0;
		end = memrchr(piece, '\n', used);
		if (!end && used == ALIASES_PIECE)
			return -EINVAL; /* no list of aliases has such a line */
		if (!end)
			continue;
		*end = '\0';
		error = keep_aliases(kept, piece);
		used -= (size_t)(end + 1 - piece);
		memmove(piece, end + 1, used);
	}
	if (error)
		return error;
	piece[used] = '\0';
	return keep_aliases(kept, piece);
}

/*
 * Reads what modules.alias of the running kernel says about VFIO.
 * Return: 0 with *aliases (to be freed; NULL if it says nothing), negative errno.
 */
static int read_aliases(char **aliases)
{
	struct vfio_aliases kept = { 0 };
	autoclose int fd = -1;
	char release[128];
	ssize_t len = sysroot_read(release, sizeof(release), "/proc/sys/kernel/osrelease");
	int error;

	if (len <= 0 || strchr(release, '/'))
		return -ENOENT;
	fd = sysroot_open(O_RDONLY | O_NOCTTY | O_NONBLOCK, 0, "/lib/modules/%s/modules.alias", release);
	error = fd < 0 ? fd : filter_aliases(fd, &kept);
	if (error)
		free(kept.text);
	else
		*aliases = kept.text;
	return error;
}

/* Whether the kernel has a variant driver for a VF of these ids, as modules.alias tells. */
bool pci_has_variant_driver(unsigned int vendor, unsigned int device)
{
	autofree char *aliases = NULL;
	char alias[128], name[64];

	snprintf(alias, sizeof(alias), "vfio_pci:v%08Xd%08Xsv%08Xsd%08Xbc02sc00i00", vendor, device, vendor, 0u);
	return read_aliases(&aliases) == 0 && aliases && pci_match_alias(aliases, alias, name, sizeof(name));
}

/* ---- Binding ------------------------------------------------------------------------------------------------------------------- */

/* Loads a driver's module unless the driver is there. A failure shows when the driver does not take the device. */
static void load_driver(const char *driver)
{
	char program[] = "/sbin/modprobe", quiet[] = "-q", end[] = "--", name[64];
	char *argv[] = { program, quiet, end, name, NULL };

	snprintf(name, sizeof(name), "%s", driver);
	if (!sysroot_exists("/sys/bus/pci/drivers/%s", driver))
		(void)spawn_run(argv, NULL, 0, deadline_in(MODPROBE_TIME), NULL);
}

/* Takes a device from its driver, leaving driver_override alone. Return: 0, negative errno. */
static int release_driver(const char *address)
{
	int error = sysroot_write(address, DEVICES "/%s/driver/unbind", address);

	/* ENOENT: it had none; ENODEV: it has just lost it. */
	return error == -ENOENT || error == -ENODEV ? 0 : error;
}

/*
 * Gives a device to a driver. A variant driver such as mlx5_vfio_pci takes a device only by driver_override (its id table is flagged
 * PCI_ID_F_VFIO_DRIVER_OVERRIDE); a driver_override probes even where sriov_drivers_autoprobe is 0 (drivers/pci/pci-driver.c
 * pci_device_can_probe()). Doing it twice is harmless.
 * Return: 0; -ENODEV if the driver did not take it; other negative errno; *why filled.
 */
int pci_bind(const struct pci_address *device, const char *driver, struct reason *why)
{
	char address[PCI_ADDRESS_LEN], now[64];
	int error;

	error = pci_driver(device, now, sizeof(now));
	pci_address_format(device, address);
	if (error == -ENODEV)
		return reason_set(why, error, address, "there is no such PCI device");
	if (error)
		return reason_set(why, error, address, "its driver cannot be read: %s", strerror(-error));
	if (strcmp(now, driver) == 0)
		return 0;
	load_driver(driver);
	error = sysroot_write(driver, DEVICES "/%s/driver_override", address);
	if (!error)
		error = release_driver(address);
	if (!error)
		error = sysroot_write(address, "/sys/bus/pci/drivers_probe");
	if (error)
		return reason_set(why, error, address, "it cannot be bound to %s: %s", driver, strerror(-error));
	if (pci_driver(device, now, sizeof(now)) == 0 && strcmp(now, driver) == 0)
		return 0;
	reason_set(why, -ENODEV, address, "driver %s did not take the device", driver);
	reason_cure(why, "load the driver (modprobe %s) and look for its words with: journalctl -k | grep %s", driver, address);
	return -ENODEV;
}

/*
 * Takes a device from its driver and clears driver_override. Doing it twice is harmless.
 * Return: 0, negative errno with *why filled.
 */
int pci_unbind(const struct pci_address *device, struct reason *why)
{
	char address[PCI_ADDRESS_LEN];
	int error = release_driver(pci_address_format(device, address));

	if (!error)
		error = sysroot_write("\n", DEVICES "/%s/driver_override", address);
	if (error)
		reason_set(why, error, address, "it cannot be unbound from its driver: %s", strerror(-error));
	return error;
}
