/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What everybody needs who makes device-mapper devices and removes them again.
 * As libdevmapper is, this is for one thread at a time.
 */
#ifndef ROOTVIEW_DEVMAPPER_H
#define ROOTVIEW_DEVMAPPER_H

#include <libdevmapper.h>
#include <linux/dm-ioctl.h>
#include <stdbool.h>
#include <stdint.h>

#include "util.h"

/* udev's rules get this long; they run on without being waited for afterwards. */
#define DEVMAPPER_UDEV_SECONDS 10

#define cleanup_task cleanup_with(devmapper_free_task)

/* To be called once.  libdevmapper's messages go to @log. */
void devmapper_init(dm_log_with_errno_fn log);

void devmapper_free_task(struct dm_task **task);

/*
 * Fills @ret and @uuid; ret->exists is 0, and @uuid empty, if there is no device of
 * that name.  Returns 0 or a negative errno.
 */
int devmapper_info(const char *name, struct dm_info *ret, char uuid[static DM_UUID_LEN]);

/*
 * Runs @task, and waits for udev's rules, which get @flags (DM_UDEV_*).  Sets @late,
 * which may be NULL, if udev has not answered.  Returns 0 or a negative errno.
 */
int devmapper_run(struct dm_task *task, uint16_t flags, bool *late);

/* Removes a device; the same for the rest. */
int devmapper_remove(const char *name, uint16_t flags, bool *late);

/* The same, where a busy device is tried again for two seconds. */
int devmapper_remove_patiently(const char *name, uint16_t flags, bool *late);

#endif
