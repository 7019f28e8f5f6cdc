/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* options.h - the station's command line */
#ifndef STATION_OPTIONS_H
#define STATION_OPTIONS_H

#include "count.h"

/**
 * struct options - the command line, parsed
 * @interface:		interface to listen on
 * @json:		file of the report, NULL for none
 * @ip:			own address for pings, host byte order, 0 for none
 * @ping, @n_pings:	addresses to ping, host byte order
 * @every_ms:		between two pings
 * @patience_ms:	a ping not answered for longer is lost
 * @gap_ms:		shorter gaps are left out of the time line
 * @seconds:		end after so long, 0 for never
 */
struct options {
	const char *interface, *json;
	uint32_t ip, ping[MAX_PINGS];
	size_t n_pings;
	double every_ms, patience_ms, gap_ms, seconds;
};

/* Ends the program with a message if something is wrong. */
void fail(const char *what, const char *why) __attribute__((noreturn));

/* Parses the command line; ends the program if it is wrong or asks for help. */
void options_parse(struct options *opt, int argc, char **argv);

#endif
