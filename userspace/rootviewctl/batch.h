/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One thing done to many views: the daemon is asked for some of them at a time,
 * and who waits for long sees how far it is.
 */
#ifndef ROOTVIEW_BATCH_H
#define ROOTVIEW_BATCH_H

#include "command.h"

struct batch {
	const char *origin;
	char **names;		/* of views */
	size_t n;
	size_t at_once;		/* at most so many in one call */

	/* Builds the call for @n of the names, and returns what the library does. */
	int (*build)(const struct options *options, const struct batch *batch,
		     const char *const *names, size_t n, struct rootview_call **ret);
	const void *userdata;
};

/*
 * Does it, prints the views' paths or all results as JSON, and a sentence on
 * stderr for each that was refused.  Returns an exit status.
 */
int batch_run(const struct options *options, const struct batch *batch);

/*
 * A bar of @width characters without its end: "###...", as full as @done is of
 * @total, which is not 0.
 */
void batch_draw(char *bar, size_t width, size_t done, size_t total);

#endif
