// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Answers of the daemon, shown to people; show.h is the contract.
 */
#include "show.h"

#include <inttypes.h>
#include <limits.h>
#include <time.h>

#include "interface.h"
#include "table.h"
#include "util.h"

#define cleanup_table cleanup_with(free_table)

static void free_table(struct table **t)
{
	table_free(*t);
}

const char *show_age(unsigned long long usec, char buffer[static 32])
{
	unsigned long long s = usec / 1000000;

	if (s < 120)
		snprintf(buffer, 32, "%llu s", s);
	else if (s < 2 * 60 * 60)
		snprintf(buffer, 32, "%llu min", s / 60);
	else if (s < 2 * 24 * 60 * 60)
		snprintf(buffer, 32, "%llu h", s / (60 * 60));
	else
		snprintf(buffer, 32, "%llu d", s / (24 * 60 * 60));
	return buffer;
}

const char *show_sectors(unsigned long long sectors, char buffer[static 32])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB" };
	double n = sectors / 2.0;
	size_t i = 0;

	if (sectors < 2) {
		snprintf(buffer, 32, "%llu B", sectors * 512);
		return buffer;
	}
	while (n >= 1024 && i + 1 < ARRAY_SIZE(units)) {
		n /= 1024;
		i++;
	}
	snprintf(buffer, 32, "%.1f %s", n, units[i]);
	return buffer;
}

/* The number @name of the item; 0 without it. */
static uint64_t number(struct rootview_reply *reply, size_t i, const char *name)
{
	uint64_t n = 0;

	(void)rootview_reply_number(reply, i, name, &n);
	return n;
}

static void add_number(struct table *t, uint64_t n)
{
	char buffer[32];

	snprintf(buffer, sizeof(buffer), "%" PRIu64, n);
	table_add(t, buffer);
}

int show_origins(struct rootview_reply *origins)
{
	static const char *const headers[] = {
		"ORIGIN", "VIEWS", "TYPE", "SIZE", "READ", "BACKING", "DEVICE"
	};
	cleanup_table struct table *t = table_new(headers, ARRAY_SIZE(headers));
	char buffer[32];

	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < rootview_reply_count(origins); i++) {
		table_add(t, rootview_reply_name(origins, i));
		add_number(t, number(origins, i, "views"));
		table_add(t, rootview_reply_file_system(origins, i));
		table_add(t, show_sectors(number(origins, i, "sectors"), buffer));
		table_add(t, show_sectors(number(origins, i, "readSectors"), buffer));
		table_add(t, rootview_reply_backing(origins, i));
		table_add(t, rootview_reply_device(origins, i));
	}
	return table_print(t, stdout);
}

/* The kernel counts from the start of the machine. */
static uint64_t since(uint64_t usec)
{
	struct timespec now;
	uint64_t now_usec;

	clock_gettime(CLOCK_BOOTTIME, &now);
	now_usec = now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
	return now_usec > usec ? now_usec - usec : 0;
}

/* The label of all files in views of that origin which ask for none; NULL if there is none. */
static const char *label_of_origin(struct rootview_reply *origins, const char *name)
{
	for (size_t i = 0; name && i < rootview_reply_count(origins); i++) {
		if (streq_null(rootview_reply_name(origins, i), name))
			return rootview_reply_is_native(origins, i) ? "native" :
			       rootview_reply_label(origins, i);
	}
	return NULL;
}

int show_views(struct rootview_reply *views, struct rootview_reply *origins)
{
	static const char *const headers[] = {
		"ORIGIN", "VIEW", "ID", "AGE", "LABEL", "PATH"
	};
	cleanup_table struct table *t = table_new(headers, ARRAY_SIZE(headers));
	char buffer[32];

	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < rootview_reply_count(views); i++) {
		table_add(t, rootview_reply_origin(views, i));
		table_add(t, rootview_reply_name(views, i));
		add_number(t, rootview_reply_id(views, i));
		table_add(t, show_age(since(rootview_reply_created(views, i)), buffer));
		table_add(t, rootview_reply_label(views, i) ?:
			     label_of_origin(origins, rootview_reply_origin(views, i)));
		table_add(t, rootview_reply_is_device_only(views, i) ?
			     rootview_reply_device(views, i) : rootview_reply_path(views, i));
	}
	return table_print(t, stdout);
}

/* Why nothing is known of what a cgroup read: a phrase, or NULL if that is not seen from here. */
static const char *why_unknown(const char *cgroup)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), ROOTVIEW_CGROUPS "%s", cgroup);
	if (access(path, F_OK) < 0)
		return errno == ENOENT ? "is gone" : NULL;
	snprintf(path, sizeof(path), ROOTVIEW_CGROUPS "%s/io.stat", cgroup);
	return access(path, F_OK) < 0 && errno == ENOENT ? "has no io.stat" : NULL;
}

