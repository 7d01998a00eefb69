// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attributes of the netlink family; attr.h says what is here.
 */
#include "attr.h"

#include <linux/err.h>
#include <linux/kdev_t.h>
#include <linux/stringify.h>
#include <uapi/linux/rootview.h>

#include "registry.h"

int rootview_refuse(struct netlink_ext_ack *extack, const struct nlattr *attr, const char *why,
		    int error)
{
	if (extack) {
		/* NL_SET_ERR_MSG() takes literals only; this is what it does. */
		extack->_msg = why;
		NL_SET_BAD_ATTR(extack, attr);
	}
	return error;
}

static int rootview_validate_name(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	const char *why;
	int r = rootview_check_name(nla_data(attr), &why);

	return r ? rootview_refuse(extack, attr, why, r) : 0;
}

static int rootview_validate_label(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	const char *why;
	int r = rootview_check_label(nla_data(attr), &why);

	return r ? rootview_refuse(extack, attr, why, r) : 0;
}

static int rootview_validate_blob(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	if (nla_len(attr) > ROOTVIEW_BLOB_MAX)
		return rootview_refuse(extack, attr, "blob is longer than "
				       __stringify(ROOTVIEW_BLOB_MAX) " bytes", -E2BIG);
	return 0;
}

static const struct nla_policy rootview_origin_policy[ROOTVIEW_ORIGIN_A_MAX + 1] = {
	[ROOTVIEW_ORIGIN_A_NAME]	= { .type = NLA_NUL_STRING, .len = DM_NAME_LEN - 1 },
	/* No function of ours may look at a number: the kernel warns when it shows the policy. */
	[ROOTVIEW_ORIGIN_A_DEV]		= { .type = NLA_U32 },
};

static const struct nla_policy rootview_view_policy[ROOTVIEW_VIEW_A_MAX + 1] = {
	[ROOTVIEW_VIEW_A_NAME]	= NLA_POLICY_VALIDATE_FN(NLA_NUL_STRING, rootview_validate_name),
	[ROOTVIEW_VIEW_A_ID]	= NLA_POLICY_MIN(NLA_U64, 1),
	[ROOTVIEW_VIEW_A_LABEL]	= NLA_POLICY_VALIDATE_FN(NLA_NUL_STRING, rootview_validate_label),
	[ROOTVIEW_VIEW_A_BLOB]	= NLA_POLICY_VALIDATE_FN(NLA_BINARY, rootview_validate_blob),
};

const struct nla_policy rootview_policy[ROOTVIEW_A_MAX + 1] = {
	[ROOTVIEW_A_ORIGIN]	= NLA_POLICY_NESTED(rootview_origin_policy),
	[ROOTVIEW_A_VIEW]	= NLA_POLICY_NESTED(rootview_view_policy),
};

int rootview_put_origin(struct sk_buff *skb, struct rootview_registry *reg, bool everything)
{
	struct rootview_counters sum;
	struct nlattr *nest;

	nest = nla_nest_start(skb, ROOTVIEW_A_ORIGIN);
	if (!nest)
		return -EMSGSIZE;
	if (nla_put_string(skb, ROOTVIEW_ORIGIN_A_NAME, reg->name) ||
	    nla_put_u32(skb, ROOTVIEW_ORIGIN_A_DEV, new_encode_dev(reg->dev)) ||
	    nla_put_u64_64bit(skb, ROOTVIEW_ORIGIN_A_ID, reg->id, ROOTVIEW_ORIGIN_A_PAD) ||
	    nla_put_u64_64bit(skb, ROOTVIEW_ORIGIN_A_GENERATION, reg->generation,
			      ROOTVIEW_ORIGIN_A_PAD))
		return -EMSGSIZE;
	if (!everything)
		goto out;

	sum = rootview_sum_counters(reg);
	if (nla_put_u32(skb, ROOTVIEW_ORIGIN_A_BACKING_DEV, new_encode_dev(reg->backing)) ||
	    nla_put_u64_64bit(skb, ROOTVIEW_ORIGIN_A_SIZE, reg->size, ROOTVIEW_ORIGIN_A_PAD) ||
	    nla_put_u64_64bit(skb, ROOTVIEW_ORIGIN_A_VIEWS, reg->nr_views,
			      ROOTVIEW_ORIGIN_A_PAD) ||
	    nla_put_u64_64bit(skb, ROOTVIEW_ORIGIN_A_CREATED, reg->created,
			      ROOTVIEW_ORIGIN_A_PAD) ||
	    nla_put_u64_64bit(skb, ROOTVIEW_ORIGIN_A_DELETED, reg->deleted,
			      ROOTVIEW_ORIGIN_A_PAD) ||
	    nla_put_u64_64bit(skb, ROOTVIEW_ORIGIN_A_READS, sum.reads, ROOTVIEW_ORIGIN_A_PAD) ||
	    nla_put_u64_64bit(skb, ROOTVIEW_ORIGIN_A_READ_SECTORS, sum.read_sectors,
			      ROOTVIEW_ORIGIN_A_PAD) ||
	    nla_put_u64_64bit(skb, ROOTVIEW_ORIGIN_A_REFUSED, sum.refused,
			      ROOTVIEW_ORIGIN_A_PAD) ||
	    nla_put_u64_64bit(skb, ROOTVIEW_ORIGIN_A_ERRORS, sum.errors, ROOTVIEW_ORIGIN_A_PAD))
		return -EMSGSIZE;
out:
	nla_nest_end(skb, nest);
	return 0;
}

