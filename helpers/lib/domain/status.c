/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * status.c: what one of libvirt's status files says. See status.h; status_directory.c finds the files.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem, mempcpy */
#endif

#include "domain/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "domain/xml.h"
#include "domain/xml_cut.h"

/*
 * Adds a device to a status: a transient one behind all others. Return: 0, -ENOMEM.
 */
static int add_device(struct status *status, const struct pci_address *address, bool is_transient)
{
	struct pci_address *grown = reallocarray(status->device, status->devices + 1, sizeof(*grown));
	size_t first = status->devices - status->transient; /* of the transient ones */

	if (!grown)
		return -ENOMEM;
	status->device = grown;
	if (first < status->devices)
		grown[status->devices] = grown[first];
	grown[is_transient ? status->devices : first] = *address;
	status->devices++;
	status->transient += is_transient;
	return 0;
}

/*
 * Return: the element whose <source><address> tells which host device an element of <devices> uses: a PCI <hostdev>, an
 * <interface type='hostdev'>, or the <actual type='hostdev'> of an interface of a pool (conf/domain_conf.c); NULL for any other.
 */
static const xmlNode *device_holder(const xmlNode *node)
{
	const xmlNode *actual;

	if (xml_is(node, "hostdev"))
		return xml_attribute_is(node, "type", "pci") ? node : NULL;
	if (!xml_is(node, "interface"))
		return NULL;
	if (xml_attribute_is(node, "type", "hostdev"))
		return node;
	actual = xml_child(node, "actual");
	return actual && xml_attribute_is(actual, "type", "hostdev") ? actual : NULL;
}

/*
 * Collects the host PCI devices of a <domain>. Return: 0, -EINVAL, -ENOMEM.
 */
static int read_devices(const xmlNode *domain, struct status *status, struct reason *why)
{
	xmlNode *devices = xml_child(domain, "devices");

	for (xmlNode *node = devices ? devices->children : NULL; node; node = node->next) {
		const xmlNode *holder = device_holder(node);
		struct pci_address source;
		xmlNode *address = NULL;
		int error = holder ? xml_source_address(holder, &address, &source, why) : 0;

		if (!error && address)
			error = add_device(status, &source, xml_is_transient(node));
		if (error)
			return error;
	}
	return 0;
}

/*
 * Reads <job>: its attribute async names the long job (virDomainAsyncJob), type a short one.
 */
static void read_job(const xmlNode *root, struct status *status)
{
	const xmlNode *job = xml_child(root, "job");
	char text[32];

	status->job = STATUS_NO_JOB;
	if (!job)
		return;
	xml_attribute(job, "phase", status->phase, sizeof(status->phase));
	if (xml_attribute(job, "flags", text, sizeof(text)) == 0)
		status->flags = (unsigned int)strtoul(text, NULL, 0);
	if (xml_attribute(job, "asyncStarted", text, sizeof(text)) == 0)
		status->started = strtoull(text, NULL, 10);
	if (xml_attribute(job, "async", text, sizeof(text)) == 0 && strcmp(text, "none") != 0)
		status->job = strcmp(text, "migration in") == 0    ? STATUS_MIGRATION_IN
			      : strcmp(text, "migration out") == 0 ? STATUS_MIGRATION_OUT
								   : STATUS_OTHER_JOB;
	else if (xml_attribute(job, "type", text, sizeof(text)) == 0 && strcmp(text, "none") != 0)
		status->job = STATUS_OTHER_JOB;
}

/*
 * Reads a parsed status file. Return: 0, -EINVAL, -ENOMEM.
 */
