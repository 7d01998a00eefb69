// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Origins as device-mapper devices; device.h is the contract.
 */
#include "device.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "devmapper.h"
#include "log.h"
#include "name.h"
#include "util.h"

#define TARGET "rootview"

/*
 * What udev's rules make of an origin: its node, and neither links by the uuid or label of its
 * file system, which are those of the device below, nor volumes found on it.
 */
#define NODE_ALONE							\
	(DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG | DM_UDEV_DISABLE_DISK_RULES_FLAG |	\
	 DM_UDEV_DISABLE_OTHER_RULES_FLAG)

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
	devmapper_init(log_libdevmapper);
}

void device_forget_control(void)
{
	dm_hold_control_dev(0);
	dm_lib_release();
}

static void warn_of_udev(const char *name, bool late)
{
	if (late)
		log_warning("%s: udev has not answered for %d s; going on without it", name,
			    DEVMAPPER_UDEV_SECONDS);
}

int device_is_ours(const char *name, char **ret)
{
	char uuid[DM_UUID_LEN];
	struct dm_info info;
	const char *loaded_as;
	int r;

	r = devmapper_info(name, &info, uuid);
	loaded_as = r == 0 && info.exists ? after_prefix(uuid, ORIGIN_UUID_PREFIX) : NULL;
	/* By hand anything can be written there. */
	if (!loaded_as || origin_name_fault(loaded_as))
		return r;
	*ret = strdup(loaded_as);
	return *ret ? 1 : -ENOMEM;
}

int device_examine(const char *backing, struct device_backing *ret, struct failure *f)
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
	if (fd < 0 && is_shortage(errno))
		return failed_step(f, backing, "open this device", errno, NULL);
	if (fd < 0)
		return failed(f, FAILURE_NO_SUCH_DEVICE, "the device \"%s\" cannot be opened: %s",
			      backing, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISBLK(st.st_mode))
		return failed(f, FAILURE_NO_SUCH_DEVICE, "\"%s\" is no block device", backing);
	if (ioctl(fd, BLKGETSIZE64, &bytes) < 0 || bytes < 512)
		return failed(f, FAILURE_NO_SUCH_DEVICE, "the device \"%s\" is empty", backing);
	*ret = (struct device_backing){ .dev = st.st_rdev, .sectors = bytes / 512 };
	snprintf(ret->name, sizeof(ret->name), "%s", backing);
	return 0;
}

int device_examine_number(dev_t dev, struct device_backing *ret, struct failure *f)
{
	cleanup_fclose FILE *file = NULL;
	unsigned long long sectors = 0;
	char path[64];

	*ret = (struct device_backing){ .dev = dev };
	snprintf(ret->name, sizeof(ret->name), "%u:%u", major(dev), minor(dev));
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/size", major(dev), minor(dev));
	file = fopen(path, "re");
	if (!file && is_shortage(errno))
		return failed_step(f, path, "read the size of a device", errno, NULL);
	if (!file || fscanf(file, "%llu", &sectors) != 1 || !sectors)
		return failed(f, FAILURE_NO_SUCH_DEVICE, "the device %s is empty, or gone",
			      ret->name);
	ret->sectors = sectors;
	return 0;
}

void device_sweep_one(const char *name)
{
	char uuid[DM_UUID_LEN];
	struct dm_info info;
	bool late = false;
	int r;

	if (devmapper_info(name, &info, uuid) < 0 || !info.exists || info.live_table ||
	    !after_prefix(uuid, ORIGIN_UUID_PREFIX))
		return;
	r = devmapper_remove(name, 0, &late);
	warn_of_udev(name, late);
	if (r < 0)
		log_warning("%s: cannot remove the half of an origin: %s", name, strerror(-r));
	else
		log_info("%s: removed, as it was half of an origin", name);
}

int device_check_free(const char *name, struct failure *f)
{
	char uuid[DM_UUID_LEN];
	struct dm_info info;
	int r = devmapper_info(name, &info, uuid);

	if (r < 0)
		return failed_step(f, name, "ask device-mapper", -r, NULL);
	if (info.exists)
		return failed(f, FAILURE_ORIGIN_EXISTS,
			      "there is a device-mapper device \"%s\" already", name);
	return 0;
}

int device_load(const char *name, const struct device_backing *backing, dev_t *ret,
		struct failure *f)
{
	cleanup_task struct dm_task *task = dm_task_create(DM_DEVICE_CREATE);
	char uuid[DM_UUID_LEN], number[32];
	struct dm_info info;
	bool late = false;
	int r;

	if (!task)
		return failed_step(f, name, "ask device-mapper", ENOMEM, NULL);
	snprintf(uuid, sizeof(uuid), ORIGIN_UUID_PREFIX "%s", name);
	snprintf(number, sizeof(number), "%u:%u", major(backing->dev), minor(backing->dev));
	if (!dm_task_set_name(task, name) || !dm_task_set_uuid(task, uuid) ||
	    !dm_task_set_ro(task) || !dm_task_add_target(task, 0, backing->sectors, TARGET, number))
		return failed_step(f, name, "describe the device", ENOMEM, NULL);
	r = devmapper_run(task, NODE_ALONE, &late);
	warn_of_udev(name, late);
	if (r == -EBUSY)
		return failed(f, FAILURE_ORIGIN_BUSY,
			      "the device \"%s\" is in use: it cannot be shared", backing->name);
	if (r < 0 || !dm_task_get_info(task, &info)) {
		/* libdevmapper may have been short of memory between two steps. */
		device_sweep_one(name);
		return failed_step(f, name, "load the device", -r ?: EIO, NULL);
	}
	*ret = makedev(info.major, info.minor);
	return 0;
}

int device_remove(const char *name, dev_t dev, struct failure *f)
{
	char uuid[DM_UUID_LEN];
	struct dm_info info;
	bool late = false;
	int r;

	/* Names change hands without notice; what else has it now is left alone. */
	r = devmapper_info(name, &info, uuid);
	if (r < 0)
		return failed_step(f, name, "ask device-mapper", -r, NULL);
	if (info.exists && makedev(info.major, info.minor) != dev)
		return failed(f, FAILURE_NO_SUCH_ORIGIN,
			      "there is no origin \"%s\" any more: another device has that name",
			      name);
	r = devmapper_remove_patiently(name, 0, &late);
	warn_of_udev(name, late);
	if (r == -EBUSY)
		return failed(f, FAILURE_ORIGIN_BUSY,
			      "origin \"%s\" has no views, but somebody has its device open or its "
			      "files in use", name);
	if (r < 0 && r != -ENXIO)
		return failed_step(f, name, "remove the device", -r, NULL);
	return 0;
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
		device_sweep_one(names->name);
	} while (next);
}

/*
 * The node by name is what people look for in the mount table.  It may be late, or of another
 * device meanwhile; the kernel's own is not.
 */
void device_find(const char *name, dev_t dev, char path[static PATH_MAX])
{
	struct stat st;

	snprintf(path, PATH_MAX, "%s/%s", dm_dir(), name);
	if (stat(path, &st) < 0 || !S_ISBLK(st.st_mode) || st.st_rdev != dev)
		snprintf(path, PATH_MAX, "/dev/dm-%u", minor(dev));
}

int device_open(const char *name, dev_t dev, char path[static PATH_MAX], struct failure *f)
{
	cleanup_close int fd = -1;
	struct stat st;

	device_find(name, dev, path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return failed_step(f, name, "open its device", errno, NULL);
	if (!S_ISBLK(st.st_mode) || st.st_rdev != dev)
		return failed_step(f, name, "open its device", ENODEV, NULL);
	return steal_fd(&fd);
}
