/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A view: a record in the kernel, and here the mount that was made for it.
 */
#ifndef ROOTVIEW_VIEW_H
#define ROOTVIEW_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "failure.h"
#include "kernel.h"
#include "mountinfo.h"
#include "origin.h"
#include "runtime.h"

struct view {
	uint64_t id;
	struct origin *origin;
	struct variant *variant;	/* what it is a clone of; NULL if it is not mounted */
	char *name;
	char *label;			/* as the kernel has it; NULL if none */
	uint64_t created_ns;
	bool seen;			/* for reconcile.c */
};

/* Adds a view, not mounted, to @o, which owns it.  NULL if memory is short. */
struct view *view_new(struct origin *o, const struct kernel_view *from);

/* Unmounts it, takes it out of its origin and frees it. */
void view_remove(struct view *v);

struct view *view_find(struct origin *o, uint64_t id);
struct path view_path(const struct view *v);

/*
 * Sees to it that the view is mounted: whoever wants it mounted calls this, as
 * often as they like.  Fails as origin_get_variant() does; then it is not.
 */
int view_ensure_mounted(struct view *v, struct failure *f);

/*
 * The same, where nobody waits for the answer: the view is there even if it
 * cannot be mounted, and the log says why it has no path.
 */
void view_try_mount(struct view *v);

/*
 * Takes the mount that is at its path for its own, if it is a clone of the
 * right variant, and claims its entry in @table.
 */
void view_find_mount(struct view *v, struct mountinfo *table);

/* Calls @each in the order of ids.  It must not add or remove views. */
void view_each(struct origin *o, void (*each)(struct view *v, void *userdata), void *userdata);

/* Unmounts all views of @o. */
void view_unmount_all(struct origin *o);

/* Frees all views of @o, and leaves them mounted. */
void view_free_all(struct origin *o);

#endif
