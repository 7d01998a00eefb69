// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The socket; server.h is the contract, common/interface.c the reference of the
 * methods.
 */
#include "server.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <systemd/sd-varlink.h>

#include "account.h"
#include "answer.h"
#include "interface.h"
#include "listener.h"
#include "log.h"
#include "process.h"
#include "util.h"

#ifndef ROOTVIEW_VERSION
#error "the Makefile defines ROOTVIEW_VERSION"
#endif

/* Bytes of a list that go into one answer, if they may be several. */
#define LIST_PART_SIZE (1024 * 1024)

/* Beyond these, a connection gets an error for every call; beyond twice as many, none. */
#define CONNECTIONS_MAX 1024

struct monitor {
	struct monitor *next;
	sd_varlink *link;
};

struct connection {
	struct connection *next;
	const sd_varlink *link;
	uid_t uid;
	bool served;
};

struct server {
	struct accounts accounts;
	struct connection *connections;
	sd_varlink_server *varlink;
	struct service *service;
	struct monitor *monitors;
	struct call *lists;	/* of which not all parts are sent */
	struct listener *listener;
};

/* The arguments of a call; all methods have theirs among these. */
struct request {
	const char *name;
	const char *origin;
	const char *device;
	const char *label;
	uint64_t id;			/* 0 if none */
	sd_json_variant *list;		/* views, names or mountPoints; borrowed */
	sd_json_variant *ids;		/* likewise */
	sd_json_variant *lists;		/* ready-made ones; likewise */
};

struct call;

/*
 * A method: one of two functions goes on with a call of it.  @begin has it answered, or fails, and
 * then it is refused; @fill makes the next part of a list, which is the field @field of the answer.
 */
struct method {
	const sd_json_dispatch_field *fields;
	const char *what;		/* for the log, once it is done */
	int (*begin)(struct call *call, struct failure *f);
	int (*fill)(struct call *call, struct failure *f);
	const char *field;
	bool open;			/* a descriptor comes along with the answer */
};

/*
 * A call, which may be answered later.  Strings of its request are parts of its
 * parameters.
 */
struct call {
	sd_varlink *link;
	sd_json_variant *parameters;
	struct server *server;
	struct service *service;
	const struct method *method;
	struct request request;
	bool oneway;			/* nobody waits for an answer */
	bool more;			/* or for several */
	bool unsent;			/* the answer could not be sent: what was done is undone */
	/* Who asked: sd-varlink ends a program that wants to know it when they have gone. */
	uid_t uid;
	pid_t pid;

	/* Of a list: */
	struct answer answer;		/* its next part */
	struct call *next_list;
	sd_event_source *sent;		/* tells that the part before may have been sent */
};

#define STRING_FIELD(field, flags)                                               \
	{ #field, SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,         \
	  offsetof(struct request, field), (flags) }
/* To sd-json, null is the largest number. */
static int dispatch_id(const char *name, sd_json_variant *value, sd_json_dispatch_flags_t flags,
		       void *id)
{
	return sd_json_variant_is_null(value) ? 0 : sd_json_dispatch_uint64(name, value, flags, id);
}

#define ID_FIELD                                                                 \
	{ "id", _SD_JSON_VARIANT_TYPE_INVALID, dispatch_id,                      \
	  offsetof(struct request, id), SD_JSON_NULLABLE }
#define ARRAY_FIELD(name, field, flags)                                          \
	{ name, SD_JSON_VARIANT_ARRAY, sd_json_dispatch_variant_noref,           \
	  offsetof(struct request, field), (flags) }
/* Read elsewhere, from the same parameters. */
#define OTHER_FIELD(name) { name, _SD_JSON_VARIANT_TYPE_INVALID, NULL, 0, 0 }

static void call_free(struct call *call)
{
	if (!call)
		return;
	for (struct call **at = &call->server->lists; *at; at = &(*at)->next_list) {
		if (*at != call)
			continue;
		*at = call->next_list;
		break;
	}
	account_return(&call->server->accounts, call->uid, ACCOUNT_REQUESTS);
	sd_event_source_disable_unref(call->sent);
	answer_done(&call->answer);
	sd_json_variant_unref(call->parameters);
	sd_varlink_unref(call->link);
	free(call);
}

/*
 * Ends a connection whose client waits for what cannot be sent.  sd-varlink itself must
 * not close it while it calls a method.
 */
static void hang_up(sd_varlink *link)
{
	(void)shutdown(sd_varlink_get_fd(link), SHUT_RDWR);
}

static int refuse_request(sd_varlink *link, const struct request *request, const struct failure *f)
{
	const struct answer_subject subject = {
		.name = request->name,
		.origin = request->origin,
		.device = request->device,
		.label = request->label,
		.id = request->id,
	};
	int r;

	log_debug("refused: %s", f->message);
	r = answer_failure(link, f, &subject);
	/* This is what an error of ours that is on its way returns. */
	if (r < 0 && r != -EBADR)
		hang_up(link);
	return r;
}

/* What the part @i of a batch named: a view, its name, or its id. */
static struct answer_subject subject_at(const struct request *request, size_t i)
{
	sd_json_variant *part = sd_json_variant_by_index(request->list, i);
	struct answer_subject subject = { .origin = request->origin };

