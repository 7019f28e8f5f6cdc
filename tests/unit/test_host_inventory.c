/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_host_inventory.c: the inventory of a fake machine, how its lists are joined, and its JSON. */
#include "check.h"

#include <unistd.h>

#include "base/scope.h"
#include "base/guard.h"
#include "base/sysroot.h"
#include "host/inventory.h"
#include "host/inventory_join.h"

#define DEVICES "/sys/bus/pci/devices/"

/* ---- Joining ------------------------------------------------------------------------------------------------------------------- */

static struct inventory_vf vfs[4];

/* A PF 0000:81:00.0 with four VFs at .2 to .5. */
static struct inventory_pf make_pf(void)
{
	struct inventory_pf pf = { .address = { .bus = 0x81 }, .num_vfs = 4, .total_vfs = 8, .offset = 2, .stride = 1, .vf = vfs };

	memset(vfs, 0, sizeof(vfs));
	for (unsigned int i = 0; i < 4; i++)
		vfs[i].address = (struct pci_address){ .bus = 0x81, .function = (uint8_t)(2 + i) };
	return pf;
}

/* The netdevs of that machine: uplink, two representors, a VF that the host uses, a bond. */
static const struct netdev netdevs[] = {
	{ .ifindex = 5, .name = "enp129s0f0np0", .up = true, .parent = "0000:81:00.0", .port_name = "p0", .addresses = 1, .master = 20 },
	{ .ifindex = 6, .name = "enp129s0f1np1", .up = true, .parent = "0000:81:00.1", .port_name = "p1" },
	{ .ifindex = 10, .name = "enp129s0f0r0", .up = true, .parent = "0000:81:00.0", .port_name = "pf0vf0", .has_devlink_port = true,
	  .devlink_bus = "pci", .devlink_device = "0000:81:00.0", .devlink_index = 1 },
	{ .ifindex = 11, .name = "enp129s0f0r1", .parent = "0000:81:00.0", .port_name = "pf0vf1", .has_devlink_port = true,
	  .devlink_bus = "pci", .devlink_device = "0000:81:00.0", .devlink_index = 2 },
	{ .ifindex = 15, .name = "enp129s0f0v2", .up = true, .parent = "0000:81:00.4", .addresses = 2, .master = 20 },
	{ .ifindex = 20, .name = "bond0", .up = true, .kind = "bond", .default_route = true },
};
#define NETDEVS (sizeof(netdevs) / sizeof(netdevs[0]))

/* The port of a VF. */
static struct devlink_port port_of(uint16_t number, uint32_t ifindex)
{
	return (struct devlink_port){ .bus = "pci", .device = "0000:81:00.0", .index = number + 1u, .flavour = DEVLINK_PCI_VF,
				      .vf_number = number, .ifindex = ifindex, .netdev = "old-name", .can_migrate = true };
}

TEST(gives_each_vf_its_port_and_representor)
{
	const struct devlink_port ports[] = { port_of(1, 11), port_of(0, 10) };
	struct inventory_pf pf = make_pf();

	inventory_join_ports(&pf, ports, 2);
	inventory_join_netdevs(&pf, netdevs, NETDEVS);
	CHECK(pf.vf[0].has_port && pf.vf[1].has_port && !pf.vf[2].has_port);
	CHECK_STR(pf.vf[0].port.netdev, "enp129s0f0r0"); /* by index, after a rename */
	CHECK(pf.vf[0].representor_up && !pf.vf[1].representor_up);
}

TEST(ports_of_another_controller_or_beyond_the_vfs_are_nobodys)
{
	struct devlink_port ports[] = { port_of(0, 10), port_of(4, 11) };
	struct inventory_pf pf = make_pf();

	ports[0].external = true;
	inventory_join_ports(&pf, ports, 2);
	CHECK(!pf.vf[0].has_port);
}

