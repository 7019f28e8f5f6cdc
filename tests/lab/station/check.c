// SPDX-License-Identifier: LGPL-2.1-or-later
/* check.c - feeds made-up frames to the station's parsing, counting and reporting; no network, no clock */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

#define T0	(1700000000 * NS_PER_S)		/* when the made-up frames begin */
#define BOOT	0x11223344u

#define TEST(name) { #name, name }

static unsigned int failures;	/* in the present test */

/**
 * expect() - note whether a number is as expected
 * @what:	what it is
 * @got:	the number
 * @wanted:	what it should be
 */
static void expect(const char *what, int64_t got, int64_t wanted)
{
	if (got == wanted)
		return;
	printf("# %s: %" PRId64 ", expected %" PRId64 "\n", what, got, wanted);
	failures++;
}

/**
 * feed() - have the station count a frame
 * @st:		station
 * @seq:	sequence number
 * @ms:		arrival, ms after T0; the guest's clock says the same
 */
static void feed(struct station *st, uint64_t seq, int64_t ms)
{
	struct numbered f = { .mac = { 2, 0, 0, 0, 0, 1 }, .boot = BOOT, .seq = seq, .interval_ms = 5, .tag = "vm",
			      .guest_ns = (uint64_t)(ms * NS_PER_MS) };

	expect("result of station_count()", station_count(st, &f, T0 + ms * NS_PER_MS, -1), 0);
}

/**
 * new_station() - an empty station
 *
 * Return: the station, to be given to end_station()
 */
static struct station *new_station(void)
{
	struct station *st = calloc(1, sizeof(*st));

	if (!st)
		abort();
	st->timeline.least_ns = 50 * NS_PER_MS;
	return st;
}

/**
 * end_station() - give a station back
 * @st:		from new_station()
 */
static void end_station(struct station *st)
{
	station_free(st);
	free(st);
}

/**
 * make_frame() - a numbered frame as it is on the wire
 * @frame:	result
 */
static void make_frame(struct vferry_frame *frame)
{
	*frame = (struct vferry_frame){
		.dst = { 255, 255, 255, 255, 255, 255 }, .src = { 2, 0, 0, 0, 0, 7 }, .ethertype = htons(VFERRY_ETHERTYPE),
		.magic = htonl(VFERRY_FRAME_MAGIC), .version = VFERRY_FRAME_VERSION, .nic = 3, .interval = htons(5),
		.boot = htonl(BOOT), .seq = htobe64(0x123456789abull), .guest_ns = htobe64(42),
	};
	memset(frame->tag, 'x', sizeof(frame->tag));
}

static void a_numbered_frame_is_read(void)
{
	struct vferry_frame frame;
	struct numbered n;

	make_frame(&frame);
	expect("is one", wire_parse_numbered(&n, (const uint8_t *)&frame, sizeof(frame)), true);
	expect("seq", (int64_t)n.seq, 0x123456789ab);
	expect("guest_ns", (int64_t)n.guest_ns, 42);
	expect("nic", n.nic, 3);
	expect("interval", n.interval_ms, 5);
	expect("boot", n.boot, BOOT);
	expect("mac", memcmp(n.mac, frame.src, MAC_LEN), 0);
	expect("length of a full tag", (int64_t)strlen(n.tag), VFERRY_TAG_LEN);
}

static void other_frames_are_not_numbered_frames(void)
{
	struct vferry_frame frame;
	struct numbered n;

	make_frame(&frame);
	expect("cut short", wire_parse_numbered(&n, (const uint8_t *)&frame, sizeof(frame) - 1), false);
	frame.version++;
	expect("another version", wire_parse_numbered(&n, (const uint8_t *)&frame, sizeof(frame)), false);
	make_frame(&frame);
	frame.magic++;
	expect("another magic", wire_parse_numbered(&n, (const uint8_t *)&frame, sizeof(frame)), false);
	make_frame(&frame);
	frame.ethertype = htons(0x0800);
	expect("another ethertype", wire_parse_numbered(&n, (const uint8_t *)&frame, sizeof(frame)), false);
}

