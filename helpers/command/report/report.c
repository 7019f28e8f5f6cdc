/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * report.c: vferry report: what vferry reads of this host, as files that somebody can be sent, and that are a test: see tests/worlds.
 *
 * Sends nothing. Whatever is written goes through one replacer, so that a name is the same name in all files.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/spawn.h"
#include "base/sysroot.h"
#include "command/command.h"
#include "command/recorded.h"
#include "command/report/archive.h"
#include "command/report/names.h"
#include "command/report/replacer.h"
#include "command/report/world.h"
#include "command/terminal.h"

#define TEXT_MAX_SIZE (1u << 20)
#define PROGRAM_TIME 10000 /* ms */

/* What is written, and where to. */
struct report {
	struct call *call;
	struct replacer replacer;
	int folder;
	size_t files;
	char *log; /* NULL: there is none */
};

/* Writes one file, replaced, and says what it is. Return: 0, negative errno with *why filled. */
static int write_file(struct report *report, const char *name, const char *text, const char *about, struct reason *why)
{
	autofree char *clean = replacer_text(&report->replacer, text);
	autoclose int fd = clean ? openat(report->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
	size_t length = clean ? strlen(clean) : 0;

	if (!clean)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	if (fd < 0 || write(fd, clean, length) != (ssize_t)length)
		return reason_set(why, -errno, name, "the file cannot be written: %s", strerror(errno));
	fprintf(report->call->out, "  %-16s %7zu bytes  %s\n", name, length, about);
	report->files++;
	return 0;
}

/* Writes what a program says; one that is not there, or fails, leaves no file. Return: 0, negative errno with *why filled. */
static int write_program(struct report *report, const char *name, const char *about, char *const *argv, struct reason *why)
{
	autofree char *text = calloc(1, TEXT_MAX_SIZE);
	struct reason ignored = { 0 };

	if (!text)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	if (spawn_run(argv, text, TEXT_MAX_SIZE, deadline_in(PROGRAM_TIME), &ignored) || !*text)
		return 0;
	return write_file(report, name, text, about, why);
}

/* Writes what other programs say of card, switch and log. Return: 0, negative errno with *why filled. */
static int write_programs(struct report *report, const struct view *view, struct reason *why)
{
	char devlink[] = "/usr/sbin/devlink", dev[] = "dev", info[] = "info", port[] = "port", show[] = "show", vsctl[] = "/usr/bin/ovs-vsctl";
	char lspci[] = "/usr/bin/lspci", verbose[] = "-vv", slot[] = "-s", address[PCI_ADDRESS_LEN] = "", timeout[] = "--timeout=5";
	char *dev_argv[] = { devlink, dev, info, NULL }, *port_argv[] = { devlink, port, show, NULL };
	char *ovs_argv[] = { vsctl, timeout, show, NULL };
	char *pci_argv[] = { lspci, verbose, slot, address, NULL };
	int error = write_program(report, "devlink-info", "devlink dev info", dev_argv, why);

	if (view->scene.inventory.pfs)
		pci_address_format(&view->scene.inventory.pf[0].address, address);
	if (!error)
		error = write_program(report, "devlink-ports", "devlink port show", port_argv, why);
	if (!error)
		error = write_program(report, "ovs-vsctl-show", "ovs-vsctl show", ovs_argv, why);
	if (!error && *address)
		error = write_program(report, "lspci", "lspci -vv of the first PF", pci_argv, why);
	if (!error && report->log)
		error = write_file(report, "log", report->log, "the last 500 lines of vferry's log", why);
	return error;
}

/* Writes the record and the world. Return: 0, negative errno with *why filled. */
static int write_host(struct report *report, struct view *view, struct reason *why)
{
	struct json_object *json = recorded_to_json(view);
	const char *text = json ? json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE) : NULL;
	autofree char *record = text ? strdup(text) : NULL;
	autofree char *world = NULL;
	size_t size;
	FILE *out = open_memstream(&world, &size);
	int error;

	json_object_put(json);
	if (!out || !record)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	report_world(view, out);
	fclose(out);
	error = write_file(report, "inventory.json", record, "vferry inventory: for vferry check --inventory", why);
	if (!error)
		error = write_file(report, "host", world, "the host as a world, for tests/worlds", why);
	if (!error)
		error = write_file(report, "steps", "# SPDX-License-Identifier: LGPL-2.1-or-later\n> vferry check\n> vferry plan --domain @arriving\n",
				   "steps to begin a test with", why);
	return error;
}

