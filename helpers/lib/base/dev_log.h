/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dev_log.h: a line to the system's log (/dev/log), with a deadline.
 *
 * syslog(3) has none: where journald does not read, it waits for ever, and libvirt with it. Needs libc alone, for the hook's first program.
 */
#ifndef VFERRY_BASE_DEV_LOG_H
#define VFERRY_BASE_DEV_LOG_H

#include <stddef.h>

#define DEV_LOG_DAEMON_ERROR "<27>" /* LOG_DAEMON | LOG_ERR, as a datagram begins */
#define DEV_LOG_PATIENCE 500        /* ms that all lines of a minute together wait for a log that does not read */

/* The socket, "/dev/log"; a test may put another one in its place. */
extern const char *dev_log_path;

/*
 * Sends one line. priority: LOG_ERR to LOG_DEBUG; ident: the program's name; text: without newline. A line that is not taken is lost;
 * the next that is taken is followed by one that says how many were.
 */
void dev_log(int priority, const char *ident, const char *text);

/* Sends one datagram as it is; safe in a handler of a signal. Return: 0, negative errno. */
int dev_log_send(const char *bytes, size_t length);

#endif
