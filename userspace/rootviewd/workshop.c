// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The workshop of an origin; workshop.h is the contract.
 */
#include "workshop.h"

#include <time.h>

#include "job.h"
#include "label.h"
#include "log.h"
#include "skeleton.h"
#include "util.h"

enum work_kind {
	WORK_PLAIN,	/* mounts the origin's own file system */
	WORK_LOOK,	/* looks what the image lacks */
	WORK_OTHER,	/* mounts another variant */
};

/* What a job does.  It stays until the job's child has gone, also if its origin goes before. */
struct work {
	LIST_ENTRY(work) next;		/* of all, in the context */
	const struct context *context;
	struct origin *origin;		/* NULL once that has gone */
	char *name;			/* of that, and so of its folders */
	enum work_kind kind;
	bool unwanted;			/* what it makes has to be undone */
	bool hangs;			/* it has failed, and its child is there yet */
	struct variant *variant;
	struct variant_order order;
	char *label;			/* for that */
	struct job *job;
};

static void take_steps(struct origin *o);

/*
 * Time.
 */

static uint64_t now_usec(const struct origin *o)
{
	uint64_t now = 0;

	(void)sd_event_now(o->context->loop, CLOCK_MONOTONIC, &now);
	return now;
}

/* Sees to it that on_timer() is called then, if not before. */
static void arm_timer(struct origin *o, uint64_t usec)
{
	uint64_t before;
	int enabled;

	/* While the workshop is closed, views end their use of what stays mounted. */
	if (!o->timer)
		return;
	if (sd_event_source_get_enabled(o->timer, &enabled) >= 0 && enabled != SD_EVENT_OFF &&
	    sd_event_source_get_time(o->timer, &before) >= 0 && before <= usec)
		return;
	(void)sd_event_source_set_time(o->timer, usec);
	(void)sd_event_source_set_enabled(o->timer, SD_EVENT_ONESHOT);
}

/* A variant that nobody uses goes when the grace period is over. */
static void begin_grace(struct origin *o, struct variant *v)
{
	v->idle_usec = now_usec(o);
	arm_timer(o, v->idle_usec + o->context->grace_usec);
}

/*
 * The queue.
 */

static void tell_list(struct variant_waiter *list, const struct failure *f)
{
	while (list) {
		struct variant_waiter *w = list;

		list = w->next;
		w->told(w->userdata, f);
		free(w);
	}
}

static void tell_waiters(struct origin *o, struct variant *v, const struct failure *f)
{
	struct variant_waiter *waiters = v->waiters;

	v->waiters = NULL;
	if (!waiters && f) {
		if (!v->warned)
			log_warning("origin %s is not mounted for %zu view%s: %s", o->name,
				    v->users, v->users == 1 ? "" : "s", f->message);
		v->warned = true;
	}
	/* Whoever waits may ask again; views for which nobody does need it as well. */
	if (f && failure_is_shortage(f))
		context_try_again(o->context);
	if (!f)
		v->warned = false;
	tell_list(waiters, f);
}

/* Those who wanted to know what the image lacks do not wait for a mount. */
static void tell_lookers(struct variant *v)
{
	struct variant_waiter **link = &v->waiters, *lookers = NULL;

	while (*link) {
		struct variant_waiter *w = *link;

		if (!w->looks) {
			link = &w->next;
			continue;
		}
		*link = w->next;
		w->next = lookers;
		lookers = w;
	}
	tell_list(lookers, NULL);
}

/* The first of the queue is done with; @f is NULL if it is there. */
static void finish_first(struct origin *o, const struct failure *f)
{
	struct variant *v = TAILQ_FIRST(&o->queue);

	TAILQ_REMOVE(&o->queue, v, next);
	v->queued = false;
	v->wanted = false;
	/* Whoever is told may end its use. */
	variants_begin_use(v);
	tell_waiters(o, v, f);
	workshop_end_use(o, v);
}

