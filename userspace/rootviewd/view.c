// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A view; view.h is the contract.
 *
 * What a view's record says may be changed later (MountView), and a path that
 * somebody chose lies outside the runtime folder: then a note in the folder
 * "mounts" says what the view is to be, and what is mounted at its path.  It is a
 * symbolic link, named by the view's id, and reads
 *
 *	WAY CREATED_NS DEV PATH
 *
 * DEV is that of the mount, from before it is attached until after it is unmounted,
 * and else 0:0.  A daemon may be killed at any moment, so that
 *  - one note takes the place of another in one step: what MountView was answered
 *    for is never forgotten, whatever can be mounted;
 *  - a view that is not given out has no DEV in its note: what a new daemon does not
 *    take for the view's own, it unmounts before it answers anybody.
 */
#include "view.h"

#include <fcntl.h>
#include <inttypes.h>
#include <search.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

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
			log_warning("view %s of origin %s is %s: %s", v->name, v->origin->name,
				    v->variant ? "mounted, but its device may go" :
						 "not mounted", f->message);
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
	free(v->path);
	free(v->first_path);
	free(v->cgroup);
	free(v);
}

/*
 * Notes.
 */

struct note {
	enum way way;
	uint64_t created_ns;
	dev_t dev;
	char path[PATH_MAX];	/* empty if it has none of its own */
};

static struct path note_path(const struct view *v)
{
	return runtime_note(v->origin->context->runtime, v->id);
}

static void remove_note(const struct view *v)
{
	(void)unlink(note_path(v).s);
}

/* There is no note where it would say no more than the view's record. */
static bool needs_note(const struct view *v, enum way to, const char *path)
{
	return to != v->first_way || !streq_null(path, v->first_path);
}

static struct path new_note_path(const struct view *v)
{
	struct path folder = runtime_note(v->origin->context->runtime, 0);

	return runtime_join(&folder, "new");
}

/* Makes one with all that it takes; the one that there is stays until put_note(). */
static int make_note(const struct view *v, enum way to, const char *path, dev_t dev)
{
	struct path new = new_note_path(v);
	char text[PATH_MAX + 128];

	snprintf(text, sizeof(text), "%s %" PRIu64 " %u:%u %s", way_name(to), v->created_ns,
		 major(dev), minor(dev), path ?: "-");
	/* One that was left behind is nobody's: see view_sweep_notes(). */
	(void)unlink(new.s);
	return symlink(text, new.s) < 0 ? -errno : 0;
}

static int put_note(const struct view *v)
{
	return rename(new_note_path(v).s, note_path(v).s) < 0 ? -errno : 0;
}

static int write_note(const struct view *v, dev_t dev)
{
	int r;

	if (!dev && !needs_note(v, v->way, v->path)) {
		remove_note(v);
		return 0;
	}
	r = make_note(v, v->way, v->path, dev);
	return r < 0 ? r : put_note(v);
}

/* Returns 0, -ENOENT if there is none, or another negative errno. */
static int read_note(const struct path *path, struct note *ret)
{
	char text[PATH_MAX + 1], way[32];
	unsigned int major, minor;
	ssize_t size = readlink(path->s, text, sizeof(text) - 1);
	int fields, n = 0;

	if (size < 0)
		return errno == EINVAL ? -ENOENT : -errno;
	text[size] = '\0';
	fields = sscanf(text, "%31s %" SCNu64 " %u:%u %n", way, &ret->created_ns, &major, &minor,
			&n);
	if (fields < 4 || !n)
		return -ENOENT;
	for (ret->way = WAY_ATTACHED; !streq(way_name(ret->way), way); ret->way++)
		if (ret->way == WAY_UNMOUNTED)
			return -ENOENT;
	ret->dev = makedev(major, minor);
	strcpy(ret->path, streq(text + n, "-") ? "" : text + n);
	return 0;
}

/* Whether @path is the root of a mount of the device @dev. */
static bool is_mount_of(const char *path, dev_t dev)
{
	struct statx st;

	return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &st) == 0 &&
	       (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) &&
	       makedev(st.stx_dev_major, st.stx_dev_minor) == dev;
}

