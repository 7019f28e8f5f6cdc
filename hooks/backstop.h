/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * backstop.h: the end of a call by force, when its time is up, whatever it is doing.
 *
 * Nothing of vferry should come to that: every wait has a deadline. What the call changed stands in the journal, and the next call, or
 * vferry release, takes it back.
 */
#ifndef VFERRY_HOOKS_BACKSTOP_H
#define VFERRY_HOOKS_BACKSTOP_H

#include <stdbool.h>

/* First of all: takes the time over that the first program of the hook has used (deadline.h), with hook_deadline's default. */
void backstop_begin(bool refuses);

/* Sets how long the whole call may take, in seconds from its first instruction. Return: ms of it that have passed. */
int backstop_limit(unsigned int seconds);

/* Sets what the end by force means: a refusal, said in one sentence, or nothing. */
void backstop_refuses(bool refuses);

#endif
