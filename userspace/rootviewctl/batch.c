// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One thing done to many views; batch.h is the contract.
 */
#include "batch.h"

#include <time.h>

#include "client.h"

#define BAR_WIDTH 40

struct progress {
	time_t start;
	size_t total;
	bool wanted, shown;
};

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

void batch_draw(char *bar, size_t width, size_t done, size_t total)
{
	size_t full = done * width / total;

	memset(bar, '#', full);
	memset(bar + full, '.', width - full);
	bar[width] = '\0';
}

/* Seconds are whole ones here: two of them are surely more than one. */
static void show_progress(struct progress *p, size_t done)
{
	char bar[BAR_WIDTH + 1];

	if (!p->wanted || done == p->total || now() - p->start < 2)
		return;
	batch_draw(bar, BAR_WIDTH, done, p->total);
	fprintf(stderr, "\r[%s] %zu of %zu", bar, done, p->total);
	p->shown = true;
}

static void hide_progress(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}

/* Prints what became of one view.  Returns an exit status. */
static int show_result(const struct options *options, sd_json_variant *result)
{
	sd_json_variant *message = sd_json_variant_by_key(sd_json_variant_by_key(result, "refusal"),
							  "message");
	sd_json_variant *path = sd_json_variant_by_key(sd_json_variant_by_key(result, "view"),
						       "path");

	if (sd_json_variant_is_string(message))
		return command_failed("%s", sd_json_variant_string(message));
	if (!options->json && sd_json_variant_is_string(path))
		puts(sd_json_variant_string(path));
	return EXIT_SUCCESS;
}

static int make_parameters(const struct options *options, const struct batch *batch, size_t from,
			   size_t n, sd_json_variant **ret)
{
	cleanup_json sd_json_variant *elements = NULL;
	int r = 0;

	for (size_t i = from; i < from + n && r >= 0; i++) {
		cleanup_json sd_json_variant *element = NULL;

		r = batch->make(options, batch->names[i], &element);
		if (r >= 0)
			r = sd_json_variant_append_array(&elements, element);
	}
	if (r < 0)
		return r;
	return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("origin", batch->origin),
			      SD_JSON_BUILD_PAIR_VARIANT(batch->parameter, elements));
}

/* Appends what came of @n views to @all.  Returns an exit status, or a negative one to stop. */
static int run_some(const struct options *options, const struct batch *batch, size_t from, size_t n,
		    struct progress *progress, sd_json_variant **all)
{
	cleanup_json sd_json_variant *parameters = NULL, *answer = NULL;
	sd_json_variant *results;
	int status = EXIT_SUCCESS;

	if (make_parameters(options, batch, from, n, &parameters) < 0)
		return -out_of_memory();
	if (client_call_with(options->socket, batch->method, parameters, batch->send, NULL,
			     &answer) < 0)
		return -EXIT_FAILURE;
	hide_progress(progress);
	results = sd_json_variant_by_key(answer, "results");
	for (size_t i = 0; i < sd_json_variant_elements(results); i++) {
		sd_json_variant *result = sd_json_variant_by_index(results, i);

		status |= show_result(options, result);
		if (options->json && sd_json_variant_append_array(all, result) < 0)
			return -out_of_memory();
	}
	return status;
}

static int print_results(sd_json_variant *all)
{
	cleanup_json sd_json_variant *object = NULL;

	if (sd_json_buildo(&object,
			   SD_JSON_BUILD_PAIR_CONDITION(!all, "results", SD_JSON_BUILD_EMPTY_ARRAY),
			   SD_JSON_BUILD_PAIR_CONDITION(!!all, "results",
							SD_JSON_BUILD_VARIANT(all))) < 0)
		return out_of_memory();
	print_json(object);
	return EXIT_SUCCESS;
}

int batch_run(const struct options *options, const struct batch *batch)
{
	struct progress progress = {
		.start = now(), .total = batch->n, .wanted = isatty(STDERR_FILENO),
	};
	cleanup_json sd_json_variant *all = NULL;
	int status = EXIT_SUCCESS, r;

	for (size_t i = 0, n; i < batch->n; i += n) {
		n = batch->n - i < batch->at_once ? batch->n - i : batch->at_once;
		r = run_some(options, batch, i, n, &progress, &all);
		status |= r < 0 ? -r : r;
		if (r < 0)
			break;
		show_progress(&progress, i + n);
	}
	hide_progress(&progress);
	return options->json ? status | print_results(all) : status;
}
