/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * facts_managers.c: who of the host's network managers takes a VF or a representor for a network device of the host's own.
 *
 * Told by what each keeps below /run of the devices that it has: NetworkManager (src/core/nm-config.c: devices/IFINDEX), systemd-networkd
 * (src/network/networkd-link.c: netif/links/IFINDEX), ifupdown (interfaces(5): ifstate), dhcpcd and dhclient (a file with the number of the
 * process for each interface). Reads files alone.
 */
#include <stdio.h>
#include <string.h>

#include "base/sysroot.h"
#include "host/facts.h"

#define TEXT_MAX 4096

/*
 * has_line() - whether a file has a line that begins so
 */
static bool has_line(const char *text, const char *begin)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, begin, strlen(begin)) == 0)
			return true;
	}
	return false;
}

/*
 * manager_by_index() - whom a device belongs to, by its number
 * @index:	of the device
 * Return: NULL if nobody says that he has it
 */
static const char *manager_by_index(unsigned long index)
{
	char text[TEXT_MAX];

	if (sysroot_read(text, sizeof(text), "/run/NetworkManager/devices/%lu", index) > 0 &&
	    (has_line(text, "managed=true") || has_line(text, "managed=1")))
		return "NetworkManager";
	if (sysroot_read(text, sizeof(text), "/run/systemd/netif/links/%lu", index) > 0 && has_line(text, "ADMIN_STATE=configur"))
		return "systemd-networkd";
	return NULL;
}

/*
 * manager_by_name() - the same by its name
 */
static const char *manager_by_name(const char *name)
{
	char text[TEXT_MAX], line[40];

	snprintf(line, sizeof(line), "%s=", name);
	if (sysroot_read(text, sizeof(text), "/run/network/ifstate") > 0 && has_line(text, line))
		return "ifupdown";
	if (sysroot_exists("/run/dhcpcd/%s.pid", name) || sysroot_exists("/run/dhcpcd/%s-4.pid", name) ||
	    sysroot_exists("/run/dhcpcd-%s.pid", name))
		return "dhcpcd";
	return sysroot_exists("/run/dhclient.%s.pid", name) || sysroot_exists("/run/dhclient-%s.pid", name) ? "dhclient" : NULL;
}

/*
 * note() - adds a device that somebody manages to the list
 */
static void note(const char *name, struct facts *facts)
{
	const char *manager = NULL;
	size_t used = strlen(facts->managers);
	unsigned long index;

	if (!*name)
		return;
	if (sysroot_read_number(&index, "/sys/class/net/%s/ifindex", name) == 0)
		manager = manager_by_index(index);
	manager = manager ? manager : manager_by_name(name);
	if (manager)
		snprintf(facts->managers + used, sizeof(facts->managers) - used, "%s%s has %s", used ? ", " : "", manager, name);
}

/* See facts.h. */
void facts_read_managers(const struct inventory *inventory, struct facts *facts)
{
	*facts->managers = '\0';
	for (size_t i = 0; i < inventory->pfs; i++) {
		const struct inventory_pf *pf = &inventory->pf[i];

		for (unsigned int k = 0; pf->card.can_migrate && k < pf->num_vfs; k++) {
			note(pf->vf[k].port.netdev, facts);
			note(pf->vf[k].host_netdev, facts);
		}
	}
}
