// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is read out of answers, and that nothing is read out of odd ones.
 */
#include "call.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "util.h"

static struct rootview_reply *reply(const char *json)
{
	struct rootview_reply *reply = calloc(1, sizeof(*reply));

	assert_non_null(reply);
	assert_return_code(sd_json_parse(json, 0, &reply->parameters, NULL, NULL), 0);
	return reply;
}

static void one_view(void **state)
{
	const char *json = "{\"view\":{\"origin\":\"web\",\"name\":\"a\",\"id\":7,"
			   "\"deviceOnly\":true,\"device\":\"/dev/mapper/web\",\"label\":\"l\","
			   "\"warnings\":[{\"warning\":\"one\",\"message\":\"first\"},"
			   "{\"warning\":\"two\",\"message\":\"second\"}]},\"descriptor\":0}";
	struct rootview_reply *r = reply(json);
	int fd = dup(0);

	(void)state;
	r->fds[r->n_fds++] = fd;
	assert_int_equal(rootview_reply_count(r), 1);
	assert_string_equal(rootview_reply_origin(r, 0), "web");
	assert_string_equal(rootview_reply_name(r, 0), "a");
	assert_int_equal(rootview_reply_id(r, 0), 7);
	assert_true(rootview_reply_is_device_only(r, 0));
	assert_string_equal(rootview_reply_device(r, 0), "/dev/mapper/web");
	assert_string_equal(rootview_reply_label(r, 0), "l");
	assert_null(rootview_reply_path(r, 0));
	assert_string_equal(rootview_reply_warning(r, 0, 1), "second");
	assert_string_equal(rootview_reply_warning_name(r, 0, 1), "two");
	assert_null(rootview_reply_warning(r, 0, 2));
	assert_null(rootview_reply_error_name(r, 0));
	assert_string_equal(rootview_reply_json(r), json);
	assert_int_equal(rootview_reply_take_fd(r, 1), -ENOENT);
	assert_int_equal(rootview_reply_take_fd(r, 0), fd);
	assert_int_equal(rootview_reply_take_fd(r, 0), -ENOENT);
	rootview_reply_free(r);
	assert_int_equal(close(fd), 0);
}

static void all_of_a_view(void **state)
{
	struct rootview_reply *r = reply(
		"{\"views\":[{\"name\":\"a\",\"process\":17,\"createdUSec\":5000000000,"
		"\"mountPoints\":[{\"path\":\"/x\",\"kind\":\"file\"},"
		"{\"path\":\"/l\",\"kind\":\"link\",\"target\":\"x\"}],"
		"\"idMap\":{\"uid\":[{\"inside\":0,\"outside\":1,\"count\":2}],"
		"\"gid\":[{\"inside\":3,\"outside\":4,\"count\":5},"
		"{\"inside\":6,\"outside\":7,\"count\":4294967295}]}},{\"name\":\"b\"}]}");
	const char *path, *target;
	enum rootview_kind kind;
	uint32_t id[3];

	(void)state;
	assert_int_equal(rootview_reply_process(r, 0), 17);
	assert_int_equal(rootview_reply_process(r, 1), 0);
	assert_int_equal(rootview_reply_created(r, 0), 5000000000);
	assert_int_equal(rootview_reply_mount_point(r, 0, 0, &path, &kind, &target), 0);
	assert_string_equal(path, "/x");
	assert_int_equal(kind, ROOTVIEW_FILE);
	assert_null(target);
	assert_int_equal(rootview_reply_mount_point(r, 0, 1, &path, &kind, &target), 0);
	assert_int_equal(kind, ROOTVIEW_LINK);
	assert_string_equal(target, "x");
	assert_int_equal(rootview_reply_mount_point(r, 0, 2, &path, &kind, &target), -ENOENT);
	assert_int_equal(rootview_reply_mount_point(r, 1, 0, &path, &kind, &target), -ENOENT);
	assert_int_equal(rootview_reply_mount_point(r, 2, 0, &path, &kind, &target), -ENOENT);
	assert_int_equal(rootview_reply_id_range(r, 0, ROOTVIEW_UIDS, 0, id, id + 1, id + 2), 0);
	assert_memory_equal(id, ((uint32_t[]){ 0, 1, 2 }), sizeof(id));
	assert_int_equal(rootview_reply_id_range(r, 0, ROOTVIEW_GIDS, 1, id, id + 1, id + 2), 0);
	assert_memory_equal(id, ((uint32_t[]){ 6, 7, UINT32_MAX }), sizeof(id));
	assert_int_equal(rootview_reply_id_range(r, 0, ROOTVIEW_UIDS, 1, id, id + 1, id + 2),
			 -ENOENT);
	assert_int_equal(rootview_reply_id_range(r, 1, ROOTVIEW_UIDS, 0, id, id + 1, id + 2),
			 -ENOENT);
	assert_int_equal(rootview_reply_id_range(r, 0, ROOTVIEW_UIDS_AND_GIDS, 0, id, id + 1,
						 id + 2), -EINVAL);
	rootview_reply_free(r);
}

