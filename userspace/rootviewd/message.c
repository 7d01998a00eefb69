// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The module's messages, taken apart; message.h is the contract.
 */
#include "message.h"

#include <linux/rootview.h>
#include <netlink/attr.h>

static uint64_t get_u64(const struct nlattr *attr)
{
	return attr ? nla_get_u64(attr) : 0;
}

bool message_parse_origin(struct nlattr *nest, struct kernel_origin *ret)
{
	static const struct nla_policy policy[ROOTVIEW_ORIGIN_A_MAX + 1] = {
		[ROOTVIEW_ORIGIN_A_NAME]	 = { .type = NLA_STRING },
		[ROOTVIEW_ORIGIN_A_DEV]		 = { .type = NLA_U32 },
		[ROOTVIEW_ORIGIN_A_ID]		 = { .type = NLA_U64 },
		[ROOTVIEW_ORIGIN_A_GENERATION]	 = { .type = NLA_U64 },
		[ROOTVIEW_ORIGIN_A_BACKING_DEV]	 = { .type = NLA_U32 },
		[ROOTVIEW_ORIGIN_A_SIZE]	 = { .type = NLA_U64 },
		[ROOTVIEW_ORIGIN_A_VIEWS]	 = { .type = NLA_U64 },
		[ROOTVIEW_ORIGIN_A_CREATED]	 = { .type = NLA_U64 },
		[ROOTVIEW_ORIGIN_A_DELETED]	 = { .type = NLA_U64 },
		[ROOTVIEW_ORIGIN_A_READS]	 = { .type = NLA_U64 },
		[ROOTVIEW_ORIGIN_A_READ_SECTORS] = { .type = NLA_U64 },
		[ROOTVIEW_ORIGIN_A_REFUSED]	 = { .type = NLA_U64 },
		[ROOTVIEW_ORIGIN_A_ERRORS]	 = { .type = NLA_U64 },
	};
	struct nlattr *tb[ROOTVIEW_ORIGIN_A_MAX + 1];

	if (!nest || nla_parse_nested(tb, ROOTVIEW_ORIGIN_A_MAX, nest, policy) < 0 ||
	    !tb[ROOTVIEW_ORIGIN_A_NAME] || !tb[ROOTVIEW_ORIGIN_A_DEV] ||
	    !tb[ROOTVIEW_ORIGIN_A_ID] || !tb[ROOTVIEW_ORIGIN_A_GENERATION])
		return false;
	*ret = (struct kernel_origin){
		.name = nla_get_string(tb[ROOTVIEW_ORIGIN_A_NAME]),
		.dev = nla_get_u32(tb[ROOTVIEW_ORIGIN_A_DEV]),
		.id = get_u64(tb[ROOTVIEW_ORIGIN_A_ID]),
		.generation = get_u64(tb[ROOTVIEW_ORIGIN_A_GENERATION]),
		.backing = tb[ROOTVIEW_ORIGIN_A_BACKING_DEV] ?
			nla_get_u32(tb[ROOTVIEW_ORIGIN_A_BACKING_DEV]) : 0,
		.sectors = get_u64(tb[ROOTVIEW_ORIGIN_A_SIZE]),
		.views = get_u64(tb[ROOTVIEW_ORIGIN_A_VIEWS]),
		.created = get_u64(tb[ROOTVIEW_ORIGIN_A_CREATED]),
		.deleted = get_u64(tb[ROOTVIEW_ORIGIN_A_DELETED]),
		.reads = get_u64(tb[ROOTVIEW_ORIGIN_A_READS]),
		.read_sectors = get_u64(tb[ROOTVIEW_ORIGIN_A_READ_SECTORS]),
		.refused = get_u64(tb[ROOTVIEW_ORIGIN_A_REFUSED]),
		.errors = get_u64(tb[ROOTVIEW_ORIGIN_A_ERRORS]),
	};
	return true;
}

bool message_parse_view(struct nlattr *nest, struct kernel_view *ret)
{
	static const struct nla_policy policy[ROOTVIEW_VIEW_A_MAX + 1] = {
		[ROOTVIEW_VIEW_A_NAME]		= { .type = NLA_STRING },
		[ROOTVIEW_VIEW_A_ID]		= { .type = NLA_U64 },
		[ROOTVIEW_VIEW_A_LABEL]		= { .type = NLA_STRING },
		[ROOTVIEW_VIEW_A_BLOB]		= { .type = NLA_UNSPEC },
		[ROOTVIEW_VIEW_A_CREATED_NS]	= { .type = NLA_U64 },
		[ROOTVIEW_VIEW_A_WITHHELD]	= { .type = NLA_FLAG },
	};
	struct nlattr *tb[ROOTVIEW_VIEW_A_MAX + 1];

	if (!nest || nla_parse_nested(tb, ROOTVIEW_VIEW_A_MAX, nest, policy) < 0 ||
	    !tb[ROOTVIEW_VIEW_A_NAME] || !tb[ROOTVIEW_VIEW_A_ID])
		return false;
	*ret = (struct kernel_view){
		.name = nla_get_string(tb[ROOTVIEW_VIEW_A_NAME]),
		.id = get_u64(tb[ROOTVIEW_VIEW_A_ID]),
		.label = tb[ROOTVIEW_VIEW_A_LABEL] ?
			nla_get_string(tb[ROOTVIEW_VIEW_A_LABEL]) : NULL,
		.created_ns = get_u64(tb[ROOTVIEW_VIEW_A_CREATED_NS]),
		.withheld = tb[ROOTVIEW_VIEW_A_WITHHELD],
	};
	if (tb[ROOTVIEW_VIEW_A_BLOB]) {
		ret->blob = nla_data(tb[ROOTVIEW_VIEW_A_BLOB]);
		ret->blob_size = nla_len(tb[ROOTVIEW_VIEW_A_BLOB]);
	}
	return true;
}
