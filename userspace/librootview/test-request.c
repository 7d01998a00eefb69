// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What calls become on the socket, and which arguments are refused at once.
 */
#include "call.h"
#include "interface.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "util.h"

#define cleanup_request cleanup_with(request_freep)

static void request_freep(struct rootview_request **r)
{
	rootview_request_free(*r);
}

static struct rootview_request *request(const char *name)
{
	struct rootview_request *r = rootview_request_new();

	assert_non_null(r);
	if (name)
		assert_int_equal(rootview_request_set_name(r, name), 0);
	return r;
}

/* The call has that method and these parameters; it is freed. */
static void check_call(struct rootview_call *call, const char *method, const char *expected)
{
	cleanup_free char *parameters = NULL;

	assert_string_equal(call->method, method);
	if (expected) {
		assert_return_code(sd_json_variant_format(call->parameters, 0, &parameters), 0);
		assert_string_equal(parameters, expected);
	} else {
		assert_null(call->parameters);
	}
	rootview_call_free(call);
}

static void plain_calls(void **state)
{
	const char *const names[] = { "a", "b" };
	const uint64_t ids[] = { 7, 8 };
	struct rootview_call *call;

	(void)state;
	assert_int_equal(rootview_call_delete(&call, "web", names, 1), 0);
	check_call(call, "io.rootview.DeleteView", "{\"origin\":\"web\",\"name\":\"a\"}");
	assert_int_equal(rootview_call_delete(&call, "web", names, 2), 0);
	check_call(call, "io.rootview.DeleteViews",
		   "{\"origin\":\"web\",\"names\":[\"a\",\"b\"]}");
	assert_int_equal(rootview_call_delete_ids(&call, "web", ids, 2), 0);
	check_call(call, "io.rootview.DeleteViews", "{\"origin\":\"web\",\"ids\":[7,8]}");
	assert_int_equal(rootview_call_open(&call, "web", "a", 0), 0);
	check_call(call, "io.rootview.OpenView", "{\"origin\":\"web\",\"name\":\"a\"}");
	assert_int_equal(rootview_call_open(&call, "web", NULL, 7), 0);
	check_call(call, "io.rootview.OpenView", "{\"origin\":\"web\",\"id\":7}");
	assert_int_equal(rootview_call_open(&call, "web", "a", 7), 0);
	check_call(call, "io.rootview.OpenView", "{\"origin\":\"web\",\"name\":\"a\",\"id\":7}");
	assert_int_equal(rootview_call_list(&call, "web", NULL), 0);
	check_call(call, "io.rootview.ListViews", "{\"origin\":\"web\"}");
	assert_int_equal(rootview_call_list(&call, "web", "a"), 0);
	check_call(call, "io.rootview.ListViews", "{\"origin\":\"web\",\"name\":\"a\"}");
	assert_int_equal(rootview_call_list(&call, NULL, NULL), 0);
	check_call(call, "io.rootview.ListViews", NULL);
	assert_int_equal(rootview_call_stats(&call, "web", "a"), 0);
	check_call(call, "io.rootview.GetStats", "{\"origin\":\"web\",\"name\":\"a\"}");
	assert_int_equal(rootview_call_stats(&call, NULL, NULL), 0);
	check_call(call, "io.rootview.GetStats", NULL);
	assert_int_equal(rootview_call_list_origins(&call), 0);
	check_call(call, "io.rootview.ListOrigins", NULL);
	assert_int_equal(rootview_call_remove_origin(&call, "web"), 0);
	check_call(call, "io.rootview.RemoveOrigin", "{\"name\":\"web\"}");
	assert_int_equal(rootview_call_monitor(&call), 0);
	check_call(call, "io.rootview.Monitor", NULL);
	assert_int_equal(rootview_call_add_origin(&call, "web", "/dev/x", NULL), 0);
	check_call(call, "io.rootview.AddOrigin", "{\"name\":\"web\",\"device\":\"/dev/x\"}");
	assert_int_equal(rootview_call_add_origin(&call, "web", "/dev/x", "native"), 0);
	check_call(call, "io.rootview.AddOrigin",
		   "{\"name\":\"web\",\"device\":\"/dev/x\",\"label\":\"native\"}");
}

