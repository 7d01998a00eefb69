/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What starve.so and whoever starves a program share: a file that both have mapped.
 */
#ifndef STARVE_H
#define STARVE_H

#include <stdatomic.h>

/* The environment variable with its path. */
#define STARVE_FILE "STARVE_FILE"

struct starve {
	/* What the program itself has allocated and not freed. */
	atomic_long held;
	/* What is to happen; set it before @armed. */
	unsigned int first;		/* the first allocation that fails, counted from 1 */
	unsigned int last;		/* ... and the last one */
	atomic_uint armed;
	/* What has happened since. */
	atomic_uint calls;
	atomic_uint failed;
	char where[512];		/* the last one that failed: who called */
};

#endif
