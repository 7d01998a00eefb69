// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What file system a block device holds; filesystem.h is the contract.
 */
#include "filesystem.h"

#include <blkid/blkid.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "util.h"

bool filesystem_ext4_is_dirty(const uint8_t superblock[static SUPERBLOCK_SIZE])
{
	/* s_feature_incompat, little-endian, of which RECOVER is the bit 0x0004 */
	return superblock[0x60] & 0x04;
}

bool filesystem_erofs_names_devices(const uint8_t superblock[static SUPERBLOCK_SIZE])
{
	/* feature_incompat, of which DEVICE_TABLE is the bit 0x0008; and extra_devices */
	return (superblock[0x50] & 0x08) && (superblock[0x56] || superblock[0x57]);
}

int filesystem_needs_recovery(const char *type, const char *origin, struct failure *f)
{
	failed(f, FAILURE_NEEDS_RECOVERY,
	       "the %s of origin \"%s\" was not unmounted cleanly, and no journal is replayed "
	       "here: mount the original device writable once, unmount it, and take the snapshot "
	       "again", type, origin);
	snprintf(f->file_system, sizeof(f->file_system), "%s", type);
	return -1;
}

static int read_superblock(int fd, const char *origin,
			   uint8_t superblock[static SUPERBLOCK_SIZE], struct failure *f)
{
	ssize_t n = pread(fd, superblock, SUPERBLOCK_SIZE, SUPERBLOCK_OFFSET);

	return n == SUPERBLOCK_SIZE ? 0 :
	       failed_step(f, origin, "read its superblock", n < 0 ? errno : EIO, NULL);
}

static int check_ext4(int fd, const char *origin, struct failure *f)
{
	uint8_t superblock[SUPERBLOCK_SIZE];

	if (read_superblock(fd, origin, superblock, f) < 0)
		return -1;
	if (filesystem_ext4_is_dirty(superblock))
		return filesystem_needs_recovery("ext4", origin, f);
	return 0;
}

static int check_erofs(int fd, const char *origin, struct failure *f)
{
	uint8_t superblock[SUPERBLOCK_SIZE];

	if (read_superblock(fd, origin, superblock, f) < 0)
		return -1;
	if (!filesystem_erofs_names_devices(superblock))
		return 0;
	failed(f, FAILURE_UNSUPPORTED_FILE_SYSTEM,
	       "the erofs of origin \"%s\" names further devices, which no image may choose: "
	       "make it again, in one piece", origin);
	snprintf(f->file_system, sizeof(f->file_system), "erofs");
	return -1;
}

/* Copies the type found by @probe to @type. */
static int find_type(blkid_probe probe, int fd, const char *origin, char *type,
		     struct failure *f)
{
	const char *found;
	int r;

	errno = 0;
	if (blkid_probe_set_device(probe, fd, 0, 0) < 0 ||
	    blkid_probe_enable_superblocks(probe, 1) < 0 ||
	    blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE) < 0)
		return failed_step(f, origin, "look for a file system", errno ?: ENOMEM, NULL);
	errno = 0;
	r = blkid_do_safeprobe(probe);
	if (r == -1)
		return failed_step(f, origin, "look for a file system", errno ?: EIO, NULL);
	if (r == -2)
		return failed(f, FAILURE_UNSUPPORTED_FILE_SYSTEM,
			      "origin \"%s\" has traces of more than one file system; wipe those "
			      "that are out of date (see wipefs)", origin);
	if (r == 1 || blkid_probe_lookup_value(probe, "TYPE", &found, NULL) < 0)
		return failed(f, FAILURE_UNSUPPORTED_FILE_SYSTEM,
			      "origin \"%s\" has no file system that is known here", origin);
	snprintf(type, FILESYSTEM_TYPE_SIZE, "%s", found);
	return 0;
}

int filesystem_probe(int fd, const char *origin, char type[static FILESYSTEM_TYPE_SIZE],
		     struct failure *f)
{
	blkid_probe probe = blkid_new_probe();
	int r;

	if (!probe)
		return failed_step(f, origin, "look for a file system", ENOMEM, NULL);
	r = find_type(probe, fd, origin, type, f);
	blkid_free_probe(probe);
	if (r < 0)
		return -1;
	if (streq(type, "ext4"))
		return check_ext4(fd, origin, f);
	return streq(type, "erofs") ? check_erofs(fd, origin, f) : 0;
}

int filesystem_type_at(const char *path, char type[static FILESYSTEM_TYPE_SIZE])
{
	static const struct {
		long magic;
		const char *type;
	} types[] = {
		{ EXT4_SUPER_MAGIC, "ext4" },
		{ XFS_SUPER_MAGIC, "xfs" },
		{ EROFS_SUPER_MAGIC_V1, "erofs" },
		{ SQUASHFS_MAGIC, "squashfs" },
		{ OVERLAYFS_SUPER_MAGIC, "overlay" },
	};
	struct statfs st;

	if (statfs(path, &st) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (types[i].magic != st.f_type)
			continue;
		snprintf(type, FILESYSTEM_TYPE_SIZE, "%s", types[i].type);
		return 0;
	}
	return -ENODEV;
}
