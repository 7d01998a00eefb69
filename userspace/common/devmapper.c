// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Device-mapper's tasks; devmapper.h is the contract.
 */
#include "devmapper.h"

#include <time.h>

#define REMOVE_TRIES	40
#define REMOVE_PAUSE_MS	50

#define UDEV_PAUSE_MS	20
#define UDEV_TRIES	(DEVMAPPER_UDEV_SECONDS * 1000 / UDEV_PAUSE_MS)

void devmapper_init(dm_log_with_errno_fn log)
{
	dm_log_with_errno_init(log);
	/* A name is what the kernel has; ours need no mangling, others get none. */
	dm_set_name_mangling_mode(DM_STRING_MANGLING_NONE);
	dm_hold_control_dev(1);
}

void devmapper_free_task(struct dm_task **task)
{
	if (*task)
		dm_task_destroy(*task);
}

static void pause_ms(long ms)
{
	struct timespec ts = { .tv_nsec = ms * 1000000 };

	nanosleep(&ts, NULL);
}

int devmapper_info(const char *name, struct dm_info *ret, char uuid[static DM_UUID_LEN])
{
	cleanup_task struct dm_task *task = dm_task_create(DM_DEVICE_INFO);
	const char *found;

	*ret = (struct dm_info){ .exists = 0 };
	uuid[0] = '\0';
	if (!task || !dm_task_set_name(task, name))
		return -ENOMEM;
	if (!dm_task_run(task) || !dm_task_get_info(task, ret))
		return -(dm_task_get_errno(task) ?: EIO);
	found = ret->exists ? dm_task_get_uuid(task) : NULL;
	snprintf(uuid, DM_UUID_LEN, "%s", found ?: "");
	return 0;
}

/* dm_udev_wait() waits for ever where udevd has died.  Returns whether it has answered. */
static bool wait_for_udev(uint32_t cookie)
{
	int ready = 0;

	for (int i = 0; i < UDEV_TRIES; i++) {
		if (!dm_udev_wait_immediate(cookie, &ready) || ready)
			return true;
		pause_ms(UDEV_PAUSE_MS);
	}
	/* In its place; and the semaphore goes when it is waited for once more. */
	dm_udev_complete(cookie);
	(void)dm_udev_wait_immediate(cookie, &ready);
	return false;
}

int devmapper_run(struct dm_task *task, uint16_t flags, bool *late)
{
	uint32_t cookie = 0;
	int error;

	/* Without udevd this is no cookie, and there is nothing to wait for. */
	if (!dm_task_set_cookie(task, &cookie, flags))
		return -EIO;
	error = dm_task_run(task) ? 0 : dm_task_get_errno(task) ?: EIO;
	if (cookie && !wait_for_udev(cookie) && late)
		*late = true;
	dm_task_update_nodes();
	return -error;
}

int devmapper_remove(const char *name, uint16_t flags, bool *late)
{
	cleanup_task struct dm_task *task = dm_task_create(DM_DEVICE_REMOVE);

	if (!task || !dm_task_set_name(task, name))
		return -ENOMEM;
	return devmapper_run(task, flags, late);
}

int devmapper_remove_patiently(const char *name, uint16_t flags, bool *late)
{
	int r = -EBUSY;

	for (int i = 0; r == -EBUSY && i < REMOVE_TRIES; i++) {
		if (i)
			pause_ms(REMOVE_PAUSE_MS);
		r = devmapper_remove(name, flags, late);
	}
	return r;
}
