// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Files, programs and labels; bench.h is the contract.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "util.h"

/* Every pair of two categories of these belongs to one container. */
#define CATEGORIES 512

/* Of a fifth of a millisecond each, at least. */
#define START_TRIES 100000

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

/* It runs where we run. */
pid_t start_program(const char *log, char *const argv[])
{
	pid_t us = getpid(), pid = fork();
	int fd;

	if (pid < 0)
		die(errno, "fork");
	if (pid > 0)
		return pid;
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 ||
	    getppid() != us)
		_exit(127);
	execvp(argv[0], argv);
	_exit(127);
}

void end_program(pid_t pid, const char *name)
{
	int status;

	if (kill(pid, SIGTERM) < 0 || waitpid(pid, &status, 0) < 0 || status)
		die(0, "%s did not end well", name);
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

/* Whether the process whose id is in the file does what a container does: sleep. */
static bool is_pausing(const char *pid_file)
{
	cleanup_fclose FILE *file = fopen(pid_file, "re"), *stat = NULL;
	cleanup_free char *path = NULL;
	char name[32], state;
	int pid;

	if (!file || fscanf(file, "%d", &pid) != 1)
		die(0, "%s has no process id", pid_file);
	path = text("/proc/%d/stat", pid);
	stat = fopen(path, "re");
	if (!stat || fscanf(stat, "%*d (%31[^)]) %c", name, &state) != 2)
		die(0, "a container has ended");
	return streq(name, "pause") && state == 'S';
}

/* "crun start" does not wait for it, nor for what it has to read for that. */
void wait_until_pausing(const char *pid_file)
{
	const struct timespec pause = { .tv_nsec = 200000 };

	for (int i = 0; !is_pausing(pid_file); i++) {
		if (i == START_TRIES)
			die(0, "a container does not start");
		nanosleep(&pause, NULL);
	}
}
