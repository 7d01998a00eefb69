// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A view; view.h is the contract.
 */
#include "view.h"

#include <search.h>

#include "label.h"
#include "log.h"
#include "mount.h"
#include "util.h"

static int compare(const void *a, const void *b)
{
	const struct view *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static void view_free(void *p)
{
	struct view *v = p;

	free(v->name);
	free(v->label);
	free(v);
}

struct view *view_new(struct origin *o, const struct kernel_view *from)
{
	struct view *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->id = from->id;
	v->origin = o;
	v->created_ns = from->created_ns;
	v->name = strdup(from->name);
	v->label = from->label ? strdup(from->label) : NULL;
	if (!v->name || (from->label && !v->label) || !tsearch(v, &o->views, compare)) {
		view_free(v);
		return NULL;
	}
	o->n_views++;
	return v;
}

struct view *view_find(struct origin *o, uint64_t id)
{
	struct view key = { .id = id };
	void *node = tfind(&key, &o->views, compare);

	return node ? *(struct view **)node : NULL;
}

struct path view_path(const struct view *v)
{
	return runtime_view(v->origin->runtime, v->origin->name, v->name);
}

/*
 * Mounts.
 */

static void unmount(struct view *v, void *userdata)
{
	struct path path = view_path(v);
	int r;

	(void)userdata;
	if (!v->variant)
		return;
	v->variant->views--;
	v->variant = NULL;
	r = mount_detach(path.s);
	if (r < 0)
		log_warning("%s: cannot unmount it: %s", path.s, strerror(-r));
	(void)rmdir(path.s);
}

/* Clones the variant's mount to the view's path. */
static int mount_at_path(struct view *v, const struct variant *variant, struct failure *f)
{
	struct path folder = runtime_view(v->origin->runtime, v->origin->name, NULL);
	struct path path = view_path(v);
	int r;

	r = runtime_make_folder(folder.s);
	if (r == 0)
		r = runtime_make_folder(path.s);
	if (r < 0)
		return failed_step(f, path.s, "make this folder", -r, NULL);
	r = mount_clone(variant->path, variant->dev, path.s);
	if (r < 0) {
		(void)rmdir(path.s);
		return failed_step(f, path.s, "mount the view there", -r, NULL);
	}
	return 0;
}

int view_ensure_mounted(struct view *v, struct failure *f)
{
	struct variant *variant;

	if (v->variant)
		return 0;
	/* A view keeps its device even if it cannot be mounted. */
	if (origin_hold(v->origin, f) < 0 ||
	    origin_get_variant(v->origin, v->label, &variant, f) < 0)
		return -1;
	if (mount_at_path(v, variant, f) < 0) {
		origin_relax(v->origin);
		return -1;
	}
	v->variant = variant;
	variant->views++;
	return 0;
}

void view_try_mount(struct view *v)
{
	struct failure f;

	if (view_ensure_mounted(v, &f) < 0)
		log_warning("view %s of origin %s is not mounted: %s", v->name, v->origin->name,
			    f.message);
}

void view_find_mount(struct view *v, struct mountinfo *table)
{
	struct mountinfo_entry *entry = mountinfo_find(table, view_path(v).s);
	cleanup_free char *label = NULL;
	struct variant *variant;
	struct failure ignored;

	v->variant = NULL;
	if (!entry || (v->label && label_check(v->label, &label, &ignored) < 0))
		return;
	variant = origin_find_variant(v->origin, label);
	if (!variant || entry->dev != variant->dev)
		return;
	entry->claimed = true;
	v->variant = variant;
	variant->views++;
}

/*
 * All views of an origin.
 */

void view_remove(struct view *v)
{
	struct origin *o = v->origin;

	unmount(v, NULL);
	tdelete(v, &o->views, compare);
	o->n_views--;
	view_free(v);
	origin_relax(o);
}

struct walk {
	void (*each)(struct view *v, void *userdata);
	void *userdata;
};

static void visit(const void *node, VISIT which, void *userdata)
{
	struct walk *walk = userdata;

	if (which == postorder || which == leaf)
		walk->each(*(struct view *const *)node, walk->userdata);
}

void view_each(struct origin *o, void (*each)(struct view *v, void *userdata), void *userdata)
{
	struct walk walk = { .each = each, .userdata = userdata };

	twalk_r(o->views, visit, &walk);
}

void view_unmount_all(struct origin *o)
{
	view_each(o, unmount, NULL);
}

void view_free_all(struct origin *o)
{
	tdestroy(o->views, view_free);
	o->views = NULL;
	o->n_views = 0;
}
