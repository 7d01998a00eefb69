/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the daemon does for its clients, whatever language they speak.
 *
 * Every function first takes in what has happened in the kernel so far, so its
 * answer is about now.  Of a request that fails, nothing is left.
 */
#ifndef ROOTVIEW_SERVICE_H
#define ROOTVIEW_SERVICE_H

#include "failure.h"
#include "kernel.h"
#include "mirror.h"

/* All borrowed. */
struct service {
	struct kernel *kernel;
	struct mirror *mirror;
};

/*
 * Exposes the block device at path @device under @name, and mounts its file
 * system.  Fails with INVALID_NAME, NO_SUCH_DEVICE, ORIGIN_EXISTS, ORIGIN_BUSY
 * (the block device is in use), UNSUPPORTED_FILE_SYSTEM, NEEDS_RECOVERY or
 * OPERATION_FAILED.
 */
int service_add_origin(struct service *s, const char *name, const char *device,
		       struct failure *f);

/* Fails with INVALID_NAME, NO_SUCH_ORIGIN, ORIGIN_BUSY or OPERATION_FAILED. */
int service_remove_origin(struct service *s, const char *name, struct failure *f);

/*
 * Calls @each with every origin, or with the one called @name if that is not
 * NULL, after bringing its counters up to date.  Fails with NO_SUCH_ORIGIN or
 * OPERATION_FAILED.
 */
int service_list_origins(struct service *s, const char *name,
			 void (*each)(struct origin *o, void *userdata), void *userdata,
			 struct failure *f);

/*
 * Creates a view, and mounts it.  @label may be NULL.  What it puts into @ret is
 * valid until the next call of any function here.  Fails with INVALID_NAME,
 * NO_SUCH_ORIGIN, VIEW_EXISTS, INVALID_LABEL, LABELS_UNAVAILABLE, or as
 * service_add_origin() where the origin is not mounted yet.
 */
int service_create_view(struct service *s, const char *origin, const char *name,
			const char *label, struct view **ret, struct failure *f);

/* Fails with INVALID_NAME, NO_SUCH_ORIGIN, NO_SUCH_VIEW or OPERATION_FAILED. */
int service_delete_view(struct service *s, const char *origin, const char *name,
			struct failure *f);

/*
 * Calls @each with every view, or with those of the origin called @origin if
 * that is not NULL.  Fails with NO_SUCH_ORIGIN or OPERATION_FAILED.
 */
int service_list_views(struct service *s, const char *origin,
		       void (*each)(struct view *v, void *userdata), void *userdata,
		       struct failure *f);

#endif
