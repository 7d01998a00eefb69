// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Loop devices, found by sysfs; loop.h is the contract.
 */
#include "loop.h"

#include <limits.h>

#include "util.h"

/* How deep devices are stacked, at most. */
#define MANY_LAYERS 16

/* Whether it is a loop device, or a partition of one. */
static bool is_loop(const char *sys_path)
{
	cleanup_free char *path = realpath(sys_path, NULL);

	return path && strstr(path, "/block/loop");
}

static bool has_loop(const char *sys_path, int depth)
{
	cleanup_closedir DIR *dir = NULL;
	char path[PATH_MAX];
	struct dirent *entry;
	bool found;

	if (is_loop(sys_path))
		return true;
	/* A partition has no slaves, nor has the disk, unless it is one of device-mapper. */
	if (depth == 0 || snprintf(path, sizeof(path), "%s/slaves", sys_path) >= (int)sizeof(path))
		return false;
	dir = opendir(path);
	found = false;
	while (dir && !found && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(path, sizeof(path), "/sys/class/block/%s", entry->d_name) <
		    (int)sizeof(path))
			found = has_loop(path, depth - 1);
	}
	return found;
}

bool lies_on_loop(const char *number)
{
	char path[128];

	return snprintf(path, sizeof(path), "/sys/dev/block/%s", number) < (int)sizeof(path) &&
	       has_loop(path, MANY_LAYERS);
}
