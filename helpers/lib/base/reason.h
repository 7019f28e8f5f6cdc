/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * reason.h: why something failed, in the words that the operator reads.
 *
 * A library function that fails returns a negative errno and fills a struct reason: what is wrong, on which object, and what the
 * operator can do. The program says it once, with reason_print(), as one line:
 *
 *     vferry: GUEST: OBJECT: what is wrong; what to do
 */
#ifndef VFERRY_BASE_REASON_H
#define VFERRY_BASE_REASON_H

#include <stdio.h>

#define REASON_OBJECT_MAX 128
#define REASON_TEXT_MAX 512

struct reason {
	int error;                      /* negative errno, the value that the function returned */
	char rule[32];                  /* name of the limit or rule that decided, such as "L1-postcopy"; empty if none */
	char object[REASON_OBJECT_MAX]; /* what it is about: a PCI address, a bridge, a file; empty if the guest itself */
	char what[REASON_TEXT_MAX];     /* what is wrong, no full stop */
	char cure[REASON_TEXT_MAX];     /* what the operator can do, no full stop; empty if unknown */
};

/* Fills *why (which may be NULL) and returns error, so that a caller can write: return reason_set(...). */
__attribute__((format(printf, 4, 5)))
int reason_set(struct reason *why, int error, const char *object, const char *format, ...);

/* Sets the cure of *why (which may be NULL). */
__attribute__((format(printf, 2, 3)))
void reason_cure(struct reason *why, const char *format, ...);

/* Sets the name of the rule that decided. */
void reason_rule(struct reason *why, const char *rule);

/* Writes the one line for the operator, without control characters, to out (size bytes). guest may be NULL. */
void reason_format(const struct reason *why, const char *guest, char *out, size_t size);

/* Writes "vferry: " and that line to stream. */
void reason_print(const struct reason *why, const char *guest, FILE *stream);

/* Copies text to out without control, bidi or invalid UTF-8 bytes (each shown as '?'): for names that another host sent. */
void reason_clean(char *out, size_t size, const char *text);

/* Writes text as one word of a shell, without the characters that reason_clean() takes out: a printed command can be typed. Return: out. */
const char *reason_word(const char *text, char *out, size_t size);

#endif
