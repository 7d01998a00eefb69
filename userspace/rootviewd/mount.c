// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mounting; mount.h is the contract.
 */
#include "mount.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "util.h"

/*
 * The last error among the kernel's messages, such as "e ext4: bad geometry".
 * The first letter is the level; the rest is for people.
 */
static void read_why(int fs_fd, char *why)
{
	char line[MOUNT_WHY_SIZE];
	ssize_t n;

	while ((n = read(fs_fd, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == 'e' && line[1] == ' ')
			memcpy(why, line + 2, strlen(line + 2) + 1);
	}
}

static int configure(int fs_fd, const struct plan_mount *plan)
{
	for (size_t i = 0; i < plan->n_options; i++) {
		const char *value = plan->options[i].value;

		if (fsconfig(fs_fd, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
			     plan->options[i].key, value, 0) < 0)
			return -errno;
	}
	return fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ? -errno : 0;
}

int mount_plan(const struct plan_mount *plan, const char *path, char why[static MOUNT_WHY_SIZE])
{
	cleanup_close int fs_fd = -1, mount_fd = -1;
	int r;

	why[0] = '\0';
	fs_fd = fsopen(plan->type, FSOPEN_CLOEXEC);
	if (fs_fd < 0) {
		r = -errno;
		if (r == -ENODEV)
			snprintf(why, MOUNT_WHY_SIZE, "the kernel has no file system \"%s\"",
				 plan->type);
		return r;
	}
	r = configure(fs_fd, plan);
	if (r < 0) {
		read_why(fs_fd, why);
		return r;
	}
	mount_fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV);
	if (mount_fd < 0)
		return -errno;
	return move_mount(mount_fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

int mount_clone(const char *from, dev_t dev, const char *to)
{
	cleanup_close int fd = open_tree(AT_FDCWD, from,
					 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev != dev)
		return -ESTALE;
	return move_mount(fd, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

int mount_make_private(const char *path)
{
	cleanup_close int fd = open_tree(AT_FDCWD, path,
					 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);

	if (fd < 0 || move_mount(fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	/*
	 * Attaching it below a shared mount made it shared: this has to come
	 * after.  mount_setattr() would do, but kernel 5.10 has none.
	 */
	return mount(NULL, path, NULL, MS_PRIVATE, NULL) < 0 ? -errno : 0;
}

int mount_detach(const char *path)
{
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		return 0;
	/* EINVAL: nothing is mounted there; ENOENT: it is not even there. */
	return errno == EINVAL || errno == ENOENT ? 0 : -errno;
}
