// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a view is asked for with: as a request, and as the blob in its record.
 */
#include "spec.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>

#include "process.h"
#include "util.h"

#define cleanup_json cleanup_with(sd_json_variant_unrefp)

static sd_json_variant *parse(const char *text)
{
	sd_json_variant *json = NULL;

	if (text)
		assert_int_equal(sd_json_parse(text, 0, &json, NULL, NULL), 0);
	return json;
}

static int read_request(const char *text, struct spec *ret, struct failure *f)
{
	cleanup_json sd_json_variant *json = parse(text);

	return spec_from_request(json, ret, f);
}

static int read_blob(const char *text, struct spec *ret)
{
	return spec_from_blob(text, text ? strlen(text) : 0, ret);
}

/* As a blob; frees @spec. */
static char *write_blob(struct spec *spec)
{
	char *text;

	assert_int_equal(spec_to_blob(spec, spec->folder, &text), 0);
	spec_free(spec);
	return text;
}

static void assert_same_text(const char *a, const char *b)
{
	if (!a || !b)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

#define RANGES "[{\"inside\":0,\"outside\":100000,\"count\":65536}]"
#define ID_MAP "\"idMap\":{\"uid\":" RANGES ",\"gid\":" RANGES "}"
#define A "{\"path\":\"/a\",\"kind\":\"directory\"}"
#define B "{\"path\":\"/b\",\"kind\":\"file\"}"

static void requests_become_blobs(void **state)
{
	const struct {
		const char *request, *blob;
	} cases[] = {
		{ NULL, NULL },
		{ "{}", NULL },
		{ "{\"name\":\"web\",\"label\":7,\"origin\":[],\"userNamespace\":0}", NULL },
		{ "{\"deviceOnly\":null,\"mountPoints\":null,\"lists\":null,"
		  "\"idMap\":null,\"cgroup\":null,\"process\":null}", NULL },
		{ "{\"deviceOnly\":false,\"mountPoints\":[],\"lists\":[]}", NULL },
		{ "{\"deviceOnly\":true}", "{\"deviceOnly\":true}" },
		{ "{\"cgroup\":\"/\"}", "{\"cgroup\":\"/\"}" },
		{ "{\"cgroup\":\"/a.slice/..b\"}", "{\"cgroup\":\"/a.slice/..b\"}" },
		{ "{" ID_MAP "}", "{" ID_MAP "}" },
		{ "{\"mountPoints\":[" B "," A "," B "]}", "{\"mountPoints\":[" A "," B "]}" },
		{ "{\"cgroup\":\"/c\"," ID_MAP ",\"mountPoints\":[" A "],\"deviceOnly\":true}",
		  "{\"deviceOnly\":true,\"mountPoints\":[" A "]," ID_MAP ",\"cgroup\":\"/c\"}" },
		/* Of no meaning in a request. */
		{ "{\"variant\":3,\"processStart\":4}", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *first = NULL, *second = NULL;
		struct failure f;
		struct spec spec;

		assert_int_equal(read_request(cases[i].request, &spec, &f), 0);
		assert_int_equal(spec.folder, -1);
		first = write_blob(&spec);
		assert_same_text(first, cases[i].blob);
		assert_int_equal(read_blob(first, &spec), 0);
		second = write_blob(&spec);
		assert_same_text(second, first);
	}
}

static void lists_are_expanded(void **state)
{
	cleanup_free char *blob = NULL;
	struct failure f;
	struct spec spec;

	(void)state;
	assert_int_equal(read_request("{\"lists\":[\"docker\"]}", &spec, &f), 0);
	blob = write_blob(&spec);
	assert_null(strstr(blob, "lists"));
	assert_non_null(strstr(blob, "/.dockerenv"));
}

/* A string of @n bytes that begins with @start, for the caller to free. */
static char *long_text(const char *start, size_t n)
{
	char *text = malloc(n + 1);

	assert_non_null(text);
	memset(text, 'x', n);
	memcpy(text, start, strlen(start));
	text[n] = '\0';
	return text;
}

static void bad_requests_are_refused(void **state)
{
	const struct {
		const char *request;
		enum failure_kind kind;
		const char *object, *phrase;
	} cases[] = {
#define REQUEST(json, object, phrase) { json, FAILURE_INVALID_REQUEST, object, phrase }
		REQUEST("{\"deviceOnly\":1}", "deviceOnly", "neither true nor false"),
		REQUEST("{\"deviceOnly\":\"true\"}", "deviceOnly", "neither true nor false"),
		REQUEST("{\"mountPoints\":\"/a\"}", "mountPoints", "no array"),
		REQUEST("{\"mountPoints\":[\"/a\"]}", "mountPoints", "no MountPoint"),
		REQUEST("{\"lists\":{}}", "lists", "no array"),
		REQUEST("{\"lists\":[\"lxc\"]}", "lists", "\"lxc\""),
		REQUEST("{\"cgroup\":1}", "cgroup", "no string"),
		REQUEST("{\"process\":\"1\"}", "process", "no whole number"),
		REQUEST("{\"process\":1.5}", "process", "no whole number"),
		REQUEST("{\"process\":1e99}", "process", "no whole number"),
		REQUEST("{\"process\":99999999999999999999}", "process", "no whole number"),
#define CGROUP(path, phrase) \
		{ "{\"cgroup\":\"" path "\"}", FAILURE_NO_SUCH_CGROUP, path, phrase }
		CGROUP("", "not absolute"),
		CGROUP("a", "not absolute"),
		CGROUP("/..", "\"..\""),
		CGROUP("/a/../../b", "\"..\""),
		{ "{\"process\":0}", FAILURE_NO_SUCH_PROCESS, "", "0 is no process's id" },
		{ "{\"process\":-1}", FAILURE_NO_SUCH_PROCESS, "", "-1 is no process's id" },
		{ "{\"process\":4294967297}", FAILURE_NO_SUCH_PROCESS, "", "no process's id" },
		{ "{\"process\":2147483647}", FAILURE_NO_SUCH_PROCESS, "", "there is no process" },
		{ "{\"mountPoints\":[{\"path\":\"a\"}]}", FAILURE_INVALID_MOUNT_POINT, "a",
		  "not absolute" },
		{ "{\"deviceOnly\":true,\"idMap\":{}}", FAILURE_INVALID_ID_MAP, "", "user ids" },
		{ "{\"deviceOnly\":true,\"idMap\":1}", FAILURE_INVALID_ID_MAP, "", "user ids" },
		/* What was read before it is freed. */
		{ "{\"deviceOnly\":true,\"lists\":[\"docker\"]," ID_MAP ",\"cgroup\":\"/c\","
		  "\"process\":0}", FAILURE_NO_SUCH_PROCESS, "", "no process's id" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct failure f;
		struct spec spec;

		assert_int_equal(read_request(cases[i].request, &spec, &f), -1);
		assert_int_equal(f.kind, cases[i].kind);
		assert_string_equal(f.object, cases[i].object);
		assert_non_null(strstr(f.message, cases[i].phrase));
		/* A blob with the same in it is as bad, unless only the process has gone. */
		if (!strstr(f.message, "there is no process"))
			assert_int_equal(read_blob(cases[i].request, &spec), -EBADMSG);
	}
}

static void texts_have_limits(void **state)
{
	const struct {
		const char *format;
		enum failure_kind kind;
	} cases[] = {
		{ "{\"cgroup\":\"%s\"}", FAILURE_NO_SUCH_CGROUP },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *most = long_text("/", 4095), *more = long_text("/", 4096);
		cleanup_free char *good = NULL, *bad = NULL;
		struct failure f;
		struct spec spec;

		assert_true(asprintf(&good, cases[i].format, most) > 0);
		assert_true(asprintf(&bad, cases[i].format, more) > 0);
		assert_int_equal(read_request(good, &spec, &f), 0);
		assert_string_equal(spec.cgroup, most);
		spec_free(&spec);
		assert_int_equal(read_request(bad, &spec, &f), -1);
		assert_int_equal(f.kind, cases[i].kind);
		assert_non_null(strstr(f.message, "longer than 4095 bytes"));
	}
}

static void a_process_may_be_gone_from_a_blob_alone(void **state)
{
	cleanup_free char *request = NULL, *blob = NULL, *again = NULL;
	struct failure f;
	struct spec spec;
	uint64_t start;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	assert_true(asprintf(&request, "{\"process\":%d}", pid) > 0);
	assert_int_equal(process_start(pid, &start), 0);
	assert_int_equal(read_request(request, &spec, &f), 0);
	assert_int_equal(spec.process, pid);
	assert_int_equal(spec.process_start, start);
	blob = write_blob(&spec);

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(read_request(request, &spec, &f), -1);
	assert_int_equal(f.kind, FAILURE_NO_SUCH_PROCESS);
	assert_int_equal(read_blob(blob, &spec), 0);
	assert_int_equal(spec.process, pid);
	assert_int_equal(spec.process_start, start);
	again = write_blob(&spec);
	assert_string_equal(again, blob);
}

static void a_folder_stands_for_the_mount_points(void **state)
{
	cleanup_free char *blob = NULL, *empty = NULL;
	struct spec spec;

	(void)state;
	assert_int_equal(read_blob("{\"deviceOnly\":true,\"mountPoints\":[" A "]}", &spec), 0);
	assert_int_equal(spec.folder, -1);
	assert_int_equal(spec_to_blob(&spec, 0, &blob), 0);
	spec_free(&spec);
	assert_string_equal(blob, "{\"deviceOnly\":true,\"variant\":0}");
	assert_int_equal(read_blob(blob, &spec), 0);
	assert_int_equal(spec.folder, 0);
	assert_int_equal(spec.points.n, 0);
	spec_free(&spec);

	spec = SPEC_DEFAULT;
	assert_int_equal(spec_to_blob(&spec, INT64_MAX, &empty), 0);
	assert_string_equal(empty, "{\"variant\":9223372036854775807}");
	assert_int_equal(read_blob(empty, &spec), 0);
	assert_true(spec.folder == INT64_MAX);
	spec_free(&spec);
}

static void blobs_are_read_in_any_form(void **state)
{
	const struct {
		const char *blob, *form;
	} cases[] = {
		{ "", NULL },
		{ "{}", NULL },
		{ " {\n} ", NULL },
		{ "{\"more\":{\"mount\":\"x\"},\"variants\":1}", NULL },
		{ "{\"variant\":null,\"process\":null,\"processStart\":null}", NULL },
		{ "{\"variant\":7,\"deviceOnly\":true}", "{\"deviceOnly\":true,\"variant\":7}" },
		{ "{\"variant\":7,\"mountPoints\":[]}", "{\"variant\":7}" },
		{ "{\"processStart\":18446744073709551615,\"process\":2147483647}",
		  "{\"process\":2147483647,\"processStart\":18446744073709551615}" },
		{ "{\"process\":1,\"processStart\":0}", "{\"process\":1,\"processStart\":0}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *blob = NULL;
		struct spec spec;

		assert_int_equal(read_blob(cases[i].blob, &spec), 0);
		blob = write_blob(&spec);
		assert_same_text(blob, cases[i].form);
	}
}

static void bad_blobs_are_refused(void **state)
{
#define TEXT(s) { s, sizeof(s) - 1 }
	const struct {
		const char *blob;
		size_t size;
	} cases[] = {
		TEXT("\0"), TEXT(" "), TEXT("x"), TEXT("{"), TEXT("}"), TEXT("{}}"), TEXT("{}{}"),
		TEXT("[]"), TEXT("null"), TEXT("1"), TEXT("\"\""), TEXT("{}\0\0"), TEXT("{}\0{}"),
		TEXT("{\"cgroup\":\"/a\0b\"}"), TEXT("{\"cgroup\":\"/a\\u0000b\"}"),
		TEXT("{\"cgroup\":\"/\xff\"}"), TEXT("{\"cgroup\":\"/\\ud800\"}"),
		TEXT("{\"cgroup\":"),
		TEXT("{\"variant\":-1}"), TEXT("{\"variant\":\"1\"}"), TEXT("{\"variant\":1.5}"),
		TEXT("{\"variant\":9223372036854775808}"), TEXT("{\"variant\":1e99}"),
		TEXT("{\"variant\":1,\"mountPoints\":[" A "]}"),
		TEXT("{\"variant\":1,\"lists\":[\"docker\"]}"),
		TEXT("{\"process\":1}"), TEXT("{\"processStart\":1}"),
		TEXT("{\"process\":1,\"processStart\":-1}"),
		TEXT("{\"process\":1,\"processStart\":\"1\"}"),
		TEXT("{\"process\":1,\"processStart\":18446744073709551616}"),
		TEXT("{\"process\":2147483648,\"processStart\":1}"),
		TEXT("\x7f" "ELF\x02\x01\x01\x00"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spec spec;

		assert_int_equal(spec_from_blob(cases[i].blob, cases[i].size, &spec), -EBADMSG);
	}
}

static void deep_blobs_are_refused(void **state)
{
	const char *const starts[] = { "[", "{\"a\":", "{\"mountPoints\":[[" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		cleanup_free char *text = NULL;
		struct spec spec;
		size_t size;
		FILE *file = open_memstream(&text, &size);

		assert_non_null(file);
		for (size_t k = 0; k < 100000; k++)
			fputs(starts[i], file);
		assert_int_equal(fclose(file), 0);
		assert_int_equal(spec_from_blob(text, size, &spec), -EBADMSG);
	}
}

static void blobs_need_no_end(void **state)
{
	static const char text[] = "{\"deviceOnly\":true}";
	const size_t sizes[] = { sizeof(text) - 1, sizeof(text) };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		/* Exactly that large, so that a byte read behind it is noticed. */
		cleanup_free char *blob = malloc(sizes[i]);
		struct spec spec;

		memcpy(blob, text, sizes[i]);
		assert_int_equal(spec_from_blob(blob, sizes[i], &spec), 0);
		assert_true(spec.device_only);
		spec_free(&spec);
	}
}

static void no_blob_is_the_default(void **state)
{
	struct spec spec;

	(void)state;
	assert_int_equal(spec_from_blob(NULL, 0, &spec), 0);
	assert_false(spec.device_only);
	assert_int_equal(spec.points.n, 0);
	assert_null(spec.idmap);
	assert_null(spec.cgroup);
	assert_int_equal(spec.process, 0);
	assert_int_equal(spec.folder, -1);
	spec_free(&spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_become_blobs),
		cmocka_unit_test(lists_are_expanded),
		cmocka_unit_test(bad_requests_are_refused),
		cmocka_unit_test(texts_have_limits),
		cmocka_unit_test(a_process_may_be_gone_from_a_blob_alone),
		cmocka_unit_test(a_folder_stands_for_the_mount_points),
		cmocka_unit_test(blobs_are_read_in_any_form),
		cmocka_unit_test(bad_blobs_are_refused),
		cmocka_unit_test(deep_blobs_are_refused),
		cmocka_unit_test(blobs_need_no_end),
		cmocka_unit_test(no_blob_is_the_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
