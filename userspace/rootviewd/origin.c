// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An origin and its variants; origin.h is the contract.
 */
#include "origin.h"

#include <inttypes.h>
#include <search.h>
#include <time.h>

#include "device.h"
#include "label.h"
#include "log.h"
#include "skeleton.h"
#include "util.h"
#include "view.h"

static int on_idle(sd_event_source *source, uint64_t usec, void *userdata);

struct origin *origin_new(const struct context *context, const struct kernel_origin *from)
{
	struct origin *o = calloc(1, sizeof(*o));
	struct spec nothing = SPEC_DEFAULT;
	int ours = device_is_ours(from->name);

	if (!o)
		return NULL;
	o->fd = -1;
	o->context = context;
	o->id = from->id;
	o->generation = from->generation;
	o->dev = from->dev;
	o->ours = ours > 0;
	o->name = strdup(from->name);
	o->own = recipe_get(o, NULL, &nothing);
	if (ours < 0 || !o->name || !o->own ||
	    sd_event_add_time_relative(context->loop, &o->idle, CLOCK_MONOTONIC, 0, 0, on_idle,
				       o) < 0 ||
	    sd_event_source_set_enabled(o->idle, SD_EVENT_OFF) < 0) {
		origin_free(o);
		return NULL;
	}
	/* It stays as long as the origin. */
	o->own->views = 1;
	return o;
}

static void forget_variants(struct origin *o)
{
	recipe_forget_variant(o, NULL);
	variant_free_all(o->plain);
	variant_free_all(o->others);
	o->plain = NULL;
	o->others = NULL;
}

static void tell(struct origin *o, const struct failure *f);

/* Nobody waits for anything any more. */
static void stop_working(struct origin *o)
{
	struct failure f;

	job_cancel(o->job);
	o->stopped = o->job;
	while (o->queue) {
		struct recipe *r = o->queue;

		o->queue = r->next;
		r->queued = false;
		recipe_release(r);
	}
	if (o->waiters) {
		failed(&f, FAILURE_NO_SUCH_ORIGIN, "origin \"%s\" was removed meanwhile", o->name);
		tell(o, &f);
	}
}

static void free_rest(struct origin *o)
{
	free(o->label);
	free(o->name);
	free(o);
}

void origin_free(struct origin *o)
{
	if (!o)
		return;
	stop_working(o);
	view_free_all(o);
	forget_variants(o);
	if (o->own) {
		o->own->views = 0;
		recipe_release(o->own);
	}
	sd_event_source_disable_unref(o->idle);
	close_fd(&o->fd);
	/* What a job may have made has to be undone yet: see end_job(). */
	o->freed = o->job;
	if (!o->freed)
		free_rest(o);
}

/* Its name is part of paths; of those of dmsetup, the kernel refuses '/' only. */
static bool has_paths(const struct origin *o)
{
	return !streq(o->name, ".") && !streq(o->name, "..");
}

static int check_name(const struct origin *o, struct failure *f)
{
	if (has_paths(o))
		return 0;
	return failed(f, FAILURE_INVALID_NAME, "an origin named \"%s\" cannot be mounted", o->name);
}

static int make_folders(const struct origin *o, struct failure *f)
{
	const struct runtime *rt = o->context->runtime;
	struct path folder = runtime_origin(rt, o->name, NULL);
	char id[32];
	int r;

	if (check_name(o, f) < 0)
		return -1;
	snprintf(id, sizeof(id), "%" PRIu64, o->id);
	r = runtime_make_folder(folder.s);
	if (r == 0)
		r = runtime_make_folder(runtime_variant(rt, o->name, -1).s);
	if (r == 0 && o->label)
		r = runtime_write_line(runtime_join(&folder, "label").s, o->label);
	/* It comes last: whoever finds it believes all the rest. */
	if (r == 0)
		r = runtime_write_line(runtime_join(&folder, "id").s, id);
	if (r == 0)
		return 0;
	if (!o->plain && !o->job)
		runtime_sweep_origin(rt, o->name);
	return failed_step(f, folder.s, "make this folder", -r, NULL);
}

