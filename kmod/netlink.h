/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The generic netlink family "rootview": requests, dumps and events.
 * include/uapi/linux/rootview.h describes the protocol.
 */
#ifndef ROOTVIEW_NETLINK_H
#define ROOTVIEW_NETLINK_H

#include <linux/types.h>

struct rootview_registry;
struct rootview_view;

int rootview_netlink_init(void);
void rootview_netlink_exit(void);

/**
 * rootview_netlink_announce() - multicast one event
 * @reg: the registry that it is about, locked
 * @view: the view, or NULL when it is about the origin itself
 * @event: ROOTVIEW_CMD_*, one of the events
 *
 * Sleeps.  Costs next to nothing when nobody listens.  What cannot be sent is
 * reported to the listeners as ENOBUFS: they dump again.
 */
void rootview_netlink_announce(struct rootview_registry *reg, const struct rootview_view *view,
			       u8 event) __must_hold(&reg->lock);

#endif /* ROOTVIEW_NETLINK_H */
