/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Netlink sockets: a request and its answer, and messages that come unasked.
 *
 * libnl builds and takes apart messages.  Receiving is done here, because two
 * things must be exact that libnl blurs: the errno (it folds ENOBUFS, which
 * means "events were lost", into ENOMEM), and the kernel's sentence in the
 * extended acknowledgement.
 */
#ifndef ROOTVIEW_NETLINK_H
#define ROOTVIEW_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netlink/msg.h>
#include <netlink/socket.h>

/* The kernel's longest sentence is a line; longer ones are cut off. */
#define NETLINK_WHY_SIZE 256

/*
 * Opens a generic netlink socket that asks for extended acknowledgements.
 * Returns 0 and the socket, which the caller frees with nl_socket_free(), or a
 * negative errno.
 */
int netlink_open(struct nl_sock **ret);

/* Called for each message of an answer; what it returns, if not 0, ends the call. */
typedef int (*netlink_answer_t)(struct nlmsghdr *message, void *userdata);

/*
 * Sends @request, which is *NOT* consumed, and hands each message of the answer
 * to @answer, until the kernel says that this was all.
 *
 * Returns 0; the kernel's refusal as a negative errno, with its sentence in
 * @why (empty if it gave none); -EINTR for a dump that something changed under,
 * which is to be repeated; or a negative errno of the socket, -ENOBUFS where a part of the
 * answer was lost: the request may have been carried out.  Never waits.
 */
int netlink_call(struct nl_sock *sock, struct nl_msg *request, netlink_answer_t answer,
		 void *userdata, char why[static NETLINK_WHY_SIZE]);

/*
 * Several requests that are sent at once, one behind the other.  The kernel carries out
 * each for itself, in their order, and answers each: with one message, or with a refusal.
 */
#define NETLINK_BATCH_MAX	128
#define NETLINK_BATCH_SIZE	(64 * 1024)

struct netlink_batch {
	size_t n;
	size_t max;
	size_t size;
	char buffer[NETLINK_BATCH_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
};

/*
 * Empties @batch, which then takes as many requests as @sock has room for answers: one at
 * least, NETLINK_BATCH_MAX at most.
 */
void netlink_batch_begin(struct nl_sock *sock, struct netlink_batch *batch);

/*
 * Adds @request, which is *NOT* consumed; its answer must be one message, of 1 KiB at most.
 * Returns false if it does not fit.
 */
bool netlink_batch_add(struct netlink_batch *batch, const struct nl_msg *request);

/*
 * Called for the answer to request @i: with the message and 0; or with NULL and the kernel's
 * refusal, a negative errno, with its sentence in @why (empty if it gave none).
 */
typedef void (*netlink_answered_t)(void *userdata, size_t i, struct nlmsghdr *message, int error,
				   const char *why);

/*
 * Sends all of @batch, and hands each answer to @answered.  Never waits.  Returns 0 if all
 * were answered, or a negative errno of the socket: -ENOBUFS where the kernel had no memory
 * for an answer.  There was room for all, and a module that takes memory for the answer
 * before it carries out a request has not carried out one that was not answered.
 */
int netlink_batch_call(struct nl_sock *sock, struct netlink_batch *batch,
		       netlink_answered_t answered, void *userdata);

/*
 * Receives into @buffer without waiting.  Returns the number of bytes, which
 * hold whole messages; 0 if there is nothing to read; -ENOBUFS if messages were
 * lost; or another negative errno.
 */
ssize_t netlink_receive(struct nl_sock *sock, void *buffer, size_t size);

/*
 * Takes an NLMSG_ERROR or NLMSG_DONE message apart.  Returns 0 or the negative
 * errno in it, and its sentence in @why, empty if there is none.
 */
int netlink_parse_ack(struct nlmsghdr *message, char why[static NETLINK_WHY_SIZE]);

#endif