	if (sd_json_variant_is_string(part))
		subject.name = sd_json_variant_string(part);
	else if (sd_json_variant_is_unsigned(part))
		subject.id = sd_json_variant_unsigned(part);
	else
		subject.name = sd_json_variant_string(sd_json_variant_by_key(part, "name"));
	if (sd_json_variant_is_object(part) && json_field(part, "label"))
		subject.label = sd_json_variant_string(json_field(part, "label"));
	return subject;
}

static int too_many(struct failure *f, const char *what, size_t limit)
{
	return failed_too_many(f, what, limit, "there are more than %zu %s", limit, what);
}

/* Takes a call.  Returns 0, and the call, or what the method is to return. */
static int call_new(sd_varlink *link, sd_json_variant *parameters,
		    sd_varlink_method_flags_t flags, const struct method *method,
		    struct server *server, struct call **ret)
{
	const bool oneway = flags & SD_VARLINK_METHOD_ONEWAY;
	struct request request = {};
	struct failure f;
	struct call *call;
	int r;

	if (!server && oneway)
		return 1;
	if (!server) {
		too_many(&f, "connections", CONNECTIONS_MAX);
		return refuse_request(link, &request, &f) ?: 1;
	}
	r = sd_varlink_dispatch(link, parameters, method->fields, &request);
	if (r != 0)
		return r;
	call = calloc(1, sizeof(*call));
	if (!call && oneway)
		return 1;
	if (!call) {
		failed_step(&f, "a request", "take it", ENOMEM, NULL);
		return refuse_request(link, &request, &f) ?: 1;
	}
	*call = (struct call){
		.link = sd_varlink_ref(link),
		.parameters = sd_json_variant_ref(parameters),
		.server = server,
		.service = server->service,
		.method = method,
		.request = request,
		.oneway = oneway,
		.more = flags & SD_VARLINK_METHOD_MORE,
		.uid = -1,
	};
	(void)sd_varlink_get_peer_uid(link, &call->uid);
	(void)sd_varlink_get_peer_pid(link, &call->pid);
	if (account_take(&server->accounts, call->uid, ACCOUNT_REQUESTS)) {
		*ret = call;
		return 0;
	}
	sd_json_variant_unref(call->parameters);
	sd_varlink_unref(call->link);
	free(call);
	if (oneway)
		return 1;
	failed_too_many(&f, "requests", SERVICE_WAITING_MAX,
			"your user has as many requests waiting as are left for others; try again "
			"later");
	return refuse_request(link, &request, &f) ?: 1;
}

static int call_refuse(struct call *call, const struct failure *f)
{
	int r = 0;

	if (call->oneway)
		log_debug("refused: %s", f->message);
	else
		r = refuse_request(call->link, &call->request, f);
	call_free(call);
	return r;
}

/* Sends an answer, unless nobody waits for one: then it would be that of another call. */
#define ANSWER(call, send) ((call)->oneway ? 0 : (send))

static int describe_unsent(const struct call *call, int r, struct failure *f)
{
	const struct method *method = call->method;

	if (r == -ENOBUFS)
		return failed_too_many(f, "bytes", ROOTVIEW_MESSAGE_SIZE,
				       "the answer has more than %d bytes%s",
				       ROOTVIEW_MESSAGE_SIZE,
				       method->fill ? ": call with \"more\" for it in parts" : "");
	return failed_step(f, method->what, "send the answer", -r, NULL);
}

/*
 * Frees the call, which was answered with the result @r.  Who could not be given the
 * answer is told so.
 */
static int call_end(struct call *call, int r)
{
	struct failure f;

	if (r >= 0) {
		call_free(call);
		return r;
	}
	describe_unsent(call, r, &f);
	return call_refuse(call, &f);
}

/* The same where something has gone for good, and an error would say that it has not. */
static int call_end_gone(struct call *call, int r)
{
	if (r < 0)
		hang_up(call->link);
	call_free(call);
	/* sd-varlink would answer a method that fails. */
	return r < 0 ? 0 : r;
}

/* Whether it is no fault of ours that an answer could not be sent: there is nobody. */
static bool nobody_waits(int r)
{
	return r == -ENOTCONN || r == -EBUSY;
}

/* A parameter that is of no type that it may have; the call was answered then. */
static int call_refuse_parameter(struct call *call, const char *name)
{
	(void)ANSWER(call, sd_varlink_error_invalid_parameter_name(call->link, name));
	call_free(call);
	return 0;
}

/* Clients keep to this: what is longer might have an answer that cannot be sent. */
static int check_bytes(sd_json_variant *json, struct failure *f)
{
	ssize_t size = json ? json_size(json) : 0;

	if (size < 0)
		return failed_step(f, "a request", "take it", -size, NULL);
	if (size > ROOTVIEW_REQUESTS_SIZE)
		return failed_too_many(f, "bytes", ROOTVIEW_REQUESTS_SIZE,
				       "more than %d bytes are asked for", ROOTVIEW_REQUESTS_SIZE);
	return 0;
}

/* Who asked, for the log of what was changed. */
static void log_change(const struct call *call, size_t n)
{
	const struct request *request = &call->request;
	const char *what = call->method->what;

	if (request->name)
		log_info("%s %s%s%s, asked for by process %d of user %u", what,
			 request->origin ?: "", request->origin ? "/" : "", request->name,
			 call->pid, call->uid);
	else
		log_info("%s: %zu of origin %s, asked for by process %d of user %u", what, n,
			 request->origin, call->pid, call->uid);
}

