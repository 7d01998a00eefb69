// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The file system on a volume; volume.h is the contract.
 */
#include "volume.h"

#include <blkid.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/types.h>
#include <spawn.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "util.h"

/* The kernel has no header of these for user space. */
#define EXT4_IOC_RESIZE_FS	_IOW('f', 16, __u64)

struct xfs_geometry {
	__u32 blocksize, rtextsize, agblocks, agcount, logblocks, sectsize, inodesize, imaxpct;
	__u64 datablocks, rtblocks, rtextents, logstart;
	__u8 uuid[16];
	__u32 sunit, swidth;
	__s32 version;
	__u32 flags, logsectsize, rtsectsize, dirblocksize;
};

struct xfs_growth {
	__u64 newblocks;
	__u32 imaxpct;
};

#define XFS_IOC_FSGEOMETRY_V1	_IOR('X', 100, struct xfs_geometry)
#define XFS_IOC_FSGROWFSDATA	_IOW('X', 110, struct xfs_growth)

bool volume_type_is_known(const char *type)
{
	return streq(type, "ext4") || streq(type, "xfs");
}

/* The last line that is not empty; @text is cut. */
static const char *last_line(char *text)
{
	char *line;

	for (size_t n = strlen(text); n && text[n - 1] == '\n'; n--)
		text[n - 1] = '\0';
	line = strrchr(text, '\n');
	return line ? line + 1 : text;
}

/* Starts @arguments with stderr at @err, with @lock, and nothing else that we have. */
static int start(char *const arguments[], int err, int lock, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	int r;

	r = posix_spawn_file_actions_init(&actions);
	if (r)
		return r;
	r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) ?:
	    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) ?:
	    posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO) ?:
	    posix_spawn_file_actions_adddup2(&actions, lock, STDERR_FILENO + 1) ?:
	    posix_spawnp(ret, arguments[0], &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

/* Keeps the end of what @fd has until that ends. */
static void read_end(int fd, char *text, size_t size)
{
	size_t used = 0;
	ssize_t n;

	while ((n = read(fd, text + used, size - 1 - used)) > 0) {
		used += n;
		if (used > size / 2) {
			memmove(text, text + used - size / 2, size / 2);
			used = size / 2;
		}
	}
	text[used] = '\0';
}

static int run_program(char *const arguments[], const char *device, int lock,
		       struct layer_error *error)
{
	cleanup_close int ours = -1, theirs = -1;
	int fds[2], status = -1, r;
	char text[2048];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return layer_failed(error, LAYER_FAILED, "%s: no pipe: %s", device,
				    strerror(errno));
	ours = fds[0];
	theirs = fds[1];
	r = start(arguments, theirs, lock, &pid);
	if (r)
		return layer_failed(error, LAYER_FAILED, "%s: cannot start %s: %s", device,
				    arguments[0], strerror(r));
	close_fd(&theirs);
	read_end(ours, text, sizeof(text));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return layer_failed(error, LAYER_FAILED, "%s: %s failed: %s", device, arguments[0],
			    last_line(text));
}

#define ARGUMENTS(...) ((char *const []){ __VA_ARGS__, NULL })

/*
 * Nothing is left to be written to it in the background, which each of its
 * snapshots would have to do.
 */
int volume_make(const char *device, const char *type, const char *uuid, int lock,
		struct layer_error *error)
{
	char option[8 + VOLUME_UUID_SIZE];

	if (streq(type, "ext4"))
		return run_program(ARGUMENTS("mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "-E",
					     "nodiscard,lazy_itable_init=0,lazy_journal_init=0",
					     "-U", (char *)uuid, (char *)device),
				   device, lock, error);
	snprintf(option, sizeof(option), "uuid=%s", uuid);
	return run_program(ARGUMENTS("mkfs.xfs", "-q", "-f", "-K", "-m", option, (char *)device),
			   device, lock, error);
}

int volume_new_uuid(char ret[static VOLUME_UUID_SIZE], struct layer_error *error)
{
	cleanup_close int fd = open("/proc/sys/kernel/random/uuid", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, ret, VOLUME_UUID_SIZE - 1) != VOLUME_UUID_SIZE - 1)
		return layer_failed(error, LAYER_FAILED,
				    "cannot read /proc/sys/kernel/random/uuid");
	ret[VOLUME_UUID_SIZE - 1] = '\0';
	return 0;
}

int volume_read_uuid(const char *device, char ret[static VOLUME_UUID_SIZE],
		     struct layer_error *error)
{
	blkid_probe probe = blkid_new_probe_from_filename(device);
	const char *uuid;

