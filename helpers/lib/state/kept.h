/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kept.h: what an operator set on a guest's port while it ran, kept until its next start here: /var/lib/vferry/ports/UUID.json.
 *
 * A port that vferry made goes when its guest is shut down. What was set on it since (its VLAN above all: a port without a tag is in every
 * VLAN) is kept with what the guest's definition had asked for when it started; at its next start here it holds if the definition still
 * says the same, or says nothing. A definition that was changed in between is newer.
 */
#ifndef VFERRY_STATE_KEPT_H
#define VFERRY_STATE_KEPT_H

#include <stdbool.h>

#include "base/mac_address.h"
#include "base/port_settings.h"
#include "base/reason.h"

#define KEPT_DIRECTORY LOCALSTATEDIR "/lib/vferry/ports"
#define KEPT_MAX 64 /* ports of one guest */
#define KEPT_WORD 20

struct kept_port {
	struct mac_address mac;
	char asked[KEPT_WORD]; /* kept_word() of what the definition asked for; "": not known */
	struct port_settings set;
};

struct kept {
	struct kept_port port[KEPT_MAX];
	size_t ports;
};

/* A word that is the same for the same settings. Return: out, KEPT_WORD bytes. */
char *kept_word(const struct port_settings *settings, char *out);

/* Reads what is kept of a guest; nothing, also where that cannot be read. */
void kept_read(const char *uuid, struct kept *kept);

/* Writes it; an empty list removes the file. Return: 0, negative errno with *why. */
int kept_write(const char *uuid, const struct kept *kept, struct reason *why);

/* Sets, or with set NULL forgets, what is kept of one port. Return: whether anything changed. */
bool kept_set(struct kept *kept, const struct mac_address *mac, const char *asked, const struct port_settings *set);

/* What holds for a port whose definition asks for something, NULL: that. */
const struct port_settings *kept_find(const struct kept *kept, const struct mac_address *mac, const struct port_settings *asked);

#endif
