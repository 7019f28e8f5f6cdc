/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz.h: what the fuzz targets share.
 *
 * A target is one file, fuzz_NAME.c, with LLVMFuzzerTestOneInput(): it hands one input to the code and demands with REQUIRE() what must
 * hold for every input. Linked with libFuzzer it makes inputs of its own (`make fuzz`); linked with replay.c it reads the files of
 * corpus/NAME (`make check`).
 */
#ifndef VFERRY_TESTS_FUZZ_H
#define VFERRY_TESTS_FUZZ_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <json-c/json.h>
#include <libxml/tree.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/pci_address.h"
#include "base/reason.h"

/* The entry that libFuzzer and replay.c call. data is malloc'ed to the byte, so that ASan sees a read beyond it. Return: 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program as a crash would unless the condition holds. */
#define REQUIRE(condition)                                            \
	do {                                                          \
		if (!(condition))                                     \
			fuzz_fail(__FILE__, __LINE__, #condition);    \
	} while (0)

_Noreturn void fuzz_fail(const char *file, int line, const char *condition);

/* The scratch directory, which is also the sysroot: made at the first call, removed when the process that made it exits. */
const char *fuzz_root(void);

/* Writes a file below the scratch directory, and the directories above it. */
void fuzz_file(const char *path, const void *data, size_t size);

/* Reads a file below the scratch directory. Returns malloc'ed text with a NUL, NULL if there is none. */
char *fuzz_read(const char *path);

/* Returns a copy of the input as text that ends with NUL, malloc'ed to the byte. */
char *fuzz_text(const uint8_t *data, size_t size);

/* Demands of a failure: one of the errors (a list ended by 0), the same in *why, and a sentence of one line that can be shown. */
void fuzz_check_reason(int error, const int *allowed, const struct reason *why);

/* Demands that a text can be shown: cleaning it changes nothing. */
void fuzz_check_clean(const char *text);

/* Demands that each number and truth value of a JSON value that was read is the same in one that was written, where that has it. */
void fuzz_check_numbers(struct json_object *before, struct json_object *after);

/* Returns the element behind node in document order, NULL at the end. */
xmlNode *fuzz_next_element(xmlNode *node);

/* Demands that all parts of an address are in their range. */
void fuzz_check_address(const struct pci_address *address);

#endif
