// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device-mapper target "rootview": one origin, strictly read-only.
 *
 * Table:	0 SECTORS rootview ORIGIN [#features]
 *	ORIGIN		the block device that holds the image's file system
 *	#features	0: there are none yet
 *
 * Messages:	view_create VIEW [LABEL]
 *		view_delete VIEW
 *		view_list	-> a line for each: ID VIEW LABEL, "-" for no label
 *
 * Status:	2 GENERATION VIEWS CREATED DELETED READS SECTORS REFUSED ERRORS
 *	The 2 is the version of this line.
 *
 * Nobody can veto a removal in device-mapper: what keeps a device is whoever
 * has it open.  What the registry still holds when the last table goes is gone
 * with it, which one event tells.
 */
#include "target.h"

#include <linux/bio.h>
#include <linux/device-mapper.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat.h"
#include "registry.h"

#define DM_MSG_PREFIX "rootview"

struct rootview_c {
	struct dm_dev *origin;
	struct rootview_registry *registry;
	struct rootview_counters __percpu *counters; /* the registry's, one step nearer */
};

static int rootview_map(struct dm_target *ti, struct bio *bio)
{
	struct rootview_c *rc = ti->private;

	if (unlikely(bio_op(bio) != REQ_OP_READ)) {
		this_cpu_inc(rc->counters->refused);
		return DM_MAPIO_KILL;
	}

	this_cpu_inc(rc->counters->reads);
	this_cpu_add(rc->counters->read_sectors, bio_sectors(bio));
	/* The only target of its table begins at sector 0: sectors stay as they are. */
	bio_set_dev(bio, rc->origin->bdev);
	return DM_MAPIO_REMAPPED;
}

/*
 * A suspended device ends read-ahead with an error, a read that must not wait may
 * have to, and anybody can send a malformed one: nothing of that is the disk's
 * fault.  If the disk is broken, the read that follows fails as well.
 */
static bool rootview_is_failure(const struct bio *bio, blk_status_t error)
{
	return !(bio->bi_opf & REQ_RAHEAD) && error != BLK_STS_AGAIN &&
	       error != BLK_STS_NOTSUPP && error != BLK_STS_INVAL;
}

static int rootview_end_io(struct dm_target *ti, struct bio *bio, blk_status_t *error)
{
	struct rootview_c *rc = ti->private;

	if (unlikely(*error != BLK_STS_OK && rootview_is_failure(bio, *error))) {
		this_cpu_inc(rc->counters->errors);
		rootview_registry_failed(rc->registry);
	}
	return DM_ENDIO_DONE;
}

#define ROOTVIEW_DIFFERS "origin or size differs from that of the live table"

static dev_t rootview_backing(const struct rootview_c *rc)
{
	return rc->origin->bdev->bd_dev;
}

/* Accepts what a failed constructor leaves behind. */
static void rootview_dtr(struct dm_target *ti)
{
	struct rootview_c *rc = ti->private;

	if (rc->registry)
		rootview_registry_put_instance(rc->registry, ti->table);
	if (rc->origin)
		dm_put_device(ti, rc->origin);
	kfree(rc);
}

static int rootview_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	static const struct dm_arg features = { 0, 0, "unknown feature argument" };
	struct dm_arg_set as = { .argc = argc, .argv = argv };
	struct rootview_registry *registry;
	unsigned int nr_features;
	struct rootview_c *rc;
	const char *origin;
	int r;

	rc = kzalloc(sizeof(*rc), GFP_KERNEL);
	if (!rc) {
		ti->error = "no memory for the target";
		return -ENOMEM;
	}
	ti->private = rc;

	r = -EINVAL;
	origin = dm_shift_arg(&as);
	if (!origin) {
		ti->error = "origin device is missing";
		goto bad;
	}
	if (as.argc && dm_read_arg_group(&features, &as, &nr_features, &ti->error))
		goto bad;
	if (as.argc) {
		ti->error = "too many arguments";
		goto bad;
	}
	if (dm_table_get_mode(ti->table) & ~BLK_OPEN_READ) {
		ti->error = "table is writable, load it read-only";
		r = -EROFS;
		goto bad;
	}

	r = dm_get_device(ti, origin, dm_table_get_mode(ti->table), &rc->origin);
	if (r) {
		ti->error = "origin device cannot be opened";
		goto bad;
	}

	registry = rootview_registry_get(dm_table_get_md(ti->table));
	if (IS_ERR(registry)) {
		ti->error = "no memory for the registry";
		r = PTR_ERR(registry);
		goto bad;
	}
	rc->registry = registry;
	rc->counters = registry->counters;
	if (!rootview_registry_accepts(registry, rootview_backing(rc), ti->len)) {
		ti->error = ROOTVIEW_DIFFERS;
		r = -EINVAL;
		goto bad;
	}
	return 0;

bad:
	rootview_dtr(ti);
	return r;
}

/* Between the constructor's look and now another table may have become the first live one. */
static int rootview_preresume(struct dm_target *ti)
{
	struct rootview_c *rc = ti->private;

	if (rootview_registry_accepts(rc->registry, rootview_backing(rc), ti->len))
		return 0;
	DMERR_LIMIT("%s: cannot resume: " ROOTVIEW_DIFFERS, dm_table_device_name(ti->table));
	return -EINVAL;
}