/*
 * Lists.  Who asked for "more" has them in parts, each made when the one before is sent.
 */

static int send_part(struct call *call);

static int on_sent(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct call *call = userdata;

	(void)source;
	(void)fd;
	(void)revents;
	/* Some of it may be on its way still. */
	if (!(sd_varlink_get_events(call->link) & EPOLLOUT))
		send_part(call);
	return 0;
}

/* Sees to it that on_sent() is called when sd-varlink has had its turn at the socket. */
static int watch_sent(struct call *call)
{
	cleanup_close int fd = fcntl(sd_varlink_get_fd(call->link), F_DUPFD_CLOEXEC, 3);
	int r;

	if (fd < 0)
		return -errno;
	r = sd_event_add_io(sd_varlink_get_event(call->link), &call->sent, fd, EPOLLOUT, on_sent,
			    call);
	if (r >= 0)
		r = sd_event_source_set_priority(call->sent, SD_EVENT_PRIORITY_NORMAL + 1);
	if (r >= 0)
		r = sd_event_source_set_io_fd_own(call->sent, true);
	if (r < 0)
		return r;
	fd = -1;
	call->next_list = call->server->lists;
	call->server->lists = call;
	return 0;
}

static int send_part(struct call *call)
{
	struct failure f;
	int r;

	answer_begin_part(&call->answer);
	if (call->method->fill(call, &f) < 0)
		return call_refuse(call, &f);
	r = ANSWER(call, answer_all(call->link, call->method->field, &call->answer));
	if (r >= 0 && call->answer.more && !call->sent)
		r = watch_sent(call);
	return r < 0 || !call->answer.more ? call_end(call, r) : 0;
}

static void forget_lists(struct server *server, const sd_varlink *link)
{
	struct call *next;

	for (struct call *call = server->lists; call; call = next) {
		next = call->next_list;
		if (call->link == link)
			call_free(call);
	}
}

/*
 * Origins.
 */

static int origin_added(void *userdata, const struct failure *f, struct failure *why)
{
	cleanup_answer struct answer answer = {};
	struct call *call = userdata;
	int r;

	if (f) {
		call_refuse(call, f);
		return 0;
	}
	if (service_list_origins(call->service, call->request.name, answer_add_origin, &answer,
				 why) < 0)
		return -1;
	r = ANSWER(call, answer_one(call->link, "origin", &answer));
	if (r < 0 && !nobody_waits(r))
		return describe_unsent(call, r, why);
	log_change(call, 1);
	call_end(call, r);
	return 0;
}

/* The descriptor that came along and whose index is the parameter @name; -1 if none is named. */
static int take_descriptor(sd_varlink *link, sd_json_variant *parameters, const char *name,
			   int *ret, struct failure *f)
{
	sd_json_variant *index = sd_json_variant_by_key(parameters, name);

	*ret = -1;
	if (!index || sd_json_variant_is_null(index))
		return 0;
	if (sd_json_variant_is_unsigned(index))
		*ret = sd_varlink_peek_fd(link, sd_json_variant_unsigned(index));
	if (*ret < 0)
		return failed_about(f, FAILURE_INVALID_REQUEST, name,
				    "%s is not the index of a descriptor that came along", name);
	return 0;
}

/*
 * The number of the block device that came along as a descriptor; 0 if none did.  Nothing is
 * asked of the file system that it lies on, which may be a client's own.
 */
static int take_device(sd_varlink *link, sd_json_variant *parameters, dev_t *ret,
		       struct failure *f)
{
	struct statx st;
	int fd;

	*ret = 0;
	if (take_descriptor(link, parameters, "deviceDescriptor", &fd, f) < 0)
		return -1;
	if (fd < 0)
		return 0;
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &st) < 0 ||
	    !S_ISBLK(st.stx_mode))
		return failed(f, FAILURE_NO_SUCH_DEVICE, "the descriptor is of no block device");
	*ret = makedev(st.stx_rdev_major, st.stx_rdev_minor);
	return 0;
}

static int begin_add_origin(struct call *call, struct failure *f)
{
	const struct request *request = &call->request;
	dev_t number;

	if (take_device(call->link, call->parameters, &number, f) < 0)
		return -1;
	if (!request->device == !number)
		return failed_about(f, FAILURE_INVALID_REQUEST, "device",
				    "a device is given by its path or by a descriptor: by one of "
				    "them");
	return service_add_origin(call->service, request->name, request->device, number,
				  request->label, origin_added, call, f);
}

static int origin_removed(void *userdata, const struct failure *f, struct failure *why)
{
	struct call *call = userdata;

	(void)why;
	if (f) {
		call_refuse(call, f);
		return 0;
	}
	log_change(call, 1);
	call_end_gone(call, ANSWER(call, sd_varlink_reply(call->link, NULL)));
	return 0;
}

static int begin_remove_origin(struct call *call, struct failure *f)
{
	return service_remove_origin(call->service, call->request.name, origin_removed, call, f);
}

static int fill_origins(struct call *call, struct failure *f)
{
	return service_list_origins(call->service, NULL, answer_add_origin, &call->answer, f);
}

