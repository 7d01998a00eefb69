// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What went wrong with a layer; error.h is the contract.
 */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

int layer_failed(struct layer_error *error, enum layer_error_code code, const char *format, ...)
{
	va_list ap;

	error->code = code;
	va_start(ap, format);
	vsnprintf(error->message, sizeof(error->message), format, ap);
	va_end(ap);
	return -1;
}

int layer_out_of_memory(struct layer_error *error)
{
	return layer_failed(error, LAYER_FAILED, "out of memory");
}
