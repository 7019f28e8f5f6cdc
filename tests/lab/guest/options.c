// SPDX-License-Identifier: LGPL-2.1-or-later
/* options.c - the command line: words with a space between them, each NAME or NAME=VALUE (see README.md) */
#include "guest.h"

#define DEFAULT_IP		0x0a4d000au	/* 10.77.0.10 */
#define DEFAULT_INTERVAL_MS	5
#define LEAST_HZ		100	/* if hz= does not say otherwise */
#define MOST_HZ			1000
#define DEFAULT_STATUS_S	10

/**
 * parse_number() - read a decimal number
 * @text:	where it begins; moved behind it
 * @value:	result, unchanged if there is none
 *
 * Return: whether there was a number below 2^32
 */
static bool parse_number(const char **text, uint32_t *value)
{
	const char *p = *text;
	uint64_t n = 0;

	for (; *p >= '0' && *p <= '9' && n <= UINT32_MAX; p++)
		n = n * 10 + (uint64_t)(*p - '0');
	if (p == *text || n > UINT32_MAX)
		return false;
	*text = p;
	*value = (uint32_t)n;
	return true;
}

/**
 * parse_ip() - read an IPv4 address in dotted form
 * @text:	where it begins; moved behind it
 * @ip:		result in host byte order, unchanged if there is none
 *
 * Return: whether there was an address
 */
static bool parse_ip(const char **text, uint32_t *ip)
{
	const char *p = *text;
	uint32_t part, result = 0;
	int i;

	for (i = 0; i < 4; i++) {
		if ((i && *p++ != '.') || !parse_number(&p, &part) || part > 255)
			return false;
		result = result << 8 | part;
	}
	*text = p;
	*ip = result;
	return true;
}

/**
 * value_of() - what stands behind NAME= if a word is of that name
 * @word:	the word
 * @name:	the name with its =
 *
 * Return: the value, NULL if the word is another
 */
static const char *value_of(const char *word, const char *name)
{
	size_t length = strlen(name);

	return memcmp(word, name, length) ? NULL : word + length;
}

/**
 * is_word() - whether a word is exactly this one
 * @word:	begins the word, which ends at a space or NUL
 * @name:	name to compare with
 *
 * Return: whether they are equal
 */
static bool is_word(const char *word, const char *name)
{
	const char *end = value_of(word, name);

	return end && (!*end || *end == ' ');
}

/**
 * parse_tag() - copy the tag up to the end of its word or of the frame's field
 * @tag:	result, NUL padded
 * @value:	text behind tag=
 */
static void parse_tag(char tag[VFERRY_TAG_LEN], const char *value)
{
	unsigned int i;

	memset(tag, 0, VFERRY_TAG_LEN);
	for (i = 0; i < VFERRY_TAG_LEN && value[i] && value[i] != ' '; i++)
		tag[i] = value[i];
}

/**
 * parse_numeric() - take a word of the form NAME=NUMBER
 * @opt:	result
 * @word:	begins the word, which ends at a space or NUL
 *
 * Return: whether the word was one of these, with a number
 */
static bool parse_numeric(struct options *opt, const char *word)
{
	const struct {
		const char *name;
		uint32_t *value;
	} table[] = {
		{ "interval=", &opt->interval_ms }, { "hz=", &opt->hz }, { "ballast=", &opt->ballast_mib },
		{ "dirty=", &opt->dirty_mbps }, { "serial=", &opt->status_s },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		const char *value = value_of(word, table[i].name);

		if (value)
			return parse_number(&value, table[i].value) && (!*value || *value == ' ');
	}
	return false;
}

/**
 * parse_word() - take one word
 * @opt:	result
 * @word:	begins the word, which ends at a space or NUL
 *
 * Return: whether the word was understood
 */
static bool parse_word(struct options *opt, const char *word)
{
	const char *value;

	if (is_word(word, "silent")) {
		opt->silent = true;
		return true;
	}
	if (is_word(word, "serial")) {
		opt->status_s = DEFAULT_STATUS_S;
		return true;
	}
	value = value_of(word, "ip=");
	if (value)
		return parse_ip(&value, &opt->ip) && (!*value || *value == ' ');
	value = value_of(word, "tag=");
	if (value) {
		parse_tag(opt->tag, value);
		return true;
	}
	return parse_numeric(opt, word);
}

/**
 * default_hz() - as many ticks as the numbered frames need: each costs, above all under two levels of emulation
 * @interval_ms:	milliseconds between two numbered frames
 *
 * Return: ticks a second
 */
static uint32_t default_hz(uint32_t interval_ms)
{
	uint32_t hz = 1000 / interval_ms;

	return hz < LEAST_HZ ? LEAST_HZ : hz > MOST_HZ ? MOST_HZ : hz;
}

/**
 * options_parse() - parse the command line; what is not understood is named on COM1 and left out
 * @opt:	result
 * @cmdline:	the command line
 */
void options_parse(struct options *opt, const char *cmdline)
{
	*opt = (struct options){ .ip = DEFAULT_IP, .interval_ms = DEFAULT_INTERVAL_MS, .tag = "guest" };
	while (*cmdline) {
		if (*cmdline != ' ' && !parse_word(opt, cmdline))
			say("guest: option not understood, from here: %s\n", cmdline);
		while (*cmdline && *cmdline != ' ')
			cmdline++;
		while (*cmdline == ' ')
			cmdline++;
	}
	if (!opt->interval_ms)
		opt->interval_ms = 1;
	if (opt->hz < 10 || opt->hz > 10000)
		opt->hz = default_hz(opt->interval_ms);
}
