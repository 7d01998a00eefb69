/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What went wrong, in the form in which a client is told of it; and how errors are returned in all
 * of the daemon.
 *
 * A function that a request can fail in takes a struct failure, as its last argument, and returns
 * 0, or -1 after describing the failure in it; it does not touch it on success.  Each kind is one
 * error of the io.rootview interface.  The sentence is complete where the failure arises: nobody on
 * the way up adds to it.
 *
 * A function that knows too little for a sentence returns 0 or a negative errno, and its caller
 * describes that.  Where there is a third answer, or an answer that is a number or a descriptor, it
 * is not negative.  What makes an object returns NULL where all that can be wanting is memory or
 * the like, as free_...() functions take NULL; what answers a question that cannot fail is a bool.
 */
#ifndef ROOTVIEW_FAILURE_H
#define ROOTVIEW_FAILURE_H

#include <stdbool.h>
#include <stdint.h>

enum failure_kind {
	FAILURE_OPERATION_FAILED,	/* the machine; every other kind is the request's fault */
	FAILURE_ORIGIN_EXISTS,
	FAILURE_NO_SUCH_ORIGIN,
	FAILURE_ORIGIN_BUSY,
	FAILURE_NO_SUCH_DEVICE,
	FAILURE_NO_SUCH_VIEW,
	FAILURE_VIEW_EXISTS,
	FAILURE_INVALID_NAME,
	FAILURE_INVALID_LABEL,
	FAILURE_LABELS_UNAVAILABLE,
	FAILURE_UNSUPPORTED_FILE_SYSTEM,
	FAILURE_NEEDS_RECOVERY,
	FAILURE_INVALID_REQUEST,
	FAILURE_INVALID_MOUNT_POINT,
	FAILURE_INVALID_ID_MAP,
	FAILURE_NO_SUCH_CGROUP,
	FAILURE_NO_SUCH_PROCESS,
	FAILURE_NOT_SUPPORTED,
	FAILURE_TOO_MANY,
};

struct failure {
	enum failure_kind kind;
	char message[1024];	/* a sentence for people; cut off if longer */

	/* The parameters of single kinds that a client's own request does not hold. */
	/*
	 * OPERATION_FAILED; the parameter of INVALID_REQUEST, the path of
	 * INVALID_MOUNT_POINT, the cgroup of NO_SUCH_CGROUP, the feature of
	 * NOT_SUPPORTED, for TOO_MANY what there are too many of.
	 */
	char object[256];
	char step[256];		/* OPERATION_FAILED */
	char reason[512];	/* OPERATION_FAILED */
	int error;		/* likewise: the errno behind it, 0 if that is not known */
	char file_system[32];	/* UNSUPPORTED_FILE_SYSTEM, NEEDS_RECOVERY; may be empty */
	uint64_t views;		/* ORIGIN_BUSY; the limit of TOO_MANY */
};

/* Describes a failure of @kind by a sentence.  Always returns -1. */
int failed(struct failure *f, enum failure_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for a kind that has @object; what of it does not fit is cut off. */
int failed_about(struct failure *f, enum failure_kind kind, const char *object,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* TOO_MANY, where @limit is how many there may be. */
int failed_too_many(struct failure *f, const char *what, uint64_t limit, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Describes that @step, such as "mount the file system", failed on @object
 * because of @reason, or, if that is NULL or empty, of @error, a positive
 * errno.  Always returns -1.
 */
int failed_step(struct failure *f, const char *object, const char *step, int error,
		const char *reason);

/* Whether it comes of a want that may be over a moment later. */
bool failure_is_shortage(const struct failure *f);

#endif
