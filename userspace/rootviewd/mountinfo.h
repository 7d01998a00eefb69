/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is mounted below a folder, read from the kernel's mount table.
 */
#ifndef ROOTVIEW_MOUNTINFO_H
#define ROOTVIEW_MOUNTINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct mountinfo_entry {
	char *path;		/* where it is mounted */
	dev_t dev;		/* what stat() says of its files */
	char *type;		/* of its file system */
	bool claimed;		/* for the user of the table; false at first */
};

struct mountinfo {
	struct mountinfo_entry *entries;	/* ordered by path */
	size_t n;
};

/*
 * Reads from @file, /proc/self/mountinfo in earnest, what is mounted at
 * @folder or below it.  Returns 0 or a negative errno.  On success the caller
 * hands @ret to mountinfo_free(); it is untouched otherwise.
 */
int mountinfo_read(const char *file, const char *folder, struct mountinfo *ret);
void mountinfo_free(struct mountinfo *table);

/*
 * Finds what is mounted at @path.  Returns NULL if nothing is, and also if more
 * than one mount is stacked there, which nobody here ever makes.
 */
struct mountinfo_entry *mountinfo_find(struct mountinfo *table, const char *path);

/*
 * Takes apart one line.  Returns 0, with path and type for the caller to free;
 * -EBADMSG if it is no line of such a table; or -ENOMEM.
 */
int mountinfo_parse_line(const char *line, struct mountinfo_entry *ret);

#endif
