// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a store knows of its layers: what is put in comes out, also after the
 * file was closed; what must not be is refused.
 */
#include "records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* The others first: it wants them. */
#include <cmocka.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "util.h"

static char folder[64], path[128];
static struct records *records;
static struct layer_error error;

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test-records.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/layers.sqlite", folder);
	return records_open(path, &records, &error);
}

static int teardown(void **state)
{
	static const char *const endings[] = { "", "-wal", "-shm", "-journal" };
	char file[160];

	(void)state;
	records_close(records);
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		snprintf(file, sizeof(file), "%s%s", path, endings[i]);
		unlink(file);
	}
	return rmdir(folder);
}

static void reopen(void)
{
	records_close(records);
	assert_int_equal(records_open(path, &records, &error), 0);
}

static int add(uint32_t number, const char *id, const char *parent)
{
	struct record record = { .number = number, .state = RECORD_MAKING, .size = 1 << 30,
				 .has_parent = parent };

	snprintf(record.id, sizeof(record.id), "%s", id);
	snprintf(record.parent, sizeof(record.parent), "%s", parent ?: "");
	return records_add(records, &record, &error);
}

static void add_base(void)
{
	assert_int_equal(add(1000, RECORD_BASE, NULL), 0);
}

static void test_added(void **state)
{
	struct record found;

	(void)state;
	add_base();
	assert_int_equal(add(0xffffff, "a", RECORD_BASE), 0);
	reopen();
	assert_int_equal(records_find(records, "a", &found, &error), 0);
	assert_int_equal(found.number, 0xffffff);
	assert_int_equal(found.state, RECORD_MAKING);
	assert_int_equal(found.size, 1 << 30);
	assert_false(found.active);
	assert_true(found.has_parent);
	assert_string_equal(found.id, "a");
	assert_string_equal(found.parent, "");
	assert_int_equal(records_find(records, RECORD_BASE, &found, &error), 0);
	assert_false(found.has_parent);
}

static void test_changed(void **state)
{
	struct record found;

	(void)state;
	add_base();
	assert_int_equal(records_set_state(records, 1000, RECORD_READY, &error), 0);
	assert_int_equal(records_set_active(records, 1000, true, &error), 0);
	reopen();
	assert_int_equal(records_find(records, RECORD_BASE, &found, &error), 0);
	assert_int_equal(found.state, RECORD_READY);
	assert_true(found.active);
}

static void test_refused(void **state)
{
	struct record found;

	(void)state;
	add_base();
	assert_int_equal(add(1, "a", RECORD_BASE), 0);
	assert_int_equal(add(2, "a", RECORD_BASE), -1);
	assert_int_equal(error.code, LAYER_EXISTS);
	assert_int_equal(add(1, "b", RECORD_BASE), -1);
	assert_int_equal(error.code, LAYER_EXISTS);
	assert_int_equal(add(2, "b", "nobody"), -1);
	assert_int_equal(error.code, LAYER_NO_SUCH);
	assert_int_equal(add(0x1000000, "b", RECORD_BASE), -1);
	assert_int_equal(error.code, LAYER_FAILED);
	assert_int_equal(records_find(records, "b", &found, &error), -1);
	assert_int_equal(error.code, LAYER_NO_SUCH);
	assert_non_null(strstr(error.message, "\"b\""));
}

static void test_forgotten(void **state)
{
	struct record found;
	uint64_t n;

	(void)state;
	add_base();
	assert_int_equal(add(1, "a", RECORD_BASE), 0);
	assert_int_equal(records_count_children(records, 1000, &n, &error), 0);
	assert_int_equal(n, 1);
	assert_int_equal(records_forget(records, 1000, &error), -1);
	assert_int_equal(error.code, LAYER_HAS_CHILDREN);
	assert_int_equal(records_forget(records, 1, &error), 0);
	assert_int_equal(records_find(records, "a", &found, &error), -1);
	assert_int_equal(records_count_children(records, 1000, &n, &error), 0);
	assert_int_equal(n, 0);
	assert_int_equal(records_forget(records, 1000, &error), 0);
}

static uint32_t free_number(uint32_t first, uint32_t last)
{
	uint32_t number;

	assert_int_equal(records_free_number(records, first, last, &number, &error), 0);
	return number;
}

static void test_free_numbers(void **state)
{
	uint32_t number;

	(void)state;
	add_base();
	assert_int_equal(free_number(1000, 1003), 1001);
	assert_int_equal(free_number(5, 7), 5);
	assert_int_equal(add(1003, "a", RECORD_BASE), 0);
	/* The highest is taken: now there are gaps. */
	assert_int_equal(free_number(1000, 1003), 1001);
	assert_int_equal(add(1001, "b", RECORD_BASE), 0);
	assert_int_equal(free_number(1000, 1003), 1002);
	assert_int_equal(free_number(999, 1003), 999);
	assert_int_equal(add(1002, "c", RECORD_BASE), 0);
	assert_int_equal(records_free_number(records, 1000, 1003, &number, &error), -1);
	assert_non_null(strstr(error.message, "more than 4 layers"));
}