int origin_hold(struct origin *o, struct failure *f)
{
	if (o->fd < 0)
		o->fd = device_open(o->name, o->dev, o->device.s, f);
	return o->fd < 0 ? -1 : 0;
}

int origin_set_label(struct origin *o, const char *label, struct failure *f)
{
	o->label = strdup(label);
	return o->label ? 0 : failed_step(f, o->name, "keep its label", ENOMEM, NULL);
}

static bool is_native(const struct origin *o)
{
	return o->label && streq(o->label, ORIGIN_NATIVE);
}

/*
 * Time.
 */

static uint64_t now_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

/* Sees to it that on_idle() is called then, if not before. */
static void arm(struct origin *o, uint64_t usec)
{
	uint64_t before;
	int enabled;

	if (sd_event_source_get_enabled(o->idle, &enabled) >= 0 && enabled != SD_EVENT_OFF &&
	    sd_event_source_get_time(o->idle, &before) >= 0 && before <= usec)
		return;
	(void)sd_event_source_set_time(o->idle, usec);
	(void)sd_event_source_set_enabled(o->idle, SD_EVENT_ONESHOT);
}

/*
 * Work: the first of the queue is brought one step further at a time.
 */

static void work(struct origin *o);
static void begin_idle(struct origin *o, struct variant *v);
static int64_t new_folder(struct origin *o);

static void tell(struct origin *o, const struct failure *f)
{
	struct origin_waiter *waiters = o->waiters;

	o->waiters = NULL;
	if (!waiters && f) {
		log_warning("%s", f->message);
		if (failure_is_shortage(f))
			context_try_again(o->context);
	}
	while (waiters) {
		struct origin_waiter *w = waiters;

		waiters = w->next;
		w->told(w->userdata, f);
		free(w);
	}
}

/* Tells all who wait for the first of the queue; @f is NULL if it is there. */
static void finish(struct origin *o, const struct failure *f)
{
	struct recipe *r = o->queue;

	o->queue = r->next;
	r->queued = false;
	r->next = NULL;
	view_ready_all(r, f);
	if (r == o->own)
		tell(o, f);
	recipe_release(r);
}

/*
 * Returns false if nobody wants what the job has made.  It was killed, but that may have come
 * too late: it is undone only now, when nothing more can be made.
 */
static bool end_job(struct origin *o)
{
	o->job = NULL;
	if (!o->stopped)
		return true;
	o->stopped = false;
	variant_undo(o->context, &o->order);
	trash_flush(o->context->trash);
	if (!o->plain)
		runtime_sweep_origin(o->context->runtime, o->name);
	if (o->freed)
		free_rest(o);
	else
		work(o);
	return false;
}

/* @ret_label holds what the order borrows, if the policy has to be asked. */
static int plain_order(struct origin *o, struct variant_order *ret, char **ret_label,
		       struct failure *f)
{
	/* Whoever opens it for the first time learns where it is. */
	if (origin_hold(o, f) < 0 || make_folders(o, f) < 0)
		return -1;
	if (!o->label && label_of_shared_files(ret_label, f) < 0)
		return -1;
	*ret = (struct variant_order){
		.runtime = o->context->runtime,
		.origin = o->name,
		.device = o->device.s,
		.number = o->dev,
		.types = o->context->types,
		.label = is_native(o) ? NULL : o->label ?: *ret_label,
	};
	return 0;
}

static int work_on_plain(void *userdata, char **ret_text, struct failure *f)
{
	char type[FILESYSTEM_TYPE_SIZE];
	struct origin *o = userdata;

	if (variant_mount_plain(&o->order, type, f) < 0)
		return -1;
	*ret_text = strdup(type);
	return *ret_text ? 0 : failed_step(f, o->name, "tell its type", ENOMEM, NULL);
}

static void plain_done(void *userdata, int r, const char *text, const struct failure *f)
{
	struct origin *o = userdata;
	struct failure failure;

	if (!end_job(o))
		return;
	if (r == 0) {
		struct path path = runtime_origin(o->context->runtime, o->name, "plain");

		r = variant_describe(path.s, NULL, text, !is_native(o), &o->plain);
		if (r < 0) {
			failed_step(&failure, o->name, "look at its file system", -r, NULL);
			f = &failure;
		}
	}
	if (r == 0) {
		begin_idle(o, o->plain);
		return work(o);
	}
	variant_undo(o->context, &o->order);
	/* Without it there is nothing else. */
	while (o->queue && !o->job)
		finish(o, f);
	if (!o->n_views)
		origin_release(o);
}

