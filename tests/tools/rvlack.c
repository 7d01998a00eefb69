// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * rvlack: makes rootviewd lack something in each of its operations, for the tests
 * tests/debug/daemon-*.t.
 *
 *	rvlack KIND WEB SPARE OPERATION[:FIRST][/STEP]...
 *
 * KIND is what it lacks:
 *	memory		the n-th allocation fails, for n from 1 until the operation has made
 *			all of its own; then all from some n on.  See starve.c.
 *	descriptors	no more than n can be opened, from 0 until it succeeds
 *	inodes, blocks	the same of its runtime folder
 * WEB and SPARE are block devices with a file system each.  With FIRST, n begins there;
 * with STEP, only every STEP-th is tried.
 *
 * The daemon is started here.  After each n it is looked at whether it lives, or has
 * ended with status 1 and a message; whether the call was answered, or its connection
 * closed; whether what was answered is so, which of a closed connection is done or not
 * done; and whether, once all is undone, views, devices, mounts, files in the runtime
 * folder, the daemon's descriptors and its children are as before.  Prints for each
 *
 *	OPERATION tried=N refused=R closed=C ended=E wrong=W
 *
 * What was wrong is on stderr.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <linux/dm-ioctl.h>
#include <linux/netlink.h>

#include "starve.h"

/* A file system of its own, whose size can be changed; the runtime folder is in it. */
#define ROOM "/tmp/room"
#define RUNTIME ROOM "/run"
#define SOCKET RUNTIME "/io.rootview"
#define LOG "/tmp/rootviewd.log"
#define COUNTERS "/tmp/starve"
#define LIBRARY "/usr/libexec/rootview-tests/starve.so"

#define CONTEXT "system_u:object_r:container_file_t:s0"

#define SECOND 1000

/* How long an answer may take, and what follows from it. */
enum { LIMIT = 60 * SECOND, SOON = SECOND / 2 };

static const char *web, *spare;
static int control;			/* of device-mapper */
static struct starve *starve;

static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("rvlack: ", stderr);
	vfprintf(stderr, format, args);
	fprintf(stderr, ": %s\n", strerror(errno));
	va_end(args);
	exit(2);
}

static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void rest(void)
{
	usleep(3000);
}

/* Whether @is becomes true in so many milliseconds. */
static bool becomes(bool (*is)(void), int limit)
{
	long long end = now() + limit;

	while (!is()) {
		if (now() > end)
			return false;
		rest();
	}
	return true;
}

/*
 * The kernel.
 */

static char buffer[256 << 10];

/* Answers stay in the buffer. */
static int dm(unsigned int command, const char *name, const char *message)
{
	struct dm_ioctl *io = (struct dm_ioctl *)buffer;
	struct dm_target_msg *msg = (struct dm_target_msg *)(io + 1);

	memset(io, 0, sizeof(*io));
	io->version[0] = DM_VERSION_MAJOR;
	io->data_size = sizeof(buffer);
	io->data_start = sizeof(*io);
	snprintf(io->name, sizeof(io->name), "%s", name);
	msg->sector = 0;
	if (message)
		strcpy(msg->message, message);
	return ioctl(control, command, io) < 0 ? -errno : 0;
}

static bool device_exists(const char *name)
{
	return dm(DM_DEV_STATUS, name, NULL) == 0;
}

/* Its views as lines, in the buffer. */
static const char *views_of(const char *origin)
{
	const struct dm_ioctl *io = (const struct dm_ioctl *)buffer;

	return dm(DM_TARGET_MSG, origin, "view_list") == 0 ? buffer + io->data_start : "";
}

static bool kernel_has(const char *view)
{
	char name[64];

	snprintf(name, sizeof(name), " %s ", view);
	return strstr(views_of("web"), name);
}

static void by_hand(const char *format, const char *view)
{
	char text[256];
	int r;

	snprintf(text, sizeof(text), format, view);
	r = dm(DM_TARGET_MSG, "web", text);
	if (r < 0) {
		errno = -r;
		die("%s", text);
	}
}

