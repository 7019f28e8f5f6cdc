/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * world.c: reads a host as text. Later lines about a thing say what has become of it. See README.md.
 */
#include "world.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/pci_address.h"
#include "base/sysroot.h"

#define FIRST_UPLINK 10
#define FIRST_REPRESENTOR 1000
#define DATAPATH 9
#define FIRST_LOCAL 500

static struct world world;

/* Ends the program. */
static void die(const char *line, const char *what)
{
	fprintf(stderr, "world: %s: %s\n", what, line);
	_exit(126);
}

/* Where the files are. */
const char *world_root(void)
{
	const char *root = getenv("VFERRY_WORLD");

	if (!root)
		die("VFERRY_WORLD", "not set");
	return root;
}

/* Puts the root into place, before main(). */
__attribute__((constructor)) static void begin(void)
{
	if (sysroot_set(world_root()))
		die(world_root(), "too long");
	world_show(world_read());
}

/* Return: the value of KEY=VALUE in words, in out; NULL if there is none. */
static const char *value(char *const *words, const char *key, char *out, size_t size)
{
	size_t length = strlen(key);

	for (; *words; words++) {
		if (strncmp(*words, key, length) != 0 || (*words)[length] != '=')
			continue;
		snprintf(out, size, "%s", *words + length + 1);
		return out;
	}
	return NULL;
}

/* Sets a text if the words have it. */
static void take_text(char *const *words, const char *key, char *out, size_t size)
{
	(void)value(words, key, out, size);
}

/* Sets a number if the words have it. */
static void take_number(char *const *words, const char *key, unsigned int *out)
{
	char text[32];

	if (value(words, key, text, sizeof(text)))
		*out = (unsigned int)strtoul(text, NULL, 0);
}

/* Return: the PF at an address, made if need be. */
static struct world_pf *find_pf(const char *address)
{
	struct world_pf *pf;

	for (size_t i = 0; i < world.pfs; i++) {
		if (strcmp(world.pf[i].address, address) == 0)
			return &world.pf[i];
	}
	if (world.pfs == WORLD_PFS)
		die(address, "too many PFs");
	pf = &world.pf[world.pfs];
	*pf = (struct world_pf){ .total = 8, .offset = 2, .stride = 1, .number = (unsigned int)world.pfs };
	snprintf(pf->address, sizeof(pf->address), "%s", address);
	snprintf(pf->uplink, sizeof(pf->uplink), "uplink%zu", world.pfs);
	snprintf(pf->mode, sizeof(pf->mode), "switchdev");
	snprintf(pf->psid, sizeof(pf->psid), "MT_0000000834");
	snprintf(pf->firmware, sizeof(pf->firmware), "28.43.1014");
	for (unsigned int i = 0; i < WORLD_VFS; i++) {
		pf->vf[i] = (struct world_vf){ .migratable = 1, .roce = 1, .ipsec_crypto = -1, .ipsec_packet = -1, .has_port = true };
		snprintf(pf->vf[i].rep, sizeof(pf->vf[i].rep), "rep%zur%u", world.pfs, i);
	}
	world.pfs++;
	return pf;
}

/* "pf ADDRESS …" */
static void read_pf(char *const *words)
{
	struct world_pf *pf = find_pf(words[1]);
	struct pci_address address, vf;

	take_text(words, "uplink", pf->uplink, sizeof(pf->uplink));
	take_text(words, "mode", pf->mode, sizeof(pf->mode));
	take_text(words, "psid", pf->psid, sizeof(pf->psid));
	take_text(words, "firmware", pf->firmware, sizeof(pf->firmware));
	take_text(words, "stored", pf->stored, sizeof(pf->stored));
	take_number(words, "vfs", &pf->vfs);
	take_number(words, "total", &pf->total);
	take_number(words, "offset", &pf->offset);
	take_number(words, "stride", &pf->stride);
	take_number(words, "training", &pf->training);
	take_number(words, "eswitch-error", &pf->eswitch_error);
	take_number(words, "eswitch-fails", &pf->eswitch_fails);
	take_number(words, "numvfs-error", &pf->numvfs_error);
	take_text(words, "eswitch-says", pf->eswitch_says, sizeof(pf->eswitch_says));
	take_text(words, "eswitch-leaves", pf->eswitch_leaves, sizeof(pf->eswitch_leaves));
	if (pci_address_parse(pf->address, &address))
		die(words[1], "no address");
	for (unsigned int i = 0; i < pf->vfs && i < WORLD_VFS; i++) {
		if (pci_address_vf(&address, pf->offset, pf->stride, i, &vf) == 0)
			pci_address_format(&vf, pf->vf[i].address);
	}
}

