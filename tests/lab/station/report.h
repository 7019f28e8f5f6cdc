/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report.h - the station's report, as JSON and for people */
#ifndef STATION_REPORT_H
#define STATION_REPORT_H

#include <stdio.h>

#include "count.h"

/**
 * struct report - what is reported besides the counts
 * @station:		the counts
 * @interface:		interface listened on
 * @started_ns:		when counting began, ns since the epoch
 * @now_ns:		time of the report, ns since the epoch
 * @patience_ns:	a ping not answered for longer is lost
 * @socket_drops:	frames the kernel dropped because the station was too slow: counts are wrong if not 0
 * @final:		the station ends with this report
 */
struct report {
	const struct station *station;
	const char *interface;
	int64_t started_ns, now_ns, patience_ns;
	uint64_t socket_drops;
	bool final;
};

void report_json(FILE *out, const struct report *r);
void report_text(FILE *out, const struct report *r);
int report_file(const char *path, const struct report *r);

#endif
