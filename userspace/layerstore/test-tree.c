// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Directory trees: no path leads out, and how deep one is does not matter.
 */
#include "tree.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>

#include "util.h"

struct place {
	char dir[32];
	int top, root;		/* @root is "root" in @top */
};

static int open_folder(int parent, const char *name)
{
	int fd;

	assert_int_equal(mkdirat(parent, name, 0755), 0);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void put(int folder, const char *name)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	close(fd);
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->dir, "/var/tmp/tree-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	p->top = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p->root = open_folder(p->top, "root");
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	close(p->root);
	close(p->top);
	assert_int_equal(tree_remove(AT_FDCWD, p->dir), 0);
	assert_int_equal(access(p->dir, F_OK), -1);
	free(p);
	return 0;
}

static void test_open(void **state)
{
	struct place *p = *state;
	int fd;

	close(open_folder(p->root, "dir"));
	put(p->root, "dir/file");
	put(p->top, "outside");
	assert_int_equal(symlinkat("dir", p->root, "link"), 0);
	assert_int_equal(symlinkat("../..", p->root, "up"), 0);
	fd = tree_open(p->root, "dir/file", O_PATH);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(tree_open(p->root, "link/file", O_PATH), -ELOOP);
	assert_int_equal(tree_open(p->root, "../outside", O_PATH), -EXDEV);
	fd = tree_open_followed(p->root, "link");
	assert_true(fd >= 0);
	assert_int_equal(faccessat(fd, "file", F_OK, 0), 0);
	close(fd);
	/* As of "/", what is above is the root itself. */
	fd = tree_open_followed(p->root, "up");
	assert_true(fd >= 0);
	assert_int_equal(faccessat(fd, "dir", F_OK, 0), 0);
	close(fd);
}

/* What a link leads to stays, also from deep below. */
static void test_remove(void **state)
{
	struct place *p = *state;
	int one, two;

	put(p->top, "kept");
	one = open_folder(p->root, "0");
	two = open_folder(one, "0");
	put(two, "file");
	close(open_folder(two, "1"));
	close(open_folder(one, "1"));
	assert_int_equal(symlinkat("../../../../kept", two, "link"), 0);
	assert_int_equal(symlinkat("../../..", two, "up"), 0);
	close(one);
	close(two);
	assert_int_equal(tree_remove(p->root, "none"), 0);
	assert_int_equal(tree_remove(p->root, "0"), 0);
	assert_int_equal(faccessat(p->root, "0", F_OK, 0), -1);
	assert_int_equal(faccessat(p->top, "kept", F_OK, 0), 0);
}

/* Deeper than there are descriptors, and than a path can be long. */
static void test_remove_deep(void **state)
{
	struct place *p = *state;
	struct rlimit old, few = { .rlim_cur = 32 };
	int deep = dup(p->root);

	for (int i = 0; i < 3000; i++) {
		int next = open_folder(deep, "dir");

		put(deep, "file");
		close(deep);
		deep = next;
	}
	close(deep);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(tree_remove(p->root, "dir"), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(faccessat(p->root, "dir", F_OK, 0), -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_open), TEST(test_remove), TEST(test_remove_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
