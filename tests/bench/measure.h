/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is measured: clock, disk, memory, mounts.
 */
#ifndef ROOTVIEW_BENCH_MEASURE_H
#define ROOTVIEW_BENCH_MEASURE_H

#include <stdint.h>

/* Of /proc/meminfo, in KiB; what is free has what CPUs keep for themselves, too. */
struct memory {
	int64_t free;
	int64_t available;
	int64_t page_cache;
	int64_t anonymous;
	int64_t slab_reclaimable;
	int64_t slab_unreclaimable;
	int64_t per_cpu;
};

/* Milliseconds of a clock that only runs forward. */
double measure_now(void);

/* From now on measure_sectors() tells of the block device @path. */
void measure_disk(const char *path);

/* Sectors of 512 bytes that were read from it so far. */
uint64_t measure_sectors(void);

/* Entries of the mount table that this process sees. */
int64_t measure_mounts(void);

/* Block devices of the machine. */
int64_t measure_devices(void);

/* Writes back and empties all that the kernel caches. */
void measure_drop_caches(void);

void measure_memory(struct memory *ret);

#endif
