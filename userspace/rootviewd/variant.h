/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A variant: one superblock over an origin, or an id-mapped mount of one, which
 * every view of it is a clone of.
 *
 * The plain one is the origin's own file system.  One with another label or with
 * mount points that the image lacks is a read-only overlay of it, and still
 * shares every file's pages with it.  An id map belongs to a mount: that is a clone
 * of the plain one, or what the overlay lies on.
 */
#ifndef ROOTVIEW_VARIANT_H
#define ROOTVIEW_VARIANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "context.h"
#include "failure.h"
#include "filesystem.h"
#include "idmap.h"
#include "mountinfo.h"
#include "mountpoints.h"
#include "runtime.h"

/*
 * What tells the variants of an origin from each other.  The texts are JSON in
 * its one form (mountpoints.h, idmap.h), and empty for none.
 */
struct variant {
	struct variant *next;		/* of the same origin */
	char *label;			/* of all files; NULL if they have their own */
	char *points;			/* the mount points that the image lacks */
	char *map;			/* the id map */

	char type[FILESYSTEM_TYPE_SIZE];
	dev_t dev;			/* what stat() says of its files */
	char *path;			/* where it is mounted */
	char *folder;			/* what all of it is in; NULL for the plain one */

	size_t views;
	uint64_t idle_usec;		/* since when it has no views; CLOCK_MONOTONIC */
};

/* An order to make one; all borrowed, and read in a child. */
struct variant_order {
	const struct runtime *runtime;
	const char *origin;		/* its name */
	const char *device;		/* path of the origin's device */
	dev_t number;			/* of that device */
	const char *types;		/* see context.h; for the plain one */
	const char *label;		/* for the plain one: NULL if each file keeps its own */

	/* All that follows is for others than the plain one. */
	const struct variant *plain;
	struct path folder;
	const struct mount_points *points;
	const char *points_text, *map_text;
	const struct idmap *idmap;	/* NULL if none */
	bool overlay;			/* or an id-mapped clone alone */
	char type[FILESYSTEM_TYPE_SIZE];	/* that it has then */
};

/*
 * Make a variant as ordered.  These wait for the disk: for a job.  Fail with
 * UNSUPPORTED_FILE_SYSTEM, NEEDS_RECOVERY, NOT_SUPPORTED or OPERATION_FAILED, and leave
 * nothing behind then.  The type of its file system is put into @type.
 */
int variant_mount_plain(const struct variant_order *order, char type[static FILESYSTEM_TYPE_SIZE],
			struct failure *f);
int variant_mount_other(const struct variant_order *order, struct failure *f);

/* Undoes what was made of an order, however much that is; of none, nothing. */
void variant_undo(const struct context *context, const struct variant_order *order);

/*
 * Describes what was made as ordered; @folder is NULL for the plain one, of which @labelled
 * tells that all files have one label, if SELinux is on.  Returns a negative errno.
 */
int variant_describe(const char *path, const char *folder, const char *type, bool labelled,
		     struct variant **ret);

/*
 * Find the variants of an origin that are mounted already, and claim their
 * entries in @table.  The plain one must be of the device @dev.  *@ret is NULL if there is
 * none.  Return a negative errno if there may be one that cannot be looked at now.
 */
int variant_find_plain(const struct runtime *rt, const char *origin, dev_t dev, bool labelled,
		       struct mountinfo *table, struct variant **ret);
int variant_find_others(const struct runtime *rt, const char *origin, struct mountinfo *table,
			struct variant **ret);

/* Whether it is still mounted where it was. */
bool variant_is_there(const struct variant *v);

/* Unmounts it, removes its folders and frees it.  What was given out of it stays. */
void variant_drop(const struct context *context, struct variant *v);

/* Frees it, or a list of them, and leaves them mounted. */
void variant_free(struct variant *v);
void variant_free_all(struct variant *list);

#endif