static bool is_mounted(const char *path)
{
	struct statx st;

	return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) == 0 &&
	       (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/*
 * The daemon.
 */

static pid_t daemon_pid;
static int link_fd = -1;		/* the connection that is there all the time */

static void give_rlimit(rlim_t limit)
{
	struct rlimit all = { limit, limit };

	if (limit)
		setrlimit(RLIMIT_NOFILE, &all);
}

/* Starts it; it may have so many descriptors, if not 0. */
static void launch(rlim_t descriptors)
{
	const char *options = getenv("ASAN_OPTIONS");
	char more[1024];
	int log;

	daemon_pid = fork();
	if (daemon_pid < 0)
		die("fork");
	if (daemon_pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	log = open(LOG, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	/* Looking for leaks needs descriptors, too. */
	snprintf(more, sizeof(more), "%s:verify_asan_link_order=0%s", options ? options : "",
		 descriptors ? ":detect_leaks=0" : "");
	setenv("ASAN_OPTIONS", more, 1);
	setenv("LD_PRELOAD", LIBRARY, 1);
	setenv(STARVE_FILE, COUNTERS, 1);
	give_rlimit(descriptors);
	execlp("rootviewd", "rootviewd", "--grace", "0", "--runtime-dir", RUNTIME, "--debug",
	       NULL);
	_exit(127);
}

static int exit_status;

/* Whether the daemon has ended; how, is then in exit_status. */
static bool has_ended(void)
{
	if (daemon_pid && waitpid(daemon_pid, &exit_status, WNOHANG) == daemon_pid)
		daemon_pid = 0;
	return !daemon_pid;
}

static void hang_up(void)
{
	if (link_fd >= 0)
		close(link_fd);
	link_fd = -1;
}

static void kill_daemon(void)
{
	if (daemon_pid) {
		kill(daemon_pid, SIGKILL);
		waitpid(daemon_pid, NULL, 0);
	}
	daemon_pid = 0;
	hang_up();
}

static int open_link(void)
{
	const struct sockaddr_un address = { AF_UNIX, SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * Calls.
 */

enum result {
	DONE,
	REFUSED,	/* with an error, which is in the answer */
	CLOSED,		/* the connection; or there is none */
	SILENT,
	FORGIVEN,	/* what a library has done is not looked at */
};

static char answer[1 << 20];
static unsigned int descriptors;	/* that came with the answer */

static void send_call(int fd, const char *method, const char *parameters)
{
	static char text[64 << 10];
	int size = snprintf(text, sizeof(text), "{\"method\":\"%s%s\",\"parameters\":{%s}%s}",
			    strchr(method, '.') ? "" : "io.rootview.", method, parameters,
			    strcmp(method, "Monitor") ? "" : ",\"more\":true");

	(void)send(fd, text, size + 1, MSG_NOSIGNAL);
}

static void count_descriptors(struct msghdr *msg)
{
	struct cmsghdr *cmsg;
	size_t i;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		const int *fds = (const int *)CMSG_DATA(cmsg);

		for (i = 0; i < (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
			close(fds[i]);
			descriptors++;
		}
	}
}

/* More of the answer, of which there are @size bytes; as recvmsg(). */
static ssize_t receive_some(int fd, size_t size)
{
	char ancillary[CMSG_SPACE(253 * sizeof(int))];
	struct iovec iov = { answer + size, sizeof(answer) - size };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = ancillary, .msg_controllen = sizeof(ancillary),
	};
	ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);

	if (n > 0)
		count_descriptors(&msg);
	return n;
}

/* The daemon sends nothing that was not asked for, so an answer ends what there is. */
static enum result receive(int fd, int limit)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	long long end = now() + limit;
	size_t size = 0;
	ssize_t n;

	descriptors = 0;
	answer[0] = '\0';
	for (;;) {
		if (poll(&p, 1, now() < end ? end - now() : 0) <= 0)
			return SILENT;
		n = receive_some(fd, size);
		if (n <= 0)
			return CLOSED;
		size += n;
		if (!answer[size - 1])
			break;
	}
	return strncmp(answer, "{\"error\"", 8) ? DONE : REFUSED;
}

static enum result call_within(int limit, const char *method, const char *parameters)
{
	send_call(link_fd, method, parameters);
	return receive(link_fd, limit);
}

static enum result call(const char *method, const char *parameters)
{
	return call_within(LIMIT, method, parameters);
}

/* What must succeed, as nothing is lacked. */
static void must(const char *method, const char *parameters)
{
	enum result r = call(method, parameters);

	if (r == DONE)
		return;
	fprintf(stderr, "rvlack: %s: %s {%s}\n", r == REFUSED ? answer : "no answer", method,
		parameters);
	exit(2);
}

static bool answers_within(int limit)
{
	if (has_ended())
		return true;
	if (link_fd < 0)
		link_fd = open_link();
	if (link_fd >= 0 && call_within(limit, "org.varlink.service.GetInfo", "") == DONE)
		return true;
	hang_up();
	return false;
}

/* Whether there is a connection over which it answers. */
static bool answers(void)
{
	return answers_within(LIMIT);
}

static bool answers_soon(void)
{
	return answers_within(SOON);
}

static void start(void)
{
	launch(0);
	if (becomes(answers, LIMIT) && daemon_pid)
		return;
	fputs("rvlack: the daemon does not start\n", stderr);
	exit(2);
}

/* The last line of its log. */
static const char *last_words(void)
{
	static char text[4096];
	int fd = open(LOG, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	char *line;

	lseek(fd, -(off_t)sizeof(text) + 1, SEEK_END);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = '\0';
	line = strrchr(text, '\n');
	return line ? line + 1 : text;
}

/*
 * All that there is, as lines.
 */

/* A job, and what it has. */
#define CHILD "child of the daemon"
#define RESULTS "descriptor of /memfd:rootviewd-job (deleted)"
#define PIDFD "descriptor of anon_inode:[pidfd]"

struct state {
	char **lines;
	size_t n;
};

static struct state before, after;

static void forget(struct state *s)
{
	while (s->n)
		free(s->lines[--s->n]);
	free(s->lines);
	s->lines = NULL;
}

__attribute__((format(printf, 2, 3)))
static void note(struct state *s, const char *format, ...)
{
	va_list args;

	s->lines = realloc(s->lines, (s->n + 1) * sizeof(*s->lines));
	va_start(args, format);
	if (!s->lines || vasprintf(&s->lines[s->n++], format, args) < 0)
		die("note");
	va_end(args);
}

static void note_views(struct state *s, const char *origin)
{
	char *list = strdup(views_of(origin)), *line, *next, name[128];

	for (line = strtok_r(list, "\n", &next); line; line = strtok_r(NULL, "\n", &next))
		if (sscanf(line, "%*s %127s", name) == 1)
			note(s, "view %s/%s", origin, name);
	free(list);
}

static void note_devices(struct state *s)
{
	const struct dm_ioctl *io = (const struct dm_ioctl *)buffer;
	char names[16][128];
	const char *at;
	size_t n = 0;

	if (dm(DM_LIST_DEVICES, "", NULL) < 0)
		die("list devices");
	at = buffer + io->data_start;
	while (n < 16 && io->data_size > io->data_start) {
		const struct dm_name_list *entry = (const struct dm_name_list *)at;

		snprintf(names[n++], sizeof(names[0]), "%s", entry->name);
		if (!entry->next)
			break;
		at += entry->next;
	}
	while (n--) {
		note(s, "device %s", names[n]);
		note_views(s, names[n]);
	}
}

static void note_mounts(struct state *s)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[4096], path[4096];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %*s %*s %*s %4095s", path) == 1 &&
		    !strncmp(path, RUNTIME, strlen(RUNTIME)))
			note(s, "mount %s", path);
	fclose(file);
}

/* What is mounted there is not looked into. */
static void note_files(struct state *s, const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[4096];

	while (dir && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		note(s, "file %s", path);
		if (entry->d_type == DT_DIR && !is_mounted(path))
			note_files(s, path);
	}
	if (dir)
		closedir(dir);
}

static void note_descriptors(struct state *s)
{
	char path[64], target[256];
	struct dirent *entry;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", daemon_pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		/* The numbers of sockets change. */
		if (!strncmp(target, "socket:", 7))
			target[7] = '\0';
		note(s, "descriptor of %s", target);
	}
	if (dir)
		closedir(dir);
}

