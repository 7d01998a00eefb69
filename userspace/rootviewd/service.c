// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the daemon does for its clients; service.h is the contract.
 */
#include "service.h"

#include <inttypes.h>
#include <search.h>
#include <sys/sysmacros.h>

#include "device.h"
#include "job.h"
#include "log.h"
#include "name.h"
#include "util.h"
#include "workshop.h"

/* What is returned is valid until the next mirror_update(). */
static struct origin *find_origin(struct service *s, const char *name, struct failure *f)
{
	struct origin *o;
	int r;

	if (mirror_update(s->mirror, f) < 0)
		return NULL;
	o = mirror_find_origin(s->mirror, name);
	if (!o) {
		r = kernel_has_origin(s->kernel, name, f);
		/* It was renamed to this. */
		if (r > 0)
			r = mirror_read_again(s->mirror, f);
		if (r < 0)
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

/* The same, of an origin that views may be made on. */
static struct origin *find_usable(struct service *s, const char *name, struct failure *f)
{
	struct origin *o = find_origin(s, name, f);

	if (o && o->removing) {
		failed(f, FAILURE_ORIGIN_BUSY, "origin \"%.128s\" is being removed", name);
		return NULL;
	}
	return o;
}

/*
 * Requests that wait.  They are answered from the event loop, never from within
 * what they waited for.
 */

static int begin_waiting(struct service *s, struct failure *f)
{
	if (s->waiting >= SERVICE_WAITING_MAX)
		return failed_too_many(f, "requests", SERVICE_WAITING_MAX,
				       "%d requests are waiting already; try again later",
				       SERVICE_WAITING_MAX);
	s->waiting++;
	return 0;
}

/* From within the event loop; nothing that this needs can be wanting. */
static void go_on(struct service *s, struct pending *p)
{
	if (p->ready)
		return;
	p->ready = true;
	TAILQ_INSERT_TAIL(&s->ready, p, next);
	(void)sd_event_source_set_enabled(s->defer, SD_EVENT_ONESHOT);
}

static void stop_going_on(struct service *s, struct pending *p)
{
	if (p->ready)
		TAILQ_REMOVE(&s->ready, p, next);
	p->ready = false;
}

static int on_ready(sd_event_source *source, void *userdata)
{
	struct service *s = userdata;
	struct pending *p;

	(void)source;
	while ((p = TAILQ_FIRST(&s->ready))) {
		stop_going_on(s, p);
		p->go_on(p);
	}
	return 0;
}

int service_init(struct service *s, struct kernel *kernel, struct mirror *mirror,
		 const struct context *context, struct failure *f)
{
	int r;

	*s = (struct service){ .kernel = kernel, .mirror = mirror, .context = context };
	TAILQ_INIT(&s->ready);
	r = sd_event_add_defer(context->loop, &s->defer, on_ready, s);
	if (r >= 0)
		r = sd_event_source_set_enabled(s->defer, SD_EVENT_OFF);
	return r < 0 ? failed_step(f, "rootviewd", "prepare for requests", -r, NULL) : 0;
}

void service_done(struct service *s)
{
	s->defer = sd_event_source_disable_unref(s->defer);
}

/*
 * Origins.
 */

struct change {
	struct pending pending;	/* comes first */
	LIST_ENTRY(change) next;	/* of all that are at work */
	struct service *service;
	char *name, *device, *label;
	dev_t number;		/* of the block device, if @device is NULL */
	dev_t dev;		/* of the origin */
	uint64_t origin;	/* serial of that whose own file system this uses; else 0 */
	uint64_t newest;	/* id of the newest origin before it was to be added */
	service_done_t done;
	void *userdata;
	bool bad;
	bool stays;		/* it could not be removed: @failure says why */
	bool unloaded;		/* its device could not be loaded: likewise */
	bool answered;		/* what goes on is done for nobody */
	struct failure failure;
	struct job *job;
};

static void change_free(struct change *c)
{
	if (!c)
		return;
	free(c->name);
	free(c->device);
	free(c->label);
	free(c);
}

static void on_mounted(struct pending *p);

static struct change *change_new(struct service *s, const char *name, const char *device,
				 const char *label, service_done_t done, void *userdata,
				 struct failure *f)
{
	struct change *c = calloc(1, sizeof(*c));

	if (c) {
		*c = (struct change){
			.pending.go_on = on_mounted, .service = s, .done = done,
			.userdata = userdata,
		};
		c->name = strdup(name);
		c->device = device ? strdup(device) : NULL;
		c->label = label ? strdup(label) : NULL;
	}
	if (!c || !c->name || (device && !c->device) || (label && !c->label)) {
		change_free(c);
		failed_step(f, name, "take the request", ENOMEM, NULL);
		return NULL;
	}
	if (begin_waiting(s, f) < 0) {
		change_free(c);
		return NULL;
	}
	LIST_INSERT_HEAD(&s->changes, c, next);
	return c;
}

static void change_forget(struct change *c)
{
	LIST_REMOVE(c, next);
	c->service->waiting--;
	change_free(c);
}

static void change_end(struct change *c, const struct failure *f)
{
	struct failure ignored;

	if (!c->answered)
		(void)c->done(c->userdata, f, &ignored);
	change_forget(c);
}

static int remove_in_child(void *userdata, char **ret_text, struct failure *f)
{
	struct change *c = userdata;

	(void)ret_text;
	return device_remove(c->name, c->dev, f);
}

static void undone(void *userdata, int r, const char *text, const struct failure *f)
{
	struct change *c = userdata;
	struct failure ignored;
	struct origin *o;

	(void)text;
	if (r < 0)
		log_warning("%s: left behind after a failure: %s", c->name, f->message);
	if (mirror_update(c->service->mirror, &ignored) < 0)
		log_warning("%s", ignored.message);
	o = mirror_find_origin(c->service->mirror, c->name);
	if (!o && !mirror_find_added(c->service->mirror, c->name))
		(void)unlink(runtime_added(c->service->context->runtime, c->name).s);
	/* Somebody else may remove what was left. */
	if (o)
		o->removing = false;
	change_end(c, &c->failure);
}

/* What was loaded goes again, and then the client hears of the failure. */
static void undo(struct change *c)
{
	struct origin *o = mirror_find_origin(c->service->mirror, c->name);
	struct failure f;

	if (o && o->n_views) {
		/* Somebody was quick to use it, and goes on with it. */
		log_warning("%s: left behind after a failure: it has views", c->name);
		change_end(c, &c->failure);
		return;
	}
	if (o) {
		o->removing = true;
		workshop_release(o);
		trash_flush(c->service->context->trash);
	}
	/* If there can be no job, everybody has to wait a little. */
	if (job_start(&c->job, c->service->context->loop, remove_in_child, undone, NULL, c, &f) < 0)
		undone(c, device_remove(c->name, c->dev, &f), NULL, &f);
}

static void on_mounted(struct pending *p)
{
	struct change *c = (struct change *)p;
	struct origin *o = mirror_find_origin_serial(c->service->mirror, c->origin);
	struct failure ignored;

	if (c->unloaded) {
		/* The child hangs; what it leaves is for loading_over(). */
		c->answered = true;
		(void)c->done(c->userdata, &c->failure, &ignored);
		return;
	}
	if (o)
		workshop_end_use(o, o->variants.plain);
	if (c->stays)
		change_end(c, &c->failure);
	else if (c->bad || c->done(c->userdata, NULL, &c->failure) < 0)
		undo(c);
	else
		change_forget(c);
}

static void mounted(void *userdata, const struct failure *f)
{
	struct change *c = userdata;

	c->bad = f;
	if (f)
		c->failure = *f;
	go_on(c->service, &c->pending);
}

/* One device is one origin: two would have a superblock and a page cache each. */
static int check_twin(const struct change *c, dev_t backing, uint64_t id, struct failure *f)
{
	const struct origin *o = mirror_first_origin(c->service->mirror);

	while (o && (o->counters.backing != backing || o->id >= id))
		o = o->next;
	return !o ? 0 : failed_about(f, FAILURE_ORIGIN_EXISTS, o->name,
				     "the device of \"%s\" is origin \"%s\" already", c->name,
				     o->name);
}

/* What is asked for beside the name and the device: before that is there, since it may be seen. */
static int note_label(const struct change *c, struct failure *f)
{
	struct path path = runtime_added(c->service->context->runtime, c->name);
	int r;

	r = c->label ? runtime_write_line(path.s, c->label) : unlink(path.s) < 0 ? -errno : 0;
	return r < 0 && r != -ENOENT ? failed_step(f, path.s, "write this file", -r, NULL) : 0;
}

static int load_in_child(void *userdata, char **ret_text, struct failure *f)
{
	struct change *c = userdata;
	struct device_backing backing;

	if ((c->device ? device_examine(c->device, &backing, f) :
			 device_examine_number(c->number, &backing, f)) < 0 ||
	    check_twin(c, backing.dev, UINT64_MAX, f) < 0 ||
	    device_check_free(c->name, f) < 0 || note_label(c, f) < 0 ||
	    device_load(c->name, &backing, &c->dev, f) < 0)
		return -1;
	if (asprintf(ret_text, "%u:%u", major(c->dev), minor(c->dev)) >= 0)
		return 0;
	(void)device_remove(c->name, c->dev, f);
	return failed_step(f, c->name, "tell its number", ENOMEM, NULL);
}

/* As workshop_request(); on_mounted() ends the use. */
static int use_plain(struct change *c, struct origin *o, variant_told_t told, struct failure *f)
{
	c->origin = o->serial;
	variants_begin_use(o->variants.plain);
	return workshop_request(o, o->variants.plain, WORKSHOP_MOUNT, told, c, f);
}

static int mount_loaded(struct change *c, struct failure *f)
{
	struct origin *o;
	int r;

	if (mirror_update(c->service->mirror, f) < 0)
		return -1;
	o = mirror_find_origin(c->service->mirror, c->name);
	if (!o)
		return failed_step(f, c->name, "find it among the kernel's origins", 0,
				   "somebody removed or renamed it at once");
	/* Another request may have been for the same device, at the same time. */
	if (check_twin(c, o->counters.backing, o->id, f) < 0)
		return -1;
	if (!o->added_as)
		return failed_step(f, c->name, "find it among the kernel's origins", 0,
				   "somebody else has made another one of that name");
	r = use_plain(c, o, mounted, f);
	if (r > 0)
		go_on(c->service, &c->pending);
	return r < 0 ? -1 : 0;
}

static void loaded(void *userdata, int r, const char *text, const struct failure *f)
{
	struct change *c = userdata;
	unsigned int major, minor;

	if (r < 0) {
		c->unloaded = true;
		c->failure = *f;
		go_on(c->service, &c->pending);
		return;
	}
	if (text && sscanf(text, "%u:%u", &major, &minor) == 2)
		c->dev = makedev(major, minor);
	if (mount_loaded(c, &c->failure) < 0) {
		c->bad = true;
		go_on(c->service, &c->pending);
	}
}

/* Of a child that was killed, nothing stays either: the device that has the name now is its own. */
static void loading_over(void *userdata)
{
	struct change *c = userdata;
	struct service *s = c->service;
	struct failure ignored;
	struct origin *o;

	if (!c->unloaded)
		return;
	/* Unless it had to be answered before: see on_mounted(). */
	stop_going_on(s, &c->pending);
	device_sweep_one(c->name);
	if (mirror_update(s->mirror, &ignored) < 0)
		log_warning("%s", ignored.message);
	o = mirror_find_origin(s->mirror, c->name);
	if (o && o->added_as && o->id > c->newest) {
		c->dev = o->dev;
		undo(c);
		return;
	}
	if (!mirror_find_added(s->mirror, c->name))
		(void)unlink(runtime_added(s->context->runtime, c->name).s);
	change_end(c, &c->failure);
}

/* Whether nobody has the name, or is about to. */
static int check_unknown(struct service *s, const char *name, struct failure *f)
{
	const struct origin *added;
	struct change *c;

	if (mirror_update(s->mirror, f) < 0)
		return -1;
	if (mirror_find_origin(s->mirror, name))
		return failed(f, FAILURE_ORIGIN_EXISTS, "there is an origin \"%s\" already", name);
	added = mirror_find_added(s->mirror, name);
	if (added)
		return failed_about(f, FAILURE_ORIGIN_EXISTS, added->name,
				    "origin \"%s\" was added as \"%s\", and renamed: that name is "
				    "not free before it goes", added->name, name);
	LIST_FOREACH(c, &s->changes, next)
		if (streq(c->name, name))
			return failed(f, FAILURE_ORIGIN_EXISTS,
				      "origin \"%s\" is being added or removed by another request",
				      name);
	return 0;
}

int service_add_origin(struct service *s, const char *name, const char *device, dev_t number,
		       const char *label, service_done_t done, void *userdata,
		       struct failure *f)
{
	cleanup_free char *canonical = NULL;
	struct change *c;

	if (check_name("origin", name, origin_name_fault(name), f) < 0 ||
	    (label && view_check_label(label, &canonical, f) < 0) || check_unknown(s, name, f) < 0)
		return -1;
	c = change_new(s, name, device, canonical, done, userdata, f);
	if (!c)
		return -1;
	c->number = number;
	for (const struct origin *o = mirror_first_origin(s->mirror); o; o = o->next)
		c->newest = o->id;
	if (job_start(&c->job, s->context->loop, load_in_child, loaded, loading_over, c, f) == 0)
		return 0;
	change_forget(c);
	return -1;
}

/* The origin goes on as it was, whatever it was refused for. */
static void mounted_again(void *userdata, const struct failure *f)
{
	struct change *c = userdata;

	if (f) {
		log_warning("%s; trying again soon", f->message);
		context_try_again(c->service->context);
	}
	go_on(c->service, &c->pending);
}

/* It could not be removed: @o is there as before. */
static void restore_origin(struct change *c, struct origin *o)
{
	struct failure f;
	int r;

	c->stays = true;
	o->removing = false;
	r = o->added_as ? use_plain(c, o, mounted_again, &f) : 1;
	if (r != 0)
		mounted_again(c, r < 0 ? &f : NULL);
}

static void removed(void *userdata, int r, const char *text, const struct failure *f)
{
	struct change *c = userdata;
	struct service *s = c->service;
	struct origin *o;

	(void)text;
	/* It has gone, whether or not that can be seen at once. */
	if (r == 0 && mirror_update(s->mirror, &c->failure) < 0)
		log_warning("%s", c->failure.message);
	o = r < 0 ? mirror_find_origin(s->mirror, c->name) : NULL;
	if (o) {
		c->failure = *f;
		restore_origin(c, o);
	} else {
		change_end(c, r < 0 ? f : NULL);
	}
}

int service_remove_origin(struct service *s, const char *name, service_done_t done,
			  void *userdata, struct failure *f)
{
	struct origin *o = find_usable(s, name, f);
	struct change *c;

	if (!o)
		return -1;
	if (o->n_views || o->n_creating) {
		size_t n = o->n_views ?: o->n_creating;

		failed(f, FAILURE_ORIGIN_BUSY, "origin \"%s\" has %zu view%s%s", name, n,
		       n == 1 ? "" : "s", o->n_views ? "" : " in the making");
		f->views = o->n_views;
		return -1;
	}
	c = change_new(s, name, NULL, NULL, done, userdata, f);
	if (!c)
		return -1;
	c->dev = o->dev;
	o->removing = true;
	workshop_release(o);
	trash_flush(s->context->trash);
	if (job_start(&c->job, s->context->loop, remove_in_child, removed, NULL, c, f) == 0)
		return 0;
	o->removing = false;
	workshop_restore(o);
	change_forget(c);
	return -1;
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

static void count_anew(void *userdata)
{
	(void)userdata;
}

static int update_counters(struct service *s, struct failure *f)
{
	struct count count = { .mirror = s->mirror };

	if (mirror_update(s->mirror, f) < 0 ||
	    kernel_dump_origins(s->kernel, take_counters, count_anew, &count, f) < 0)
		return -1;
	if (!count.renamed)
		return 0;
	if (mirror_read_again(s->mirror, f) < 0)
		return -1;
	return kernel_dump_origins(s->kernel, take_counters, count_anew, &count, f);
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

static bool is_any(const struct view_key *key)
{
	return !key->name && !key->id;
}

static struct view *find_view(struct origin *o, const struct view_key *key, struct failure *f)
{
	struct view *v = key->id ? view_find(o, key->id) : view_find_name(o, key->name);

	if (v && (!key->name || streq(v->name, key->name)))
		return v;
	if (!key->id)
		failed(f, FAILURE_NO_SUCH_VIEW, "origin \"%s\" has no view \"%.128s\"", o->name,
		       key->name);
	else
		failed(f, FAILURE_NO_SUCH_VIEW, "origin \"%s\" has no view%s%.128s%s with the id %"
		       PRIu64, o->name, key->name ? " \"" : "", key->name ?: "",
		       key->name ? "\"" : "", key->id);
	return NULL;
}

struct batch {
	struct pending pending;	/* comes first */
	struct service *service;
	uint64_t origin;	/* its serial */
	uint64_t origin_id;	/* for the kernel */
	struct asked *asked;	/* what goes with each result; NULL if none is to be created */
	struct view_result *results;
	size_t n;
	size_t waiting;		/* results that are not known yet */
	service_views_t done;
	void *userdata;
};

/* Of a view that is to be created. */
struct asked {
	char *label;		/* canonical; NULL if none */
	char *blob;
	struct spec spec;	/* but for what the variant has of it */
	int64_t folder;		/* of points that are too long for a blob; else -1 */
	struct variant *variant;	/* that it will have, and this uses; NULL if none */
};

void service_free_results(struct view_result *results, size_t n)
{
	for (size_t i = 0; results && i < n; i++)
		free(results[i].name);
	free(results);
}

static int name_result(struct view_result *result, const char *name, struct failure *f)
{
	result->descriptor = -1;
	result->name = strdup(name);
	return result->name ? 0 : failed_step(f, name, "take the request", ENOMEM, NULL);
}

static void batch_free(struct batch *b)
{
	if (!b)
		return;
	for (size_t i = 0; b->asked && i < b->n; i++) {
		free(b->asked[i].label);
		free(b->asked[i].blob);
		spec_free(&b->asked[i].spec);
	}
	free(b->asked);
	service_free_results(b->results, b->n);
	free(b);
}

/*
 * Names of views that wait to be created: who asked first has them.
 */

static int compare_reserved(const void *a, const void *b)
{
	const struct view_result *x = a, *y = b;

	if (x->batch->origin != y->batch->origin)
		return x->batch->origin < y->batch->origin ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int check_reserved(struct service *s, struct origin *o, struct view_result *result,
			  struct failure *f)
{
	/* The registry would say the same, but only once all is made that the view asks for. */
	if (view_find_name(o, result->name))
		return failed(f, FAILURE_VIEW_EXISTS, "origin \"%s\" has a view \"%s\" already",
			      o->name, result->name);
	if (!tfind(result, &s->reserved, compare_reserved))
		return 0;
	return failed(f, FAILURE_VIEW_EXISTS, "view \"%s\" is being created by another request",
		      result->name);
}

static void reserve_names(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		struct view_result *result = &b->results[i];
		struct view_result **found = NULL;

		/* Where memory is short, the registry is still there to refuse the second. */
		if (!result->bad)
			found = tsearch(result, &b->service->reserved, compare_reserved);
		result->reserved = found && *found == result;
	}
}

static void release_names(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		if (b->results[i].reserved)
			tdelete(&b->results[i], &b->service->reserved, compare_reserved);
		b->results[i].reserved = false;
	}
}

static void on_batch(struct pending *p);

/* With @creates, views are to be created. */
static struct batch *batch_new(struct service *s, struct origin *o, size_t n, bool creates,
			       service_views_t done, void *userdata, struct failure *f)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (b) {
		*b = (struct batch){
			.pending.go_on = on_batch, .service = s, .origin = o->serial,
			.origin_id = o->id, .n = n, .done = done,
			.userdata = userdata,
		};
		b->results = calloc(n, sizeof(*b->results));
		b->asked = creates ? calloc(n, sizeof(*b->asked)) : NULL;
	}
	if (!b || !b->results || (creates && !b->asked)) {
		batch_free(b);
		failed_step(f, "a request", "take it", ENOMEM, NULL);
		return NULL;
	}
	if (begin_waiting(s, f) < 0) {
		batch_free(b);
		return NULL;
	}
	if (creates)
		o->n_creating += n;
	for (size_t i = 0; creates && i < n; i++)
		b->asked[i] = (struct asked){ .spec = SPEC_DEFAULT, .folder = -1 };
	return b;
}

static void batch_forget(struct batch *b)
{
	struct origin *o = mirror_find_origin_serial(b->service->mirror, b->origin);

	if (o && b->asked)
		o->n_creating -= b->n;
	b->service->waiting--;
	batch_free(b);
}

/* Views that were created, and whose answer could not be made, go again. */
static void roll_back(struct batch *b, struct origin *o)
{
	struct failure f;
	bool any = false;

	for (size_t i = 0; o && b->asked && i < b->n; i++) {
		struct view_result *result = &b->results[i];
		struct kernel *k = b->service->kernel;

		if (!result->bad || !result->id)
			continue;
		any = true;
		if (kernel_delete_view(k, o->name, result->name, result->id, &f) < 0 &&
		    f.kind == FAILURE_OPERATION_FAILED)
			log_warning("%s", f.message);
		result->id = 0;
	}
	if (any && mirror_update(b->service->mirror, &f) < 0)
		log_warning("%s", f.message);
}

/* What was prepared for a view is not needed any more; what the view needs it has. */
static void end_asking(struct batch *b, struct origin *o)
{
	for (size_t i = 0; o && b->asked && i < b->n; i++) {
		struct asked *asked = &b->asked[i];

		if (asked->folder >= 0 && b->results[i].bad)
			origin_forget_wanted(o, asked->folder);
		if (asked->variant)
			workshop_end_use(o, asked->variant);
		asked->folder = -1;
		asked->variant = NULL;
	}
	if (o)
		origin_relax(o);
}

static void batch_end(struct batch *b)
{
	struct mirror *m = b->service->mirror;
	struct views_done all = { .results = b->results, .n = b->n };

	/* Each time there is more that is bad. */
	do {
		roll_back(b, mirror_find_origin_id(m, b->origin_id));
		all.origin = mirror_find_origin_serial(m, b->origin);
	} while (b->done(b->userdata, &all) < 0);
	end_asking(b, mirror_find_origin_serial(m, b->origin));
	batch_forget(b);
}

/*
 * Creating.  A view comes into the registry only when there is what it asks for: one that is
 * refused was never there.
 */

/* Writes down what a view asks for, as its record has it. */
static int write_blob(struct origin *o, const char *name, struct asked *asked, struct failure *f)
{
	const struct variant *v = asked->variant;
	struct spec spec = asked->spec;
	int r;

	if (v) {
		spec.points = v->points;
		spec.idmap = v->map;
	}
	r = spec_to_blob(&spec, -1, &asked->blob);
	/* The mount points are what makes it long. */
	if (r == 0 && asked->blob && strlen(asked->blob) > ROOTVIEW_BLOB_MAX) {
		if (origin_keep_wanted(o, &spec.points, &asked->folder, f) < 0)
			return -1;
		free(asked->blob);
		asked->blob = NULL;
		r = spec_to_blob(&spec, asked->folder, &asked->blob);
	}
	if (r < 0)
		return failed_step(f, name, "write down its request", ENOMEM, NULL);
	if (!asked->blob || strlen(asked->blob) <= ROOTVIEW_BLOB_MAX)
		return 0;
	return failed_about(f, FAILURE_INVALID_REQUEST, "cgroup",
			    "cgroup and id map of view \"%s\" are too long together", name);
}

/* Puts the views that are not bad yet into the registry. */
static int create_views(struct batch *b, struct origin *o, struct failure *f)
{
	cleanup_free struct kernel_request *requests = calloc(b->n, sizeof(*requests));
	cleanup_free struct kernel_result *done = calloc(b->n, sizeof(*done));
	cleanup_free size_t *index = calloc(b->n, sizeof(*index));
	size_t n = 0;
	int r;

	if (!requests || !done || !index)
		return failed_step(f, o->name, "take a request", ENOMEM, NULL);
	for (size_t i = 0; i < b->n; i++) {
		struct view_result *result = &b->results[i];
		struct asked *asked = &b->asked[i];

		if (!result->bad && write_blob(o, result->name, asked, &result->failure) < 0)
			result->bad = true;
		if (result->bad)
			continue;
		index[n] = i;
		requests[n++] = (struct kernel_request){
			.name = result->name, .label = asked->label, .blob = asked->blob,
		};
	}
	r = n ? kernel_batch(b->service->kernel, o->name, requests, n, done, f) : 0;
	for (size_t i = 0; i < n; i++) {
		struct view_result *result = &b->results[index[i]];

		result->id = done[i].id;
		result->bad = done[i].error || !done[i].id;
		if (done[i].error)
			kernel_explain(o->name, &requests[i], &done[i], &result->failure);
		else if (result->bad)
			result->failure = *f;
	}
	return r;
}

static void on_batch(struct pending *p)
{
	struct batch *b = (struct batch *)p;
	struct mirror *m = b->service->mirror;
	struct origin *o = mirror_find_origin_serial(m, b->origin);
	struct failure f;
	int r = 0;

	release_names(b);
	if (!o)
		r = failed(&f, FAILURE_NO_SUCH_ORIGIN, "the origin was removed meanwhile");
	else if (b->asked && o->removing)
		r = failed(&f, FAILURE_ORIGIN_BUSY, "origin \"%s\" is being removed", o->name);
	else if (b->asked)
		r = create_views(b, o, &f);
	if (r == 0)
		r = mirror_update(m, &f);
	for (size_t i = 0; r < 0 && i < b->n; i++) {
		/* Half of a batch that failed as a whole. */
		if (!b->results[i].bad)
			b->results[i].failure = f;
		b->results[i].bad = true;
	}
	batch_end(b);
}

static void told_of_result(void *userdata, const struct failure *f)
{
	struct view_result *result = userdata;
	struct batch *b = result->batch;

	if (f) {
		result->bad = true;
		result->failure = *f;
	}
	if (--b->waiting == 0)
		go_on(b->service, &b->pending);
}

/* @r is what workshop_request() has said. */
static void await_result(struct batch *b, struct view_result *result, int r)
{
	if (r < 0)
		result->bad = true;
	else if (r == 0)
		b->waiting++;
}

/* Of a view that is to be created, all that can be refused without making it. */
static int check_request(struct service *s, struct origin *o, struct view_request *request,
			 struct view_result *result, struct asked *asked, struct failure *f)
{
	int found;

	if (request->bad) {
		*f = request->failure;
		return -1;
	}
	if (check_name("view", request->name, view_name_fault(request->name), f) < 0 ||
	    check_reserved(s, o, result, f) < 0 ||
	    (request->label && view_check_label(request->label, &asked->label, f) < 0))
		return -1;
	found = request->spec.cgroup ? cgroup_exists(request->spec.cgroup) : 1;
	if (found < 0)
		return failed_step(f, request->spec.cgroup, "look for this cgroup", -found, NULL);
	if (!found)
		return failed_about(f, FAILURE_NO_SUCH_CGROUP, request->spec.cgroup,
				    "there is no cgroup \"%.256s\"", request->spec.cgroup);
	return 0;
}

/* Returns what workshop_request() does. */
static int request_variant(struct batch *b, struct origin *o, struct view_request *request,
			   size_t i, struct failure *f)
{
	struct asked *asked = &b->asked[i];

	if (check_request(b->service, o, request, &b->results[i], asked, f) < 0)
		return -1;
	asked->spec = request->spec;
	request->spec = SPEC_DEFAULT;
	if (asked->spec.device_only)
		return origin_hold(o, f) < 0 ? -1 : 1;
	asked->variant = variants_get(&o->variants, asked->label, &asked->spec);
	if (!asked->variant)
		return failed_step(f, request->name, "take its request", ENOMEM, NULL);
	variants_begin_use(asked->variant);
	return workshop_request(o, asked->variant, WORKSHOP_MOUNT, told_of_result,
				&b->results[i], f);
}

int service_create_views(struct service *s, const char *origin, struct view_request *requests,
			 size_t n, service_views_t done, void *userdata, struct failure *f)
{
	struct origin *o = find_usable(s, origin, f);
	struct batch *b = o ? batch_new(s, o, n, true, done, userdata, f) : NULL;

	if (!b)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (name_result(&b->results[i], requests[i].name, f) < 0) {
			batch_forget(b);
			return -1;
		}
	}
	/* One more, so that nobody ends it meanwhile. */
	b->waiting = 1;
	for (size_t i = 0; i < n; i++) {
		struct view_result *result = &b->results[i];

		result->batch = b;
		await_result(b, result, request_variant(b, o, &requests[i], i, &result->failure));
	}
	if (--b->waiting == 0)
		on_batch(&b->pending);
	else
		reserve_names(b);
	return 0;
}

int service_open_view(struct service *s, const char *origin, const struct view_key *key,
		      service_views_t done, void *userdata, struct failure *f)
{
	struct origin *o = find_usable(s, origin, f);
	struct view *v = o ? find_view(o, key, f) : NULL;
	struct view_result *result;
	struct batch *b;

	if (!v)
		return -1;
	if (v->spec)
		return failed_about(f, FAILURE_INVALID_REQUEST, "name",
				    "view \"%s\" of origin \"%s\" is a device alone: it is not "
				    "mounted", v->name, o->name);
	b = batch_new(s, o, 1, false, done, userdata, f);
	if (!b)
		return -1;
	result = &b->results[0];
	if (name_result(result, v->name, f) < 0) {
		batch_forget(b);
		return -1;
	}
	result->batch = b;
	result->id = v->id;
	b->waiting = 1;
	await_result(b, result, view_request(v, told_of_result, result, &result->failure));
	if (--b->waiting == 0)
		batch_end(b);
	return 0;
}

/* What the kernel is to be asked for; it looks whether name and id belong together. */
static int request_deletion(struct origin *o, const struct view_key *key,
			    struct view_result *result, struct kernel_request *ret)
{
	struct view *v = key->id ? find_view(o, key, &result->failure) : NULL;
	const char *name = v ? v->name : key->name;

