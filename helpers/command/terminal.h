/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * terminal.h: how a command's output looks: tones, columns that fit 80, JSON, a question.
 */
#ifndef VFERRY_COMMAND_TERMINAL_H
#define VFERRY_COMMAND_TERMINAL_H

#include <json-c/json.h>
#include <stdbool.h>

#include "command/command.h"

#define TERMINAL_WIDTH 80

enum tone { TONE_PLAIN, TONE_GOOD, TONE_WARNING, TONE_BAD, TONE_FAINT, TONE_STRONG };

/* Whether the output may be coloured: a terminal, and NO_COLOR (no-color.org) is not set. */
bool terminal_has_color(FILE *out);

/* Prints in a tone, if colours are on. */
__attribute__((format(printf, 3, 4)))
void terminal_print(struct call *call, enum tone tone, const char *format, ...);

/* How many characters have room in a line of the terminal behind "used" ones; as many as one likes where the output is a file. */
int terminal_room(const struct call *call, int used);

/*
 * Prints text wrapped at 80 columns; column: where the cursor stands and each further line begins. A word longer than a line stays whole.
 * Ends the line. Text may come from elsewhere: it is cleaned.
 */
void terminal_wrap(struct call *call, int column, const char *text);

/* Prints a JSON object, and puts it. Return: COMMAND_OK, COMMAND_NOT_READY if it cannot be written. */
int terminal_json(struct call *call, struct json_object *json);

/* Asks a question that only "y" or "yes" answers with yes. Where nobody can be asked, it is no. */
bool terminal_ask(struct call *call, const char *question);

/* A reason as JSON: rule, object, what, cure. */
struct json_object *terminal_reason(const struct reason *why);

/* Adds a text to a JSON object. */
void terminal_add(struct json_object *json, const char *key, const char *text);

#endif
