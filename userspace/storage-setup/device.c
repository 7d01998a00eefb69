// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A block device that may hold somebody's data; device.h is the contract.
 */
#include "device.h"

#include <blkid/blkid.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "loop.h"
#include "say.h"
#include "util.h"

#define cleanup_probe cleanup_with(free_probe)

static void free_probe(blkid_probe *probe)
{
	blkid_free_probe(*probe);
}

/* "MAJOR:MINOR" of the block device; false if it is none. */
static bool number_of(const char *path, char ret[static 32])
{
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISBLK(st.st_mode))
		return false;
	snprintf(ret, 32, "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	return true;
}

bool device_is_same(const char *a, const char *b)
{
	char first[32], second[32];

	return number_of(a, first) && number_of(b, second) ? streq(first, second) : streq(a, b);
}

void device_warn_of_loop(const char *path)
{
	char number[32];

	if (number_of(path, number) && lies_on_loop(number))
		complain("warning: %s lies on a loop device, which is slow and loses data when "
			 "the machine stops; it is for tests only", path);
}

/*
 * Who uses a device.
 */

/* Where the device is mounted, behind "is mounted on ". */
static bool find_mount(const char *number, char ret[static PATH_MAX])
{
	cleanup_fclose FILE *file = fopen("/proc/self/mountinfo", "re");
	cleanup_free char *line = NULL;
	char found[32], point[PATH_MAX];
	size_t size = 0;

	while (file && getline(&line, &size, file) >= 0) {
		if (sscanf(line, "%*d %*d %31s %*s %4095s", found, point) != 2 ||
		    !streq(found, number))
			continue;
		snprintf(ret, PATH_MAX, "is mounted on %.4000s", point);
		return true;
	}
	return false;
}

static bool find_swap(const char *number, char ret[static PATH_MAX])
{
	cleanup_fclose FILE *file = fopen("/proc/swaps", "re");
	cleanup_free char *line = NULL;
	char path[PATH_MAX], found[32];
	size_t size = 0;

	while (file && getline(&line, &size, file) >= 0) {
		if (sscanf(line, "%4095s", path) != 1 || !number_of(path, found) ||
		    !streq(found, number))
			continue;
		snprintf(ret, PATH_MAX, "is used as swap");
		return true;
	}
	return false;
}

/* The device of device-mapper, of md and so on that lies on it. */
static bool find_holder(const char *sys_path, char ret[static PATH_MAX])
{
	cleanup_fclose FILE *file = NULL;
	cleanup_closedir DIR *dir = NULL;
	const struct dirent *entry = NULL;
	char path[PATH_MAX], name[129] = "";

	snprintf(path, sizeof(path), "%s/holders", sys_path);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)) && entry->d_name[0] == '.')
		;
	if (!entry)
		return false;
	snprintf(path, sizeof(path), "/sys/class/block/%s/dm/name", entry->d_name);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%128s", name) != 1)
		snprintf(ret, PATH_MAX, "is used by /dev/%s", entry->d_name);
	else
		snprintf(ret, PATH_MAX, "is used by /dev/mapper/%s", name);
	return true;
}

static bool find_user(const char *sys_path, const char *number, char ret[static PATH_MAX])
{
	return find_mount(number, ret) || find_swap(number, ret) || find_holder(sys_path, ret);
}

/* Whether @name in @sys_path is a partition; then its number and path are told. */
static bool is_partition(const char *sys_path, const char *name, char number[static 32],
			 char path[static PATH_MAX])
{
	cleanup_fclose FILE *file = NULL;

	snprintf(path, PATH_MAX, "%s/%s/partition", sys_path, name);
	if (access(path, F_OK) < 0)
		return false;
	snprintf(path, PATH_MAX, "%s/%s/dev", sys_path, name);
	file = fopen(path, "re");
	snprintf(path, PATH_MAX, "%s/%s", sys_path, name);
	return file && fscanf(file, "%31s", number) == 1;
}