	result->bad = true;
	result->descriptor = -1;
	if ((name && name_result(result, name, &result->failure) < 0) || (key->id && !v) ||
	    check_name("view", name, view_name_fault(name), &result->failure) < 0)
		return -1;
	result->bad = false;
	*ret = (struct kernel_request){ .delete = true, .name = result->name, .id = key->id };
	return 0;
}

int service_delete_views(struct service *s, const char *origin, const struct view_key *keys,
			 size_t n, struct view_result **ret, struct failure *f)
{
	cleanup_free struct kernel_request *requests = calloc(n, sizeof(*requests));
	cleanup_free struct kernel_result *done = calloc(n, sizeof(*done));
	struct view_result *results = calloc(n, sizeof(*results));
	cleanup_free size_t *index = calloc(n, sizeof(*index));
	struct failure ignored;
	struct origin *o;
	size_t asked = 0;
	int r = -1;

	if (!requests || !done || !results || !index) {
		failed_step(f, origin, "take a request", ENOMEM, NULL);
		goto out;
	}
	o = find_origin(s, origin, f);
	if (!o)
		goto out;
	for (size_t i = 0; i < n; i++)
		if (request_deletion(o, &keys[i], &results[i], &requests[asked]) == 0)
			index[asked++] = i;
	r = kernel_batch(s->kernel, origin, requests, asked, done, f);
	/* What has gone has gone, whatever became of the others. */
	if (r < 0 && asked && (done[0].id || done[0].error))
		r = 0;
	for (size_t i = 0; r == 0 && i < asked; i++) {
		struct view_result *result = &results[index[i]];

		result->id = done[i].id;
		result->bad = done[i].error || !done[i].id;
		if (done[i].error)
			kernel_explain(origin, &requests[i], &done[i], &result->failure);
		else if (result->bad)
			result->failure = *f;
	}
	if (r == 0 && mirror_update(s->mirror, &ignored) < 0)
		log_warning("%s", ignored.message);
out:
	if (r < 0) {
		service_free_results(results, n);
		return -1;
	}
	*ret = results;
	return 0;
}

int service_list_views(struct service *s, const char *origin, const struct view_key *key,
		       void (*each)(struct view *v, void *userdata), void *userdata,
		       struct failure *f)
{
	struct origin *o = NULL;
	struct view *v;

