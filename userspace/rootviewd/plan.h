/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What to mount, and how: decisions, and nothing else.
 *
 * Every function here is pure: it looks at its arguments only and touches
 * nothing.  mount.c carries out what is decided here.
 */
#ifndef ROOTVIEW_PLAN_H
#define ROOTVIEW_PLAN_H

#include <stdbool.h>
#include <stddef.h>

/* Of a type, and of those together with what all have. */
#define PLAN_TYPE_OPTIONS_MAX 3
#define PLAN_OPTIONS_MAX (PLAN_TYPE_OPTIONS_MAX + 3)

struct plan_option {
	const char *key;
	const char *value;	/* NULL for a flag */
};

/* One file system to mount.  It borrows every string. */
struct plan_mount {
	const char *type;
	size_t n_options;
	struct plan_option options[PLAN_OPTIONS_MAX];
};

/* The types of file systems that can be mounted, separated by commas. */
#define PLAN_TYPES "ext4,xfs,erofs,squashfs"

/* Whether the type @type is in @list, whose elements are separated by commas. */
bool plan_is_listed(const char *type, const char *list);

/*
 * Plans the mount of an origin's own file system, from @source, with all its
 * files labelled @label, or with their own labels if that is NULL.  Returns
 * false if file systems of that type are not mounted at all.
 */
bool plan_plain(const char *type, const char *source, const char *label, struct plan_mount *ret);

/*
 * Plans an overlay of @layers, as lowerdir= takes them, with all its files labelled
 * @label, or with their own labels if that is NULL.
 */
void plan_overlay(const char *layers, const char *label, struct plan_mount *ret);

#endif
