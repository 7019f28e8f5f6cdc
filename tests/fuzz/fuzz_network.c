/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_network.c: libvirt's status of a network. An input is both such a file and, up to its first newline, the name of a network: no name
 * reaches a file outside the directory.
 */
#include "fuzz.h"

#include <errno.h>
#include <limits.h>

#include "base/scope.h"
#include "domain/network.h"

#define OUTSIDE "<network><forward mode='hostdev'><pf dev='outside'/></forward></network>"

static const int errors[] = { -EINVAL, -E2BIG, -ENAMETOOLONG, 0 };

/* Looks a network up and demands what holds for every answer. */
static void look_up(const char *name, struct network_pool *pool)
{
	struct reason why = { 0 };
	int error = network_read_pool(name, "", pool, &why);

	if (error)
		fuzz_check_reason(error, errors, &why);
	REQUIRE(!error || !pool->is_pool);
	REQUIRE(memchr(pool->pf, '\0', sizeof(pool->pf)) && pool->members <= NETWORK_MAX_MEMBERS);
	REQUIRE(pool->is_pool || (!pool->pf[0] && pool->members == 0));
	for (size_t i = 0; i < pool->members; i++)
		fuzz_check_address(&pool->member[i]);
}

/* One input: the file of the network "pool", and a name. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *name = fuzz_text(data, size);
	struct network_pool pool;

	fuzz_file("/run/libvirt/outside.xml", OUTSIDE, sizeof(OUTSIDE) - 1);
	fuzz_file("/run/libvirt/network/autostart/inside.xml", OUTSIDE, sizeof(OUTSIDE) - 1);
	fuzz_file("/run/libvirt/network/pool.xml", data, size);
	look_up("pool", &pool);
	name[strcspn(name, "\n")] = '\0';
	look_up(name, &pool);
	REQUIRE(!pool.is_pool || strcmp(name, "pool") == 0);
	return 0;
}
