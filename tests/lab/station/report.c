// SPDX-License-Identifier: LGPL-2.1-or-later
/* report.c - writes the report; README.md describes its fields */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

#define TEXT_GAPS	20	/* gaps of the time line that the summary for people shows, the latest */

/**
 * ms() - nanoseconds as milliseconds
 * @ns:		nanoseconds
 *
 * Return: milliseconds; a time since the epoch keeps a precision of a quarter of a microsecond
 */
static double ms(int64_t ns)
{
	return (double)ns / (double)NS_PER_MS;
}

/**
 * mac_text() - write a MAC
 * @mac:	the MAC
 * @text:	room for the text
 *
 * Return: @text
 */
static const char *mac_text(const uint8_t mac[MAC_LEN], char text[18])
{
	snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	return text;
}

/**
 * ip_text() - write an IPv4 address
 * @ip:		the address, host byte order
 * @text:	room for the text
 *
 * Return: @text
 */
static const char *ip_text(uint32_t ip, char text[INET_ADDRSTRLEN])
{
	struct in_addr a = { .s_addr = htonl(ip) };

	inet_ntop(AF_INET, &a, text, INET_ADDRSTRLEN);
	return text;
}

/**
 * json_string() - write a string as JSON; what is not printable ASCII becomes an escape
 * @out:	where to
 * @s:		the string
 */
static void json_string(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c > 0x7e)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

/**
 * json_gap() - write a gap as a JSON object
 * @out:	where to
 * @g:		the gap, NULL for none
 */
static void json_gap(FILE *out, const struct gap *g)
{
	char text[INET_ADDRSTRLEN > 18 ? INET_ADDRSTRLEN : 18];

	if (!g || !g->from_ns) {
		fputs("null", out);
		return;
	}
	if (g->kind == GAP_FRAMES)
		fprintf(out, "{\"kind\": \"frames\", \"mac\": \"%s\", ", mac_text(g->mac, text));
	else
		fprintf(out, "{\"kind\": \"ping\", \"ip\": \"%s\", ", ip_text(g->ip, text));
	fprintf(out, "\"from_ms\": %.3f, \"to_ms\": %.3f, \"ms\": %.3f, \"before\": %" PRIu64, ms(g->from_ns), ms(g->to_ns),
		ms(g->to_ns - g->from_ns), g->before);
	if (g->open)
		fputs(", \"after\": null", out);
	else
		fprintf(out, ", \"after\": %" PRIu64, g->after);
	fprintf(out, ", \"lost\": %" PRIu64, g->lost);
	if (g->kind == GAP_FRAMES && !g->open)
		fprintf(out, ", \"guest_ms\": %.3f", ms(g->guest_ns));
	fprintf(out, ", \"open\": %s}", g->open ? "true" : "false");
}

/**
 * longer() - the longer of two gaps
 * @a:		one
 * @b:		the other, NULL for none
 *
 * Return: @a or @b
 */
static const struct gap *longer(const struct gap *a, const struct gap *b)
{
	return b && b->to_ns - b->from_ns > a->to_ns - a->from_ns ? b : a;
}

/**
 * json_stream() - write a stream of numbered frames as a JSON object
 * @out:	where to
 * @s:		stream
 * @now_ns:	time of the report
 */
static void json_stream(FILE *out, const struct stream *s, int64_t now_ns)
{
	struct run run = stream_longest_run(s);
	struct gap open;
	char text[18];

	stream_open_gap(&open, s, now_ns);
	fprintf(out, "{\"mac\": \"%s\", \"nic\": %u, \"tag\": ", mac_text(s->mac, text), s->latest.nic);
	json_string(out, s->latest.tag);
	fprintf(out, ", \"boot\": \"%08x\", \"boots\": %" PRIu64 ", \"twins\": %" PRIu64 ", \"interval_ms\": %u, \"vlan\": ",
		s->latest.boot, s->boots, s->twins, s->latest.interval_ms);
	if (s->vlan < 0)
		fputs("null", out);
	else
		fprintf(out, "%d", s->vlan);
	fprintf(out, ",\n     \"first\": %" PRIu64 ", \"last\": %" PRIu64 ", \"received\": %" PRIu64 ", \"lost\": %" PRIu64
		", \"duplicates\": %" PRIu64 ", \"out_of_order\": %" PRIu64, s->first, s->last, s->received, stream_lost(s),
		s->duplicates, s->out_of_order);
	fprintf(out, ",\n     \"longest_lost_run\": %" PRIu64 ", \"longest_lost_run_first\": ", run.count);
	if (run.count)
		fprintf(out, "%" PRIu64, run.first);
	else
		fputs("null", out);
	fprintf(out, ",\n     \"first_ms\": %.3f, \"last_ms\": %.3f, \"silent_ms\": %.3f,\n     \"longest_gap\": ",
		ms(s->first_ns), ms(s->last_ns), ms(now_ns - s->last_ns));
	json_gap(out, longer(&s->longest, &open));
	fputc('}', out);
}

