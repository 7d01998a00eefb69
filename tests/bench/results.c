// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the rounds come to; results.h is the contract.
 *
 * Every number is the median of what the rounds have, except that of what was
 * read the most is given.
 */
#include "results.h"

#include "util.h"

#define cleanup_json cleanup_with(sd_json_variant_unrefp)

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of sorted numbers. */
typedef double of_sorted(const double *values, size_t n);

static double median(const double *values, size_t n)
{
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* The smallest one that no more than 5 % of the numbers exceed. */
static double p95(const double *values, size_t n)
{
	return values[(n * 95 + 99) / 100 - 1];
}

static double max(const double *values, size_t n)
{
	return values[n - 1];
}

static double min(const double *values, size_t n)
{
	(void)n;
	return values[0];
}

static double sum(const double *values, size_t n)
{
	double all = 0;

	for (size_t i = 0; i < n; i++)
		all += values[i];
	return all;
}

/* Of numbers in any order, which stays. */
static double of(of_sorted *what, const double *values, size_t n)
{
	cleanup_free double *sorted = new_array(n, sizeof(*sorted));

	memcpy(sorted, values, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare);
	return what(sorted, n);
}

double results_median(const double *values, size_t n)
{
	return of(median, values, n);
}

/*
 * How it grows: the median of the last tenth of the numbers over that of the
 * first, of one each if they are less than ten.
 */
static double growth_of(const double *values, size_t n)
{
	size_t tenth = n < 10 ? 1 : n / 10;

	return results_median(values + n - tenth, tenth) / results_median(values, tenth);
}

static void must(int r)
{
	if (r < 0)
		die(-r, "JSON");
}

/* One of the lists of milliseconds that a round has: which of its members it is. */
#define CREATE offsetof(struct round, create_ms)
#define START offsetof(struct round, start_ms)
#define DELETE offsetof(struct round, delete_ms)

static const double *list_of(const struct round *round, size_t list)
{
	return *(double *const *)((const char *)round + list);
}

/* The median over all rounds of something that each list has. */
static double over_rounds(of_sorted *what, size_t list, const struct round *rounds, size_t n)
{
	double values[n];

	for (size_t i = 0; i < n; i++)
		values[i] = of(what, list_of(&rounds[i], list), rounds[i].n);
	return results_median(values, n);
}

/* What one container takes. */
static sd_json_variant *times(size_t list, const struct round *rounds, size_t n)
{
	sd_json_variant *v = NULL;

#define PAIR(name, what) \
	SD_JSON_BUILD_PAIR_REAL(name, over_rounds(what, list, rounds, n))
	must(sd_json_buildo(&v, PAIR("median", median), PAIR("p95", p95), PAIR("max", max),
			    PAIR("total", sum)));
#undef PAIR
	return v;
}

/* What all containers take until nothing of them is left, with the spread over the rounds. */
static sd_json_variant *total(const struct round *rounds, size_t n)
{
	sd_json_variant *v = NULL;
	double values[n];

	for (size_t i = 0; i < n; i++)
		values[i] = sum(rounds[i].create_ms, rounds[i].n) +
			    sum(rounds[i].delete_ms, rounds[i].n) + rounds[i].settle_ms;
	must(sd_json_buildo(&v,
			    SD_JSON_BUILD_PAIR_REAL("median", of(median, values, n)),
			    SD_JSON_BUILD_PAIR_REAL("least", of(min, values, n)),
			    SD_JSON_BUILD_PAIR_REAL("most", of(max, values, n))));
	return v;
}

static double growth(const struct round *rounds, size_t n)
{
	double values[n];

	for (size_t i = 0; i < n; i++)
		values[i] = growth_of(rounds[i].create_ms, rounds[i].n);
	return results_median(values, n);
}

static sd_json_variant *each_ms(size_t list, const struct round *rounds, size_t n)
{
	sd_json_variant *v = NULL, *ms = NULL;
	double values[n];

	for (size_t i = 0; i < rounds[0].n; i++) {
		for (size_t k = 0; k < n; k++)
			values[k] = list_of(&rounds[k], list)[i];
		must(sd_json_variant_new_real(&ms, results_median(values, n)));
		must(sd_json_variant_append_array(&v, ms));
		ms = sd_json_variant_unref(ms);
	}
	return v;
}

static sd_json_variant *each_sectors(const struct round *rounds, size_t n)
{
	sd_json_variant *v = NULL, *number = NULL;
	uint64_t most;

	for (size_t i = 0; i < rounds[0].n; i++) {
		most = 0;
		for (size_t k = 0; k < n; k++)
			most = rounds[k].sectors[i] > most ? rounds[k].sectors[i] : most;
		must(sd_json_variant_new_unsigned(&number, most));
		must(sd_json_variant_append_array(&v, number));
		number = sd_json_variant_unref(number);
	}
	return v;
}

/* Per container, of the field of struct memory at that place. */
static double memory(const struct round *rounds, size_t n, size_t offset)
{
	double values[n];

	for (size_t i = 0; i < n; i++)
		values[i] = *(const int64_t *)((const char *)&rounds[i].memory + offset);
	return results_median(values, n) / rounds[0].n;
}

static sd_json_variant *all_memory(const struct round *rounds, size_t n)
{
	sd_json_variant *v = NULL;

#define PAIR(name) \
	SD_JSON_BUILD_PAIR_REAL(#name, memory(rounds, n, offsetof(struct memory, name)))
	must(sd_json_buildo(&v, PAIR(free), PAIR(available), PAIR(page_cache),
			    PAIR(anonymous), PAIR(slab_reclaimable), PAIR(slab_unreclaimable),
			    PAIR(per_cpu)));
#undef PAIR
	return v;
}

/* One of the times that a round has once: which of its members it is. */
#define PREPARE offsetof(struct round, prepare_ms)
#define SETTLE offsetof(struct round, settle_ms)

static double once(size_t time, const struct round *rounds, size_t n)
{
	double values[n];

	for (size_t i = 0; i < n; i++)
		values[i] = *(const double *)((const char *)&rounds[i] + time);
	return results_median(values, n);
}

/* One of the numbers that a round has once. */
#define MOUNTS offsetof(struct round, mounts)
#define DEVICES offsetof(struct round, devices)

static int64_t number(size_t which, const struct round *rounds, size_t n)
{
	double values[n];

	for (size_t i = 0; i < n; i++)
		values[i] = *(const int64_t *)((const char *)&rounds[i] + which);
	return results_median(values, n);
}

void results_add(sd_json_variant **results, const char *mode, const char *level,
		 const struct round *rounds, size_t n)
{
	cleanup_json sd_json_variant *create = times(CREATE, rounds, n);
	cleanup_json sd_json_variant *start = times(START, rounds, n);
	cleanup_json sd_json_variant *delete = times(DELETE, rounds, n);
	cleanup_json sd_json_variant *each_create = each_ms(CREATE, rounds, n);
	cleanup_json sd_json_variant *each_start = each_ms(START, rounds, n);
	cleanup_json sd_json_variant *each_delete = each_ms(DELETE, rounds, n);
	cleanup_json sd_json_variant *sectors = each_sectors(rounds, n);
	cleanup_json sd_json_variant *parts = all_memory(rounds, n);
	cleanup_json sd_json_variant *both = total(rounds, n), *all = NULL;
	int64_t mounts = number(MOUNTS, rounds, n), devices = number(DEVICES, rounds, n);
	double kib = memory(rounds, n, offsetof(struct memory, free));

	must(sd_json_buildo(&all,
			    SD_JSON_BUILD_PAIR_STRING("mode", mode),
			    SD_JSON_BUILD_PAIR_STRING("level", level),
			    SD_JSON_BUILD_PAIR_UNSIGNED("containers", rounds[0].n),
			    SD_JSON_BUILD_PAIR_REAL("prepare_ms", once(PREPARE, rounds, n)),
			    SD_JSON_BUILD_PAIR_REAL("settle_ms", once(SETTLE, rounds, n)),
			    SD_JSON_BUILD_PAIR_VARIANT("total_ms", both),
			    SD_JSON_BUILD_PAIR_VARIANT("create_ms", create),
			    SD_JSON_BUILD_PAIR_VARIANT("start_ms", start),
			    SD_JSON_BUILD_PAIR_VARIANT("delete_ms", delete),
			    SD_JSON_BUILD_PAIR_REAL("growth", growth(rounds, n)),
			    SD_JSON_BUILD_PAIR_REAL("memory_kib_per_container", kib),
			    SD_JSON_BUILD_PAIR_VARIANT("memory_kib_per_container_by_kind", parts),
			    SD_JSON_BUILD_PAIR_INTEGER("host_mounts_added", mounts),
			    SD_JSON_BUILD_PAIR_INTEGER("host_devices_added", devices),
			    SD_JSON_BUILD_PAIR_VARIANT("sectors", sectors),
			    SD_JSON_BUILD_PAIR_VARIANT("each_create_ms", each_create),
			    SD_JSON_BUILD_PAIR_VARIANT("each_start_ms", each_start),
			    SD_JSON_BUILD_PAIR_VARIANT("each_delete_ms", each_delete)));
	must(sd_json_variant_append_array(results, all));
}
