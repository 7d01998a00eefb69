// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Text that others have written.
 */
#include "text.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "util.h"

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t size;
	} good[] = {
		{ "0", 0 }, { "1", 1 }, { "4096", 4096 }, { "1k", 1024 }, { "10G", 10ull << 30 },
		{ "3mb", 3 << 20 }, { "2TiB", 2ull << 40 }, { "16777215T", 16777215ull << 40 },
		{ "18446744073709551615", UINT64_MAX },
	};
	static const char *const bad[] = {
		"", "G", "-1", "+1", " 1", "1 ", "1.5G", "10X", "10GG", "10GiBs", "0x10",
		"18446744073709551616", "16777216T",
	};
	uint64_t size;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(text_parse_size(good[i].text, &size));
		assert_int_equal(size, good[i].size);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (text_parse_size(bad[i], &size))
			fail_msg("\"%s\" is %lu", bad[i], size);
}

static void test_lines(void **state)
{
	char text[] = "a\nb\r\tc\033[31m\x7f\xc3\xa4", plain[] = "all of it \xc3\xa4";

	(void)state;
	text_make_line(text);
	assert_string_equal(text, "a?b??c?[31m?\xc3\xa4");
	text_make_line(plain);
	assert_string_equal(plain, "all of it \xc3\xa4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
