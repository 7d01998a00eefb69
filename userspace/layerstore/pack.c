// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Writing layers as tar streams; stream.h is the contract.
 */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <search.h>

#include "compare.h"
#include "stream.h"
#include "tree.h"
#include "utf8.h"
#include "util.h"

#define cleanup_entry cleanup_with(tree_entry_free)
#define cleanup_archive_entry cleanup_with(free_archive_entry)

struct packer {
	int root;
	struct archive *archive;
	int fd;
	bool failed;		/* nothing more is to be written */
	void *links;		/* a tree of struct link, by inode */
	struct layer_error *error;
};

/* A file with several names, by the one under which it was written. */
struct link {
	ino_t inode;
	char *path;
};

static void free_archive_entry(struct archive_entry **entry)
{
	archive_entry_free(*entry);
}

static int fail(struct packer *p, const char *path, int error)
{
	return layer_failed(p->error, LAYER_FAILED, "%s: cannot read it: %s", path,
			    strerror(error));
}

static int fail_to_write(struct packer *p, const char *path)
{
	return layer_failed(p->error, LAYER_FAILED, "%s: cannot write it to the stream: %s", path,
			    archive_error_string(p->archive) ?: "no reason given");
}

static int write_header(struct packer *p, const char *path, struct archive_entry *entry)
{
	/* A warning is about a name that is no text; the stream says so, and has its bytes. */
	return archive_write_header(p->archive, entry) >= ARCHIVE_WARN ? 0 :
	       fail_to_write(p, path);
}

static struct archive_entry *new_entry(const char *path)
{
	struct archive_entry *entry = archive_entry_new();

	if (entry)
		archive_entry_set_pathname(entry, path + 1);
	return entry;
}

/* An empty file in the place of what is gone; of no time, or no two streams would be the same. */
static int write_whiteout(struct packer *p, const char *path)
{
	int folder = strrchr(path, '/') + 1 - path;
	cleanup_archive_entry struct archive_entry *entry = NULL;
	cleanup_free char *name = NULL;

	if (asprintf(&name, "%.*s" WHITEOUT_PREFIX "%s", folder, path, path + folder) < 0)
		return fail(p, path, ENOMEM);
	entry = new_entry(name);
	if (!entry)
		return fail(p, path, ENOMEM);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0600);
	archive_entry_set_size(entry, 0);
	archive_entry_set_mtime(entry, 0, 0);
	return write_header(p, path, entry);
}

