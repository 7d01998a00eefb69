// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What went wrong with a layer; error.h is the contract.
 */
#include "error.h"

#include <stdarg.h>

#include "util.h"

int layer_failed(struct layer_error *error, enum layer_error_code code, const char *format, ...)
{
	const size_t size = sizeof(error->message), half = size / 2;
	cleanup_free char *message = NULL;
	int length;
	va_list ap;

	error->code = code;
	va_start(ap, format);
	length = vasprintf(&message, format, ap);
	va_end(ap);
	if (length < 0)
		message = NULL;
	snprintf(error->message, size, "%s", message ?: strerror(ENOMEM));
	/* A long path comes first, and the reason last. */
	if (message && (size_t)length >= size) {
		memcpy(error->message + half - 3, "...", 3);
		strcpy(error->message + half, message + length - (size - half - 1));
	}
	return -1;
}

int layer_out_of_memory(struct layer_error *error)
{
	return layer_failed(error, LAYER_FAILED, "out of memory");
}