/* Sets a capability: 1, 0, none. */
static void take_capability(char *const *words, const char *key, int *out)
{
	char text[16];

	if (value(words, key, text, sizeof(text)))
		*out = strcmp(text, "none") == 0 ? -1 : atoi(text);
}

/* "vf PF INDEX …" */
static void read_vf(char *const *words)
{
	struct world_vf *vf = &find_pf(words[1])->vf[strtoul(words[2], NULL, 10) % WORLD_VFS];
	char text[16];

	take_text(words, "rep", vf->rep, sizeof(vf->rep));
	take_text(words, "mac", vf->mac, sizeof(vf->mac));
	take_capability(words, "migratable", &vf->migratable);
	take_capability(words, "roce", &vf->roce);
	take_capability(words, "ipsec-crypto", &vf->ipsec_crypto);
	take_capability(words, "ipsec-packet", &vf->ipsec_packet);
	take_number(words, "max-io-eqs", &vf->max_io_eqs);
	take_number(words, "max-rate", &vf->rate);
	if (value(words, "port", text, sizeof(text)))
		vf->has_port = strcmp(text, "none") != 0;
}

/* Return: the link with an index in a namespace ("" here), made if need be. */
static struct world_link *find_link(uint32_t index, const char *space)
{
	for (size_t i = 0; i < world.links; i++) {
		if (world.link[i].index == index && strcmp(world.link[i].space, space) == 0)
			return &world.link[i];
	}
	if (world.links == WORLD_LINKS)
		die(space, "too many links");
	world.link[world.links] = (struct world_link){ .index = index, .mtu = 1500 };
	snprintf(world.link[world.links].space, sizeof(world.link[0].space), "%s", space);
	return &world.link[world.links++];
}

/* "link INDEX …": what is said anew about one, or of a new one. */
static void read_link(char *const *words)
{
	char space[64] = "", text[32];
	struct world_link *link;

	take_text(words, "space", space, sizeof(space));
	link = find_link((uint32_t)strtoul(words[1], NULL, 10), space);
	take_text(words, "name", link->name, sizeof(link->name));
	take_text(words, "kind", link->kind, sizeof(link->kind));
	take_text(words, "parent", link->parent, sizeof(link->parent));
	take_text(words, "port", link->port, sizeof(link->port));
	take_number(words, "lower", &link->lower);
	take_number(words, "second", &link->second);
	take_number(words, "third", &link->third);
	take_number(words, "master", &link->master);
	take_number(words, "peer", &link->peer);
	take_number(words, "far", &link->far);
	take_number(words, "mtu", &link->mtu);
	take_number(words, "addresses", &link->addresses);
	if (value(words, "up", text, sizeof(text)))
		link->is_up = strcmp(text, "1") == 0;
	if (value(words, "carrier", text, sizeof(text)))
		link->no_carrier = strcmp(text, "0") == 0;
	if (value(words, "gone", text, sizeof(text)))
		link->is_gone = strcmp(text, "1") == 0;
	if (value(words, "dead", text, sizeof(text)))
		link->is_dead = strcmp(text, "1") == 0;
	if (value(words, "route", text, sizeof(text))) {
		link->has_default = strcmp(text, "default") == 0;
		link->has_route = strcmp(text, "other") == 0;
	}
}

