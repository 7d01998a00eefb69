// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The runtime folder; runtime.h is the contract.
 */
#include "runtime.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "log.h"
#include "mount.h"
#include "util.h"

#define LOCK_TRIES 25

__attribute__((format(printf, 1, 2)))
static struct path make_path(const char *format, ...)
{
	struct path path;
	va_list ap;

	/* RUNTIME_DIR_MAX and the limits on names see to it that this fits. */
	va_start(ap, format);
	vsnprintf(path.s, sizeof(path.s), format, ap);
	va_end(ap);
	return path;
}

static struct path runtime_lock(const struct runtime *rt)
{
	return make_path("%s/lock", rt->dir);
}

struct path runtime_origins(const struct runtime *rt)
{
	return make_path("%s/origins", rt->dir);
}

struct path runtime_join(const struct path *folder, const char *name)
{
	return make_path("%s/%s", folder->s, name);
}

struct path runtime_origin(const struct runtime *rt, const char *origin, const char *what)
{
	return make_path("%s/origins/%s%s%s", rt->dir, origin, what ? "/" : "", what ?: "");
}

struct path runtime_variant(const struct runtime *rt, const char *origin, int64_t number)
{
	if (number < 0)
		return runtime_origin(rt, origin, "variants");
	return make_path("%s/origins/%s/variants/%" PRId64, rt->dir, origin, number);
}

struct path runtime_trash(const struct runtime *rt, unsigned int number)
{
	if (!number)
		return make_path("%s/trash", rt->dir);
	return make_path("%s/trash/%u", rt->dir, number);
}

struct path runtime_added(const struct runtime *rt, const char *origin)
{
	return make_path("%s/added%s%s", rt->dir, origin ? "/" : "", origin ?: "");
}

int runtime_make_folder(const char *path)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

static int write_line(const char *path, const char *line)
{
	cleanup_fclose FILE *file = fopen(path, "we");

	if (!file)
		return -errno;
	if (fprintf(file, "%s\n", line) < 0 || fflush(file) != 0)
		return -errno;
	return 0;
}

int runtime_write_line(const char *path, const char *line)
{
	cleanup_free char *before = NULL;
	int r = runtime_read_line(path, &before);

	/* To write it again would first take away what is in use. */
	if (r == 0 && streq(before, line))
		return 0;
	if (r < 0 && is_shortage(-r))
		return r;
	r = write_line(path, line);
	if (r < 0)
		(void)unlink(path);
	return r;
}

int runtime_read_line(const char *path, char **ret)
{
	cleanup_fclose FILE *file = fopen(path, "re");
	cleanup_free char *line = NULL;
	size_t size = 0;

	if (!file)
		return -errno;
	errno = 0;
	if (getline(&line, &size, file) < 0)
		return errno ? -errno : -ENODATA;
	line[strcspn(line, "\n")] = '\0';
	*ret = steal_ptr(&line);
	return 0;
}

int runtime_each_entry(const char *folder,
		       void (*each)(const struct path *path, void *userdata), void *userdata)
{
	cleanup_closedir DIR *dir = opendir(folder);
	struct dirent *entry;
	struct path path;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((errno = 0, entry = readdir(dir))) {
		if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		path = make_path("%s/%s", folder, entry->d_name);
		each(&path, userdata);
	}
	return -errno;
}

/*
 * Sweeping.  rmdir() refuses a folder that something is mounted on, and one
 * with anything in it: so it may be tried on all of them.  What cannot be looked at now
 * is swept by whoever sweeps next.
 */

static bool remove_folder(const char *path)
{
	return rmdir(path) == 0 || errno == ENOENT;
}

static void sweep_variant(const struct path *path, void *userdata)
{
	(void)userdata;
	if (!remove_folder(runtime_join(path, "mount").s) ||
	    !remove_folder(runtime_join(path, "lower").s) ||
	    !remove_folder(runtime_join(path, "skeleton").s))
		return;
	(void)unlink(runtime_join(path, "points").s);
	(void)unlink(runtime_join(path, "map").s);
	(void)unlink(runtime_join(path, "label").s);
	(void)remove_folder(path->s);
}

