// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Lines of the mount table, where anybody chooses paths.
 */
#include "../rootviewd/mountinfo.h"

#include <assert.h>
#include <stdint.h>

#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *line = strndup((const char *)data, size);
	struct mountinfo_entry entry;

	if (!line || mountinfo_parse_line(line, &entry) < 0)
		return 0;
	assert(entry.path && entry.type && !entry.claimed);
	free(entry.path);
	free(entry.type);
	return 0;
}
