// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Origins as device-mapper devices; device.h is the contract.
 */
#include "device.h"

#include <fcntl.h>
#include <libdevmapper.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "log.h"
#include "name.h"
#include "util.h"

#define TARGET "rootview"

/* A busy device is tried again for two seconds. */
#define REMOVE_TRIES	40
#define REMOVE_PAUSE_MS	50

/* udev's rules get this long; they run on without being waited for afterwards. */
#define UDEV_TRIES	500
#define UDEV_PAUSE_MS	20

#define cleanup_task cleanup_with(destroy_task)

static void destroy_task(struct dm_task **task)
{
	if (*task)
		dm_task_destroy(*task);
}

static void pause_ms(long ms)
{
	struct timespec ts = { .tv_nsec = ms * 1000000 };

	nanosleep(&ts, NULL);
}

__attribute__((format(printf, 5, 6)))
static void log_libdevmapper(int level, const char *file, int line, int error,
			     const char *format, ...)
{
	char text[1024];
	va_list ap;

	(void)file, (void)line, (void)error;
	/* Whoever called says what matters; this is for finding out more. */
	if ((level & 7) > 4)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	log_debug("libdevmapper: %s", text);
}

void device_init(void)
{
	dm_log_with_errno_init(log_libdevmapper);
	/* A name is what the kernel has; ours need no mangling, others get none. */
	dm_set_name_mangling_mode(DM_STRING_MANGLING_NONE);
	dm_hold_control_dev(1);
}

void device_forget_control(void)
{
	dm_hold_control_dev(0);
	dm_lib_release();
}

/* dm_udev_wait() waits for ever where udevd has died. */
static void wait_for_udev(const char *name, uint32_t cookie)
{
	int ready = 0;

	for (int i = 0; i < UDEV_TRIES; i++) {
		if (!dm_udev_wait_immediate(cookie, &ready) || ready)
			return;
		pause_ms(UDEV_PAUSE_MS);
	}
	log_warning("%s: udev has not answered for %d s; going on without it", name,
		    UDEV_TRIES * UDEV_PAUSE_MS / 1000);
	dm_udev_complete(cookie);
}

/* Runs @task and waits for udev.  Returns 0 or a positive errno. */
static int run(struct dm_task *task, const char *name)
{
	uint32_t cookie = 0;
	int error;

	/* Without udevd this is no cookie, and there is nothing to wait for. */
	if (!dm_task_set_cookie(task, &cookie, 0))
		return EIO;
	error = dm_task_run(task) ? 0 : dm_task_get_errno(task) ?: EIO;
	if (cookie)
		wait_for_udev(name, cookie);
	dm_task_update_nodes();
	return error;
}

/* Fills @ret; ret->exists is 0 if there is no device of that name. */
static int get_info(const char *name, struct dm_info *ret, char *uuid, size_t size)
{
	cleanup_task struct dm_task *task = dm_task_create(DM_DEVICE_INFO);
	const char *found;

	if (!task || !dm_task_set_name(task, name) || !dm_task_run(task) ||
	    !dm_task_get_info(task, ret))
		return -1;
	found = ret->exists ? dm_task_get_uuid(task) : NULL;
	snprintf(uuid, size, "%s", found ?: "");
	return 0;
}

bool device_is_ours(const char *name)
{
	char uuid[DM_UUID_LEN];
	struct dm_info info;

	return get_info(name, &info, uuid, sizeof(uuid)) == 0 && info.exists &&
	       after_prefix(uuid, ORIGIN_UUID_PREFIX);
}

