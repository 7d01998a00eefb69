// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a cgroup read; cgroup.h is the contract.
 */
#include "cgroup.h"

#include <ctype.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "interface.h"
#include "util.h"

/* Opens the folder of a cgroup; follows no links and never leaves ROOTVIEW_CGROUPS. */
static int open_cgroup(const char *cgroup)
{
	cleanup_close int root = open(ROOTVIEW_CGROUPS, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	cleanup_close int fd = -1;
	struct statfs st;

	if (root < 0)
		return -errno;
	if (*cgroup != '/')
		return -ENOENT;
	cgroup += strspn(cgroup, "/");
	fd = syscall(SYS_openat2, root, *cgroup ? cgroup : ".", &how, sizeof(how));
	if (fd < 0 || fstatfs(fd, &st) < 0)
		return -errno;
	if (st.f_type != CGROUP2_SUPER_MAGIC)
		return -ENOENT;
	return steal_fd(&fd);
}

int cgroup_exists(const char *cgroup)
{
	cleanup_close int fd = open_cgroup(cgroup);

	return fd < 0 && is_shortage(-fd) ? fd : fd >= 0;
}

int cgroup_read_io(const char *cgroup, dev_t dev, struct cgroup_reads *ret)
{
	cleanup_close int folder = open_cgroup(cgroup), fd = -1;
	cleanup_fclose FILE *file = NULL;
	int r;

	if (folder < 0)
		return folder;
	fd = openat(folder, "io.stat", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	file = fd < 0 ? NULL : fdopen(fd, "re");
	if (!file)
		return -errno;
	fd = -1;
	r = cgroup_parse_io(file, dev, ret);
	/* This is how the kernel says that it went after it was opened. */
	return r == -ENODEV ? -ENOENT : r;
}

static bool parse_dev(const char *word, dev_t *ret)
{
	unsigned int major, minor;
	int n = 0;

	if (!isdigit((unsigned char)*word) || sscanf(word, "%u:%u%n", &major, &minor, &n) != 2 ||
	    word[n])
		return false;
	*ret = makedev(major, minor);
	return true;
}

static bool parse_value(const char *word, uint64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)*word))
		return false;
	errno = 0;
	*ret = strtoull(word, &end, 10);
	return errno == 0 && !*end;
}

/* Takes a KEY=VALUE about the device. */
static int take(const char *word, struct cgroup_reads *reads)
{
	const char *value;

	value = after_prefix(word, "rios=");
	if (value)
		return parse_value(value, &reads->reads) ? 0 : -EBADMSG;
	value = after_prefix(word, "rbytes=");
	if (value)
		return parse_value(value, &reads->bytes) ? 0 : -EBADMSG;
	return 0;
}

/*
 *	8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0
 *
 * Some kernels write a device that has nothing to tell without a newline, so
 * that the next one follows in the same line.
 */
static int parse_line(char *line, dev_t dev, struct cgroup_reads *reads)
{
	bool is_ours = false;
	dev_t found;
	char *rest;
	int r = 0;

	for (char *word = strtok_r(line, " \n", &rest); word && r == 0;
	     word = strtok_r(NULL, " \n", &rest)) {
		if (parse_dev(word, &found))
			is_ours = found == dev;
		else if (is_ours)
			r = take(word, reads);
	}
	return r;
}

int cgroup_parse_io(FILE *file, dev_t dev, struct cgroup_reads *ret)
{
	struct cgroup_reads reads = { .reads = 0 };
	cleanup_free char *line = NULL;
	size_t size = 0;
	int r = 0;

	errno = 0;
	while (r == 0 && getline(&line, &size, file) >= 0)
		r = parse_line(line, dev, &reads);
	if (r == 0 && !feof(file))
		r = errno ? -errno : -EIO;
	if (r == 0)
		*ret = reads;
	return r;
}