static void enqueue_variant(struct origin *o, struct variant *v, enum workshop_wish wish)
{
	v->wanted = v->wanted || wish == WORKSHOP_MOUNT;
	if (v->queued)
		return;
	TAILQ_INSERT_TAIL(&o->queue, v, next);
	v->queued = true;
	/* Not here: whoever asks is told later. */
	arm_timer(o, 0);
}

/* That variant was unmounted by somebody else: who uses it gets another. */
static void lose_variant(struct origin *o, struct variant *v)
{
	struct variant *twin;

	LIST_FOREACH(twin, &v->twins, twin)
		if (twin->users)
			enqueue_variant(o, twin, WORKSHOP_MOUNT);
	variants_begin_use(v);
	variants_unmount(&o->variants, o->context, v);
	if (v->users > 1 || (v == o->variants.plain && o->added_as))
		enqueue_variant(o, v, WORKSHOP_MOUNT);
	variants_end_use(&o->variants, v);
}

/* With @check, what is known to be mounted is looked at: somebody may have unmounted it. */
static bool is_fulfilled(struct origin *o, struct variant *v, enum workshop_wish wish, bool check)
{
	struct variant *mounted;

	if (wish == WORKSHOP_LOOK)
		return v->missing_text;
	mounted = variants_find_mounted(&o->variants, v);
	if (!mounted || !check || variant_is_there(mounted))
		return mounted;
	lose_variant(o, mounted);
	return false;
}

int workshop_request(struct origin *o, struct variant *v, enum workshop_wish wish,
		     variant_told_t told, void *userdata, struct failure *f)
{
	struct variant_waiter *w;

	if (is_fulfilled(o, v, wish, told))
		return 1;
	if (origin_check_name(o, f) < 0)
		return -1;
	if (told) {
		w = calloc(1, sizeof(*w));
		if (!w)
			return failed_step(f, o->name, "wait for it", ENOMEM, NULL);
		*w = (struct variant_waiter){
			.next = v->waiters, .looks = wish == WORKSHOP_LOOK, .told = told,
			.userdata = userdata,
		};
		v->waiters = w;
	}
	enqueue_variant(o, v, wish);
	return 0;
}

void workshop_restore(struct origin *o)
{
	struct variant *plain = o->variants.plain;

	if (o->added_as && !o->removing && !plain->path && origin_has_paths(o))
		enqueue_variant(o, plain, WORKSHOP_MOUNT);
}

void workshop_end_use(struct origin *o, struct variant *v)
{
	struct variant *idle = variants_end_use(&o->variants, v);

	if (idle)
		begin_grace(o, idle);
}

/*
 * Steps: each brings the first of the queue further.
 */

static int work_on_plain(void *userdata, char **ret_text, struct failure *f)
{
	char type[FILESYSTEM_TYPE_SIZE];
	struct work *w = userdata;

	if (variant_mount_plain(&w->order, type, f) < 0)
		return -1;
	*ret_text = strdup(type);
	return *ret_text ? 0 : failed_step(f, w->name, "tell its type", ENOMEM, NULL);
}

/* What lies on the plain one: that may have gone while the job waited for its turn. */
static int check_plain(const struct work *w, struct failure *f)
{
	return w->order.plain->path ? 0 :
	       failed_step(f, w->name, "find its file system", 0, "it was unmounted meanwhile");
}

static int work_on_look(void *userdata, char **ret_text, struct failure *f)
{
	struct work *w = userdata;

	if (check_plain(w, f) < 0)
		return -1;
	return skeleton_tell_missing(w->order.plain->path, &w->variant->points, ret_text, f);
}

static int work_on_other(void *userdata, char **ret_text, struct failure *f)
{
	struct work *w = userdata;

	(void)ret_text;
	return check_plain(w, f) < 0 ? -1 : variant_mount_other(&w->order, f);
}

/* It may be long until there is a child: so it borrows nothing that could go before. */
static int keep_label(struct work *w, const char *label, struct failure *f)
{
	w->label = label ? strdup(label) : NULL;
	w->order.label = w->label;
	return !label || w->label ? 0 : failed_step(f, w->name, "keep its label", ENOMEM, NULL);
}