	ret[0] = '\0';
	if (!probe)
		return layer_failed(error, LAYER_FAILED, "cannot look at %s: %s", device,
				    strerror(errno));
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_UUID);
	if (blkid_do_safeprobe(probe) == 0 &&
	    blkid_probe_lookup_value(probe, "UUID", &uuid, NULL) == 0)
		snprintf(ret, VOLUME_UUID_SIZE, "%s", uuid);
	blkid_free_probe(probe);
	return 0;
}

/* Appends the last error among the kernel's messages, such as "e ext4: bad geometry". */
static int mount_failed(int fs_fd, const char *device, const char *type, int number,
			struct layer_error *error)
{
	char line[256], why[256];
	ssize_t n;

	snprintf(why, sizeof(why), "%s", strerror(number));
	while (fs_fd >= 0 && (n = read(fs_fd, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == 'e' && line[1] == ' ')
			memcpy(why, line + 2, strlen(line + 2) + 1);
	}
	return layer_failed(error, LAYER_FAILED, "cannot mount %s as %s: %s", device, type, why);
}

int volume_mount(const char *device, const char *type, const char *context, bool read_only,
		 struct layer_error *error)
{
	cleanup_close int fs_fd = fsopen(type, FSOPEN_CLOEXEC);
	int mount_fd;

	if (fs_fd < 0)
		return mount_failed(-1, device, type, errno, error);
	/* Snapshots have the uuid of what they are snapshots of. */
	if (fsconfig(fs_fd, FSCONFIG_SET_STRING, "source", device, 0) < 0 ||
	    (streq(type, "xfs") && fsconfig(fs_fd, FSCONFIG_SET_FLAG, "nouuid", NULL, 0) < 0) ||
	    (context && fsconfig(fs_fd, FSCONFIG_SET_STRING, "context", context, 0) < 0) ||
	    (read_only && fsconfig(fs_fd, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0) ||
	    fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return mount_failed(fs_fd, device, type, errno, error);
	mount_fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, read_only ? MOUNT_ATTR_RDONLY : 0);
	if (mount_fd < 0)
		return mount_failed(fs_fd, device, type, errno, error);
	return mount_fd;
}

int volume_attach(int mount, const char *path, struct layer_error *error)
{
	if ((mkdir(path, 0700) < 0 && errno != EEXIST) ||
	    move_mount(mount, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return layer_failed(error, LAYER_FAILED, "cannot mount at %s: %s", path,
				    strerror(errno));
	return 0;
}

int volume_detach(const char *path, struct layer_error *error)
{
	if (umount2(path, UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
		return layer_failed(error, errno == EBUSY ? LAYER_IN_USE : LAYER_FAILED,
				    "cannot unmount %s: %s", path, strerror(errno));
	if (rmdir(path) < 0 && errno != ENOENT)
		return layer_failed(error, LAYER_FAILED, "cannot remove the folder %s: %s", path,
				    strerror(errno));
	return 0;
}

bool volume_is_attached(const char *path)
{
	struct statx st;

	return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &st) == 0 &&
	       st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

static int open_root(int at, const char *path, struct layer_error *error)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return layer_failed(error, LAYER_FAILED, "cannot open a layer's root folder: %s",
				    strerror(errno));
	return fd;
}

int volume_open_mount(int mount, struct layer_error *error)
{
	return open_root(mount, ".", error);
}

int volume_open_path(const char *path, struct layer_error *error)
{
	return open_root(AT_FDCWD, path, error);
}

static int grow_ext4(int root, uint64_t size)
{
	struct stat st;
	__u64 blocks;

	if (fstat(root, &st) < 0)
		return -1;
	blocks = size / st.st_blksize;
	return ioctl(root, EXT4_IOC_RESIZE_FS, &blocks);
}

static int grow_xfs(int root, uint64_t size)
{
	struct xfs_geometry geometry;
	struct xfs_growth growth;

	if (ioctl(root, XFS_IOC_FSGEOMETRY_V1, &geometry) < 0)
		return -1;
	growth = (struct xfs_growth){ .newblocks = size / geometry.blocksize,
				      .imaxpct = geometry.imaxpct };
	return ioctl(root, XFS_IOC_FSGROWFSDATA, &growth);
}

int volume_grow(int root, const char *type, uint64_t size, struct layer_error *error)
{
	int r = streq(type, "ext4") ? grow_ext4(root, size) : grow_xfs(root, size);

	if (r < 0)
		return layer_failed(error, LAYER_FAILED,
				    "cannot grow the file system to %lu bytes: %s", size,
				    strerror(errno));
	return 0;
}
