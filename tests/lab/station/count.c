// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * count.c - counts numbered frames and pings
 *
 * Theory of operation: a stream keeps the runs of sequence numbers that are missing. A frame above the highest number
 * adds the numbers it leaves out as a run. A frame below it is either in a run, then it came out of order and the
 * run shrinks or splits, or in none, then it is a duplicate. So received + lost = last - first + 1 always holds
 * within a boot, however late a frame is. A new boot number begins a new sequence and loses nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "count.h"

/**
 * grow() - make room for one more entry of an array
 * @array:	the array
 * @n:		entries in use
 * @room:	entries allocated, raised if need be
 * @size:	bytes of an entry
 *
 * Return: the array, which may have moved; NULL without memory, the array is then as it was
 */
static void *grow(void *array, size_t n, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 16;
	void *grown;

	if (n < *room)
		return array;
	grown = reallocarray(array, more, size);
	if (grown)
		*room = more;
	return grown;
}

/**
 * timeline_add() - note a gap if it is long enough
 * @t:	time line
 * @g:	gap
 *
 * Return: 0 or -ENOMEM
 */
int timeline_add(struct timeline *t, const struct gap *g)
{
	struct gap *grown;

	if (g->to_ns - g->from_ns <= t->least_ns)
		return 0;
	grown = grow(t->gap, t->n, &t->room, sizeof(*t->gap));
	if (!grown)
		return -ENOMEM;
	t->gap = grown;
	t->gap[t->n++] = *g;
	return 0;
}

/**
 * note_gap() - keep a gap as the longest if it is, and enter it into the time line
 * @longest:	longest so far
 * @t:		time line
 * @g:		gap
 *
 * Return: 0 or -ENOMEM
 */
static int note_gap(struct gap *longest, struct timeline *t, const struct gap *g)
{
	if (g->to_ns - g->from_ns > longest->to_ns - longest->from_ns)
		*longest = *g;
	return timeline_add(t, g);
}

/**
 * insert_run() - put a run of lost frames into the list
 * @s:		stream
 * @at:		index it gets
 * @first:	sequence number of the first
 * @count:	how many; none is no run
 *
 * Return: 0 or -ENOMEM
 */
static int insert_run(struct stream *s, size_t at, uint64_t first, uint64_t count)
{
	struct run *grown;

	if (!count)
		return 0;
	grown = grow(s->run, s->n_runs, &s->room, sizeof(*s->run));
	if (!grown)
		return -ENOMEM;
	memmove(grown + at + 1, grown + at, (s->n_runs - at) * sizeof(*grown));
	grown[at] = (struct run){ .first = first, .count = count, .boot = s->latest.boot };
	s->run = grown;
	s->n_runs++;
	return 0;
}

/**
 * find_run() - the run of lost frames that a sequence number is in
 * @s:		stream
 * @seq:	sequence number of the present boot
 *
 * Return: its index, -1 if it is in none. The search begins at the end, where late frames belong
 */
static ptrdiff_t find_run(const struct stream *s, uint64_t seq)
{
	size_t i;

	for (i = s->n_runs; i-- > 0 && s->run[i].boot == s->latest.boot;)
		if (seq >= s->run[i].first && seq - s->run[i].first < s->run[i].count)
			return (ptrdiff_t)i;
	return -1;
}

/**
 * fill_run() - take a late frame out of the run it was missing from
 * @s:		stream
 * @at:		index of the run
 * @seq:	sequence number in it
 *
 * Return: 0 or -ENOMEM
 */
static int fill_run(struct stream *s, size_t at, uint64_t seq)
{
	struct run *r = &s->run[at];
	uint64_t after = r->first + r->count - 1 - seq;

	r->count = seq - r->first;
	if (r->count)
		return insert_run(s, at + 1, seq + 1, after);
	if (after) {
		*r = (struct run){ .first = seq + 1, .count = after, .boot = r->boot };
		return 0;
	}
	memmove(r, r + 1, (--s->n_runs - at) * sizeof(*r));
	return 0;
}

/**
 * first_run_of_boot() - where the runs of the present boot begin
 * @s:		stream
 *
 * Return: index, n_runs if there is none
 */
static size_t first_run_of_boot(const struct stream *s)
{
	size_t i = s->n_runs;

	while (i > 0 && s->run[i - 1].boot == s->latest.boot)
		i--;
	return i;
}

/**
 * place() - enter a frame's number into the sequence
 * @s:		stream; its latest frame is of the same boot
 * @seq:	the frame's number
 * @is_new:	result: whether the frame is no duplicate
 *
 * Return: 0 or -ENOMEM
 */
