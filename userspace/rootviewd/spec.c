// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a view was asked for with; spec.h is the contract.
 */
#include "spec.h"

#include <limits.h>

#include "interface.h"
#include "process.h"
#include "util.h"

void spec_free(struct spec *spec)
{
	mount_points_free(&spec->points);
	free(spec->idmap);
	free(spec->cgroup);
	*spec = SPEC_DEFAULT;
}

/*
 * Reading.
 */

/* *@ret is NULL if there is no such parameter; it lives as long as @parameters. */
static int find_string(sd_json_variant *parameters, const char *name, const char **ret,
		       struct failure *f)
{
	sd_json_variant *value = json_field(parameters, name);

	if (value && !sd_json_variant_is_string(value))
		return failed_about(f, FAILURE_INVALID_REQUEST, name, "%s is no string", name);
	*ret = value ? sd_json_variant_string(value) : NULL;
	return 0;
}

static int copy_string(const char *s, char **ret, struct failure *f)
{
	*ret = strdup(s);
	return *ret ? 0 : failed_step(f, "the request", "read it", ENOMEM, NULL);
}

/* Whether one of the components between slashes equals @name. */
static bool has_component(const char *path, const char *name)
{
	for (; *path; path += *path == '/') {
		size_t n = strcspn(path, "/");

		if (n == strlen(name) && memcmp(path, name, n) == 0)
			return true;
		path += n;
	}
	return false;
}

static int read_cgroup(sd_json_variant *parameters, char **ret, struct failure *f)
{
	const char *cgroup = NULL, *fault = NULL;

	if (find_string(parameters, "cgroup", &cgroup, f) < 0)
		return -1;
	if (!cgroup)
		return 0;
	if (*cgroup != '/')
		fault = "is not absolute";
	else if (strlen(cgroup) >= PATH_MAX)
		fault = "is longer than 4095 bytes";
	else if (has_component(cgroup, ".."))
		fault = "holds \"..\"";
	if (fault)
		return failed_about(f, FAILURE_NO_SUCH_CGROUP, cgroup,
				    "the cgroup \"%.256s\" %s", cgroup, fault);
	return copy_string(cgroup, ret, f);
}

/* 0 if there is no such parameter. */
static int read_process(sd_json_variant *parameters, pid_t *ret, struct failure *f)
{
	sd_json_variant *value = json_field(parameters, "process");
	int64_t pid;

	if (!value)
		return 0;
	if (!sd_json_variant_is_integer(value))
		return failed_about(f, FAILURE_INVALID_REQUEST, "process",
				    "process is no whole number");
	pid = sd_json_variant_integer(value);
	if (pid <= 0 || pid > INT_MAX)
		return failed(f, FAILURE_NO_SUCH_PROCESS, "%lld is no process's id",
			      (long long)pid);
	*ret = pid;
	return 0;
}

static int read_device_only(sd_json_variant *parameters, bool *ret, struct failure *f)
{
	sd_json_variant *value = json_field(parameters, "deviceOnly");

	if (value && !sd_json_variant_is_boolean(value))
		return failed_about(f, FAILURE_INVALID_REQUEST, "deviceOnly",
				    "deviceOnly is neither true nor false");
	*ret = value && sd_json_variant_boolean(value);
	return 0;
}

/* All that a request and a blob have in common. */
static int read_common(sd_json_variant *parameters, struct spec *spec, struct failure *f)
{
	sd_json_variant *idmap = json_field(parameters, "idMap");

	if (read_device_only(parameters, &spec->device_only, f) < 0 ||
	    mount_points_from_json(json_field(parameters, "mountPoints"),
				   json_field(parameters, "lists"), &spec->points, f) < 0 ||
	    (idmap && idmap_from_json(idmap, &spec->idmap, f) < 0) ||
	    read_cgroup(parameters, &spec->cgroup, f) < 0)
		return -1;
	return read_process(parameters, &spec->process, f);
}

static int look_up_process(struct spec *spec, struct failure *f)
{
	char object[32];
	int r;

	if (!spec->process)
		return 0;
	r = process_start(spec->process, &spec->process_start);
	if (r == -ESRCH)
		return failed(f, FAILURE_NO_SUCH_PROCESS, "there is no process %d", spec->process);
	if (r == 0)
		return 0;
	snprintf(object, sizeof(object), "process %d", spec->process);
	return failed_step(f, object, "look at it", -r, NULL);
}

