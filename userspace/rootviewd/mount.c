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

static int configure_fs(int fs_fd, const struct plan_mount *plan)
{
	for (size_t i = 0; i < plan->n_options; i++) {
		const char *value = plan->options[i].value;

		if (fsconfig(fs_fd, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
			     plan->options[i].key, value, 0) < 0)
			return -errno;
	}
	return fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ? -errno : 0;
}

static int clone_tree(const char *path)
{
	return open_tree(AT_FDCWD, path,
			 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
}

int mount_attach(int fd, const char *path)
{
	return move_mount(fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
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
	r = configure_fs(fs_fd, plan);
	if (r < 0) {
		read_why(fs_fd, why);
		return r;
	}
	mount_fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV);
	if (mount_fd < 0)
		return -errno;
	return mount_attach(mount_fd, path);
}

int mount_clone(const char *from, dev_t dev, int *ret)
{
	cleanup_close int fd = clone_tree(from);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev != dev)
		return -ESTALE;
	*ret = steal_fd(&fd);
	return 0;
}

int mount_idmapped(const char *from, int userns, const char *to)
{
	cleanup_close int fd = clone_tree(from);
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = userns };

	if (fd < 0)
		return -errno;
	/* The kernel is too old for that call, the file system for maps, or RHEL has them off. */
	if (mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return is_shortage(errno) ? -errno : -EOPNOTSUPP;
	return mount_attach(fd, to);
}

int mount_move(const char *from, const char *to)
{
	return move_mount(AT_FDCWD, from, AT_FDCWD, to, 0) < 0 ? -errno : 0;
}

int mount_tmpfs(const char *path)
{
	int r = 0;

	if (mount("rootview", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
		return -errno;
	if (mount(NULL, path, NULL, MS_PRIVATE, NULL) < 0) {
		r = -errno;
		(void)mount_detach(path);
	}
	return r;
}

int mount_make_private(const char *path)
{
	cleanup_close int fd = clone_tree(path);
	int r;

	if (fd < 0)
		return -errno;
	r = mount_attach(fd, path);
	if (r < 0)
		return r;
	/*
	 * Attaching it below a shared mount made it shared: this has to come
	 * after.  mount_setattr() would do, but kernel 5.10 has none.
	 */
	return mount(NULL, path, NULL, MS_PRIVATE, NULL) < 0 ? -errno : 0;
}

int mount_set_private(const char *path)
{
	return mount(NULL, path, NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0;
}

int mount_is_there(const char *path)
{
	struct statx stx;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &stx) < 0)
		return errno == ENOENT ? 0 : -errno;
	return !!(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

int mount_detach(const char *path)
{
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		return 0;
	/* EINVAL: nothing is mounted there; ENOENT: it is not even there. */
	return errno == EINVAL || errno == ENOENT ? 0 : -errno;
}
