/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What file system a block device holds, looked at before anything is mounted.
 */
#ifndef ROOTVIEW_FILESYSTEM_H
#define ROOTVIEW_FILESYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#include "failure.h"

#define FILESYSTEM_TYPE_SIZE 32

/*
 * Finds the type of the file system on the block device @fd, in the words of
 * mount(8).  @origin is for the failure's sentence.  Fails with
 * UNSUPPORTED_FILE_SYSTEM if there is none, or traces of more than one, or if it is an erofs
 * that names further devices;
 * NEEDS_RECOVERY if it is an ext4 with a journal that was not replayed; or
 * OPERATION_FAILED.
 */
int filesystem_probe(int fd, const char *origin, char type[static FILESYSTEM_TYPE_SIZE],
		     struct failure *f);

/*
 * Finds the type of the file system that is mounted at @path, in the same words.  Returns -ENODEV
 * if it is none that we mount, or another negative errno.
 */
int filesystem_type_at(const char *path, char type[static FILESYSTEM_TYPE_SIZE]);

/* Describes that a journal has to be replayed first, and says how.  Returns -1. */
int filesystem_needs_recovery(const char *type, const char *origin, struct failure *f);

/* The superblock of an ext4 or erofs is in the 1024 bytes at this offset of the device. */
#define SUPERBLOCK_OFFSET	1024
#define SUPERBLOCK_SIZE		1024

/* Whether this ext4 has a journal that was not replayed. */
bool filesystem_ext4_is_dirty(const uint8_t superblock[static SUPERBLOCK_SIZE]);

/*
 * Whether this erofs names further devices.  Kernels before 6.4 open what it names, by path,
 * and show what is on it as the image's files, whatever device of the host that is.
 */
bool filesystem_erofs_names_devices(const uint8_t superblock[static SUPERBLOCK_SIZE]);

#endif