static void test_listed_parents_first(void **state)
{
	static const char *const wanted[] = { RECORD_BASE, "a", "d", "b", "c" };
	cleanup_free struct record *list = NULL;
	size_t n;

	(void)state;
	add_base();
	assert_int_equal(add(30, "a", RECORD_BASE), 0);
	assert_int_equal(add(20, "b", "a"), 0);
	assert_int_equal(add(10, "c", "b"), 0);
	assert_int_equal(add(40, "d", RECORD_BASE), 0);
	assert_int_equal(records_list(records, &list, &n, &error), 0);
	assert_int_equal(n, ARRAY_SIZE(wanted));
	for (size_t i = 0; i < n; i++)
		assert_string_equal(list[i].id, wanted[i]);
	assert_string_equal(list[4].parent, "b");
}

static void test_nothing_listed(void **state)
{
	cleanup_free struct record *list = NULL;
	size_t n = 1;

	(void)state;
	assert_int_equal(records_list(records, &list, &n, &error), 0);
	assert_int_equal(n, 0);
}

static void assert_note(const char *id, const char *key, const char *value)
{
	cleanup_free char *found = NULL;

	assert_int_equal(records_get_note(records, id, key, &found, &error), 0);
	if (value)
		assert_string_equal(found, value);
	else
		assert_null(found);
}

static void test_notes(void **state)
{
	char *value;

	(void)state;
	add_base();
	assert_int_equal(add(1, "a", RECORD_BASE), 0);
	assert_note("a", "k", NULL);
	assert_int_equal(records_set_note(records, "a", "k", "'; DROP TABLE layer", &error), 0);
	assert_int_equal(records_set_note(records, "a", "l", "", &error), 0);
	reopen();
	assert_note("a", "k", "'; DROP TABLE layer");
	assert_note("a", "l", "");
	assert_int_equal(records_set_note(records, "a", "k", "new", &error), 0);
	assert_note("a", "k", "new");
	assert_int_equal(records_set_note(records, "a", "k", NULL, &error), 0);
	assert_note("a", "k", NULL);
	assert_int_equal(records_set_note(records, "b", "k", "v", &error), -1);
	assert_int_equal(error.code, LAYER_NO_SUCH);
	assert_int_equal(records_get_note(records, "b", "k", &value, &error), -1);
	assert_int_equal(error.code, LAYER_NO_SUCH);

	/* They go with their layer: another one of that number has none. */
	assert_int_equal(records_forget(records, 1, &error), 0);
	assert_int_equal(add(1, "a", RECORD_BASE), 0);
	assert_note("a", "l", NULL);
}

static void test_settings(void **state)
{
	cleanup_free char *value = NULL;

	(void)state;
	assert_int_equal(records_get_setting(records, "x", &value, &error), 0);
	assert_null(value);
	assert_int_equal(records_set_setting(records, "x", "1", &error), 0);
	assert_int_equal(records_set_setting(records, "x", "2", &error), 0);
	reopen();
	assert_int_equal(records_get_setting(records, "x", &value, &error), 0);
	assert_string_equal(value, "2");
}

static void test_one_process(void **state)
{
	struct records *second;
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0)
		_exit(records_open(path, &second, &error) == 0 || error.code != LAYER_IN_USE);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_killed(void **state)
{
	struct record found;
	int status;
	pid_t pid;

	(void)state;
	records_close(records);
	pid = fork();
	if (pid == 0) {
		if (records_open(path, &records, &error) == 0 && add(7, RECORD_BASE, NULL) == 0)
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(records_open(path, &records, &error), 0);
	assert_int_equal(records_find(records, RECORD_BASE, &found, &error), 0);
	assert_int_equal(found.number, 7);
}

static void test_no_database(void **state)
{
	FILE *file;

	(void)state;
	records_close(records);
	records = NULL;
	file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		fputs("no database ", file);
	fclose(file);
	assert_int_equal(records_open(path, &records, &error), -1);
	assert_int_equal(error.code, LAYER_FAILED);
	assert_non_null(strstr(error.message, path));
}

static void test_other_version(void **state)
{
	(void)state;
	assert_int_equal(records_set_setting(records, "version", "77", &error), 0);
	records_close(records);
	records = NULL;
	assert_int_equal(records_open(path, &records, &error), -1);
	assert_int_equal(error.code, LAYER_INVALID);
	assert_non_null(strstr(error.message, "version 77"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_added), TEST(test_changed), TEST(test_refused), TEST(test_forgotten),
		TEST(test_free_numbers), TEST(test_listed_parents_first),
		TEST(test_nothing_listed), TEST(test_notes), TEST(test_settings),
		TEST(test_one_process), TEST(test_killed), TEST(test_no_database),
		TEST(test_other_version),
	};

	return cmocka_run_group_tests_name("records", tests, NULL, NULL);
}