static void an_unbroken_stream_has_no_loss(void)
{
	struct station *st = new_station();
	uint64_t i;

	for (i = 0; i < 1000; i++)
		feed(st, 100 + i, (int64_t)i * 5);
	expect("first", (int64_t)st->stream[0].first, 100);
	expect("last", (int64_t)st->stream[0].last, 1099);
	expect("received", (int64_t)st->stream[0].received, 1000);
	expect("lost", (int64_t)stream_lost(&st->stream[0]), 0);
	expect("longest gap", st->stream[0].longest.to_ns - st->stream[0].longest.from_ns, 5 * NS_PER_MS);
	expect("gaps listed", (int64_t)st->timeline.n, 0);
	end_station(st);
}

static void lost_frames_are_counted_with_their_gap(void)
{
	struct station *st = new_station();
	const struct stream *s = &st->stream[0];

	feed(st, 1, 0);
	feed(st, 2, 5);
	feed(st, 4, 15);	/* 3 lost */
	feed(st, 25, 320);	/* 5 to 24 lost */
	feed(st, 26, 325);
	expect("received", (int64_t)s->received, 5);
	expect("lost", (int64_t)stream_lost(s), 21);
	expect("longest run", (int64_t)stream_longest_run(s).count, 20);
	expect("longest run begins", (int64_t)stream_longest_run(s).first, 5);
	expect("longest gap ends before", (int64_t)s->longest.after, 25);
	expect("gaps listed", (int64_t)st->timeline.n, 1);
	expect("gap from", st->timeline.gap[0].from_ns, T0 + 15 * NS_PER_MS);
	expect("gap to", st->timeline.gap[0].to_ns, T0 + 320 * NS_PER_MS);
	expect("gap after frame", (int64_t)st->timeline.gap[0].before, 4);
	expect("gap lost", (int64_t)st->timeline.gap[0].lost, 20);
	expect("gap by the guest's clock", st->timeline.gap[0].guest_ns, 305 * NS_PER_MS);
	end_station(st);
}

static void a_late_frame_is_not_lost(void)
{
	struct station *st = new_station();
	const struct stream *s = &st->stream[0];

	feed(st, 10, 0);
	feed(st, 20, 50);	/* 11 to 19 missing */
	feed(st, 15, 51);	/* splits the run */
	feed(st, 11, 52);	/* shortens it from below */
	feed(st, 19, 53);	/* and from above */
	feed(st, 15, 54);	/* again: a duplicate */
	feed(st, 21, 55);
	expect("received", (int64_t)s->received, 6);
	expect("lost", (int64_t)stream_lost(s), 6);
	expect("out of order", (int64_t)s->out_of_order, 3);
	expect("duplicates", (int64_t)s->duplicates, 1);
	expect("longest run", (int64_t)stream_longest_run(s).count, 3);
	expect("runs", (int64_t)s->n_runs, 2);
	feed(st, 12, 56);
	feed(st, 13, 57);
	feed(st, 14, 58);	/* empties a run */
	expect("runs", (int64_t)s->n_runs, 1);
	expect("lost", (int64_t)stream_lost(s), 3);
	expect("received and lost", (int64_t)(s->received + stream_lost(s)), 21 - 10 + 1);
	end_station(st);
}

static void a_frame_from_before_the_first_moves_the_first(void)
{
	struct station *st = new_station();
	const struct stream *s = &st->stream[0];

	feed(st, 10, 0);
	feed(st, 12, 5);
	feed(st, 7, 6);
	expect("first", (int64_t)s->first, 7);
	expect("out of order", (int64_t)s->out_of_order, 1);
	expect("lost", (int64_t)stream_lost(s), 3);
	feed(st, 8, 7);
	feed(st, 11, 8);
	expect("lost", (int64_t)stream_lost(s), 1);
	end_station(st);
}

static void duplicates_are_neither_received_nor_a_sign_of_life(void)
{
	struct station *st = new_station();
	const struct stream *s = &st->stream[0];

	feed(st, 1, 0);
	feed(st, 2, 5);
	feed(st, 2, 60);
	feed(st, 3, 100);
	expect("received", (int64_t)s->received, 3);
	expect("duplicates", (int64_t)s->duplicates, 1);
	expect("longest gap", s->longest.to_ns - s->longest.from_ns, 95 * NS_PER_MS);
	end_station(st);
}

