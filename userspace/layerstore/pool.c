// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A dm-thin pool and its volumes; pool.h is the contract.
 */
#include "pool.h"

#include <stdarg.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "devmapper.h"
#include "loop.h"
#include "util.h"

/* By it devices are known to be ours; rootviewd has another one for origins. */
#define UUID_PREFIX	"RVLAYER-"

static const char *const suffixes[] = {
	[POOL_MOUNT] = "", [POOL_ORIGIN] = "-origin", [POOL_PROBE] = "-probe",
};

/* The kernel's, of the pool's metadata. */
#define METADATA_BLOCK	4096
#define SECTOR		512

/*
 * Nobody but us is to look at a layer's device: thousands of them have the same
 * file system, and what udev has open cannot be removed.
 */
#define UDEV_FLAGS (DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG | DM_UDEV_DISABLE_DISK_RULES_FLAG | \
		    DM_UDEV_DISABLE_OTHER_RULES_FLAG)

/* Whoever called says what matters. */
__attribute__((format(printf, 5, 6)))
static void ignore_libdevmapper(int level, const char *file, int line, int error,
				const char *format, ...)
{
	(void)level, (void)file, (void)line, (void)error, (void)format;
}

static int pool_failed(struct layer_error *error, struct pool *pool, int r, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Returns @r, a negative errno. */
static int pool_failed(struct layer_error *error, struct pool *pool, int r, const char *format, ...)
{
	char step[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(step, sizeof(step), format, ap);
	va_end(ap);
	layer_failed(error, LAYER_FAILED, "thin pool %s: cannot %s: %s", pool->name, step,
		     strerror(-r));
	return r;
}

/* A task for a device, or NULL. */
static struct dm_task *task_for(int type, const char *name)
{
	struct dm_task *task = dm_task_create(type);

	if (task && dm_task_set_name(task, name))
		return task;
	devmapper_free_task(&task);
	return NULL;
}

/* A task of one of the types that tell a target's parameters; done. */
static struct dm_task *ask(int type, const char *name, const char **target, char **parameters)
{
	struct dm_task *task = task_for(type, name);
	uint64_t start, length;
	char *found = NULL;

	*parameters = NULL;
	if (task && dm_task_run(task))
		dm_get_next_target(task, NULL, &start, &length, &found, parameters);
	*target = found ?: "";
	return task;
}

static int refuse(struct layer_error *error, enum layer_error_code code, const char *format,
		  const char *what) __attribute__((format(printf, 3, 0)));

static int refuse(struct layer_error *error, enum layer_error_code code, const char *format,
		  const char *what)
{
	layer_failed(error, code, format, what);
	return -EINVAL;
}

int pool_open(struct pool *pool, const char *path, const char *prefix, struct layer_error *error)
{
	const char *name = after_prefix(path, "/dev/mapper/"), *target;
	cleanup_task struct dm_task *task = NULL;
	struct pool_status status;
	char *parameters;

	devmapper_init(ignore_libdevmapper);

	if (!name || !*name || strchr(name, '/') || strlen(name) >= sizeof(pool->name))
		return refuse(error, LAYER_INVALID, "\"%s\" is no path of a thin pool, which is "
			      "/dev/mapper/NAME", path);
	if (!*prefix || strchr(prefix, '/') || strlen(prefix) >= sizeof(pool->prefix))
		return refuse(error, LAYER_INVALID, "\"%s\" cannot be the beginning of names",
			      prefix);
	snprintf(pool->name, sizeof(pool->name), "%s", name);
	snprintf(pool->prefix, sizeof(pool->prefix), "%s", prefix);

	task = ask(DM_DEVICE_STATUS, name, &target, &parameters);
	if (!streq(target, "thin-pool"))
		return refuse(error, LAYER_NO_POOL, "\"%s\" is no active thin pool", path);
	if (pool_status(pool, &status, error) < 0) {
		error->code = LAYER_NO_POOL;
		return -EINVAL;
	}
	return 0;
}

/* Sends the pool a message. */
static int send(struct pool *pool, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int send(struct pool *pool, const char *format, ...)
{
	cleanup_task struct dm_task *task = task_for(DM_DEVICE_TARGET_MSG, pool->name);
	char message[128];
	va_list ap;

	va_start(ap, format);
	vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	if (!task || !dm_task_set_sector(task, 0) || !dm_task_set_message(task, message))
		return -ENOMEM;
	return dm_task_run(task) ? 0 : -(dm_task_get_errno(task) ?: EIO);
}

int pool_create(struct pool *pool, uint32_t number, struct layer_error *error)
{
	int r = send(pool, "create_thin %u", number);

	return r < 0 ? pool_failed(error, pool, r, "make volume %u", number) : 0;
}

void pool_device_name(const struct pool *pool, uint32_t number, enum pool_role role,
		      char ret[static POOL_NAME_SIZE])
{
	snprintf(ret, POOL_NAME_SIZE, "%s-%u%s", pool->prefix, number, suffixes[role]);
}

static int suspend(const char *name)
{
	cleanup_task struct dm_task *task = task_for(DM_DEVICE_SUSPEND, name);

	if (!task)
		return -ENOMEM;
	/* It flushes, and freezes what file system is mounted. */
	return dm_task_run(task) ? 0 : -(dm_task_get_errno(task) ?: EIO);
}

static int resume(const char *name)
{
	cleanup_task struct dm_task *task = task_for(DM_DEVICE_RESUME, name);

	return task ? devmapper_run(task, UDEV_FLAGS, NULL) : -ENOMEM;
}

int pool_snapshot(struct pool *pool, uint32_t number, uint32_t origin, struct layer_error *error)
{
	char name[POOL_NAME_SIZE], uuid[DM_UUID_LEN];
	struct dm_info info;
	int r, resumed = 0;

	/* Nobody writes to a volume by its other device. */
	pool_device_name(pool, origin, POOL_MOUNT, name);
	r = devmapper_info(name, &info, uuid);
	if (r == 0 && info.exists)
		r = suspend(name);
	if (r < 0)
		return pool_failed(error, pool, r, "suspend %s", name);
	r = send(pool, "create_snap %u %u", number, origin);
	if (info.exists)
		resumed = resume(name);
	if (resumed < 0)
		return pool_failed(error, pool, resumed, "resume %s", name);
	return r < 0 ? pool_failed(error, pool, r, "make volume %u, a snapshot of volume %u",
				   number, origin) : 0;
}

int pool_delete(struct pool *pool, uint32_t number, struct layer_error *error)
{
	int r = send(pool, "delete %u", number);

	return r < 0 && r != -ENODATA ? pool_failed(error, pool, r, "delete volume %u", number) : 0;
}

/* That of the volume's device @name. */
static void uuid_of(const struct pool *pool, const char *name, char ret[static DM_UUID_LEN])
{
	snprintf(ret, DM_UUID_LEN, UUID_PREFIX "%.60s-%s", pool->name,
		 name + strlen(pool->prefix) + 1);
}

static int describe(struct dm_task *task, struct pool *pool, const char *name, uint32_t number,
		    uint64_t size, bool read_only)
{
	char uuid[DM_UUID_LEN], parameters[PATH_MAX];

	uuid_of(pool, name, uuid);
	snprintf(parameters, sizeof(parameters), "%s/%s %u", dm_dir(), pool->name, number);
	return task && dm_task_set_name(task, name) && dm_task_set_uuid(task, uuid) &&
	       (!read_only || dm_task_set_ro(task)) &&
	       dm_task_add_target(task, 0, size / SECTOR, "thin", parameters) ? 0 : -ENOMEM;
}

static bool is_ours(struct pool *pool, const char *name, const char *uuid)
{
	char wanted[DM_UUID_LEN];

	uuid_of(pool, name, wanted);
	return streq(uuid, wanted);
}

int pool_activate(struct pool *pool, uint32_t number, enum pool_role role, uint64_t size,
		  bool read_only, char path[static PATH_MAX], struct layer_error *error)
{
	cleanup_task struct dm_task *task = dm_task_create(DM_DEVICE_CREATE);
	char name[POOL_NAME_SIZE], uuid[DM_UUID_LEN];
	struct dm_info info;
	int r;

	pool_device_name(pool, number, role, name);
	snprintf(path, PATH_MAX, "%s/%s", dm_dir(), name);
	r = devmapper_info(name, &info, uuid);
	/* Who made it may have died before it had a node. */
	if (r == 0 && info.exists && is_ours(pool, name, uuid) && info.live_table)
		return dm_mknodes(name) ? 0 : pool_failed(error, pool, -EIO, "make %s", path);
	if (r == 0 && info.exists && !is_ours(pool, name, uuid))
		r = -EEXIST;
	else if (r == 0 && info.exists)
		r = devmapper_remove(name, UDEV_FLAGS, NULL);
	if (r == 0)
		r = describe(task, pool, name, number, size, read_only);
	if (r == 0)
		r = devmapper_run(task, UDEV_FLAGS, NULL);
	return r < 0 ? pool_failed(error, pool, r, "make the device %s", name) : 0;
}

int pool_deactivate(struct pool *pool, uint32_t number, enum pool_role role,
		    struct layer_error *error)
{
	char name[POOL_NAME_SIZE], uuid[DM_UUID_LEN];
	struct dm_info info;
	int r;

	pool_device_name(pool, number, role, name);
	r = devmapper_info(name, &info, uuid);
	if (r < 0)
		return pool_failed(error, pool, r, "ask for the device %s", name);
	if (!info.exists)
		return 0;
	r = devmapper_remove_patiently(name, UDEV_FLAGS, NULL);
	if (r == -EBUSY)
		return layer_failed(error, LAYER_IN_USE,
				    "the device %s is in use: something has it open or mounted",
				    name), r;
	return r < 0 && r != -ENXIO ? pool_failed(error, pool, r, "remove the device %s", name) : 0;
}

/* Takes a device's name to pieces; false if it is none of ours. */
static bool parse_name(struct pool *pool, const char *name, uint32_t *number, enum pool_role *role)
{
	const char *rest = after_prefix(name, pool->prefix);
	char again[POOL_NAME_SIZE];
	unsigned int n;

	if (!rest || sscanf(rest, "-%8u", &n) != 1 || n > POOL_NUMBER_MAX)
		return false;
	*number = n;
	for (*role = POOL_MOUNT; *role <= POOL_PROBE; (*role)++) {
		pool_device_name(pool, n, *role, again);
		if (streq(again, name))
			return true;
	}
	return false;
}

int pool_each_device(struct pool *pool, uint32_t first, uint32_t last,
		     void (*each)(uint32_t number, enum pool_role role, void *userdata),
		     void *userdata, struct layer_error *error)
{
	cleanup_task struct dm_task *task = dm_task_create(DM_DEVICE_LIST);
	char uuid[DM_UUID_LEN];
	struct dm_names *names;
	unsigned int next = 0;
	enum pool_role role;
	struct dm_info info;
	uint32_t number;

	names = task && dm_task_run(task) ? dm_task_get_names(task) : NULL;
	if (!names)
		return pool_failed(error, pool, -EIO, "list device-mapper's devices");
	if (!names->dev)
		return 0;
	do {
		names = (struct dm_names *)((char *)names + next);
		next = names->next;
		if (!parse_name(pool, names->name, &number, &role) || number < first ||
		    number > last ||
		    devmapper_info(names->name, &info, uuid) < 0 || !info.exists ||
		    !is_ours(pool, names->name, uuid))
			continue;
		if (info.suspended && info.live_table)
			resume(names->name);
		each(number, role, userdata);
	} while (next);
	return 0;
}

static int read_table(struct pool *pool, struct pool_status *ret, struct layer_error *error)
{
	cleanup_task struct dm_task *task = NULL;
	char *parameters, metadata[64], data[64];
	const char *target;
	uint64_t sectors;

	task = ask(DM_DEVICE_TABLE, pool->name, &target, &parameters);
	if (!streq(target, "thin-pool") || !parameters ||
	    sscanf(parameters, "%63s %63s %lu", metadata, data, &sectors) != 3)
		return pool_failed(error, pool, -ENODEV, "read its table");
	ret->block_size = sectors * SECTOR;
	ret->on_loop = lies_on_loop(metadata) || lies_on_loop(data);
	return 0;
}

static int read_status(struct pool *pool, struct dm_status_thin_pool *ret,
		       struct layer_error *error)
{
	cleanup_task struct dm_task *task = NULL;
	struct dm_status_thin_pool *status = NULL;
	struct dm_pool *memory = dm_pool_create("status", 256);
	const char *target;
	char *parameters;
	int r = -EIO;

	task = ask(DM_DEVICE_STATUS, pool->name, &target, &parameters);
	if (memory && parameters && dm_get_status_thin_pool(memory, parameters, &status) &&
	    !status->fail && !status->error) {
		*ret = *status;
		r = 0;
	}
	if (memory)
		dm_pool_destroy(memory);
	if (r < 0)
		layer_failed(error, LAYER_NO_POOL, "thin pool %s: it has failed: %s", pool->name,
			     parameters ?: "it has no status");
	return r;
}

int pool_status(struct pool *pool, struct pool_status *ret, struct layer_error *error)
{
	struct dm_status_thin_pool status = { 0 };
	int r;

	*ret = (struct pool_status){ 0 };
	r = read_table(pool, ret, error) ?: read_status(pool, &status, error);
	if (r < 0)
		return r;
	ret->data_used = status.used_data_blocks * ret->block_size;
	ret->data_total = status.total_data_blocks * ret->block_size;
	ret->metadata_used = status.used_metadata_blocks * METADATA_BLOCK;
	ret->metadata_total = status.total_metadata_blocks * METADATA_BLOCK;
	ret->out_of_space = status.out_of_data_space;
	ret->read_only = status.read_only;
	ret->needs_check = status.needs_check;
	ret->waits_when_full = !status.error_if_no_space;
	return 0;
}
