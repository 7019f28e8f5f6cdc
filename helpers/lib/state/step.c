/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * step.c: steps as words and as JSON.
 */
#include "state/step.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How each kind is called in files, what it does, and what it does where number is 0. */
static const struct {
	const char *name;
	const char *verb, *away;
} kinds[STEP_KINDS] = {
	[STEP_AUTOPROBE] = { "autoprobe", "sriov_drivers_autoprobe", NULL },
	[STEP_ESWITCH] = { "eswitch", "eswitch mode", NULL },
	[STEP_NUM_VFS] = { "num-vfs", "sriov_numvfs", NULL },
	[STEP_UPLINK_UP] = { "uplink-up", "uplink up", "uplink down" },
	[STEP_OVS_OPTION] = { "ovs-option", "Open vSwitch option", NULL },
	[STEP_BRIDGE] = { "bridge", "bridge", "no more bridge" },
	[STEP_UPLINK_PORT] = { "uplink-port", "uplink into bridge", "uplink out of bridge" },
	[STEP_UNBIND] = { "unbind", "unbind from driver", NULL },
	[STEP_RATES] = { "rates", "rate limits (Mbit/s)", NULL },
	[STEP_MAC] = { "mac", "MAC", NULL },
	[STEP_MSIX] = { "msix", "MSI-X entries", NULL },
	[STEP_IPSEC] = { "ipsec", "IPsec", NULL },
	[STEP_ROCE] = { "roce", "roce", NULL },
	[STEP_MAX_IO_EQS] = { "max-io-eqs", "max_io_eqs", NULL },
	[STEP_MIGRATABLE] = { "migratable", "migratable", "not migratable" },
	[STEP_BIND] = { "bind", "bind to driver", NULL },
	[STEP_MTU] = { "mtu", "representor's MTU", NULL },
	[STEP_REPRESENTOR_UP] = { "representor-up", "representor up", "representor down" },
	[STEP_PORT] = { "port", "representor into bridge", "representor out of bridge" },
};

/*
 * step_kind_name() - the stable name of a kind
 * @kind:	one of enum step_kind
 * Return: the name, "unknown" outside the enum
 */
const char *step_kind_name(enum step_kind kind)
{
	return kind < STEP_KINDS ? kinds[kind].name : "unknown";
}

/*
 * mode_name() - eswitch mode as devlink(8) writes it
 */
static const char *mode_name(unsigned int mode)
{
	return mode == 0 ? "legacy" : mode == 1 ? "switchdev" : "unknown";
}

/*
 * step_describe() - a step in words
 * @step:	step
 * @out:	buffer
 * @size:	its size in bytes
 * Return: out
 */
char *step_describe(const struct step *step, char *out, size_t size)
{
	char address[PCI_ADDRESS_LEN], mac[MAC_ADDRESS_LEN], value[FUNCTION_VALUE_LEN];
	const char *verb = step->kind < STEP_KINDS ? kinds[step->kind].verb : "unknown";

	if (step->kind < STEP_KINDS && !step->number && kinds[step->kind].away)
		verb = kinds[step->kind].away;
	pci_address_format(step->has_vf ? &step->vf : &step->pf, address);
	switch (step->kind) {
	case STEP_ESWITCH:
		snprintf(out, size, "%s: %s %s", address, verb, mode_name(step->number));
		break;
	case STEP_AUTOPROBE:
	case STEP_NUM_VFS:
	case STEP_MSIX:
	case STEP_MAX_IO_EQS:
	case STEP_MTU:
		snprintf(out, size, "%s: %s %u", address, verb, step->number);
		break;
	case STEP_ROCE:
		snprintf(out, size, "%s: %s %s", address, verb, vf_function_say(ATTRIBUTE_ROCE, step->number, value));
		break;
	case STEP_OVS_OPTION:
		snprintf(out, size, "%s %s=%s", verb, step->name, step->text);
		break;
	case STEP_BRIDGE:
	case STEP_UPLINK_UP:
		snprintf(out, size, "%s: %s %s", address, verb, step->name);
		break;
	case STEP_UPLINK_PORT:
		snprintf(out, size, "%s: %s %s (%s)", address, verb, step->text, step->name);
		break;
	case STEP_MAC:
		snprintf(out, size, "%s: %s %s", address, verb, mac_address_format(&step->mac, mac));
		break;
	case STEP_UNBIND:
		snprintf(out, size, "%s: %s %s", address, verb, *step->before_text ? step->before_text : step->text);
		break;
	case STEP_BIND:
	case STEP_RATES:
	case STEP_PORT:
		snprintf(out, size, "%s: %s %s", address, verb, step->text);
		break;
	default:
		snprintf(out, size, "%s: %s", address, verb);
	}
	return out;
}

