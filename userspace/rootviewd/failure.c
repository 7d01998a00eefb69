// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What went wrong; failure.h is the contract.
 */
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"
#include "util.h"

static void describe_failure(struct failure *f, enum failure_kind kind, const char *object,
			     const char *format, va_list ap)
{
	*f = (struct failure){ .kind = kind };
	snprintf(f->object, sizeof(f->object), "%s", object);
	vsnprintf(f->message, sizeof(f->message), format, ap);
	text_make_utf8(f->object);
	text_make_utf8(f->message);
}

int failed(struct failure *f, enum failure_kind kind, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	describe_failure(f, kind, "", format, ap);
	va_end(ap);
	return -1;
}

int failed_about(struct failure *f, enum failure_kind kind, const char *object,
		 const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	describe_failure(f, kind, object, format, ap);
	va_end(ap);
	return -1;
}

int failed_too_many(struct failure *f, const char *what, uint64_t limit, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	describe_failure(f, FAILURE_TOO_MANY, what, format, ap);
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
	f->error = error;
	text_make_utf8(f->object);
	text_make_utf8(f->step);
	text_make_utf8(f->reason);
	return -1;
}

bool failure_is_shortage(const struct failure *f)
{
	return f->kind == FAILURE_OPERATION_FAILED && is_shortage(f->error);
}
