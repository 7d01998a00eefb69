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
#include "workshop.h"

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

static void view_free(void *p)
{
	struct view *v = p;

	if (v->variant)
		workshop_end_use(v->origin, v->variant);
	sd_event_source_disable_unref(v->tie);
	if (v->spec)
		spec_free(v->spec);
	free(v->spec);
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

int view_check_label(const char *label, char **ret, struct failure *f)
{
	if (!label_is_native(label))
		return label_check(label, ret, f);
	*ret = strdup(label);
	return *ret ? 0 : failed_step(f, label, "keep this label", ENOMEM, NULL);
}

/* The variant that a view with @label, NULL for none, asks for; as variants_get(). */
static struct variant *view_variant(struct origin *o, const char *label, struct spec *spec)
{
	cleanup_free char *canonical = NULL;
	struct failure f;

	/* A label that is wrong for the policy is kept: it is refused when it is needed. */
	if (label && view_check_label(label, &canonical, &f) < 0 && !failure_is_shortage(&f))
		canonical = strdup(label);
	return label && !canonical ? NULL : variants_get(&o->variants, canonical, spec);
}

static int take_spec(struct view *v, struct spec *spec)
{
	v->folder = spec->folder;
	v->process = spec->process;
	v->process_start = spec->process_start;
	v->cgroup = steal_ptr(&spec->cgroup);
	if (v->unreadable)
		return 0;
	if (spec->device_only) {
		v->spec = malloc(sizeof(*v->spec));
		if (!v->spec)
			return -1;
		*v->spec = *spec;
		*spec = SPEC_DEFAULT;
		return 0;
	}
	v->variant = view_variant(v->origin, v->label, spec);
	if (!v->variant)
		return -1;
	variants_begin_use(v->variant);
	return 0;
}

static int add_to_origin(struct view *v)
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
	if (r < 0 || add_to_origin(v) < 0) {
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

const struct mount_points *view_points(const struct view *v)
{
	static const struct mount_points none;

	return v->variant ? &v->variant->points : v->spec ? &v->spec->points : &none;
}

const struct idmap *view_idmap(const struct view *v)
{
	return v->variant ? v->variant->map : v->spec ? v->spec->idmap : NULL;
}

int view_request(struct view *v, variant_told_t told, void *userdata, struct failure *f)
{
	cleanup_free char *canonical = NULL;

	/* A view keeps its device even if it cannot be mounted. */
	if (origin_hold(v->origin, f) < 0)
		return -1;
	if (v->unreadable)
		return failed_step(f, v->name, "mount it", 0,
				   "what its record in the kernel holds cannot be read");
	if (!v->variant)
		return 1;
	/* Of one that is mounted, the label was good. */
	if (v->label && !view_path(v) && view_check_label(v->label, &canonical, f) < 0)
		return -1;
	return workshop_request(v->origin, v->variant, WORKSHOP_MOUNT, told, userdata, f);
}

void view_restore(struct view *v)
{
	struct failure f;

	if (view_request(v, NULL, NULL, &f) >= 0) {
		v->warned = false;
		return;
	}
	if (!v->warned)
		log_warning("view %s of origin %s is not mounted: %s", v->name, v->origin->name,
			    f.message);
	v->warned = true;
	if (failure_is_shortage(&f))
		context_try_again(v->origin->context);
}

static const struct variant *mounted_variant(const struct view *v)
{
	const struct variant *mounted = v->variant;

	return mounted && mounted->same ? mounted->same : mounted;
}

int view_clone(struct view *v, struct failure *f)
{
	const struct variant *mounted = mounted_variant(v);
	int fd, r = -ESTALE;

	if (mounted && mounted->path)
		r = mount_clone(mounted->path, mounted->dev, &fd);
	return r < 0 ? failed_step(f, v->name, "clone its mount", -r, NULL) : fd;
}

const char *view_path(const struct view *v)
{
	const struct variant *mounted = mounted_variant(v);

	return mounted ? mounted->path : NULL;
}

/*
 * All views of an origin.
 */

void view_remove(struct view *v)
{
	struct origin *o = v->origin;

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