void runtime_sweep_variant(const char *folder)
{
	struct path path = make_path("%s", folder);

	sweep_variant(&path, NULL);
}

void runtime_sweep_origin(const struct runtime *rt, const char *origin)
{
	struct path path = runtime_origin(rt, origin, NULL);
	struct path variants = runtime_join(&path, "variants");

	(void)runtime_each_entry(variants.s, sweep_variant, NULL);
	/* In this order: while there is a plain one, others may be made. */
	if (remove_folder(runtime_join(&path, "plain").s) && remove_folder(variants.s)) {
		(void)unlink(runtime_join(&path, "id").s);
		(void)remove_folder(path.s);
	}
}

/*
 * The folder as a mount.
 */

/* Logs what is unmounted that no daemon would have left, had it not been killed. */
static void detach_all_at(const struct path *path)
{
	int r;

	/* Somebody may have mounted something over it. */
	while (mount_is_there(path->s) > 0) {
		r = mount_detach(path->s);
		if (r < 0) {
			log_warning("%s: cannot unmount it: %s", path->s, strerror(-r));
			return;
		}
		log_info("%s: unmounted, as nothing in the kernel belongs to it", path->s);
	}
}

void runtime_detach_layers(const struct path *variant)
{
	struct path lower = runtime_join(variant, "lower");
	struct path skeleton = runtime_join(variant, "skeleton");

	detach_all_at(&lower);
	detach_all_at(&skeleton);
}

static void detach_variant(const struct path *variant, void *userdata)
{
	struct path mount = runtime_join(variant, "mount");

	(void)userdata;
	detach_all_at(&mount);
	runtime_detach_layers(variant);
}

void runtime_detach_variant(const struct path *variant)
{
	detach_variant(variant, NULL);
}

int runtime_detach_origin(const struct path *origin)
{
	struct path plain = runtime_join(origin, "plain");

	detach_all_at(&plain);
	return runtime_each_entry(runtime_join(origin, "variants").s, detach_variant, NULL);
}

/* Whether @dir is on the file system of the folder above: then it is no tmpfs of its own. */
static bool is_bind(const char *dir)
{
	struct path parent = make_path("%s/..", dir);
	struct stat a, b;

	return stat(dir, &a) == 0 && stat(parent.s, &b) == 0 && a.st_dev == b.st_dev;
}

static int make_folders(struct runtime *rt, struct failure *f)
{
	struct path paths[] = {
		runtime_origins(rt), runtime_added(rt, NULL), runtime_trash(rt, 0),
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int r = runtime_make_folder(paths[i].s);

		if (r < 0)
			return failed_step(f, paths[i].s, "make this folder", -r, NULL);
	}
	return 0;
}

static int make_mount(struct runtime *rt, struct failure *f)
{
	int r = mount_is_there(rt->dir);

	if (r >= 0)
		r = r ? mount_set_private(rt->dir) : mount_make_private(rt->dir);
	return r < 0 ? failed_step(f, rt->dir, "make this folder a private mount", -r, NULL) : 0;
}

/*
 * Opens the file that is locked.  The folder itself would not do: whoever can open it for
 * reading can lock it.
 */