/*
 * put_text() - adds a string unless it is empty, to keep journals short
 */
static void put_text(struct json_object *json, const char *key, const char *text)
{
	if (*text)
		json_object_object_add(json, key, json_object_new_string(text));
}

/*
 * put_mac() - adds a MAC unless it is all zero
 */
static void put_mac(struct json_object *json, const char *key, const struct mac_address *mac)
{
	char text[MAC_ADDRESS_LEN];

	if (!mac_address_is_zero(mac))
		put_text(json, key, mac_address_format(mac, text));
}

/*
 * step_to_json() - a step as a JSON object
 * @step:	step
 * Return: object owned by the caller
 */
struct json_object *step_to_json(const struct step *step)
{
	struct json_object *json = json_object_new_object();
	char address[PCI_ADDRESS_LEN];

	put_text(json, "step", step_kind_name(step->kind));
	put_text(json, "pf", pci_address_format(&step->pf, address));
	if (step->has_vf) {
		put_text(json, "vf", pci_address_format(&step->vf, address));
		json_object_object_add(json, "index", json_object_new_int64(step->index));
		if (step->port_index)
			json_object_object_add(json, "port", json_object_new_int64(step->port_index));
	}
	json_object_object_add(json, "number", json_object_new_int64(step->number));
	json_object_object_add(json, "before", json_object_new_int64(step->before));
	put_text(json, "name", step->name);
	put_text(json, "text", step->text);
	put_text(json, "before-text", step->before_text);
	put_mac(json, "mac", &step->mac);
	put_mac(json, "before-mac", &step->before_mac);
	put_text(json, "guest", step->guest);
	put_text(json, "asked", step->asked);
	return json;
}

/*
 * get_text() - a string member, bounded
 * Return: 0 (out is "" if absent), -EINVAL if it does not fit or is no string
 */
static int get_text(struct json_object *json, const char *key, char *out, size_t size)
{
	struct json_object *member;

	*out = '\0';
	if (!json_object_object_get_ex(json, key, &member))
		return 0;
	if (!json_object_is_type(member, json_type_string) || (size_t)json_object_get_string_len(member) >= size)
		return -EINVAL;
	memcpy(out, json_object_get_string(member), (size_t)json_object_get_string_len(member) + 1);
	return 0;
}

/*
 * get_number() - an unsigned member
 * Return: 0 (out is 0 if absent), -EINVAL out of range
 */
static int get_number(struct json_object *json, const char *key, unsigned int *out)
{
	struct json_object *member;
	int64_t value;

	*out = 0;
	if (!json_object_object_get_ex(json, key, &member))
		return 0;
	value = json_object_get_int64(member);
	if (!json_object_is_type(member, json_type_int) || value < 0 || value > UINT32_MAX)
		return -EINVAL;
	*out = (unsigned int)value;
	return 0;
}

/*
 * get_address() - a PCI address member
 * Return: 0, -ENOENT if absent, -EINVAL
 */
static int get_address(struct json_object *json, const char *key, struct pci_address *out)
{
	char text[PCI_ADDRESS_LEN];

	if (get_text(json, key, text, sizeof(text)))
		return -EINVAL;
	return *text ? pci_address_parse(text, out) : -ENOENT;
}

/*
 * get_mac() - a MAC member, all zero if absent
 */
static int get_mac(struct json_object *json, const char *key, struct mac_address *out)
{
	char text[MAC_ADDRESS_LEN];

	if (get_text(json, key, text, sizeof(text)))
		return -EINVAL;
	return *text ? mac_address_parse(text, out) : 0;
}

/*
 * get_kind() - which kind a step is
 */
static int get_kind(struct json_object *json, enum step_kind *kind)
{
	char name[STEP_NAME_MAX];

	if (get_text(json, "step", name, sizeof(name)))
		return -EINVAL;
	for (unsigned int i = 0; i < STEP_KINDS; i++) {
		if (strcmp(name, kinds[i].name) == 0) {
			*kind = (enum step_kind)i;
			return 0;
		}
	}
	return -EINVAL;
}

