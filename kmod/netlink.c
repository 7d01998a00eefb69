// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family "rootview".
 *
 * Handlers take the registry's lock around both a change and the reply that
 * tells of it, so a reply never describes what somebody else changed meanwhile.
 * Nothing here is ever called from the read path.
 *
 * The cursor of a dump is made of ids, which are never used again, so nothing
 * has to be held between two parts of it.  How a dump tells that something
 * changed meanwhile was learnt from WireGuard's.
 */
#include "netlink.h"

#include <linux/capability.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <net/genetlink.h>
#include <uapi/linux/rootview.h>

#include "attr.h"
#include "compat.h"
#include "registry.h"

static struct genl_family rootview_family;

static int rootview_check_sender(struct sk_buff *skb, struct netlink_ext_ack *extack)
{
	/* GENL_ADMIN_PERM would ask for CAP_NET_ADMIN. */
	if (netlink_capable(skb, CAP_SYS_ADMIN))
		return 0;
	return rootview_refuse(extack, NULL, "asking and changing take CAP_SYS_ADMIN", -EPERM);
}

/*
 * Requests.  These functions want the registry's lock.
 */

static struct rootview_view *rootview_find_view(struct rootview_registry *reg,
						struct genl_info *info)
{
	const struct nlattr *nest = info->attrs[ROOTVIEW_A_VIEW];
	struct nlattr *tb[ROOTVIEW_VIEW_A_MAX + 1];
	struct rootview_view *view;
	const char *name = NULL;
	u64 id = 0;
	int r;

	r = rootview_parse_view(tb, nest, info->extack);
	if (r)
		return ERR_PTR(r);
	if (tb[ROOTVIEW_VIEW_A_NAME])
		name = nla_data(tb[ROOTVIEW_VIEW_A_NAME]);
	if (tb[ROOTVIEW_VIEW_A_ID])
		id = nla_get_u64(tb[ROOTVIEW_VIEW_A_ID]);
	if (!name && !id)
		return ERR_PTR(rootview_refuse(info->extack, nest,
					       "view has neither name nor id", -EINVAL));
	view = rootview_view_find(reg, name, id);
	if (!view)
		return ERR_PTR(rootview_refuse(info->extack, nest, "no such view", -ENOENT));
	return view;
}

static struct rootview_view *rootview_create_view(struct rootview_registry *reg,
						  struct genl_info *info)
{
	const struct nlattr *nest = info->attrs[ROOTVIEW_A_VIEW];
	struct nlattr *tb[ROOTVIEW_VIEW_A_MAX + 1];
	const char *label = NULL, *why = NULL;
	struct rootview_view *view;
	const void *blob = NULL;
	u16 blob_len = 0;
	int r;

	r = rootview_parse_view(tb, nest, info->extack);
	if (r)
		return ERR_PTR(r);
	if (!tb[ROOTVIEW_VIEW_A_NAME])
		return ERR_PTR(rootview_refuse(info->extack, nest, "view has no name", -EINVAL));
	if (tb[ROOTVIEW_VIEW_A_ID])
		return ERR_PTR(rootview_refuse(info->extack, tb[ROOTVIEW_VIEW_A_ID],
					       "the id of a view cannot be chosen", -EINVAL));
	if (tb[ROOTVIEW_VIEW_A_LABEL])
		label = nla_data(tb[ROOTVIEW_VIEW_A_LABEL]);
	if (tb[ROOTVIEW_VIEW_A_BLOB]) {
		blob = nla_data(tb[ROOTVIEW_VIEW_A_BLOB]);
		blob_len = nla_len(tb[ROOTVIEW_VIEW_A_BLOB]);
	}
	view = rootview_view_create(reg, nla_data(tb[ROOTVIEW_VIEW_A_NAME]), label, blob,
				    blob_len, &why);
	if (IS_ERR(view))
		rootview_refuse(info->extack, tb[ROOTVIEW_VIEW_A_NAME], why, PTR_ERR(view));
	return view;
}

