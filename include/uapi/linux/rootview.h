/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * rootview: what the kernel module and user space agree on.
 *
 * An *origin* is a device-mapper device with one "rootview" target: a block
 * device that holds one image's root file system, exposed strictly read-only.
 * A *view* is one container's named use of it: a record in the kernel.
 *
 * The generic netlink family ROOTVIEW_GENL_NAME exists in the initial network
 * namespace.  Only a process with CAP_SYS_ADMIN in the initial user namespace
 * may ask it for anything, or change anything.  Attributes nest in two kinds, an
 * origin and a view, which look the same in requests, replies and events:
 *
 *	ROOTVIEW_A_ORIGIN (nested)
 *	  ROOTVIEW_ORIGIN_A_NAME	string	name of the device-mapper device
 *	  ROOTVIEW_ORIGIN_A_DEV		u32	its device number (below)
 *	  ROOTVIEW_ORIGIN_A_ID		u64	never used again while the module
 *						is loaded
 *	  ROOTVIEW_ORIGIN_A_GENERATION	u64	number of its events so far
 *	  ROOTVIEW_ORIGIN_A_BACKING_DEV	u32	device number of the block device
 *						that it reads
 *	  ROOTVIEW_ORIGIN_A_SIZE	u64	its size, in sectors of 512 bytes
 *	  ROOTVIEW_ORIGIN_A_VIEWS	u64	views now
 *	  ROOTVIEW_ORIGIN_A_CREATED	u64	views ever created
 *	  ROOTVIEW_ORIGIN_A_DELETED	u64	views ever deleted
 *	  ROOTVIEW_ORIGIN_A_READS	u64	reads that reached the target
 *	  ROOTVIEW_ORIGIN_A_READ_SECTORS u64	what they asked for, in sectors
 *	  ROOTVIEW_ORIGIN_A_REFUSED	u64	other requests, all of them failed
 *	  ROOTVIEW_ORIGIN_A_ERRORS	u64	reads that the block device failed
 *	ROOTVIEW_A_VIEW (nested)
 *	  ROOTVIEW_VIEW_A_NAME		string	unique on its origin
 *	  ROOTVIEW_VIEW_A_ID		u64	never used again while the module
 *						is loaded; 0 is no view's id
 *	  ROOTVIEW_VIEW_A_LABEL		string	SELinux context, absent if none
 *	  ROOTVIEW_VIEW_A_BLOB		binary	opaque to the kernel, absent if
 *						none
 *	  ROOTVIEW_VIEW_A_CREATED_NS	u64	when, in ns of CLOCK_BOOTTIME
 *	  ROOTVIEW_VIEW_A_WITHHELD	flag	it has a label or a blob that this
 *						event must not tell: ask for the
 *						view
 *
 * A device number has the form of user space's dev_t: makedev(3) makes it.  A
 * request names its origin by NAME or by DEV; where both are given, both must
 * match.  A device-mapper device may be renamed at any time, its number stays.
 * One that is being removed has no name any more, and is found neither by name
 * nor by number.
 *
 * Requests and their errors, each with a sentence and the offending attribute
 * in the extended ack:
 *
 *	ROOTVIEW_CMD_ORIGIN_GET
 *		do:	ORIGIN{NAME|DEV} -> ORIGIN{all}
 *		dump:	-> ORIGIN{all}, a message each
 *	ROOTVIEW_CMD_VIEW_CREATE
 *		do:	ORIGIN{NAME|DEV} VIEW{NAME, LABEL?, BLOB?}
 *			-> ORIGIN{brief} VIEW{brief}
 *		EEXIST	the name is taken
 *		ENOSPC	the origin has as many views as the module's parameter
 *			max_views allows
 *	ROOTVIEW_CMD_VIEW_DELETE
 *		do:	ORIGIN{NAME|DEV} VIEW{NAME or ID or both}
 *			-> as for create
 *		ENOENT	there is no such view; with both given: the view of
 *			that name has another id
 *	ROOTVIEW_CMD_VIEW_GET
 *		do:	ORIGIN{NAME|DEV} VIEW{NAME or ID or both}
 *			-> ORIGIN{brief} VIEW{all}
 *		dump:	ORIGIN{NAME|DEV}?
 *			-> ORIGIN{brief} VIEW{all}, a message
 *			each, of one origin or of all, in the order of their ids
 *			within an origin
 *
 *	any:	EINVAL	an attribute is missing, malformed or unknown
 *		ERANGE	a view's id is 0
 *		ENAMETOOLONG	a name or a label is too long
 *		E2BIG	a blob is too long
 *		EMSGSIZE	the answer does not fit into a message
 *		ENODEV	there is no such origin, or it is being removed
 *		ENOMEM	there is no memory for it
 *		EPERM	the sender lacks CAP_SYS_ADMIN
 *
 * "brief" is NAME, DEV, ID and GENERATION of an origin, NAME, ID and CREATED_NS
 * of a view.  A request that is refused has changed nothing.  Many requests go
 * in one sendmsg(), one behind the other, as in any netlink family; each stands
 * for itself, whatever became of the others.  A reply that finds no room in the
 * sender's receive buffer is lost, and its next receive reports ENOBUFS: what
 * was asked for may have been done, so ask.
 *
 * A dump tells of what was there when it began.  One that ran while something
 * changed carries NLM_F_DUMP_INTR, and is to be repeated.
 *
 * Events go to the multicast group ROOTVIEW_MCGRP_EVENTS:
 *
 *	ROOTVIEW_CMD_ORIGIN_ADDED	ORIGIN{brief}
 *	ROOTVIEW_CMD_ORIGIN_REMOVED	ORIGIN{brief}; its views are gone with it
 *	ROOTVIEW_CMD_ORIGIN_FAILED	ORIGIN{brief}, at the first read error after
 *					each resume
 *	ROOTVIEW_CMD_VIEW_CREATED	ORIGIN{brief} VIEW{all}, or VIEW{brief} with
 *					WITHHELD
 *	ROOTVIEW_CMD_VIEW_DELETED	ORIGIN{brief} VIEW{brief}; somebody asked
 *					for it
 *
 * Where the kernel can ask for it, joining the group takes CAP_SYS_ADMIN.  Where
 * it cannot (5.10, RHEL 9.0 to 9.4), anybody in the initial network namespace
 * hears the events, and so labels and blobs are withheld from them.
 *
 * GENERATION counts every event of one origin, so a listener sees a gap, and
 * dumps again; so it must when its socket reports ENOBUFS.  An origin that is
 * removed and made again has another ID and counts from the start.
 */
