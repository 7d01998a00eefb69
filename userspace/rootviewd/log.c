// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The log; log.h is the contract.
 */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "text.h"

static int max_level = 6;

void log_line(int level, const char *format, ...)
{
	char text[2048];
	va_list ap;

	if (level > max_level)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	/* What clients write is in here, too: none of them makes a line of its own. */
	text_make_line(text);
	/* One write for a line, so that lines of two writers do not mix. */
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "rootviewd: %s\n", text);
	else
		fprintf(stderr, "<%d>%s\n", level, text);
}

void log_set_level(int level)
{
	max_level = level;
}