static size_t rootview_secret_size(const struct rootview_view *view)
{
	return (view->label ? strlen(view->label) : 0) + view->blob_len;
}

size_t rootview_msg_size(const struct rootview_view *view)
{
	return ROOTVIEW_MSG_SIZE + rootview_secret_size(view);
}

int rootview_put_view(struct sk_buff *skb, const struct rootview_view *view,
		      enum rootview_detail detail)
{
	bool all = detail == ROOTVIEW_ALL;
	struct nlattr *nest;

	nest = nla_nest_start(skb, ROOTVIEW_A_VIEW);
	if (!nest)
		return -EMSGSIZE;
	if (nla_put_string(skb, ROOTVIEW_VIEW_A_NAME, view->name) ||
	    nla_put_u64_64bit(skb, ROOTVIEW_VIEW_A_ID, view->id, ROOTVIEW_VIEW_A_PAD) ||
	    (all && view->label && nla_put_string(skb, ROOTVIEW_VIEW_A_LABEL, view->label)) ||
	    (all && view->blob &&
	     nla_put(skb, ROOTVIEW_VIEW_A_BLOB, view->blob_len, view->blob)) ||
	    (detail == ROOTVIEW_WITHHELD && rootview_secret_size(view) &&
	     nla_put_flag(skb, ROOTVIEW_VIEW_A_WITHHELD)) ||
	    nla_put_u64_64bit(skb, ROOTVIEW_VIEW_A_CREATED_NS, view->created_ns,
			      ROOTVIEW_VIEW_A_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

struct rootview_registry *rootview_find_origin(const struct nlattr *nest,
					       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[ROOTVIEW_ORIGIN_A_MAX + 1];
	struct rootview_registry *reg;
	const char *name = NULL;
	dev_t dev = 0;
	int r;

	if (!nest)
		return ERR_PTR(rootview_refuse(extack, NULL, "request names no origin", -EINVAL));
	r = nla_parse_nested(tb, ROOTVIEW_ORIGIN_A_MAX, nest, NULL, extack);
	if (r)
		return ERR_PTR(r);
	if (tb[ROOTVIEW_ORIGIN_A_NAME])
		name = nla_data(tb[ROOTVIEW_ORIGIN_A_NAME]);
	if (tb[ROOTVIEW_ORIGIN_A_DEV])
		dev = new_decode_dev(nla_get_u32(tb[ROOTVIEW_ORIGIN_A_DEV]));
	if (!name && !dev)
		return ERR_PTR(rootview_refuse(extack, nest,
					       "origin has neither name nor device number",
					       -EINVAL));
	reg = rootview_registry_find(name, dev);
	if (!reg)
		return ERR_PTR(rootview_refuse(extack, nest, "no such origin", -ENODEV));
	return reg;
}

int rootview_parse_view(struct nlattr **tb, const struct nlattr *nest,
			struct netlink_ext_ack *extack)
{
	if (!nest)
		return rootview_refuse(extack, NULL, "request names no view", -EINVAL);
	return nla_parse_nested(tb, ROOTVIEW_VIEW_A_MAX, nest, NULL, extack);
}
