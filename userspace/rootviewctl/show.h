/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Answers of the daemon, shown to people.
 */
#ifndef ROOTVIEW_SHOW_H
#define ROOTVIEW_SHOW_H

#include <systemd/sd-json.h>

/* Print a table of an array.  Return 0 or a negative errno. */
int show_origins(sd_json_variant *origins);
int show_views(sd_json_variant *views);

/* How long ago: "12 s", "5 min", "3 h", "7 d". */
const char *show_age(unsigned long long usec, char buffer[static 32]);

/* An amount of sectors of 512 bytes: "0 B", "512 B", "1.5 KiB", "64.0 MiB". */
const char *show_sectors(unsigned long long sectors, char buffer[static 32]);

#endif