/* Reads the log. Return: it, for free(3); NULL without one. */
static char *read_log(void)
{
	char journal[] = "/usr/bin/journalctl", tag[] = "-t", vferry[] = "vferry", pager[] = "--no-pager", lines[] = "-n500";
	char *argv[] = { journal, tag, vferry, pager, lines, NULL };
	autofree char *text = calloc(1, TEXT_MAX_SIZE);

	if (!text || spawn_run(argv, text, TEXT_MAX_SIZE, deadline_in(PROGRAM_TIME), NULL) || !*text)
		return NULL;
	return scope_take(&text);
}

/*
 * Notes the names that are to be replaced: of the host, its guests, and guests that have left, before anything is written, so that they are
 * the same in all files. Return: 0, -ENOMEM.
 */
static int note_names(struct report *report, const struct view *view)
{
	struct replacer *replacer = &report->replacer;
	int error = replacer_name(replacer, view->scene.inventory.hostname, "host");

	for (size_t i = 0; !error && i < view->scene.running.count; i++)
		error = replacer_name(replacer, view->scene.running.status[i].name, "guest");
	for (size_t i = 0; !error && i < view->scene.records.count; i++)
		error = replacer_name(replacer, view->scene.records.record[i].name, "guest");
	if (!error)
		error = report_note_kept(replacer);
	return error || !report->log ? error : report_note_log(replacer, report->log);
}

/* Makes the folder, which must be new. Return: descriptor, negative errno with *why filled. */
static int make_folder(const char *name, struct reason *why)
{
	int fd = mkdir(name, 0700) < 0 ? -errno : open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		reason_set(why, fd, name, "the folder cannot be made: %s", strerror(-fd));
		reason_cure(why, "name one that is not there yet");
	}
	return fd;
}

/* Writes all files into a new folder. Return: 0, negative errno with *why filled. */
static int write_folder(struct report *report, struct view *view, const char *name, struct reason *why)
{
	autoclose int folder = make_folder(name, why);
	int error = folder < 0 ? folder : 0;

	report->folder = folder;
	if (!error)
		error = write_host(report, view, why);
	return error ? error : write_programs(report, view, why);
}

/* Writes the folder, or the archive that was asked for. Return: 0, negative errno with *why filled. */
static int write_report(struct report *report, struct view *view, struct reason *why)
{
	autoarchive struct archive archive = { 0 };
	const struct call *call = report->call;
	int error;

	if (!call->tar)
		return write_folder(report, view, call->guest, why);
	error = archive_begin(&archive, call->tar, why);
	if (!error)
		error = write_folder(report, view, archive.folder, why);
	return error ? error : archive_pack(&archive, why);
}

/* Writes all files. Return: enum command_status. */
static int run(struct call *call)
{
	struct report report = { .call = call, .replacer = { .keeps_names = call->keep_names } };
	autoview struct view view = { 0 };
	struct reason why = { 0 };
	int error;

	if (!call->tar == !call->guest) {
		command_say(call, "report: name a FOLDER, or a file with --tar; see vferry report --help");
		return COMMAND_USAGE;
	}
	error = view_read(call, VIEW_FACTS | VIEW_GUESTS, &view, &why);
	report.log = error ? NULL : read_log();
	if (!error && note_names(&report, &view))
		error = reason_set(&why, -ENOMEM, NULL, "out of memory");
	if (!error)
		error = write_report(&report, &view, &why);
	replacer_release(&report.replacer);
	free(report.log);
	if (error < 0)
		return command_fail(call, &why, NULL);
	fprintf(call->out, "%zu files in %s; %s. Nothing was sent: look at them%s.\n", report.files, call->tar ? call->tar : call->guest,
		call->keep_names ? "names and addresses are as they are" : "names, addresses, UUIDs and serial numbers are replaced",
		call->tar ? " first" : ", then pack the folder with tar");
	return COMMAND_OK;
}

static const struct command_option options[] = {
	OPTION("tar", "FILE", tar, "pack it into this file, compressed as its ending says"),
	OPTION("keep-names", NULL, keep_names, "leave names, addresses and serial numbers as they are"),
	OPTION_SETTINGS,
	OPTION_END,
};

const struct command command_report = {
	.name = "report", .operands = "[FOLDER]", .least = 0, .most = 1,
	.summary = "Writes what vferry sees of this host into a folder or an archive.", .options = options, .run = run,
};
