// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The thin pool, and the volume group that it lies in; pool.h is the contract.
 */
#include "pool.h"

#include <inttypes.h>

#include "device.h"
#include "say.h"
#include "text.h"
#include "util.h"

/*
 * A snapshot copies a whole block when the first byte of it is written, and
 * layers are snapshots of snapshots with small files in them: so the smallest
 * block that dm-thin has.  LVM would choose larger ones for larger pools.
 */
#define CHUNK "64k"

/*
 * Of the data, for the metadata.  LVM's own choice, 1/1024 with such chunks, is for
 * volumes that share nothing; snapshots need nodes of their own where they differ,
 * and metadata that is full makes the pool read-only.
 */
#define METADATA_SHARE	128
#define METADATA_MIN	(16ull << 20)
#define METADATA_MAX	(15ull << 30)	/* dm-thin's limit is a little more */

#define SMALLEST	(64ull << 20)

/* What is left is for LVM to repair the metadata, and to enlarge it. */
static const char default_size[] = "90%";

static uint64_t round_up(uint64_t n, uint64_t unit)
{
	return (n + unit - 1) / unit * unit;
}

static uint64_t round_down(uint64_t n, uint64_t unit)
{
	return n / unit * unit;
}

static bool parse_percent(const char *text, unsigned int *ret)
{
	int used = 0;

	return strspn(text, "0123456789") > 0 && sscanf(text, "%3u%%%n", ret, &used) == 1 &&
	       used && !text[used] && *ret > 0 && *ret <= 100;
}

bool pool_is_size(const char *text)
{
	unsigned int percent;
	uint64_t size;

	return parse_percent(text, &percent) || (text_parse_size(text, &size) && size > 0);
}

/* Of a pool with so much data. */
static uint64_t metadata_for(uint64_t data, const struct lvm_group *group)
{
	uint64_t size = data / METADATA_SHARE;

	size = size < METADATA_MIN ? METADATA_MIN : size > METADATA_MAX ? METADATA_MAX : size;
	return round_up(size, group->extent);
}

static int record(struct setup *s)
{
	char error[STORAGE_ERROR_SIZE];

	s->changed = true;
	return storage_write(s->config, &s->storage, error) < 0 ? complain("%s", error) : 0;
}

/*
 * The volume group.
 */

struct search {
	const char *device;
	const char *vg;		/* NULL: any */
	bool found;		/* in @vg */
	bool free;		/* it is a physical volume, in no group */
};

static int look_at_device(const char *path, const char *vg, void *userdata)
{
	struct search *search = userdata;

	if (!device_is_same(path, search->device))
		return 0;
	search->found = streq(vg, search->vg);
	search->free = !*vg;
	return 0;
}

static int search_device(const struct setup *s, struct search *ret)
{
	*ret = (struct search){ .device = s->storage.device, .vg = s->storage.vg };
	return lvm_each_device(look_at_device, ret);
}

/* The device's data are ours: a crash came between LVM's marking it and the group. */
static int is_begun(const struct setup *s, const char *contents, bool *ret)
{
	struct search search = { 0 };

	*ret = false;
	if (!s->recorded || !streq(contents, "LVM2_member"))
		return 0;
	if (search_device(s, &search) < 0)
		return -1;
	*ret = search.free;
	return 0;
}

/* What may be done with the device is decided before anything is written. */
static int empty_device(struct setup *s, int fd)
{
	const char *device = s->storage.device;
	char contents[DEVICE_CONTENTS_SIZE];
	bool begun;

	if (device_read_contents(fd, device, contents) < 0 || is_begun(s, contents, &begun) < 0)
		return -1;
	if (*contents && !begun && !s->wipe)
		return complain("%s holds data: %s; --wipe destroys that", device, contents);
	if (record(s) < 0)
		return -1;
	return *contents && !begun ? device_wipe(fd, device) : 0;
}

static int make_group(struct setup *s)
{
	cleanup_close int fd = device_claim(s->storage.device);

	if (fd < 0 || empty_device(s, fd) < 0)
		return -1;
	/* LVM wants it for itself. */
	close_fd(&fd);
	return LVM("vgcreate", "--yes", s->storage.vg, s->storage.device);
}

static int check_group(const struct setup *s)
{
	struct search search;

	if (!s->storage.device[0] || s->storage.uuid[0])
		return 0;
	if (search_device(s, &search) < 0)
		return -1;
	if (!search.found)
		return complain("there is a volume group \"%s\" already, and not on %s: choose "
				"another name for the new one by --vg", s->storage.vg,
				s->storage.device);
	/* Somebody's, for all that we know. */
	if (!s->recorded)
		return complain("%s holds data: volume group \"%s\"; without --device, --vg %s "
				"makes the pool in that group, or takes the one that is there",
				s->storage.device, s->storage.vg, s->storage.vg);
	return 0;
}