static struct sk_buff *rootview_new_reply(struct genl_info *info, size_t size)
{
	struct sk_buff *reply = genlmsg_new(size, GFP_KERNEL);

	if (!reply)
		return ERR_PTR(rootview_refuse(info->extack, NULL, "no memory for the reply",
					       -ENOMEM));
	return reply;
}

/* Writes what is asked for into a message that has room for it. */
static struct sk_buff *rootview_put_reply(struct sk_buff *reply, struct genl_info *info,
					  struct rootview_registry *reg,
					  const struct rootview_view *view,
					  enum rootview_detail detail)
{
	void *head = genlmsg_put_reply(reply, info, &rootview_family, 0, info->genlhdr->cmd);

	if (!head || rootview_put_origin(reply, reg, !view) ||
	    (view && rootview_put_view(reply, view, detail))) {
		nlmsg_free(reply);
		return ERR_PTR(rootview_refuse(info->extack, NULL,
					       "reply does not fit into a message", -EMSGSIZE));
	}
	genlmsg_end(reply, head);
	return reply;
}

static struct sk_buff *rootview_answer_origin(struct genl_info *info,
					      struct rootview_registry *reg)
{
	struct sk_buff *reply = rootview_new_reply(info, ROOTVIEW_MSG_SIZE);

	if (IS_ERR(reply))
		return reply;
	return rootview_put_reply(reply, info, reg, NULL, ROOTVIEW_BRIEF);
}

static struct sk_buff *rootview_answer_view(struct genl_info *info, struct rootview_registry *reg)
{
	struct rootview_view *view = rootview_find_view(reg, info);
	struct sk_buff *reply;

	if (IS_ERR(view))
		return ERR_CAST(view);
	reply = rootview_new_reply(info, rootview_msg_size(view));
	if (IS_ERR(reply))
		return reply;
	return rootview_put_reply(reply, info, reg, view, ROOTVIEW_ALL);
}

/* A change has its reply's memory first: none is made that could not be told. */
static struct sk_buff *rootview_answer_create(struct genl_info *info,
					      struct rootview_registry *reg)
{
	struct sk_buff *reply = rootview_new_reply(info, ROOTVIEW_MSG_SIZE);
	struct rootview_view *view;

	if (IS_ERR(reply))
		return reply;
	view = rootview_create_view(reg, info);
	if (IS_ERR(view)) {
		nlmsg_free(reply);
		return ERR_CAST(view);
	}
	return rootview_put_reply(reply, info, reg, view, ROOTVIEW_BRIEF);
}

static struct sk_buff *rootview_answer_delete(struct genl_info *info,
					      struct rootview_registry *reg)
{
	struct sk_buff *reply = rootview_new_reply(info, ROOTVIEW_MSG_SIZE);
	struct rootview_view *view;

	if (IS_ERR(reply))
		return reply;
	view = rootview_find_view(reg, info);
	if (IS_ERR(view)) {
		nlmsg_free(reply);
		return ERR_CAST(view);
	}
	rootview_view_delete(reg, view);
	reply = rootview_put_reply(reply, info, reg, view, ROOTVIEW_BRIEF);
	kvfree(view);
	return reply;
}

static struct sk_buff *(*const rootview_answers[])(struct genl_info *info,
						   struct rootview_registry *reg) = {
	[ROOTVIEW_CMD_ORIGIN_GET]	= rootview_answer_origin,
	[ROOTVIEW_CMD_VIEW_CREATE]	= rootview_answer_create,
	[ROOTVIEW_CMD_VIEW_DELETE]	= rootview_answer_delete,
	[ROOTVIEW_CMD_VIEW_GET]		= rootview_answer_view,
};

