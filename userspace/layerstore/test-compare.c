// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What differs between two trees, told in order.
 */
#include "compare.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "test.h"
#include "util.h"

struct place {
	char dir[32], trees[2][64];
	int fds[2];
	char told[1024];
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->dir, "/var/tmp/compare-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	for (int i = 0; i < 2; i++) {
		snprintf(p->trees[i], sizeof(p->trees[i]), "%s/%d", p->dir, i);
		assert_int_equal(mkdir(p->trees[i], 0755), 0);
		p->fds[i] = open(p->trees[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(p->fds[i] >= 0);
	}
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	close(p->fds[0]);
	close(p->fds[1]);
	test_remove_folder(p->dir);
	free(p);
	return 0;
}

/* "a/" is a directory, all else a file with that text as its content; of one time. */
static void put(int tree, const char *path, const char *text)
{
	const struct timespec times[] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	int fd;

	if (path[strlen(path) - 1] == '/') {
		assert_int_equal(mkdirat(tree, path, 0755), 0);
		return;
	}
	fd = openat(tree, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

static void put_both(struct place *p, const char *path)
{
	put(p->fds[0], path, "both");
	put(p->fds[1], path, "both");
}

static int tell(const char *path, enum change kind, void *userdata)
{
	struct place *p = userdata;

	strcat(p->told, kind == CHANGE_MODIFIED ? " C" : kind == CHANGE_ADDED ? " A" : " D");
	strcat(p->told, path);
	return streq(path, "/stop") ? 42 : 0;
}

static const char *compare(struct place *p, int lower)
{
	struct layer_error error;

	p->told[0] = 0;
	assert_int_equal(compare_trees(lower, p->fds[1], tell, p, &error), 0);
	return p->told;
}

static void test_kinds(void **state)
{
	struct place *p = *state;

	put_both(p, "dir/");
	put_both(p, "dir/deep/");
	put_both(p, "dir/deep/same");
	put_both(p, "same");
	put_both(p, "lost+found/");
	put(p->fds[1], "lost+found/x", "");
	assert_string_equal(compare(p, p->fds[0]), "");
	put(p->fds[1], "dir/deep/new", "");
	put(p->fds[1], "dir.txt", "");
	put(p->fds[0], "dir/old", "");
	put(p->fds[0], "olddir/", "");
	put(p->fds[0], "olddir/x", "");
	put(p->fds[1], "same", "longer");
	assert_string_equal(compare(p, p->fds[0]),
			    " C/dir C/dir/deep A/dir/deep/new D/dir/old A/dir.txt D/olddir C/same");
	assert_string_equal(compare(p, -1),
			    " A/dir A/dir/deep A/dir/deep/new A/dir/deep/same A/dir.txt A/same");
}

static void test_metadata(void **state)
{
	struct place *p = *state;
	static const char *const names[] = {
		"mode", "owner", "group", "time", "target", "same", "later",
	};
	const struct timespec times[] = { { .tv_sec = 1000 }, { .tv_sec = 1000, .tv_nsec = 1 } };
	const struct timespec later[] = { { .tv_sec = 1000 }, { .tv_sec = 1001 } };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		put_both(p, names[i]);
	put_both(p, "folder/");
	assert_int_equal(fchmodat(p->fds[1], "mode", 04644, 0), 0);
	assert_int_equal(fchownat(p->fds[1], "owner", 70000, -1, 0), 0);
	assert_int_equal(fchownat(p->fds[1], "group", -1, 70000, 0), 0);
	assert_int_equal(utimensat(p->fds[1], "time", times, 0), 0);
	assert_int_equal(utimensat(p->fds[1], "later", later, 0), 0);
	assert_int_equal(utimensat(p->fds[1], "folder", times, 0), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(unlinkat(p->fds[i], "target", 0), 0);
		assert_int_equal(symlinkat(i ? "one" : "two", p->fds[i], "target"), 0);
		assert_int_equal(utimensat(p->fds[i], "target", times, AT_SYMLINK_NOFOLLOW), 0);
	}
	assert_string_equal(compare(p, p->fds[0]),
			    " C/group C/later C/mode C/owner C/target C/time");
	assert_int_equal(fchmodat(p->fds[1], "folder", 0700, 0), 0);
	assert_string_equal(compare(p, p->fds[0]),
			    " C/folder C/group C/later C/mode C/owner C/target C/time");
}

static void put_xattr(int tree, const char *path, const char *name, const char *value)
{
	int fd = openat(tree, path, O_RDONLY | O_CLOEXEC);

	assert_int_equal(fsetxattr(fd, name, value, strlen(value), 0), 0);
	close(fd);
}

static void test_xattrs(void **state)
{
	struct place *p = *state;
	static const char *const names[] = { "less", "more", "name", "order", "value" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		put_both(p, names[i]);
	put_xattr(p->fds[0], "less", "user.a", "1");
	put_xattr(p->fds[1], "more", "user.a", "1");
	for (int i = 0; i < 2; i++) {
		put_xattr(p->fds[i], "name", i ? "user.a" : "user.b", "1");
		put_xattr(p->fds[i], "order", i ? "user.a" : "user.b", "1");
		put_xattr(p->fds[i], "order", i ? "user.b" : "user.a", "1");
		put_xattr(p->fds[i], "value", "user.a", i ? "1" : "2");
	}
	assert_string_equal(compare(p, p->fds[0]), " C/less C/more C/name C/value");
}

static void put_device(int tree, const char *path, mode_t type, dev_t number)
{
	const struct timespec times[] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };

	assert_int_equal(mknodat(tree, path, type | 0600, number), 0);
	assert_int_equal(utimensat(tree, path, times, 0), 0);
}

static void test_devices(void **state)
{
	struct place *p = *state;

	for (int i = 0; i < 2; i++) {
		put_device(p->fds[i], "number", S_IFCHR, makedev(1, 3 + i));
		put_device(p->fds[i], "same", S_IFBLK, makedev(7, 70000));
		put_device(p->fds[i], "type", i ? S_IFCHR : S_IFBLK, makedev(1, 3));
	}
	assert_string_equal(compare(p, p->fds[0]), " C/number C/type");
}

static void test_new_names(void **state)
{
	struct place *p = *state;

	put_both(p, "old");
	put_both(p, "other");
	put_both(p, "dir/");
	put_both(p, "dir/file");
	for (int i = 0; i < 2; i++)
		assert_int_equal(linkat(p->fds[i], "dir/file", p->fds[i], "link", 0), 0);
	assert_string_equal(compare(p, p->fds[0]), "");
	/* One name less is all that there is to say. */
	assert_int_equal(unlinkat(p->fds[1], "link", 0), 0);
	assert_string_equal(compare(p, p->fds[0]), " D/link");
	/* As many as before, one of which is new. */
	assert_int_equal(linkat(p->fds[1], "dir/file", p->fds[1], "new", 0), 0);
	assert_string_equal(compare(p, p->fds[0]), " C/dir C/dir/file D/link A/new");
	assert_int_equal(linkat(p->fds[1], "old", p->fds[1], "a", 0), 0);
	assert_string_equal(compare(p, p->fds[0]),
			    " A/a C/dir C/dir/file D/link A/new C/old");
	assert_string_equal(compare(p, -1),
			    " A/a A/dir A/dir/file A/new A/old A/other");
}

/* Only that of a file system itself is nobody's. */
static void test_lost_and_found(void **state)
{
	struct place *p = *state;

	put_both(p, "dir/");
	put(p->fds[0], "lost+found/", "");
	put(p->fds[1], "dir/lost+found/", "");
	assert_string_equal(compare(p, p->fds[0]), " C/dir A/dir/lost+found");
}

static void test_types(void **state)
{
	struct place *p = *state;

	put(p->fds[0], "a", "");
	put(p->fds[1], "a/", "");
	put(p->fds[1], "a/x", "");
	put(p->fds[0], "b/", "");
	put(p->fds[0], "b/x", "");
	put(p->fds[1], "b", "");
	/* A link to a directory is none. */
	put_both(p, "c/");
	put_both(p, "c/x");
	assert_int_equal(unlinkat(p->fds[1], "c/x", 0), 0);
	assert_int_equal(unlinkat(p->fds[1], "c", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("/", p->fds[1], "c"), 0);
	assert_string_equal(compare(p, p->fds[0]), " C/a A/a/x C/b C/c");
}

static void test_end(void **state)
{
	struct place *p = *state;
	struct layer_error error;

	put(p->fds[1], "a", "");
	put(p->fds[1], "stop", "");
	put(p->fds[1], "z", "");
	assert_int_equal(compare_trees(p->fds[0], p->fds[1], tell, p, &error), 42);
	assert_string_equal(p->told, " A/a A/stop");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_kinds), TEST(test_metadata), TEST(test_xattrs), TEST(test_devices),
		TEST(test_new_names), TEST(test_lost_and_found), TEST(test_types),
		TEST(test_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
