// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the daemon does for its clients; service.h is the contract.
 */
#include "service.h"

#include <inttypes.h>
#include <sys/sysmacros.h>

#include "device.h"
#include "job.h"
#include "label.h"
#include "log.h"
#include "name.h"
#include "skeleton.h"
#include "util.h"

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

/* Makes when a request is taken what go_on() will need: that cannot fail then. */
static int prepare_to_go_on(struct service *s, sd_event_source **ret, sd_event_handler_t handler,
			    void *userdata)
{
	int r = sd_event_add_defer(s->context->loop, ret, handler, userdata);

	return r < 0 ? r : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

static void go_on(sd_event_source *source)
{
	(void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/*
 * Origins.
 */

struct change {
	struct service *service;
	char *name, *device, *label;
	dev_t number;		/* of the block device, if @device is NULL */
	dev_t dev;		/* of the origin */
	service_done_t done;
	void *userdata;
	bool bad;
	bool stays;		/* it could not be removed: @failure says why */
	struct failure failure;
	sd_event_source *answer;
	struct job *job;
};

static void change_free(struct change *c)
{
	if (!c)
		return;
	sd_event_source_disable_unref(c->answer);
	free(c->name);
	free(c->device);
	free(c->label);
	free(c);
}

static int on_mounted(sd_event_source *source, void *userdata);

static struct change *change_new(struct service *s, const char *name, const char *device,
				 const char *label, service_done_t done, void *userdata,
				 struct failure *f)
{
	struct change *c = calloc(1, sizeof(*c));

	if (c) {
		*c = (struct change){ .service = s, .done = done, .userdata = userdata };
		c->name = strdup(name);
		c->device = device ? strdup(device) : NULL;
		c->label = label ? strdup(label) : NULL;
	}
	if (!c || !c->name || (device && !c->device) || (label && !c->label) ||
	    prepare_to_go_on(s, &c->answer, on_mounted, c) < 0) {
		change_free(c);
		failed_step(f, name, "take the request", ENOMEM, NULL);
		return NULL;
	}
	if (begin_waiting(s, f) < 0) {
		change_free(c);
		return NULL;
	}
	return c;
}

static void change_forget(struct change *c)
{
	c->service->waiting--;
	change_free(c);
}

static void change_end(struct change *c, const struct failure *f)
{
	struct failure ignored;

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
	/* Somebody else may remove what was left. */
	o = r < 0 ? mirror_find_origin(c->service->mirror, c->name) : NULL;
	if (o)
		o->removing = false;
	change_end(c, &c->failure);
}

/* What was loaded goes again, and then the client hears of the failure. */
static void undo(struct change *c)
{
	struct origin *o = mirror_find_origin(c->service->mirror, c->name);
	struct failure f;

	if (o) {
		o->removing = true;
		origin_release(o);
		trash_flush(c->service->context->trash);
	}
	/* If there can be no job, everybody has to wait a little. */
	if (job_start(&c->job, c->service->context->loop, remove_in_child, undone, c, &f) < 0)
		undone(c, device_remove(c->name, c->dev, &f), NULL, &f);
}

static int on_mounted(sd_event_source *source, void *userdata)
{
	struct change *c = userdata;

	(void)source;
	if (c->stays)
		change_end(c, &c->failure);
	else if (c->bad || c->done(c->userdata, NULL, &c->failure) < 0)
		undo(c);
	else
		change_forget(c);
	return 0;
}

static void mounted(void *userdata, const struct failure *f)
{
	struct change *c = userdata;

	c->bad = f;
	if (f)
		c->failure = *f;
	go_on(c->answer);
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

static int load_in_child(void *userdata, char **ret_text, struct failure *f)
{
	struct change *c = userdata;

	struct device_backing backing;

	if ((c->device ? device_examine(c->device, &backing, f) :
			 device_examine_number(c->number, &backing, f)) < 0 ||
	    check_twin(c, backing.dev, UINT64_MAX, f) < 0 ||
	    device_load(c->name, &backing, &c->dev, f) < 0)
		return -1;
	if (asprintf(ret_text, "%u:%u", major(c->dev), minor(c->dev)) >= 0)
		return 0;
	(void)device_remove(c->name, c->dev, f);
	return failed_step(f, c->name, "tell its number", ENOMEM, NULL);
}

static int mount_loaded(struct change *c, struct failure *f)
{
	struct origin *o;

	if (mirror_update(c->service->mirror, f) < 0)
		return -1;
	o = mirror_find_origin(c->service->mirror, c->name);
	if (!o)
		return failed_step(f, c->name, "find it among the kernel's origins", 0,
				   "somebody removed or renamed it at once");
	/* Another request may have been for the same device, at the same time. */
	if (check_twin(c, o->counters.backing, o->id, f) < 0)
		return -1;
	o->ours = true;
	if (c->label && origin_set_label(o, c->label, f) < 0)
		return -1;
	return origin_mount(o, mounted, c, f);
}

static void loaded(void *userdata, int r, const char *text, const struct failure *f)
{
	struct change *c = userdata;
	unsigned int major, minor;

	if (r < 0) {
		change_end(c, f);
		return;
	}
	if (text && sscanf(text, "%u:%u", &major, &minor) == 2)
		c->dev = makedev(major, minor);
	if (mount_loaded(c, &c->failure) < 0)
		undo(c);
}

static int check_origin_label(const char *label, char **ret, struct failure *f)
{
	if (!label)
		return 0;
	if (!streq(label, ORIGIN_NATIVE))
		return label_check(label, ret, f);
	*ret = strdup(label);
	return *ret ? 0 : failed_step(f, label, "keep it", ENOMEM, NULL);
}

int service_add_origin(struct service *s, const char *name, const char *device, dev_t number,
		       const char *label, service_done_t done, void *userdata,
		       struct failure *f)
{
	cleanup_free char *canonical = NULL;
	struct change *c;

	if (check_name("origin", name, origin_name_fault(name), f) < 0 ||
	    check_origin_label(label, &canonical, f) < 0 || mirror_update(s->mirror, f) < 0)
		return -1;
	c = change_new(s, name, device, canonical, done, userdata, f);
	if (!c)
		return -1;
	c->number = number;
	if (job_start(&c->job, s->context->loop, load_in_child, loaded, c, f) == 0)
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
	go_on(c->answer);
}

static void removed(void *userdata, int r, const char *text, const struct failure *f)
{
	struct change *c = userdata;
	struct service *s = c->service;
	struct failure ignored;
	struct origin *o;

	(void)text;
	/* It has gone, whether or not that can be seen at once. */
	if (r == 0 && mirror_update(s->mirror, &c->failure) < 0)
		log_warning("%s", c->failure.message);
	o = r < 0 ? mirror_find_origin(s->mirror, c->name) : NULL;
	if (o)
		o->removing = false;
	if (o && o->ours) {
		c->stays = true;
		c->failure = *f;
		if (origin_mount(o, mounted_again, c, &ignored) == 0)
			return;
		log_warning("%s; trying again soon", ignored.message);
		context_try_again(s->context);
	}
	change_end(c, r < 0 ? f : NULL);
}

int service_remove_origin(struct service *s, const char *name, service_done_t done,
			  void *userdata, struct failure *f)
{
	struct origin *o = find_usable(s, name, f);
	struct change *c;

	if (!o)
		return -1;
	if (o->n_views) {
		failed(f, FAILURE_ORIGIN_BUSY, "origin \"%s\" has %zu view%s", name, o->n_views,
		       o->n_views == 1 ? "" : "s");
		f->views = o->n_views;
		return -1;
	}
	c = change_new(s, name, NULL, o->label, done, userdata, f);
	if (!c)
		return -1;
	c->dev = o->dev;
	o->removing = true;
	origin_release(o);
	trash_flush(s->context->trash);
	if (job_start(&c->job, s->context->loop, remove_in_child, removed, c, f) == 0)
		return 0;
	o->removing = false;
	if (o->ours)
		origin_try_mount(o);
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
	struct service *service;
	uint64_t origin;
	struct view_result *results;
	size_t n;
	size_t waiting;		/* results that are not known yet */
	bool keep;		/* a view that cannot be mounted */
	service_views_t done;
	void *userdata;
	sd_event_source *answer;
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
	sd_event_source_disable_unref(b->answer);
	service_free_results(b->results, b->n);
	free(b);
}

static int on_batch(sd_event_source *source, void *userdata);

static struct batch *batch_new(struct service *s, size_t n, service_views_t done, void *userdata,
			       struct failure *f)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (b) {
		*b = (struct batch){ .service = s, .n = n, .done = done, .userdata = userdata };
		b->results = calloc(n, sizeof(*b->results));
	}
	if (!b || !b->results || prepare_to_go_on(s, &b->answer, on_batch, b) < 0) {
		batch_free(b);
		failed_step(f, "a request", "take it", ENOMEM, NULL);
		return NULL;
	}
	if (begin_waiting(s, f) < 0) {
		batch_free(b);
		return NULL;
	}
	return b;
}

static void batch_forget(struct batch *b)
{
	b->service->waiting--;
	batch_free(b);
}

/* Views that cannot be mounted go again. */
static void roll_back(struct batch *b, struct origin *o)
{
	struct failure f;
	bool any = false;

	for (size_t i = 0; o && i < b->n; i++) {
		struct view_result *result = &b->results[i];
		struct kernel *k = b->service->kernel;

		if (!result->bad || !result->id || b->keep)
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

static void batch_end(struct batch *b)
{
	struct service *s = b->service;
	struct views_done all = { .results = b->results, .n = b->n };

	/* Each time there is more that is bad. */
	do {
		roll_back(b, mirror_find_origin_id(s->mirror, b->origin));
		all.origin = mirror_find_origin_id(s->mirror, b->origin);
	} while (b->done(b->userdata, &all) < 0);
	batch_forget(b);
}

static int on_batch(sd_event_source *source, void *userdata)
{
	(void)source;
	batch_end(userdata);
	return 0;
}

static void view_told(void *userdata, struct view *v, const struct failure *f)
{
	struct batch *b = userdata;

	for (size_t i = 0; f && i < b->n; i++) {
		if (b->results[i].id != v->id)
			continue;
		b->results[i].bad = true;
		b->results[i].failure = *f;
	}
	if (--b->waiting == 0)
		go_on(b->answer);
}

/* Waits for the view of a result; @o is its origin. */
static void wait_for(struct batch *b, struct view_result *result, struct origin *o)
{
	struct view *v = o ? view_find(o, result->id) : NULL;
	int r;

	if (!v)
		r = failed(&result->failure, FAILURE_NO_SUCH_VIEW,
			   "view \"%s\" was deleted by somebody else", result->name);
	else
		r = view_mount(v, view_told, b, &result->failure);
	if (r < 0)
		result->bad = true;
	else if (r == 0)
		b->waiting++;
}

/* Of a view that is to be created, all that can be refused without making it. */
static int check_request(struct origin *o, struct view_request *request, char **ret_label,
			 char **ret_blob, int64_t *ret_folder, struct failure *f)
{
	int found;

	if (request->bad) {
		*f = request->failure;
		return -1;
	}
	if (check_name("view", request->name, view_name_fault(request->name), f) < 0 ||
	    (request->label && label_check(request->label, ret_label, f) < 0))
		return -1;
	found = request->spec.cgroup ? cgroup_exists(request->spec.cgroup) : 1;
	if (found < 0)
		return failed_step(f, request->spec.cgroup, "look for this cgroup", -found, NULL);
	if (!found)
		return failed_about(f, FAILURE_NO_SUCH_CGROUP, request->spec.cgroup,
				    "there is no cgroup \"%.256s\"", request->spec.cgroup);
	if (spec_to_blob(&request->spec, -1, ret_blob) < 0)
		return failed_step(f, request->name, "write down its request", ENOMEM, NULL);
	if (!*ret_blob || strlen(*ret_blob) <= ROOTVIEW_BLOB_MAX)
		return 0;

	/* The mount points are what makes it long. */
	if (origin_keep_wanted(o, &request->spec.points, ret_folder, f) < 0)
		return -1;
	free(*ret_blob);
	*ret_blob = NULL;
	if (spec_to_blob(&request->spec, *ret_folder, ret_blob) < 0)
		return failed_step(f, request->name, "write down its request", ENOMEM, NULL);
	if (strlen(*ret_blob) <= ROOTVIEW_BLOB_MAX)
		return 0;
	return failed_about(f, FAILURE_INVALID_REQUEST, "cgroup",
			    "cgroup and id map of view \"%s\" are too long together",
			    request->name);
}

/* What the kernel is asked for, and for which result. */
struct asked {
	struct kernel_request *requests;
	struct kernel_result *results;
	size_t *index;
	char **labels;
	char **blobs;
	int64_t *folders;
	size_t n;
	size_t max;
};

static void asked_free(struct asked *asked)
{
	for (size_t i = 0; i < asked->n; i++) {
		free(asked->labels[i]);
		free(asked->blobs[i]);
	}
	free(asked->requests);
	free(asked->results);
	free(asked->index);
	free(asked->labels);
	free(asked->blobs);
	free(asked->folders);
}

static int asked_init(struct asked *asked, size_t n)
{
	*asked = (struct asked){
		.max = n,
		.requests = calloc(n, sizeof(*asked->requests)),
		.results = calloc(n, sizeof(*asked->results)),
		.index = calloc(n, sizeof(*asked->index)),
		.labels = calloc(n, sizeof(*asked->labels)),
		.blobs = calloc(n, sizeof(*asked->blobs)),
		.folders = calloc(n, sizeof(*asked->folders)),
	};
	return asked->requests && asked->results && asked->index && asked->labels &&
	       asked->blobs && asked->folders ? 0 : -1;
}

static int prepare(struct batch *b, struct origin *o, struct view_request *requests,
		   struct asked *asked, struct failure *f)
{
	for (size_t i = 0; i < b->n; i++) {
		struct view_result *result = &b->results[i];
		char *label = NULL, *blob = NULL;
		int64_t folder = -1;

		if (name_result(result, requests[i].name, f) < 0)
			return -1;
		if (check_request(o, &requests[i], &label, &blob, &folder, &result->failure) < 0) {
			result->bad = true;
			if (folder >= 0)
				origin_forget_wanted(o, folder);
			free(label);
			free(blob);
			continue;
		}
		asked->requests[asked->n] = (struct kernel_request){
			.name = result->name, .label = label, .blob = blob,
		};
		asked->labels[asked->n] = label;
		asked->blobs[asked->n] = blob;
		asked->folders[asked->n] = folder;
		asked->index[asked->n++] = i;
	}
	return 0;
}

static void take_results(struct batch *b, const char *origin, struct asked *asked)
{
	struct origin *o = mirror_find_origin_id(b->service->mirror, b->origin);

	for (size_t i = 0; i < asked->n; i++) {
		struct view_result *result = &b->results[asked->index[i]];

		result->id = asked->results[i].id;
		if (!asked->results[i].error && result->id)
			continue;
		result->bad = true;
		if (asked->results[i].error)
			kernel_explain(origin, &asked->requests[i], &asked->results[i],
				       &result->failure);
		if (asked->folders[i] >= 0 && o)
			origin_forget_wanted(o, asked->folders[i]);
	}
}

int service_create_views(struct service *s, const char *origin, struct view_request *requests,
			 size_t n, service_views_t done, void *userdata, struct failure *f)
{
	struct origin *o = find_usable(s, origin, f);
	struct asked asked;
	struct batch *b;
	int r;

	b = o ? batch_new(s, n, done, userdata, f) : NULL;
	if (!b)
		return -1;
	b->origin = o->id;
	if (asked_init(&asked, n) < 0) {
		r = failed_step(f, origin, "take a request", ENOMEM, NULL);
		goto out;
	}
	r = prepare(b, o, requests, &asked, f);
	if (r == 0)
		r = kernel_batch(s->kernel, origin, asked.requests, asked.n, asked.results, f);
	take_results(b, origin, &asked);
	if (r == 0)
		r = mirror_update(s->mirror, f);
	if (r < 0) {
		/* Half of a batch that failed as a whole. */
		for (size_t i = 0; i < b->n; i++)
			b->results[i].bad = true;
		roll_back(b, mirror_find_origin_id(s->mirror, b->origin));
	}
out:
	asked_free(&asked);
	if (r < 0) {
		batch_forget(b);
		return -1;
	}
	o = mirror_find_origin_id(s->mirror, b->origin);
	/* One more, so that nobody ends it meanwhile. */
	b->waiting = 1;
	for (size_t i = 0; i < n; i++)
		if (!b->results[i].bad)
			wait_for(b, &b->results[i], o);
	if (--b->waiting == 0)
		batch_end(b);
	return 0;
}

static int copy_path(const char *path, char **ret, struct failure *f)
{
	*ret = path ? strdup(path) : NULL;
	return path && !*ret ? failed_step(f, path, "keep this path", ENOMEM, NULL) : 0;
}

int service_open_view(struct service *s, const char *origin, const struct view_key *key,
		      service_views_t done, void *userdata, struct failure *f)
{
	struct origin *o = find_usable(s, origin, f);
	struct view *v = o ? find_view(o, key, f) : NULL;
	struct batch *b;

	if (!v)
		return -1;
	if (v->device_only)
		return failed_about(f, FAILURE_INVALID_REQUEST, "name",
				    "view \"%s\" of origin \"%s\" is a device alone: it is not "
				    "mounted", v->name, o->name);
	b = batch_new(s, 1, done, userdata, f);
	if (!b)
		return -1;
	if (name_result(&b->results[0], v->name, f) < 0) {
		batch_forget(b);
		return -1;
	}
	b->origin = o->id;
	b->keep = true;
	b->results[0].id = v->id;
	b->waiting = 1;
	wait_for(b, &b->results[0], o);
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
	struct service *service;
	uint64_t origin;
	char *path;			/* of the origin's file system */
	struct mount_points points;
	service_missing_t done;
	void *userdata;
	bool bad;
	struct failure failure;
	sd_event_source *next;
	struct job *job;
};

static void check_free(struct check *c)
{
	if (!c)
		return;
	sd_event_source_disable_unref(c->next);
	mount_points_free(&c->points);
	free(c->path);
	free(c);
}

static void check_end(struct check *c, sd_json_variant *missing, const struct failure *f)
{
	struct origin *o = mirror_find_origin_id(c->service->mirror, c->origin);

	if (o)
		origin_end_use(o);
	c->service->waiting--;
	c->done(c->userdata, missing, f);
	check_free(c);
}

static int check_in_child(void *userdata, char **ret_text, struct failure *f)
{
	struct check *c = userdata;

	return skeleton_tell_missing(c->path, &c->points, ret_text, f);
}

static void checked(void *userdata, int r, const char *text, const struct failure *f)
{
	sd_json_variant *missing = NULL;
	struct check *c = userdata;

	if (r == 0) {
		r = sd_json_parse(*text ? text : "[]", 0, &missing, NULL, NULL);
		if (r < 0) {
			failed_step(&c->failure, c->path, "read what it lacks", -r, NULL);
			f = &c->failure;
		}
	}
	check_end(c, missing, r < 0 ? f : NULL);
	sd_json_variant_unref(missing);
}

static int on_check(sd_event_source *source, void *userdata)
{
	struct check *c = userdata;
	struct origin *o = mirror_find_origin_id(c->service->mirror, c->origin);

	(void)source;
	if (!c->bad && (!o || !o->plain)) {
		failed(&c->failure, FAILURE_NO_SUCH_ORIGIN, "the origin was removed meanwhile");
		c->bad = true;
	}
	if (!c->bad && copy_path(o->plain->path, &c->path, &c->failure) < 0)
		c->bad = true;
	if (!c->bad && job_start(&c->job, c->service->context->loop, check_in_child, checked, c,
				 &c->failure) < 0)
		c->bad = true;
	if (c->bad)
		check_end(c, NULL, &c->failure);
	return 0;
}

static void check_mounted(void *userdata, const struct failure *f)
{
	struct check *c = userdata;

	c->bad = f;
	if (f)
		c->failure = *f;
	go_on(c->next);
}

int service_check(struct service *s, const char *origin, struct mount_points *points,
		  service_missing_t done, void *userdata, struct failure *f)
{
	struct origin *o = find_usable(s, origin, f);
	struct check *c;
	int r;

	if (!o || begin_waiting(s, f) < 0)
		return -1;
	c = calloc(1, sizeof(*c));
	if (c)
		*c = (struct check){
			.service = s, .origin = o->id, .done = done, .userdata = userdata,
		};
	if (!c || prepare_to_go_on(s, &c->next, on_check, c) < 0)
		r = failed_step(f, origin, "take a request", ENOMEM, NULL);
	else
		r = origin_use(o, check_mounted, c, f);
	if (r < 0) {
		s->waiting--;
		check_free(c);
		return -1;
	}
	c->points = *points;
	*points = (struct mount_points){};
	if (r > 0)
		check_mounted(c, NULL);
	return 0;
}
