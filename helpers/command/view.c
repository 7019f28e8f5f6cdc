/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * view.c: what a command looks at.
 */
#include "command/view.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/spawn.h"
#include "base/sysroot.h"
#include "command/recorded.h"
#include "command/terminal.h"
#include "policy/rules.h"
#include "state/maintenance.h"

#define INVENTORY_FILE_MAX (64u << 20)
#define VIRSH "/usr/bin/virsh"
#define VIRSH_TIME 10000 /* ms */

/* Notes something that was not seen. */
__attribute__((format(printf, 2, 3)))
static void note_unseen(struct view *view, const char *format, ...)
{
	va_list args;

	if (view->unseens == VIEW_MAX_UNSEEN)
		return;
	va_start(args, format);
	vsnprintf(view->unseen[view->unseens++], sizeof(view->unseen[0]), format, args);
	va_end(args);
}

/* Reads a file that the user named, or stdin. Return: its text for free(3), NULL with *why filled. */
char *view_read_file(struct call *call, const char *file, size_t limit, struct reason *why)
{
	autofree char *text = malloc(limit + 1);
	bool is_stdin = strcmp(file, "-") == 0;
	FILE *stream = is_stdin ? call->in : fopen(file, "re");
	size_t len;

	if (!stream || !text) {
		reason_set(why, -errno, file, "the file cannot be read: %s", strerror(errno));
		if (stream && !is_stdin)
			fclose(stream);
		return NULL;
	}
	len = fread(text, 1, limit + 1, stream);
	if (!is_stdin)
		fclose(stream);
	if (len > limit) {
		reason_set(why, -EFBIG, file, "the file is larger than %zu MiB", limit >> 20);
		return NULL;
	}
	text[len] = '\0';
	return scope_take(&text);
}

/* Reads the parts of a recorded host. Return: 0, negative errno with *why filled. */
static int parse_parts(struct json_object *json, struct view *view, struct reason *why)
{
	int error = inventory_from_json(json, &view->scene.inventory, why);

	view->is_closed = json_object_get_boolean(json_object_object_get(json, "maintenance"));
	if (!error)
		error = facts_from_json(json_object_object_get(json, "software"), &view->facts, why);
	if (!error && !*view->scene.inventory.architecture)
		memcpy(view->scene.inventory.architecture, view->facts.architecture, sizeof(view->facts.architecture));
	if (!error)
		error = recorded_read_guests(json_object_object_get(json, "guests"), &view->scene.running, why);
	return error ? error : recorded_read_leases(json_object_object_get(json, "leases"), &view->scene.records, why);
}

/* Fills a view from JSON; see the header. */
int view_parse_json(struct json_object *json, const struct config *config, struct view *view, struct reason *why)
{
	memset(view, 0, sizeof(*view));
	view->scene.config = config;
	view->is_recorded = true;
	return parse_parts(json, view, why);
}

/* Fills a view from JSON text; see the header. */
int view_parse(const char *text, const char *file, const struct config *config, struct view *view, struct reason *why)
{
	struct json_object *json = json_tokener_parse(text);
	int error;

	memset(view, 0, sizeof(*view));
	if (!json) {
		reason_set(why, -EINVAL, file, "it is no JSON, so it is no inventory");
		reason_cure(why, "make one on that host with: vferry inventory >FILE");
		return -EINVAL;
	}
	error = view_parse_json(json, config, view, why);
	json_object_put(json);
	return error;
}

/* Reads a recorded host from a file. Return: 0, negative errno with *why filled. */
static int read_recorded(struct call *call, struct view *view, struct reason *why)
{
	autofree char *text = view_read_file(call, call->inventory, INVENTORY_FILE_MAX, why);

	return text ? view_parse(text, call->inventory, &call->config, view, why) : why->error;
}

/* Reads who runs here and what is promised; where that may not be seen, it is noted. Return: 0, negative errno with *why filled. */
static int read_guests(struct view *view, struct reason *why)
{
	int error = status_read_all(&view->scene.running, why);

	if (error == -EACCES || error == -EPERM) {
		note_unseen(view, "libvirt's status directory: which guest has which VF, and what is in flight");
		error = 0;
	}
	if (error)
		return error;
	if (geteuid() == 0)
		(void)state_upgrade(NULL);
	error = object_read_all(&view->scene.objects, why);
	if (!error)
		error = record_from_objects(&view->scene.objects, &view->scene.records, why);
	if (error != -EACCES && error != -EPERM)
		return error;
	note_unseen(view, "vferry's records below /run/vferry: which VF is promised to which guest");
	return 0;
}

/* Reads this host. Return: 0, negative errno with *why filled. */
static int read_machine(struct call *call, unsigned int parts, struct view *view, struct reason *why)
{
	deadline_t deadline = deadline_in(COMMAND_TIME);
	int error = inventory_read(&view->scene.inventory, call->config.ovsdb_socket, deadline, why);

	if (error)
		return error;
	if (geteuid() != 0)
		note_unseen(view, "the mode of eswitches and all of Open vSwitch");
	view->is_closed = maintenance_refuse(NULL) != 0;
	if (parts & VIEW_FACTS) {
		facts_read(&view->facts, deadline);
		facts_read_managers(&view->scene.inventory, &view->facts);
	}
	return parts & VIEW_GUESTS ? read_guests(view, why) : 0;
}

