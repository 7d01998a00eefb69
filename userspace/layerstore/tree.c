// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Directory trees; tree.h is the contract.
 */
#include "tree.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "util.h"

/* A value that grows while it is read is read again. */
#define TRIES 16

void tree_fd_path(int fd, char path[static TREE_FD_PATH_SIZE])
{
	snprintf(path, TREE_FD_PATH_SIZE, "/proc/self/fd/%d", fd);
}

static int open_resolved(int root, const char *path, int flags, uint64_t resolve)
{
	const struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = resolve | RESOLVE_NO_MAGICLINKS,
	};
	int fd;

	/* EAGAIN: something was renamed, so that the kernel cannot tell. */
	do
		fd = syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof(how));
	while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	return fd < 0 ? -errno : fd;
}

int tree_open(int root, const char *path, int flags)
{
	return open_resolved(root, path, flags | O_NOFOLLOW, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

int tree_open_followed(int root, const char *path)
{
	return open_resolved(root, path, O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT);
}

/*
 * Looking at entries.
 */

bool tree_leaves_out(const char *name)
{
	return streq(name, "security.selinux");
}

/* Of the file at @path, the attribute @name, or the list of all names if that is NULL. */
static ssize_t read_xattr(const char *path, const char *name, void **ret)
{
	for (int i = 0; i < TRIES; i++) {
		ssize_t size = name ? getxattr(path, name, NULL, 0) : listxattr(path, NULL, 0);
		ssize_t r;
		void *value;

		if (size < 0)
			return -errno;
		value = malloc(size + 1);
		if (!value)
			return -ENOMEM;
		r = name ? getxattr(path, name, value, size) : listxattr(path, value, size);
		if (r >= 0) {
			*ret = value;
			return r;
		}
		free(value);
		if (errno != ERANGE)
			return -errno;
	}
	return -EAGAIN;
}

static int compare_xattrs(const void *a, const void *b)
{
	return strcmp(((const struct tree_xattr *)a)->name, ((const struct tree_xattr *)b)->name);
}

static int add_xattr(struct tree_entry *entry, const char *path, const char *name)
{
	struct tree_xattr *x, *list;
	ssize_t size;

	list = reallocarray(entry->xattrs, entry->n_xattrs + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	entry->xattrs = list;
	x = &list[entry->n_xattrs];
	*x = (struct tree_xattr){ .name = strdup(name) };
	if (!x->name)
		return -ENOMEM;
	size = read_xattr(path, name, &x->value);
	if (size < 0) {
		free(x->name);
		/* It was removed meanwhile. */
		return size == -ENODATA ? 0 : size;
	}
	x->size = size;
	entry->n_xattrs++;
	return 0;
}

static int look_at_xattrs(int fd, struct tree_entry *entry)
{
	char path[TREE_FD_PATH_SIZE];
	void *list = NULL;
	ssize_t size;
	int r = 0;

	tree_fd_path(fd, path);
	size = read_xattr(path, NULL, &list);
	if (size < 0)
		return size == -EOPNOTSUPP ? 0 : size;
	for (const char *name = list; r == 0 && name < (char *)list + size;
	     name += strlen(name) + 1)
		if (!tree_leaves_out(name))
			r = add_xattr(entry, path, name);
	free(list);
	if (r == 0 && entry->n_xattrs)
		qsort(entry->xattrs, entry->n_xattrs, sizeof(*entry->xattrs), compare_xattrs);
	return r;
}

static int look_at_target(int fd, struct tree_entry *entry)
{
	char target[PATH_MAX];
	ssize_t size = readlinkat(fd, "", target, sizeof(target));

	if (size < 0)
		return -errno;
	entry->target = strndup(target, size);
	return entry->target ? 0 : -ENOMEM;
}

int tree_look(int root, const char *path, struct tree_entry *ret)
{
	cleanup_close int fd = tree_open(root, path, O_PATH);
	struct tree_entry entry = { .n_xattrs = 0 };
	int r = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, &entry.st) < 0)
		return -errno;
	if (S_ISLNK(entry.st.st_mode))
		r = look_at_target(fd, &entry);
	if (r == 0)
		r = look_at_xattrs(fd, &entry);
	if (r < 0)
		tree_entry_free(&entry);
	else
		*ret = entry;
	return r;
}

void tree_entry_free(struct tree_entry *entry)
{
	for (size_t i = 0; i < entry->n_xattrs; i++) {
		free(entry->xattrs[i].name);
		free(entry->xattrs[i].value);
	}
	free(entry->xattrs);
	free(entry->target);
	*entry = (struct tree_entry){ .n_xattrs = 0 };
}

/*
 * Directories.
 */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(struct tree_names *names, const char *name)
{
	char **list = names->list;

	/* Powers of two, so that a long list is not copied for each. */
	if (!(names->n & (names->n - 1))) {
		list = reallocarray(list, names->n ? 2 * names->n : 1, sizeof(*list));
		if (!list)
			return -ENOMEM;
		names->list = list;
	}
	list[names->n] = strdup(name);
	if (!list[names->n])
		return -ENOMEM;
	names->n++;
	return 0;
}

/* Takes @fd over. */
static int list_directory(int fd, struct tree_names *ret)
{
	cleanup_closedir DIR *dir = fdopendir(fd);
	struct tree_names names = { .n = 0 };
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (r == 0 && (errno = 0, entry = readdir(dir)))
		if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
			r = add_name(&names, entry->d_name);
	if (r == 0)
		r = -errno;
	if (r < 0) {
		tree_names_free(&names);
		return r;
	}
	if (names.n)
		qsort(names.list, names.n, sizeof(*names.list), compare_names);
	*ret = names;
	return 0;
}

int tree_list(int root, const char *path, struct tree_names *ret)
{
	int fd = tree_open(root, path, O_RDONLY | O_DIRECTORY);

	return fd < 0 ? fd : list_directory(fd, ret);
}

void tree_names_free(struct tree_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->list[i]);
	free(names->list);
	*names = (struct tree_names){ .n = 0 };
}

