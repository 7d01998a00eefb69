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

#include "attr.h"
#include "compat.h"
#include "dump.h"
#include "registry.h"

/* One result in a batch, with the longest sentence that we have. */
#define RESULT_SIZE 128

/* On failure the caller throws the message away. */
static int put_reply(struct sk_buff *skb, struct genl_info *info, struct rootview_registry *reg,
		     const struct rootview_view *view, bool everything)
{
	void *head = genlmsg_put_reply(skb, info, &rootview_genl, 0, info->genlhdr->cmd);

	if (!head || rootview_put_origin(skb, reg, everything && !view) ||
	    (view && rootview_put_view(skb, view, everything)))
		return rootview_refuse(info->extack, NULL, "reply does not fit into a message",
				       -EMSGSIZE);
	genlmsg_end(skb, head);
	return 0;
}

/* The functions from here on want the registry's lock. */
static struct rootview_view *find_view(struct rootview_registry *reg, const struct nlattr *nest,
				       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[ROOTVIEW_VIEW_A_MAX + 1];
	struct rootview_view *view;
	const char *name = NULL;
	u64 id = 0;
	int r;

	r = rootview_parse_view(tb, nest, extack);
	if (r)
		return ERR_PTR(r);
	if (tb[ROOTVIEW_VIEW_A_NAME])
		name = nla_data(tb[ROOTVIEW_VIEW_A_NAME]);
	if (tb[ROOTVIEW_VIEW_A_ID])
		id = nla_get_u64(tb[ROOTVIEW_VIEW_A_ID]);
	if (!name && !id)
		return ERR_PTR(rootview_refuse(extack, nest, "view has neither name nor id",
					       -EINVAL));
	view = rootview_view_find(reg, name, id);
	if (!view)
		return ERR_PTR(rootview_refuse(extack, nest, "no such view", -ENOENT));
	return view;
}

static struct rootview_view *create_view(struct rootview_registry *reg, const struct nlattr *nest,
					 struct netlink_ext_ack *extack)
{
	struct nlattr *tb[ROOTVIEW_VIEW_A_MAX + 1];
	const char *label = NULL, *why = NULL;
	struct rootview_view *view;
	const void *blob = NULL;
	u16 blob_len = 0;
	int r;