static void note_children(struct state *s)
{
	char path[64], child[32];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", daemon_pid, daemon_pid);
	file = fopen(path, "re");
	while (file && fscanf(file, "%31s", child) == 1)
		note(s, CHILD);
	if (file)
		fclose(file);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void look(struct state *s)
{
	forget(s);
	note_devices(s);
	note_mounts(s);
	note_files(s, RUNTIME);
	note_descriptors(s);
	note_children(s);
	qsort(s->lines, s->n, sizeof(*s->lines), compare_lines);
}

/* What has come or gone since, as far as it fits; NULL if nothing. */
static const char *difference(void)
{
	static char text[512];
	size_t i = 0, k = 0, size = 0;
	int order;

	while (i < before.n || k < after.n) {
		order = i == before.n ? 1 : k == after.n ? -1 :
			strcmp(before.lines[i], after.lines[k]);
		if (order && size < sizeof(text))
			size += snprintf(text + size, sizeof(text) - size, "%s%s %s",
					 size ? ", " : "", order < 0 ? "gone" : "left",
					 order < 0 ? before.lines[i] : after.lines[k]);
		i += order <= 0;
		k += order >= 0;
	}
	return size ? text : NULL;
}

/* What is on its way out takes its time, which is not waited for again and again. */
static bool is_settling(const char *line)
{
	return strstr(line, "/trash/") || !strcmp(line, CHILD) || !strcmp(line, RESULTS) ||
	       !strcmp(line, PIDFD);
}

static void drop_settling(struct state *s)
{
	size_t i, n = 0;

	for (i = 0; i < s->n; i++) {
		if (is_settling(s->lines[i]))
			free(s->lines[i]);
		else
			s->lines[n++] = s->lines[i];
	}
	s->n = n;
}

static void remember(void)
{
	look(&before);
	drop_settling(&before);
}

static bool is_as_before(void)
{
	look(&after);
	return !difference();
}

static bool is_nearly_as_before(void)
{
	look(&after);
	drop_settling(&after);
	return !difference();
}

/*
 * What is lacked.
 */

static bool all_fail;		/* from the n-th on */

static void starve_memory(unsigned int n)
{
	starve->first = n;
	starve->last = all_fail ? ~0U : n;
	starve->calls = 0;
	starve->failed = 0;
	starve->where[0] = '\0';
	starve->armed = 1;
}

static bool feed_memory(void)
{
	starve->armed = 0;
	return starve->failed;
}

static rlim_t limit_before;
static rlim_t launch_limit;	/* of one that is to be started; 0 for the usual one */

static bool is_open(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", daemon_pid, fd);
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A limit that lets the daemon open @n more. */
static void starve_descriptors(unsigned int n)
{
	struct rlimit limit;
	int highest = 0;

	if (!daemon_pid) {
		launch_limit = n + 8;
		return;
	}
	while (is_open(highest) || n--)
		highest++;
	if (prlimit(daemon_pid, RLIMIT_NOFILE, NULL, &limit) < 0)
		die("limit");
	limit_before = limit.rlim_cur;
	limit.rlim_cur = highest;
	if (prlimit(daemon_pid, RLIMIT_NOFILE, &limit, NULL) < 0)
		die("limit");
}

static bool feed_descriptors(void)
{
	struct rlimit limit = { limit_before, limit_before };

	launch_limit = 0;
	if (daemon_pid)
		prlimit(daemon_pid, RLIMIT_NOFILE, &limit, NULL);
	return true;
}

static void set_room(const char *format, unsigned long long n)
{
	char options[64];

	snprintf(options, sizeof(options), format, n);
	if (mount(NULL, ROOM, NULL, MS_REMOUNT, options) < 0)
		die("%s", options);
}

static void starve_inodes(unsigned int n)
{
	struct statfs st;

	if (statfs(ROOM, &st) < 0)
		die(ROOM);
	set_room("nr_inodes=%llu", st.f_files - st.f_ffree + n);
}

static bool feed_inodes(void)
{
	set_room("nr_inodes=%llu", 100000);
	return true;
}

static void starve_blocks(unsigned int n)
{
	struct statfs st;

	if (statfs(ROOM, &st) < 0)
		die(ROOM);
	set_room("nr_blocks=%llu", st.f_blocks - st.f_bfree + n);
}

static bool feed_blocks(void)
{
	set_room("nr_blocks=%llu", 100000);
	return true;
}

static const struct kind {
	const char *name;
	unsigned int first;
	void (*begin)(unsigned int n);
	bool (*end)(void);		/* whether it was missed, as far as can be known */
} kinds[] = {
	{ "memory", 1, starve_memory, feed_memory },
	{ "descriptors", 0, starve_descriptors, feed_descriptors },
	{ "inodes", 0, starve_inodes, feed_inodes },
	{ "blocks", 0, starve_blocks, feed_blocks },
};

static const struct kind *kind;

/*
 * What an operation finds and leaves.
 */

/* What there is of a view. */
enum given { NONE, DEVICE, MOUNTED };

struct operation {
	const char *name;
	const char *method, *parameters;
	enum result (*run)(void);	/* instead of calling that method */
	enum result (*finish)(enum result r);	/* when nothing is lacked any more */
	void (*prepare)(void);
	void (*undo)(void);
	bool (*is_undone)(void);	/* what holds if it was refused */
	bool (*is_done)(void);
	bool (*is_either)(void);	/* ... if nobody knows, and it is not one of these two */
	/* Of one on a view. */
	const char *created;		/* as which it is there before */
	enum given from, to;
	unsigned int descriptors;	/* that come with the answer */
};

static const struct operation *op;

static void do_nothing(void)
{
}

static bool always(void)
{
	return true;
}

static bool never(void)
{
	return false;
}

/* What the daemon, and where it says so the mount table, have of a view that the kernel has. */
static enum given look_for(const char *view)
{
	static const char device[] = "\"deviceOnly\":true";
	static const char path[] = "\"deviceOnly\":false,\"path\":\"";
	char text[256];
	const char *at;

	snprintf(text, sizeof(text), "\"origin\":\"web\",\"name\":\"%s\"", view);
	if (!kernel_has(view) || call("ListViews", text) != DONE)
		return NONE;
	if (strstr(answer, device))
		return DEVICE;
	at = strstr(answer, path);
	if (!at)
		return NONE;
	at += strlen(path);
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(at, "\""), at);
	return is_mounted(text) ? MOUNTED : NONE;
}

static bool view_is(enum given given)
{
	return given ? look_for("view") == given : !kernel_has("view");
}

static bool is_from(void)
{
	return view_is(op->from);
}

static bool is_to(void)
{
	return view_is(op->to);
}

static void make_view(void)
{
	char parameters[4096];

	if (!op->created)
		return;
	snprintf(parameters, sizeof(parameters), "\"origin\":\"web\",\"name\":\"view\"%s",
		 op->created);
	must("CreateView", parameters);
}

static void delete_views(void)
{
	static const char *const names[] = { "view", "view2", "view3" };
	char parameters[128];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!kernel_has(names[i]))
			continue;
		snprintf(parameters, sizeof(parameters), "\"origin\":\"web\",\"name\":\"%s\"",
			 names[i]);
		must("DeleteView", parameters);
	}
}