static int order_plain(struct origin *o, struct work *w, struct failure *f)
{
	cleanup_free char *shared = NULL;

	if (origin_hold(o, f) < 0 || origin_make_folders(o, f) < 0)
		return -1;
	if (!o->label && label_of_shared_files(&shared, f) < 0)
		return -1;
	w->order.number = o->dev;
	w->order.types = o->context->types;
	return keep_label(w, origin_is_native(o) ? NULL : o->label ?: shared, f);
}

static int order_other(struct origin *o, struct work *w, struct failure *f)
{
	const struct variants *all = &o->variants;
	struct variant_order *order = &w->order;
	const struct variant *v = w->variant;

	/* Not a folder where a view's mount points are kept: that goes with the view. */
	order->folder = origin_new_folder(o, NULL);
	order->points = &v->missing;
	order->points_text = v->missing_text;
	order->map_text = v->map_text;
	order->idmap = v->map;
	order->overlay = variants_needs_overlay(all, v);
	snprintf(order->type, sizeof(order->type), "%s",
		 order->overlay ? "overlay" : all->plain->type);
	return keep_label(w, variants_label(all, v), f);
}

/* A label of the image itself takes a superblock that has no other. */
static int check_native(const struct origin *o, const struct variant *v, struct failure *f)
{
	if (!label_is_native(v->label) || !o->variants.plain->files_label)
		return 0;
	return failed(f, FAILURE_INVALID_LABEL,
		      "the files of origin \"%s\" have one label, and not their own: add it with "
		      "the label \"" LABEL_NATIVE "\", and ask for other labels view by view",
		      o->name);
}

static void work_free(struct work *w)
{
	if (!w)
		return;
	LIST_REMOVE(w, next);
	free(w->name);
	free(w->label);
	free(w);
}

static struct work *work_new(struct origin *o, enum work_kind kind, struct failure *f)
{
	struct work *w = calloc(1, sizeof(*w));

	if (w)
		w->name = strdup(o->name);
	if (!w || !w->name) {
		free(w);
		failed_step(f, o->name, "begin work on it", ENOMEM, NULL);
		return NULL;
	}
	w->context = o->context;
	w->origin = o;
	w->kind = kind;
	w->variant = kind == WORK_PLAIN ? o->variants.plain : TAILQ_FIRST(&o->queue);
	w->order.origin = w->name;
	w->order.plain = o->variants.plain;
	/* A look makes nothing that would have to be undone. */
	w->order.runtime = kind == WORK_LOOK ? NULL : o->context->runtime;
	LIST_INSERT_HEAD(o->context->works, w, next);
	return w;
}

bool workshop_is_busy(const struct context *context, const char *name)
{
	struct work *w;

	LIST_FOREACH(w, context->works, next)
		if (streq(w->name, name))
			return true;
	return false;
}

static void work_done(void *userdata, int r, const char *text, const struct failure *f);
static void work_over(void *userdata);

static int begin_work(struct origin *o, enum work_kind kind, struct failure *f)
{
	static const job_work_t works[] = {
		[WORK_PLAIN] = work_on_plain,
		[WORK_LOOK] = work_on_look,
		[WORK_OTHER] = work_on_other,
	};
	struct variant *v = TAILQ_FIRST(&o->queue);
	struct work *w;
	int r = 0;

	if (!o->work && workshop_is_busy(o->context, o->name)) {
		context_try_again(o->context);
		return failed_step(f, o->name, "mount it", 0,
				   "work on an earlier origin of that name is not over");
	}
	if (kind == WORK_OTHER && check_native(o, v, f) < 0)
		return -1;
	w = work_new(o, kind, f);
	if (!w)
		return -1;
	if (kind == WORK_PLAIN)
		r = order_plain(o, w, f);
	else if (kind == WORK_OTHER)
		r = order_other(o, w, f);
	if (r == 0)
		r = job_start(&w->job, o->context->loop, works[kind], work_done, work_over, w, f);
	if (r < 0) {
		work_free(w);
		return -1;
	}
	o->work = w;
	return 0;
}

