/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * command_call.h: calls a subcommand of vferry as main() does, and keeps what it printed. Hosts are recorded ones, from data/command.
 */
#ifndef VFERRY_TESTS_COMMAND_CALL_H
#define VFERRY_TESTS_COMMAND_CALL_H

#include "check.h"

#include "base/sysroot.h"
#include "command/command.h"

struct command_result {
	int status;
	char *out, *err; /* of the last call; valid until the next */
};

/* The path of a file of data/command. Returns static memory: two calls may be in use at the same time. */
__attribute__((unused)) static const char *recorded(const char *name)
{
	static char path[2][PATH_MAX];
	static int turn;
	const char *slash = strrchr(__FILE__, '/');

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%.*sdata/command/%s", slash ? (int)(slash - __FILE__ + 1) : 0, __FILE__, name);
	return path[turn];
}

/*
 * A recorded host or guest of data/command with every "from" made "to", as a file in the scratch directory; pairs end with NULL. Fails if
 * a "from" is not there. Returns its path.
 */
__attribute__((unused, sentinel)) static const char *changed(const char *name, ...)
{
	static char path[2][PATH_MAX];
	static int turn;
	char data[128], file[64], *text;
	const char *from;
	va_list args;

	snprintf(data, sizeof(data), "data/command/%s", name);
	text = CHECK_DATA(data, NULL);
	va_start(args, name);
	while ((from = va_arg(args, const char *))) {
		const char *to = va_arg(args, const char *), *rest = text, *place;
		char *new = NULL;
		size_t len;
		FILE *stream = open_memstream(&new, &len);

		if (!strstr(text, from))
			FAIL("%s does not contain %s", name, from);
		for (; (place = strstr(rest, from)); rest = place + strlen(from))
			fprintf(stream, "%.*s%s", (int)(place - rest), rest, to);
		fputs(rest, stream);
		fclose(stream);
		free(text);
		text = new;
	}
	va_end(args);
	turn = !turn;
	snprintf(file, sizeof(file), "/%d-%s", turn, name);
	snprintf(path[turn], sizeof(path[turn]), "%s", check_file(file, text));
	free(text);
	return path[turn];
}

/* Calls a subcommand. answer: what a person types, NULL if nobody sits there. The arguments end with NULL. */
__attribute__((unused, sentinel))
static struct command_result call_command(const struct command *command, const char *answer, ...)
{
	static char *out, *err;
	static char name[32];
	struct command_result result = { 0 };
	struct call call = { .command = command, .terminal = answer != NULL };
	char *argv[16] = { name }, *typed = strdup(answer ? answer : "");
	size_t out_len, err_len;
	va_list args;
	int argc = 1;

	snprintf(name, sizeof(name), "%s", command->name);
	va_start(args, answer);
	while (argc < 15 && (argv[argc] = va_arg(args, char *)))
		argc++;
	va_end(args);
	free(out);
	free(err);
	call.in = fmemopen(typed, strlen(typed) + 1, "r");
	call.out = open_memstream(&out, &out_len);
	call.err = open_memstream(&err, &err_len);
	result.status = command_parse(&call, argc, argv);
	if (result.status == COMMAND_RUN)
		result.status = command_run(&call);
	fclose(call.in);
	fclose(call.out);
	fclose(call.err);
	free(typed);
	result.out = out;
	result.err = err;
	return result;
}

/* The longest line of a text, in columns. */
__attribute__((unused)) static size_t widest_line(const char *text)
{
	size_t widest = 0;

	while (*text) {
		size_t len = strcspn(text, "\n");

		if (len > widest)
			widest = len;
		text += len + (text[len] == '\n');
	}
	return widest;
}

#endif
