// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registry of views; registry.h says what it is.
 *
 * It hangs on the mapped device and not on the target's private data: when a
 * table is loaded again, the constructor of the new instance runs while the
 * old one lives, and the old destructor runs after the new one has resumed
 * (dm-thin finds its pool in the same way).
 */
#include "registry.h"

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/jhash.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/stringify.h>
#include <uapi/linux/rootview.h>

#include "netlink.h"

static DEFINE_MUTEX(registries_lock);
static LIST_HEAD(registries); /* ordered by id: new ones go to the tail */

static atomic64_t last_id = ATOMIC64_INIT(0);
static atomic_t changes = ATOMIC_INIT(0);

static u32 hash_name(const void *name, u32 len, u32 seed)
{
	return jhash(name, strlen(name), seed);
}

static u32 hash_view(const void *view, u32 len, u32 seed)
{
	return hash_name(((const struct rootview_view *)view)->name, len, seed);
}

static int compare_view(struct rhashtable_compare_arg *arg, const void *view)
{
	return strcmp(arg->key, ((const struct rootview_view *)view)->name);
}

static const struct rhashtable_params names_params = {
	.head_offset = offsetof(struct rootview_view, node),
	.hashfn = hash_name,
	.obj_hashfn = hash_view,
	.obj_cmpfn = compare_view,
	.automatic_shrinking = true,
};

static void announce(struct rootview_registry *reg, const struct rootview_view *view, u8 event)
	__must_hold(&reg->lock)
{
	lockdep_assert_held(&reg->lock);

	reg->generation++;
	atomic_inc(&changes);
	rootview_netlink_announce(reg, view, event);
	if (reg->live)
		dm_table_event(reg->live);
}

static void remove_view(struct rootview_registry *reg, struct rootview_view *view, u8 event)
	__must_hold(&reg->lock)
{
	lockdep_assert_held(&reg->lock);

	xa_erase(&reg->views, view->id);
	rhashtable_remove_fast(&reg->names, &view->node, names_params);
	reg->nr_views--;
	reg->deleted++;
	pr_debug("rootview: %s: view %llu \"%s\" removed\n", reg->name, view->id, view->name);
	announce(reg, view, event);
}

static void registry_free(struct kref *ref)
{
	struct rootview_registry *reg = container_of(ref, struct rootview_registry, ref);

	pr_debug("rootview: registry %llu freed\n", reg->id);
	kvfree(reg->recording);
	xa_destroy(&reg->views);
	rhashtable_destroy(&reg->names);
	free_percpu(reg->counters);
	mutex_destroy(&reg->lock);
	kfree(reg);
}

static void announce_failure(struct work_struct *work)
{
	struct rootview_registry *reg = container_of(work, struct rootview_registry,
						     announce_failure);

	mutex_lock(&reg->lock);
	announce(reg, NULL, ROOTVIEW_CMD_ORIGIN_FAILED);
	mutex_unlock(&reg->lock);
}

static struct rootview_registry *registry_new(struct mapped_device *md)
{
	struct rootview_registry *reg;
	int r = -ENOMEM;

	reg = kzalloc(sizeof(*reg), GFP_KERNEL);
	if (!reg)
		return ERR_PTR(-ENOMEM);

	reg->counters = alloc_percpu(struct rootview_counters);
	if (!reg->counters)
		goto out_free;
	r = rhashtable_init(&reg->names, &names_params);
	if (r)
		goto out_counters;

	kref_init(&reg->ref);
	reg->md = md;
	reg->dev = disk_devt(dm_disk(md));
	reg->id = atomic64_inc_return(&last_id);
	INIT_WORK(&reg->announce_failure, announce_failure);
	mutex_init(&reg->lock);
	xa_init(&reg->views);
	pr_debug("rootview: registry %llu made for %s\n", reg->id, dm_device_name(md));
	return reg;

out_counters:
	free_percpu(reg->counters);
out_free:
	kfree(reg);
	return ERR_PTR(r);
}

struct rootview_registry *rootview_registry_get(struct mapped_device *md)
{
	struct rootview_registry *reg;

	mutex_lock(&registries_lock);
	list_for_each_entry(reg, &registries, list) {
		if (reg->md == md)
			goto found;
	}
	reg = registry_new(md);
	if (IS_ERR(reg))
		goto out;
	list_add_tail(&reg->list, &registries);
found:
	reg->instances++;
out:
	mutex_unlock(&registries_lock);
	return reg;
}

bool rootview_registry_accepts(struct rootview_registry *reg, dev_t backing, sector_t size)
{
	bool accepts;

	mutex_lock(&reg->lock);
	accepts = !reg->bound || (reg->backing == backing && reg->size == size);
	mutex_unlock(&reg->lock);
	return accepts;
}