	r = rootview_parse_view(tb, nest, extack);
	if (r)
		return ERR_PTR(r);
	if (!tb[ROOTVIEW_VIEW_A_NAME])
		return ERR_PTR(rootview_refuse(extack, nest, "view has no name", -EINVAL));
	if (tb[ROOTVIEW_VIEW_A_ID])
		return ERR_PTR(rootview_refuse(extack, tb[ROOTVIEW_VIEW_A_ID],
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
		rootview_refuse(extack, tb[ROOTVIEW_VIEW_A_NAME], why, PTR_ERR(view));
	return view;
}

/* The caller frees the view with kvfree(). */
static struct rootview_view *delete_view(struct rootview_registry *reg, const struct nlattr *nest,
					 struct netlink_ext_ack *extack)
{
	struct rootview_view *view = find_view(reg, nest, extack);

	if (!IS_ERR(view))
		rootview_view_delete(reg, view);
	return view;
}

/*
 * Requests.
 */

static int answer_create(struct sk_buff *reply, struct genl_info *info,
			 struct rootview_registry *reg)
{
	struct rootview_view *view = create_view(reg, info->attrs[ROOTVIEW_A_VIEW], info->extack);

	return IS_ERR(view) ? PTR_ERR(view) : put_reply(reply, info, reg, view, false);
}

static int answer_delete(struct sk_buff *reply, struct genl_info *info,
			 struct rootview_registry *reg)
{
	struct rootview_view *view = delete_view(reg, info->attrs[ROOTVIEW_A_VIEW], info->extack);
	int r;

	if (IS_ERR(view))
		return PTR_ERR(view);
	r = put_reply(reply, info, reg, view, false);
	kvfree(view);
	return r;
}

static int answer_view(struct sk_buff *reply, struct genl_info *info,
		       struct rootview_registry *reg)
{
	struct rootview_view *view = find_view(reg, info->attrs[ROOTVIEW_A_VIEW], info->extack);

	return IS_ERR(view) ? PTR_ERR(view) : put_reply(reply, info, reg, view, true);
}

static int answer_origin(struct sk_buff *reply, struct genl_info *info,
			 struct rootview_registry *reg)
{
	return put_reply(reply, info, reg, NULL, true);
}

/* What of a batch fits into the reply was counted beforehand. */
static int put_result(struct sk_buff *skb, u64 id, int error, const char *reason)
{
	struct nlattr *nest = nla_nest_start(skb, ROOTVIEW_A_RESULT);

	if (!nest || nla_put_s32(skb, ROOTVIEW_RESULT_A_ERROR, error) ||
	    (!error && nla_put_u64_64bit(skb, ROOTVIEW_RESULT_A_ID, id, ROOTVIEW_RESULT_A_PAD)) ||
	    (reason && nla_put_string(skb, ROOTVIEW_RESULT_A_REASON, reason)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int answer_batch(struct sk_buff *reply, struct genl_info *info,
			struct rootview_registry *reg)
{
	void *head = genlmsg_put_reply(reply, info, &rootview_genl, 0, info->genlhdr->cmd);
	const struct nlattr *attr;
	int rem, r;

	if (!head)
		return -EMSGSIZE;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		struct netlink_ext_ack extack = {};
		struct rootview_view *view;

		if (nla_type(attr) == ROOTVIEW_A_CREATE)
			view = create_view(reg, attr, &extack);
		else if (nla_type(attr) == ROOTVIEW_A_DELETE)
			view = delete_view(reg, attr, &extack);
		else
			continue;

		r = put_result(reply, IS_ERR(view) ? 0 : view->id, PTR_ERR_OR_ZERO(view),
			       extack._msg);
		if (nla_type(attr) == ROOTVIEW_A_DELETE && !IS_ERR(view))
			kvfree(view);
		if (r)
			return r;
	}
	r = rootview_put_origin(reply, reg, false);
	if (r)
		return r;
	genlmsg_end(reply, head);
	return 0;
}

static int answer_record(struct sk_buff *reply, struct genl_info *info,
			 struct rootview_registry *reg)
{
	const struct nlattr *nest = info->attrs[ROOTVIEW_A_ORIGIN];
	struct nlattr *tb[ROOTVIEW_ORIGIN_A_MAX + 1];
	const char *why = NULL;
	int r;

	r = rootview_parse_origin(tb, nest, info->extack);
	if (r)
		return r;
	if (!tb[ROOTVIEW_ORIGIN_A_RECORDING])
		return rootview_refuse(info->extack, nest,
				       "request does not say how many reads to record", -EINVAL);
	r = rootview_registry_set_recording(reg, nla_get_u32(tb[ROOTVIEW_ORIGIN_A_RECORDING]),
					    &why);
	if (r)
		return rootview_refuse(info->extack, tb[ROOTVIEW_ORIGIN_A_RECORDING], why, r);
	return put_reply(reply, info, reg, NULL, true);
}

typedef int (*answer_fn)(struct sk_buff *reply, struct genl_info *info,
			 struct rootview_registry *reg);

/* What all requests have in common: find the origin, lock it, do it, answer. */
static int do_locked(struct genl_info *info, size_t size, answer_fn answer)
{
	struct rootview_registry *reg;
	struct sk_buff *reply;
	int r;

	reg = rootview_find_origin(info->attrs[ROOTVIEW_A_ORIGIN], info->extack);
	if (IS_ERR(reg))
		return PTR_ERR(reg);

	/* First of all, and large enough: no change is made that cannot be told. */
	reply = genlmsg_new(size, GFP_KERNEL);
	if (!reply) {
		r = -ENOMEM;
		goto out;
	}
	mutex_lock(&reg->lock);
	r = answer(reply, info, reg);
	mutex_unlock(&reg->lock);
	if (r)
		nlmsg_free(reply);
	else
		r = genlmsg_reply(reply, info);
out:
	rootview_registry_put(reg);
	return r;
}

static int do_change(struct sk_buff *skb, struct genl_info *info, size_t size, answer_fn answer)
{
	/* GENL_ADMIN_PERM would ask for CAP_NET_ADMIN. */
	if (!netlink_capable(skb, CAP_SYS_ADMIN))
		return rootview_refuse(info->extack, NULL, "changing views takes CAP_SYS_ADMIN",
				       -EPERM);
	return do_locked(info, size, answer);
}

static int doit_origin_get(struct sk_buff *skb, struct genl_info *info)
{
	return do_locked(info, ROOTVIEW_MSG_SIZE, answer_origin);
}

static int doit_view_create(struct sk_buff *skb, struct genl_info *info)
{
	return do_change(skb, info, ROOTVIEW_MSG_SIZE, answer_create);
}

static int doit_view_delete(struct sk_buff *skb, struct genl_info *info)
{
	return do_change(skb, info, ROOTVIEW_MSG_SIZE, answer_delete);
}

static int doit_view_get(struct sk_buff *skb, struct genl_info *info)
{
	return do_locked(info, ROOTVIEW_MSG_SIZE, answer_view);
}

static int doit_view_batch(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *attr;
	int n = 0, rem;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) == ROOTVIEW_A_CREATE || nla_type(attr) == ROOTVIEW_A_DELETE)
			n++;
	}
	if (!n)
		return rootview_refuse(info->extack, NULL, "batch is empty", -EINVAL);
	if (n > ROOTVIEW_BATCH_MAX)
		return rootview_refuse(info->extack, NULL, "batch has more than "
				       __stringify(ROOTVIEW_BATCH_MAX) " entries", -E2BIG);
	return do_change(skb, info, 512 + n * RESULT_SIZE, answer_batch);
}

static int doit_record_set(struct sk_buff *skb, struct genl_info *info)
{
	return do_change(skb, info, ROOTVIEW_MSG_SIZE, answer_record);
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
	/* Who follows the events is to know all that a dump would tell. */
	bool everything = event == ROOTVIEW_CMD_VIEW_CREATED;
	struct sk_buff *skb;
	size_t size = 512;
	void *head;

	lockdep_assert_held(&reg->lock);

	if (!genl_has_listeners(&rootview_genl, &init_net, 0))
		return;
	/* Small: what waits for a slow listener counts against its buffer. */
	if (view)
		size += (view->label ? strlen(view->label) : 0) +
			(everything ? view->blob_len : 0);
	skb = genlmsg_new(size, GFP_KERNEL);
	if (!skb)
		goto lost;
	head = genlmsg_put(skb, 0, 0, &rootview_genl, 0, event);
	if (!head || rootview_put_origin(skb, reg, false) ||
	    (view && rootview_put_view(skb, view, everything))) {
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
		.dumpit = rootview_dump_origins,
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
		.start = rootview_start_views,
		.dumpit = rootview_dump_views,
	},
	{
		.cmd = ROOTVIEW_CMD_VIEW_BATCH,
		.doit = doit_view_batch,
	},
	{
		.cmd = ROOTVIEW_CMD_RECORD_SET,
		.doit = doit_record_set,
	},
	{
		.cmd = ROOTVIEW_CMD_RECORD_GET,
		.start = rootview_start_record,
		.dumpit = rootview_dump_record,
	},
};

struct genl_family rootview_genl = {
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
