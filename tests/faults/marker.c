/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* marker.c: linked last into a program that inject runs; its constructor is the last before main(). */
#include <sys/prctl.h>

#include "marker.h"

__attribute__((constructor)) static void mark(void)
{
	(void)prctl(MARKER, 0, 0, 0, 0);
}