void rootview_registry_resume(struct rootview_registry *reg, struct dm_table *table,
			      dev_t backing, sector_t size)
{
	mutex_lock(&reg->lock);
	reg->live = table;
	clear_bit(0, &reg->failed);
	if (!reg->bound) {
		reg->backing = backing;
		reg->size = size;
		reg->bound = true;
		announce(reg, NULL, ROOTVIEW_CMD_ORIGIN_ADDED);
	}
	mutex_unlock(&reg->lock);
}

void rootview_registry_put_instance(struct rootview_registry *reg, struct dm_table *table)
{
	struct rootview_view *view;
	unsigned long id;
	bool last;

	mutex_lock(&registries_lock);
	last = !--reg->instances;
	if (last)
		list_del(&reg->list);
	mutex_unlock(&registries_lock);

	/* Nothing reads any more, so nothing fails any more. */
	if (last)
		flush_work(&reg->announce_failure);

	mutex_lock(&reg->lock);
	if (reg->live == table)
		reg->live = NULL;
	if (last) {
		reg->gone = true;
		xa_for_each(&reg->views, id, view) {
			remove_view(reg, view, ROOTVIEW_CMD_VIEW_GONE);
			kvfree(view);
			cond_resched();
		}
		if (reg->bound)
			announce(reg, NULL, ROOTVIEW_CMD_ORIGIN_REMOVED);
	}
	mutex_unlock(&reg->lock);

	if (last)
		rootview_registry_put(reg);
}

void rootview_registry_failed(struct rootview_registry *reg)
{
	if (!test_and_set_bit(0, &reg->failed))
		schedule_work(&reg->announce_failure);
}

void rootview_registry_record(struct rootview_registry *reg, const struct bio *bio)
{
	struct rootview_recording *rec;

	rcu_read_lock();
	rec = rcu_dereference(reg->recorder);
	if (rec)
		rootview_record(rec, bio);
	rcu_read_unlock();
}

struct rootview_registry *rootview_registry_find(const char *name, dev_t dev)
{
	struct rootview_registry *reg, *found = NULL;

	mutex_lock(&registries_lock);
	list_for_each_entry(reg, &registries, list) {
		if (dev && reg->dev != dev)
			continue;
		mutex_lock(&reg->lock);
		if (reg->bound && (!name || !strcmp(rootview_registry_name(reg), name)))
			found = reg;
		mutex_unlock(&reg->lock);
		if (found) {
			kref_get(&found->ref);
			break;
		}
	}
	mutex_unlock(&registries_lock);
	return found;
}

struct rootview_registry *rootview_registry_next(u64 id)
{
	struct rootview_registry *reg, *found = NULL;

	mutex_lock(&registries_lock);
	list_for_each_entry(reg, &registries, list) {
		if (reg->id >= id && READ_ONCE(reg->bound)) {
			kref_get(&reg->ref);
			found = reg;
			break;
		}
	}
	mutex_unlock(&registries_lock);
	return found;
}

void rootview_registry_put(struct rootview_registry *reg)
{
	kref_put(&reg->ref, registry_free);
}

u32 rootview_changes(void)
{
	return atomic_read(&changes);
}

const char *rootview_registry_name(struct rootview_registry *reg)
{
	char name[DM_NAME_LEN];

	lockdep_assert_held(&reg->lock);

	/* md is valid until the last instance has gone. */
	if (!reg->gone && !dm_copy_name_and_uuid(reg->md, name, NULL))
		strscpy(reg->name, name, sizeof(reg->name));
	return reg->name;
}

static bool is_visible_ascii(const char *s)
{
	for (; *s; s++) {
		if (*s <= ' ' || *s >= 0x7f)
			return false;
	}
	return true;
}

int rootview_check_name(const char *name, const char **why)
{
	if (strlen(name) > ROOTVIEW_NAME_MAX) {
		*why = "view name is longer than " __stringify(ROOTVIEW_NAME_MAX) " bytes";
		return -ENAMETOOLONG;
	}
	if (!*name)
		*why = "view name is empty";
	else if (!strcmp(name, ".") || !strcmp(name, ".."))
		*why = "view name is \".\" or \"..\"";
	else if (strchr(name, '/'))
		*why = "view name holds a '/'";
	else if (!is_visible_ascii(name))
		*why = "view name holds a character that is not visible ASCII";
	else
		return 0;
	return -EINVAL;
}

