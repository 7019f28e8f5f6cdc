/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * operation_port.c: finds the devlink port of a VF, and waits for its representor.
 *
 * A VF whose firmware does not answer cuts the dump of ports short (Linux net/devlink/port.c devlink_nl_port_fill()): a port that the
 * dump lacks is asked for by itself, by the handle that the kernel tells of each representor.
 *
 * For a list of all, the driver asks the firmware about every VF of the PF, and a link that rtnetlink tells of makes it ask as well. So the
 * port that was found before is asked first, then that of the representor whose name in sysfs is the VF's; and a representor that has such
 * a name is looked at in sysfs alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/scope.h"
#include "base/sysroot.h"
#include "engine/operation.h"

#define PORT_POLL_MS 10      /* at first, then twice as long each time */
#define PORT_POLL_MAX_MS 160
#define OPERATION_PORTS 16   /* that are kept in mind */
#define PORT_WAIT_MS 20000   /* driver and udev are quicker than that, or it never comes */

/*
 * is_port() - whether a port is that of a step's VF: by flavour and numbers, never by its index or name
 */
static bool is_port(const struct devlink_port *port, const struct step *step)
{
	return port->flavour == DEVLINK_PCI_VF && !port->external && port->vf_number == step->index;
}

/* What this process has found of VFs: it makes several steps on each. Whether it is still so is asked each time. */
static struct found {
	struct pci_address pf;
	unsigned int vf;
	uint32_t index;  /* of the port, 0: none */
	char netdev[16]; /* its representor, "": none; so below */
	uint32_t ifindex;
} found_before[OPERATION_PORTS];
static unsigned int next_found;

/*
 * recall() - what was found of a step's VF before, NULL: nothing
 */
static struct found *recall(const struct step *step)
{
	for (size_t i = 0; i < OPERATION_PORTS; i++) {
		struct found *found = &found_before[i];

		if ((found->index || *found->netdev) && found->vf == step->index && pci_address_equal(&found->pf, &step->pf))
			return found;
	}
	return NULL;
}

/*
 * keep_place() - where it is noted what is found of a step's VF
 */
static struct found *keep_place(const struct step *step)
{
	struct found *found = recall(step);

	if (found)
		return found;
	found = &found_before[next_found++ % OPERATION_PORTS];
	*found = (struct found){ .pf = step->pf, .vf = step->index };
	return found;
}

/*
 * known_index() - the port that a step's VF had when the plan was made, or when it was looked for before; 0: none
 */
static uint32_t known_index(const struct step *step)
{
	const struct found *found = step->port_index ? NULL : recall(step);

	return found ? found->index : step->port_index;
}

/*
 * keep_in_mind() - notes the port of a step's VF
 */
static void keep_in_mind(const struct step *step, const struct devlink_port *port)
{
	if (known_index(step) != port->index)
		keep_place(step)->index = port->index;
}

/*
 * find_representor() - the netdev that is called like the representor of a step's VF: the one that was found before is asked first
 * Return: whether there is one, and no other
 */
static bool find_representor(const struct step *step, struct netdev *netdev)
{
	struct found *found = recall(step);
	char address[PCI_ADDRESS_LEN];

	pci_address_format(&step->pf, address);
	if (found && *found->netdev && netdev_read_representor(address, step->index, found->netdev, netdev) &&
	    netdev->ifindex == found->ifindex)
		return true;
	if (netdev_find_representor(address, step->index, netdev) != 1)
		return false;
	found = keep_place(step);
	memcpy(found->netdev, netdev->name, sizeof(netdev->name));
	found->ifindex = netdev->ifindex;
	return true;
}

/*
 * known_port() - asks for the port that the VF had when the plan was made, or when it was looked for before
 * Return: 1 it is still the VF's, 0 not
 */
static int known_port(struct netlink *nl, const struct step *step, struct devlink_port *out)
{
	struct devlink_port port = { .bus = "pci", .index = known_index(step) };
	char address[PCI_ADDRESS_LEN];

	if (!port.index)
		return 0;
	snprintf(port.device, sizeof(port.device), "%s", pci_address_format(&step->pf, address));
	if (devlink_port_get(nl, &port, NULL) || !is_port(&port, step))
		return 0;
	*out = port;
	return 1;
}

/*
 * named_port() - asks for the port of the representor that is called like the VF's
 * Return: 1 it is the VF's, 0 not, or there are several, or the card does not answer
 */
static int named_port(struct netlink *nl, const struct step *step, struct devlink_port *out)
{
	struct netdev netdev;

	if (!find_representor(step, &netdev))
		return 0;
	return devlink_port_of(nl, netdev.ifindex, out, NULL) == 0 && is_port(out, step);
}

