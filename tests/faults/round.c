/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * round.c: what the agent's round does to a host, without libvirt: round GUEST GUEST.xml. A guest's devices have changed; and the look what became of
 * everything that was given away. Exit status: 0, or 1 with one sentence; the agent tries again then.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/scope.h"
#include "engine/hotplug.h"
#include "engine/ready.h"

#define MAX (1u << 20) /* bytes of XML */

/* Reads the guest. Return: 0, negative errno. */
static int read_guest(const char *path, struct domain *domain, struct reason *why)
{
	autofree char *text = calloc(1, MAX);
	FILE *file = fopen(path, "re");
	size_t length = text && file ? fread(text, 1, MAX, file) : 0;

	if (file)
		fclose(file);
	return domain_parse(text, length, domain, why);
}

int main(int argc, char **argv)
{
	autofree struct domain *domain = calloc(1, sizeof(*domain));
	autofree struct config *config = calloc(1, sizeof(*config));
	struct reason why = { 0 };
	int error;

	if (argc != 3 || !domain || !config)
		return 2;
	error = config_read(NULL, config, &why);
	if (!error)
		error = read_guest(argv[2], domain, &why);
	if (!error)
		error = hotplug_sync(config, domain, deadline_in((int)config->hook_deadline * 1000), &why);
	(void)ready_reconcile(config, deadline_in((int)config->hook_deadline * 1000), NULL);
	if (error)
		reason_print(&why, argv[1], stderr);
	domain_release(domain);
	return error ? 1 : 0;
}
