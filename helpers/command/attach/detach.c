/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * detach.c: vferry detach: takes a VF from a guest.
 *
 * In order: libvirt takes the device out, which a running guest must agree to; when it is gone, what vferry made for the VF is taken back:
 * the representor leaves its bridge; then the passport's entry goes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/scope.h"
#include "command/attach/detach.h"
#include "command/attach/lease.h"
#include "command/attach/open.h"
#include "command/attach/passport.h"
#include "command/template.h"
#include "command/terminal.h"

#define DETACH_TIME 60000 /* ms that a running guest may take to let the device go */
#define POLL_MS 200

/* Reads --mac. Return: COMMAND_RUN, COMMAND_USAGE. */
static int read_options(struct call *call, struct attachment *a)
{
	if (!call->mac || !mac_address_parse(call->mac, &a->mac))
		return COMMAND_RUN;
	command_say(call, "detach: '%s' is no MAC: six numbers like 52:54:00:12:34:56", call->mac);
	return COMMAND_USAGE;
}

/* Return: the guest's interface with the MAC, NULL if there is none. */
static const struct hostdev *find_device(const struct domain *domain, const struct mac_address *mac)
{
	for (size_t i = 0; i < domain->hostdevs; i++) {
		if (domain->hostdev[i].has_mac && mac_address_equal(&domain->hostdev[i].mac, mac))
			return &domain->hostdev[i];
	}
	return NULL;
}

/* Takes the only VF's MAC where none was named. Return: 0, negative errno with *why filled. */
static int choose_mac(struct attachment *a, const struct domain *domain, struct reason *why)
{
	struct scene *scene = &a->view.scene;
	char list[256] = "", mac[MAC_ADDRESS_LEN];
	size_t found = 0;
	int error = scene_find_guest(scene, domain, false, why);

	if (error || a->call->mac)
		return error;
	for (size_t i = 0; i < scene->guest.vfs; i++) {
		const struct hostdev *device = scene->guest.vf[i].device;
		size_t used = strlen(list);

		if (!device->has_mac)
			continue;
		a->mac = device->mac;
		snprintf(list + used, sizeof(list) - used, "%s%s", found++ ? ", " : "", mac_address_format(&device->mac, mac));
	}
	if (found == 1)
		return 0;
	reason_set(why, -EINVAL, NULL, found ? "it has %zu VFs: %s" : "it has no VF that vferry attach could have given it", found, list);
	reason_cure(why, found ? "name one of them: --mac MAC" : "see virsh dumpxml");
	return -EINVAL;
}

/* Writes the XML by which libvirt knows the device. Return: 0, negative errno with *why filled. */
static int render(struct attachment *a, const struct hostdev *device, struct reason *why)
{
	char mac[MAC_ADDRESS_LEN], domain[12], bus[4], slot[4], function[4];
	const struct template_value pool[] = { { "MAC", mac }, { "NETWORK", device->network }, { NULL, NULL } };
	const struct template_value address[] = { { "MAC", mac }, { "DOMAIN", domain }, { "BUS", bus }, { "SLOT", slot },
						  { "FUNCTION", function }, { NULL, NULL } };
	bool is_pool = device->kind == HOSTDEV_POOL;

	mac_address_format(&a->mac, mac);
	snprintf(domain, sizeof(domain), "%04x", device->source.domain);
	snprintf(bus, sizeof(bus), "%02x", device->source.bus);
	snprintf(slot, sizeof(slot), "%02x", device->source.slot);
	snprintf(function, sizeof(function), "%x", device->source.function);
	a->device = template_fill(is_pool ? "interface-pool.xml.in" : "interface.xml.in", is_pool ? pool : address, why);
	return a->device ? 0 : why->error;
}

/* Finds the device in one XML of the guest. Return: 1 it is there, 0 it is not, negative errno with *why filled. */
static int look_for(struct attachment *a, bool is_stored, struct reason *why)
{
	const char *xml = attach_own_xml(a, is_stored);
	autodomain struct domain domain = { 0 };
	const struct hostdev *device;
	unsigned int index;
	int error;

	if (!xml)
		return 0;
	error = domain_parse(xml, strlen(xml), &domain, why);
	if (!error && mac_address_is_zero(&a->mac))
		error = choose_mac(a, &domain, why);
	device = error ? NULL : find_device(&domain, &a->mac);
	if (!device || a->device)
		return error ? error : device != NULL;
	if (device->has_source) {
		struct inventory_pf *pf = inventory_find_vf(&a->view.scene.inventory, &device->source, &index);

		a->has_vf = pf != NULL;
		a->vf = device->source;
		a->pf = pf ? pf->address : device->source;
	}
	error = render(a, device, why);
	return error ? error : 1;
}

