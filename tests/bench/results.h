/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the rounds of one mode come to, as JSON.
 */
#ifndef ROOTVIEW_BENCH_RESULTS_H
#define ROOTVIEW_BENCH_RESULTS_H

#include <systemd/sd-json.h>

#include "round.h"

/* Of numbers in any order, which stays. */
double results_median(const double *values, size_t n);

/* Adds an object to the array @results; @n rounds of the same number of containers. */
void results_add(sd_json_variant **results, const char *mode, const char *level,
		 const struct round *rounds, size_t n);

#endif
