/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The variants of one origin: each is there once, whoever asks for it.
 *
 * What tells them from each other is the text of all that is asked for.  What is asked for in
 * different words may come to the same: mount points that the image has, or the label that it
 * has anyway.  That shows a look into the image, and then one is mounted for all of them.
 *
 * Nothing here waits for a disk; workshop.h is for that.
 */
#ifndef ROOTVIEW_VARIANTS_H
#define ROOTVIEW_VARIANTS_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime.h"
#include "spec.h"
#include "variant.h"

struct variants {
	struct variant *plain;		/* asked for without anything: always there */
	void *by_key;			/* a tree of all */
	struct variant_list mounted;	/* of all but the plain one */
};

/* Makes an origin's plain variant, not mounted.  Returns 0, or -1 if memory is short. */
int variants_init(struct variants *all);

/* Frees all, and leaves them mounted.  Nobody may use or make one any more. */
void variants_free(struct variants *all);

/*
 * Finds or makes the variant that @label, which may be NULL, and @spec ask for; takes points and
 * map out of @spec.  Who goes on using it calls variants_begin_use(); for others it is valid
 * until any function of these is called.  NULL if memory is short.
 */
struct variant *variants_get(struct variants *all, const char *label, struct spec *spec);

/* One user more.  The variant stays until variants_end_use(). */
void variants_begin_use(struct variant *v);

/* One less.  Returns the variant that nobody uses from now on, mounted; NULL if there is none. */
struct variant *variants_end_use(struct variants *all, struct variant *v);

/*
 * The one that is mounted for @v: itself, or another that comes to the same.  NULL if none is, or
 * if the image was not looked at yet.
 */
struct variant *variants_find_mounted(struct variants *all, struct variant *v);

/* The label of its files; NULL if each has its own.  Only while the plain one is mounted. */
const char *variants_label(const struct variants *all, const struct variant *v);

/* Whether it needs an overlay; only once the image was looked at, with the plain one mounted. */
bool variants_needs_overlay(const struct variants *all, const struct variant *v);

/* Keeps the answer of a look into the image, from skeleton_tell_missing(); 0 or -1. */
int variants_set_missing(struct variant *v, const char *text);

/* Has @v, which was described, among those that are mounted. */
void variants_add_mounted(struct variants *all, struct variant *v);

/*
 * Forgets what comes to the same as another, and nobody has used for @grace; @now and what is
 * returned, when to call it again, or UINT64_MAX, are microseconds of CLOCK_MONOTONIC.
 */
uint64_t variants_drop_twins(struct variants *all, uint64_t now, uint64_t grace);

/* Unmounts it.  Who uses it, or a twin of it, has to have it mounted again. */
void variants_unmount(struct variants *all, const struct context *context, struct variant *v);
void variants_unmount_all(struct variants *all, const struct context *context);

/*
 * Finds those of the origin @name that are mounted already: the plain one, of the device @dev, and
 * others.  Returns a negative errno if there may be some that cannot be looked at now.
 */
int variants_find(struct variants *all, const struct runtime *rt, const char *name, dev_t dev,
		  bool labelled);

/* Forgets what was found mounted, and leaves it so. */
void variants_forget(struct variants *all);

/* Calls @each with all.  It must not add or free any. */
void variants_each(struct variants *all, void (*each)(struct variant *v, void *userdata),
		   void *userdata);

/* How many are mounted. */
size_t variants_count(const struct variants *all);

#endif
