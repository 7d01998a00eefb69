// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Id maps; idmap.h is the contract.
 */
#include "idmap.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "util.h"

#define OVERFLOW_ID 65534

/* A line of a map file: three numbers of at most ten digits. */
#define LINE_SIZE (3 * 11 + 1)

/*
 * Ranges.
 */

static bool ranges_overlap(uint32_t a, uint32_t a_count, uint32_t b, uint32_t b_count)
{
	return a < b + b_count && b < a + a_count;
}

/*
 * Appends a range.  Returns NULL, or what the kernel would refuse about it: a
 * phrase that goes on after its name.  There must be room.
 */
static const char *append_range(struct idmap_ids *ids, uint64_t inside, uint64_t outside,
				uint64_t count)
{
	if (count == 0)
		return "is empty";
	/* 2^32-1 is no id, so the end of a range still fits in 32 bits. */
	if (count > UINT32_MAX || inside > UINT32_MAX - count || outside > UINT32_MAX - count)
		return "holds ids of 2^32-1 or more";
	for (size_t i = 0; i < ids->n; i++) {
		const struct idmap_range *other = &ids->ranges[i];

		if (ranges_overlap(inside, count, other->inside, other->count))
			return "overlaps an earlier one inside";
		if (ranges_overlap(outside, count, other->outside, other->count))
			return "overlaps an earlier one outside";
	}
	ids->ranges[ids->n++] = (struct idmap_range){
		.inside = inside,
		.outside = outside,
		.count = count,
	};
	return NULL;
}

static int compare(const void *a, const void *b)
{
	const struct idmap_range *x = a, *y = b;

	return (x->inside > y->inside) - (x->inside < y->inside);
}

static bool is_adjacent(const struct idmap_range *a, const struct idmap_range *b)
{
	return a->inside + a->count == b->inside && a->outside + a->count == b->outside;
}

/* Brings valid ranges into their one form. */
static void normalize_ids(struct idmap_ids *ids)
{
	size_t n = 0;

	qsort(ids->ranges, ids->n, sizeof(*ids->ranges), compare);
	for (size_t i = 0; i < ids->n; i++) {
		if (n > 0 && is_adjacent(&ids->ranges[n - 1], &ids->ranges[i]))
			ids->ranges[n - 1].count += ids->ranges[i].count;
		else
			ids->ranges[n++] = ids->ranges[i];
	}
	ids->n = n;
}

uint32_t idmap_root(const struct idmap_ids *ids)
{
	return ids->n > 0 && ids->ranges[0].inside == 0 ? ids->ranges[0].outside : OVERFLOW_ID;
}

/*
 * JSON.
 */

static bool read_field(sd_json_variant *range, const char *name, uint64_t *ret)
{
	sd_json_variant *value = sd_json_variant_by_key(range, name);

	if (!sd_json_variant_is_unsigned(value))
		return false;
	*ret = sd_json_variant_unsigned(value);
	return true;
}

static int ids_from_json(sd_json_variant *json, const char *what, struct idmap_ids *ret,
			 struct failure *f)
{
	size_t n = sd_json_variant_elements(json);

	if (!sd_json_variant_is_array(json) || n == 0)
		return failed(f, FAILURE_INVALID_ID_MAP, "the id map has no range of %s ids", what);
	if (n > IDMAP_RANGES_MAX)
		return failed(f, FAILURE_INVALID_ID_MAP,
			      "the id map has %zu ranges of %s ids, more than %d", n, what,
			      IDMAP_RANGES_MAX);
	for (size_t i = 0; i < n; i++) {
		sd_json_variant *range = sd_json_variant_by_index(json, i);
		uint64_t inside, outside, count;
		const char *fault;

		if (!read_field(range, "inside", &inside) ||
		    !read_field(range, "outside", &outside) || !read_field(range, "count", &count))
			fault = "lacks inside, outside or count, or one of them is no id";
		else
			fault = append_range(ret, inside, outside, count);
		if (fault)
			return failed(f, FAILURE_INVALID_ID_MAP,
				      "range %zu of the id map's %s ids %s", i + 1, what, fault);
	}
	normalize_ids(ret);
	return 0;
}

static struct idmap *new_map(struct failure *f)
{
	struct idmap *map = calloc(1, sizeof(*map));

	if (!map)
		failed_step(f, "the id map", "read it", ENOMEM, NULL);
	return map;
}

int idmap_from_json(sd_json_variant *json, struct idmap **ret, struct failure *f)
{
	cleanup_free struct idmap *map = new_map(f);

	if (!map ||
	    ids_from_json(sd_json_variant_by_key(json, "uid"), "user", &map->uid, f) < 0 ||
	    ids_from_json(sd_json_variant_by_key(json, "gid"), "group", &map->gid, f) < 0)
		return -1;
	*ret = steal_ptr(&map);
	return 0;
}

