// SPDX-License-Identifier: LGPL-2.1-or-later
/* console.c - lines of text on COM1, 115200 8N1, polled */
#include <stdarg.h>

#include "guest.h"

#define COM1		0x3f8
#define COM_DATA	(COM1 + 0)
#define COM_IER		(COM1 + 1)
#define COM_FCR		(COM1 + 2)
#define COM_LCR		(COM1 + 3)
#define COM_MCR		(COM1 + 4)
#define COM_LSR		(COM1 + 5)
#define LSR_THRE	0x20
#define PATIENCE	10000	/* looks at LSR before a character is given up: nobody may be reading */

/**
 * console_init() - set COM1's speed and format, no interrupts
 */
void console_init(void)
{
	outb(COM_IER, 0);
	outb(COM_LCR, 0x80);
	outb(COM_DATA, 1);
	outb(COM_IER, 0);
	outb(COM_LCR, 3);
	outb(COM_FCR, 1);
	outb(COM_MCR, 3);
}

/**
 * put_char() - send one character, or drop it if the port stays full
 * @c:	the character; a newline goes out as CR LF
 */
static void put_char(char c)
{
	unsigned int i;

	if (c == '\n')
		put_char('\r');
	for (i = 0; i < PATIENCE && !(inb(COM_LSR) & LSR_THRE); i++)
		;
	outb(COM_DATA, (uint8_t)c);
}

/**
 * put_number() - send an unsigned number
 * @value:	the number
 * @base:	10 or 16
 * @width:	least number of digits, filled with zeros
 */
static void put_number(uint64_t value, unsigned int base, unsigned int width)
{
	char digits[24];
	unsigned int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value || n < width);
	while (n)
		put_char(digits[--n]);
}

/**
 * put_string() - send a string
 * @s:	the string
 */
static void put_string(const char *s)
{
	while (*s)
		put_char(*s++);
}

/**
 * say() - a small printf to COM1
 * @format:	knows %s, %u, %x, %lu, %lx and a width of one digit, which fills with zeros
 */
void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	for (; *format; format++) {
		unsigned int width = 0;
		bool is_long = false;

		if (*format != '%') {
			put_char(*format);
			continue;
		}
		for (format++; *format >= '0' && *format <= '9'; format++)
			width = (unsigned int)(*format - '0');
		if (*format == 'l') {
			is_long = true;
			format++;
		}
		if (*format == 's')
			put_string(va_arg(args, const char *));
		else
			put_number(is_long ? va_arg(args, unsigned long) : va_arg(args, unsigned int),
				   *format == 'x' ? 16 : 10, width);
	}
	va_end(args);
}