static void a_restarted_guest_begins_a_new_sequence(void)
{
	struct station *st = new_station();
	const struct stream *s = &st->stream[0];
	struct numbered f = { .mac = { 2, 0, 0, 0, 0, 1 }, .boot = BOOT + 1, .seq = 1 };

	feed(st, 500, 0);
	feed(st, 503, 15);
	expect("result", station_count(st, &f, T0 + 2015 * NS_PER_MS, -1), 0);
	f.seq = 3;
	expect("result", station_count(st, &f, T0 + 2025 * NS_PER_MS, -1), 0);
	expect("boots", (int64_t)s->boots, 2);
	expect("lost in both", (int64_t)stream_lost(s), 3);
	expect("first", (int64_t)s->first, 1);
	expect("longest gap", s->longest.to_ns - s->longest.from_ns, 2000 * NS_PER_MS);
	f.seq = 2;
	expect("result", station_count(st, &f, T0 + 2030 * NS_PER_MS, -1), 0);
	expect("lost", (int64_t)stream_lost(s), 2);
	end_station(st);
}

static void two_guests_with_one_mac_are_told_from_one_that_restarts(void)
{
	struct station *st = new_station();
	struct numbered f = { .mac = { 2, 0, 0, 0, 0, 1 }, .boot = BOOT + 1 };
	int i;

	feed(st, 1, 0);
	for (i = 0; i < 3; i++) {
		f.seq = (uint64_t)i + 1;
		expect("result of station_count()", station_count(st, &f, T0 + (2 * i + 1) * NS_PER_MS, -1), 0);
		expect("frames of the guest that was heard before", (int64_t)st->stream[0].twins, 2 * i);
		feed(st, (uint64_t)i + 2, 2 * i + 2);
	}
	expect("frames of the guest that was heard before", (int64_t)st->stream[0].twins, 5);
	end_station(st);
	st = new_station();
	feed(st, 1, 0);
	f.boot = BOOT + 1;
	expect("result of station_count()", station_count(st, &f, T0 + NS_PER_MS, -1), 0);
	f.boot = BOOT + 2;
	expect("result of station_count()", station_count(st, &f, T0 + 2 * NS_PER_MS, -1), 0);
	expect("frames of the guest that was heard before", (int64_t)st->stream[0].twins, 0);
	end_station(st);
}

static void each_mac_has_its_own_stream(void)
{
	struct station *st = new_station();
	struct numbered f = { .boot = BOOT, .seq = 1 };
	unsigned int i;

	for (i = 0; i < MAX_STREAMS + 3; i++) {
		f.mac[5] = (uint8_t)i;
		expect("result", station_count(st, &f, T0, i == 1 ? 7 : -1), 0);
	}
	expect("streams", (int64_t)st->n_streams, MAX_STREAMS);
	expect("crowded", (int64_t)st->crowded, 3);
	expect("vlan of the second", st->stream[1].vlan, 7);
	expect("vlan of the third", st->stream[2].vlan, -1);
	end_station(st);
}

static void pings_are_matched_with_their_answers(void)
{
	struct station *st = new_station();
	struct ping *p = &st->ping[0];
	int64_t i;

	st->n_pings = 1;
	for (i = 0; i < 10; i++)
		ping_sent(p, T0 + i * 20 * NS_PER_MS);
	for (i = 1; i <= 9; i++)
		if (i < 4 || i > 7)
			ping_answered(p, &st->timeline, (uint64_t)i, T0 + ((i - 1) * 20 + i) * NS_PER_MS);
	expect("answer again", ping_answered(p, &st->timeline, 9, T0 + 170 * NS_PER_MS), 0);
	expect("answer to no ping", ping_answered(p, &st->timeline, 11, T0 + 170 * NS_PER_MS), -ERANGE);
	expect("answer to ping 0", ping_answered(p, &st->timeline, 0, T0 + 170 * NS_PER_MS), -ERANGE);
	expect("sent", (int64_t)p->sent, 10);
	expect("answered", (int64_t)p->answered, 5);
	expect("duplicates", (int64_t)p->duplicates, 1);
	expect("pending within 25 ms", (int64_t)ping_pending(p, T0 + 190 * NS_PER_MS, 25 * NS_PER_MS), 1);
	expect("pending within 80 ms", (int64_t)ping_pending(p, T0 + 190 * NS_PER_MS, 80 * NS_PER_MS), 2);
	expect("median", ping_median_rtt(p), 3 * NS_PER_MS);
	expect("longest gap", p->longest.to_ns - p->longest.from_ns, (148 - 43) * NS_PER_MS);
	expect("gaps listed", (int64_t)st->timeline.n, 1);
	expect("lost in it", (int64_t)st->timeline.gap[0].lost, 4);
	end_station(st);
}

