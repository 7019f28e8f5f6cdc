/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * port_qos.c: the egress QoS of a port as a text, and back. See port_qos.h.
 */
#include "base/port_qos.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RATE "max-rate="

static const char *const key_names[QUEUE_KEYS] = {
	[QUEUE_MIN_RATE] = "min-rate", [QUEUE_MAX_RATE] = "max-rate", [QUEUE_BURST] = "burst", [QUEUE_PRIORITY] = "priority",
};

/* Return: whether it is a type whose settings are a rate and queues. */
bool port_qos_is_type(const char *type)
{
	return strcmp(type, "linux-htb") == 0 || strcmp(type, "linux-hfsc") == 0;
}

/* Return: the name of a key. */
const char *port_queue_key_name(enum port_queue_key key)
{
	return key_names[key];
}

/* number: result. Return: 0, -EINVAL for what is no number of 1 to 12 digits. */
int port_qos_parse_number(const char *text, uint64_t *number)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > 12 || text[digits])
		return -EINVAL;
	*number = strtoull(text, NULL, 10);
	return 0;
}

/* A text that grows; at: its length, PORT_QOS_LEN when it did not fit. */
struct growing {
	char text[PORT_QOS_LEN];
	size_t at;
};

/* Adds to the text. */
__attribute__((format(printf, 2, 3)))
static void add(struct growing *out, const char *format, ...)
{
	size_t left = sizeof(out->text) - out->at;
	va_list args;
	int length;

	va_start(args, format);
	length = left ? vsnprintf(out->text + out->at, left, format, args) : 0;
	va_end(args);
	out->at = length >= 0 && (size_t)length < left ? out->at + (size_t)length : sizeof(out->text);
}

/* Adds a queue. */
static void add_queue(struct growing *out, const struct port_queue *queue)
{
	const char *between = "";

	add(out, " %u:", queue->number);
	for (int key = 0; key < QUEUE_KEYS; key++) {
		if (!queue->has[key])
			continue;
		add(out, "%s%s=%" PRIu64, between, key_names[key], queue->value[key]);
		between = ",";
	}
}

/* qos: with a type that can be carried. Return: 0, -E2BIG. */
int port_qos_format(const struct port_qos *qos, char out[PORT_QOS_LEN])
{
	struct growing text = { .at = 0 };

	add(&text, "%s", qos->type);
	if (qos->max_rate)
		add(&text, " " MAX_RATE "%" PRIu64, qos->max_rate);
	for (size_t i = 0; i < qos->queues; i++)
		add_queue(&text, &qos->queue[i]);
	if (text.at >= sizeof(text.text))
		return -E2BIG;
	memcpy(out, text.text, text.at + 1);
	return 0;
}

/* Reads "KEY=NUMBER" of a queue. text: is changed. Return: 0, -EINVAL. */
static int parse_key(char *text, struct port_queue *queue)
{
	char *value = strchr(text, '=');

	if (!value)
		return -EINVAL;
	*value++ = '\0';
	for (int key = 0; key < QUEUE_KEYS; key++) {
		if (strcmp(text, key_names[key]) || queue->has[key])
			continue;
		queue->has[key] = true;
		return port_qos_parse_number(value, &queue->value[key]);
	}
	return -EINVAL;
}

/* Reads "NUMBER:KEY=NUMBER,…". text: is changed. Return: 0, -EINVAL. */
static int parse_queue(char *text, struct port_queue *queue)
{
	char *keys = strchr(text, ':'), *key;
	uint64_t number;

	if (!keys)
		return -EINVAL;
	*keys++ = '\0';
	if (port_qos_parse_number(text, &number) || number > PORT_MAX_QUEUE)
		return -EINVAL;
	*queue = (struct port_queue){ .number = (unsigned int)number };
	if (!*keys)
		return 0;
	while ((key = strsep(&keys, ","))) {
		if (parse_key(key, queue))
			return -EINVAL;
	}
	return 0;
}

/* Reads what follows the type. rest: is changed; NULL: nothing does. Return: 0, -EINVAL. */
static int parse_rest(char *rest, struct port_qos *qos)
{
	char *word;

	while ((word = strsep(&rest, " "))) {
		if (strncmp(word, MAX_RATE, strlen(MAX_RATE)) == 0 && !qos->max_rate && !qos->queues) {
			if (port_qos_parse_number(word + strlen(MAX_RATE), &qos->max_rate) || !qos->max_rate)
				return -EINVAL;
			continue;
		}
		if (qos->queues == PORT_MAX_QUEUES || parse_queue(word, &qos->queue[qos->queues]))
			return -EINVAL;
		if (qos->queues && qos->queue[qos->queues].number <= qos->queue[qos->queues - 1].number)
			return -EINVAL; /* one queue twice */
		qos->queues++;
	}
	return 0;
}

/* text: see port_qos.h; only what port_qos_format() would write is accepted. Return: 0, -EINVAL. */
int port_qos_parse(const char *text, struct port_qos *qos)
{
	char copy[PORT_QOS_LEN], again[PORT_QOS_LEN], *rest = copy, *type;
	struct port_qos found = { 0 };
	int length = snprintf(copy, sizeof(copy), "%s", text);

	if (length < 0 || (size_t)length >= sizeof(copy))
		return -EINVAL;
	type = strsep(&rest, " ");
	if (!port_qos_is_type(type))
		return -EINVAL;
	snprintf(found.type, sizeof(found.type), "%s", type);
	if (parse_rest(rest, &found) || port_qos_format(&found, again) || strcmp(text, again))
		return -EINVAL;
	*qos = found;
	return 0;
}
