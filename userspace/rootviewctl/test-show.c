// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What people see: tables, ages and sizes.
 */
#include "show.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "table.h"
#include "util.h"

static void ages(void **state)
{
	char buffer[32];

	(void)state;
	assert_string_equal(show_age(0, buffer), "0 s");
	assert_string_equal(show_age(119999999, buffer), "119 s");
	assert_string_equal(show_age(120000000, buffer), "2 min");
	assert_string_equal(show_age(2ULL * 3600 * 1000000, buffer), "2 h");
	assert_string_equal(show_age(2ULL * 86400 * 1000000, buffer), "2 d");
}

static void sizes(void **state)
{
	char buffer[32];

	(void)state;
	assert_string_equal(show_sectors(0, buffer), "0 B");
	assert_string_equal(show_sectors(1, buffer), "512 B");
	assert_string_equal(show_sectors(3, buffer), "1.5 KiB");
	assert_string_equal(show_sectors(131072, buffer), "64.0 MiB");
	assert_string_equal(show_sectors(UINT64_MAX, buffer), "8388608.0 PiB");
}

static void assert_table(const char *const *cells, size_t n, const char *expected)
{
	static const char *const headers[] = { "A", "LONG" };
	struct table *t = table_new(headers, 2);
	cleanup_free char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(t);
	for (size_t i = 0; i < n; i++)
		table_add(t, cells[i]);
	assert_int_equal(table_print(t, to), 0);
	fclose(to);
	assert_string_equal(text, expected);
	table_free(t);
}

static void columns_are_as_wide_as_needed(void **state)
{
	const char *const cells[] = { "1", "x", "wide", NULL, "", "y" };

	(void)state;
	assert_table(cells, 6, "A     LONG\n1     x\nwide  -\n-     y\n");
}

static void empty_table_has_a_header(void **state)
{
	(void)state;
	assert_table(NULL, 0, "A  LONG\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ages),
		cmocka_unit_test(sizes),
		cmocka_unit_test(columns_are_as_wide_as_needed),
		cmocka_unit_test(empty_table_has_a_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