/**
 * json_rtt() - write the round trip times of an address as a JSON object
 * @out:	where to
 * @p:		address
 */
static void json_rtt(FILE *out, const struct ping *p)
{
	int64_t least = p->answered ? p->rtt_ns[0] : 0, most = least;
	uint64_t i;

	if (!p->answered) {
		fputs("null", out);
		return;
	}
	for (i = 1; i < p->answered; i++) {
		least = p->rtt_ns[i] < least ? p->rtt_ns[i] : least;
		most = p->rtt_ns[i] > most ? p->rtt_ns[i] : most;
	}
	fprintf(out, "{\"min\": %.3f, \"median\": %.3f, \"max\": %.3f}", ms(least), ms(ping_median_rtt(p)), ms(most));
}

/**
 * json_ping() - write the pings to an address as a JSON object
 * @out:	where to
 * @p:		address
 * @r:		for the times
 */
static void json_ping(FILE *out, const struct ping *p, const struct report *r)
{
	uint64_t pending = ping_pending(p, r->now_ns, r->patience_ns);
	bool has_gap;
	struct gap open;
	char text[18];

	has_gap = ping_open_gap(&open, p, r->now_ns);
	fprintf(out, "{\"ip\": \"%s\", \"mac\": ", ip_text(p->ip, text));
	if (p->resolved)
		fprintf(out, "\"%s\"", mac_text(p->mac, text));
	else
		fputs("null", out);
	fprintf(out, ", \"arp_requests\": %" PRIu64 ", \"sent\": %" PRIu64 ", \"answered\": %" PRIu64 ", \"pending\": %" PRIu64
		", \"lost\": %" PRIu64 ", \"duplicates\": %" PRIu64 ", \"late\": %" PRIu64, p->arp_requests, p->sent,
		p->answered, pending, p->sent - p->answered - pending, p->duplicates, p->late);
	fputs(",\n     \"rtt_ms\": ", out);
	json_rtt(out, p);
	if (has_gap)
		fprintf(out, ", \"first_ms\": %.3f, \"last_ms\": %.3f, \"silent_ms\": %.3f", ms(p->first_ns),
			ms(p->last_ns), ms(r->now_ns - p->last_ns));
	else
		fputs(", \"first_ms\": null, \"last_ms\": null, \"silent_ms\": null", out);
	fputs(",\n     \"longest_gap\": ", out);
	json_gap(out, has_gap ? longer(&p->longest, &open) : NULL);
	fputc('}', out);
}

/**
 * json_gaps() - write the time line, and the gaps still open, as JSON objects with commas between
 * @out:	where to
 * @r:		report
 */
static void json_gaps(FILE *out, const struct report *r)
{
	const struct station *st = r->station;
	const struct timeline *t = &st->timeline;
	const char *comma = "\n    ";
	struct gap open;
	size_t i;

	for (i = 0; i < t->n; i++, comma = ",\n    ") {
		fputs(comma, out);
		json_gap(out, &t->gap[i]);
	}
	for (i = 0; i < st->n_streams + st->n_pings; i++) {
		if (!(i < st->n_streams ? stream_open_gap(&open, &st->stream[i], r->now_ns) :
		      ping_open_gap(&open, &st->ping[i - st->n_streams], r->now_ns)))
			continue;
		if (open.to_ns - open.from_ns <= t->least_ns)
			continue;
		fputs(comma, out);
		json_gap(out, &open);
		comma = ",\n    ";
	}
}

/**
 * report_json() - write the report as JSON
 * @out:	where to
 * @r:		report
 */