char *tree_join(const char *path, const char *name)
{
	char *joined;

	return asprintf(&joined, "%s%s%s", path, *path ? "/" : "", name) < 0 ? NULL : joined;
}

/* 0 if it is gone, 1 if it is a directory. */
static int remove_file(int parent, const char *name)
{
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	return errno == EISDIR ? 1 : -errno;
}

/* Moves a directory up into @top, under a number that nothing has there. */
static int lift(int parent, const char *name, int top, unsigned int *number)
{
	char lifted[16];

	do {
		snprintf(lifted, sizeof(lifted), "%u", (*number)++);
		if (renameat2(parent, name, top, lifted, RENAME_NOREPLACE) == 0)
			return 0;
	} while (errno == EEXIST);
	return -errno;
}

/* Removes a directory in @top; those in it are in @top then. */
static int remove_folder(int top, const char *name, unsigned int *number)
{
	cleanup_close int fd = tree_open(top, name, O_RDONLY | O_DIRECTORY);
	struct tree_names names;
	int r = fd < 0 ? fd : tree_list(fd, "", &names);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		r = remove_file(fd, names.list[i]);
		if (r > 0)
			r = lift(fd, names.list[i], top, number);
	}
	tree_names_free(&names);
	return r == 0 && unlinkat(top, name, AT_REMOVEDIR) < 0 ? -errno : r;
}

/* Returns 1 if there may be more. */
static int remove_content(int top, unsigned int *number)
{
	struct tree_names names;
	int r = tree_list(top, "", &names), more = 0;

	if (r < 0)
		return r;
	for (size_t i = 0; r >= 0 && i < names.n; i++) {
		r = remove_file(top, names.list[i]);
		if (r > 0) {
			more = 1;
			r = remove_folder(top, names.list[i], number);
		}
	}
	tree_names_free(&names);
	return r < 0 ? r : more;
}

/* By levels: neither descriptors nor stack are to grow with a tree that somebody made deep. */
int tree_remove(int parent, const char *name)
{
	cleanup_close int top = -1;
	unsigned int number = 0;
	int r = remove_file(parent, name);

	if (r <= 0)
		return r;
	top = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (top < 0)
		return -errno;
	do
		r = remove_content(top, &number);
	while (r > 0);
	return r == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : r;
}
