// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which names and labels are good, and that each bad one is told what is wrong.
 */
#include "name.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "util.h"

static char *repeat(char c, size_t n)
{
	char *s = malloc(n + 1);

	assert_non_null(s);
	memset(s, c, n);
	s[n] = '\0';
	return s;
}

static void good_view_names(void **state)
{
	cleanup_free char *longest = repeat('v', 127);
	const char *const names[] = { "a", "...", ".hidden", "-x", "a:b@c", "{}\\\"", longest };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_null(view_name_fault(names[i]));
}

static void bad_view_names(void **state)
{
	cleanup_free char *too_long = repeat('v', 128);
	const struct {
		const char *name;
		const char *fault;
	} cases[] = {
		{ "",		"is empty" },
		{ ".",		"is \".\" or \"..\"" },
		{ "..",		"is \".\" or \"..\"" },
		{ "a/b",	"holds a '/'" },
		{ "/",		"holds a '/'" },
		{ "a b",	"holds a character that is not visible ASCII" },
		{ "a\n",	"holds a character that is not visible ASCII" },
		{ "\x7f",	"holds a character that is not visible ASCII" },
		{ "stra\xc3\x9f" "e", "holds a character that is not visible ASCII" },
		{ too_long,	"is longer than 127 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(view_name_fault(cases[i].name), cases[i].fault);
}

static void good_origin_names(void **state)
{
	cleanup_free char *longest = repeat('o', ORIGIN_NAME_MAX);
	const char *const names[] = { "web", "vg-lv", "a#b+c-d.e:f=g@h_i", "7", longest };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_null(origin_name_fault(names[i]));
}

static void bad_origin_names(void **state)
{
	cleanup_free char *too_long = repeat('o', ORIGIN_NAME_MAX + 1);
	const char *const names[] = {
		"", ".", "..", "a/b", "../x", "a b", "a{b", "a\\b", "a\tb", "\xc3\xa4", too_long
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_non_null(origin_name_fault(names[i]));
}

/* device-mapper takes 127 bytes of name and 128 of uuid. */
static void longest_origin_name_leaves_room_for_its_uuid(void **state)
{
	(void)state;
	assert_int_equal(strlen(ORIGIN_UUID_PREFIX) + ORIGIN_NAME_MAX, 128);
	assert_true(ORIGIN_NAME_MAX <= 127);
}

static void labels(void **state)
{
	cleanup_free char *longest = repeat('l', ROOTVIEW_LABEL_MAX);
	cleanup_free char *too_long = repeat('l', ROOTVIEW_LABEL_MAX + 1);

	(void)state;
	assert_null(label_fault("system_u:object_r:container_file_t:s0:c1,c2"));
	assert_null(label_fault(longest));
	assert_non_null(label_fault(""));
	assert_non_null(label_fault("a b"));
	assert_non_null(label_fault("a\n"));
	assert_non_null(label_fault(too_long));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_view_names),
		cmocka_unit_test(bad_view_names),
		cmocka_unit_test(good_origin_names),
		cmocka_unit_test(bad_origin_names),
		cmocka_unit_test(longest_origin_name_leaves_room_for_its_uuid),
		cmocka_unit_test(labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
