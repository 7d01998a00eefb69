// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reading the mount table.
 */
#include "mountinfo.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sys/sysmacros.h>

#include "util.h"

static void entry_free(struct mountinfo_entry *entry)
{
	free(entry->path);
	free(entry->type);
}

static void line_of_each_form(void **state)
{
	const struct {
		const char *line;
		const char *path;
		dev_t dev;
		const char *type;
	} cases[] = {
		{ "36 35 98:0 /root /path rw,noatime master:1 - ext3 /dev/root rw,errors=panic\n",
		  "/path", makedev(98, 0), "ext3" },
		{ "36 35 253:3 / /p ro,nodev - ext4 /dev/mapper/web ro\n",
		  "/p", makedev(253, 3), "ext4" },
		{ "36 35 0:44 / /p rw shared:1 master:2 propagate_from:3 - overlay a - b ro\n",
		  "/p", makedev(0, 44), "overlay" },
		{ "36 35 0:44 / /with\\040blank\\134and\\011tab ro - tmpfs t rw\n",
		  "/with blank\\and\ttab", makedev(0, 44), "tmpfs" },
		{ "36 35 0:44 / /not\\09octal ro - tmpfs t rw\n",
		  "/not\\09octal", makedev(0, 44), "tmpfs" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mountinfo_entry entry;

		assert_int_equal(mountinfo_parse_line(cases[i].line, &entry), 0);
		assert_string_equal(entry.path, cases[i].path);
		assert_string_equal(entry.type, cases[i].type);
		assert_true(entry.dev == cases[i].dev);
		assert_false(entry.claimed);
		entry_free(&entry);
	}
}

static void malformed_lines_are_refused(void **state)
{
	const char *const lines[] = {
		"", "\n", "x", "36", "36 35 98 / /p rw - ext4 a b", "36 35 98:0 /root",
		"36 35 98:0 /root /path", "36 35 98:0 /root /path rw", "36 35 98:0 / /p rw -",
		"36 35 98:0 / /p rw - ", "36 35 98:0 / /p rw ext4 /dev/x rw",
	};
	struct mountinfo_entry entry;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_int_equal(mountinfo_parse_line(lines[i], &entry), -EBADMSG);
}

/* A file of its own with @text in it. */
static char *make_file(const char *text)
{
	char *path = strdup("/tmp/test-mountinfo.XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	return path;
}

static int read_table(const char *text, struct mountinfo *ret)
{
	cleanup_free char *path = make_file(text);
	int r = mountinfo_read(path, "/run/rootview", ret);

	unlink(path);
	return r;
}

static const char table_text[] =
	"1 0 0:1 / / rw - rootfs r rw\n"
	"2 1 0:2 / /run/rootview/views/o/b ro - ext4 x ro\n"
	"3 1 0:3 /rootview /run/rootview rw - tmpfs t rw\n"
	"4 1 0:4 / /run/rootviewer rw - tmpfs t rw\n"
	"5 1 0:5 / /run/rootview/views/o/a ro - overlay x ro\n"
	"6 1 0:6 / /run/rootview/views/o/twice ro - ext4 x ro\n"
	"7 1 0:7 / /run/rootview/views/o/twice ro - ext4 x ro\n";

static void only_what_is_below_the_folder(void **state)
{
	struct mountinfo table;

	(void)state;
	assert_int_equal(read_table(table_text, &table), 0);
	assert_int_equal(table.n, 5);
	assert_string_equal(table.entries[0].path, "/run/rootview");
	assert_null(mountinfo_find(&table, "/run/rootviewer"));
	mountinfo_free(&table);
}

static void finds_by_path(void **state)
{
	struct mountinfo table;

	(void)state;
	assert_int_equal(read_table(table_text, &table), 0);
	assert_string_equal(mountinfo_find(&table, "/run/rootview/views/o/a")->type, "overlay");
	assert_true(mountinfo_find(&table, "/run/rootview/views/o/b")->dev == makedev(0, 2));
	assert_null(mountinfo_find(&table, "/run/rootview/views/o"));
	mountinfo_free(&table);
}

static void stacked_mounts_are_not_found(void **state)
{
	struct mountinfo table;

	(void)state;
	assert_int_equal(read_table(table_text, &table), 0);
	assert_null(mountinfo_find(&table, "/run/rootview/views/o/twice"));
	mountinfo_free(&table);
}

static void empty_table_finds_nothing(void **state)
{
	struct mountinfo table;

	(void)state;
	assert_int_equal(read_table("", &table), 0);
	assert_int_equal(table.n, 0);
	assert_null(mountinfo_find(&table, "/run/rootview"));
	mountinfo_free(&table);
}

static void failures_leave_nothing(void **state)
{
	struct mountinfo table;

	(void)state;
	assert_int_equal(read_table("1 0 0:1 / /run/rootview rw - tmpfs t rw\nnonsense\n", &table),
			 -EBADMSG);
	assert_int_equal(mountinfo_read("/nonexistent", "/", &table), -ENOENT);
}

static void reads_the_real_one(void **state)
{
	struct mountinfo table;

	(void)state;
	assert_int_equal(mountinfo_read("/proc/self/mountinfo", "", &table), 0);
	mountinfo_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_of_each_form),
		cmocka_unit_test(malformed_lines_are_refused),
		cmocka_unit_test(only_what_is_below_the_folder),
		cmocka_unit_test(finds_by_path),
		cmocka_unit_test(stacked_mounts_are_not_found),
		cmocka_unit_test(empty_table_finds_nothing),
		cmocka_unit_test(failures_leave_nothing),
		cmocka_unit_test(reads_the_real_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