TEST(finds_the_uplink_by_its_devlink_port)
{
	const struct devlink_port uplink = { .bus = "auxiliary", .device = "mlx5_core.eth.0", .flavour = DEVLINK_PHYSICAL, .ifindex = 6 };
	struct inventory_pf pf = make_pf();

	inventory_join_ports(&pf, &uplink, 1);
	inventory_join_netdevs(&pf, netdevs, NETDEVS);
	CHECK_STR(pf.uplink, "enp129s0f1np1");
}

TEST(finds_the_uplink_by_its_port_name_and_tells_who_uses_it)
{
	struct inventory_pf pf = make_pf();

	inventory_join_netdevs(&pf, netdevs, NETDEVS);
	CHECK_STR(pf.uplink, "enp129s0f0np0");
	CHECK_INT(pf.uplink_ifindex, 5);
	CHECK(pf.uplink_up);
	CHECK_STR(pf.uplink_master, "bond0");
	CHECK_STR(pf.uplink_master_kind, "bond");
	CHECK_INT(pf.uplink_addresses, 1);
	CHECK(pf.uplink_default_route); /* that of the bond */
}

TEST(the_datapath_of_open_vswitch_is_no_master)
{
	struct netdev list[] = { netdevs[0], { .ifindex = 20, .name = "ovs-system", .kind = "openvswitch" } };
	struct inventory_pf pf = make_pf();

	inventory_join_netdevs(&pf, list, 2);
	CHECK_STR(pf.uplink, "enp129s0f0np0");
	CHECK_STR(pf.uplink_master, "");
}

TEST(finds_the_uplink_as_the_only_netdev_of_the_pf_where_the_kernel_tells_no_names)
{
	const struct netdev list[] = { { .ifindex = 3, .name = "ens1" } };
	struct inventory_pf pf = make_pf();

	check_file(DEVICES "0000:81:00.0/net/ens1/ifindex", "3\n");
	CHECK_INT(sysroot_set(check_scratch()), 0);
	inventory_join_netdevs(&pf, list, 1);
	CHECK_STR(pf.uplink, "ens1");
	check_file(DEVICES "0000:81:00.0/net/ens2/ifindex", "4\n");
	pf = make_pf();
	inventory_join_netdevs(&pf, list, 1);
	CHECK_STR(pf.uplink, "");
}

TEST(sees_a_vf_that_the_host_itself_uses)
{
	struct inventory_pf pf = make_pf();

	inventory_join_netdevs(&pf, netdevs, NETDEVS);
	CHECK_STR(pf.vf[2].host_netdev, "enp129s0f0v2");
	CHECK_INT(pf.vf[2].host_addresses, 2);
	CHECK(pf.vf[2].host_netdev_up && pf.vf[2].host_netdev_enslaved);
	CHECK_STR(pf.vf[0].host_netdev, "");
}

/* Representors of four VFs. */
static const struct netdev named[] = {
	{ .ifindex = 5, .name = "enp129s0f0np0", .parent = "0000:81:00.0", .port_name = "p0" },
	{ .ifindex = 13, .name = "eth3", .parent = "0000:81:00.0", .port_name = "pf0vf3", .up = true, .mtu = 9000 },
	{ .ifindex = 10, .name = "eth0", .parent = "0000:81:00.0", .port_name = "pf0vf0" },
	{ .ifindex = 11, .name = "eth1", .parent = "0000:81:00.0", .port_name = "pf0vf1" },
	{ .ifindex = 12, .name = "eth2", .parent = "0000:81:00.0", .port_name = "pf0vf2" },
	{ .ifindex = 22, .name = "other", .parent = "0000:81:00.1", .port_name = "pf1vf2" },
	{ .ifindex = 23, .name = "arm", .parent = "0000:81:00.0", .port_name = "c1pf0vf1" },
	{ .ifindex = 24, .name = "sf", .parent = "0000:81:00.0", .port_name = "pf0sf1" },
	{ .ifindex = 25, .name = "second", .parent = "0000:81:00.0", .port_name = "pf1vf2" },
};