static int rootview_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct rootview_registry *reg;
	struct sk_buff *reply;
	int r;

	r = rootview_check_sender(skb, info->extack);
	if (r)
		return r;
	reg = rootview_find_origin(info->attrs[ROOTVIEW_A_ORIGIN], info->extack);
	if (IS_ERR(reg))
		return PTR_ERR(reg);
	reply = rootview_answers[info->genlhdr->cmd](info, reg);
	rootview_registry_unlock(reg);
	rootview_registry_put(reg);
	if (IS_ERR(reply))
		return PTR_ERR(reply);
	/*
	 * It is done, whether the reply arrives or not: netlink itself tells the sender of
	 * one that found no room, by ENOBUFS.
	 */
	genlmsg_reply(reply, info);
	return 0;
}

/*
 * Dumps.
 */

struct rootview_cursor {
	u64 origin;		/* the next origin, by id */
	u64 last_origin;	/* where the dump ends: what comes later is not told */
	u64 view;		/* the next view on it, by id */
	u64 last_view;
	bool single;		/* one origin and no other */
};

static struct rootview_cursor *rootview_cursor_of(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct rootview_cursor) > sizeof(cb->ctx));
	return (struct rootview_cursor *)cb->ctx;
}

static int rootview_start_dump(struct netlink_callback *cb)
{
	struct rootview_cursor *cursor = rootview_cursor_of(cb);

	/* What changes before the first part shows as well; 0 would stand for no number. */
	cb->prev_seq = rootview_changes() + 1;
	cursor->last_origin = rootview_last_id();
	cursor->last_view = cursor->last_origin;
	return rootview_check_sender(cb->skb, cb->extack);
}

static void *rootview_put_dump_header(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	void *head = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				 &rootview_family, NLM_F_MULTI, cmd);

	if (head)
		genl_dump_check_consistent(cb, head);
	return head;
}

static int rootview_dump_origin(struct rootview_registry *reg, struct sk_buff *skb,
				struct netlink_callback *cb)
{
	void *head = rootview_put_dump_header(skb, cb, ROOTVIEW_CMD_ORIGIN_GET);

	if (!head)
		return -EMSGSIZE;
	rootview_registry_name(reg);
	if (rootview_put_origin(skb, reg, true)) {
		genlmsg_cancel(skb, head);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	return 0;
}

static int rootview_dump_origins(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct rootview_cursor *cursor = rootview_cursor_of(cb);
	struct rootview_registry *reg;
	int r;

	cb->seq = rootview_changes() + 1;
	while ((reg = rootview_registry_next(cursor->origin, cursor->last_origin))) {
		rootview_registry_lock(reg);
		/* Its end was announced: nothing is told of it after that. */
		r = reg->gone ? 0 : rootview_dump_origin(reg, skb, cb);
		rootview_registry_unlock(reg);
		cursor->origin = reg->id + !r;
		rootview_registry_put(reg);
		if (r)
			return skb->len ?: r;
	}
	return skb->len;
}

static int rootview_start_views(struct netlink_callback *cb)
{
	struct rootview_cursor *cursor = rootview_cursor_of(cb);
	struct nlattr *tb[ROOTVIEW_A_MAX + 1];
	struct rootview_registry *reg;
	int r;

	r = rootview_start_dump(cb);
	if (r)
		return r;
	r = genlmsg_parse(cb->nlh, &rootview_family, tb, ROOTVIEW_A_MAX, rootview_policy,
			  cb->extack);
	if (r)
		return r;
	/* The largest view must fit, or the dump would never get past it. */
	cb->min_dump_alloc = ROOTVIEW_MSG_SIZE_MAX;
	if (!tb[ROOTVIEW_A_ORIGIN])
		return 0;

	reg = rootview_find_origin(tb[ROOTVIEW_A_ORIGIN], cb->extack);
	if (IS_ERR(reg))
		return PTR_ERR(reg);
	cb->prev_seq = (u32)reg->generation + 1;
	cursor->single = true;
	cursor->origin = reg->id;
	cursor->last_origin = reg->id;
	rootview_registry_unlock(reg);
	rootview_registry_put(reg);
	return 0;
}

static int rootview_dump_views_of(struct rootview_registry *reg, struct sk_buff *skb,
				  struct netlink_callback *cb)
{
	struct rootview_cursor *cursor = rootview_cursor_of(cb);
	struct rootview_view *view;
	void *head;

