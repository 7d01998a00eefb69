/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The runtime folder: what lies where in it, and that one daemon has it.
 *
 *	DIR/				a mount of its own, private; others go through it alone
 *	  io.rootview			the socket
 *	  lock				locked by the daemon; for root only
 *	  origins/ORIGIN/		for root only, as an image may hold set-user-id files
 *	    id				the kernel's id of the origin that this is about
 *	    plain			the origin's file system
 *	    variants/N/mount		another variant of it, if that is an overlay:
 *	    variants/N/skeleton		its upper layer, a tmpfs, while the overlay is made
 *	    variants/N/lower		its lower layer, if that is not plain; likewise
 *	    variants/N/points		the mount points that it supplies, as JSON
 *	    variants/N/map		its id map, as JSON
 *	    variants/N/label		its label
 *	    variants/N/wanted		what a view asked for, where no blob can hold it
 *	  added/ORIGIN			the label that AddOrigin asked for, if it did; by the
 *					name that it gave
 *	  trash/N			what is being unmounted
 *
 * What is mounted can be made again from the kernel's registry, "added" and "wanted".
 */
#ifndef ROOTVIEW_RUNTIME_H
#define ROOTVIEW_RUNTIME_H

#include <limits.h>
#include <stdint.h>

#include "failure.h"

/* With it, two names and the fixed parts, every path is shorter than PATH_MAX. */
#define RUNTIME_DIR_MAX 1024

struct runtime {
	char dir[RUNTIME_DIR_MAX + 1];
	int lock_fd;
};

/* A path, made by the functions below. */
struct path {
	char s[PATH_MAX];
};

/*
 * Makes the runtime folder at @dir, an absolute path, and locks it: a second
 * daemon is refused, and so is a folder that others than root can write to, or that has
 * anything of others in it, such as /run.  The caller closes what it gets.
 */
int runtime_open(struct runtime *ret, const char *dir, struct failure *f);

/*
 * Lets go of the folder.  What is mounted in it stays, for the next daemon; if
 * nothing is, it becomes an ordinary empty folder again.
 */
void runtime_close(struct runtime *rt);

struct path runtime_origins(const struct runtime *rt);
/* With @what NULL, the folder of all that an origin has. */
struct path runtime_origin(const struct runtime *rt, const char *origin, const char *what);
/* With @number -1, the folder of all variants but the plain one. */
struct path runtime_variant(const struct runtime *rt, const char *origin, int64_t number);
/* With @origin NULL, the folder of all. */
struct path runtime_added(const struct runtime *rt, const char *origin);
/* With @number 0, the folder of all. */
struct path runtime_trash(const struct runtime *rt, unsigned int number);
struct path runtime_join(const struct path *folder, const char *name);

/* Makes a folder for root only.  Returns 0, also if it is there, or a negative errno. */
int runtime_make_folder(const char *path);

/*
 * Remove the folders of one variant, or of an origin, that
 * nothing is mounted in; folders with mounts in them stay, and with "wanted".
 */
void runtime_sweep_variant(const char *folder);
void runtime_sweep_origin(const struct runtime *rt, const char *origin);

/*
 * Calls @each with the path of every entry of a folder, except "." and "..".
 * A folder that is not there has no entries.  Returns 0, or a negative errno if there
 * may be more.
 */
int runtime_each_entry(const char *folder, void (*each)(const struct path *path, void *userdata),
		       void *userdata);

/*
 * Unmount what belongs to nothing that there is, and say so in the log: the layers of a variant,
 * all of a variant, or all of an origin; their arguments are the folders.  The last returns a
 * negative errno if there may be more.
 */
void runtime_detach_layers(const struct path *variant);
void runtime_detach_variant(const struct path *variant);
int runtime_detach_origin(const struct path *origin);

/*
 * Write and read a file of one line.  Return 0 or a negative errno; the caller frees.  What
 * cannot be written is not there; a file that has the line already is left alone.
 */
int runtime_write_line(const char *path, const char *line);
int runtime_read_line(const char *path, char **ret);

#endif
