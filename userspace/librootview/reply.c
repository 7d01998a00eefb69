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

static sd_json_variant *property(struct rootview_reply *reply, size_t i, const char *name)
{
	sd_json_variant *item = item_at(reply, i);
	sd_json_variant *object = thing(item);

	return sd_json_variant_by_key(object ? object : item, name);
}

static const char *text(sd_json_variant *v)
{
	return sd_json_variant_is_string(v) ? sd_json_variant_string(v) : NULL;
}

static const char *refusal(struct rootview_reply *reply, size_t i, const char *name)
{
	return text(sd_json_variant_by_key(
		sd_json_variant_by_key(item_at(reply, i), "refusal"), name));
}

const char *rootview_reply_error_name(struct rootview_reply *reply, size_t i)
{
	return refusal(reply, i, "error");
}

const char *rootview_reply_error_message(struct rootview_reply *reply, size_t i)
{
	return refusal(reply, i, "message");
}

const char *rootview_reply_name(struct rootview_reply *reply, size_t i)
{
	return text(property(reply, i, "name"));
}

const char *rootview_reply_origin(struct rootview_reply *reply, size_t i)
{
	return text(property(reply, i, "origin"));
}

uint64_t rootview_reply_id(struct rootview_reply *reply, size_t i)
{
	sd_json_variant *id = property(reply, i, "id");

	return sd_json_variant_is_unsigned(id) ? sd_json_variant_unsigned(id) : 0;
}

const char *rootview_reply_path(struct rootview_reply *reply, size_t i)
{
	return text(property(reply, i, "path"));
}

const char *rootview_reply_label(struct rootview_reply *reply, size_t i)
{
	return text(property(reply, i, "label"));
}

const char *rootview_reply_cgroup(struct rootview_reply *reply, size_t i)
{
	return text(property(reply, i, "cgroup"));
}

int rootview_reply_counter(struct rootview_reply *reply, size_t i, const char *name, uint64_t *ret)
{
	sd_json_variant *n = property(reply, i, name);

	if (!sd_json_variant_is_unsigned(n))
		return -ENOENT;
	*ret = sd_json_variant_unsigned(n);
	return 0;
}

const char *rootview_reply_device(struct rootview_reply *reply, size_t i)
{
	return text(property(reply, i, "device"));
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

int rootview_reply_mount(struct rootview_reply *reply, size_t i)
{
	static const char *const names[] = ROOTVIEW_MOUNTS;

	return find(text(property(reply, i, "mount")), names, ARRAY_SIZE(names));
}

int rootview_reply_kind(struct rootview_reply *reply, size_t i)
{
	static const char *const names[] = ROOTVIEW_KINDS;

	return find(text(property(reply, i, "kind")), names, ARRAY_SIZE(names));
}

const char *rootview_reply_target(struct rootview_reply *reply, size_t i)
{
	return text(property(reply, i, "target"));
}

const char *rootview_reply_warning(struct rootview_reply *reply, size_t i, size_t k)
{
	sd_json_variant *warnings = property(reply, i, "warnings");

	if (!sd_json_variant_is_array(warnings) || k >= sd_json_variant_elements(warnings))
		return NULL;
	return text(sd_json_variant_by_index(warnings, k));
}

const char *rootview_reply_event(struct rootview_reply *reply, size_t i)
{
	return text(property(reply, i, "type"));
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
