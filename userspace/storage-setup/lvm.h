/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LVM, by its own commands: what it has, and what it is to do.
 *
 * Functions return 0, or -1 and have said why; LVM itself speaks on our stderr.
 */
#ifndef ROOTVIEW_STORAGE_SETUP_LVM_H
#define ROOTVIEW_STORAGE_SETUP_LVM_H

#include <stdbool.h>
#include <stdint.h>

/* Runs "lvm ARGUMENT...", which ends with NULL. */
int lvm_run(const char *const arguments[]);

#define LVM(...) lvm_run((const char *const []){ __VA_ARGS__, NULL })

/* Whether LVM takes that as a name, of a volume group or in one. */
bool lvm_is_name(const char *name);

struct lvm_group {
	bool exists;
	bool incomplete;	/* one of its devices is missing */
	uint64_t free;		/* bytes */
	uint64_t extent;	/* what is given out is a multiple of that */
};

int lvm_get_group(const char *vg, struct lvm_group *ret);

/*
 * A tag of volumes.  LVM that dies while it makes a pool may leave a plain volume of
 * the pool's name; by the tag that is known not to be somebody's.
 */
#define LVM_UNFINISHED "rootview.unfinished"

struct lvm_volume {
	bool exists;
	bool unfinished;	/* it has the tag */
	bool is_pool;		/* a thin pool; the rest is of that */
	bool active;
	bool has_volumes;	/* LVM's own thin volumes, or has had some */
	bool waits_when_full;
	bool zeroes;
	uint64_t size, metadata_size;
	char uuid[64];
	char path[256];		/* /dev/mapper/NAME */
	char health[32];	/* empty if it is well */
};

int lvm_get_volume(const char *vg, const char *name, struct lvm_volume *ret);

/* Calls @each with each physical volume and its group, which is "" if it has none. */
int lvm_each_device(int (*each)(const char *path, const char *vg, void *userdata),
		    void *userdata);

#endif