	if (!origin && !is_any(key))
		return failed_about(f, FAILURE_INVALID_REQUEST, "origin",
				    "a view is named without its origin");
	if (mirror_update(s->mirror, f) < 0)
		return -1;
	if (origin) {
		o = find_origin(s, origin, f);
		v = o && !is_any(key) ? find_view(o, key, f) : NULL;
		if (!o || (!is_any(key) && !v))
			return -1;
		if (v)
			each(v, userdata);
		else
			view_each(o, each, userdata);
		return 0;
	}
	for (o = mirror_first_origin(s->mirror); o; o = o->next)
		view_each(o, each, userdata);
	return 0;
}

/*
 * Mount points.
 */

struct check {
	struct pending pending;	/* comes first */
	struct service *service;
	uint64_t origin;	/* its serial */
	struct variant *variant;	/* of a view that would have them, and nothing else */
	service_missing_t done;
	void *userdata;
	bool bad;
	struct failure failure;
};

static void on_check(struct pending *p)
{
	struct check *c = (struct check *)p;
	struct origin *o = mirror_find_origin_serial(c->service->mirror, c->origin);
	sd_json_variant *missing = NULL;
	int r = 0;

	if (!c->bad && !o)
		c->bad = failed(&c->failure, FAILURE_NO_SUCH_ORIGIN,
				"the origin was removed meanwhile");
	if (!c->bad)
		r = mount_points_to_json(&c->variant->missing, &missing);
	if (r < 0)
		c->bad = failed_step(&c->failure, o->name, "tell what it lacks", -r, NULL);
	c->service->waiting--;
	c->done(c->userdata, missing, c->bad ? &c->failure : NULL);
	sd_json_variant_unref(missing);
	if (o)
		workshop_end_use(o, c->variant);
	free(c);
}

static void checked(void *userdata, const struct failure *f)
{
	struct check *c = userdata;

	c->bad = f;
	if (f)
		c->failure = *f;
	go_on(c->service, &c->pending);
}

int service_check(struct service *s, const char *origin, struct mount_points *points,
		  service_missing_t done, void *userdata, struct failure *f)
{
	struct origin *o = find_usable(s, origin, f);
	struct spec spec = SPEC_DEFAULT;
	struct check *c;
	int r;

	if (!o || begin_waiting(s, f) < 0)
		return -1;
	c = calloc(1, sizeof(*c));
	if (c)
		*c = (struct check){
			.pending.go_on = on_check, .service = s, .origin = o->serial,
			.done = done, .userdata = userdata,
		};
	if (!c)
		goto short_of_memory;
	spec.points = *points;
	*points = (struct mount_points){};
	c->variant = variants_get(&o->variants, NULL, &spec);
	spec_free(&spec);
	if (!c->variant)
		goto short_of_memory;
	variants_begin_use(c->variant);
	r = workshop_request(o, c->variant, WORKSHOP_LOOK, checked, c, f);
	if (r > 0)
		checked(c, NULL);
	if (r >= 0)
		return 0;
	workshop_end_use(o, c->variant);
	s->waiting--;
	free(c);
	return -1;

short_of_memory:
	s->waiting--;
	free(c);
	return failed_step(f, origin, "take a request", ENOMEM, NULL);
}
