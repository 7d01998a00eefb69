// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where mounts may be put, and which are taken away again.  A tmpfs is as good as
 * a view here; it lies in a mount namespace of the test's own.
 */
#include "rootview.h"

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "util.h"

#define FOLDER "/tmp/rootview-attachment"

static bool may_mount;

static int enter_namespace(void **state)
{
	(void)state;
	may_mount = unshare(CLONE_NEWNS) == 0;
	/* Fails in a root folder that is no mount: who made that has seen to it. */
	if (may_mount)
		(void)mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
	return 0;
}

/* Folders "a" and "b", and a symbolic link to the first; "file". */
static int set_up(void **state)
{
	(void)state;
	if (!may_mount)
		return 0;
	if ((mkdir(FOLDER, 0755) < 0 && errno != EEXIST) ||
	    mount("test", FOLDER, "tmpfs", 0, NULL) < 0 || chdir(FOLDER) < 0)
		return -1;
	if (mkdir("a", 0755) < 0 || mkdir("b", 0755) < 0 || mkdir("b/c", 0755) < 0 ||
	    symlink("b", "link") < 0)
		return -1;
	return mknod("file", S_IFREG | 0644, 0);
}

static int tear_down(void **state)
{
	(void)state;
	if (!may_mount)
		return 0;
	return chdir("/") < 0 || umount2(FOLDER, MNT_DETACH) < 0 || rmdir(FOLDER) < 0 ? -1 : 0;
}

/* A new file system, mounted and attached nowhere, with an empty file "mine". */
static int new_mount(void)
{
	cleanup_close int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), file = -1;
	int fd;

	assert_return_code(fs, errno);
	assert_return_code(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), errno);
	fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	assert_return_code(fd, errno);
	file = openat(fd, "mine", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	assert_return_code(file, errno);
	return fd;
}

