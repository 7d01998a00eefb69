// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Calls, as they are put together before anything is sent; rootview.h is the
 * contract.
 */
#include "call.h"

#include <fcntl.h>

#include "interface.h"
#include "util.h"

#define cleanup_call cleanup_with(call_freep)

static void call_freep(struct rootview_call **call)
{
	rootview_call_free(*call);
}

void rootview_call_free(struct rootview_call *call)
{
	int saved = errno;

	if (!call)
		return;
	for (size_t i = 0; i < call->n_fds; i++)
		close_fd(&call->fds[i]);
	sd_json_variant_unref(call->parameters);
	sd_json_variant_unref(call->parts);
	free(call);
	errno = saved;
}

static int call_new(struct rootview_call **ret, const char *method)
{
	struct rootview_call *call = calloc(1, sizeof(*call));

	if (!call)
		return -ENOMEM;
	call->method = method;
	*ret = call;
	return 0;
}

static int set_text(struct rootview_call *call, const char *field, const char *text)
{
	return negative_or_zero(sd_json_variant_set_field_string(&call->parameters, field, text));
}

/* A call with up to three texts as parameters, those that are not NULL. */
static int call_with_texts(struct rootview_call **ret, const char *method,
			   const char *const fields[][2], size_t n)
{
	cleanup_call struct rootview_call *call = NULL;
	int r = call_new(&call, method);

	for (size_t i = 0; i < n && r == 0; i++)
		if (fields[i][1])
			r = set_text(call, fields[i][0], fields[i][1]);
	if (r < 0)
		return r;
	*ret = steal_ptr(&call);
	return 0;
}

#define call_with(ret, method, ...)                                                     \
	call_with_texts(ret, ROOTVIEW_METHOD(method),                                   \
			(const char *const[][2]) { __VA_ARGS__ },                       \
			ARRAY_SIZE(((const char *const[][2]) { __VA_ARGS__ })))

static bool is_empty(const char *text)
{
	return !text || !*text;
}

/*
 * What requests become.
 */

/*
 * Sets @field of a view to the index of @fd among the descriptors of the call.
 * Requests that name the same descriptor share one.
 */
static int send_fd(struct rootview_call *call, sd_json_variant **view, const char *field, int fd)
{
	size_t i;

	if (fd < 0)
		return 0;
	for (i = 0; i < call->n_fds; i++)
		if (call->sources[i] == fd)
			break;
	if (i == CALL_FDS_MAX)
		return -E2BIG;
	if (i == call->n_fds) {
		call->fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (call->fds[i] < 0)
			return -errno;
		call->sources[i] = fd;
		call->n_fds++;
	}
	return sd_json_variant_set_field_unsigned(view, field, i);
}

static int set_id_map(sd_json_variant **view, const struct rootview_request *request)
{
	if (!request->uids && !request->gids)
		return 0;
	return sd_json_variant_set_fieldbo(
		view, "idMap",
		SD_JSON_BUILD_PAIR("uid", SD_JSON_BUILD_VARIANT(request->uids)),
		SD_JSON_BUILD_PAIR("gid", SD_JSON_BUILD_VARIANT(request->gids)));
}

static int set_mount_points(sd_json_variant **view, const struct rootview_request *request)
{
	int r = 0;

	if (request->mount_points)
		r = sd_json_variant_set_field(view, "mountPoints", request->mount_points);
	if (r >= 0 && request->lists)
		r = sd_json_variant_set_field(view, "lists", request->lists);
	return r;
}

/* The request as JSON, added to the fields that @view has. */
static int set_request(struct rootview_call *call, sd_json_variant **view,
		       const struct rootview_request *request)
{
	int r = sd_json_variant_merge_object(view, request->fields);

	if (r >= 0)
		r = set_mount_points(view, request);
	if (r >= 0)
		r = set_id_map(view, request);
	if (r >= 0)
		r = send_fd(call, view, "userNamespace", request->user_namespace);
	if (r >= 0)
		r = send_fd(call, view, "processDescriptor", request->pidfd);
	return negative_or_zero(r);
}

static bool has_name(const struct rootview_request *request)
{
	return request && sd_json_variant_by_key(request->fields, "name");
}

/* sd-varlink could not send what is larger, and would leave the connection half-way. */
static int check_size(sd_json_variant *views)
{
	ssize_t size = json_size(views);

	if (size < 0)
		return size;
	return size > ROOTVIEW_REQUESTS_SIZE ? -E2BIG : 0;
}

static int set_requests(struct rootview_call *call, struct rootview_request *const *requests,
			size_t n)
{
	cleanup_json sd_json_variant *views = NULL;
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++) {
		cleanup_json sd_json_variant *view = NULL;

		r = set_request(call, &view, requests[i]);
		if (r >= 0)
			r = sd_json_variant_append_array(&views, view);
	}
	if (r >= 0)
		r = check_size(views);
	if (r >= 0)
		r = sd_json_variant_set_field(&call->parameters, "views", views);
	return negative_or_zero(r);
}

/*
 * Calls.
 */

int rootview_call_create(struct rootview_call **ret, const char *origin,
			 struct rootview_request *const *requests, size_t n)
{
	cleanup_call struct rootview_call *call = NULL;
	int r;

