/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scope.h: release by scope.
 *
 * A variable marked with one of these is released when its scope ends, on every path. Functions that hand the value on to their
 * caller use scope_take() or scope_take_fd().
 */
#ifndef VFERRY_BASE_SCOPE_H
#define VFERRY_BASE_SCOPE_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void scope_free(void *p)
{
	free(*(void **)p);
}

static inline void scope_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void scope_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void scope_closedir(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* Returns *p and leaves NULL behind, so that the scope does not free it. */
static inline void *scope_take(void *p)
{
	void **slot = p, *value = *slot;

	*slot = NULL;
	return value;
}

/* Returns *fd and leaves -1 behind, so that the scope does not close it. */
static inline int scope_take_fd(int *fd)
{
	int value = *fd;

	*fd = -1;
	return value;
}

#define autofree __attribute__((cleanup(scope_free)))
#define autoclose __attribute__((cleanup(scope_close)))
#define autofclose __attribute__((cleanup(scope_fclose)))
#define autoclosedir __attribute__((cleanup(scope_closedir)))

#endif
