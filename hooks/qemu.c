/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu: the program that libvirt runs at every event of every guest, installed as /etc/libvirt/hooks/qemu.d/50-vferry.
 *
 *     50-vferry GUEST OPERATION SUB-OPERATION EXTRA <DOMAIN.xml
 *
 * It decides one thing, as cheaply as /bin/true would: can this guest have a VF at all? If not, it prints nothing and exits with 0. If so,
 * or in doubt, it hands the XML, in a memfd, to the worker LIBEXECDIR/vferry/hook, which has libraries and knows the rest. In order:
 *
 *   1. An operation that vferry does not act on: the XML is read and forgotten, exit 0.
 *   2. The XML is read, at most 16 MiB of it.
 *   3. No candidate: the XML is the plain kind that libvirt writes ("<domain" first: so no encoding, document type or entity of its own),
 *      nothing in it spells "hostdev" or a passport, none of its networks is a pool of host devices on this host, and nothing is kept here
 *      for its uuid (state/mark.h: a guest may have lost its VF from its XML, and not yet what was made for it).
 *   4. Otherwise the worker runs, as a child that dies with this program, and its exit status is this program's.
 *
 * The deadline of the whole call (hook_deadline) begins here, and goes on in the worker: see hooks/deadline.h. This program waits a little
 * longer than the worker may take, so that the worker's own sentence comes first.
 *
 * When the worker cannot be started, or dies, only a migration is refused: at `migrate`, and until the guest has landed (its mark says
 * "arriving"). The guest then stays where it is, and the user of virsh reads why. A failure at any other operation would stop a guest from
 * starting, or kill one that runs (at `reconnect`): there the hook warns in the log and lets libvirt go on.
 *
 * Privilege: root, as libvirtd; it opens libvirt's network status files and /dev/log, if it is late also vferry.conf, and needs libc alone.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem, memfd_create */
#endif

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/dev_log.h"
#include "deadline.h"
#include "state/mark.h"

#ifndef LIBEXECDIR
#define LIBEXECDIR "/usr/libexec"
#endif
#ifndef WORKER
#define WORKER LIBEXECDIR "/vferry/hook"
#endif
#ifndef NETWORK_DIRECTORY
#define NETWORK_DIRECTORY "/run/libvirt/network" /* src/network/bridge_driver.c, stateDir */
#endif

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif
#ifndef CONF
#define CONF SYSCONFDIR "/vferry/vferry.conf"
#endif

#define XML_MAX (16u << 20)      /* bytes, as DOMAIN_XML_MAX of the worker */
#define XML_USUAL (64u << 10)    /* bytes: hardly a guest has more */
#define NETWORK_MAX (256u << 10) /* bytes; a pool of 256 VFs is a tenth of it */
#define NETWORK_NAME_MAX 200

/*
 * Static and not written before it is needed. Together smaller than a huge page: where the kernel gives these to everybody
 * (transparent_hugepage=always), the first byte of a larger buffer would cost the clearing of 2 MiB.
 */
static char usual[XML_USUAL + 1];
static char network[NETWORK_MAX];
static char *xml = usual;

static struct timespec started; /* of this program */
static bool is_migrate;
static volatile pid_t worker; /* 0: not started */
static volatile int worker_error; /* why it was not */

/* The operations that the worker acts on (libvirt's docs/hooks.rst lists all); `restore` and `attach` are not among them. */
static const char *const operations[] = {"migrate", "prepare", "start", "started", "stopped", "release", "reconnect", NULL};

/*
 * Finds a number in the text of vferry.conf. text: ends with NUL; otherwise: what it is if it is not there, or not from least to most.
 * Return: seconds.
 */
static unsigned int find_seconds(const char *text, const char *key, unsigned int least, unsigned int most, unsigned int otherwise)
{
	for (const char *at = text; (at = strstr(at, key)); at += strlen(key)) {
		const char *line = at, *value = at + strlen(key) + strspn(at + strlen(key), " \t");
		unsigned long seconds;

		while (line > text && strchr(" \t", line[-1]))
			line--;
		if ((line > text && line[-1] != '\n') || *value != '=')
			continue;
		seconds = strtoul(value + 1, NULL, 10);
		return seconds >= least && seconds <= most ? (unsigned int)seconds : otherwise;
	}
	return otherwise;
}

