// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Releases of kernels, and what is expected of them.
 */
#include "kernel-limits.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "util.h"

/* Whether the fix of mprotect() is expected of each. */
static const struct {
	const char *release;
	bool mprotect;
} kernels[] = {
	{ "4.18.0-553.el8_10.x86_64", false },
	{ "5.11.22", false },
	{ "5.14.0-570.el9.x86_64", false },
	{ "6.1.0-40-amd64", false },
	{ "6.9.117", false },
	{ "6.12.0-55.el10.x86_64", false },
	{ "6.12.116+deb13-amd64", false },
	{ "6.12.117+deb13-amd64", true },
	{ "6.12.200", true },
	{ "6.13.117", false },
	{ "6.120.0", false },
	{ "7.0.0-rc1", true },
	{ "7.0", true },
	{ "10.0.1", true },
};

static void releases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		const char *release = kernels[i].release;

		if (limits_fixes_mprotect(release) != kernels[i].mprotect)
			fail_msg("wrong about %s", release);
	}
}

static void nothing_is_expected_of_what_is_no_release(void **state)
{
	static const char *const texts[] = { "", "7", "linux", "v7.0.0", "-", "7-rc1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_false(limits_fixes_mprotect(texts[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(releases),
		cmocka_unit_test(nothing_is_expected_of_what_is_no_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
