// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The commands about views; command.h is the contract.
 */
#include <fcntl.h>

#include "batch.h"
#include "command.h"
#include "interface.h"
#include "show.h"
#include "value.h"

/* The path of the view in @reply, if it has one. */
static void print_path(struct rootview_reply *reply)
{
	const char *path = rootview_reply_path(reply, 0);

	if (path)
		puts(path);
}

/*
 * Creating and deleting.
 */

/* Fills @requests, of which @n are needed; those that are there are to be freed in any case. */
static int copy_requests(const struct options *options, const char *const *names, size_t n,
			 struct rootview_request **requests)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		requests[i] = rootview_request_copy(options->request);
		r = requests[i] ? rootview_request_set_name(requests[i], names[i]) : -ENOMEM;
	}
	return r;
}

static int build_create(const struct options *options, const struct batch *batch,
			const char *const *names, size_t n, struct rootview_call **ret)
{
	struct rootview_request *requests[ROOTVIEW_VIEWS_MAX] = {};
	int r = copy_requests(options, names, n, requests);

	if (r == 0)
		r = rootview_call_create(ret, batch->origin, requests, n);
	for (size_t i = 0; i < n; i++)
		rootview_request_free(requests[i]);
	return r;
}

/*
 * Attaches the view that is in @created to where it was wanted, and prints what is to be
 * printed.  Of one for which that fails, nothing is left.
 */
static int attach_new(const struct options *options, struct rootview_reply *created)
{
	const char *origin = rootview_reply_origin(created, 0);
	const char *name = rootview_reply_name(created, 0);
	uint64_t id = rootview_reply_id(created, 0);
	cleanup_reply struct rootview_reply *reply = NULL;
	cleanup_free char *path = NULL;
	struct rootview_call *call;
	cleanup_close int fd = view_open(options, origin, name);

	if (fd < 0 || view_attach(fd, options->path) != EXIT_SUCCESS) {
		(void)command_ask(options, rootview_call_delete_ids(&call, origin, &id, 1), &call,
				  &reply);
		return EXIT_FAILURE;
	}
	path = view_path(options->path);
	if (options->json)
		return print_reply(created);
	puts(path ?: options->path);
	return EXIT_SUCCESS;
}

int view_create(const struct options *options, char *args[], int n)
{
	cleanup_reply struct rootview_reply *reply = NULL;
	cleanup_close int userns = -1;
	struct batch batch = {
		.origin = args[0], .names = args + 1, .n = n - 1,
		.at_once = ROOTVIEW_VIEWS_MAX, .build = build_create,
	};
	struct rootview_call *call;
	int status;

	if (n > 2 && options->path)
		return usage_error("--path is for one view, and not also for", args[2], NULL);
	if (options->userns) {
		userns = open(options->userns, O_RDONLY | O_CLOEXEC);
		if (userns < 0)
			return command_failed("%s: %m", options->userns);
		(void)rootview_request_set_user_namespace(options->request, userns);
	}
	if (n > 2)
		return batch_run(options, &batch);
	status = command_ask(options, build_create(options, &batch, (const char **)args + 1, 1,
						   &call), &call, &reply);
	if (status != EXIT_SUCCESS)
		return status;
	if (options->path)
		return attach_new(options, reply);
	if (options->json)
		return print_reply(reply);
	print_path(reply);
	return EXIT_SUCCESS;
}

static int build_delete(const struct options *options, const struct batch *batch,
			const char *const *names, size_t n, struct rootview_call **ret)
{
	(void)options;
	return rootview_call_delete(ret, batch->origin, names, n);
}

int view_delete(const struct options *options, char *args[], int n)
{
	cleanup_reply struct rootview_reply *reply = NULL;
	struct batch batch = {
		.origin = args[0], .names = args + 1, .n = n - 1,
		.at_once = ROOTVIEW_VIEWS_MAX, .build = build_delete,
	};
	struct rootview_call *call;

	if (n > 2)
		return batch_run(options, &batch);
	return command_call(options, build_delete(options, &batch, (const char **)args + 1, 1,
						  &call), &call, &reply);
}

/*
 * Looking.
 */

int view_list(const struct options *options, char *args[], int n)
{
	cleanup_reply struct rootview_reply *reply = NULL, *origins = NULL;
	struct rootview_call *call;
	int status;

	(void)n;
	status = command_call(options, rootview_call_list(&call, args[0], NULL), &call, &reply);
	if (status != EXIT_SUCCESS || options->json)
		return status;
	status = command_ask(options, rootview_call_list_origins(&call), &call, &origins);
	if (status == EXIT_SUCCESS && show_views(reply, origins) < 0)
		return out_of_memory();
	return status;
}

int view_find(const struct options *options, const char *origin, const char *name,
	      struct rootview_reply **ret)
{
	cleanup_reply struct rootview_reply *reply = NULL;
	struct rootview_call *call;
	int status = command_ask(options, rootview_call_list(&call, origin, name), &call, &reply);

	if (status != EXIT_SUCCESS)
		return status;
	if (rootview_reply_count(reply) == 0)
		return command_failed("origin \"%s\" has no view \"%s\"", origin, name);
	*ret = steal_ptr(&reply);
	return EXIT_SUCCESS;
}

static int print_first(struct rootview_reply *reply, const char *array)
{
	cleanup_json sd_json_variant *answer = NULL;
	const char *json = rootview_reply_json(reply);

	if (!json || sd_json_parse(json, 0, &answer, NULL, NULL) < 0)
		return out_of_memory();
	print_json(sd_json_variant_by_index(sd_json_variant_by_key(answer, array), 0));
	return EXIT_SUCCESS;
}

int view_inspect(const struct options *options, char *args[], int n)
{
	cleanup_reply struct rootview_reply *reply = NULL, *origins = NULL;
	struct rootview_call *call;
	int status;

	(void)n;
	status = view_find(options, args[0], args[1], &reply);
	if (status != EXIT_SUCCESS)
		return status;
	if (options->json)
		return print_first(reply, "views");
	status = command_ask(options, rootview_call_list_origins(&call), &call, &origins);
	if (status == EXIT_SUCCESS)
		show_view(reply, 0, origins, stdout);
	return status;
}

int view_stats(const struct options *options, char *args[], int n)
{
	cleanup_reply struct rootview_reply *reply = NULL;
	const char *name = n > 1 ? args[1] : NULL;
	struct rootview_call *call;
	int status;

	status = command_call(options, rootview_call_stats(&call, args[0], name), &call, &reply);
	if (status == EXIT_SUCCESS && !options->json && show_stats(reply) < 0)
		return out_of_memory();
	return status;
}

int view_check(const struct options *options, char *args[], int n)
{
	cleanup_reply struct rootview_reply *reply = NULL;
	struct rootview_call *call;
	int status;

	if (n < 2 && !options->lists)
		return usage_error("too few arguments for", "check",
				   "it needs a path, or --list");
	for (int i = 1; i < n; i++) {
		const char *why = NULL;
		int r = value_mount_point(options->request, args[i], &why);

		if (r == -ENOMEM)
			return out_of_memory();
		if (r < 0)
			return usage_error("a mount point cannot be", args[i], why);
	}
	status = command_call(options, rootview_call_check(&call, args[0], options->request), &call,
			      &reply);
	if (status == EXIT_SUCCESS && !options->json)
		show_mount_points(reply, stdout);
	return status;
}
