/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guest.c: what the agent asks libvirt about a guest. See guest.h.
 */
#include "agent/guest.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "agent/call.h"
#include "base/scope.h"
#include "virt/virt.h"

/* One question, what it needs and what it brings. */
struct question {
	struct call call;
	int (*ask)(struct question *question, virDomainPtr domain);
	virConnectPtr connection;
	char uuid[DOMAIN_UUID_LEN];
	char *xml;               /* in or out */
	unsigned int limit;      /* in or out */
	struct guest_progress progress;
	int error;
	struct reason why;
};

/* In the thread. */
static void perform(struct call *call)
{
	struct question *question = (struct question *)call;
	autoguest virDomainPtr domain = NULL;

	question->error = virt_find_uuid(question->connection, question->uuid, &domain, &question->why);
	if (!question->error)
		question->error = question->ask(question, domain);
}

/* Frees all of it. */
static void release(struct call *call)
{
	struct question *question = (struct question *)call;

	virConnectClose(question->connection);
	free(question->xml);
	free(question);
}

/* For the release by scope. */
static void end(struct question **question)
{
	if (*question)
		release(&(*question)->call);
}

#define autoquestion __attribute__((cleanup(end)))

/* Asks. about: what the question needs; NULL: nothing. question: receives it with the answer. Return: see guest.h. */
static int ask(const struct guest_link *guest, int (*how)(struct question *, virDomainPtr), const struct question *about,
	       struct question **question, struct reason *why)
{
	struct question *asked;
	int error;

	if (!guest->connection) {
		reason_set(why, -ENOTCONN, "", "there is no connection to libvirt");
		return -ENOTCONN;
	}
	asked = calloc(1, sizeof(*asked));
	if (!asked || (about && about->xml && !(asked->xml = strdup(about->xml)))) {
		free(asked);
		reason_set(why, -ENOMEM, NULL, "out of memory");
		return -ENOMEM;
	}
	asked->limit = about ? about->limit : 0;
	asked->call = (struct call){ .perform = perform, .release = release };
	asked->ask = how;
	asked->connection = guest->connection;
	virConnectRef(guest->connection);
	snprintf(asked->uuid, sizeof(asked->uuid), "%s", guest->uuid);
	error = call_within(&asked->call, guest->deadline, why);
	if (error)
		return error;
	*question = asked;
	if (asked->error && why)
		*why = asked->why;
	return asked->error;
}

/* The same where the answer is none but its error. */
static int tell(const struct guest_link *guest, int (*how)(struct question *, virDomainPtr), const struct question *about,
		struct reason *why)
{
	autoquestion struct question *question = NULL;

	return ask(guest, how, about, &question, why);
}

/* In the thread, as are all that follow: its XML as it runs. Return: 0, negative errno with question->why; so below. */
static int ask_live(struct question *question, virDomainPtr domain)
{
	return virt_xml(domain, false, &question->xml, &question->why);
}

/* Its stored definition; none leaves NULL. */
static int ask_stored(struct question *question, virDomainPtr domain)
{
	return virt_is_defined(domain) ? virt_xml(domain, true, &question->xml, &question->why) : 0;
}

/* Replaces that. */
static int ask_define(struct question *question, virDomainPtr domain)
{
	return virt_define(virDomainGetConnect(domain), question->xml, &question->why);
}

/* Writes its passport; NULL removes it. */
static int ask_metadata(struct question *question, virDomainPtr domain)
{
	return virt_set_metadata(domain, question->xml, "vf", PASSPORT_NAMESPACE, VIR_DOMAIN_AFFECT_LIVE, &question->why);
}

/* Ends its job. */
static int ask_abort(struct question *question, virDomainPtr domain)
{
	return virt_abort(domain, &question->why);
}

/* The downtime limit that QEMU has. */
static int ask_limit(struct question *question, virDomainPtr domain)
{
	unsigned long long now = 0;

	if (virDomainMigrateGetMaxDowntime(domain, &now, 0) < 0)
		return virt_reason(&question->why, "", "tell the guest's maximum downtime");
	question->limit = now < UINT32_MAX ? (unsigned int)now : UINT32_MAX;
	return 0;
}

/* Sets it. */
static int ask_set_limit(struct question *question, virDomainPtr domain)
{
	if (virDomainMigrateSetMaxDowntime(domain, question->limit, 0) < 0)
		return virt_reason(&question->why, "", "set the guest's maximum downtime");
	return 0;
}

/* How its migration gets on. What libvirt does not tell of the rest counts as all. */
static int ask_progress(struct question *question, virDomainPtr domain)
{
	struct guest_progress *progress = &question->progress;
	virTypedParameterPtr params = NULL;
	int type, count = 0;

	if (virDomainGetJobStats(domain, &type, &params, &count, 0) < 0)
		return virt_reason(&question->why, "", "tell how the guest's migration gets on");
	(void)virTypedParamsGetULLong(params, count, VIR_DOMAIN_JOB_MEMORY_ITERATION, &progress->pass);
	(void)virTypedParamsGetULLong(params, count, VIR_DOMAIN_JOB_MEMORY_BPS, &progress->speed);
	if (virTypedParamsGetULLong(params, count, VIR_DOMAIN_JOB_MEMORY_REMAINING, &progress->remaining) != 1)
		progress->remaining = UINT64_MAX;
	virTypedParamsFree(params, count);
	return 0;
}

/* See guest.h. */
int guest_read(const struct guest_link *guest, struct domain *domain, struct reason *why)
{
	autoquestion struct question *question = NULL;
	int error = ask(guest, ask_live, NULL, &question, why);

	return error ? error : domain_parse(question->xml, strlen(question->xml), domain, why);
}

/* See guest.h. */
int guest_stored(const struct guest_link *guest, char **xml, struct reason *why)
{
	autoquestion struct question *question = NULL;
	int error = ask(guest, ask_stored, NULL, &question, why);

	if (!error)
		*xml = scope_take(&question->xml);
	return error;
}

/* See guest.h. */
int guest_define(const struct guest_link *guest, const char *xml, struct reason *why)
{
	return tell(guest, ask_define, &(struct question){ .xml = (char *)(uintptr_t)xml }, why);
}

/* See guest.h. */
int guest_write_passport(const struct guest_link *guest, const char *xml, struct reason *why)
{
	return tell(guest, ask_metadata, &(struct question){ .xml = (char *)(uintptr_t)xml }, why);
}

/* See guest.h. */
int guest_abort(const struct guest_link *guest, struct reason *why)
{
	return tell(guest, ask_abort, NULL, why);
}

/* See guest.h. */
int guest_limit(const struct guest_link *guest, unsigned int *now, struct reason *why)
{
	autoquestion struct question *question = NULL;
	int error = ask(guest, ask_limit, NULL, &question, why);

	if (!error)
		*now = question->limit;
	return error;
}

/* See guest.h. */
int guest_set_limit(const struct guest_link *guest, unsigned int limit, struct reason *why)
{
	return tell(guest, ask_set_limit, &(struct question){ .limit = limit }, why);
}

/* See guest.h. */
int guest_progress(const struct guest_link *guest, struct guest_progress *progress, struct reason *why)
{
	autoquestion struct question *question = NULL;
	int error = ask(guest, ask_progress, NULL, &question, why);

	if (!error)
		*progress = question->progress;
	return error;
}
