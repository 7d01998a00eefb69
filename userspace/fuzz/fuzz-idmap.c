// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The map files of user namespaces.
 */
#include "../rootviewd/idmap.h"

#include <assert.h>

#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_order(const struct idmap_range *a, const struct idmap_range *b)
{
	assert(a->inside + a->count <= b->inside);
	assert(a->inside + a->count < b->inside || a->outside + a->count != b->outside);
}

/* In order, valid, and with nothing left to join. */
static void check(const struct idmap_ids *ids)
{
	assert(ids->n <= IDMAP_RANGES_MAX);
	for (size_t i = 0; i < ids->n; i++) {
		const struct idmap_range *range = &ids->ranges[i];

		assert(range->count > 0);
		assert(range->inside <= UINT32_MAX - range->count);
		assert(range->outside <= UINT32_MAX - range->count);
		if (i > 0)
			check_order(&ids->ranges[i - 1], range);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_fclose FILE *file = NULL;
	struct idmap_ids ids;

	/* fmemopen() takes no empty buffer. */
	if (size == 0)
		return 0;
	file = fmemopen((void *)data, size, "r");
	assert(file);
	if (idmap_read_ids(file, &ids) < 0)
		return 0;
	check(&ids);
	(void)idmap_root(&ids);
	return 0;
}
