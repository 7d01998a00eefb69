// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Processes; process.h is the contract.
 */
#include "process.h"

#include <ctype.h>
#include <poll.h>
#include <sys/syscall.h>

#include "util.h"

/* Fields of /proc/PID/stat are counted from 1; the second, in parentheses, is the name. */
#define FIRST_BEHIND_NAME 3
#define FIELD_START 22

int process_parse_start(const char *line, uint64_t *ret)
{
	/* The name may hold blanks and parentheses; what follows it, neither of these. */
	const char *s = strrchr(line, ')');
	uint64_t start;
	char *end;

	if (!s)
		return -EBADMSG;
	s++;
	for (int i = FIRST_BEHIND_NAME; i < FIELD_START; i++) {
		s += strspn(s, " ");
		s += strcspn(s, " ");
	}
	s += strspn(s, " ");
	if (!isdigit((unsigned char)*s))
		return -EBADMSG;
	errno = 0;
	start = strtoull(s, &end, 10);
	if (errno || !strchr(" \n", *end))
		return -EBADMSG;
	*ret = start;
	return 0;
}

/* A pidfd can be read as soon as the process has ended, even while it is a zombie. */
static bool has_ended(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/* Opens a pidfd of a process that has not ended; -ESRCH for threads, too. */
static int open_running(pid_t pid)
{
	cleanup_close int fd = syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return errno == EINVAL || errno == ENOENT ? -ESRCH : -errno;
	if (has_ended(fd))
		return -ESRCH;
	return steal_fd(&fd);
}

static int read_start(pid_t pid, uint64_t *ret)
{
	cleanup_fclose FILE *file = NULL;
	char path[64], text[4096];
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return errno == ENOENT ? -ESRCH : -errno;
	/* Not a line, as a name may hold a newline. */
	n = fread(text, 1, sizeof(text) - 1, file);
	if (ferror(file))
		return -errno;
	text[n] = '\0';
	return process_parse_start(text, ret);
}

int process_start(pid_t pid, uint64_t *ret)
{
	cleanup_close int fd = open_running(pid);

	return fd < 0 ? fd : read_start(pid, ret);
}

int process_open(pid_t pid, uint64_t start)
{
	cleanup_close int fd = open_running(pid);
	uint64_t now;
	int r;

	if (fd < 0)
		return fd;
	/*
	 * Asked after opening it: if the descriptor is an earlier process's, whoever has
	 * the id now started later than @start.
	 */
	r = read_start(pid, &now);
	if (r < 0)
		return r;
	if (now != start)
		return -ESRCH;
	return steal_fd(&fd);
}

pid_t process_of_pidfd(int fd)
{
	cleanup_fclose FILE *file = NULL;
	cleanup_free char *line = NULL;
	size_t size = 0;
	char path[64];
	int pid;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file)
		return errno == ENOENT ? -EBADF : -errno;
	while (getline(&line, &size, file) >= 0) {
		if (sscanf(line, "Pid: %d", &pid) != 1)
			continue;
		/* -1 when it has ended; 0 where its id means nothing to us. */
		return pid > 0 && !has_ended(fd) ? pid : -ESRCH;
	}
	return feof(file) ? -EBADF : -errno;
}
