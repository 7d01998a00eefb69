/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A store of layers: file systems on thin volumes of one dm-thin pool, each a
 * snapshot of its parent.
 *
 * It knows nothing of container engines, which have front ends for that.
 * Nothing of the pool is touched before an SQLite database says what is about to
 * be done; so whenever a process dies, the next layerstore_open() knows what was
 * left half way, and removes that: a layer is there as it was committed, or it is
 * not there at all.
 *
 * Several stores may share a pool: each has a range of its device numbers.
 *
 * All functions may be called by several threads at the same time.  Those that
 * return an int return 0, or -1 after filling @error, unless they say otherwise.
 */
#ifndef ROOTVIEW_LAYERSTORE_H
#define ROOTVIEW_LAYERSTORE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compare.h"
#include "error.h"

/* A layer's name: a file name without control characters. */
#define LAYER_ID_MAX	255

#define LAYER_FS_TYPE_SIZE	16

struct layerstore;

struct layerstore_options {
	const char *folder;	/* absolute; made if missing, with mode 0700 */
	const char *pool;	/* the path /dev/mapper/NAME of an active thin-pool */
	const char *prefix;	/* of devices' names; NULL: "rootview-layer" */
	const char *fs_type;	/* of a new store: "ext4" (also NULL) or "xfs" */
	uint64_t size;		/* bytes of a new store's empty layer; 0: 10 GiB */
	/* The SELinux context that the store itself looks at and fills layers with; or NULL. */
	const char *context;
};

/*
 * Opens the store in @options->folder, or makes it, and ends what a process that
 * died has left half way.  A store is open in one process at a time.  Layers that
 * are still mounted stay so: the first layerstore_mount() takes the mount over.
 */
int layerstore_open(const struct layerstore_options *options, struct layerstore **ret,
		    struct layer_error *error);

/* Leaves mounted what is mounted, and active what is active. */
void layerstore_close(struct layerstore *store);

/*
 * Makes a layer with what @parent holds, or with nothing if that is NULL.  Its
 * file system has @size bytes: as many as that of @parent if 0, never fewer.
 */
int layerstore_create(struct layerstore *store, const char *id, const char *parent, uint64_t size,
		      struct layer_error *error);

/* LAYER_IN_USE if it is mounted or active, LAYER_HAS_CHILDREN if it is a parent. */
int layerstore_remove(struct layerstore *store, const char *id, struct layer_error *error);

bool layerstore_exists(struct layerstore *store, const char *id);

/*
 * Mounts the layer, at the same path each time: it is put into @path.  Mounts are
 * counted: a second one gets the first one's mount, and LAYER_IN_USE if it wants
 * another @context, or to write what is mounted read-only.
 */
int layerstore_mount(struct layerstore *store, const char *id, const char *context, bool read_only,
		     char path[static PATH_MAX], struct layer_error *error);

/* Takes one mount back; it fails with LAYER_INVALID if there is none. */
int layerstore_unmount(struct layerstore *store, const char *id, struct layer_error *error);

/*
 * Makes the layer a read-only block device for others, until
 * layerstore_deactivate(): layerstore_open() makes it again.  It cannot be
 * mounted writable then.  Its path is put into @device.
 */
int layerstore_activate(struct layerstore *store, const char *id, char device[static PATH_MAX],
			struct layer_error *error);

/* LAYER_IN_USE if somebody has the device open. */
int layerstore_deactivate(struct layerstore *store, const char *id, struct layer_error *error);

/*
 * Unpacks the tar stream @fd into the layer, which must not be mounted or a
 * parent, and puts the bytes of its files into @ret_size.  It is on the disk when
 * this returns 0; else the layer has been removed, unless it was not even begun:
 * LAYER_IN_USE, LAYER_HAS_CHILDREN, or LAYER_POOL_FULL because little is left.
 */
int layerstore_apply(struct layerstore *store, const char *id, int fd, uint64_t *ret_size,
		     struct layer_error *error);

/*
 * Writes what the layer differs by from @parent (NULL: all that it holds) to @fd,
 * as a tar stream.
 */
int layerstore_diff(struct layerstore *store, const char *id, const char *parent, int fd,
		    struct layer_error *error);

/* Calls @each as compare_trees() does; NULL as @parent: the empty layer. */
int layerstore_changes(struct layerstore *store, const char *id, const char *parent,
		       int (*each)(const char *path, enum change kind, void *userdata),
		       void *userdata, struct layer_error *error);

/* The bytes of the regular files that layerstore_diff() would write. */
int layerstore_diff_size(struct layerstore *store, const char *id, const char *parent,
			 uint64_t *ret, struct layer_error *error);

/* A front end's own note on a layer, which goes with it; NULL removes it. */
int layerstore_set(struct layerstore *store, const char *id, const char *key, const char *value,
		   struct layer_error *error);

/* Puts the note, which the caller frees, or NULL into @ret. */
int layerstore_get(struct layerstore *store, const char *id, const char *key, char **ret,
		   struct layer_error *error);

/*
 * Calls @each, which may not call the store, for every note whose key begins with
 * @prefix.  Ends with what @each returns if that is not 0.
 */
int layerstore_each_note(struct layerstore *store, const char *prefix,
			 int (*each)(const char *id, const char *key, const char *value,
				     void *userdata),
			 void *userdata, struct layer_error *error);

/*
 * Calls @each for every layer, parents before their children; @parent is NULL for
 * one that has none.  Ends with what @each returns if that is not 0.
 */
int layerstore_each(struct layerstore *store,
		    int (*each)(const char *id, const char *parent, void *userdata),
		    void *userdata, struct layer_error *error);

struct layer_info {
	uint32_t number;		/* of the device, in the pool */
	uint64_t size;			/* bytes */
	char parent[LAYER_ID_MAX + 1];	/* "": none */
	char device[128];		/* name of its device while that is active */
	char path[PATH_MAX];		/* where it is mounted, when it is */
	bool mounted;
	bool active;			/* by layerstore_activate() */
};

int layerstore_info(struct layerstore *store, const char *id, struct layer_info *ret,
		    struct layer_error *error);

struct layerstore_status {
	char pool[128];			/* name */
	char fs_type[LAYER_FS_TYPE_SIZE];
	uint64_t block_size;		/* all in bytes */
	uint64_t data_used, data_total;
	uint64_t metadata_used, metadata_total;
	uint64_t layers;
	bool on_loop;			/* data or metadata lie on a loop device: slow, unsafe */
	bool out_of_space;
	bool read_only;
	bool needs_check;
	bool waits_when_full;		/* queue_if_no_space: writers hang for a minute */
};

int layerstore_status(struct layerstore *store, struct layerstore_status *ret,
		      struct layer_error *error);

#endif