/*
 * Goes by the note alone: the view may be gone, or new to this daemon.  Returns 0, or a
 * negative errno if it cannot be read.
 */
static int unmount_noted(const struct context *context, const struct path *path)
{
	struct note note;
	int r = read_note(path, &note);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (*note.path && is_mount_of(note.path, note.dev))
		trash_put(context->trash, note.path);
	return 0;
}

static void unmount_outside(const struct view *v)
{
	struct path path = note_path(v);

	(void)unmount_noted(v->origin->context, &path);
}

struct sweep {
	const struct context *context;
	bool (*exists)(void *userdata, uint64_t id);
	void *userdata;
};

static void sweep_note(const struct path *path, void *userdata)
{
	const struct sweep *sweep = userdata;
	const char *id = strrchr(path->s, '/') + 1;

	if (sweep->exists(sweep->userdata, strtoull(id, NULL, 10)))
		return;
	if (unmount_noted(sweep->context, path) == 0)
		(void)unlink(path->s);
}

int view_sweep_notes(const struct context *context, bool (*exists)(void *userdata, uint64_t id),
		     void *userdata)
{
	struct sweep sweep = { .context = context, .exists = exists, .userdata = userdata };

	return runtime_each_entry(runtime_note(context->runtime, 0).s, sweep_note, &sweep);
}

/*
 * Making.
 */

static int set(char **to, const char *from)
{
	char *copy = from ? strdup(from) : NULL;

	if (from && !copy)
		return -1;
	free(*to);
	*to = copy;
	return 0;
}

/* What a blob could not hold lies in the folder of a variant. */
static int read_wanted(struct origin *o, struct spec *spec)
{
	struct path folder = runtime_variant(o->context->runtime, o->name, spec->folder);
	cleanup_free char *text = NULL;
	int r;

	r = runtime_read_line(runtime_join(&folder, "wanted").s, &text);
	if (r == 0)
		r = mount_points_from_text(text, &spec->points);
	if (is_shortage(-r))
		return -1;
	if (r < 0)
		log_warning("%s: the mount points of a view are gone", folder.s);
	return 0;
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
	if (spec->folder >= 0 && read_wanted(v->origin, spec) < 0)
		return -1;
	v->recipe = recipe_get(v->origin, canonical, spec);
	if (!v->recipe)
		return -1;
	v->recipe->views++;
	v->folder = spec->folder;
	v->way = spec->way;
	v->first_way = spec->way;
	v->process = spec->process;
	v->process_start = spec->process_start;
	if (set(&v->path, spec->path) < 0 || set(&v->first_path, spec->path) < 0 ||
	    set(&v->cgroup, spec->cgroup) < 0)
		return -1;
	return 0;
}

