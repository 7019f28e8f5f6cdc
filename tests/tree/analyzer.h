/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * analyzer.h: what clang-tidy cannot see across files; included before everything else by tests/tree/tidy, never by a build.
 *
 * reason_set() returns the error that it was given, which is never 0. Without this, it follows a path on which a function failed,
 * returned 0, and left its results unwritten. (Not for reason.c, which defines it.)
 */
#ifndef VFERRY_TESTS_ANALYZER_H
#define VFERRY_TESTS_ANALYZER_H

/* As the sources do that need it; it must come before the first header. */
#define _GNU_SOURCE

#include "base/reason.h"

/* Tells the analyzer that error is negative. */
static inline int analyzer_failed(int error)
{
	if (error >= 0)
		__builtin_unreachable();
	return error;
}

#define reason_set(...) analyzer_failed(reason_set(__VA_ARGS__))

#endif
