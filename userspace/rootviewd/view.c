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

static int compare_names(const void *a, const void *b)
{
	const struct view *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* A waiter may ask for the view again: so each is told only when it is off the list. */
static void tell(struct view *v, const struct failure *f)
{
	struct view_waiter *waiters = v->waiters;

	v->waiters = NULL;
	if (!waiters && f) {
		if (!v->warned)
			log_warning("view %s of origin %s is not mounted: %s", v->name,
				    v->origin->name, f->message);
		v->warned = true;
		if (failure_is_shortage(f))
			context_try_again(v->origin->context);
	}
	while (waiters) {
		struct view_waiter *w = waiters;

		waiters = w->next;
		w->told(w->userdata, v, f);
		free(w);
	}
}

static void stop_waiting(struct view *v)
{
	struct view **lists[] = { &v->recipe->waiting, &v->recipe->telling };

	for (size_t i = 0; v->waiting && i < ARRAY_SIZE(lists); i++) {
		struct view **link = lists[i];

		while (*link && *link != v)
			link = &(*link)->next_waiting;
		if (*link) {
			*link = v->next_waiting;
			v->waiting = false;
		}
	}
}

static void view_free(void *p)
{
	struct view *v = p;
	struct failure f;

	if (v->waiters) {
		failed(&f, FAILURE_NO_SUCH_VIEW,
		       "view \"%s\" of origin \"%s\" was deleted meanwhile", v->name,
		       v->origin->name);
		tell(v, &f);
	}
	if (v->recipe) {
		stop_waiting(v);
		v->recipe->views--;
		recipe_release(v->recipe);
	}
	sd_event_source_disable_unref(v->tie);
	free(v->name);
	free(v->label);
	free(v->cgroup);
	free(v);
}

/*
 * Making.
 */

/* What a blob could not hold lies in the folder of a variant. */
static int read_wanted(const struct origin *o, struct spec *spec)
{
	struct path folder = runtime_variant(o->context->runtime, o->name, spec->folder);
	cleanup_free char *text = NULL;
	int r;

	r = runtime_read_line(runtime_join(&folder, "wanted").s, &text);
	if (r == 0)
		r = mount_points_from_text(text, &spec->points);
	return r;
}

static int take_spec(struct view *v, struct spec *spec)
{
	cleanup_free char *canonical = NULL;
	struct failure f;

	/* A label that is wrong for the policy is kept: it is refused when it is needed. */
	if (v->label && label_check(v->label, &canonical, &f) < 0 && !failure_is_shortage(&f))
		canonical = strdup(v->label);
	if (v->label && !canonical)
		return -1;
	v->recipe = recipe_get(v->origin, canonical, spec);
	if (!v->recipe)
		return -1;
	v->recipe->views++;
	v->folder = spec->folder;
	v->device_only = spec->device_only;
	v->process = spec->process;
	v->process_start = spec->process_start;
	v->cgroup = steal_ptr(&spec->cgroup);
	return 0;
}

static int add(struct view *v)
{
	struct origin *o = v->origin;
	struct view **named;

	if (!tsearch(v, &o->views, compare))
		return -1;
	named = tsearch(v, &o->names, compare_names);
	if (!named) {
		tdelete(v, &o->views, compare);
		return -1;
	}
	if ((*named)->id < v->id)
		*named = v;
	return 0;
}

/* Returns a negative errno if the record's own words cannot be had, now or ever. */
static int read_record(const struct origin *o, const struct kernel_view *from, struct spec *ret)
{
	int r = from->blob ? spec_from_blob(from->blob, from->blob_size, ret) : 0;

	if (r == 0 && ret->folder >= 0)
		r = read_wanted(o, ret);
	return r;
}

struct view *view_new(struct origin *o, const struct kernel_view *from)
{
	struct view *v = calloc(1, sizeof(*v));
	struct spec spec = SPEC_DEFAULT;
	int r;

	if (!v)
		return NULL;
	v->id = from->id;
	v->origin = o;
	v->created_ns = from->created_ns;
	v->name = strdup(from->name);
	v->label = from->label ? strdup(from->label) : NULL;
	r = read_record(o, from, &spec);
	/* It might have asked for an id map: it is not given out as one that asked for nothing. */
	v->unreadable = r < 0 && !is_shortage(-r);
	if (v->unreadable)
		r = 0;
	if (!v->name || (from->label && !v->label))
		r = -1;
	if (r == 0)
		r = take_spec(v, &spec);
	spec_free(&spec);
	if (r < 0 || add(v) < 0) {
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

struct view *view_find_name(struct origin *o, const char *name)
{
	struct view key = { .name = (char *)name };
	void *node = tfind(&key, &o->names, compare_names);

	return node ? *(struct view **)node : NULL;
}

/*
 * Giving out.
 */

static void lose_variant(struct view *v, void *variant)
{
	if (v->variant != variant)
		return;
	v->variant = NULL;
	view_try_mount(v);
}

void view_lose_variant(struct origin *o, struct variant *variant)
{
	view_each(o, lose_variant, variant);
}

static void wait_for_recipe(struct view *v)
{
	if (v->waiting)
		return;
	v->waiting = true;
	v->next_waiting = v->recipe->waiting;
	v->recipe->waiting = v;
}

/* Returns 1, 0 if it has to wait, or -1. */
static int find_variant(struct view *v, struct failure *f)
{
	struct variant *variant;
	int r;

	r = origin_get_variant(v->origin, v->recipe, &variant, f);
	if (r > 0 && !variant_is_there(variant)) {
		if (v->retried)
			return failed_step(f, v->name, "mount it", 0,
					   "somebody unmounts again and again what it is made of");
		v->retried = true;
		origin_lose_variant(v->origin, variant);
		r = origin_get_variant(v->origin, v->recipe, &variant, f);
	}
	if (r > 0) {
		v->variant = variant;
		variant->views++;
		v->warned = false;
	}
	return r;
}

static int try_mount(struct view *v, struct failure *f)
{
	int r;

	/* A view keeps its device even if it cannot be mounted. */
	if (origin_hold(v->origin, f) < 0)
		return -1;
	if (v->device_only)
		return 1;
	if (v->unreadable)
		return failed_step(f, v->name, "mount it", 0,
				   "what its record in the kernel holds cannot be read");
	if (v->variant && !variant_is_there(v->variant))
		origin_lose_variant(v->origin, v->variant);
	if (v->variant)
		return 1;
	if (v->waiting)
		return 0;
	r = find_variant(v, f);
	if (r == 0)
		wait_for_recipe(v);
	else
		v->retried = false;
	return r;
}

static int check_label(const struct view *v, struct failure *f)
{
	cleanup_free char *canonical = NULL;

	return v->label ? label_check(v->label, &canonical, f) : 0;
}

int view_mount(struct view *v, view_told_t told, void *userdata, struct failure *f)
{
	struct view_waiter *w;
	int r;

	if (!v->variant && !v->waiting && !v->device_only && check_label(v, f) < 0) {
		(void)origin_hold(v->origin, &(struct failure){});
		return -1;
	}
	r = v->waiting ? 0 : try_mount(v, f);
	if (r != 0 || !told)
		return r;
	w = calloc(1, sizeof(*w));
	if (!w)
		return failed_step(f, v->name, "wait for it", ENOMEM, NULL);
	*w = (struct view_waiter){ .next = v->waiters, .told = told, .userdata = userdata };
	v->waiters = w;
	return 0;
}

void view_try_mount(struct view *v)
{
	struct failure f;

	if (view_mount(v, NULL, NULL, &f) < 0)
		tell(v, &f);
}

void view_ready_all(struct recipe *r, const struct failure *f)
{
	struct failure own;
	struct view *v;

	r->telling = r->waiting;
	r->waiting = NULL;
	/* Who is told may remove any view, and may wait for the recipe again. */
	r->views++;
	while ((v = r->telling)) {
		int ret = -1;

		r->telling = v->next_waiting;
		v->waiting = false;
		if (!f)
			ret = try_mount(v, &own);
		if (ret != 0)
			tell(v, ret > 0 ? NULL : f ?: &own);
	}
	r->views--;
}

int view_clone(struct view *v, struct failure *f)
{
	int fd, r;

	r = mount_clone(v->variant->path, v->variant->dev, &fd);
	return r < 0 ? failed_step(f, v->name, "clone its mount", -r, NULL) : fd;
}

const char *view_path(const struct view *v)
{
	return v->variant ? v->variant->path : NULL;
}

bool view_wants(const struct view *v, const struct variant *variant)
{
	const struct recipe *r = v->recipe;

	/* Without a look into the image. */
	return !v->variant && !v->device_only && streq(variant->map, r->map_text) &&
	       streq_null(variant->label, recipe_label(r)) &&
	       (!r->missing_text || streq(variant->points, r->missing_text));
}

/*
 * All views of an origin.
 */

void view_remove(struct view *v)
{
	struct origin *o = v->origin;

	if (v->variant)
		origin_leave_variant(o, v->variant);
	tdelete(v, &o->views, compare);
	if (view_find_name(o, v->name) == v)
		tdelete(v, &o->names, compare_names);
	o->n_views--;
	if (v->folder >= 0)
		origin_forget_wanted(o, v->folder);
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

struct search {
	bool (*is)(const struct view *v, const void *userdata);
	const void *userdata;
	bool found;
};

static void look_for(struct view *v, void *userdata)
{
	struct search *search = userdata;

	if (!search->found)
		search->found = search->is(v, search->userdata);
}

bool view_any(struct origin *o, bool (*is)(const struct view *v, const void *userdata),
	      const void *userdata)
{
	struct search search = { .is = is, .userdata = userdata };

	view_each(o, look_for, &search);
	return search.found;
}

static void keep(void *p)
{
	(void)p;
}

void view_free_all(struct origin *o)
{
	tdestroy(o->names, keep);
	tdestroy(o->views, view_free);
	o->names = NULL;
	o->views = NULL;
	o->n_views = 0;
}
