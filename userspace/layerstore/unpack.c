// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Unpacking layers from tar streams; stream.h is the contract.
 */
#include <archive.h>
#include <archive_entry.h>
#include <ctype.h>
#include <fcntl.h>
#include <search.h>
#include <sys/xattr.h>

#include "stream.h"
#include "tree.h"
#include "utf8.h"
#include "util.h"

/* What a file system keeps a hole for, at least. */
#define BLOCK 4096

/* A directory, whose time is set when all is in it. */
struct folder {
	struct folder *next;
	struct timespec time;
	char path[];
};

struct unpacker {
	int root;
	struct archive *archive;
	struct folder *folders, **end;
	void *names;		/* a tree of strings: what this stream has put there */
	uint64_t size;
	const char *path;	/* of the entry, as the stream has it */
	struct layer_error *error;
};

static int fail(struct unpacker *u, int error)
{
	return layer_failed(u->error, LAYER_FAILED, "\"%s\": cannot unpack it: %s", u->path,
			    strerror(error));
}

static int fail_invalid(struct unpacker *u, const char *why)
{
	return layer_failed(u->error, LAYER_INVALID, "\"%s\": %s", u->path, why);
}

static int fail_to_read(struct unpacker *u)
{
	return layer_failed(u->error, LAYER_INVALID, "the tar stream is damaged%s%s%s: %s",
			    u->path ? " in \"" : "", u->path ?: "", u->path ? "\"" : "",
			    archive_error_string(u->archive) ?: "no reason given");
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Where things lie. */

/* Puts the path without "/", "." and the like into @ret; -1 if it leads out. */
static int clean(struct unpacker *u, const char *path, char **ret)
{
	cleanup_free char *copy = strdup(path), *cleaned = calloc(1, strlen(path) + 1);
	char *rest = copy, *part, *end = cleaned;

	if (!copy || !cleaned)
		return fail(u, ENOMEM);
	while ((part = strsep(&rest, "/"))) {
		if (streq(part, "..")) {
			return fail_invalid(u, "a \"..\" in the path, or in what it is a link to, "
					    "may lead out of the layer");
		}
		if (*part && !streq(part, "."))
			end += sprintf(end, "%s%s", end == cleaned ? "" : "/", part);
	}
	*ret = steal_ptr(&cleaned);
	return 0;
}

/* The part of a clean path behind the last '/'. */
static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int open_parent(struct unpacker *u, const char *path, bool make);

/* A directory, which is made with those above it if it is missing. */
static int open_folder(struct unpacker *u, const char *path, bool make)
{
	cleanup_close int parent = -1;
	int fd = tree_open_followed(u->root, path), r;

	if (fd != -ENOENT || !make)
		return fd;
	parent = open_parent(u, path, true);
	if (parent < 0)
		return parent;
	if (mkdirat(parent, last_name(path), 0700) < 0)
		return -errno;
	fd = tree_open(parent, last_name(path), O_RDONLY | O_DIRECTORY);
	/* Whatever the umask is. */
	if (fd >= 0 && fchmod(fd, 0755) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

static int open_parent(struct unpacker *u, const char *path, bool make)
{
	const char *name = last_name(path);
	cleanup_free char *folder = strndup(path, name > path ? name - path - 1 : 0);

	return folder ? open_folder(u, folder, make) : -ENOMEM;
}

/* What this stream has put there. */

static int remember_name(struct unpacker *u, const char *path)
{
	char *copy = strdup(path), **found = copy ? tsearch(copy, &u->names, compare_names) : NULL;

	if (!found || *found != copy)
		free(copy);
	return found ? 0 : fail(u, ENOMEM);
}

static int remember_folder(struct unpacker *u, const char *path, const struct timespec *time)
{
	struct folder *folder = malloc(sizeof(*folder) + strlen(path) + 1);

	if (!folder)
		return fail(u, ENOMEM);
	folder->time = *time;
	strcpy(folder->path, path);
	folder->next = NULL;
	*u->end = folder;
	u->end = &folder->next;
	return 0;
}

/* Whiteouts. */

static int remove_others(struct unpacker *u, int folder, const char *path);

static int remove_other(struct unpacker *u, int folder, const char *path, const char *name)
{
	cleanup_free char *full = tree_join(path, name);
	cleanup_close int fd = -1;

	if (!full)
		return -ENOMEM;
	if (!tfind(full, &u->names, compare_names))
		return tree_remove(folder, name);
	fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 ? remove_others(u, fd, full) : 0;
}

/* Removes from a directory what this stream has not put there. */
static int remove_others(struct unpacker *u, int folder, const char *path)
{
	struct tree_names names;
	int r = tree_list(folder, "", &names);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = remove_other(u, folder, path, names.list[i]);
	tree_names_free(&names);
	return r;
}

static int make_opaque(struct unpacker *u, const char *path)
{
	const char *name = last_name(path);
	cleanup_free char *folder = strndup(path, name > path ? name - path - 1 : 0);
	cleanup_close int fd = folder ? tree_open_followed(u->root, folder) : -ENOMEM;
	int r = fd < 0 ? fd : remove_others(u, fd, folder);

	/* It comes before its directory, which then has nothing in it. */
	return r < 0 && r != -ENOENT ? fail(u, -r) : 0;
}

/* Returns whether the name is one that says something; then 0 or -1 is in @ret. */
static bool whiteout(struct unpacker *u, const char *path, int *ret)
{
	const char *name = last_name(path), *gone = after_prefix(name, WHITEOUT_PREFIX);
	cleanup_close int parent = -1;

	*ret = 0;
	if (!gone)
		return false;
	if (streq(name, WHITEOUT_OPAQUE)) {
		*ret = make_opaque(u, path);
		return true;
	}
	if (after_prefix(name, WHITEOUT_META))
		return true;
	if (!*gone || streq(gone, ".") || streq(gone, "..")) {
		*ret = fail_invalid(u, "this is no name of something that is gone");
		return true;
	}
	parent = open_parent(u, path, false);
	if (parent >= 0)
		*ret = tree_remove(parent, gone);
	else if (parent != -ENOENT && parent != -ENOTDIR)
		*ret = parent;
	if (*ret < 0)
		*ret = fail(u, -*ret);
	return true;
}

/* Files. */

static bool is_zero(const char *data, size_t size)
{
	return size == 0 || (*data == 0 && memcmp(data, data + 1, size - 1) == 0);
}

/* The part of @data that lies in one block of the file. */
static size_t to_block_end(size_t size, uint64_t offset)
{
	size_t rest = BLOCK - offset % BLOCK;

	return size < rest ? size : rest;
}

static int write_all(int fd, const char *data, size_t size, uint64_t offset)
{
	while (size > 0) {
		ssize_t n = pwrite(fd, data, size, offset);

		if (n < 0 && errno != EINTR)
			return -errno;
		n = n < 0 ? 0 : n;
		data += n;
		size -= n;
		offset += n;
	}
	return 0;
}

/* Less the blocks of zeros. */
static int write_data(int fd, const char *data, size_t size, uint64_t offset)
{
	int r = 0;

	while (r == 0 && size > 0) {
		size_t n = to_block_end(size, offset), run = 0;
		bool zero = is_zero(data, n);

		while (run < size && is_zero(data + run, n) == zero) {
			run += n;
			n = to_block_end(size - run, offset + run);
			if (!n)
				break;
		}
		if (!zero)
			r = write_all(fd, data, run, offset);
		data += run;
		size -= run;
		offset += run;
	}
	return r;
}

static int unpack_content(struct unpacker *u, int fd)
{
	const void *data;
	size_t size;
	la_int64_t offset;
	int r;

	while ((r = archive_read_data_block(u->archive, &data, &size, &offset)) == ARCHIVE_OK) {
		r = write_data(fd, data, size, offset);
		if (r < 0)
			return fail(u, -r);
	}
	return r == ARCHIVE_EOF ? 0 : fail_to_read(u);
}

static int unpack_file(struct unpacker *u, int parent, const char *name,
		       struct archive_entry *entry)
{
	cleanup_close int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return fail(u, errno);
	if (unpack_content(u, fd) < 0)
		return -1;
	/* It may end with a hole. */
	if (ftruncate(fd, archive_entry_size(entry)) < 0)
		return fail(u, errno);
	u->size += archive_entry_size(entry);
	return 0;
}

static int unpack_link(struct unpacker *u, int parent, const char *name, const char *target)
{
	cleanup_free char *path = NULL;
	cleanup_close int folder = -1;

	if (clean(u, target, &path) < 0)
		return -1;
	folder = open_parent(u, path, false);
	if (folder < 0)
		return fail(u, -folder);
	return linkat(folder, last_name(path), parent, name, 0) < 0 ? fail(u, errno) : 0;
}

/* Makes what the entry is of, without any of its metadata. */
static int make(struct unpacker *u, int parent, const char *name, struct archive_entry *entry)
{
	mode_t type = archive_entry_filetype(entry);
	int r;

	if (type == AE_IFREG)
		return unpack_file(u, parent, name, entry);
	if (type == AE_IFDIR) {
		r = mkdirat(parent, name, 0700);
		r = r < 0 && errno == EEXIST ? 0 : r;
	} else if (type == AE_IFLNK) {
		r = symlinkat(archive_entry_symlink(entry) ?: "", parent, name);
	} else if (type == AE_IFCHR || type == AE_IFBLK || type == AE_IFIFO) {
		r = mknodat(parent, name, type | 0600, archive_entry_rdev(entry));
	} else {
		return fail_invalid(u, "its type is unknown");
	}
	return r < 0 ? fail(u, errno) : 0;
}

/* Metadata. */

/*
 * A name without its %XX: libarchive writes all but printable ASCII so, and GNU tar
 * '=' and '%', but libarchive reads them as they are.  To be freed.
 */
static char *decode(const char *name)
{
	char *decoded = strdup(name), *to = decoded;

	for (const char *from = decoded; from && *from; to++) {
		if (*from == '%' && isxdigit((unsigned char)from[1]) &&
		    isxdigit((unsigned char)from[2])) {
			*to = strtoul((char[]){ from[1], from[2], 0 }, NULL, 16);
			from += 3;
		} else {
			*to = *from++;
		}
	}
	if (to)
		*to = 0;
	return decoded;
}

static int set_xattrs(struct unpacker *u, const char *fd_path, struct archive_entry *entry)
{
	const char *name;
	const void *value;
	size_t size;

	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
		cleanup_free char *decoded = decode(name);

		if (!decoded)
			return fail(u, ENOMEM);
		if (!tree_leaves_out(decoded) && setxattr(fd_path, decoded, value, size, 0) < 0)
			return fail(u, errno);
	}
	return 0;
}

/* Those that a directory had before, and an ACL that comes from the directory above. */
static int remove_xattrs(struct unpacker *u, int parent, const char *name, const char *fd_path)
{
	struct tree_entry look;
	int r = tree_look(parent, name, &look);

	if (r < 0)
		return fail(u, -r);
	for (size_t i = 0; r == 0 && i < look.n_xattrs; i++)
		if (removexattr(fd_path, look.xattrs[i].name) < 0)
			r = fail(u, errno);
	tree_entry_free(&look);
	return r;
}

static struct timespec time_of(struct archive_entry *entry)
{
	if (!archive_entry_mtime_is_set(entry))
		return (struct timespec){ .tv_nsec = UTIME_OMIT };
	return (struct timespec){
		.tv_sec = archive_entry_mtime(entry), .tv_nsec = archive_entry_mtime_nsec(entry),
	};
}

static int set_time(int fd, const char *path, const struct timespec *time)
{
	const struct timespec times[] = { *time, *time };

	return utimensat(fd, path, times, AT_SYMLINK_NOFOLLOW);
}

/* A new owner takes set-user-ID bits and capabilities away: so these come later. */
static int set_metadata(struct unpacker *u, int parent, const char *name,
			struct archive_entry *entry)
{
	cleanup_close int fd = tree_open(parent, name, O_PATH);
	char path[TREE_FD_PATH_SIZE];

	if (fd < 0)
		return fail(u, -fd);
	tree_fd_path(fd, path);
	if (fchownat(fd, "", archive_entry_uid(entry), archive_entry_gid(entry), AT_EMPTY_PATH) < 0)
		return fail(u, errno);
	if (remove_xattrs(u, parent, name, path) < 0)
		return -1;
	if (archive_entry_filetype(entry) != AE_IFLNK &&
	    chmod(path, archive_entry_mode(entry) & 07777) < 0)
		return fail(u, errno);
	return set_xattrs(u, path, entry);
}

/* Entries. */

/* Makes room: of what is there only a directory stays, for a directory. */
static int remove_old(struct unpacker *u, int parent, const char *name, bool keep_folder)
{
	struct stat st;
	int r;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : fail(u, errno);
	if (keep_folder && S_ISDIR(st.st_mode))
		return 0;
	r = tree_remove(parent, name);
	return r < 0 ? fail(u, -r) : 0;
}

static int unpack_at(struct unpacker *u, int parent, const char *path, const char *name,
		     struct archive_entry *entry)
{
	const char *target = archive_entry_hardlink(entry);
	bool is_folder = !target && archive_entry_filetype(entry) == AE_IFDIR;
	struct timespec time = time_of(entry);

	if (remove_old(u, parent, name, is_folder) < 0 || remember_name(u, path) < 0)
		return -1;
	if (target)
		return unpack_link(u, parent, name, target);
	if (make(u, parent, name, entry) < 0 || set_metadata(u, parent, name, entry) < 0)
		return -1;
	if (is_folder)
		return remember_folder(u, path, &time);
	return set_time(parent, name, &time) < 0 ? fail(u, errno) : 0;
}

/* The root itself cannot be made anew. */
static int unpack_root(struct unpacker *u, struct archive_entry *entry)
{
	struct timespec time = time_of(entry);

	if (archive_entry_filetype(entry) != AE_IFDIR)
		return fail_invalid(u, "the root of a layer is a directory");
	if (set_metadata(u, u->root, "", entry) < 0)
		return -1;
	return remember_folder(u, "", &time);
}

static int unpack_entry(struct unpacker *u, struct archive_entry *entry)
{
	cleanup_free char *path = NULL;
	cleanup_close int parent = -1;
	int r;

	u->path = archive_entry_pathname(entry);
	if (!u->path)
		return layer_failed(u->error, LAYER_INVALID,
				    "the tar stream has an entry without a name");
	if (clean(u, u->path, &path) < 0)
		return -1;
	if (!*path)
		return unpack_root(u, entry);
	if (whiteout(u, path, &r))
		return r;
	if (archive_entry_filetype(entry) == AE_IFSOCK)
		return 0;
	parent = open_parent(u, path, true);
	if (parent < 0)
		return fail(u, -parent);
	return unpack_at(u, parent, path, last_name(path), entry);
}

/* In the order of the stream: of a directory that is in it twice, the last time counts. */
static int set_folder_times(struct unpacker *u)
{
	for (struct folder *f = u->folders; f; f = f->next) {
		cleanup_close int parent = open_parent(u, f->path, false);
		cleanup_close int fd = parent < 0 ? parent :
				       tree_open(parent, last_name(f->path), O_PATH | O_DIRECTORY);
		char path[TREE_FD_PATH_SIZE];

		/* It was replaced later, by a link to another directory even. */
		if (fd < 0)
			continue;
		u->path = f->path;
		tree_fd_path(fd, path);
		if (utimensat(AT_FDCWD, path, (struct timespec[]){ f->time, f->time }, 0) < 0)
			return fail(u, errno);
	}
	return 0;
}

static int unpack_all(struct unpacker *u)
{
	struct archive_entry *entry;
	int r;

	for (;;) {
		/* It was the last entry's. */
		u->path = NULL;
		r = archive_read_next_header(u->archive, &entry);
		/* A warning is about names that are no text, which they need not be. */
		if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
			return r == ARCHIVE_EOF ? set_folder_times(u) : fail_to_read(u);
		if (unpack_entry(u, entry) < 0)
			return -1;
	}
}

/* Whoever writes the stream is not to find that nobody reads it. */
static void drain(int fd)
{
	char buffer[65536];
	ssize_t n;

	do
		n = read(fd, buffer, sizeof(buffer));
	while (n > 0 || (n < 0 && errno == EINTR));
}

static struct archive *open_archive(int fd, struct layer_error *error)
{
	struct archive *archive = archive_read_new();

	if (archive && archive_read_support_filter_gzip(archive) == ARCHIVE_OK &&
	    archive_read_support_filter_bzip2(archive) == ARCHIVE_OK &&
	    archive_read_support_filter_xz(archive) == ARCHIVE_OK &&
	    archive_read_support_filter_zstd(archive) == ARCHIVE_OK &&
	    archive_read_support_format_tar(archive) == ARCHIVE_OK &&
	    archive_read_support_format_empty(archive) == ARCHIVE_OK &&
	    archive_read_open_fd(archive, fd, 65536) == ARCHIVE_OK)
		return archive;
	layer_failed(error, LAYER_INVALID, "this is no tar stream: %s",
		     archive ? archive_error_string(archive) : strerror(ENOMEM));
	archive_read_free(archive);
	return NULL;
}

static void free_all(struct unpacker *u)
{
	struct folder *next;

	for (; u->folders; u->folders = next) {
		next = u->folders->next;
		free(u->folders);
	}
	tdestroy(u->names, free);
	archive_read_free(u->archive);
}

int stream_unpack(int root, int fd, uint64_t *ret_size, struct layer_error *error)
{
	struct unpacker u = { .root = root, .error = error };
	struct utf8 utf8;
	int r;

	u.end = &u.folders;
	if (utf8_begin(&utf8, error) < 0)
		return -1;
	u.archive = open_archive(fd, error);
	r = u.archive ? unpack_all(&u) : -1;
	if (r == 0)
		drain(fd);
	*ret_size = u.size;
	free_all(&u);
	utf8_end(&utf8);
	return r;
}
