// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Netlink sockets; netlink.h is the contract.
 */
#include "netlink.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "util.h"

/* As the kernel has it. */
#define MAX_ERRNO 4095

/* The kernel fills at most 32 KiB of a dump at a time. */
#define BUFFER_SIZE (64 * 1024)

/* An answer to one request of a batch, and how many are received at once. */
#define ANSWER_SIZE	1024
#define ANSWERS		32

/* What the kernel takes of a receive buffer for such an answer is below this. */
#define ANSWER_ROOM	2048
#define RECEIVE_SIZE	(NETLINK_BATCH_MAX * ANSWER_ROOM)

int netlink_open(struct nl_sock **ret)
{
	struct nl_sock *sock = nl_socket_alloc();
	int fd, one = 1, size = RECEIVE_SIZE;

	if (!sock)
		return -ENOMEM;
	if (nl_connect(sock, NETLINK_GENERIC) < 0) {
		/* libnl has its own errors; what connect() can fail with is mostly this. */
		nl_socket_free(sock);
		return -EPROTONOSUPPORT;
	}
	/* libnl would miss the answers that it did not read itself. */
	nl_socket_disable_seq_check(sock);
	fd = nl_socket_get_fd(sock);
	/* Without the privilege it is as large as the system's limit allows. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)) < 0) {
		int r = -errno;

		nl_socket_free(sock);
		return r;
	}
	*ret = sock;
	return 0;
}

static ssize_t receive_messages(struct nl_sock *sock, void *buffer, size_t size, int flags)
{
	struct sockaddr_nl from;
	struct iovec iov = { .iov_base = buffer, .iov_len = size };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from),
		.msg_iov = &iov, .msg_iovlen = 1,
	};
	ssize_t n;

	for (;;) {
		msg.msg_namelen = sizeof(from);
		n = recvmsg(nl_socket_get_fd(sock), &msg, flags);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (msg.msg_flags & MSG_TRUNC)
			return -EMSGSIZE;
		/* Only the kernel is believed. */
		if (from.nl_pid == 0)
			return n;
	}
}

ssize_t netlink_receive(struct nl_sock *sock, void *buffer, size_t size)
{
	ssize_t n = receive_messages(sock, buffer, size, MSG_DONTWAIT);

	return n == -EAGAIN ? 0 : n;
}

int netlink_parse_ack(struct nlmsghdr *message, char why[static NETLINK_WHY_SIZE])
{
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	char *data = nlmsg_data(message);
	size_t size = nlmsg_datalen(message);
	size_t head = sizeof(int);
	int error;

	why[0] = '\0';
	if (message->nlmsg_type == NLMSG_ERROR) {
		struct nlmsgerr *e = nlmsg_data(message);

		head = sizeof(*e);
		/* The request is repeated in the answer, unless the flag says otherwise. */
		if (size >= head && !(message->nlmsg_flags & NLM_F_CAPPED) &&
		    e->msg.nlmsg_len >= NLMSG_HDRLEN)
			head += NLMSG_ALIGN(e->msg.nlmsg_len) - NLMSG_HDRLEN;
	}
	/* A kernel may end a dump without a code. */
	if (size < sizeof(int))
		return message->nlmsg_type == NLMSG_DONE ? 0 : -EBADMSG;
	memcpy(&error, data, sizeof(error));
	if (error > 0 || error < -MAX_ERRNO)
		return -EBADMSG;

	if ((message->nlmsg_flags & NLM_F_ACK_TLVS) && size > head &&
	    nla_parse(tb, NLMSGERR_ATTR_MAX, (struct nlattr *)(data + head), size - head,
		      NULL) == 0 &&
	    tb[NLMSGERR_ATTR_MSG])
		snprintf(why, NETLINK_WHY_SIZE, "%.*s", nla_len(tb[NLMSGERR_ATTR_MSG]),
			 (char *)nla_data(tb[NLMSGERR_ATTR_MSG]));
	return error;
}

/*
 * Returns 1 when the answer is complete.  An error of @answer does not end the
 * reading, or the rest would be taken for the answer to the next request.
 */
static int handle_message(struct nlmsghdr *message, netlink_answer_t answer, void *userdata,
			  int *result, char *why)
{
	int r;

	if ((message->nlmsg_flags & NLM_F_DUMP_INTR) && !*result)
		*result = -EINTR;

	switch (message->nlmsg_type) {
	case NLMSG_NOOP:
		return 0;
	case NLMSG_ERROR:
	case NLMSG_DONE:
		r = netlink_parse_ack(message, why);
		if (r && !*result)
			*result = r;
		return 1;
	default:
		r = answer && !*result ? answer(message, userdata) : 0;
		if (r)
			*result = r;
		return 0;
	}
}

