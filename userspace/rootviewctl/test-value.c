// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Values of options: what is taken, and as what.
 */
#include "value.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "interface.h"
#include "librootview/call.h"
#include "util.h"

typedef int (*reader_t)(struct rootview_request *request, const char *text, const char **why);

/* The request that comes of @text has the parameters @expected. */
static void assert_read(reader_t read, const char *text, const char *expected)
{
	struct rootview_request *request = rootview_request_new();
	struct rootview_call *call;
	cleanup_free char *json = NULL;
	const char *why;

	assert_int_equal(read(request, text, &why), 0);
	assert_int_equal(rootview_request_set_name(request, "a"), 0);
	assert_int_equal(rootview_call_create(&call, "o", &request, 1), 0);
	assert_true(sd_json_variant_format(call->parameters, 0, &json) >= 0);
	assert_non_null(strstr(json, expected));
	rootview_call_free(call);
	rootview_request_free(request);
}

static void assert_refused(reader_t read, const char *text, const char *reason)
{
	struct rootview_request *request = rootview_request_new();
	const char *why = "";

	assert_int_equal(read(request, text, &why), -EINVAL);
	assert_non_null(strstr(why, reason));
	assert_null(request->fields);
	assert_null(request->mount_points);
	assert_null(request->uids);
	rootview_request_free(request);
}

static void mount_points(void **state)
{
	(void)state;
	assert_read(value_mount_point, "/a", "[{\"path\":\"/a\",\"kind\":\"directory\"}]");
	assert_read(value_mount_point, "/a:file", "[{\"path\":\"/a\",\"kind\":\"file\"}]");
	assert_read(value_mount_point, "/a:tmpfs", "[{\"path\":\"/a\",\"kind\":\"tmpfs\"}]");
	assert_read(value_mount_point, "/a:directory",
		    "[{\"path\":\"/a\",\"kind\":\"directory\"}]");
	assert_read(value_mount_point, "/:file", "[{\"path\":\"/\",\"kind\":\"file\"}]");
}

static void mount_points_with_colons(void **state)
{
	(void)state;
	assert_read(value_mount_point, "/a:b", "[{\"path\":\"/a:b\",\"kind\":\"directory\"}]");
	assert_read(value_mount_point, "/a:files",
		    "[{\"path\":\"/a:files\",\"kind\":\"directory\"}]");
	assert_read(value_mount_point, "/a:file:file",
		    "[{\"path\":\"/a:file\",\"kind\":\"file\"}]");
	assert_read(value_mount_point, "/a:file:directory",
		    "[{\"path\":\"/a:file\",\"kind\":\"directory\"}]");
}

static void no_mount_points(void **state)
{
	static const char *const texts[] = { "", "a", ":file", "./a:file" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_refused(value_mount_point, texts[i], "begins with \"/\"");
}

static void id_ranges(void **state)
{
	(void)state;
	assert_read(value_id_range, "0:100000:65536",
		    "{\"uid\":[{\"inside\":0,\"outside\":100000,\"count\":65536}],"
		    "\"gid\":[{\"inside\":0,\"outside\":100000,\"count\":65536}]}");
	assert_read(value_id_range, "4294967294:0:1",
		    "[{\"inside\":4294967294,\"outside\":0,\"count\":1}]");
	assert_read(value_id_range, "010:1:1", "[{\"inside\":10,\"outside\":1,\"count\":1}]");
}

static void no_id_ranges(void **state)
{
	static const char *const texts[] = {
		"", "0", "0:1", "0:1:", ":1:1", "0::1", "0:1:1:", "0:1:1:1", "0:1:1 ", "0:x:5",
		" 0:1:1", "-1:1:1", "+1:1:1", "0:-1:1", "0x1:1:1", "a:1:1", "0:1:4294967296",
		"4294967296:0:1", "99999999999999999999:0:1", "0,1,1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_refused(value_id_range, texts[i], "INSIDE:OUTSIDE:COUNT");
	assert_refused(value_id_range, "0:1:0", "at least one");
	assert_refused(value_id_range, "4294967295:0:1", "end at 4294967294");
}

static void processes(void **state)
{
	static const char *const texts[] = {
		"", "0", "-1", "self", "1 ", " 1", "1:", "2147483648", "99999999999999999999",
	};

	(void)state;
	assert_read(value_process, "1", "\"process\":1");
	assert_read(value_process, "2147483647", "\"process\":2147483647");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_refused(value_process, texts[i], "a number");
}

static void cgroups(void **state)
{
	(void)state;
	assert_string_equal(value_cgroup("/pod/a"), "/pod/a");
	assert_string_equal(value_cgroup("/sys/fs/cgroup/pod/a"), "/pod/a");
	assert_string_equal(value_cgroup("/sys/fs/cgroups/a"), "/sys/fs/cgroups/a");
	assert_string_equal(value_cgroup("/sys/fs/cgroup"), "/sys/fs/cgroup");
	assert_string_equal(value_cgroup("pod"), "pod");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mount_points),
		cmocka_unit_test(mount_points_with_colons),
		cmocka_unit_test(no_mount_points),
		cmocka_unit_test(id_ranges),
		cmocka_unit_test(no_id_ranges),
		cmocka_unit_test(processes),
		cmocka_unit_test(cgroups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