	rootview_registry_name(reg);
	while ((view = rootview_view_next(reg, cursor->view)) && view->id <= cursor->last_view) {
		head = rootview_put_dump_header(skb, cb, ROOTVIEW_CMD_VIEW_GET);
		if (!head)
			return -EMSGSIZE;
		if (rootview_put_origin(skb, reg, false) ||
		    rootview_put_view(skb, view, ROOTVIEW_ALL)) {
			genlmsg_cancel(skb, head);
			return -EMSGSIZE;
		}
		genlmsg_end(skb, head);
		cursor->view = view->id + 1;
	}
	return 0;
}

static int rootview_dump_views(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct rootview_cursor *cursor = rootview_cursor_of(cb);
	struct rootview_registry *reg;
	int r;

	/* One origin's dump is not disturbed by what happens to the others. */
	if (!cursor->single)
		cb->seq = rootview_changes() + 1;

	while ((reg = rootview_registry_next(cursor->origin, cursor->last_origin))) {
		if (reg->id != cursor->origin) {
			cursor->origin = reg->id;
			cursor->view = 0;
		}
		rootview_registry_lock(reg);
		if (cursor->single)
			cb->seq = (u32)reg->generation + 1;
		/* If it is gone, it has no views. */
		r = rootview_dump_views_of(reg, skb, cb);
		rootview_registry_unlock(reg);
		rootview_registry_put(reg);
		if (r)
			return skb->len ?: r;
		cursor->origin++;
		cursor->view = 0;
	}
	/* The one origin went away half way through: make the end say so. */
	if (cursor->single && cursor->origin == cursor->last_origin)
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
	enum rootview_detail detail = ROOTVIEW_BRIEF;
	size_t size = ROOTVIEW_MSG_SIZE;
	struct sk_buff *skb;
	void *head;

	lockdep_assert_held(&reg->lock);

	if (!genl_has_listeners(&rootview_family, &init_net, 0))
		return;
	/* Who follows the events is to know all that a dump would tell. */
	if (event == ROOTVIEW_CMD_VIEW_CREATED)
		detail = ROOTVIEW_EVENT_DETAIL;
	/* No larger than that: what waits for a slow listener counts against its buffer. */
	if (detail == ROOTVIEW_ALL)
		size = rootview_msg_size(view);
	skb = genlmsg_new(size, GFP_KERNEL);
	if (!skb)
		goto lost;
	head = genlmsg_put(skb, 0, 0, &rootview_family, 0, event);
	if (!head || rootview_put_origin(skb, reg, false) ||
	    (view && rootview_put_view(skb, view, detail))) {
		nlmsg_free(skb);
		goto lost;
	}
	genlmsg_end(skb, head);
	genlmsg_multicast(&rootview_family, skb, 0, 0, GFP_KERNEL);
	return;
lost:
	genl_set_err(&rootview_family, &init_net, 0, 0, -ENOBUFS);
}

/*
 * The family.  All commands are strict, for no validation is switched off.
 * netnsok stays unset: it exists in the initial network namespace alone.
 */

static const struct genl_ops rootview_ops[] = {
	{
		.cmd = ROOTVIEW_CMD_ORIGIN_GET,
		.doit = rootview_doit,
		.start = rootview_start_dump,
		.dumpit = rootview_dump_origins,
	},
	{
		.cmd = ROOTVIEW_CMD_VIEW_CREATE,
		.doit = rootview_doit,
	},
	{
		.cmd = ROOTVIEW_CMD_VIEW_DELETE,
		.doit = rootview_doit,
	},
	{
		.cmd = ROOTVIEW_CMD_VIEW_GET,
		.doit = rootview_doit,
		.start = rootview_start_views,
		.dumpit = rootview_dump_views,
	},
};

static struct genl_family rootview_family __ro_after_init = {
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
	return genl_register_family(&rootview_family);
}

void rootview_netlink_exit(void)
{
	genl_unregister_family(&rootview_family);
}
