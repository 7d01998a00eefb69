/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the daemon does for its clients, whatever language they speak.
 *
 * Every function first takes in what has happened in the kernel so far, so its
 * answer is about now.  Of a request that fails, nothing is left.
 *
 * What may have to wait for a disk is answered by a call of a function that comes
 * with the request: exactly once, at once or later, unless the request itself
 * fails.  If that finds that the answer cannot be made, it says so, what was done is
 * undone, and it is called once more.
 */
#ifndef ROOTVIEW_SERVICE_H
#define ROOTVIEW_SERVICE_H

#include "cgroup.h"
#include "context.h"
#include "failure.h"
#include "kernel.h"
#include "mirror.h"
#include "mountpoints.h"
#include "spec.h"

/* Requests that wait for a disk. */
#define SERVICE_WAITING_MAX	4096

LIST_HEAD(change_list, change);

/* What goes on, once it is ready, from the event loop. */
struct pending {
	TAILQ_ENTRY(pending) next;
	bool ready;
	void (*go_on)(struct pending *p);
};

struct service {
	/* Borrowed. */
	struct kernel *kernel;
	struct mirror *mirror;
	const struct context *context;

	size_t waiting;		/* requests */
	struct change_list changes;	/* origins that are being added or removed */
	void *reserved;		/* a tree of names of views that are being created */
	TAILQ_HEAD(, pending) ready;
	sd_event_source *defer;	/* for those */
};

/* @kernel, @mirror and @context must outlive it.  Fails with OPERATION_FAILED. */
int service_init(struct service *s, struct kernel *kernel, struct mirror *mirror,
		 const struct context *context, struct failure *f);
/* Ends it.  What waits is not answered any more. */
void service_done(struct service *s);

/* @f is NULL if all went well: then it may return -1, after describing why in @why. */
typedef int (*service_done_t)(void *userdata, const struct failure *f, struct failure *why);

/*
 * Exposes the block device at path @device, or if that is NULL the one with that @number, under
 * @name, and mounts its file system, with @label for its files; NULL for the policy's, or
 * LABEL_NATIVE.  Fails with INVALID_NAME, NO_SUCH_DEVICE, ORIGIN_EXISTS (of that name, or of that
 * device), ORIGIN_BUSY (the block device is in use), INVALID_LABEL, LABELS_UNAVAILABLE,
 * UNSUPPORTED_FILE_SYSTEM, NEEDS_RECOVERY, TOO_MANY or OPERATION_FAILED.
 */
int service_add_origin(struct service *s, const char *name, const char *device, dev_t number,
		       const char *label, service_done_t done, void *userdata,
		       struct failure *f);

/* Fails with INVALID_NAME, NO_SUCH_ORIGIN, ORIGIN_BUSY, TOO_MANY or OPERATION_FAILED. */
int service_remove_origin(struct service *s, const char *name, service_done_t done,
			  void *userdata, struct failure *f);

/*
 * Calls @each with every origin, or with the one called @name if that is not
 * NULL, after bringing its counters up to date.  Fails with NO_SUCH_ORIGIN or
 * OPERATION_FAILED.
 */
int service_list_origins(struct service *s, const char *name,
			 void (*each)(struct origin *o, void *userdata), void *userdata,
			 struct failure *f);

/* Which view of an origin is meant: by name, by id, or by both, and then both must hold. */
struct view_key {
	const char *name;	/* NULL for any */
	uint64_t id;		/* 0 for any */
};

/* A view to be created. */
struct view_request {
	const char *name;	/* borrowed */
	const char *label;	/* NULL if none; borrowed */
	struct spec spec;	/* taken, unless the whole fails */
	bool bad;		/* could not be read: @failure says why */
	struct failure failure;
};

/* What became of one. */
struct view_result {
	char *name;
	uint64_t id;		/* of the view; 0 once that is undone */
	int descriptor;		/* for whoever answers; -1 at first: of a mount of it */
	bool bad;
	struct failure failure;
	struct batch *batch;	/* for service.c */
	bool reserved;		/* likewise: its name is */
};

struct views_done {
	struct origin *origin;	/* NULL if that has gone meanwhile */
	struct view_result *results;
	size_t n;
};

/*
 * What is in @all is valid during the call only.  It may return -1 after marking more of
 * them as bad.
 */
typedef int (*service_views_t)(void *userdata, const struct views_done *all);

/*
 * Creates views, once there is what they ask for.  Each result fails with
 * INVALID_NAME, VIEW_EXISTS, INVALID_LABEL, LABELS_UNAVAILABLE, INVALID_MOUNT_POINT,
 * NO_SUCH_CGROUP, NOT_SUPPORTED, or as service_add_origin() where the origin is not
 * mounted yet: such a view was never there.  The whole fails with NO_SUCH_ORIGIN,
 * ORIGIN_BUSY (it is being removed), TOO_MANY or OPERATION_FAILED.
 */
int service_create_views(struct service *s, const char *origin, struct view_request *requests,
			 size_t n, service_views_t done, void *userdata, struct failure *f);

/*
 * Sees to it that a view has a mount to be given out.  There is one result, and the view stays
 * whatever becomes of that.  Fails with NO_SUCH_ORIGIN, NO_SUCH_VIEW, INVALID_REQUEST for a view
 * that is a device alone, TOO_MANY or OPERATION_FAILED.
 */
int service_open_view(struct service *s, const char *origin, const struct view_key *key,
		      service_views_t done, void *userdata, struct failure *f);

/*
 * Deletes views; at once, and some of them if not all can be.  Each result fails with
 * INVALID_NAME, NO_SUCH_VIEW or OPERATION_FAILED, the whole with NO_SUCH_ORIGIN or
 * OPERATION_FAILED.  The caller frees the results with service_free_results().
 */
int service_delete_views(struct service *s, const char *origin, const struct view_key *keys,
			 size_t n, struct view_result **ret, struct failure *f);
void service_free_results(struct view_result *results, size_t n);

/*
 * Calls @each with every view, or with those of the origin called @origin if
 * that is not NULL, or with the one that @key tells, if that is not empty.  Fails with
 * NO_SUCH_ORIGIN, NO_SUCH_VIEW, INVALID_REQUEST (a key without an origin) or OPERATION_FAILED.
 */
int service_list_views(struct service *s, const char *origin, const struct view_key *key,
		       void (*each)(struct view *v, void *userdata), void *userdata,
		       struct failure *f);

/* @missing is NULL after a failure. */
typedef void (*service_missing_t)(void *userdata, sd_json_variant *missing,
				  const struct failure *f);

/*
 * Finds out which of @points the image lacks; takes them.  Fails as
 * service_add_origin(), and with INVALID_MOUNT_POINT.
 */
int service_check(struct service *s, const char *origin, struct mount_points *points,
		  service_missing_t done, void *userdata, struct failure *f);

#endif
