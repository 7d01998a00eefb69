// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The variants of one origin; variants.h is the contract.
 */
#include "variants.h"

#include <search.h>

#include "label.h"
#include "util.h"

static int compare(const void *a, const void *b)
{
	const struct variant *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static char *map_to_text(const struct idmap *map)
{
	sd_json_variant *json = NULL;
	char *text = NULL;

	if (!map)
		return strdup("");
	if (idmap_to_json(map, &json) >= 0 && sd_json_variant_format(json, 0, &text) < 0)
		text = NULL;
	sd_json_variant_unref(json);
	return text;
}

static struct variant *variant_new(void)
{
	struct variant *v = calloc(1, sizeof(*v));

	if (v)
		LIST_INIT(&v->twins);
	return v;
}

struct variant *variants_get(struct variants *all, const char *label, struct spec *spec)
{
	cleanup_free char *points = NULL;
	struct variant *v, **found;

	if (all->plain && !label && !spec->points.n && !spec->idmap)
		return all->plain;
	v = variant_new();
	if (!v)
		return NULL;
	points = mount_points_to_text(&spec->points);
	v->map_text = map_to_text(spec->idmap);
	v->label = label ? strdup(label) : NULL;
	/* Without mount points there is nothing to look for in the image. */
	v->missing_text = spec->points.n ? NULL : strdup("");
	if (!points || !v->map_text || (label && !v->label) ||
	    (!spec->points.n && !v->missing_text) ||
	    asprintf(&v->key, "%s\n%s\n%s", label ?: "", points, v->map_text) < 0)
		goto failed;
	found = tsearch(v, &all->by_key, compare);
	if (!found)
		goto failed;
	if (*found != v) {
		variant_free(v);
		return *found;
	}
	v->points = spec->points;
	spec->points = (struct mount_points){};
	v->map = steal_ptr(&spec->idmap);
	return v;

failed:
	variant_free(v);
	return NULL;
}

int variants_init(struct variants *all)
{
	struct spec nothing = SPEC_DEFAULT;

	LIST_INIT(&all->mounted);
	all->plain = variants_get(all, NULL, &nothing);
	return all->plain ? 0 : -1;
}

static void free_node(void *v)
{
	variant_free(v);
}

void variants_free(struct variants *all)
{
	tdestroy(all->by_key, free_node);
	*all = (struct variants){};
}

/* Frees it if nobody uses it, and it is not mounted, nor another for it. */
static void variants_settle(struct variants *all, struct variant *v)
{
	if (v->users || v->queued || v->path || v->same || v == all->plain)
		return;
	tdelete(v, &all->by_key, compare);
	variant_free(v);
}

/*
 * Twins.
 */

static void set_same(struct variant *v, struct variant *same)
{
	v->same = same;
	LIST_INSERT_HEAD(&same->twins, v, twin);
	if (v->users)
		same->users++;
}

static void part_from_twin(struct variant *v)
{
	LIST_REMOVE(v, twin);
	if (v->users)
		v->same->users--;
	v->same = NULL;
}

static void end_twins(struct variants *all, struct variant *v)
{
	while (!LIST_EMPTY(&v->twins)) {
		struct variant *twin = LIST_FIRST(&v->twins);

		part_from_twin(twin);
		variants_settle(all, twin);
	}
}

void variants_begin_use(struct variant *v)
{
	if (v->users++ == 0 && v->same)
		v->same->users++;
	v->idle_usec = 0;
}

struct variant *variants_end_use(struct variants *all, struct variant *v)
{
	struct variant *mounted = v->same ?: v;

	if (--v->users)
		return NULL;
	if (v->same && --v->same->users)
		return NULL;
	if (mounted->path)
		return mounted;
	variants_settle(all, v);
	return NULL;
}

/*
 * Which one.
 */

const char *variants_label(const struct variants *all, const struct variant *v)
{
	if (label_is_native(v->label))
		return NULL;
	return v->label ?: all->plain->files_label;
}

bool variants_needs_overlay(const struct variants *all, const struct variant *v)
{
	return *v->missing_text || !streq_null(variants_label(all, v), all->plain->files_label);
}

static bool is_equal(const struct variants *all, const struct variant *v,
		     const struct variant *mounted)
{
	return streq(v->missing_text, mounted->missing_text) &&
	       streq(v->map_text, mounted->map_text) &&
	       streq_null(variants_label(all, v), mounted->files_label);
}

struct variant *variants_find_mounted(struct variants *all, struct variant *v)
{
	struct variant *other = all->plain;

	if (v->path || v->same)
		return v->path ? v : v->same;
	if (!v->missing_text || !all->plain->path)
		return NULL;
	if (!is_equal(all, v, other)) {
		LIST_FOREACH(other, &all->mounted, mounted)
			if (is_equal(all, v, other))
				break;
	}
	if (other)
		set_same(v, other);
	return other;
}

int variants_set_missing(struct variant *v, const char *text)
{
	struct mount_points missing;
	char *copy = strdup(text);

	if (!copy || mount_points_from_text(text, &missing) < 0) {
		free(copy);
		return -1;
	}
	free(v->missing_text);
	v->missing_text = copy;
	mount_points_free(&v->missing);
	v->missing = missing;
	return 0;
}

/*
 * What is mounted.
 */

void variants_add_mounted(struct variants *all, struct variant *v)
{
	if (v != all->plain)
		LIST_INSERT_HEAD(&all->mounted, v, mounted);
}

void variants_unmount(struct variants *all, const struct context *context, struct variant *v)
{
	if (!v->path)
		return;
	if (v != all->plain)
		LIST_REMOVE(v, mounted);
	variant_unmount(context, v);
	end_twins(all, v);
	variants_settle(all, v);
}

void variants_unmount_all(struct variants *all, const struct context *context)
{
	while (!LIST_EMPTY(&all->mounted))
		variants_unmount(all, context, LIST_FIRST(&all->mounted));
	variants_unmount(all, context, all->plain);
}

/* Twins of @v that nobody uses; returns when to look again. */
static uint64_t drop_twins_of(struct variants *all, struct variant *v, uint64_t now,
			      uint64_t grace)
{
	struct variant *twin, *following;
	uint64_t next = UINT64_MAX;

	for (twin = LIST_FIRST(&v->twins); twin; twin = following) {
		following = LIST_NEXT(twin, twin);
		if (twin->users)
			continue;
		if (!twin->idle_usec)
			twin->idle_usec = now;
		if (now >= twin->idle_usec + grace && twin->idle_usec != now) {
			part_from_twin(twin);
			variants_settle(all, twin);
		} else if (twin->idle_usec + grace < next) {
			next = twin->idle_usec + grace;
		}
	}
	return next;
}

uint64_t variants_drop_twins(struct variants *all, uint64_t now, uint64_t grace)
{
	uint64_t next = drop_twins_of(all, all->plain, now, grace), of_other;
	struct variant *v;

	LIST_FOREACH(v, &all->mounted, mounted) {
		of_other = drop_twins_of(all, v, now, grace);
		next = of_other < next ? of_other : next;
	}
	return next;
}

struct search {
	struct variants *all;
	int r;
};

/* One that was found is asked for by no text: those that are, and come to the same, are twins. */
static void find_other(const struct path *folder, void *userdata)
{
	struct search *search = userdata;
	struct variants *all = search->all;
	struct variant *v = search->r == 0 ? variant_new() : NULL;
	struct path path = runtime_join(folder, "mount");
	int r = -ENOMEM;

	if (search->r < 0)
		return;
	if (v)
		v->key = strdup(folder->s);
	if (v && v->key)
		r = variant_find(v, path.s, folder->s, 0, false);
	/* Nothing was known to be mounted before: nothing has this key. */
	if (r > 0 && !tsearch(v, &all->by_key, compare))
		r = -ENOMEM;
	if (r > 0) {
		variants_add_mounted(all, v);
		runtime_detach_layers(folder);
		return;
	}
	variant_free(v);
	if (r == 0)
		runtime_detach_variant(folder);
	search->r = r;
}

int variants_find(struct variants *all, const struct runtime *rt, const char *name, dev_t dev,
		  bool labelled)
{
	struct path folder = runtime_origin(rt, name, NULL);
	struct search search = { .all = all };
	int r;

	r = variant_find(all->plain, runtime_origin(rt, name, "plain").s, NULL, dev, labelled);
	if (r < 0)
		return r;
	if (r == 0)
		return runtime_detach_origin(&folder);
	r = runtime_each_entry(runtime_variant(rt, name, -1).s, find_other, &search);
	return r < 0 ? r : search.r;
}

void variants_forget(struct variants *all)
{
	while (!LIST_EMPTY(&all->mounted)) {
		struct variant *v = LIST_FIRST(&all->mounted);

		LIST_REMOVE(v, mounted);
		variant_forget_mount(v);
		end_twins(all, v);
		variants_settle(all, v);
	}
	variant_forget_mount(all->plain);
	end_twins(all, all->plain);
}

size_t variants_count(const struct variants *all)
{
	size_t n = !!all->plain->path;
	struct variant *v;

	LIST_FOREACH(v, &all->mounted, mounted)
		n++;
	return n;
}

struct visit {
	void (*each)(struct variant *v, void *userdata);
	void *userdata;
};

static void visit_node(const void *node, VISIT which, void *userdata)
{
	struct visit *visit = userdata;

	if (which == postorder || which == leaf)
		visit->each(*(struct variant *const *)node, visit->userdata);
}

void variants_each(struct variants *all, void (*each)(struct variant *v, void *userdata),
		   void *userdata)
{
	struct visit visit = { .each = each, .userdata = userdata };

	twalk_r(all->by_key, visit_node, &visit);
}