/* Takes in what a job has made. */
static int take_result(struct work *w, const char *text, struct failure *f)
{
	struct origin *o = w->origin;
	struct variant *v = w->variant;
	struct path path;
	int r;

	if (w->kind == WORK_LOOK) {
		if (variants_set_missing(v, text) < 0)
			return failed_step(f, o->name, "keep what it lacks", ENOMEM, NULL);
		tell_lookers(v);
		return 0;
	}
	if (w->kind == WORK_PLAIN) {
		path = runtime_origin(o->context->runtime, o->name, "plain");
		r = variant_describe(v, path.s, NULL, text, !origin_is_native(o));
	} else {
		path = runtime_join(&w->order.folder, "mount");
		r = variant_describe(v, path.s, w->order.folder.s, w->order.type, false);
	}
	if (r < 0)
		return failed_step(f, o->name, "look at what was mounted of it", -r, NULL);
	variants_add_mounted(&o->variants, v);
	begin_grace(o, v);
	return 0;
}

/* Without an origin's own file system there is nothing else. */
static void fail_plain(struct origin *o, const struct failure *f)
{
	while (!TAILQ_EMPTY(&o->queue))
		finish_first(o, f);
	if (!o->n_views)
		workshop_release(o);
}

static void work_done(void *userdata, int r, const char *text, const struct failure *f)
{
	struct work *w = userdata;
	struct origin *o = w->origin;
	struct failure failure;

	/* While the child is there. */
	w->hangs = r < 0;
	/* All that wait for it are told, if it is there for longer. */
	if (o && w->hangs)
		arm_timer(o, 0);
	if (w->unwanted)
		return;
	if (r == 0) {
		r = take_result(w, text, &failure);
		f = &failure;
	}
	if (r == 0)
		return;
	w->unwanted = true;
	o->doubtful = true;
	if (w->kind != WORK_PLAIN) {
		finish_first(o, f);
		return;
	}
	fail_plain(o, f);
}

/*
 * The child has gone.  If it was killed, that may have come too late: what it made is undone only
 * now, when nothing more can be made.
 */
static void work_over(void *userdata)
{
	struct work *w = userdata;
	const struct context *context = w->context;
	struct origin *o = w->origin;

	if (w->unwanted) {
		variant_undo(context, &w->order);
		trash_flush(context->trash);
		if (!o || (!o->variants.plain->path && !o->n_views))
			runtime_sweep_origin(context->runtime, w->name);
	}
	work_free(w);
	if (!o)
		return;
	o->work = NULL;
	take_steps(o);
}

static void workshop_stop(struct origin *o)
{
	struct failure f;

	if (o->work) {
		o->work->unwanted = true;
		o->doubtful = true;
		job_cancel(o->work->job);
	}
	failed(&f, FAILURE_NO_SUCH_ORIGIN, "origin \"%s\" was removed meanwhile", o->name);
	while (!TAILQ_EMPTY(&o->queue)) {
		/* Where nobody waits, nothing is said. */
		TAILQ_FIRST(&o->queue)->warned = true;
		finish_first(o, &f);
	}
}

void workshop_release(struct origin *o)
{
	workshop_stop(o);
	variants_unmount_all(&o->variants, o->context);
	origin_relax(o);
	if (origin_has_paths(o))
		runtime_sweep_origin(o->context->runtime, o->name);
}

static void take_steps(struct origin *o)
{
	struct variant *v, *plain = o->variants.plain;
	struct failure f;

	while ((v = TAILQ_FIRST(&o->queue)) && (!o->work || o->work->hangs)) {
		enum workshop_wish wish;
		int r;

		if (o->work) {
			failed_step(&f, "the origin's device", "read it", 0,
				    "it has not answered for a job before: slow, suspended or broken");
			finish_first(o, &f);
			continue;
		}
		if (plain->path && !variant_is_there(plain))
			lose_variant(o, plain);
		wish = v->wanted ? WORKSHOP_MOUNT : WORKSHOP_LOOK;
		if (plain->path && is_fulfilled(o, v, wish, true)) {
			finish_first(o, NULL);
			continue;
		}
		r = begin_work(o, !plain->path ? WORK_PLAIN :
				  !v->missing_text ? WORK_LOOK : WORK_OTHER, &f);
		if (r < 0 && !plain->path)
			fail_plain(o, &f);
		else if (r < 0)
			finish_first(o, &f);
	}
	/* While there was work, nothing was dropped. */
	if (!v && !o->work)
		arm_timer(o, 0);
}

