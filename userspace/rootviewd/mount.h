/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mounting, with the kernel's file-descriptor interface: a mount is finished
 * before anybody can see it, and the kernel says in words what it dislikes.
 *
 * All functions return 0 or a negative errno.
 */
#ifndef ROOTVIEW_MOUNT_H
#define ROOTVIEW_MOUNT_H

#include <stddef.h>
#include <sys/types.h>

#include "plan.h"

#define MOUNT_WHY_SIZE 256

/*
 * Carries out @plan, and attaches the result, read-only and without device
 * nodes, at @path.  On failure @why holds the kernel's sentence, or is empty.
 */
int mount_plan(const struct plan_mount *plan, const char *path, char why[static MOUNT_WHY_SIZE]);

/*
 * Clones the mount at @from, and puts a descriptor of the clone, which is
 * attached nowhere, into @ret.  Returns -ESTALE if the files at @from are not of
 * the device @dev: somebody has unmounted what was there.
 */
int mount_clone(const char *from, dev_t dev, int *ret);

/* Attaches a mount that is attached nowhere at @path. */
int mount_attach(int fd, const char *path);

/*
 * Clones the mount at @from, with its files owned through the map of the user
 * namespace @userns, and attaches the clone at @to.
 */
int mount_idmapped(const char *from, int userns, const char *to);

/* Moves the mount at @from, with all below it, to @to. */
int mount_move(const char *from, const char *to);

/* Mounts an empty tmpfs at @path, private. */
int mount_tmpfs(const char *path);

/*
 * Makes @path a mount of its own that neither sends nor receives propagation,
 * so that what is mounted below it stays out of other mount namespaces.
 */
int mount_make_private(const char *path);

/* The same for what is a mount already, and for all that is mounted below it. */
int mount_set_private(const char *path);

/* Whether something is mounted at @path: 1 or 0.  It is no error if there is nothing there. */
int mount_is_there(const char *path);

/*
 * Takes the mount at @path out of sight, with all below it.  It ends when its
 * last user has gone.  It is no error if nothing is mounted there.
 */
int mount_detach(const char *path);

#endif