static int begin_plain(struct origin *o, struct failure *f)
{
	char *label = NULL;
	int r;

	r = plain_order(o, &o->order, &label, f);
	if (r == 0)
		r = job_start(&o->job, o->context->loop, work_on_plain, plain_done, o, f);
	/* The child has its own. */
	free(label);
	o->order.label = NULL;
	return r;
}

static int work_on_missing(void *userdata, char **ret_text, struct failure *f)
{
	struct origin *o = userdata;

	return skeleton_tell_missing(o->plain->path, &o->queue->points, ret_text, f);
}

static void missing_done(void *userdata, int r, const char *text, const struct failure *f);

static int begin_missing(struct origin *o, struct failure *f)
{
	/* It makes nothing that would have to be undone. */
	o->order = (struct variant_order){};
	return job_start(&o->job, o->context->loop, work_on_missing, missing_done, o, f);
}

static void missing_done(void *userdata, int r, const char *text, const struct failure *f)
{
	struct origin *o = userdata;
	struct failure failure;

	if (!end_job(o))
		return;
	if (r == 0 && recipe_set_missing(o->queue, text) < 0) {
		failed_step(&failure, o->name, "keep what it lacks", ENOMEM, NULL);
		f = &failure;
		r = -1;
	}
	if (r < 0)
		finish(o, f);
	work(o);
}

static int work_on_other(void *userdata, char **ret_text, struct failure *f)
{
	struct origin *o = userdata;

	(void)ret_text;
	return variant_mount_other(&o->order, f);
}

static void other_done(void *userdata, int r, const char *text, const struct failure *f)
{
	struct origin *o = userdata;
	struct failure failure;
	struct variant *v;

	(void)text;
	if (!end_job(o))
		return;
	if (r == 0) {
		r = variant_describe(runtime_join(&o->order.folder, "mount").s,
				     o->order.folder.s,
				     o->order.type, false, &v);
		if (r < 0) {
			failed_step(&failure, o->name, "look at a variant of it", -r, NULL);
			f = &failure;
		}
	}
	if (r == 0) {
		v->next = o->others;
		o->others = v;
		begin_idle(o, v);
	} else {
		variant_undo(o->context, &o->order);
		finish(o, f);
	}
	work(o);
}

static int begin_other(struct origin *o, struct failure *f)
{
	struct recipe *r = o->queue;

	o->order = (struct variant_order){
		.runtime = o->context->runtime,
		.origin = o->name,
		.label = recipe_label(r),
		.plain = o->plain,
		/* Not one where a view's mount points are kept: that goes with the view. */
		.folder = runtime_variant(o->context->runtime, o->name, new_folder(o)),
		.points = &r->missing,
		.points_text = r->missing_text,
		.map_text = r->map_text,
		.idmap = r->map,
		.overlay = recipe_needs_overlay(r),
	};
	snprintf(o->order.type, sizeof(o->order.type), "%s",
		 o->order.overlay ? "overlay" : o->plain->type);
	return job_start(&o->job, o->context->loop, work_on_other, other_done, o, f);
}

static void work(struct origin *o)
{
	struct failure f;

	while (o->queue && !o->job) {
		struct recipe *r = o->queue;
		int ret;

		if (o->plain && !variant_is_there(o->plain))
			origin_lose_variant(o, o->plain);
		if (o->plain && r->missing_text && recipe_find_variant(r)) {
			finish(o, NULL);
			continue;
		}
		if (!o->plain)
			ret = begin_plain(o, &f);
		else if (!r->missing_text)
			ret = begin_missing(o, &f);
		else
			ret = begin_other(o, &f);
		if (ret < 0)
			finish(o, &f);
	}
	/* While there was work, nothing was dropped: see on_idle(). */
	if (!o->queue && !o->job)
		arm(o, now_usec());
}

