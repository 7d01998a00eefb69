// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A store of layers by hand, for tests.
 *
 *	layerstore-tool [OPTION]... FOLDER COMMAND [ARGUMENT]...
 *	layerstore-tool [OPTION]... FOLDER script < COMMANDS
 *
 * A script has a command each line, and all of them are done by one process; each
 * is answered by what it prints and a line: ok, or error CODE: SENTENCE.
 */
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>

#include "layerstore.h"
#include "util.h"

#define MOST_ARGUMENTS 6

static const char *const codes[] = {
	[LAYER_FAILED] = "FAILED",
	[LAYER_NO_SUCH] = "NO_SUCH",
	[LAYER_EXISTS] = "EXISTS",
	[LAYER_IN_USE] = "IN_USE",
	[LAYER_HAS_CHILDREN] = "HAS_CHILDREN",
	[LAYER_POOL_FULL] = "POOL_FULL",
	[LAYER_INVALID] = "INVALID",
	[LAYER_NO_POOL] = "NO_POOL",
};

static struct layerstore *store;

/* An argument that was left out, or is "-", is NULL. */
static const char *optional(const char *argument)
{
	return argument && !streq(argument, "-") ? argument : NULL;
}

static int do_create(const char *const *a, struct layer_error *error)
{
	return layerstore_create(store, a[0], optional(a[1]),
				 a[1] && a[2] ? strtoull(a[2], NULL, 0) : 0, error);
}

static int do_remove(const char *const *a, struct layer_error *error)
{
	return layerstore_remove(store, a[0], error);
}

/* ID [CONTEXT] [ro] */
static int do_mount(const char *const *a, struct layer_error *error)
{
	char path[PATH_MAX];
	int r = layerstore_mount(store, a[0], optional(a[1]), a[1] && a[2], path, error);

	if (r == 0)
		puts(path);
	return r;
}

static int do_unmount(const char *const *a, struct layer_error *error)
{
	return layerstore_unmount(store, a[0], error);
}

static int do_activate(const char *const *a, struct layer_error *error)
{
	char device[PATH_MAX];
	int r = layerstore_activate(store, a[0], device, error);

	if (r == 0)
		puts(device);
	return r;
}

static int do_deactivate(const char *const *a, struct layer_error *error)
{
	return layerstore_deactivate(store, a[0], error);
}

