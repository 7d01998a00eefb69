/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The trash: mounts that are no longer wanted, taken away many at a time.
 *
 * Unmounting waits for all processors to have noticed.  So a mount is moved
 * under a mount of our own, out of everybody's sight, and that one is unmounted a
 * moment later with all that has gathered below it: one wait for all of them.
 */
#ifndef ROOTVIEW_TRASH_H
#define ROOTVIEW_TRASH_H

#include <systemd/sd-event.h>

#include "runtime.h"

struct trash;

/*
 * Makes one in @rt, emptied by the loop @loop; both must outlive it.  Empties first what
 * a daemon left there that was killed.  NULL if memory is short.
 */
struct trash *trash_new(const struct runtime *rt, sd_event *loop);

/* Empties it, waiting, and frees it. */
void trash_free(struct trash *trash);

/*
 * Takes the mount at @path away from there; what is not possible is logged.
 * Nothing may be mounted there.  The folder stays.
 */
void trash_put(struct trash *trash, const char *path);

/* Begins to empty it now. */
void trash_flush(struct trash *trash);

#endif
