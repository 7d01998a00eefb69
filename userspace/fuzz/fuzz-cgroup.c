// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A cgroup's io.stat.
 */
#include "../rootviewd/cgroup.h"

#include <assert.h>
#include <sys/sysmacros.h>

#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cgroup_reads reads = { .reads = 0 };
	cleanup_fclose FILE *file = NULL;
	int r;

	/* fmemopen() takes no empty buffer. */
	if (size == 0)
		return 0;
	file = fmemopen((void *)data, size, "r");
	assert(file);
	r = cgroup_parse_io(file, makedev(8, 16), &reads);
	assert(r == 0 || r == -EBADMSG);
	assert(r == 0 || (reads.reads == 0 && reads.bytes == 0));
	return 0;
}
