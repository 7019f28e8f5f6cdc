/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pipes.c: what libvirt writes to the worker, and reads from it. See pipes.h.
 */
#include "pipes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "domain/domain.h"

/*
 * pipes_read_xml() - the domain XML, bounded
 * @xml:	result, malloc'ed
 * @len:	its length in bytes
 * Return: 0, negative errno
 */
int pipes_read_xml(char **xml, size_t *len, struct reason *why)
{
	autofree char *buffer = malloc(DOMAIN_XML_MAX + 1);
	size_t used = 0;
	ssize_t n;

	if (!buffer)
		return reason_set(why, -ENOMEM, NULL, "out of memory");
	while ((n = read(STDIN_FILENO, buffer + used, DOMAIN_XML_MAX + 1 - used)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return reason_set(why, -errno, "stdin", "cannot read the domain XML: %s", strerror(errno));
		used += (size_t)n;
		if (used > DOMAIN_XML_MAX)
			return reason_set(why, -E2BIG, "stdin", "the domain XML is larger than %u MiB", DOMAIN_XML_MAX >> 20);
	}
	*len = used;
	*xml = scope_take(&buffer);
	return 0;
}

/*
 * pipes_write_xml() - domain XML to stdout, all of it or an error
 * Return: 0, -EIO
 */
int pipes_write_xml(const char *xml, size_t len, struct reason *why)
{
	if (fwrite(xml, 1, len, stdout) == len && fflush(stdout) == 0)
		return 0;
	return reason_set(why, -EIO, "stdout", "cannot give libvirt the domain XML: %s", strerror(errno));
}
