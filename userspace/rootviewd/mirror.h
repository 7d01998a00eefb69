/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The mirror: what the kernel's registry holds, and mounts made to match.
 *
 * The kernel is the truth.  Its events are followed one by one, each with the
 * number that its origin gave it.  Where one is missing, and at the start,
 * everything is asked for again and compared with what is mounted: views
 * without mounts get them, mounts without views go.
 */
#ifndef ROOTVIEW_MIRROR_H
#define ROOTVIEW_MIRROR_H

#include <stdint.h>
#include <systemd/sd-event.h>

#include "context.h"
#include "failure.h"
#include "kernel.h"
#include "origin.h"
#include "view.h"

struct mirror;

/*
 * Makes a mirror of the registry, and mounts to match, and follows the events in
 * the context's loop, for which it makes the context's timer.  @kernel and @context must
 * outlive it.
 */
int mirror_new(struct mirror **ret, struct kernel *kernel, struct context *context,
	       struct failure *f);

/*
 * Calls @told with every event that was followed, and with KERNEL_EVENTS_LOST where some
 * could not be.  It must not ask the mirror or the kernel for anything.
 */
void mirror_set_listener(struct mirror *m,
			 void (*told)(void *userdata, const struct kernel_event *event),
			 void *userdata);

/* Frees the mirror.  Mounts stay as they are. */
void mirror_free(struct mirror *m);

/*
 * Takes in all that has happened so far.  A view that cannot be mounted is no
 * failure; a registry that cannot be read is, and is read again later.
 */
int mirror_update(struct mirror *m, struct failure *f);

/*
 * The same, after reading all of the registry again: for what the kernel has no
 * event for, which is the renaming of a device.
 */
int mirror_read_again(struct mirror *m, struct failure *f);

/* What these return is valid until the next mirror_update(). */
struct origin *mirror_first_origin(struct mirror *m);
struct origin *mirror_find_origin(struct mirror *m, const char *name);
struct origin *mirror_find_origin_id(struct mirror *m, uint64_t id);
struct origin *mirror_find_origin_serial(struct mirror *m, uint64_t serial);
/* The one that AddOrigin loaded with that name; it may have another by now. */
struct origin *mirror_find_added(struct mirror *m, const char *name);

/* For reconcile.c: adds an origin, which is owned from here.  NULL if memory is short. */
struct origin *mirror_add_origin(struct mirror *m, const struct kernel_origin *from);

/* Likewise: unmounts all that an origin has, and frees it with its views. */
void mirror_remove_origin(struct mirror *m, struct origin *o);

/*
 * Likewise, of one that has another name now, and so other paths: returns another origin for it, or
 * NULL if memory or the like is short.
 */
struct origin *mirror_rename_origin(struct mirror *m, struct origin *o,
				    const struct kernel_origin *from);

#endif