/* ID FILE */
static int do_apply(const char *const *a, struct layer_error *error)
{
	cleanup_close int fd = -1;
	uint64_t size = 0;
	int r;

	if (!a[1])
		return layer_failed(error, LAYER_INVALID, "no file");
	fd = open(a[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return layer_failed(error, LAYER_FAILED, "%s: %s", a[1], strerror(errno));
	r = layerstore_apply(store, a[0], fd, &size, error);
	if (r == 0)
		printf("%lu\n", size);
	return r;
}

/* ID PARENT FILE */
static int do_diff(const char *const *a, struct layer_error *error)
{
	cleanup_close int fd = -1;

	if (!a[1] || !a[2])
		return layer_failed(error, LAYER_INVALID, "no file");
	fd = open(a[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return layer_failed(error, LAYER_FAILED, "%s: %s", a[2], strerror(errno));
	return layerstore_diff(store, a[0], optional(a[1]), fd, error);
}

static int print_change(const char *path, enum change kind, void *userdata)
{
	(void)userdata;
	printf("%c %s\n", "MAD"[kind], path);
	return 0;
}

static int do_changes(const char *const *a, struct layer_error *error)
{
	return layerstore_changes(store, a[0], optional(a[1]), print_change, NULL, error);
}

static int do_size(const char *const *a, struct layer_error *error)
{
	uint64_t size;
	int r = layerstore_diff_size(store, a[0], optional(a[1]), &size, error);

	if (r == 0)
		printf("%lu\n", size);
	return r;
}

static int do_set(const char *const *a, struct layer_error *error)
{
	return layerstore_set(store, a[0], a[1] ?: "", a[1] ? optional(a[2]) : NULL, error);
}

static int do_get(const char *const *a, struct layer_error *error)
{
	cleanup_free char *value = NULL;
	int r = layerstore_get(store, a[0], a[1] ?: "", &value, error);

	if (r == 0 && value)
		puts(value);
	return r;
}

static int do_info(const char *const *a, struct layer_error *error)
{
	struct layer_info info;
	int r = layerstore_info(store, a[0], &info, error);

	if (r == 0)
		printf("number=%u size=%lu parent=%s device=%s path=%s active=%d\n", info.number,
		       info.size, info.parent, info.device, info.mounted ? info.path : "",
		       info.active);
	return r;
}

/* ID PARENT NUMBER */
static int print_layer(const char *id, const char *parent, void *userdata)
{
	struct layer_info info;

	if (layerstore_info(store, id, &info, userdata) < 0)
		return -1;
	printf("%s %s %u\n", id, parent ?: "-", info.number);
	return 0;
}

static int do_each(const char *const *a, struct layer_error *error)
{
	(void)a;
	return layerstore_each(store, print_layer, error, error);
}

static int do_status(const char *const *a, struct layer_error *error)
{
	struct layerstore_status s;
	int r = layerstore_status(store, &s, error);

	(void)a;
	if (r == 0)
		printf("pool=%s fs_type=%s layers=%lu block_size=%lu data_used=%lu data_total=%lu "
		       "metadata_used=%lu metadata_total=%lu on_loop=%d out_of_space=%d "
		       "read_only=%d needs_check=%d waits_when_full=%d\n", s.pool, s.fs_type,
		       s.layers, s.block_size, s.data_used, s.data_total, s.metadata_used,
		       s.metadata_total, s.on_loop, s.out_of_space, s.read_only, s.needs_check,
		       s.waits_when_full);
	return r;
}

static int do_exists(const char *const *a, struct layer_error *error)
{
	(void)error;
	puts(layerstore_exists(store, a[0]) ? "yes" : "no");
	return 0;
}

/* What each of several threads does with a layer of its own. */
struct worker {
	pthread_t thread;
	char id[32];
	const char *parent, *file;
	struct layer_error error;
	int result;
};

static int work_once(struct worker *w)
{
	const char *const apply[] = { w->id, w->file, NULL };
	char path[PATH_MAX];
	uint64_t size;

	if (layerstore_create(store, w->id, w->parent, 0, &w->error) < 0 ||
	    do_apply(apply, &w->error) < 0 ||
	    layerstore_diff_size(store, w->id, w->parent, &size, &w->error) < 0 ||
	    layerstore_mount(store, w->parent, NULL, true, path, &w->error) < 0 ||
	    layerstore_mount(store, w->id, NULL, false, path, &w->error) < 0 ||
	    layerstore_unmount(store, w->id, &w->error) < 0 ||
	    layerstore_unmount(store, w->parent, &w->error) < 0)
		return -1;
	return layerstore_remove(store, w->id, &w->error);
}

static void *work(void *userdata)
{
	struct worker *w = userdata;

	for (int i = 0; i < 4 && w->result == 0; i++)
		w->result = work_once(w);
	return NULL;
}

/* PARENT FILE */
static int do_threads(const char *const *a, struct layer_error *error)
{
	struct worker workers[8] = { 0 };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(workers); i++) {
		struct worker *w = &workers[i];

		w->parent = a[0];
		w->file = a[1];
		snprintf(w->id, sizeof(w->id), "thread-%zu", i);
		if (pthread_create(&w->thread, NULL, work, w))
			abort();
	}
	for (size_t i = 0; i < ARRAY_SIZE(workers); i++) {
		pthread_join(workers[i].thread, NULL);
		if (workers[i].result < 0) {
			*error = workers[i].error;
			r = -1;
		}
	}
	return r;
}

static const struct {
	const char *name;
	bool needs_id;
	int (*run)(const char *const *arguments, struct layer_error *error);
} commands[] = {
	{ "create", true, do_create },
	{ "remove", true, do_remove },
	{ "exists", true, do_exists },
	{ "mount", true, do_mount },
	{ "unmount", true, do_unmount },
	{ "activate", true, do_activate },
	{ "deactivate", true, do_deactivate },
	{ "apply", true, do_apply },
	{ "diff", true, do_diff },
	{ "changes", true, do_changes },
	{ "size", true, do_size },
	{ "threads", true, do_threads },
	{ "set", true, do_set },
	{ "get", true, do_get },
	{ "info", true, do_info },
	{ "each", false, do_each },
	{ "status", false, do_status },
};

/* @arguments, of which the first is the command, ends with NULLs. */
static int run(const char *const *arguments, struct layer_error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!arguments[0] || !streq(arguments[0], commands[i].name))
			continue;
		if (commands[i].needs_id && !arguments[1])
			return layer_failed(error, LAYER_INVALID, "no layer is named");
		return commands[i].run(arguments + 1, error);
	}
	return layer_failed(error, LAYER_INVALID, "unknown command: %s", arguments[0] ?: "");
}

static void run_line(char *line)
{
	const char *arguments[MOST_ARGUMENTS + 3] = { 0 };
	struct layer_error error;
	char *rest = NULL, *word;
	int n = 0;

	for (word = strtok_r(line, " \n", &rest); word && n < MOST_ARGUMENTS;
	     word = strtok_r(NULL, " \n", &rest))
		arguments[n++] = word;
	if (run(arguments, &error) == 0)
		puts("ok");
	else
		printf("error %s: %s\n", codes[error.code], error.message);
	/* Whoever kills us wants to know what was done by then. */
	fflush(stdout);
}

static int run_script(void)
{
	cleanup_free char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0)
		run_line(line);
	return 0;
}

