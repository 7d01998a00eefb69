/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A variant: one superblock over an origin, or an id-mapped mount of one, which
 * every view of it is a clone of; and what is asked for that leads to it.
 *
 * The plain one is the origin's own file system.  One with another label or with
 * mount points that the image lacks is a read-only overlay of it, and still
 * shares every file's pages with it.  An id map belongs to a mount: that is a clone
 * of the plain one, or what the overlay lies on.
 *
 * Here one is mounted and unmounted; variants.h has all of an origin, workshop.h says when.
 */
#ifndef ROOTVIEW_VARIANT_H
#define ROOTVIEW_VARIANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "context.h"
#include "failure.h"
#include "filesystem.h"
#include "idmap.h"
#include "mountpoints.h"
#include "runtime.h"

/* Told once what became of what somebody waits for; @f is NULL if it is there. */
typedef void (*variant_told_t)(void *userdata, const struct failure *f);

struct variant_waiter {
	struct variant_waiter *next;
	bool looks;		/* only for what the image lacks */
	variant_told_t told;
	void *userdata;
};

/* Texts are JSON in its one form (mountpoints.h, idmap.h), and empty for none. */
struct variant {
	/* What is asked for. */
	char *key;			/* all of it, as text: see variants.h */
	char *label;			/* canonical, or LABEL_NATIVE; NULL for the origin's */
	struct mount_points points;
	struct idmap *map;		/* NULL if none */
	char *map_text;

	/* What of it the image lacks: takes a look into it, once.  NULL until then. */
	char *missing_text;
	struct mount_points missing;

	/* What is mounted. */
	char *path;			/* where; NULL while it is not */
	char *folder;			/* what all of it is in; NULL for the plain one */
	char type[FILESYSTEM_TYPE_SIZE];
	dev_t dev;			/* what stat() says of its files */
	char *files_label;		/* of all files; NULL if they have their own */
	LIST_ENTRY(variant) mounted;	/* all of an origin that are, but the plain one */

	/* Another that is mounted, and comes to the same: nothing of its own is needed then. */
	struct variant *same;
	LIST_ENTRY(variant) twin;
	LIST_HEAD(, variant) twins;	/* to whom this is the other */

	size_t users;			/* views, requests, and twins that have any */
	uint64_t idle_usec;		/* since when it has none; CLOCK_MONOTONIC */

	/* For workshop.c. */
	TAILQ_ENTRY(variant) next;
	bool queued;
	bool wanted;			/* mounted, not only looked for */
	bool warned;			/* that it could not be made */
	struct variant_waiter *waiters;
};

TAILQ_HEAD(variant_queue, variant);
LIST_HEAD(variant_list, variant);

/* An order to make one; all borrowed, and read in a child. */
struct variant_order {
	const struct runtime *runtime;
	const char *origin;		/* its name */
	dev_t number;			/* of its device */
	const char *types;		/* see context.h; for the plain one */
	const char *label;		/* of all files; NULL if each keeps its own */

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
 * Puts into @v how it was made as ordered, or found; @folder is NULL for the plain one, of which
 * @labelled tells that all files have one label, if SELinux is on.  Returns a negative errno, and
 * then it is as it was.
 */
int variant_describe(struct variant *v, const char *path, const char *folder, const char *type,
		     bool labelled);

/*
 * Looks for a mount at @path, of the device @dev if that is not 0, and describes it as
 * variant_describe() does.  Returns 1, 0 if there is none that could be used, or a negative errno
 * if there may be one that cannot be looked at now.
 */
int variant_find(struct variant *v, const char *path, const char *folder, dev_t dev,
		 bool labelled);

/* Whether it is still mounted where it was. */
bool variant_is_there(const struct variant *v);

/*
 * Unmounts it and removes its folders: it is not mounted then.  What was given out of it stays.
 */
void variant_unmount(const struct context *context, struct variant *v);

/* Forgets that it is mounted, and leaves it so. */
void variant_forget_mount(struct variant *v);

/* Frees it, and leaves it mounted. */
void variant_free(struct variant *v);

#endif
