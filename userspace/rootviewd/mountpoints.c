// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mount points; mountpoints.h is the contract.
 */
#include "mountpoints.h"

#include <limits.h>

#include "interface.h"
#include "util.h"

static const char *const kind_names[] = ROOTVIEW_KINDS;

/*
 * The set.
 */

static void point_free(struct mount_point *point)
{
	free(point->path);
	free(point->target);
}

void mount_points_free(struct mount_points *points)
{
	for (size_t i = 0; i < points->n; i++)
		point_free(&points->list[i]);
	free(points->list);
	*points = (struct mount_points){ .list = NULL };
}

/* Index of the first whose path does not come before @path. */
static size_t find_place(const struct mount_points *points, const char *path)
{
	size_t low = 0, high = points->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(points->list[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Makes room for one more.  Powers of two, so that a long list is not copied for each. */
static int grow_list(struct mount_points *points)
{
	void *list;

	if (points->n & (points->n - 1))
		return 0;
	list = reallocarray(points->list, points->n ? 2 * points->n : 1, sizeof(*points->list));
	if (!list)
		return -ENOMEM;
	points->list = list;
	return 0;
}

static int copy_point(struct mount_point *to, const char *path, enum mount_point_kind kind,
		      const char *target)
{
	*to = (struct mount_point){
		.path = strdup(path),
		.target = target ? strdup(target) : NULL,
		.kind = kind,
	};
	if (to->path && (to->target || !target))
		return 0;
	point_free(to);
	return -ENOMEM;
}

static bool is_folder(enum mount_point_kind kind)
{
	return kind == MOUNT_POINT_DIRECTORY || kind == MOUNT_POINT_TMPFS;
}

int mount_points_add(struct mount_points *points, const char *path, enum mount_point_kind kind,
		     const char *target)
{
	size_t i = find_place(points, path);
	struct mount_point point, *at;
	int r;

	if (i < points->n && streq(points->list[i].path, path)) {
		at = &points->list[i];
		if (is_folder(at->kind) && is_folder(kind)) {
			at->kind = kind == MOUNT_POINT_TMPFS ? kind : at->kind;
			return 0;
		}
		return at->kind == kind && streq_null(at->target, target) ? 0 : -EEXIST;
	}
	r = copy_point(&point, path, kind, target);
	if (r < 0)
		return r;
	r = grow_list(points);
	if (r < 0) {
		point_free(&point);
		return r;
	}
	at = &points->list[i];
	memmove(at + 1, at, (points->n - i) * sizeof(*at));
	*at = point;
	points->n++;
	return 0;
}

/*
 * What container engines always mount or create, by engine.
 */

#define DIRECTORY(p)	{ .path = p, .kind = MOUNT_POINT_DIRECTORY }
#define TMPFS(p)	{ .path = p, .kind = MOUNT_POINT_TMPFS }
#define FILE_(p)	{ .path = p, .kind = MOUNT_POINT_FILE }
#define LINK(p, t)	{ .path = p, .kind = MOUNT_POINT_LINK, .target = t }

/* Every runtime. */
static const struct mount_point runtimes[] = {
	DIRECTORY("/dev"),
	DIRECTORY("/dev/mqueue"),
	DIRECTORY("/dev/pts"),
	DIRECTORY("/dev/shm"),
	DIRECTORY("/proc"),
	DIRECTORY("/sys"),
	DIRECTORY("/sys/fs/cgroup"),
	FILE_("/etc/hostname"),
	FILE_("/etc/hosts"),
	FILE_("/etc/resolv.conf"),
};

/* Engines for people, beyond that. */
static const struct mount_point engines[] = {
	FILE_("/dev/console"),
	LINK("/etc/mtab", "/proc/mounts"),
};

static const struct mount_point docker[] = {
	FILE_("/.dockerenv"),
};

/* With --read-only it mounts a tmpfs on each of the first three. */
static const struct mount_point podman[] = {
	DIRECTORY("/run"),
	TMPFS("/tmp"),
	TMPFS("/var/tmp"),
	DIRECTORY("/run/secrets"),
	FILE_("/run/.containerenv"),
};

/* Its own default specification, of which ctr and nerdctl make theirs. */
static const struct mount_point containerd[] = {
	DIRECTORY("/run"),
};

/* Kubernetes, by containerd or another that speaks CRI. */
static const struct mount_point kubernetes[] = {
	DIRECTORY("/var/run/secrets/kubernetes.io/serviceaccount"),
	FILE_("/dev/termination-log"),
};

#define PART(array) { array, ARRAY_SIZE(array) }

static const struct ready_made {
	const char *name;
	struct {
		const struct mount_point *points;
		size_t n;
	} parts[3];
} ready_made[] = {
	{ "docker",	{ PART(runtimes), PART(engines), PART(docker) } },
	{ "podman",	{ PART(runtimes), PART(engines), PART(podman) } },
	{ "kubernetes",	{ PART(runtimes), PART(containerd), PART(kubernetes) } },
	{ "containerd",	{ PART(runtimes), PART(containerd) } },
};

/*
 * Reading.
 */

static bool has_control_character(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return true;
	return false;
}

static const char *text_fault(const char *s)
{
	if (strlen(s) >= PATH_MAX)
		return "is longer than 4095 bytes";
	if (has_control_character(s))
		return "holds a control character";
	return NULL;
}

/*
 * Writes the one form of @path to @ret, which has room for PATH_MAX.  Returns
 * NULL, or what is wrong with it: a phrase that goes on after its name.
 */
static const char *normalize_path(const char *path, char *ret)
{
	const char *fault = text_fault(path);
	unsigned int depth = 0;
	char *to = ret;
	size_t n;

	if (fault)
		return fault;
	if (*path != '/')
		return "is not absolute";
	for (path += strspn(path, "/"); *path; path += n, path += strspn(path, "/")) {
		n = strcspn(path, "/");
		if (n > NAME_MAX)
			return "has a component that is longer than 255 bytes";
		if (n == 2 && path[0] == '.' && path[1] == '.')
			return "holds \"..\"";
		if (n == 1 && path[0] == '.')
			continue;
		if (++depth > MOUNT_POINT_DEPTH_MAX)
			return "has more than 64 components";
		*to++ = '/';
		to = mempcpy(to, path, n);
	}
	*to = '\0';
	return to == ret ? "is the root folder itself" : NULL;
}

int invalid_point(struct failure *f, const char *path, const char *fault)
{
	return failed_about(f, FAILURE_INVALID_MOUNT_POINT, path, "the mount point \"%.256s\" %s",
			    path, fault);
}

/* Consumes nothing; with @is_list, what is there already stays as it is. */
static int add_point(struct mount_points *points, const struct mount_point *point, bool is_list,
		     struct failure *f)
{
	int r = mount_points_add(points, point->path, point->kind, point->target);

	if (r == -EEXIST && !is_list)
		return invalid_point(f, point->path,
				     "is asked for twice, and not as the same thing");
	if (r < 0 && r != -EEXIST)
		return failed_step(f, point->path, "note this mount point", -r, NULL);
	if (points->n <= MOUNT_POINTS_MAX)
		return 0;
	return failed_too_many(f, "mountPoints", MOUNT_POINTS_MAX,
			       "there are more than %d mount points", MOUNT_POINTS_MAX);
}

sd_json_variant *json_field(sd_json_variant *object, const char *name)
{
	sd_json_variant *value = sd_json_variant_by_key(object, name);

	return sd_json_variant_is_null(value) ? NULL : value;
}

static bool is_string_or_absent(sd_json_variant *v)
{
	return !v || sd_json_variant_is_string(v);
}

/* Without a name it is a directory. */
static bool parse_kind(const char *name, enum mount_point_kind *ret)
{
	if (!name) {
		*ret = MOUNT_POINT_DIRECTORY;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kind_names); i++) {
		if (streq(kind_names[i], name)) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static int read_point(sd_json_variant *json, struct mount_points *points, struct failure *f)
{
	sd_json_variant *path = json_field(json, "path"), *kind = json_field(json, "kind");
	sd_json_variant *target = json_field(json, "target");
	char normalized[PATH_MAX];
	struct mount_point point = { .path = normalized };
	const char *name, *fault;

	if (!sd_json_variant_is_string(path) || !is_string_or_absent(kind) ||
	    !is_string_or_absent(target))
		return failed_about(f, FAILURE_INVALID_REQUEST, "mountPoints",
				    "an element of mountPoints is no MountPoint: that has a path, "
				    "and may have a kind and a target, all of them strings");
	name = sd_json_variant_string(path);
	point.target = target ? (char *)sd_json_variant_string(target) : NULL;
	fault = normalize_path(name, normalized);
	if (fault)
		return invalid_point(f, name, fault);
	if (!parse_kind(kind ? sd_json_variant_string(kind) : NULL, &point.kind))
		return invalid_point(f, name,
				     "has a kind that is none of directory, file, link and tmpfs");
	if (point.kind == MOUNT_POINT_LINK && (!point.target || !*point.target))
		return invalid_point(f, name, "is a link without a target");
	if (point.kind != MOUNT_POINT_LINK && point.target)
		return invalid_point(f, name, "has a target, but is no link");
	if (point.target && text_fault(point.target))
		return invalid_point(f, name,
				     "has a target that is longer than 4095 bytes or holds a "
			       "control character");
	return add_point(points, &point, false, f);
}

static int add_ready_made(const struct ready_made *list, struct mount_points *points,
			  struct failure *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(list->parts); i++)
		for (size_t k = 0; k < list->parts[i].n; k++)
			if (add_point(points, &list->parts[i].points[k], true, f) < 0)
				return -1;
	return 0;
}

static int read_list(sd_json_variant *json, struct mount_points *points, struct failure *f)
{
	const char *name = sd_json_variant_is_string(json) ? sd_json_variant_string(json) : "";

	for (size_t i = 0; i < ARRAY_SIZE(ready_made); i++)
		if (streq(ready_made[i].name, name))
			return add_ready_made(&ready_made[i], points, f);
	return failed_about(f, FAILURE_INVALID_REQUEST, "lists",
			    "there is no list \"%.128s\"; there are docker, podman, kubernetes and containerd",
			    name);
}

static int read_each(sd_json_variant *array, const char *parameter,
		     int (*read)(sd_json_variant *, struct mount_points *, struct failure *),
		     struct mount_points *points, struct failure *f)
{
	if (!array || sd_json_variant_is_null(array))
		return 0;
	if (!sd_json_variant_is_array(array))
		return failed_about(f, FAILURE_INVALID_REQUEST, parameter, "%s is no array",
				    parameter);
	for (size_t i = 0; i < sd_json_variant_elements(array); i++)
		if (read(sd_json_variant_by_index(array, i), points, f) < 0)
			return -1;
	return 0;
}

int mount_points_from_json(sd_json_variant *points, sd_json_variant *lists,
			   struct mount_points *ret, struct failure *f)
{
	struct mount_points all = { .list = NULL };

	/* In this order, as what is there already wins over a list. */
	if (read_each(points, "mountPoints", read_point, &all, f) < 0 ||
	    read_each(lists, "lists", read_list, &all, f) < 0) {
		mount_points_free(&all);
		return -1;
	}
	*ret = all;
	return 0;
}

/*
 * Writing.
 */

static int point_to_json(const struct mount_point *point, sd_json_variant **ret)
{
	return sd_json_buildo(
		ret,
		SD_JSON_BUILD_PAIR_STRING("path", point->path),
		SD_JSON_BUILD_PAIR_STRING("kind", kind_names[point->kind]),
		SD_JSON_BUILD_PAIR_CONDITION(!!point->target, "target",
					     SD_JSON_BUILD_STRING(point->target)));
}

int mount_points_to_json(const struct mount_points *points, sd_json_variant **ret)
{
	sd_json_variant **elements = calloc(points->n + 1, sizeof(*elements));
	size_t n = 0;
	int r = elements ? 0 : -ENOMEM;

	while (r >= 0 && n < points->n) {
		r = point_to_json(&points->list[n], &elements[n]);
		if (r >= 0)
			n++;
	}
	if (r >= 0)
		r = sd_json_variant_new_array(ret, elements, n);
	/* This frees the array, too. */
	if (elements)
		sd_json_variant_unref_many(elements, n);
	return r < 0 ? r : 0;
}

char *mount_points_to_text(const struct mount_points *points)
{
	sd_json_variant *json = NULL;
	char *text = NULL;

	if (!points->n)
		return strdup("");
	if (mount_points_to_json(points, &json) >= 0 && sd_json_variant_format(json, 0, &text) < 0)
		text = NULL;
	sd_json_variant_unref(json);
	return text;
}

int mount_points_from_text(const char *text, struct mount_points *ret)
{
	sd_json_variant *json = NULL;
	struct failure why;
	int r = 0;

	*ret = (struct mount_points){};
	if (*text)
		r = sd_json_parse(text, 0, &json, NULL, NULL);
	if (r >= 0 && mount_points_from_json(json, NULL, ret, &why) < 0)
		r = failure_is_shortage(&why) ? -why.error : -EBADMSG;
	sd_json_variant_unref(json);
	return r < 0 ? r : 0;
}
