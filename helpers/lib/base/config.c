/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * config.c: /etc/vferry/vferry.conf, by libinih. See config.h.
 *
 * One row of the table below is one key: its place in the file, its default, its help and what it may be set to. The defaults are read
 * from the table by the same functions that read the file, so the two cannot differ.
 */
#include "base/config.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/sysroot.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif

#define CONFIG_SIZE_MAX 65536 /* bytes; the sample file is a tenth of it */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const yes_or_no[] = {"no", "yes", NULL};
static const char *const without_passport[] = {"same-address", "any", "refuse", "ignore", NULL};
static const char *const cards[] = {"connectx-7", "bluefield-3", "all", NULL};
static const char *const uplink[] = {"plug", "present", "ignore", NULL};
static const char *const placing[] = {"choose", "as-named", NULL};
static const char *const severity[] = {"allow", "warn", "refuse", NULL};

/* Return: where the value of key is in *config. */
static void *member(const struct config_key *key, struct config *config)
{
	return (char *)config + key->offset;
}

/* Takes a decimal number from min to max. Return: 0, -EINVAL. */
static int set_number(const struct config_key *key, const char *value, struct config *config)
{
	unsigned long number;
	char *end;

	if (!isdigit((unsigned char)value[0]))
		return -EINVAL;
	errno = 0;
	number = strtoul(value, &end, 10);
	if (errno || *end || number < key->min || number > key->max)
		return -EINVAL;
	*(unsigned int *)member(key, config) = (unsigned int)number;
	return 0;
}

/* Return: the place of value among the key's choices, -EINVAL if it is none of them. */
static int choice_of(const struct config_key *key, const char *value)
{
	for (int i = 0; key->choices[i]; i++)
		if (strcmp(value, key->choices[i]) == 0)
			return i;
	return -EINVAL;
}

/* Takes yes or no. Return: 0, -EINVAL. */
static int set_flag(const struct config_key *key, const char *value, struct config *config)
{
	int choice = choice_of(key, value);

	if (choice < 0)
		return choice;
	*(bool *)member(key, config) = choice == 1;
	return 0;
}

/* Takes one of the choices of an enum, which stand in its order. Return: 0, -EINVAL. */
static int set_choice(const struct config_key *key, const char *value, struct config *config)
{
	int choice = choice_of(key, value);

	if (choice < 0)
		return choice;
	memcpy(member(key, config), &choice, sizeof(choice));
	return 0;
}

/* Copies a text of min to max bytes. Return: 0, -EINVAL. */
static int copy_text(const struct config_key *key, const char *value, struct config *config)
{
	size_t length = strlen(value);

	if (length < key->min || length > key->max || length >= key->size)
		return -EINVAL;
	memcpy(member(key, config), value, length + 1);
	return 0;
}