/*
 * Views.
 */

/* Of CreateView; an element of CreateViews has all but the first. */
static const sd_json_dispatch_field view_fields[] = {
	STRING_FIELD(origin, SD_JSON_MANDATORY),
	STRING_FIELD(name, SD_JSON_MANDATORY),
	STRING_FIELD(label, SD_JSON_NULLABLE),
	OTHER_FIELD("deviceOnly"),
	OTHER_FIELD("mountPoints"),
	OTHER_FIELD("lists"),
	OTHER_FIELD("idMap"),
	OTHER_FIELD("userNamespace"),
	OTHER_FIELD("cgroup"),
	OTHER_FIELD("process"),
	OTHER_FIELD("processDescriptor"),
	{}
};

/* What of a request comes as descriptors. */
static int read_descriptors(sd_varlink *link, sd_json_variant *parameters,
			    struct idmap_batch *batch, struct spec *spec, struct failure *f)
{
	int userns, pidfd, r;

	if (take_descriptor(link, parameters, "userNamespace", &userns, f) < 0 ||
	    take_descriptor(link, parameters, "processDescriptor", &pidfd, f) < 0)
		return -1;
	if (userns >= 0 && spec->idmap)
		return failed_about(f, FAILURE_INVALID_REQUEST, "userNamespace",
				    "there are both an id map and a user namespace");
	if (userns >= 0 && idmap_batch_read(batch, userns, &spec->idmap, f) < 0)
		return -1;
	if (pidfd < 0)
		return 0;
	if (spec->process)
		return failed_about(f, FAILURE_INVALID_REQUEST, "processDescriptor",
				    "there are both a process and a descriptor of one");
	spec->process = process_of_pidfd(pidfd);
	r = spec->process < 0 ? spec->process :
				process_start(spec->process, &spec->process_start);
	if (r == 0)
		return 0;
	spec->process = 0;
	if (is_shortage(-r))
		return failed_step(f, "the process", "look at it", -r, NULL);
	return failed(f, FAILURE_NO_SUCH_PROCESS,
		      "the descriptor is none of a process that is there");
}

static void read_view_request(sd_varlink *link, sd_json_variant *parameters,
			      const struct request *request, struct idmap_batch *batch,
			      struct view_request *ret)
{
	*ret = (struct view_request){
		.name = request->name, .label = request->label, .spec = SPEC_DEFAULT,
	};
	if (spec_from_request(parameters, &ret->spec, &ret->failure) < 0) {
		ret->spec = SPEC_DEFAULT;
		ret->bad = true;
	} else if (read_descriptors(link, parameters, batch, &ret->spec, &ret->failure) < 0) {
		ret->bad = true;
	}
}

/* Sees to it that a mount of a view that is opened comes along, as a descriptor. */
static int push_mount(struct call *call, struct view *v, struct view_result *result)
{
	cleanup_close int fd = -1;
	int r;

	if (!call->method->open || call->oneway || result->descriptor >= 0)
		return 0;
	fd = view_clone(v, &result->failure);
	if (fd < 0)
		return -1;
	r = sd_varlink_push_fd(call->link, fd);
	if (r < 0)
		return failed_step(&result->failure, v->name, "send a descriptor", -r, NULL);
	(void)steal_fd(&fd);
	result->descriptor = r;
	return 0;
}

/* The view of a result, with all that its answer needs; NULL, and it is bad, if not. */
static struct view *take_view(struct call *call, const struct views_done *all,
			      struct view_result *result)
{
	struct view *v = all->origin ? view_find(all->origin, result->id) : NULL;

	if (result->bad)
		return NULL;
	if (!v)
		failed(&result->failure, FAILURE_NO_SUCH_VIEW,
		       "view \"%s\" was deleted by somebody else", result->name);
	else if (push_mount(call, v, result) == 0)
		return v;
	result->bad = true;
	return NULL;
}

static int view_done(void *userdata, const struct views_done *all)
{
	struct view_result *result = &all->results[0];
	const bool was_bad = result->bad;
	struct call *call = userdata;
	struct view *v = take_view(call, all, result);
	int r;

	if (was_bad) {
		call_refuse(call, &result->failure);
		return 0;
	}
	if (!v)
		return -1;
	r = ANSWER(call, answer_view(call->link, v, result->descriptor));
	if (r < 0 && !nobody_waits(r)) {
		describe_unsent(call, r, &result->failure);
		result->bad = true;
		return -1;
	}
	log_change(call, 1);
	call_end(call, r);
	return 0;
}

static int begin_create_view(struct call *call, struct failure *f)
{
	struct idmap_batch batch = {};
	struct view_request request;
	int r;

	if (check_bytes(call->parameters, f) < 0)
		return -1;
	read_view_request(call->link, call->parameters, &call->request, &batch, &request);
	idmap_batch_free(&batch);
	r = service_create_views(call->service, call->request.origin, &request, 1, view_done, call,
				 f);
	spec_free(&request.spec);
	return r;
}

/* None of the views is created after all. */
static int views_unsent(struct call *call, const struct views_done *all, int r)
{
	for (size_t i = 0; i < all->n; i++) {
		describe_unsent(call, r, &all->results[i].failure);
		all->results[i].bad = true;
	}
	call->unsent = true;
	return -1;
}