static int compare_links(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static void free_link(void *p)
{
	struct link *link = p;

	free(link->path);
	free(link);
}

/*
 * Puts the path under which the same file was written already, or NULL, into @ret.
 * Then this is where it is found.
 */
static int find_link(struct packer *p, const char *path, const struct stat *st, const char **ret)
{
	struct link *link = malloc(sizeof(*link)), **found;

	*ret = NULL;
	if (!link)
		return fail(p, path, ENOMEM);
	*link = (struct link){ .inode = st->st_ino, .path = strdup(path) };
	found = link->path ? tsearch(link, &p->links, compare_links) : NULL;
	if (!found || *found != link)
		free_link(link);
	if (!found)
		return fail(p, path, ENOMEM);
	if (*found != link)
		*ret = (*found)->path;
	return 0;
}

/* Exactly as many bytes as was announced: the file may have become longer or shorter. */
static int write_content(struct packer *p, const char *path, int fd, uint64_t size)
{
	static const char zeros[65536];
	char buffer[sizeof(zeros)];

	for (uint64_t left = size; left > 0;) {
		size_t want = left < sizeof(buffer) ? left : sizeof(buffer);
		ssize_t n = read(fd, buffer, want);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(p, path, errno);
		if (n > 0)
			want = n;
		if (archive_write_data(p->archive, n > 0 ? buffer : zeros, want) < 0)
			return fail_to_write(p, path);
		left -= want;
	}
	return 0;
}

static int write_file(struct packer *p, const char *path, struct archive_entry *entry,
		      uint64_t size)
{
	cleanup_close int fd = tree_open(p->root, path + 1, O_RDONLY);
	int r;

	if (fd < 0)
		return fail(p, path, -fd);
	r = write_header(p, path, entry);
	return r == 0 ? write_content(p, path, fd, size) : r;
}

static void describe(struct archive_entry *to, const struct tree_entry *from)
{
	const struct stat *st = &from->st;

	archive_entry_set_mode(to, st->st_mode);
	archive_entry_set_uid(to, st->st_uid);
	archive_entry_set_gid(to, st->st_gid);
	archive_entry_set_mtime(to, st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		archive_entry_set_rdev(to, st->st_rdev);
	if (from->target)
		archive_entry_set_symlink(to, from->target);
	archive_entry_set_size(to, S_ISREG(st->st_mode) ? st->st_size : 0);
	for (size_t i = 0; i < from->n_xattrs; i++)
		archive_entry_xattr_add_entry(to, from->xattrs[i].name, from->xattrs[i].value,
					      from->xattrs[i].size);
}

static int write_entry(struct packer *p, const char *path, const struct tree_entry *look)
{
	cleanup_archive_entry struct archive_entry *entry = new_entry(path);
	const char *first = NULL;

	if (!entry)
		return fail(p, path, ENOMEM);
	if (!S_ISDIR(look->st.st_mode) && look->st.st_nlink > 1 &&
	    find_link(p, path, &look->st, &first) < 0)
		return -1;
	describe(entry, look);
	if (first) {
		archive_entry_set_size(entry, 0);
		archive_entry_set_hardlink(entry, first + 1);
	}
	return first || !S_ISREG(look->st.st_mode) ?
	       write_header(p, path, entry) : write_file(p, path, entry, look->st.st_size);
}

static int pack(const char *path, enum change kind, void *userdata)
{
	cleanup_entry struct tree_entry look = { .n_xattrs = 0 };
	struct packer *p = userdata;
	int r;

	if (kind == CHANGE_DELETED)
		return write_whiteout(p, path);
	r = tree_look(p->root, path + 1, &look);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return fail(p, path, -r);
	return S_ISSOCK(look.st.st_mode) ? 0 : write_entry(p, path, &look);
}

/* What libarchive writes when a failed stream is freed would make it look like a whole one. */
static la_ssize_t write_to_fd(struct archive *archive, void *userdata, const void *data,
			      size_t size)
{
	struct packer *p = userdata;
	ssize_t n;

	if (p->failed)
		return -1;
	do
		n = write(p->fd, data, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		archive_set_error(archive, errno, "%s", strerror(errno));
	return n;
}

/*
 * A time is to be as exact as it is: so not the "restricted" kind of pax.  libarchive
 * would say extended attributes twice, the second time in a way that only it knows.
 */
static struct archive *open_archive(struct packer *p)
{
	struct archive *archive = archive_write_new();

	if (archive && archive_write_set_format_pax(archive) == ARCHIVE_OK &&
	    archive_write_set_format_option(archive, "pax", "xattrheader", "SCHILY") ==
		    ARCHIVE_OK &&
	    archive_write_set_bytes_in_last_block(archive, 1) == ARCHIVE_OK &&
	    archive_write_open(archive, p, NULL, write_to_fd, NULL) == ARCHIVE_OK)
		return archive;
	layer_failed(p->error, LAYER_FAILED, "a tar stream cannot be begun: %s",
		     archive ? archive_error_string(archive) : strerror(ENOMEM));
	archive_write_free(archive);
	return NULL;
}

int stream_pack(int lower, int upper, int fd, struct layer_error *error)
{
	struct packer p = { .root = upper, .fd = fd, .error = error };
	struct utf8 utf8;
	int r = -1;

	if (utf8_begin(&utf8, error) < 0)
		return -1;
	p.archive = open_archive(&p);
	if (p.archive)
		r = compare_trees(lower, upper, pack, &p, error);
	if (r == 0 && archive_write_close(p.archive) != ARCHIVE_OK)
		r = layer_failed(error, LAYER_FAILED, "the tar stream cannot be ended: %s",
				 archive_error_string(p.archive));
	p.failed = r != 0;
	archive_write_free(p.archive);
	tdestroy(p.links, free_link);
	utf8_end(&utf8);
	return r;
}

struct sum {
	struct packer packer;	/* for its links */
	uint64_t size;
};

static int add(const char *path, enum change kind, void *userdata)
{
	cleanup_entry struct tree_entry look = { .n_xattrs = 0 };
	struct sum *sum = userdata;
	const char *first = NULL;
	int r = kind == CHANGE_DELETED ? -ENOENT : tree_look(sum->packer.root, path + 1, &look);

	if (r < 0)
		return r == -ENOENT ? 0 : fail(&sum->packer, path, -r);
	if (!S_ISREG(look.st.st_mode))
		return 0;
	if (look.st.st_nlink > 1 && find_link(&sum->packer, path, &look.st, &first) < 0)
		return -1;
	sum->size += first ? 0 : look.st.st_size;
	return 0;
}

int stream_size(int lower, int upper, uint64_t *ret_size, struct layer_error *error)
{
	struct sum sum = { .packer = { .root = upper, .error = error } };
	int r = compare_trees(lower, upper, add, &sum, error);

	tdestroy(sum.packer.links, free_link);
	*ret_size = sum.size;
	return r;
}