/*
 * dump_port() - looks for the port in the list of the PF's ports
 * Return: 1 found, 0 not, negative errno
 */
static int dump_port(struct netlink *nl, const struct step *step, struct devlink_port *out, struct reason *why)
{
	autofree struct devlink_port *ports = NULL;
	size_t count = 0;
	int error = devlink_ports(nl, &step->pf, &ports, &count, why);

	for (size_t i = 0; !error && i < count; i++) {
		if (!is_port(&ports[i], step))
			continue;
		*out = ports[i];
		return 1;
	}
	return error;
}

/*
 * is_named_for() - whether a netdev's phys_port_name, "pf0vf3", is that of a representor of the step's VF
 */
static bool is_named_for(const struct netdev *netdev, const struct step *step)
{
	const char *number = strstr(netdev->port_name, "vf");
	char *end;

	return number && number[2] && strtoul(number + 2, &end, 10) == step->index && !*end;
}

/*
 * ask_port() - asks for the port of one netdev
 * Return: 1 if it is that of the step's VF, 0 if not; if it may be, -EIO if the card does not answer for it, other negative errno if it
 * cannot be read
 */
static int ask_port(struct netlink *nl, const struct step *step, const struct netdev *netdev, struct devlink_port *out, struct reason *why)
{
	struct devlink_port port = { .index = netdev->devlink_index };
	bool is_others = *netdev->port_name && !is_named_for(netdev, step);
	char address[PCI_ADDRESS_LEN];
	struct reason trouble = { 0 };
	int error;

	memcpy(port.bus, netdev->devlink_bus, sizeof(port.bus));
	memcpy(port.device, netdev->devlink_device, sizeof(port.device));
	error = devlink_port_get(nl, &port, &trouble);
	if (!error && is_port(&port, step)) {
		*out = port;
		return 1;
	}
	if (!error || is_others || netlink_says_absent(error) || (error == -EMSGSIZE && !*netdev->port_name))
		return 0;
	if (error != -EMSGSIZE) {
		if (why)
			*why = trouble;
		return error;
	}
	reason_set(why, -EIO, pci_address_format(&step->vf, address), "the card does not answer for the port of this VF (devlink port %s/%s/%u)",
		   netdev->devlink_bus, netdev->devlink_device, netdev->devlink_index);
	reason_cure(why, "look for mlx5_core messages in the kernel log; free the VF and reset it, or give the guest another one");
	return -EIO;
}

/*
 * ask_ports() - asks for the ports that the representors of a PF belong to, one by one
 * Return: 1 found, 0 not, negative errno
 */
static int ask_ports(struct netlink *nl, const struct step *step, struct devlink_port *out, struct reason *why)
{
	autonetlink struct netlink rt = { 0 };
	autofree struct netdev *list = NULL;
	char address[PCI_ADDRESS_LEN];
	size_t count = 0;
	int result = netlink_open(&rt, NULL, why);

	if (!result)
		result = netdev_list_links(&rt, &list, &count, why);
	pci_address_format(&step->pf, address);
	for (size_t i = 0; result == 0 && i < count; i++) {
		if (list[i].has_devlink_port && strcmp(list[i].devlink_bus, "pci") == 0 && strcmp(list[i].devlink_device, address) == 0)
			result = ask_port(nl, step, &list[i], out, why);
	}
	return result;
}

/*
 * udev_is_done() - whether udev has handled a netdev, so that its name is final. Without udev there is nothing to wait for.
 * (systemd keeps /run/udev/data/n<ifindex> for each network device that its rules were applied to.)
 */
static bool udev_is_done(uint32_t ifindex)
{
	return !sysroot_exists("/run/udev/control") || sysroot_exists("/run/udev/data/n%u", ifindex);
}

/*
 * see_port() - one look for the port of a VF
 * @step:	step with PF and number of the VF
 * @need_netdev: it counts only if its representor has a netdev with its final name
 * @port:	result
 * @why:	filled on failure
 * Return: 1 found and complete, 0 not yet, negative errno
 */
static int see_port(const struct step *step, bool need_netdev, struct devlink_port *port, struct reason *why)
{
	autonetlink struct netlink nl = { 0 };
	struct devlink_port found = { 0 };
	int result = devlink_open(&nl, why);

	if (!result)
		result = known_port(&nl, step, &found);
	if (result == 0)
		result = named_port(&nl, step, &found);
	if (result == 0)
		result = dump_port(&nl, step, &found, why);
	if (result == 0)
		result = ask_ports(&nl, step, &found, why);
	if (result != 1 || (need_netdev && (!found.ifindex || !udev_is_done(found.ifindex))))
		return result < 0 ? result : 0;
	keep_in_mind(step, &found);
	*port = found;
	return 1;
}