static int views_done(void *userdata, const struct views_done *all)
{
	cleanup_answer struct answer answer = {};
	size_t created = 0, bad = 0;
	struct answer_subject subject;
	struct call *call = userdata;
	int r;

	if (call->unsent) {
		call_refuse(call, &all->results[0].failure);
		return 0;
	}
	for (size_t i = 0; i < all->n; i++) {
		struct view_result *result = &all->results[i];
		const bool was_bad = result->bad;
		struct view *v = take_view(call, all, result);

		if (v)
			created++;
		else if (!was_bad)
			bad++;
		subject = subject_at(&call->request, i);
		answer_add_result(result, &subject, v, &answer);
	}
	if (bad)
		return -1;
	r = ANSWER(call, answer_all(call->link, "results", &answer));
	if (r < 0 && !nobody_waits(r))
		return views_unsent(call, all, r);
	log_change(call, created);
	call_end(call, r);
	return 0;
}

/* Reads the elements of a batch into @requests. */
static int read_view_requests(struct call *call, struct view_request *requests, size_t n)
{
	struct idmap_batch batch = {};
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		sd_json_variant *element = sd_json_variant_by_index(call->request.list, i);
		struct request request = {};

		r = sd_json_dispatch(element, view_fields + 1, 0, &request);
		if (r < 0)
			break;
		read_view_request(call->link, element, &request, &batch, &requests[i]);
	}
	idmap_batch_free(&batch);
	return r < 0 ? r : 0;
}

static int check_size(const struct call *call, const char *what, struct failure *f)
{
	size_t n = sd_json_variant_elements(call->request.list);

	if (n > ROOTVIEW_VIEWS_MAX)
		return too_many(f, "views", ROOTVIEW_VIEWS_MAX);
	if (n == 0)
		return failed_about(f, FAILURE_INVALID_REQUEST, what, "%s is empty", what);
	return check_bytes(call->request.list, f);
}

static int begin_create_views(struct call *call, struct failure *f)
{
	struct view_request *requests;
	size_t n;
	int r;

	if (check_size(call, "views", f) < 0)
		return -1;
	n = sd_json_variant_elements(call->request.list);
	requests = calloc(n, sizeof(*requests));
	if (!requests)
		return failed_step(f, "a request", "take it", ENOMEM, NULL);
	r = read_view_requests(call, requests, n);
	if (r < 0)
		r = call_refuse_parameter(call, "views");
	else
		r = service_create_views(call->service, call->request.origin, requests, n,
					 views_done, call, f);
	for (size_t i = 0; i < n; i++)
		spec_free(&requests[i].spec);
	free(requests);
	return r;
}

static struct view_key key_of(const struct request *request)
{
	return (struct view_key){ .name = request->name, .id = request->id };
}

/* Of a request about one view. */
static int check_key(const struct request *request, struct failure *f)
{
	if (request->name || request->id)
		return 0;
	return failed_about(f, FAILURE_INVALID_REQUEST, "name",
			    "neither a name nor an id tells which view is meant");
}

static int begin_open_view(struct call *call, struct failure *f)
{
	const struct view_key key = key_of(&call->request);

	if (check_key(&call->request, f) < 0)
		return -1;
	return service_open_view(call->service, call->request.origin, &key, view_done, call, f);
}

static int begin_delete_view(struct call *call, struct failure *f)
{
	const struct view_key key = key_of(&call->request);
	struct view_result *result;
	bool bad;

	if (check_key(&call->request, f) < 0 ||
	    service_delete_views(call->service, call->request.origin, &key, 1, &result, f) < 0)
		return -1;
	bad = result->bad;
	if (bad)
		*f = result->failure;
	service_free_results(result, 1);
	if (bad)
		return -1;
	log_change(call, 1);
	call_end_gone(call, ANSWER(call, sd_varlink_reply(call->link, NULL)));
	return 0;
}

/* Reads which views are to be deleted, by name or by id.  Returns false for what is no such. */
static bool read_keys(const struct request *request, struct view_key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sd_json_variant *key = sd_json_variant_by_index(request->list, i);

		if (request->ids ? !sd_json_variant_is_unsigned(key) :
				   !sd_json_variant_is_string(key))
			return false;
		if (!request->ids)
			keys[i].name = sd_json_variant_string(key);
		else
			keys[i].id = sd_json_variant_unsigned(key);
		if (request->ids && !keys[i].id)
			return false;
	}
	return true;
}

static int begin_delete_views(struct call *call, struct failure *f)
{
	const char *what = call->request.ids ? "ids" : "names";
	cleanup_answer struct answer answer = {};
	cleanup_free struct view_key *keys = NULL;
	struct view_result *results;
	size_t n, deleted = 0;

	if (call->request.ids && call->request.list)
		return failed_about(f, FAILURE_INVALID_REQUEST, what,
				    "there are both names and ids");
	call->request.list = call->request.ids ?: call->request.list;
	if (check_size(call, what, f) < 0)
		return -1;
	n = sd_json_variant_elements(call->request.list);
	keys = calloc(n, sizeof(*keys));
	if (!keys)
		return failed_step(f, "a request", "take it", ENOMEM, NULL);
	if (!read_keys(&call->request, keys, n))
		return call_refuse_parameter(call, what);
	if (service_delete_views(call->service, call->request.origin, keys, n, &results, f) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct answer_subject subject = subject_at(&call->request, i);

		answer_add_result(&results[i], &subject, NULL, &answer);
		deleted += !results[i].bad;
	}
	service_free_results(results, n);
	log_change(call, deleted);
	call_end_gone(call, ANSWER(call, answer_all(call->link, "results", &answer)));
	return 0;
}

