/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a view was asked for with, beside its name and label.
 *
 * It comes as the parameters of CreateView, and is kept in the blob of the
 * view's record in the kernel, as JSON in the same form: whoever reads that blob
 * can make the view's mount again.
 */
#ifndef ROOTVIEW_SPEC_H
#define ROOTVIEW_SPEC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-json.h>

#include "failure.h"
#include "idmap.h"
#include "mountpoints.h"

struct spec {
	bool device_only;		/* the view is not to be mounted */
	struct mount_points points;
	struct idmap *idmap;		/* NULL if none */
	char *cgroup;			/* NULL if none; absolute, below the cgroup file system */
	pid_t process;			/* 0 if none */
	uint64_t process_start;		/* tells it from another with its id: process_start() */
	/*
	 * Number of the variant's folder, where the mount points are if they are
	 * too many for a blob; else -1.
	 */
	int64_t folder;
};

/* Of a view that asked for nothing. */
#define SPEC_DEFAULT ((struct spec){ .folder = -1 })

void spec_free(struct spec *spec);

/*
 * Reads the parameters "deviceOnly", "mountPoints", "lists", "idMap", "cgroup" and
 * "process" of a CreateView or ViewRequest; others are left alone.  The process
 * is looked up: process_start() is asked.  Descriptors are not looked at.
 *
 * Fails with INVALID_REQUEST (a value of the wrong type), NO_SUCH_CGROUP for one that is
 * malformed (not absolute, "..", 4096 bytes or more; whether it exists is not asked here),
 * NO_SUCH_PROCESS, or as idmap_from_json() and mount_points_from_json().  On failure
 * nothing is to be freed.
 */
int spec_from_request(sd_json_variant *parameters, struct spec *ret, struct failure *f);

/*
 * Writes it as text for a blob, which the caller frees.  *@ret is NULL for a spec that equals
 * SPEC_DEFAULT.  With @folder not -1, that stands for the mount points.  Returns 0 or a negative
 * errno; the caller compares the length with ROOTVIEW_BLOB_MAX.
 */
int spec_to_blob(const struct spec *spec, int64_t folder, char **ret);

/*
 * Reads a blob of @size bytes, which need not end with a NUL and may have been written by
 * anybody.  NULL is SPEC_DEFAULT.  Everything is checked as for a request, but the process may
 * have gone.  Returns 0, or -EBADMSG for what is no spec, or -ENOMEM.
 */
int spec_from_blob(const void *blob, size_t size, struct spec *ret);

#endif
