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
 *		record ENTRIES	records reads, for netlink to fetch; 0 stops
 *
 * Status:	1 GENERATION VIEWS CREATED DELETED READS SECTORS REFUSED ERRORS RECORDING
 *	The 1 is the version of this line.
 *
 * Nobody can veto a removal in device-mapper: what keeps a device is whoever
 * has it open.  What the registry still holds when the last table goes is
 * announced as gone.
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
	if (unlikely(rcu_access_pointer(rc->registry->recorder)))
		rootview_registry_record(rc->registry, bio);
	/* The only target of its table begins at sector 0: sectors stay as they are. */
	bio_set_dev(bio, rc->origin->bdev);
	return DM_MAPIO_REMAPPED;
}

static int rootview_end_io(struct dm_target *ti, struct bio *bio, blk_status_t *error)
{
	struct rootview_c *rc = ti->private;

	/* A read that must not wait and would have to is no failure. */
	if (unlikely(*error != BLK_STS_OK && *error != BLK_STS_AGAIN)) {
		this_cpu_inc(rc->counters->errors);
		rootview_registry_failed(rc->registry);
	}
	return DM_ENDIO_DONE;
}

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
		ti->error = "origin or size differs from that of the live table";
		r = -EINVAL;
		goto bad;
	}
	return 0;

bad:
	rootview_dtr(ti);
	return r;
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
	u32 recording;

	switch ((int)type) {
	case STATUSTYPE_INFO:
		sum = rootview_sum_counters(reg);
		mutex_lock(&reg->lock);
		DMEMIT("1 %llu %llu %llu %llu", reg->generation, reg->nr_views, reg->created,
		       reg->deleted);
		recording = rootview_registry_recording(reg);
		mutex_unlock(&reg->lock);
		DMEMIT(" %llu %llu %llu %llu %u", sum.reads, sum.read_sectors, sum.refused,
		       sum.errors, recording);
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

static int message_view_create(struct rootview_registry *reg, unsigned int argc, char **argv,
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

static int message_view_delete(struct rootview_registry *reg, unsigned int argc, char **argv,
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

static int message_view_list(struct rootview_registry *reg, unsigned int argc, char *result,
			     unsigned int maxlen, const char **why)
{
	struct rootview_view *view;
	unsigned int sz = 0;
	unsigned long id;

	if (argc != 1) {
		*why = "usage: view_list";
		return -EINVAL;
	}
	if (maxlen)
		*result = '\0';
	/* Where this does not fit, device-mapper says so and is asked again with more room. */
	xa_for_each(&reg->views, id, view)
		DMEMIT("%llu %s %s\n", view->id, view->name, view->label ?: "-");
	return 1;
}

static int message_record(struct rootview_registry *reg, unsigned int argc, char **argv,
			  const char **why)
{
	u32 entries;

	if (argc != 2 || kstrtou32(argv[1], 10, &entries)) {
		*why = "usage: record ENTRIES";
		return -EINVAL;
	}
	return rootview_registry_set_recording(reg, entries, why);
}

static int rootview_message(struct dm_target *ti, unsigned int argc, char **argv, char *result,
			    unsigned int maxlen)
{
	struct rootview_c *rc = ti->private;
	struct rootview_registry *reg = rc->registry;
	const char *subject = argc > 1 ? argv[1] : "";
	const char *why = "unknown message";
	int r = -EINVAL;

	mutex_lock(&reg->lock);
	if (!strcasecmp(argv[0], "view_create"))
		r = message_view_create(reg, argc, argv, &why);
	else if (!strcasecmp(argv[0], "view_delete"))
		r = message_view_delete(reg, argc, argv, &why);
	else if (!strcasecmp(argv[0], "view_list"))
		r = message_view_list(reg, argc, result, maxlen, &why);
	else if (!strcasecmp(argv[0], "record"))
		r = message_record(reg, argc, argv, &why);
	if (r < 0)
		/* What was sent may hold anything, and be long. */
		DMERR("%s: %*pE \"%*pE\": %s", rootview_registry_name(reg),
		      (int)strnlen(argv[0], 32), argv[0],
		      (int)strnlen(subject, 64), subject, why);
	mutex_unlock(&reg->lock);
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
	.version = { 1, 0, 0 },
	.features = DM_TARGET_SINGLETON | DM_TARGET_IMMUTABLE | DM_TARGET_NOWAIT,
	.module = THIS_MODULE,
	.ctr = rootview_ctr,
	.dtr = rootview_dtr,
	.map = rootview_map,
	.end_io = rootview_end_io,
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
