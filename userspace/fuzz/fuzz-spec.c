// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Blobs of views, which anybody may have written into the kernel.
 */
#include "../rootviewd/spec.h"

#include <assert.h>

#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *write_blob(struct spec *spec)
{
	char *text;
	int r = spec_to_blob(spec, spec->folder, &text);

	assert(r == 0);
	spec_free(spec);
	return text;
}

/* What is read and written once stays as it is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *first = NULL, *second = NULL;
	struct spec spec;
	int r;

	if (spec_from_blob(data, size, &spec) < 0)
		return 0;
	first = write_blob(&spec);
	r = spec_from_blob(first, first ? strlen(first) : 0, &spec);
	assert(r == 0);
	second = write_blob(&spec);
	assert(streq_null(first, second));
	return 0;
}
