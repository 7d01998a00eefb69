/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The workshop of an origin: makes its variants, and drops those that nobody uses.
 *
 * Whatever waits for the origin's disk is done by jobs, one at a time for each origin, in the
 * order in which it was asked for: a slow disk holds up nobody else.  A job that came to no end
 * in time has failed; while its child still hangs, nothing else is begun on that origin, nor on
 * one that has its name then.
 */
#ifndef ROOTVIEW_WORKSHOP_H
#define ROOTVIEW_WORKSHOP_H

#include "failure.h"
#include "origin.h"
#include "variant.h"

/* What is asked for: to know what the image lacks, or a mount. */
enum workshop_wish { WORKSHOP_LOOK, WORKSHOP_MOUNT };

/*
 * Sees to it that of @v, a variant of @o which the caller uses, there is what @wish says.  Returns
 * 1 if it is so, or 0: then @told is called later, once, and never before this returns.  Without
 * @told nobody waits: the log says then what goes wrong, and what was for want of something is
 * tried again.  Fails with INVALID_NAME, INVALID_LABEL, UNSUPPORTED_FILE_SYSTEM, NEEDS_RECOVERY,
 * INVALID_MOUNT_POINT, NOT_SUPPORTED or OPERATION_FAILED.
 */
int workshop_request(struct origin *o, struct variant *v, enum workshop_wish wish,
		     variant_told_t told, void *userdata, struct failure *f);

/* Mounts the origin's own file system, if it is to stay mounted without views; nobody waits. */
void workshop_restore(struct origin *o);

/* One user of @v less; a variant without users goes after the grace period. */
void workshop_end_use(struct origin *o, struct variant *v);

/*
 * Ends what is at work, unmounts everything, removes folders, and lets go of the device if there
 * are no views.  Who waits is told that the origin was removed.
 */
void workshop_release(struct origin *o);

/*
 * Finds what is mounted already of an origin of which no mount is known.  Returns a negative errno
 * if it cannot be looked at now, and then nothing is known as before.
 */
int workshop_find(struct origin *o);

/* Whether something is at work in the folders of an origin of that name. */
bool workshop_is_busy(const struct context *context, const char *name);

/* Opens an origin's workshop, and closes it for good: mounts stay as they are. */
int workshop_open(struct origin *o);
void workshop_close(struct origin *o);

#endif