/*
 * step_from_json() - a step from a JSON object
 * @json:	object, from a file below the state directory
 * @step:	result, untouched on failure
 * Return: 0, -EINVAL
 */
int step_from_json(struct json_object *json, struct step *step)
{
	struct step s = { 0 };
	int vf;

	if (!json_object_is_type(json, json_type_object) || get_kind(json, &s.kind) || get_address(json, "pf", &s.pf))
		return -EINVAL;
	vf = get_address(json, "vf", &s.vf);
	if (vf == -EINVAL)
		return -EINVAL;
	s.has_vf = vf == 0;
	if (get_number(json, "index", &s.index) || get_number(json, "port", &s.port_index) || get_number(json, "number", &s.number) ||
	    get_number(json, "before", &s.before) || get_text(json, "name", s.name, sizeof(s.name)) ||
	    get_text(json, "text", s.text, sizeof(s.text)) ||
	    get_text(json, "before-text", s.before_text, sizeof(s.before_text)) || get_mac(json, "mac", &s.mac) ||
	    get_mac(json, "before-mac", &s.before_mac) || get_text(json, "guest", s.guest, sizeof(s.guest)) ||
	    get_text(json, "asked", s.asked, sizeof(s.asked)))
		return -EINVAL;
	*step = s;
	return 0;
}

/*
 * steps_add() - appends a step
 * @steps:	list
 * @step:	copied
 * Return: 0, -E2BIG when the list is full, -ENOMEM
 */
int steps_add(struct steps *steps, const struct step *step)
{
	if (steps->count >= STEPS_MAX)
		return -E2BIG;
	if (steps->count == steps->room) {
		size_t room = steps->room ? steps->room * 2 : 8;
		struct step *more = realloc(steps->step, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		steps->step = more;
		steps->room = room;
	}
	steps->step[steps->count++] = *step;
	return 0;
}

/*
 * steps_remove() - takes one step out of a list
 * @i:		its place
 */
void steps_remove(struct steps *steps, size_t i)
{
	memmove(&steps->step[i], &steps->step[i + 1], (steps->count - i - 1) * sizeof(steps->step[0]));
	steps->count--;
}

/*
 * steps_release() - gives back a list
 */
void steps_release(struct steps *steps)
{
	free(steps->step);
	*steps = (struct steps){ 0 };
}

/*
 * step_is_same() - whether two steps concern the same thing, so that the older "before" is the one to restore
 *
 * A port is known by its VF: the representor may have another name by now.
 */
bool step_is_same(const struct step *a, const struct step *b)
{
	return a->kind == b->kind && pci_address_equal(&a->pf, &b->pf) && a->has_vf == b->has_vf &&
	       (a->has_vf ? pci_address_equal(&a->vf, &b->vf) : strcmp(a->name, b->name) == 0);
}

#define IPSEC_PACKET_SHIFT 4

/* step_ipsec() - both attributes about IPsec as one number, 0: neither is told */
unsigned int step_ipsec(const struct vf_function *function)
{
	return function->ipsec_crypto | (unsigned int)function->ipsec_packet << IPSEC_PACKET_SHIFT;
}

/* step_ipsec_wanted() - such a number as attributes */
struct vf_function step_ipsec_wanted(const struct step *step)
{
	return (struct vf_function){ .ipsec_crypto = step->number & ((1 << IPSEC_PACKET_SHIFT) - 1),
				     .ipsec_packet = (uint8_t)(step->number >> IPSEC_PACKET_SHIFT) };
}

/*
 * step_back() - the step that makes what was there before a change
 * @change:	as it was made
 * Return: the step; before is what was made
 */
struct step step_back(const struct step *change)
{
	struct step back = *change;

	back.number = change->before;
	back.before = change->number;
	memcpy(back.text, change->before_text, sizeof(back.text));
	memcpy(back.before_text, change->text, sizeof(back.before_text));
	back.mac = change->before_mac;
	back.before_mac = change->mac;
	switch (change->kind) {
	case STEP_UNBIND:
		back.kind = STEP_BIND;
		break;
	case STEP_BIND: /* where libvirt has left it */
		back.kind = STEP_UNBIND;
		memcpy(back.text, change->text, sizeof(back.text));
		break;
	case STEP_UPLINK_PORT:
	case STEP_PORT: /* what somebody else had put there is still there */
		back.number = 0;
		memcpy(back.text, change->text, sizeof(back.text));
		break;
	default:
		break;
	}
	return back;
}