TEST(representors_are_known_by_their_names_without_asking_the_card)
{
	struct inventory_pf pf = make_pf();

	CHECK(inventory_are_named(&pf, named, 8)); /* not those of another PF, of another controller, of a subfunction */
	inventory_join_names(&pf, named, 8);
	inventory_join_netdevs(&pf, named, 8);
	CHECK(pf.vf[3].has_port && pf.vf[3].port_unasked && pf.vf[3].representor_up);
	CHECK_INT(pf.vf[3].port.ifindex, 13);
	CHECK_INT(pf.vf[3].representor_mtu, 9000);
	CHECK_STR(pf.vf[2].port.netdev, "eth2");
	CHECK(!pf.vf[2].port.migratable);
}

TEST(names_that_are_not_plain_tell_nothing)
{
	struct inventory_pf pf = make_pf();

	CHECK(!inventory_are_named(&pf, named, 9)); /* a VF of the same number, delegated by another PF */
	CHECK(!inventory_are_named(&pf, named, 4)); /* one is missing */
}

TEST(a_port_that_was_asked_for_replaces_what_its_name_told)
{
	const struct devlink_port ports[] = { port_of(3, 13) };
	struct inventory_pf pf = make_pf();

	inventory_join_names(&pf, named, 8);
	inventory_join_ports(&pf, ports, 1);
	CHECK(!pf.vf[3].port_unasked && pf.vf[3].port.can_migrate && pf.vf[2].port_unasked);
}

/* Writes an attribute of a network device of the scratch machine. */
static void net_file(const char *name, const char *attribute, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name, attribute);
	check_file(path, text);
}

/* Makes a link of the scratch machine. */
static void net_link(const char *name, const char *link, const char *target)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/sys/class/net/%s/%s", check_scratch(), name, link);
	CHECK_INT(symlink(target, path), 0);
}

/* A netdev in sysfs that is one of PF 0000:81:00.0. */
static void net_of_card(const char *name, const char *ifindex, const char *flags, const char *mtu, const char *port)
{
	net_file(name, "ifindex", ifindex);
	net_file(name, "flags", flags);
	net_file(name, "mtu", mtu);
	net_file(name, "phys_port_name", port);
	net_link(name, "device", "../../../bus/pci/devices/0000:81:00.0");
}

TEST(a_netdev_of_the_card_is_read_in_sysfs_and_no_other)
{
	struct netdev netdev;

	check_file(DEVICES "0000:81:00.0/vendor", "0x15b3\n");
	check_file("/sys/bus/pci/drivers/mlx5_core/unbind", "");
	net_file("ovs-system", "ifindex", "9\n");
	net_of_card("rep3", "13\n", "0x1003\n", "9000\n", "pf0vf3\n");
	net_file("rep3", "carrier", "1\n");
	net_link("rep3", "master", "../ovs-system");
	net_link("rep3", "device/driver", "../../drivers/mlx5_core");
	CHECK_INT(sysroot_set(check_scratch()), 0);
	CHECK(netdev_read_card("rep3", &netdev));
	CHECK(netdev.up && netdev.carrier);
	CHECK_INT(netdev.ifindex, 13);
	CHECK_INT(netdev.master, 9);
	CHECK_INT(netdev.mtu, 9000);
	CHECK_STR(netdev.parent, "0000:81:00.0");
	CHECK_STR(netdev.port_name, "pf0vf3");
	CHECK(!netdev_read_card("ovs-system", &netdev));
	CHECK(!netdev_read_card("gone", &netdev));
}

