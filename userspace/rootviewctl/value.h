/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values of options, read into what the daemon is sent.
 */
#ifndef ROOTVIEW_VALUE_H
#define ROOTVIEW_VALUE_H

#include <stdbool.h>
#include <systemd/sd-json.h>

/* Whether @text is one of the ways in which a view is given out. */
bool value_is_mount(const char *text);

/* A cgroup as the daemon wants it, below /sys/fs/cgroup, where people write that, too. */
const char *value_cgroup(const char *text);

/*
 * Each returns 0, or -EINVAL if @text is none, or -ENOMEM.  The first takes PATH,
 * PATH:file or PATH:directory, of which the last is for a path that itself ends
 * in one of these words; the second INSIDE:OUTSIDE:COUNT, which are ids.
 */
int value_mount_point(const char *text, sd_json_variant **ret);
int value_id_range(const char *text, sd_json_variant **ret);
int value_process(const char *text, sd_json_variant **ret);

#endif
