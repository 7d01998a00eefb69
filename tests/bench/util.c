// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Files, programs and labels; bench.h is the contract.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "util.h"

/* Every pair of two categories of these belongs to one container. */
#define CATEGORIES 512

void die(int error, const char *format, ...)
{
	va_list ap;

	fputs("rootview-bench: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, "%s%s\n", error ? ": " : "", error ? strerror(error) : "");
	exit(EXIT_FAILURE);
}

char *text(const char *format, ...)
{
	va_list ap;
	char *s;

	va_start(ap, format);
	if (vasprintf(&s, format, ap) < 0)
		die(ENOMEM, "text");
	va_end(ap);
	return s;
}

void *new_array(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		die(ENOMEM, "an array of %zu", n);
	return p;
}

static char *label(const char *type, size_t i)
{
	return text("system_u:%s:s0:c%zu,c%zu", type, i % CATEGORIES,
		    CATEGORIES + i / CATEGORIES % CATEGORIES);
}

char *process_label(size_t i)
{
	return label("system_r:container_t", i);
}

char *files_label(size_t i)
{
	return label("object_r:container_file_t", i);
}

char *label_option(const struct bench *b, size_t i)
{
	cleanup_free char *files = NULL;

	if (!b->labels)
		return text("%s", "");
	files = files_label(i);
	return text("context=\"%s\"", files);
}

/* In the child; shows @mount to what is run alone. */
static void enter_namespace(int mount_fd, const char *folder)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
	    move_mount(mount_fd, "", AT_FDCWD, folder, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		die(errno, "a mount namespace with a view");
}

void run_program_with(int mount_fd, const char *folder, char *const argv[])
{
	int status, null;
	pid_t pid = fork();

	if (pid < 0)
		die(errno, "fork");
	if (pid == 0) {
		if (mount_fd >= 0)
			enter_namespace(mount_fd, folder);
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		for (int fd = 0; fd < 3; fd++)
			dup2(null, fd);
		execvp(argv[0], argv);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			die(errno, "wait for %s", argv[0]);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		die(0, "%s failed with status %d", argv[0], status);
}

void run_program(char *const argv[])
{
	run_program_with(-1, NULL, argv);
}

void make_folder(const char *path, mode_t mode)
{
	if (mkdir(path, mode) < 0)
		die(errno, "make %s", path);
}

void write_file(const char *path, const char *content)
{
	cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t n = strlen(content);

	if (fd < 0 || write(fd, content, n) != (ssize_t)n)
		die(errno, "write %s", path);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	if (remove(path) < 0)
		die(errno, "remove %s", path);
	return 0;
}

void remove_tree(const char *path)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0)
		die(errno, "remove %s", path);
}