int spec_from_request(sd_json_variant *parameters, struct spec *ret, struct failure *f)
{
	struct spec spec = SPEC_DEFAULT;

	if (read_common(parameters, &spec, f) < 0 || look_up_process(&spec, f) < 0) {
		spec_free(&spec);
		return -1;
	}
	*ret = spec;
	return 0;
}

/*
 * Blobs.
 */

static bool is_at_most(sd_json_variant *v, uint64_t most)
{
	return sd_json_variant_is_unsigned(v) && sd_json_variant_unsigned(v) <= most;
}

/* What a blob has beside a request's parameters. */
static bool read_rest(sd_json_variant *json, struct spec *spec)
{
	sd_json_variant *start = json_field(json, "processStart");
	sd_json_variant *folder = json_field(json, "variant");

	/* Without its start, a process cannot be told from its successor. */
	if (!start != !spec->process || (start && !is_at_most(start, UINT64_MAX)))
		return false;
	/* The folder stands for the mount points. */
	if (folder && (!is_at_most(folder, INT64_MAX) || spec->points.n > 0))
		return false;
	if (start)
		spec->process_start = sd_json_variant_unsigned(start);
	if (folder)
		spec->folder = sd_json_variant_unsigned(folder);
	return true;
}

static int from_json(sd_json_variant *json, struct spec *ret)
{
	struct spec spec = SPEC_DEFAULT;
	struct failure f;
	int r = 0;

	if (!sd_json_variant_is_object(json))
		return -EBADMSG;
	if (read_common(json, &spec, &f) < 0)
		r = failure_is_shortage(&f) ? -ENOMEM : -EBADMSG;
	else if (!read_rest(json, &spec))
		r = -EBADMSG;
	if (r < 0)
		spec_free(&spec);
	else
		*ret = spec;
	return r;
}

int spec_from_blob(const void *blob, size_t size, struct spec *ret)
{
	cleanup_with(sd_json_variant_unrefp) sd_json_variant *json = NULL;
	cleanup_free char *text = NULL;
	int r;

	if (!blob || size == 0) {
		*ret = SPEC_DEFAULT;
		return 0;
	}
	text = strndup(blob, size);
	if (!text)
		return -ENOMEM;
	/* One NUL may end it. */
	if (strlen(text) + 1 < size)
		return -EBADMSG;
	r = sd_json_parse(text, 0, &json, NULL, NULL);
	if (r < 0)
		return r == -ENOMEM ? r : -EBADMSG;
	return from_json(json, ret);
}

#define OPTIONAL(condition, name, value) SD_JSON_BUILD_PAIR_CONDITION(condition, name, value)

int spec_to_blob(const struct spec *spec, int64_t folder, char **ret)
{
	cleanup_with(sd_json_variant_unrefp) sd_json_variant *json = NULL, *points = NULL,
							     *idmap = NULL;
	int r = mount_points_to_json(&spec->points, &points);

	if (r == 0 && spec->idmap)
		r = idmap_to_json(spec->idmap, &idmap);
	if (r < 0)
		return r;
	r = sd_json_buildo(
		&json,
		OPTIONAL(spec->device_only, "deviceOnly", SD_JSON_BUILD_BOOLEAN(true)),
		OPTIONAL(folder < 0 && spec->points.n > 0, "mountPoints",
			 SD_JSON_BUILD_VARIANT(points)),
		OPTIONAL(!!idmap, "idMap", SD_JSON_BUILD_VARIANT(idmap)),
		OPTIONAL(!!spec->cgroup, "cgroup", SD_JSON_BUILD_STRING(spec->cgroup)),
		OPTIONAL(!!spec->process, "process", SD_JSON_BUILD_INTEGER(spec->process)),
		OPTIONAL(!!spec->process, "processStart",
			 SD_JSON_BUILD_UNSIGNED(spec->process_start)),
		OPTIONAL(folder >= 0, "variant", SD_JSON_BUILD_INTEGER(folder)));
	if (r < 0)
		return r;
	*ret = NULL;
	if (sd_json_variant_is_blank_object(json))
		return 0;
	r = sd_json_variant_format(json, 0, ret);
	return r < 0 ? r : 0;
}
