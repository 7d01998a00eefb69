/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An origin, its variants and its views, as the daemon has them in memory.
 *
 * The kernel's registry says which origins and views there are; here is what
 * was made of them: a descriptor that keeps the device, and mounts.  Forgetting
 * all of it and looking again (origin_find_mounts, view_find_mount) gives the
 * same state, which is how a new daemon goes on where a killed one was.
 */
#ifndef ROOTVIEW_ORIGIN_H
#define ROOTVIEW_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "failure.h"
#include "kernel.h"
#include "runtime.h"
#include "variant.h"

struct view;

struct origin {
	struct origin *next;
	const struct runtime *runtime;
	uint64_t id;
	uint64_t generation;	/* the last event that is in here */
	char *name;
	dev_t dev;
	/* Loaded by AddOrigin: stays mounted while it has no views. */
	bool ours;
	/* Keeps the device while there are views, mounted or not; else -1. */
	int fd;
	struct path device;	/* where that was found */
	/* The plain one first; empty while the file system is not mounted. */
	struct variant *variants;
	void *views;		/* a tree by id; see view.h */
	size_t n_views;
	struct kernel_origin counters;	/* as last asked for; without the name */
	bool seen;		/* for reconcile.c */
};

/* Makes an origin with neither mounts nor views.  NULL if memory is short. */
struct origin *origin_new(const struct runtime *rt, const struct kernel_origin *from);

/* Frees it with its views.  Mounts stay as they are. */
void origin_free(struct origin *o);

/* Takes hold of the device, unless that is done.  Fails with OPERATION_FAILED. */
int origin_hold(struct origin *o, struct failure *f);

/*
 * Mounts the file system, unless that is done.  Fails with INVALID_NAME,
 * UNSUPPORTED_FILE_SYSTEM, NEEDS_RECOVERY or OPERATION_FAILED; then it is as
 * before.
 */
int origin_mount(struct origin *o, struct failure *f);

/* Lets go of whatever no view needs. */
void origin_relax(struct origin *o);

/* Unmounts everything, removes the folders and lets go of the device. */
void origin_release(struct origin *o);

/*
 * Puts the variant with @label, or the plain one if that is NULL or the plain
 * one's own label.  It is made if it is not there; origin_relax() drops it if
 * no view comes of it.  Fails as origin_mount(), and with LABELS_UNAVAILABLE or
 * INVALID_LABEL.
 */
int origin_get_variant(struct origin *o, const char *label, struct variant **ret,
		       struct failure *f);

/*
 * Finds the variant with @label, in the spelling of label_check(), or the plain
 * one if that is NULL.  Returns NULL if it is not mounted.
 */
struct variant *origin_find_variant(const struct origin *o, const char *label);

/* Forgets the mounts, and claims in @table those that are its variants. */
void origin_find_mounts(struct origin *o, struct mountinfo *table);

#endif
