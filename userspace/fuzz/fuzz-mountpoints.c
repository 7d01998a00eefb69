// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mount points, and names of lists of them: {"mountPoints":[...],"lists":[...]}.
 */
#include "../rootviewd/mountpoints.h"

#include <assert.h>

#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct mount_points *points)
{
	assert(points->n <= MOUNT_POINTS_MAX);
	for (size_t i = 0; i < points->n; i++) {
		const char *path = points->list[i].path;

		assert(path[0] == '/' && path[1] && path[strlen(path) - 1] != '/');
		assert(!strstr(path, "//") && !strstr(path, "/./") && !strstr(path, "/../"));
		assert(!points->list[i].target == (points->list[i].kind != MOUNT_POINT_LINK));
		assert(i == 0 || strcmp(points->list[i - 1].path, path) < 0);
	}
}

/* What is read and written is read as the same again. */
static void check_written(struct mount_points *points)
{
	cleanup_with(sd_json_variant_unrefp) sd_json_variant *first = NULL, *second = NULL;
	struct failure f;
	int r = mount_points_to_json(points, &first);

	assert(r == 0);
	mount_points_free(points);
	r = mount_points_from_json(first, NULL, points, &f);
	assert(r == 0);
	r = mount_points_to_json(points, &second);
	assert(r == 0 && sd_json_variant_equal(first, second));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_with(sd_json_variant_unrefp) sd_json_variant *json = NULL;
	cleanup_free char *text = strndup((const char *)data, size);
	struct mount_points points;
	struct failure f;

	assert(text);
	if (sd_json_parse(text, 0, &json, NULL, NULL) < 0 ||
	    mount_points_from_json(sd_json_variant_by_key(json, "mountPoints"),
				   sd_json_variant_by_key(json, "lists"), &points, &f) < 0)
		return 0;
	check(&points);
	check_written(&points);
	mount_points_free(&points);
	return 0;
}
