// SPDX-License-Identifier: LGPL-2.1-or-later
/* string.c - the few functions of <string.h> that gcc may call by itself */
#include "guest.h"

/**
 * memcpy() - copy memory that does not overlap
 * @to:		where to
 * @from:	where from
 * @length:	bytes
 *
 * Return: @to
 */
void *memcpy(void *to, const void *from, size_t length)
{
	void *start = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(length) : : "memory");
	return start;
}

/**
 * memmove() - copy memory that may overlap
 * @to:		where to
 * @from:	where from
 * @length:	bytes
 *
 * Return: @to
 */
void *memmove(void *to, const void *from, size_t length)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	if (t <= f || t >= f + length)
		return memcpy(to, from, length);
	while (length--)
		t[length] = f[length];
	return to;
}

/**
 * memset() - fill memory
 * @to:		where
 * @value:	the byte to fill with
 * @length:	bytes
 *
 * Return: @to
 */
void *memset(void *to, int value, size_t length)
{
	void *start = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(length) : "a"(value) : "memory");
	return start;
}

/**
 * memcmp() - compare memory
 * @a:		one
 * @b:		the other
 * @length:	bytes
 *
 * Return: 0 if equal, else the difference of the first bytes that differ
 */
int memcmp(const void *a, const void *b, size_t length)
{
	const uint8_t *x = a, *y = b;

	for (; length; length--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

/**
 * strlen() - length of a string
 * @s:	the string
 *
 * Return: bytes before its NUL
 */
size_t strlen(const char *s)
{
	const char *end = s;

	while (*end)
		end++;
	return (size_t)(end - s);
}
