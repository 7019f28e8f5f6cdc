/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * attach.c: vferry attach: gives a guest a VF: S7 and S8 of the procedure.
 *
 * In order: a MAC and a VF that are nobody's; the XML from xml-templates; for a running guest the lease, the PF and the VF made ready as
 * the hook makes them at a start, the representor in its bridge; then libvirt; then the passport. What fails is taken back in reverse.
 *
 * No lock that a hook may wait for is held while libvirt is called: libvirt could be waiting for that hook.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* asprintf */
#endif
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "command/attach/attach.h"
#include "command/attach/choose.h"
#include "command/attach/lease.h"
#include "command/attach/open.h"
#include "command/attach/passport.h"
#include "command/template.h"
#include "command/terminal.h"
#include "policy/rules.h"

#define MAX_VLAN 4094

/* ---- Choosing ------------------------------------------------------------------------------------------------------------------ */

/* Reads --mac, --pf and --vlan. Return: COMMAND_RUN, COMMAND_USAGE. */
static int read_options(struct call *call, struct attachment *a)
{
	char *end;
	unsigned long tag;

	if (call->mac && (mac_address_parse(call->mac, &a->mac) || !mac_address_is_unicast(&a->mac))) {
		command_say(call, "attach: '%s' is no MAC of a device: six numbers like 52:54:00:12:34:56, the first one even", call->mac);
		return COMMAND_USAGE;
	}
	if (call->pf && call->network) {
		command_say(call, "attach: the network's pool has its PF: give --pf or --network");
		return COMMAND_USAGE;
	}
	if (call->pf) /* named by hand: it may be used, whatever the configuration names */
		snprintf(call->config.pf, sizeof(call->config.pf), "%s", call->pf);
	if (!call->vlan)
		return COMMAND_RUN;
	tag = strtoul(call->vlan, &end, 10);
	if (*end || end == call->vlan || *call->vlan == '-' || !tag || tag > MAX_VLAN) {
		command_say(call, "attach: --vlan is a number from 1 to %d, not '%s'", MAX_VLAN, call->vlan);
		return COMMAND_USAGE;
	}
	a->tag = (int)tag;
	return COMMAND_RUN;
}

/* Writes the device's XML. Return: 0, negative errno with *why filled. */
static int render(struct attachment *a, struct reason *why)
{
	char mac[MAC_ADDRESS_LEN], domain[12], bus[4], slot[4], function[4];
	const struct template_value pool[] = { { "MAC", mac }, { "NETWORK", a->call->network }, { NULL, NULL } };
	const struct template_value address[] = { { "MAC", mac }, { "DOMAIN", domain }, { "BUS", bus }, { "SLOT", slot },
						  { "FUNCTION", function }, { NULL, NULL } };

	mac_address_format(&a->mac, mac);
	snprintf(domain, sizeof(domain), "%04x", a->vf.domain);
	snprintf(bus, sizeof(bus), "%02x", a->vf.bus);
	snprintf(slot, sizeof(slot), "%02x", a->vf.slot);
	snprintf(function, sizeof(function), "%x", a->vf.function);
	a->device = a->call->network ? template_fill("interface-pool.xml.in", pool, why) : template_fill("interface.xml.in", address, why);
	return a->device ? 0 : why->error;
}

/* Fills the entry of the passport, as this host is. */
static void fill_entry(struct attachment *a)
{
	const struct inventory_pf *pf = inventory_find_pf(&a->view.scene.inventory, &a->pf);

	a->entry = (struct passport_vf){ .mac = a->mac, .has_pf = true, .pf = a->pf };
	snprintf(a->entry.bridge, sizeof(a->entry.bridge), "%s", a->bridge);
	if (pf) {
		snprintf(a->entry.psid, sizeof(a->entry.psid), "%s", pf->info.psid);
		snprintf(a->entry.firmware, sizeof(a->entry.firmware), "%s", pf->info.firmware);
	}
	if (a->tag >= 0) {
		a->entry.port.has_tag = true;
		a->entry.port.tag = (uint16_t)a->tag;
	}
}

