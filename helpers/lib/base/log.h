/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * log.h: the log of a program, to /dev/log (which is the journal where systemd runs), and on demand to stderr.
 *
 * The library logs nothing but through this door, and only the rooms above policy (engine, programs) use it.
 */
#ifndef VFERRY_BASE_LOG_H
#define VFERRY_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

/* Opens the log. ident: name shown before each line (not copied); to_stderr: also write to stderr. */
void log_open(const char *ident, bool to_stderr);

/* Sets the words before each line, such as "guest7: migrate: " (copied, cleaned of control characters). */
void log_context(const char *guest, const char *event);

/* Writes one line at a syslog priority (LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG). */
__attribute__((format(printf, 2, 3)))
void log_line(int priority, const char *format, ...);

#define log_error(...) log_line(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)

#endif