static void rootview_resume(struct dm_target *ti)
{
	struct rootview_c *rc = ti->private;

	rootview_registry_resume(rc->registry, ti->table, rootview_backing(rc), ti->len);
}

static void rootview_status(struct dm_target *ti, status_type_t type, unsigned int status_flags,
			    char *result, unsigned int maxlen)
{
	struct rootview_c *rc = ti->private;
	struct rootview_registry *reg = rc->registry;
	struct rootview_counters sum;
	unsigned int sz = 0;

	switch ((int)type) {
	case STATUSTYPE_INFO:
		sum = rootview_sum_counters(reg);
		rootview_registry_lock(reg);
		DMEMIT("2 %llu %llu %llu %llu", reg->generation, reg->nr_views, reg->created,
		       reg->deleted);
		rootview_registry_unlock(reg);
		DMEMIT(" %llu %llu %llu %llu", sum.reads, sum.read_sectors, sum.refused,
		       sum.errors);
		break;
	case STATUSTYPE_TABLE:
		DMEMIT("%s", rc->origin->name);
		break;
	case STATUSTYPE_IMA:
		DMEMIT_TARGET_NAME_VERSION(ti->type);
		DMEMIT(",origin=%s;", rc->origin->name);
		break;
	}
}

static int rootview_message_create(struct rootview_registry *reg, unsigned int argc, char **argv,
				   const char **why)
{
	struct rootview_view *view;

	if (argc < 2 || argc > 3) {
		*why = "usage: view_create VIEW [LABEL]";
		return -EINVAL;
	}
	view = rootview_view_create(reg, argv[1], argc > 2 ? argv[2] : NULL, NULL, 0, why);
	return PTR_ERR_OR_ZERO(view);
}

static int rootview_message_delete(struct rootview_registry *reg, unsigned int argc, char **argv,
				   const char **why)
{
	struct rootview_view *view;

	if (argc != 2) {
		*why = "usage: view_delete VIEW";
		return -EINVAL;
	}
	view = rootview_view_find(reg, argv[1], 0);
	if (!view) {
		*why = "no such view";
		return -ENOENT;
	}
	rootview_view_delete(reg, view);
	kvfree(view);
	return 0;
}

static int rootview_message_list(struct rootview_registry *reg, unsigned int argc, char *result,
				 unsigned int maxlen, const char **why)
{
	struct rootview_view *view;
	unsigned int sz = 0;

	if (argc != 1) {
		*why = "usage: view_list";
		return -EINVAL;
	}
	if (maxlen)
		*result = '\0';
	for (view = rootview_view_next(reg, 0); view;
	     view = rootview_view_next(reg, view->id + 1)) {
		DMEMIT("%llu %s %s\n", view->id, view->name, view->label ?: "-");
		/* device-mapper takes this for too little room, and is asked again with more. */
		if (sz + 1 >= maxlen)
			break;
		cond_resched();
	}
	return 1;
}

static int rootview_message(struct dm_target *ti, unsigned int argc, char **argv, char *result,
			    unsigned int maxlen)
{
	struct rootview_c *rc = ti->private;
	struct rootview_registry *reg = rc->registry;
	const char *subject = argc > 1 ? argv[1] : "";
	const char *why = "unknown message", *name;
	int r = -EINVAL;

	rootview_registry_lock(reg);
	name = rootview_registry_name(reg);
	if (!strcasecmp(argv[0], "view_create"))
		r = rootview_message_create(reg, argc, argv, &why);
	else if (!strcasecmp(argv[0], "view_delete"))
		r = rootview_message_delete(reg, argc, argv, &why);
	else if (!strcasecmp(argv[0], "view_list"))
		r = rootview_message_list(reg, argc, result, maxlen, &why);
	if (r < 0)
		/* What was sent may hold anything, and be long. */
		DMERR_LIMIT("%s: %*pE \"%*pE\": %s", name,
			    (int)strnlen(argv[0], 32), argv[0],
			    (int)strnlen(subject, 64), subject, why);
	rootview_registry_unlock(reg);
	return r;
}

static int rootview_iterate_devices(struct dm_target *ti, iterate_devices_callout_fn fn,
				    void *data)
{
	struct rootview_c *rc = ti->private;

	return fn(ti, rc->origin, 0, ti->len, data);
}

/*
 * No prepare_ioctl: device-mapper then refuses pass-through ioctls, as a
 * read-only device wants.  No DAX and no zones: dm-thin has neither.
 */
static struct target_type rootview_target = {
	.name = "rootview",
	.version = { 1, 1, 0 },
	.features = DM_TARGET_SINGLETON | DM_TARGET_IMMUTABLE | DM_TARGET_NOWAIT,
	.module = THIS_MODULE,
	.ctr = rootview_ctr,
	.dtr = rootview_dtr,
	.map = rootview_map,
	.end_io = rootview_end_io,
	.preresume = rootview_preresume,
	.resume = rootview_resume,
	.status = rootview_status,
	.message = rootview_message,
	.iterate_devices = rootview_iterate_devices,
};

int rootview_target_init(void)
{
	return dm_register_target(&rootview_target);
}

void rootview_target_exit(void)
{
	dm_unregister_target(&rootview_target);
}
