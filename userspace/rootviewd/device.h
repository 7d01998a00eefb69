/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Origins as device-mapper devices: loaded, found, held open, removed.
 *
 * With udevd running, its rules make the device nodes and are waited for;
 * without it, libdevmapper makes them itself.
 */
#ifndef ROOTVIEW_DEVICE_H
#define ROOTVIEW_DEVICE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "failure.h"

/* Sets libdevmapper up; once, before everything else. */
void device_init(void);

/* Makes it open its descriptor again: for a child that closes all that it has. */
void device_forget_control(void);

/* A block device that is to be exposed. */
struct device_backing {
	char name[256];		/* for people: its path, if not too long, or its number */
	dev_t dev;
	uint64_t sectors;	/* of 512 bytes */
};

/*
 * Look at the block device at a path, or with a number.  Fail with NO_SUCH_DEVICE or
 * OPERATION_FAILED.
 */
int device_examine(const char *path, struct device_backing *ret, struct failure *f);
int device_examine_number(dev_t dev, struct device_backing *ret, struct failure *f);

/* Whether no device has the name.  Fails with ORIGIN_EXISTS or OPERATION_FAILED. */
int device_check_free(const char *name, struct failure *f);

/*
 * Loads a read-only device @name over @backing, marks it as ours by its uuid, and puts its number
 * into @ret.  Nobody has the name.  Fails with ORIGIN_BUSY or OPERATION_FAILED, and leaves nothing
 * behind then.
 */
int device_load(const char *name, const struct device_backing *backing, dev_t *ret,
		struct failure *f);

/*
 * Removes the device @name if its number is @dev.  udev and blkid open new and
 * changed devices for moments, so a busy one is tried again for a while.  Fails
 * with ORIGIN_BUSY if it stays busy, NO_SUCH_ORIGIN if the name is another
 * device's now, or OPERATION_FAILED; it is no failure if it is gone already.
 */
int device_remove(const char *name, dev_t dev, struct failure *f);

/*
 * Remove what a device_load() that was killed half way has left: one device, or all, with
 * our uuid and without a table in use.
 */
void device_sweep_one(const char *name);
void device_sweep(void);

/*
 * Whether the device was loaded by device_load(), of this process or another: 1, 0 or a
 * negative errno.  Then *@ret is the name that it was loaded with, which a rename leaves alone, for
 * the caller to free.
 */
int device_is_ours(const char *name, char **ret);

/* Puts a path of the device @dev, whose name is @name, into @path. */
void device_find(const char *name, dev_t dev, char path[static PATH_MAX]);

/*
 * Opens the device @dev for reading, which keeps it from being removed, and
 * puts the path that it was found at into @path.  Returns
 * a descriptor, or -1 and OPERATION_FAILED.
 */
int device_open(const char *name, dev_t dev, char path[static PATH_MAX], struct failure *f);

#endif