/* "ovs bridge|port NAME …", "ovs none", "ovs options …" */
static void read_ovs(char *const *words)
{
	struct world_ovs *row = NULL;
	char text[32];

	world.no_ovs |= strcmp(words[1], "none") == 0;
	if (value(words, "hangs", text, sizeof(text)))
		world.ovs_hangs = strcmp(text, "1") == 0;
	if (value(words, "refuses", text, sizeof(text)))
		world.ovs_refuses = strcmp(text, "1") == 0;
	take_text(words, "hw-offload", world.hw_offload, sizeof(world.hw_offload));
	take_text(words, "max-idle", world.max_idle, sizeof(world.max_idle));
	take_text(words, "ovn-bridge", world.ovn_bridge, sizeof(world.ovn_bridge));
	if (strcmp(words[1], "bridge") != 0 && strcmp(words[1], "port") != 0)
		return;
	for (size_t i = 0; i < world.rows; i++) {
		if (strcmp(world.row[i].kind, words[1]) == 0 && strcmp(world.row[i].name, words[2]) == 0)
			row = &world.row[i];
	}
	if (!row) {
		if (world.rows == WORLD_PORTS)
			die(words[2], "too many rows");
		row = &world.row[world.rows];
		*row = (struct world_ovs){ .ofport = (int)++world.rows, .tag = -1 };
		snprintf(row->kind, sizeof(row->kind), "%s", words[1]);
		snprintf(row->name, sizeof(row->name), "%s", words[2]);
	}
	take_text(words, "bridge", row->bridge, sizeof(row->bridge));
	take_text(words, "type", row->type, sizeof(row->type));
	take_text(words, "peer", row->peer, sizeof(row->peer));
	take_text(words, "error", row->error, sizeof(row->error));
	take_text(words, "guest", row->guest, sizeof(row->guest));
	take_text(words, "lease", row->lease, sizeof(row->lease));
	take_text(words, "iface-id", row->iface_id, sizeof(row->iface_id));
	take_text(words, "trunks", row->trunks, sizeof(row->trunks));
	take_text(words, "attached-mac", row->attached_mac, sizeof(row->attached_mac));
	take_text(words, "vf", row->vf, sizeof(row->vf));
	take_text(words, "datapath", row->datapath, sizeof(row->datapath));
	take_text(words, "members", row->members, sizeof(row->members));
	if (value(words, "ofport", text, sizeof(text)))
		row->ofport = atoi(text);
	if (value(words, "tag", text, sizeof(text)))
		row->tag = atoi(text);
	if (value(words, "rate", text, sizeof(text)))
		row->rate = atoi(text);
	if (value(words, "ours", text, sizeof(text)))
		row->ours = strcmp(text, "1") == 0;
	if (value(words, "gone", text, sizeof(text)))
		row->is_gone = strcmp(text, "1") == 0;
}

/* "netlink KIND …" */
static void read_failure(char *const *words)
{
	struct world_failure *failure = NULL;
	char text[8];

	if (value(words, "cuts", text, sizeof(text)))
		world.ports_cut = strcmp(text, "1") == 0;
	for (size_t i = 0; i < world.failures; i++) {
		if (strcmp(world.failure[i].kind, words[1]) == 0)
			failure = &world.failure[i];
	}
	if (!failure) {
		if (world.failures == WORLD_FAILURES)
			die(words[1], "too many failures");
		failure = &world.failure[world.failures++];
		snprintf(failure->kind, sizeof(failure->kind), "%s", words[1]);
	}
	take_number(words, "fails", &failure->fails);
	take_number(words, "error", &failure->error);
}

/* Puts the netdevs of a card in front of what the lines say of links: uplinks and, in switchdev mode, representors. */
static void add_card_links(void)
{
	for (size_t i = 0; i < world.pfs; i++) {
		struct world_pf *pf = &world.pf[i];
		struct world_link *link = find_link(FIRST_UPLINK + (uint32_t)i, "");

		if (!*link->name)
			link->is_up = true;
		snprintf(link->name, sizeof(link->name), "%s", pf->uplink);
		snprintf(link->parent, sizeof(link->parent), "%s", pf->address);
		snprintf(link->port, sizeof(link->port), "p%zu", i);
		link->devlink = pf;
		for (unsigned int k = 0; k < pf->vfs && k < WORLD_VFS && strcmp(pf->mode, "switchdev") == 0; k++) {
			if (!pf->vf[k].has_port)
				continue;
			link = find_link(FIRST_REPRESENTOR + (uint32_t)(i * WORLD_VFS + k), "");
			snprintf(link->name, sizeof(link->name), "%s", pf->vf[k].rep);
			snprintf(link->parent, sizeof(link->parent), "%s", pf->address);
			snprintf(link->port, sizeof(link->port), "pf%zuvf%u", i, k);
			link->devlink = pf;
			link->devlink_index = k + 1;
		}
	}
}