int netlink_call(struct nl_sock *sock, struct nl_msg *request, netlink_answer_t answer,
		 void *userdata, char why[static NETLINK_WHY_SIZE])
{
	/* Not on the heap: what has to be undone is, however short memory is. */
	static char buffer[BUFFER_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *head = nlmsg_hdr(request);
	int result = 0, lost = -EIO;
	bool complete = false;
	ssize_t n;

	why[0] = '\0';
	/* Sets sequence number and sender, and asks for an acknowledgement. */
	nl_complete_msg(sock, request);
	if (send(nl_socket_get_fd(sock), head, head->nlmsg_len, 0) < 0)
		return -errno;

	/*
	 * The kernel answers within send(), and goes on with a dump within recvmsg(): what is
	 * not there at once was lost, and nobody must wait for it.  All is read, also what
	 * remained of a dump that broke off, or the next one would find it at work still.
	 */
	while ((n = receive_messages(sock, buffer, BUFFER_SIZE, MSG_DONTWAIT)) != -EAGAIN) {
		struct nlmsghdr *message = (struct nlmsghdr *)buffer;
		int rest = n;

		if (n < 0) {
			lost = n;
			if (n != -ENOBUFS && n != -ENOMEM && n != -EMSGSIZE)
				break;
			continue;
		}
		for (; nlmsg_ok(message, rest); message = nlmsg_next(message, &rest))
			if (message->nlmsg_seq == head->nlmsg_seq &&
			    handle_message(message, answer, userdata, &result, why))
				complete = true;
	}
	return complete || result ? result : lost;
}

/*
 * The kernel drops an answer only where others already take up all of the room.  What is
 * there is asked for each time: it can be less than was wished for.
 */
void netlink_batch_begin(struct nl_sock *sock, struct netlink_batch *batch)
{
	socklen_t size = sizeof(int);
	int room = 0;

	(void)getsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVBUF, &room, &size);
	batch->n = 0;
	batch->size = 0;
	batch->max = room / ANSWER_ROOM;
	if (batch->max < 1)
		batch->max = 1;
	if (batch->max > NETLINK_BATCH_MAX)
		batch->max = NETLINK_BATCH_MAX;
}

bool netlink_batch_add(struct netlink_batch *batch, const struct nl_msg *request)
{
	const struct nlmsghdr *head = nlmsg_hdr((struct nl_msg *)request);
	size_t size = NLMSG_ALIGN(head->nlmsg_len);

	if (batch->n == batch->max || size > sizeof(batch->buffer) - batch->size)
		return false;
	memcpy(batch->buffer + batch->size, head, head->nlmsg_len);
	batch->size += size;
	batch->n++;
	return true;
}

/* Numbers the requests; an answer has the number of its own.  Returns that of the first. */
static uint32_t number_requests(struct nl_sock *sock, struct netlink_batch *batch)
{
	struct nlmsghdr *head = (struct nlmsghdr *)batch->buffer;
	uint32_t port = nl_socket_get_local_port(sock);
	uint32_t first = nl_socket_use_seq(sock);
	int rest = batch->size;

	for (size_t i = 0; i < batch->n; i++) {
		head->nlmsg_seq = i ? nl_socket_use_seq(sock) : first;
		head->nlmsg_pid = port;
		/* No acknowledgement: an answer says as well that it was carried out. */
		head->nlmsg_flags = NLM_F_REQUEST;
		head = nlmsg_next(head, &rest);
	}
	return first;
}

struct answers {
	uint32_t first;
	size_t n;			/* requests */
	size_t answered;
	netlink_answered_t told;
	void *userdata;
};

static void take_answer(struct answers *a, struct nlmsghdr *message, int size)
{
	size_t i = message->nlmsg_seq - a->first;
	char why[NETLINK_WHY_SIZE];
	int r = 0;

	why[0] = '\0';
	/* Others are what is left of an earlier call. */
	if (!nlmsg_ok(message, size) || i >= a->n)
		return;
	if (message->nlmsg_type == NLMSG_ERROR) {
		r = netlink_parse_ack(message, why);
		message = NULL;
	}
	/* An acknowledgement that nobody asked for is no answer. */
	if (!message && r == 0)
		return;
	a->answered++;
	a->told(a->userdata, i, message, r, why);
}

/* Receives what is there.  Returns how many messages, or a negative errno. */
static int receive_answers(struct nl_sock *sock, struct answers *a)
{
	static char buffers[ANSWERS][ANSWER_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct sockaddr_nl from[ANSWERS];
	struct iovec parts[ANSWERS];
	struct mmsghdr msgs[ANSWERS];
	int n;

	for (size_t i = 0; i < ANSWERS; i++) {
		parts[i] = (struct iovec){ buffers[i], ANSWER_SIZE };
		msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i], .msg_namelen = sizeof(from[i]),
			.msg_iov = &parts[i], .msg_iovlen = 1,
		};
	}
	n = recvmmsg(nl_socket_get_fd(sock), msgs, ANSWERS, MSG_DONTWAIT, NULL);
	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++)
		/* Only the kernel is believed. */
		if (from[i].nl_pid == 0 && !(msgs[i].msg_hdr.msg_flags & MSG_TRUNC))
			take_answer(a, (struct nlmsghdr *)buffers[i], msgs[i].msg_len);
	return n;
}

int netlink_batch_call(struct nl_sock *sock, struct netlink_batch *batch,
		       netlink_answered_t answered, void *userdata)
{
	struct answers a = {
		.first = number_requests(sock, batch), .n = batch->n,
		.told = answered, .userdata = userdata,
	};
	ssize_t sent = send(nl_socket_get_fd(sock), batch->buffer, batch->size, 0);
	int r = 0, lost = -EIO;

	if (sent < 0)
		return -errno;
	/* The kernel answers within send(): what is not there at once was lost. */
	while (a.answered < a.n && r != -EAGAIN) {
		r = receive_answers(sock, &a);
		if (r < 0 && r != -EAGAIN && r != -EINTR)
			lost = r;
		if (lost != -EIO && lost != -ENOBUFS && lost != -ENOMEM)
			break;
	}
	return a.answered == a.n ? 0 : lost;
}
