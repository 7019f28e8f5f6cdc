/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * netlink.c: sends one netlink request and collects its answer.
 *
 * Theory of operation: libnl opens the socket, builds and sends messages and receives datagrams. The walk over the answer is ours, since
 * libnl 3.7 neither knows extended acknowledgements nor tells the error that the kernel puts into the payload of NLMSG_DONE when
 * a dump fails. Replies are kept until the end of the answer, so that a dump which changed under the kernel's hands (NLM_F_DUMP_INTR)
 * is asked for again without the caller having seen half of it.
 */
#include "card/netlink.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/scope.h"

/* Linux include/uapi/linux/netlink.h; our own copies, old headers lack some. */
#define OPTION_CAP_ACK 10
#define OPTION_EXT_ACK 11
#define FLAG_CAPPED 0x100
#define FLAG_ACK_TLVS 0x200
#define FLAG_DUMP_INTR 0x10
#define ERROR_TEXT 1      /* NLMSGERR_ATTR_MSG */
#define ERROR_MISSING 5   /* NLMSGERR_ATTR_MISS_TYPE */

#define ANSWER_MAX (64u << 20) /* bytes: no host has that many ports */
#define DUMP_TRIES 10
#define RECEIVE_TIMEOUT 5      /* s; the kernel answers inside sendmsg() and recvmsg(), so this is never reached unless a reply is lost */

/*
 * Puts the replies of a request that failed to be sent or received into words.
 * error: negative libnl error (NLE_*). Return: a negative errno, with *why filled.
 */
static int libnl_failed(int error, const char *object, struct reason *why)
{
	int result = -EIO;

	if (error == -NLE_NOMEM)
		result = -ENOMEM;
	else if (error == -NLE_PERM)
		result = -EPERM;
	else if (error == -NLE_AGAIN)
		result = -ETIME;
	return reason_set(why, result, object, "netlink does not work: %s", nl_geterror(error));
}

/*
 * Opens a socket of a netlink protocol with extended acknowledgements and generous buffers.
 * Return: 0, negative errno with *why filled.
 */
