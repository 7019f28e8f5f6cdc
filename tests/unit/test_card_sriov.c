/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_card_sriov.c: PFs, VFs and drivers in a fake /sys. What only a kernel can show (EBUSY, binding) is tested in the lab. */
#include "check.h"

#include "base/sysroot.h"
#include "card/device_user.h"
#include "card/msix.h"
#include "card/sriov.h"

#define PF "/sys/bus/pci/devices/0000:81:00.0"
#define VF "/sys/bus/pci/devices/0000:81:00.2"

static const struct pci_address pf = { .bus = 0x81 }, vf = { .bus = 0x81, .function = 2 };

/* Begins a fake /sys with one PF that has two VFs; the second is bound. */
static void make_tree(void)
{
	check_file(PF "/sriov_totalvfs", "8\n");
	check_file(PF "/sriov_numvfs", "2\n");
	check_file(PF "/sriov_offset", "2\n");
	check_file(PF "/sriov_stride", "1\n");
	check_file(PF "/sriov_drivers_autoprobe", "0\n");
	check_file(PF "/numa_node", "-1\n");
	check_link("../0000:81:00.2", PF "/virtfn0");
	check_link("../0000:81:00.3", PF "/virtfn1");
	check_file(VF "/modalias", "pci:v000015B3d0000101Esv000015B3sd00000075bc02sc00i00\n");
	check_file(VF "/driver_override", "(null)\n");
	check_link("../0000:81:00.0", VF "/physfn");
	check_file("/sys/bus/pci/devices/0000:81:00.3/driver_override", "");
	check_link("../0000:81:00.0", "/sys/bus/pci/devices/0000:81:00.3/physfn");
	check_file("/sys/bus/pci/drivers/mlx5_vfio_pci/unbind", "");
	check_link("../../drivers/mlx5_vfio_pci", "/sys/bus/pci/devices/0000:81:00.3/driver");
	check_file("/sys/bus/pci/drivers_probe", "");
	check_file("/sys/kernel/iommu_groups/5/devices/0000:81:00.2", "");
	check_file("/sys/kernel/iommu_groups/5/devices/0000:81:00.3", "");
	check_link("../../../../kernel/iommu_groups/5", VF "/iommu_group");
	CHECK_INT(sysroot_set(check_scratch()), 0);
}

/* Writes the configuration space of a VF of the scratch machine. */
static void write_config(const unsigned char *config, size_t size)
{
	char path[4096];
	FILE *file;

	check_file(VF "/config", "");
	snprintf(path, sizeof(path), "%s" VF "/config", check_scratch());
	file = fopen(path, "w");
	CHECK(file && fwrite(config, 1, size, file) == size);
	fclose(file);
}

TEST(reads_how_many_entries_an_msi_x_table_has)
{
	unsigned char config[256] = { 0 };

	config[6] = 0x10;  /* there are capabilities */
	config[0x34] = 0x60;
	config[0x60] = 0x10, config[0x61] = 0x9c; /* PCI Express, then */
	config[0x9c] = 0x11, config[0x9e] = 11;   /* MSI-X */
	write_config(config, sizeof(config));
	CHECK_INT(sysroot_set(check_scratch()), 0);
	CHECK_INT(msix_size(&vf), 12);
	config[0x9f] = 0xc7; /* enabled, masked; 2048 entries */
	config[0x9e] = 0xff;
	write_config(config, sizeof(config));
	CHECK_INT(msix_size(&vf), 2048);
	write_config(config, 64); /* to who is not root */
	CHECK_INT(msix_size(&vf), 0);
	config[0x61] = 0x60; /* a ring */
	write_config(config, sizeof(config));
	CHECK_INT(msix_size(&vf), 0);
	CHECK_INT(msix_size(&(struct pci_address){ .bus = 0x99 }), 0);
}

TEST(reads_a_pf)
{
	struct sriov_pf found;

	make_tree();
	CHECK_INT(sriov_read(&pf, &found, NULL), 0);
	CHECK_INT(found.total_vfs, 8);
	CHECK_INT(found.num_vfs, 2);
	CHECK_INT(found.offset, 2);
	CHECK_INT(found.stride, 1);
	CHECK(!found.autoprobe);
	CHECK_INT(found.numa_node, -1);
}

