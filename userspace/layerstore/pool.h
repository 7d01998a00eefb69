/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A dm-thin pool and its volumes.
 *
 * Volumes have numbers; one that is active has a device for each of its roles.
 * Functions return 0 or a negative errno, and have filled @error then.  As
 * libdevmapper is, this is for one thread at a time.
 */
#ifndef ROOTVIEW_LAYER_POOL_H
#define ROOTVIEW_LAYER_POOL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"

#define POOL_NAME_SIZE	128

/* The kernel's numbers of volumes have 24 bits. */
#define POOL_NUMBER_MAX	0xffffffu

struct pool {
	char name[POOL_NAME_SIZE];
	char prefix[64];	/* of the devices' names */
};

/* What a volume's device is for.  Two devices of one volume must both be read-only. */
enum pool_role {
	POOL_MOUNT,	/* PREFIX-NUMBER: the store mounts it */
	POOL_ORIGIN,	/* PREFIX-NUMBER-origin: read-only, for others */
	POOL_PROBE,	/* PREFIX-NUMBER-probe: read-only, to see whose it is */
};

/* LAYER_NO_POOL unless the device at @path is an active thin-pool that works. */
int pool_open(struct pool *pool, const char *path, const char *prefix, struct layer_error *error);

/* -EEXIST if the number is in use. */
int pool_create(struct pool *pool, uint32_t number, struct layer_error *error);

/* The same for a snapshot of @origin, which is suspended for that while it is active. */
int pool_snapshot(struct pool *pool, uint32_t number, uint32_t origin, struct layer_error *error);

/* It is no failure if the volume is gone already. */
int pool_delete(struct pool *pool, uint32_t number, struct layer_error *error);

void pool_device_name(const struct pool *pool, uint32_t number, enum pool_role role,
		      char ret[static POOL_NAME_SIZE]);

/*
 * Makes the volume's device, and puts its path into @path.  It is no failure if
 * it is there already, whatever its size then.
 */
int pool_activate(struct pool *pool, uint32_t number, enum pool_role role, uint64_t size,
		  bool read_only, char path[static PATH_MAX], struct layer_error *error);

/*
 * Removes the device; it is no failure if there is none.  udev and blkid open new
 * devices for moments, so a busy one is tried again for a while.  LAYER_IN_USE
 * and -EBUSY if it stays so.
 */
int pool_deactivate(struct pool *pool, uint32_t number, enum pool_role role,
		    struct layer_error *error);

/*
 * Calls @each for the devices that volumes @first to @last have under the pool's
 * prefix.  What a process that died left suspended is resumed first.
 */
int pool_each_device(struct pool *pool, uint32_t first, uint32_t last,
		     void (*each)(uint32_t number, enum pool_role role, void *userdata),
		     void *userdata, struct layer_error *error);

struct pool_status {
	uint64_t block_size;	/* all in bytes */
	uint64_t data_used, data_total;
	uint64_t metadata_used, metadata_total;
	bool out_of_space;
	bool read_only;
	bool needs_check;
	bool waits_when_full;
	bool on_loop;
};

int pool_status(struct pool *pool, struct pool_status *ret, struct layer_error *error);

#endif