void report_json(FILE *out, const struct report *r)
{
	const struct station *st = r->station;
	size_t i;

	fputs("{\"version\": 1, \"interface\": ", out);
	json_string(out, r->interface);
	fprintf(out, ", \"started_ms\": %.3f, \"written_ms\": %.3f, \"final\": %s,\n", ms(r->started_ns), ms(r->now_ns),
		r->final ? "true" : "false");
	fprintf(out, "  \"socket_drops\": %" PRIu64 ", \"crowded\": %" PRIu64 ", \"gap_ms\": %.3f,\n  \"guests\": [",
		r->socket_drops, st->crowded, ms(st->timeline.least_ns));
	for (i = 0; i < st->n_streams; i++) {
		fputs(i ? ",\n    " : "\n    ", out);
		json_stream(out, &st->stream[i], r->now_ns);
	}
	fputs("],\n  \"pings\": [", out);
	for (i = 0; i < st->n_pings; i++) {
		fputs(i ? ",\n    " : "\n    ", out);
		json_ping(out, &st->ping[i], r);
	}
	fputs("],\n  \"gaps\": [", out);
	json_gaps(out, r);
	fputs("]}\n", out);
}

/**
 * text_gap() - write a gap for people
 * @out:	where to
 * @g:		gap
 */
static void text_gap(FILE *out, const struct gap *g)
{
	time_t from = (time_t)(g->from_ns / NS_PER_S);
	char clock[16], text[18];
	struct tm tm;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&from, &tm));
	fprintf(out, "  gap  %s.%03d  %s  %.1f ms  after %" PRIu64 ", %" PRIu64 " lost%s", clock,
		(int)(g->from_ns % NS_PER_S / NS_PER_MS), g->kind == GAP_FRAMES ? mac_text(g->mac, text) : ip_text(g->ip, text),
		ms(g->to_ns - g->from_ns), g->before, g->lost, g->open ? ", still open" : "");
	if (g->kind == GAP_FRAMES && !g->open)
		fprintf(out, ", guest's clock %.1f ms", ms(g->guest_ns));
	fputc('\n', out);
}

/**
 * report_text() - write the summary for people
 * @out:	where to
 * @r:		report
 */
void report_text(FILE *out, const struct report *r)
{
	const struct station *st = r->station;
	size_t i, skip = st->timeline.n > TEXT_GAPS ? st->timeline.n - TEXT_GAPS : 0;
	struct gap open;
	char text[18];

	fprintf(out, "%s, %.1f s", r->interface, ms(r->now_ns - r->started_ns) / 1000);
	if (r->socket_drops)
		fprintf(out, ", %" PRIu64 " frames dropped by the socket: the counts are too low", r->socket_drops);
	fputc('\n', out);
	for (i = 0; i < st->n_streams; i++) {
		const struct stream *s = &st->stream[i];

		stream_open_gap(&open, s, r->now_ns);
		if (s->twins)
			fprintf(out, "  %s  two guests have this MAC\n", mac_text(s->mac, text));
		fprintf(out, "  %s  %s  frames %" PRIu64 "-%" PRIu64 ": %" PRIu64 " received, %" PRIu64 " lost, %" PRIu64
			" twice, %" PRIu64 " out of order; longest gap %.1f ms\n", mac_text(s->mac, text), s->latest.tag, s->first,
			s->last, s->received, stream_lost(s), s->duplicates, s->out_of_order,
			ms(longer(&s->longest, &open)->to_ns - longer(&s->longest, &open)->from_ns));
	}
	for (i = 0; i < st->n_pings; i++) {
		const struct ping *p = &st->ping[i];

		fprintf(out, "  %s  %" PRIu64 " pings, %" PRIu64 " answered; longest gap %.1f ms, median rtt %.2f ms\n",
			ip_text(p->ip, text), p->sent, p->answered,
			ms(ping_open_gap(&open, p, r->now_ns) ?
			   longer(&p->longest, &open)->to_ns - longer(&p->longest, &open)->from_ns : 0),
			p->answered ? ms(ping_median_rtt(p)) : 0);
	}
	if (skip)
		fprintf(out, "  %zu earlier gaps not shown\n", skip);
	for (i = skip; i < st->timeline.n; i++)
		text_gap(out, &st->timeline.gap[i]);
	fflush(out);
}

/**
 * report_file() - write the report to a file; readers see the old one or the new one, never half of one
 * @path:	the file
 * @r:		report
 *
 * Return: 0 or a negative errno
 */
int report_file(const char *path, const struct report *r)
{
	char *temporary;
	FILE *out;
	int err = 0;

	if (asprintf(&temporary, "%s.tmp", path) < 0)
		return -ENOMEM;
	out = fopen(temporary, "we");
	if (!out) {
		err = -errno;
	} else {
		report_json(out, r);
		err = ferror(out) ? -EIO : 0;
		if (fclose(out) && !err)
			err = -errno;
		if (!err && rename(temporary, path))
			err = -errno;
		if (err)
			unlink(temporary);
	}
	free(temporary);
	return err;
}