static int clone_mount(int fd)
{
	int clone = open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	assert_return_code(clone, errno);
	return clone;
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

#define skip_unless_root() do { if (!may_mount) skip(); } while (0)

static void attached_and_detached(void **state)
{
	cleanup_close int fd = -1;

	(void)state;
	skip_unless_root();
	fd = new_mount();
	assert_int_equal(rootview_attach(fd, FOLDER "/a"), 0);
	assert_true(exists(FOLDER "/a/mine"));
	assert_int_equal(rootview_detach(fd, FOLDER "/a"), 0);
	assert_false(exists(FOLDER "/a/mine"));
	assert_true(exists(FOLDER "/a"));
}

static void relative_path(void **state)
{
	cleanup_close int fd = -1;

	(void)state;
	skip_unless_root();
	fd = new_mount();
	assert_int_equal(rootview_attach(fd, "b/c"), 0);
	assert_true(exists(FOLDER "/b/c/mine"));
	assert_int_equal(rootview_detach(fd, "b/c"), 0);
}

static void folder_of_somebody_else(void **state)
{
	cleanup_close int fd = -1;

	(void)state;
	skip_unless_root();
	fd = new_mount();
	assert_return_code(chown("b", 65534, 65534), errno);
	assert_return_code(chmod("b", 0700), errno);
	assert_int_equal(rootview_attach(fd, FOLDER "/b/c"), 0);
	assert_true(exists(FOLDER "/b/c/mine"));
	assert_int_equal(rootview_detach(fd, FOLDER "/b/c"), 0);
}

static void no_symbolic_link_is_followed(void **state)
{
	cleanup_close int fd = -1;

	(void)state;
	skip_unless_root();
	fd = new_mount();
	assert_int_equal(rootview_attach(fd, FOLDER "/link"), -ELOOP);
	assert_int_equal(rootview_attach(fd, FOLDER "/link/"), -ELOOP);
	assert_int_equal(rootview_attach(fd, FOLDER "/link/c"), -ELOOP);
	assert_int_equal(rootview_attach(fd, "/proc/self/cwd/b"), -ELOOP);
	assert_false(exists("b/mine") || exists("b/c/mine"));

	/* What is there stays there. */
	assert_int_equal(rootview_attach(fd, FOLDER "/b"), 0);
	assert_int_equal(rootview_detach(fd, FOLDER "/link"), -ELOOP);
	assert_true(exists("b/mine"));
}

static void no_folder(void **state)
{
	cleanup_close int fd = -1;

	(void)state;
	skip_unless_root();
	fd = new_mount();
	assert_int_equal(rootview_attach(fd, FOLDER "/file"), -ENOTDIR);
	assert_int_equal(rootview_attach(fd, FOLDER "/none"), -ENOENT);
	assert_int_equal(rootview_attach(fd, ""), -EINVAL);
	assert_int_equal(rootview_attach(fd, NULL), -EINVAL);
	assert_int_equal(rootview_detach(fd, FOLDER "/none"), -ENOENT);
	assert_int_equal(rootview_detach(fd, NULL), -EINVAL);
}

static void no_mount(void **state)
{
	cleanup_close int folder = -1, file = -1, inside = -1, fd = -1;

	(void)state;
	skip_unless_root();
	fd = new_mount();
	folder = open("b", O_PATH | O_CLOEXEC);
	file = open("file", O_RDONLY | O_CLOEXEC);
	assert_return_code(mkdirat(fd, "inside", 0755), errno);
	inside = openat(fd, "inside", O_PATH | O_CLOEXEC);
	assert_int_equal(rootview_attach(-1, FOLDER "/a"), -EBADF);
	assert_int_equal(rootview_attach(folder, FOLDER "/a"), -EBADF);
	assert_int_equal(rootview_attach(file, FOLDER "/a"), -EBADF);
	assert_int_equal(rootview_attach(inside, FOLDER "/a"), -EBADF);
	assert_int_equal(rootview_attach(fd, FOLDER "/a"), 0);
	assert_int_equal(rootview_detach(-1, FOLDER "/a"), -EBADF);
	assert_int_equal(rootview_detach(folder, FOLDER "/a"), -EBADF);
	assert_true(exists("a/mine"));
}

/* By itself, the kernel would move it. */
static void attached_once_only(void **state)
{
	cleanup_close int fd = -1;

	(void)state;
	skip_unless_root();
	fd = new_mount();
	assert_int_equal(rootview_attach(fd, FOLDER "/a"), 0);
	assert_int_equal(rootview_attach(fd, FOLDER "/b"), -EBADF);
	assert_true(exists("a/mine"));
	assert_false(exists("b/mine"));
	assert_int_equal(rootview_detach(fd, FOLDER "/a"), 0);
	assert_int_equal(rootview_attach(fd, FOLDER "/a"), -EBADF);
}

static void nothing_else_is_taken_away(void **state)
{
	cleanup_close int fd = -1, other = -1;

	(void)state;
	skip_unless_root();
	fd = new_mount();
	other = new_mount();
	assert_int_equal(rootview_detach(fd, FOLDER "/a"), -EINVAL);
	assert_int_equal(rootview_attach(other, FOLDER "/a"), 0);
	assert_int_equal(rootview_detach(fd, FOLDER "/a"), -EXDEV);
	assert_int_equal(rootview_detach(fd, FOLDER), -EXDEV);
	assert_int_equal(rootview_detach(fd, FOLDER "/b"), -EINVAL);
	assert_true(exists("a/mine"));
	assert_int_equal(rootview_detach(other, FOLDER "/a"), 0);
}

/* It lies below another one: that one goes first. */
static void covered_by_another(void **state)
{
	cleanup_close int fd = -1, other = -1;

	(void)state;
	skip_unless_root();
	fd = new_mount();
	other = new_mount();
	assert_int_equal(rootview_attach(fd, FOLDER "/a"), 0);
	assert_int_equal(rootview_attach(other, FOLDER "/a"), 0);
	assert_int_equal(rootview_detach(fd, FOLDER "/a"), -EXDEV);
	assert_int_equal(rootview_detach(other, FOLDER "/a"), 0);
	assert_int_equal(rootview_detach(fd, FOLDER "/a"), 0);
	assert_int_equal(rootview_detach(fd, FOLDER "/a"), -EINVAL);
}

/* Who has not kept the descriptor has another one of the same files. */
static void known_by_its_files(void **state)
{
	cleanup_close int fd = -1, first = -1, second = -1;

	(void)state;
	skip_unless_root();
	fd = new_mount();
	first = clone_mount(fd);
	second = clone_mount(fd);
	assert_int_equal(rootview_attach(first, FOLDER "/a"), 0);
	assert_int_equal(rootview_attach(second, FOLDER "/b"), 0);
	assert_int_equal(rootview_detach(second, FOLDER "/a"), -EXDEV);
	assert_int_equal(rootview_detach(fd, FOLDER "/a"), 0);
	assert_true(exists("b/mine"));
	assert_int_equal(rootview_detach(fd, FOLDER "/b"), 0);
}

static void users_go_on(void **state)
{
	cleanup_close int fd = -1, file = -1;

	(void)state;
	skip_unless_root();
	fd = new_mount();
	assert_int_equal(rootview_attach(fd, FOLDER "/a"), 0);
	file = open("a/mine", O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(file, "x", 1), 1);
	assert_int_equal(rootview_detach(fd, FOLDER "/a"), 0);
	assert_int_equal(write(file, "x", 1), 1);
}

static void without_the_right_to_mount(void **state)
{
	cleanup_close int fd = -1;
	int status;
	pid_t child;

	(void)state;
	skip_unless_root();
	fd = new_mount();
	child = fork();
	assert_return_code(child, errno);
	if (child == 0)
		_exit(setuid(65534) < 0 ? 1 : -rootview_attach(fd, FOLDER "/a"));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EPERM);
	assert_false(exists("a/mine"));
}

static void messages(void **state)
{
	(void)state;
	assert_string_equal(rootview_attach_message(-EXDEV), "something else is mounted there");
	assert_string_equal(rootview_attach_message(-ENOENT), strerror(ENOENT));
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_folder(attached_and_detached),
		in_folder(relative_path),
		in_folder(folder_of_somebody_else),
		in_folder(no_symbolic_link_is_followed),
		in_folder(no_folder),
		in_folder(no_mount),
		in_folder(attached_once_only),
		in_folder(nothing_else_is_taken_away),
		in_folder(covered_by_another),
		in_folder(known_by_its_files),
		in_folder(users_go_on),
		in_folder(without_the_right_to_mount),
		cmocka_unit_test(messages),
	};

	return cmocka_run_group_tests(tests, enter_namespace, NULL);
}