static int fill_views(struct call *call, struct failure *f)
{
	const struct view_key key = key_of(&call->request);

	return service_list_views(call->service, call->request.origin, &key, answer_add_view,
				  &call->answer, f);
}

static void missing_found(void *userdata, sd_json_variant *missing, const struct failure *f)
{
	struct call *call = userdata;

	int r;

	if (f) {
		call_refuse(call, f);
		return;
	}
	r = ANSWER(call, sd_varlink_replybo(call->link,
					    SD_JSON_BUILD_PAIR_VARIANT("missing", missing)));
	call_end(call, r);
}

static int begin_check_mount_points(struct call *call, struct failure *f)
{
	struct mount_points points;
	int r;

	if (check_bytes(call->request.list, f) < 0 ||
	    mount_points_from_json(call->request.list, call->request.lists, &points, f) < 0)
		return -1;
	r = service_check(call->service, call->request.origin, &points, missing_found, call, f);
	mount_points_free(&points);
	return r;
}

static int fill_stats(struct call *call, struct failure *f)
{
	const struct view_key key = key_of(&call->request);

	return service_list_views(call->service, call->request.origin, &key, answer_add_stats,
				  &call->answer, f);
}

/*
 * Those who watch.
 */

static int notify_of(sd_varlink *link, const struct kernel_event *event, const char *type)
{
	bool about_origin = event && event->origin.name;
	bool about_view = about_origin && event->view.name;
	sd_json_variant *json = NULL;
	int r;

	r = sd_json_buildo(
		&json, SD_JSON_BUILD_PAIR_STRING("type", type),
		SD_JSON_BUILD_PAIR_CONDITION(
			about_origin, "origin",
			SD_JSON_BUILD_STRING(about_origin ? event->origin.name : "")),
		SD_JSON_BUILD_PAIR_CONDITION(
			about_origin, "generation",
			SD_JSON_BUILD_UNSIGNED(about_origin ? event->origin.generation : 0)),
		SD_JSON_BUILD_PAIR_CONDITION(
			about_view, "name",
			SD_JSON_BUILD_STRING(about_view ? event->view.name : "")),
		SD_JSON_BUILD_PAIR_CONDITION(
			about_view, "id", SD_JSON_BUILD_UNSIGNED(about_view ? event->view.id : 0)));
	if (r >= 0)
		r = sd_varlink_notifybo(link, SD_JSON_BUILD_PAIR_VARIANT("event", json));
	sd_json_variant_unref(json);
	return r;
}

static void on_event(void *userdata, const struct kernel_event *event)
{
	static const char *const types[] = {
		[KERNEL_ORIGIN_ADDED]	= "originAdded",
		[KERNEL_ORIGIN_REMOVED]	= "originRemoved",
		[KERNEL_ORIGIN_FAILED]	= "originFailed",
		[KERNEL_VIEW_CREATED]	= "viewCreated",
		[KERNEL_VIEW_DELETED]	= "viewDeleted",
		[KERNEL_MODULE_UNLOADED] = "lost",
		[KERNEL_EVENTS_LOST]	= "lost",
	};
	struct server *server = userdata;
	const char *type = event->type < ARRAY_SIZE(types) ? types[event->type] : NULL;

	for (struct monitor *m = server->monitors; type && m; m = m->next) {
		int r = notify_of(m->link, event, type);

		if (r < 0) {
			/* Nobody shall believe to have seen all of them. */
			log_debug("an event could not be sent: %s", strerror(-r));
			hang_up(m->link);
		}
	}
}

static void forget_monitor(struct server *server, const sd_varlink *link);

static int begin_monitor(struct call *call, struct failure *f)
{
	struct server *server = call->server;
	sd_varlink *link = call->link;
	struct monitor *m;

	if (!call->more) {
		(void)ANSWER(call, sd_varlink_error(link, SD_VARLINK_ERROR_EXPECTED_MORE, NULL));
		call_free(call);
		return 0;
	}
	m = calloc(1, sizeof(*m));
	if (!m)
		return failed_step(f, "a request", "take it", ENOMEM, NULL);
	*m = (struct monitor){ .next = server->monitors, .link = sd_varlink_ref(link) };
	server->monitors = m;
	call_free(call);
	if (notify_of(m->link, NULL, "ready") >= 0)
		return 0;
	hang_up(m->link);
	forget_monitor(server, m->link);
	return 0;
}

static void forget_monitor(struct server *server, const sd_varlink *link)
{
	struct monitor **at = &server->monitors;

	while (*at) {
		struct monitor *m = *at;

		if (m->link != link) {
			at = &m->next;
			continue;
		}
		*at = m->next;
		sd_varlink_unref(m->link);
		free(m);
	}
}

/*
 * Connections.
 */

