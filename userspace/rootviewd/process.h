/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Processes that views are tied to: named by id and start time, so that a
 * daemon that was started anew can tell one from its successor.
 */
#ifndef ROOTVIEW_PROCESS_H
#define ROOTVIEW_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

/*
 * When the process started, in clock ticks since boot: field 22 of /proc/PID/stat.
 * Returns 0 or a negative errno, -ESRCH if there is no such process.
 */
int process_start(pid_t pid, uint64_t *ret);

/*
 * Opens a pidfd of the process @pid that started at @start.  Returns it, or
 * -ESRCH if that has ended, whoever has its id now; or another negative errno.
 */
int process_open(pid_t pid, uint64_t start);

/*
 * The id of the process behind a pidfd; -ESRCH if it has ended, -EBADF if it is no pidfd, or
 * another negative errno.
 */
pid_t process_of_pidfd(int fd);

/* Field 22 of a line of /proc/PID/stat, whose second field may hold anything.  0 or -EBADMSG. */
int process_parse_start(const char *line, uint64_t *ret);

#endif
