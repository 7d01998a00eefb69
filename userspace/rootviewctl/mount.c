// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The commands that put views at paths; command.h is the contract.
 *
 * The mounts are made here, in the caller's mount namespace and with its rights.
 */
#include "command.h"
#include "interface.h"

int view_open(const struct options *options, const char *origin, const char *name)
{
	cleanup_reply struct rootview_reply *reply = NULL;
	struct rootview_call *call;
	int fd;

	if (command_ask(options, rootview_call_open(&call, origin, name, 0), &call, &reply) !=
	    EXIT_SUCCESS)
		return -1;
	fd = rootview_reply_take_fd(reply, 0);
	if (fd < 0)
		return -command_failed("rootviewd sent no mount of view \"%s\"", name);
	return fd;
}

int view_attach(int fd, const char *path)
{
	int r = rootview_attach(fd, path);

	if (r < 0)
		return command_failed("%s: the view cannot be mounted there: %s", path,
				      rootview_attach_message(r));
	return EXIT_SUCCESS;
}

char *view_path(const char *path)
{
	return realpath(path, NULL) ?: strdup(path);
}

int view_mount(const struct options *options, char *args[], int n)
{
	cleanup_json sd_json_variant *object = NULL;
	cleanup_free char *path = NULL;
	cleanup_close int fd = -1;

	(void)n;
	fd = view_open(options, args[0], args[1]);
	if (fd < 0 || view_attach(fd, args[2]) != EXIT_SUCCESS)
		return EXIT_FAILURE;
	path = view_path(args[2]);
	if (!options->json)
		puts(path ?: args[2]);
	else if (sd_json_buildo(&object, SD_JSON_BUILD_PAIR_STRING("path", path ?: args[2])) < 0)
		return out_of_memory();
	else
		print_json(object);
	return EXIT_SUCCESS;
}

/* Whether the path is one of rootviewd's own mounts, which others use, too. */
static bool is_daemons(const char *path)
{
	cleanup_free char *real = realpath(path, NULL);

	return real && after_prefix(real, ROOTVIEW_RUNTIME_DIR "/");
}

int view_unmount(const struct options *options, char *args[], int n)
{
	cleanup_close int fd = -1;
	int r;

	(void)n;
	if (is_daemons(args[2]))
		return command_failed("%s: this mount is rootviewd's own", args[2]);
	fd = view_open(options, args[0], args[1]);
	if (fd < 0)
		return EXIT_FAILURE;
	r = rootview_detach(fd, args[2]);
	if (r < 0)
		return command_failed("%s: view \"%s\" cannot be unmounted there: %s", args[2],
				      args[1], rootview_attach_message(r));
	if (options->json)
		puts("{}");
	return EXIT_SUCCESS;
}