static int open_socket(struct netlink *nl, int protocol, struct reason *why)
{
	struct timeval patience = { .tv_sec = RECEIVE_TIMEOUT };
	int error, on = 1;

	nl->socket = nl_socket_alloc();
	if (!nl->socket)
		return reason_set(why, -ENOMEM, "netlink", "out of memory");
	error = nl_connect(nl->socket, protocol);
	if (error)
		return libnl_failed(error, "netlink", why);
	/* A kernel or container may forbid a size; the default works too, only slower. */
	(void)nl_socket_set_buffer_size(nl->socket, 1 << 20, 64 << 10);
	/* Kernels before 4.12 lack these: then errors come without words. */
	(void)setsockopt(nl_socket_get_fd(nl->socket), SOL_NETLINK, OPTION_EXT_ACK, &on, sizeof(on));
	(void)setsockopt(nl_socket_get_fd(nl->socket), SOL_NETLINK, OPTION_CAP_ACK, &on, sizeof(on));
	(void)setsockopt(nl_socket_get_fd(nl->socket), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return 0;
}

/*
 * Opens rtnetlink or a generic netlink family.
 * family: NULL for rtnetlink, else the family's name such as "devlink".
 * Return: 0; -EOPNOTSUPP if the kernel has no such family; other negative errno; on failure nothing is left open.
 */
int netlink_open(struct netlink *nl, const char *family, struct reason *why)
{
	int error;

	memset(nl, 0, sizeof(*nl));
	error = open_socket(nl, family ? NETLINK_GENERIC : NETLINK_ROUTE, why);
	if (error) {
		netlink_close(nl);
		return error;
	}
	if (!family)
		return 0;
	nl->family = genl_ctrl_resolve(nl->socket, family);
	if (nl->family >= 0)
		return 0;
	error = nl->family;
	netlink_close(nl);
	if (error != -NLE_OBJ_NOTFOUND)
		return libnl_failed(error, family, why);
	reason_set(why, -EOPNOTSUPP, family, "this kernel has no netlink family '%s'", family);
	reason_cure(why, "boot a kernel with %s and load the card's driver (mlx5_core)", family);
	return -EOPNOTSUPP;
}

/* Closes what netlink_open() opened; harmless twice and on a zeroed struct. */
void netlink_close(struct netlink *nl)
{
	if (nl->socket)
		nl_socket_free(nl->socket);
	nl->socket = NULL;
	nl->family = 0;
}

/*
 * Reads the TLVs of an extended acknowledgement (Linux Documentation/userspace-api/netlink/intro.rst, "Extended ACK").
 * tlvs, len: the bytes behind the error. text: NETLINK_TEXT_MAX bytes, written only if there are words.
 */
static void read_acknowledgement(const unsigned char *tlvs, int len, char *text)
{
	const struct nlattr *attribute;
	int left;

	nla_for_each_attr(attribute, (const struct nlattr *)tlvs, len, left) {
		if (nla_type(attribute) == ERROR_TEXT)
			nla_strlcpy(text, attribute, NETLINK_TEXT_MAX);
		else if (nla_type(attribute) == ERROR_MISSING && nla_len(attribute) >= 4 && !text[0])
			snprintf(text, NETLINK_TEXT_MAX, "attribute %u is missing", nla_get_u32(attribute));
	}
}

/*
 * Reads NLMSG_ERROR, which is also the acknowledgement (error 0), and the words that may come with it.
 * Return: 0, -EPROTO if the message is too short.
 */
static int read_error(struct netlink_answer *answer, const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = nlmsg_data(message);
	unsigned int payload = (unsigned int)nlmsg_datalen(message), used = sizeof(*error);

	if (payload < sizeof(*error))
		return -EPROTO;
	answer->finished = true;
	answer->error = error->error <= 0 ? error->error : -EPROTO;
	if (!(message->nlmsg_flags & FLAG_ACK_TLVS))
		return 0;
	/* Without NLM_F_CAPPED the whole request is echoed before the TLVs. */
	if (!(message->nlmsg_flags & FLAG_CAPPED)) {
		if (error->msg.nlmsg_len < sizeof(error->msg) || error->msg.nlmsg_len > payload)
			return 0;
		used += NLMSG_ALIGN(error->msg.nlmsg_len - (unsigned int)sizeof(error->msg));
	}
	if (used < payload)
		read_acknowledgement((const unsigned char *)error + used, (int)(payload - used), answer->text);
	return 0;
}

/*
 * Reads NLMSG_DONE: the end of a dump, whose payload is 0 or the error that broke the dump off (Linux net/netlink/af_netlink.c
 * netlink_dump_done), with words behind it if NLM_F_ACK_TLVS says so.
 */
static void read_done(struct netlink_answer *answer, const struct nlmsghdr *message)
{
	int payload = nlmsg_datalen(message), error = 0;

	answer->finished = true;
	if (payload < (int)sizeof(error))
		return;
	memcpy(&error, nlmsg_data(message), sizeof(error));
	answer->error = error < 0 ? error : 0;
	if ((message->nlmsg_flags & FLAG_ACK_TLVS) && payload > (int)sizeof(error))
		read_acknowledgement((const unsigned char *)nlmsg_data(message) + sizeof(error), payload - (int)sizeof(error),
				     answer->text);
}

/* Keeps a copy of one reply. Return: 0, -ENOMEM, -EMSGSIZE. */
static int keep_reply(struct netlink_answer *answer, const struct nlmsghdr *message)
{
	size_t need = NLMSG_ALIGN(message->nlmsg_len);

	if (answer->len + need > ANSWER_MAX)
		return -EMSGSIZE;
	if (!answer->replies || answer->len + need > answer->size) {
		size_t size = answer->size ? answer->size * 2 : 16384;
		unsigned char *larger;

		while (size < answer->len + need)
			size *= 2;
		larger = realloc(answer->replies, size);
		if (!larger)
			return -ENOMEM;
		answer->replies = larger;
		answer->size = size;
	}
	memset(answer->replies + answer->len, 0, need);
	memcpy(answer->replies + answer->len, message, message->nlmsg_len);
	answer->len += need;
	return 0;
}

/*
 * Takes one datagram of an answer: replies are kept, the end and its error are noted, messages of other requests passed over.
 * Return: 0; -EMSGSIZE, -ENOMEM; -EPROTO if the bytes are no netlink messages.
 */
int netlink_answer_feed(struct netlink_answer *answer, const void *datagram, size_t len)
{
	const struct nlmsghdr *message = datagram;
	int left = (int)len, error = 0;

	if (len > ANSWER_MAX)
		return -EMSGSIZE;
	while (!error && !answer->finished && nlmsg_ok(message, left)) {
		if (message->nlmsg_seq != answer->sequence) {
			message = nlmsg_next((struct nlmsghdr *)(uintptr_t)message, &left);
			continue;
		}
		if (message->nlmsg_flags & FLAG_DUMP_INTR && message->nlmsg_type != NLMSG_ERROR)
			answer->interrupted = true;
		if (message->nlmsg_type == NLMSG_ERROR)
			error = read_error(answer, message);
		else if (message->nlmsg_type == NLMSG_DONE)
			read_done(answer, message);
		else if (message->nlmsg_type >= NLMSG_MIN_TYPE)
			error = keep_reply(answer, message);
		message = nlmsg_next((struct nlmsghdr *)(uintptr_t)message, &left);
	}
	if (!error && !answer->finished && left > 0)
		return -EPROTO;
	return error;
}

/*
 * Calls each(reply, arg) for every reply that was kept.
 * Return: 0, or the first negative value that each returned.
 */
int netlink_answer_each(const struct netlink_answer *answer, int (*each)(struct nlmsghdr *reply, void *arg), void *arg)
{
	struct nlmsghdr *reply = (struct nlmsghdr *)(void *)answer->replies;
	int left = (int)answer->len, error = 0;

	while (!error && each && reply && nlmsg_ok(reply, left)) {
		error = each(reply, arg);
		reply = nlmsg_next(reply, &left);
	}
	return error;
}

/* Gives the kept replies back and makes the answer ready for another request. */
void netlink_answer_release(struct netlink_answer *answer)
{
	free(answer->replies);
	memset(answer, 0, sizeof(*answer));
}

/*
 * Receives datagrams until the answer is complete.
 * Return: 0; negative errno with *why filled; -ENOBUFS (unexplained) when the kernel had to drop replies.
 */
static int receive_answer(struct netlink *nl, struct netlink_answer *answer, const char *object, struct reason *why)
{
	while (!answer->finished) {
		autofree unsigned char *datagram = NULL;
		struct sockaddr_nl sender = { 0 };
		int len, error;

		errno = 0;
		len = nl_recv(nl->socket, &sender, &datagram, NULL);
		if (len == 0 || (len < 0 && errno == EAGAIN))
			return reason_set(why, -ETIME, object, "the kernel did not answer within %d s", RECEIVE_TIMEOUT);
		if (len < 0 && errno == ENOBUFS)
			return -ENOBUFS;
		if (len < 0)
			return libnl_failed(len, object, why);
		if (sender.nl_pid != 0) /* another process, not the kernel */
			continue;
		error = netlink_answer_feed(answer, datagram, (size_t)len);
		if (error)
			return reason_set(why, error, object, "the kernel's answer cannot be understood");
	}
	return 0;
}

/* Puts a refusal of the kernel into *why, in its own words where it gave some. Return: the error. */
static int explain_refusal(const struct netlink_answer *answer, const char *object, struct reason *why)
{
	if (answer->text[0])
		reason_set(why, answer->error, object, "%s (%s)", answer->text, strerror(-answer->error));
	else
		reason_set(why, answer->error, object, "the kernel refused: %s", strerror(-answer->error));
	if (answer->error == -EPERM)
		reason_cure(why, "run it as root (CAP_NET_ADMIN)");
	return answer->error;
}

/*
 * Sends a request once and collects its answer.
 * Return: 0 (answer->error is the kernel's verdict); -EAGAIN if a dump must be asked for again; other negative errno with *why filled.
 */
static int ask_once(struct netlink *nl, struct nl_msg *msg, struct netlink_answer *answer, const char *object, struct reason *why)
{
	struct nlmsghdr *header = nlmsg_hdr(msg);
	bool dump = (header->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	int error;

	header->nlmsg_seq = NL_AUTO_SEQ;
	header->nlmsg_pid = NL_AUTO_PORT;
	error = nl_send_auto(nl->socket, msg);
	if (error < 0)
		return libnl_failed(error, object, why);
	answer->sequence = header->nlmsg_seq;
	error = receive_answer(nl, answer, object, why);
	if (error == -ENOBUFS && !dump)
		return reason_set(why, -ENOBUFS, object, "the kernel's answer was lost");
	if (error == -ENOBUFS || (!error && dump && (answer->interrupted || answer->error == -EINTR)))
		return -EAGAIN;
	return error;
}

/*
 * Sends a request and hands its replies to each(); see the header.
 * msg: consumed, may be NULL (out of memory). object: what the request is about, for sentences.
 * Return: 0, negative errno with *why filled (each() fills it itself).
 */
int netlink_call(struct netlink *nl, struct nl_msg *msg, int (*each)(struct nlmsghdr *reply, void *arg), void *arg,
		 const char *object, struct reason *why)
{
	struct netlink_answer answer = { 0 };
	int error = -EAGAIN;

	nl->warning[0] = '\0';
	if (!msg)
		return reason_set(why, -ENOMEM, object, "out of memory");
	nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	for (int tries = 0; error == -EAGAIN && tries < DUMP_TRIES; tries++) {
		netlink_answer_release(&answer);
		usleep((useconds_t)(tries * tries) * 1000); /* 0, 1, 4, ... ms: what disturbs a dump is soon over */
		error = ask_once(nl, msg, &answer, object, why);
	}
	if (error == -EAGAIN)
		reason_set(why, error, object, "the list changed each of the %d times that it was read; try again", DUMP_TRIES);
	else if (!error && answer.error)
		error = explain_refusal(&answer, object, why);
	else if (!error)
		error = netlink_answer_each(&answer, each, arg);
	if (!error)
		memcpy(nl->warning, answer.text, sizeof(nl->warning));
	netlink_answer_release(&answer);
	nlmsg_free(msg);
	return error;
}
