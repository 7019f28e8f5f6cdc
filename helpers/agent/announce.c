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

#include "agent/agent.h"
#include "base/log.h"
#include "base/scope.h"
#include "host/announce.h"

#define ROUNDS 5
#define FIRST_PAUSE 50 /* ms */
#define STEP 100       /* ms more each time */
#define SEND_TIME 1000 /* ms */

/* Return: the VF of a lease in the inventory, NULL if it is gone. */
static const struct inventory_vf *vf_of(struct inventory *inventory, const struct record_vf *lease, struct inventory_pf **pf)
{
	unsigned int index;

	*pf = inventory_find_vf(inventory, &lease->address, &index);
	return *pf && index < (*pf)->num_vfs ? &(*pf)->vf[index] : NULL;
}

/*
 * Finds out where one VF is to be announced.
 * Return: whether it can be.
 */
static bool find_place(struct inventory *inventory, const struct record_vf *lease, struct agent_place *place)
{
	struct inventory_pf *pf;
	const struct inventory_vf *vf = vf_of(inventory, lease, &pf);
	const struct ovs_port *port = vf && *vf->port.netdev ? ovs_find_interface(&inventory->ovs, vf->port.netdev) : NULL;

	if (!vf)
		return false;
	*place = (struct agent_place){ .mac = lease->mac, .uplink = pf->uplink_ifindex };
	if (mac_address_is_zero(&place->mac) && vf->port.has_hw_addr)
		place->mac = vf->port.hw_addr;
	if (port && port->ofport > 0) {
		snprintf(place->bridge, sizeof(place->bridge), "%s", port->bridge);
		place->ofport = (uint32_t)port->ofport;
	}
	return mac_address_is_unicast(&place->mac) && (place->ofport || place->uplink);
}

/* Looks up the guest's lease and its VFs; what is not known yet is tried again at the next look. */
void announce_prepare(struct agent_guest *guest)
{
	autofree struct record *record = calloc(1, sizeof(*record));

	guest->places = 0;
	if (!record || record_read(guest->status.uuid, record, NULL))
		return;
	agent_read_host(guest->agent);
	for (size_t i = 0; i < record->vfs; i++) {
		if (find_place(&guest->agent->inventory, &record->vf[i], &guest->place[guest->places]))
			guest->places++;
	}
}

/* Ends the rounds. */
static void end_timer(struct agent_guest *guest)
{
	if (guest->timer)
		virEventRemoveTimeout(guest->timer);
	guest->timer = 0;
}

/* Announces one VF. Return: 0, negative errno. */
static int send_one(const struct agent_guest *guest, const struct agent_place *place, struct reason *why)
{
	if (!place->ofport)
		return announce_from(place->uplink, &place->mac, why);
	return announce_through_bridge(guest->agent->config.ovsdb_socket, place->bridge, place->ofport, &place->mac, deadline_in(SEND_TIME),
				       why);
}

/* Announces all; each failure is said once, in the first round. */
static void send_round(const struct agent_guest *guest)
{
	for (size_t i = 0; i < guest->places; i++) {
		struct reason why = { 0 };
		char mac[MAC_ADDRESS_LEN];
		int error = send_one(guest, &guest->place[i], &why);

		guest->agent->metrics.announcements += !guest->rounds && guest->announced == ANNOUNCED_RUNNING && !error;
		if (guest->rounds || (guest->announced == ANNOUNCED_EARLY && !error))
			continue;
		if (error)
			agent_log(guest, LOG_WARNING, &why);
		else
			log_info("%s: announced %s %s%s", guest->status.name, mac_address_format(&guest->place[i].mac, mac),
				 guest->place[i].ofport ? "through bridge " : "on the uplink", guest->place[i].bridge);
	}
}

/* The next round. */
static void on_timer(int timer, void *opaque)
{
	struct agent_guest *guest = opaque;

	send_round(guest);
	if (++guest->rounds < ROUNDS)
		virEventUpdateTimeout(timer, FIRST_PAUSE + (guest->rounds - 1) * STEP);
	else
		end_timer(guest);
}

/* Announces the guest now, and begins the further rounds; once for each stage of an arrival. */
void announce_begin(struct agent_guest *guest, enum agent_announced stage)
{
	if (guest->announced >= stage)
		return;
	end_timer(guest);
	if (!guest->places)
		announce_prepare(guest);
	guest->announced = stage;
	guest->rounds = 0;
	send_round(guest);
	guest->rounds = 1;
	guest->timer = virEventAddTimeout(FIRST_PAUSE, on_timer, guest, NULL);
}

/* Ends announcing. A guest that comes again is announced again. */
void announce_end(struct agent_guest *guest)
{
	end_timer(guest);
	guest->announced = ANNOUNCED_NOT;
	guest->places = 0;
}