static int read_root(const xmlNode *root, struct status *status, struct reason *why)
{
	const xmlNode *domain = root && xml_is(root, "domstatus") ? xml_child(root, "domain") : NULL;
	const xmlNode *uuid = domain ? xml_child(domain, "uuid") : NULL, *name = domain ? xml_child(domain, "name") : NULL;
	const xmlNode *os, *type;

	if (!uuid || !name || xml_uuid(uuid, status->uuid, sizeof(status->uuid)) < 0 ||
	    xml_text(name, status->name, sizeof(status->name)) < 0)
		return reason_set(why, -EINVAL, "", "the status file is not one of libvirt's");
	xml_attribute(root, "state", status->state, sizeof(status->state));
	xml_attribute(root, "reason", status->state_reason, sizeof(status->state_reason));
	os = xml_child(domain, "os");
	type = os ? xml_child(os, "type") : NULL;
	if (type)
		xml_attribute(type, "machine", status->machine, sizeof(status->machine));
	read_job(root, status);
	return read_devices(domain, status, why);
}

/*
 * Parses the text of a status file. Return: 0, -EINVAL, -ENOMEM.
 */
static int parse_status(const char *text, size_t len, struct status *status, struct reason *why)
{
	autoxmldoc xmlDoc *doc = NULL;
	int error = xml_parse(text, len, "the status file", &doc, why);

	memset(status, 0, sizeof(*status));
	if (!error)
		error = read_root(xmlDocGetRootElement(doc), status, why);
	if (error)
		status_release(status);
	return error;
}

/* Return: the place behind the first TEXT from AT on, NULL if it is not there. */
static const char *behind(const char *at, const char *end, const char *text)
{
	const char *found = at ? memmem(at, (size_t)(end - at), text, strlen(text)) : NULL;

	return found ? found + strlen(text) : NULL;
}

/*
 * Return: where the part of a status file ends that tells all of a guest without host devices; end if it may have some, or if the file is
 * not whole.
 */
static const char *end_of_need(const char *text, const char *end)
{
	static const char last[] = "\n</domstatus>\n";
	const char *uuid = behind(behind(text, end, "\n    <uuid>"), end, "</uuid>\n");

	if (!uuid || behind(uuid, end, "hostdev") || strcmp(end - strlen(last), last) != 0)
		return end;
	return uuid;
}

/*
 * Leaves out of a status file what nobody here asks for, which is most of it: some 300 flags of QEMU's capabilities, and all behind the
 * name and the uuid of a guest without host devices, of which a host has many. libvirt writes one element a line, indented by two blanks a
 * level (src/util/virbuffer.c); a file in which these places are something else becomes no status file.
 * text, len: the file; ends with NUL. shorter, kept: what is left, to be freed; NULL if all must be read.
 */
static void shorten(const char *text, size_t len, char **shorter, size_t *kept)
{
	static const char begin[] = "\n  <qemuCaps>\n", tail[] = "</domain></domstatus>";
	const char *end = text + len, *capabilities = behind(text, end, begin);
	const char *rest = behind(capabilities ? capabilities - 1 : NULL, end, "\n  </qemuCaps>\n");
	const char *stop = end_of_need(rest ? rest : text, end);
	char *to;

	*shorter = strlen(text) == len && (rest || stop < end) ? malloc(len + sizeof(tail)) : NULL;
	if (!*shorter)
		return;
	to = rest ? mempcpy(*shorter, text, (size_t)(capabilities - text) - strlen(begin)) : *shorter;
	to = mempcpy(to, rest ? rest : text, (size_t)(stop - (rest ? rest : text)));
	if (stop < end)
		to = mempcpy(to, tail, strlen(tail));
	*kept = (size_t)(to - *shorter);
}

