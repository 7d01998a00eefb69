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

static const char *get_string(sd_json_variant *object, const char *key)
{
	sd_json_variant *value = sd_json_variant_by_key(object, key);

	return sd_json_variant_is_string(value) ? sd_json_variant_string(value) : NULL;
}

static uint64_t get_number(sd_json_variant *object, const char *key)
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

		table_add(t, get_string(o, "name"));
		add_number(t, get_number(o, "views"));
		table_add(t, get_string(o, "fileSystem"));
		table_add(t, show_sectors(get_number(o, "sectors"), buffer));
		table_add(t, show_sectors(get_number(o, "readSectors"), buffer));
		table_add(t, get_string(o, "backing"));
		table_add(t, get_string(o, "device"));
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
	static const char *const headers[] = { "ORIGIN", "VIEW", "ID", "AGE", "LABEL", "PATH" };
	cleanup_table struct table *t = table_new(headers, ARRAY_SIZE(headers));
	char buffer[32];

	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < sd_json_variant_elements(views); i++) {
		sd_json_variant *v = sd_json_variant_by_index(views, i);

		table_add(t, get_string(v, "origin"));
		table_add(t, get_string(v, "name"));
		add_number(t, get_number(v, "id"));
		table_add(t, show_age(since(get_number(v, "createdUSec")), buffer));
		table_add(t, get_string(v, "label"));
		table_add(t, get_string(v, "path"));
	}
	return table_print(t, stdout);
}