TEST(a_representor_that_was_found_is_read_by_its_name_as_long_as_it_is_the_one)
{
	struct netdev netdev;

	check_file(DEVICES "0000:81:00.0/net/rep3/x", "");
	check_file(DEVICES "0000:81:00.0/net/p0/x", "");
	check_file("/sys/bus/pci/drivers/mlx5_core/unbind", "");
	net_of_card("rep3", "13\n", "0x1002\n", "1500\n", "pf0vf3\n");
	net_of_card("p0", "12\n", "0x1002\n", "1500\n", "p0\n");
	net_link("rep3", "device/driver", "../../drivers/mlx5_core");
	CHECK_INT(sysroot_set(check_scratch()), 0);
	CHECK_INT(netdev_find_representor("0000:81:00.0", 3, &netdev), 1);
	CHECK_STR(netdev.name, "rep3");
	CHECK_INT(netdev_find_representor("0000:81:00.0", 4, &netdev), 0);
	CHECK(netdev_read_representor("0000:81:00.0", 3, "rep3", &netdev));
	CHECK_INT(netdev.ifindex, 13);
	CHECK(!netdev.up && !netdev.carrier && !netdev.master);
	CHECK(!netdev_read_representor("0000:81:00.1", 3, "rep3", &netdev)); /* another PF's */
	CHECK(!netdev_read_representor("0000:81:00.0", 2, "rep3", &netdev));
	CHECK(!netdev_read_representor("0000:81:00.0", 3, "p0", &netdev));
	net_file("rep3", "phys_port_name", "pf0vf2\n"); /* it is another VF's by now */
	CHECK(!netdev_read_representor("0000:81:00.0", 3, "rep3", &netdev));
	CHECK_INT(netdev_find_representor("0000:81:00.0", 3, &netdev), 0);
}

TEST(the_numbers_of_a_representor_are_read_from_its_whole_name)
{
	static const char *const others[] = { "", "p0", "pf0", "pf0vf", "pf0vf3x", "c1pf0vf3", "pf0sf3", "eth0" };
	struct netdev netdev = { .port_name = "pf1vf12" };
	unsigned int pf, vf;

	CHECK(netdev_is_of_vf(&netdev, &pf, &vf));
	CHECK_INT(pf, 1);
	CHECK_INT(vf, 12);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		snprintf(netdev.port_name, sizeof(netdev.port_name), "%s", others[i]);
		CHECK(!netdev_is_of_vf(&netdev, &pf, &vf));
	}
}

TEST(a_port_that_the_dump_lacks_is_asked_for_by_its_representor)
{
	const struct devlink_port ports[] = { port_of(0, 10) };
	struct inventory_pf pf = make_pf();

	CHECK(!inventory_lacks_port(&pf, &netdevs[2], ports, 1));
	CHECK(inventory_lacks_port(&pf, &netdevs[3], ports, 1));
	CHECK(!inventory_lacks_port(&pf, &netdevs[4], ports, 1));
	pf.address.function = 1;
	CHECK(!inventory_lacks_port(&pf, &netdevs[3], ports, 1)); /* another PF's */
}

TEST(finds_bridges_also_through_bonds_of_either_kind)
{
	struct ovs_port ports[] = {
		{ .name = "bond0", .bridge = "br-bond" },
		{ .name = "ovsbond", .bridge = "br-ovsbond", .member = { "enp129s0f1np1", "other" }, .members = 2 },
		{ .name = "enp129s0f0r0", .bridge = "br-ours", .ours = true },
	};
	struct inventory inventory = { .pfs = 2, .ovs = { .port = ports, .ports = 3 } };
	const struct devlink_port port = port_of(0, 10);

	inventory.pf[0] = make_pf();
	inventory.pf[1] = (struct inventory_pf){ .uplink = "enp129s0f1np1" };
	inventory_join_ports(&inventory.pf[0], &port, 1);
	inventory_join_netdevs(&inventory.pf[0], netdevs, NETDEVS);
	inventory_join_ovs(&inventory);
	CHECK_STR(inventory.pf[0].uplink_bridge, "br-bond");
	CHECK_STR(inventory.pf[1].uplink_bridge, "br-ovsbond");
	CHECK_STR(inventory.pf[0].vf[0].bridge, "br-ours");
	CHECK(inventory.pf[0].vf[0].bridge_ours);
	CHECK_STR(inventory.pf[0].vf[1].bridge, "");
}

