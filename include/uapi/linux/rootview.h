/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * rootview: what the kernel module and user space agree on.
 *
 * An *origin* is a device-mapper device with one "rootview" target: a block
 * device that holds one image's root file system, exposed strictly read-only.
 * A *view* is one container's named use of it: a record in the kernel.
 *
 * The generic netlink family ROOTVIEW_GENL_NAME exists in the initial network
 * namespace.  Anyone there may ask; only a process with CAP_SYS_ADMIN in the
 * initial user namespace may change anything.  Attributes nest in two kinds,
 * an origin and a view, which look the same in requests, replies and events:
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
 *	  ROOTVIEW_ORIGIN_A_RECORDING	u32	reads that the ring which records them
 *						has room for, 0 while none are
 *						recorded
 *	ROOTVIEW_A_VIEW (nested)
 *	  ROOTVIEW_VIEW_A_NAME		string	unique on its origin
 *	  ROOTVIEW_VIEW_A_ID		u64	never used again while the module
 *						is loaded; 0 is no view's id
 *	  ROOTVIEW_VIEW_A_LABEL		string	SELinux context, absent if none
 *	  ROOTVIEW_VIEW_A_BLOB		binary	opaque to the kernel, absent if
 *						none
 *	  ROOTVIEW_VIEW_A_CREATED_NS	u64	when, in ns of CLOCK_BOOTTIME
 *	ROOTVIEW_A_CREATE (nested)		a view to be made, in a batch
 *	ROOTVIEW_A_DELETE (nested)		a view to be deleted, in a batch
 *	ROOTVIEW_A_RESULT (nested)		what became of one of the two
 *	  ROOTVIEW_RESULT_A_ERROR	s32	0, or a negative errno
 *	  ROOTVIEW_RESULT_A_ID		u64	of the view, where there is one
 *	  ROOTVIEW_RESULT_A_REASON	string	a sentence, where it was refused
 *	ROOTVIEW_A_RECORD (nested)		a part of what was recorded
 *	  ROOTVIEW_RECORD_A_POSITION	u64	number of the first read in READS,
 *						counted since recording began
 *	  ROOTVIEW_RECORD_A_LOST	u64	reads from the position asked for to
 *						this one that were overwritten
 *	  ROOTVIEW_RECORD_A_READS	binary	array of struct rootview_read
 *
 * A device number is major << 20 | minor, the kernel's own form.  A request
 * names its origin by NAME or by DEV; where both are given, both must match.
 * A device-mapper device may be renamed at any time, its number stays.
 *
 * Requests and their errors, each with a sentence and the offending attribute
 * in the extended ack:
 *
 *	ROOTVIEW_CMD_ORIGIN_GET
 *		do:	ORIGIN{NAME|DEV} -> ORIGIN{all}
 *		dump:	-> ORIGIN{all}, a message each
 *	ROOTVIEW_CMD_VIEW_CREATE
 *		do:	ORIGIN{NAME|DEV} VIEW{NAME, LABEL?, BLOB?}
 *			-> ORIGIN{brief} VIEW{all but the blob}
 *		EEXIST	the name is taken
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
 *	ROOTVIEW_CMD_VIEW_BATCH
 *		do:	ORIGIN{NAME|DEV} (CREATE{as above} | DELETE{as above})+
 *			-> ORIGIN{brief} RESULT+, one for each in the same order
 *		At most ROOTVIEW_BATCH_MAX; each stands for itself, whatever became
 *		of the others.
 *		E2BIG	there are more
 *	ROOTVIEW_CMD_RECORD_SET
 *		do:	ORIGIN{NAME|DEV, RECORDING} -> ORIGIN{all}
 *		Begins to record the reads that reach the target, into a ring of
 *		RECORDING entries (rounded up to a power of two), or with 0 stops.
 *		What was recorded can be read until recording begins again.
 *	ROOTVIEW_CMD_RECORD_GET
 *		dump:	ORIGIN{NAME|DEV} RECORD{POSITION}? -> RECORD{all}, as many
 *			messages as it takes.  To go on later, ask for the position
 *			behind the last read received.
 *
 *	any:	EINVAL	an attribute is missing, malformed or out of range
 *		ENAMETOOLONG	a name or a label is too long
 *		ENODEV	there is no such origin, or it is being removed
 *		EPERM	the sender may not change anything
 *
 * "brief" is NAME, DEV, ID and GENERATION.  A dump that ran while something
 * changed carries NLM_F_DUMP_INTR, and is to be repeated.
 *
 * Events go to the multicast group ROOTVIEW_MCGRP_EVENTS, to processes with
 * CAP_SYS_ADMIN where the kernel can enforce it:
 *
 *	ROOTVIEW_CMD_ORIGIN_ADDED	ORIGIN{brief}
 *	ROOTVIEW_CMD_ORIGIN_REMOVED	ORIGIN{brief}
 *	ROOTVIEW_CMD_ORIGIN_FAILED	ORIGIN{brief}, at the first read error after
 *					each resume
 *	ROOTVIEW_CMD_VIEW_CREATED	ORIGIN{brief} VIEW{all}
 *	ROOTVIEW_CMD_VIEW_DELETED	ORIGIN{brief} VIEW{all but the blob};
 *					somebody asked for it
 *	ROOTVIEW_CMD_VIEW_GONE		the same; its origin was taken away
 *
 * GENERATION counts every event of one origin, so a listener sees a gap, and
 * dumps again; so it must when its socket reports ENOBUFS.  An origin that is
 * removed and made again has another ID and counts from the start.
 */
