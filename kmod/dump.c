// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink dumps of origins, views and recordings.
 *
 * Their cursor is made of ids and positions, which are never used again, so
 * nothing has to be held between two parts of a dump.  How a dump tells that
 * something changed meanwhile was learnt from WireGuard's.
 */
#include "dump.h"

#include <linux/err.h>
#include <linux/netlink.h>
#include <net/genetlink.h>
#include <uapi/linux/rootview.h>

#include "attr.h"
#include "netlink.h"
#include "registry.h"

/* Reads in one message of a dump of a recording. */
#define READS_PER_MSG 256

struct dump_cursor {
	u64 origin;	/* the next origin, by id */
	u64 view;	/* the next view on it, by id */
	u64 position;	/* the next read of its recording */
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

int rootview_dump_origins(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump_cursor *cursor = cursor_of(cb);
	struct rootview_registry *reg;

	cb->seq = rootview_changes() + 1; /* 0 stands for no number */
	while ((reg = rootview_registry_next(cursor->origin))) {
		void *head = put_dump_header(skb, cb, ROOTVIEW_CMD_ORIGIN_GET);
		int r = -EMSGSIZE;

		if (head) {
			mutex_lock(&reg->lock);
			r = rootview_put_origin(skb, reg, true);
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

static int parse_request(struct nlattr **tb, struct netlink_callback *cb)
{
	return genlmsg_parse(cb->nlh, &rootview_genl, tb, ROOTVIEW_A_MAX, rootview_policy,
			     cb->extack);
}

/* Begins a dump at the origin that the request names. */
static int begin_at(struct netlink_callback *cb, const struct nlattr *nest)
{
	struct rootview_registry *reg = rootview_find_origin(nest, cb->extack);

	if (IS_ERR(reg))
		return PTR_ERR(reg);
	cursor_of(cb)->origin = reg->id;
	rootview_registry_put(reg);
	return 0;
}

int rootview_start_views(struct netlink_callback *cb)
{
	struct nlattr *tb[ROOTVIEW_A_MAX + 1];
	int r;

	r = parse_request(tb, cb);
	if (r)
		return r;
	if (tb[ROOTVIEW_A_ORIGIN]) {
		r = begin_at(cb, tb[ROOTVIEW_A_ORIGIN]);
		if (r)
			return r;
		cursor_of(cb)->single = true;
	}
	/* The largest view must fit, or the dump would never get past it. */
	cb->min_dump_alloc = ROOTVIEW_MSG_SIZE;
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
		if (rootview_put_origin(skb, reg, false) || rootview_put_view(skb, view, true)) {
			genlmsg_cancel(skb, head);
			return -EMSGSIZE;
		}
		genlmsg_end(skb, head);
		cursor->view = view->id + 1;
	}
	return 0;
}

int rootview_dump_views(struct sk_buff *skb, struct netlink_callback *cb)
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

int rootview_start_record(struct netlink_callback *cb)
{
	struct nlattr *in_record[ROOTVIEW_RECORD_A_MAX + 1];
	struct nlattr *tb[ROOTVIEW_A_MAX + 1];
	int r;

	r = parse_request(tb, cb);
	if (r)
		return r;
	if (tb[ROOTVIEW_A_RECORD]) {
		r = rootview_parse_record(in_record, tb[ROOTVIEW_A_RECORD], cb->extack);
		if (r)
			return r;
		if (in_record[ROOTVIEW_RECORD_A_POSITION])
			cursor_of(cb)->position =
				nla_get_u64(in_record[ROOTVIEW_RECORD_A_POSITION]);
	}
	r = begin_at(cb, tb[ROOTVIEW_A_ORIGIN]);
	if (r)
		return r;
	cb->min_dump_alloc = 512 + READS_PER_MSG * sizeof(struct rootview_read);
	return 0;
}

/* Puts one message; 0 when there is nothing more to tell. */
static int put_record(struct sk_buff *skb, struct netlink_callback *cb,
		      struct rootview_registry *reg)
{
	struct dump_cursor *cursor = cursor_of(cb);
	struct nlattr *nest, *reads;
	u64 position = cursor->position, lost;
	void *head;
	u32 n;

	head = put_dump_header(skb, cb, ROOTVIEW_CMD_RECORD_GET);
	if (!head || rootview_put_origin(skb, reg, false))
		goto full;
	nest = nla_nest_start(skb, ROOTVIEW_A_RECORD);
	if (!nest)
		goto full;
	reads = nla_reserve(skb, ROOTVIEW_RECORD_A_READS,
			    READS_PER_MSG * sizeof(struct rootview_read));
	if (!reads)
		goto full;
	n = rootview_recording_read(reg->recording, &position, &lost, nla_data(reads),
				    READS_PER_MSG);
	if (!n && !lost) {
		genlmsg_cancel(skb, head);
		return 0;
	}
	/* Give back what was reserved and not used. */
	skb_trim(skb, skb->len - (READS_PER_MSG - n) * sizeof(struct rootview_read));
	reads->nla_len = nla_attr_size(n * sizeof(struct rootview_read));
	if (nla_put_u64_64bit(skb, ROOTVIEW_RECORD_A_POSITION, position,
			      ROOTVIEW_RECORD_A_PAD) ||
	    nla_put_u64_64bit(skb, ROOTVIEW_RECORD_A_LOST, lost, ROOTVIEW_RECORD_A_PAD))
		goto full;
	nla_nest_end(skb, nest);
	genlmsg_end(skb, head);
	cursor->position = position + n;
	return 1;
full:
	if (head)
		genlmsg_cancel(skb, head);
	return -EMSGSIZE;
}

int rootview_dump_record(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump_cursor *cursor = cursor_of(cb);
	struct rootview_registry *reg = rootview_registry_next(cursor->origin);
	int r = 0;

	if (!reg)
		return skb->len;
	if (reg->id == cursor->origin) {
		mutex_lock(&reg->lock);
		if (reg->recording) {
			do {
				r = put_record(skb, cb, reg);
			} while (r > 0);
		}
		mutex_unlock(&reg->lock);
	}
	rootview_registry_put(reg);
	return skb->len ?: r;
}
