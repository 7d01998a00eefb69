// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A skeleton; skeleton.h is the contract.
 */
#include "skeleton.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "util.h"

/* A label comes from the mount; overlayfs' own attributes must not be invented. */
static bool is_copied(const char *name)
{
	return !streq(name, "security.selinux") && !after_prefix(name, "trusted.overlay.");
}

static int copy_xattrs(int from, int to)
{
	char names[XATTR_LIST_MAX], value[XATTR_SIZE_MAX];
	ssize_t size = flistxattr(from, names, sizeof(names));

	if (size < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (char *name = names; name < names + size; name += strlen(name) + 1) {
		ssize_t n;

		if (!is_copied(name))
			continue;
		n = fgetxattr(from, name, value, sizeof(value));
		/* What the runtime folder cannot hold (user.* before 6.6) is left out. */
		if (n < 0 || (fsetxattr(to, name, value, n, 0) < 0 && errno != EOPNOTSUPP))
			return -errno;
	}
	return 0;
}

static int copy_attributes(int from, int to)
{
	struct timespec times[2];
	struct stat st;

	if (fstat(from, &st) < 0 || fchown(to, st.st_uid, st.st_gid) < 0 ||
	    fchmod(to, st.st_mode & 07777) < 0)
		return -errno;
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	return futimens(to, times) < 0 ? -errno : 0;
}

int skeleton_make(const char *path, const char *image)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	cleanup_close int from = -1, to = -1;
	int r = 0;

	from = open(image, flags);
	if (from < 0 || mkdir(path, 0700) < 0)
		return -errno;
	to = open(path, flags);
	if (to < 0)
		r = -errno;
	if (r == 0)
		r = copy_xattrs(from, to);
	/* After the attributes, which may change the mode; and the times last. */
	if (r == 0)
		r = copy_attributes(from, to);
	if (r < 0)
		(void)rmdir(path);
	return r;
}
