// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family "rootview".
 *
 * Handlers take the registry's lock around both a change and the reply that
 * tells of it, so a reply never describes what somebody else changed meanwhile.
 * Nothing here is ever called from the read path.
 */
#include "netlink.h"

#include <linux/capability.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/stringify.h>
#include <net/genetlink.h>
#include <uapi/linux/rootview.h>

#include "compat.h"
#include "registry.h"

/* A message with a full view in it; what this does not hold was not accepted. */
#define VIEW_MSG_SIZE (ROOTVIEW_NAME_MAX + ROOTVIEW_LABEL_MAX + ROOTVIEW_BLOB_MAX + 512)

static struct genl_family rootview_genl;

/*
 * Policies.
 */

static int refuse(struct netlink_ext_ack *extack, const struct nlattr *attr, const char *why,
		  int error)
{
	if (extack) {
		/* NL_SET_ERR_MSG() takes literals only; this is what it does. */
		extack->_msg = why;
		NL_SET_BAD_ATTR(extack, attr);
	}
	return error;
}

static int validate_name(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	const char *why;
	int r = rootview_check_name(nla_data(attr), &why);

	return r ? refuse(extack, attr, why, r) : 0;
}

static int validate_label(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	const char *why;
	int r = rootview_check_label(nla_data(attr), &why);

	return r ? refuse(extack, attr, why, r) : 0;
}

static int validate_blob(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	if (nla_len(attr) > ROOTVIEW_BLOB_MAX)
		return refuse(extack, attr,
			      "blob is longer than " __stringify(ROOTVIEW_BLOB_MAX) " bytes",
			      -E2BIG);
	return 0;
}

static const struct nla_policy origin_policy[ROOTVIEW_ORIGIN_A_MAX + 1] = {
	[ROOTVIEW_ORIGIN_A_NAME]	= { .type = NLA_NUL_STRING, .len = DM_NAME_LEN - 1 },
	[ROOTVIEW_ORIGIN_A_DEV]		= { .type = NLA_U32 },
};

static const struct nla_policy view_policy[ROOTVIEW_VIEW_A_MAX + 1] = {
	[ROOTVIEW_VIEW_A_NAME]	= NLA_POLICY_VALIDATE_FN(NLA_NUL_STRING, validate_name),
	[ROOTVIEW_VIEW_A_ID]	= NLA_POLICY_MIN(NLA_U64, 1),
	[ROOTVIEW_VIEW_A_LABEL]	= NLA_POLICY_VALIDATE_FN(NLA_NUL_STRING, validate_label),
	[ROOTVIEW_VIEW_A_BLOB]	= NLA_POLICY_VALIDATE_FN(NLA_BINARY, validate_blob),
};

static const struct nla_policy rootview_policy[ROOTVIEW_A_MAX + 1] = {
	[ROOTVIEW_A_ORIGIN]	= NLA_POLICY_NESTED(origin_policy),
	[ROOTVIEW_A_VIEW]	= NLA_POLICY_NESTED(view_policy),
};

/*
 * Parts of messages.
 */