static void an_answer_that_is_far_too_late_is_told_apart(void)
{
	struct station *st = new_station();
	struct ping *p = &st->ping[0];
	int i;

	st->n_pings = 1;
	for (i = 0; i <= PING_WINDOW; i++)
		ping_sent(p, T0 + i * NS_PER_MS);
	expect("result", ping_answered(p, &st->timeline, 1, T0), 0);
	expect("late", (int64_t)p->late, 1);
	expect("answered", (int64_t)p->answered, 0);
	expect("result", ping_answered(p, &st->timeline, 2, T0 + 5 * NS_PER_MS), 0);
	expect("answered", (int64_t)p->answered, 1);
	end_station(st);
}

/**
 * make_reply() - turn a ping into its answer, but for the addresses
 * @frame:	the ping; its checksum grows by what the type shrinks, in one's complement
 */
static void make_reply(uint8_t *frame)
{
	uint32_t sum = ((uint32_t)frame[36] << 8 | frame[37]) + 0x0800;

	sum = (sum & 0xffff) + (sum >> 16);
	frame[34] = 0;
	frame[36] = (uint8_t)(sum >> 8);
	frame[37] = (uint8_t)sum;
}

static void a_ping_survives_the_wire(void)
{
	struct echo e = { .src_mac = { 2, 1 }, .dst_mac = { 2, 2 }, .src = 0x0a4d0001, .dst = 0x0a4d000a, .id = 77,
			  .number = 70000 }, got;
	uint8_t frame[FRAME_ROOM];
	size_t length = wire_build_echo(frame, &e);

	expect("least length", length >= 60, true);
	expect("a request is no reply", wire_parse_echo_reply(&got, frame, length), false);
	make_reply(frame);
	expect("reply", wire_parse_echo_reply(&got, frame, length), true);
	expect("number", (int64_t)got.number, 70000);
	expect("id", got.id, 77);
	expect("src", got.src, 0x0a4d0001);
	frame[50] ^= 1;
	expect("damaged", wire_parse_echo_reply(&got, frame, length), false);
	frame[50] ^= 1;
	expect("cut short", wire_parse_echo_reply(&got, frame, 40), false);
}

static void arp_survives_the_wire(void)
{
	struct arp_news a = { .kind = ARP_REQUEST, .mac = { 2, 1, 2, 3, 4, 5 }, .ip = 0x0a4d0001, .target = 0x0a4d000a }, got;
	uint8_t frame[FRAME_ROOM], to[MAC_LEN] = { 2, 9 };
	size_t length = wire_build_arp(frame, &a, NULL);

	expect("length", (int64_t)length, 60);
	expect("broadcast", frame[0], 0xff);
	expect("is one", wire_parse_arp(&got, frame, length), true);
	expect("kind", got.kind, ARP_REQUEST);
	expect("ip", got.ip, 0x0a4d0001);
	expect("target", got.target, 0x0a4d000a);
	expect("mac", memcmp(got.mac, a.mac, MAC_LEN), 0);
	a.kind = ARP_REPLY;
	length = wire_build_arp(frame, &a, to);
	expect("unicast", memcmp(frame, to, MAC_LEN), 0);
	expect("is a reply", wire_parse_arp(&got, frame, length) && got.kind == ARP_REPLY, true);
	frame[21] = 9;
	expect("another operation", wire_parse_arp(&got, frame, length), false);
	expect("cut short", wire_parse_arp(&got, frame, 41), false);
}

/**
 * expect_text() - note whether a text holds another
 * @text:	the text
 * @part:	what should be in it
 */
static void expect_text(const char *text, const char *part)
{
	if (strstr(text, part))
		return;
	printf("# not in the report: %s\n", part);
	failures++;
}

/**
 * render() - the JSON report 100 ms after T0 and a second
 * @st:		station
 *
 * Return: the report, to be freed
 */
static char *render(const struct station *st)
{
	struct report r = { .station = st, .interface = "st\"0", .started_ns = T0, .now_ns = T0 + 1100 * NS_PER_MS,
			    .patience_ns = NS_PER_S };
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	report_json(out, &r);
	fclose(out);
	return text;
}