TEST(finds_vfs_that_exist_and_vfs_that_would)
{
	struct inventory inventory = { .pfs = 1 };
	unsigned int index;

	inventory.pf[0] = make_pf();
	inventory.pf[0].vf[1].address.bus = 0x99; /* as sysfs says, whatever arithmetic says */
	CHECK(inventory_find_vf(&inventory, &(struct pci_address){ .bus = 0x99, .function = 3 }, &index) == &inventory.pf[0]);
	CHECK_INT(index, 1);
	CHECK(inventory_find_vf(&inventory, &(struct pci_address){ .bus = 0x81, .function = 3 }, &index) == NULL);
	CHECK(inventory_find_vf(&inventory, &(struct pci_address){ .bus = 0x81, .slot = 1, .function = 1 }, &index) == &inventory.pf[0]);
	CHECK_INT(index, 7);
	CHECK(inventory_find_vf(&inventory, &(struct pci_address){ .bus = 0x81, .slot = 1, .function = 2 }, &index) == NULL);
	CHECK(inventory_find_vf(&inventory, &(struct pci_address){ .bus = 0x81 }, &index) == NULL);
	CHECK(inventory_find_pf(&inventory, &(struct pci_address){ .bus = 0x81 }) == &inventory.pf[0]);
	CHECK(inventory_find_pf(&inventory, &(struct pci_address){ .bus = 0x82 }) == NULL);
}

/* ---- A fake machine ------------------------------------------------------------------------------------------------------------ */

/* Writes configuration space of a PF: a PCI Express capability, and one for SR-IOV with vfs VFs switched on. */
static void write_config(const char *path, unsigned char vfs_on)
{
	unsigned char config[4096] = { [0x00] = 0xb3, 0x15, 0x21, 0x10, [0x06] = 0x10, [0x34] = 0x40, [0x40] = 0x10, 0x00, 0x02, 0x00,
				       [0x100] = 0x10, 0x00, 0x01, 0x00 };

	config[0x108] = vfs_on ? 1 : 0;
	config[0x10e] = 8;
	config[0x110] = vfs_on;
	config[0x114] = 2;
	config[0x116] = 1;
	config[0x11a] = 0x1e;
	config[0x11b] = 0x10;
	check_file_bytes(path, config, sizeof(config));
}

/* Writes one device of the fake /sys. */
static void write_device(const char *address, const char *vendor, const char *device, unsigned char vfs_on)
{
	char path[128];

	snprintf(path, sizeof(path), DEVICES "%s/vendor", address);
	check_file(path, vendor);
	snprintf(path, sizeof(path), DEVICES "%s/device", address);
	check_file(path, device);
	snprintf(path, sizeof(path), DEVICES "%s/class", address);
	check_file(path, "0x020000\n");
	snprintf(path, sizeof(path), DEVICES "%s/config", address);
	write_config(path, vfs_on);
	snprintf(path, sizeof(path), DEVICES "%s/sriov_totalvfs", address);
	check_file(path, "8\n");
	snprintf(path, sizeof(path), DEVICES "%s/sriov_offset", address);
	check_file(path, "2\n");
	snprintf(path, sizeof(path), DEVICES "%s/sriov_stride", address);
	check_file(path, "1\n");
}

