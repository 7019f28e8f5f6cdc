/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_inventory.c: a recorded host. What is read and written again must read the same.
 */
#include "fuzz.h"

#include <errno.h>

#include "base/scope.h"
#include "host/inventory.h"

static struct inventory inventory;

/* Demands what holds for every PF. */
static void check_pf(const struct inventory_pf *pf)
{
	REQUIRE(pf->num_vfs <= INVENTORY_MAX_VFS && (pf->vf || pf->num_vfs == 0));
	REQUIRE(memchr(pf->uplink, '\0', sizeof(pf->uplink)) && memchr(pf->trouble, '\0', sizeof(pf->trouble)));
	fuzz_check_address(&pf->address);
	for (unsigned int i = 0; i < pf->num_vfs; i++) {
		fuzz_check_address(&pf->vf[i].address);
		REQUIRE(memchr(pf->vf[i].bridge, '\0', sizeof(pf->vf[i].bridge)));
		REQUIRE(memchr(pf->vf[i].port.netdev, '\0', sizeof(pf->vf[i].port.netdev)));
	}
}

/* Demands what holds for every inventory, and looks addresses up in it. */
static void check_inventory(void)
{
	const struct pci_address address = { .bus = 0x81, .function = 2 };
	unsigned int index = 0;

	REQUIRE(inventory.pfs <= INVENTORY_MAX_PFS);
	for (size_t i = 0; i < inventory.pfs; i++) {
		check_pf(&inventory.pf[i]);
		REQUIRE(inventory_find_pf(&inventory, &inventory.pf[i].address));
	}
	inventory_find_vf(&inventory, &address, &index);
	for (size_t i = 0; i < inventory.ovs.ports; i++) {
		REQUIRE(inventory.ovs.port[i].members <= OVS_MAX_MEMBERS);
		fuzz_check_clean(inventory.ovs.port[i].name);
		REQUIRE(ovs_find_port(&inventory.ovs, inventory.ovs.port[i].name));
	}
}

/* Writes the inventory. Returns its text for free(). */
static char *write_text(void)
{
	struct json_object *json = inventory_to_json(&inventory);
	char *text = strdup(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN));

	REQUIRE(text);
	json_object_put(json);
	return text;
}

/* Reads a text. Return: 0, -EINVAL, 1 if it is no JSON. */
static int read_text(const char *text)
{
	static const int errors[] = { -EINVAL, 0 };
	struct json_object *json = json_tokener_parse(text);
	struct reason why = { 0 };
	int error;

	if (!json)
		return 1;
	error = inventory_from_json(json, &inventory, &why);
	json_object_put(json);
	if (error)
		fuzz_check_reason(error, errors, &why);
	return error;
}

/* Demands that the numbers of one text are those of another. */
static void check_numbers(const char *before, const char *after)
{
	struct json_object *read = json_tokener_parse(before), *written = json_tokener_parse(after);

	fuzz_check_numbers(read, written);
	json_object_put(read);
	json_object_put(written);
}

/* One input: JSON. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = fuzz_text(data, size), *first = NULL, *second = NULL;

	if (read_text(text) != 0)
		return 0;
	check_inventory();
	first = write_text();
	check_numbers(text, first);
	inventory_release(&inventory);
	REQUIRE(read_text(first) == 0);
	second = write_text();
	inventory_release(&inventory);
	REQUIRE(strcmp(first, second) == 0);
	return 0;
}
