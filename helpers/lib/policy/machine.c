/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * machine.c: whether a host can run a guest beside its VFs. See machine.h.
 */
#include "policy/machine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/rules.h"

/* differs() - whether two values are told and are not the same */
static bool differs(const char *a, const char *b)
{
	return *a && *b && strcmp(a, b) != 0;
}

/* machine_has_same_processor() - architecture and maker */
bool machine_has_same_processor(const struct facts *a, const struct facts *b)
{
	return !differs(a->architecture, b->architecture) && !differs(a->cpu_vendor, b->cpu_vendor);
}

/*
 * version_of() - the version in a machine type, "10.0" of "pc-q35-10.0"
 * Return: "" where it has none that is QEMU's own: distributions count otherwise ("pc-q35-rhel9.6.0", "pc-q35-noble")
 */
static const char *version_of(const char *machine)
{
	const char *dash = strrchr(machine, '-');

	return dash && dash[1] >= '0' && dash[1] <= '9' ? dash + 1 : "";
}

/*
 * machine_judge() - whether a guest can run on another host
 * @guest:	machine and CPU
 * @from, @to:	hosts
 * @why:	filled on refusal
 * Return: 0, -EPERM
 */
int machine_judge(const struct machine_guest *guest, const struct facts *from, const struct facts *to, struct reason *why)
{
	const char *version = version_of(guest->machine);

	if (!machine_has_same_processor(from, to)) {
		reason_set(why, -EPERM, NULL, "its processor is %s %s, and the guest runs on %s %s", to->architecture, to->cpu_vendor,
			   from->architecture, from->cpu_vendor);
		reason_cure(why, "choose another host");
	} else if (guest->is_host_cpu && differs(from->cpu_model, to->cpu_model)) {
		reason_set(why, -EPERM, NULL, "the guest has the host's own CPU, and its processor is another one (%s)", to->cpu_model);
		reason_cure(why, "give the guest a named CPU model that all hosts have: virsh hypervisor-cpu-baseline");
	} else if (*version && *to->qemu && firmware_compare(version, to->qemu) > 0) {
		reason_set(why, -EPERM, NULL, "its QEMU %s has no machine type %s", to->qemu, guest->machine);
		reason_cure(why, "install a newer QEMU there, or pin the guest's machine type to an older one");
	} else {
		return 0;
	}
	reason_rule(why, "P10-machine");
	return -EPERM;
}
