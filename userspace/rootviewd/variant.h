/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A variant: one superblock over an origin, which every view of it is a clone of.
 *
 * The plain one is the origin's own file system.  A labelled one is a read-only
 * overlay of it, and still shares every file's pages with it.
 */
#ifndef ROOTVIEW_VARIANT_H
#define ROOTVIEW_VARIANT_H

#include <stddef.h>
#include <sys/types.h>

#include "failure.h"
#include "filesystem.h"
#include "mountinfo.h"
#include "runtime.h"

struct variant {
	struct variant *next;		/* of the same origin */
	char *label;			/* of all its files; NULL if SELinux is off */
	char type[FILESYSTEM_TYPE_SIZE];
	dev_t dev;			/* what stat() says of its files */
	size_t views;
	char *path;			/* where it is mounted */
	char *folder;			/* of a labelled one: what "top" and "mount" are in */
};

/*
 * Looks at the device @fd, found at path @device, and mounts its file system.
 * Fails with UNSUPPORTED_FILE_SYSTEM, NEEDS_RECOVERY or OPERATION_FAILED.
 */
int variant_make_plain(const struct runtime *rt, const char *origin, int fd, const char *device,
		       struct variant **ret, struct failure *f);

/* Makes the variant of @plain with another label, which label_check() has passed. */
int variant_make_labelled(const struct runtime *rt, const char *origin,
			  const struct variant *plain, const char *label, struct variant **ret,
			  struct failure *f);

/*
 * Finds the variants of an origin that are mounted already, and claims their
 * entries in @table.  The plain one must be of the device @dev; it is the first
 * of the list, if there is any.  Returns NULL also if memory is short.
 */
struct variant *variant_find_mounted(const struct runtime *rt, const char *origin, dev_t dev,
				     struct mountinfo *table);

/* Unmounts it, removes its folders and frees it.  Its views, if there are any, stay mounted. */
void variant_drop(struct variant *v);

/* Frees it, and leaves it mounted. */
void variant_free(struct variant *v);

#endif