/* Origins. */

static bool spare_is_there(void)
{
	return device_exists("spare") && is_mounted(RUNTIME "/origins/spare/plain");
}

static bool spare_is_not_there(void)
{
	return !device_exists("spare") && !is_mounted(RUNTIME "/origins/spare/plain");
}

/* For what cannot even be undone, the device is there and can be removed by its name. */
static bool spare_is_either(void)
{
	return all_fail || spare_is_there() || spare_is_not_there();
}

static void add_spare(void)
{
	char parameters[256];

	snprintf(parameters, sizeof(parameters), "\"name\":\"spare\",\"device\":\"%s\"", spare);
	must("AddOrigin", parameters);
}

static enum result ask_for_spare(void)
{
	char parameters[256];

	snprintf(parameters, sizeof(parameters), "\"name\":\"spare\",\"device\":\"%s\"", spare);
	return call("AddOrigin", parameters);
}

/* Refused while a job of an addition is at work there, whose client has gone. */
static bool removes_spare(void)
{
	return !device_exists("spare") || call("RemoveOrigin", "\"name\":\"spare\"") == DONE;
}

static void remove_spare(void)
{
	if (!becomes(removes_spare, LIMIT))
		must("RemoveOrigin", "\"name\":\"spare\"");
}

/* Several views. */

