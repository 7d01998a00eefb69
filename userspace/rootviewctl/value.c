// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Values of options; value.h is the contract.
 */
#include "value.h"

#include <limits.h>

#include "interface.h"
#include "util.h"

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

int value_mount_point(struct rootview_request *request, const char *text, const char **why)
{
	static const struct {
		const char *end;
		enum rootview_kind kind;
	} kinds[] = {
		{ ":directory", ROOTVIEW_DIRECTORY },
		{ ":file", ROOTVIEW_FILE },
		{ ":tmpfs", ROOTVIEW_TMPFS },
	};
	enum rootview_kind kind = ROOTVIEW_DIRECTORY;
	cleanup_free char *path = strdup(text);

	if (!path)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (ends_with(text, kinds[i].end)) {
			path[strlen(path) - strlen(kinds[i].end)] = '\0';
			kind = kinds[i].kind;
			break;
		}
	}
	*why = "it is a path in the container, which begins with \"/\"";
	return rootview_request_add_mount_point(request, path, kind, NULL);
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

int value_id_range(struct rootview_request *request, const char *text, const char **why)
{
	uint64_t inside, outside, count;

	*why = "it is INSIDE:OUTSIDE:COUNT, three numbers";
	text = read_number(text, ':', UINT32_MAX, &inside);
	if (text)
		text = read_number(text, ':', UINT32_MAX, &outside);
	if (text)
		text = read_number(text, '\0', UINT32_MAX, &count);
	if (!text)
		return -EINVAL;
	*why = "it is of at least one id, and ids end at 4294967294";
	return rootview_request_add_id_range(request, ROOTVIEW_UIDS_AND_GIDS, inside, outside,
					     count);
}

int value_process(struct rootview_request *request, const char *text, const char **why)
{
	uint64_t process;

	*why = "it is the id of a process, a number";
	if (!read_number(text, '\0', INT_MAX, &process))
		return -EINVAL;
	return rootview_request_set_process(request, process);
}