static void all_of_an_origin(void **state)
{
	struct rootview_reply *r = reply(
		"{\"origins\":[{\"name\":\"web\",\"number\":\"253:0\",\"backing\":\"7:1\","
		"\"fileSystem\":\"ext4\",\"native\":true,\"sectors\":131072},"
		"{\"name\":\"db\",\"native\":false}]}");
	uint64_t n;

	(void)state;
	assert_string_equal(rootview_reply_device_number(r, 0), "253:0");
	assert_string_equal(rootview_reply_backing(r, 0), "7:1");
	assert_string_equal(rootview_reply_file_system(r, 0), "ext4");
	assert_int_equal(rootview_reply_is_native(r, 0), 1);
	assert_int_equal(rootview_reply_number(r, 0, "sectors", &n), 0);
	assert_int_equal(n, 131072);
	assert_null(rootview_reply_file_system(r, 1));
	assert_int_equal(rootview_reply_is_native(r, 1), 0);
	assert_int_equal(rootview_reply_is_native(r, 2), 0);
	rootview_reply_free(r);
}

static void results(void **state)
{
	struct rootview_reply *r = reply(
		"{\"results\":[{\"name\":\"a\",\"refusal\":{\"error\":\"io.rootview.ViewExists\","
		"\"message\":\"it is there\",\"parameters\":{\"origin\":\"web\",\"limit\":7}}},{\"name\":\"b\",\"view\":{\"name\":\"b\"},"
		"\"descriptor\":0},{\"name\":\"c\"}]}");
	int fd = dup(0);
	uint64_t n = 0;

	(void)state;
	r->fds[r->n_fds++] = fd;
	assert_int_equal(rootview_reply_count(r), 3);
	assert_string_equal(rootview_reply_name(r, 0), "a");
	assert_string_equal(rootview_reply_error_name(r, 0), "io.rootview.ViewExists");
	assert_string_equal(rootview_reply_error_message(r, 0), "it is there");
	assert_string_equal(rootview_reply_error_text(r, 0, "origin"), "web");
	assert_null(rootview_reply_error_text(r, 0, "limit"));
	assert_null(rootview_reply_error_text(r, 1, "origin"));
	assert_int_equal(rootview_reply_error_number(r, 0, "limit", &n), 0);
	assert_int_equal(n, 7);
	assert_int_equal(rootview_reply_error_number(r, 0, "origin", &n), -ENOENT);
	assert_int_equal(rootview_reply_take_fd(r, 0), -ENOENT);
	assert_string_equal(rootview_reply_name(r, 1), "b");
	assert_null(rootview_reply_error_name(r, 1));
	assert_string_equal(rootview_reply_name(r, 2), "c");
	assert_null(rootview_reply_name(r, 3));
	rootview_reply_free(r);
	/* What nobody took is closed. */
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void other_lists(void **state)
{
	struct rootview_reply *r = reply("{\"origins\":[{\"name\":\"web\"},{\"name\":\"db\"}]}");

	(void)state;
	assert_int_equal(rootview_reply_count(r), 2);
	assert_string_equal(rootview_reply_name(r, 1), "db");
	rootview_reply_free(r);
	r = reply("{\"views\":[]}");
	assert_int_equal(rootview_reply_count(r), 0);
	assert_null(rootview_reply_name(r, 0));
	rootview_reply_free(r);
	r = reply("{\"missing\":[{\"path\":\"/x\",\"kind\":\"link\",\"target\":\"y\"}]}");
	assert_string_equal(rootview_reply_path(r, 0), "/x");
	assert_int_equal(rootview_reply_kind(r, 0), ROOTVIEW_LINK);
	assert_string_equal(rootview_reply_target(r, 0), "y");
	assert_false(rootview_reply_is_device_only(r, 0));
	rootview_reply_free(r);
}

static void counters(void **state)
{
	struct rootview_reply *r = reply(
		"{\"stats\":[{\"origin\":\"web\",\"name\":\"a\",\"cgroup\":\"/pod\",\"reads\":0,"
		"\"readBytes\":4096},{\"name\":\"b\",\"cgroup\":\"/gone\"}]}");
	uint64_t n = 1;

	(void)state;
	assert_int_equal(rootview_reply_count(r), 2);
	assert_string_equal(rootview_reply_cgroup(r, 0), "/pod");
	assert_int_equal(rootview_reply_number(r, 0, "reads", &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(rootview_reply_number(r, 0, "readBytes", &n), 0);
	assert_int_equal(n, 4096);
	assert_int_equal(rootview_reply_number(r, 0, "name", &n), -ENOENT);
	assert_string_equal(rootview_reply_cgroup(r, 1), "/gone");
	assert_int_equal(rootview_reply_number(r, 1, "reads", &n), -ENOENT);
	assert_int_equal(rootview_reply_number(r, 2, "reads", &n), -ENOENT);
	assert_int_equal(n, 4096);
	rootview_reply_free(r);
	r = reply("{\"origin\":{\"name\":\"web\",\"readErrors\":3}}");
	assert_int_equal(rootview_reply_number(r, 0, "readErrors", &n), 0);
	assert_int_equal(n, 3);
	rootview_reply_free(r);
}

static void origins_and_events(void **state)
{
	struct rootview_reply *r = reply("{\"origin\":{\"name\":\"web\"}}");

	(void)state;
	assert_int_equal(rootview_reply_count(r), 1);
	assert_string_equal(rootview_reply_name(r, 0), "web");
	assert_null(rootview_reply_event(r, 0));
	rootview_reply_free(r);
	r = reply("{\"event\":{\"type\":\"viewCreated\",\"origin\":\"web\",\"name\":\"a\"}}");
	assert_string_equal(rootview_reply_event(r, 0), "viewCreated");
	assert_string_equal(rootview_reply_origin(r, 0), "web");
	assert_string_equal(rootview_reply_name(r, 0), "a");
	rootview_reply_free(r);
	r = reply("{}");
	assert_int_equal(rootview_reply_count(r), 0);
	rootview_reply_free(r);
}

/* A daemon to come may say things that this library does not know. */
static void odd_answers(void **state)
{
	struct rootview_reply *r = reply(
		"{\"view\":{\"name\":1,\"id\":-1,\"deviceOnly\":1,\"warnings\":\"x\"},"
		"\"descriptor\":0}");
	const char *path, *target;
	enum rootview_kind kind;
	uint32_t id;

	(void)state;
	assert_null(rootview_reply_name(r, 0));
	assert_int_equal(rootview_reply_id(r, 0), 0);
	assert_false(rootview_reply_is_device_only(r, 0));
	assert_null(rootview_reply_warning(r, 0, 0));
	assert_int_equal(rootview_reply_take_fd(r, 0), -ENOENT);
	rootview_reply_free(r);
	r = reply("{\"view\":{},\"descriptor\":-1}");
	assert_int_equal(rootview_reply_take_fd(r, 0), -ENOENT);
	rootview_reply_free(r);
	r = reply("{\"view\":{\"mountPoints\":[{\"path\":\"/x\",\"kind\":\"new\"},{},7],"
		  "\"idMap\":{\"uid\":[{\"inside\":-1},4294967296],\"gid\":{}},\"process\":-1,"
		  "\"native\":1}}");
	for (size_t k = 0; k < 3; k++)
		assert_int_equal(rootview_reply_mount_point(r, 0, k, &path, &kind, &target) < 0, 1);
	assert_int_equal(rootview_reply_mount_point(r, 0, 3, &path, &kind, &target), -ENOENT);
	for (size_t k = 0; k < 2; k++)
		assert_int_equal(rootview_reply_id_range(r, 0, ROOTVIEW_UIDS, k, &id, &id, &id),
				 -EPROTO);
	assert_int_equal(rootview_reply_id_range(r, 0, ROOTVIEW_GIDS, 0, &id, &id, &id), -ENOENT);
	assert_int_equal(rootview_reply_process(r, 0), 0);
	assert_int_equal(rootview_reply_is_native(r, 0), 0);
	rootview_reply_free(r);
	r = reply("{\"views\":[1,null]}");
	assert_int_equal(rootview_reply_count(r), 2);
	assert_null(rootview_reply_name(r, 0));
	assert_null(rootview_reply_error_name(r, 1));
	rootview_reply_free(r);
}

static void version(void **state)
{
	cleanup_free char *compiled = NULL;

	(void)state;
	assert_true(asprintf(&compiled, "%d.%d.%d", ROOTVIEW_VERSION_MAJOR, ROOTVIEW_VERSION_MINOR,
			     ROOTVIEW_VERSION_PATCH) > 0);
	assert_string_equal(rootview_version(), compiled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_view),
		cmocka_unit_test(all_of_a_view),
		cmocka_unit_test(all_of_an_origin),
		cmocka_unit_test(results),
		cmocka_unit_test(other_lists),
		cmocka_unit_test(counters),
		cmocka_unit_test(origins_and_events),
		cmocka_unit_test(odd_answers),
		cmocka_unit_test(version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
