// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The command that runs another one with a view; command.h is the contract.
 *
 * The view is put over a folder in a mount namespace of the command's own, so
 * that nothing is left on the machine whichever way the command ends.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "command.h"

/* A folder that every machine has, for what is mounted for a while. */
#define DEFAULT_FOLDER "/mnt"

/* A descriptor of a view that is detached: the daemon makes a new mount for each who asks. */
static int receive_mount(const struct options *options, char *args[])
{
	cleanup_request struct rootview_request *request = rootview_request_new();
	cleanup_reply struct rootview_reply *reply = NULL;
	struct rootview_call *call;
	int fd;

	if (!request || rootview_request_set_name(request, args[1]) < 0 ||
	    rootview_request_set_mount(request, ROOTVIEW_DETACHED) < 0)
		return -out_of_memory();
	if (command_ask(options, rootview_call_mount(&call, args[0], request), &call, &reply) != 0)
		return -1;
	fd = rootview_reply_take_fd(reply, 0);
	if (fd < 0)
		return -command_failed("rootviewd sent no mount of view \"%s\"", args[1]);
	return fd;
}

/* Whether @fd is where something is mounted that nobody writes to: a view is. */
static bool is_read_only_mount(int fd)
{
	struct statvfs fs;
	struct statx s;

	return statx(fd, "", AT_EMPTY_PATH, 0, &s) == 0 &&
	       (s.stx_attributes & STATX_ATTR_MOUNT_ROOT) && fstatvfs(fd, &fs) == 0 &&
	       (fs.f_flag & ST_RDONLY);
}

/*
 * Who unmounts a view by hand leaves its folder, which is the machine's own and
 * can be written to: that must not be taken for the view.
 */
static int clone_mount(const char *path)
{
	cleanup_close int place = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd;

	if (place < 0)
		return -command_failed("%s: %m", path);
	if (!is_read_only_mount(place))
		return -command_failed("%s: the view is not mounted there any more; \"rootviewctl "
				       "mount\" does it",
				       path);
	fd = open_tree(place, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		command_failed("%s: cannot be cloned: %m", path);
	return fd;
}

/* A mount of the view that is attached nowhere. */
static int get_mount(const struct options *options, char *args[])
{
	cleanup_reply struct rootview_reply *reply = NULL;
	const char *path;
	size_t i;

	if (view_find(options, args[0], args[1], &reply, &i) != EXIT_SUCCESS)
		return -1;
	path = rootview_reply_path(reply, i);
	if (rootview_reply_mount(reply, i) == ROOTVIEW_DETACHED)
		return receive_mount(options, args);
	if (path)
		return clone_mount(path);
	return -command_failed("view \"%s\" of origin \"%s\" is not mounted; \"rootviewctl "
			       "mount\" does it",
			       args[1], args[0]);
}

/* What is mounted elsewhere later on is seen, what is mounted here stays here. */
static int enter_namespace(void)
{
	if (unshare(CLONE_NEWNS) < 0)
		return -command_failed("a mount namespace cannot be made: %m");
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return -command_failed("/: cannot be kept from propagating mounts: %m");
	return 0;
}

/* Puts @view over @folder, and tells the command where that is. */
static int put_view(int view, const char *folder)
{
	cleanup_free char *real = realpath(folder, NULL);
	int r = real ? rootview_attach(view, real) : -errno;

	if (r < 0)
		return -command_failed("%s: the view cannot be mounted there: %s", folder,
				       rootview_attach_message(r));
	if (setenv("ROOTVIEW_PATH", real, 1) < 0)
		return -out_of_memory();
	return 0;
}

int exec(const struct options *options, char *args[], int n)
{
	cleanup_close int view = get_mount(options, args);
	int status;

	(void)n;
	if (view < 0 || enter_namespace() < 0 || put_view(view, options->at ?: DEFAULT_FOLDER) < 0)
		return EXIT_OWN;
	execvp(args[2], args + 2);
	status = errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
	command_failed("%s: %m", args[2]);
	return status;
}
