// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Answers of the daemon, shown to people; show.h is the contract.
 */
#include "show.h"

#include <inttypes.h>
#include <time.h>

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

const char *show_string(sd_json_variant *object, const char *key)
{
	sd_json_variant *value = sd_json_variant_by_key(object, key);

	return sd_json_variant_is_string(value) ? sd_json_variant_string(value) : NULL;
}

uint64_t show_number(sd_json_variant *object, const char *key)
{
	sd_json_variant *value = sd_json_variant_by_key(object, key);

	return sd_json_variant_is_unsigned(value) ? sd_json_variant_unsigned(value) : 0;
}

static void add_number(struct table *t, uint64_t n)
{
	char buffer[32];

	snprintf(buffer, sizeof(buffer), "%" PRIu64, n);
	table_add(t, buffer);
}

int show_origins(sd_json_variant *origins)
{
	static const char *const headers[] = {
		"ORIGIN", "VIEWS", "TYPE", "SIZE", "READ", "BACKING", "DEVICE"
	};
	cleanup_table struct table *t = table_new(headers, ARRAY_SIZE(headers));
	char buffer[32];

	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < sd_json_variant_elements(origins); i++) {
		sd_json_variant *o = sd_json_variant_by_index(origins, i);

		table_add(t, show_string(o, "name"));
		add_number(t, show_number(o, "views"));
		table_add(t, show_string(o, "fileSystem"));
		table_add(t, show_sectors(show_number(o, "sectors"), buffer));
		table_add(t, show_sectors(show_number(o, "readSectors"), buffer));
		table_add(t, show_string(o, "backing"));
		table_add(t, show_string(o, "device"));
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

int show_views(sd_json_variant *views)
{
	static const char *const headers[] = {
		"ORIGIN", "VIEW", "ID", "AGE", "MOUNT", "LABEL", "PATH"
	};
	cleanup_table struct table *t = table_new(headers, ARRAY_SIZE(headers));
	char buffer[32];

	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < sd_json_variant_elements(views); i++) {
		sd_json_variant *v = sd_json_variant_by_index(views, i);

		table_add(t, show_string(v, "origin"));
		table_add(t, show_string(v, "name"));
		add_number(t, show_number(v, "id"));
		table_add(t, show_age(since(show_number(v, "createdUSec")), buffer));
		table_add(t, show_string(v, "mount"));
		table_add(t, show_string(v, "label"));
		table_add(t, show_string(v, "path"));
	}
	return table_print(t, stdout);
}

int show_stats(sd_json_variant *stats)
{
	static const char *const headers[] = { "ORIGIN", "VIEW", "READS", "READ", "CGROUP" };
	cleanup_table struct table *t = table_new(headers, ARRAY_SIZE(headers));
	char buffer[32];

	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < sd_json_variant_elements(stats); i++) {
		sd_json_variant *s = sd_json_variant_by_index(stats, i);
		bool known = sd_json_variant_is_unsigned(sd_json_variant_by_key(s, "reads"));

		table_add(t, show_string(s, "origin"));
		table_add(t, show_string(s, "name"));
		if (known)
			add_number(t, show_number(s, "reads"));
		else
			table_add(t, NULL);
		table_add(t, known ? show_sectors(show_number(s, "readBytes") / 512, buffer) :
				     NULL);
		table_add(t, show_string(s, "cgroup"));
	}
	return table_print(t, stdout);
}

void show_event(sd_json_variant *event, FILE *to)
{
	const char *type = show_string(event, "type");
	const char *origin = show_string(event, "origin");
	const char *name = show_string(event, "name");

	fprintf(to, "%s%s%s%s%s\n", type ?: "-", origin ? " " : "", origin ?: "", name ? " " : "",
		name ?: "");
}

void show_mount_points(sd_json_variant *points, const char *prefix, FILE *to)
{
	for (size_t i = 0; i < sd_json_variant_elements(points); i++) {
		sd_json_variant *point = sd_json_variant_by_index(points, i);
		const char *kind = show_string(point, "kind");
		const char *target = show_string(point, "target");

		fprintf(to, "%s%s", prefix, show_string(point, "path") ?: "-");
		if (kind && streq(kind, "file"))
			fputs(":file", to);
		if (target)
			fprintf(to, " -> %s", target);
		fputc('\n', to);
	}
}

static void show_id_ranges(sd_json_variant *ranges, const char *key, FILE *to)
{
	for (size_t i = 0; i < sd_json_variant_elements(ranges); i++) {
		sd_json_variant *range = sd_json_variant_by_index(ranges, i);

		fprintf(to, "%s: %" PRIu64 ":%" PRIu64 ":%" PRIu64 "\n", key,
			show_number(range, "inside"), show_number(range, "outside"),
			show_number(range, "count"));
	}
}

static void show_field(sd_json_variant *object, const char *key, FILE *to)
{
	const char *value = show_string(object, key);

	if (value)
		fprintf(to, "%s: %s\n", key, value);
}

void show_view(sd_json_variant *view, FILE *to)
{
	sd_json_variant *map = sd_json_variant_by_key(view, "idMap");
	sd_json_variant *warnings = sd_json_variant_by_key(view, "warnings");
	char buffer[32];

	show_field(view, "origin", to);
	show_field(view, "name", to);
	fprintf(to, "id: %" PRIu64 "\n", show_number(view, "id"));
	fprintf(to, "age: %s\n", show_age(since(show_number(view, "createdUSec")), buffer));
	show_field(view, "mount", to);
	show_field(view, "path", to);
	show_field(view, "device", to);
	show_field(view, "label", to);
	show_mount_points(sd_json_variant_by_key(view, "mountPoints"), "mount point: ", to);
	show_id_ranges(sd_json_variant_by_key(map, "uid"), "user ids", to);
	show_id_ranges(sd_json_variant_by_key(map, "gid"), "group ids", to);
	show_field(view, "cgroup", to);
	if (show_number(view, "process"))
		fprintf(to, "process: %" PRIu64 "\n", show_number(view, "process"));
	for (size_t i = 0; i < sd_json_variant_elements(warnings); i++)
		fprintf(to, "warning: %s\n",
			sd_json_variant_string(sd_json_variant_by_index(warnings, i)));
}
