// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The bar of who waits for many views.
 */
#include "batch.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void assert_bar(size_t done, size_t total, const char *expected)
{
	char bar[5];

	batch_draw(bar, sizeof(bar) - 1, done, total);
	assert_string_equal(bar, expected);
}

static void bar_is_as_full_as_is_done(void **state)
{
	(void)state;
	assert_bar(0, 10000, "....");
	assert_bar(2499, 10000, "....");
	assert_bar(2500, 10000, "#...");
	assert_bar(9999, 10000, "###.");
	assert_bar(10000, 10000, "####");
	assert_bar(1, 1, "####");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bar_is_as_full_as_is_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
