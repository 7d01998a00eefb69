/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is said on stderr.
 */
#ifndef ROOTVIEW_STORAGE_SETUP_SAY_H
#define ROOTVIEW_STORAGE_SETUP_SAY_H

#include <stdarg.h>
#include <stdio.h>

/* One line, behind the program's name.  Always returns -1. */
__attribute__((format(printf, 1, 2)))
static inline int complain(const char *format, ...)
{
	va_list ap;

	fputs("rootview-storage-setup: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return -1;
}

#endif
