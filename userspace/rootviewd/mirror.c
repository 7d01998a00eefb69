// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The mirror of the kernel's registry; mirror.h is the contract.
 */
#include "mirror.h"

#include <sys/epoll.h>
#include <time.h>

#include "log.h"
#include "process.h"
#include "reconcile.h"
#include "util.h"
#include "workshop.h"

struct mirror {
	struct kernel *kernel;
	struct origin *first;	/* in the order of ids */
	/* Something was missed, or failed: everything has to be compared again. */
	bool stale;
	bool added;		/* an origin, of which only its name is known */
	sd_event_source *events;
	struct context *context;
	void (*told)(void *userdata, const struct kernel_event *event);
	void *userdata;
};

void mirror_set_listener(struct mirror *m,
			 void (*told)(void *userdata, const struct kernel_event *event),
			 void *userdata)
{
	m->told = told;
	m->userdata = userdata;
}

/*
 * Origins.
 */

struct origin *mirror_first_origin(struct mirror *m)
{
	return m->first;
}

struct origin *mirror_find_origin(struct mirror *m, const char *name)
{
	struct origin *o;

	for (o = m->first; o && !streq(o->name, name); o = o->next)
		;
	return o;
}

struct origin *mirror_find_origin_id(struct mirror *m, uint64_t id)
{
	struct origin *o;

	for (o = m->first; o && o->id != id; o = o->next)
		;
	return o;
}

struct origin *mirror_find_added(struct mirror *m, const char *name)
{
	struct origin *o;

	for (o = m->first; o && (!o->added_as || !streq(o->added_as, name)); o = o->next)
		;
	return o;
}

struct origin *mirror_find_origin_serial(struct mirror *m, uint64_t serial)
{
	struct origin *o;

	for (o = m->first; o && o->serial != serial; o = o->next)
		;
	return o;
}

struct origin *mirror_add_origin(struct mirror *m, const struct kernel_origin *from)
{
	struct origin *o = origin_new(m->context, from), **link = &m->first;

	if (!o)
		return NULL;
	if (workshop_open(o) < 0) {
		origin_free(o);
		return NULL;
	}
	while (*link && (*link)->id < o->id)
		link = &(*link)->next;
	o->next = *link;
	*link = o;
	return o;
}

static void close_origin(struct origin *o)
{
	workshop_close(o);
	view_free_all(o);
	origin_free(o);
}

static void unlink_origin(struct mirror *m, struct origin *o)
{
	struct origin **link = &m->first;

	while (*link != o)
		link = &(*link)->next;
	*link = o->next;
}

void mirror_remove_origin(struct mirror *m, struct origin *o)
{
	unlink_origin(m, o);
	workshop_release(o);
	if (o->added_as)
		(void)unlink(runtime_added(m->context->runtime, o->added_as).s);
	close_origin(o);
}

struct origin *mirror_rename_origin(struct mirror *m, struct origin *o,
				    const struct kernel_origin *from)
{
	struct origin *renamed;

	unlink_origin(m, o);
	renamed = mirror_add_origin(m, from);
	if (renamed)
		origin_take_hold(renamed, o);
	workshop_release(o);
	close_origin(o);
	return renamed;
}

/*
 * Views that are tied to a process.
 */

static void delete_tied(struct mirror *m, struct view *v)
{
	struct failure f;

	log_info("view %s of origin %s: its process %d has ended", v->name, v->origin->name,
		 v->process);
	sd_event_source_disable_unref(v->tie);
	v->tie = NULL;
	/* What follows comes as an event. */
	if (kernel_delete_view(m->kernel, v->origin->name, v->name, v->id, &f) < 0 &&
	    f.kind == FAILURE_OPERATION_FAILED) {
		log_warning("%s; trying again soon", f.message);
		context_try_again(m->context);
	}
}

static int on_end(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct view *v = userdata;

	(void)source;
	(void)fd;
	(void)revents;
	delete_tied(v->tied_by, v);
	return 0;
}