#define BATCH "\"origin\":\"web\",\"views\":[{\"name\":\"view\"}," \
	"{\"name\":\"view2\",\"label\":\"" CONTEXT ":c5\"},{\"name\":\"view/3\"}," \
	"{\"name\":\"view3\",\"deviceOnly\":true}]"

static bool none_is_there(void)
{
	return !kernel_has("view") && !kernel_has("view2") && !kernel_has("view3");
}

static bool was_refused(const char *name)
{
	char text[64];
	const char *at;

	snprintf(text, sizeof(text), "{\"name\":\"%s\"", name);
	at = strstr(answer, text);
	return !at || !strncmp(at + strlen(text), ",\"refusal\"", 10);
}

/* Each part is as its result says. */
static bool batch_is_done(void)
{
	return strstr(answer, "{\"name\":\"view/3\",\"refusal\"") &&
	       kernel_has("view") == !was_refused("view") &&
	       kernel_has("view2") == !was_refused("view2") &&
	       kernel_has("view3") == !was_refused("view3");
}

static bool batch_is_deleted(void)
{
	return kernel_has("view") == was_refused("view") &&
	       kernel_has("view2") == was_refused("view2");
}

static bool batch_is_there(void)
{
	return kernel_has("view") && kernel_has("view2");
}

static bool batch_is_either(void)
{
	return kernel_has("view") == (look_for("view") == MOUNTED) &&
	       kernel_has("view2") == (look_for("view2") == MOUNTED);
}

static void make_batch(void)
{
	must("CreateViews", "\"origin\":\"web\",\"views\":[{\"name\":\"view\"},"
	     "{\"name\":\"view2\"}]");
}

/* Connections. */

static int waiting = -1;

static enum result connect_and_call(const char *method)
{
	waiting = open_link();
	if (waiting < 0)
		return CLOSED;
	send_call(waiting, method, "");
	return receive(waiting, SOON);
}

static enum result connect_and_list(void)
{
	return connect_and_call("ListOrigins");
}

static enum result connect_and_watch(void)
{
	return connect_and_call("Monitor");
}

/* Clients may have to wait until there is what they need. */
static enum result wait_for_answer(enum result r)
{
	if (r == SILENT)
		r = receive(waiting, LIMIT);
	if (waiting >= 0)
		close(waiting);
	waiting = -1;
	return r;
}

/* Either it sees the event, or knows that it may not have seen all. */
static enum result watch(enum result r)
{
	if (r == SILENT)
		r = receive(waiting, LIMIT);
	if (r == DONE) {
		by_hand("view_create %s", "view");
		r = receive(waiting, LIMIT);
	}
	if (r == DONE && !strstr(answer, "viewCreated") && !strstr(answer, "lost"))
		r = SILENT;
	return wait_for_answer(r);
}

/* Events. */

static bool view_is_mounted(void)
{
	return look_for("view") == MOUNTED;
}

static bool is_deleted(void)
{
	return !kernel_has("view");
}

/* What it does by itself is done in time, or when it has again what it lacked. */
static enum result wait_for(bool (*is)(void))
{
	return becomes(is, SOON) ? DONE : CLOSED;
}

static enum result create_by_hand(void)
{
	by_hand("view_create %s", "view");
	return wait_for(view_is_mounted);
}

static enum result delete_by_hand(void)
{
	by_hand("view_delete %s", "view");
	return wait_for(is_deleted);
}

static pid_t process;