/* A machine with a ConnectX-7 of one port that has two VFs, and with a card of another maker. */
static void make_machine(void)
{
	write_device("0000:ee:00.0", "0x15b3\n", "0x1021\n", 2);
	write_device("0000:02:00.0", "0x8086\n", "0x1572\n", 2);
	check_link("../../drivers/mlx5_core", DEVICES "0000:ee:00.0/driver");
	check_file(DEVICES "0000:ee:00.0/numa_node", "1\n");
	check_file("/sys/bus/pci/drivers/mlx5_core/bind", "");
	check_link("../0000:ee:00.2", DEVICES "0000:ee:00.0/virtfn0");
	check_link("../0000:ee:00.3", DEVICES "0000:ee:00.0/virtfn1");
	check_file(DEVICES "0000:ee:00.2/vendor", "0x15b3\n");
	check_file(DEVICES "0000:ee:00.2/device", "0x101e\n");
	check_link("../../drivers/mlx5_core", DEVICES "0000:ee:00.2/driver");
	check_file(DEVICES "0000:ee:00.3/vendor", "0x15b3\n");
	check_file(DEVICES "0000:ee:00.3/device", "0x101e\n");
	check_file("/sys/kernel/iommu_groups/7/devices/0000:ee:00.3", "");
	check_link("../../../../kernel/iommu_groups/7", DEVICES "0000:ee:00.3/iommu_group");
	check_file("/proc/sys/kernel/hostname", "fake-host\n");
	check_file("/proc/sys/kernel/osrelease", "6.12.0\n");
	check_file("/lib/modules/6.12.0/modules.alias", "alias vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_vfio_pci\n");
	CHECK_INT(sysroot_set(check_scratch()), 0);
}

TEST(reads_a_machine_as_far_as_sysfs_tells)
{
	autoinventory struct inventory inventory = { 0 };
	struct reason why = { 0 };
	const struct inventory_pf *pf;

	make_machine();
	if (inventory_read(&inventory, "/run/openvswitch/db.sock", deadline_in(10000), &why))
		FAIL("%s: %s", why.object, why.what);
	CHECK_STR(inventory.hostname, "fake-host");
	CHECK_INT(inventory.pfs, 1);
	pf = &inventory.pf[0];
	CHECK_STR(pf->card.name, "ConnectX-7");
	CHECK_STR(pf->driver, "mlx5_core");
	CHECK_INT(pf->total_vfs, 8);
	CHECK_INT(pf->num_vfs, 2);
	CHECK_INT(pf->offset, 2);
	CHECK_INT(pf->numa_node, 1);
	CHECK_INT(pf->vf[1].address.function, 3);
	CHECK_INT(pf->vf[1].index, 1);
	CHECK_STR(pf->vf[0].driver, "mlx5_core");
	CHECK_STR(pf->vf[1].driver, "");
	CHECK_INT(pf->vf[0].group_members, 0);
	CHECK_INT(pf->vf[1].group_members, 1);
	CHECK(inventory.has_iommu && inventory.has_variant_driver && !inventory.has_ovs);
	CHECK(strncmp(inventory.ovs_trouble, "it does not run", 15) == 0);
	CHECK(strchr(inventory.ovs_trouble, ';') == NULL);
	CHECK(strncmp(inventory.ovs_cure, "start it on this host with", 26) == 0);
	/* No kernel has devlink for a device that is not there. */
	CHECK_INT(pf->mode, ESWITCH_UNKNOWN);
	CHECK(pf->trouble[0] != '\0');
}

TEST(vfs_of_a_known_pf_are_not_asked_what_they_are)
{
	static const char *const attributes[] = { "0000:ee:00.2/vendor", "0000:ee:00.2/device", "0000:ee:00.3/vendor", "0000:ee:00.3/device" };
	autoinventory struct inventory inventory = { 0 };
	char path[4096];

	make_machine();
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) { /* as where one goes while it is looked at */
		CHECK_INT(sysroot_path(path, sizeof(path), DEVICES "%s", attributes[i]), 0);
		CHECK_INT(unlink(path), 0);
	}
	CHECK_INT(inventory_read(&inventory, "/run/openvswitch/db.sock", deadline_in(10000), NULL), 0);
	CHECK_INT(inventory.pf[0].num_vfs, 2);
}