static void enqueue(struct origin *o, struct recipe *r)
{
	struct recipe **link = &o->queue;

	if (r->queued)
		return;
	while (*link)
		link = &(*link)->next;
	*link = r;
	r->next = NULL;
	r->queued = true;
	/* Not here: whoever asks is told later, and never before this returns. */
	(void)sd_event_source_set_time_relative(o->idle, 0);
	(void)sd_event_source_set_enabled(o->idle, SD_EVENT_ONESHOT);
}

int origin_get_variant(struct origin *o, struct recipe *r, struct variant **ret,
		       struct failure *f)
{
	*ret = recipe_find_variant(r);
	if (*ret)
		return 1;
	if (check_name(o, f) < 0)
		return -1;
	enqueue(o, r);
	return 0;
}

int origin_mount(struct origin *o, origin_told_t told, void *userdata, struct failure *f)
{
	struct origin_waiter *w;

	if (check_name(o, f) < 0)
		return -1;
	if (told) {
		w = calloc(1, sizeof(*w));
		if (!w)
			return failed_step(f, o->name, "wait for it", ENOMEM, NULL);
		*w = (struct origin_waiter){
			.next = o->waiters, .told = told, .userdata = userdata,
		};
		o->waiters = w;
	}
	enqueue(o, o->own);
	return 0;
}

int origin_use(struct origin *o, origin_told_t told, void *userdata, struct failure *f)
{
	bool is_there = o->plain && variant_is_there(o->plain);

	if (!is_there && origin_mount(o, told, userdata, f) < 0)
		return -1;
	o->users++;
	return is_there;
}

void origin_end_use(struct origin *o)
{
	if (--o->users == 0 && o->plain)
		begin_idle(o, o->plain);
}

void origin_try_mount(struct origin *o)
{
	struct failure f;

	if (!o->plain && origin_mount(o, NULL, NULL, &f) < 0)
		log_warning("%s", f.message);
}

static int64_t new_folder(struct origin *o)
{
	struct path path;

	do {
		path = runtime_variant(o->context->runtime, o->name, ++o->next_folder);
	} while (access(path.s, F_OK) == 0);
	return o->next_folder;
}

int origin_keep_wanted(struct origin *o, const struct mount_points *points, int64_t *ret,
		       struct failure *f)
{
	const int64_t number = new_folder(o);
	struct path folder = runtime_variant(o->context->runtime, o->name, number);
	cleanup_free char *text = mount_points_to_text(points);
	int r;

	if (!text)
		return failed_step(f, folder.s, "write down mount points", ENOMEM, NULL);
	if (make_folders(o, f) < 0)
		return -1;
	r = runtime_make_folder(folder.s);
	if (r == 0)
		r = runtime_write_line(runtime_join(&folder, "wanted").s, text);
	if (r < 0) {
		origin_forget_wanted(o, number);
		return failed_step(f, folder.s, "write in this folder", -r, NULL);
	}
	*ret = number;
	return 0;
}

void origin_forget_wanted(struct origin *o, int64_t folder)
{
	struct path path = runtime_variant(o->context->runtime, o->name, folder);

	(void)unlink(runtime_join(&path, "wanted").s);
	runtime_sweep_variant(path.s);
	if (!o->plain && !o->job)
		runtime_sweep_origin(o->context->runtime, o->name);
}

/*
 * Variants that no view needs.
 */

/* A variant that no view has goes when the grace period is over. */
static void begin_idle(struct origin *o, struct variant *v)
{
	v->idle_usec = now_usec();
	arm(o, v->idle_usec + o->context->grace_usec);
}

void origin_leave_variant(struct origin *o, struct variant *v)
{
	if (--v->views == 0)
		begin_idle(o, v);
}

static bool wants(const struct view *v, const void *userdata)
{
	return view_wants(v, userdata);
}

/* Whether it would be missed when a view that could not be mounted is tried again. */
static bool is_wanted(struct origin *o, const struct variant *v)
{
	return context_will_try_again(o->context) && view_any(o, wants, v);
}