static void the_report_tells_what_was_counted(void)
{
	struct station *st = new_station();
	char *text;

	feed(st, 1, 0);
	feed(st, 2, 5);
	feed(st, 13, 1005);
	st->n_pings = 1;
	st->ping[0].ip = 0x0a4d000a;
	text = render(st);
	expect_text(text, "\"interface\": \"st\\\"0\"");
	expect_text(text, "\"mac\": \"02:00:00:00:00:01\", \"nic\": 0, \"tag\": \"vm\", \"boot\": \"11223344\", \"boots\": 1, \"twins\": 0");
	expect_text(text, "\"received\": 3, \"lost\": 10,");
	expect_text(text, "\"longest_lost_run\": 10, \"longest_lost_run_first\": 3");
	expect_text(text, "\"silent_ms\": 95.000");
	expect_text(text, "\"from_ms\": 1700000000005.000, \"to_ms\": 1700000001005.000, \"ms\": 1000.000, \"before\": 2, "
			  "\"after\": 13, \"lost\": 10, \"guest_ms\": 1000.000, \"open\": false}");
	expect_text(text, "\"from_ms\": 1700000001005.000, \"to_ms\": 1700000001100.000, \"ms\": 95.000, \"before\": 13, "
			  "\"after\": null, \"lost\": 0, \"open\": true}]}");
	expect_text(text, "{\"ip\": \"10.77.0.10\", \"mac\": null, \"arp_requests\": 0, \"sent\": 0");
	expect_text(text, "\"rtt_ms\": null");
	free(text);
	end_station(st);
}

static void a_guest_that_fell_silent_shows_in_its_longest_gap(void)
{
	struct station *st = new_station();
	char *text;

	feed(st, 1, 0);
	feed(st, 2, 5);
	text = render(st);
	expect_text(text, "\"longest_gap\": {\"kind\": \"frames\", \"mac\": \"02:00:00:00:00:01\", \"from_ms\": 1700000000005.000, "
			  "\"to_ms\": 1700000001100.000, \"ms\": 1095.000, \"before\": 2, \"after\": null");
	free(text);
	end_station(st);
}

static void the_report_replaces_its_file_whole(void)
{
	char folder[] = "/tmp/station-check.XXXXXX", path[64], temporary[80];
	struct station *st = new_station();
	struct report r = { .station = st, .interface = "x", .now_ns = T0 };

	if (!mkdtemp(folder))
		abort();
	snprintf(path, sizeof(path), "%s/r.json", folder);
	snprintf(temporary, sizeof(temporary), "%s.tmp", path);
	expect("written", report_file(path, &r), 0);
	expect("there", access(path, F_OK), 0);
	expect("no temporary file left", access(temporary, F_OK), -1);
	unlink(path);
	rmdir(folder);
	expect("folder gone", report_file(path, &r), -ENOENT);
	end_station(st);
}

/**
 * verdict() - say how a test went, its name as a sentence
 * @how:	ok or not ok
 * @name:	words with underscores between
 */
static void verdict(const char *how, const char *name)
{
	printf("%s station: ", how);
	for (; *name; name++)
		putchar(*name == '_' ? ' ' : *name);
	putchar('\n');
}

/**
 * main() - run every test
 *
 * Return: 0 if all passed, else 1
 */
int main(void)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} tests[] = {
		TEST(a_numbered_frame_is_read),
		TEST(other_frames_are_not_numbered_frames),
		TEST(an_unbroken_stream_has_no_loss),
		TEST(lost_frames_are_counted_with_their_gap),
		TEST(a_late_frame_is_not_lost),
		TEST(a_frame_from_before_the_first_moves_the_first),
		TEST(duplicates_are_neither_received_nor_a_sign_of_life),
		TEST(a_restarted_guest_begins_a_new_sequence),
		TEST(each_mac_has_its_own_stream),
		TEST(pings_are_matched_with_their_answers),
		TEST(an_answer_that_is_far_too_late_is_told_apart),
		TEST(a_ping_survives_the_wire),
		TEST(arp_survives_the_wire),
		TEST(two_guests_with_one_mac_are_told_from_one_that_restarts),
		TEST(the_report_tells_what_was_counted),
		TEST(a_guest_that_fell_silent_shows_in_its_longest_gap),
		TEST(the_report_replaces_its_file_whole),
	};
	unsigned int i, failed = 0, n = sizeof(tests) / sizeof(tests[0]);

	for (i = 0; i < n; i++, failures = 0) {
		tests[i].run();
		verdict(failures ? "not ok" : "ok", tests[i].name);
		failed += failures > 0;
	}
	printf("%u passed, %u failed, 0 skipped\n", n - failed, failed);
	return failed > 0;
}