/* Reads this host or the recorded one; see the header. */
int view_read(struct call *call, unsigned int parts, struct view *view, struct reason *why)
{
	int error;

	memset(view, 0, sizeof(*view));
	view->scene.config = &call->config;
	error = call->inventory ? read_recorded(call, view, why) : read_machine(call, parts, view, why);
	if (!error && uses_find(&view->scene.inventory, &view->scene.running, &view->uses))
		error = reason_set(why, -ENOMEM, NULL, "out of memory");
	if (error)
		view_release(view);
	return error;
}

/* Gives back a view. */
void view_release(struct view *view)
{
	uses_release(&view->uses);
	scene_release(&view->scene);
	domain_release(&view->domain);
	memset(view, 0, sizeof(*view));
}

/*
 * Asks libvirt for a guest's XML, by virsh: nothing of vferry's links libvirt. Without root by a read-only connection, which needs no
 * password and may not ask for the migratable form.
 * Return: the XML for free(3), NULL with *why filled.
 */
static char *ask_virsh(const char *guest, struct reason *why)
{
	char program[256], quiet[] = "-q", connect[] = "-c", uri[] = "qemu:///system", dumpxml[] = "dumpxml", domain[] = "--domain", name[256];
	char how[16], *argv[] = { program, quiet, connect, uri, dumpxml, how, domain, name, NULL };
	char read_only[] = "-r", *argv_user[] = { program, quiet, read_only, connect, uri, dumpxml, domain, name, NULL };
	autofree char *xml = malloc(DOMAIN_XML_MAX);

	snprintf(name, sizeof(name), "%s", guest);
	snprintf(how, sizeof(how), "--migratable");
	if (!xml || sysroot_path(program, sizeof(program), VIRSH)) {
		reason_set(why, -ENOMEM, NULL, "out of memory");
		return NULL;
	}
	if (spawn_run(geteuid() == 0 ? argv : argv_user, xml, DOMAIN_XML_MAX, deadline_in(VIRSH_TIME), why) == 0)
		return scope_take(&xml);
	reason_cure(why, "see 'virsh -c qemu:///system list --all', or give the guest's XML with --domain FILE");
	return NULL;
}

/*
 * Finds the guest's VFs on a recorded host, whose pools are not known. Return: as guest_find_vfs().
 */
static int find_recorded(struct view *view, bool incoming, struct reason *why)
{
	struct guest_search search = { .config = view->scene.config, .domain = &view->domain, .inventory = &view->scene.inventory,
				       .incoming = incoming };

	view->scene.domain = &view->domain;
	return guest_find_vfs(&search, &view->scene.guest, why);
}

/* Reads the guest and finds its VFs; see the header. */
int view_read_guest(struct call *call, struct view *view, bool incoming, struct reason *why)
{
	autofree char *xml = call->domain ? view_read_file(call, call->domain, DOMAIN_XML_MAX, why) : ask_virsh(call->guest, why);
	int error;

	if (!xml)
		return why->error ? why->error : -EIO;
	error = domain_parse(xml, strlen(xml), &view->domain, why);
	if (error)
		return error;
	return view->is_recorded ? find_recorded(view, incoming, why) : scene_find_guest(&view->scene, &view->domain, incoming, why);
}

/* Whether the host has a card whose VFs can move; if not, says so in one line. */
bool view_has_card(struct call *call, const struct view *view)
{
	const struct inventory *inventory = &view->scene.inventory;

	for (size_t i = 0; i < inventory->pfs; i++) {
		if (inventory->pf[i].card.can_migrate)
			return true;
	}
	if (inventory->pfs)
		command_say(call, "%s has no ConnectX-7, only a %s, whose VFs cannot be live-migrated", inventory->hostname,
			    inventory->pf[0].card.name);
	else
		command_say(call, "%s has no ConnectX-7", *inventory->hostname ? inventory->hostname : "this host");
	return false;
}

/* The refusal where no PF may be used; see the header. */
int view_no_pf(const struct view *view, struct reason *why)
{
	const struct inventory *inventory = &view->scene.inventory;

	for (size_t i = 0; i < inventory->pfs; i++) {
		struct rule_case c = { .config = view->scene.config, .inventory = inventory, .pf = &inventory->pf[i] };

		if (!c.pf->card.can_migrate || rules_judge_by(rules_find("L7-card"), &c, why) != VERDICT_REFUSE)
			continue;
		pci_address_format(&c.pf->address, why->object);
		return -ENODEV;
	}
	return reason_set(why, -ENODEV, NULL, "no PF of this host may be used by the configuration");
}

/* Says what was not seen. */
void view_say_unseen(struct call *call, const struct view *view)
{
	for (size_t i = 0; i < view->unseens; i++) {
		terminal_print(call, TONE_WARNING, "not seen without root: ");
		terminal_wrap(call, (int)strlen("not seen without root: "), view->unseen[i]);
	}
}

/* Return: the PF that an address or an uplink's name means, NULL if there is none. */
struct inventory_pf *view_find_pf(struct view *view, const char *name)
{
	for (size_t i = 0; i < view->scene.inventory.pfs; i++) {
		struct inventory_pf *pf = &view->scene.inventory.pf[i];
		char address[PCI_ADDRESS_LEN];

		if (strcmp(name, pci_address_format(&pf->address, address)) == 0 || (*pf->uplink && strcmp(name, pf->uplink) == 0))
			return pf;
	}
	return NULL;
}