int pool_ensure_group(struct setup *s)
{
	const struct storage *storage = &s->storage;
	struct lvm_group group;

	if (lvm_get_group(storage->vg, &group) < 0)
		return -1;
	if (group.incomplete)
		return complain("volume group \"%s\" lacks a device: see \"vgs\" and \"pvs\"",
				storage->vg);
	if (group.exists)
		return check_group(s);
	/* Its device may just be missing, and another one have the name. */
	if (storage->uuid[0])
		return complain("volume group \"%s\", which %s names, is not there: is its disk?  "
				"Remove that file to make a new pool", storage->vg, s->config);
	if (!storage->device[0])
		return complain("there is no volume group \"%s\"", storage->vg);
	return make_group(s);
}

/*
 * The pool.
 */

/* Bytes, out of a size or a share of what is free; 0 if it is no size. */
static uint64_t bytes_of(const char *text, uint64_t free)
{
	unsigned int percent;
	uint64_t size = 0;

	if (parse_percent(text, &percent))
		return free / 100 * percent;
	return text_parse_size(text, &size) ? size : 0;
}

/* In a share, all is to have room: data, metadata, and what LVM keeps for a repair. */
static void choose_sizes(const struct storage *storage, const struct lvm_group *group,
			 uint64_t *data, uint64_t *metadata)
{
	const char *size = storage->size[0] ? storage->size : default_size;
	uint64_t total = bytes_of(size, group->free);

	*metadata = metadata_for(total, group);
	if (storage->metadata_size[0])
		*metadata = round_up(bytes_of(storage->metadata_size, group->free), group->extent);
	if (strchr(size, '%'))
		total -= 2 * *metadata < total ? 2 * *metadata : total;
	*data = round_down(total, group->extent);
}

static int make_pool(struct setup *s)
{
	const struct storage *storage = &s->storage;
	uint64_t data, metadata;
	struct lvm_group group;
	char size[32], metadata_size[32];

	if (lvm_get_group(storage->vg, &group) < 0)
		return -1;
	choose_sizes(storage, &group, &data, &metadata);
	if (data < SMALLEST || data + metadata > group.free)
		return complain("volume group \"%s\" has %" PRIu64 " MiB free, too little for a "
				"pool of %" PRIu64 " MiB and its %" PRIu64 " MiB of metadata; "
				"the least is %llu MiB", storage->vg, group.free >> 20,
				data >> 20, metadata >> 20, SMALLEST >> 20);
	if (!s->changed && record(s) < 0)
		return -1;
	s->changed = true;
	snprintf(size, sizeof(size), "%" PRIu64 "b", data);
	snprintf(metadata_size, sizeof(metadata_size), "%" PRIu64 "b", metadata);
	/*
	 * A container that writes to a full pool gets an error at once.  LVM's default
	 * is that it hangs for a minute; --errorwhenfull is for existing pools only.
	 */
	return LVM("lvcreate", "--yes", "--type", "thin-pool", "--name", storage->lv,
		   "--size", size, "--poolmetadatasize", metadata_size, "--chunksize", CHUNK,
		   "--zero", "y", "--addtag", LVM_UNFINISHED,
		   "--config", "activation/error_when_full=1", storage->vg);
}

/* Whether the layer store can have the volume. */
static int check_pool(const struct setup *s, const struct lvm_volume *volume)
{
	const struct storage *storage = &s->storage;
	char name[2 * STORAGE_VALUE_SIZE];

	snprintf(name, sizeof(name), "%s/%s", storage->vg, storage->lv);
	if (storage->uuid[0] && !volume->exists)
		return complain("the thin pool %s, which %s names, is gone: remove that file to "
				"make a new one", name, s->config);
	if (storage->uuid[0] && !streq(storage->uuid, volume->uuid))
		return complain("the thin pool %s is another one than %s says: its UUID is %s",
				name, s->config, volume->uuid);
	if (!volume->is_pool)
		return complain("%s is no thin pool: choose another name for that by --pool", name);
	/* Their numbers would be in our way, and LVM would miss those that we use. */
	if (volume->has_volumes)
		return complain("the thin pool %s has, or had, thin volumes of LVM's: it cannot be "
				"shared; choose another name by --pool", name);
	return 0;
}

