// SPDX-License-Identifier: LGPL-2.1-or-later
/* options.c - the station's command line; README.md describes it */
#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

static const char usage[] =
	"usage: station [OPTION]... INTERFACE\n"
	"Counts the lab guests' numbered frames on INTERFACE.\n"
	"  --ping IP[,IP]...  ping these addresses\n"
	"  --ip IP            own address for --ping\n"
	"  --every MS         milliseconds between two pings (20)\n"
	"  --patience MS      a ping not answered for longer is lost (1000)\n"
	"  --gap-ms MS        list gaps longer than this (50)\n"
	"  --json FILE        write the report there\n"
	"  --seconds N        end after N seconds\n"
	"  --help\n"
	"SIGUSR1 writes the report, SIGTERM and SIGINT write it and end.\n";

/**
 * fail() - say what is wrong and end with status 1
 * @what:	on what
 * @why:	what is wrong
 */
void fail(const char *what, const char *why)
{
	fprintf(stderr, "station: %s: %s\n", what, why);
	exit(1);
}

/**
 * wrong() - the command line is wrong: say how it should be and end with status 2
 */
static void __attribute__((noreturn)) wrong(void)
{
	fputs(usage, stderr);
	exit(2);
}

/**
 * help() - say what the program does and end with status 0
 */
static void __attribute__((noreturn)) help(void)
{
	fputs(usage, stdout);
	exit(0);
}

/**
 * parse_positive() - read an option's number
 * @text:	the number
 *
 * Return: the number; ends the program if it is none or not above 0
 */
static double parse_positive(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value > 0) || value > 1e9)
		fail(text, "a number above 0 is needed here");
	return value;
}

/**
 * parse_ip() - read an IPv4 address
 * @text:	the address
 *
 * Return: the address in host byte order; ends the program if it is none
 */
static uint32_t parse_ip(const char *text)
{
	struct in_addr a;

	if (inet_pton(AF_INET, text, &a) != 1)
		fail(text, "not an IPv4 address");
	return ntohl(a.s_addr);
}

/**
 * parse_pings() - read a list of addresses
 * @opt:	gets them
 * @list:	addresses with commas between; is taken apart
 */
static void parse_pings(struct options *opt, char *list)
{
	char *save, *word;

	for (word = strtok_r(list, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		if (opt->n_pings == MAX_PINGS)
			fail(word, "too many addresses to ping");
		opt->ping[opt->n_pings++] = parse_ip(word);
	}
}

/**
 * parse_option() - take one option
 * @opt:	result
 * @c:		its letter
 * @value:	its value
 */
static void parse_option(struct options *opt, int c, char *value)
{
	switch (c) {
	case 'p': parse_pings(opt, value); break;
	case 'i': opt->ip = parse_ip(value); break;
	case 'e': opt->every_ms = parse_positive(value); break;
	case 't': opt->patience_ms = parse_positive(value); break;
	case 'g': opt->gap_ms = parse_positive(value); break;
	case 'j': opt->json = value; break;
	case 's': opt->seconds = parse_positive(value); break;
	case 'h': help();
	default: wrong();
	}
}

/**
 * options_parse() - read the command line; ends the program if it is wrong or asks for help
 * @opt:	result
 * @argc, @argv: the command line
 */
void options_parse(struct options *opt, int argc, char **argv)
{
	static const struct option table[] = {
		{ "ping", 1, NULL, 'p' }, { "ip", 1, NULL, 'i' }, { "every", 1, NULL, 'e' }, { "patience", 1, NULL, 't' },
		{ "gap-ms", 1, NULL, 'g' }, { "json", 1, NULL, 'j' }, { "seconds", 1, NULL, 's' }, { "help", 0, NULL, 'h' },
		{ 0 }
	};
	int c;

	*opt = (struct options){ .every_ms = 20, .patience_ms = 1000, .gap_ms = 50 };
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1)
		parse_option(opt, c, optarg);
	if (optind + 1 != argc)
		wrong();
	opt->interface = argv[optind];
	if (opt->n_pings && !opt->ip)
		fail("--ping", "needs an own address too: --ip");
}
