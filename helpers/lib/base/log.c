/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * log.c: the log of a program. See log.h.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/dev_log.h"
#include "base/reason.h"

#define LOG_LINE_MAX 2048
#define LOG_CONTEXT_MAX 352 /* a guest's name (DOMAIN_NAME_MAX) and an event */

static const char *program = "vferry";
static bool also_stderr;
static char context[LOG_CONTEXT_MAX];

/*
 * ident: kept as a pointer, so it must live as long as the program. to_stderr: see log.h.
 */
void log_open(const char *ident, bool to_stderr)
{
	also_stderr = to_stderr;
	program = ident;
}

/* guest, event: may be NULL or empty; both NULL take the words away. */
void log_context(const char *guest, const char *event)
{
	char raw[LOG_CONTEXT_MAX];
	const char *first = guest ? guest : "", *second = event ? event : "";

	snprintf(raw, sizeof(raw), "%.256s%s%.64s%s", first, *first ? ": " : "", second, *second ? ": " : "");
	reason_clean(context, sizeof(context), raw);
}

/* priority: LOG_ERR to LOG_DEBUG. format: one sentence, without newline; what cannot be shown becomes '?'. */
void log_line(int priority, const char *format, ...)
{
	char raw[LOG_LINE_MAX], line[LOG_LINE_MAX], whole[LOG_CONTEXT_MAX + LOG_LINE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	reason_clean(line, sizeof(line), raw);
	snprintf(whole, sizeof(whole), "%s%s", context, line);
	dev_log(priority, program, whole);
	if (also_stderr)
		fprintf(stderr, "%s\n", whole);
}
