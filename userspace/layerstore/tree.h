/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A directory tree that somebody else may change meanwhile: entries are named by
 * their paths below an open directory, and no path ever leads out of it.
 *
 * A path has neither a leading '/' nor "." and ".."; "" is the root itself.
 * Functions return a negative errno on errors, unless they say otherwise.
 */
#ifndef ROOTVIEW_LAYER_TREE_H
#define ROOTVIEW_LAYER_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#define TREE_FD_PATH_SIZE	32

/* A path that leads to what is open, with O_PATH as well. */
void tree_fd_path(int fd, char path[static TREE_FD_PATH_SIZE]);

/* Opens an entry as openat(2) does; -ELOOP if there is a symbolic link on the way. */
int tree_open(int root, const char *path, int flags);

/*
 * Opens a directory with O_PATH, and follows symbolic links as a process would
 * whose root directory is @root.
 */
int tree_open_followed(int root, const char *path);

struct tree_xattr {
	char *name;
	void *value;
	size_t size;
};

/* What is known of an entry without reading it. */
struct tree_entry {
	struct stat st;
	char *target;			/* of a symbolic link; else NULL */
	/* In order of their names; less those that say how the tree itself is mounted. */
	struct tree_xattr *xattrs;
	size_t n_xattrs;
};

/* Whether an extended attribute is one of those that are left out: SELinux's. */
bool tree_leaves_out(const char *name);

/* Follows no link.  On success @ret is for tree_entry_free(). */
int tree_look(int root, const char *path, struct tree_entry *ret);
void tree_entry_free(struct tree_entry *entry);

/* Names in a directory, in the order of their bytes. */
struct tree_names {
	char **list;
	size_t n;
};

/* On success @ret is for tree_names_free(). */
int tree_list(int root, const char *path, struct tree_names *ret);
void tree_names_free(struct tree_names *names);

/* Joins a path and a name in it; NULL if memory is short. */
char *tree_join(const char *path, const char *name);

/* Removes what @name in the open directory @parent is, and all below it.  0 if it is not there. */
int tree_remove(int parent, const char *name);

#endif
