/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_candidate.c: the decision of the hook's first program. It may hand a guest to the worker for nothing, but when it keeps one away,
 * the worker must not have found a host device, a pool of them or a passport in it.
 */
#include "fuzz.h"

static char network_path[256];
int hook_main(int argc, char **argv);

#define WORKER "/nonexistent"
#define NETWORK_DIRECTORY network_path
#define main hook_main
#include "../../hooks/qemu.c" /* NOLINT(bugprone-suspicious-include): a program of one file, as it is */
#undef main

#include "base/scope.h"
#include "domain/domain.h"
#include "domain/network.h"

#define POOL "<networkstatus><network><forward mode='hostdev'><pf dev='p0'/></forward></network></networkstatus>"
#define OTHER "<networkstatus><network><forward mode='nat'/></network></networkstatus>"

/* Makes the networks of this host: two pools, one with an awkward name, and one that is none. */
static void make_networks(void)
{
	if (network_path[0])
		return;
	fuzz_file("/run/libvirt/network/pool.xml", POOL, sizeof(POOL) - 1);
	fuzz_file("/run/libvirt/network/a b.xml", POOL, sizeof(POOL) - 1);
	fuzz_file("/run/libvirt/network/default.xml", OTHER, sizeof(OTHER) - 1);
	snprintf(network_path, sizeof(network_path), "%s/run/libvirt/network", fuzz_root());
}

/* Return: whether the worker finds something to do in a domain. */
static bool worker_would(const struct domain *domain)
{
	if (domain->passport.present)
		return true;
	for (size_t i = 0; i < domain->hostdevs; i++) {
		struct network_pool pool = { 0 };

		if (domain->hostdev[i].kind != HOSTDEV_POOL)
			return true;
		if (network_read_pool(domain->hostdev[i].network, domain->hostdev[i].portgroup, &pool, NULL) < 0 || pool.is_pool)
			return true;
	}
	return false;
}

/* One input: the text of a domain. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = fuzz_text(data, size);
	struct domain domain;

	make_networks();
	if (has_candidate(text, size) || domain_parse(text, size, &domain, NULL) < 0)
		return 0;
	REQUIRE(!worker_would(&domain));
	domain_release(&domain);
	return 0;
}
