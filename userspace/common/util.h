/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The helper kit: cleanup by attribute, ownership hand-over, small comparisons.
 *
 * A variable marked cleanup_X is released when it goes out of scope; what is to
 * outlive the scope is handed over with steal_ptr().
 */
#ifndef ROOTVIEW_UTIL_H
#define ROOTVIEW_UTIL_H

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof(*(a)))

#define cleanup_with(fn) __attribute__((__cleanup__(fn)))
#define cleanup_free cleanup_with(free_ptr)
#define cleanup_close cleanup_with(close_fd)
#define cleanup_fclose cleanup_with(close_file)
#define cleanup_closedir cleanup_with(close_dir)

static inline void free_ptr(void *p)
{
	free(*(void **)p);
}

/* Leaves errno alone, so that it may run on the way out of a failed function. */
static inline void close_fd(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

static inline void close_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* The pointer that @p points to, which is NULL from then on. */
#define steal_ptr(p)                             \
	({                                       \
		__typeof__(p) steal_from = (p);  \
		__typeof__(*steal_from) stolen = *steal_from; \
		*steal_from = NULL;              \
		stolen;                          \
	})

/* The same for a descriptor, of which -1 is left. */
static inline int steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

/* Lets the process have as many descriptors as it may. */
static inline void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* In a child: whether it ends with the process @parent, its own, from now on. */
static inline bool dies_with(pid_t parent)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

static inline bool streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* Whether @error, a positive errno, tells of a want that may be over a moment later. */
static inline bool is_shortage(int error)
{
	switch (error) {
	case ENOMEM:
	case EMFILE:
	case ENFILE:
	case ENOSPC:
	case ENOBUFS:
	case EAGAIN:
	case EDQUOT:
		return true;
	default:
		return false;
	}
}

/* As streq(), where either may be NULL, and NULL equals NULL only. */
static inline bool streq_null(const char *a, const char *b)
{
	return a && b ? streq(a, b) : a == b;
}

/* The part of @s behind @prefix, or NULL if @s does not begin with it. */
static inline const char *after_prefix(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

#endif
