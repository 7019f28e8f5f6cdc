/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* marker.h: the call by which inject knows that a program is about to begin: prctl(2) of something that does not exist. */
#ifndef VFERRY_TESTS_MARKER_H
#define VFERRY_TESTS_MARKER_H

#define MARKER 0x76666572

#endif