/*
 * operation_open_port() - the port of a VF, and a connection to devlink to write to it
 * @nl:		opened if the port is there
 * Return: 1 found, 0 the port is gone, negative errno with *why filled
 */
int operation_open_port(const struct step *step, struct netlink *nl, struct devlink_port *port, struct reason *why)
{
	int found = see_port(step, false, port, why);
	int error = found == 1 ? devlink_open(nl, why) : 0;

	return error ? error : found;
}

/*
 * operation_see_representor() - one look for the netdev of a VF's representor
 * @step:	step with PF and number of the VF
 * @netdev:	result
 * @why:	filled on failure
 * Return: 1 found, 0 there is none (yet), negative errno
 */
int operation_see_representor(const struct step *step, struct netdev *netdev, struct reason *why)
{
	autonetlink struct netlink rt = { 0 };
	struct devlink_port port;
	int result;

	if (find_representor(step, netdev))
		return udev_is_done(netdev->ifindex);
	result = see_port(step, true, &port, why);
	if (result != 1)
		return result;
	if (netdev_read_card(port.netdev, netdev) && netdev->ifindex == port.ifindex)
		return 1;
	result = netlink_open(&rt, NULL, why);
	if (!result)
		result = netdev_get(&rt, NULL, port.ifindex, netdev, why);
	return result == -ENODEV ? 0 : result ? result : 1;
}

/*
 * see() - one look of await_port()
 */
static int see(struct operation_look *look, struct reason *why)
{
	return look->need_link ? operation_see_representor(&look->step, &look->netdev, why)
			       : see_port(&look->step, look->need_netdev, &look->port, why);
}

/*
 * await_port() - looks until the port is there, or the look's deadline has passed. In a child.
 * Return: as see()
 */
static int await_port(void *arg, struct reason *why)
{
	struct operation_look *look = arg;
	deadline_t deadline = look->once ? deadline_in(0) : deadline_within(look->deadline, PORT_WAIT_MS);
	int found, pause = PORT_POLL_MS;

	while ((found = see(look, why)) == 0 && deadline_left(deadline)) {
		nanosleep(&(struct timespec){ .tv_nsec = pause * 1000000L }, NULL);
		pause = pause < PORT_POLL_MAX_MS ? pause * 2 : pause;
	}
	return found;
}

/*
 * find() - waits in a child until a look finds what it is for
 * Return: 0, -ENODEV if it did not appear in time, negative errno
 */
static int find(struct operation_look *look, struct context *context, struct reason *why)
{
	int found = operation_fetch(await_port, look, context, why);
	char address[PCI_ADDRESS_LEN];

	if (found)
		return found < 0 ? found : 0;
	reason_set(why, -ENODEV, pci_address_format(&look->step.vf, address), "the VF's representor did not appear (VF %u of its PF)",
		   look->step.index);
	reason_cure(why, "look for mlx5_core messages in the kernel log; see 'devlink port show'; a kernel before 6.13 makes no representors "
		    "where the card's RDMA is disabled (devlink dev param show pci/%s name enable_rdma)",
		    pci_address_format(&look->step.pf, address));
	return -ENODEV;
}

/*
 * operation_find_port() - the devlink port of a step's VF
 * @step:	step with PF and number of the VF
 * @need_netdev: wait until its representor has a netdev with its final name
 * @port:	result
 * @context:	deadline; between looks at one VF the card is asked once
 * @why:	filled on failure
 * Return: 0, -ENODEV if it did not appear in time, negative errno
 */
int operation_find_port(const struct step *step, bool need_netdev, struct devlink_port *port, struct context *context, struct reason *why)
{
	struct operation_look look = { .step = *step, .need_netdev = need_netdev };
	bool is_seen = context->looks && context->has_port && pci_address_equal(&context->port_of, &step->vf);
	int error;

	if (is_seen && !need_netdev) {
		*port = context->port;
		return 0;
	}
	error = find(&look, context, why);
	if (error)
		return error;
	context->has_port = context->looks;
	context->port_of = step->vf;
	*port = context->port = look.port;
	return 0;
}

/*
 * operation_find_representor() - the netdev of the representor of a step's VF
 * @step:	step with PF and number of the VF
 * @netdev:	result
 * @context:	deadline
 * @why:	filled on failure
 * Return: 0, -ENODEV if it did not appear in time, negative errno
 */
int operation_find_representor(const struct step *step, struct netdev *netdev, struct context *context, struct reason *why)
{
	struct operation_look look = { .step = *step, .need_link = true };
	int error = find(&look, context, why);

	if (!error)
		*netdev = look.netdev;
	return error;
}
