// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What went wrong; failure.h is the contract.
 */
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int failed(struct failure *f, enum failure_kind kind, const char *format, ...)
{
	va_list ap;

	*f = (struct failure){ .kind = kind };
	va_start(ap, format);
	vsnprintf(f->message, sizeof(f->message), format, ap);
	va_end(ap);
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
	return -1;
}
