/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * port_qos.h: the egress QoS of a port in Open vSwitch: what its guest may receive, by queues.
 *
 * As a text, which travels in the passport:
 *
 *     linux-htb max-rate=1000000000 0:max-rate=400000000,burst=8000000 1:min-rate=100000000
 *
 * A type, the whole rate, and queues by their numbers; rates in bit/s, bursts in bits. Other types and keys of Open vSwitch are not
 * carried.
 */
#ifndef VFERRY_BASE_PORT_QOS_H
#define VFERRY_BASE_PORT_QOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PORT_QOS_LEN 256            /* of the text, with its NUL */
#define PORT_MAX_QUEUES 8
#define PORT_MAX_QUEUE 65535        /* number of a queue */
#define PORT_QOS_MAX 999999999999ul /* of a value */

/* Keys of Queue, other_config (vswitchd/vswitch.xml). */
enum port_queue_key { QUEUE_MIN_RATE, QUEUE_MAX_RATE, QUEUE_BURST, QUEUE_PRIORITY, QUEUE_KEYS };

struct port_queue {
	unsigned int number;
	bool has[QUEUE_KEYS];
	uint64_t value[QUEUE_KEYS];
};

struct port_qos {
	char type[12];     /* "linux-htb", "linux-hfsc" */
	uint64_t max_rate; /* 0: not set */
	struct port_queue queue[PORT_MAX_QUEUES];
	size_t queues;
};

/* Whether a type of QoS can be carried. */
bool port_qos_is_type(const char *type);

/* The name of a key in Open vSwitch: "min-rate", … */
const char *port_queue_key_name(enum port_queue_key key);

/* Reads a number of 1 to 12 digits, the whole text. Return: 0, -EINVAL. */
int port_qos_parse_number(const char *text, uint64_t *number);

/* Text and back; a text that is read and written again is the same. Formatting: 0, -E2BIG; parsing: 0, -EINVAL; out untouched then. */
int port_qos_format(const struct port_qos *qos, char out[PORT_QOS_LEN]);
int port_qos_parse(const char *text, struct port_qos *qos);

#endif