/* Reads how long this program may take, in a handler of a signal: nothing here takes a lock. Return: seconds. */
static unsigned int read_deadline(void)
{
	static char text[65536];
	int fd = open(CONF, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[got < 0 ? 0 : got] = '\0';
	return find_seconds(text, "hook_deadline", HOOK_DEADLINE_LEAST, HOOK_DEADLINE_MOST, HOOK_DEADLINE_USUAL) +
	       (worker ? WORKER_GRACE : 0) +
	       (worker && is_migrate ? find_seconds(text, "slot_wait", 0, HOOK_SLOT_WAIT_MOST, HOOK_SLOT_WAIT_USUAL) : 0);
}

/*
 * Ends the program when its time is up (SIGALRM), whatever it waits for: libvirt that does not write, a disk that hangs. The first time,
 * when the least that hook_deadline may be is over, it looks how long it really is; who is not late never pays for that.
 */
static void on_alarm(int signal_number)
{
	static const char unread[] = "vferry: libvirt did not hand over the domain XML within hook_deadline; try again\n";
	static const char stuck[] = "vferry: the hook's worker did not end within hook_deadline; look for a card or a disk that hangs\n";
	static const char line[] = DEV_LOG_DAEMON_ERROR "vferry: a hook did not end within hook_deadline";
	static bool is_second;
	const char *text = worker ? stuck : unread;
	unsigned int whole = is_second ? 0 : read_deadline();

	(void)signal_number;
	is_second = true;
	if (whole > HOOK_DEADLINE_LEAST) {
		alarm(whole - HOOK_DEADLINE_LEAST);
		return;
	}
	if (worker)
		kill(worker, SIGKILL);
	(void)dev_log_send(line, sizeof(line) - 1);
	if (is_migrate && write(STDERR_FILENO, text, strlen(text)) < 0)
		_exit(1);
	_exit(is_migrate);
}

/* Sets the deadline of this program. A read(2) that the first alarm meets goes on. */
static void set_deadline(const char *operation)
{
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};

	is_migrate = strcmp(operation, "migrate") == 0;
	clock_gettime(CLOCK_MONOTONIC, &started);
	sigaction(SIGALRM, &action, NULL);
	alarm(HOOK_DEADLINE_LEAST);
}

/*
 * Hands the deadline on to the worker, in whose process this runs: see deadline.h.
 */
