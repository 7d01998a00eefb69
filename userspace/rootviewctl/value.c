// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Values of options; value.h is the contract.
 */
#include "value.h"

#include <limits.h>

#include "interface.h"
#include "util.h"

bool value_is_mount(const char *text)
{
	static const char *const mounts[] = ROOTVIEW_MOUNTS;

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++)
		if (streq(text, mounts[i]))
			return true;
	return false;
}

const char *value_cgroup(const char *text)
{
	const char *below = after_prefix(text, ROOTVIEW_CGROUPS);

	return below && *below == '/' ? below : text;
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), k = strlen(end);

	return n >= k && streq(text + n - k, end);
}

int value_mount_point(const char *text, sd_json_variant **ret)
{
	static const char *const kinds[] = { "file", "directory" };
	cleanup_free char *path = strdup(text);
	const char *kind = kinds[1];

	if (!path)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		char end[16];

		snprintf(end, sizeof(end), ":%s", kinds[i]);
		if (ends_with(text, end)) {
			path[strlen(path) - strlen(end)] = '\0';
			kind = kinds[i];
			break;
		}
	}
	if (path[0] != '/')
		return -EINVAL;
	return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("path", path),
			      SD_JSON_BUILD_PAIR_STRING("kind", kind));
}

/* Digits, and nothing before or after them but @end. */
static const char *read_number(const char *text, char end, uint64_t max, uint64_t *ret)
{
	char *after;

	if (*text < '0' || *text > '9')
		return NULL;
	errno = 0;
	*ret = strtoull(text, &after, 10);
	if (errno || *ret > max || *after != end)
		return NULL;
	return after + (end != '\0');
}

int value_id_range(const char *text, sd_json_variant **ret)
{
	uint64_t inside, outside, count;

	text = read_number(text, ':', UINT32_MAX, &inside);
	if (text)
		text = read_number(text, ':', UINT32_MAX, &outside);
	if (text)
		text = read_number(text, '\0', UINT32_MAX, &count);
	if (!text || count == 0)
		return -EINVAL;
	return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_UNSIGNED("inside", inside),
			      SD_JSON_BUILD_PAIR_UNSIGNED("outside", outside),
			      SD_JSON_BUILD_PAIR_UNSIGNED("count", count));
}

int value_process(const char *text, sd_json_variant **ret)
{
	uint64_t process;

	if (!read_number(text, '\0', INT_MAX, &process) || process == 0)
		return -EINVAL;
	return sd_json_variant_new_unsigned(ret, process);
}
