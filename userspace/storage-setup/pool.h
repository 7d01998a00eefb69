/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The thin pool, and the volume group that it lies in.
 *
 * Each step looks at what is there first, and does what is missing: after a
 * crash, the same steps finish what was begun.  Functions return 0, or -1 and
 * have said why.
 */
#ifndef ROOTVIEW_STORAGE_SETUP_POOL_H
#define ROOTVIEW_STORAGE_SETUP_POOL_H

#include <stdbool.h>

#include "lvm.h"
#include "storage.h"

struct setup {
	const char *config;		/* the file */
	struct storage storage;		/* what it says, or is to say */
	bool recorded;			/* it says so already: what we find may be ours */
	bool wipe;			/* the device may hold data */
	bool changed;			/* something was done */
};

/* Makes the volume group on the device, if there is one, and records that before. */
int pool_ensure_group(struct setup *setup);

/* Makes the pool, activates it, records it. */
int pool_ensure(struct setup *setup, struct lvm_volume *ret);

/*
 * Makes the pool larger: up to a size, or by "N%" of what the volume group has free.
 */
int pool_grow(struct setup *setup, const char *size);

/* Whether that is a size, or "N%". */
bool pool_is_size(const char *text);

#endif