static int usage(void)
{
	fputs("Usage: layerstore-tool [--pool PATH] [--prefix NAME] [--type TYPE] [--size BYTES]\n"
	      "                       [--context CONTEXT] FOLDER COMMAND [ARGUMENT]...\n", stderr);
	return 2;
}

static bool read_options(int argc, char **argv, struct layerstore_options *ret)
{
	static const struct option options[] = {
		{ "pool", required_argument, NULL, 'p' },
		{ "prefix", required_argument, NULL, 'n' },
		{ "type", required_argument, NULL, 't' },
		{ "size", required_argument, NULL, 's' },
		{ "context", required_argument, NULL, 'c' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) >= 0) {
		switch (option) {
		case 'p':
			ret->pool = optarg;
			break;
		case 'n':
			ret->prefix = optarg;
			break;
		case 't':
			ret->fs_type = optarg;
			break;
		case 's':
			ret->size = strtoull(optarg, NULL, 0);
			break;
		case 'c':
			ret->context = optarg;
			break;
		default:
			return false;
		}
	}
	return argc - optind >= 2 && argc - optind <= MOST_ARGUMENTS;
}

static int report(const struct layer_error *error)
{
	fprintf(stderr, "layerstore-tool: %s: %s\n", codes[error->code], error->message);
	return 1;
}

int main(int argc, char **argv)
{
	struct layerstore_options options = { .pool = "/dev/mapper/pool" };
	const char *arguments[MOST_ARGUMENTS + 3] = { 0 };
	struct layer_error error;
	int status;

	if (!read_options(argc, argv, &options))
		return usage();
	options.folder = argv[optind];
	for (int i = optind + 1; i < argc; i++)
		arguments[i - optind - 1] = argv[i];
	if (layerstore_open(&options, &store, &error) < 0)
		return report(&error);
	if (streq(arguments[0], "script"))
		status = run_script();
	else
		status = run(arguments, &error) < 0 ? report(&error) : 0;
	layerstore_close(store);
	return status;
}
