/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Netlink dumps of origins, views and recordings: the handlers of the family.
 */
#ifndef ROOTVIEW_DUMP_H
#define ROOTVIEW_DUMP_H

struct netlink_callback;
struct sk_buff;

int rootview_dump_origins(struct sk_buff *skb, struct netlink_callback *cb);

int rootview_start_views(struct netlink_callback *cb);
int rootview_dump_views(struct sk_buff *skb, struct netlink_callback *cb);

int rootview_start_record(struct netlink_callback *cb);
int rootview_dump_record(struct sk_buff *skb, struct netlink_callback *cb);

#endif /* ROOTVIEW_DUMP_H */