/* The guest's XML, as it was read, with the device in it. Return: XML for free(3), NULL with *why filled. */
static char *with_device(const struct attachment *a, bool is_stored, struct reason *why)
{
	static const char end[] = "</devices>";
	const char *xml = attach_own_xml(a, is_stored), *place = NULL;
	char *both;

	for (const char *next = xml ? strstr(xml, end) : NULL; next; next = strstr(next + 1, end))
		place = next; /* the last one: what comes before it may be anybody's text */
	if (!place) {
		reason_set(why, -EINVAL, a->name, "libvirt's XML of the guest has no devices");
		return NULL;
	}
	if (asprintf(&both, "%.*s%s%s", (int)(place - xml), xml, a->device, place) < 0) {
		reason_set(why, -ENOMEM, NULL, "out of memory");
		return NULL;
	}
	return both;
}

/* Whether the guest, with the device, could still be moved: said or refused by at_start, as at an ordinary start. Return: 0, -EPERM. */
static int judge(struct attachment *a, const char *xml, struct reason *why)
{
	autodomain struct domain domain = { 0 };
	struct rule_case c = { .config = &a->call->config, .domain = &domain, .inventory = &a->view.scene.inventory };
	struct reason reason = { 0 };
	char line[1280];
	int error = domain_parse(xml, strlen(xml), &domain, why);

	if (!error)
		error = scene_find_guest(&a->view.scene, &domain, false, why);
	c.guest = &a->view.scene.guest;
	if (error || a->call->config.at_start == SEVERITY_ALLOW || !rules_judge_guest(&c, NULL, NULL, &reason))
		return error;
	if (a->call->config.at_start == SEVERITY_REFUSE) {
		*why = reason;
		return -EPERM;
	}
	reason_format(&reason, a->name, line, sizeof(line));
	command_say(a->call, "warning: %s", line);
	return 0;
}

/* Chooses, and for a running guest leases. The caller holds the host's lock. Return: 0, negative errno with *why filled. */
static int choose(struct attachment *a, struct reason *why)
{
	autofree char *xml = NULL;
	int error = attach_choose(a, why);

	if (!error)
		error = render(a, why);
	if (error)
		return error;
	fill_entry(a);
	xml = with_device(a, !a->live, why);
	if (!xml)
		return why->error;
	error = judge(a, xml, why);
	return error || !a->live ? error : attach_lease(a, xml, why);
}

/* ---- Doing --------------------------------------------------------------------------------------------------------------------- */

/* Reads which VF libvirt has taken out of the pool, and connects it. Return: 0, negative errno with *why filled. */
static int adopt(struct attachment *a, struct reason *why)
{
	autofree char *xml = NULL;
	int error = virt_xml(a->guest, false, &xml, why), lock;

	if (error)
		return error;
	lock = record_lock(NULL, deadline_in(COMMAND_TIME), why);
	if (lock < 0)
		return lock;
	error = attach_lease(a, xml, why);
	close(lock);
	return error ? error : attach_make(a, true, why);
}

/* Takes the device out of the guest again, after a failure. */
static void detach(struct attachment *a, unsigned int where)
{
	struct reason why = { 0 };

	if (virt_detach(a->guest, a->device, where, &why))
		command_say(a->call, "%s: the device could not be taken out again: %s; try: vferry detach", a->name, why.what);
}

/* Makes ready what a running guest needs, and gives it the device. Return: 0, negative errno with *why filled; then nothing is left. */
static int give(struct attachment *a, struct reason *why)
{
	unsigned int where = (a->live ? VIR_DOMAIN_AFFECT_LIVE : 0) | (a->stored ? VIR_DOMAIN_AFFECT_CONFIG : 0);
	int error = a->live ? attach_make(a, false, why) : 0;
	bool attached = false;

	if (!error) {
		error = virt_attach(a->guest, a->device, where, why);
		attached = !error;
		if (error && strstr(why->what, "available PCI slots"))
			reason_cure(why, "put <controller type='pci' model='pcie-root-port'/> into its definition and start it anew, "
				    "or give --config alone");
	}
	if (!error && a->live && a->call->network)
		error = adopt(a, why);
	if (!error && a->live)
		error = attach_commit(a, why);
	if (error && attached)
		detach(a, where);
	return error;
}