static void begin_connection(struct server *server, sd_varlink *link,
			     struct connection *connection)
{
	connection->link = link;
	connection->served = account_take(&server->accounts, connection->uid, ACCOUNT_CONNECTIONS);
	connection->next = server->connections;
	server->connections = connection;
	(void)sd_varlink_set_allow_fd_passing_input(link, 1);
	(void)sd_varlink_set_allow_fd_passing_output(link, 1);
	/* Without a server, every call is refused: see call_begin(). */
	if (!connection->served)
		sd_varlink_set_userdata(link, NULL);
}

static void end_connection(struct server *server, struct connection *connection)
{
	if (connection->served)
		account_return(&server->accounts, connection->uid, ACCOUNT_CONNECTIONS);
	account_return(&server->accounts, connection->uid, ACCOUNT_SOCKETS);
	free(connection);
}

static void forget_connection(struct server *server, const sd_varlink *link)
{
	for (struct connection **at = &server->connections; *at; at = &(*at)->next) {
		struct connection *connection = *at;

		if (connection->link != link)
			continue;
		*at = connection->next;
		end_connection(server, connection);
		return;
	}
}

/* A socket whose user may have no more has none: NULL. */
static struct connection *take_connection(struct server *server, int fd)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	struct ucred peer = { .uid = -1 };
	socklen_t size = sizeof(peer);

	if (!connection)
		return NULL;
	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	connection->uid = peer.uid;
	if (account_take(&server->accounts, peer.uid, ACCOUNT_SOCKETS))
		return connection;
	free(connection);
	return NULL;
}

static void on_disconnect(sd_varlink_server *varlink, sd_varlink *link, void *userdata)
{
	struct server *server = userdata;

	(void)varlink;
	forget_monitor(server, link);
	forget_lists(server, link);
	forget_connection(server, link);
}

/*
 * All methods.  sd-varlink tells a method not which one it is: so each has a function of its own.
 */

static int method_begin(const struct method *method, sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *userdata)
{
	struct failure f;
	struct call *call;
	int r;

	r = call_new(link, parameters, flags, method, userdata, &call);
	if (r != 0)
		return r;
	if (method->fill) {
		call->answer.room = call->more ? LIST_PART_SIZE : 0;
		return send_part(call);
	}
	return method->begin(call, &f) < 0 ? call_refuse(call, &f) : 0;
}

#define FIELDS(...) ((const sd_json_dispatch_field[]){ __VA_ARGS__, {} })
#define ORIGIN	STRING_FIELD(origin, SD_JSON_MANDATORY)
#define NAME	STRING_FIELD(name, SD_JSON_MANDATORY)
/* Where it need not be told, or there is an id as well. */
#define ANY_ORIGIN	STRING_FIELD(origin, SD_JSON_NULLABLE)
#define ANY_NAME	STRING_FIELD(name, SD_JSON_NULLABLE)

static const sd_json_dispatch_field no_fields[] = { {} };

enum {
	ADD_ORIGIN,
	REMOVE_ORIGIN,
	LIST_ORIGINS,
	CREATE_VIEW,
	CREATE_VIEWS,
	OPEN_VIEW,
	DELETE_VIEW,
	DELETE_VIEWS,
	LIST_VIEWS,
	CHECK_MOUNT_POINTS,
	GET_STATS,
	MONITOR,
};

static const struct method methods[] = {
	[ADD_ORIGIN] = {
		.what = "added origin", .begin = begin_add_origin,
		.fields = FIELDS(NAME, STRING_FIELD(device, SD_JSON_NULLABLE),
				 OTHER_FIELD("deviceDescriptor"),
				 STRING_FIELD(label, SD_JSON_NULLABLE)),
	},
	[REMOVE_ORIGIN] = {
		.what = "removed origin", .begin = begin_remove_origin, .fields = FIELDS(NAME),
	},
	[LIST_ORIGINS] = {
		.what = "list origins", .fill = fill_origins, .field = "origins",
		.fields = no_fields,
	},
	[CREATE_VIEW] = {
		.what = "created view", .begin = begin_create_view, .fields = view_fields,
	},
	[CREATE_VIEWS] = {
		.what = "created views", .begin = begin_create_views,
		.fields = FIELDS(ORIGIN, ARRAY_FIELD("views", list, SD_JSON_MANDATORY)),
	},
	[OPEN_VIEW] = {
		.what = "opened view", .begin = begin_open_view, .open = true,
		.fields = FIELDS(ORIGIN, ANY_NAME, ID_FIELD),
	},
	[DELETE_VIEW] = {
		.what = "deleted view", .begin = begin_delete_view,
		.fields = FIELDS(ORIGIN, ANY_NAME, ID_FIELD),
	},
	[DELETE_VIEWS] = {
		.what = "deleted views", .begin = begin_delete_views,
		.fields = FIELDS(ORIGIN, ARRAY_FIELD("names", list, SD_JSON_NULLABLE),
				 ARRAY_FIELD("ids", ids, SD_JSON_NULLABLE)),
	},
	[LIST_VIEWS] = {
		.what = "list views", .fill = fill_views, .field = "views",
		.fields = FIELDS(ANY_ORIGIN, ANY_NAME, ID_FIELD),
	},
	[CHECK_MOUNT_POINTS] = {
		.what = "check mount points", .begin = begin_check_mount_points,
		.fields = FIELDS(ORIGIN, ARRAY_FIELD("mountPoints", list, SD_JSON_NULLABLE),
				 ARRAY_FIELD("lists", lists, SD_JSON_NULLABLE)),
	},
	[GET_STATS] = {
		.what = "get stats", .fill = fill_stats, .field = "stats",
		.fields = FIELDS(ANY_ORIGIN, ANY_NAME),
	},
	[MONITOR] = {
		.what = "monitor", .begin = begin_monitor, .fields = no_fields,
	},
};