static int open_lock(const struct runtime *rt)
{
	int fd = open(runtime_lock(rt).s, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

/*
 * A child that was forked at the moment when its daemon was killed holds the
 * lock, too, until it has closed its copy.
 */
static int wait_for_lock(int fd)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	int r;

	for (int i = 0; (r = flock(fd, LOCK_EX | LOCK_NB)) < 0 && errno == EWOULDBLOCK; i++) {
		if (i == LOCK_TRIES)
			break;
		nanosleep(&pause, NULL);
	}
	return r < 0 ? -errno : 0;
}

static int take_lock(struct runtime *rt)
{
	struct stat st = {};

	/* A daemon that ends removes the file: the lock of a removed one is worth nothing. */
	while (!st.st_nlink) {
		cleanup_close int fd = open_lock(rt);
		int r = fd < 0 ? fd : wait_for_lock(fd);

		if (r == 0 && fstat(fd, &st) < 0)
			r = -errno;
		if (r < 0)
			return r;
		if (st.st_nlink)
			rt->lock_fd = steal_fd(&fd);
	}
	return 0;
}

/* Whether nobody but root can put anything into the folder, or has it. */
static int check_owner(const char *dir, struct failure *f)
{
	struct stat st;

	if (stat(dir, &st) < 0)
		return failed_step(f, dir, "use this folder", errno, NULL);
	if (!S_ISDIR(st.st_mode))
		return failed_step(f, dir, "use this folder", ENOTDIR, NULL);
	if (st.st_uid != 0)
		return failed_step(f, dir, "use this folder", 0, "it is not root's");
	if (st.st_mode & 0022)
		return failed_step(f, dir, "use this folder", 0,
				   "others than root can write to it");
	return 0;
}

static bool is_ours(const struct runtime *rt, const struct path *path)
{
	const struct path ours[] = {
		runtime_lock(rt), runtime_origins(rt), runtime_added(rt, NULL),
		runtime_trash(rt, 0),
	};
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (streq(ours[i].s, path->s))
			return true;
	/* Ours may be called anything, and outlives a daemon that is killed. */
	return lstat(path->s, &st) == 0 && S_ISSOCK(st.st_mode);
}

struct stranger {
	const struct runtime *rt;
	struct path path;	/* "" if there is none */
};

static void look_for_stranger(const struct path *path, void *userdata)
{
	struct stranger *stranger = userdata;

	if (!*stranger->path.s && !is_ours(stranger->rt, path))
		stranger->path = *path;
}

/* Whether all that is in the folder is a daemon's: it becomes a mount of its own, and private. */
static int check_contents(const struct runtime *rt, struct failure *f)
{
	struct stranger stranger = { .rt = rt };
	int r = runtime_each_entry(rt->dir, look_for_stranger, &stranger);
	char reason[512];

	if (r < 0)
		return failed_step(f, rt->dir, "use this folder", -r, NULL);
	if (!*stranger.path.s)
		return 0;
	snprintf(reason, sizeof(reason), "it is to be rootviewd's alone, and has \"%.256s\" in it",
		 strrchr(stranger.path.s, '/') + 1);
	return failed_step(f, rt->dir, "use this folder", 0, reason);
}

int runtime_open(struct runtime *ret, const char *dir, struct failure *f)
{
	struct runtime rt = { .lock_fd = -1 };
	cleanup_free char *real = NULL;
	int r;

	/* Others go through it to the socket, and have no reason to open it. */
	if (mkdir(dir, 0711) < 0 && errno != EEXIST)
		return failed_step(f, dir, "make this folder", errno, NULL);
	/* As the mount table spells it: without links, dots and trailing slashes. */
	real = realpath(dir, NULL);
	if (!real || strlen(real) > RUNTIME_DIR_MAX)
		return failed_step(f, dir, "use this folder", real ? ENAMETOOLONG : errno, NULL);
	strcpy(rt.dir, real);
	if (check_owner(rt.dir, f) < 0 || check_contents(&rt, f) < 0)
		return -1;
	r = take_lock(&rt);
	if (r < 0)
		return failed_step(f, dir, "use this folder", -r,
				   r == -EWOULDBLOCK ? "another rootviewd has it" : NULL);
	if (make_mount(&rt, f) < 0 || make_folders(&rt, f) < 0) {
		runtime_close(&rt);
		return -1;
	}
	*ret = rt;
	return 0;
}

void runtime_close(struct runtime *rt)
{
	(void)unlink(runtime_lock(rt).s);
	/* They are empty, or they stay. */
	(void)rmdir(runtime_added(rt, NULL).s);
	(void)rmdir(runtime_trash(rt, 0).s);
	if (rmdir(runtime_origins(rt).s) == 0 && is_bind(rt->dir))
		(void)mount_detach(rt->dir);
	close_fd(&rt->lock_fd);
}
