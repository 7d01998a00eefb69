/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The registry of views: one for each mapped device, however many tables that
 * device has had.  Messages, netlink and the destructor of the target all
 * change it through the functions below and through nothing else.
 *
 * Life time: each instance of the target (a loaded table, live or not) counts
 * in @instances; when the last of them goes, so do the views, each announced.
 * The memory lives on while somebody holds a reference, in @ref.
 *
 * Locks, outer first: the list of registries; a registry's @lock; what
 * device-mapper takes inside its exported functions.
 */
#ifndef ROOTVIEW_REGISTRY_H
#define ROOTVIEW_REGISTRY_H

#include <linux/cache.h>
#include <linux/device-mapper.h>
#include <linux/dm-ioctl.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rhashtable-types.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "record.h"

/* What the read path counts, one for each CPU: nothing is shared there. */
struct rootview_counters {
	u64 reads;
	u64 read_sectors;
	u64 refused;
	u64 errors;
};

/**
 * struct rootview_view - one container's named use of an origin
 * @node:	in the registry's table of names
 * @id:		index in the registry's array; never used again
 * @created_ns:	CLOCK_BOOTTIME at creation
 * @label:	SELinux context, or NULL
 * @blob:	opaque to us, @blob_len bytes, or NULL
 * @blob_len:	at most ROOTVIEW_BLOB_MAX
 * @name:	unique in the registry; label and blob follow it in memory
 *
 * Owned by its registry and protected by the registry's lock.
 */
struct rootview_view {
	struct rhash_head node;
	u64 id;
	u64 created_ns;
	const char *label;
	const void *blob;
	u16 blob_len;
	char name[];
};

/**
 * struct rootview_registry - the views of one mapped device
 * @ref:	references to the memory
 * @list:	in the list of registries, ordered by @id
 * @md:		the mapped device; valid while there are instances
 * @instances:	tables of @md that name our target; under the list's lock
 * @id:		never used again
 * @dev:	device number of @md
 * @counters:	of the read path
 * @recorder:	the recording that the read path writes to, if any; under RCU
 * @failed:	a read error has been seen since the last resume
 * @announce_failure: tells of it where one can sleep
 * @lock:	protects all that follows
 * @live:	the table that is live, or NULL
 * @backing:	device number of what is read; set by the first resume
 * @size:	in sectors; likewise
 * @bound:	the first resume has happened: others may see this registry
 * @gone:	the last instance went: nothing may be created any more
 * @generation:	number of events so far
 * @nr_views:	views now
 * @created:	views ever created
 * @deleted:	views ever deleted
 * @recording:	the last recording, or NULL; @recorder or what it was
 * @name:	of @md when somebody last looked: it can be renamed
 * @names:	views by name
 * @views:	views by id
 */
struct rootview_registry {
	struct kref ref;
	struct list_head list;
	struct mapped_device *md;
	unsigned int instances;
	u64 id;
	dev_t dev;
	struct rootview_counters __percpu *counters;

	/* Every read looks at the first of these: away from what others write. */
	struct rootview_recording __rcu *recorder ____cacheline_aligned_in_smp;
	unsigned long failed;
	struct work_struct announce_failure;

	struct mutex lock ____cacheline_aligned_in_smp;
	struct dm_table *live;
	dev_t backing;
	sector_t size;
	bool bound;
	bool gone;
	u64 generation;
	u64 nr_views;
	u64 created;
	u64 deleted;
	struct rootview_recording *recording;
	char name[DM_NAME_LEN];
	struct rhashtable names;
	struct xarray views;
};

/*
 * For the target.
 */

/**
 * rootview_registry_get() - count one more instance of the target on a device
 * @md: the mapped device
 *
 * Return: the device's registry, made if need be, or an ERR_PTR().  The caller
 * gives the instance back with rootview_registry_put_instance().
 */
struct rootview_registry *rootview_registry_get(struct mapped_device *md);

/**
 * rootview_registry_accepts() - may a new table with this origin be loaded?
 * @reg: the device's registry
 * @backing: what the table would read
 * @size: the length of the table, in sectors
 *
 * Containers run from what is there, so a table that is live can be replaced
 * only by one with the same origin and size.
 */
bool rootview_registry_accepts(struct rootview_registry *reg, dev_t backing, sector_t size);

/**
 * rootview_registry_resume() - a table has become live
 * @reg: the device's registry
 * @table: the table
 * @backing: what it reads
 * @size: its length, in sectors
 *
 * The first time, the origin is announced.
 */
