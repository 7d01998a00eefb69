// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registry of views; registry.h says what it is.
 *
 * It hangs on the mapped device and not on the target's private data: when a
 * table is loaded again, the constructor of the new instance runs while the
 * old one lives, and the old destructor runs after the new one has resumed
 * (dm-thin finds its pool in the same way).
 */
#define pr_fmt(fmt) "rootview: " fmt

#include "registry.h"

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/stringify.h>
#include <uapi/linux/rootview.h>

#include "netlink.h"

static DEFINE_MUTEX(rootview_registries_lock);
static LIST_HEAD(rootview_registries); /* ordered by id: new ones go to the tail */

static atomic64_t rootview_last = ATOMIC64_INIT(0); /* id, of a registry or a view */
static atomic_t rootview_nr_changes = ATOMIC_INIT(0);

static unsigned int rootview_max_views = 1000000;
module_param_named(max_views, rootview_max_views, uint, 0644);
MODULE_PARM_DESC(max_views, "Views that one origin can have at a time");

void rootview_registry_lock(struct rootview_registry *reg)
{
	unsigned int noio = memalloc_noio_save();

	mutex_lock(&reg->lock);
	reg->noio = noio;
}

void rootview_registry_unlock(struct rootview_registry *reg)
{
	unsigned int noio = reg->noio;

	mutex_unlock(&reg->lock);
	memalloc_noio_restore(noio);
}

/* Returns false for a device that is being removed: @name is the last one that it had. */
static bool rootview_registry_update_name(struct rootview_registry *reg) __must_hold(&reg->lock)
{
	char name[DM_NAME_LEN];

	lockdep_assert_held(&reg->lock);

	/* md is valid until the last instance has gone. */
	if (reg->gone || dm_copy_name_and_uuid(reg->md, name, NULL))
		return false;
	strscpy(reg->name, name, sizeof(reg->name));
	return true;
}

static void rootview_announce(struct rootview_registry *reg, const struct rootview_view *view,
			      u8 event) __must_hold(&reg->lock)
{
	lockdep_assert_held(&reg->lock);

	/* For a view, whoever changes it has looked. */
	if (!view)
		rootview_registry_update_name(reg);
	reg->generation++;
	atomic_inc(&rootview_nr_changes);
	rootview_netlink_announce(reg, view, event);
	/* Wakes everybody who waits for any device's: not for each view of a thousand. */
	if (!view && reg->live)
		dm_table_event(reg->live);
}

static void rootview_registry_free(struct kref *ref)
{
	struct rootview_registry *reg = container_of(ref, struct rootview_registry, ref);

	pr_debug("registry %llu freed\n", reg->id);
	free_percpu(reg->counters);
	mutex_destroy(&reg->lock);
	kfree(reg);
}

static void rootview_announce_failure(struct work_struct *work)
{
	struct rootview_registry *reg = container_of(work, struct rootview_registry,
						     announce_failure);

	rootview_registry_lock(reg);
	rootview_announce(reg, NULL, ROOTVIEW_CMD_ORIGIN_FAILED);
	rootview_registry_unlock(reg);
}

static struct rootview_registry *rootview_registry_new(struct mapped_device *md)
{
	struct rootview_registry *reg;

	reg = kzalloc(sizeof(*reg), GFP_KERNEL);
	if (!reg)
		return NULL;
	reg->counters = alloc_percpu(struct rootview_counters);
	if (!reg->counters) {
		kfree(reg);
		return NULL;
	}
	kref_init(&reg->ref);
	reg->md = md;
	reg->dev = disk_devt(dm_disk(md));
	INIT_WORK(&reg->announce_failure, rootview_announce_failure);
	mutex_init(&reg->lock);
	reg->names = RB_ROOT;
	reg->ids = RB_ROOT;
	return reg;
}

struct rootview_registry *rootview_registry_get(struct mapped_device *md)
{
	/* Made before the lock is taken, and in vain for a device that has one. */
	struct rootview_registry *new = rootview_registry_new(md), *reg;

	if (!new)
		return ERR_PTR(-ENOMEM);

	mutex_lock(&rootview_registries_lock);
	list_for_each_entry(reg, &rootview_registries, list) {
		if (reg->md == md)
			goto found;
	}
	reg = new;
	new = NULL;
	reg->id = atomic64_inc_return(&rootview_last);
	list_add_tail(&reg->list, &rootview_registries);
	pr_debug("registry %llu made for %s\n", reg->id, dm_device_name(md));
found:
	reg->instances++;
	mutex_unlock(&rootview_registries_lock);