static int place(struct stream *s, uint64_t seq, bool *is_new)
{
	ptrdiff_t run;
	int err = 0;

	*is_new = true;
	if (seq > s->last) {
		err = insert_run(s, s->n_runs, s->last + 1, seq - s->last - 1);
		s->last = seq;
		return err;
	}
	if (seq < s->first) {
		err = insert_run(s, first_run_of_boot(s), seq + 1, s->first - seq - 1);
		s->first = seq;
		s->out_of_order++;
		return err;
	}
	run = find_run(s, seq);
	*is_new = run >= 0;
	if (!*is_new) {
		s->duplicates++;
		return 0;
	}
	s->out_of_order++;
	return fill_run(s, (size_t)run, seq);
}

/**
 * stream_of() - the stream of a MAC, made if it is new
 * @st:		all streams
 * @mac:	the MAC
 *
 * Return: the stream, NULL if there are MAX_STREAMS others
 */
static struct stream *stream_of(struct station *st, const uint8_t mac[MAC_LEN])
{
	struct stream *s;
	size_t i;

	for (i = 0; i < st->n_streams; i++)
		if (!memcmp(st->stream[i].mac, mac, MAC_LEN))
			return &st->stream[i];
	if (st->n_streams == MAX_STREAMS)
		return NULL;
	s = &st->stream[st->n_streams++];
	memcpy(s->mac, mac, MAC_LEN);
	return s;
}

/**
 * begin() - start to count a boot of a guest
 * @s:		stream
 * @f:		its first frame
 */
static void begin(struct stream *s, const struct numbered *f)
{
	s->boots++;
	s->first = s->last = f->seq;
}

/**
 * count_frame() - count a frame of a guest that was seen before
 * @s:		stream
 * @t:		time line
 * @f:		the frame
 * @now_ns:	when it arrived, ns since the epoch
 * @is_new:	result: whether the frame is no duplicate
 *
 * Return: 0 or -ENOMEM
 */
static int count_frame(struct stream *s, struct timeline *t, const struct numbered *f, int64_t now_ns, bool *is_new)
{
	struct gap g = { .kind = GAP_FRAMES, .from_ns = s->last_ns, .to_ns = now_ns, .before = s->latest.seq,
			 .after = f->seq };
	int err;

	*is_new = true;
	memcpy(g.mac, f->mac, MAC_LEN);
	if (f->boot != s->latest.boot) {
		s->twins += s->boots > 1 && f->boot == s->former;
		s->former = s->latest.boot;
		begin(s, f);
		return note_gap(&s->longest, t, &g);
	}
	g.lost = f->seq > s->last ? f->seq - s->last - 1 : 0;
	g.guest_ns = f->guest_ns > s->latest.guest_ns ? (int64_t)(f->guest_ns - s->latest.guest_ns) : 0;
	err = place(s, f->seq, is_new);
	return err || !*is_new ? err : note_gap(&s->longest, t, &g);
}

/**
 * station_count() - count a numbered frame
 * @st:		everything counted so far
 * @f:		the frame
 * @now_ns:	when it arrived, ns since the epoch
 * @vlan:	VLAN id it carried, -1 for none
 *
 * Return: 0 or -ENOMEM
 */
int station_count(struct station *st, const struct numbered *f, int64_t now_ns, int vlan)
{
	struct stream *s = stream_of(st, f->mac);
	bool is_new = true;
	int err = 0;

	if (!s) {
		st->crowded++;
		return 0;
	}
	if (s->boots) {
		err = count_frame(s, &st->timeline, f, now_ns, &is_new);
	} else {
		s->first_ns = now_ns;
		begin(s, f);
	}
	if (!is_new || err)
		return err;
	s->received++;
	s->last_ns = now_ns;
	s->vlan = vlan;
	if (f->seq == s->last)
		s->latest = *f;
	return 0;
}

/**
 * station_free() - give back what counting has allocated
 * @st:		everything counted
 */
void station_free(struct station *st)
{
	size_t i;

	for (i = 0; i < st->n_streams; i++)
		free(st->stream[i].run);
	for (i = 0; i < st->n_pings; i++)
		free(st->ping[i].rtt_ns);
	free(st->timeline.gap);
}

/**
 * stream_lost() - how many frames are missing
 * @s:		stream
 *
 * Return: frames, all boots
 */
uint64_t stream_lost(const struct stream *s)
{
	uint64_t lost = 0;
	size_t i;

	for (i = 0; i < s->n_runs; i++)
		lost += s->run[i].count;
	return lost;
}

/**
 * stream_longest_run() - the most frames missing one after the other
 * @s:		stream
 *
 * Return: the first such run, count 0 if nothing is missing
 */
struct run stream_longest_run(const struct stream *s)
{
	struct run longest = { 0 };
	size_t i;