#ifndef _UAPI_LINUX_ROOTVIEW_H
#define _UAPI_LINUX_ROOTVIEW_H

#include <linux/types.h>

#define ROOTVIEW_GENL_NAME	"rootview"
#define ROOTVIEW_GENL_VERSION	1
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

/* Views in one batch; entries of the ring that records reads. */
#define ROOTVIEW_BATCH_MAX	128
#define ROOTVIEW_RECORDING_MAX	1048576

/**
 * struct rootview_read - one read that reached the target
 * @sector:	where it began, in sectors of 512 bytes
 * @boot_ns:	when, in ns of CLOCK_BOOTTIME
 * @sectors:	its length
 * @reserved:	0
 */
struct rootview_read {
	__u64 sector;
	__u64 boot_ns;
	__u32 sectors;
	__u32 reserved;
};

enum rootview_cmd {
	ROOTVIEW_CMD_UNSPEC,
	ROOTVIEW_CMD_ORIGIN_GET,
	ROOTVIEW_CMD_VIEW_CREATE,
	ROOTVIEW_CMD_VIEW_DELETE,
	ROOTVIEW_CMD_VIEW_GET,
	ROOTVIEW_CMD_VIEW_BATCH,
	ROOTVIEW_CMD_RECORD_SET,
	ROOTVIEW_CMD_RECORD_GET,
	/* Events: never sent by user space. */
	ROOTVIEW_CMD_ORIGIN_ADDED,
	ROOTVIEW_CMD_ORIGIN_REMOVED,
	ROOTVIEW_CMD_ORIGIN_FAILED,
	ROOTVIEW_CMD_VIEW_CREATED,
	ROOTVIEW_CMD_VIEW_DELETED,
	ROOTVIEW_CMD_VIEW_GONE,

	__ROOTVIEW_CMD_MAX,
	ROOTVIEW_CMD_MAX = __ROOTVIEW_CMD_MAX - 1,
};

enum rootview_attr {
	ROOTVIEW_A_UNSPEC,
	ROOTVIEW_A_ORIGIN,
	ROOTVIEW_A_VIEW,
	ROOTVIEW_A_CREATE,
	ROOTVIEW_A_DELETE,
	ROOTVIEW_A_RESULT,
	ROOTVIEW_A_RECORD,

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
	ROOTVIEW_ORIGIN_A_RECORDING,
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
	ROOTVIEW_VIEW_A_PAD,	/* aligns the 64-bit attributes */

	__ROOTVIEW_VIEW_A_MAX,
	ROOTVIEW_VIEW_A_MAX = __ROOTVIEW_VIEW_A_MAX - 1,
};

enum rootview_result_attr {
	ROOTVIEW_RESULT_A_UNSPEC,
	ROOTVIEW_RESULT_A_ERROR,
	ROOTVIEW_RESULT_A_ID,
	ROOTVIEW_RESULT_A_REASON,
	ROOTVIEW_RESULT_A_PAD,	/* aligns the 64-bit attributes */

	__ROOTVIEW_RESULT_A_MAX,
	ROOTVIEW_RESULT_A_MAX = __ROOTVIEW_RESULT_A_MAX - 1,
};

enum rootview_record_attr {
	ROOTVIEW_RECORD_A_UNSPEC,
	ROOTVIEW_RECORD_A_POSITION,
	ROOTVIEW_RECORD_A_LOST,
	ROOTVIEW_RECORD_A_READS,
	ROOTVIEW_RECORD_A_PAD,	/* aligns the 64-bit attributes */

	__ROOTVIEW_RECORD_A_MAX,
	ROOTVIEW_RECORD_A_MAX = __ROOTVIEW_RECORD_A_MAX - 1,
};

#endif /* _UAPI_LINUX_ROOTVIEW_H */