TEST(a_device_without_sriov_is_a_sentence_with_the_firmware_setting)
{
	struct sriov_pf found;
	struct reason why = { 0 };

	make_tree();
	CHECK_INT(sriov_read(&vf, &found, &why), -ENOENT);
	CHECK_STR(why.object, "0000:81:00.2");
	CHECK_CONTAINS(why.what, "cannot have VFs");
	CHECK_CONTAINS(why.cure, "SRIOV_EN=1");
}

TEST(finds_a_vf_by_the_links_of_sysfs)
{
	struct pci_address found;

	make_tree();
	CHECK_INT(sriov_vf_address(&pf, 1, &found), 0);
	CHECK_INT(found.function, 3);
	CHECK_INT(sriov_vf_address(&pf, 2, &found), -ENOENT);
}

TEST(tells_the_driver_and_the_group)
{
	char name[32];

	make_tree();
	CHECK_INT(pci_driver(&vf, name, sizeof(name)), 0);
	CHECK_STR(name, "");
	CHECK_INT(pci_driver(&(struct pci_address){ .bus = 0x81, .function = 3 }, name, sizeof(name)), 0);
	CHECK_STR(name, "mlx5_vfio_pci");
	CHECK_INT(pci_driver(&(struct pci_address){ .bus = 9 }, name, sizeof(name)), -ENODEV);
	CHECK_INT(pci_group_members(&vf), 2);
	CHECK_INT(pci_group_members(&pf), 0);
}

TEST(writes_the_number_of_vfs_and_autoprobe)
{
	unsigned long value;

	make_tree();
	CHECK_INT(sriov_set_num(&pf, 4, NULL), 0);
	CHECK_INT(sysroot_read_number(&value, PF "/sriov_numvfs"), 0);
	CHECK_INT(value, 4);
	CHECK_INT(sriov_set_autoprobe(&pf, true, NULL), 0);
	CHECK_INT(sysroot_read_number(&value, PF "/sriov_drivers_autoprobe"), 0);
	CHECK_INT(value, 1);
}

TEST(a_pf_without_driver_cannot_make_vfs)
{
	struct reason why = { 0 };

	make_tree();
	CHECK_INT(sriov_set_num(&vf, 4, &why), -ENOENT); /* no such file: what a PF without driver answers */
	CHECK_CONTAINS(why.what, "no driver that can make VFs");
}

TEST(a_machine_without_room_for_vfs_is_told_how_to_make_some)
{
	struct reason why = { 0 };

	CHECK_INT(sriov_explain_number(-ENOMEM, &pf, 8, &why), -ENOMEM);
	CHECK_CONTAINS(why.what, "no room for 8 VFs");
	CHECK_CONTAINS(why.cure, "pci=realloc");
	CHECK_INT(sriov_explain_number(-EIO, &pf, 8, &why), -EIO);
	CHECK_CONTAINS(why.what, "could not make 8 VFs");
}

/* What modules.alias of a kernel with the variant driver says, and lines that must not match. */
static const char aliases[] =
	"# Aliases extracted from modules themselves.\n"
	"alias pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_core\n"
	"alias vfio_pci:v*d*sv*sd*bc*sc*i* some_catch_all\n"
	"alias vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_vfio_pci\n"
	"alias vfio_pci:v00008086d*sv*sd*bc*sc*i* another\n"
	"alias vfio_pci:broken\n";

TEST(chooses_the_variant_driver_that_fits_best)
{
	char name[64];

	make_tree();
	check_file("/proc/sys/kernel/osrelease", "6.12.0\n");
	check_file("/lib/modules/6.12.0/modules.alias", aliases);
	CHECK(pci_match_alias(aliases, "vfio_pci:v000015B3d0000101Esv000015B3sd00000000bc02sc00i00", name, sizeof(name)));
	CHECK_STR(name, "mlx5_vfio_pci");
	CHECK(pci_has_variant_driver(0x15b3, 0x101e));
}