/* Writes the passport; the guest has its VF whatever comes of it. */
static void tell(struct attachment *a)
{
	struct reason why = { 0 };
	char line[1280];
	int error = 0;

	fill_entry(a);
	if (a->live)
		error = attach_write_passport(a, &a->entry, false, &why);
	if (!error && a->stored)
		error = attach_write_passport(a, &a->entry, true, &why);
	if (!error)
		return;
	reason_format(&why, NULL, line, sizeof(line));
	command_say(a->call, "warning: %s: the guest has its VF, but no passport: %s", a->name, line);
}

/* ---- Showing ------------------------------------------------------------------------------------------------------------------- */

/* Prints what was given, as JSON. */
static void show_json(const struct attachment *a, const char *verdict, const struct reason *why)
{
	struct json_object *json = json_object_new_object();
	bool chosen = !mac_address_is_zero(&a->mac), done = strcmp(verdict, "attached") == 0;
	char text[32];

	terminal_add(json, "guest", *a->name ? a->name : a->call->guest);
	terminal_add(json, "verdict", verdict);
	json_object_object_add(json, "reason", why->error ? terminal_reason(why) : NULL);
	terminal_add(json, "mac", chosen ? mac_address_format(&a->mac, text) : "");
	terminal_add(json, "pf", done ? pci_address_format(&a->pf, text) : "");
	terminal_add(json, "vf", done && a->has_vf ? pci_address_format(&a->vf, text) : "");
	terminal_add(json, "network", a->call->network ? a->call->network : "");
	terminal_add(json, "bridge", a->bridge);
	json_object_object_add(json, "vlan", json_object_new_int(a->tag));
	json_object_object_add(json, "live", json_object_new_boolean(a->live));
	json_object_object_add(json, "config", json_object_new_boolean(a->stored));
	json_object_object_add(json, "milliseconds", json_object_new_int64(a->ms));
	(void)terminal_json(a->call, json);
}

/* Prints what was given, as a sentence. */
static void show_sentence(const struct attachment *a)
{
	char text[400], mac[MAC_ADDRESS_LEN], vf[PCI_ADDRESS_LEN], pf[PCI_ADDRESS_LEN], vlan[24] = "";

	mac_address_format(&a->mac, mac);
	pci_address_format(&a->vf, vf);
	pci_address_format(&a->pf, pf);
	if (a->tag >= 0)
		snprintf(vlan, sizeof(vlan), ", VLAN %d", a->tag);
	terminal_print(a->call, TONE_GOOD, "%s", a->name);
	snprintf(text, sizeof(text), "has %s%s of PF %s with MAC %s, bridge %s%s: %s (%lld ms).",
		 a->has_vf ? "VF " : "a VF", a->has_vf ? vf : "", pf, mac, a->bridge, vlan,
		 a->live && a->stored ? "the running guest and its definition" : a->live ? "the running guest alone, until it is shut off" :
		 "its definition, from its next start", (long long)a->ms);
	fputc(' ', a->call->out);
	terminal_wrap(a->call, (int)strlen(a->name) + 1, text);
}

/* Says how it came out. Return: enum command_status. */
static int show(const struct attachment *a, int error, const struct reason *why)
{
	if (a->call->json)
		show_json(a, error ? "refused" : "attached", why);
	else if (!error)
		show_sentence(a);
	return error ? command_fail(a->call, why, attach_name(a, why)) : COMMAND_OK;
}

/* ---- The command --------------------------------------------------------------------------------------------------------------- */

/* Reads the host and chooses, under its lock. Return: 0, negative errno with *why filled. */
static int look_and_choose(struct attachment *a, struct reason *why)
{
	autoclose int lock = record_lock(NULL, deadline_in(COMMAND_TIME), why);
	int error = lock < 0 ? lock : attach_look(a, why);

	return error ? error : choose(a, why);
}

/* Chooses and gives. Return: 0, negative errno with *why filled. */
static int attach(struct attachment *a, struct reason *why)
{
	int error = attach_forget_stale(a, why);

	if (error)
		return error;
	error = look_and_choose(a, why);
	if (!error)
		error = give(a, why);
	if (error) {
		attach_take_back(a);
		return error;
	}
	tell(a);
	return 0;
}

/* vferry attach; see the header. */
int attach_command(struct call *call)
{
	static const struct attach_verb verb = { read_options, attach, show };

	return attach_run(call, &verb);
}
