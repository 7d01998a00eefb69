// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dm-rw: a thin snapshot for each container, activated and mounted writable, as
 * Docker's devicemapper driver does it, less its own records on disk.
 */
#include <fcntl.h>
#include <libdevmapper.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "bench.h"
#include "util.h"

/* Device numbers in the pool: the image's, and the first container's. */
#define IMAGE 0
#define FIRST 1000

static uint64_t image_sectors;

static struct dm_task *new_task(int type, const char *name)
{
	struct dm_task *task = dm_task_create(type);

	if (!task || !dm_task_set_name(task, name))
		die(0, "%s: a task for device-mapper", name);
	return task;
}

static void run_task(struct dm_task *task, const char *name)
{
	if (!dm_task_run(task))
		die(dm_task_get_errno(task), "%s", name);
	dm_task_destroy(task);
}

/* The same, and waits for udev, where that runs. */
static void run_task_with_udev(struct dm_task *task, const char *name)
{
	uint32_t cookie = 0;

	if (!dm_task_set_cookie(task, &cookie, 0))
		die(0, "%s: a semaphore for udev", name);
	run_task(task, name);
	dm_udev_wait(cookie);
}

static void message(const struct bench *b, const char *message_text)
{
	struct dm_task *task = new_task(DM_DEVICE_TARGET_MSG, b->pool);

	if (!dm_task_set_sector(task, 0) || !dm_task_set_message(task, message_text))
		die(0, "a message to %s", b->pool);
	run_task(task, message_text);
}

static void activate(const struct bench *b, const char *name, size_t number)
{
	cleanup_free char *table = text("%s %zu", b->pool, number);
	struct dm_task *task = new_task(DM_DEVICE_CREATE, name);

	if (!dm_task_add_target(task, 0, image_sectors, "thin", table) ||
	    !dm_task_set_add_node(task, DM_ADD_NODE_ON_CREATE))
		die(0, "%s: its table", name);
	run_task_with_udev(task, name);
}

static char *device_name(size_t i)
{
	return text("rvb-%zu", i);
}

static void prepare(struct bench *b)
{
	cleanup_free char *mounts = text("%s/dm", b->work);
	cleanup_close int fd = open(b->origin, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &image_sectors) < 0)
		die(errno, "size of %s", b->origin);
	image_sectors /= 512;
	dm_hold_control_dev(1);
	make_folder(mounts, 0700);
}

static void create(struct bench *b, size_t i, size_t n)
{
	cleanup_free char *snapshot = text("create_snap %zu %d", FIRST + i, IMAGE);
	cleanup_free char *name = device_name(i);
	cleanup_free char *device = text("%s/%s", dm_dir(), name);
	cleanup_free char *folder = text("%s/dm/%zu", b->work, i);
	cleanup_free char *options = label_option(b, i);

	(void)n;
	message(b, snapshot);
	activate(b, name, FIRST + i);
	make_folder(folder, 0755);
	dm_task_update_nodes();
	if (mount(device, folder, "ext4", 0, options) < 0)
		die(errno, "mount %s", device);
	b->containers[i].root = steal_ptr(&folder);
}

static void delete(struct bench *b, size_t i, size_t n)
{
	cleanup_free char *removal = text("delete %zu", FIRST + i);
	cleanup_free char *name = device_name(i);
	const char *folder = b->containers[i].root;

	(void)n;
	if (umount2(folder, MNT_DETACH) < 0 || rmdir(folder) < 0)
		die(errno, "unmount %s", folder);
	run_task_with_udev(new_task(DM_DEVICE_REMOVE, name), name);
	message(b, removal);
}

static void finish(struct bench *b)
{
	cleanup_free char *mounts = text("%s/dm", b->work);

	remove_tree(mounts);
	dm_task_update_nodes();
}

const struct mode mode_dm_rw = {
	.name = "dm-rw", .prepare = prepare, .create = create, .delete = delete, .finish = finish,
};
