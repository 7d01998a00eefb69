// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Id maps: their one form, and what is refused.
 */
#include "idmap.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "util.h"

#define cleanup_json cleanup_with(sd_json_variant_unrefp)

#define RANGE(inside, outside, count) \
	"{\"inside\":" #inside ",\"outside\":" #outside ",\"count\":" #count "}"
#define GOOD "[" RANGE(0, 100000, 65536) "]"

static int read_map(const char *text, struct idmap **ret, struct failure *f)
{
	cleanup_json sd_json_variant *json = NULL;

	assert_int_equal(sd_json_parse(text, 0, &json, NULL, NULL), 0);
	return idmap_from_json(json, ret, f);
}

/* With @ranges for both users and groups. */
static int read_ranges(const char *ranges, struct idmap **ret, struct failure *f)
{
	cleanup_free char *text = NULL;

	assert_true(asprintf(&text, "{\"gid\":%s,\"uid\":%s,\"more\":[]}", ranges, ranges) > 0);
	return read_map(text, ret, f);
}

static char *write_map(const struct idmap *map)
{
	cleanup_json sd_json_variant *json = NULL;
	char *text;

	assert_int_equal(idmap_to_json(map, &json), 0);
	assert_true(sd_json_variant_format(json, 0, &text) >= 0);
	return text;
}

