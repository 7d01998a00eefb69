/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A block device that may hold somebody's data.
 */
#ifndef ROOTVIEW_STORAGE_SETUP_DEVICE_H
#define ROOTVIEW_STORAGE_SETUP_DEVICE_H

#include <stdbool.h>

#define DEVICE_CONTENTS_SIZE 256

/*
 * Opens the device for us alone.  Returns a descriptor, or -1 where it is none, or
 * in use: it has said so then, and by whom.
 */
int device_claim(const char *path);

/*
 * Describes in @ret what is on the device, by all signatures that libblkid knows;
 * empty if there are none.  Returns 0, or -1 and has said why.
 */
int device_read_contents(int fd, const char *path, char ret[static DEVICE_CONTENTS_SIZE]);

/* Makes these signatures unreadable, and nothing else.  The same. */
int device_wipe(int fd, const char *path);

/* Whether both are paths of one block device. */
bool device_is_same(const char *a, const char *b);

/* Says on stderr if the device lies on a loop device. */
void device_warn_of_loop(const char *path);

#endif
