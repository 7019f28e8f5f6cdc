/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read.c: Pacemaker's CIB, and the files that it starts its guests from.
 */
#include "command/cluster/read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/spawn.h"
#include "base/sysroot.h"

#define CIBADMIN "/usr/sbin/cibadmin"
#define CLUSTER_PCS "/usr/sbin/pcs"
#define CLUSTER_CRM "/usr/sbin/crm"
#define CIBADMIN_TIME 5000 /* ms */

/* Asks the cluster that this host is in. Return: the CIB for free(3), NULL where there is none, or none answers. */
static char *ask_cibadmin(void)
{
	char program[256], query[] = "--query", local[] = "--local", *argv[] = { program, query, local, NULL };
	autofree char *text = NULL;

	if (!sysroot_exists("%s", CIBADMIN) || sysroot_path(program, sizeof(program), "%s", CIBADMIN))
		return NULL;
	text = malloc(CLUSTER_XML_MAX);
	if (!text || spawn_run(argv, text, CLUSTER_XML_MAX, deadline_in(CIBADMIN_TIME), NULL))
		return NULL;
	return scope_take(&text);
}

/* Notes what a guest's XML says of its devices. */
static void take_devices(const struct domain *domain, struct cluster_domain *out)
{
	snprintf(out->name, sizeof(out->name), "%s", domain->name);
	out->devices = (int)domain->hostdevs;
	for (size_t i = 0; i < domain->hostdevs; i++) {
		const struct hostdev *device = &domain->hostdev[i];
		autofree struct network_pool *pool = NULL;

		if (device->has_source && !out->has_address) {
			out->has_address = true;
			out->address = device->source;
		}
		if (device->kind != HOSTDEV_POOL)
			continue;
		pool = calloc(1, sizeof(*pool));
		if (pool && network_read_pool(device->network, device->portgroup, pool, NULL) == 0 && !pool->is_pool)
			out->devices--;
	}
}

/* Reads the file that a guest is started from; where that is not possible, its name is the file's. */
static void read_domain(const struct cluster_guest *guest, struct cluster_domain *out)
{
	const char *name = strrchr(guest->config, '/');
	autodomain struct domain domain = { 0 };
	autofree char *xml = NULL;
	ssize_t length = *guest->config == '/' ? sysroot_slurp(&xml, DOMAIN_XML_MAX, "%s", guest->config) : -ENOENT;
	size_t end;

	*out = (struct cluster_domain){ .devices = -1 };
	if (length >= 0 && domain_parse(xml, (size_t)length, &domain, NULL) == 0) {
		take_devices(&domain, out);
		return;
	}
	name = name ? name + 1 : guest->resource;
	end = strlen(name);
	if (end > 4 && strcmp(name + end - 4, ".xml") == 0)
		end -= 4;
	snprintf(out->name, sizeof(out->name), "%.*s", (int)end, name);
}

/* Reads the cluster; see the header. */
int cluster_view_read(struct call *call, const char *file, struct cluster_view *seen, struct reason *why)
{
	autofree char *text = file ? view_read_file(call, file, CLUSTER_XML_MAX, why) : ask_cibadmin();
	int error;

	*seen = (struct cluster_view){ .has_pcs = sysroot_exists("%s", CLUSTER_PCS), .has_crm = sysroot_exists("%s", CLUSTER_CRM) };
	if (!text)
		return file ? why->error : 0;
	error = cluster_parse(text, strlen(text), &seen->cluster, why);
	if (error)
		return error;
	seen->is_there = true;
	seen->domain = calloc(seen->cluster.guests + 1, sizeof(*seen->domain));
	if (!seen->domain)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	for (size_t i = 0; i < seen->cluster.guests; i++)
		read_domain(&seen->cluster.guest[i], &seen->domain[i]);
	return 0;
}

/* Gives it back; harmless on a zeroed struct. */
void cluster_view_release(struct cluster_view *seen)
{
	cluster_release(&seen->cluster);
	free(seen->domain);
	*seen = (struct cluster_view){ 0 };
}

/* Finds a guest by name; see the header. */
size_t cluster_view_find(const struct cluster_view *seen, const char *name)
{
	size_t i = 0;

	while (i < seen->cluster.guests && strcmp(seen->domain[i].name, name) != 0)
		i++;
	return i;
}

/* The card group of a host; see the header. */
char *cluster_card(const struct config *config, const struct inventory *inventory, char *out, size_t size)
{
	out[0] = '\0';
	for (size_t i = 0; i < inventory->pfs; i++) {
		const struct inventory_pf *pf = &inventory->pf[i];
		char group[64];
		size_t used = strlen(out);

		snprintf(group, sizeof(group), "%s-%s", pf->info.psid, pf->info.firmware);
		if (guest_can_use_pf(config, pf) && *pf->info.psid && !strstr(out, group))
			snprintf(out + used, size - used, "%s%s", used ? "+" : "", group);
	}
	return out;
}

/* How long Pacemaker has to wait; see the header. */
unsigned int cluster_timeout(const struct config *config)
{
	static const unsigned int move = 120; /* s that VirtualDomain's meta-data advertises for a move itself */

	return config->hook_deadline + (config->patience ? config->patience : config->slot_wait + move);
}
