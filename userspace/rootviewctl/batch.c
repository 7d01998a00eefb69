// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One thing done to many views; batch.h is the contract.
 */
#include "batch.h"

#include <time.h>

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

/* Prints what became of each of some views.  Returns an exit status. */
static int show_results(const struct options *options, struct rootview_reply *reply)
{
	int status = EXIT_SUCCESS;

	for (size_t i = 0; i < rootview_reply_count(reply); i++) {
		const char *path = rootview_reply_path(reply, i);

		if (rootview_reply_error_name(reply, i))
			status = command_failed("%s", rootview_reply_error_message(reply, i));
		else if (path && !options->json)
			puts(path);
	}
	return status;
}

/* Appends the results in @reply, as the daemon sent them, to @all. */
static int keep_results(struct rootview_reply *reply, sd_json_variant **all)
{
	cleanup_json sd_json_variant *answer = NULL;
	const char *json = rootview_reply_json(reply);
	sd_json_variant *results;
	int r = json ? sd_json_parse(json, 0, &answer, NULL, NULL) : -ENOMEM;

	results = sd_json_variant_by_key(answer, "results");
	for (size_t i = 0; r >= 0 && i < sd_json_variant_elements(results); i++)
		r = sd_json_variant_append_array(all, sd_json_variant_by_index(results, i));
	return r;
}

/* Builds the call for up to *@n views, or for as many as fit into one. */
static int build_call(const struct options *options, const struct batch *batch, size_t from,
		      size_t *n, struct rootview_call **ret)
{
	const char *const *names = (const char *const *)batch->names + from;
	int r;

	while ((r = batch->build(options, batch, names, *n, ret)) == -E2BIG && *n > 1)
		*n /= 2;
	return r;
}

static int print_results(sd_json_variant *all, struct rootview *refused)
{
	cleanup_json sd_json_variant *object = NULL;
	int r = sd_json_buildo(&object,
			       SD_JSON_BUILD_PAIR_CONDITION(!all, "results",
							    SD_JSON_BUILD_EMPTY_ARRAY),
			       SD_JSON_BUILD_PAIR_CONDITION(!!all, "results",
							    SD_JSON_BUILD_VARIANT(all)));

	if (r >= 0 && refused)
		r = add_refusal(&object, refused);
	if (r < 0)
		return out_of_memory();
	print_json(object);
	return EXIT_SUCCESS;
}

/* Does it, up to the end or to the first call that fails. */
static int run_all(const struct options *options, const struct batch *batch,
		   struct progress *progress, sd_json_variant **all, struct rootview **refused)
{
	int status = EXIT_SUCCESS;

	for (size_t i = 0, n; i < batch->n; i += n) {
		cleanup_reply struct rootview_reply *reply = NULL;
		cleanup_free char *why = NULL;
		struct rootview_call *call;
		int r;

		n = batch->n - i < batch->at_once ? batch->n - i : batch->at_once;
		r = build_call(options, batch, i, &n, &call);
		r = command_try(options->socket, 0, r, &call, &reply, refused, &why);
		hide_progress(progress);
		if (r < 0)
			return command_failed("%s", why ?: "out of memory");
		status |= show_results(options, reply);
		if (options->json && keep_results(reply, all) < 0)
			return out_of_memory();
		show_progress(progress, i + n);
	}
	return status;
}

int batch_run(const struct options *options, const struct batch *batch)
{
	struct progress progress = {
		.start = now(), .total = batch->n, .wanted = isatty(STDERR_FILENO),
	};
	cleanup_json sd_json_variant *all = NULL;
	cleanup_daemon struct rootview *refused = NULL;
	int status = run_all(options, batch, &progress, &all, &refused);

	hide_progress(&progress);
	return options->json ? status | print_results(all, refused) : status;
}