TEST(a_variant_driver_that_is_loaded_is_there_whatever_the_list_of_modules_says)
{
	autoinventory struct inventory inventory = { 0 }, other = { 0 };

	make_machine();
	check_file("/lib/modules/6.12.0/modules.alias", "");
	CHECK_INT(inventory_read(&inventory, "/run/openvswitch/db.sock", deadline_in(10000), NULL), 0);
	CHECK(!inventory.has_variant_driver);
	check_file("/sys/bus/pci/drivers/mlx5_vfio_pci/bind", "");
	CHECK_INT(inventory_read(&other, "/run/openvswitch/db.sock", deadline_in(10000), NULL), 0);
	CHECK(other.has_variant_driver);
}

TEST(a_pf_whose_vfs_are_being_made_has_a_trouble_and_no_wrong_vf)
{
	autoinventory struct inventory inventory = { 0 };

	make_machine();
	write_config(DEVICES "0000:ee:00.0/config", 4);
	CHECK_INT(inventory_read(&inventory, "/run/openvswitch/db.sock", deadline_in(10000), NULL), 0);
	CHECK_INT(inventory.pf[0].num_vfs, 4);
	CHECK_INT(inventory.pf[0].vf[3].address.function, 5); /* by arithmetic */
	CHECK_CONTAINS(inventory.pf[0].trouble, "VF 2 has no link in sysfs");
}

TEST(vfs_that_are_switched_off_in_the_card_are_not_counted)
{
	autoinventory struct inventory inventory = { 0 };

	make_machine();
	write_config(DEVICES "0000:ee:00.0/config", 0);
	CHECK_INT(inventory_read(&inventory, "/run/openvswitch/db.sock", deadline_in(10000), NULL), 0);
	CHECK_INT(inventory.pf[0].num_vfs, 0);
}

TEST(vfs_are_counted_by_their_links_where_the_capability_cannot_be_read)
{
	autoinventory struct inventory inventory = { 0 };

	make_machine();
	check_file_bytes(DEVICES "0000:ee:00.0/config", (unsigned char[64]){ 0xb3, 0x15, 0x21, 0x10 }, 64); /* what others than root see */
	CHECK_INT(inventory_read(&inventory, "/run/openvswitch/db.sock", deadline_in(10000), NULL), 0);
	CHECK_INT(inventory.pf[0].num_vfs, 2);
}

TEST(a_machine_without_pci_is_a_sentence)
{
	struct inventory inventory;
	struct reason why = { 0 };

	check_file("/sys/nothing", "");
	CHECK_INT(sysroot_set(check_scratch()), 0);
	CHECK_INT(inventory_read(&inventory, "/run/openvswitch/db.sock", deadline_in(1000), &why), -ENODEV);
	CHECK_CONTAINS(why.what, "no PCI bus");
}

/* Reads the fake machine, in a child. */
static int read_in_child(void *arg, struct reason *why)
{
	struct inventory inventory;

	(void)arg;
	return inventory_read(&inventory, "/run/openvswitch/db.sock", deadline_in(1000), why);
}

TEST(a_broken_sysfs_does_not_end_the_program)
{
	struct reason why = { 0 };

	make_machine();
	/* libpci calls its error function, which ends a program by default. In a child, since libpci then forgets an open directory. */
	check_file(DEVICES "not-an-address/vendor", "0x15b3\n");
	CHECK_INT(guard_call(read_in_child, NULL, "reading", deadline_in(5000), &why), -EIO);
	CHECK_CONTAINS(why.what, "cannot be read");
}

/* ---- JSON ---------------------------------------------------------------------------------------------------------------------- */

/* Reads JSON text. Return: what inventory_from_json() returned. */
static int from_text(const char *text, struct inventory *inventory, struct reason *why)
{
	struct json_object *json = json_tokener_parse(text);
	int error = inventory_from_json(json, inventory, why);

	json_object_put(json);
	return error;
}

TEST(a_recorded_host_is_the_same_after_reading_and_writing)
{
	autofree char *text = CHECK_DATA("data/host/inventory.json", NULL);
	autoinventory struct inventory inventory = { 0 };
	struct json_object *before = json_tokener_parse(text), *after;

	CHECK_INT(inventory_from_json(before, &inventory, NULL), 0);
	after = inventory_to_json(&inventory);
	CHECK(json_object_equal(before, after));
	json_object_put(before);
	json_object_put(after);
}