/* Finds the device in the running guest and in its definition. Return: 0, negative errno with *why filled. */
static int find(struct attachment *a, struct reason *why)
{
	bool any = a->call->live || a->call->persistent;
	int live, stored, error = attach_look(a, why);

	if (error)
		return error;
	live = a->live ? look_for(a, false, why) : 0;
	stored = live >= 0 && a->stored ? look_for(a, true, why) : 0;
	if (live < 0 || stored < 0)
		return live < 0 ? live : stored;
	if ((!live && !stored) || (any && (live != a->live || stored != a->stored))) {
		reason_set(why, -ENOENT, a->call->mac, "%s has no such device", !live && a->live ? "the running guest" : "the guest's definition");
		reason_cure(why, "see virsh dumpxml");
		return -ENOENT;
	}
	a->live = live;
	a->stored = stored;
	return 0;
}

/* Waits until a running guest has let the device go. Return: 0, -ETIME with *why filled. */
static int wait_gone(struct attachment *a, struct reason *why)
{
	deadline_t deadline = deadline_in(DETACH_TIME);

	for (;;) {
		autodomain struct domain domain = { 0 };
		autofree char *xml = NULL;
		int error = virt_xml(a->guest, false, &xml, why);

		if (!error)
			error = domain_parse(xml, strlen(xml), &domain, why);
		if (error || !find_device(&domain, &a->mac))
			return error;
		if (!deadline_left(deadline)) {
			reason_set(why, -ETIME, NULL, "the guest has not let the device go within %d s", DETACH_TIME / 1000);
			reason_cure(why, "look at the guest's system; when the device is gone there: vferry detach again, or shut the guest off");
			return -ETIME;
		}
		nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000000L }, NULL);
	}
}

/* Takes the device out, and what was made for it. Return: 0, negative errno with *why filled. */
static int take(struct attachment *a, struct reason *why)
{
	unsigned int where = (a->live ? VIR_DOMAIN_AFFECT_LIVE : 0) | (a->stored ? VIR_DOMAIN_AFFECT_CONFIG : 0);
	int error = virt_detach(a->guest, a->device, where, why);

	if (!error && a->live)
		error = wait_gone(a, why);
	if (!error && a->live && a->has_vf)
		error = attach_forget_vf(a, why);
	if (!error && a->live)
		error = attach_erase_passport(a, &a->mac, false, why);
	if (!error && a->stored)
		error = attach_erase_passport(a, &a->mac, true, why);
	return error;
}

/* Finds and takes. Return: 0, negative errno with *why filled. */
static int detach(struct attachment *a, struct reason *why)
{
	int error = find(a, why);

	return error ? error : take(a, why);
}

/* Prints what was taken, as JSON. */
static void show_json(const struct attachment *a, const char *verdict, const struct reason *why)
{
	struct json_object *json = json_object_new_object();
	char text[32];

	terminal_add(json, "guest", *a->name ? a->name : a->call->guest);
	terminal_add(json, "verdict", verdict);
	json_object_object_add(json, "reason", why->error ? terminal_reason(why) : NULL);
	terminal_add(json, "mac", mac_address_is_zero(&a->mac) ? "" : mac_address_format(&a->mac, text));
	terminal_add(json, "vf", a->has_vf ? pci_address_format(&a->vf, text) : "");
	json_object_object_add(json, "live", json_object_new_boolean(a->live));
	json_object_object_add(json, "config", json_object_new_boolean(a->stored));
	json_object_object_add(json, "milliseconds", json_object_new_int64(a->ms));
	(void)terminal_json(a->call, json);
}

/* Says how it came out. Return: enum command_status. */
static int show(const struct attachment *a, int error, const struct reason *why)
{
	char text[200], mac[MAC_ADDRESS_LEN], vf[PCI_ADDRESS_LEN] = "";

	if (a->call->json)
		show_json(a, error ? "failed" : "detached", why);
	if (error)
		return command_fail(a->call, why, attach_name(a, why));
	if (a->call->json)
		return COMMAND_OK;
	if (a->has_vf)
		pci_address_format(&a->vf, vf);
	terminal_print(a->call, TONE_GOOD, "%s", a->name);
	snprintf(text, sizeof(text), "has given back %s%s with MAC %s: %s (%lld ms).", *vf ? "VF " : "a VF", vf,
		 mac_address_format(&a->mac, mac),
		 a->live && a->stored ? "the running guest and its definition" : a->live ? "the running guest" : "its definition",
		 (long long)a->ms);
	fputc(' ', a->call->out);
	terminal_wrap(a->call, (int)strlen(a->name) + 1, text);
	return COMMAND_OK;
}

/* vferry detach; see the header. */
int detach_command(struct call *call)
{
	static const struct attach_verb verb = { read_options, detach, show };

	return attach_run(call, &verb);
}
