// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Netlink messages: acknowledgements, and the attributes that the module sends.
 */
#include "../rootviewd/message.h"
#include "../rootviewd/netlink.h"

#include <linux/rootview.h>
#include <stdint.h>

#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse_attributes(struct nlattr *attr, int rest)
{
	struct kernel_origin origin;
	struct kernel_view view;

	for (; nla_ok(attr, rest); attr = nla_next(attr, &rest)) {
		(void)message_parse_origin(attr, &origin);
		(void)message_parse_view(attr, &view);
	}
}

/* What answers and events are taken apart by. */
static void parse_message(struct nlmsghdr *message)
{
	struct nlattr *tb[ROOTVIEW_A_MAX + 1];
	struct kernel_origin origin;
	struct kernel_view view;

	if (genlmsg_parse(message, 0, tb, ROOTVIEW_A_MAX, NULL) < 0)
		return;
	(void)message_parse_origin(tb[ROOTVIEW_A_ORIGIN], &origin);
	if (message_parse_view(tb[ROOTVIEW_A_VIEW], &view) && view.blob && view.blob_size)
		(void)memchr(view.blob, 0, view.blob_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* As it lies in a receive buffer: aligned, and followed by nothing. */
	cleanup_free void *copy = malloc(size ?: 1);
	char why[NETLINK_WHY_SIZE];
	struct nlmsghdr *message = copy;
	int rest = size;

	if (!copy || size > 1 << 16)
		return 0;
	memcpy(copy, data, size);
	parse_attributes(copy, rest);
	for (; nlmsg_ok(message, rest); message = nlmsg_next(message, &rest))
		if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE)
			(void)netlink_parse_ack(message, why);
		else
			parse_message(message);
	return 0;
}
