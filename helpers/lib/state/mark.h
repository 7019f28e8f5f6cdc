/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mark.h: the one file that tells whether a guest has anything here: a lease, a VF, a port, a place in the line.
 *
 * It exists from before the first change that is made for the guest until after the last of them is taken back; what is in it is the
 * business of this room. hooks/qemu.c asks for it with one access(2) at every event of every guest, so that a guest whose VF was taken
 * out of its XML is still given back what is kept for it. Nothing but macros: that program has libc alone.
 */
#ifndef VFERRY_STATE_MARK_H
#define VFERRY_STATE_MARK_H

#define MARK_DIRECTORY "/run/vferry/guests"
#define MARK_SUFFIX ".json"                         /* behind the uuid, which is in lower case */
#define MARK_FORM MARK_DIRECTORY "/%s" MARK_SUFFIX  /* for printf: the uuid */
#define MARK_ARRIVING "\"arriving\""                /* is in it from "migrate" until the guest has landed */
#define MARK_UUID_LEN 36                            /* without NUL */

#endif