/* Says who keeps us from having the device alone.  Always returns -1. */
static int refuse_busy(const char *path)
{
	char number[32], sys_path[64], part[PATH_MAX], user[PATH_MAX];
	cleanup_closedir DIR *dir = NULL;
	const struct dirent *entry;

	if (!number_of(path, number))
		return complain("%s is in use", path);
	snprintf(sys_path, sizeof(sys_path), "/sys/dev/block/%s", number);
	if (find_user(sys_path, number, user))
		return complain("%s is in use: it %s", path, user);
	dir = opendir(sys_path);
	while (dir && (entry = readdir(dir)))
		if (is_partition(sys_path, entry->d_name, number, part) &&
		    find_user(part, number, user))
			return complain("%s is in use: its partition %s %s", path, entry->d_name,
					user);
	return complain("%s is in use", path);
}

int device_claim(const char *path)
{
	cleanup_close int fd = -1;
	char number[32];

	if (access(path, F_OK) < 0)
		return complain("%s: %s", path, strerror(errno));
	if (!number_of(path, number))
		return complain("%s is no block device", path);
	fd = open(path, O_RDWR | O_EXCL | O_CLOEXEC);
	if (fd < 0 && errno == EBUSY)
		return refuse_busy(path);
	if (fd < 0)
		return complain("%s cannot be opened: %s", path, strerror(errno));
	return steal_fd(&fd);
}

/*
 * What is on a device.
 */

static blkid_probe new_probe(int fd)
{
	cleanup_probe blkid_probe probe = blkid_new_probe();

	if (!probe || blkid_probe_set_device(probe, fd, 0, 0) < 0 ||
	    blkid_probe_enable_superblocks(probe, 1) < 0 ||
	    /* Also what is damaged may be somebody's data. */
	    blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL |
					      BLKID_SUBLKS_MAGIC | BLKID_SUBLKS_BADCSUM) < 0 ||
	    blkid_probe_enable_partitions(probe, 1) < 0 ||
	    blkid_probe_set_partitions_flags(probe, BLKID_PARTS_MAGIC) < 0)
		return NULL;
	return steal_ptr(&probe);
}

static void describe(blkid_probe probe, char ret[static DEVICE_CONTENTS_SIZE])
{
	const char *type = NULL, *label = NULL;
	size_t used = strlen(ret), left = DEVICE_CONTENTS_SIZE - used;
	const char *comma = used ? ", " : "";

	if (blkid_probe_lookup_value(probe, "PTTYPE", &type, NULL) == 0)
		snprintf(ret + used, left, "%sa partition table (%s)", comma, type);
	else if (blkid_probe_lookup_value(probe, "TYPE", &type, NULL) < 0)
		snprintf(ret + used, left, "%sa signature", comma);
	else if (blkid_probe_lookup_value(probe, "LABEL", &label, NULL) == 0 && *label)
		snprintf(ret + used, left, "%s%s \"%s\"", comma, type, label);
	else
		snprintf(ret + used, left, "%s%s", comma, type);
}

/* Does @each with every signature; negative if the device cannot be read. */
static int probe_all(int fd, int (*each)(blkid_probe probe, char *text), char *text)
{
	cleanup_probe blkid_probe probe = new_probe(fd);
	int r;

	if (!probe)
		return -1;
	do {
		r = blkid_do_probe(probe);
	} while (r == 0 && each(probe, text) == 0);
	return r == 1 ? 0 : -1;
}

static int add(blkid_probe probe, char *text)
{
	describe(probe, text);
	return 0;
}

static int wipe(blkid_probe probe, char *text)
{
	(void)text;
	return blkid_do_wipe(probe, 0);
}

int device_read_contents(int fd, const char *path, char ret[static DEVICE_CONTENTS_SIZE])
{
	*ret = '\0';
	if (probe_all(fd, add, ret) < 0)
		return complain("%s cannot be read", path);
	return 0;
}

int device_wipe(int fd, const char *path)
{
	if (probe_all(fd, wipe, NULL) < 0 || fsync(fd) < 0)
		return complain("the signatures on %s cannot be wiped", path);
	/* Its partitions are gone; devices without such things refuse this. */
	(void)ioctl(fd, BLKRRPART);
	return 0;
}