static int put_origin(struct sk_buff *skb, struct rootview_registry *reg, bool everything)
{
	struct rootview_counters sum;
	struct nlattr *nest;

	nest = nla_nest_start(skb, ROOTVIEW_A_ORIGIN);
	if (!nest)
		return -EMSGSIZE;
	if (nla_put_string(skb, ROOTVIEW_ORIGIN_A_NAME, rootview_registry_name(reg)) ||
	    nla_put_u32(skb, ROOTVIEW_ORIGIN_A_DEV, reg->dev) ||
	    nla_put_u64_64bit(skb, ROOTVIEW_ORIGIN_A_ID, reg->id, ROOTVIEW_ORIGIN_A_PAD) ||
	    nla_put_u64_64bit(skb, ROOTVIEW_ORIGIN_A_GENERATION, reg->generation,
			      ROOTVIEW_ORIGIN_A_PAD))
		return -EMSGSIZE;
	if (!everything)
		goto out;

	sum = rootview_sum_counters(reg);
	if (nla_put_u32(skb, ROOTVIEW_ORIGIN_A_BACKING_DEV, reg->backing) ||
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

static int put_view(struct sk_buff *skb, const struct rootview_view *view, bool everything)
{
	struct nlattr *nest;

	nest = nla_nest_start(skb, ROOTVIEW_A_VIEW);
	if (!nest)
		return -EMSGSIZE;
	if (nla_put_string(skb, ROOTVIEW_VIEW_A_NAME, view->name) ||
	    nla_put_u64_64bit(skb, ROOTVIEW_VIEW_A_ID, view->id, ROOTVIEW_VIEW_A_PAD) ||
	    (view->label && nla_put_string(skb, ROOTVIEW_VIEW_A_LABEL, view->label)) ||
	    (everything && view->blob &&
	     nla_put(skb, ROOTVIEW_VIEW_A_BLOB, view->blob_len, view->blob)) ||
	    nla_put_u64_64bit(skb, ROOTVIEW_VIEW_A_CREATED_NS, view->created_ns,
			      ROOTVIEW_VIEW_A_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* On failure the caller throws the message away. */
static int put_reply(struct sk_buff *skb, struct genl_info *info, struct rootview_registry *reg,
		     const struct rootview_view *view, bool everything)
{
	void *head = genlmsg_put_reply(skb, info, &rootview_genl, 0, info->genlhdr->cmd);

	if (!head || put_origin(skb, reg, everything && !view) ||
	    (view && put_view(skb, view, everything)))
		return refuse(info->extack, NULL, "reply does not fit into a message", -EMSGSIZE);
	genlmsg_end(skb, head);
	return 0;
}

/*
 * Parts of requests.
 */

static bool may_change(struct sk_buff *skb, struct genl_info *info)
{
	/* GENL_ADMIN_PERM would ask for CAP_NET_ADMIN. */
	if (netlink_capable(skb, CAP_SYS_ADMIN))
		return true;
	refuse(info->extack, NULL, "changing views takes CAP_SYS_ADMIN", -EPERM);
	return false;
}

/* The caller puts what it gets. */
static struct rootview_registry *find_origin(const struct nlattr *nest,
					     struct netlink_ext_ack *extack)
{
	struct nlattr *tb[ROOTVIEW_ORIGIN_A_MAX + 1];
	struct rootview_registry *reg;
	const char *name = NULL;
	dev_t dev = 0;
	int r;

	if (!nest)
		return ERR_PTR(refuse(extack, NULL, "request names no origin", -EINVAL));
	r = nla_parse_nested(tb, ROOTVIEW_ORIGIN_A_MAX, nest, origin_policy, extack);
	if (r)
		return ERR_PTR(r);
	if (tb[ROOTVIEW_ORIGIN_A_NAME])
		name = nla_data(tb[ROOTVIEW_ORIGIN_A_NAME]);
	if (tb[ROOTVIEW_ORIGIN_A_DEV])
		dev = nla_get_u32(tb[ROOTVIEW_ORIGIN_A_DEV]);
	if (!name && !dev)
		return ERR_PTR(refuse(extack, nest, "origin has neither name nor device number",
				      -EINVAL));
	reg = rootview_registry_find(name, dev);
	if (!reg)
		return ERR_PTR(refuse(extack, nest, "no such origin", -ENODEV));
	return reg;
}

static int parse_view(struct nlattr **tb, struct genl_info *info)
{
	const struct nlattr *nest = info->attrs[ROOTVIEW_A_VIEW];

	if (!nest)
		return refuse(info->extack, NULL, "request names no view", -EINVAL);
	return nla_parse_nested(tb, ROOTVIEW_VIEW_A_MAX, nest, view_policy, info->extack);
}

/* Wants the registry's lock. */
static struct rootview_view *find_view(struct rootview_registry *reg, struct genl_info *info)
{
	struct nlattr *tb[ROOTVIEW_VIEW_A_MAX + 1];
	struct rootview_view *view;
	const char *name = NULL;
	u64 id = 0;
	int r;

	r = parse_view(tb, info);
	if (r)
		return ERR_PTR(r);
	if (tb[ROOTVIEW_VIEW_A_NAME])
		name = nla_data(tb[ROOTVIEW_VIEW_A_NAME]);
	if (tb[ROOTVIEW_VIEW_A_ID])
		id = nla_get_u64(tb[ROOTVIEW_VIEW_A_ID]);
	if (!name && !id)
		return ERR_PTR(refuse(info->extack, info->attrs[ROOTVIEW_A_VIEW],
				      "view has neither name nor id", -EINVAL));
	view = rootview_view_find(reg, name, id);
	if (!view)
		return ERR_PTR(refuse(info->extack, info->attrs[ROOTVIEW_A_VIEW], "no such view",
				      -ENOENT));
	return view;
}

/*
 * Requests.
 */

static int create_view(struct sk_buff *reply, struct genl_info *info,
		       struct rootview_registry *reg)
{
	struct nlattr *tb[ROOTVIEW_VIEW_A_MAX + 1];
	struct rootview_view *view;
	const char *why = NULL;
	int r;

	r = parse_view(tb, info);
	if (r)
		return r;
	if (!tb[ROOTVIEW_VIEW_A_NAME])
		return refuse(info->extack, info->attrs[ROOTVIEW_A_VIEW], "view has no name",
			      -EINVAL);
	if (tb[ROOTVIEW_VIEW_A_ID])
		return refuse(info->extack, tb[ROOTVIEW_VIEW_A_ID],
			      "the id of a view cannot be chosen", -EINVAL);

	view = rootview_view_create(reg, nla_data(tb[ROOTVIEW_VIEW_A_NAME]),
				    tb[ROOTVIEW_VIEW_A_LABEL] ?
					nla_data(tb[ROOTVIEW_VIEW_A_LABEL]) : NULL,
				    tb[ROOTVIEW_VIEW_A_BLOB] ?
					nla_data(tb[ROOTVIEW_VIEW_A_BLOB]) : NULL,
				    tb[ROOTVIEW_VIEW_A_BLOB] ?
					nla_len(tb[ROOTVIEW_VIEW_A_BLOB]) : 0,
				    &why);
	if (IS_ERR(view))
		return refuse(info->extack, tb[ROOTVIEW_VIEW_A_NAME], why, PTR_ERR(view));
	return put_reply(reply, info, reg, view, false);
}

static int delete_view(struct sk_buff *reply, struct genl_info *info,
		       struct rootview_registry *reg)
{
	struct rootview_view *view = find_view(reg, info);
	int r;

	if (IS_ERR(view))
		return PTR_ERR(view);
	rootview_view_delete(reg, view);
	r = put_reply(reply, info, reg, view, false);
	kvfree(view);
	return r;
}

static int get_view(struct sk_buff *reply, struct genl_info *info, struct rootview_registry *reg)
{
	struct rootview_view *view = find_view(reg, info);

	return IS_ERR(view) ? PTR_ERR(view) : put_reply(reply, info, reg, view, true);
}

static int get_origin(struct sk_buff *reply, struct genl_info *info,
		      struct rootview_registry *reg)
{
	return put_reply(reply, info, reg, NULL, true);
}

/* What all requests have in common: find the origin, lock it, do it, answer. */
static int do_locked(struct genl_info *info,
		     int (*fn)(struct sk_buff *reply, struct genl_info *info,
			       struct rootview_registry *reg))
{
	struct rootview_registry *reg;
	struct sk_buff *reply;
	int r;

	reg = find_origin(info->attrs[ROOTVIEW_A_ORIGIN], info->extack);
	if (IS_ERR(reg))
		return PTR_ERR(reg);

	/* First of all, and large enough: no change is made that cannot be told. */
	reply = genlmsg_new(VIEW_MSG_SIZE, GFP_KERNEL);
	if (!reply) {
		r = -ENOMEM;
		goto out;
	}
	mutex_lock(&reg->lock);
	r = fn(reply, info, reg);
	mutex_unlock(&reg->lock);
	if (r)
		nlmsg_free(reply);
	else
		r = genlmsg_reply(reply, info);
out:
	rootview_registry_put(reg);
	return r;
}

static int doit_origin_get(struct sk_buff *skb, struct genl_info *info)
{
	return do_locked(info, get_origin);
}

static int doit_view_create(struct sk_buff *skb, struct genl_info *info)
{
	return may_change(skb, info) ? do_locked(info, create_view) : -EPERM;
}

static int doit_view_delete(struct sk_buff *skb, struct genl_info *info)
{
	return may_change(skb, info) ? do_locked(info, delete_view) : -EPERM;
}

static int doit_view_get(struct sk_buff *skb, struct genl_info *info)
{
	return do_locked(info, get_view);
}

/*
 * Dumps.  Their cursor is made of ids, which are never used again, so nothing
 * has to be held between two parts of a dump.
 */

struct dump_cursor {
	u64 origin;	/* the next origin, by id */
	u64 view;	/* the next view on it, by id */
	bool single;	/* this origin and no other */
};

static struct dump_cursor *cursor_of(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct dump_cursor) > sizeof(cb->ctx));
	return (struct dump_cursor *)cb->ctx;
}

static void *put_dump_header(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	void *head = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				 &rootview_genl, NLM_F_MULTI, cmd);

	if (head)
		genl_dump_check_consistent(cb, head);
	return head;
}

static int dump_origins(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump_cursor *cursor = cursor_of(cb);
	struct rootview_registry *reg;

	cb->seq = rootview_changes() + 1; /* 0 stands for no number */
	while ((reg = rootview_registry_next(cursor->origin))) {
		void *head = put_dump_header(skb, cb, ROOTVIEW_CMD_ORIGIN_GET);
		int r = -EMSGSIZE;

		if (head) {
			mutex_lock(&reg->lock);
			r = put_origin(skb, reg, true);
			mutex_unlock(&reg->lock);
		}
		if (!r) {
			genlmsg_end(skb, head);
			cursor->origin = reg->id + 1;
		} else if (head) {
			genlmsg_cancel(skb, head);
		}
		rootview_registry_put(reg);
		if (r)
			return skb->len ?: r;
	}
	return skb->len;
}

static int start_views(struct netlink_callback *cb)
{
	struct dump_cursor *cursor = cursor_of(cb);
	struct nlattr *tb[ROOTVIEW_A_MAX + 1];
	struct rootview_registry *reg;
	int r;

	r = genlmsg_parse(cb->nlh, &rootview_genl, tb, ROOTVIEW_A_MAX, rootview_policy,
			  cb->extack);
	if (r)
		return r;
	if (tb[ROOTVIEW_A_ORIGIN]) {
		reg = find_origin(tb[ROOTVIEW_A_ORIGIN], cb->extack);
		if (IS_ERR(reg))
			return PTR_ERR(reg);
		cursor->origin = reg->id;
		cursor->single = true;
		rootview_registry_put(reg);
	}
	/* The largest view must fit, or the dump would never get past it. */
	cb->min_dump_alloc = VIEW_MSG_SIZE;
	return 0;
}

static int dump_views_of(struct rootview_registry *reg, struct sk_buff *skb,
			 struct netlink_callback *cb)
{
	struct dump_cursor *cursor = cursor_of(cb);
	struct rootview_view *view;
	unsigned long id;
	void *head;

	xa_for_each_start(&reg->views, id, view, cursor->view) {
		head = put_dump_header(skb, cb, ROOTVIEW_CMD_VIEW_GET);
		if (!head)
			return -EMSGSIZE;
		if (put_origin(skb, reg, false) || put_view(skb, view, true)) {
			genlmsg_cancel(skb, head);
			return -EMSGSIZE;
		}
		genlmsg_end(skb, head);
		cursor->view = view->id + 1;
	}
	return 0;
}

static int dump_views(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump_cursor *cursor = cursor_of(cb);
	struct rootview_registry *reg;
	int r;

	/* One origin's dump is not disturbed by what happens to the others. */
	if (!cursor->single)
		cb->seq = rootview_changes() + 1;

	while ((reg = rootview_registry_next(cursor->origin))) {
		if (reg->id != cursor->origin) {
			if (cursor->single) {
				/* It went away half way through: make the end say so. */
				rootview_registry_put(reg);
				break;
			}
			cursor->origin = reg->id;
			cursor->view = 0;
		}
		mutex_lock(&reg->lock);
		if (cursor->single)
			cb->seq = (u32)reg->generation + 1;
		r = dump_views_of(reg, skb, cb);
		mutex_unlock(&reg->lock);
		rootview_registry_put(reg);
		if (r)
			return skb->len ?: r;
		if (cursor->single) {
			cursor->origin = U64_MAX;
			return skb->len;
		}
		cursor->origin++;
		cursor->view = 0;
	}
	if (cursor->single && cursor->origin != U64_MAX)
		cb->seq = cb->prev_seq + 1;
	return skb->len;
}

/*
 * Events.
 */

static const struct genl_multicast_group rootview_mcgrps[] = {
	{ .name = ROOTVIEW_MCGRP_EVENTS, ROOTVIEW_MCGRP_ADMIN },
};

void rootview_netlink_announce(struct rootview_registry *reg, const struct rootview_view *view,
			       u8 event)
{
	struct sk_buff *skb;
	void *head;

	lockdep_assert_held(&reg->lock);

	if (!genl_has_listeners(&rootview_genl, &init_net, 0))
		return;
	/* Small: what waits for a slow listener counts against its buffer. */
	skb = genlmsg_new(512 + (view && view->label ? strlen(view->label) : 0), GFP_KERNEL);
	if (!skb)
		goto lost;
	head = genlmsg_put(skb, 0, 0, &rootview_genl, 0, event);
	if (!head || put_origin(skb, reg, false) || (view && put_view(skb, view, false))) {
		nlmsg_free(skb);
		goto lost;
	}
	genlmsg_end(skb, head);
	genlmsg_multicast(&rootview_genl, skb, 0, 0, GFP_KERNEL);
	return;
lost:
	genl_set_err(&rootview_genl, &init_net, 0, 0, -ENOBUFS);
}

/*
 * The family.  All commands are strict, for no validation is switched off.
 * netnsok stays unset: it exists in the initial network namespace alone.
 */

static const struct genl_ops rootview_ops[] = {
	{
		.cmd = ROOTVIEW_CMD_ORIGIN_GET,
		.doit = doit_origin_get,
		.dumpit = dump_origins,
	},
	{
		.cmd = ROOTVIEW_CMD_VIEW_CREATE,
		.doit = doit_view_create,
	},
	{
		.cmd = ROOTVIEW_CMD_VIEW_DELETE,
		.doit = doit_view_delete,
	},
	{
		.cmd = ROOTVIEW_CMD_VIEW_GET,
		.doit = doit_view_get,
		.start = start_views,
		.dumpit = dump_views,
	},
};

static struct genl_family rootview_genl = {
	.name = ROOTVIEW_GENL_NAME,
	.version = ROOTVIEW_GENL_VERSION,
	.module = THIS_MODULE,
	.maxattr = ROOTVIEW_A_MAX,
	.policy = rootview_policy,
	.parallel_ops = true,
	.ops = rootview_ops,
	.n_ops = ARRAY_SIZE(rootview_ops),
	.mcgrps = rootview_mcgrps,
	.n_mcgrps = ARRAY_SIZE(rootview_mcgrps),
};

int rootview_netlink_init(void)
{
	return genl_register_family(&rootview_genl);
}

void rootview_netlink_exit(void)
{
	genl_unregister_family(&rootview_genl);
}
