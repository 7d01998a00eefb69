// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The policy's file of container contexts, and names and labels of requests.
 */
#include "../rootviewd/label.h"

#include <assert.h>
#include <stdint.h>

#include "name.h"
#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
	/* What is good has no byte that could end a path component or a line. */
	if (!view_name_fault(text))
		assert(!strpbrk(text, "/ \n\t") && strlen(text) <= ROOTVIEW_NAME_MAX);
	if (!origin_name_fault(text))
		assert(!strpbrk(text, "/ \n\t") && strlen(text) <= ORIGIN_NAME_MAX);
	if (!label_fault(text))
		assert(!strpbrk(text, " \n\t") && strlen(text) <= ROOTVIEW_LABEL_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = strndup((const char *)data, size);
	cleanup_fclose FILE *file = size ? fmemopen((void *)data, size, "r") : NULL;

	if (text)
		check_text(text);
	if (file)
		free(label_parse_contexts(file, "ro_file"));
	return 0;
}