	for (i = 0; i < s->n_runs; i++)
		if (s->run[i].count > longest.count)
			longest = s->run[i];
	return longest;
}

/**
 * stream_open_gap() - the gap since the latest frame
 * @out:	result
 * @s:		stream
 * @now_ns:	time of the report, ns since the epoch
 *
 * Return: whether there is one, which is so once a frame has arrived
 */
bool stream_open_gap(struct gap *out, const struct stream *s, int64_t now_ns)
{
	if (!s->boots)
		return false;
	*out = (struct gap){ .kind = GAP_FRAMES, .from_ns = s->last_ns, .to_ns = now_ns, .before = s->latest.seq,
			     .open = true };
	memcpy(out->mac, s->mac, MAC_LEN);
	return true;
}

/**
 * ping_sent() - count a ping that is sent; it gets the number @p->sent
 * @p:		its address
 * @now_ns:	time, ns since the epoch
 */
void ping_sent(struct ping *p, int64_t now_ns)
{
	p->sent++;
	p->sent_ns[p->sent % PING_WINDOW] = now_ns;
	p->is_answered[p->sent % PING_WINDOW] = false;
}

/**
 * ping_answered() - count an answer
 * @p:		the address that answers
 * @t:		time line
 * @number:	number of the ping
 * @now_ns:	when the answer arrived, ns since the epoch
 *
 * Return: 0, -ENOMEM, -ERANGE if no such ping was sent
 */
int ping_answered(struct ping *p, struct timeline *t, uint64_t number, int64_t now_ns)
{
	struct gap g = { .kind = GAP_PING, .ip = p->ip, .from_ns = p->last_ns, .to_ns = now_ns,
			 .before = p->last_number, .after = number };
	int64_t *grown;
	int err = 0;

	if (!number || number > p->sent)
		return -ERANGE;
	if (p->sent - number >= PING_WINDOW) {
		p->late++;
		return 0;
	}
	if (p->is_answered[number % PING_WINDOW]) {
		p->duplicates++;
		return 0;
	}
	grown = grow(p->rtt_ns, p->answered, &p->room, sizeof(*p->rtt_ns));
	if (!grown)
		return -ENOMEM;
	p->rtt_ns = grown;
	p->is_answered[number % PING_WINDOW] = true;
	p->rtt_ns[p->answered++] = now_ns - p->sent_ns[number % PING_WINDOW];
	g.lost = number > p->last_number ? number - p->last_number - 1 : 0;
	if (p->answered > 1)
		err = note_gap(&p->longest, t, &g);
	else
		p->first_ns = now_ns;
	p->last_ns = now_ns;
	p->last_number = number;
	return err;
}

/**
 * ping_pending() - how many pings may still be answered
 * @p:			address
 * @now_ns:		time, ns since the epoch
 * @patience_ns:	a ping not answered for longer is lost
 *
 * Return: pings
 */
uint64_t ping_pending(const struct ping *p, int64_t now_ns, int64_t patience_ns)
{
	uint64_t n, pending = 0;

	for (n = p->sent; n && p->sent - n < PING_WINDOW; n--) {
		if (now_ns - p->sent_ns[n % PING_WINDOW] >= patience_ns)
			break;
		pending += !p->is_answered[n % PING_WINDOW];
	}
	return pending;
}

/**
 * ping_open_gap() - the gap since the latest answer
 * @out:	result
 * @p:		address
 * @now_ns:	time of the report, ns since the epoch
 *
 * Return: whether there is one, which is so once an answer has arrived
 */
bool ping_open_gap(struct gap *out, const struct ping *p, int64_t now_ns)
{
	if (!p->answered)
		return false;
	*out = (struct gap){ .kind = GAP_PING, .ip = p->ip, .from_ns = p->last_ns, .to_ns = now_ns,
			     .before = p->last_number, .lost = p->sent - p->last_number, .open = true };
	return true;
}

/**
 * compare_ns() - order of two times, for qsort()
 * @a:	one
 * @b:	the other
 *
 * Return: below, above or equal to 0
 */
static int compare_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/**
 * ping_median_rtt() - the median round trip time
 * @p:		address
 *
 * Return: ns, the lower of the two in the middle; -1 without an answer or without memory
 */
int64_t ping_median_rtt(const struct ping *p)
{
	int64_t *sorted, median;

	if (!p->answered)
		return -1;
	sorted = reallocarray(NULL, p->answered, sizeof(*sorted));
	if (!sorted)
		return -1;
	memcpy(sorted, p->rtt_ns, p->answered * sizeof(*sorted));
	qsort(sorted, p->answered, sizeof(*sorted), compare_ns);
	median = sorted[(p->answered - 1) / 2];
	free(sorted);
	return median;
}
