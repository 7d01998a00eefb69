/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file that remembers the thin pool: lines of KEY=value, and comments.
 *
 * A person may write it beforehand.  Without UUID the pool is not finished: the
 * file says what is to be made, and rootview-storage-setup makes the rest of it.
 */
#ifndef ROOTVIEW_STORAGE_H
#define ROOTVIEW_STORAGE_H

#include <stdbool.h>

#define STORAGE_CONFIG		"/etc/rootview/storage.conf"
#define STORAGE_VALUE_SIZE	512
#define STORAGE_ERROR_SIZE	1024

/* Empty where the file has no such line. */
struct storage {
	char device[STORAGE_VALUE_SIZE];	/* DEVICE: all of it is for VG */
	char vg[STORAGE_VALUE_SIZE];		/* VG: the volume group */
	char lv[STORAGE_VALUE_SIZE];		/* LV: the pool's name in it */
	char size[STORAGE_VALUE_SIZE];		/* SIZE, of a new pool */
	char metadata_size[STORAGE_VALUE_SIZE];	/* METADATA_SIZE, the same */
	char pool[STORAGE_VALUE_SIZE];		/* POOL: its path, /dev/mapper/NAME */
	char uuid[STORAGE_VALUE_SIZE];		/* UUID, of its logical volume */
};

/* Whether it says anything of a pool. */
bool storage_is_set(const struct storage *storage);

/*
 * A file that is not there is as good as an empty one.  Returns 0, or -1 and a
 * sentence in @error.
 */
int storage_read(const char *path, struct storage *ret, char error[static STORAGE_ERROR_SIZE]);

/* The old file or the new one is there, whatever happens; comments stay.  The same. */
int storage_write(const char *path, const struct storage *storage,
		  char error[static STORAGE_ERROR_SIZE]);

#endif
