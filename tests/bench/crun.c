// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whole containers by crun: created, started, and left running until deleted.
 */
#include <systemd/sd-json.h>

#include "bench.h"
#include "util.h"

/* Where a root file system that is mounted nowhere is shown to crun. */
#define FOLDER "/mnt"

#define cleanup_json cleanup_with(sd_json_variant_unrefp)

static char *bundle_of(const struct bench *b, size_t i)
{
	return text("%s/bundle/%zu", b->work, i);
}

static void run_crun(const struct bench *b, int mount, char *const argv[], size_t n)
{
	cleanup_free char *state = text("--root=%s/crun", b->work);
	cleanup_free char *log = text("--log=%s/crun.log", b->work);
	char *all[16] = { "crun", state, log, "--cgroup-manager=cgroupfs" };

	memcpy(all + 4, argv, n * sizeof(*argv));
	run_program_with(mount, FOLDER, all);
}

#define crun(b, mount, ...)                                                   \
	run_crun(b, mount, (char *[]){ __VA_ARGS__ },                         \
		 sizeof((char *[]){ __VA_ARGS__ }) / sizeof(char *))

/* Puts @value into @object, which is in @config, at @name. */
static void set_label(sd_json_variant **config, const char *object, const char *name,
		      const char *value)
{
	cleanup_json sd_json_variant *changed =
		sd_json_variant_ref(sd_json_variant_by_key(*config, object));

	if (sd_json_variant_set_field_string(&changed, name, value) < 0 ||
	    sd_json_variant_set_field(config, object, changed) < 0)
		die(0, "a container's configuration");
}

/* An OCI bundle, made of the template in the work folder. */
static void make_bundle(const struct bench *b, size_t i, const char *bundle)
{
	cleanup_free char *template = text("%s/config.json", b->work);
	cleanup_free char *path = text("%s/config.json", bundle), *content = NULL;
	cleanup_free char *process = process_label(i), *files = files_label(i);
	cleanup_json sd_json_variant *config = NULL, *root = NULL;

	if (sd_json_buildo(&root,
			   SD_JSON_BUILD_PAIR_STRING("path", b->containers[i].root ?: FOLDER),
			   SD_JSON_BUILD_PAIR_BOOLEAN("readonly", true)) < 0 ||
	    sd_json_parse_file(NULL, template, 0, &config, NULL, NULL) < 0 ||
	    sd_json_variant_set_field(&config, "root", root) < 0)
		die(0, "a container's configuration");
	if (b->labels) {
		set_label(&config, "process", "selinuxLabel", process);
		set_label(&config, "linux", "mountLabel", files);
	}
	if (sd_json_variant_format(config, 0, &content) < 0)
		die(0, "a container's configuration");
	make_folder(bundle, 0700);
	write_file(path, content);
}

void crun_start(struct bench *b, size_t i)
{
	cleanup_free char *bundle = bundle_of(b, i), *name = text("rvb-%zu", i);
	cleanup_free char *pid_file = text("%s/pid", bundle);

	make_bundle(b, i, bundle);
	crun(b, b->containers[i].mount, "create", "--bundle", bundle, "--pid-file", pid_file, name);
	crun(b, -1, "start", name);
	wait_until_pausing(pid_file);
}

void crun_delete(struct bench *b, size_t i)
{
	cleanup_free char *bundle = bundle_of(b, i), *name = text("rvb-%zu", i);

	crun(b, -1, "delete", "--force", name);
	remove_tree(bundle);
}