static int ids_to_json(const struct idmap_ids *ids, sd_json_variant **ret)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ids->n; i++) {
		const struct idmap_range *range = &ids->ranges[i];

		r = sd_json_variant_append_arraybo(
			ret,
			SD_JSON_BUILD_PAIR_UNSIGNED("inside", range->inside),
			SD_JSON_BUILD_PAIR_UNSIGNED("outside", range->outside),
			SD_JSON_BUILD_PAIR_UNSIGNED("count", range->count));
	}
	return r;
}

int idmap_to_json(const struct idmap *map, sd_json_variant **ret)
{
	cleanup_with(sd_json_variant_unrefp) sd_json_variant *uid = NULL, *gid = NULL;
	int r = ids_to_json(&map->uid, &uid);

	if (r >= 0)
		r = ids_to_json(&map->gid, &gid);
	if (r >= 0)
		r = sd_json_buildo(ret, SD_JSON_BUILD_PAIR_VARIANT("uid", uid),
				   SD_JSON_BUILD_PAIR_VARIANT("gid", gid));
	return r < 0 ? r : 0;
}

/*
 * The kernel's map files: lines of three numbers, inside, outside and count.
 */

/* Reads one and moves *@s behind it; strtoull() alone would take signs, too. */
static bool parse_number(const char **s, uint64_t *ret)
{
	char *end;

	*s += strspn(*s, " ");
	if (!isdigit((unsigned char)**s))
		return false;
	errno = 0;
	*ret = strtoull(*s, &end, 10);
	*s = end;
	return errno == 0;
}

/* A line of @size bytes, which may hold a NUL. */
static int read_line(const char *line, size_t size, struct idmap_ids *ids)
{
	uint64_t inside, outside, count;
	const char *s = line;

	if (!parse_number(&s, &inside) || !parse_number(&s, &outside) || !parse_number(&s, &count))
		return -EINVAL;
	if ((size_t)(s - line) + (*s == '\n') != size)
		return -EINVAL;
	if (ids->n == IDMAP_RANGES_MAX)
		return -E2BIG;
	return append_range(ids, inside, outside, count) ? -EINVAL : 0;
}

int idmap_read_ids(FILE *file, struct idmap_ids *ret)
{
	struct idmap_ids ids = { .n = 0 };
	cleanup_free char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, file)) >= 0) {
		int r = read_line(line, n, &ids);

		if (r < 0)
			return r;
	}
	if (!feof(file))
		return errno == ENOMEM ? -ENOMEM : -EINVAL;
	normalize_ids(&ids);
	*ret = ids;
	return 0;
}

static int read_ids_of(pid_t pid, const char *name, struct idmap_ids *ret)
{
	cleanup_fclose FILE *file = NULL;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	file = fopen(path, "re");
	return file ? idmap_read_ids(file, ret) : -errno;
}

/* The kernel takes a map in one write. */
static int write_ids_of(pid_t pid, const char *name, const struct idmap_ids *ids)
{
	char text[IDMAP_RANGES_MAX * LINE_SIZE], path[64];
	cleanup_close int fd = -1;
	size_t n = 0;

	for (size_t i = 0; i < ids->n; i++)
		n += snprintf(text + n, sizeof(text) - n,
			      "%" PRIu32 " %" PRIu32 " %" PRIu32 "\n", ids->ranges[i].inside,
			      ids->ranges[i].outside, ids->ranges[i].count);
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, n) < 0)
		return -errno;
	return 0;
}

/*
 * User namespaces.  Their maps and descriptors are had from a process in them
 * alone, so one is started for that, and ended right after.  It is a copy of the daemon,
 * and whoever is root in there could trace it: so it cannot be traced, has no descriptors
 * of the daemon's, and does not outlive it.
 */

struct inmate {
	pid_t pid;
	int fd;		/* it ends when this is closed, and so when this process ends */
};

/* What a process that enters @userns may not be to whoever is root there. */
static bool protect_self(pid_t parent, int userns)
{
	/* In a new one is nobody else, and only a dumpable process shows its /proc/PID/ns/user. */
	if (userns >= 0 && prctl(PR_SET_DUMPABLE, 0) < 0)
		return false;
	return dies_with(parent);
}

/* Keeps two descriptors, as 0 and 1; both are others than these. */
static bool keep_descriptors(int *fd, int *userns)
{
	if (dup2(*fd, 0) < 0 || (*userns >= 0 && dup2(*userns, 1) < 0))
		return false;
	*fd = 0;
	if (*userns >= 0)
		*userns = 1;
	return close_range(*userns >= 0 ? 2 : 1, ~0U, 0) == 0;
}

static void inmate_run(pid_t parent, int fd, int userns) __attribute__((noreturn));
static void inmate_run(pid_t parent, int fd, int userns)
{
	int r = -1, error;

	if (!protect_self(parent, userns) || !keep_descriptors(&fd, &userns))
		_exit(EXIT_FAILURE);
	r = userns < 0 ? unshare(CLONE_NEWUSER) : setns(userns, CLONE_NEWUSER);
	error = r < 0 ? errno : 0;
	/* Other credentials have undone both. */
	if (!protect_self(parent, userns))
		_exit(EXIT_FAILURE);
	if (write(fd, &error, sizeof(error)) == sizeof(error))
		(void)!read(fd, &error, sizeof(error));
	_exit(0);
}

