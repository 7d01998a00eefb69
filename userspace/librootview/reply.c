// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the daemon answered; rootview.h is the contract.
 *
 * An item is an element of the one array of a reply, or the whole of a reply
 * about one thing.  Its properties are in the object about that thing, if it
 * has one: { "view": { "name": ... }, "descriptor": ... }.
 */
#include "call.h"

#include "interface.h"
#include "util.h"

void rootview_reply_free(struct rootview_reply *reply)
{
	int saved = errno;

	if (!reply)
		return;
	for (size_t i = 0; i < reply->n_fds; i++)
		close_fd(&reply->fds[i]);
	sd_json_variant_unref(reply->parameters);
	free(reply->json);
	free(reply);
	errno = saved;
}

static sd_json_variant *items(struct rootview_reply *reply)
{
	static const char *const names[] = { "results", "views", "origins", "missing", "stats" };

	for (size_t i = 0; reply && i < ARRAY_SIZE(names); i++) {
		sd_json_variant *array = sd_json_variant_by_key(reply->parameters, names[i]);

		if (sd_json_variant_is_array(array))
			return array;
	}
	return NULL;
}

/* The object about the item's thing, or NULL. */
static sd_json_variant *thing(sd_json_variant *item)
{
	static const char *const names[] = { "view", "origin", "event" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		sd_json_variant *object = sd_json_variant_by_key(item, names[i]);

		if (sd_json_variant_is_object(object))
			return object;
	}
	return NULL;
}

size_t rootview_reply_count(struct rootview_reply *reply)
{
	sd_json_variant *array = items(reply);

	if (array)
		return sd_json_variant_elements(array);
	return reply && thing(reply->parameters);
}

static sd_json_variant *item_at(struct rootview_reply *reply, size_t i)
{
	sd_json_variant *array = items(reply);

	if (i >= rootview_reply_count(reply))
		return NULL;
	return array ? sd_json_variant_by_index(array, i) : reply->parameters;
}

/* What has the properties of the item. */
static sd_json_variant *object_at(struct rootview_reply *reply, size_t i)
{
	sd_json_variant *item = item_at(reply, i);

	return thing(item) ?: item;
}

static const char *as_text(sd_json_variant *v)
{
	return sd_json_variant_is_string(v) ? sd_json_variant_string(v) : NULL;
}

const char *json_text(sd_json_variant *object, const char *key)
{
	return as_text(sd_json_variant_by_key(object, key));
}

int json_number(sd_json_variant *object, const char *key, uint64_t *ret)
{
	sd_json_variant *n = sd_json_variant_by_key(object, key);

	if (!sd_json_variant_is_unsigned(n))
		return -ENOENT;
	*ret = sd_json_variant_unsigned(n);
	return 0;
}

/* Why the item was refused; NULL if it was not. */
static sd_json_variant *refusal(struct rootview_reply *reply, size_t i)
{
	return sd_json_variant_by_key(item_at(reply, i), "refusal");
}

const char *rootview_reply_error_name(struct rootview_reply *reply, size_t i)
{
	return json_text(refusal(reply, i), "error");
}

const char *rootview_reply_error_message(struct rootview_reply *reply, size_t i)
{
	return json_text(refusal(reply, i), "message");
}

const char *rootview_reply_error_text(struct rootview_reply *reply, size_t i, const char *parameter)
{
	return json_text(sd_json_variant_by_key(refusal(reply, i), "parameters"), parameter);
}

int rootview_reply_error_number(struct rootview_reply *reply, size_t i, const char *parameter,
				uint64_t *ret)
{
	return json_number(sd_json_variant_by_key(refusal(reply, i), "parameters"), parameter,
			   ret);
}

static sd_json_variant *property(struct rootview_reply *reply, size_t i, const char *name)
{
	return sd_json_variant_by_key(object_at(reply, i), name);
}

static const char *text(struct rootview_reply *reply, size_t i, const char *name)
{
	return json_text(object_at(reply, i), name);
}

static uint64_t number(struct rootview_reply *reply, size_t i, const char *name)
{
	uint64_t n = 0;

	(void)json_number(object_at(reply, i), name, &n);
	return n;
}

const char *rootview_reply_name(struct rootview_reply *reply, size_t i)
{
	return text(reply, i, "name");
}

const char *rootview_reply_origin(struct rootview_reply *reply, size_t i)
{
	return text(reply, i, "origin");
}

uint64_t rootview_reply_id(struct rootview_reply *reply, size_t i)
{
	return number(reply, i, "id");
}

const char *rootview_reply_path(struct rootview_reply *reply, size_t i)
{
	return text(reply, i, "path");
}

const char *rootview_reply_label(struct rootview_reply *reply, size_t i)
{
	return text(reply, i, "label");
}

const char *rootview_reply_cgroup(struct rootview_reply *reply, size_t i)
{
	return text(reply, i, "cgroup");
}