static void tie_view(void)
{
	char parameters[256];

	process = fork();
	if (process == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	snprintf(parameters, sizeof(parameters),
		 "\"origin\":\"web\",\"name\":\"view\",\"process\":%d", process);
	must("CreateView", parameters);
}

static enum result end_process(void)
{
	kill(process, SIGKILL);
	waitpid(process, NULL, 0);
	return wait_for(is_deleted);
}

/* A view's mount is on its way out a moment longer than the view. */
static void fill_trash(void)
{
	make_view();
	delete_views();
}

static bool trash_is_empty(void)
{
	struct state s = {};
	bool empty = true;
	size_t i;

	note_mounts(&s);
	for (i = 0; i < s.n; i++)
		if (strstr(s.lines[i], "/trash/"))
			empty = false;
	forget(&s);
	return empty;
}

static enum result empty_trash(void)
{
	return wait_for(trash_is_empty);
}

/* The daemon's socket with the kernel's events, as a descriptor of our own. */
static int borrow_events(void)
{
	int pidfd = syscall(SYS_pidfd_open, daemon_pid, 0), fd, found = -1;
	struct sockaddr_nl address;
	socklen_t size;

	for (fd = 3; found < 0 && fd < 64; fd++) {
		found = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
		size = sizeof(address);
		if (found < 0 || (getsockname(found, (struct sockaddr *)&address, &size) == 0 &&
				  address.nl_family == AF_NETLINK && address.nl_groups))
			continue;
		close(found);
		found = -1;
	}
	close(pidfd);
	if (found < 0)
		die("the socket with the events");
	return found;
}

static void set_events_room(int bytes)
{
	int fd = borrow_events();

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		die("events");
	close(fd);
}

/* Of most that happens while it stands still, the daemon does not hear. */
static enum result lose_events(void)
{
	enum result r;
	int i;

	set_events_room(1);
	kill(daemon_pid, SIGSTOP);
	for (i = 0; i < 20; i++) {
		by_hand("view_create %s", "view2");
		by_hand("view_delete %s", "view2");
	}
	by_hand("view_create %s", "view");
	kill(daemon_pid, SIGCONT);
	r = call("ListViews", "\"origin\":\"web\"");
	if (!has_ended())
		set_events_room(8 << 20);
	return r == DONE ? wait_for(view_is_mounted) : r;
}

/* Beginning and end. */

static void stop(void)
{
	kill(daemon_pid, SIGTERM);
	if (!becomes(has_ended, LIMIT)) {
		fputs("rvlack: the daemon does not end\n", stderr);
		exit(2);
	}
	hang_up();
}

static bool mounts_are_there(void)
{
	struct state s = {};
	size_t i, k;

	note_mounts(&s);
	for (i = 0; i < before.n; i++) {
		if (strncmp(before.lines[i], "mount ", 6))
			continue;
		for (k = 0; k < s.n && strcmp(before.lines[i], s.lines[k]); k++)
			;
		if (k == s.n)
			break;
	}
	forget(&s);
	return i == before.n;
}

static enum result start_it(void)
{
	launch(launch_limit);
	return becomes(answers_soon, 6 * SOON) && daemon_pid && mounts_are_there() ? DONE : CLOSED;
}

static enum result stop_it(void)
{
	stop();
	return exit_status ? CLOSED : DONE;
}

static const char many_points[] = ",\"mountPoints\":["
#define TEN(n) \
	"{\"path\":\"/many/mount/points/" n "0\"},{\"path\":\"/many/mount/points/" n "1\"}," \
	"{\"path\":\"/many/mount/points/" n "2\"},{\"path\":\"/many/mount/points/" n "3\"}," \
	"{\"path\":\"/many/mount/points/" n "4\"},{\"path\":\"/many/mount/points/" n "5\"}," \
	"{\"path\":\"/many/mount/points/" n "6\"},{\"path\":\"/many/mount/points/" n "7\"}," \
	"{\"path\":\"/many/mount/points/" n "8\"},{\"path\":\"/many/mount/points/" n "9\"}"
	TEN("0") "," TEN("1") "," TEN("2") "," TEN("3") "," TEN("4") "," TEN("5") "," TEN("6") ","
	TEN("7") "," TEN("8") "," TEN("9") "," TEN("a") "," TEN("b") "," TEN("c") "]";

#define VIEW "\"origin\":\"web\",\"name\":\"view\""
#define MAP "[{\"inside\":0,\"outside\":100000,\"count\":65536}]"

static char many_parameters[sizeof(many_points) + 64];

#define CREATE(operation, more, given)                                           \
	{ "create-" operation, "CreateView", VIEW more, .undo = delete_views,    \
	  .is_undone = is_from, .is_done = is_to, .to = (given) }
#define ASK(operation, method, parameters)                                       \
	{ operation, method, parameters, .is_undone = always, .is_done = always }
#define ALONE(operation, function, before, done)                                 \
	{ operation, .run = function, .prepare = before, .undo = delete_views,   \
	  .is_undone = never, .is_done = done, .created = "" }

static const struct operation operations[] = {
	ASK("list-origins", "ListOrigins", ""),
	ASK("list-views", "ListViews", ""),
	ASK("check", "CheckMountPoints", "\"origin\":\"web\",\"lists\":[\"docker\"]"),
	ASK("stats", "GetStats", ""),
	{ "connect", .run = connect_and_list, .finish = wait_for_answer, .is_undone = always,
	  .is_done = always },
	{ "monitor", .run = connect_and_watch, .finish = watch, .undo = delete_views,
	  .is_undone = always, .is_done = always },
	{ "add-origin", .run = ask_for_spare, .undo = remove_spare,
	  .is_undone = spare_is_not_there, .is_done = spare_is_there,
	  .is_either = spare_is_either },
	{ "remove-origin", "RemoveOrigin", "\"name\":\"spare\"", .prepare = add_spare,
	  .undo = remove_spare, .is_undone = spare_is_there, .is_done = spare_is_not_there },
	CREATE("plain", "", MOUNTED),
	CREATE("label", ",\"label\":\"" CONTEXT ":c1,c2\"", MOUNTED),
	CREATE("points", ",\"lists\":[\"docker\"]", MOUNTED),
	CREATE("map", ",\"idMap\":{\"uid\":" MAP ",\"gid\":" MAP "}", MOUNTED),
	{ "create-many-points", "CreateView", many_parameters, .undo = delete_views,
	  .is_undone = is_from, .is_done = is_to, .to = MOUNTED },
	CREATE("device", ",\"deviceOnly\":true", DEVICE),
	CREATE("tied", ",\"process\":1", MOUNTED),
	{ "create-batch", "CreateViews", BATCH, .undo = delete_views,
	  .is_undone = none_is_there, .is_done = batch_is_done, .is_either = batch_is_either },
	{ "delete", "DeleteView", VIEW, .prepare = make_view, .undo = delete_views,
	  .created = "", .is_undone = is_from, .is_done = is_to, .from = MOUNTED },
	{ "delete-batch", "DeleteViews", "\"origin\":\"web\",\"names\":[\"view\",\"view2\"]",
	  .prepare = make_batch, .undo = delete_views, .is_undone = batch_is_there,
	  .is_done = batch_is_deleted, .is_either = batch_is_either },
	{ "open", "OpenView", VIEW, .prepare = make_view, .undo = delete_views, .created = "",
	  .is_undone = is_from, .is_done = is_to, .from = MOUNTED, .to = MOUNTED,
	  .descriptors = 1 },
	ALONE("created-by-hand", create_by_hand, do_nothing, view_is_mounted),
	ALONE("deleted-by-hand", delete_by_hand, make_view, is_deleted),
	ALONE("process-ends", end_process, tie_view, is_deleted),
	ALONE("trash", empty_trash, fill_trash, trash_is_empty),
	{ "lost-events", .run = lose_events, .undo = delete_views, .is_undone = view_is_mounted,
	  .is_done = view_is_mounted },
	{ "start", .run = start_it, .prepare = stop, .is_undone = never,
	  .is_done = mounts_are_there },
	{ "stop", .run = stop_it, .is_undone = always, .is_done = always },
};

static const struct operation *find_operation(const char *name, size_t size)
{
	size_t i;

	for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (!strncmp(operations[i].name, name, size) && !operations[i].name[size])
			return &operations[i];
	fprintf(stderr, "rvlack: there is no operation \"%s\"\n", name);
	exit(2);
}

/*
 * The sweep.
 */

struct counts {
	unsigned int tried, refused, closed, ended, wrong;
};

static struct counts counts;
static unsigned int number;	/* which n it is */

static char said[1024];		/* the answer, as far as it fits, and where memory was short */

static void wrong(const char *what)
{
	if (counts.wrong++ < 8)
		fprintf(stderr, "%s, %s %u%s: %s; %s\n", op->name, kind->name, number,
			all_fail ? " and more" : "", what, said);
}

/* It may end, but not just anyhow. */
static void check_end(void)
{
	static char text[4200];

	counts.ended++;
	if (WIFEXITED(exit_status) && WEXITSTATUS(exit_status) == 1 && *last_words()) {
		if (!mounts_are_there())
			wrong("it has ended, and taken mounts with it");
		return;
	}
	snprintf(text, sizeof(text), "it has ended by %s %d, and said: %s",
		 WIFEXITED(exit_status) ? "status" : "signal",
		 WIFEXITED(exit_status) ? WEXITSTATUS(exit_status) : WTERMSIG(exit_status),
		 last_words());
	wrong(text);
}

static bool is_one_or_the_other(void)
{
	return op->is_either ? op->is_either() : op->is_done() || op->is_undone();
}

static void check_result(enum result r)
{
	if (r == REFUSED && !strstr(answer, "\"io.rootview.OperationFailed\"") &&
	    !strstr(answer, "\"io.systemd.System\""))
		wrong("it blames somebody else");
	if (r == DONE && op->descriptors && descriptors != op->descriptors)
		wrong("the descriptor is missing");
	if (r == DONE && !op->is_done())
		wrong("it is not done, though that was answered");
	/* A view that is there is mounted a moment later. */
	if (r == REFUSED && !becomes(op->is_undone, 20 * SOON))
		wrong("it is done, or undone by half, though it was refused");
	if (r == CLOSED && !becomes(is_one_or_the_other, 20 * SOON))
		wrong("it is neither done nor undone");
}

static enum result start_again(const char *why)
{
	wrong(why);
	kill_daemon();
	start();
	return CLOSED;
}

/* Back to life, whatever has become of it.  Returns what that means for the call. */
static enum result recover(enum result r)
{
	if (r == SILENT)
		return start_again("no answer");
	if (r == CLOSED)
		hang_up();
	if (daemon_pid && !becomes(answers, LIMIT))
		return start_again("it does not answer any more");
	if (daemon_pid)
		return r;
	if (r != DONE)
		check_end();
	start();
	return r == DONE ? DONE : CLOSED;
}

static void compare(bool (*is_same)(void))
{
	if (becomes(is_same, 20 * SOON))
		return;
	wrong(difference());
	/* To be told of it once is enough. */
	remember();
}

/*
 * libselinux calls what is not there if selabel_open() cannot have all of its memory.  A job
 * dies of that: the daemon says so, and does not know what it had done.
 */
static enum result forgive_libselinux(enum result r)
{
	struct dirent *entry;
	DIR *dir;

	if (r != REFUSED || strncmp(starve->where, "libselinux", 10) ||
	    !strstr(answer, "\"finish it\""))
		return r;
	dir = opendir("/run");
	while (dir && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, "sanitizer.", 10) &&
		    atoi(entry->d_name + 10) != daemon_pid)
			unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	return FORGIVEN;
}

