/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mount points: the paths that a container will mount on, asked for one by one
 * or by ready-made lists.
 */
#ifndef ROOTVIEW_MOUNTPOINTS_H
#define ROOTVIEW_MOUNTPOINTS_H

#include <stddef.h>
#include <systemd/sd-json.h>

#include "failure.h"

#define MOUNT_POINTS_MAX 1024

/* Components of one path.  It bounds how many folders a skeleton can be made to have. */
#define MOUNT_POINT_DEPTH_MAX 64

enum mount_point_kind {
	MOUNT_POINT_DIRECTORY,
	MOUNT_POINT_FILE,
	MOUNT_POINT_LINK,	/* a symbolic link, which an engine would create */
	MOUNT_POINT_TMPFS,	/* a directory of mode 01777, which a tmpfs takes over */
};

struct mount_point {
	char *path;		/* absolute, no ".", "..", "//" and final '/' */
	char *target;		/* of a link, else NULL */
	enum mount_point_kind kind;
};

/* In the order of paths, compared byte by byte; no path twice. */
struct mount_points {
	size_t n;
	struct mount_point *list;
};

void mount_points_free(struct mount_points *points);

/* The value of an object's field; NULL if it is absent or null. */
sd_json_variant *json_field(sd_json_variant *object, const char *name);

/* Describes that @path cannot be one: @fault goes on after its name.  Returns -1. */
int invalid_point(struct failure *f, const char *path, const char *fault);

/*
 * Reads an array of MountPoint (NULL for none) and an array of names of
 * ready-made lists (NULL for none), and puts all of it into one set in its one
 * form, which the caller frees with mount_points_free().  What is asked for
 * explicitly wins over a list; the same path twice with different kinds or targets fails,
 * but for a directory that is a tmpfs, too, which it is then.
 *
 * Fails with INVALID_MOUNT_POINT (a path that is relative, is "/", holds "..",
 * a NUL or control character, is longer than 4095 bytes, has a component longer
 * than 255 or more than MOUNT_POINT_DEPTH_MAX of them; a target without link or a
 * link without target; a kind that is none), INVALID_REQUEST (no such list: the
 * sentence names those that there are; or an element that is no MountPoint) or
 * TOO_MANY (more than MOUNT_POINTS_MAX).
 */
int mount_points_from_json(sd_json_variant *points, sd_json_variant *lists,
			   struct mount_points *ret, struct failure *f);

/* As an array of MountPoint, empty if there are none.  Returns a negative errno. */
int mount_points_to_json(const struct mount_points *points, sd_json_variant **ret);

/*
 * The same as text, empty for none.  What is written comes back equal, so texts
 * can be compared.  The caller frees the one; NULL if memory is short, or if a path
 * is not UTF-8.  The other returns 0 or a negative errno.
 */
char *mount_points_to_text(const struct mount_points *points);
int mount_points_from_text(const char *text, struct mount_points *ret);

/*
 * Adds one, consuming neither string.  Returns a negative errno, -EEXIST if the path is there
 * as something else; keeps order and uniqueness.  What is a directory and a tmpfs is a tmpfs.
 */
int mount_points_add(struct mount_points *points, const char *path, enum mount_point_kind kind,
		     const char *target);

#endif
