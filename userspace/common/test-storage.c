// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The file that remembers the thin pool: what is read, what is refused, what is
 * written.
 */
#include "storage.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "util.h"

static char path[32];

static int make_file(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/test-storage.XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void assert_file(const char *text)
{
	cleanup_fclose FILE *file = fopen(path, "r");
	char found[2048];

	assert_non_null(file);
	found[fread(found, 1, sizeof(found) - 1, file)] = '\0';
	assert_string_equal(found, text);
}

static void reads(void **state)
{
	char error[STORAGE_ERROR_SIZE] = "";
	struct storage s;

	(void)state;
	assert_int_equal(storage_read("/nonexistent/file", &s, error), 0);
	assert_false(storage_is_set(&s));
	write_file("# a comment\n\n\t# another\nDEVICE=/dev/sdb \t\nSIZE=\nVG=a=b");
	assert_int_equal(storage_read(path, &s, error), 0);
	assert_true(storage_is_set(&s));
	assert_string_equal(s.device, "/dev/sdb");
	assert_string_equal(s.vg, "a=b");
	assert_string_equal(s.size, "");
	assert_string_equal(s.uuid, "");
}

static void refuses(void **state)
{
	char too_long[STORAGE_VALUE_SIZE + 10] = "LV=";
	const struct {
		const char *text;
		const char *fault;
	} bad[] = {
		{ "DEVICE\n", "line 1 is not KEY=value" },
		{ "#\nDEVICE=a b\n", "line 2 has white space in its value" },
		{ "DEVICES=a\n", "line 1 has no key that is known" },
		{ " DEVICE=a\n", "line 1 has no key that is known" },
		{ "VG=a\nVG=a\n", "line 2 is there twice" },
		{ too_long, "line 1 is too long" },
	};

	(void)state;
	memset(too_long + 3, 'x', STORAGE_VALUE_SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char error[STORAGE_ERROR_SIZE] = "";
		struct storage s;

		write_file(bad[i].text);
		assert_int_equal(storage_read(path, &s, error), -1);
		assert_non_null(strstr(error, path));
		assert_string_equal(error + strlen(path) + 2, bad[i].fault);
	}
}

static void writes(void **state)
{
	struct storage s = { .vg = "vg", .lv = "pool", .size = "90%" };
	char error[STORAGE_ERROR_SIZE] = "", folder[] = "/nonexistent/file";

	(void)state;
	write_file("LV=old\n# mine\n\nVG=vg\n");
	assert_int_equal(storage_write(path, &s, error), 0);
	assert_file("# mine\n\nVG=vg\nLV=pool\nSIZE=90%\n");
	strcpy(s.pool, "/dev/mapper/vg-pool");
	assert_int_equal(storage_write(path, &s, error), 0);
	assert_file("# mine\n\nVG=vg\nLV=pool\nSIZE=90%\nPOOL=/dev/mapper/vg-pool\n");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(storage_write(path, &s, error), 0);
	assert_file("# The thin pool of rootview's layers, by rootview-storage-setup.\n"
		    "VG=vg\nLV=pool\nSIZE=90%\nPOOL=/dev/mapper/vg-pool\n");
	assert_int_equal(storage_write(folder, &s, error), -1);
	assert_string_equal(error, "cannot write /nonexistent/file: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(refuses),
		cmocka_unit_test(writes),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