/* Returns whether it was missed, what there was too little of. */
static bool try_once(void)
{
	static char kept[sizeof(answer)];
	unsigned int kept_descriptors;
	enum result r;
	bool missed;

	if (op->prepare)
		op->prepare();
	kind->begin(number);
	r = op->run ? op->run() : call(op->method, op->parameters);
	missed = kind->end();
	if (op->finish)
		r = op->finish(r);
	snprintf(said, sizeof(said), "%s %.350s %s", r == DONE ? "answered" : r == REFUSED ?
		 "refused" : r == CLOSED ? "closed" : "silent", answer, starve->where);
	strcpy(kept, answer);
	kept_descriptors = descriptors;
	counts.tried++;
	counts.refused += r == REFUSED;
	counts.closed += r == CLOSED;
	r = recover(r);
	strcpy(answer, kept);
	descriptors = kept_descriptors;
	r = forgive_libselinux(r);
	check_result(r);
	if (op->undo)
		op->undo();
	if (!all_fail)
		compare(is_nearly_as_before);
	return missed && (kind->begin == starve_memory || r != DONE);
}

static void sweep(const char *name)
{
	const char *first = strchr(name, ':'), *step = strchr(name, '/');
	unsigned int fine = 0, last, i;
	long held = starve->held;
	long long begun = now();

	op = find_operation(name, strcspn(name, ":/"));
	counts = (struct counts){};
	all_fail = false;
	remember();
	/* Once nothing is missed, a second look is enough. */
	number = first ? strtoul(first + 1, NULL, 10) : kind->first;
	for (; fine < 2 && number < 10000; number += step ? strtoul(step + 1, NULL, 10) : 1)
		fine = try_once() ? 0 : fine + 1;
	all_fail = kind->begin == starve_memory;
	for (i = 0, last = number; all_fail && i < 4; i++) {
		number = 1 + i * last / 4;
		try_once();
	}
	/* What could not be taken away without any memory goes when the same is done again. */
	if (all_fail) {
		all_fail = false;
		number = ~0U;
		try_once();
	}
	compare(is_as_before);
	printf("%s tried=%u refused=%u closed=%u ended=%u wrong=%u\n", op->name, counts.tried,
	       counts.refused, counts.closed, counts.ended, counts.wrong);
	fprintf(stderr, "%s: %u allocations, %ld kept, %lld ms\n", op->name, starve->calls,
		starve->held - held, now() - begun);
	fflush(stdout);
}