pid_t rootview_reply_process(struct rootview_reply *reply, size_t i)
{
	return number(reply, i, "process");
}

uint64_t rootview_reply_created(struct rootview_reply *reply, size_t i)
{
	return number(reply, i, "createdUSec");
}

int rootview_reply_number(struct rootview_reply *reply, size_t i, const char *name, uint64_t *ret)
{
	return json_number(object_at(reply, i), name, ret);
}

const char *rootview_reply_device_number(struct rootview_reply *reply, size_t i)
{
	return text(reply, i, "number");
}

const char *rootview_reply_backing(struct rootview_reply *reply, size_t i)
{
	return text(reply, i, "backing");
}

const char *rootview_reply_file_system(struct rootview_reply *reply, size_t i)
{
	return text(reply, i, "fileSystem");
}

static int is_true(sd_json_variant *v)
{
	return sd_json_variant_is_boolean(v) && sd_json_variant_boolean(v);
}

int rootview_reply_is_native(struct rootview_reply *reply, size_t i)
{
	return is_true(property(reply, i, "native"));
}

const char *rootview_reply_device(struct rootview_reply *reply, size_t i)
{
	return text(reply, i, "device");
}

static int find(const char *name, const char *const *names, size_t n)
{
	if (!name)
		return -ENOENT;
	for (size_t i = 0; i < n; i++)
		if (streq(name, names[i]))
			return i;
	return -EPROTO;
}

int rootview_reply_is_device_only(struct rootview_reply *reply, size_t i)
{
	return is_true(property(reply, i, "deviceOnly"));
}

static int kind_of(sd_json_variant *point)
{
	static const char *const names[] = ROOTVIEW_KINDS;

	return find(json_text(point, "kind"), names, ARRAY_SIZE(names));
}

int rootview_reply_kind(struct rootview_reply *reply, size_t i)
{
	return kind_of(object_at(reply, i));
}

const char *rootview_reply_target(struct rootview_reply *reply, size_t i)
{
	return text(reply, i, "target");
}

/* The element @k of the array @name of an object; NULL behind the last. */
static sd_json_variant *element(sd_json_variant *object, const char *name, size_t k)
{
	sd_json_variant *array = sd_json_variant_by_key(object, name);

	return k < sd_json_variant_elements(array) ? sd_json_variant_by_index(array, k) : NULL;
}

int rootview_reply_mount_point(struct rootview_reply *reply, size_t i, size_t k, const char **path,
			       enum rootview_kind *kind, const char **target)
{
	sd_json_variant *point = element(object_at(reply, i), "mountPoints", k);
	int found = kind_of(point);

	if (!point)
		return -ENOENT;
	*path = json_text(point, "path");
	*target = json_text(point, "target");
	if (found < 0 || !*path)
		return -EPROTO;
	*kind = found;
	return 0;
}

static int take_id(sd_json_variant *range, const char *key, uint32_t *ret)
{
	uint64_t n;

	if (json_number(range, key, &n) < 0 || n > UINT32_MAX)
		return -EPROTO;
	*ret = n;
	return 0;
}

int rootview_reply_id_range(struct rootview_reply *reply, size_t i, enum rootview_ids ids, size_t k,
			    uint32_t *inside, uint32_t *outside, uint32_t *count)
{
	sd_json_variant *map = property(reply, i, "idMap"), *range;

	if (ids != ROOTVIEW_UIDS && ids != ROOTVIEW_GIDS)
		return -EINVAL;
	range = element(map, ids == ROOTVIEW_UIDS ? "uid" : "gid", k);
	if (!range)
		return -ENOENT;
	return take_id(range, "inside", inside) ?: take_id(range, "outside", outside) ?:
		take_id(range, "count", count);
}

const char *rootview_reply_warning(struct rootview_reply *reply, size_t i, size_t k)
{
	return json_text(element(object_at(reply, i), "warnings", k), "message");
}

const char *rootview_reply_warning_name(struct rootview_reply *reply, size_t i, size_t k)
{
	return json_text(element(object_at(reply, i), "warnings", k), "warning");
}

const char *rootview_reply_event(struct rootview_reply *reply, size_t i)
{
	return text(reply, i, "type");
}

int rootview_reply_take_fd(struct rootview_reply *reply, size_t i)
{
	sd_json_variant *index = sd_json_variant_by_key(item_at(reply, i), "descriptor");
	uint64_t at;
	int fd;

	if (!sd_json_variant_is_unsigned(index))
		return -ENOENT;
	at = sd_json_variant_unsigned(index);
	if (at >= reply->n_fds || reply->fds[at] < 0)
		return -ENOENT;
	fd = reply->fds[at];
	reply->fds[at] = -1;
	return fd;
}

const char *rootview_reply_json(struct rootview_reply *reply)
{
	if (reply && !reply->json)
		(void)sd_json_variant_format(reply->parameters, 0, &reply->json);
	return reply ? reply->json : NULL;
}
