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
#include "recipe.h"
#include "spec.h"

/* Told once what became of a view; @f is NULL if it is as it should be. */
typedef void (*view_told_t)(void *userdata, struct view *v, const struct failure *f);

struct mirror;

struct view_waiter {
	struct view_waiter *next;
	view_told_t told;
	void *userdata;
};

struct view {
	uint64_t id;
	struct origin *origin;
	struct recipe *recipe;
	struct variant *variant;	/* what it is given out from; NULL if it is not */
	char *name;
	char *label;			/* as the kernel has it; NULL if none */
	uint64_t created_ns;

	bool device_only;		/* it is not to be mounted */
	bool unreadable;		/* it cannot be: nobody knows what it asked for */
	int64_t folder;			/* see spec.h; else -1 */
	char *cgroup;
	pid_t process;			/* that it is tied to; 0 if none */
	uint64_t process_start;
	struct mirror *tied_by;		/* for mirror.c */
	sd_event_source *tie;		/* likewise */

	struct view *next_waiting;	/* for the same recipe */
	bool waiting;
	bool retried;
	bool warned;			/* that it could not be mounted */
	struct view_waiter *waiters;
	bool seen;			/* for reconcile.c */
};

/* Adds a view, not mounted, to @o, which owns it.  NULL if memory or the like is short. */
struct view *view_new(struct origin *o, const struct kernel_view *from);

/* Takes it out of its origin and frees it.  Whoever waits is told so. */
void view_remove(struct view *v);

struct view *view_find(struct origin *o, uint64_t id);

/* The newest of that name: an older one may be gone, and we not know yet. */
struct view *view_find_name(struct origin *o, const char *name);

/* Where all of its variant are mounted; NULL if it has none. */
const char *view_path(const struct view *v);

/*
 * Sees to it that the view has a variant, which is mounted, unless it is a device alone: whoever
 * wants that calls this, as often as they like.  Returns 1 if it is so; or 0, and @told is called
 * later, if that is not NULL.  Fails as variant_mount_other().
 */
int view_mount(struct view *v, view_told_t told, void *userdata, struct failure *f);

/* The same, where nobody waits for the answer: the log says what goes wrong. */
void view_try_mount(struct view *v);

/* The same for all that wait for @r; @f is NULL if its variant is there. */
void view_ready_all(struct recipe *r, const struct failure *f);

/* @variant is no more: its views get another. */
void view_lose_variant(struct origin *o, struct variant *variant);

/*
 * A new descriptor of a mount of its variant, which must be there, for the
 * caller to close; or -1 and OPERATION_FAILED.
 */
int view_clone(struct view *v, struct failure *f);

/* Whether it ought to be mounted, is not, and could be a clone of @variant. */
bool view_wants(const struct view *v, const struct variant *variant);

/* Calls @each in the order of ids.  It must not add or remove views. */
void view_each(struct origin *o, void (*each)(struct view *v, void *userdata), void *userdata);

/* Whether @is is true of one of them. */
bool view_any(struct origin *o, bool (*is)(const struct view *v, const void *userdata),
	      const void *userdata);

/* Frees all views of @o.  Whoever waits is told so. */
void view_free_all(struct origin *o);

#endif
