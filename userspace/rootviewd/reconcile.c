// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Comparing the kernel's registry, our origins and the mounts; reconcile.h is the
 * contract.
 */
#include "reconcile.h"

#include "log.h"
#include "mount.h"
#include "mountinfo.h"
#include "util.h"
#include "view.h"

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
	struct origins *all = userdata;

	for (struct origin *o = all->first; o; o = o->next)
		view_each(o, unsee_view, NULL);
}

static void unsee_origins(void *userdata)
{
	struct origins *all = userdata;

	for (struct origin *o = all->first; o; o = o->next)
		o->seen = false;
}

/* Returns 0, or a negative errno; -EINTR for a renamed origin, which begins anew. */
static int see(struct origins *all, const struct kernel_origin *from, struct origin **ret)
{
	struct origin *o = origins_find_id(all, from->id);
	bool renamed = o && !streq(o->name, from->name);

	/* Its name is part of its paths. */
	if (renamed)
		origins_remove(all, o);
	if (renamed || !o)
		o = origins_add(all, from);
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

	return see(userdata, from, &o);
}

static int see_view(const struct kernel_origin *origin, const struct kernel_view *from,
		    void *userdata)
{
	struct origin *o;
	struct view *v;
	int r;

	r = see(userdata, origin, &o);
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
static int remove_unseen(struct origins *all)
{
	struct origin *o, *next;

	for (o = all->first; o; o = next) {
		cleanup_free struct view **views = NULL;
		struct unseen unseen;

		next = o->next;
		if (!o->seen) {
			origins_remove(all, o);
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
	return o->job || o->queue;
}

static bool any_busy(const struct origins *all)
{
	for (const struct origin *o = all->first; o; o = o->next)
		if (is_busy(o))
			return true;
	return false;
}

static bool belongs_to_busy(struct origins *all, const char *path)
{
	const struct runtime *rt = all->context->runtime;

	for (struct origin *o = all->first; o; o = o->next)
		if (is_busy(o) && after_prefix(path, runtime_origin(rt, o->name, "").s))
			return true;
	return false;
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
	struct origins *all = userdata;

	(void)runtime_each_entry(runtime_join(folder, "variants").s, sweep_wanted,
				 origins_find_name(all, strrchr(folder->s, '/') + 1));
}

/* The trash has a file system of its own there, which it goes on filling. */
static bool is_trash(const struct origins *all, const char *path)
{
	return after_prefix(path, runtime_trash(all->context->runtime, 0).s);
}

void reconcile_sweep(struct origins *all)
{
	/* A folder that a job has just made looks like one that was left behind. */
	if (any_busy(all))
		context_try_again(all->context);
	else
		runtime_sweep(all->context->runtime);
}

/* Unmounts what belongs to nothing that there is. */
static void unmount_unclaimed(struct origins *all, struct mountinfo *mounts)
{
	for (size_t i = 0; i < mounts->n; i++) {
		struct mountinfo_entry *entry = &mounts->entries[i];
		int r;

		if (entry->claimed || streq(entry->path, all->context->runtime->dir) ||
		    belongs_to_busy(all, entry->path) || is_trash(all, entry->path))
			continue;
		r = mount_detach(entry->path);
		if (r < 0)
			log_warning("%s: cannot unmount it: %s", entry->path, strerror(-r));
		else
			log_info("%s: unmounted, as nothing in the kernel belongs to it",
				 entry->path);
	}
	(void)runtime_each_entry(runtime_origins(all->context->runtime).s, sweep_origin_wanted,
				 all);
	reconcile_sweep(all);
}

static void mount_view(struct view *v, void *userdata)
{
	(void)userdata;
	view_try_mount(v);
}

void reconcile_missing(struct origins *all)
{
	for (struct origin *o = all->first; o; o = o->next) {
		if (o->ours)
			origin_try_mount(o);
		view_each(o, mount_view, NULL);
		origin_relax(o);
	}
}

int reconcile(struct origins *all, struct kernel *kernel, struct failure *f)
{
	const char *dir = all->context->runtime->dir;
	struct mountinfo mounts;
	int r;

	unsee_origins(all);
	unsee_views(all);
	if (kernel_dump_origins(kernel, see_origin, unsee_origins, all, f) < 0 ||
	    kernel_dump_views(kernel, see_view, unsee_views, all, f) < 0)
		return -1;
	r = remove_unseen(all);
	if (r < 0)
		return failed_step(f, "the kernel's registry", "follow it", -r, NULL);

	r = runtime_read_mounts(all->context->runtime, &mounts);
	if (r < 0)
		return failed_step(f, dir, "read what is mounted there", -r, NULL);
	/* What cannot be looked at is not taken for gone: all of it is done again later. */
	for (struct origin *o = all->first; r == 0 && o; o = o->next)
		if (!is_busy(o))
			r = origin_find_mounts(o, &mounts);
	if (r == 0)
		unmount_unclaimed(all, &mounts);
	mountinfo_free(&mounts);
	if (r < 0)
		return failed_step(f, dir, "look at what is mounted there", -r, NULL);
	reconcile_missing(all);
	return 0;
}
