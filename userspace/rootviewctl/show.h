/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Answers of the daemon, shown to people.
 */
#ifndef ROOTVIEW_SHOW_H
#define ROOTVIEW_SHOW_H

#include <stdint.h>
#include <stdio.h>

#include "librootview/rootview.h"

/*
 * Print a table of all items.  Return 0 or a negative errno.  Of the @origins, a view without
 * a label of its own has the label.
 */
int show_origins(struct rootview_reply *origins);
int show_views(struct rootview_reply *views, struct rootview_reply *origins);
int show_stats(struct rootview_reply *stats);

/* Prints what is known of the view which is item @i: a line "key: value" for each thing. */
void show_view(struct rootview_reply *views, size_t i, struct rootview_reply *origins, FILE *to);

/* Prints an event on a line: its type, and the origin and the view if it is about one. */
void show_event(struct rootview_reply *event, FILE *to);

/* Prints a line for each of the items: PATH, PATH:file, PATH:tmpfs or PATH -> TARGET. */
void show_mount_points(struct rootview_reply *points, FILE *to);

/* How long ago: "12 s", "5 min", "3 h", "7 d". */
const char *show_age(unsigned long long usec, char buffer[static 32]);

/* An amount of sectors of 512 bytes: "0 B", "512 B", "1.5 KiB", "64.0 MiB". */
const char *show_sectors(unsigned long long sectors, char buffer[static 32]);

#endif
