// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Netlink messages: acknowledgements, and the attributes that the module sends.
 */
#include "../rootviewd/message.h"
#include "../rootviewd/netlink.h"

#include <linux/rootview.h>
#include <stdint.h>

#include <netlink/attr.h>

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
	return 0;
}