/* The file is read piece by piece: wherever a piece ends, the line is found. */
TEST(finds_the_alias_wherever_it_stands_in_a_long_file)
{
	enum { FILLER = 131072, STEP = 7 };
	static const char line[] = "alias vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_vfio_pci\n";
	static char text[FILLER + sizeof(line)];

	make_tree();
	check_file("/proc/sys/kernel/osrelease", "6.12.0\n");
	for (size_t shift = 0; shift < sizeof(line); shift += STEP) {
		memset(text, '#', FILLER);
		for (size_t i = 79; i < FILLER; i += 80)
			text[i] = '\n';
		text[FILLER - shift - 1] = '\n';
		memcpy(text + FILLER - shift, line, sizeof(line));
		check_file("/lib/modules/6.12.0/modules.alias", text);
		CHECK(pci_has_variant_driver(0x15b3, 0x101e));
	}
}

TEST(without_an_alias_there_is_no_variant_driver)
{
	make_tree();
	check_file("/proc/sys/kernel/osrelease", "6.12.0\n");
	CHECK(!pci_has_variant_driver(0x15b3, 0x101e));
	check_file("/lib/modules/6.12.0/modules.alias", "alias pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_core\n");
	CHECK(!pci_has_variant_driver(0x15b3, 0x101e));
}

TEST(binding_what_is_bound_writes_nothing)
{
	char text[32];

	make_tree();
	CHECK_INT(pci_bind(&(struct pci_address){ .bus = 0x81, .function = 3 }, "mlx5_vfio_pci", NULL), 0);
	CHECK_INT(sysroot_read(text, sizeof(text), "/sys/bus/pci/devices/0000:81:00.3/driver_override"), 0);
}

TEST(a_driver_that_does_not_take_the_device_is_a_sentence)
{
	struct reason why = { 0 };
	char text[32];

	make_tree();
	CHECK_INT(pci_bind(&vf, "mlx5_vfio_pci", &why), -ENODEV); /* nothing binds in a fake /sys */
	CHECK_CONTAINS(why.what, "driver mlx5_vfio_pci did not take the device");
	CHECK(sysroot_read(text, sizeof(text), VF "/driver_override") > 0);
	CHECK_STR(text, "mlx5_vfio_pci");
	CHECK(sysroot_read(text, sizeof(text), "/sys/bus/pci/drivers_probe") > 0);
	CHECK_STR(text, "0000:81:00.2");
}

TEST(unbinding_clears_the_override)
{
	char text[32];

	make_tree();
	CHECK_INT(pci_unbind(&(struct pci_address){ .bus = 0x81, .function = 3 }, NULL), 0);
	CHECK(sysroot_read(text, sizeof(text), "/sys/bus/pci/drivers/mlx5_vfio_pci/unbind") > 0);
	CHECK_STR(text, "0000:81:00.3");
	CHECK_INT(sysroot_read(text, sizeof(text), "/sys/bus/pci/devices/0000:81:00.3/driver_override"), 0);
	CHECK_INT(pci_unbind(&vf, NULL), 0); /* no driver */
}

TEST(a_vf_that_a_process_has_open_is_not_unbound)
{
	struct pci_address device;
	struct reason why = { 0 };

	CHECK_INT(sysroot_set(check_scratch()), 0);
	pci_address_parse("0000:81:00.2", &device);
	check_link("../../../../kernel/iommu_groups/12", "/sys/bus/pci/devices/0000:81:00.2/iommu_group");
	CHECK_INT(pci_refuse_open(&device, &why), -EACCES); /* no /proc: nobody is seen, which is not that there is nobody */
	CHECK_STR(why.object, "0000:81:00.2");
	CHECK_CONTAINS(why.what, "cannot be seen whether a process has the VF open");
	check_link("/dev/pts/12", "/proc/77/fd/0");
	check_file("/proc/77/comm", "bash\n");
	CHECK_INT(pci_refuse_open(&device, &why), 0);
	check_link("/dev/vfio/12", "/proc/4711/fd/33");
	check_file("/proc/4711/comm", "qemu-system-x86\n");
	CHECK_INT(pci_refuse_open(&device, &why), -EBUSY);
	CHECK_STR(why.object, "0000:81:00.2");
	CHECK_CONTAINS(why.what, "process 4711 (qemu-system-x86) has the VF open");
}