static void inmate_end(struct inmate *inmate)
{
	close(inmate->fd);
	(void)kill(inmate->pid, SIGKILL);
	while (waitpid(inmate->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Starts one in @userns, or with -1 in a new user namespace without a map. */
static int inmate_start(struct inmate *ret, int userns)
{
	const pid_t self = getpid();
	int fds[2], error;
	ssize_t n;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	ret->fd = fds[0];
	ret->pid = fork();
	if (ret->pid < 0) {
		error = errno;
		close(fds[0]);
		close(fds[1]);
		return -error;
	}
	if (ret->pid == 0) {
		close(fds[0]);
		inmate_run(self, fds[1], userns);
	}
	close(fds[1]);
	do
		n = read(fds[0], &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	if (n != sizeof(error))
		error = EIO;
	if (error)
		inmate_end(ret);
	return -error;
}

static int map_of_inmate(pid_t pid, struct idmap *map, struct failure *f)
{
	int r = read_ids_of(pid, "uid_map", &map->uid);

	if (r == 0)
		r = read_ids_of(pid, "gid_map", &map->gid);
	if (r == -E2BIG)
		return failed(f, FAILURE_INVALID_ID_MAP,
			      "the user namespace's map has more than %d ranges",
			      IDMAP_RANGES_MAX);
	if (r == -EINVAL)
		return failed(f, FAILURE_INVALID_ID_MAP,
			      "the user namespace's map leads to ids that the daemon's lacks");
	if (r < 0)
		return failed_step(f, "the user namespace", "read its map", -r, NULL);
	if (map->uid.n == 0 || map->gid.n == 0)
		return failed(f, FAILURE_INVALID_ID_MAP, "the user namespace has no map yet");
	return 0;
}

static bool is_userns(int fd)
{
	struct statfs st;

	return fstatfs(fd, &st) == 0 && st.f_type == NSFS_MAGIC &&
	       ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWUSER;
}

int idmap_from_userns(int fd, struct idmap **ret, struct failure *f)
{
	cleanup_free struct idmap *map = NULL;
	struct inmate inmate;
	int r;

	if (!is_userns(fd))
		return failed(f, FAILURE_INVALID_ID_MAP, "the descriptor is no user namespace's");
	r = inmate_start(&inmate, fd);
	/* It is one, so that leaves the one that we are in already. */
	if (r == -EINVAL)
		return failed(f, FAILURE_INVALID_ID_MAP,
			      "the user namespace is the daemon's own, which maps nothing");
	if (r < 0)
		return failed_step(f, "the user namespace", "enter it", -r, NULL);
	map = new_map(f);
	r = map ? map_of_inmate(inmate.pid, map, f) : -1;
	inmate_end(&inmate);
	if (r == 0)
		*ret = steal_ptr(&map);
	return r;
}

int idmap_batch_read(struct idmap_batch *batch, int fd, struct idmap **ret, struct failure *f)
{
	struct idmap_read *read = NULL;
	void *all;

	for (size_t i = 0; i < batch->n && !read; i++)
		if (batch->list[i].fd == fd)
			read = &batch->list[i];
	if (!read) {
		all = reallocarray(batch->list, batch->n + 1, sizeof(*batch->list));
		if (!all)
			return failed_step(f, "the user namespace", "read its map", ENOMEM, NULL);
		batch->list = all;
		read = &batch->list[batch->n++];
		*read = (struct idmap_read){ .fd = fd };
		if (idmap_from_userns(fd, &read->map, &read->failure) < 0)
			read->map = NULL;
	}
	if (!read->map) {
		*f = read->failure;
		return -1;
	}
	*ret = new_map(f);
	if (!*ret)
		return -1;
	**ret = *read->map;
	return 0;
}

void idmap_batch_free(struct idmap_batch *batch)
{
	for (size_t i = 0; i < batch->n; i++)
		free(batch->list[i].map);
	free(batch->list);
}

static int open_userns_of(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int idmap_open(const struct idmap *map, struct failure *f)
{
	static const char object[] = "the id map";
	struct inmate inmate;
	int r = inmate_start(&inmate, -1);

	if (r == -EINVAL)
		return failed_about(f, FAILURE_NOT_SUPPORTED, "user namespaces",
				    "the running kernel has no user namespaces, which id maps "
				    "need");
	if (r == -ENOSPC || r == -EUSERS)
		return failed_step(f, object, "make a user namespace", 0,
				   "/proc/sys/user/max_user_namespaces allows no more");
	if (r < 0)
		return failed_step(f, object, "make a user namespace", -r, NULL);
	r = write_ids_of(inmate.pid, "uid_map", &map->uid);
	if (r == 0)
		r = write_ids_of(inmate.pid, "gid_map", &map->gid);
	if (r == 0)
		r = open_userns_of(inmate.pid);
	inmate_end(&inmate);
	return r < 0 ? failed_step(f, object, "give a user namespace this map", -r, NULL) : r;
}
