/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which names and labels are good.
 *
 * The kernel has the same rules for views (linux/rootview.h) and has the last
 * word; asking here first gives a better sentence, and keeps whatever is built
 * from a name, paths above all, safe by construction.
 */
#ifndef ROOTVIEW_NAME_H
#define ROOTVIEW_NAME_H

#include <linux/rootview.h>

/*
 * An origin's name becomes the name of a device-mapper device and, behind
 * "ROOTVIEW-", its uuid, which may have 128 bytes.
 */
#define ORIGIN_UUID_PREFIX	"ROOTVIEW-"
#define ORIGIN_NAME_MAX		119

/*
 * Each returns NULL if its argument is good, else what is wrong with it: a
 * phrase that goes on after "the name ", such as "holds a '/'".
 */
const char *origin_name_fault(const char *name);
const char *view_name_fault(const char *name);
const char *label_fault(const char *label);

#endif
