/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All origins that the daemon knows, in the order of their ids.
 */
#ifndef ROOTVIEW_ORIGINS_H
#define ROOTVIEW_ORIGINS_H

#include <stdint.h>

#include "kernel.h"
#include "origin.h"
#include "context.h"

struct origins {
	const struct context *context;
	struct origin *first;
};

/* Adds an origin, which is owned from here.  NULL if memory is short. */
struct origin *origins_add(struct origins *all, const struct kernel_origin *from);

/* Releases an origin: see origin_release(); and frees it. */
void origins_remove(struct origins *all, struct origin *o);
void origins_remove_all(struct origins *all);

struct origin *origins_find_id(const struct origins *all, uint64_t id);
struct origin *origins_find_name(const struct origins *all, const char *name);

/* Frees all origins.  Mounts stay as they are. */
void origins_free(struct origins *all);

#endif
