/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether others see what is mounted here, and which settings of a systemd unit keep them
 * from it: those that give the unit a mount name space of its own.
 */
#ifndef ROOTVIEW_MOUNT_NAMESPACE_H
#define ROOTVIEW_MOUNT_NAMESPACE_H

/*
 * Whether this process is in the mount name space of process 1.  Returns 1, 0, or a negative
 * errno if that cannot be known.
 */
int mount_namespace_is_common(void);

/*
 * Puts the settings of the unit @unit that give it a mount name space of its own into @ret, such
 * as "PrivateTmp=, ProtectSystem="; "" if there are none.  The caller frees it.  Asks systemd,
 * and returns 0 or a negative errno.
 */
int mount_namespace_settings(const char *unit, char **ret);

/* The same for the unit that this process is in. */
int mount_namespace_own_settings(char **ret);

#endif