static void hand_deadline_on(void)
{
	struct itimerval timer = {0};
	struct timespec now;
	long took;

	clock_gettime(CLOCK_MONOTONIC, &now);
	took = (now.tv_sec - started.tv_sec) * 1000000 + (now.tv_nsec - started.tv_nsec) / 1000;
	took = took < HOOK_DEADLINE_USUAL * 1000000L ? HOOK_DEADLINE_USUAL * 1000000L - took : 1;
	timer.it_value = (struct timeval){.tv_sec = took / 1000000, .tv_usec = took % 1000000};
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* Reads fd until its end or until size bytes are there. Return: bytes read, -1 with errno. */
static ssize_t read_all(int fd, char *out, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t got = read(fd, out + used, size - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		used += (size_t)got;
	}
	return (ssize_t)used;
}

/* Reads stdin to its end, so that libvirtd does not write into a closed pipe. The buffer's content is lost. */
static void drain(void)
{
	while (read_all(STDIN_FILENO, usual, XML_USUAL) > 0)
		;
}

/* Reads the XML, up to XML_MAX bytes and one more. Return: its length, -1 with errno. */
static ssize_t read_xml(void)
{
	ssize_t len = read_all(STDIN_FILENO, usual, XML_USUAL), more;

	if (len < (ssize_t)XML_USUAL)
		return len;
	xml = malloc(XML_MAX + 2);
	if (!xml)
		return -1;
	memcpy(xml, usual, XML_USUAL);
	more = read_all(STDIN_FILENO, xml + XML_USUAL, XML_MAX + 1 - XML_USUAL);
	return more < 0 ? -1 : len + more;
}

/* Return: whether the worker acts on an operation. */
static bool is_ours(const char *operation)
{
	for (const char *const *known = operations; *known; known++)
		if (strcmp(operation, *known) == 0)
			return true;
	return false;
}

/* Return: whether text has part in it. */
static bool has(const char *text, size_t len, const char *part)
{
	return memmem(text, len, part, strlen(part)) != NULL;
}

/*
 * Looks for a character reference that could spell a letter of ASCII, such as &#104; for h. libvirt writes others: &#13; in a description,
 * &#xE4; in metadata.
 * text: ends with NUL. Return: whether there is one, or one that cannot be read.
 */
static bool has_spelled_letter(const char *text)
{
	for (const char *at = text; (at = strstr(at, "&#"));) {
		unsigned long code;
		char *end;

		at += 2;
		code = *at == 'x' ? strtoul(at + 1, &end, 16) : strtoul(at, &end, 10);
		if (*end != ';' || code == 0 || (code >= 0x20 && code < 0x7f))
			return true;
	}
	return false;
}

/*
 * name, len: of a network, as it stands in the XML.
 * Return: whether the network is active and a pool of host devices, or cannot be looked up here (the worker then does it).
 */
static bool may_be_pool(const char *name, size_t len)
{
	char path[PATH_MAX];
	ssize_t got;
	int fd;

	if (len == 0 || len > NETWORK_NAME_MAX)
		return true;
	/* A parser reads other characters than these: '&' begins a reference, and what ends a line or a column is a blank in an attribute. */
	for (size_t i = 0; i < len; i++)
		if (strchr("/&\t\n\r", name[i]))
			return true;
	if ((size_t)snprintf(path, sizeof(path), "%s/%.*s.xml", NETWORK_DIRECTORY, (int)len, name) >= sizeof(path))
		return true;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return errno != ENOENT;
	got = read_all(fd, network, sizeof(network));
	close(fd);
	return got < 0 || got == (ssize_t)sizeof(network) || has(network, (size_t)got, "hostdev");
}

/*
 * Looks up every network='NAME' of the XML. One that stands in a text instead of <source> costs a look too many, nothing else.
 * text: ends with NUL. Return: whether one of them may be a pool.
 */
static bool has_pool(const char *text)
{
	for (const char *at = text; (at = strstr(at, "network"));) {
		bool is_word = at > text && strchr(" \t\r\n", at[-1]);
		const char *end;

		at += strlen("network");
		if (!is_word)
			continue;
		at += strspn(at, " \t\r\n");
		if (*at != '=')
			continue;
		at += 1 + strspn(at + 1, " \t\r\n");
		if (*at != '\'' && *at != '"')
			continue;
		end = strchr(at + 1, *at);
		if (!end || may_be_pool(at + 1, (size_t)(end - at - 1)))
			return true;
		at++; /* and not to the end: a quotation mark in a text would hide the network behind it */
	}
	return false;
}

/*
 * Finds the guest's mark. Its uuid is the first element of that name: libvirt writes it behind <name>, and no other before it.
 * text: ends with NUL, or NULL. path: receives the mark's, PATH_MAX bytes. Return: whether there is a uuid.
 */
static bool find_mark(const char *text, char *path)
{
	const char *at = text ? strstr(text, "<uuid>") : NULL;
	char uuid[MARK_UUID_LEN + 1];

	if (!at || strspn(at + 6, "0123456789abcdefABCDEF-") != MARK_UUID_LEN || at[6 + MARK_UUID_LEN] != '<')
		return false;
	for (size_t i = 0; i < MARK_UUID_LEN; i++) {
		char letter = at[6 + i];

		uuid[i] = letter >= 'A' && letter <= 'F' ? (char)(letter - 'A' + 'a') : letter;
	}
	uuid[MARK_UUID_LEN] = '\0';
	snprintf(path, PATH_MAX, "%s/%s%s", MARK_DIRECTORY, uuid, MARK_SUFFIX);
	return true;
}

/* text: the XML. Return: whether anything is kept here for the guest. */
static bool has_state(const char *text)
{
	char path[PATH_MAX];

	return find_mark(text, path) && access(path, F_OK) == 0;
}

/* text: the XML. Return: whether the guest comes by a migration and was not seen to land. */
static bool is_arriving(const char *text)
{
	char path[PATH_MAX];
	ssize_t got = -1;
	int fd = find_mark(text, path) ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;

	if (fd >= 0) {
		got = read_all(fd, network, sizeof(network));
		close(fd);
	}
	return got > 0 && has(network, (size_t)got, MARK_ARRIVING);
}

/*
 * text, len: the XML, with a NUL behind it. Return: whether the guest may have a VF; see the head of this file, 3.
 */
static bool has_candidate(const char *text, size_t len)
{
	if (strncmp(text, "<domain", 7) != 0 || !strchr(" >\n", text[7]) || memchr(text, '\0', len))
		return true;
	return has(text, len, "hostdev") || has(text, len, "urn:vferry:passport") || has_spelled_letter(text) || has_pool(text);
}

/* Return: whether an event is one at which a guest comes up. */
static bool is_start(const char *operation)
{
	return strcmp(operation, "prepare") == 0 || strcmp(operation, "start") == 0 || strcmp(operation, "started") == 0;
}

/*
 * Ends an event that cannot be handled: refuses a migration, warns and lets libvirt go on otherwise.
 * guest: its name, from another host perhaps; what: the sentence. Return: exit status.
 */
static int give_up(const char *guest, const char *operation, const char *what)
{
	char shown[256], line[1024];
	size_t length = 0;

	for (; length < sizeof(shown) - 1 && guest[length]; length++)
		shown[length] = guest[length] < ' ' || guest[length] > '~' ? '?' : guest[length];
	shown[length] = '\0';
	if (strcmp(operation, "migrate") != 0 && !(is_start(operation) && is_arriving(xml))) {
		snprintf(line, sizeof(line), "%s: %s: not looked at: %s", shown, operation, what);
		dev_log(LOG_WARNING, "vferry", line);
		return 0;
	}
	snprintf(line, sizeof(line), "%s: %s: refused: %s", shown, operation, what);
	dev_log(LOG_ERR, "vferry", line);
	fprintf(stderr, "vferry: %s: %s\n", shown, what);
	return 1;
}

/* Makes the first len bytes of the buffer the new stdin. Return: 0, -1 with errno. */
static int put_on_stdin(size_t len)
{
	int fd = memfd_create("vferry-domain", MFD_CLOEXEC);

	for (size_t done = 0; fd >= 0 && done < len;) {
		ssize_t written = write(fd, xml + done, len - done);

		if (written < 0 && errno != EINTR)
			return -1;
		done += written > 0 ? (size_t)written : 0;
	}
	return fd < 0 || lseek(fd, 0, SEEK_SET) < 0 || dup2(fd, STDIN_FILENO) < 0 ? -1 : 0;
}

/*
 * Starts the worker, with the same arguments. SIGALRM is blocked until it has a handler: the default one would end it as by a failure.
 * Return: its process, -1 with worker_error.
 */
static pid_t start_worker(char **argv)
{
	sigset_t set, before;
	pid_t child;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, &before);
	child = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork): nothing is copied, and the child calls what may be called */
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* NOLINT(clang-analyzer-unix.Vfork): system calls alone */
		hand_deadline_on();
		execv(WORKER, argv);
		worker_error = errno; /* in the memory of both */
		_exit(127);
	}
	if (child < 0)
		worker_error = errno;
	worker = child > 0 && !worker_error ? child : 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return worker ? child : -1;
}

