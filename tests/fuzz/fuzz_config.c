/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_config.c: the configuration. A file that is accepted leaves every key within what the table of keys allows; one that is refused
 * leaves the configuration as it was and names file and line.
 */
#include "fuzz.h"

#include <ctype.h>
#include <errno.h>

#include "base/config.h"

#define FILE_NAME "/etc/vferry/vferry.conf"

/* Demands that a choice is one of those of its key. */
static void check_choice(const struct config_key *key, const void *value)
{
	unsigned int chosen = 0, count = 0;

	REQUIRE(key->size == sizeof(bool) || key->size == sizeof(chosen));
	if (key->size == sizeof(bool))
		chosen = *(const unsigned char *)value;
	else
		memcpy(&chosen, value, sizeof(chosen));
	while (key->choices[count])
		count++;
	REQUIRE(chosen < count);
}

/* Demands that a text ends within its member, is as long as its key allows and can be shown. */
static void check_text(const struct config_key *key, const char *value)
{
	REQUIRE(memchr(value, '\0', key->size));
	REQUIRE(strlen(value) >= key->min && strlen(value) <= key->max);
}

/* Demands of every member what the table says about its key. */
static void check_config(const struct config *config)
{
	for (const struct config_key *key = config_keys(); key->section; key++) {
		const void *value = (const char *)config + key->offset;
		const unsigned int *number = value;

		if (key->choices)
			check_choice(key, value);
		else if (key->allowed && key->size == sizeof(*number)) /* a number, or a word that stands for one */
			REQUIRE(*number == CONFIG_DOWNTIME_AUTO || *number == CONFIG_DOWNTIME_OFF || (*number >= key->min && *number <= key->max));
		else if (key->allowed && !key->max) /* a set of VLANs, in which every bit is a VLAN */
			continue;
		else if (key->allowed)
			check_text(key, value);
		else
			REQUIRE(*number >= key->min && *number <= key->max);
	}
}

/* One input: the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int errors[] = { -EINVAL, -EFBIG, 0 };
	struct config config, before;
	struct reason why = { 0 };
	int error;

	memset(&config, 0x5a, sizeof(config));
	before = config;
	fuzz_file(FILE_NAME, data, size);
	error = config_read(FILE_NAME, &config, &why);
	if (!error) {
		check_config(&config);
		return 0;
	}
	fuzz_check_reason(error, errors, &why);
	REQUIRE(memcmp(&config, &before, sizeof(config)) == 0);
	REQUIRE(strncmp(why.object, FILE_NAME, strlen(FILE_NAME)) == 0);
	return 0;
}
