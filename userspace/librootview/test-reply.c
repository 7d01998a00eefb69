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
	const char *json = "{\"view\":{\"origin\":\"web\",\"name\":\"a\",\"id\":7,\"mount\":"
			   "\"detached\",\"device\":\"/dev/mapper/web\",\"label\":\"l\","
			   "\"warnings\":[\"one\",\"two\"]},\"descriptor\":0}";
	struct rootview_reply *r = reply(json);
	int fd = dup(0);

	(void)state;
	r->fds[r->n_fds++] = fd;
	assert_int_equal(rootview_reply_count(r), 1);
	assert_string_equal(rootview_reply_origin(r, 0), "web");
	assert_string_equal(rootview_reply_name(r, 0), "a");
	assert_int_equal(rootview_reply_id(r, 0), 7);
	assert_int_equal(rootview_reply_mount(r, 0), ROOTVIEW_DETACHED);
	assert_string_equal(rootview_reply_device(r, 0), "/dev/mapper/web");
	assert_string_equal(rootview_reply_label(r, 0), "l");
	assert_null(rootview_reply_path(r, 0));
	assert_string_equal(rootview_reply_warning(r, 0, 1), "two");
	assert_null(rootview_reply_warning(r, 0, 2));
	assert_null(rootview_reply_error_name(r, 0));
	assert_string_equal(rootview_reply_json(r), json);
	assert_int_equal(rootview_reply_take_fd(r, 1), -ENOENT);
	assert_int_equal(rootview_reply_take_fd(r, 0), fd);
	assert_int_equal(rootview_reply_take_fd(r, 0), -ENOENT);
	rootview_reply_free(r);
	assert_int_equal(close(fd), 0);
}

static void results(void **state)
{
	struct rootview_reply *r = reply(
		"{\"results\":[{\"name\":\"a\",\"refusal\":{\"error\":\"io.rootview.ViewExists\","
		"\"message\":\"it is there\"}},{\"name\":\"b\",\"view\":{\"name\":\"b\"},"
		"\"descriptor\":0},{\"name\":\"c\"}]}");
	int fd = dup(0);

	(void)state;
	r->fds[r->n_fds++] = fd;
	assert_int_equal(rootview_reply_count(r), 3);
	assert_string_equal(rootview_reply_name(r, 0), "a");
	assert_string_equal(rootview_reply_error_name(r, 0), "io.rootview.ViewExists");
	assert_string_equal(rootview_reply_error_message(r, 0), "it is there");
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
	assert_int_equal(rootview_reply_mount(r, 0), -ENOENT);
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
	assert_int_equal(rootview_reply_counter(r, 0, "reads", &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(rootview_reply_counter(r, 0, "readBytes", &n), 0);
	assert_int_equal(n, 4096);
	assert_int_equal(rootview_reply_counter(r, 0, "name", &n), -ENOENT);
	assert_string_equal(rootview_reply_cgroup(r, 1), "/gone");
	assert_int_equal(rootview_reply_counter(r, 1, "reads", &n), -ENOENT);
	assert_int_equal(rootview_reply_counter(r, 2, "reads", &n), -ENOENT);
	assert_int_equal(n, 4096);
	rootview_reply_free(r);
	r = reply("{\"origin\":{\"name\":\"web\",\"readErrors\":3}}");
	assert_int_equal(rootview_reply_counter(r, 0, "readErrors", &n), 0);
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
		"{\"view\":{\"name\":1,\"id\":-1,\"mount\":\"new\",\"warnings\":\"x\"},"
		"\"descriptor\":0}");

	(void)state;
	assert_null(rootview_reply_name(r, 0));
	assert_int_equal(rootview_reply_id(r, 0), 0);
	assert_int_equal(rootview_reply_mount(r, 0), -EPROTO);
	assert_null(rootview_reply_warning(r, 0, 0));
	assert_int_equal(rootview_reply_take_fd(r, 0), -ENOENT);
	rootview_reply_free(r);
	r = reply("{\"view\":{},\"descriptor\":-1}");
	assert_int_equal(rootview_reply_take_fd(r, 0), -ENOENT);
	rootview_reply_free(r);
	r = reply("{\"views\":[1,null]}");
	assert_int_equal(rootview_reply_count(r), 2);
	assert_null(rootview_reply_name(r, 0));
	assert_null(rootview_reply_error_name(r, 1));
	rootview_reply_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_view),
		cmocka_unit_test(results),
		cmocka_unit_test(other_lists),
		cmocka_unit_test(counters),
		cmocka_unit_test(origins_and_events),
		cmocka_unit_test(odd_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
