// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Layers as tar streams: what goes in comes out, and nothing gets out of the root.
 */
#include "stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "compare.h"
#include "tree.h"
#include "util.h"

/* A temporary folder with three trees. */
struct place {
	char dir[32];
	int lower, upper, out;
};

static int open_tree_of(const char *dir, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0755), 0);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->dir, "/var/tmp/stream-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	p->lower = open_tree_of(p->dir, "lower");
	p->upper = open_tree_of(p->dir, "upper");
	p->out = open_tree_of(p->dir, "out");
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	close(p->lower);
	close(p->upper);
	close(p->out);
	/* Its paths can be longer than any that could be named. */
	assert_int_equal(tree_remove(AT_FDCWD, p->dir), 0);
	free(p);
	return 0;
}

/*
 * Trees.
 */

static void put_text(int tree, const char *path, const char *text)
{
	int fd = openat(tree, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void put_folder(int tree, const char *path)
{
	assert_int_equal(mkdirat(tree, path, 0755), 0);
}

static void put_xattr(int tree, const char *path, const char *name, const void *value, size_t size)
{
	int fd = openat(tree, path, O_RDONLY | O_CLOEXEC);

	assert_int_equal(fsetxattr(fd, name, value, size, 0), 0);
	close(fd);
}

static void put_time(int tree, const char *path, time_t seconds, long nanoseconds)
{
	const struct timespec times[] = { { seconds, nanoseconds }, { seconds, nanoseconds } };

	assert_int_equal(utimensat(tree, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static bool exists(int tree, const char *path)
{
	return faccessat(tree, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void assert_text(int tree, const char *path, const char *wanted)
{
	char text[256] = "";
	int fd = openat(tree, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	close(fd);
	assert_string_equal(text, wanted);
}

static int fail_on_change(const char *path, enum change kind, void *userdata)
{
	(void)userdata;
	print_error("differs: %s (%d)\n", path, kind);
	return 1;
}

static void assert_same(int a, int b)
{
	struct layer_error error;

	assert_int_equal(compare_trees(a, b, fail_on_change, NULL, &error), 0);
}

/*
 * Streams, in memory.
 */

static int new_stream(void)
{
	int fd = memfd_create("stream", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static int pack(int lower, int upper)
{
	struct layer_error error;
	int fd = new_stream();

	if (stream_pack(lower, upper, fd, &error) < 0)
		fail_msg("%s", error.message);
	return fd;
}

/* From its beginning; closes it. */
static int try_unpack(int tree, int stream, struct layer_error *error)
{
	uint64_t size;
	int r;

	assert_int_equal(lseek(stream, 0, SEEK_SET), 0);
	r = stream_unpack(tree, stream, &size, error);
	close(stream);
	return r;
}

static void unpack(int tree, int stream)
{
	struct layer_error error;

	if (try_unpack(tree, stream, &error) < 0)
		fail_msg("%s", error.message);
}

/* Whether the text is in a stream; there @instead, of the same length, takes its place. */
static bool replace(int stream, const char *text, const char *instead)
{
	size_t size = lseek(stream, 0, SEEK_END);
	char *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, stream, 0), *found;

	assert_ptr_not_equal(data, MAP_FAILED);
	assert_int_equal(strlen(text), strlen(instead));
	found = memmem(data, size, text, strlen(text));
	if (found)
		memcpy(found, instead, strlen(instead));
	munmap(data, size);
	return found;
}

static bool has(int stream, const char *text)
{
	return replace(stream, text, text);
}

/* A stream that is written entry by entry: "dir/", "file=text", "link@target", "hard&target". */
static int stream_of(const char *const entries[], int (*filter)(struct archive *a))
{
	int stream = new_stream();
	struct archive *a = archive_write_new();

	archive_write_set_format_pax(a);
	if (filter)
		assert_int_equal(filter(a), ARCHIVE_OK);
	assert_int_equal(archive_write_open_fd(a, stream), ARCHIVE_OK);
	for (; *entries; entries++) {
		struct archive_entry *entry = archive_entry_new();
		char *name = strdup(*entries), *kind = strpbrk(name, "=@&");
		const char *rest = kind ? kind + 1 : "";
		char sign = kind ? *kind : '/';

		if (kind)
			*kind = 0;
		archive_entry_set_pathname(entry, name);
		archive_entry_set_mode(entry, sign == '/' ? AE_IFDIR | 0755 :
				       sign == '@' ? AE_IFLNK | 0777 : AE_IFREG | 0644);
		archive_entry_set_mtime(entry, 1000, 0);
		archive_entry_set_size(entry, sign == '=' ? strlen(rest) : 0);
		if (sign == '@')
			archive_entry_set_symlink(entry, rest);
		if (sign == '&')
			archive_entry_set_hardlink(entry, rest);
		assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
		if (sign == '=')
			assert_int_equal(archive_write_data(a, rest, strlen(rest)), strlen(rest));
		archive_entry_free(entry);
		free(name);
	}
	archive_write_close(a);
	archive_write_free(a);
	return stream;
}

#define STREAM(...) stream_of((const char *const[]){ __VA_ARGS__, NULL }, NULL)

/*
 * Tests.
 */

static void put_kinds(int tree)
{
	char longest[NAME_MAX + 1];

	memset(longest, 'n', NAME_MAX);
	longest[NAME_MAX] = 0;
	put_folder(tree, "dir");
	put_text(tree, "dir/file", "some text");
	assert_int_equal(linkat(tree, "dir/file", tree, "hard", 0), 0);
	assert_int_equal(symlinkat("/no/where", tree, "dangling"), 0);
	assert_int_equal(linkat(tree, "dangling", tree, "hard-dangling", 0), 0);
	assert_int_equal(mknodat(tree, "char", S_IFCHR | 0620, makedev(4, 300)), 0);
	assert_int_equal(mknodat(tree, "block", S_IFBLK | 0660, makedev(259, 70000)), 0);
	assert_int_equal(mknodat(tree, "fifo", S_IFIFO | 0600, 0), 0);
	assert_int_equal(symlinkat("latin-\xe9-\xff", tree, "to-latin"), 0);
	put_text(tree, longest, "long");
	put_text(tree, "latin-\xe9-\xff", "no UTF-8");
	assert_int_equal(linkat(tree, "latin-\xe9-\xff", tree, "hard-latin", 0), 0);
	put_text(tree, "utf8-\xc3\xa9", "UTF-8");
	put_text(tree, "with\nnewline", "a line");
	put_text(tree, ".whatever", "no whiteout");
}

static void put_owners_and_modes(int tree)
{
	const char *const names[] = { "suid", "high", "dir-owned" };

	put_text(tree, names[0], "");
	put_text(tree, names[1], "");
	put_folder(tree, names[2]);
	assert_int_equal(fchownat(tree, names[0], 70000, 80000, 0), 0);
	assert_int_equal(fchmodat(tree, names[0], 06755, 0), 0);
	assert_int_equal(fchownat(tree, names[1], 4294967000u, 4000000000u, 0), 0);
	assert_int_equal(fchownat(tree, names[2], 7, 8, 0), 0);
	assert_int_equal(fchmodat(tree, names[2], 03711, 0), 0);
	assert_int_equal(fchownat(tree, "dangling", 5, 6, AT_SYMLINK_NOFOLLOW), 0);
}

static void put_xattrs(int tree)
{
	static const unsigned char acl[] = {
		2, 0, 0, 0,				/* version */
		1, 0, 6, 0, 0xff, 0xff, 0xff, 0xff,	/* the owner, rw */
		2, 0, 4, 0, 0x70, 0x11, 1, 0,		/* user 70000, r */
		4, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,
		0x10, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,	/* mask */
		0x20, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,
	};
	struct vfs_cap_data capability = {
		.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data[0].permitted = 1 << CAP_NET_RAW,
	};

	put_text(tree, "xattrs", "");
	put_xattr(tree, "xattrs", "user.text", "value", 5);
	put_xattr(tree, "xattrs", "user.empty", "", 0);
	put_xattr(tree, "xattrs", "user.bytes", "\0\xff\n=", 4);
	put_xattr(tree, "xattrs", "user.a=some name%41", "x", 1);
	put_xattr(tree, "xattrs", "user.\xe9\xff\n", "x", 1);
	put_xattr(tree, "xattrs", "trusted.some", "thing", 5);
	put_xattr(tree, "xattrs", "security.capability", &capability, sizeof(capability));
	put_xattr(tree, "xattrs", "system.posix_acl_access", acl, sizeof(acl));
	put_xattr(tree, "dir", "user.dir", "yes", 3);
	put_xattr(tree, "dir", "system.posix_acl_default", acl, sizeof(acl));
}

/* 300 characters, of which no part is. */
static void put_deep(int tree)
{
	char path[400] = "";

	for (int i = 0; i < 20; i++) {
		strcat(path, i ? "/fifteen-letters" : "fifteen-letters");
		put_folder(tree, path);
	}
	strcat(path, "/file");
	put_text(tree, path, "deep");
}

static void put_sparse(int tree)
{
	int fd = openat(tree, "sparse", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_int_equal(pwrite(fd, "begin", 5, 0), 5);
	assert_int_equal(pwrite(fd, "middle", 6, 5000000), 6);
	assert_int_equal(ftruncate(fd, 20000000), 0);
	close(fd);
}

static void test_round_trip(void **state)
{
	struct place *p = *state;
	struct stat st, other;

	put_kinds(p->upper);
	put_owners_and_modes(p->upper);
	put_xattrs(p->upper);
	put_deep(p->upper);
	put_sparse(p->upper);
	put_time(p->upper, "dangling", 1234567890, 123456789);
	put_time(p->upper, "dir/file", -5, 999999999);
	put_time(p->upper, "dir", 4000000000, 1);

	unpack(p->out, pack(-1, p->upper));
	assert_same(p->upper, p->out);
	assert_same(p->out, p->upper);
	assert_int_equal(fstatat(p->out, "hard", &st, 0), 0);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(fstatat(p->out, "dir/file", &other, 0), 0);
	assert_int_equal(st.st_ino, other.st_ino);
	assert_text(p->out, "hard", "some text");
	assert_text(p->out, "latin-\xe9-\xff", "no UTF-8");
	/* compare_trees() looks at the times of no directory. */
	assert_int_equal(fstatat(p->out, "dir", &st, 0), 0);
	assert_int_equal(st.st_mtim.tv_sec, 4000000000);
	assert_int_equal(st.st_mtim.tv_nsec, 1);
	assert_int_equal(fstatat(p->out, "sparse", &st, 0), 0);
	assert_int_equal(st.st_size, 20000000);
	assert_true(st.st_blocks * 512 < 100000);
}

static void test_content(void **state)
{
	struct place *p = *state;
	static char data[3 * 65536 + 17], again[sizeof(data)];
	int fd = openat(p->upper, "data", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	/* With blocks of zeros, some of them in part. */
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (i / 5000) % 3 ? 0 : rand();
	assert_int_equal(write(fd, data, sizeof(data)), sizeof(data));
	close(fd);
	unpack(p->out, pack(-1, p->upper));
	fd = openat(p->out, "data", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, again, sizeof(again)), sizeof(again));
	close(fd);
	assert_memory_equal(data, again, sizeof(data));
}

static void test_differences(void **state)
{
	struct place *p = *state;
	static const char *const same[] = {
		"stays=1", "gone=2", "gone-dir/", "gone-dir/x=3", "to-file/", "to-file/x=4",
		"to-dir=5", "changed=6", "dir/", "dir/gone=7", "dir/stays=8", "link@stays", NULL,
	};

	unpack(p->lower, stream_of(same, NULL));
	unpack(p->upper, stream_of(same, NULL));
	unpack(p->out, stream_of(same, NULL));
	unpack(p->upper, STREAM(".wh.gone=", ".wh.gone-dir=", "to-file=now a file", "to-dir/",
				"to-dir/new=in it", "changed=now this", "dir/.wh.gone=",
				"dir/hard&stays", "link=no link", "added/", "added/x=9"));
	unpack(p->out, pack(p->lower, p->upper));
	assert_same(p->upper, p->out);
	assert_same(p->out, p->upper);
	assert_text(p->out, "to-file", "now a file");
	assert_text(p->out, "to-dir/new", "in it");
	assert_text(p->out, "changed", "now this");
	assert_text(p->out, "link", "no link");
	assert_text(p->out, "stays", "1");
	assert_false(exists(p->out, "gone-dir"));
}

static void test_opaque(void **state)
{
	struct place *p = *state;
	static const char *const lower[] = {
		"a/", "a/old=", "a/sub/", "a/sub/old=", "b/", "b/old=", "c/", "c/old=", NULL,
	};

	unpack(p->out, stream_of(lower, NULL));
	put_text(p->out, "c/.wh.plnk", "not what that names");
	unpack(p->out, STREAM("a/", "a/sub/", "a/sub/new=", "a/.wh..wh..opq=", "a/later=",
			      "b/.wh..wh..opq=", "b/new=", "c/.wh..wh.plnk=", "none/.wh..wh..opq=",
			      "c/.wh.none=", "c/old/.wh.x=", ".wh.nowhere="));
	assert_false(exists(p->out, "a/old"));
	assert_false(exists(p->out, "a/sub/old"));
	assert_true(exists(p->out, "a/sub/new"));
	assert_true(exists(p->out, "a/later"));
	assert_false(exists(p->out, "b/old"));
	assert_true(exists(p->out, "b/new"));
	assert_true(exists(p->out, "c/old"));
	assert_false(exists(p->out, "c/.wh..wh.plnk"));
	assert_true(exists(p->out, "c/.wh.plnk"));
}

/* Says what a layer's directory is anew: also that attributes are gone. */
static void test_folder_again(void **state)
{
	struct place *p = *state;
	struct stat st;

	unpack(p->out, STREAM("dir/", "dir/file=x"));
	put_xattr(p->out, "dir", "user.old", "x", 1);
	assert_int_equal(fchmodat(p->out, "dir", 0700, 0), 0);
	unpack(p->out, STREAM("./", "dir/"));
	assert_int_equal(fstatat(p->out, "dir", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(st.st_mtim.tv_sec, 1000);
	assert_text(p->out, "dir/file", "x");
	assert_int_equal(openat(p->out, "dir/none", O_RDONLY), -1);
	assert_int_equal(fstat(p->out, &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1000);
}

static void assert_seconds(int tree, const char *path, time_t wanted)
{
	struct stat st;

	assert_int_equal(fstatat(tree, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mtim.tv_sec, wanted);
}

/* Makes one stream of two: the first, from stream_pack(), loses its end mark. */
static int join(int first, int second)
{
	off_t size = lseek(first, 0, SEEK_END) - 2 * 512;
	char buffer[4096];
	ssize_t n;

	assert_int_equal(ftruncate(first, size), 0);
	assert_int_equal(lseek(first, size, SEEK_SET), size);
	assert_int_equal(lseek(second, 0, SEEK_SET), 0);
	while ((n = read(second, buffer, sizeof(buffer))) > 0)
		assert_int_equal(write(first, buffer, n), n);
	close(second);
	return first;
}

static void test_folder_twice(void **state)
{
	struct place *p = *state;
	int stream;

	put_folder(p->upper, "another");
	put_folder(p->upper, "dir");
	put_time(p->upper, "another", 300, 0);
	put_time(p->upper, "dir", 100, 0);
	stream = pack(-1, p->upper);
	put_time(p->upper, "dir", 200, 0);
	unpack(p->out, join(stream, pack(-1, p->upper)));
	assert_seconds(p->out, "dir", 200);
	/* The time of one that became a link is not that of where it leads. */
	unpack(p->out, join(pack(-1, p->upper), STREAM("dir@another")));
	assert_seconds(p->out, "another", 300);
}

/* What a stream does not name is as a container's processes need it. */
static void test_unnamed_folders(void **state)
{
	struct place *p = *state;
	mode_t old = umask(077);
	struct stat st;

	unpack(p->out, STREAM("a/b/file=x"));
	umask(old);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(fstatat(p->out, i ? "a" : "a/b", &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, 0755);
	}
}

static void refused(int tree, int stream, const char *about)
{
	struct layer_error error = { .message = "" };

	assert_int_equal(try_unpack(tree, stream, &error), -1);
	assert_int_equal(error.code, LAYER_INVALID);
	if (!strstr(error.message, about))
		fail_msg("not about %s: %s", about, error.message);
}

static void test_no_way_out(void **state)
{
	struct place *p = *state;
	char outside[64];

	snprintf(outside, sizeof(outside), "%s/lower/file", p->dir);
	refused(p->out, STREAM("a/", "../lower/file=x"), "../lower/file");
	refused(p->out, STREAM("a/../../lower/file=x"), "a/../../lower/file");
	refused(p->out, STREAM("hard&../lower/file"), "hard");
	refused(p->out, STREAM(".wh...="), ".wh...");
	refused(p->out, STREAM("a/", "a/.wh.="), "a/.wh.");
	refused(p->out, STREAM(".=x"), "root");
	/* What is absolute begins at the root, as it does in a container. */
	unpack(p->out, STREAM("/absolute=x", "link@/../../..", "link/through=x",
			      "up@../lower", "lower/", "up/file=x", "abs@/lower", "abs/other=x"));
	assert_true(exists(p->out, "absolute"));
	assert_true(exists(p->out, "through"));
	assert_true(exists(p->out, "lower/file"));
	assert_true(exists(p->out, "lower/other"));
	assert_false(exists(p->lower, "file"));
	assert_false(exists(p->lower, "other"));
	unpack(p->out, STREAM(outside + strspn(outside, "/"), "x@/var/tmp", "x/.wh..wh..opq="));
	put_text(p->lower, "file", "kept");
	unpack(p->out, STREAM("out@../lower", "out/.wh.file="));
	assert_true(exists(p->lower, "file"));
}

static void test_links_of_links(void **state)
{
	struct place *p = *state;
	struct stat st;

	/* A hard link to a symbolic link is one to that, and not to where it leads. */
	unpack(p->out, STREAM("file=x", "soft@file", "hard&soft"));
	assert_int_equal(fstatat(p->out, "hard", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(st.st_mode));
	/* A file in the place of a link leaves alone what that led to. */
	unpack(p->out, STREAM("soft=y"));
	assert_text(p->out, "soft", "y");
	assert_text(p->out, "file", "x");
}

static void test_damaged(void **state)
{
	struct place *p = *state;
	static const char *const entries[] = { "first=x", "second=this is cut off", NULL };
	int stream = stream_of(entries, NULL);

	/* At the end are a block with the text of the last one, and two of zeros. */
	assert_int_equal(ftruncate(stream, lseek(stream, 0, SEEK_END) - 2 * 512 - 500), 0);
	refused(p->out, stream, "damaged in \"second\"");
	/* The header of the second one. */
	stream = stream_of(entries, NULL);
	assert_int_equal(pwrite(stream, "garbage", 7, 1024 + 150), 7);
	refused(p->out, stream, "damaged");
	stream = stream_of(entries, archive_write_add_filter_gzip);
	assert_int_equal(ftruncate(stream, 60), 0);
	refused(p->out, stream, "tar stream");
	stream = new_stream();
	assert_int_equal(write(stream, "this is no tar at all, but some text", 30), 30);
	refused(p->out, stream, "no tar stream");
}

static void test_compressed(void **state)
{
	struct place *p = *state;
	int (*const filters[])(struct archive *a) = {
		archive_write_add_filter_gzip, archive_write_add_filter_bzip2,
		archive_write_add_filter_xz, archive_write_add_filter_zstd,
	};
	static const char *const entries[] = { "file=packed", NULL };

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		unpack(p->out, stream_of(entries, filters[i]));
		assert_text(p->out, "file", "packed");
		assert_int_equal(unlinkat(p->out, "file", 0), 0);
	}
	unpack(p->out, new_stream());
}

static char *bytes(int stream, size_t *size)
{
	char *data;

	*size = lseek(stream, 0, SEEK_END);
	data = malloc(*size);
	assert_int_equal(pread(stream, data, *size, 0), *size);
	close(stream);
	return data;
}

static void test_same_bytes(void **state)
{
	struct place *p = *state;
	size_t size, other_size;
	char *one, *other;
	char name[16];

	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "%d", i * 7919 % 3000);
		put_text(p->upper, name, "x");
		put_time(p->upper, name, i * 7919 % 3000, 5);
	}
	put_text(p->lower, "gone", "");
	one = bytes(pack(p->lower, p->upper), &size);
	unpack(p->out, pack(-1, p->upper));
	other = bytes(pack(p->lower, p->out), &other_size);
	assert_int_equal(size, other_size);
	assert_memory_equal(one, other, size);
	free(one);
	free(other);
}

/* No tar stream has a socket. */
static void test_socket(void **state)
{
	struct place *p = *state;

	assert_int_equal(mknodat(p->upper, "socket", S_IFSOCK | 0600, 0), 0);
	put_text(p->upper, "then", "x");
	unpack(p->out, pack(-1, p->upper));
	assert_false(exists(p->out, "socket"));
	assert_text(p->out, "then", "x");
}

static void test_sizes(void **state)
{
	struct place *p = *state;
	struct layer_error error;
	off_t read_till;
	uint64_t size;
	int stream;

	put_text(p->upper, "five", "12345");
	put_text(p->lower, "gone", "123");
	assert_int_equal(linkat(p->upper, "five", p->upper, "again", 0), 0);
	put_sparse(p->upper);
	assert_int_equal(stream_size(p->lower, p->upper, &size, &error), 0);
	assert_int_equal(size, 20000005);
	stream = pack(p->lower, p->upper);
	/* Blocks behind the end mark, as tape drives liked it. */
	assert_int_equal(ftruncate(stream, lseek(stream, 0, SEEK_END) + 1000000), 0);
	lseek(stream, 0, SEEK_SET);
	assert_int_equal(stream_unpack(p->out, stream, &size, &error), 0);
	assert_int_equal(size, 20000005);
	/* It has been read to the end. */
	read_till = lseek(stream, 0, SEEK_CUR);
	assert_int_equal(read_till, lseek(stream, 0, SEEK_END));
	close(stream);
}

static void test_full(void **state)
{
	struct place *p = *state;
	struct layer_error error;
	char path[64];
	int small;

	assert_int_equal(unshare(CLONE_NEWNS), 0);
	snprintf(path, sizeof(path), "%s/out", p->dir);
	assert_int_equal(mount("small", path, "tmpfs", 0, "size=64k"), 0);
	small = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 30; i++) {
		char name[16], text[4001];

		snprintf(name, sizeof(name), "file-%02d", i);
		memset(text, 'x', sizeof(text) - 1);
		text[sizeof(text) - 1] = 0;
		put_text(p->upper, name, text);
	}
	assert_int_equal(try_unpack(small, pack(-1, p->upper), &error), -1);
	assert_int_equal(error.code, LAYER_FAILED);
	assert_non_null(strstr(error.message, "file-"));
	assert_non_null(strstr(error.message, strerror(ENOSPC)));
	close(small);
	assert_int_equal(umount(path), 0);
}

/* Layers are mounted with a label for all: none goes in or out. */
static void test_labels(void **state)
{
	static const char label[] = "system_u:object_r:etc_t:s0", name[] = "security.selinux";
	struct place *p = *state;
	char path[64], value[64] = "";
	int stream;

	put_text(p->upper, "file", "x");
	put_xattr(p->upper, "file", name, label, sizeof(label));
	put_xattr(p->upper, "file", "user.of-no-label", "x", 1);
	stream = pack(-1, p->upper);
	assert_false(has(stream, name));
	assert_true(replace(stream, "user.of-no-label", name));
	unpack(p->out, stream);
	snprintf(path, sizeof(path), "%s/out/file", p->dir);
	/* Where SELinux is, it is one from the machine. */
	if (getxattr(path, name, value, sizeof(value)) < 0)
		assert_int_equal(errno, ENODATA);
	assert_string_not_equal(value, "x");
}

/* Some say nothing of it, and some of every name. */
static void test_names_that_are_no_text(void **state)
{
	struct place *p = *state;
	static const char says[] = "hdrcharset=BINARY";
	int stream;

	put_text(p->upper, "utf8-\xc3\xa9", "");
	stream = pack(-1, p->upper);
	assert_false(has(stream, says));
	close(stream);
	put_text(p->upper, "latin-\xe9", "");
	stream = pack(-1, p->upper);
	assert_true(replace(stream, says, "comment=something"));
	unpack(p->out, stream);
	assert_same(p->upper, p->out);
}

/* Nothing is begun of a tree that cannot even be looked at. */
static void test_too_deep(void **state)
{
	struct place *p = *state;
	struct layer_error error;
	int stream = new_stream(), deep = dup(p->upper);

	put_text(p->upper, "before", "x");
	/* Longer than a path can be. */
	for (int i = 0; i < PATH_MAX / 100 + 1; i++) {
		char name[101];
		int next;

		memset(name, 'z', 100);
		name[100] = 0;
		put_folder(deep, name);
		next = openat(deep, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(deep);
		deep = next;
	}
	close(deep);
	assert_int_equal(stream_pack(-1, p->upper, stream, &error), -1);
	assert_int_equal(error.code, LAYER_FAILED);
	assert_int_equal(lseek(stream, 0, SEEK_END), 0);
	close(stream);
	/* The message is shorter than the path, and says the reason all the same. */
	assert_non_null(strstr(error.message, "/zzz"));
	assert_non_null(strstr(error.message, strerror(ENAMETOOLONG)));
}

/* The end of it, and what little follows, is in one block of the stream: the last. */
static char long_text[1005000];

/*
 * Packs a tree with a long file, whose name comes first, and calls @change when that is
 * begun; till then the writer waits for room in the pipe.  Returns the child's status.
 */
static int pack_meanwhile(struct place *p, void (*change)(int tree), int stream)
{
	struct layer_error error;
	char data[65536];
	int ends[2], status;
	pid_t child;
	ssize_t n;

	memset(long_text, 'x', sizeof(long_text) - 1);
	put_text(p->upper, "first", long_text);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	if (child == 0)
		_exit(stream_pack(-1, p->upper, ends[1], &error) == 0 ? 0 : 1);
	close(ends[1]);
	n = read(ends[0], data, 1);
	change(p->upper);
	for (; n > 0; n = read(ends[0], data, sizeof(data)))
		assert_int_equal(write(stream, data, n), n);
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void shrink_and_vanish(int tree)
{
	put_text(tree, "first", "x");
	assert_int_equal(unlinkat(tree, "vanishes", 0), 0);
}

/* A container's files may change while they are read: what was announced is written. */
static void test_changed_meanwhile(void **state)
{
	struct place *p = *state;
	int stream = new_stream(), fd;
	struct stat st;
	char last;

	put_text(p->upper, "vanishes", "");
	assert_int_equal(pack_meanwhile(p, shrink_and_vanish, stream), 0);
	unpack(p->out, stream);
	assert_int_equal(fstatat(p->out, "first", &st, 0), 0);
	assert_int_equal(st.st_size, sizeof(long_text) - 1);
	/* Zeros are what is missing, and nothing that was read before. */
	fd = openat(p->out, "first", O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(fd, &last, 1, st.st_size - 1), 1);
	assert_int_equal(last, 0);
	close(fd);
	assert_false(exists(p->out, "vanishes"));
}

static void become_link(int tree)
{
	assert_int_equal(tree_remove(tree, "later"), 0);
	assert_int_equal(symlinkat(".", tree, "later"), 0);
}

/* A stream that could not be written to its end does not look as if it were. */
static void test_failed(void **state)
{
	struct place *p = *state;
	int stream = new_stream();

	put_folder(p->upper, "later");
	put_text(p->upper, "later/file", "x");
	assert_int_not_equal(pack_meanwhile(p, become_link, stream), 0);
	refused(p->out, stream, "damaged");
}

/* Whoever reads the stream goes away. */
static void test_no_reader(void **state)
{
	struct place *p = *state;
	struct layer_error error;
	int ends[2];

	put_text(p->upper, "file", "x");
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(stream_pack(-1, p->upper, ends[1], &error), -1);
	assert_int_equal(error.code, LAYER_FAILED);
	close(ends[1]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip), TEST(test_content), TEST(test_differences),
		TEST(test_opaque), TEST(test_folder_again), TEST(test_folder_twice),
		TEST(test_unnamed_folders), TEST(test_no_way_out), TEST(test_links_of_links),
		TEST(test_damaged), TEST(test_compressed), TEST(test_same_bytes),
		TEST(test_socket), TEST(test_sizes), TEST(test_full), TEST(test_labels),
		TEST(test_names_that_are_no_text), TEST(test_too_deep),
		TEST(test_failed), TEST(test_changed_meanwhile), TEST(test_no_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
