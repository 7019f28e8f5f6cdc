/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nvconfig.c: settings in a card's non-volatile memory.
 *
 * mstconfig -d BDF query SETTING ends with a line "   SETTING    VALUE" (mstflint's own words; VALUE is "NAME(NUMBER)" or a number).
 */
#include "card/nvconfig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/spawn.h"
#include "base/sysroot.h"

#define MSTCONFIG "/usr/bin/mstconfig"

/*
 * pf: PCI address. setting: its name. out: its value for the next boot. deadline: the program is killed then.
 * Return: 0; -ENOENT if mstconfig is not installed; -EIO if it failed; -ENODATA if it does not know the setting; *why filled.
 */
int nvconfig_get(const struct pci_address *pf, const char *setting, char *out, size_t size, deadline_t deadline, struct reason *why)
{
	char program[256], device[] = "-d", query[] = "query", address[PCI_ADDRESS_LEN], name[64], text[4096], value[64], *place;
	char *argv[] = { program, device, address, query, name, NULL };
	int status;

	pci_address_format(pf, address);
	snprintf(name, sizeof(name), "%s", setting);
	if (sysroot_path(program, sizeof(program), "%s", MSTCONFIG) || !sysroot_exists("%s", MSTCONFIG))
		return reason_set(why, -ENOENT, "mstconfig", "it is not installed");
	status = spawn_run(argv, text, sizeof(text), deadline, why);
	if (status)
		return status < 0 ? status : -EIO;
	place = strstr(text, setting);
	if (!place || sscanf(place + strlen(setting), "%63s", value) != 1)
		return reason_set(why, -ENODATA, address, "mstconfig does not know %s", setting);
	snprintf(out, size, "%s", value);
	return 0;
}
