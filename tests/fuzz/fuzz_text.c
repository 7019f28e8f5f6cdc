/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_text.c: texts that another host sent: names that are shown, PCI and MAC addresses. What is shown fits, can be shown and stays as it
 * is when it is cleaned again; an address that parses is written back as it was, but for the case of its letters.
 */
#include "fuzz.h"

#include <iconv.h>
#include <stdio.h>
#include <strings.h>

#include "base/mac_address.h"
#include "base/scope.h"

/* Demands that a text is UTF-8, as the C library has it. */
static void check_utf8(const char *text)
{
	size_t length = strlen(text), room = length * 4 + 4;
	autofree char *copy = strdup(text), *wide = malloc(room);
	char *in = copy, *out = wide;
	iconv_t converter = iconv_open("UCS-4LE", "UTF-8");

	REQUIRE(copy && wide && converter != (iconv_t)-1);
	REQUIRE(iconv(converter, &in, &length, &out, &room) != (size_t)-1 && length == 0);
	iconv_close(converter);
}

/* Demands, by other means than those of the library, that a text is UTF-8 without controls of the terminal or of the direction. */
static void check_shown(const char *text)
{
	static const char *const direction[] = {
		"\xd8\x9c", "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac",
		"\xe2\x80\xad", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa7", "\xe2\x81\xa8", "\xe2\x81\xa9",
	};

	fuzz_check_clean(text);
	check_utf8(text);
	for (size_t i = 0; i < sizeof(direction) / sizeof(direction[0]); i++)
		REQUIRE(!strstr(text, direction[i]));
	for (const char *c = text; *c; c++)
		REQUIRE(c[0] != '\xc2' || (unsigned char)c[1] >= 0xa0); /* U+0080 to U+009F */
}

/* Cleans into memory of that size and no more. */
static void clean_into(const char *text, size_t size)
{
	autofree char *out = malloc(size);

	REQUIRE(out);
	reason_clean(out, size, text);
	REQUIRE(memchr(out, '\0', size));
	check_shown(out);
}

/* Demands that the line for the operator is one line, and whole. */
static void check_line(const char *text)
{
	struct reason why;
	char line[4096];

	reason_set(&why, -1, text, "%s", text);
	reason_cure(&why, "%s", text);
	reason_rule(&why, text);
	reason_format(&why, text, line, sizeof(line));
	check_shown(line);
}

/* Demands that what parses as an address is an address. */
static void check_addresses(const char *text)
{
	char pci_text[PCI_ADDRESS_LEN], mac_text[MAC_ADDRESS_LEN];
	struct pci_address pci, vf;
	struct mac_address mac;

	if (pci_address_parse(text, &pci) == 0) {
		fuzz_check_address(&pci);
		REQUIRE(pci.domain <= 0xffff ? strlen(text) == 12 || text[0] == '0' : strlen(text) == 13);
		pci_address_format(&pci, pci_text);
		REQUIRE(strcasecmp(pci_text, text + (strlen(text) == 13 && text[0] == '0')) == 0);
		if (pci_address_vf(&pci, pci.domain, pci.bus, pci.slot, &vf) == 0)
			fuzz_check_address(&vf);
	}
	if (mac_address_parse(text, &mac) == 0)
		REQUIRE(strcasecmp(mac_address_format(&mac, mac_text), text) == 0);
}

/* One input: a text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t sizes[] = { 1, 2, 3, 4, 5, 17, 128, 256 };
	autofree char *text = fuzz_text(data, size);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		clean_into(text, sizes[i]);
	check_line(text);
	check_addresses(text);
	return 0;
}
