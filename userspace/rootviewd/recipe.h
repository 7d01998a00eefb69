/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A recipe: what a view asks of its variant, and which variant that leads to.
 *
 * All views of an origin that ask for the same share one.  Which variant it is
 * takes a look into the image, which may have some of the mount points: that is
 * done once, and the answer kept here as long as a view or that variant is there.
 */
#ifndef ROOTVIEW_RECIPE_H
#define ROOTVIEW_RECIPE_H

#include <stdbool.h>
#include <stddef.h>

#include "failure.h"
#include "idmap.h"
#include "mountpoints.h"
#include "spec.h"
#include "variant.h"

struct origin;
struct view;

struct recipe {
	struct origin *origin;
	char *key;			/* all of the request, as text */
	size_t views;			/* that have it */

	char *label;			/* canonical; NULL for the origin's */
	struct mount_points points;
	struct idmap *map;		/* NULL if none */
	char *map_text;

	char *missing_text;		/* NULL until the image was looked at */
	struct mount_points missing;
	struct variant *variant;	/* NULL while there is none */

	/* In the origin's queue: to be made. */
	bool queued;
	struct recipe *next;
	struct view *waiting;		/* for it */
	struct view *telling;		/* of these, who has not been told yet */
};

/*
 * Finds or makes the recipe of @spec with @label, which may be NULL, on @o.
 * Takes points and map out of @spec.  NULL if memory is short.
 */
struct recipe *recipe_get(struct origin *o, const char *label, struct spec *spec);

/* Frees it if no view has it and it leads to no variant. */
void recipe_release(struct recipe *r);

/* Forgets that recipes of @o lead to @v, or to any variant if that is NULL. */
void recipe_forget_variant(struct origin *o, struct variant *v);

/*
 * Which variant it leads to, given that the image was looked at or need not be:
 * NULL if that is not there, or not known yet.
 */
struct variant *recipe_find_variant(struct recipe *r);

/* Keeps the answer of a look into the image, from skeleton_tell_missing(); 0 or -1. */
int recipe_set_missing(struct recipe *r, const char *text);

/* The label that its variant has. */
const char *recipe_label(const struct recipe *r);

/* Whether it needs an overlay; only once the image was looked at. */
bool recipe_needs_overlay(const struct recipe *r);

#endif
