// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * station - the third station on the lab's bridge: counts the guests' numbered frames and pings guests
 *
 * Opens a packet socket on one interface (CAP_NET_RAW), counts what arrives by the kernel's own time stamps, sends ARP
 * and pings when told to, and answers nothing but ARP requests for the address it pings from. SIGUSR1 writes
 * a report and goes on, SIGTERM and SIGINT write it and end. See README.md.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "report.h"
#include "socket.h"

#define DEFAULT_EVERY_MS	20
#define DEFAULT_GAP_MS		50
#define DEFAULT_PATIENCE_MS	1000

/**
 * struct program - the whole state of the program
 * @station:		what is counted
 * @socket:		the interface
 * @interface:		its name
 * @json:		file of the report, NULL for none
 * @ip:			address the pings come from, host byte order, 0 for none
 * @every_ms:		between two pings
 * @seconds:		end after so long, 0 for never
 * @patience_ms:	a ping not answered for longer is lost
 * @id:			ICMP identifier
 * @started_ns:		when counting began, ns since the epoch
 */
struct program {
	struct station station;
	struct packet_socket socket;
	const char *interface, *json;
	uint32_t ip;
	double every_ms, seconds, patience_ms;
	uint16_t id;
	int64_t started_ns;
};

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
 * fail() - say what is wrong and end
 * @what:	on what
 * @why:	what is wrong
 */
static void __attribute__((noreturn)) fail(const char *what, const char *why)
{
	fprintf(stderr, "station: %s: %s\n", what, why);
	exit(1);
}

/**
 * wall_clock() - the time
 *
 * Return: ns since the epoch
 */
static int64_t wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
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
 * @st:		gets them
 * @list:	addresses with commas between; is taken apart
 */
static void parse_pings(struct station *st, char *list)
{
	char *save, *word;

	for (word = strtok_r(list, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		if (st->n_pings == MAX_PINGS)
			fail(word, "too many addresses to ping");
		st->ping[st->n_pings++].ip = parse_ip(word);
	}
}

/**
 * parse_options() - read the command line; ends the program if it is wrong
 * @p:		result
 * @argc, @argv: the command line
 */
static void parse_options(struct program *p, int argc, char **argv)
{
	static const struct option options[] = {
		{ "ping", 1, NULL, 'p' }, { "ip", 1, NULL, 'i' }, { "every", 1, NULL, 'e' }, { "patience", 1, NULL, 't' },
		{ "gap-ms", 1, NULL, 'g' }, { "json", 1, NULL, 'j' }, { "seconds", 1, NULL, 's' }, { "help", 0, NULL, 'h' },
		{ 0 }
	};
	double gap_ms = DEFAULT_GAP_MS;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'p': parse_pings(&p->station, optarg); break;
		case 'i': p->ip = parse_ip(optarg); break;
		case 'e': p->every_ms = parse_positive(optarg); break;
		case 't': p->patience_ms = parse_positive(optarg); break;
		case 'g': gap_ms = parse_positive(optarg); break;
		case 'j': p->json = optarg; break;
		case 's': p->seconds = parse_positive(optarg); break;
		case 'h': fputs(usage, stdout); exit(0);
		default: fputs(usage, stderr); exit(2);
		}
	}
	if (optind + 1 != argc) {
		fputs(usage, stderr);
		exit(2);
	}
	p->interface = argv[optind];
	if (p->station.n_pings && !p->ip)
		fail("--ping", "needs an own address too: --ip");
	p->station.timeline.least_ns = (int64_t)(gap_ms * (double)NS_PER_MS);
}

/**
 * write_report() - write the report to the file and to stdout
 * @p:		program
 * @final:	the last one
 *
 * Return: 0, 1 if the file could not be written
 */
static int write_report(struct program *p, bool final)
{
	struct report r = {
		.station = &p->station, .interface = p->interface, .started_ns = p->started_ns, .now_ns = wall_clock(),
		.patience_ns = (int64_t)(p->patience_ms * (double)NS_PER_MS),
		.socket_drops = packet_socket_drops(&p->socket), .final = final,
	};
	int err;

	report_text(stdout, &r);
	if (!p->json)
		return 0;
	err = report_file(p->json, &r);
	if (err)
		fprintf(stderr, "station: %s: %s\n", p->json, strerror(-err));
	return err ? 1 : 0;
}

/**
 * take_arp() - learn who has an address that is pinged, and answer who asks for ours
 * @p:		program
 * @arp:	what was heard
 */
static void take_arp(struct program *p, const struct arp_news *arp)
{
	struct arp_news reply = { .kind = ARP_REPLY, .ip = p->ip, .target = arp->ip };
	uint8_t frame[FRAME_ROOM];
	size_t i;

	for (i = 0; i < p->station.n_pings; i++) {
		struct ping *ping = &p->station.ping[i];

		if (ping->ip != arp->ip || ping->resolved)
			continue;
		memcpy(ping->mac, arp->mac, MAC_LEN);
		ping->resolved = true;
	}
	if (arp->kind != ARP_REQUEST || !p->station.n_pings || arp->target != p->ip)
		return;
	memcpy(reply.mac, p->socket.mac, MAC_LEN);
	packet_socket_send(&p->socket, frame, wire_build_arp(frame, &reply, arp->mac));
}

