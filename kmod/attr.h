/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The attributes of the netlink family: what requests may hold, and how what
 * they hold is read and written.  include/uapi/linux/rootview.h draws the tree.
 */
#ifndef ROOTVIEW_ATTR_H
#define ROOTVIEW_ATTR_H

#include <linux/types.h>
#include <net/netlink.h>
#include <uapi/linux/rootview.h>

struct rootview_registry;
struct rootview_view;

/* Room for a message with an origin and a brief view in it, and with the largest view. */
#define ROOTVIEW_MSG_SIZE	512
#define ROOTVIEW_MSG_SIZE_MAX	(ROOTVIEW_MSG_SIZE + ROOTVIEW_LABEL_MAX + ROOTVIEW_BLOB_MAX)

/* How much of a view is told. */
enum rootview_detail {
	ROOTVIEW_BRIEF,		/* not label and blob */
	ROOTVIEW_WITHHELD,	/* nor these, but that there are any */
	ROOTVIEW_ALL,
};

extern const struct nla_policy rootview_policy[ROOTVIEW_A_MAX + 1];

/**
 * rootview_refuse() - say in the extended ack why a request is refused
 * @extack: may be NULL
 * @attr: the offending attribute, or NULL
 * @why: a sentence; static
 * @error: a negative errno
 *
 * Return: @error.
 */
int rootview_refuse(struct netlink_ext_ack *extack, const struct nlattr *attr, const char *why,
		    int error);

/**
 * rootview_put_origin() - write an origin
 * @skb: the message
 * @reg: its registry, locked, with its name up to date
 * @everything: or only what tells it from others
 *
 * Return: 0, or -EMSGSIZE: the caller throws the message away.
 */
int rootview_put_origin(struct sk_buff *skb, struct rootview_registry *reg, bool everything)
	__must_hold(&reg->lock);

/**
 * rootview_msg_size() - the room that a message with a view takes
 * @view: the view; its registry is locked
 */
size_t rootview_msg_size(const struct rootview_view *view);

/**
 * rootview_put_view() - write a view
 * @skb: the message
 * @view: the view; its registry is locked, or it has left that
 * @detail: how much of it
 *
 * Return: as rootview_put_origin().
 */
int rootview_put_view(struct sk_buff *skb, const struct rootview_view *view,
		      enum rootview_detail detail);

/**
 * rootview_parse_view() - take apart a nested view
 * @tb: room for ROOTVIEW_VIEW_A_MAX + 1
 * @nest: may be NULL; checked by the family's policy already
 * @extack: told what is wrong with it
 */
int rootview_parse_view(struct nlattr **tb, const struct nlattr *nest,
			struct netlink_ext_ack *extack);

/**
 * rootview_find_origin() - the origin that a request names
 * @nest: its attribute; may be NULL
 * @extack: told why there is none
 *
 * Return: as rootview_registry_find(), or an ERR_PTR().
 */
struct rootview_registry *rootview_find_origin(const struct nlattr *nest,
					       struct netlink_ext_ack *extack);

#endif /* ROOTVIEW_ATTR_H */