TEST(a_recorded_host_has_its_values)
{
	autofree char *text = CHECK_DATA("data/host/inventory.json", NULL);
	autoinventory struct inventory inventory = { 0 };
	const struct inventory_vf *vf;

	CHECK_INT(from_text(text, &inventory, NULL), 0);
	CHECK_STR(inventory.hostname, "hostA");
	CHECK_INT(inventory.pfs, 2);
	CHECK_INT(inventory.pf[0].mode, ESWITCH_SWITCHDEV);
	CHECK_INT(inventory.pf[1].mode, ESWITCH_LEGACY);
	CHECK(inventory.pf[0].card.can_migrate); /* from our table, not from the file */
	vf = &inventory.pf[0].vf[0];
	CHECK(vf->has_port && vf->port.migratable && vf->representor_up && vf->bridge_ours);
	CHECK_INT(vf->port.hw_addr.octet[0], 0x52);
	CHECK_INT(inventory.ovs.max_idle, 300000);
	CHECK_INT(ovs_find_port(&inventory.ovs, "enp129s0f0r0")->tag, -1);
}

TEST(wrong_types_and_ranges_are_refused_with_the_key)
{
	static const struct { const char *text, *key; } cases[] = {
		{ "[]", "not an object" },
		{ "{\"hostname\":7}", "\"hostname\" is not a text" },
		{ "{\"has_iommu\":\"yes\"}", "\"has_iommu\" is not true or false" },
		{ "{\"pfs\":{}}", "\"pfs\" is not a list" },
		{ "{\"pfs\":[7]}", "\"pfs\" is not a list of objects" },
		{ "{\"pfs\":[{\"address\":\"81:00.0\"}]}", "\"address\" is not a PCI address" },
		{ "{\"pfs\":[{\"card\":{\"vendor\":5555,\"device\":70000}}]}", "\"device\" is not within its range" },
		{ "{\"pfs\":[{\"card\":{\"vendor\":5555,\"device\":1}}]}", "knows no card 15b3:0001" },
		{ "{\"pfs\":[{}]}", "knows no card" },
		{ "{\"pfs\":[{\"total_vfs\":-1}]}", "\"total_vfs\" is not within its range" },
		{ "{\"pfs\":[{\"total_vfs\":1.5}]}", "\"total_vfs\" is not a number" },
		{ "{\"pfs\":[{\"uplink\":\"sixteen-letters-\"}]}", "\"uplink\" is not short enough" },
		{ "{\"pfs\":[{\"card\":{\"vendor\":5555,\"device\":4129},\"vfs\":[{\"port\":{\"hw_addr\":\"x\"}}]}]}",
		  "\"hw_addr\" is not a MAC" },
		{ "{\"ovs\":[]}", "\"ovs\" is not an object" },
		{ "{\"ovs\":{\"ports\":[{\"members\":[7]}]}}", "\"members\" is not a text" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct inventory inventory;
		struct reason why = { 0 };

		CHECK_INT(from_text(cases[i].text, &inventory, &why), -EINVAL);
		CHECK_CONTAINS(why.what, cases[i].key);
	}
}

TEST(more_pfs_than_fit_are_refused)
{
	struct json_object *json = json_object_new_object(), *pfs = json_object_new_array();
	struct inventory inventory;
	struct reason why = { 0 };

	for (int i = 0; i <= INVENTORY_MAX_PFS; i++)
		json_object_array_add(pfs, json_object_new_object());
	json_object_object_add(json, "pfs", pfs);
	CHECK_INT(inventory_from_json(json, &inventory, &why), -EINVAL);
	CHECK_CONTAINS(why.what, "\"pfs\" is not short enough");
	json_object_put(json);
}