static void add_cgroup(struct table *t, const char *cgroup, bool known)
{
	const char *why = known || !cgroup ? NULL : why_unknown(cgroup);
	cleanup_free char *text = NULL;

	if (why && asprintf(&text, "%s %s", cgroup, why) < 0)
		text = NULL;
	table_add(t, text ?: cgroup);
}

int show_stats(struct rootview_reply *stats)
{
	static const char *const headers[] = { "ORIGIN", "VIEW", "READS", "READ", "CGROUP" };
	cleanup_table struct table *t = table_new(headers, ARRAY_SIZE(headers));
	char buffer[32];

	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < rootview_reply_count(stats); i++) {
		uint64_t reads;
		bool known = rootview_reply_number(stats, i, "reads", &reads) == 0;

		table_add(t, rootview_reply_origin(stats, i));
		table_add(t, rootview_reply_name(stats, i));
		if (known)
			add_number(t, reads);
		else
			table_add(t, NULL);
		table_add(t, known ? show_sectors(number(stats, i, "readBytes") / 512, buffer) :
				     NULL);
		add_cgroup(t, rootview_reply_cgroup(stats, i), known);
	}
	return table_print(t, stdout);
}

void show_event(struct rootview_reply *event, FILE *to)
{
	const char *type = rootview_reply_event(event, 0);
	const char *origin = rootview_reply_origin(event, 0);
	const char *name = rootview_reply_name(event, 0);

	fprintf(to, "%s%s%s%s%s\n", type ?: "-", origin ? " " : "", origin ?: "", name ? " " : "",
		name ?: "");
}

static void show_mount_point(const char *path, int kind, const char *target, FILE *to)
{
	fprintf(to, "%s%s", path ?: "-", kind == ROOTVIEW_FILE ? ":file" :
					 kind == ROOTVIEW_TMPFS ? ":tmpfs" : "");
	if (target)
		fprintf(to, " -> %s", target);
	fputc('\n', to);
}

void show_mount_points(struct rootview_reply *points, FILE *to)
{
	for (size_t i = 0; i < rootview_reply_count(points); i++)
		show_mount_point(rootview_reply_path(points, i), rootview_reply_kind(points, i),
				 rootview_reply_target(points, i), to);
}

static void show_mount_points_of(struct rootview_reply *views, size_t i, FILE *to)
{
	const char *path, *target;
	enum rootview_kind kind;

	for (size_t k = 0; rootview_reply_mount_point(views, i, k, &path, &kind, &target) == 0;
	     k++) {
		fputs("mount point: ", to);
		show_mount_point(path, kind, target, to);
	}
}

static void show_id_ranges(struct rootview_reply *views, size_t i, enum rootview_ids ids,
			   const char *key, FILE *to)
{
	uint32_t inside, outside, count;

	for (size_t k = 0;
	     rootview_reply_id_range(views, i, ids, k, &inside, &outside, &count) == 0; k++)
		fprintf(to, "%s: %" PRIu32 ":%" PRIu32 ":%" PRIu32 "\n", key, inside, outside,
			count);
}

static void show_field(const char *key, const char *value, FILE *to)
{
	if (value)
		fprintf(to, "%s: %s\n", key, value);
}

void show_view(struct rootview_reply *views, size_t i, struct rootview_reply *origins, FILE *to)
{
	const char *label = label_of_origin(origins, rootview_reply_origin(views, i));
	const char *warning;
	char buffer[32];

	show_field("origin", rootview_reply_origin(views, i), to);
	show_field("name", rootview_reply_name(views, i), to);
	fprintf(to, "id: %" PRIu64 "\n", rootview_reply_id(views, i));
	show_field("age", show_age(since(rootview_reply_created(views, i)), buffer), to);
	if (rootview_reply_is_device_only(views, i))
		fputs("device only: yes\n", to);
	show_field("path", rootview_reply_path(views, i), to);
	show_field("device", rootview_reply_device(views, i), to);
	show_field("label", rootview_reply_label(views, i), to);
	if (label && !rootview_reply_label(views, i))
		fprintf(to, "label: %s (the origin's)\n", label);
	show_mount_points_of(views, i, to);
	show_id_ranges(views, i, ROOTVIEW_UIDS, "user ids", to);
	show_id_ranges(views, i, ROOTVIEW_GIDS, "group ids", to);
	show_field("cgroup", rootview_reply_cgroup(views, i), to);
	if (rootview_reply_process(views, i))
		fprintf(to, "process: %d\n", (int)rootview_reply_process(views, i));
	for (size_t k = 0; (warning = rootview_reply_warning(views, i, k)); k++)
		show_field("warning", warning, to);
}