static void tie_view(struct mirror *m, struct view *v)
{
	bool is_first = !v->tied_by;
	int fd, r;

	if (!v->process || v->tie)
		return;
	v->tied_by = m;
	fd = process_open(v->process, v->process_start);
	if (fd == -ESRCH) {
		delete_tied(m, v);
		return;
	}
	r = fd;
	if (fd >= 0)
		r = sd_event_add_io(v->origin->context->loop, &v->tie, fd, EPOLLIN, on_end, v);
	if (r >= 0) {
		(void)sd_event_source_set_io_fd_own(v->tie, 1);
		return;
	}
	if (fd >= 0)
		close(fd);
	if (is_first)
		log_warning("view %s of origin %s: cannot watch process %d, and tries again until "
			    "it can: %s", v->name, v->origin->name, v->process, strerror(-r));
	context_try_again(m->context);
}

static void tie_one(struct view *v, void *userdata)
{
	tie_view(userdata, v);
}

static void tie_all(struct mirror *m)
{
	for (struct origin *o = m->first; o; o = o->next)
		view_each(o, tie_one, m);
}

/*
 * Events.
 */

static void add_view(struct mirror *m, struct origin *o, const struct kernel_view *from)
{
	struct view *v = view_new(o, from);

	if (!v) {
		m->stale = true;
		return;
	}
	view_restore(v);
	tie_view(m, v);
}

/*
 * The origin of an event that is the next one there; NULL if it is from before
 * the last dump, or if something was missed, which is found out here.
 */
static struct origin *follow_origin(struct mirror *m, const struct kernel_event *event)
{
	struct origin *o = mirror_find_origin_id(m, event->origin.id);

	if (!o || event->origin.generation > o->generation + 1 ||
	    !streq(o->name, event->origin.name)) {
		m->stale = true;
		return NULL;
	}
	if (event->origin.generation <= o->generation)
		return NULL;
	o->generation = event->origin.generation;
	return o;
}

static void follow_view_event(struct mirror *m, const struct kernel_event *event)
{
	struct origin *o = follow_origin(m, event);
	struct view *v = o ? view_find(o, event->view.id) : NULL;

	if (o && !v && event->type == KERNEL_VIEW_CREATED && !event->view.withheld)
		add_view(m, o, &event->view);
	else if (v && event->type == KERNEL_VIEW_DELETED)
		view_remove(v);
}

static void follow_event(struct mirror *m, const struct kernel_event *event)
{
	struct origin *o;

	switch (event->type) {
	case KERNEL_NOTHING:
		break;
	case KERNEL_ORIGIN_FAILED:
		log_error("origin %s: reads fail; its block device is broken or gone",
			  event->origin.name);
		(void)follow_origin(m, event);
		break;
	case KERNEL_ORIGIN_ADDED:
		o = mirror_find_origin_id(m, event->origin.id);
		/* The one that had the name was renamed, which nothing tells of. */
		if (!o && (mirror_find_origin(m, event->origin.name) ||
			   !mirror_add_origin(m, &event->origin)))
			m->stale = true;
		m->added = true;
		break;
	case KERNEL_ORIGIN_REMOVED:
		o = mirror_find_origin_id(m, event->origin.id);
		if (o)
			mirror_remove_origin(m, o);
		break;
	case KERNEL_VIEW_CREATED:
	case KERNEL_VIEW_DELETED:
		follow_view_event(m, event);
		break;
	case KERNEL_MODULE_UNLOADED:
		while (m->first)
			mirror_remove_origin(m, m->first);
		break;
	case KERNEL_EVENTS_LOST:
		log_warning("events of the kernel were lost: reading its registry again");
		m->stale = true;
		break;
	case KERNEL_MODULE_LOADED:
		m->stale = true;
		break;
	}
	if (m->told && event->type != KERNEL_NOTHING && !m->stale)
		m->told(m->userdata, event);
}

/*
 * Two origins of one device.
 */