/**
 * take_echo() - count the answer to a ping
 * @p:		program
 * @e:		the answer
 * @now_ns:	when it arrived
 *
 * Return: 0 or -ENOMEM
 */
static int take_echo(struct program *p, const struct echo *e, int64_t now_ns)
{
	size_t i;
	int err;

	if (e->id != p->id || e->dst != p->ip)
		return 0;
	for (i = 0; i < p->station.n_pings; i++) {
		if (p->station.ping[i].ip != e->src)
			continue;
		err = ping_answered(&p->station.ping[i], &p->station.timeline, e->number, now_ns);
		return err == -ERANGE ? 0 : err;
	}
	return 0;
}

/**
 * receive() - take in all that has arrived
 * @p:		program
 */
static void receive(struct program *p)
{
	struct packet packet;
	struct numbered numbered;
	struct arp_news arp;
	struct echo echo;
	int err = 0;

	while (!err && packet_socket_receive(&p->socket, &packet) > 0) {
		if (wire_parse_numbered(&numbered, packet.data, packet.length))
			err = station_count(&p->station, &numbered, packet.time_ns, packet.vlan);
		else if (wire_parse_arp(&arp, packet.data, packet.length))
			take_arp(p, &arp);
		else if (wire_parse_echo_reply(&echo, packet.data, packet.length))
			err = take_echo(p, &echo, packet.time_ns);
	}
	if (err)
		fail(p->interface, strerror(-err));
}

/**
 * ping_all() - send a ping to each address, or an ARP request where its MAC is not known yet
 * @p:		program
 */
static void ping_all(struct program *p)
{
	struct arp_news question = { .kind = ARP_REQUEST, .ip = p->ip };
	struct echo echo = { .src = p->ip, .id = p->id };
	uint8_t frame[FRAME_ROOM];
	size_t i;

	memcpy(question.mac, p->socket.mac, MAC_LEN);
	memcpy(echo.src_mac, p->socket.mac, MAC_LEN);
	for (i = 0; i < p->station.n_pings; i++) {
		struct ping *ping = &p->station.ping[i];

		if (!ping->resolved) {
			question.target = ping->ip;
			ping->arp_requests++;
			packet_socket_send(&p->socket, frame, wire_build_arp(frame, &question, NULL));
			continue;
		}
		ping_sent(ping, wall_clock());
		echo.dst = ping->ip;
		echo.number = ping->sent;
		memcpy(echo.dst_mac, ping->mac, MAC_LEN);
		packet_socket_send(&p->socket, frame, wire_build_echo(frame, &echo));
	}
}

/**
 * open_timer() - a timer
 * @first_s:	seconds until it expires first, 0 for never
 * @every_s:	seconds between the next ones, 0 for once
 *
 * Return: file descriptor
 */
static int open_timer(double first_s, double every_s)
{
	struct itimerspec spec = {
		.it_value = { (time_t)first_s, (long)((first_s - (double)(time_t)first_s) * 1e9) },
		.it_interval = { (time_t)every_s, (long)((every_s - (double)(time_t)every_s) * 1e9) },
	};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0 || timerfd_settime(fd, 0, &spec, NULL))
		fail("timer", strerror(errno));
	return fd;
}

/**
 * open_signals() - have the signals as data
 *
 * Return: file descriptor
 */
static int open_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		fail("signals", strerror(errno));
	return fd;
}

/**
 * run() - count until a signal or the time ends it
 * @p:		program
 */
static void run(struct program *p)
{
	double every_s = p->station.n_pings ? p->every_ms / 1000 : 0;
	struct pollfd fds[] = {
		{ .fd = p->socket.fd, .events = POLLIN }, { .fd = open_signals(), .events = POLLIN },
		{ .fd = open_timer(every_s, every_s), .events = POLLIN }, { .fd = open_timer(p->seconds, 0), .events = POLLIN },
	};
	struct signalfd_siginfo signal;
	uint64_t expirations;

	for (;;) {
		if (poll(fds, 4, -1) < 0 && errno != EINTR)
			fail("poll", strerror(errno));
		if (fds[0].revents)
			receive(p);
		if (fds[2].revents && read(fds[2].fd, &expirations, sizeof(expirations)) > 0)
			ping_all(p);
		if (fds[3].revents)
			return;
		if (!fds[1].revents || read(fds[1].fd, &signal, sizeof(signal)) != sizeof(signal))
			continue;
		if (signal.ssi_signo != SIGUSR1)
			return;
		write_report(p, false);
	}
}

/**
 * main() - the program
 * @argc, @argv: the command line
 *
 * Return: 0, 1 if something failed, 2 for a wrong command line
 */
int main(int argc, char **argv)
{
	static struct program p = { .every_ms = DEFAULT_EVERY_MS, .patience_ms = DEFAULT_PATIENCE_MS };
	int err;

	parse_options(&p, argc, argv);
	p.id = (uint16_t)getpid();
	err = packet_socket_open(&p.socket, p.interface);
	if (err)
		fail(p.interface, strerror(-err));
	p.started_ns = wall_clock();
	printf("station: listening on %s\n", p.interface);
	fflush(stdout);
	run(&p);
	receive(&p);
	err = write_report(&p, true);
	station_free(&p.station);
	return err;
}
