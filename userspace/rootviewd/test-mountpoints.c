// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mount points, as they are asked for.
 */
#include "mountpoints.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "util.h"

#define cleanup_json cleanup_with(sd_json_variant_unrefp)

static sd_json_variant *parse(const char *text)
{
	sd_json_variant *json = NULL;

	if (text)
		assert_int_equal(sd_json_parse(text, 0, &json, NULL, NULL), 0);
	return json;
}

static int read_points(const char *points, const char *lists, struct mount_points *ret,
		       struct failure *f)
{
	cleanup_json sd_json_variant *p = parse(points), *l = parse(lists);

	return mount_points_from_json(p, l, ret, f);
}

static char *write_points(const struct mount_points *points)
{
	cleanup_json sd_json_variant *json = NULL;
	char *text;

	assert_int_equal(mount_points_to_json(points, &json), 0);
	assert_true(sd_json_variant_format(json, 0, &text) >= 0);
	return text;
}

/* A path of @n components of @size bytes each, for the caller to free. */
static char *long_path(size_t n, size_t size)
{
	char *path = malloc(n * (size + 1) + 1), *to = path;

	assert_non_null(path);
	for (; n > 0; n--) {
		*to++ = '/';
		to = memset(to, 'x', size) + size;
	}
	*to = '\0';
	return path;
}