void rootview_registry_resume(struct rootview_registry *reg, struct dm_table *table,
			      dev_t backing, sector_t size);

/**
 * rootview_registry_put_instance() - an instance of the target is destroyed
 * @reg: the device's registry; the caller must not use it any more
 * @table: the instance's table
 *
 * With the last one every view that is left is announced as gone.
 */
void rootview_registry_put_instance(struct rootview_registry *reg, struct dm_table *table);

/** rootview_registry_failed() - a read has failed; any context */
void rootview_registry_failed(struct rootview_registry *reg);

/** rootview_registry_record() - record a read; any context */
void rootview_registry_record(struct rootview_registry *reg, const struct bio *bio);

/*
 * For netlink.
 */

/**
 * rootview_registry_find() - look a registry up
 * @name: name of the mapped device, or NULL for any
 * @dev: its device number, or 0 for any
 *
 * Return: a reference for the caller to put, or NULL.
 */
struct rootview_registry *rootview_registry_find(const char *name, dev_t dev);

/**
 * rootview_registry_next() - go through all registries
 * @id: the lowest id that is of interest
 *
 * Return: a reference to the one with the lowest id from @id on, for the
 * caller to put, or NULL.
 */
struct rootview_registry *rootview_registry_next(u64 id);

/** rootview_registry_put() - put a reference of the two functions above */
void rootview_registry_put(struct rootview_registry *reg);

/** rootview_changes() - a number that changes with every event of any registry */
u32 rootview_changes(void);

/*
 * For both.  All of these want the registry's lock held.
 */

/**
 * rootview_registry_name() - the name of the mapped device as it is now
 * @reg: the registry
 *
 * Return: valid while the lock is held; the last name known where the device
 * is being removed.
 */
const char *rootview_registry_name(struct rootview_registry *reg)
	__must_hold(&reg->lock);

/**
 * rootview_check_name() - is this a name that a view may have?
 * @name: terminated by NUL
 * @why: on refusal, a sentence that says why; static
 *
 * Needs no lock.  Return: 0, -EINVAL, or -ENAMETOOLONG.
 */
int rootview_check_name(const char *name, const char **why);

/** rootview_check_label() - the same for a view's label */
int rootview_check_label(const char *label, const char **why);

/**
 * rootview_view_find() - look a view up
 * @reg: the registry
 * @name: its name, or NULL for any
 * @id: its id, or 0 for any; not both
 */
struct rootview_view *rootview_view_find(struct rootview_registry *reg, const char *name, u64 id)
	__must_hold(&reg->lock);

/**
 * rootview_view_create() - the one way to make a view
 * @reg: the registry
 * @name: its name
 * @label: its label, or NULL
 * @blob: its blob, or NULL; all three are copied
 * @blob_len: at most ROOTVIEW_BLOB_MAX
 * @why: on refusal, a sentence that says why; static
 *
 * Return: the view, or an ERR_PTR(): -EINVAL and -ENAMETOOLONG for a bad name
 * or label, -EEXIST for a name that is taken, -ENODEV when the device is being
 * removed, -ENOMEM.
 */
struct rootview_view *rootview_view_create(struct rootview_registry *reg, const char *name,
					   const char *label, const void *blob, u16 blob_len,
					   const char **why) __must_hold(&reg->lock);

/**
 * rootview_view_delete() - forget a view because somebody asked for it
 * @reg: the registry
 * @view: the view; it now belongs to the caller, who frees it with kvfree()
 *
 * Look-ups happen under the lock alone, so nobody else can still see it.
 */
void rootview_view_delete(struct rootview_registry *reg, struct rootview_view *view)
	__must_hold(&reg->lock);

/**
 * rootview_registry_set_recording() - begin or stop to record reads
 * @reg: the registry
 * @entries: as for rootview_recording_new(), or 0 to stop
 * @why: on refusal, a sentence that says why; static
 *
 * Return: 0, -ERANGE, -ENODEV when the device is being removed, -ENOMEM.
 */
int rootview_registry_set_recording(struct rootview_registry *reg, u32 entries, const char **why)
	__must_hold(&reg->lock);

/** rootview_registry_recording() - room for how many, or 0 while none are recorded */
u32 rootview_registry_recording(struct rootview_registry *reg) __must_hold(&reg->lock);

/** rootview_sum_counters() - what all CPUs counted; needs no lock */
struct rootview_counters rootview_sum_counters(const struct rootview_registry *reg);

#endif /* ROOTVIEW_REGISTRY_H */
