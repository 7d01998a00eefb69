/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Comparing everything: what the kernel's registry holds, what the daemon has
 * in memory, and what is mounted, in this order of authority.
 */
#ifndef ROOTVIEW_RECONCILE_H
#define ROOTVIEW_RECONCILE_H

#include "failure.h"
#include "kernel.h"
#include "origins.h"

/*
 * Makes @all what the registry holds, and mounts to match: those that nothing
 * in the registry belongs to go, missing ones are made.  What cannot be mounted
 * is logged, and no failure; a registry that cannot be read is one, and so are mounts
 * that cannot be looked at: then all mounts are left alone.
 */
int reconcile(struct origins *all, struct kernel *kernel, struct failure *f);

/* Sees to it that all mounts are there that should be, and no more than that. */
void reconcile_missing(struct origins *all);

/* Removes folders that nothing needs any more; while any job is at work, later. */
void reconcile_sweep(struct origins *all);

#endif