int rootview_check_label(const char *label, const char **why)
{
	if (strlen(label) > ROOTVIEW_LABEL_MAX) {
		*why = "label is longer than " __stringify(ROOTVIEW_LABEL_MAX) " bytes";
		return -ENAMETOOLONG;
	}
	if (!*label)
		*why = "label is empty";
	else if (!is_visible_ascii(label))
		*why = "label holds a character that is not visible ASCII";
	else
		return 0;
	return -EINVAL;
}

struct rootview_view *rootview_view_find(struct rootview_registry *reg, const char *name, u64 id)
{
	struct rootview_view *view;

	lockdep_assert_held(&reg->lock);

	if (!name)
		return xa_load(&reg->views, id);
	view = rhashtable_lookup_fast(&reg->names, name, names_params);
	return view && id && view->id != id ? NULL : view;
}

static struct rootview_view *view_new(const char *name, const char *label,
				      const void *blob, u16 blob_len)
{
	size_t name_size = strlen(name) + 1;
	size_t label_size = label ? strlen(label) + 1 : 0;
	struct rootview_view *view;
	char *to;

	view = kvzalloc(sizeof(*view) + name_size + label_size + blob_len, GFP_KERNEL);
	if (!view)
		return NULL;

	to = view->name;
	memcpy(to, name, name_size);
	if (label) {
		to += name_size;
		view->label = memcpy(to, label, label_size);
	}
	if (blob_len) {
		view->blob = memcpy(view->name + name_size + label_size, blob, blob_len);
		view->blob_len = blob_len;
	}
	view->id = atomic64_inc_return(&last_id);
	view->created_ns = ktime_get_boottime_ns();
	return view;
}

struct rootview_view *rootview_view_create(struct rootview_registry *reg, const char *name,
					   const char *label, const void *blob, u16 blob_len,
					   const char **why)
{
	struct rootview_view *view;
	int r;

	lockdep_assert_held(&reg->lock);

	r = rootview_check_name(name, why);
	if (r)
		return ERR_PTR(r);
	r = label ? rootview_check_label(label, why) : 0;
	if (r)
		return ERR_PTR(r);
	if (reg->gone) {
		*why = "origin is being removed";
		return ERR_PTR(-ENODEV);
	}

	*why = "no memory for the view";
	view = view_new(name, label, blob, blob_len);
	if (!view)
		return ERR_PTR(-ENOMEM);

	r = rhashtable_lookup_insert_key(&reg->names, view->name, &view->node, names_params);
	if (r) {
		if (r == -EEXIST)
			*why = "view name is taken";
		goto out_free;
	}
	r = xa_insert(&reg->views, view->id, view, GFP_KERNEL);
	if (r)
		goto out_names;

	reg->nr_views++;
	reg->created++;
	pr_debug("rootview: %s: view %llu \"%s\" created\n", reg->name, view->id, view->name);
	announce(reg, view, ROOTVIEW_CMD_VIEW_CREATED);
	return view;

out_names:
	rhashtable_remove_fast(&reg->names, &view->node, names_params);
out_free:
	kvfree(view);
	return ERR_PTR(r);
}

void rootview_view_delete(struct rootview_registry *reg, struct rootview_view *view)
{
	remove_view(reg, view, ROOTVIEW_CMD_VIEW_DELETED);
}

int rootview_registry_set_recording(struct rootview_registry *reg, u32 entries, const char **why)
{
	struct rootview_recording *old = reg->recording, *rec;

	lockdep_assert_held(&reg->lock);

	if (entries > ROOTVIEW_RECORDING_MAX) {
		*why = "recording is larger than " __stringify(ROOTVIEW_RECORDING_MAX) " entries";
		return -ERANGE;
	}
	if (reg->gone) {
		*why = "origin is being removed";
		return -ENODEV;
	}
	if (!entries) {
		RCU_INIT_POINTER(reg->recorder, NULL);
		return 0;
	}
	rec = rootview_recording_new(entries);
	if (!rec) {
		*why = "no memory for the recording";
		return -ENOMEM;
	}
	reg->recording = rec;
	rcu_assign_pointer(reg->recorder, rec);
	synchronize_rcu();
	kvfree(old);
	return 0;
}

u32 rootview_registry_recording(struct rootview_registry *reg)
{
	lockdep_assert_held(&reg->lock);

	return rcu_access_pointer(reg->recorder) ? rootview_recording_size(reg->recording) : 0;
}

struct rootview_counters rootview_sum_counters(const struct rootview_registry *reg)
{
	struct rootview_counters sum = {};
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct rootview_counters *c = per_cpu_ptr(reg->counters, cpu);

		sum.reads += READ_ONCE(c->reads);
		sum.read_sectors += READ_ONCE(c->read_sectors);
		sum.refused += READ_ONCE(c->refused);
		sum.errors += READ_ONCE(c->errors);
	}
	return sum;
}