/* When it is to go; UINT64_MAX while it has views. */
static uint64_t end_of_grace(struct origin *o, const struct variant *v, uint64_t now)
{
	uint64_t grace = o->context->grace_usec, end = v->idle_usec + grace;

	if (v->views)
		return UINT64_MAX;
	/* One that is wanted begins its grace period once more. */
	return now >= end && is_wanted(o, v) ? now + RETRY_USEC + grace : end;
}

/* Returns when to look again; UINT64_MAX if there is nothing to look for. */
static uint64_t drop_idle(struct origin *o, uint64_t now)
{
	struct variant **link = &o->others;
	uint64_t next = UINT64_MAX, end;

	while (*link) {
		struct variant *v = *link;

		end = end_of_grace(o, v, now);
		if (end <= now) {
			*link = v->next;
			recipe_forget_variant(o, v);
			variant_drop(o->context, v);
			continue;
		}
		next = end < next ? end : next;
		link = &v->next;
	}
	if (o->plain && !o->others && !o->ours && !o->users) {
		end = end_of_grace(o, o->plain, now);
		if (end <= now)
			origin_release(o);
		else
			next = end < next ? end : next;
	}
	return next;
}

/* Takes the next step: the queue's, or where there is none drops what is idle. */
static int on_idle(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct origin *o = userdata;
	uint64_t next;

	(void)source;
	(void)usec;
	if (o->queue || o->job) {
		/* A job may be at work with what is idle now. */
		work(o);
		return 0;
	}
	next = drop_idle(o, now_usec());
	if (next != UINT64_MAX)
		arm(o, next);
	return 0;
}

void origin_relax(struct origin *o)
{
	if (!o->n_views)
		close_fd(&o->fd);
}

static void forget_variant(struct view *v, void *userdata)
{
	(void)userdata;
	v->variant = NULL;
}

static void drop_all(struct origin *o, struct variant **list)
{
	while (*list) {
		struct variant *v = *list;

		*list = v->next;
		variant_drop(o->context, v);
	}
}

void origin_release(struct origin *o)
{
	stop_working(o);
	view_each(o, forget_variant, NULL);
	recipe_forget_variant(o, NULL);
	drop_all(o, &o->others);
	drop_all(o, &o->plain);
	origin_relax(o);
	if (has_paths(o))
		runtime_sweep_origin(o->context->runtime, o->name);
}

void origin_lose_variant(struct origin *o, struct variant *v)
{
	struct variant **link = v == o->plain ? &o->plain : &o->others;

	while (*link != v)
		link = &(*link)->next;
	*link = v->next;
	recipe_forget_variant(o, v);
	view_lose_variant(o, v);
	variant_drop(o->context, v);
}

/*
 * What is mounted already.
 */

static int find_variants(struct origin *o, struct mountinfo *table, struct variant **ret_plain,
			 struct variant **ret_others)
{
	const struct runtime *rt = o->context->runtime;
	cleanup_free char *id = NULL, *label = NULL;
	int r;

	/* Of an origin that had the name before, nothing can be used. */
	r = runtime_read_line(runtime_origin(rt, o->name, "id").s, &id);
	if (r < 0)
		return is_shortage(-r) ? r : 0;
	if (strtoull(id, NULL, 10) != o->id)
		return 0;
	r = runtime_read_line(runtime_origin(rt, o->name, "label").s, &label);
	if (r < 0 && is_shortage(-r))
		return r;
	if (r == 0) {
		free(o->label);
		o->label = steal_ptr(&label);
	}
	r = variant_find_plain(rt, o->name, o->dev, !is_native(o), table, ret_plain);
	if (r == 0 && *ret_plain)
		r = variant_find_others(rt, o->name, table, ret_others);
	return r;
}

int origin_find_mounts(struct origin *o, struct mountinfo *table)
{
	struct variant *plain = NULL, *others = NULL;
	int r;

	r = find_variants(o, table, &plain, &others);
	if (r < 0) {
		variant_free_all(plain);
		return r;
	}
	view_each(o, forget_variant, NULL);
	forget_variants(o);
	o->plain = plain;
	o->others = others;
	if (plain)
		begin_idle(o, plain);
	for (struct variant *v = others; v; v = v->next)
		begin_idle(o, v);
	return 0;
}