	if (!ret || is_empty(origin) || !requests || n < 1 || n > ROOTVIEW_VIEWS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (!has_name(requests[i]))
			return -EINVAL;
	r = n == 1 ? call_with(&call, "CreateView", { "origin", origin }) :
		     call_with(&call, "CreateViews", { "origin", origin });
	if (r == 0)
		r = n == 1 ? set_request(call, &call->parameters, requests[0]) :
			     set_requests(call, requests, n);
	if (r < 0)
		return r;
	*ret = steal_ptr(&call);
	return 0;
}

static int delete_many(struct rootview_call **ret, const char *origin, const char *const *names,
		       size_t n)
{
	cleanup_call struct rootview_call *call = NULL;
	cleanup_json sd_json_variant *array = NULL;
	int r = call_with(&call, "DeleteViews", { "origin", origin });

	for (size_t i = 0; i < n && r >= 0; i++)
		r = sd_json_variant_append_arrayb(&array, SD_JSON_BUILD_STRING(names[i]));
	if (r >= 0)
		r = sd_json_variant_set_field(&call->parameters, "names", array);
	if (r < 0)
		return r;
	*ret = steal_ptr(&call);
	return 0;
}

int rootview_call_delete(struct rootview_call **ret, const char *origin,
			 const char *const *names, size_t n)
{
	if (!ret || is_empty(origin) || !names || n < 1 || n > ROOTVIEW_VIEWS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (is_empty(names[i]))
			return -EINVAL;
	if (n > 1)
		return delete_many(ret, origin, names, n);
	return call_with(ret, "DeleteView", { "origin", origin }, { "name", names[0] });
}

int rootview_call_delete_ids(struct rootview_call **ret, const char *origin, const uint64_t *ids,
			     size_t n)
{
	cleanup_call struct rootview_call *call = NULL;
	cleanup_json sd_json_variant *array = NULL;
	int r;

	if (!ret || is_empty(origin) || !ids || n < 1 || n > ROOTVIEW_VIEWS_MAX)
		return -EINVAL;
	r = call_with(&call, "DeleteViews", { "origin", origin });
	for (size_t i = 0; i < n && r >= 0; i++)
		r = ids[i] ? sd_json_variant_append_arrayb(&array, SD_JSON_BUILD_UNSIGNED(ids[i])) :
			     -EINVAL;
	if (r >= 0)
		r = sd_json_variant_set_field(&call->parameters, "ids", array);
	if (r < 0)
		return r;
	*ret = steal_ptr(&call);
	return 0;
}

int rootview_call_open(struct rootview_call **ret, const char *origin, const char *name,
		       uint64_t id)
{
	cleanup_call struct rootview_call *call = NULL;
	int r;

	if (!ret || is_empty(origin) || (name && !*name) || (!name && !id))
		return -EINVAL;
	r = call_with(&call, "OpenView", { "origin", origin }, { "name", name });
	if (r == 0 && id)
		r = sd_json_variant_set_field_unsigned(&call->parameters, "id", id);
	if (r < 0)
		return r;
	call->n_answer_fds = 1;
	*ret = steal_ptr(&call);
	return 0;
}

/* Says that the call built last asks for the array @field, of whatever length. */
static int as_list(struct rootview_call **ret, const char *field, int r)
{
	if (r == 0)
		(*ret)->list = field;
	return r;
}

int rootview_call_list(struct rootview_call **ret, const char *origin, const char *name)
{
	if (!ret || (origin && !*origin) || (name && (!*name || !origin)))
		return -EINVAL;
	return as_list(ret, "views", call_with(ret, "ListViews", { "origin", origin },
					       { "name", name }));
}

int rootview_call_stats(struct rootview_call **ret, const char *origin, const char *name)
{
	if (!ret || (origin && !*origin) || (name && (!*name || !origin)))
		return -EINVAL;
	return as_list(ret, "stats", call_with(ret, "GetStats", { "origin", origin },
					       { "name", name }));
}

int rootview_call_check(struct rootview_call **ret, const char *origin,
			struct rootview_request *request)
{
	cleanup_call struct rootview_call *call = NULL;
	int r;

	if (!ret || is_empty(origin) || !request)
		return -EINVAL;
	r = call_with(&call, "CheckMountPoints", { "origin", origin });
	if (r == 0)
		r = set_mount_points(&call->parameters, request);
	if (r < 0)
		return r;
	*ret = steal_ptr(&call);
	return 0;
}

int rootview_call_add_origin(struct rootview_call **ret, const char *name,
			     const char *device, const char *label)
{
	if (!ret || is_empty(name) || is_empty(device) || (label && !*label))
		return -EINVAL;
	return call_with(ret, "AddOrigin", { "name", name }, { "device", device },
			 { "label", label });
}

int rootview_call_remove_origin(struct rootview_call **ret, const char *name)
{
	if (!ret || is_empty(name))
		return -EINVAL;
	return call_with(ret, "RemoveOrigin", { "name", name });
}

int rootview_call_list_origins(struct rootview_call **ret)
{
	if (!ret)
		return -EINVAL;
	return as_list(ret, "origins", call_new(ret, ROOTVIEW_METHOD("ListOrigins")));
}

int rootview_call_monitor(struct rootview_call **ret)
{
	int r = ret ? call_new(ret, ROOTVIEW_METHOD("Monitor")) : -EINVAL;

	if (r == 0)
		(*ret)->stream = true;
	return r;
}