#ifndef _UAPI_LINUX_ROOTVIEW_H
#define _UAPI_LINUX_ROOTVIEW_H

#include <linux/types.h>

#define ROOTVIEW_GENL_NAME	"rootview"
#define ROOTVIEW_GENL_VERSION	2
#define ROOTVIEW_MCGRP_EVENTS	"events"

/*
 * Limits, in bytes, of the strings without their terminating NUL.
 *
 * A view's name is one path component of visible ASCII: no '/', no blank or
 * control character, neither "." nor "..".  A label is visible ASCII.
 */
#define ROOTVIEW_NAME_MAX	127
#define ROOTVIEW_LABEL_MAX	4095
#define ROOTVIEW_BLOB_MAX	4096

enum rootview_cmd {
	ROOTVIEW_CMD_UNSPEC,
	ROOTVIEW_CMD_ORIGIN_GET,
	ROOTVIEW_CMD_VIEW_CREATE,
	ROOTVIEW_CMD_VIEW_DELETE,
	ROOTVIEW_CMD_VIEW_GET,
	/* Events: never sent by user space. */
	ROOTVIEW_CMD_ORIGIN_ADDED,
	ROOTVIEW_CMD_ORIGIN_REMOVED,
	ROOTVIEW_CMD_ORIGIN_FAILED,
	ROOTVIEW_CMD_VIEW_CREATED,
	ROOTVIEW_CMD_VIEW_DELETED,

	__ROOTVIEW_CMD_MAX,
	ROOTVIEW_CMD_MAX = __ROOTVIEW_CMD_MAX - 1,
};

enum rootview_attr {
	ROOTVIEW_A_UNSPEC,
	ROOTVIEW_A_ORIGIN,
	ROOTVIEW_A_VIEW,

	__ROOTVIEW_A_MAX,
	ROOTVIEW_A_MAX = __ROOTVIEW_A_MAX - 1,
};

enum rootview_origin_attr {
	ROOTVIEW_ORIGIN_A_UNSPEC,
	ROOTVIEW_ORIGIN_A_NAME,
	ROOTVIEW_ORIGIN_A_DEV,
	ROOTVIEW_ORIGIN_A_ID,
	ROOTVIEW_ORIGIN_A_GENERATION,
	ROOTVIEW_ORIGIN_A_BACKING_DEV,
	ROOTVIEW_ORIGIN_A_SIZE,
	ROOTVIEW_ORIGIN_A_VIEWS,
	ROOTVIEW_ORIGIN_A_CREATED,
	ROOTVIEW_ORIGIN_A_DELETED,
	ROOTVIEW_ORIGIN_A_READS,
	ROOTVIEW_ORIGIN_A_READ_SECTORS,
	ROOTVIEW_ORIGIN_A_REFUSED,
	ROOTVIEW_ORIGIN_A_ERRORS,
	ROOTVIEW_ORIGIN_A_PAD,	/* aligns the 64-bit attributes */

	__ROOTVIEW_ORIGIN_A_MAX,
	ROOTVIEW_ORIGIN_A_MAX = __ROOTVIEW_ORIGIN_A_MAX - 1,
};

enum rootview_view_attr {
	ROOTVIEW_VIEW_A_UNSPEC,
	ROOTVIEW_VIEW_A_NAME,
	ROOTVIEW_VIEW_A_ID,
	ROOTVIEW_VIEW_A_LABEL,
	ROOTVIEW_VIEW_A_BLOB,
	ROOTVIEW_VIEW_A_CREATED_NS,
	ROOTVIEW_VIEW_A_WITHHELD,
	ROOTVIEW_VIEW_A_PAD,	/* aligns the 64-bit attributes */

	__ROOTVIEW_VIEW_A_MAX,
	ROOTVIEW_VIEW_A_MAX = __ROOTVIEW_VIEW_A_MAX - 1,
};

#endif /* _UAPI_LINUX_ROOTVIEW_H */
