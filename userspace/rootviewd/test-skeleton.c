// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What an image lacks, and the skeleton that supplies it.
 */
#include "skeleton.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "test.h"
#include "util.h"

/* A temporary folder with an image in it. */
struct place {
	char dir[32], image[64], skeleton[64];
	int fd;		/* of the image */
};

static void make_folder(const struct place *p, const char *path, mode_t mode)
{
	assert_int_equal(mkdirat(p->fd, path, 0700), 0);
	assert_int_equal(fchmodat(p->fd, path, mode, 0), 0);
}

static void make_file(const struct place *p, const char *path)
{
	int fd = openat(p->fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static void make_link(const struct place *p, const char *path, const char *target)
{
	assert_int_equal(symlinkat(target, p->fd, path), 0);
}

/* NAME0 is a folder, and each further one a link to that before. */
static void make_chain(const struct place *p, const char *name, int n)
{
	char path[32], before[32];

	snprintf(path, sizeof(path), "%s0", name);
	make_folder(p, path, 0755);
	for (int i = 1; i <= n; i++) {
		snprintf(before, sizeof(before), "%s%d", name, i - 1);
		snprintf(path, sizeof(path), "%s%d", name, i);
		make_link(p, path, before);
	}
}

static void fill_image(const struct place *p)
{
	char deep[128], *to = deep;

	make_folder(p, "etc", 0755);
	make_file(p, "etc/passwd");
	make_link(p, "etc/resolv.conf", "../run/x/y");
	make_link(p, "etc/mtab", "nowhere");
	make_folder(p, "run", 0755);
	make_folder(p, "var", 0755);
	make_link(p, "var/run", "/run");
	make_link(p, "var/lib", "./../etc/./");
	make_link(p, "absolute", "//etc//passwd");
	make_link(p, "root", "/");
	make_link(p, "out", "../../../../../../../../../../etc");
	make_link(p, "away", "/../../../tmp/made");
	make_link(p, "dangling", "/nothere/sub");
	make_link(p, "back", "nothere/a/../../var");
	make_link(p, "self", "self");
	make_link(p, "ping", "etc/pong");
	make_link(p, "etc/pong", "../ping");
	make_link(p, "grows", "grows/x");
	make_link(p, "through", "etc/passwd/x");
	make_chain(p, "good", 40);
	make_chain(p, "many", 41);
	assert_int_equal(mkfifoat(p->fd, "fifo", 0600), 0);
	for (size_t i = 0; i < MOUNT_POINT_DEPTH_MAX - 1; i++)
		to = stpcpy(to, "/x");
	make_link(p, "deep", deep);
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	strcpy(p->dir, "/tmp/test-skeleton.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->image, sizeof(p->image), "%s/image", p->dir);
	snprintf(p->skeleton, sizeof(p->skeleton), "%s/skeleton", p->dir);
	assert_int_equal(mkdir(p->image, 0755), 0);
	p->fd = open(p->image, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(p->fd >= 0);
	fill_image(p);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	close(p->fd);
	test_remove_folder(p->dir);
	free(p);
	return 0;
}

/*
 * What is missing.
 */

#define DIRECTORY MOUNT_POINT_DIRECTORY
#define FILE_ MOUNT_POINT_FILE
#define LINK MOUNT_POINT_LINK
#define TMPFS MOUNT_POINT_TMPFS

static int find(const struct place *p, const struct mount_point *points, size_t n,
		struct mount_points *ret, struct failure *f)
{
	struct mount_points wanted = { .list = NULL };
	int r;

	for (size_t i = 0; i < n; i++)
		assert_int_equal(mount_points_add(&wanted, points[i].path, points[i].kind,
						  points[i].target), 0);
	r = skeleton_find_missing(p->image, &wanted, ret, f);
	mount_points_free(&wanted);
	return r;
}

static void what_is_there_is_not_missing(void **state)
{
	const struct mount_point points[] = {
		{ "/etc", NULL, DIRECTORY },
		{ "/etc/passwd", NULL, FILE_ },
		{ "/fifo", NULL, FILE_ },
		{ "/root", NULL, DIRECTORY },
		{ "/root/etc", NULL, DIRECTORY },
		{ "/absolute", NULL, FILE_ },
		{ "/out", NULL, DIRECTORY },
		{ "/out/passwd", NULL, FILE_ },
		{ "/var/lib", NULL, DIRECTORY },
		{ "/var/lib/passwd", NULL, FILE_ },
		{ "/var/run", NULL, DIRECTORY },
		{ "/back", NULL, DIRECTORY },
		{ "/good40", NULL, DIRECTORY },
		/* A link is there whatever has its name. */
		{ "/etc/mtab", "/proc/mounts", LINK },
		{ "/etc/resolv.conf", "x", LINK },
		{ "/run", "x", LINK },
		{ "/self", "x", LINK },
		{ "/root/root/root/self", "x", LINK },
	};
	struct mount_points missing;
	struct failure f;

	assert_int_equal(find(*state, points, ARRAY_SIZE(points), &missing, &f), 0);
	assert_int_equal(missing.n, 0);
	assert_int_equal(find(*state, points, 0, &missing, &f), 0);
	assert_int_equal(missing.n, 0);
}

static void missing_ones_have_their_real_paths(void **state)
{
	const struct {
		struct mount_point wanted;
		const char *real;
	} cases[] = {
		{ { "/new", NULL, DIRECTORY }, "/new" },
		{ { "/new", NULL, FILE_ }, "/new" },
		{ { "/new", "target", LINK }, "/new" },
		{ { "/a/b/c", NULL, DIRECTORY }, "/a/b/c" },
		{ { "/etc/new", NULL, FILE_ }, "/etc/new" },
		{ { "/etc/mtab", NULL, FILE_ }, "/etc/nowhere" },
		{ { "/etc/resolv.conf", NULL, FILE_ }, "/run/x/y" },
		{ { "/etc/resolv.conf/z", NULL, FILE_ }, "/run/x/y/z" },
		{ { "/var/run/docker.sock", NULL, FILE_ }, "/run/docker.sock" },
		{ { "/var/run/link", "target", LINK }, "/run/link" },
		{ { "/var/lib/x", NULL, DIRECTORY }, "/etc/x" },
		{ { "/root/root/x", NULL, DIRECTORY }, "/x" },
		{ { "/out/x", NULL, DIRECTORY }, "/etc/x" },
		{ { "/away", NULL, DIRECTORY }, "/tmp/made" },
		{ { "/dangling", NULL, DIRECTORY }, "/nothere/sub" },
		{ { "/dangling/x", NULL, DIRECTORY }, "/nothere/sub/x" },
		{ { "/back/x", NULL, DIRECTORY }, "/var/x" },
		{ { "/good40/x", NULL, DIRECTORY }, "/good0/x" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mount_points missing;
		struct failure f;

		assert_int_equal(find(*state, &cases[i].wanted, 1, &missing, &f), 0);
		assert_int_equal(missing.n, 1);
		assert_string_equal(missing.list[0].path, cases[i].real);
		assert_int_equal(missing.list[0].kind, cases[i].wanted.kind);
		assert_true(streq_null(missing.list[0].target, cases[i].wanted.target));
		mount_points_free(&missing);
	}
}

static void the_same_place_is_missing_once(void **state)
{
	const struct mount_point points[] = {
		{ "/run/x", NULL, DIRECTORY },
		{ "/var/run/x", NULL, DIRECTORY },
		{ "/run/x/y", NULL, FILE_ },
		{ "/etc/resolv.conf", NULL, FILE_ },
		/* A directory for a tmpfs is one, too. */
		{ "/run/t", NULL, TMPFS },
		{ "/run/u", NULL, DIRECTORY },
		{ "/var/run/t", NULL, DIRECTORY },
		{ "/var/run/u", NULL, TMPFS },
	};
	struct mount_points missing;
	struct failure f;

	assert_int_equal(find(*state, points, ARRAY_SIZE(points), &missing, &f), 0);
	assert_int_equal(missing.n, 4);
	assert_string_equal(missing.list[0].path, "/run/t");
	assert_int_equal(missing.list[0].kind, TMPFS);
	assert_string_equal(missing.list[1].path, "/run/u");
	assert_int_equal(missing.list[1].kind, TMPFS);
	assert_string_equal(missing.list[2].path, "/run/x");
	assert_string_equal(missing.list[3].path, "/run/x/y");
	mount_points_free(&missing);
}

static void what_cannot_be_is_refused(void **state)
{
	const struct {
		struct mount_point wanted;
		const char *phrase;
	} cases[] = {
		{ { "/etc/passwd", NULL, DIRECTORY }, "is no directory" },
		{ { "/absolute", NULL, DIRECTORY }, "is no directory" },
		{ { "/fifo", NULL, DIRECTORY }, "is no directory" },
		{ { "/fifo", NULL, TMPFS }, "is no directory" },
		{ { "/etc", NULL, FILE_ }, "is a directory" },
		{ { "/root", NULL, FILE_ }, "is a directory" },
		{ { "/good40", NULL, FILE_ }, "is a directory" },
		{ { "/etc/passwd/x", NULL, DIRECTORY }, "through a file" },
		{ { "/etc/passwd/x", NULL, FILE_ }, "through a file" },
		{ { "/etc/passwd/x", "x", LINK }, "through a file" },
		{ { "/etc/passwd/x/y", "x", LINK }, "through a file" },
		{ { "/absolute/x", NULL, FILE_ }, "through a file" },
		{ { "/fifo/x", NULL, FILE_ }, "through a file" },
		{ { "/through", NULL, FILE_ }, "through a file" },
		{ { "/self", NULL, FILE_ }, "loop" },
		{ { "/self/x", NULL, DIRECTORY }, "loop" },
		{ { "/self/x", "x", LINK }, "loop" },
		{ { "/ping", NULL, DIRECTORY }, "loop" },
		{ { "/grows", NULL, DIRECTORY }, "loop" },
		{ { "/many41", NULL, DIRECTORY }, "too many of them" },
		{ { "/deep/y/z", NULL, DIRECTORY }, "more than 64 components" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mount_points missing;
		struct failure f;

		assert_int_equal(find(*state, &cases[i].wanted, 1, &missing, &f), -1);
		assert_int_equal(f.kind, FAILURE_INVALID_MOUNT_POINT);
		assert_string_equal(f.object, cases[i].wanted.path);
		assert_non_null(strstr(f.message, cases[i].phrase));
	}
}

static void those_that_exclude_each_other_are_refused(void **state)
{
	const struct {
		struct mount_point wanted[3];
		const char *object;
	} cases[] = {
		{ { { "/a", NULL, FILE_ }, { "/a/b", NULL, FILE_ }, { "/a-", NULL, FILE_ } },
		  "/a/b" },
		{ { { "/a", "x", LINK }, { "/a/b/c", NULL, FILE_ }, { "/z", NULL, FILE_ } },
		  "/a/b/c" },
		{ { { "/run/x", NULL, DIRECTORY }, { "/var/run/x", NULL, FILE_ },
		    { "/z", NULL, FILE_ } }, "/var/run/x" },
		{ { { "/etc/resolv.conf", NULL, FILE_ }, { "/var/run/x/y/z", NULL, FILE_ },
		    { "/z", NULL, FILE_ } }, "/run/x/y/z" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mount_points missing;
		struct failure f;

		assert_int_equal(find(*state, cases[i].wanted, 3, &missing, &f), -1);
		assert_int_equal(f.kind, FAILURE_INVALID_MOUNT_POINT);
		assert_string_equal(f.object, cases[i].object);
	}
}

static void long_links_are_refused(void **state)
{
	struct mount_point wanted = { "/long", NULL, DIRECTORY };
	char target[PATH_MAX] = "";
	struct mount_points missing;
	struct failure f;

	memset(target, 'x', sizeof(target) - 1);
	for (size_t i = 0; i < sizeof(target); i += 200)
		target[i] = '/';
	target[PATH_MAX - 1] = '\0';
	make_link(*state, "long", target);
	assert_int_equal(find(*state, &wanted, 1, &missing, &f), 0);
	assert_string_equal(missing.list[0].path, target);
	mount_points_free(&missing);

	wanted.path = (char *)"/long/x";
	assert_int_equal(find(*state, &wanted, 1, &missing, &f), -1);
	assert_int_equal(f.kind, FAILURE_INVALID_MOUNT_POINT);
	assert_non_null(strstr(f.message, "longer than 4095 bytes"));
}

/* A component that no file system takes is not simply missing. */
static void oddities_are_failures(void **state)
{
	struct mount_point wanted = { "/odd/x", NULL, DIRECTORY };
	struct mount_points missing;
	char target[301] = "";
	struct failure f;

	memset(target, 'x', sizeof(target) - 1);
	make_link(*state, "odd", target);
	assert_int_equal(find(*state, &wanted, 1, &missing, &f), -1);
	assert_int_equal(f.kind, FAILURE_OPERATION_FAILED);
	assert_string_equal(f.object, ((struct place *)*state)->image);
	assert_non_null(after_prefix(f.step, "look for \"/xxx"));
	assert_string_equal(f.reason, strerror(ENAMETOOLONG));
}

static void an_image_is_needed(void **state)
{
	struct mount_points none = { .list = NULL }, missing;
	struct place *p = *state;
	struct failure f;
	char link[128];

	assert_int_equal(skeleton_find_missing("/nonexistent", &none, &missing, &f), -1);
	assert_int_equal(f.kind, FAILURE_OPERATION_FAILED);
	assert_string_equal(f.object, "/nonexistent");
	assert_int_equal(skeleton_make(p->skeleton, "/nonexistent", &none, 0, 0, false, &f), -1);
	assert_int_equal(f.kind, FAILURE_OPERATION_FAILED);
	snprintf(link, sizeof(link), "%s/root", p->image);
	assert_int_equal(skeleton_find_missing(link, &none, &missing, &f), -1);
	assert_int_equal(access(p->skeleton, F_OK), -1);
}

/*
 * Skeletons.
 */

#define UID 4711
#define GID 4712

static int make_skeleton(const struct place *p, const struct mount_point *points, size_t n,
			 bool labels, struct failure *f)
{
	struct mount_points missing = { .list = NULL };
	int r;

	for (size_t i = 0; i < n; i++)
		assert_int_equal(mount_points_add(&missing, points[i].path, points[i].kind,
						  points[i].target), 0);
	r = skeleton_make(p->skeleton, p->image, &missing, UID, GID, labels, f);
	mount_points_free(&missing);
	return r;
}

static struct stat look(const char *root, const char *path)
{
	char full[PATH_MAX];
	struct stat st;

	snprintf(full, sizeof(full), "%s%s", root, path);
	assert_int_equal(lstat(full, &st), 0);
	return st;
}

static size_t n_entries;

static int count_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)st;
	(void)type;
	(void)ftw;
	n_entries++;
	return 0;
}

/* How many entries a folder has at all depths, itself among them. */
static size_t count(const char *path)
{
	n_entries = 0;
	assert_int_equal(nftw(path, count_one, 16, FTW_PHYS), 0);
	return n_entries;
}

static void assert_same_attributes(const struct stat *a, const struct stat *b)
{
	assert_int_equal(a->st_mode, b->st_mode);
	assert_int_equal(a->st_uid, b->st_uid);
	assert_int_equal(a->st_gid, b->st_gid);
	assert_int_equal(a->st_atim.tv_sec, b->st_atim.tv_sec);
	assert_int_equal(a->st_atim.tv_nsec, b->st_atim.tv_nsec);
	assert_int_equal(a->st_mtim.tv_sec, b->st_mtim.tv_sec);
	assert_int_equal(a->st_mtim.tv_nsec, b->st_mtim.tv_nsec);
}

static void need_root(void)
{
	if (geteuid() != 0)
		skip();
}

static const struct mount_point some_missing[] = {
	{ "/.dockerenv", NULL, FILE_ },
	{ "/etc/mtab-", "/proc/mounts", LINK },
	{ "/a", NULL, DIRECTORY },
	{ "/a-b", NULL, FILE_ },
	{ "/a/b/c", NULL, FILE_ },
	{ "/a/b/d", NULL, DIRECTORY },
	{ "/run/x/y", NULL, FILE_ },
	{ "/t", NULL, TMPFS },
	{ "/t/u", NULL, DIRECTORY },
	{ "/t/v", NULL, TMPFS },
};

static void new_things_are_made(void **state)
{
	const struct {
		const char *path;
		mode_t mode;
	} cases[] = {
		{ "/.dockerenv", S_IFREG | 0644 },
		{ "/etc/mtab-", S_IFLNK | 0777 },
		{ "/a", S_IFDIR | 0755 },
		{ "/a-b", S_IFREG | 0644 },
		{ "/a/b", S_IFDIR | 0755 },
		{ "/a/b/c", S_IFREG | 0644 },
		{ "/a/b/d", S_IFDIR | 0755 },
		{ "/run/x", S_IFDIR | 0755 },
		{ "/run/x/y", S_IFREG | 0644 },
		{ "/t", S_IFDIR | 01777 },
		{ "/t/u", S_IFDIR | 0755 },
		{ "/t/v", S_IFDIR | 01777 },
	};
	struct place *p = *state;
	mode_t mask;
	struct failure f;
	char path[PATH_MAX], target[32] = "";

	need_root();
	mask = umask(077);
	assert_int_equal(make_skeleton(p, some_missing, ARRAY_SIZE(some_missing), false, &f), 0);
	umask(mask);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct stat st = look(p->skeleton, cases[i].path);

		assert_int_equal(st.st_mode, cases[i].mode);
		assert_int_equal(st.st_uid, UID);
		assert_int_equal(st.st_gid, GID);
		assert_true(S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode) || st.st_size == 0);
	}
	snprintf(path, sizeof(path), "%s/etc/mtab-", p->skeleton);
	assert_int_equal(readlink(path, target, sizeof(target) - 1), strlen("/proc/mounts"));
	assert_string_equal(target, "/proc/mounts");
	/* And "", "/etc" and "/run", but nothing else. */
	assert_int_equal(count(p->skeleton), ARRAY_SIZE(cases) + 3);
}

/* Folders of which each has something odd about it. */
static void make_odd_folders(const struct place *p)
{
	const struct timespec times[2] = { { 1000000000, 1 }, { 123456789, 987654321 } };
	const char *const paths[] = { "odd", "odd/sticky", "odd/sticky/closed" };

	make_folder(p, "odd", 0711);
	make_folder(p, "odd/sticky", 07777);
	make_folder(p, "odd/sticky/closed", 0);
	assert_int_equal(fchownat(p->fd, "odd", 1, 2, 0), 0);
	assert_int_equal(fchownat(p->fd, "odd/sticky/closed", 65534, 65533, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		assert_int_equal(utimensat(p->fd, paths[i], times, 0), 0);
	assert_int_equal(chmod(p->image, 01750), 0);
	assert_int_equal(utimensat(AT_FDCWD, p->image, times, 0), 0);
}

static void repeated_folders_look_as_in_the_image(void **state)
{
	const struct mount_point missing[] = {
		{ "/odd/sticky/closed/new", NULL, DIRECTORY },
		{ "/odd/new", "x", LINK },
		{ "/new", NULL, FILE_ },
	};
	const char *const paths[] = { "", "/odd", "/odd/sticky", "/odd/sticky/closed" };
	struct place *p = *state;
	struct stat before[ARRAY_SIZE(paths)];
	struct failure f;

	need_root();
	make_odd_folders(p);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		before[i] = look(p->image, paths[i]);
	assert_int_equal(make_skeleton(p, missing, ARRAY_SIZE(missing), false, &f), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct stat in_image = look(p->image, paths[i]);
		struct stat in_skeleton = look(p->skeleton, paths[i]);

		assert_same_attributes(&in_image, &before[i]);
		assert_same_attributes(&in_skeleton, &before[i]);
	}
}

static void set_attribute(const struct place *p, const char *path, const char *name,
			  const void *value, size_t size)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", p->image, path);
	if (setxattr(full, name, value, size, 0) < 0)
		skip();
}

/* Its value as text, NULL if it has none. */
static const char *get_attribute(const struct place *p, const char *path, const char *name)
{
	static char value[256];
	char full[PATH_MAX];
	ssize_t n;

	snprintf(full, sizeof(full), "%s%s", p->skeleton, path);
	n = lgetxattr(full, name, value, sizeof(value) - 1);
	if (n < 0)
		return NULL;
	value[n] = '\0';
	return value;
}

static const char label[] = "system_u:object_r:container_file_t:s0";
static const char other_label[] = "system_u:object_r:etc_t:s0";

static void set_attributes(const struct place *p)
{
	set_attribute(p, "", "trusted.overlay.opaque", "y", 1);
	set_attribute(p, "", "trusted.overlay.overlay.redirect", "x", 1);
	set_attribute(p, "", "trusted.mine", "root", 4);
	set_attribute(p, "", "security.selinux", label, sizeof(label));
	set_attribute(p, "/etc", "trusted.mine", "", 0);
	set_attribute(p, "/etc", "trusted.overlay.metacopy", "", 0);
	set_attribute(p, "/etc", "security.selinux", other_label, sizeof(other_label));
}

static const struct mount_point to_be_labelled[] = {
	{ "/etc/new/newer", NULL, FILE_ },
	{ "/etc/link", "nowhere", LINK },
	{ "/run/new", NULL, DIRECTORY },
	{ "/new", NULL, FILE_ },
};

static void attributes_are_copied_but_overlayfs_own(void **state)
{
	struct place *p = *state;
	struct failure f;

	need_root();
	set_attributes(p);
	assert_int_equal(make_skeleton(p, to_be_labelled, ARRAY_SIZE(to_be_labelled), false, &f),
			 0);
	assert_string_equal(get_attribute(p, "", "trusted.mine"), "root");
	assert_string_equal(get_attribute(p, "/etc", "trusted.mine"), "");
	assert_null(get_attribute(p, "", "trusted.overlay.opaque"));
	assert_null(get_attribute(p, "", "trusted.overlay.overlay.redirect"));
	assert_null(get_attribute(p, "/etc", "trusted.overlay.metacopy"));
	assert_null(get_attribute(p, "/etc/new", "trusted.mine"));
}

static void labels_are_copied_if_wanted(void **state)
{
	const struct {
		const char *path, *label;
	} cases[] = {
		{ "", label },
		{ "/new", label },
		{ "/etc", other_label },
		{ "/etc/new", other_label },
		{ "/etc/new/newer", other_label },
		{ "/etc/link", other_label },
	};
	struct place *p = *state;
	struct failure f;

	need_root();
	set_attributes(p);
	assert_int_equal(make_skeleton(p, to_be_labelled, ARRAY_SIZE(to_be_labelled), true, &f),
			 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(get_attribute(p, cases[i].path, "security.selinux"),
				    cases[i].label);
	test_remove_folder(p->skeleton);

	assert_int_equal(make_skeleton(p, to_be_labelled, ARRAY_SIZE(to_be_labelled), false, &f),
			 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *value = get_attribute(p, cases[i].path, "security.selinux");

		assert_false(streq_null(value, cases[i].label));
	}
}

/* user::rwx, user:1:rwx, group::r-x, mask::rwx, other::r-x */
static const unsigned char acl[] = {
	2, 0, 0, 0,
	0x01, 0, 7, 0, 0xff, 0xff, 0xff, 0xff,
	0x02, 0, 7, 0, 1, 0, 0, 0,
	0x04, 0, 5, 0, 0xff, 0xff, 0xff, 0xff,
	0x10, 0, 7, 0, 0xff, 0xff, 0xff, 0xff,
	0x20, 0, 5, 0, 0xff, 0xff, 0xff, 0xff,
};

static void default_acls_are_copied_and_not_inherited(void **state)
{
	const struct mount_point missing[] = {
		{ "/acl/old/new", NULL, DIRECTORY },
		{ "/acl/new", NULL, FILE_ },
	};
	struct place *p = *state;
	struct failure f;

	need_root();
	make_folder(p, "acl", 0755);
	make_folder(p, "acl/old", 0755);
	set_attribute(p, "/acl", "system.posix_acl_default", acl, sizeof(acl));
	set_attribute(p, "/acl", "system.posix_acl_access", acl, sizeof(acl));
	assert_int_equal(make_skeleton(p, missing, ARRAY_SIZE(missing), false, &f), 0);
	assert_non_null(get_attribute(p, "/acl", "system.posix_acl_default"));
	assert_non_null(get_attribute(p, "/acl", "system.posix_acl_access"));
	assert_int_equal(look(p->skeleton, "/acl").st_mode, look(p->image, "/acl").st_mode);
	assert_null(get_attribute(p, "/acl/old", "system.posix_acl_default"));
	assert_null(get_attribute(p, "/acl/old", "system.posix_acl_access"));
	assert_null(get_attribute(p, "/acl/new", "system.posix_acl_access"));
	assert_int_equal(look(p->skeleton, "/acl/new").st_mode, S_IFREG | 0644);
}

static void nothing_missing_is_a_skeleton_too(void **state)
{
	struct place *p = *state;
	struct stat image, skeleton;
	struct failure f;

	need_root();
	assert_int_equal(make_skeleton(p, NULL, 0, false, &f), 0);
	image = look(p->image, "");
	skeleton = look(p->skeleton, "");
	assert_same_attributes(&image, &skeleton);
	assert_int_equal(count(p->skeleton), 1);
}

static void the_deepest_is_made(void **state)
{
	char path[PATH_MAX] = "";
	struct mount_point missing = { path, NULL, DIRECTORY };
	struct place *p = *state;
	char command[sizeof(p->skeleton) + 16];
	struct failure f;

	need_root();
	/* Longer than PATH_MAX with what is in front of it. */
	for (size_t i = 0; i < PATH_MAX - 1; i++)
		path[i] = i % (PATH_MAX / MOUNT_POINT_DEPTH_MAX) ? 'x' : '/';
	assert_int_equal(make_skeleton(p, &missing, 1, false, &f), 0);
	/* Too deep for tear_down(). */
	snprintf(command, sizeof(command), "rm -r '%s'", p->skeleton);
	assert_int_equal(system(command), 0);
}

static void failures_name_what_cannot_be_made(void **state)
{
	const struct {
		struct mount_point missing[2];
		const char *step;
	} cases[] = {
		/* Not as skeleton_find_missing() would say it. */
		{ { { "/a", NULL, FILE_ }, { "/a/b", NULL, FILE_ } }, "/a/b" },
		{ { { "/a", "/tmp", LINK }, { "/a/b", NULL, DIRECTORY } }, "/a/b" },
		{ { { "/b/c", NULL, FILE_ }, { "/root/x", NULL, FILE_ } }, "/root" },
		{ { { "/b/c", NULL, FILE_ }, { "/etc/passwd/x", NULL, FILE_ } }, "/etc/passwd" },
	};
	struct place *p = *state;

	need_root();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct failure f;

		assert_int_equal(make_skeleton(p, cases[i].missing, 2, false, &f), -1);
		assert_int_equal(f.kind, FAILURE_OPERATION_FAILED);
		assert_string_equal(f.object, p->skeleton);
		assert_non_null(strstr(f.step, cases[i].step));
		test_remove_folder(p->skeleton);
	}
}

static void what_is_there_stays(void **state)
{
	struct place *p = *state;
	struct failure f;
	char path[PATH_MAX];

	need_root();
	assert_int_equal(mkdir(p->skeleton, 0700), 0);
	snprintf(path, sizeof(path), "%s/kept", p->skeleton);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(make_skeleton(p, NULL, 0, false, &f), -1);
	assert_int_equal(f.kind, FAILURE_OPERATION_FAILED);
	assert_string_equal(f.reason, strerror(EEXIST));
	assert_int_equal(access(path, F_OK), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_there_is_not_missing),
		TEST(missing_ones_have_their_real_paths),
		TEST(the_same_place_is_missing_once),
		TEST(what_cannot_be_is_refused),
		TEST(those_that_exclude_each_other_are_refused),
		TEST(long_links_are_refused),
		TEST(oddities_are_failures),
		TEST(an_image_is_needed),
		TEST(new_things_are_made),
		TEST(repeated_folders_look_as_in_the_image),
		TEST(attributes_are_copied_but_overlayfs_own),
		TEST(labels_are_copied_if_wanted),
		TEST(default_acls_are_copied_and_not_inherited),
		TEST(nothing_missing_is_a_skeleton_too),
		TEST(the_deepest_is_made),
		TEST(failures_name_what_cannot_be_made),
		TEST(what_is_there_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
