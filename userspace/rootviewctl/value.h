/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values of options, read into what views are asked for with.
 */
#ifndef ROOTVIEW_VALUE_H
#define ROOTVIEW_VALUE_H

#include "librootview/rootview.h"

/* A cgroup as the daemon wants it, below /sys/fs/cgroup, where people write that, too. */
const char *value_cgroup(const char *text);

/*
 * Each puts what @text says into @request, and returns 0 or a negative errno.  If that is
 * -EINVAL, *@why is what such a value is, for people.  A mount
 * point is PATH, PATH:file or PATH:directory, of which the last is
 * for a path that itself ends in one of these words; an id range INSIDE:OUTSIDE:COUNT.
 */
int value_mount_point(struct rootview_request *request, const char *text, const char **why);
int value_id_range(struct rootview_request *request, const char *text, const char **why);
int value_process(struct rootview_request *request, const char *text, const char **why);

#endif
