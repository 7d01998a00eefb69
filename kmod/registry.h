/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The registry of views: one for each mapped device, however many tables that
 * device has had.  Messages, netlink and the destructor of the target all
 * change it through the functions below and through nothing else.
 *
 * Life time: each instance of the target (a loaded table, live or not) counts
 * in @instances; when the last of them goes, so do the views, which the event of
 * the origin's end tells.  The memory lives on while somebody holds a reference,
 * in @ref.
 *
 * Locks, outer first: the list of registries; a registry's @lock; what
 * device-mapper takes inside its exported functions.
 *
 * Resume, messages and the destructor take @lock, and must go on while devices
 * are suspended and memory is short: who allocates while holding it must not wait
 * for I/O, which might be that of a device whose resume waits for the lock.  So
 * it is taken with rootview_registry_lock() alone.  Under the list's lock nothing
 * is allocated.
 */
#ifndef ROOTVIEW_REGISTRY_H
#define ROOTVIEW_REGISTRY_H

#include <linux/device-mapper.h>
#include <linux/dm-ioctl.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rbtree.h>
#include <linux/types.h>
#include <linux/workqueue.h>

/* What the read path counts, one for each CPU: nothing is shared there. */
struct rootview_counters {
	u64 reads;
	u64 read_sectors;
	u64 refused;
	u64 errors;
};

/**
 * struct rootview_view - one container's named use of an origin
 * @by_name:	in the registry's tree of names
 * @by_id:	in its tree of ids
 * @id:		never used again
 * @created_ns:	CLOCK_BOOTTIME at creation
 * @label:	SELinux context, or NULL
 * @blob:	opaque to us, @blob_len bytes, or NULL
 * @blob_len:	at most ROOTVIEW_BLOB_MAX
 * @name:	unique in the registry; label and blob follow it in memory
 *
 * Owned by its registry and protected by the registry's lock.
 */
struct rootview_view {
	struct rb_node by_name;
	struct rb_node by_id;
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
 * @failed:	a read error has been seen since the last resume
 * @announce_failure: tells of it where one can sleep
 * @lock:	protects all that follows
 * @noio:	for rootview_registry_unlock(): what rootview_registry_lock() saved
 * @live:	the table that is live, or NULL
 * @backing:	device number of what is read; set by the first resume
 * @size:	in sectors; likewise
 * @bound:	the first resume has happened: others may see this registry
 * @gone:	the last instance went: nothing may be created any more
 * @generation:	number of events so far
 * @nr_views:	views now
 * @created:	views ever created
 * @deleted:	views ever deleted; those that go with the origin do not count
 * @name:	of @md when somebody last looked, in rootview_registry_find() or
 *		rootview_registry_name(): it can be renamed
 * @names:	views by name
 * @ids:	views by id
 */
struct rootview_registry {
	struct kref ref;
	struct list_head list;
	struct mapped_device *md;
	unsigned int instances;
	u64 id;
	dev_t dev;
	struct rootview_counters __percpu *counters;

	unsigned long failed;
	struct work_struct announce_failure;

	struct mutex lock; /* all that follows */
	unsigned int noio;
	struct dm_table *live;
	dev_t backing;
	sector_t size;
	bool bound;
	bool gone;
	u64 generation;
	u64 nr_views;
	u64 created;
	u64 deleted;
	char name[DM_NAME_LEN];
	struct rb_root names;
	struct rb_root ids;
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
 * With the last one go all views that are left, and the origin is announced as
 * removed.
 */
void rootview_registry_put_instance(struct rootview_registry *reg, struct dm_table *table);

/** rootview_registry_failed() - a read has failed; any context */
void rootview_registry_failed(struct rootview_registry *reg);

/*
 * For netlink.
 */

/**
 * rootview_registry_find() - look a registry up
 * @name: name of the mapped device, or NULL for any
 * @dev: its device number, or 0 for any; a device that is being removed is found by neither
 *
 * Return: a reference for the caller to put, locked, with its name up to date; it is not
 * gone, and does not go while it is locked.  Or NULL.
 */
struct rootview_registry *rootview_registry_find(const char *name, dev_t dev);

/**
 * rootview_registry_next() - go through all registries
 * @first: the lowest id that is of interest
 * @last: the highest
 *
 * Looks from the oldest on: only a dump goes through all, and origins are few beside views.
 *
 * Return: a reference to the one of these with the lowest id, for the caller to
 * put, or NULL.
 */
struct rootview_registry *rootview_registry_next(u64 first, u64 last);

/** rootview_registry_put() - put a reference of the two functions above */
void rootview_registry_put(struct rootview_registry *reg);

/** rootview_changes() - a number that changes with every event of any registry */
u32 rootview_changes(void);

/** rootview_last_id() - the highest id that a registry or a view has had so far */
u64 rootview_last_id(void);

/*
 * For both.  All that follow the first two want the registry's lock held.
 */

/** rootview_registry_lock() - lock it; whatever is allocated then waits for no I/O */
void rootview_registry_lock(struct rootview_registry *reg);

/** rootview_registry_unlock() - unlock it */
void rootview_registry_unlock(struct rootview_registry *reg);

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

/** rootview_view_next() - the view with the lowest id from @id on, or NULL */
struct rootview_view *rootview_view_next(struct rootview_registry *reg, u64 id)
	__must_hold(&reg->lock);

/**
 * rootview_view_create() - the one way to make a view
 * @reg: the registry, with its name up to date: an event tells it
 * @name: its name
 * @label: its label, or NULL
 * @blob: its blob, or NULL; all three are copied
 * @blob_len: at most ROOTVIEW_BLOB_MAX
 * @why: on refusal, a sentence that says why; static
 *
 * Return: the view, or an ERR_PTR(): -EINVAL and -ENAMETOOLONG for a bad name
 * or label, -EEXIST for a name that is taken, -ENOSPC for one view too many,
 * -ENOMEM.
 */
struct rootview_view *rootview_view_create(struct rootview_registry *reg, const char *name,
					   const char *label, const void *blob, u16 blob_len,
					   const char **why) __must_hold(&reg->lock);

/**
 * rootview_view_delete() - forget a view because somebody asked for it
 * @reg: the registry, with its name up to date
 * @view: the view; it now belongs to the caller, who frees it with kvfree()
 *
 * Look-ups happen under the lock alone, so nobody else can still see it.
 */
void rootview_view_delete(struct rootview_registry *reg, struct rootview_view *view)
	__must_hold(&reg->lock);

/** rootview_sum_counters() - what all CPUs counted; needs no lock */
struct rootview_counters rootview_sum_counters(const struct rootview_registry *reg);

#endif /* ROOTVIEW_REGISTRY_H */
