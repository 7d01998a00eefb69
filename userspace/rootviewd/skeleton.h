/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A skeleton: the upper layer of an overlay that supplies what an image lacks.
 *
 * overlayfs needs two layers where nothing is writable, so even a variant that
 * adds nothing has one.  A merged folder shows the owner, mode and extended
 * attributes of its topmost layer: a skeleton has to repeat the image's.
 */
#ifndef ROOTVIEW_SKELETON_H
#define ROOTVIEW_SKELETON_H

#include <stdbool.h>
#include <sys/types.h>

#include "failure.h"
#include "mountpoints.h"

/*
 * Finds out which of @wanted the image, whose root folder is @image, lacks.
 * Symbolic links, absolute ones too, are followed inside the image as a container
 * runtime follows them, also the last component of what is a directory or a file;
 * one that leads to nothing leads to what has to be supplied.  A wanted link is there
 * if anything has its name.  *@ret holds the missing ones with their real
 * paths; the parents that are missing too are not listed.  The caller frees it.
 *
 * Fails with INVALID_MOUNT_POINT (a file where a directory is wanted, or the other
 * way round, or a component on the way that is no directory, or a loop of links;
 * or two of @wanted that exclude each other) or OPERATION_FAILED.
 */
int skeleton_find_missing(const char *image, const struct mount_points *wanted,
			  struct mount_points *ret, struct failure *f);

/* The same for a job: as the text of mountpoints.h, for the caller to free. */
int skeleton_tell_missing(const char *image, const struct mount_points *wanted, char **ret_text,
			  struct failure *f);

/*
 * Makes the folder @path and in it all of @missing, whose paths are real ones.
 * Every folder on the way that the image has gets the owner, mode, times and
 * extended attributes that it has at @image; what is new belongs to @uid and @gid,
 * directories with mode 0755, those for a tmpfs with 01777, and files, empty, with 0644.
 * With @labels, SELinux labels are copied too, what is new gets its parent's, and a folder
 * that has none in the image that of shared files; without, the mount supplies them.  What
 * was made before a failure, which is OPERATION_FAILED, stays: it goes with the file system
 * that it is on.
 */
int skeleton_make(const char *path, const char *image, const struct mount_points *missing,
		  uid_t uid, gid_t gid, bool labels, struct failure *f);

#endif
