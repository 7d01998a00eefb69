/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An origin, as the daemon has it in memory: the record alone.
 *
 * The kernel's registry says which origins and views there are; here is what
 * was made of them: a descriptor that keeps the device, and mounts.  Forgetting
 * all of it and looking again gives the same state, which is how a new daemon goes on
 * where a killed one was.
 *
 * variants.h has its mounts, workshop.h makes them, view.h has its views.
 */
#ifndef ROOTVIEW_ORIGIN_H
#define ROOTVIEW_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "context.h"
#include "failure.h"
#include "kernel.h"
#include "variants.h"

struct origin {
	struct origin *next;
	const struct context *context;
	uint64_t id;
	uint64_t serial;	/* of this record: an origin that was renamed has another */
	uint64_t generation;	/* the last event that is in here */
	char *name;
	dev_t dev;
	/*
	 * The name that AddOrigin loaded it with, under which its label is written down; NULL if it
	 * was loaded by hand.  Such a one stays mounted while it has no views.
	 */
	char *added_as;
	bool removing;		/* somebody asked for it to be removed */
	bool compared;		/* for mirror.c: to others of the same device */
	bool seen;		/* for reconcile.c */
	char *label;		/* of its files: LABEL_NATIVE, a context, or NULL */
	/* Keeps the device while there are views, mounted or not; else -1. */
	int fd;
	bool doubtful;		/* a job of it was killed: see job_close() */
	struct path device;	/* where that was found */
	struct kernel_origin counters;	/* as last asked for; without the name */

	struct variants variants;
	uint64_t next_folder;	/* for those but the plain one */

	/* For workshop.c: */
	struct variant_queue queue;	/* to be made, one after the other */
	struct work *work;		/* for the first of the queue */
	sd_event_source *timer;

	/* For view.c: */
	void *views;		/* a tree by id */
	void *names;		/* the same by name */
	size_t n_views;

	size_t n_creating;	/* for service.c: views that are about to be created */
};

/* Makes an origin with neither mounts nor views.  NULL if memory or the like is short. */
struct origin *origin_new(const struct context *context, const struct kernel_origin *from);

/* Frees it.  It has no views any more, and its workshop is closed.  Mounts stay as they are. */
void origin_free(struct origin *o);

/* Takes hold of the device, unless that is done.  Fails with OPERATION_FAILED. */
int origin_hold(struct origin *o, struct failure *f);

/* Takes over what @from has of the same device, which has another name now. */
void origin_take_hold(struct origin *o, struct origin *from);

/* Lets go of the device if no view needs it. */
void origin_relax(struct origin *o);

/* Whether each file has the label that the image stores. */
bool origin_is_native(const struct origin *o);

/* Whether it can have a folder: its name, which dmsetup may have given, can be part of a path. */
bool origin_has_paths(const struct origin *o);

/* The same; fails with INVALID_NAME. */
int origin_check_name(const struct origin *o, struct failure *f);

/* Makes its folders, and writes down what it is.  Fails with INVALID_NAME or OPERATION_FAILED. */
int origin_make_folders(const struct origin *o, struct failure *f);

/*
 * Whether its folders are about it, and not about one that had the name before.  Returns 1, 0, or a
 * negative errno.
 */
int origin_has_folders(const struct origin *o);

/* Path of a new folder, not made yet, for a variant; and its number, if @ret_number is not NULL. */
struct path origin_new_folder(struct origin *o, int64_t *ret_number);

/*
 * Writes the mount points that a view asks for, too many for its record, into a
 * folder, and puts the number of that into @ret.  Fails with OPERATION_FAILED.
 */
int origin_keep_wanted(struct origin *o, const struct mount_points *points, int64_t *ret,
		       struct failure *f);

/* Removes them. */
void origin_forget_wanted(struct origin *o, int64_t folder);

#endif
