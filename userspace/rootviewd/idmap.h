/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Id maps: who owns the files of an id-mapped variant.
 *
 * However a map is asked for, as ranges or as a user namespace, it is kept as
 * ranges: these can be compared, written down, and made into a user namespace
 * again, which is what mount_setattr() takes.
 */
#ifndef ROOTVIEW_IDMAP_H
#define ROOTVIEW_IDMAP_H

#include <stdint.h>
#include <stdio.h>
#include <systemd/sd-json.h>

#include "failure.h"

/* The kernel takes 340; nobody has that many, and views carry them about. */
#define IDMAP_RANGES_MAX 32

struct idmap_range {
	uint32_t inside;	/* as the image stores it */
	uint32_t outside;	/* as the host sees it */
	uint32_t count;
};

struct idmap_ids {
	size_t n;
	struct idmap_range ranges[IDMAP_RANGES_MAX];	/* in the order of @inside */
};

struct idmap {
	struct idmap_ids uid, gid;
};

/*
 * Reads an IdMap of the io.rootview interface, and brings it into its one form:
 * ranges in order, adjacent ones joined.  Fails with INVALID_ID_MAP for what the
 * kernel would refuse (no range, too many, an empty one, ids of 2^32-1 or more,
 * ranges that overlap inside or outside), saying which and why.  The caller
 * frees *@ret.
 */
int idmap_from_json(sd_json_variant *json, struct idmap **ret, struct failure *f);

/* The same form again.  Returns a negative errno; the caller unrefs *@ret. */
int idmap_to_json(const struct idmap *map, sd_json_variant **ret);

/*
 * Reads one of a process's uid_map and gid_map files from @file into @ret, in
 * the same form.  Returns 0, or -EINVAL for what is no such file, or -E2BIG, or -ENOMEM.
 */
int idmap_read_ids(FILE *file, struct idmap_ids *ret);

/*
 * Reads the map of the user namespace @fd, as seen from here.  Fails with
 * INVALID_ID_MAP if it is no user namespace or has no map yet, or
 * OPERATION_FAILED.  Forks; the caller frees *@ret.
 */
int idmap_from_userns(int fd, struct idmap **ret, struct failure *f);

/* What was read of the descriptors that came with one batch; {} at the start. */
struct idmap_batch {
	size_t n;
	struct idmap_read {
		int fd;
		struct idmap *map;	/* NULL if it failed */
		struct failure failure;
	} *list;
};

/*
 * The same as idmap_from_userns(), which is asked once for each descriptor: the others get
 * a copy of what that has answered.
 */
int idmap_batch_read(struct idmap_batch *batch, int fd, struct idmap **ret, struct failure *f);

void idmap_batch_free(struct idmap_batch *batch);

/*
 * Makes a user namespace with this map.  Returns a descriptor, or -1 and
 * NOT_SUPPORTED or OPERATION_FAILED.  Forks.
 */
int idmap_open(const struct idmap *map, struct failure *f);

/* What id 0 of the image becomes; the overflow id 65534 if it is not mapped. */
uint32_t idmap_root(const struct idmap_ids *ids);

#endif
