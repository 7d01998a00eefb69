/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One measurement: N containers of one mode, created, left, deleted.
 */
#ifndef ROOTVIEW_BENCH_ROUND_H
#define ROOTVIEW_BENCH_ROUND_H

#include "bench.h"
#include "measure.h"

/* With a value for each container, in order of creation, where it is a pointer. */
struct round {
	size_t n;
	/* What has to be done once.  What was read for it counts for the first container. */
	double prepare_ms;
	double *create_ms;	/* until it runs, if it is to */
	double *start_ms;	/* of which the level has taken so much */
	double *delete_ms;
	/* From the last deletion until nothing of any is left. */
	double settle_ms;
	uint64_t *sectors;
	/* What all of them take together. */
	struct memory memory;
	int64_t mounts;
	int64_t devices;
};

/*
 * Measures @n containers.  In a batch each container has taken its part of the time;
 * what was read counts for the first.
 */
void round_run(struct bench *b, const struct mode *mode, const struct level *level, size_t n,
	       struct round *ret);

void round_free(struct round *round);

#endif