static int take_backing(const struct kernel_origin *from, void *userdata)
{
	struct mirror *m = userdata;
	struct origin *o = mirror_find_origin_id(m, from->id);

	if (o)
		o->counters.backing = from->backing;
	return 0;
}

static void take_again(void *userdata)
{
	(void)userdata;
}

static void warn_of_twins(struct mirror *m)
{
	for (struct origin *o = m->first; o; o = o->next) {
		if (o->compared || !o->counters.backing)
			continue;
		o->compared = true;
		for (struct origin *other = m->first; other; other = other->next)
			if (other->id < o->id &&
			    other->counters.backing == o->counters.backing)
				log_warning("origins %s and %s are one device: they share neither "
					    "superblock nor page cache", other->name, o->name);
	}
}

static void look_at_added(struct mirror *m)
{
	struct failure f;

	m->added = false;
	if (kernel_dump_origins(m->kernel, take_backing, take_again, m, &f) < 0)
		log_warning("%s", f.message);
	warn_of_twins(m);
}

int mirror_update(struct mirror *m, struct failure *f)
{
	struct kernel_event event;

	do {
		kernel_read_event(m->kernel, &event);
		/* What is asked for below is newer than every event read here. */
		if (!m->stale)
			follow_event(m, &event);
	} while (event.type != KERNEL_NOTHING);

	if (!m->stale && m->added)
		look_at_added(m);
	if (!m->stale)
		return 0;
	if (reconcile(m, m->kernel, m->context, f) < 0) {
		context_try_again(m->context);
		return -1;
	}
	m->stale = false;
	look_at_added(m);
	tie_all(m);
	if (m->told)
		m->told(m->userdata, &(struct kernel_event){ .type = KERNEL_EVENTS_LOST });
	return 0;
}

int mirror_read_again(struct mirror *m, struct failure *f)
{
	m->stale = true;
	return mirror_update(m, f);
}

/*
 * In the event loop.
 */

static void update_and_log(struct mirror *m)
{
	struct failure f;

	if (mirror_update(m, &f) < 0)
		log_error("%s; trying again soon", f.message);
}

static int on_events(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	(void)source;
	(void)fd;
	(void)revents;
	update_and_log(userdata);
	return 0;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct mirror *m = userdata;

	(void)source;
	(void)usec;
	update_and_log(m);
	/* Without the registry's word nothing is mounted: what is there may not be known. */
	if (!m->stale) {
		tie_all(m);
		reconcile_missing(m);
		reconcile_sweep(m, m->context);
	}
	return 0;
}

/* A daemon that was killed may have been about to add it. */
static void forget_added(const struct path *path, void *userdata)
{
	if (!mirror_find_added(userdata, strrchr(path->s, '/') + 1))
		(void)unlink(path->s);
}

int mirror_new(struct mirror **ret, struct kernel *kernel, struct context *context,
	       struct failure *f)
{
	struct mirror *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return failed_step(f, "the kernel's registry", "follow it", ENOMEM, NULL);
	m->kernel = kernel;
	m->context = context;
	m->stale = true;

	r = sd_event_add_time_relative(context->loop, &context->retry, CLOCK_MONOTONIC, 0, 0,
				       on_retry, m);
	if (r >= 0)
		r = sd_event_source_set_enabled(context->retry, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_io(context->loop, &m->events, kernel_events_fd(kernel),
				    EPOLLIN, on_events, m);
	if (r < 0) {
		failed_step(f, "the kernel's registry", "follow it", -r, NULL);
		goto failed;
	}
	if (mirror_update(m, f) < 0)
		goto failed;
	(void)runtime_each_entry(runtime_added(context->runtime, NULL).s, forget_added, m);
	*ret = m;
	return 0;

failed:
	mirror_free(m);
	return -1;
}

void mirror_free(struct mirror *m)
{
	if (!m)
		return;
	sd_event_source_disable_unref(m->events);
	while (m->first) {
		struct origin *o = m->first;

		m->first = o->next;
		close_origin(o);
	}
	m->context->retry = sd_event_source_disable_unref(m->context->retry);
	free(m);
}
