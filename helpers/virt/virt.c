/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virt.c: calls of libvirt. See virt.h.
 */
#include "virt/virt.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

/* Return: the errno that stands for an error of libvirt. */
static int error_number(int code)
{
	switch (code) {
	case VIR_ERR_NO_DOMAIN:
		return -ENOENT;
	case VIR_ERR_NO_CONNECT:
	case VIR_ERR_SYSTEM_ERROR: /* of the socket */
		return -ECONNREFUSED;
	case VIR_ERR_OPERATION_TIMEOUT:
		return -ETIME;
	case VIR_ERR_NO_MEMORY:
		return -ENOMEM;
	case VIR_ERR_OPERATION_INVALID:
		return -EINVAL;
	default:
		return -EIO;
	}
}

/* object: a guest's name or "". what: "find the guest". Return: negative errno. */
int virt_reason(struct reason *why, const char *object, const char *what)
{
	const virError *error = virGetLastError();

	return reason_set(why, error_number(error ? error->code : VIR_ERR_OK), object, "libvirt cannot %s: %s", what,
			  error && error->message ? error->message : "it does not say why");
}

/* libvirt's call for each error: says nothing, since whoever called it will. */
static void say_nothing(void *arg, virErrorPtr error)
{
	(void)arg;
	(void)error;
}

/* See the header. */
void virt_begin(void)
{
	signal(SIGPIPE, SIG_IGN);
	virSetErrorFunc(NULL, say_nothing);
}

/* connection: receives it, for virt_close(). Return: 0, negative errno. */
int virt_open(virConnectPtr *connection, struct reason *why)
{
	int error;

	virt_begin();
	*connection = virConnectOpen(VIRT_URI);
	if (*connection)
		return 0;
	error = virt_reason(why, "", "be reached at " VIRT_URI);
	reason_cure(why, "start it: systemctl start libvirtd, or virtqemud.socket where libvirt's daemons are modular");
	return error;
}

/* Closes the connection and leaves NULL behind. */
void virt_close(virConnectPtr *connection)
{
	if (*connection)
		virConnectClose(*connection);
	*connection = NULL;
}

/* uuid: also in capitals. domain: receives it. Return: 0, -ENOENT, other negative errno. */
int virt_find_uuid(virConnectPtr connection, const char *uuid, virDomainPtr *domain, struct reason *why)
{
	virDomainPtr found = virDomainLookupByUUIDString(connection, uuid);

	if (!found && (virGetLastErrorCode() == VIR_ERR_NO_DOMAIN || virGetLastErrorCode() == VIR_ERR_INVALID_ARG))
		return reason_set(why, -ENOENT, uuid, "libvirt has no guest of that uuid here");
	if (!found)
		return virt_reason(why, uuid, "find the guest");
	*domain = found;
	return 0;
}

/* name: name or uuid, as virsh takes them: what can be a uuid is one, if a guest has it. Return: 0, -ENOENT, other negative errno. */
int virt_find(virConnectPtr connection, const char *name, virDomainPtr *domain, struct reason *why)
{
	virDomainPtr found = virDomainLookupByUUIDString(connection, name);

	if (!found && (virGetLastErrorCode() == VIR_ERR_NO_DOMAIN || virGetLastErrorCode() == VIR_ERR_INVALID_ARG))
		found = virDomainLookupByName(connection, name);
	if (!found && (virGetLastErrorCode() == VIR_ERR_NO_DOMAIN || virGetLastErrorCode() == VIR_ERR_INVALID_ARG)) {
		reason_set(why, -ENOENT, name, "libvirt has no guest of that name here");
		reason_cure(why, "'virsh -c " VIRT_URI " list --all' shows those that it has");
		return -ENOENT;
	}
	if (!found)
		return virt_reason(why, name, "find the guest");
	*domain = found;
	return 0;
}

/* Gives a guest back and leaves NULL behind. */
void virt_free(virDomainPtr *domain)
{
	if (*domain)
		virDomainFree(*domain);
	*domain = NULL;
}

/* fn: gets each guest, and arg. Return: 0, negative errno. */
int virt_each(virConnectPtr connection, int (*fn)(virDomainPtr domain, void *arg, struct reason *why), void *arg, struct reason *why)
{
	virDomainPtr *list = NULL;
	int n = virConnectListAllDomains(connection, &list, 0), error = 0;

	if (n < 0)
		return virt_reason(why, "", "list its guests");
	for (int i = 0; i < n; i++) {
		if (!error)
			error = fn(list[i], arg, why);
		virt_free(&list[i]);
	}
	free(list);
	return error;
}

/* Whether a guest runs. */
bool virt_is_running(virDomainPtr domain)
{
	return virDomainIsActive(domain) == 1;
}

/* Whether a guest has a definition. */
bool virt_is_defined(virDomainPtr domain)
{
	return virDomainIsPersistent(domain) == 1;
}

/* The same for a guest. Its name is asked for last: each call of libvirt forgets the error before it. Return: negative errno. */
static int guest_reason(struct reason *why, virDomainPtr domain, const char *what)
{
	int error = virt_reason(why, "", what);

	if (why)
		reason_clean(why->object, sizeof(why->object), virDomainGetName(domain));
	return error;
}

/* is_stored, xml: see virt.h. Return: 0, negative errno. */
int virt_xml(virDomainPtr domain, bool is_stored, char **xml, struct reason *why)
{
	char *text = virDomainGetXMLDesc(domain, is_stored ? VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE : 0);

	if (!text)
		return guest_reason(why, domain, "tell the guest's XML");
	*xml = text;
	return 0;
}

/* Return: 0, or the error of a call that has failed. */
static int done(int result, virDomainPtr domain, const char *what, struct reason *why)
{
	return result < 0 ? guest_reason(why, domain, what) : 0;
}

/* Return: 0, negative errno. */
int virt_set_metadata(virDomainPtr domain, const char *xml, const char *key, const char *uri, unsigned int where, struct reason *why)
{
	return done(virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, xml, xml ? key : NULL, uri, where), domain,
		    "write the guest's metadata", why);
}

/* Return: 0, negative errno. */
int virt_attach(virDomainPtr domain, const char *xml, unsigned int where, struct reason *why)
{
	return done(virDomainAttachDeviceFlags(domain, xml, where), domain, "attach the device", why);
}

/* Return: 0, negative errno. A running guest may take its time to let the device go: event DEVICE_REMOVED. */
int virt_detach(virDomainPtr domain, const char *xml, unsigned int where, struct reason *why)
{
	return done(virDomainDetachDeviceFlags(domain, xml, where), domain, "detach the device", why);
}

/* Return: 0, negative errno. */
int virt_define(virConnectPtr connection, const char *xml, struct reason *why)
{
	autoguest virDomainPtr domain = virDomainDefineXML(connection, xml);

	return domain ? 0 : virt_reason(why, "", "define the guest");
}

/* Return: 0, negative errno. */
int virt_abort(virDomainPtr domain, struct reason *why)
{
	return done(virDomainAbortJob(domain), domain, "end the guest's job", why);
}