/*
 * Variants that nobody uses.
 */

static void look_for_unmounted(struct variant *v, void *userdata)
{
	bool *found = userdata;

	*found = *found || (v->users && !v->path && !v->same);
}

/* Whether something that was found may be missed when what failed is tried again. */
static bool may_be_wanted(struct origin *o)
{
	bool found = false;

	if (context_will_try_again(o->context))
		variants_each(&o->variants, look_for_unmounted, &found);
	return found;
}

/* When it is to go; UINT64_MAX while it is used. */
static uint64_t end_of_grace(const struct origin *o, const struct variant *v)
{
	return v->users ? UINT64_MAX : v->idle_usec + o->context->grace_usec;
}

/* Returns when to look again; UINT64_MAX if there is nothing to look for. */
static uint64_t drop_idle(struct origin *o, uint64_t now)
{
	struct variant *v, *following, *plain = o->variants.plain;
	uint64_t next = UINT64_MAX, end;

	if (may_be_wanted(o))
		return now + RETRY_USEC + o->context->grace_usec;
	next = variants_drop_twins(&o->variants, now, o->context->grace_usec);
	for (v = LIST_FIRST(&o->variants.mounted); v; v = following) {
		following = LIST_NEXT(v, mounted);
		end = end_of_grace(o, v);
		if (end <= now)
			variants_unmount(&o->variants, o->context, v);
		else
			next = end < next ? end : next;
	}
	if (plain->path && LIST_EMPTY(&o->variants.mounted) && !o->added_as) {
		end = end_of_grace(o, plain);
		if (end <= now)
			workshop_release(o);
		else
			next = end < next ? end : next;
	}
	return next;
}

/* Takes the next step: the queue's, or where there is none drops what is idle. */
static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct origin *o = userdata;
	uint64_t next;

	(void)source;
	(void)usec;
	if (!TAILQ_EMPTY(&o->queue) || o->work) {
		/* A job may be at work with what is idle now. */
		take_steps(o);
		return 0;
	}
	next = drop_idle(o, now_usec(o));
	if (next != UINT64_MAX)
		arm_timer(o, next);
	return 0;
}

/*
 * Beginning and end.
 */

int workshop_open(struct origin *o)
{
	TAILQ_INIT(&o->queue);
	if (sd_event_add_time_relative(o->context->loop, &o->timer, CLOCK_MONOTONIC, 0, 0,
				       on_timer, o) < 0 ||
	    sd_event_source_set_enabled(o->timer, SD_EVENT_OFF) < 0)
		return -1;
	return 0;
}

void workshop_close(struct origin *o)
{
	workshop_stop(o);
	/* What it may have made has to be undone yet: see work_over(). */
	if (o->work)
		o->work->origin = NULL;
	o->work = NULL;
	o->timer = sd_event_source_disable_unref(o->timer);
}

int workshop_find(struct origin *o)
{
	const struct runtime *rt = o->context->runtime;
	struct path folder = runtime_origin(rt, o->name, NULL);
	struct variants *all = &o->variants;
	struct variant *v;
	int r;

	if (!origin_has_paths(o))
		return 0;
	r = origin_has_folders(o);
	/* Of an origin that had the name before, nothing can be used. */
	if (r == 0)
		return runtime_detach_origin(&folder);
	if (r > 0)
		r = variants_find(all, rt, o->name, o->dev, !origin_is_native(o));
	if (r < 0) {
		variants_forget(all);
		return r;
	}
	if (all->plain->path)
		begin_grace(o, all->plain);
	LIST_FOREACH(v, &all->mounted, mounted)
		begin_grace(o, v);
	return 0;
}
