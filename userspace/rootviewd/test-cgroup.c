// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a cgroup read from a device.
 */
#include "cgroup.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "interface.h"
#include "util.h"

static int parse(const char *text, dev_t dev, struct cgroup_reads *ret)
{
	cleanup_fclose FILE *file = *text ? fmemopen((char *)text, strlen(text), "r") :
					    fopen("/dev/null", "r");

	assert_non_null(file);
	return cgroup_parse_io(file, dev, ret);
}

#define REST "wbytes=9 wios=9 dbytes=9 dios=9"

static void finds_the_device(void **state)
{
	const struct {
		const char *text;
		uint64_t reads, bytes;
	} cases[] = {
		{ "", 0, 0 },
		{ "\n", 0, 0 },
		{ "253:3 rbytes=4096 rios=1 " REST "\n", 1, 4096 },
		{ "253:3 rbytes=4096 rios=1", 1, 4096 },
		{ "253:3 rios=2\n", 2, 0 },
		{ "253:3 " REST "\n", 0, 0 },
		{ "253:3\n", 0, 0 },
		{ "253:3 rbytes=18446744073709551615 rios=0\n", 0, UINT64_MAX },
		{ "8:0 rbytes=1 rios=1\n253:3 rbytes=2 rios=3\n253:30 rbytes=4 rios=4\n", 3, 2 },
		{ "253:30 rbytes=1 rios=1\n25:3 rbytes=1 rios=1\n1253:3 rbytes=1 rios=1\n", 0, 0 },
		{ "253:3 rios=1 xrios=7 rios_more=7 riosx cost.usage=5 rbytes=2\n", 1, 2 },
		/* More than one device in a line. */
		{ "8:0 253:3 rbytes=2 rios=1\n", 1, 2 },
		{ "253:3 8:0 rbytes=2 rios=1\n", 0, 0 },
		{ "253:3 rbytes=2 rios=1 8:0 rbytes=7 rios=7\n", 1, 2 },
		/* What is not understood of others is none of our business. */
		{ "8:0 rbytes=x\n(unknown) rbytes=y\n253:3 rbytes=2 rios=1\n", 1, 2 },
		{ "253:3:1 rbytes=7 rios=7\n:3 rios=7\n253: rios=7\nrios=7\n", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cgroup_reads reads = { .reads = 77, .bytes = 77 };

		assert_int_equal(parse(cases[i].text, makedev(253, 3), &reads), 0);
		assert_int_equal(reads.reads, cases[i].reads);
		assert_int_equal(reads.bytes, cases[i].bytes);
	}
}

static void numbers_that_are_none_are_refused(void **state)
{
	const char *const values[] = {
		"", "x", "-1", "+1", "1x", "0x1", "1.5", "18446744073709551616",
	};
	const char *const keys[] = { "rbytes", "rios" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			struct cgroup_reads reads;
			char text[128];

			snprintf(text, sizeof(text), "253:3 %s=%s " REST "\n", keys[k], values[i]);
			assert_int_equal(parse(text, makedev(253, 3), &reads), -EBADMSG);
		}
	}
}

static void unreadable_is_an_error(void **state)
{
	cleanup_fclose FILE *file = fopen("/", "r");
	struct cgroup_reads reads;

	(void)state;
	assert_non_null(file);
	assert_int_equal(cgroup_parse_io(file, makedev(253, 3), &reads), -EISDIR);
}

static void what_is_no_cgroup_does_not_exist(void **state)
{
	const char *const paths[] = {
		"", "relative", "/no-such-cgroup", "/cgroup.procs", "/..", "/../cgroup",
		"/../../../proc", "/no-such-cgroup/..",
	};
	struct cgroup_reads reads;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		assert_false(cgroup_exists(paths[i]));
		assert_true(cgroup_read_io(paths[i], makedev(253, 3), &reads) < 0);
	}
	assert_int_equal(cgroup_read_io("/no-such-cgroup", makedev(253, 3), &reads), -ENOENT);
}

/* With a cgroup of its own, where the machine lets it. */
static void a_real_one_exists(void **state)
{
	static const char path[] = ROOTVIEW_CGROUPS "/test-cgroup";
	struct cgroup_reads reads = { .reads = 1, .bytes = 1 };
	int r;

	(void)state;
	if (access(ROOTVIEW_CGROUPS "/cgroup.procs", W_OK) < 0 || mkdir(path, 0700) < 0)
		skip();
	assert_true(cgroup_exists("/test-cgroup"));
	r = cgroup_read_io("/test-cgroup", makedev(253, 3), &reads);
	assert_int_equal(rmdir(path), 0);
	assert_false(cgroup_exists("/test-cgroup"));
	/* Nothing was read by nobody; or the io controller is off. */
	assert_true(r == -ENOENT || (r == 0 && reads.reads == 0 && reads.bytes == 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_device),
		cmocka_unit_test(numbers_that_are_none_are_refused),
		cmocka_unit_test(unreadable_is_an_error),
		cmocka_unit_test(what_is_no_cgroup_does_not_exist),
		cmocka_unit_test(a_real_one_exists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