/* Return: the link of that name here; NULL if there is none. */
static struct world_link *find_name(const char *name)
{
	for (size_t i = 0; i < world.links; i++) {
		if (!world.link[i].is_gone && !*world.link[i].space && strcmp(world.link[i].name, name) == 0)
			return &world.link[i];
	}
	return NULL;
}

/* Puts a netdev that is a port of Open vSwitch below the datapath's. */
static void put_into_datapath(const char *name)
{
	struct world_link *link = find_name(name), *datapath;

	if (!link || link->master)
		return;
	link->master = DATAPATH;
	datapath = find_link(DATAPATH, "");
	snprintf(datapath->name, sizeof(datapath->name), "ovs-system");
	snprintf(datapath->kind, sizeof(datapath->kind), "openvswitch");
}

/* Makes the netdevs that Open vSwitch has: a port for each bridge; and says of others that they are its ports. */
static void add_switch_links(void)
{
	for (size_t i = 0; i < world.rows; i++) {
		const struct world_ovs *row = &world.row[i];
		char members[sizeof(row->members)], *rest = members, *name;

		if (row->is_gone)
			continue;
		if (strcmp(row->kind, "bridge") == 0 && !find_name(row->name) && strcmp(row->datapath, "netdev") != 0) {
			struct world_link *link = find_link(FIRST_LOCAL + (uint32_t)i, "");

			snprintf(link->name, sizeof(link->name), "%.15s", row->name);
			snprintf(link->kind, sizeof(link->kind), "openvswitch");
		}
		snprintf(members, sizeof(members), "%s", *row->members ? row->members : row->name);
		while (strcmp(row->kind, "port") == 0 && (name = strsep(&rest, ",")))
			put_into_datapath(name);
	}
}

/* Reads one line. */
static void read_line(char *line)
{
	char *words[40] = { 0 }, *rest = line, *word;
	size_t count = 0;

	while ((word = strsep(&rest, " \t\n")) && count < 39) {
		if (*word)
			words[count++] = word;
	}
	if (count < 2 || *words[0] == '#')
		return;
	if (strcmp(words[0], "pf") == 0)
		read_pf(words);
	else if (strcmp(words[0], "vf") == 0 && count > 2)
		read_vf(words);
	else if (strcmp(words[0], "link") == 0)
		read_link(words);
	else if (strcmp(words[0], "ovs") == 0)
		read_ovs(words);
	else if (strcmp(words[0], "netlink") == 0)
		read_failure(words);
}

/* Reads the lines of one kind first: the card's links are there before others are said of them. */
static void read_lines(const char *text, bool cards)
{
	char *copy = strdup(text), *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		if ((strncmp(line, "pf ", 3) == 0 || strncmp(line, "vf ", 3) == 0) == cards)
			read_line(line);
	}
	free(copy);
}

/* Reads the host as it is now. */
const struct world *world_read(void)
{
	char *text = NULL;

	memset(&world, 0, sizeof(world));
	if (sysroot_slurp(&text, 8u << 20, "/host") < 0)
		die("host", "cannot be read");
	read_lines(text, true);
	add_card_links();
	read_lines(text, false);
	add_switch_links();
	free(text);
	return &world;
}

/* Appends a line to the host and to the list of changes. */
void world_change(const char *format, ...)
{
	static const char *const files[] = { "host", "changes" };
	char line[1024], path[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	for (size_t i = 0; i < 2; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/%s", world_root(), files[i]);
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || dprintf(fd, "%s\n", line) < 0)
			die(path, "cannot be written");
		close(fd);
	}
	world_show(world_read());
}
