// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * starve.so: makes allocations of a program fail, for tests of what it does then.
 *
 *	LD_PRELOAD=starve.so STARVE_FILE=FILE PROGRAM
 *
 * FILE, which is as large as a struct starve, tells which ones.  The children that the
 * program forks count with it.  All allocations are counted, of libraries as well: those
 * that the C library makes for itself come by here, too.
 *
 * A program may be built with a sanitizer.  That has its own strdup() and its like, which
 * would take memory past us; ASAN_OPTIONS=verify_asan_link_order=0 lets it come second.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

#include "starve.h"

/* A sanitizer's allocator, if the program has one; the C library's otherwise. */
#define REAL(type, name, ...)                                                    \
	extern type __interceptor_##name(__VA_ARGS__) __attribute__((weak));     \
	extern type __libc_##name(__VA_ARGS__)

REAL(void *, malloc, size_t size);
REAL(void *, calloc, size_t n, size_t size);
REAL(void *, realloc, void *p, size_t size);
REAL(void *, memalign, size_t alignment, size_t size);
REAL(void, free, void *p);

#define real(name) (__interceptor_##name ? __interceptor_##name : __libc_##name)

static struct starve *starve;
static bool forked;

static void in_child(void)
{
	forked = true;
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv(STARVE_FILE);
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *p, *unused;

	if (fd < 0)
		return;
	p = mmap(NULL, sizeof(*starve), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return;
	pthread_atfork(NULL, NULL, in_child);
	/* The first time, it allocates. */
	backtrace(&unused, 1);
	starve = p;
}

/* As files and offsets, for addr2line. */
static void tell_where(void)
{
	void *frames[16];
	int n = backtrace(frames, sizeof(frames) / sizeof(frames[0]));
	Dl_info own, info;
	size_t size = 0;

	dladdr((void *)tell_where, &own);
	for (int i = 0; i < n && size < sizeof(starve->where) && dladdr(frames[i], &info); i++) {
		const char *slash = strrchr(info.dli_fname, '/');

		if (info.dli_fbase == own.dli_fbase)
			continue;
		size += snprintf(starve->where + size, sizeof(starve->where) - size, "%s+%#tx ",
				 slash ? slash + 1 : info.dli_fname,
				 (char *)frames[i] - (char *)info.dli_fbase - 1);
	}
}

static bool fails(void)
{
	unsigned int n;

	if (!starve || !starve->armed)
		return false;
	n = ++starve->calls;
	if (n < starve->first || n > starve->last)
		return false;
	starve->failed++;
	tell_where();
	errno = ENOMEM;
	return true;
}

static void hold(long n)
{
	if (starve && !forked)
		starve->held += n;
}

/*
 * What takes memory ends with the call, which becomes a jump: a sanitizer then sees who
 * wants it, and not us.  Of what the dynamic linker takes, it expects no pointer.
 */
void *malloc(size_t size)
{
	if (fails())
		return NULL;
	hold(1);
	return real(malloc)(size);
}

void *calloc(size_t n, size_t size)
{
	if (fails())
		return NULL;
	hold(1);
	return real(calloc)(n, size);
}

void *realloc(void *p, size_t size)
{
	if (fails())
		return NULL;
	hold(!p);
	return real(realloc)(p, size);
}

void *reallocarray(void *p, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, all);
}

void *memalign(size_t alignment, size_t size)
{
	if (fails())
		return NULL;
	hold(1);
	return real(memalign)(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
	void *p = memalign(alignment, size);

	if (!p)
		return ENOMEM;
	*ret = p;
	return 0;
}

void free(void *p)
{
	if (p)
		hold(-1);
	real(free)(p);
}

char *strndup(const char *s, size_t n)
{
	size_t length = strnlen(s, n);
	char *copy = malloc(length + 1);

	if (copy) {
		memcpy(copy, s, length);
		copy[length] = '\0';
	}
	return copy;
}

char *strdup(const char *s)
{
	return strndup(s, strlen(s));
}
