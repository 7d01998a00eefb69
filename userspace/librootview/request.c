// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a view is asked for with; rootview.h is the contract.
 */
#include "call.h"

#include "interface.h"
#include "util.h"

struct rootview_request *rootview_request_new(void)
{
	struct rootview_request *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->user_namespace = -1;
	r->pidfd = -1;
	return r;
}

struct rootview_request *rootview_request_copy(const struct rootview_request *r)
{
	struct rootview_request *copy = rootview_request_new();

	if (!copy)
		return NULL;
	*copy = *r;
	/* JSON is not changed once it is there: a setter makes another. */
	sd_json_variant_ref(copy->fields);
	sd_json_variant_ref(copy->mount_points);
	sd_json_variant_ref(copy->lists);
	sd_json_variant_ref(copy->uids);
	sd_json_variant_ref(copy->gids);
	return copy;
}

void rootview_request_free(struct rootview_request *r)
{
	int saved = errno;

	if (!r)
		return;
	sd_json_variant_unref(r->fields);
	sd_json_variant_unref(r->mount_points);
	sd_json_variant_unref(r->lists);
	sd_json_variant_unref(r->uids);
	sd_json_variant_unref(r->gids);
	free(r);
	errno = saved;
}

/* No text of a request may be empty. */
static int set_text(struct rootview_request *r, const char *field, const char *text)
{
	if (!r || !text || !*text)
		return -EINVAL;
	return negative_or_zero(sd_json_variant_set_field_string(&r->fields, field, text));
}

int rootview_request_set_name(struct rootview_request *r, const char *name)
{
	return set_text(r, "name", name);
}

int rootview_request_set_label(struct rootview_request *r, const char *label)
{
	return set_text(r, "label", label);
}

int rootview_request_set_device_only(struct rootview_request *r, int device_only)
{
	return r ? negative_or_zero(sd_json_variant_set_field_boolean(&r->fields, "deviceOnly",
								      device_only)) : -EINVAL;
}

int rootview_request_add_mount_point(struct rootview_request *r, const char *path,
				     enum rootview_kind kind, const char *target)
{
	static const char *const names[] = ROOTVIEW_KINDS;

	if (!r || !path || *path != '/' || (unsigned int)kind >= ARRAY_SIZE(names))
		return -EINVAL;
	if (target ? kind != ROOTVIEW_LINK || !*target : kind == ROOTVIEW_LINK)
		return -EINVAL;
	return negative_or_zero(sd_json_variant_append_arraybo(
		&r->mount_points, SD_JSON_BUILD_PAIR_STRING("path", path),
		SD_JSON_BUILD_PAIR_STRING("kind", names[kind]),
		SD_JSON_BUILD_PAIR_CONDITION(!!target, "target", SD_JSON_BUILD_STRING(target))));
}

int rootview_request_add_list(struct rootview_request *r, const char *list)
{
	if (!r || !list || !*list)
		return -EINVAL;
	return negative_or_zero(
		sd_json_variant_append_arrayb(&r->lists, SD_JSON_BUILD_STRING(list)));
}

static int add_range(sd_json_variant **ranges, uint32_t inside, uint32_t outside, uint32_t count)
{
	return sd_json_variant_append_arraybo(ranges,
					      SD_JSON_BUILD_PAIR_UNSIGNED("inside", inside),
					      SD_JSON_BUILD_PAIR_UNSIGNED("outside", outside),
					      SD_JSON_BUILD_PAIR_UNSIGNED("count", count));
}

int rootview_request_add_id_range(struct rootview_request *r, enum rootview_ids ids,
				  uint32_t inside, uint32_t outside, uint32_t count)
{
	int n = 0;

	if (!r || !count || !ids || (ids & ~ROOTVIEW_UIDS_AND_GIDS))
		return -EINVAL;
	/* The id -1 is none, so the last one may be UINT32_MAX - 1. */
	if (inside > UINT32_MAX - count || outside > UINT32_MAX - count)
		return -EINVAL;
	if (ids & ROOTVIEW_UIDS)
		n = add_range(&r->uids, inside, outside, count);
	if (n >= 0 && (ids & ROOTVIEW_GIDS))
		n = add_range(&r->gids, inside, outside, count);
	return negative_or_zero(n);
}

int rootview_request_set_user_namespace(struct rootview_request *r, int fd)
{
	if (!r || fd < 0)
		return -EINVAL;
	r->user_namespace = fd;
	return 0;
}

int rootview_request_set_cgroup(struct rootview_request *r, const char *cgroup)
{
	return set_text(r, "cgroup", cgroup);
}

int rootview_request_set_process(struct rootview_request *r, pid_t pid)
{
	if (!r || pid <= 0)
		return -EINVAL;
	return negative_or_zero(sd_json_variant_set_field_integer(&r->fields, "process", pid));
}

int rootview_request_set_pidfd(struct rootview_request *r, int fd)
{
	if (!r || fd < 0)
		return -EINVAL;
	r->pidfd = fd;
	return 0;
}