#define METHOD(number)									\
	static int method_##number(sd_varlink *link, sd_json_variant *parameters,	\
				   sd_varlink_method_flags_t flags, void *userdata)	\
	{										\
		return method_begin(&methods[number], link, parameters, flags, userdata); \
	}

METHOD(ADD_ORIGIN)
METHOD(REMOVE_ORIGIN)
METHOD(LIST_ORIGINS)
METHOD(CREATE_VIEW)
METHOD(CREATE_VIEWS)
METHOD(OPEN_VIEW)
METHOD(DELETE_VIEW)
METHOD(DELETE_VIEWS)
METHOD(LIST_VIEWS)
METHOD(CHECK_MOUNT_POINTS)
METHOD(GET_STATS)
METHOD(MONITOR)

/*
 * The socket itself.
 */

static int describe_server(sd_varlink_server *varlink, struct server *server)
{
	int r;

	r = sd_varlink_server_set_info(varlink, "rootview", "rootviewd", ROOTVIEW_VERSION, NULL);
	if (r < 0)
		return r;
	r = sd_varlink_server_add_interface(varlink, &vl_interface_io_rootview);
	if (r < 0)
		return r;
	sd_varlink_server_set_userdata(varlink, server);
	r = sd_varlink_server_bind_disconnect(varlink, on_disconnect);
	if (r < 0)
		return r;
	return sd_varlink_server_bind_method_many(
		varlink,
		ROOTVIEW_METHOD("AddOrigin"), method_ADD_ORIGIN,
		ROOTVIEW_METHOD("RemoveOrigin"), method_REMOVE_ORIGIN,
		ROOTVIEW_METHOD("ListOrigins"), method_LIST_ORIGINS,
		ROOTVIEW_METHOD("CreateView"), method_CREATE_VIEW,
		ROOTVIEW_METHOD("DeleteView"), method_DELETE_VIEW,
		ROOTVIEW_METHOD("ListViews"), method_LIST_VIEWS,
		ROOTVIEW_METHOD("CreateViews"), method_CREATE_VIEWS,
		ROOTVIEW_METHOD("DeleteViews"), method_DELETE_VIEWS,
		ROOTVIEW_METHOD("OpenView"), method_OPEN_VIEW,
		ROOTVIEW_METHOD("CheckMountPoints"), method_CHECK_MOUNT_POINTS,
		ROOTVIEW_METHOD("GetStats"), method_GET_STATS,
		ROOTVIEW_METHOD("Monitor"), method_MONITOR);
}

/*
 * An idle connection whose read fails is to end, but sd-varlink does not see to it that it
 * is called again for that: the client would wait for ever.  The read that asks for memory
 * is the first one, so that is done here.
 */
static void read_first(sd_varlink *link)
{
	sd_varlink_ref(link);
	if (sd_varlink_process(link) < 0)
		(void)sd_varlink_close(link);
	sd_varlink_unref(link);
}

static void on_accept(void *userdata, int fd)
{
	struct server *server = userdata;
	struct connection *connection = take_connection(server, fd);
	sd_varlink *link;

	/* A connection that cannot be served is closed; on_disconnect() is called or not. */
	if (!connection ||
	    sd_varlink_server_add_connection(server->varlink, fd, &link) < 0) {
		if (connection)
			end_connection(server, connection);
		close(fd);
		return;
	}
	begin_connection(server, link, connection);
	read_first(link);
}

int server_new(struct server **ret, struct service *service, sd_event *event, const char *path,
	       struct failure *f)
{
	struct server *server = calloc(1, sizeof(*server));
	int r = -ENOMEM;

	if (!server)
		goto failed;
	server->service = service;
	server->accounts.most[ACCOUNT_CONNECTIONS] = CONNECTIONS_MAX;
	server->accounts.most[ACCOUNT_SOCKETS] = 2 * CONNECTIONS_MAX;
	server->accounts.most[ACCOUNT_REQUESTS] = SERVICE_WAITING_MAX;
	r = sd_varlink_server_new(&server->varlink, SD_VARLINK_SERVER_INHERIT_USERDATA);
	if (r >= 0)
		r = describe_server(server->varlink, server);
	if (r >= 0)
		r = sd_varlink_server_attach_event(server->varlink, event,
						   SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0)
		r = listener_new(&server->listener, event, path, on_accept, server);
	if (r < 0)
		goto failed;
	mirror_set_listener(service->mirror, on_event, server);
	*ret = server;
	return 0;

failed:
	server_free(server);
	return failed_step(f, path, "serve on this socket", -r, NULL);
}

void server_free(struct server *server)
{
	if (!server)
		return;
	mirror_set_listener(server->service->mirror, NULL, NULL);
	listener_free(server->listener);
	sd_varlink_server_unref(server->varlink);
	while (server->connections)
		forget_connection(server, server->connections->link);
	accounts_free(&server->accounts);
	free(server);
}