static void everything_of_a_request(void **state)
{
	cleanup_request struct rootview_request *r = request("first");
	struct rootview_request *requests[] = { r };
	struct rootview_call *call;

	(void)state;
	assert_int_equal(rootview_request_set_name(r, "a"), 0);
	assert_int_equal(rootview_request_set_label(r, "u:r:t:s0"), 0);
	assert_int_equal(rootview_request_set_device_only(r, true), 0);
	assert_int_equal(rootview_request_set_cgroup(r, "/sys/fs/cgroup/a"), 0);
	assert_int_equal(rootview_request_set_process(r, 17), 0);
	assert_int_equal(rootview_request_add_list(r, "docker"), 0);
	assert_int_equal(rootview_request_add_mount_point(r, "/x", ROOTVIEW_FILE, NULL), 0);
	assert_int_equal(rootview_request_add_mount_point(r, "/l", ROOTVIEW_LINK, "x"), 0);
	assert_int_equal(rootview_request_add_id_range(r, ROOTVIEW_UIDS_AND_GIDS, 0, 100000, 9), 0);
	assert_int_equal(rootview_request_add_id_range(r, ROOTVIEW_GIDS, 9, 5, 1), 0);
	assert_int_equal(rootview_call_create(&call, "web", requests, 1), 0);
	assert_int_equal(call->n_fds, 0);
	check_call(call, "io.rootview.CreateView",
		   "{\"origin\":\"web\",\"name\":\"a\",\"label\":\"u:r:t:s0\","
		   "\"deviceOnly\":true,\"cgroup\":\"/sys/fs/cgroup/a\",\"process\":17,"
		   "\"mountPoints\":[{\"path\":\"/x\",\"kind\":\"file\"},"
		   "{\"path\":\"/l\",\"kind\":\"link\",\"target\":\"x\"}],"
		   "\"lists\":[\"docker\"],"
		   "\"idMap\":{\"uid\":[{\"inside\":0,\"outside\":100000,\"count\":9}],"
		   "\"gid\":[{\"inside\":0,\"outside\":100000,\"count\":9},"
		   "{\"inside\":9,\"outside\":5,\"count\":1}]}}");
	assert_int_equal(rootview_call_check(&call, "web", r), 0);
	check_call(call, "io.rootview.CheckMountPoints",
		   "{\"origin\":\"web\",\"mountPoints\":[{\"path\":\"/x\",\"kind\":\"file\"},"
		   "{\"path\":\"/l\",\"kind\":\"link\",\"target\":\"x\"}],"
		   "\"lists\":[\"docker\"]}");
}

static void a_copy_is_another_request(void **state)
{
	cleanup_request struct rootview_request *r = request("a");
	cleanup_request struct rootview_request *copy = NULL;
	struct rootview_call *call;

	(void)state;
	assert_int_equal(rootview_request_add_list(r, "docker"), 0);
	copy = rootview_request_copy(r);
	assert_non_null(copy);
	assert_int_equal(rootview_request_set_name(copy, "b"), 0);
	assert_int_equal(rootview_request_add_list(copy, "podman"), 0);
	assert_int_equal(rootview_call_create(&call, "web", &r, 1), 0);
	check_call(call, "io.rootview.CreateView",
		   "{\"origin\":\"web\",\"name\":\"a\",\"lists\":[\"docker\"]}");
	assert_int_equal(rootview_call_create(&call, "web", &copy, 1), 0);
	check_call(call, "io.rootview.CreateView",
		   "{\"origin\":\"web\",\"name\":\"b\",\"lists\":[\"docker\",\"podman\"]}");
}

/* Descriptors are duplicated when the call is built, once for all requests that name one. */
static void descriptors(void **state)
{
	cleanup_request struct rootview_request *a = request("a");
	cleanup_request struct rootview_request *b = request("b");
	cleanup_request struct rootview_request *c = request("c");
	struct rootview_request *requests[] = { a, b, c };
	int ends[2], duplicate;
	struct rootview_call *call;

	(void)state;
	assert_return_code(pipe2(ends, O_CLOEXEC), errno);
	assert_int_equal(rootview_request_set_user_namespace(a, ends[0]), 0);
	assert_int_equal(rootview_request_set_pidfd(b, ends[1]), 0);
	assert_int_equal(rootview_request_set_user_namespace(b, ends[0]), 0);
	assert_int_equal(rootview_call_create(&call, "web", requests, 3), 0);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(call->n_fds, 2);
	duplicate = call->fds[0];
	assert_int_not_equal(duplicate, ends[0]);
	assert_int_equal(fcntl(duplicate, F_GETFD), FD_CLOEXEC);
	check_call(call, "io.rootview.CreateViews",
		   "{\"origin\":\"web\",\"views\":[{\"name\":\"a\",\"userNamespace\":0},"
		   "{\"name\":\"b\",\"userNamespace\":0,\"processDescriptor\":1},"
		   "{\"name\":\"c\"}]}");
	assert_int_equal(fcntl(duplicate, F_GETFD), -1);

	assert_int_equal(rootview_call_create(&call, "web", requests, 3), -EBADF);
}

static void too_many_descriptors(void **state)
{
	struct rootview_request *requests[CALL_FDS_MAX + 1];
	struct rootview_call *call;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		requests[i] = request("a");
		assert_int_equal(rootview_request_set_pidfd(requests[i], dup(0)), 0);
	}
	assert_int_equal(rootview_call_create(&call, "web", requests, ARRAY_SIZE(requests)),
			 -E2BIG);
	assert_int_equal(rootview_call_create(&call, "web", requests, CALL_FDS_MAX), 0);
	assert_int_equal(call->n_fds, CALL_FDS_MAX);
	rootview_call_free(call);
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		close(requests[i]->pidfd);
		rootview_request_free(requests[i]);
	}
}

