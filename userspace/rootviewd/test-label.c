// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reading the policy's lxc_contexts.
 */
#include "label.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "util.h"

/* The value of ro_file in a file that holds @text, "" if there is none. */
static void assert_ro_file(const char *text, const char *expected)
{
	cleanup_fclose FILE *file = fmemopen((void *)text, strlen(text), "r");
	cleanup_free char *value = NULL;

	assert_non_null(file);
	value = label_parse_contexts(file, "ro_file");
	assert_string_equal(value ?: "", expected);
}

static void debian_form(void **state)
{
	(void)state;
	assert_ro_file("process = \"system_u:system_r:container_t:s0\"\n"
		       "file = \"system_u:object_r:container_file_t:s0\"\n"
		       "ro_file = \"system_u:object_r:container_ro_file_t:s0\"\n",
		       "system_u:object_r:container_ro_file_t:s0");
}

static void blanks_and_last_line_without_end(void **state)
{
	(void)state;
	assert_ro_file("  ro_file=\"a:b:c\"", "a:b:c");
	assert_ro_file("\tro_file  =   \"a:b:c:s0:c1,c2\"  \n", "a:b:c:s0:c1,c2");
}

static void comments_do_not_count(void **state)
{
	(void)state;
	assert_ro_file("# ro_file = \"no\"\n#ro_file = \"no\"\nro_file = \"yes\"\n", "yes");
	assert_ro_file("# ro_file = \"no\"\n", "");
}

static void similar_keys_do_not_count(void **state)
{
	(void)state;
	assert_ro_file("xro_file = \"no\"\nro_file_x = \"no\"\nfile = \"no\"\n", "");
}

static void malformed_lines_do_not_count(void **state)
{
	(void)state;
	assert_ro_file("ro_file\nro_file =\nro_file = bare\nro_file = \"\"\n=\n\"\"\n\n", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(debian_form),
		cmocka_unit_test(blanks_and_last_line_without_end),
		cmocka_unit_test(comments_do_not_count),
		cmocka_unit_test(similar_keys_do_not_count),
		cmocka_unit_test(malformed_lines_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