static void open_counters(void)
{
	int fd = open(COUNTERS, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, sizeof(*starve)) < 0)
		die(COUNTERS);
	starve = mmap(NULL, sizeof(*starve), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (starve == MAP_FAILED)
		die(COUNTERS);
	close(fd);
}

static void make_folder(const char *path)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		die("%s", path);
}

/* What is there all the time: views of many kinds, which nothing may happen to. */
static void set_up(void)
{
	char parameters[256];

	make_folder(ROOM);
	if (mount("room", ROOM, "tmpfs", 0, "nr_inodes=100000,nr_blocks=100000") < 0 ||
	    mkdir(ROOM "/full", 0700) < 0)
		die(ROOM);
	snprintf(many_parameters, sizeof(many_parameters), "%s%s", VIEW, many_points);
	start();
	snprintf(parameters, sizeof(parameters), "\"name\":\"web\",\"device\":\"%s\"", web);
	must("AddOrigin", parameters);
	must("CreateView", "\"origin\":\"web\",\"name\":\"stays\",\"cgroup\":\"/\"");
	must("CreateView", "\"origin\":\"web\",\"name\":\"label\",\"label\":\"" CONTEXT ":c9\"");
}

/* As all was undone, nothing is left. */
static void tear_down(void)
{
	must("DeleteViews", "\"origin\":\"web\",\"names\":[\"stays\",\"label\"]");
	must("RemoveOrigin", "\"name\":\"web\"");
	stop();
	if (exit_status) {
		fprintf(stderr, "rvlack: the daemon ended with status %x\n", exit_status);
		exit(1);
	}
	if (umount(ROOM) < 0)
		die("mounts are left");
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 5) {
		fputs("usage: rvlack KIND WEB SPARE OPERATION[:FIRST][/STEP]...\n", stderr);
		return 2;
	}
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, argv[1]))
			kind = &kinds[i];
	if (!kind) {
		fprintf(stderr, "rvlack: there is no kind \"%s\"\n", argv[1]);
		return 2;
	}
	web = argv[2];
	spare = argv[3];
	control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		die("device-mapper");
	open_counters();
	set_up();
	for (i = 4; i < (size_t)argc; i++)
		sweep(argv[i]);
	tear_down();
	return 0;
}
