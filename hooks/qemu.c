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
 *      nothing in it spells "hostdev" or a passport, and none of its networks is a pool of host devices on this host.
 *   4. Otherwise the worker takes the place of this program.
 *
 * When the worker cannot be started, only `migrate` is refused: the guest then stays where it is, and the user of virsh reads why. A
 * failure at any other operation would stop a guest from starting, or kill one that runs (at `reconnect`): there the hook warns in the
 * log and lets libvirt go on.
 *
 * Privilege: root, as libvirtd; it opens libvirt's network status files and nothing else, and needs libc alone.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem, memfd_create */
#endif

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <syslog.h>
#include <unistd.h>

#ifndef LIBEXECDIR
#define LIBEXECDIR "/usr/libexec"
#endif
#ifndef WORKER
#define WORKER LIBEXECDIR "/vferry/hook"
#endif
#ifndef NETWORK_DIRECTORY
#define NETWORK_DIRECTORY "/run/libvirt/network" /* src/network/bridge_driver.c, stateDir */
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

/* The operations that the worker acts on (libvirt's docs/hooks.rst lists all); `restore` and `attach` are not among them. */
static const char *const operations[] = {"migrate", "prepare", "start", "started", "stopped", "release", "reconnect", NULL};

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
 * text, len: the XML, with a NUL behind it. Return: whether the guest may have a VF; see the head of this file, 3.
 */
static bool has_candidate(const char *text, size_t len)
{
	if (strncmp(text, "<domain", 7) != 0 || !strchr(" >\n", text[7]) || memchr(text, '\0', len))
		return true;
	return has(text, len, "hostdev") || has(text, len, "urn:vferry:passport") || has_spelled_letter(text) || has_pool(text);
}

/*
 * Ends an event that cannot be handled: refuses `migrate`, warns and lets libvirt go on otherwise.
 * guest: its name, from another host perhaps; what: the sentence. Return: exit status.
 */
static int give_up(const char *guest, const char *operation, const char *what)
{
	char shown[256];
	size_t length = 0;

	for (; length < sizeof(shown) - 1 && guest[length]; length++)
		shown[length] = guest[length] < ' ' || guest[length] > '~' ? '?' : guest[length];
	shown[length] = '\0';
	openlog("vferry", LOG_PID, LOG_DAEMON);
	if (strcmp(operation, "migrate") != 0) {
		syslog(LOG_WARNING, "%s: %s: not looked at: %s", shown, operation, what);
		return 0;
	}
	syslog(LOG_ERR, "%s: migrate: refused: %s", shown, what);
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

/* Puts the worker in the place of this program, with the same arguments. Return: exit status, if that failed. */
static int run_worker(char **argv, size_t len)
{
	char what[512];

	if (put_on_stdin(len) == 0)
		execv(WORKER, argv);
	snprintf(what, sizeof(what), "%s cannot be run: %s; install vferry completely, or remove its hook", WORKER, strerror(errno));
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
		drain();
		return 0;
	}
	len = read_xml();
	if (len < 0)
		return give_up(argv[1], argv[2], "the domain XML cannot be read from libvirt");
	if (len > (ssize_t)XML_MAX) {
		drain();
		return give_up(argv[1], argv[2], "the domain XML is longer than 16 MiB; make the guest's metadata smaller");
	}
	xml[len] = '\0';
	return has_candidate(xml, (size_t)len) ? run_worker(argv, (size_t)len) : 0;
}
