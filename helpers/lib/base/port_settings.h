/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * port_settings.h: what an operator set on the port of a VF's representor in Open vSwitch, and what should be the same wherever the guest
 * runs: VLAN, limits of traffic, and the names by which a cloud's controller knows the port.
 *
 * They travel in the passport, so they come from another host: every value is bounded, and a name is a word (port_settings_is_word()).
 */
#ifndef VFERRY_BASE_PORT_SETTINGS_H
#define VFERRY_BASE_PORT_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mac_address.h"
#include "base/port_qos.h"

#define PORT_MAX_VLAN 4095
#define PORT_MAX_TRUNKS (PORT_MAX_VLAN + 1) /* each VLAN once */
#define PORT_MAX_RATE 999999999 /* kbit/s, and kbit of a burst */
#define PORT_NAME_MAX 64 /* of a name, with its NUL */
#define PORT_TRUNKS_LEN (PORT_MAX_TRUNKS * 5)

/* VLANs, a bit for each; no list of their numbers, so asked by port_settings_has_trunk() alone. */
struct port_trunks {
	uint8_t bit[PORT_MAX_TRUNKS / 8];
};

struct port_settings {
	bool has_tag;
	uint16_t tag;                    /* 0 to PORT_MAX_VLAN */
	struct port_trunks trunk;
	size_t trunks;                   /* how many; 0: not set */
	char vlan_mode[20];              /* "access", "trunk", "native-tagged", "native-untagged", "dot1q-tunnel"; "" not set */
	uint32_t ingress_rate;           /* ingress_policing_rate, kbit/s; 0: none */
	uint32_t ingress_burst;          /* ingress_policing_burst, kbit; 0: Open vSwitch's own */
	char qos[PORT_QOS_LEN];          /* of what goes to the guest, a text of port_qos.h; "": not set */
	bool has_attached_mac;
	struct mac_address attached_mac; /* external_ids of the interface, so below */
	char iface_id[PORT_NAME_MAX];    /* "": not set */
	char vm_id[PORT_NAME_MAX];
	char vm_uuid[PORT_NAME_MAX];
};

/* Whether text is 1 or more letters, digits and _ . : @ -, which is what identifiers of ports consist of. */
bool port_settings_is_word(const char *text);

/* Whether text is a vlan_mode of Open vSwitch. */
bool port_settings_is_vlan_mode(const char *text);

/* Whether nothing is set. */
bool port_settings_is_empty(const struct port_settings *settings);
bool port_settings_equal(const struct port_settings *a, const struct port_settings *b);

/* Whether both have the same VLANs: tag, mode and trunks. */
bool port_settings_equal_vlans(const struct port_settings *a, const struct port_settings *b);

/* Whether a VLAN is among the trunks; makes it one of them. vlan: 0 to PORT_MAX_VLAN, others are none. */
bool port_settings_has_trunk(const struct port_settings *settings, unsigned int vlan);
void port_settings_add_trunk(struct port_settings *settings, unsigned int vlan);

/* A tag in words: "VLAN tag 100", "no VLAN tag" below 0. out: PORT_TAG_LEN bytes. Return: out. */
#define PORT_TAG_LEN 24
char *port_settings_format_tag(int tag, char out[PORT_TAG_LEN]);

/* The trunks as text "10 20 30", and back. out: PORT_TRUNKS_LEN bytes. Parsing: 0, -EINVAL; *settings untouched on failure. */
char *port_settings_format_trunks(const struct port_settings *settings, char *out);
int port_settings_parse_trunks(const char *text, struct port_settings *settings);

#endif
