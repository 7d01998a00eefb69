// SPDX-License-Identifier: GPL-2.0-only
/*
 * dm-rootview: thousands of read-only containers from one image.
 *
 *	target.c	the device-mapper target "rootview"
 *	registry.c	the views of each device
 *	netlink.c	the netlink family: requests, dumps and events
 *	attr.c		its attributes
 *	compat.h	differences between kernels
 *
 * include/uapi/linux/rootview.h describes what user space sees.
 */
#include <linux/module.h>
#include <net/genetlink.h>
#include <uapi/linux/rootview.h>

#include "netlink.h"
#include "target.h"

#ifndef CONFIG_64BIT
#error "dm-rootview is for 64-bit kernels: its counters are read without a lock"
#endif

static int __init rootview_init(void)
{
	int r;

	/* First whom the target's events go to, then what makes them. */
	r = rootview_netlink_init();
	if (r)
		return r;
	r = rootview_target_init();
	if (r)
		goto out_netlink;
	return 0;

out_netlink:
	rootview_netlink_exit();
	return r;
}

static void __exit rootview_exit(void)
{
	rootview_target_exit();
	rootview_netlink_exit();
}

module_init(rootview_init);
module_exit(rootview_exit);

MODULE_DESCRIPTION("device-mapper target for shared read-only root file systems");
MODULE_AUTHOR("The rootview authors");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
MODULE_ALIAS_GENL_FAMILY(ROOTVIEW_GENL_NAME);
