/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Answers of the daemon, shown to people.
 */
#ifndef ROOTVIEW_SHOW_H
#define ROOTVIEW_SHOW_H

#include <stdint.h>
#include <stdio.h>
#include <systemd/sd-json.h>

/* Print a table of an array.  Return 0 or a negative errno. */
int show_origins(sd_json_variant *origins);
int show_views(sd_json_variant *views);
int show_stats(sd_json_variant *stats);

/* Prints what is known of a view: a line "key: value" for each thing. */
void show_view(sd_json_variant *view, FILE *to);

/* Prints an event on a line: its type, and the origin and the view if it is about one. */
void show_event(sd_json_variant *event, FILE *to);

/* Prints a line for each: @prefix, then PATH, PATH:file or PATH -> TARGET. */
void show_mount_points(sd_json_variant *points, const char *prefix, FILE *to);

/* How long ago: "12 s", "5 min", "3 h", "7 d". */
const char *show_age(unsigned long long usec, char buffer[static 32]);

/* An amount of sectors of 512 bytes: "0 B", "512 B", "1.5 KiB", "64.0 MiB". */
const char *show_sectors(unsigned long long sectors, char buffer[static 32]);

/* The string or the number that @object has as @key; NULL or 0 if it has none. */
const char *show_string(sd_json_variant *object, const char *key);
uint64_t show_number(sd_json_variant *object, const char *key);

#endif
