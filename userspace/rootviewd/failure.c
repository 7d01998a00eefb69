// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What went wrong; failure.h is the contract.
 */
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* How many bytes of UTF-8 begin at @s; 0 if these are none. */
static size_t sequence(const unsigned char *s)
{
	size_t n = *s < 0x80 ? 1 : *s >= 0xc2 && *s < 0xe0 ? 2 : *s >= 0xe0 && *s < 0xf0 ? 3 :
		   *s >= 0xf0 && *s < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, and what is beyond Unicode. */
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] >= 0xa0) ||
	    (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] >= 0x90))
		return 0;
	return n;
}

/* A sentence that was cut off, or has a name of an image in it, must still be JSON. */
static void make_utf8(char *text)
{
	unsigned char *s = (unsigned char *)text;

	while (*s) {
		size_t n = sequence(s);

		if (!n)
			*s = '?';
		s += n ?: 1;
	}
}

static void describe(struct failure *f, enum failure_kind kind, const char *object,
		     const char *format, va_list ap)
{
	*f = (struct failure){ .kind = kind };
	snprintf(f->object, sizeof(f->object), "%s", object);
	vsnprintf(f->message, sizeof(f->message), format, ap);
	make_utf8(f->object);
	make_utf8(f->message);
}

int failed(struct failure *f, enum failure_kind kind, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	describe(f, kind, "", format, ap);
	va_end(ap);
	return -1;
}

int failed_about(struct failure *f, enum failure_kind kind, const char *object,
		 const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	describe(f, kind, object, format, ap);
	va_end(ap);
	return -1;
}

int failed_too_many(struct failure *f, const char *what, uint64_t limit, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	describe(f, FAILURE_TOO_MANY, what, format, ap);
	va_end(ap);
	f->views = limit;
	return -1;
}

int failed_step(struct failure *f, const char *object, const char *step, int error,
		const char *reason)
{
	if (!reason || !*reason)
		reason = strerror(error);
	failed(f, FAILURE_OPERATION_FAILED, "%s: cannot %s: %s", object, step, reason);
	snprintf(f->object, sizeof(f->object), "%s", object);
	snprintf(f->step, sizeof(f->step), "%s", step);
	snprintf(f->reason, sizeof(f->reason), "%s", reason);
	make_utf8(f->object);
	make_utf8(f->step);
	make_utf8(f->reason);
	return -1;
}
