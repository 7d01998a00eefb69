// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * All origins; origins.h is the contract.
 */
#include "origins.h"

#include "util.h"

struct origin *origins_add(struct origins *all, const struct kernel_origin *from)
{
	struct origin *o = origin_new(all->context, from);
	struct origin **link = &all->first;

	if (!o)
		return NULL;
	while (*link && (*link)->id < o->id)
		link = &(*link)->next;
	o->next = *link;
	*link = o;
	return o;
}

void origins_remove(struct origins *all, struct origin *o)
{
	struct origin **link = &all->first;

	while (*link != o)
		link = &(*link)->next;
	*link = o->next;
	origin_release(o);
	origin_free(o);
}

void origins_remove_all(struct origins *all)
{
	while (all->first)
		origins_remove(all, all->first);
}

struct origin *origins_find_id(const struct origins *all, uint64_t id)
{
	struct origin *o;

	for (o = all->first; o && o->id != id; o = o->next)
		;
	return o;
}

struct origin *origins_find_name(const struct origins *all, const char *name)
{
	struct origin *o;

	for (o = all->first; o && !streq(o->name, name); o = o->next)
		;
	return o;
}

void origins_free(struct origins *all)
{
	while (all->first) {
		struct origin *o = all->first;

		all->first = o->next;
		origin_free(o);
	}
}
