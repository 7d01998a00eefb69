// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mounts, put at a path and taken away again; rootview.h is the contract.
 *
 * The path is looked up once, and everything after that is done by the descriptor
 * of what was found: whoever owns a folder on the way may rename and replace it
 * meanwhile, and reaches nothing by that.
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "rootview.h"
#include "util.h"

static int open_folder(const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS,
	};
	int fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/* Looks at @fd, which is the root of a mount, or -EINVAL. */
static int look_at_mount(int fd, struct statx *ret)
{
	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, ret) < 0)
		return -errno;
	if (!(ret->stx_mask & STATX_MNT_ID))
		return -ENOSYS;
	return ret->stx_attributes & STATX_ATTR_MOUNT_ROOT ? 0 : -EINVAL;
}

/* Whether the mount is attached: nothing is above the root of one that is not. */
static int is_attached(int fd, const struct statx *mount)
{
	cleanup_close int above = openat(fd, "..", O_PATH | O_CLOEXEC);
	struct statx s;

	if (above < 0 || statx(above, "", AT_EMPTY_PATH, STATX_MNT_ID, &s) < 0)
		return -errno;
	return s.stx_mnt_id != mount->stx_mnt_id;
}

int rootview_attach(int mount, const char *path)
{
	cleanup_close int folder = -1;
	struct statx s;
	int r;

	if (!path || !*path)
		return -EINVAL;
	r = look_at_mount(mount, &s);
	if (r == 0)
		r = is_attached(mount, &s);
	/* The kernel would move one that is attached from where it is. */
	if (r > 0 || r == -EINVAL)
		return -EBADF;
	if (r < 0)
		return r;
	folder = open_folder(path);
	if (folder < 0)
		return folder;
	if (move_mount(mount, "", folder, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return errno == EINVAL ? -EBADF : -errno;
	return 0;
}

/* Whether what is mounted at @place may be taken away by who has @mount: 0 or a negative errno. */
static int compare(int mount, int place)
{
	struct statx wanted, found;
	int r = look_at_mount(mount, &wanted);

	if (r < 0)
		return r == -EINVAL ? -EBADF : r;
	r = look_at_mount(place, &found);
	if (r < 0)
		return r;
	if (found.stx_mnt_id == wanted.stx_mnt_id)
		return 0;
	if (found.stx_dev_major != wanted.stx_dev_major ||
	    found.stx_dev_minor != wanted.stx_dev_minor || found.stx_ino != wanted.stx_ino)
		return -EXDEV;
	/* The same files, then: but one that is attached itself stands for no other. */
	r = is_attached(mount, &wanted);
	return r > 0 ? -EXDEV : r;
}

/* The path is one that leads to the very mount that was looked at. */
static int unmount(int place)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", place);
	if (umount2(path, MNT_DETACH) == 0)
		return 0;
	return errno == ENOENT ? -ENOSYS : -errno;
}

int rootview_detach(int mount, const char *path)
{
	cleanup_close int place = -1;
	int r;

	if (!path || !*path)
		return -EINVAL;
	place = open_folder(path);
	if (place < 0)
		return place;
	r = compare(mount, place);
	return r < 0 ? r : unmount(place);
}

const char *rootview_attach_message(int error)
{
	switch (-error) {
	case EBADF:
		return "the descriptor is of no such mount";
	case EINVAL:
		return "nothing is mounted there";
	case ELOOP:
		return "a symbolic link is on the way, and none is followed";
	case ENOSYS:
		return "the kernel cannot do it (before 5.8), or /proc is not mounted";
	case ENOSPC:
		return "there are too many mounts";
	case EPERM:
		return "mounting needs CAP_SYS_ADMIN";
	case EXDEV:
		return "something else is mounted there";
	default:
		return strerror(-error);
	}
}
