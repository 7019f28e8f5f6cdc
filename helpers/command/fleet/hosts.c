/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hosts.c: the hosts as they were read: found by a word, and as libvirt connects to them.
 */
#include "command/fleet/hosts.h"

#include <errno.h>
#include <string.h>

/* The host that a word names; see the header. */
size_t fleet_find_host(const struct fleet_case *c, const char *word, struct reason *why)
{
	for (size_t i = 0; i < c->hosts; i++) {
		if (strcmp(c->host[i].name, word) == 0 || strcmp(c->host[i].target, word) == 0)
			return i;
	}
	reason_set(why, -ENOENT, word, "it is none of the hosts that were read%s%s", *c->missing ? "; these did not answer: " : "", c->missing);
	reason_cure(why, "name it as its record does (\"hostname\"), and see that 'ssh %s vferry inventory' works", word);
	return FLEET_NOWHERE;
}

/* Marks the hosts of a list; see the header. */
int fleet_mark_hosts(const struct fleet_case *c, const char *list, bool *marked, struct reason *why)
{
	char copy[4096], *rest = copy, *word;

	snprintf(copy, sizeof(copy), "%s", list);
	while ((word = strsep(&rest, ","))) {
		size_t host = fleet_find_host(c, word, why);

		if (host == FLEET_NOWHERE)
			return -ENOENT;
		marked[host] = true;
	}
	return 0;
}

/* Where a connection goes. Return: out. */
const char *fleet_uri(const struct fleet_view *host, char *out, size_t size)
{
	snprintf(out, size, "qemu+ssh://%.200s/system", *host->target ? host->target : host->name);
	return out;
}
