/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file system on a volume: made, mounted, grown.
 *
 * Functions return 0, or -1 after filling @error, unless they say otherwise.
 */
#ifndef ROOTVIEW_LAYER_VOLUME_H
#define ROOTVIEW_LAYER_VOLUME_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

#define VOLUME_UUID_SIZE 37

/* Whether layers can have file systems of this type. */
bool volume_type_is_known(const char *type);

/*
 * Makes an empty file system with that uuid.  The program that does so has @lock too: who
 * waits for that, waits for the program to end, even when we are killed before it.
 */
int volume_make(const char *device, const char *type, const char *uuid, int lock,
		struct layer_error *error);

/* A random one. */
int volume_new_uuid(char ret[static VOLUME_UUID_SIZE], struct layer_error *error);

/* That of the file system on the device, or "" if it has none. */
int volume_read_uuid(const char *device, char ret[static VOLUME_UUID_SIZE],
		     struct layer_error *error);

/*
 * Mounts the device nowhere: as long as one has the descriptor that is returned,
 * or one of what is in it.  Or returns -1.
 */
int volume_mount(const char *device, const char *type, const char *context, bool read_only,
		 struct layer_error *error);

/* Makes the mount of volume_mount() visible at @path, a folder, which is made. */
int volume_attach(int mount, const char *path, struct layer_error *error);

/* Undoes that, and removes the folder.  LAYER_IN_USE if something in it is open. */
int volume_detach(const char *path, struct layer_error *error);

/* Whether something is mounted at @path. */
bool volume_is_attached(const char *path);

/* Opens the root folder of a mount, of volume_mount() or at a path. */
int volume_open_mount(int mount, struct layer_error *error);
int volume_open_path(const char *path, struct layer_error *error);

/* Lets the file system have all of its device, which has @size bytes; @root is its root folder. */
int volume_grow(int root, const char *type, uint64_t size, struct layer_error *error);

#endif
