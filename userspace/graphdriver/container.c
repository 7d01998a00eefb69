// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Docker's own files about containers; container.h is the contract.
 *
 *	DATA-ROOT/image/DRIVER/layerdb/mounts/CONTAINER/mount-id	the layer's id
 *	DATA-ROOT/containers/CONTAINER/hostconfig.json, config.v2.json
 */
#include "container.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "json.h"
#include "util.h"

/* dockerd mounts it if it was told so, for this container or for all. */
#define INIT_PROGRAM "/sbin/docker-init"

/* Whether the file is there and has no more in it than @text. */
static bool has_text(int folder, const char *path, const char *text)
{
	cleanup_close int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	char is[256];
	ssize_t n = fd < 0 ? -1 : read(fd, is, sizeof(is) - 1);

	if (n < 0)
		return false;
	is[n] = 0;
	return streq(is, text);
}

/* Puts the container's id into @ret: of the one that the layer is the topmost of. */
static int find_container(const char *home, const char *id, char ret[static NAME_MAX + 1])
{
	const char *driver = strrchr(home, '/') + 1;
	cleanup_closedir DIR *dir = NULL;
	char path[PATH_MAX], file[NAME_MAX + sizeof("/mount-id")];
	struct dirent *entry;

	snprintf(path, sizeof(path), "%.*simage/%s/layerdb/mounts", (int)(driver - home), home,
		 driver);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		snprintf(file, sizeof(file), "%s/mount-id", entry->d_name);
		if (entry->d_name[0] == '.' || !has_text(dirfd(dir), file, id))
			continue;
		snprintf(ret, NAME_MAX + 1, "%s", entry->d_name);
		return 0;
	}
	return -1;
}

static sd_json_variant *read_json(const char *home, const char *container, const char *name)
{
	const char *driver = strrchr(home, '/') + 1;
	sd_json_variant *v = NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.*scontainers/%s/%s", (int)(driver - home), home, container,
		 name);
	if (sd_json_parse_file(NULL, path, 0, &v, NULL, NULL) < 0)
		return NULL;
	return v;
}

static int add(struct container *c, const char *path, bool is_file)
{
	struct container_point *points =
		reallocarray(c->points, c->n_points + 1, sizeof(*points));
	char *copy = strdup(path);

	if (points)
		c->points = points;
	if (!points || !copy) {
		free(copy);
		return -1;
	}
	c->points[c->n_points++] = (struct container_point){ .path = copy, .is_file = is_file };
	return 0;
}

/* The keys of an object, which may be missing, are paths; the values may say what kind. */
static int add_keys(struct container *c, sd_json_variant *v)
{
	struct stat st;

	if (!sd_json_variant_is_object(v))
		return 0;
	for (size_t i = 0; i < sd_json_variant_elements(v); i += 2) {
		const char *path = sd_json_variant_string(sd_json_variant_by_index(v, i));
		const char *source = json_string(sd_json_variant_by_index(v, i + 1), "Source");

		if (add(c, path, *source && stat(source, &st) == 0 && !S_ISDIR(st.st_mode)) < 0)
			return -1;
	}
	return 0;
}

/* What was asked for with --mount; all but tmpfs is in the container's own list, too. */
static int add_mounts(struct container *c, sd_json_variant *v)
{
	if (!sd_json_variant_is_array(v))
		return 0;
	for (size_t i = 0; i < sd_json_variant_elements(v); i++) {
		sd_json_variant *mount = sd_json_variant_by_index(v, i);

		if (streq(json_string(mount, "Type"), "tmpfs") &&
		    add(c, json_string(mount, "Target"), false) < 0)
			return -1;
	}
	return 0;
}

static bool is_true(sd_json_variant *v)
{
	return sd_json_variant_is_boolean(v) && sd_json_variant_boolean(v);
}

static bool is_false(sd_json_variant *v)
{
	return sd_json_variant_is_boolean(v) && !sd_json_variant_boolean(v);
}

static int take(struct container *c, sd_json_variant *host, sd_json_variant *config)
{
	sd_json_variant *own = sd_json_variant_by_key(config, "Config");
	const char *start = json_string(own, "WorkingDir");

	c->read_only = is_true(sd_json_variant_by_key(host, "ReadonlyRootfs"));
	/* Swarm's, which it mounts where it likes. */
	if (json_has_elements(sd_json_variant_by_key(config, "SecretReferences")) ||
	    json_has_elements(sd_json_variant_by_key(config, "ConfigReferences")))
		return -1;
	if (add_keys(c, sd_json_variant_by_key(config, "MountPoints")) < 0 ||
	    add_keys(c, sd_json_variant_by_key(host, "Tmpfs")) < 0 ||
	    add_mounts(c, sd_json_variant_by_key(host, "Mounts")) < 0)
		return -1;
	if (*start && !streq(start, "/") && add(c, start, false) < 0)
		return -1;
	return is_false(sd_json_variant_by_key(host, "Init")) ? 0 : add(c, INIT_PROGRAM, true);
}

int container_read(const char *home, const char *id, struct container *ret)
{
	cleanup_json sd_json_variant *host = NULL, *config = NULL;
	struct container c = { .n_points = 0 };
	char name[NAME_MAX + 1];

	if (find_container(home, id, name) < 0)
		return -1;
	host = read_json(home, name, "hostconfig.json");
	config = read_json(home, name, "config.v2.json");
	if (!sd_json_variant_is_object(host) || !sd_json_variant_is_object(config))
		return -1;
	if (take(&c, host, config) < 0) {
		container_free(&c);
		return -1;
	}
	*ret = c;
	return 0;
}

int container_add_directories(struct container *container, const char *list)
{
	do {
		size_t length = strcspn(list, ":");
		cleanup_free char *path = strndup(list, length);

		if (!path || *path != '/' || !path[1] || add(container, path, false) < 0)
			return -1;
		list += length;
	} while (*list++);
	return 0;
}

void container_free(struct container *container)
{
	for (size_t i = 0; i < container->n_points; i++)
		free(container->points[i].path);
	free(container->points);
	*container = (struct container){ .n_points = 0 };
}