/* sd-varlink could not send it, and would leave the connection half-way. */
static void too_large_for_a_message(void **state)
{
	struct rootview_request *requests[1024];
	cleanup_request struct rootview_request *r = request("a");
	struct rootview_call *call;
	char path[4001];

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(rootview_request_add_mount_point(r, path, ROOTVIEW_FILE, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		requests[i] = r;
	assert_int_equal(rootview_call_create(&call, "web", requests, 1024), -E2BIG);
	assert_int_equal(rootview_call_create(&call, "web", requests, 256), 0);
	rootview_call_free(call);
}

#define refused(expression) assert_int_equal(expression, -EINVAL)

static void nonsense_in_requests(void **state)
{
	cleanup_request struct rootview_request *r = request(NULL);

	(void)state;
	refused(rootview_request_set_name(NULL, "a"));
	refused(rootview_request_set_name(r, NULL));
	refused(rootview_request_set_name(r, ""));
	assert_int_equal(rootview_request_set_name(r, "stra\xdf" "e"), -EUCLEAN);
	refused(rootview_request_set_device_only(NULL, true));
	refused(rootview_request_add_mount_point(r, "x", ROOTVIEW_FILE, NULL));
	refused(rootview_request_add_mount_point(r, NULL, ROOTVIEW_FILE, NULL));
	refused(rootview_request_add_mount_point(r, "/x", ROOTVIEW_LINK + 1, NULL));
	refused(rootview_request_add_mount_point(r, "/x", ROOTVIEW_LINK, NULL));
	refused(rootview_request_add_mount_point(r, "/x", ROOTVIEW_LINK, ""));
	refused(rootview_request_add_mount_point(r, "/x", ROOTVIEW_FILE, "y"));
	refused(rootview_request_add_mount_point(r, "/x", ROOTVIEW_FILE, ""));
	refused(rootview_request_add_list(r, NULL));
	refused(rootview_request_add_id_range(r, 0, 0, 0, 1));
	refused(rootview_request_add_id_range(r, 4, 0, 0, 1));
	refused(rootview_request_add_id_range(r, ROOTVIEW_UIDS, 0, 0, 0));
	refused(rootview_request_add_id_range(r, ROOTVIEW_UIDS, UINT32_MAX, 0, 1));
	refused(rootview_request_add_id_range(r, ROOTVIEW_UIDS, 0, 2, UINT32_MAX - 1));
	assert_int_equal(rootview_request_add_id_range(r, ROOTVIEW_UIDS, 0, 1, UINT32_MAX - 1), 0);
	refused(rootview_request_set_user_namespace(r, -1));
	refused(rootview_request_set_pidfd(r, -EBADF));
	refused(rootview_request_set_process(r, 0));
	refused(rootview_request_set_process(r, -1));
}

static void nonsense_in_calls(void **state)
{
	cleanup_request struct rootview_request *named = request("a");
	cleanup_request struct rootview_request *nameless = request(NULL);
	struct rootview_request *requests[] = { named, nameless };
	struct rootview_request *holes[] = { named, NULL };
	const char *const names[] = { "a", "" };
	const uint64_t ids[] = { 7, 0 };
	struct rootview_call *call;

	(void)state;
	refused(rootview_call_create(NULL, "web", requests, 1));
	refused(rootview_call_create(&call, NULL, requests, 1));
	refused(rootview_call_create(&call, "", requests, 1));
	refused(rootview_call_create(&call, "web", NULL, 1));
	refused(rootview_call_create(&call, "web", requests, 0));
	refused(rootview_call_create(&call, "web", requests, 1025));
	refused(rootview_call_create(&call, "web", requests, 2));
	refused(rootview_call_create(&call, "web", holes, 2));
	refused(rootview_call_delete(&call, "web", names, 2));
	refused(rootview_call_delete(&call, "web", names, 0));
	refused(rootview_call_delete_ids(&call, "web", ids, 2));
	refused(rootview_call_delete_ids(&call, "web", ids, 0));
	refused(rootview_call_open(&call, "web", NULL, 0));
	refused(rootview_call_open(&call, "web", "", 7));
	refused(rootview_call_open(&call, NULL, "a", 7));
	refused(rootview_call_list(&call, "", NULL));
	refused(rootview_call_list(&call, "web", ""));
	refused(rootview_call_list(&call, NULL, "a"));
	refused(rootview_call_stats(&call, "", NULL));
	refused(rootview_call_stats(&call, "web", ""));
	refused(rootview_call_stats(&call, NULL, "a"));
	refused(rootview_call_check(&call, "web", NULL));
	refused(rootview_call_add_origin(&call, "web", NULL, NULL));
	refused(rootview_call_add_origin(&call, "web", "/dev/x", ""));
	refused(rootview_call_remove_origin(&call, NULL));
	refused(rootview_call_list_origins(NULL));
	refused(rootview_call_monitor(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_calls),
		cmocka_unit_test(everything_of_a_request),
		cmocka_unit_test(a_copy_is_another_request),
		cmocka_unit_test(descriptors),
		cmocka_unit_test(too_many_descriptors),
		cmocka_unit_test(too_large_for_a_message),
		cmocka_unit_test(nonsense_in_requests),
		cmocka_unit_test(nonsense_in_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