/* Opens the block device, and reads its size and number. */
static int examine(const char *backing, uint64_t *ret_sectors, dev_t *ret_dev, struct failure *f)
{
	cleanup_close int fd = -1;
	uint64_t bytes;
	struct stat st;

	if (backing[0] != '/')
		return failed(f, FAILURE_NO_SUCH_DEVICE, "\"%s\" is no absolute path", backing);
	/* Before it is opened, because that alone has effects on some other devices. */
	if (stat(backing, &st) == 0 && !S_ISBLK(st.st_mode))
		return failed(f, FAILURE_NO_SUCH_DEVICE, "\"%s\" is no block device", backing);
	fd = open(backing, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return failed(f, FAILURE_NO_SUCH_DEVICE, "the device \"%s\" cannot be opened: %s",
			      backing, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISBLK(st.st_mode))
		return failed(f, FAILURE_NO_SUCH_DEVICE, "\"%s\" is no block device", backing);
	if (ioctl(fd, BLKGETSIZE64, &bytes) < 0 || bytes < 512)
		return failed(f, FAILURE_NO_SUCH_DEVICE, "the device \"%s\" is empty", backing);
	*ret_sectors = bytes / 512;
	*ret_dev = st.st_rdev;
	return 0;
}

int device_load(const char *name, const char *backing, dev_t *ret, struct failure *f)
{
	cleanup_task struct dm_task *task = dm_task_create(DM_DEVICE_CREATE);
	char uuid[DM_UUID_LEN], number[32];
	struct dm_info info;
	uint64_t sectors = 0;
	dev_t dev = 0;
	int error;

	if (examine(backing, &sectors, &dev, f) < 0)
		return -1;
	if (!task || get_info(name, &info, uuid, sizeof(uuid)) < 0)
		return failed_step(f, name, "ask device-mapper", errno, NULL);
	if (info.exists)
		return failed(f, FAILURE_ORIGIN_EXISTS,
			      "there is a device-mapper device \"%s\" already", name);

	snprintf(uuid, sizeof(uuid), ORIGIN_UUID_PREFIX "%s", name);
	snprintf(number, sizeof(number), "%u:%u", major(dev), minor(dev));
	if (!dm_task_set_name(task, name) || !dm_task_set_uuid(task, uuid) ||
	    !dm_task_set_ro(task) || !dm_task_add_target(task, 0, sectors, TARGET, number))
		return failed_step(f, name, "describe the device", ENOMEM, NULL);
	error = run(task, name);
	if (error == EBUSY)
		return failed(f, FAILURE_ORIGIN_BUSY,
			      "the device \"%s\" is in use: it cannot be shared", backing);
	if (error || !dm_task_get_info(task, &info))
		return failed_step(f, name, "load the device", error ?: EIO, NULL);
	*ret = makedev(info.major, info.minor);
	return 0;
}

static int remove_once(const char *name)
{
	cleanup_task struct dm_task *task = dm_task_create(DM_DEVICE_REMOVE);

	if (!task || !dm_task_set_name(task, name))
		return ENOMEM;
	return run(task, name);
}

int device_remove(const char *name, dev_t dev, struct failure *f)
{
	char uuid[DM_UUID_LEN];
	struct dm_info info;
	int error = EBUSY;

	/* Names change hands without notice; what else has it now is left alone. */
	if (get_info(name, &info, uuid, sizeof(uuid)) < 0)
		return failed_step(f, name, "ask device-mapper", errno, NULL);
	if (info.exists && makedev(info.major, info.minor) != dev)
		return failed(f, FAILURE_NO_SUCH_ORIGIN,
			      "there is no origin \"%s\" any more: another device has that name",
			      name);
	for (int i = 0; error == EBUSY && i < REMOVE_TRIES; i++) {
		if (i)
			pause_ms(REMOVE_PAUSE_MS);
		error = remove_once(name);
	}
	if (error == EBUSY)
		return failed(f, FAILURE_ORIGIN_BUSY,
			      "origin \"%s\" has no views, but somebody has its device open or its "
			      "files in use", name);
	if (error && error != ENXIO)
		return failed_step(f, name, "remove the device", error, NULL);
	return 0;
}

static void sweep_one(const char *name)
{
	char uuid[DM_UUID_LEN];
	struct dm_info info;
	int error;

	if (get_info(name, &info, uuid, sizeof(uuid)) < 0 || !info.exists || info.live_table ||
	    !after_prefix(uuid, ORIGIN_UUID_PREFIX))
		return;
	error = remove_once(name);
	if (error)
		log_warning("%s: cannot remove the half of an origin: %s", name, strerror(error));
	else
		log_info("%s: removed, as it was half of an origin", name);
}

void device_sweep(void)
{
	cleanup_task struct dm_task *task = dm_task_create(DM_DEVICE_LIST);
	struct dm_names *names;
	unsigned int next = 0;

	if (!task || !dm_task_run(task))
		return;
	names = dm_task_get_names(task);
	if (!names || !names->dev)
		return;
	do {
		names = (struct dm_names *)((char *)names + next);
		next = names->next;
		sweep_one(names->name);
	} while (next);
}

int device_open(const char *name, dev_t dev, char path[static PATH_MAX], struct failure *f)
{
	int fd, error = ENOENT;
	struct stat st;

	/*
	 * The node by name is what people look for in the mount table.  It may
	 * be late, or of another device meanwhile; the kernel's own is not.
	 */
	for (int i = 0; i < 2; i++) {
		if (i == 0)
			snprintf(path, PATH_MAX, "%s/%s", dm_dir(), name);
		else
			snprintf(path, PATH_MAX, "/dev/dm-%u", minor(dev));
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0) {
			error = errno;
			continue;
		}
		if (fstat(fd, &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == dev)
			return fd;
		close(fd);
		error = ENODEV;
	}
	return failed_step(f, name, "open its device", error, NULL);
}
