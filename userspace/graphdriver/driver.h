/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What Docker's graph driver does, in terms of a store of layers and of rootviewd.
 *
 * An image's layers and writable containers are layers of the store.  A container that
 * shares its root file system, and the "-init" layer that Docker puts below it, is a
 * view of the image: no layer, but a note on the image's.
 *
 * There is one driver in a process.  Functions may be called by several threads at a
 * time; they return 0, or -1 after filling @error.
 */
#ifndef ROOTVIEW_GRAPHDRIVER_DRIVER_H
#define ROOTVIEW_GRAPHDRIVER_DRIVER_H

#include <limits.h>

#include "layerstore/layerstore.h"

/*
 * Opens the store in the folder @home, which is absolute.  @options are "KEY=VALUE" as
 * dockerd's --storage-opt has them: rootview.pool (path of a thin pool; if it is not
 * there, the one that rootview-storage-setup has made), rootview.fs (ext4 or xfs),
 * rootview.size (of a layer, with a unit as in "20G").
 * Docker calls it each time that it starts: with the same @home and pool, a second call
 * changes nothing.
 */
int driver_init(const char *home, const char *const *options, struct layer_error *error);

/* Ends what driver_init() has begun.  Containers keep what they have. */
void driver_close(void);

/* The option of a container, by docker run's --storage-opt, by which it shares its image. */
#define DRIVER_SHARED "shared-rootfs"

/*
 * What such a container will mount on directories that its image lacks: absolute paths,
 * with ':' between them.  Docker says it too late for a path that many share.
 */
#define DRIVER_MOUNT_POINTS "mount-points"

struct driver_request {
	const char *id;
	const char *parent;	/* or "" */
	uint64_t size;		/* in bytes; 0 for the parent's */
	bool writable;		/* a container's, not an image's */
	bool shared;
	const char *mount_points;	/* of a shared one, or "" */
};

int driver_create(const struct driver_request *request, struct layer_error *error);
int driver_remove(const char *id, struct layer_error *error);
bool driver_exists(const char *id);

/* Mounts, and puts the path, the same each time, into @path. */
int driver_get(const char *id, const char *label, char path[static PATH_MAX],
	       struct layer_error *error);
int driver_put(const char *id, struct layer_error *error);

/* Whether it is a view: then it never differs from its image. */
bool driver_is_view(const char *id);

/* The store, or NULL and LAYER_FAILED before driver_init(). */
struct layerstore *driver_store(struct layer_error *error);

/* How many containers have a view. */
size_t driver_views(void);

#endif
