/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What went wrong with a layer: one sentence that names the thing, and a code
 * for front ends to act upon.
 */
#ifndef ROOTVIEW_LAYER_ERROR_H
#define ROOTVIEW_LAYER_ERROR_H

enum layer_error_code {
	LAYER_FAILED,		/* the machine; every other code is the request's fault */
	LAYER_NO_SUCH,
	LAYER_EXISTS,
	LAYER_IN_USE,
	LAYER_HAS_CHILDREN,
	LAYER_POOL_FULL,
	LAYER_INVALID,
	LAYER_NO_POOL,
};

struct layer_error {
	enum layer_error_code code;
	char message[512];	/* if longer, without its middle */
};

/* Describes an error.  Always returns -1. */
int layer_failed(struct layer_error *error, enum layer_error_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, for what has no name but that there is no memory. */
int layer_out_of_memory(struct layer_error *error);

#endif
