// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Trials; trial.h is the contract.
 */
#include "trial.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "text.h"
#include "util.h"

/* What is mounted may lie on a disk that is dead. */
#define PATIENCE_MSEC 10000

/* The kernel's number of the user namespace that it starts with. */
#define INITIAL_USERNS 0xEFFFFFFDU

/* As good a map as any: one that containers have. */
#define MAP "0 100000 65536\n"

/* A tmpfs hides what is there, in the trials' mount name space alone. */
#define FOLDER	"/run"
#define TOP	FOLDER "/top"
#define PLAIN	FOLDER "/plain"
#define MAPPED	FOLDER "/mapped"

__attribute__((__format__(__printf__, 3, 4)))
static void tell(struct trial *t, enum trial_verdict verdict, const char *format, ...)
{
	va_list args;

	t->verdict = verdict;
	va_start(args, format);
	vsnprintf(t->text, sizeof(t->text), format, args);
	va_end(args);
	text_make_utf8(t->text);
}

__attribute__((__format__(__printf__, 2, 3)))
static void not_made(struct trials *all, const char *format, ...)
{
	char why[TRIAL_TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	tell(&all->idmap, TRIAL_NOT_MADE, "%s", why);
	all->overlay = all->idmap;
}

/*
 * @r is 0 or a negative errno, @on what the trial was made on.  EPERM is an answer, too: where RHEL
 * has switched id maps off, root gets it.
 */
static void judge(struct trial *t, int r, const char *on)
{
	if (r == 0)
		tell(t, TRIAL_WORKED, "%s", on);
	else
		tell(t, is_shortage(-r) || r == -EACCES ? TRIAL_NOT_MADE : TRIAL_FAILED, "%s: %s",
		     on, strerror(-r));
}

/*
 * Root of the host: of file systems that others have mounted, whoever is root in another user
 * namespace may map no ids.
 */
static bool is_root(void)
{
	struct stat st;

	return geteuid() == 0 && stat("/proc/self/ns/user", &st) == 0 &&
	       st.st_ino == INITIAL_USERNS;
}

/*
 * A user namespace with a map.
 */

/* Stops in a new one, for its parent to open that. */
static void inmate_run(pid_t parent) __attribute__((noreturn));
static void inmate_run(pid_t parent)
{
	if (unshare(CLONE_NEWUSER) < 0)
		_exit(errno);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(ESRCH);
	raise(SIGSTOP);
	_exit(EINTR);
}

static int write_map(pid_t pid, const char *name)
{
	cleanup_close int fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, MAP, strlen(MAP)) < 0 ? -errno : 0;
}

static int open_userns(pid_t pid)
{
	char path[64];
	int fd, r;

	r = write_map(pid, "uid_map");
	if (r == 0)
		r = write_map(pid, "gid_map");
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int make_userns(void)
{
	const pid_t self = getpid();
	pid_t pid = fork();
	int status, r;

	if (pid == 0)
		inmate_run(self);
	if (pid < 0 || waitpid(pid, &status, WUNTRACED) < 0)
		return -errno;
	if (!WIFSTOPPED(status))
		return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
	r = open_userns(pid);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return r;
}

/*
 * What is tried.
 */

static int clone_mount(const char *path)
{
	return open_tree(AT_FDCWD, path,
			 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
}

static int attach(int fd, const char *path)
{
	return move_mount(fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

/* What has a map can be given no other. */
static bool is_suitable(const struct mntent *entry)
{
	return (streq(entry->mnt_type, "ext4") || streq(entry->mnt_type, "xfs")) &&
	       !hasmntopt(entry, "idmapped");
}

/* What is mounted on top of it has its path. */
static bool is_hidden(int fd)
{
	struct statfs st;

	return fstatfs(fd, &st) < 0 ||
	       (st.f_type != EXT4_SUPER_MAGIC && st.f_type != XFS_SUPER_MAGIC);
}

/* A clone of the first mount that will do; -1 if there is none. */
static int clone_first(char on[static TRIAL_TEXT_SIZE])
{
	FILE *table = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	int fd = -1;

	while (fd < 0 && table && (entry = getmntent(table))) {
		if (!is_suitable(entry))
			continue;
		fd = clone_mount(entry->mnt_dir);
		if (fd >= 0 && is_hidden(fd))
			close_fd(&fd);
		snprintf(on, TRIAL_TEXT_SIZE, "%.128s (%s)", entry->mnt_dir, entry->mnt_type);
	}
	if (table)
		endmntent(table);
	return fd;
}

static int make_folders(void)
{
	if (mount("rootview", FOLDER, "tmpfs", 0, NULL) < 0 || mkdir(TOP, 0755) < 0 ||
	    mkdir(PLAIN, 0755) < 0 || mkdir(MAPPED, 0755) < 0)
		return -errno;
	return 0;
}

static int try_idmap(int userns)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = userns };
	cleanup_close int fd = clone_mount(PLAIN);

	if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -errno;
	return attach(fd, MAPPED);
}

static int try_overlay(const char *layers)
{
	cleanup_close int fs_fd = fsopen("overlay", FSOPEN_CLOEXEC), fd = -1;

	if (fs_fd < 0 || fsconfig(fs_fd, FSCONFIG_SET_STRING, "lowerdir", layers, 0) < 0 ||
	    fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
	return fd < 0 ? -errno : 0;
}

static void make_all(struct trials *t)
{
	cleanup_close int lower = -1, userns = -1;
	char on[TRIAL_TEXT_SIZE];
	int r;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		not_made(t, "no mount name space of their own: %m");
		return;
	}
	lower = clone_first(on);
	if (lower < 0) {
		not_made(t, "no ext4 or xfs is mounted; an origin of one would do");
		return;
	}
	userns = make_userns();
	if (userns < 0) {
		not_made(t, "no user namespace can be made: %s", strerror(-userns));
		return;
	}
	r = make_folders();
	if (r == 0)
		r = attach(lower, PLAIN);
	if (r < 0) {
		not_made(t, "%s cannot be mounted elsewhere: %s", on, strerror(-r));
		return;
	}
	judge(&t->idmap, try_idmap(userns), on);
	t->overlay = t->idmap;
	if (t->idmap.verdict != TRIAL_WORKED)
		return;
	/* What fails without a map as well says nothing about maps. */
	r = try_overlay(TOP ":" PLAIN);
	if (r < 0)
		tell(&t->overlay, TRIAL_NOT_MADE, "no overlay at all lies on %s: %s", on,
		     strerror(-r));
	else
		judge(&t->overlay, try_overlay(TOP ":" MAPPED), on);
}

void trials_make(struct trials *ret)
{
	struct pollfd answer;
	int fds[2];
	pid_t pid;

	*ret = (struct trials){};
	if (!is_root()) {
		not_made(ret, "that needs root");
		return;
	}
	if (pipe2(fds, O_CLOEXEC) < 0) {
		not_made(ret, "no pipe can be made: %m");
		return;
	}
	pid = fork();
	if (pid == 0) {
		make_all(ret);
		_exit(write(fds[1], ret, sizeof(*ret)) < 0);
	}
	close(fds[1]);
	answer = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	if (pid < 0) {
		not_made(ret, "no process can be made: %m");
	} else if (poll(&answer, 1, PATIENCE_MSEC) == 1 &&
		   read(fds[0], ret, sizeof(*ret)) == sizeof(*ret)) {
		(void)waitpid(pid, NULL, 0);
	} else {
		not_made(ret, "nothing came of it within ten seconds");
		/* It is not waited for: it may be one that no signal ends. */
		(void)kill(pid, SIGKILL);
	}
	close(fds[0]);
}