/* Runs the worker. Return: exit status: the worker's, or what its failure means. */
static int run_worker(char **argv, size_t len)
{
	char what[512];
	int status = 0;

	if (put_on_stdin(len) < 0)
		worker_error = errno;
	else if (start_worker(argv) > 0) {
		while (waitpid(worker, &status, 0) < 0 && errno == EINTR)
			;
		if (WIFEXITED(status) && WEXITSTATUS(status) < 126)
			return WEXITSTATUS(status);
	}
	if (worker_error)
		snprintf(what, sizeof(what), "%s cannot be run: %s; install vferry completely, or remove its hook", WORKER,
			 strerror(worker_error));
	else
		snprintf(what, sizeof(what), "%s died (%s %d); report it with what journalctl -t vferry shows", WORKER,
			 WIFSIGNALED(status) ? "by signal" : "with status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return give_up(argv[1], argv[2], what);
}

int main(int argc, char **argv)
{
	ssize_t len;

	if (argc < 3) {
		fprintf(stderr, "vferry: this is a hook of libvirt, called with GUEST OPERATION SUB-OPERATION EXTRA\n");
		return 2;
	}
	if (!is_ours(argv[2])) {
		set_deadline(argv[2]);
		drain();
		return 0;
	}
	set_deadline(argv[2]);
	len = read_xml();
	if (len < 0)
		return give_up(argv[1], argv[2], "the domain XML cannot be read from libvirt");
	if (len > (ssize_t)XML_MAX) {
		drain();
		return give_up(argv[1], argv[2], "the domain XML is longer than 16 MiB; make the guest's metadata smaller");
	}
	xml[len] = '\0';
	return has_candidate(xml, (size_t)len) || has_state(xml) ? run_worker(argv, (size_t)len) : 0;
}