/* Looks for the volume, and removes what is left of one that LVM did not finish. */
static int find_pool(struct setup *s, const char *name, struct lvm_volume *ret)
{
	const struct storage *storage = &s->storage;

	if (lvm_get_volume(storage->vg, storage->lv, ret) < 0)
		return -1;
	if (!ret->unfinished || ret->is_pool || storage->uuid[0])
		return 0;
	ret->exists = false;
	return LVM("lvremove", "--yes", name);
}

static int set_finished(struct setup *s, const char *name, const struct lvm_volume *volume)
{
	if (!volume->unfinished)
		return 0;
	s->changed = true;
	return LVM("lvchange", "--yes", "--deltag", LVM_UNFINISHED, name);
}

/* Those of a pool that was there, or that was made by another version of LVM. */
static int set_properties(struct setup *s, const char *name, const struct lvm_volume *volume)
{
	if (!volume->waits_when_full && volume->zeroes)
		return 0;
	s->changed = true;
	return LVM("lvchange", "--yes", "--errorwhenfull", "y", "--zero", "y", name);
}

static int activate(struct setup *s, const char *name, const struct lvm_volume *volume)
{
	if (volume->active)
		return 0;
	s->changed = true;
	return LVM("lvchange", "--yes", "--activate", "y", name);
}

static int record_pool(struct setup *s, const struct lvm_volume *volume)
{
	struct storage *storage = &s->storage;

	if (streq(storage->uuid, volume->uuid) && streq(storage->pool, volume->path))
		return 0;
	snprintf(storage->uuid, sizeof(storage->uuid), "%s", volume->uuid);
	snprintf(storage->pool, sizeof(storage->pool), "%s", volume->path);
	return record(s);
}

int pool_ensure(struct setup *s, struct lvm_volume *ret)
{
	const struct storage *storage = &s->storage;
	char name[2 * STORAGE_VALUE_SIZE];

	snprintf(name, sizeof(name), "%s/%s", storage->vg, storage->lv);
	if (find_pool(s, name, ret) < 0)
		return -1;
	if (!ret->exists && !storage->uuid[0] &&
	    (make_pool(s) < 0 || lvm_get_volume(storage->vg, storage->lv, ret) < 0))
		return -1;
	if (check_pool(s, ret) < 0 || set_finished(s, name, ret) < 0 ||
	    set_properties(s, name, ret) < 0 || activate(s, name, ret) < 0)
		return -1;
	if (ret->health[0])
		complain("warning: LVM says that the thin pool %s has a problem: %s", name,
			 ret->health);
	return record_pool(s, ret);
}

/*
 * A larger pool.
 */

/* The disk, or what is one to a virtual machine, may have grown. */
static int resize_device(const char *path, const char *vg, void *userdata)
{
	return streq(vg, userdata) ? LVM("pvresize", path) : 0;
}

static int extend(struct setup *s, const char *name, uint64_t data, uint64_t metadata)
{
	char by[32], metadata_by[32];

	snprintf(by, sizeof(by), "+%" PRIu64 "b", data);
	snprintf(metadata_by, sizeof(metadata_by), "+%" PRIu64 "b", metadata);
	s->changed = true;
	if (metadata && LVM("lvextend", "--yes", "--poolmetadatasize", metadata_by, name) < 0)
		return -1;
	return LVM("lvextend", "--yes", "--size", by, name);
}

int pool_grow(struct setup *s, const char *size)
{
	const char *how = size ?: default_size;
	struct storage *storage = &s->storage;
	uint64_t data, wanted, metadata;
	char name[2 * STORAGE_VALUE_SIZE];
	struct lvm_volume volume;
	struct lvm_group group;

	/* A group that we did not make may have reasons for the sizes that it has. */
	if (storage->device[0] && lvm_each_device(resize_device, storage->vg) < 0)
		return -1;
	if (lvm_get_group(storage->vg, &group) < 0 ||
	    lvm_get_volume(storage->vg, storage->lv, &volume) < 0)
		return -1;
	data = bytes_of(how, group.free);
	if (!strchr(how, '%')) {
		if (data <= volume.size)
			return 0;
		data -= volume.size;
	}
	wanted = metadata_for(volume.size + data, &group);
	metadata = wanted > volume.metadata_size ? wanted - volume.metadata_size : 0;
	if (strchr(how, '%'))
		data = round_down(data > 2 * metadata ? data - 2 * metadata : 0, group.extent);
	else
		data = round_up(data, group.extent);
	if (!data || data + metadata > group.free)
		return complain("volume group \"%s\" has %" PRIu64 " MiB free, too little to make "
				"the pool larger: add a disk by \"vgextend %s DISK\"",
				storage->vg, group.free >> 20, storage->vg);
	snprintf(name, sizeof(name), "%s/%s", storage->vg, storage->lv);
	return extend(s, name, data, metadata);
}
