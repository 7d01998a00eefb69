/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loop devices, which are slow, and lose what was written when the machine stops.
 */
#ifndef ROOTVIEW_LOOP_H
#define ROOTVIEW_LOOP_H

#include <stdbool.h>

/*
 * Whether the block device of that number, "MAJOR:MINOR", or one that it lies on,
 * is a loop device or a partition of one.
 */
bool lies_on_loop(const char *number);

#endif
