// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the daemon does for its clients; service.h is the contract.
 */
#include "service.h"

#include "device.h"
#include "label.h"
#include "log.h"
#include "name.h"
#include "util.h"

/* What is returned is valid until the next mirror_update(). */
static struct origin *find_origin(struct service *s, const char *name, struct failure *f)
{
	struct origin *o;

	if (mirror_update(s->mirror, f) < 0)
		return NULL;
	o = mirror_find_origin(s->mirror, name);
	if (!o && kernel_has_origin(s->kernel, name)) {
		/* It was renamed to this. */
		if (mirror_read_again(s->mirror, f) < 0)
			return NULL;
		o = mirror_find_origin(s->mirror, name);
	}
	if (!o)
		failed(f, FAILURE_NO_SUCH_ORIGIN, "there is no origin \"%.128s\"", name);
	return o;
}

static int check_name(const char *what, const char *name, const char *fault, struct failure *f)
{
	if (!fault)
		return 0;
	return failed(f, FAILURE_INVALID_NAME, "the %s name \"%.128s\" %s", what, name, fault);
}

/*
 * Origins.
 */

/* Undoing must not hide why it has to be done. */
static void unload(struct service *s, const char *name, dev_t dev)
{
	struct origin *o = mirror_find_origin(s->mirror, name);
	struct failure f;

	if (o)
		origin_release(o);
	if (device_remove(name, dev, &f) < 0 || mirror_update(s->mirror, &f) < 0)
		log_warning("%s: left behind after a failure: %s", name, f.message);
}

int service_add_origin(struct service *s, const char *name, const char *device,
		       struct failure *f)
{
	struct origin *o;
	dev_t dev;

	if (check_name("origin", name, origin_name_fault(name), f) < 0 ||
	    mirror_update(s->mirror, f) < 0 || device_load(name, device, &dev, f) < 0)
		return -1;
	if (mirror_update(s->mirror, f) < 0)
		goto failed;
	o = mirror_find_origin(s->mirror, name);
	if (!o) {
		failed_step(f, name, "find it among the kernel's origins", 0,
			    "somebody removed or renamed it at once");
		goto failed;
	}
	if (origin_mount(o, f) < 0)
		goto failed;
	origin_relax(o);
	return 0;

failed:
	unload(s, name, dev);
	return -1;
}

int service_remove_origin(struct service *s, const char *name, struct failure *f)
{
	struct failure ignored;
	struct origin *o;

	o = find_origin(s, name, f);
	if (!o)
		return -1;
	if (o->n_views) {
		failed(f, FAILURE_ORIGIN_BUSY, "origin \"%s\" has %zu view%s", name, o->n_views,
		       o->n_views == 1 ? "" : "s");
		f->views = o->n_views;
		return -1;
	}

	origin_release(o);
	if (device_remove(name, o->dev, f) < 0) {
		/* It goes on as it was. */
		if (o->ours && origin_mount(o, &ignored) < 0)
			log_warning("%s", ignored.message);
		origin_relax(o);
		return -1;
	}
	return mirror_update(s->mirror, f);
}

struct count {
	struct mirror *mirror;
	bool renamed;
};

static int take_counters(const struct kernel_origin *from, void *userdata)
{
	struct count *count = userdata;
	struct origin *o = mirror_find_origin_id(count->mirror, from->id);

	if (!o)
		return 0;
	o->counters = *from;
	o->counters.name = NULL;
	count->renamed = count->renamed || !streq(o->name, from->name);
	return 0;
}

static void count_again(void *userdata)
{
	(void)userdata;
}

static int update_counters(struct service *s, struct failure *f)
{
	struct count count = { .mirror = s->mirror };

	if (mirror_update(s->mirror, f) < 0 ||
	    kernel_dump_origins(s->kernel, take_counters, count_again, &count, f) < 0)
		return -1;
	if (!count.renamed)
		return 0;
	if (mirror_read_again(s->mirror, f) < 0)
		return -1;
	return kernel_dump_origins(s->kernel, take_counters, count_again, &count, f);
}

int service_list_origins(struct service *s, const char *name,
			 void (*each)(struct origin *o, void *userdata), void *userdata,
			 struct failure *f)
{
	struct origin *o;

	if (update_counters(s, f) < 0)
		return -1;
	if (name) {
		o = find_origin(s, name, f);
		if (!o)
			return -1;
		each(o, userdata);
		return 0;
	}
	for (o = mirror_first_origin(s->mirror); o; o = o->next)
		each(o, userdata);
	return 0;
}

/*
 * Views.
 */

static struct view *find_view(struct service *s, const char *origin, const char *name,
			      uint64_t id, struct failure *f)
{
	struct origin *o = find_origin(s, origin, f);
	struct view *v = o ? view_find(o, id) : NULL;

	if (o && !v)
		failed(f, FAILURE_NO_SUCH_VIEW,
		       "view \"%s\" of origin \"%s\" was deleted by somebody else", name, origin);
	return v;
}

/*
 * What the kernel made is mounted in answer to the kernel's event, whoever
 * asked for it.  When this is called that has been tried; a view that is not
 * mounted is tried once more, which says why not.  Where it is the machine that
 * failed, somebody may have unmounted what views are made of: everything is
 * compared first.
 */
static int find_mounted(struct service *s, const char *origin, const char *name, uint64_t id,
			struct view **ret, struct failure *f)
{
	struct view *v = find_view(s, origin, name, id, f);

	if (!v)
		return -1;
	if (view_ensure_mounted(v, f) < 0) {
		if (f->kind != FAILURE_OPERATION_FAILED || mirror_read_again(s->mirror, f) < 0)
			return -1;
		v = find_view(s, origin, name, id, f);
		if (!v || view_ensure_mounted(v, f) < 0)
			return -1;
	}
	*ret = v;
	return 0;
}

int service_create_view(struct service *s, const char *origin, const char *name,
			const char *label, struct view **ret, struct failure *f)
{
	cleanup_free char *canonical = NULL;
	struct failure undo;
	uint64_t id;

	if (!find_origin(s, origin, f) ||
	    check_name("view", name, view_name_fault(name), f) < 0 ||
	    (label && label_check(label, &canonical, f) < 0) ||
	    kernel_create_view(s->kernel, origin, name, canonical, &id, f) < 0)
		return -1;
	if (find_mounted(s, origin, name, id, ret, f) == 0)
		return 0;
	if (kernel_delete_view(s->kernel, origin, name, id, &undo) < 0 &&
	    undo.kind == FAILURE_OPERATION_FAILED)
		log_warning("%s", undo.message);
	if (mirror_update(s->mirror, &undo) < 0)
		log_warning("%s", undo.message);
	return -1;
}

int service_delete_view(struct service *s, const char *origin, const char *name,
			struct failure *f)
{
	if (!find_origin(s, origin, f) ||
	    check_name("view", name, view_name_fault(name), f) < 0 ||
	    kernel_delete_view(s->kernel, origin, name, 0, f) < 0)
		return -1;
	return mirror_update(s->mirror, f);
}

int service_list_views(struct service *s, const char *origin,
		       void (*each)(struct view *v, void *userdata), void *userdata,
		       struct failure *f)
{
	struct origin *o;

	if (origin) {
		o = find_origin(s, origin, f);
		if (!o)
			return -1;
		view_each(o, each, userdata);
		return 0;
	}
	if (mirror_update(s->mirror, f) < 0)
		return -1;
	for (o = mirror_first_origin(s->mirror); o; o = o->next)
		view_each(o, each, userdata);
	return 0;
}
