/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An origin, its variants and its views, as the daemon has them in memory.
 *
 * The kernel's registry says which origins and views there are; here is what
 * was made of them: a descriptor that keeps the device, and mounts.  Forgetting
 * all of it and looking again (origin_find_mounts) gives the
 * same state, which is how a new daemon goes on where a killed one was.
 *
 * Whatever waits for the disk is done by jobs, one at a time for each origin:
 * a slow one holds up nobody else.
 */
#ifndef ROOTVIEW_ORIGIN_H
#define ROOTVIEW_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "context.h"
#include "failure.h"
#include "job.h"
#include "kernel.h"
#include "recipe.h"
#include "variant.h"

struct view;

/* The label of an origin that keeps the labels which the image stores. */
#define ORIGIN_NATIVE "native"

/* Told once whether its file system is mounted; @f is NULL if it is. */
typedef void (*origin_told_t)(void *userdata, const struct failure *f);

struct origin_waiter {
	struct origin_waiter *next;
	origin_told_t told;
	void *userdata;
};

struct origin {
	struct origin *next;
	const struct context *context;
	uint64_t id;
	uint64_t generation;	/* the last event that is in here */
	char *name;
	dev_t dev;
	/* Loaded by AddOrigin: stays mounted while it has no views. */
	bool ours;
	bool removing;		/* somebody asked for it to be removed */
	bool compared;		/* for mirror.c: to others of the same device */
	char *label;		/* of its files: ORIGIN_NATIVE, a context, or NULL */
	/* Keeps the device while there are views, mounted or not; else -1. */
	int fd;
	struct path device;	/* where that was found */
	struct variant *plain;	/* NULL while the file system is not mounted */
	size_t users;		/* of that, besides views: see origin_use() */
	struct variant *others;
	void *recipes;		/* a tree; see recipe.h */
	void *views;		/* a tree by id; see view.h */
	void *names;		/* the same by name */
	size_t n_views;
	struct kernel_origin counters;	/* as last asked for; without the name */
	bool seen;		/* for reconcile.c */

	struct recipe *queue;	/* to be made, one after the other */
	struct recipe *own;	/* of a view that asks for nothing */
	struct job *job;	/* for the first of the queue */
	bool stopped;		/* what that makes is not wanted any more */
	bool freed;		/* it is all that is left of the origin */
	struct variant_order order;	/* of that job */
	uint64_t next_folder;
	struct origin_waiter *waiters;
	sd_event_source *idle;	/* drops what no view needs */
};

/* Makes an origin with neither mounts nor views.  NULL if memory is short. */
struct origin *origin_new(const struct context *context, const struct kernel_origin *from);

/* Frees it with its views.  Mounts stay as they are. */
void origin_free(struct origin *o);

/* Takes hold of the device, unless that is done.  Fails with OPERATION_FAILED. */
int origin_hold(struct origin *o, struct failure *f);

/* Chooses the label of its files, before they are mounted for the first time. */
int origin_set_label(struct origin *o, const char *label, struct failure *f);

/*
 * Puts the variant that @r leads to into @ret and returns 1; or returns 0 if it
 * has to be made, which is begun: view_ready() is then called for each view
 * that is waiting for @r.  Fails with INVALID_NAME or OPERATION_FAILED.
 */
int origin_get_variant(struct origin *o, struct recipe *r, struct variant **ret,
		       struct failure *f);

/*
 * Sees to it that its own file system is mounted, and calls @told then, if that
 * is not NULL; never before this returns.  Fails as origin_get_variant().
 */
int origin_mount(struct origin *o, origin_told_t told, void *userdata, struct failure *f);

/*
 * The same for who needs the file system for a while and no view: it does not go before
 * origin_end_use(), which has to follow unless this fails.  Nobody waits here for other
 * work on the origin if it is mounted already: then this returns 1, and @told is not called.
 */
int origin_use(struct origin *o, origin_told_t told, void *userdata, struct failure *f);
void origin_end_use(struct origin *o);

/* The same as origin_mount(), where nobody waits: the log says what goes wrong. */
void origin_try_mount(struct origin *o);

/*
 * Writes the mount points that a view asks for, too many for its record, into a
 * folder, and puts the number of that into @ret.  Fails with OPERATION_FAILED.
 */
int origin_keep_wanted(struct origin *o, const struct mount_points *points, int64_t *ret,
		       struct failure *f);

/* Removes them. */
void origin_forget_wanted(struct origin *o, int64_t folder);

/* One view of a variant less; one without views goes after the grace period. */
void origin_leave_variant(struct origin *o, struct variant *v);

/* Lets go of the device if no view needs it. */
void origin_relax(struct origin *o);

/* Unmounts everything, removes the folders, and lets go of the device if no view needs it. */
void origin_release(struct origin *o);

/* That variant was unmounted by somebody else: its views get another. */
void origin_lose_variant(struct origin *o, struct variant *v);

/*
 * Forgets the mounts, and claims in @table those that are its variants.  Returns a negative
 * errno, and nothing has changed, if they cannot be looked at now.
 */
int origin_find_mounts(struct origin *o, struct mountinfo *table);

#endif