/* Adds a MAC to a status. Return: 0, -ENOMEM. */
static int add_mac(struct status *status, const struct mac_address *mac)
{
	struct mac_address *grown = reallocarray(status->mac, status->macs + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	status->mac = grown;
	grown[status->macs++] = *mac;
	return 0;
}

/*
 * Collects the MACs of a guest's network interfaces, of those without host devices too, whose XML is not parsed that far: as libvirt writes
 * them (src/conf/domain_conf.c virDomainNetDefFormat()).
 * text, len: the file. Return: 0, -ENOMEM.
 */
static int read_macs(const char *text, size_t len, struct status *status)
{
	static const char element[] = "<mac address='";
	const char *end = text + len, *at = behind(text, end, "<devices>");
	int error = 0;

	while (!error && (at = behind(at, end, element))) {
		char address[MAC_ADDRESS_LEN] = "";
		struct mac_address mac;

		if (end - at < MAC_ADDRESS_LEN)
			break;
		memcpy(address, at, sizeof(address) - 1);
		if (mac_address_parse(address, &mac) == 0)
			error = add_mac(status, &mac);
	}
	return error;
}

/* Return: whether all its host devices are unplugged before it moves. */
bool status_is_failover(const struct status *status)
{
	return status->devices && status->transient == status->devices;
}

/* Return: whether it has that device, and it is unplugged before the guest moves. */
bool status_is_transient(const struct status *status, const struct pci_address *device)
{
	for (size_t i = status->devices - status->transient; i < status->devices; i++) {
		if (pci_address_equal(&status->device[i], device))
			return true;
	}
	return false;
}

/* Return: whether a network interface of the guest has the MAC. */
bool status_has_mac(const struct status *status, const struct mac_address *mac)
{
	for (size_t i = 0; i < status->macs; i++) {
		if (mac_address_equal(&status->mac[i], mac))
			return true;
	}
	return false;
}

const struct status *status_find_twin(const struct status *status, const struct status_list *list, const struct mac_address **mac)
{
	for (size_t i = 0; i < list->count; i++) {
		for (size_t k = 0; strcmp(list->status[i].uuid, status->uuid) && k < status->macs; k++) {
			*mac = &status->mac[k];
			if (status_has_mac(&list->status[i], *mac))
				return &list->status[i];
		}
	}
	return NULL;
}

/*
 * Parses as little of a status file as is enough, all of it but metadata where that is no status file. What a guest's owner can put into
 * metadata costs a walk over it and no more.
 * text, len: the file; ends with NUL. Return: 0, -EINVAL, -E2BIG, -ENOMEM.
 */
int status_parse(const char *text, size_t len, struct status *status, struct reason *why)
{
	static const struct xml_keep what = {.depth = 2};
	autofree char *shorter = NULL, *without = NULL;
	struct xml_part cut;
	bool is_plain = end_of_need(text, text + len) < text + len; /* then metadata is in what is left out anyhow */
	size_t kept;
	int error;

	if (!is_plain && xml_cut_metadata(text, len, &what, &without, &kept, &cut) < 0)
		return reason_set(why, -ENOMEM, "", "no memory to read the status file");
	if (without) {
		text = without;
		len = kept;
	}
	shorten(text, len, &shorter, &kept);
	error = shorter ? parse_status(shorter, kept, status, NULL) : -EINVAL;
	if (error)
		error = parse_status(text, len, status, why);
	if (error)
		return error;
	error = read_macs(text, len, status);
	if (error)
		status_release(status);
	return error ? reason_set(why, error, "", "out of memory") : 0;
}

/* Frees the devices and zeroes *status. */
void status_release(struct status *status)
{
	free(status->device);
	free(status->mac);
	memset(status, 0, sizeof(*status));
}

/*
 * Return: see status.h.
 *
 * A missing job is not enough: when the client of a migration is lost, libvirt throws the job of the incoming guest away and then ends
 * it (src/qemu/qemu_process.c, qemuProcessAutoDestroy), and QEMU's last event makes its state "shutdown". A guest is paused for these
 * reasons (src/conf/domain_conf.c, virDomainPausedReason) without ever having run here.
 */
bool status_is_landed(const struct status *status)
{
	static const char *const before[] = { "migration", "starting up", "unknown", "shutdown" };

	if (status->job == STATUS_MIGRATION_IN)
		return false;
	if (status->job == STATUS_MIGRATION_OUT || strcmp(status->state, "running") == 0 || strcmp(status->state, "pmsuspended") == 0)
		return true;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		if (strcmp(status->state_reason, before[i]) == 0)
			return false;
	return strcmp(status->state, "paused") == 0;
}
