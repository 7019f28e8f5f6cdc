/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stand-in for the header of inih r49, which RHEL 9 has: this machine's, without the names that came later. */
#ifndef OLD_INI_H
#define OLD_INI_H

#include_next <ini.h>

#undef INI_CUSTOM_ALLOCATOR
#pragma GCC poison INI_CUSTOM_ALLOCATOR ini_parse_string_length

#endif
