// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Clock, disk, memory, mounts; measure.h is the contract.
 */
#include "measure.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "bench.h"
#include "util.h"

/* What is freed after a grace period of RCU is to be free before memory is looked at. */
#define SETTLE_MS 500

static int disk = -1;

double measure_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

void measure_disk(const char *path)
{
	cleanup_free char *stat_path = NULL;
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISBLK(st.st_mode))
		die(errno, "%s is no block device", path);
	stat_path = text("/sys/dev/block/%u:%u/stat", major(st.st_rdev), minor(st.st_rdev));
	disk = open(stat_path, O_RDONLY | O_CLOEXEC);
	if (disk < 0)
		die(errno, "%s", stat_path);
}

uint64_t measure_sectors(void)
{
	char line[256] = "";
	uint64_t sectors;

	if (pread(disk, line, sizeof(line) - 1, 0) <= 0 ||
	    sscanf(line, "%*u %*u %" SCNu64, &sectors) != 1)
		die(errno, "statistics of the disk");
	return sectors;
}

static FILE *open_or_die(const char *path)
{
	FILE *f = fopen(path, "re");

	if (!f)
		die(errno, "%s", path);
	return f;
}

int64_t measure_mounts(void)
{
	cleanup_fclose FILE *f = open_or_die("/proc/self/mountinfo");
	int64_t n = 0;
	int c;

	while ((c = getc(f)) != EOF)
		n += c == '\n';
	return n;
}

int64_t measure_devices(void)
{
	cleanup_closedir DIR *dir = opendir("/sys/block");
	struct dirent *entry;
	int64_t n = 0;

	if (!dir)
		die(errno, "/sys/block");
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	return n;
}

static void settle(void)
{
	struct timespec ts = { .tv_nsec = SETTLE_MS * 1000000L };

	nanosleep(&ts, NULL);
}

void measure_drop_caches(void)
{
	/* The second time frees what the first made clean or left unused. */
	for (int i = 0; i < 2; i++) {
		sync();
		write_file("/proc/sys/vm/drop_caches", "3");
	}
}

/* Pages that are free, but kept by a CPU for itself and so not counted as free: in KiB. */
static int64_t kept_by_cpus(void)
{
	cleanup_fclose FILE *f = open_or_die("/proc/zoneinfo");
	int64_t pages = 0, count;
	char line[256];

	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, " count: %" SCNd64, &count) == 1)
			pages += count;
	}
	return pages * sysconf(_SC_PAGESIZE) / 1024;
}

void measure_memory(struct memory *ret)
{
	cleanup_fclose FILE *f = open_or_die("/proc/meminfo");
	int64_t cached = 0, buffers = 0;
	const struct {
		const char *name;
		int64_t *value;
	} fields[] = {
		{ "MemFree", &ret->free },
		{ "MemAvailable", &ret->available },
		{ "Cached", &cached },
		{ "Buffers", &buffers },
		{ "AnonPages", &ret->anonymous },
		{ "SReclaimable", &ret->slab_reclaimable },
		{ "SUnreclaim", &ret->slab_unreclaimable },
		{ "Percpu", &ret->per_cpu },
	};
	char name[64];
	int64_t value;

	settle();
	/* Each CPU counts for itself, and tells of it now and then. */
	write_file("/proc/sys/vm/stat_refresh", "1");
	*ret = (struct memory){};
	while (fscanf(f, "%63[^:]: %" SCNd64 "%*[^\n]\n", name, &value) == 2) {
		for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
			if (streq(name, fields[i].name))
				*fields[i].value = value;
		}
	}
	ret->free += kept_by_cpus();
	ret->page_cache = cached + buffers;
}
