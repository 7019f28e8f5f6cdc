/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * network.c: pools of VFs among libvirt's networks. See network.h.
 */
#include "domain/network.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/scope.h"
#include "base/sysroot.h"
#include "domain/extras.h"
#include "domain/xml.h"

#define NETWORK_DIRECTORY "/run/libvirt/network"
#define NETWORK_XML_MAX (4u << 20)

/* Return: whether name can be that of a file in the directory, with ".xml" behind it. */
static bool is_file_name(const char *name)
{
	return name[0] && !strchr(name, '/') && strlen(name) + 4 <= NAME_MAX;
}

/*
 * Reads one <address type='pci'> of <forward>. Return: 0, -EINVAL, -E2BIG.
 */
static int add_member(const xmlNode *address, struct network_pool *pool)
{
	if (!xml_attribute_is(address, "type", "pci"))
		return 0;
	if (pool->members == NETWORK_MAX_MEMBERS)
		return -E2BIG;
	if (xml_pci_address(address, &pool->member[pool->members]) < 0)
		return -EINVAL;
	pool->members++;
	return 0;
}

/* Return: the port group that an interface is of, NULL if it is of none. */
static const xmlNode *find_group(const xmlNode *network, const char *portgroup)
{
	for (const xmlNode *group = xml_child(network, "portgroup"); group; group = xml_next(group, "portgroup")) {
		if (*portgroup ? xml_attribute_is(group, "name", portgroup) : xml_attribute_is(group, "default", "yes"))
			return group;
	}
	return NULL;
}

/* Return: what the interfaces of a port group are to have; what the group does not say the network says. */
static unsigned int read_extras(const xmlNode *network, const char *portgroup)
{
	const xmlNode *group = find_group(network, portgroup);
	unsigned int extras = extras_read(network) & ~(unsigned int)EXTRA_BANDWIDTH; /* that is of the network's bridge */

	return extras | (group ? extras_read(group) : 0);
}

/*
 * Reads a parsed file: <networkstatus><network> (conf/virnetworkobj.c virNetworkObjFormat), or <network> alone.
 * Return: 0, -EINVAL, -E2BIG.
 */
static int read_pool(const xmlNode *root, const char *portgroup, struct network_pool *pool)
{
	const xmlNode *network = root && xml_is(root, "networkstatus") ? xml_child(root, "network") : root, *forward, *pf;
	int error = 0;

	if (!network || !xml_is(network, "network"))
		return -EINVAL;
	forward = xml_child(network, "forward");
	if (!forward || !xml_attribute_is(forward, "mode", "hostdev"))
		return 0;
	pool->is_pool = true;
	pool->extras = read_extras(network, portgroup);
	pf = xml_child(forward, "pf");
	if (pf && xml_attribute(pf, "dev", pool->pf, sizeof(pool->pf)) < 0)
		return -EINVAL;
	for (const xmlNode *node = xml_child(forward, "address"); node && !error; node = xml_next(node, "address"))
		error = add_member(node, pool);
	return error;
}

/*
 * name, portgroup: as in <source network= portgroup=>, not trusted. pool: receives what is known, zeroed first.
 * Return: 0; -EINVAL, -E2BIG or other negative errno if the file is there but cannot be understood.
 */
int network_read_pool(const char *name, const char *portgroup, struct network_pool *pool, struct reason *why)
{
	autofree char *text = NULL;
	autoxmldoc xmlDoc *doc = NULL;
	struct network_pool fresh = {0};
	ssize_t length;
	int error;

	memset(pool, 0, sizeof(*pool));
	if (!is_file_name(name))
		return 0;
	length = sysroot_slurp(&text, NETWORK_XML_MAX, NETWORK_DIRECTORY "/%s.xml", name);
	if (length == -ENOENT)
		return 0;
	if (length < 0)
		return reason_set(why, (int)length, name, "libvirt's status of the network cannot be read: %s", strerror((int)-length));
	error = xml_parse(text, (size_t)length, "the status of the network", &doc, why);
	if (!error)
		error = read_pool(xmlDocGetRootElement(doc), portgroup, &fresh);
	if (error)
		return reason_set(why, error, name, "libvirt's status of the network cannot be understood");
	*pool = fresh;
	return 0;
}