/* Takes the name of a network device or bridge, or a PCI address: what the kernel's dev_valid_name() takes and a shell does not quote. */
static int set_name(const struct config_key *key, const char *value, struct config *config)
{
	for (const char *c = value; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_.:@-", *c))
			return -EINVAL;
	if (strcmp(value, ".") == 0 || strcmp(value, "..") == 0 || value[0] == '-')
		return -EINVAL;
	return copy_text(key, value, config);
}

/* Takes an absolute path that fits into a socket address. */
static int set_path(const struct config_key *key, const char *value, struct config *config)
{
	return value[0] == '/' ? copy_text(key, value, config) : -EINVAL;
}

/* Takes an absolute path, or nothing. */
static int set_path_or_none(const struct config_key *key, const char *value, struct config *config)
{
	return value[0] == '/' || !value[0] ? copy_text(key, value, config) : -EINVAL;
}

/* Takes auto, off, or milliseconds from min to max, which are above the numbers that stand for the words; before them at-least: or not. */
static int set_downtime(const struct config_key *key, const char *value, struct config *config)
{
	static const char at_least[] = "at-least:";
	bool is_floor = strncmp(value, at_least, strlen(at_least)) == 0;
	unsigned int *out = member(key, config);
	int error = 0;

	if (strcmp(value, "auto") == 0)
		*out = CONFIG_DOWNTIME_AUTO;
	else if (strcmp(value, "off") == 0)
		*out = CONFIG_DOWNTIME_OFF;
	else
		error = set_number(key, is_floor ? value + strlen(at_least) : value, config);
	if (!error && is_floor)
		*out |= CONFIG_DOWNTIME_AT_LEAST;
	return error;
}

/* Takes a PSID, such as MT_0000000834: capital letters, digits and _, as the card's maker writes it. */
static int set_psid(const struct config_key *key, const char *value, struct config *config)
{
	for (const char *c = value; *c; c++)
		if (!isupper((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '_')
			return -EINVAL;
	return copy_text(key, value, config);
}

/* Takes a firmware version: three numbers with dots between; or nothing, where the key's min is 0. */
static int set_version(const struct config_key *key, const char *value, struct config *config)
{
	const char *at = value;

	for (int part = 0; part < 3 && (*value || key->min); part++) {
		size_t digits = strspn(at, "0123456789");

		if (digits < 1 || digits > 5 || at[digits] != (part < 2 ? '.' : '\0'))
			return -EINVAL;
		at += digits + 1;
	}
	return copy_text(key, value, config);
}

/* Takes names of bridges. Return: 0, -EINVAL. */
static int set_bridges(const struct config_key *key, const char *value, struct config *config)
{
	return strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:@- ,\t") == strlen(value) ?
	       copy_text(key, value, config) : -EINVAL;
}

/* Takes a set of VLANs. Return: 0, -EINVAL. */
static int set_vlans(const struct config_key *key, const char *value, struct config *config)
{
	return vlan_set_parse(value, member(key, config));
}

#define IN(field) .offset = offsetof(struct config, field), .size = sizeof(((struct config *)0)->field)
#define NUMBER(field, from, to) .set = set_number, IN(field), .min = (from), .max = (to)
#define FLAG(field) .set = set_flag, IN(field), .choices = yes_or_no
#define CHOICE(field, words) .set = set_choice, IN(field), .choices = words
#define NAME(field, from, words) .set = set_name, IN(field), .min = (from), .max = 15, .allowed = words
#define VERSION(field) .set = set_version, IN(field), .min = 5, .max = 17, .allowed = "three numbers with dots, such as 28.36.1010"
#define VERSION_OR_NONE(field) \
	.set = set_version, IN(field), .max = 17, .allowed = "three numbers with dots, such as 28.36.1010, or nothing"

static const struct config_key keys[] = {
	{"host", "pf", "", "PF to use, as PCI address or network device; empty: any that fits.",
	 NAME(pf, 0, "a PCI address, the name of a network device, or nothing")},
	{"host", "cards", "connectx-7", "Kinds of cards to use where pf names none: connectx-7, bluefield-3 or all.", CHOICE(cards, cards)},
	{"host", "vfs", "8", "VFs to create on a PF that has none; 0: as many as the card offers.", NUMBER(vfs, 0, 1024)},
	{"host", "bridge", "br-vferry", "Open vSwitch bridge for guests whose passport names none.",
	 NAME(bridge, 1, "the name of a bridge, 1 to 15 letters, digits and _ . : @ -")},
	{"host", "create_bridge", "yes", "Make the bridge when it does not exist.", FLAG(create_bridge)},
	{"host", "uplink", "plug",
	 "Whose business it is that the bridge reaches the network: vferry puts the uplink of the PF into it (plug), it is there already and "
	 "vferry looks at that (present), or at nothing (ignore).",
	 CHOICE(uplink, uplink)},
	{"host", "plug_uplink", "yes", "Older than uplink: no means uplink = present.", FLAG(plug_uplink)},
	{"host", "ovsdb_socket", "/run/openvswitch/db.sock", "Socket of ovsdb-server.", .set = set_path, IN(ovsdb_socket), .min = 2, .max = 107,
	 .allowed = "an absolute path of at most 107 bytes"},
	{"host", "ovs_offload", "yes", "Set hw-offload and max-idle of Open vSwitch where no other bridge depends on them.", FLAG(ovs_offload)},
	{"host", "max_idle", "300000", "How long an idle flow stays in the card, in milliseconds (max-idle of Open vSwitch).",
	 NUMBER(max_idle, 500, 86400000)},
	{"guest", "without_passport", "same-address",
	 "Which host devices of a guest without a passport are taken for ConnectX-7 VFs: those whose source address is that of a VF here "
	 "(same-address), all (any), none and the guest is refused (refuse), none and the guest is left alone (ignore).",
	 CHOICE(without_passport, without_passport)},
	{"guest", "unknown_source", "warn",
	 "What to do when PSID and firmware of the source are unknown, by passport and by [peer]: allow, warn or refuse.",
	 CHOICE(unknown_source, severity)},
	{"guest", "placement", "choose",
	 "Which VF an arriving guest gets: the one that suits best (choose), or the one that its XML names, and no other (as-named).",
	 CHOICE(placement, placing)},
	{"guest", "at_start", "warn",
	 "What to do at the ordinary start of a guest with VFs that could not be migrated later, or that cannot be made ready for: allow, warn or "
	 "refuse.",
	 CHOICE(at_start, severity)},
	{"peer", "psid", "", "PSID of the cards in all hosts that guests without a passport come from; empty: not known.",
	 .set = set_psid, IN(peer_psid), .max = 31, .allowed = "a PSID such as MT_0000000834, or nothing"},
	{"peer", "firmware", "", "Firmware that runs on all of them; empty: not known.", VERSION_OR_NONE(peer_firmware)},
	{"trust", "bridges", "any", "Bridges that a guest's passport may name beside that of [host]: any, or names with blanks between.",
	 .set = set_bridges, IN(trust_bridges), .min = 3, .max = 255, .allowed = "any, or names of bridges with blanks between"},
	{"trust", "vlans", "any",
	 "VLANs that a passport may ask for: any, or numbers and ranges such as 100-199 300, and none for a port that has no VLAN.",
	 .set = set_vlans, IN(trust_vlans), .allowed = "any, or numbers and ranges from 0 to 4095 and none, with blanks between"},
	{"trust", "trunks", "yes", "Whether a passport may ask for a port that carries several VLANs.", FLAG(trust_trunks)},
	{"trust", "iface_id", "yes", "Whether a passport may bring an iface-id, by which OVN and others know a port.", FLAG(trust_iface_id)},
	{"trust", "qos", "yes", "Whether a passport may bring limits of traffic.", FLAG(trust_qos)},
	{"limits", "vfs_in_flight", "4", "VFs of one PF that may be in live migration at the same time, 1 to 4.", NUMBER(vfs_in_flight, 1, 4)},
	{"limits", "firmware_refuse_below", "28.36.1010",
	 "Firmware older than this cannot migrate a VF: refused. For BlueField-3 the same, with 32 in the place of 28.",
	 VERSION(firmware_refuse_below)},
	{"limits", "firmware_warn_below", "28.41.1000",
	 "Firmware older than this is warned about; with 32 in the place of 28 for BlueField-3.", VERSION(firmware_warn_below)},
	{"agent", "max_downtime", "auto",
	 "How long QEMU may stop a guest with VFs at the end of its migration, in milliseconds; auto: by the number of its VFs and what was "
	 "seen on this host; at-least:MS: whatever a limit is, it is raised to this; off: as QEMU has it.",
	 .set = set_downtime, IN(max_downtime), .min = 10, .max = 2000000,
	 .allowed = "auto, off, a number from 10 to 2000000, or at-least: before such a number"},
	{"agent", "metrics_directory", "/var/lib/prometheus/node-exporter",
	 "Where the agent writes figures for Prometheus (vferry.prom), if that directory is there; empty: nowhere.", .set = set_path_or_none,
	 IN(metrics_directory), .max = 127, .allowed = "an absolute path of at most 127 bytes, or nothing"},
	{"hook", "hook_deadline", "60", "How long one call of the hook may take, in seconds, the wait for others not counted.",
	 NUMBER(hook_deadline, 5, 600)},
	{"hook", "slot_wait", "300", "How long an arriving guest may wait for a slot, in seconds.", NUMBER(slot_wait, 0, 3600)},
	{"hook", "slot_queue", "8", "How many arriving guests may wait for a slot; each holds one of libvirt's threads for calls.",
	 NUMBER(slot_queue, 0, 16)},
	{"hook", "patience", "0",
	 "How long whoever moves guests waits for one migration, in seconds: one that would wait too long for a slot is refused at once; 0: "
	 "longer than slot_wait.",
	 NUMBER(patience, 0, 86400)},
	{"hook", "lease_time", "120", "How long VFs stay reserved for a guest that does not appear, in seconds.", NUMBER(lease_time, 10, 3600)},
	{0},
};

/* Return: the table, ended by a row whose section is NULL. */
const struct config_key *config_keys(void)
{
	return keys;
}

/*
 * Fills *config from the defaults of the table.
 */
void config_defaults(struct config *config)
{
	struct config fresh = {0};

	for (const struct config_key *key = keys; key->section; key++)
		key->set(key, key->value, &fresh);
	*config = fresh;
}

/*
 * out, size: receives the words. Return: out.
 */
static char *config_allowed(const struct config_key *key, char *out, size_t size)
{
	size_t used = 0;

	if (key->allowed) {
		snprintf(out, size, "%s", key->allowed);
	} else if (!key->choices) {
		snprintf(out, size, "a number from %u to %u", key->min, key->max);
	} else {
		for (int i = 0; key->choices[i] && used < size; i++)
			used += (size_t)snprintf(out + used, size - used, "%s%s", i == 0 ? "" : key->choices[i + 1] ? ", " : " or ",
						 key->choices[i]);
	}
	return out;
}

/* One reading of one file. */
struct reading {
	const char *path;
	const char *at;             /* what the parser has not had yet */
	int line;                   /* number of the line that the parser has */
	bool too_long;              /* that line did not fit */
	bool seen[COUNT(keys)];
	struct config config;
	struct reason why;          /* first error of a line that the parser itself found right */
	int why_line;               /* its line, 0 if none */
};

/*
 * Keeps the first error. Return: 0, which tells libinih that the line is wrong.
 */
__attribute__((format(printf, 2, 3)))
static int line_error(struct reading *reading, const char *format, ...)
{
	char text[REASON_TEXT_MAX], where[REASON_OBJECT_MAX];
	va_list args;

	if (reading->why_line)
		return 0;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(where, sizeof(where), "%.100s:%d", reading->path, reading->line);
	reading->why_line = reading->line;
	reason_set(&reading->why, -EINVAL, where, "%s", text);
	return 0;
}

/*
 * The reader of libinih (ini_reader): hands out one line a call.
 * line, size: receives it, with its newline. stream: struct reading.
 * Return: line, or NULL at the end.
 */
static char *next_line(char *line, int size, void *stream)
{
	struct reading *reading = stream;
	size_t whole = strcspn(reading->at, "\n"), shown;

	if (!*reading->at)
		return NULL;
	reading->line++;
	whole += reading->at[whole] == '\n';
	shown = whole < (size_t)size ? whole : (size_t)size - 1;
	reading->too_long = shown < whole;
	if (reading->too_long)
		line_error(reading, "the line is longer than %d bytes", size - 2);
	memcpy(line, reading->at, shown);
	line[shown] = '\0';
	reading->at += whole;
	return line;
}

/*
 * The handler of libinih (ini_handler) for one "name = value".
 * user: struct reading. Return: 1, or 0 if it is wrong.
 */
static int take_value(void *user, const char *section, const char *name, const char *value)
{
	struct reading *reading = user;
	char allowed[160];

	for (const struct config_key *key = keys; key->section; key++) {
		if (strcmp(section, key->section) != 0 || strcmp(name, key->name) != 0)
			continue;
		if (reading->seen[key - keys])
			return line_error(reading, "%s is set a second time", name);
		reading->seen[key - keys] = true;
		if (key->set(key, value, &reading->config) == 0)
			return 1;
		return line_error(reading, "%s = %s is not allowed, it takes %s", name, value, config_allowed(key, allowed, sizeof(allowed)));
	}
	if (!*section)
		return line_error(reading, "%s stands before the first [section]", name);
	return line_error(reading, "there is no key %s in the section [%s]", name, section);
}

/*
 * Parses the text of the file.
 * Return: 0; -EINVAL, -ENOMEM with *why filled.
 */
static int parse(struct reading *reading, struct reason *why)
{
	int line = ini_parse_stream(next_line, reading, take_value, reading);

	if (line < 0)
		return reason_set(why, -ENOMEM, reading->path, "no memory to read the configuration");
	if (line > 0 && (!reading->why_line || line < reading->why_line)) {
		reading->line = line;
		reading->why_line = 0;
		line_error(reading, "the line is neither [section] nor key = value nor a comment");
	}
	if (!reading->why_line)
		return 0;
	if (why)
		*why = reading->why;
	reason_cure(why, "correct the line, or remove it to get the default");
	return -EINVAL;
}

/*
 * path: absolute, below the sysroot; NULL: SYSCONFDIR CONFIG_FILE. config: receives the result. why: may be NULL.
 * Return: 0 (also when there is no file); -EINVAL; other negative errno if the file cannot be read.
 */
int config_read(const char *path, struct config *config, struct reason *why)
{
	const char *file = path ? path : SYSCONFDIR CONFIG_FILE;
	autofree char *text = NULL;
	ssize_t length = sysroot_slurp_checked(&text, CONFIG_SIZE_MAX, SLURP_OWNED, "%s", file);
	struct reading reading = {.path = file, .at = text};
	int error;

	config_defaults(&reading.config);
	if (length == -ENOENT) {
		*config = reading.config;
		return 0;
	}
	if (length == -EPERM) {
		reason_set(why, -EPERM, file, "the configuration is not read, since others than root may write it");
		reason_cure(why, "make it root's, and writable by root alone: chown root:root %s && chmod 644 %s", file, file);
		return -EPERM;
	}
	if (length < 0)
		return reason_set(why, (int)length, file, "the configuration cannot be read: %s", strerror((int)-length));
	if (strlen(text) != (size_t)length)
		return reason_set(why, -EINVAL, file, "the configuration holds a zero byte");
	error = parse(&reading, why);
	if (!error)
		*config = reading.config;
	return error;
}
