/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * announce.c: tells the network that a guest's VFs are here now.
 *
 * QEMU does so for its own network cards: at once, and again after 50, 150, 250 and 350 ms (migration/options.c, announce-*), since
 * a frame may be lost while links come up. The same is done here for VFs. Where to send is found out while the guest's memory comes, so
 * that nothing but sending is left when it runs.
 *
 * It begins already when libvirt finishes the migration (phase finish3): the source has stopped the guest then, so whatever is still sent
 * there is lost. When the guest runs it begins anew.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/keyed.h"
#include "agent/leases.h"
#include "agent/work.h"
#include "base/log.h"
#include "host/announce.h"

#define ROUNDS 5
#define FIRST_PAUSE 50 /* ms */
#define STEP 100       /* ms more each time */

/* Where a VF is announced. */
struct place {
	struct mac_address mac;
	char bridge[64];      /* Open vSwitch bridge, "" none */
	uint32_t ofport;      /* of the representor there */
	uint32_t uplink;      /* ifindex, where there is no bridge */
};

/* Where a guest is announced. */
struct places {
	struct keyed keyed;
	uint64_t job;         /* the migration for which it was found out */
	struct place place[LEASES_MAX_VFS];
	size_t count;
};

static struct keyed *all_places;

/* See work.h. */
void announce_forget(const char *uuid)
{
	keyed_forget(&all_places, uuid);
}

/* Return: the VF of a lease in the inventory, NULL if it is gone. */
static const struct inventory_vf *vf_of(struct inventory *inventory, const struct leased_vf *lease, struct inventory_pf **pf)
{
	unsigned int index;

	*pf = inventory_find_vf(inventory, &lease->address, &index);
	return *pf && index < (*pf)->num_vfs ? &(*pf)->vf[index] : NULL;
}

/*
 * Finds out where one VF is to be announced.
 * Return: whether it can be.
 */
static bool find_place(struct inventory *inventory, const struct leased_vf *lease, struct place *place)
{
	struct inventory_pf *pf;
	const struct inventory_vf *vf = vf_of(inventory, lease, &pf);
	const struct ovs_port *port = vf && *vf->port.netdev ? ovs_find_interface(&inventory->ovs, vf->port.netdev) : NULL;

	if (!vf)
		return false;
	*place = (struct place){ .mac = lease->mac, .uplink = pf->uplink_ifindex };
	if (mac_address_is_zero(&place->mac) && vf->port.has_hw_addr)
		place->mac = vf->port.hw_addr;
	if (port && port->ofport > 0) {
		snprintf(place->bridge, sizeof(place->bridge), "%s", port->bridge);
		place->ofport = (uint32_t)port->ofport;
	}
	return mac_address_is_unicast(&place->mac) && (place->ofport || place->uplink);
}

/*
 * Looks up the guest's lease and its VFs. The VF of a failover pair is left out: QEMU plugs it behind the arrival, and until then the guest
 * is to be reached by its other interface. since: the host is not read anew if it was read then or later. Return: 0, negative errno.
 */
static int locate(const struct work *work, int64_t since, struct places *places, struct reason *why)
{
	struct leased_vf vf[LEASES_MAX_VFS];
	int count = leases_of(work->intent->uuid, vf, LEASES_MAX_VFS, why), error = count < 0 ? count : 0, unplugged = 0;

	places->job = work->intent->job;
	places->count = 0;
	if (!error)
		error = host_refresh(work->host, work->config, since, work->deadline, why);
	for (int i = 0; !error && i < count; i++) {
		if (status_is_transient(work->guest.status, &vf[i].address))
			unplugged++;
		else if (find_place(&work->host->inventory, &vf[i], &places->place[places->count]))
			places->count++;
	}
	return !error && (int)places->count + unplugged < count ? reason_set(why, -EAGAIN, "", "not all of its VFs are ready yet") : error;
}

/* See work.h. A guest without a lease has none yet. */
void announce_locate(const struct work *work, struct outcome *outcome)
{
	struct places *places = keyed_get(&all_places, work->intent->uuid, sizeof(*places));

	outcome->error = places ? locate(work, clock_ms(), places, &outcome->why) : -ENOMEM;
	if (outcome->error == -ENOENT)
		outcome->error = -EAGAIN;
}

/* Announces one VF. Return: 0, negative errno with *why. */
static int send_one(const struct work *work, const struct place *place, struct reason *why)
{
	if (!place->ofport)
		return announce_from(place->uplink, &place->mac, why);
	return announce_through_bridge(work->config->ovsdb_socket, place->bridge, place->ofport, &place->mac, work->deadline, why);
}

/* Announces all; each failure is said once, in the first round. */
static void send_round(const struct work *work, const struct places *places, struct outcome *outcome)
{
	const char *name = work->guest.status->name;
	bool is_first = !work->intent->done, is_early = work->intent->how == ANNOUNCED_EARLY;

	for (size_t i = 0; i < places->count; i++) {
		const struct place *place = &places->place[i];
		struct reason why = { 0 };
		char mac[MAC_ADDRESS_LEN], line[1024];
		int error = send_one(work, place, &why);

		outcome->count += is_first && !is_early && !error;
		if (!is_first || (is_early && !error))
			continue;
		reason_format(&why, name, line, sizeof(line));
		if (error)
			log_warning("%s", line);
		else
			log_info("%s: announced %s %s%s", name, mac_address_format(&place->mac, mac),
				 place->ofport ? "through bridge " : "on the uplink", place->bridge);
	}
}

/* See work.h. Where to send is found out now if it is not known for this migration. A guest without a lease is not announced. */
void announce_send(const struct work *work, struct outcome *outcome)
{
	struct places *places = keyed_get(&all_places, work->intent->uuid, sizeof(*places));
	unsigned int rounds = work->intent->done;
	bool is_known = places && places->count && places->job == work->intent->job;

	if (!places || (!is_known && !rounds && locate(work, work->intent->asked, places, NULL) && !places->count))
		return;
	send_round(work, places, outcome);
	if (rounds + 1 < ROUNDS)
		outcome->again = FIRST_PAUSE + (int)rounds * STEP;
}