static void maps_are_brought_into_one_form(void **state)
{
	const struct {
		const char *ranges, *form;
	} cases[] = {
		{ GOOD, GOOD },
		{ "[" RANGE(0, 0, 4294967295) "]", "[" RANGE(0, 0, 4294967295) "]" },
		{ "[" RANGE(4294967294, 4294967294, 1) "]",
		  "[" RANGE(4294967294, 4294967294, 1) "]" },
		{ "[" RANGE(10, 10, 5) "," RANGE(0, 100, 5) "]",
		  "[" RANGE(0, 100, 5) "," RANGE(10, 10, 5) "]" },
		/* Adjacent on both sides. */
		{ "[" RANGE(0, 100, 5) "," RANGE(5, 105, 5) "]", "[" RANGE(0, 100, 10) "]" },
		{ "[" RANGE(10, 110, 5) "," RANGE(0, 100, 5) "," RANGE(5, 105, 5) "]",
		  "[" RANGE(0, 100, 15) "]" },
		/* On one side alone. */
		{ "[" RANGE(0, 100, 5) "," RANGE(5, 106, 5) "]",
		  "[" RANGE(0, 100, 5) "," RANGE(5, 106, 5) "]" },
		{ "[" RANGE(0, 100, 5) "," RANGE(6, 105, 5) "]",
		  "[" RANGE(0, 100, 5) "," RANGE(6, 105, 5) "]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *wanted = NULL, *first = NULL, *second = NULL;
		cleanup_free struct idmap *map = NULL, *again = NULL;
		struct failure f;

		assert_int_equal(read_ranges(cases[i].ranges, &map, &f), 0);
		first = write_map(map);
		assert_true(asprintf(&wanted, "{\"uid\":%s,\"gid\":%s}", cases[i].form,
				     cases[i].form) > 0);
		assert_string_equal(first, wanted);
		assert_int_equal(read_map(first, &again, &f), 0);
		second = write_map(again);
		assert_string_equal(second, first);
	}
}

static void bad_ranges_are_refused(void **state)
{
	const struct {
		const char *ranges, *phrase;
	} cases[] = {
		{ "null", "no range of user ids" },
		{ "1", "no range of user ids" },
		{ "[]", "no range of user ids" },
		{ RANGE(0, 0, 1), "no range of user ids" },
		{ "[1]", "range 1 of the id map's user ids lacks" },
		{ "[null]", "lacks" },
		{ "[[]]", "lacks" },
		{ "[{}]", "lacks" },
		{ "[{\"inside\":0,\"outside\":0}]", "lacks" },
		{ "[{\"inside\":0,\"count\":1}]", "lacks" },
		{ "[{\"outside\":0,\"count\":1}]", "lacks" },
		{ "[" RANGE("0", 0, 1) "]", "lacks" },
		{ "[" RANGE(0, null, 1) "]", "lacks" },
		{ "[" RANGE(-1, 0, 1) "]", "lacks" },
		{ "[" RANGE(0, 0, -1) "]", "lacks" },
		{ "[" RANGE(0, 0.5, 1) "]", "lacks" },
		{ "[" RANGE(0, 0, 1e99) "]", "lacks" },
		{ "[" RANGE(18446744073709551616, 0, 1) "]", "lacks" },
		{ "[" RANGE(0, 0, 0) "]", "is empty" },
		{ "[" RANGE(0, 0, 1) "," RANGE(1, 1, 0) "]", "range 2 of the id map's user ids" },
		{ "[" RANGE(4294967295, 0, 1) "]", "2^32-1" },
		{ "[" RANGE(0, 4294967295, 1) "]", "2^32-1" },
		{ "[" RANGE(4294967296, 0, 1) "]", "2^32-1" },
		{ "[" RANGE(0, 0, 4294967296) "]", "2^32-1" },
		{ "[" RANGE(1, 0, 4294967295) "]", "2^32-1" },
		{ "[" RANGE(0, 1, 4294967295) "]", "2^32-1" },
		{ "[" RANGE(18446744073709551615, 0, 1) "]", "2^32-1" },
		{ "[" RANGE(0, 18446744073709551615, 18446744073709551615) "]", "2^32-1" },
		{ "[" RANGE(0, 0, 10) "," RANGE(9, 100, 1) "]", "overlaps an earlier one inside" },
		{ "[" RANGE(5, 0, 1) "," RANGE(0, 100, 10) "]", "inside" },
		{ "[" RANGE(0, 0, 1) "," RANGE(0, 0, 1) "]", "inside" },
		{ "[" RANGE(0, 0, 10) "," RANGE(10, 9, 1) "]", "overlaps an earlier one outside" },
		{ "[" RANGE(0, 4294967290, 5) "," RANGE(5, 4294967294, 1) ","
		  RANGE(6, 4294967293, 2) "]", "outside" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct idmap *map;
		struct failure f;

		assert_int_equal(read_ranges(cases[i].ranges, &map, &f), -1);
		assert_int_equal(f.kind, FAILURE_INVALID_ID_MAP);
		assert_non_null(strstr(f.message, cases[i].phrase));
	}
}

static void both_kinds_of_ids_are_wanted(void **state)
{
	const struct {
		const char *map, *phrase;
	} cases[] = {
		{ "null", "user ids" },
		{ "[]", "user ids" },
		{ "\"\"", "user ids" },
		{ "{}", "user ids" },
		{ "{\"gid\":" GOOD "}", "user ids" },
		{ "{\"uid\":" GOOD "}", "group ids" },
		{ "{\"uid\":" GOOD ",\"gid\":[]}", "group ids" },
		{ "{\"uid\":" GOOD ",\"gid\":[" RANGE(0, 0, 0) "]}", "group ids is empty" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct idmap *map;
		struct failure f;

		assert_int_equal(read_map(cases[i].map, &map, &f), -1);
		assert_int_equal(f.kind, FAILURE_INVALID_ID_MAP);
		assert_non_null(strstr(f.message, cases[i].phrase));
	}
}

/* @n ranges of which no two are adjacent, each as @format says. */
static char *many(unsigned int n, const char *format, const char *separator)
{
	char *text;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	assert_non_null(file);
	for (unsigned int i = 0; i < n; i++) {
		fputs(i ? separator : "", file);
		fprintf(file, format, 2 * i, 2 * i, 1);
	}
	assert_int_equal(fclose(file), 0);
	return text;
}

static void there_is_a_most(void **state)
{
	static const char format[] = "{\"inside\":%u,\"outside\":%u,\"count\":%u}";
	cleanup_free char *most = many(IDMAP_RANGES_MAX, format, ",");
	cleanup_free char *more = many(IDMAP_RANGES_MAX + 1, format, ",");
	cleanup_free char *good = NULL, *bad = NULL;
	cleanup_free struct idmap *map = NULL;
	struct failure f;

	(void)state;
	assert_true(asprintf(&good, "[%s]", most) > 0 && asprintf(&bad, "[%s]", more) > 0);
	assert_int_equal(read_ranges(good, &map, &f), 0);
	assert_int_equal(map->uid.n, IDMAP_RANGES_MAX);
	assert_int_equal(map->gid.n, IDMAP_RANGES_MAX);
	free(steal_ptr(&map));
	assert_int_equal(read_ranges(bad, &map, &f), -1);
	assert_int_equal(f.kind, FAILURE_INVALID_ID_MAP);
	assert_non_null(strstr(f.message, "33 ranges"));
}

/*
 * The kernel's files.
 */

static int read_file(const char *text, size_t size, struct idmap_ids *ret)
{
	cleanup_fclose FILE *file = size ? fmemopen((char *)text, size, "r") :
					   fopen("/dev/null", "r");

	assert_non_null(file);
	return idmap_read_ids(file, ret);
}

static void files_are_read(void **state)
{
	const struct {
		const char *text;
		struct idmap_ids ids;
	} cases[] = {
		{ "", { 0 } },
		{ "         0          0 4294967295\n", { 1, { { 0, 0, UINT32_MAX } } } },
		{ "0 100000 65536", { 1, { { 0, 100000, 65536 } } } },
		{ "1 100000 65536\n0 1000 1\n",
		  { 2, { { 0, 1000, 1 }, { 1, 100000, 65536 } } } },
		{ "0 1000 1\n1 1001 1\n", { 1, { { 0, 1000, 2 } } } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct idmap_ids *wanted = &cases[i].ids;
		struct idmap_ids ids;

		assert_int_equal(read_file(cases[i].text, strlen(cases[i].text), &ids), 0);
		assert_int_equal(ids.n, wanted->n);
		assert_memory_equal(ids.ranges, wanted->ranges, sizeof(ids.ranges[0]) * ids.n);
	}
}

static void other_files_are_refused(void **state)
{
#define TEXT(s) { s, sizeof(s) - 1 }
	const struct {
		const char *text;
		size_t size;
	} cases[] = {
		TEXT("\n"), TEXT("x"), TEXT("0"), TEXT("0 0"), TEXT("0 0\n1\n"), TEXT("0 0 0\n"),
		TEXT("0 0 1 1\n"), TEXT("0 0 1 \n"), TEXT("0 0 1x\n"), TEXT("-1 0 1\n"),
		TEXT("0 +1 1\n"), TEXT("0x0 0 1\n"), TEXT("0\t0\t1\n"), TEXT("0 0 1\n\n"),
		TEXT("0 0 1\n0 5 1\n"), TEXT("0 0 1\n5 0 1\n"), TEXT("0 4294967295 1\n"),
		TEXT("0 0 4294967296\n"), TEXT("99999999999999999999 0 1\n"), TEXT("0 0 1\0\n"),
		TEXT("\0"), TEXT("0 0 1\n\0"),
	};
	struct idmap_ids ids;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(read_file(cases[i].text, cases[i].size, &ids), -EINVAL);
}

static void long_files_are_refused(void **state)
{
	cleanup_free char *most = many(IDMAP_RANGES_MAX, "%u %u %u\n", "");
	cleanup_free char *more = many(IDMAP_RANGES_MAX + 1, "%u %u %u\n", "");
	struct idmap_ids ids;

	(void)state;
	assert_int_equal(read_file(most, strlen(most), &ids), 0);
	assert_int_equal(ids.n, IDMAP_RANGES_MAX);
	assert_int_equal(read_file(more, strlen(more), &ids), -E2BIG);
}

static void unreadable_files_are_refused(void **state)
{
	cleanup_fclose FILE *file = fopen("/", "r");
	struct idmap_ids ids;

	(void)state;
	assert_int_equal(idmap_read_ids(file, &ids), -EINVAL);
}

static void root_is_mapped(void **state)
{
	const struct {
		struct idmap_ids ids;
		uint32_t root;
	} cases[] = {
		{ { 0 }, 65534 },
		{ { 1, { { 0, 100000, 1 } } }, 100000 },
		{ { 1, { { 0, 0, UINT32_MAX } } }, 0 },
		{ { 1, { { 1, 100000, 65535 } } }, 65534 },
		{ { 2, { { 0, 7, 1 }, { 1, 100000, 65535 } } }, 7 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(idmap_root(&cases[i].ids), cases[i].root);
}

/*
 * User namespaces.  Not everybody may make one, nor anybody in a chroot.
 */

static bool may_make_userns(void)
{
	pid_t pid;
	int status;

	if (geteuid() != 0)
		return false;
	pid = fork();
	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER) < 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status == 0;
}

static void a_map_survives_its_namespace(void **state)
{
	static const char text[] =
		"{\"uid\":[" RANGE(0, 100000, 65536) "," RANGE(70000, 1000, 1) "],"
		"\"gid\":[" RANGE(1, 200000, 10) "]}";
	cleanup_free struct idmap *map = NULL, *again = NULL;
	cleanup_free char *written = NULL;
	struct failure f;
	int fd;

	(void)state;
	if (!may_make_userns())
		skip();
	assert_int_equal(read_map(text, &map, &f), 0);
	fd = idmap_open(map, &f);
	assert_true(fd >= 0);
	assert_int_equal(idmap_from_userns(fd, &again, &f), 0);
	close(fd);
	written = write_map(again);
	assert_string_equal(written, text);
	/* No process is left behind. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void the_longest_map_can_be_made(void **state)
{
	struct idmap map = { .uid = { .n = IDMAP_RANGES_MAX } };
	cleanup_free struct idmap *again = NULL;
	struct failure f;
	int fd;

	(void)state;
	if (!may_make_userns())
		skip();
	for (uint32_t i = 0; i < IDMAP_RANGES_MAX; i++)
		map.uid.ranges[i] = (struct idmap_range){
			.inside = 4294900000 + 2 * i,
			.outside = 4294900000 + 2 * i,
			.count = 1,
		};
	map.gid = map.uid;
	fd = idmap_open(&map, &f);
	assert_true(fd >= 0);
	assert_int_equal(idmap_from_userns(fd, &again, &f), 0);
	assert_memory_equal(again, &map, sizeof(map));
	close(fd);
}

static void a_namespace_without_map_is_refused(void **state)
{
	struct idmap *map;
	struct failure f;
	char path[64];
	int ends[2], fd;
	pid_t pid;

	(void)state;
	if (!may_make_userns())
		skip();
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWUSER) == 0 && write(ends[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ends[0], path, 1), 1);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(idmap_from_userns(fd, &map, &f), -1);
	assert_int_equal(f.kind, FAILURE_INVALID_ID_MAP);
	assert_non_null(strstr(f.message, "no map yet"));
	close(fd);
	close(ends[0]);
	close(ends[1]);
}

static void other_descriptors_are_refused(void **state)
{
	const struct {
		const char *path, *phrase;
	} cases[] = {
		{ "/dev/null", "no user namespace" },
		{ "/", "no user namespace" },
		{ "/proc/self/ns/mnt", "no user namespace" },
		{ "/proc/self/ns/user", "the daemon's own" },
	};
	struct idmap *map;
	struct failure f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int fd = open(cases[i].path, O_RDONLY | O_CLOEXEC);

		assert_true(fd >= 0);
		assert_int_equal(idmap_from_userns(fd, &map, &f), -1);
		assert_int_equal(f.kind, FAILURE_INVALID_ID_MAP);
		assert_non_null(strstr(f.message, cases[i].phrase));
		close(fd);
	}
	assert_int_equal(idmap_from_userns(-1, &map, &f), -1);
	assert_int_equal(f.kind, FAILURE_INVALID_ID_MAP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_are_brought_into_one_form),
		cmocka_unit_test(bad_ranges_are_refused),
		cmocka_unit_test(both_kinds_of_ids_are_wanted),
		cmocka_unit_test(there_is_a_most),
		cmocka_unit_test(files_are_read),
		cmocka_unit_test(other_files_are_refused),
		cmocka_unit_test(long_files_are_refused),
		cmocka_unit_test(unreadable_files_are_refused),
		cmocka_unit_test(root_is_mapped),
		cmocka_unit_test(a_map_survives_its_namespace),
		cmocka_unit_test(the_longest_map_can_be_made),
		cmocka_unit_test(a_namespace_without_map_is_refused),
		cmocka_unit_test(other_descriptors_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
