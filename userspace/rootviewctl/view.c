// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The commands about views; command.h is the contract.
 */
#include <fcntl.h>
#include <linux/rootview.h>

#include "batch.h"
#include "client.h"
#include "command.h"
#include "interface.h"
#include "show.h"
#include "value.h"

/* The path of the view in @answer, if it has one. */
static void print_path(const struct options *options, sd_json_variant *answer)
{
	sd_json_variant *view = sd_json_variant_by_key(answer, "view");
	sd_json_variant *path = sd_json_variant_by_key(view, "path");

	if (!options->json && sd_json_variant_is_string(path))
		puts(sd_json_variant_string(path));
}

/* The daemon has another working directory: makes a path absolute, if that can be done. */
static char *absolute(const char *path)
{
	char *real = path && path[0] != '/' ? realpath(path, NULL) : NULL;

	return real ?: (path ? strdup(path) : NULL);
}

/*
 * Creating and deleting.
 */

#define PAIR_IF(condition, name, value) SD_JSON_BUILD_PAIR_CONDITION(!!(condition), name, value)
#define PAIR_STRING_IF(name, value) PAIR_IF(value, name, SD_JSON_BUILD_STRING(value))
#define PAIR_VARIANT_IF(name, value) PAIR_IF(value, name, SD_JSON_BUILD_VARIANT(value))

static int make_request(const struct options *options, const char *name, sd_json_variant **ret)
{
	cleanup_free char *path = absolute(options->path);

	return sd_json_buildo(
		ret,
		SD_JSON_BUILD_PAIR_STRING("name", name),
		PAIR_STRING_IF("label", options->label),
		PAIR_STRING_IF("mount", options->mount),
		PAIR_STRING_IF("path", path),
		PAIR_VARIANT_IF("mountPoints", options->mount_points),
		PAIR_VARIANT_IF("lists", options->lists),
		PAIR_IF(options->id_map, "idMap", SD_JSON_BUILD_OBJECT(
			SD_JSON_BUILD_PAIR_VARIANT("uid", options->id_map),
			SD_JSON_BUILD_PAIR_VARIANT("gid", options->id_map))),
		PAIR_IF(options->userns, "userNamespace", SD_JSON_BUILD_UNSIGNED(0)),
		PAIR_STRING_IF("cgroup", options->cgroup),
		PAIR_VARIANT_IF("process", options->process));
}

static int create_one(const struct options *options, char *args[], int userns)
{
	cleanup_json sd_json_variant *parameters = NULL, *answer = NULL;

	if (make_request(options, args[1], &parameters) < 0 ||
	    sd_json_variant_set_field_string(&parameters, "origin", args[0]) < 0)
		return out_of_memory();
	if (client_call_with(options->socket, ROOTVIEW_METHOD("CreateView"), parameters, userns,
			     NULL, &answer) < 0)
		return EXIT_FAILURE;
	if (options->json)
		print_json(answer);
	print_path(options, answer);
	return EXIT_SUCCESS;
}

/* How many views go into one call: they differ by their names alone.  0 if memory is short. */
static size_t count_at_once(const struct options *options)
{
	bool detached = options->mount && streq(options->mount, "detached");
	size_t most = detached ? ROOTVIEW_DETACHED_MAX : ROOTVIEW_VIEWS_MAX, fit;
	cleanup_json sd_json_variant *request = NULL;
	ssize_t size;

	if (make_request(options, "", &request) < 0)
		return 0;
	size = json_size(request);
	if (size < 0)
		return 0;
	/* A name may have to be written with a backslash before each character. */
	fit = ROOTVIEW_REQUESTS_SIZE / (size + 2 * ROOTVIEW_NAME_MAX + 1);
	if (fit == 0)
		return 1;
	return fit < most ? fit : most;
}

int view_create(const struct options *options, char *args[], int n)
{
	cleanup_close int userns = -1;
	size_t at_once;

	if (n > 2 && options->path)
		return usage_error("--path is for one view, and not also for", args[2]);
	if (options->userns) {
		userns = open(options->userns, O_RDONLY | O_CLOEXEC);
		if (userns < 0)
			return command_failed("%s: %m", options->userns);
	}
	if (n == 2)
		return create_one(options, args, userns);
	at_once = count_at_once(options);
	if (at_once == 0)
		return out_of_memory();
	return batch_run(options, &(struct batch){
		.method = ROOTVIEW_METHOD("CreateViews"), .parameter = "views", .origin = args[0],
		.names = args + 1, .n = n - 1, .at_once = at_once,
		.send = userns, .make = make_request,
	});
}

/* What names a view: the parameters of many a method. */
static int build_name(char *args[], sd_json_variant **ret)
{
	return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("origin", args[0]),
			      SD_JSON_BUILD_PAIR_STRING("name", args[1]));
}

static int make_name(const struct options *options, const char *name, sd_json_variant **ret)
{
	(void)options;
	return sd_json_variant_new_string(ret, name);
}

