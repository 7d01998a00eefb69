// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * LVM, by its own commands; lvm.h is the contract.
 */
#include "lvm.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include "graphdriver/json.h"
#include "say.h"
#include "util.h"

#define MAX_ARGUMENTS 24

/* Starts LVM with stdout at @out, or nowhere. */
static int start(const char *const arguments[], int out, pid_t *ret)
{
	const char *full[MAX_ARGUMENTS + 2] = { "lvm" };
	posix_spawn_file_actions_t actions;
	int r;

	for (size_t i = 0; i < MAX_ARGUMENTS && arguments[i]; i++)
		full[i + 1] = arguments[i];
	r = posix_spawn_file_actions_init(&actions);
	if (r)
		return r;
	r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!r && out < 0)
		r = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null",
						     O_WRONLY, 0);
	else if (!r)
		r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	r = r ?: posix_spawnp(ret, full[0], &actions, NULL, (char *const *)full, environ);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

/* Waits for LVM to end. */
static int finish(const char *command, pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status))
		return complain("\"lvm %s\" failed, status %d", command, WEXITSTATUS(status));
	return complain("\"lvm %s\" was killed by signal %d", command, WTERMSIG(status));
}

static int cannot_start(int error)
{
	return complain("lvm cannot be started: %s%s", strerror(error),
			error == ENOENT ? "; install lvm2" : "");
}

int lvm_run(const char *const arguments[])
{
	pid_t pid;
	int r = start(arguments, -1, &pid);

	return r ? cannot_start(r) : finish(arguments[0], pid);
}

/* All that comes out of @fd; NULL if memory is short. */
static char *read_all(int fd)
{
	cleanup_fclose FILE *file = fdopen(fd, "r");
	char *text = NULL;
	size_t size = 0;

	if (!file) {
		close(fd);
		return NULL;
	}
	/* JSON has no NUL. */
	return getdelim(&text, &size, '\0', file) < 0 ? free(text), NULL : text;
}

/* One of LVM's reports, as an array of objects. */
static int report(const char *command, const char *rows, const char *fields,
		  const char *selection, sd_json_variant **ret)
{
	const char *const arguments[] = { command, "--reportformat", "json", "--units", "b",
					  "--nosuffix", "--options", fields,
					  selection ? "--select" : NULL, selection, NULL };
	cleanup_json sd_json_variant *all = NULL;
	sd_json_variant *list;
	cleanup_free char *text = NULL;
	int fds[2], r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return complain("no pipe: %s", strerror(errno));
	r = start(arguments, fds[1], &pid);
	close(fds[1]);
	if (r) {
		close(fds[0]);
		return cannot_start(r);
	}
	text = read_all(fds[0]);
	if (finish(command, pid) < 0)
		return -1;
	if (!text || sd_json_parse(text, 0, &all, NULL, NULL) < 0)
		return complain("the answer of \"lvm %s\" is no JSON", command);
	list = sd_json_variant_by_key(all, "report");
	list = sd_json_variant_is_array(list) ? sd_json_variant_by_index(list, 0) : NULL;
	list = sd_json_variant_is_object(list) ? sd_json_variant_by_key(list, rows) : NULL;
	if (!sd_json_variant_is_array(list))
		return complain("the answer of \"lvm %s\" has no \"%s\"", command, rows);
	*ret = sd_json_variant_ref(list);
	return 0;
}

/* LVM writes numbers as strings. */
static uint64_t number(sd_json_variant *row, const char *key)
{
	return strtoull(json_string(row, key), NULL, 10);
}

static void copy(sd_json_variant *row, const char *key, char *to, size_t size)
{
	snprintf(to, size, "%s", json_string(row, key));
}

bool lvm_is_name(const char *name)
{
	size_t n = strlen(name);

	return n && n < 100 && *name != '-' && !streq(name, ".") && !streq(name, "..") &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			    "+_.-") == n;
}

int lvm_get_group(const char *vg, struct lvm_group *ret)
{
	cleanup_json sd_json_variant *rows = NULL;
	char selection[256];
	sd_json_variant *row;

	*ret = (struct lvm_group){ 0 };
	snprintf(selection, sizeof(selection), "vg_name=%s", vg);
	if (report("vgs", "vg", "vg_free,vg_extent_size,vg_missing_pv_count", selection, &rows) < 0)
		return -1;
	if (sd_json_variant_elements(rows) > 1)
		return complain("there are several volume groups \"%s\": rename all but one by "
				"\"vgrename\"", vg);
	if (sd_json_variant_elements(rows) == 0)
		return 0;
	row = sd_json_variant_by_index(rows, 0);
	ret->exists = true;
	ret->incomplete = number(row, "vg_missing_pv_count") > 0;
	ret->free = number(row, "vg_free");
	ret->extent = number(row, "vg_extent_size");
	if (!ret->extent)
		return complain("volume group \"%s\" has no extents", vg);
	return 0;
}

int lvm_get_volume(const char *vg, const char *name, struct lvm_volume *ret)
{
	cleanup_json sd_json_variant *rows = NULL;
	char selection[512];
	sd_json_variant *row;

	*ret = (struct lvm_volume){ 0 };
	snprintf(selection, sizeof(selection), "vg_name=%s && lv_name=%s", vg, name);
	if (report("lvs", "lv", "lv_uuid,lv_layout,lv_active,lv_size,lv_metadata_size,"
		   "transaction_id,thin_count,lv_when_full,zero,lv_dm_path,lv_health_status,lv_tags",
		   selection, &rows) < 0)
		return -1;
	if (sd_json_variant_elements(rows) == 0)
		return 0;
	row = sd_json_variant_by_index(rows, 0);
	ret->exists = true;
	/* Of a new volume there is no other tag. */
	ret->unfinished = streq(json_string(row, "lv_tags"), LVM_UNFINISHED);
	ret->is_pool = streq(json_string(row, "lv_layout"), "thin,pool");
	ret->active = after_prefix(json_string(row, "lv_active"), "active");
	ret->has_volumes = number(row, "transaction_id") > 0 || number(row, "thin_count") > 0;
	ret->waits_when_full = !streq(json_string(row, "lv_when_full"), "error");
	ret->zeroes = *json_string(row, "zero") && !streq(json_string(row, "zero"), "0");
	ret->size = number(row, "lv_size");
	ret->metadata_size = number(row, "lv_metadata_size");
	copy(row, "lv_uuid", ret->uuid, sizeof(ret->uuid));
	copy(row, "lv_dm_path", ret->path, sizeof(ret->path));
	copy(row, "lv_health_status", ret->health, sizeof(ret->health));
	return 0;
}

int lvm_each_device(int (*each)(const char *path, const char *vg, void *userdata), void *userdata)
{
	cleanup_json sd_json_variant *rows = NULL;
	int r = 0;

	if (report("pvs", "pv", "pv_name,vg_name", NULL, &rows) < 0)
		return -1;
	for (size_t i = 0; r == 0 && i < sd_json_variant_elements(rows); i++) {
		sd_json_variant *row = sd_json_variant_by_index(rows, i);

		r = each(json_string(row, "pv_name"), json_string(row, "vg_name"), userdata);
	}
	return r;
}
