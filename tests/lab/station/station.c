// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * station - the third station on the lab's bridge: counts the guests' numbered frames and pings guests
 *
 * Opens a packet socket on one interface (CAP_NET_RAW), counts what arrives by the kernel's own time stamps, sends ARP
 * and pings when told to, and answers nothing but ARP requests for the address it pings from. SIGUSR1 writes
 * a report and goes on, SIGTERM and SIGINT write it and end. See README.md.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "events.h"
#include "options.h"
#include "report.h"
#include "socket.h"

/**
 * struct program - the whole state of the program
 * @opt:	the command line
 * @station:	what is counted
 * @socket:	the interface
 * @id:		ICMP identifier of the pings
 * @started_ns:	when counting began, ns since the epoch
 */
struct program {
	struct options opt;
	struct station station;
	struct packet_socket socket;
	uint16_t id;
	int64_t started_ns;
};

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
		.station = &p->station, .interface = p->opt.interface, .started_ns = p->started_ns, .now_ns = wall_clock(),
		.patience_ns = (int64_t)(p->opt.patience_ms * (double)NS_PER_MS),
		.socket_drops = packet_socket_drops(&p->socket), .final = final,
	};
	int err;

	report_text(stdout, &r);
	if (!p->opt.json)
		return 0;
	err = report_file(p->opt.json, &r);
	if (err)
		fprintf(stderr, "station: %s: %s\n", p->opt.json, strerror(-err));
	return err ? 1 : 0;
}

/**
 * take_arp() - learn who has an address that is pinged, and answer who asks for ours
 * @p:		program
 * @arp:	what was heard
 */
static void take_arp(struct program *p, const struct arp_news *arp)
{
	struct arp_news reply = { .kind = ARP_REPLY, .ip = p->opt.ip, .target = arp->ip };
	uint8_t frame[FRAME_ROOM];
	size_t i;

	for (i = 0; i < p->station.n_pings; i++) {
		struct ping *ping = &p->station.ping[i];

		if (ping->ip != arp->ip || ping->resolved)
			continue;
		memcpy(ping->mac, arp->mac, MAC_LEN);
		ping->resolved = true;
	}
	if (arp->kind != ARP_REQUEST || !p->station.n_pings || arp->target != p->opt.ip)
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

	if (e->id != p->id || e->dst != p->opt.ip)
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
		fail(p->opt.interface, strerror(-err));
}

/**
 * ping_all() - send a ping to each address, or an ARP request where its MAC is not known yet
 * @p:		program
 */
static void ping_all(struct program *p)
{
	struct arp_news question = { .kind = ARP_REQUEST, .ip = p->opt.ip };
	struct echo echo = { .src = p->opt.ip, .id = p->id };
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
 * run() - count until a signal or the time ends it
 * @p:		program
 */
static void run(struct program *p)
{
	double every_s = p->station.n_pings ? p->opt.every_ms / 1000 : 0;
	struct pollfd fds[] = {
		{ .fd = p->socket.fd, .events = POLLIN }, { .fd = open_signals(), .events = POLLIN },
		{ .fd = open_timer(every_s, every_s), .events = POLLIN }, { .fd = open_timer(p->opt.seconds, 0), .events = POLLIN },
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
 * prepare() - take over from the command line what counting needs
 * @p:		program
 */
static void prepare(struct program *p)
{
	size_t i;

	p->id = (uint16_t)getpid();
	p->station.timeline.least_ns = (int64_t)(p->opt.gap_ms * (double)NS_PER_MS);
	p->station.n_pings = p->opt.n_pings;
	for (i = 0; i < p->opt.n_pings; i++)
		p->station.ping[i].ip = p->opt.ping[i];
}

/**
 * main() - the program
 * @argc, @argv: the command line
 *
 * Return: 0, 1 if something failed, 2 for a wrong command line
 */
int main(int argc, char **argv)
{
	static struct program p;
	int err;

	options_parse(&p.opt, argc, argv);
	prepare(&p);
	err = packet_socket_open(&p.socket, p.opt.interface);
	if (err)
		fail(p.opt.interface, strerror(-err));
	p.started_ns = wall_clock();
	printf("station: listening on %s\n", p.opt.interface);
	fflush(stdout);
	run(&p);
	receive(&p);
	err = write_report(&p, true);
	station_free(&p.station);
	return err;
}
