/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the rounds of one mode come to, as JSON.
 */
#ifndef ROOTVIEW_BENCH_RESULTS_H
#define ROOTVIEW_BENCH_RESULTS_H

#include <systemd/sd-json.h>

#include "round.h"

/* Of numbers; sorts them. */
double results_median(double *values, size_t n);

/* The smallest one that no more than 5 % of the numbers exceed; sorts them. */
double results_p95(double *values, size_t n);

/*
 * How it grows: the median of the last tenth of the numbers over that of the
 * first, of one each if they are less than ten.
 */
double results_growth(const double *values, size_t n);

/* Adds an object to the array @results; @n rounds of the same number of containers. */
void results_add(sd_json_variant **results, const char *mode, const char *level,
		 const struct round *rounds, size_t n);

#endif
