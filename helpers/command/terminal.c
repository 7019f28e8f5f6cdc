/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * terminal.c: how a command's output looks.
 */
#include "command/terminal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TEXT_MAX 2048

/* Select Graphic Rendition of ECMA-48, in the order of enum tone. */
static const char *const tones[] = { "", "\033[32m", "\033[33m", "\033[31m", "\033[2m", "\033[1m" };

/* Whether the output may be coloured. */
bool terminal_has_color(FILE *out)
{
	const char *no_color = getenv("NO_COLOR"), *kind = getenv("TERM");

	if ((no_color && *no_color) || (kind && strcmp(kind, "dumb") == 0))
		return false;
	return isatty(fileno(out)) == 1;
}

/* Prints in a tone. */
void terminal_print(struct call *call, enum tone tone, const char *format, ...)
{
	bool paint = call->color && tone != TONE_PLAIN;
	va_list args;

	if (paint)
		fputs(tones[tone], call->out);
	va_start(args, format);
	vfprintf(call->out, format, args);
	va_end(args);
	if (paint)
		fputs("\033[0m", call->out);
}

/* How many characters have room in a line, behind "used" ones: as many as the terminal's line has; a file has room for all. */
int terminal_room(const struct call *call, int used)
{
	struct winsize size = { 0 };
	int file = fileno(call->out);

	if (isatty(file) != 1)
		return TEXT_MAX;
	if (ioctl(file, TIOCGWINSZ, &size) < 0 || size.ws_col < TERMINAL_WIDTH)
		size.ws_col = TERMINAL_WIDTH;
	return size.ws_col - used;
}

/* Prints text wrapped at 80 columns, and ends the line. column: of the cursor and of the lines that follow. */
void terminal_wrap(struct call *call, int column, const char *text)
{
	char clean[TEXT_MAX];
	int at = column;
	char *rest = clean, *word;

	reason_clean(clean, sizeof(clean), text);
	while ((word = strsep(&rest, " "))) {
		int len = (int)strlen(word);

		if (at > column && at + 1 + len > TERMINAL_WIDTH) {
			fprintf(call->out, "\n%*s", column, "");
			at = column;
		}
		at += fprintf(call->out, "%s%s", at > column ? " " : "", word);
	}
	fputc('\n', call->out);
}

/* Prints a JSON object, and puts it. Return: COMMAND_OK, COMMAND_NOT_READY if it cannot be written. */
int terminal_json(struct call *call, struct json_object *json)
{
	call->answered = true;
	fprintf(call->out, "%s\n", json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
								  JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(json);
	return fflush(call->out) == 0 ? COMMAND_OK : COMMAND_NOT_READY;
}

/* Asks a question. Return: whether the answer was yes. */
bool terminal_ask(struct call *call, const char *question)
{
	char answer[16] = "";

	if (!call->terminal)
		return false;
	terminal_print(call, TONE_STRONG, "%s [y/N] ", question);
	fflush(call->out);
	if (!fgets(answer, sizeof(answer), call->in))
		return false;
	answer[strcspn(answer, "\n")] = '\0';
	return strcmp(answer, "y") == 0 || strcmp(answer, "Y") == 0 || strcmp(answer, "yes") == 0;
}

/* Adds a text to a JSON object, cleaned: it may come from elsewhere. */
void terminal_add(struct json_object *json, const char *key, const char *text)
{
	char clean[TEXT_MAX];

	reason_clean(clean, sizeof(clean), text);
	json_object_object_add(json, key, json_object_new_string(clean));
}

/* Return: a reason as JSON. */
struct json_object *terminal_reason(const struct reason *why)
{
	struct json_object *json = json_object_new_object();

	terminal_add(json, "rule", why->rule);
	terminal_add(json, "object", why->object);
	terminal_add(json, "what", why->what);
	terminal_add(json, "cure", why->cure);
	return json;
}

/* Answers with JSON where nothing has; see command.h. */
int command_answer(struct call *call, int status)
{
	struct json_object *json;

	if (!call->json || call->answered)
		return status;
	json = json_object_new_object();
	terminal_add(json, "verdict", status == COMMAND_OK ? "nothing to do" : status == COMMAND_USAGE ? "wrong use" : "refused");
	json_object_object_add(json, "reason", *call->failure.what ? terminal_reason(&call->failure) : NULL);
	(void)terminal_json(call, json);
	return status;
}

/* Does what a call asks for; see command.h. */
int command_run(struct call *call)
{
	return command_answer(call, call->command->run(call));
}