static int take_note(struct view *v)
{
	struct path path = note_path(v);
	struct note note;
	int r = read_note(&path, &note);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (note.created_ns != v->created_ns)
		return 0;
	v->way = note.way;
	return set(&v->path, *note.path ? note.path : NULL);
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
	r = from->blob ? spec_from_blob(from->blob, from->blob_size, &spec) : 0;
	if (r < 0 && r != -ENOMEM) {
		log_warning("view %s of origin %s: what its record holds is not ours; it is mounted "
			    "as one that asked for nothing", from->name, o->name);
		spec = SPEC_DEFAULT;
		r = 0;
	}
	if (!v->name || (from->label && !v->label))
		r = -1;
	if (r == 0)
		r = take_spec(v, &spec);
	if (r == 0)
		r = take_note(v);
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

static struct path attached_path(const struct view *v)
{
	struct path path;

	if (!v->path)
		return runtime_view(v->origin->context->runtime, v->origin->name, v->name);
	snprintf(path.s, sizeof(path.s), "%s", v->path);
	return path;
}

struct path view_path(const struct view *v)
{
	struct path path = {};

	if (!v->variant)
		return path;
	if (v->way == WAY_ATTACHED)
		return attached_path(v);
	if (v->way == WAY_SHARED)
		snprintf(path.s, sizeof(path.s), "%s", v->variant->path);
	return path;
}

/*
 * Mounting.
 */

static int refuse_path(const struct view *v, int error, struct failure *f)
{
	const char *why = error == ELOOP ? "there is a symbolic link on the way" :
			  error == ENOTEMPTY ? "it is not empty" : strerror(error);

	if (is_shortage(error))
		return failed_step(f, v->path, "attach the view there", error, NULL);
	return failed_about(f, FAILURE_INVALID_PATH, v->path,
			    "the view cannot be attached to \"%.256s\": %s", v->path, why);
}

/* The note waits until the directory is seen to be empty: never of another's mount. */
static int attach_outside(struct view *v, int fd, struct failure *f)
{
	cleanup_close int place = mount_open_outside(v->path);
	int r;

	if (place < 0)
		return refuse_path(v, -place, f);
	r = write_note(v, v->variant->dev);
	if (r < 0)
		return failed_step(f, v->path, "take a note of it", -r, NULL);
	r = mount_attach_outside(fd, place);
	if (r == 0)
		return 0;
	(void)write_note(v, 0);
	return refuse_path(v, -r, f);
}

static int attach_inside(struct view *v, int fd, struct failure *f)
{
	struct path folder = runtime_view(v->origin->context->runtime, v->origin->name, NULL);
	struct path path = attached_path(v);
	int r;

	r = runtime_make_folder(path.s);
	if (r == -ENOENT) {
		r = runtime_make_folder(folder.s);
		if (r == 0)
			r = runtime_make_folder(path.s);
	}
	if (r < 0)
		return failed_step(f, path.s, "make this folder", -r, NULL);
	r = mount_attach(fd, path.s);
	if (r == 0)
		return 0;
	(void)rmdir(path.s);
	(void)rmdir(folder.s);
	return failed_step(f, path.s, "mount the view there", -r, NULL);
}

/* Returns 0, -1 after a failure, or -ESTALE if the variant is not where it was. */
static int give_out(struct view *v, struct failure *f)
{
	cleanup_close int fd = -1;
	int r;

	/* A clone for nothing would not be cheap: closing it waits for RCU. */
	if (v->way != WAY_ATTACHED)
		return variant_is_there(v->variant) ? 0 : -ESTALE;
	r = mount_clone(v->variant->path, v->variant->dev, &fd);
	if (r == -ESTALE || r == -ENOENT)
		return -ESTALE;
	if (r < 0)
		return failed_step(f, v->name, "clone its mount", -r, NULL);
	return v->path ? attach_outside(v, fd, f) : attach_inside(v, fd, f);
}

static int use(struct view *v, struct variant *variant, struct failure *f)
{
	int r;

	v->variant = variant;
	variant->views++;
	r = give_out(v, f);
	if (r == 0) {
		v->warned = false;
		return 1;
	}
	v->variant = NULL;
	if (r == -ESTALE)
		origin_lose_variant(v->origin, variant);
	origin_leave_variant(v->origin, variant);
	if (r == -ESTALE && v->retried)
		return failed_step(f, v->name, "mount it", 0,
				   "somebody unmounts again and again what it is made of");
	return r;
}

/* Returns 1, 0 if it has to wait, or -1. */
static int try(struct view *v, struct failure *f)
{
	struct variant *variant;
	int r;

	/* A view keeps its device even if it cannot be mounted. */
	if (origin_hold(v->origin, f) < 0)
		return -1;
	if (v->variant || v->way == WAY_UNMOUNTED)
		return 1;
	do {
		r = origin_get_variant(v->origin, v->recipe, &variant, f);
		if (r > 0)
			r = use(v, variant, f);
		if (r == -ESTALE)
			v->retried = true;
	} while (r == -ESTALE);
	if (r == 0 && !v->waiting) {
		v->waiting = true;
		v->next_waiting = v->recipe->waiting;
		v->recipe->waiting = v;
	}
	if (r != 0)
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

	if (!v->variant && !v->waiting && v->way != WAY_UNMOUNTED && check_label(v, f) < 0) {
		(void)origin_hold(v->origin, &(struct failure){});
		return -1;
	}
	r = v->waiting ? 0 : try(v, f);
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
			ret = try(v, &own);
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

/*
 * Unmounting.
 */

/* A note stays as it is. */
static void take_down(struct view *v)
{
	struct variant *variant = v->variant;

	if (v->path)
		unmount_outside(v);
	if (!variant)
		return;
	v->variant = NULL;
	if (v->way == WAY_ATTACHED && !v->path) {
		struct path path = attached_path(v);

		trash_put(v->origin->context->trash, path.s);
		(void)rmdir(path.s);
	}
	origin_leave_variant(v->origin, variant);
}

void view_unmount(struct view *v)
{
	take_down(v);
	/* If it cannot be written, the note tells of a mount that nobody will find. */
	if (v->path)
		(void)write_note(v, 0);
}

int view_set_way(struct view *v, enum way to, char *path, struct failure *f)
{
	cleanup_free char *old_path = path;
	bool noted = needs_note(v, to, path);
	enum way old_way = v->way;
	int r = 0;

	if (to == v->way && streq_null(path, v->path))
		return 0;
	if (noted)
		r = make_note(v, to, path, 0);
	if (r < 0)
		return failed_step(f, v->name, "take a note of it", -r, NULL);
	take_down(v);
	v->way = to;
	old_path = v->path;
	v->path = path;
	if (noted)
		r = put_note(v);
	else
		remove_note(v);
	if (r == 0)
		return 0;
	v->way = old_way;
	v->path = old_path;
	old_path = path;
	view_try_mount(v);
	return failed_step(f, v->name, "take a note of it", -r, NULL);
}

static void unmount(struct view *v, void *userdata)
{
	(void)userdata;
	view_unmount(v);
}

/*
 * What is mounted already.
 */

/* Whether a view with that recipe may be a clone of @variant; without a look into the image. */
static bool may_be_of(const struct recipe *r, const struct variant *variant)
{
	return streq(variant->map, r->map_text) &&
	       streq_null(variant->label, recipe_label(r)) &&
	       (!r->missing_text || streq(variant->points, r->missing_text));
}

bool view_wants(const struct view *v, const struct variant *variant)
{
	return !v->variant && v->way != WAY_UNMOUNTED && may_be_of(v->recipe, variant);
}

static struct variant *find_by_device(const struct view *v, dev_t dev)
{
	struct variant *variant = v->origin->plain;

	if (!variant)
		return NULL;
	if (variant->dev == dev && may_be_of(v->recipe, variant))
		return variant;
	for (variant = v->origin->others; variant; variant = variant->next)
		if (variant->dev == dev && may_be_of(v->recipe, variant))
			break;
	return variant;
}

/* Finds the device of what was mounted outside for @v and still is; 0 if nothing. */
static int find_outside(const struct view *v, dev_t *ret)
{
	struct path path = note_path(v);
	struct note note;
	int r = read_note(&path, &note);

	*ret = 0;
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (streq(note.path, v->path) && is_mount_of(v->path, note.dev))
		*ret = note.dev;
	return 0;
}

static void adopt(struct view *v, struct variant *variant)
{
	/* If memory is too short for it, the image is asked when it matters. */
	if (!v->recipe->missing_text)
		(void)recipe_set_missing(v->recipe, variant->points);
	v->recipe->variant = variant;
	v->variant = variant;
	variant->views++;
}

int view_find_mount(struct view *v, struct mountinfo *table)
{
	struct mountinfo_entry *entry = NULL;
	struct variant *variant;
	dev_t dev = 0;
	int r = 0;

	v->variant = NULL;
	if (v->way != WAY_ATTACHED)
		return 0;
	if (v->path)
		r = find_outside(v, &dev);
	else
		entry = mountinfo_find(table, attached_path(v).s);
	if (r < 0)
		return r;
	if (entry)
		dev = entry->dev;
	variant = dev ? find_by_device(v, dev) : NULL;
	if (variant) {
		adopt(v, variant);
		if (entry)
			entry->claimed = true;
	} else if (v->path) {
		view_unmount(v);
	}
	return 0;
}

/*
 * All views of an origin.
 */

void view_remove(struct view *v)
{
	struct origin *o = v->origin;

	view_unmount(v);
	remove_note(v);
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

void view_unmount_all(struct origin *o)
{
	view_each(o, unmount, NULL);
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
