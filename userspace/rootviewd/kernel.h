/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The module's registry of origins and views, over generic netlink.
 * linux/rootview.h describes the protocol.
 *
 * One socket serves requests, another receives events.  The kernel queues the
 * event of a change before it answers the request for it: whoever asks for a
 * change and then reads all events that are there has read that change's own.
 */
#ifndef ROOTVIEW_KERNEL_H
#define ROOTVIEW_KERNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "failure.h"

struct kernel;

struct kernel_origin {
	const char *name;
	dev_t dev;
	uint64_t id;
	uint64_t generation;
	/* All of the following is 0 unless the kernel was asked for origins. */
	dev_t backing;
	uint64_t sectors;
	uint64_t views;
	uint64_t created;
	uint64_t deleted;
	uint64_t reads;
	uint64_t read_sectors;
	uint64_t refused;
	uint64_t errors;
};

struct kernel_view {
	const char *name;
	uint64_t id;
	const char *label;	/* NULL if it has none */
	uint64_t created_ns;	/* CLOCK_BOOTTIME */
	const void *blob;	/* NULL if it has none, or is deleted; else @blob_size bytes */
	size_t blob_size;
	bool withheld;		/* label and blob are not known: it went before one could ask */
};

/* One part of a batch; borrowed. */
struct kernel_request {
	bool delete;		/* or create */
	const char *name;
	uint64_t id;		/* to delete: of the view that is meant; 0 for any */
	const char *label;	/* to create: NULL for none */
	const char *blob;	/* likewise */
};

struct kernel_result {
	int error;		/* 0 or a positive errno */
	uint64_t id;
	char reason[128];	/* the kernel's sentence; may be empty */
};

enum kernel_event_type {
	KERNEL_NOTHING,			/* no event is there */
	KERNEL_ORIGIN_ADDED,
	KERNEL_ORIGIN_REMOVED,
	KERNEL_ORIGIN_FAILED,		/* its block device fails reads */
	KERNEL_VIEW_CREATED,
	KERNEL_VIEW_DELETED,		/* on request; not told of one that goes with its origin */
	KERNEL_MODULE_LOADED,
	KERNEL_MODULE_UNLOADED,		/* and with it all origins and ids */
	KERNEL_EVENTS_LOST,		/* ask for everything again */
};

/* The strings in it are valid until the next event is read. */
struct kernel_event {
	enum kernel_event_type type;
	struct kernel_origin origin;
	struct kernel_view view;
};

/*
 * Opens both sockets.  If the module is not loaded, the kernel is asked to load
 * it; a missing module is a failure that says so.  The caller closes what it
 * gets, and must not use it in a child after fork().
 */
int kernel_open(struct kernel **ret, struct failure *f);
void kernel_close(struct kernel *k);

/* The descriptor to poll for events. */
int kernel_events_fd(struct kernel *k);

/*
 * Reads one event, without waiting; KERNEL_NOTHING if there is none.  What the
 * socket itself reports comes as an event too, so this never fails.
 */
void kernel_read_event(struct kernel *k, struct kernel_event *ret);

/*
 * Creates and deletes the views of @requests on the origin called @origin, each
 * for itself, and puts what became of each into @results.  Fails as a whole with
 * NO_SUCH_ORIGIN or OPERATION_FAILED; then the results tell what was done: those
 * with neither error nor id were not (see netlink_batch_call()).
 */
int kernel_batch(struct kernel *k, const char *origin, const struct kernel_request *requests,
		 size_t n, struct kernel_result *results, struct failure *f);

/*
 * Describes what a result other than 0 means: NO_SUCH_VIEW, VIEW_EXISTS,
 * INVALID_NAME, TOO_MANY or OPERATION_FAILED.  Returns -1.
 */
int kernel_explain(const char *origin, const struct kernel_request *request,
		   const struct kernel_result *result, struct failure *f);

/* One deletion.  Fails with NO_SUCH_ORIGIN, NO_SUCH_VIEW or OPERATION_FAILED. */
int kernel_delete_view(struct kernel *k, const char *origin, const char *name, uint64_t id,
		       struct failure *f);

/* Whether the kernel has an origin of that name: 1 or 0; or -1 and OPERATION_FAILED. */
int kernel_has_origin(struct kernel *k, const char *name, struct failure *f);

/*
 * Hand all origins, or all views of all origins in the order of their ids, to
 * @each, which must not ask the kernel for anything, and whose strings are
 * valid during the call only.  If something changes meanwhile, @restart is
 * called, and everything comes again from the start.  A result of @each other
 * than 0 is taken as a negative errno and ends the dump.
 */
int kernel_dump_origins(struct kernel *k,
			int (*each)(const struct kernel_origin *origin, void *userdata),
			void (*restart)(void *userdata), void *userdata, struct failure *f);
int kernel_dump_views(struct kernel *k,
		      int (*each)(const struct kernel_origin *origin,
				  const struct kernel_view *view, void *userdata),
		      void (*restart)(void *userdata), void *userdata, struct failure *f);

#endif