static void paths_are_brought_into_one_form(void **state)
{
	const struct {
		const char *path, *form;
	} cases[] = {
		{ "/a", "/a" },
		{ "/a/", "/a" },
		{ "//a///b//", "/a/b" },
		{ "/./a/./b/.", "/a/b" },
		{ "/..a/b../...", "/..a/b../..." },
		{ "/a b/c:d\\\\e", "/a b/c:d\\e" },
		{ "/\\u00e4\\u20ac", "/\u00e4\u20ac" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mount_points points;
		struct failure f;
		char text[256];

		snprintf(text, sizeof(text), "[{\"path\":\"%s\"}]", cases[i].path);
		assert_int_equal(read_points(text, NULL, &points, &f), 0);
		assert_int_equal(points.n, 1);
		assert_string_equal(points.list[0].path, cases[i].form);
		assert_int_equal(points.list[0].kind, MOUNT_POINT_DIRECTORY);
		assert_null(points.list[0].target);
		mount_points_free(&points);
	}
}

static void order_and_repetition_make_no_difference(void **state)
{
	const struct {
		const char *points, *lists, *form;
	} cases[] = {
		{ NULL, NULL, "[]" },
		{ "null", "null", "[]" },
		{ "[]", "[]", "[]" },
		{ "[{\"path\":\"/b\"},{\"path\":\"/a\"},{\"path\":\"/b/\"}]", NULL,
		  "[{\"path\":\"/a\",\"kind\":\"directory\"},"
		  "{\"path\":\"/b\",\"kind\":\"directory\"}]" },
		{ "[{\"path\":\"/a/b\"},{\"path\":\"/a-b\"},{\"path\":\"/a\"}]", NULL,
		  "[{\"path\":\"/a\",\"kind\":\"directory\"},"
		  "{\"path\":\"/a-b\",\"kind\":\"directory\"},"
		  "{\"path\":\"/a/b\",\"kind\":\"directory\"}]" },
		{ "[{\"path\":\"/f\",\"kind\":\"file\",\"target\":null,\"more\":1},"
		  "{\"path\":\"/l\",\"target\":\"../x\",\"kind\":\"link\"},"
		  "{\"path\":\"/d\",\"kind\":null}]", NULL,
		  "[{\"path\":\"/d\",\"kind\":\"directory\"},"
		  "{\"path\":\"/f\",\"kind\":\"file\"},"
		  "{\"path\":\"/l\",\"kind\":\"link\",\"target\":\"../x\"}]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *first = NULL, *second = NULL;
		struct mount_points points;
		struct failure f;

		assert_int_equal(read_points(cases[i].points, cases[i].lists, &points, &f), 0);
		first = write_points(&points);
		assert_string_equal(first, cases[i].form);
		mount_points_free(&points);

		assert_int_equal(read_points(first, NULL, &points, &f), 0);
		second = write_points(&points);
		assert_string_equal(second, first);
		mount_points_free(&points);
	}
}

static void bad_ones_are_refused(void **state)
{
	const struct {
		const char *points, *lists;
		enum failure_kind kind;
		const char *object, *phrase;
	} cases[] = {
#define POINT(json, object, phrase) \
		{ "[" json "]", NULL, FAILURE_INVALID_MOUNT_POINT, object, phrase }
		POINT("{\"path\":\"\"}", "", "is not absolute"),
		POINT("{\"path\":\"a\"}", "a", "is not absolute"),
		POINT("{\"path\":\"./a\"}", "./a", "is not absolute"),
		POINT("{\"path\":\"/\"}", "/", "the root folder"),
		POINT("{\"path\":\"//\"}", "//", "the root folder"),
		POINT("{\"path\":\"/./.\"}", "/./.", "the root folder"),
		POINT("{\"path\":\"/..\"}", "/..", "\"..\""),
		POINT("{\"path\":\"/a/../b\"}", "/a/../b", "\"..\""),
		POINT("{\"path\":\"/a\\n\"}", "/a\n", "control character"),
		POINT("{\"path\":\"/\\u0001\"}", "/\001", "control character"),
		POINT("{\"path\":\"/\\u007f\"}", "/\177", "control character"),
		POINT("{\"path\":\"/a\",\"kind\":\"\"}", "/a", "a kind"),
		POINT("{\"path\":\"/a\",\"kind\":\"Directory\"}", "/a", "a kind"),
		POINT("{\"path\":\"/a\",\"kind\":\"link\"}", "/a", "without a target"),
		POINT("{\"path\":\"/a\",\"kind\":\"link\",\"target\":\"\"}", "/a",
		      "without a target"),
		POINT("{\"path\":\"/a\",\"target\":\"b\"}", "/a", "is no link"),
		POINT("{\"path\":\"/a\",\"kind\":\"file\",\"target\":\"b\"}", "/a", "is no link"),
		POINT("{\"path\":\"/a\",\"kind\":\"link\",\"target\":\"\\t\"}", "/a",
		      "control character"),
		POINT("{\"path\":\"/a\"},{\"path\":\"/a\",\"kind\":\"file\"}", "/a", "twice"),
		POINT("{\"path\":\"/a\",\"kind\":\"link\",\"target\":\"b\"},"
		      "{\"path\":\"/a/\",\"kind\":\"link\",\"target\":\"c\"}", "/a", "twice"),
#define REQUEST(points, lists, object, phrase) \
		{ points, lists, FAILURE_INVALID_REQUEST, object, phrase }
		REQUEST("1", NULL, "mountPoints", "no array"),
		REQUEST("{\"path\":\"/a\"}", NULL, "mountPoints", "no array"),
		REQUEST("[\"/a\"]", NULL, "mountPoints", "no MountPoint"),
		REQUEST("[null]", NULL, "mountPoints", "no MountPoint"),
		REQUEST("[[]]", NULL, "mountPoints", "no MountPoint"),
		REQUEST("[{}]", NULL, "mountPoints", "no MountPoint"),
		REQUEST("[{\"path\":null}]", NULL, "mountPoints", "no MountPoint"),
		REQUEST("[{\"path\":1}]", NULL, "mountPoints", "no MountPoint"),
		REQUEST("[{\"path\":\"/a\",\"kind\":1}]", NULL, "mountPoints", "no MountPoint"),
		REQUEST("[{\"path\":\"/a\",\"target\":{}}]", NULL, "mountPoints", "no MountPoint"),
		REQUEST(NULL, "\"docker\"", "lists", "no array"),
		REQUEST(NULL, "[\"Docker\"]", "lists", "docker, podman, kubernetes and containerd"),
		REQUEST(NULL, "[\"docker\",\"\"]", "lists",
			"docker, podman, kubernetes and containerd"),
		REQUEST(NULL, "[null]", "lists", "docker, podman, kubernetes and containerd"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mount_points points;
		struct failure f;

		assert_int_equal(read_points(cases[i].points, cases[i].lists, &points, &f), -1);
		assert_int_equal(f.kind, cases[i].kind);
		assert_string_equal(f.object, cases[i].object);
		assert_non_null(strstr(f.message, cases[i].phrase));
	}
}

static void paths_have_limits(void **state)
{
	const struct {
		size_t n, size;
		const char *phrase;	/* NULL if it is good */
	} cases[] = {
		{ 1, 255, NULL },
		{ 1, 256, "longer than 255 bytes" },
		{ 15, 255, NULL },		/* 3840 */
		{ 16, 255, "longer than 4095 bytes" },	/* 4096 */
		{ MOUNT_POINT_DEPTH_MAX, 62, NULL },	/* 4032 */
		{ MOUNT_POINT_DEPTH_MAX, 1, NULL },
		{ MOUNT_POINT_DEPTH_MAX + 1, 1, "more than 64 components" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *path = long_path(cases[i].n, cases[i].size), *text = NULL;
		struct mount_points points;
		struct failure f;

		assert_true(asprintf(&text, "[{\"path\":\"%s\"}]", path) > 0);
		if (!cases[i].phrase) {
			assert_int_equal(read_points(text, NULL, &points, &f), 0);
			assert_string_equal(points.list[0].path, path);
			mount_points_free(&points);
			continue;
		}
		assert_int_equal(read_points(text, NULL, &points, &f), -1);
		assert_int_equal(f.kind, FAILURE_INVALID_MOUNT_POINT);
		assert_int_equal(strncmp(f.object, path, sizeof(f.object) - 1), 0);
		assert_non_null(strstr(f.message, cases[i].phrase));
	}
}

/* An array of @n different ones, and all of them once more. */
static char *many_points(unsigned int n)
{
	char *text;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	assert_non_null(file);
	for (unsigned int i = 0; i < 2 * n; i++)
		fprintf(file, "%s{\"path\":\"/%u\"}", i ? "," : "[", i % n);
	fputc(']', file);
	assert_int_equal(fclose(file), 0);
	return text;
}

static void there_is_a_most(void **state)
{
	cleanup_free char *most = many_points(MOUNT_POINTS_MAX);
	cleanup_free char *more = many_points(MOUNT_POINTS_MAX + 1);
	struct mount_points points;
	struct failure f;

	(void)state;
	assert_int_equal(read_points(most, NULL, &points, &f), 0);
	assert_int_equal(points.n, MOUNT_POINTS_MAX);
	for (size_t i = 1; i < points.n; i++)
		assert_true(strcmp(points.list[i - 1].path, points.list[i].path) < 0);
	mount_points_free(&points);

	assert_int_equal(read_points(more, NULL, &points, &f), -1);
	assert_int_equal(f.kind, FAILURE_TOO_MANY);
	assert_string_equal(f.object, "mountPoints");
	assert_int_equal(f.views, MOUNT_POINTS_MAX);
	assert_int_equal(read_points(most, "[\"docker\"]", &points, &f), -1);
	assert_int_equal(f.kind, FAILURE_TOO_MANY);
}

static void lists_hold_what_engines_want(void **state)
{
	const struct {
		const char *list, *path, *kind;	/* NULL if it does not hold it */
	} cases[] = {
		{ "docker", "/.dockerenv", "file" },
		{ "docker", "/dev/console", "file" },
		{ "docker", "/dev/pts", "directory" },
		{ "docker", "/etc/mtab", "link" },
		{ "docker", "/run/.containerenv", NULL },
		{ "podman", "/.dockerenv", NULL },
		{ "podman", "/etc/resolv.conf", "file" },
		{ "podman", "/run/.containerenv", "file" },
		{ "podman", "/run/secrets", "directory" },
		{ "kubernetes", "/dev/termination-log", "file" },
		{ "kubernetes", "/var/run/secrets/kubernetes.io/serviceaccount", "directory" },
		{ "podman", "/var/tmp", "tmpfs" },
		{ "kubernetes", "/etc/mtab", NULL },
		{ "kubernetes", "/run", "directory" },
		{ "containerd", "/run", "directory" },
		{ "containerd", "/dev/termination-log", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char lists[64], wanted[128];
		cleanup_free char *text = NULL;
		struct mount_points points;
		struct failure f;

		snprintf(lists, sizeof(lists), "[\"%s\"]", cases[i].list);
		assert_int_equal(read_points(NULL, lists, &points, &f), 0);
		text = write_points(&points);
		mount_points_free(&points);
		snprintf(wanted, sizeof(wanted), "\"path\":\"%s\"", cases[i].path);
		if (!cases[i].kind) {
			assert_null(strstr(text, wanted));
			continue;
		}
		snprintf(wanted, sizeof(wanted), "\"path\":\"%s\",\"kind\":\"%s\"",
			 cases[i].path, cases[i].kind);
		assert_non_null(strstr(text, wanted));
	}
}

static void lists_go_together_and_yield_to_the_request(void **state)
{
	cleanup_free char *text = NULL;
	struct mount_points points;
	struct failure f;

	(void)state;
	assert_int_equal(read_points("[{\"path\":\"/etc/mtab\",\"kind\":\"file\"}]",
				     "[\"docker\",\"podman\",\"kubernetes\",\"docker\"]", &points,
				     &f), 0);
	text = write_points(&points);
	mount_points_free(&points);
	assert_non_null(strstr(text, "{\"path\":\"/etc/mtab\",\"kind\":\"file\"}"));
	assert_non_null(strstr(text, "/.dockerenv"));
	assert_non_null(strstr(text, "/run/.containerenv"));
	assert_non_null(strstr(text, "/dev/termination-log"));
}

static void adding_keeps_the_set(void **state)
{
	struct mount_points points = { .list = NULL };

	(void)state;
	assert_int_equal(mount_points_add(&points, "/b", MOUNT_POINT_FILE, NULL), 0);
	assert_int_equal(mount_points_add(&points, "/a", MOUNT_POINT_LINK, "t"), 0);
	assert_int_equal(mount_points_add(&points, "/c", MOUNT_POINT_DIRECTORY, NULL), 0);
	assert_int_equal(mount_points_add(&points, "/b", MOUNT_POINT_FILE, NULL), 0);
	assert_int_equal(mount_points_add(&points, "/b", MOUNT_POINT_DIRECTORY, NULL), -EEXIST);
	assert_int_equal(mount_points_add(&points, "/a", MOUNT_POINT_LINK, "u"), -EEXIST);
	assert_int_equal(points.n, 3);
	assert_string_equal(points.list[0].path, "/a");
	assert_string_equal(points.list[0].target, "t");
	assert_string_equal(points.list[1].path, "/b");
	assert_string_equal(points.list[2].path, "/c");
	mount_points_free(&points);
	assert_int_equal(points.n, 0);
}

static void text_comes_back_equal(void **state)
{
	struct mount_points points = {}, again;
	cleanup_free char *none = NULL, *text = NULL, *second = NULL;

	(void)state;
	none = mount_points_to_text(&points);
	assert_string_equal(none, "");
	assert_int_equal(mount_points_from_text(none, &again), 0);
	assert_int_equal(again.n, 0);

	assert_int_equal(mount_points_add(&points, "/b", MOUNT_POINT_FILE, NULL), 0);
	assert_int_equal(mount_points_add(&points, "/a", MOUNT_POINT_LINK, "b"), 0);
	text = mount_points_to_text(&points);
	assert_int_equal(mount_points_from_text(text, &again), 0);
	second = mount_points_to_text(&again);
	assert_string_equal(text, second);
	mount_points_free(&points);
	mount_points_free(&again);

	assert_true(mount_points_from_text("[", &again) < 0);
	assert_true(mount_points_from_text("[{\"path\":\"a\"}]", &again) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_brought_into_one_form),
		cmocka_unit_test(order_and_repetition_make_no_difference),
		cmocka_unit_test(bad_ones_are_refused),
		cmocka_unit_test(paths_have_limits),
		cmocka_unit_test(there_is_a_most),
		cmocka_unit_test(lists_hold_what_engines_want),
		cmocka_unit_test(lists_go_together_and_yield_to_the_request),
		cmocka_unit_test(adding_keeps_the_set),
		cmocka_unit_test(text_comes_back_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