	if (new)
		rootview_registry_put(new);
	return reg;
}

bool rootview_registry_accepts(struct rootview_registry *reg, dev_t backing, sector_t size)
{
	bool accepts;

	rootview_registry_lock(reg);
	accepts = !reg->bound || (reg->backing == backing && reg->size == size);
	rootview_registry_unlock(reg);
	return accepts;
}

void rootview_registry_resume(struct rootview_registry *reg, struct dm_table *table,
			      dev_t backing, sector_t size)
{
	rootview_registry_lock(reg);
	reg->live = table;
	clear_bit(0, &reg->failed);
	if (!reg->bound) {
		reg->backing = backing;
		reg->size = size;
		reg->bound = true;
		rootview_announce(reg, NULL, ROOTVIEW_CMD_ORIGIN_ADDED);
	}
	rootview_registry_unlock(reg);
}

/* Nobody is told of each: the event of the origin's end says it for all. */
static void rootview_registry_empty(struct rootview_registry *reg) __must_hold(&reg->lock)
{
	struct rootview_view *view, *next;

	lockdep_assert_held(&reg->lock);

	rbtree_postorder_for_each_entry_safe(view, next, &reg->names, by_name) {
		kvfree(view);
		cond_resched();
	}
	reg->names = RB_ROOT;
	reg->ids = RB_ROOT;
	reg->nr_views = 0;
}

void rootview_registry_put_instance(struct rootview_registry *reg, struct dm_table *table)
{
	bool last;

	mutex_lock(&rootview_registries_lock);
	last = !--reg->instances;
	if (last)
		list_del(&reg->list);
	mutex_unlock(&rootview_registries_lock);

	/*
	 * Nothing reads any more, so nothing fails any more.  What is only queued is not
	 * waited for: a worker for it may want memory.
	 */
	if (last)
		cancel_work_sync(&reg->announce_failure);

	rootview_registry_lock(reg);
	if (reg->live == table)
		reg->live = NULL;
	if (last) {
		reg->gone = true;
		rootview_registry_empty(reg);
		if (reg->bound)
			rootview_announce(reg, NULL, ROOTVIEW_CMD_ORIGIN_REMOVED);
	}
	rootview_registry_unlock(reg);

	if (last)
		rootview_registry_put(reg);
}

void rootview_registry_failed(struct rootview_registry *reg)
{
	if (!test_and_set_bit(0, &reg->failed))
		schedule_work(&reg->announce_failure);
}

const char *rootview_registry_name(struct rootview_registry *reg)
{
	rootview_registry_update_name(reg);
	return reg->name;
}

static bool rootview_registry_is(struct rootview_registry *reg, const char *name)
	__must_hold(&reg->lock)
{
	bool has_name = rootview_registry_update_name(reg);

	/* A device without a name is being removed: its number does not find it either. */
	return reg->bound && has_name && (!name || !strcmp(reg->name, name));
}

struct rootview_registry *rootview_registry_find(const char *name, dev_t dev)
{
	struct rootview_registry *reg, *found = NULL;

	mutex_lock(&rootview_registries_lock);
	list_for_each_entry(reg, &rootview_registries, list) {
		if (dev && reg->dev != dev)
			continue;
		rootview_registry_lock(reg);
		if (rootview_registry_is(reg, name)) {
			kref_get(&reg->ref);
			found = reg;
			break;
		}
		rootview_registry_unlock(reg);
	}
	mutex_unlock(&rootview_registries_lock);
	return found;
}

struct rootview_registry *rootview_registry_next(u64 first, u64 last)
{
	struct rootview_registry *reg, *found = NULL;

	mutex_lock(&rootview_registries_lock);
	list_for_each_entry(reg, &rootview_registries, list) {
		if (reg->id > last)
			break;
		if (reg->id >= first && READ_ONCE(reg->bound)) {
			kref_get(&reg->ref);
			found = reg;
			break;
		}
	}
	mutex_unlock(&rootview_registries_lock);
	return found;
}

void rootview_registry_put(struct rootview_registry *reg)
{
	kref_put(&reg->ref, rootview_registry_free);
}

u32 rootview_changes(void)
{
	return atomic_read(&rootview_nr_changes);
}

u64 rootview_last_id(void)
{
	return atomic64_read(&rootview_last);
}

