/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Comparing everything: what the kernel's registry holds, what the daemon has
 * in memory, and what is mounted, in this order of authority.
 */
#ifndef ROOTVIEW_RECONCILE_H
#define ROOTVIEW_RECONCILE_H

#include "failure.h"
#include "kernel.h"
#include "mirror.h"

/*
 * Makes @m what the registry holds, and mounts to match: those that nothing
 * in the registry belongs to go, missing ones are made.  What cannot be mounted
 * is logged, and no failure; a registry that cannot be read is one, and so are mounts
 * that cannot be looked at: then all mounts are left alone.
 */
int reconcile(struct mirror *m, struct kernel *kernel, const struct context *context,
	      struct failure *f);

/* Sees to it that all mounts are there that should be, and no more than that. */
void reconcile_missing(struct mirror *m);

/* Removes folders that nothing needs any more, and no job is at work in. */
void reconcile_sweep(struct mirror *m, const struct context *context);

#endif
