/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the processes of a cgroup, and of those below it, read from a device:
 * the kernel counts that in io.stat.
 */
#ifndef ROOTVIEW_CGROUP_H
#define ROOTVIEW_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct cgroup_reads {
	uint64_t reads;
	uint64_t bytes;
};

/*
 * Whether there is a cgroup with the absolute path @cgroup below ROOTVIEW_CGROUPS, 1 or 0;
 * or a negative errno for a want of memory or the like.  Follows no links.
 */
int cgroup_exists(const char *cgroup);

/*
 * Reads what it read from the device @dev; zeros if nothing.  Returns 0, or -ENOENT if
 * it is gone or has no io.stat (the io controller is off there), or another negative errno.
 */
int cgroup_read_io(const char *cgroup, dev_t dev, struct cgroup_reads *ret);

/* The same from an open io.stat file: Documentation/admin-guide/cgroup-v2.rst has its form. */
int cgroup_parse_io(FILE *file, dev_t dev, struct cgroup_reads *ret);

#endif
