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

#include <stddef.h>
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