int view_delete(const struct options *options, char *args[], int n)
{
	cleanup_json sd_json_variant *answer = NULL;
	sd_json_variant *parameters;

	if (n > 2)
		return batch_run(options, &(struct batch){
			.method = ROOTVIEW_METHOD("DeleteViews"), .parameter = "names",
			.origin = args[0], .names = args + 1, .n = n - 1,
			.at_once = ROOTVIEW_VIEWS_MAX, .send = -1, .make = make_name,
		});
	if (build_name(args, &parameters) < 0)
		return out_of_memory();
	return command_call(options, ROOTVIEW_METHOD("DeleteView"), parameters, &answer) < 0;
}

/*
 * Looking.
 */

int view_list(const struct options *options, char *args[], int n)
{
	cleanup_json sd_json_variant *answer = NULL;
	sd_json_variant *parameters = NULL;

	if (n > 0 && sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("origin", args[0])) < 0)
		return out_of_memory();
	if (command_list(options, ROOTVIEW_METHOD("ListViews"), parameters, "views", &answer) < 0)
		return EXIT_FAILURE;
	if (!options->json && show_views(sd_json_variant_by_key(answer, "views")) < 0)
		return out_of_memory();
	return EXIT_SUCCESS;
}

int view_find(const struct options *options, const char *origin, const char *name,
	      sd_json_variant **ret)
{
	cleanup_json sd_json_variant *parameters = NULL, *answer = NULL;
	sd_json_variant *views;

	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("origin", origin)) < 0)
		return -out_of_memory();
	if (client_list(options->socket, ROOTVIEW_METHOD("ListViews"), parameters, "views",
			&answer) < 0)
		return -1;
	views = sd_json_variant_by_key(answer, "views");
	for (size_t i = 0; i < sd_json_variant_elements(views); i++) {
		sd_json_variant *view = sd_json_variant_by_index(views, i);

		if (streq(sd_json_variant_string(sd_json_variant_by_key(view, "name")), name)) {
			*ret = sd_json_variant_ref(view);
			return 0;
		}
	}
	return -command_failed("origin \"%s\" has no view \"%s\"", origin, name);
}

int view_inspect(const struct options *options, char *args[], int n)
{
	cleanup_json sd_json_variant *view = NULL;

	(void)n;
	if (view_find(options, args[0], args[1], &view) < 0)
		return EXIT_FAILURE;
	if (options->json)
		print_json(view);
	else
		show_view(view, stdout);
	return EXIT_SUCCESS;
}

int view_stats(const struct options *options, char *args[], int n)
{
	cleanup_json sd_json_variant *answer = NULL;
	sd_json_variant *parameters;

	if (sd_json_buildo(&parameters, PAIR_STRING_IF("origin", args[0]),
			   PAIR_STRING_IF("name", n > 1 ? args[1] : NULL)) < 0)
		return out_of_memory();
	if (command_list(options, ROOTVIEW_METHOD("GetStats"), parameters, "stats", &answer) < 0)
		return EXIT_FAILURE;
	if (!options->json && show_stats(sd_json_variant_by_key(answer, "stats")) < 0)
		return out_of_memory();
	return EXIT_SUCCESS;
}

int view_check(const struct options *options, char *args[], int n)
{
	cleanup_json sd_json_variant *answer = NULL, *points = NULL;
	sd_json_variant *parameters;

	if (n < 2 && !options->lists)
		return usage_error("too few arguments for", "check");
	for (int i = 1; i < n; i++) {
		cleanup_json sd_json_variant *point = NULL;
		int r = value_mount_point(args[i], &point);

		if (r == -EINVAL)
			return usage_error("a mount point cannot be", args[i]);
		if (r < 0 || sd_json_variant_append_array(&points, point) < 0)
			return out_of_memory();
	}
	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("origin", args[0]),
			   PAIR_VARIANT_IF("mountPoints", points),
			   PAIR_VARIANT_IF("lists", options->lists)) < 0)
		return out_of_memory();
	if (command_call(options, ROOTVIEW_METHOD("CheckMountPoints"), parameters, &answer) < 0)
		return EXIT_FAILURE;
	if (!options->json)
		show_mount_points(sd_json_variant_by_key(answer, "missing"), "", stdout);
	return EXIT_SUCCESS;
}

/*
 * Mounting.
 */

int view_mount(const struct options *options, char *args[], int n)
{
	cleanup_json sd_json_variant *answer = NULL;
	cleanup_free char *path = absolute(options->path);
	sd_json_variant *parameters;

	(void)n;
	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("origin", args[0]),
			   SD_JSON_BUILD_PAIR_STRING("name", args[1]),
			   PAIR_STRING_IF("mount", options->mount),
			   PAIR_STRING_IF("path", path)) < 0)
		return out_of_memory();
	if (command_call(options, ROOTVIEW_METHOD("MountView"), parameters, &answer) < 0)
		return EXIT_FAILURE;
	print_path(options, answer);
	return EXIT_SUCCESS;
}

int view_unmount(const struct options *options, char *args[], int n)
{
	cleanup_json sd_json_variant *answer = NULL;
	sd_json_variant *parameters;

	(void)n;
	if (build_name(args, &parameters) < 0)
		return out_of_memory();
	return command_call(options, ROOTVIEW_METHOD("UnmountView"), parameters, &answer) < 0;
}
