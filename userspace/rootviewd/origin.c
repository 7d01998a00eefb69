// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An origin and its variants; origin.h is the contract.
 */
#include "origin.h"

#include <inttypes.h>

#include "device.h"
#include "label.h"
#include "log.h"
#include "plan.h"
#include "util.h"
#include "view.h"

struct origin *origin_new(const struct runtime *rt, const struct kernel_origin *from)
{
	struct origin *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->fd = -1;
	o->runtime = rt;
	o->id = from->id;
	o->generation = from->generation;
	o->dev = from->dev;
	o->ours = device_is_ours(from->name);
	o->name = strdup(from->name);
	if (!o->name) {
		origin_free(o);
		return NULL;
	}
	return o;
}

static void forget_variants(struct origin *o)
{
	while (o->variants) {
		struct variant *v = o->variants;

		o->variants = v->next;
		variant_free(v);
	}
}

void origin_free(struct origin *o)
{
	if (!o)
		return;
	view_free_all(o);
	forget_variants(o);
	close_fd(&o->fd);
	free(o->name);
	free(o);
}

/* Its name is part of paths; of those of dmsetup, the kernel refuses '/' only. */
static int check_name(const struct origin *o, struct failure *f)
{
	if (!streq(o->name, ".") && !streq(o->name, ".."))
		return 0;
	return failed(f, FAILURE_INVALID_NAME, "an origin named \"%s\" cannot be mounted", o->name);
}

static int make_folders(const struct origin *o, struct failure *f)
{
	struct path folder = runtime_origin(o->runtime, o->name, NULL);
	char id[32];
	int r;

	snprintf(id, sizeof(id), "%" PRIu64, o->id);
	r = runtime_make_folder(folder.s);
	if (r == 0)
		r = runtime_write_line(runtime_join(&folder, "id").s, id);
	return r < 0 ? failed_step(f, folder.s, "make this folder", -r, NULL) : 0;
}

int origin_hold(struct origin *o, struct failure *f)
{
	if (o->fd < 0)
		o->fd = device_open(o->name, o->dev, o->device.s, f);
	return o->fd < 0 ? -1 : 0;
}

int origin_mount(struct origin *o, struct failure *f)
{
	if (o->variants)
		return 0;
	if (check_name(o, f) < 0 || origin_hold(o, f) < 0)
		return -1;
	if (make_folders(o, f) < 0 ||
	    variant_make_plain(o->runtime, o->name, o->fd, o->device.s, &o->variants, f) < 0) {
		runtime_sweep_origin(o->runtime, o->name);
		origin_relax(o);
		return -1;
	}
	return 0;
}

void origin_relax(struct origin *o)
{
	struct variant **link = o->variants ? &o->variants->next : NULL;

	while (link && *link) {
		struct variant *v = *link;

		if (v->views == 0) {
			*link = v->next;
			variant_drop(v);
		} else {
			link = &v->next;
		}
	}
	if (o->n_views == 0) {
		close_fd(&o->fd);
		if (!o->ours && o->variants)
			origin_release(o);
	}
}

void origin_release(struct origin *o)
{
	view_unmount_all(o);
	while (o->variants) {
		struct variant *v = o->variants;

		o->variants = v->next;
		variant_drop(v);
	}
	close_fd(&o->fd);
	if (!streq(o->name, ".") && !streq(o->name, ".."))
		runtime_sweep_origin(o->runtime, o->name);
}

struct variant *origin_find_variant(const struct origin *o, const char *label)
{
	struct variant *v = o->variants;

	if (!v || !plan_needs_overlay(label, v->label))
		return v;
	for (v = v->next; v && !streq_null(v->label, label); v = v->next)
		;
	return v;
}

int origin_get_variant(struct origin *o, const char *label, struct variant **ret,
		       struct failure *f)
{
	cleanup_free char *canonical = NULL;
	struct variant *plain, *v;

	if (label && label_check(label, &canonical, f) < 0)
		return -1;
	if (origin_mount(o, f) < 0)
		return -1;
	*ret = origin_find_variant(o, canonical);
	if (*ret)
		return 0;
	plain = o->variants;
	if (variant_make_labelled(o->runtime, o->name, plain, canonical, &v, f) < 0)
		return -1;
	v->next = plain->next;
	plain->next = v;
	*ret = v;
	return 0;
}

void origin_find_mounts(struct origin *o, struct mountinfo *table)
{
	cleanup_free char *id = NULL;

	forget_variants(o);
	/* Of an origin that had the name before, nothing can be used. */
	if (runtime_read_line(runtime_origin(o->runtime, o->name, "id").s, &id) < 0 ||
	    strtoull(id, NULL, 10) != o->id)
		return;
	o->variants = variant_find_mounted(o->runtime, o->name, o->dev, table);
}
