/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A view: a record in the kernel, and here what was made of it.
 */
#ifndef ROOTVIEW_VIEW_H
#define ROOTVIEW_VIEW_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "failure.h"
#include "kernel.h"
#include "origin.h"
#include "spec.h"

struct mirror;

struct view {
	uint64_t id;
	struct origin *origin;
	struct variant *variant;	/* what it asks for; NULL if it is not to be mounted */
	struct spec *spec;		/* the same, of a device alone; else NULL */
	char *name;
	char *label;			/* as the kernel has it; NULL if none */
	uint64_t created_ns;

	bool unreadable;		/* not to be mounted: nobody knows what it asked for */
	bool warned;			/* that it cannot be mounted */
	int64_t folder;			/* see spec.h; else -1 */
	char *cgroup;
	pid_t process;			/* that it is tied to; 0 if none */
	uint64_t process_start;
	struct mirror *tied_by;		/* for mirror.c */
	sd_event_source *tie;		/* likewise */

	bool seen;			/* for reconcile.c */
};

/* As label_check(), for what a view can ask for: LABEL_NATIVE as well. */
int view_check_label(const char *label, char **ret, struct failure *f);

/* Adds a view, not mounted, to @o, which owns it.  NULL if memory or the like is short. */
struct view *view_new(struct origin *o, const struct kernel_view *from);

/* Takes it out of its origin and frees it. */
void view_remove(struct view *v);

struct view *view_find(struct origin *o, uint64_t id);

/* The newest of that name: an older one may be gone, and we not know yet. */
struct view *view_find_name(struct origin *o, const char *name);

/* Where all of its variant are mounted; NULL if it has none, or that is not mounted. */
const char *view_path(const struct view *v);

/*
 * Sees to it that the view's device is held, and its variant mounted if it has one: see
 * workshop_request(), and INVALID_LABEL, LABELS_UNAVAILABLE.
 */
int view_request(struct view *v, variant_told_t told, void *userdata, struct failure *f);

/* The same, where nobody waits for the answer: the log says what goes wrong. */
void view_restore(struct view *v);

/* What it asked for; empty or NULL if it did not. */
const struct mount_points *view_points(const struct view *v);
const struct idmap *view_idmap(const struct view *v);

/*
 * A new descriptor of a mount of its variant, for the caller to close; or -1 and OPERATION_FAILED,
 * also if that is not mounted any more.
 */
int view_clone(struct view *v, struct failure *f);

/* Calls @each in the order of ids.  It must not add or remove views. */
void view_each(struct origin *o, void (*each)(struct view *v, void *userdata), void *userdata);

/* Whether @is is true of one of them. */
bool view_any(struct origin *o, bool (*is)(const struct view *v, const void *userdata),
	      const void *userdata);

/* Frees all views of @o. */
void view_free_all(struct origin *o);

#endif
