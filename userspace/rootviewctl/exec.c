// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The command that runs another one with a view; command.h is the contract.
 *
 * The view is put over a folder in a mount namespace of the command's own, so
 * that nothing is left on the machine whichever way the command ends.
 */
#include <sched.h>
#include <sys/mount.h>

#include "command.h"

/* A folder that every machine has, for what is mounted for a while. */
#define DEFAULT_FOLDER "/mnt"

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
	cleanup_close int view = view_open(options, args[0], args[1]);
	int status;

	(void)n;
	if (view < 0 || enter_namespace() < 0 || put_view(view, options->at ?: DEFAULT_FOLDER) < 0)
		return EXIT_OWN;
	execvp(args[2], args + 2);
	status = errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
	command_failed("%s: %m", args[2]);
	return status;
}