static bool rootview_is_visible_ascii(const char *s)
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
	else if (!rootview_is_visible_ascii(name))
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
	else if (!rootview_is_visible_ascii(label))
		*why = "label holds a character that is not visible ASCII";
	else
		return 0;
	return -EINVAL;
}

/* The link to the view of that name, or where one would be linked, below @parent. */
static struct rb_node **rootview_name_link(struct rootview_registry *reg, const char *name,
					   struct rb_node **parent) __must_hold(&reg->lock)
{
	struct rb_node **link = &reg->names.rb_node;

	lockdep_assert_held(&reg->lock);

	*parent = NULL;
	while (*link) {
		int order = strcmp(name, rb_entry(*link, struct rootview_view, by_name)->name);

		if (!order)
			break;
		*parent = *link;
		link = order < 0 ? &(*link)->rb_left : &(*link)->rb_right;
	}
	return link;
}

struct rootview_view *rootview_view_next(struct rootview_registry *reg, u64 id)
{
	struct rb_node *node = reg->ids.rb_node;
	struct rootview_view *found = NULL;

	lockdep_assert_held(&reg->lock);

	while (node) {
		struct rootview_view *view = rb_entry(node, struct rootview_view, by_id);

		if (view->id >= id)
			found = view;
		node = view->id >= id ? node->rb_left : node->rb_right;
	}
	return found;
}

struct rootview_view *rootview_view_find(struct rootview_registry *reg, const char *name, u64 id)
{
	struct rootview_view *view;
	struct rb_node *parent;

	if (name)
		view = rb_entry_safe(*rootview_name_link(reg, name, &parent),
				     struct rootview_view, by_name);
	else
		view = rootview_view_next(reg, id);
	return view && id && view->id != id ? NULL : view;
}

static struct rootview_view *rootview_view_new(const char *name, const char *label,
					       const void *blob, u16 blob_len)
{
	size_t name_size = strlen(name) + 1;
	size_t label_size = label ? strlen(label) + 1 : 0;
	struct rootview_view *view;
	char *to;

	/* Whoever asks pays for it: there can be many. */
	view = kvzalloc(sizeof(*view) + name_size + label_size + blob_len, GFP_KERNEL_ACCOUNT);
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
	view->id = atomic64_inc_return(&rootview_last);
	view->created_ns = ktime_get_boottime_ns();
	return view;
}

struct rootview_view *rootview_view_create(struct rootview_registry *reg, const char *name,
					   const char *label, const void *blob, u16 blob_len,
					   const char **why)
{
	struct rb_node **link, *parent, *newest;
	struct rootview_view *view;
	int r;

	r = rootview_check_name(name, why);
	if (r)
		return ERR_PTR(r);
	r = label ? rootview_check_label(label, why) : 0;
	if (r)
		return ERR_PTR(r);
	link = rootview_name_link(reg, name, &parent);
	if (*link) {
		*why = "view name is taken";
		return ERR_PTR(-EEXIST);
	}
	if (reg->nr_views >= READ_ONCE(rootview_max_views)) {
		*why = "origin has as many views as the parameter max_views allows";
		return ERR_PTR(-ENOSPC);
	}
	view = rootview_view_new(name, label, blob, blob_len);
	if (!view) {
		*why = "no memory for the view";
		return ERR_PTR(-ENOMEM);
	}

	rb_link_node(&view->by_name, parent, link);
	rb_insert_color(&view->by_name, &reg->names);
	/* Its id is higher than all others. */
	newest = rb_last(&reg->ids);
	rb_link_node(&view->by_id, newest, newest ? &newest->rb_right : &reg->ids.rb_node);
	rb_insert_color(&view->by_id, &reg->ids);
	reg->nr_views++;
	reg->created++;
	pr_debug("%s: view %llu \"%s\" created\n", reg->name, view->id, view->name);
	rootview_announce(reg, view, ROOTVIEW_CMD_VIEW_CREATED);
	return view;
}

void rootview_view_delete(struct rootview_registry *reg, struct rootview_view *view)
{
	lockdep_assert_held(&reg->lock);

	rb_erase(&view->by_name, &reg->names);
	rb_erase(&view->by_id, &reg->ids);
	reg->nr_views--;
	reg->deleted++;
	pr_debug("%s: view %llu \"%s\" deleted\n", reg->name, view->id, view->name);
	rootview_announce(reg, view, ROOTVIEW_CMD_VIEW_DELETED);
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
