/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What differs between two directory trees.
 */
#ifndef ROOTVIEW_LAYER_COMPARE_H
#define ROOTVIEW_LAYER_COMPARE_H

#include "error.h"

/* The numbers are those of Docker's API. */
enum change { CHANGE_MODIFIED, CHANGE_ADDED, CHANGE_DELETED };

/* @path begins with '/'.  Ends the comparison if it does not return 0, which is then returned. */
typedef int (*change_told_t)(const char *path, enum change kind, void *userdata);

/*
 * Calls @each for every path by which the tree in the directory @upper differs from
 * that in @lower, in the order of their names, a directory before what is in it.
 * Of what is gone, only the topmost is told.  @lower may be -1, for an empty tree.
 *
 * Type, mode, owner, device number, extended attributes and a link's target are
 * compared, of a file that is no directory its size and time of modification, and
 * no contents.  A directory in which something differs is modified; so is a file that
 * has another, new name: whoever has only what differs could not link the two.  The
 * root itself is not compared, nor is "lost+found" in it.
 *
 * Returns 0, what @each returned, or -1 and an error.
 */
int compare_trees(int lower, int upper, change_told_t each, void *userdata,
		  struct layer_error *error);

#endif
