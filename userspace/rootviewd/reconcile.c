// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Comparing the kernel's registry, our origins and the mounts; reconcile.h is the
 * contract.
 */
#include "reconcile.h"

#include "util.h"
#include "view.h"
#include "workshop.h"

/*
 * What the kernel has.
 */

static void unsee_view(struct view *v, void *userdata)
{
	(void)userdata;
	v->seen = false;
}

static void unsee_views(void *userdata)
{
	for (struct origin *o = mirror_first_origin(userdata); o; o = o->next)
		view_each(o, unsee_view, NULL);
}

static void unsee_origins(void *userdata)
{
	for (struct origin *o = mirror_first_origin(userdata); o; o = o->next)
		o->seen = false;
}

/* Returns 0, or a negative errno; -EINTR for a renamed origin, which begins anew. */
static int note_origin(struct mirror *m, const struct kernel_origin *from, struct origin **ret)
{
	struct origin *o = mirror_find_origin_id(m, from->id);
	bool renamed = o && !streq(o->name, from->name);

	/* Its name is part of its paths. */
	if (renamed)
		o = mirror_rename_origin(m, o, from);
	else if (!o)
		o = mirror_add_origin(m, from);
	if (!o)
		return -ENOMEM;
	o->seen = true;
	o->generation = from->generation;
	*ret = o;
	return renamed ? -EINTR : 0;
}

static int see_origin(const struct kernel_origin *from, void *userdata)
{
	struct origin *o;

	return note_origin(userdata, from, &o);
}

static int see_view(const struct kernel_origin *origin, const struct kernel_view *from,
		    void *userdata)
{
	struct origin *o;
	struct view *v;
	int r;

	r = note_origin(userdata, origin, &o);
	if (r < 0)
		return r;
	v = view_find(o, from->id) ?: view_new(o, from);
	if (!v)
		return -ENOMEM;
	v->seen = true;
	return 0;
}

struct unseen {
	struct view **views;
	size_t n;
};

static void collect_unseen(struct view *v, void *userdata)
{
	struct unseen *unseen = userdata;

	if (!v->seen)
		unseen->views[unseen->n++] = v;
}

/* Removes what the kernel has no more. */
static int remove_unseen(struct mirror *m)
{
	struct origin *o, *next;

	for (o = mirror_first_origin(m); o; o = next) {
		cleanup_free struct view **views = NULL;
		struct unseen unseen;

		next = o->next;
		if (!o->seen) {
			mirror_remove_origin(m, o);
			continue;
		}
		views = calloc(o->n_views + 1, sizeof(*views));
		if (!views)
			return -ENOMEM;
		unseen = (struct unseen){ .views = views };
		view_each(o, collect_unseen, &unseen);
		for (size_t i = 0; i < unseen.n; i++)
			view_remove(views[i]);
	}
	return 0;
}

/*
 * What is mounted.
 */

/* Jobs are at work there: what they have mounted is not known yet. */
static bool is_busy(const struct origin *o)
{
	return o->work || !TAILQ_EMPTY(&o->queue);
}

/*
 * What a view asked for is written down before the kernel has the view, and
 * removed after that has gone: a daemon that was killed in between leaves it.
 */
static bool has_folder(const struct view *v, const void *userdata)
{
	const int64_t *folder = userdata;

	return v->folder == *folder;
}

/* Of the origin @userdata, NULL if there is none. */
static void sweep_wanted(const struct path *variant, void *userdata)
{
	int64_t folder = strtoll(strrchr(variant->s, '/') + 1, NULL, 10);
	struct path path = runtime_join(variant, "wanted");

	if (access(path.s, F_OK) < 0)
		return;
	if (!userdata || !view_any(userdata, has_folder, &folder))
		(void)unlink(path.s);
}

static void sweep_origin_wanted(const struct path *folder, void *userdata)
{
	(void)runtime_each_entry(runtime_join(folder, "variants").s, sweep_wanted,
				 mirror_find_origin(userdata, strrchr(folder->s, '/') + 1));
}

struct strangers {
	struct mirror *mirror;
	const struct context *context;
	int r;
};

/* Whether a job makes folders there just now, which look like some that were left behind. */
static bool has_job(const struct strangers *strangers, const char *name)
{
	const struct origin *o = mirror_find_origin(strangers->mirror, name);

	return (o && is_busy(o)) || workshop_is_busy(strangers->context, name);
}

static void sweep_one(const struct path *folder, void *userdata)
{
	const char *name = strrchr(folder->s, '/') + 1;
	const struct strangers *strangers = userdata;

	if (!has_job(strangers, name))
		runtime_sweep_origin(strangers->context->runtime, name);
}

void reconcile_sweep(struct mirror *m, const struct context *context)
{
	struct strangers strangers = { .mirror = m, .context = context };

	(void)runtime_each_entry(runtime_origins(context->runtime).s, sweep_one, &strangers);
}

static void detach_stranger(const struct path *folder, void *userdata)
{
	const char *name = strrchr(folder->s, '/') + 1;
	struct strangers *strangers = userdata;
	int r;

	if (mirror_find_origin(strangers->mirror, name) ||
	    workshop_is_busy(strangers->context, name))
		return;
	r = runtime_detach_origin(folder);
	strangers->r = r < 0 ? r : strangers->r;
}

/* Looks at what is mounted, of all that nothing is at work on. */
static int find_mounts(struct mirror *m, const struct context *context)
{
	struct strangers strangers = { .mirror = m, .context = context };
	struct path origins = runtime_origins(context->runtime);
	int r;

	for (struct origin *o = mirror_first_origin(m); o; o = o->next) {
		r = is_busy(o) || variants_count(&o->variants) ||
		    workshop_is_busy(context, o->name) ? 0 : workshop_find(o);
		if (r < 0)
			return r;
	}
	r = runtime_each_entry(origins.s, detach_stranger, &strangers);
	return r < 0 ? r : strangers.r;
}

static void restore_view(struct view *v, void *userdata)
{
	(void)userdata;
	view_restore(v);
}

void reconcile_missing(struct mirror *m)
{
	for (struct origin *o = mirror_first_origin(m); o; o = o->next) {
		view_each(o, restore_view, NULL);
		workshop_restore(o);
		origin_relax(o);
	}
}

int reconcile(struct mirror *m, struct kernel *kernel, const struct context *context,
	      struct failure *f)
{
	struct path origins = runtime_origins(context->runtime);
	int r;

	unsee_origins(m);
	unsee_views(m);
	if (kernel_dump_origins(kernel, see_origin, unsee_origins, m, f) < 0 ||
	    kernel_dump_views(kernel, see_view, unsee_views, m, f) < 0)
		return -1;
	r = remove_unseen(m);
	if (r < 0)
		return failed_step(f, "the kernel's registry", "follow it", -r, NULL);
	/* What cannot be looked at is not taken for gone: all of it is done again later. */
	r = find_mounts(m, context);
	if (r < 0)
		return failed_step(f, origins.s, "look at what is mounted there", -r, NULL);
	(void)runtime_each_entry(origins.s, sweep_origin_wanted, m);
	reconcile_sweep(m, context);
	reconcile_missing(m);
	return 0;
}
