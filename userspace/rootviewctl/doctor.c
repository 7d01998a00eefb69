// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The command that checks the machine; command.h is the contract.
 *
 * A problem is what keeps views from working, or from being kept apart; a
 * warning is what some of them will miss.  Each comes with what to do about it.
 */
#include <inttypes.h>
#include <libdevmapper.h>
#include <selinux/selinux.h>
#include <stdarg.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

#include "command.h"
#include "interface.h"
#include "kernel-limits.h"
#include "layerstore/pool.h"
#include "loop.h"
#include "mount-namespace.h"
#include "storage.h"
#include "trial.h"

/* Of mounts; hosts with 3,000 to 10,000 of them were seen to go down. */
#define MANY_MOUNTS 3000

/* Of the pool, in per cent of its data or metadata. */
#define NEARLY_FULL 90

/* A daemon that is sick may not answer. */
#define PATIENCE_USEC (10 * 1000000ULL)

enum state {
	OK,
	WARNING,
	PROBLEM,
};

static const char *const state_names[] = { "ok", "warning", "problem" };

struct patient {
	const struct options *options;
	struct utsname kernel;
	struct trials trials;
	struct rootview_reply *origins;	/* what ListOrigins answered; NULL without a daemon */
};

struct finding {
	enum state state;
	char *message;			/* NULL if memory is short */
};

__attribute__((__format__(__printf__, 3, 4)))
static void find(struct finding *finding, enum state state, const char *format, ...)
{
	va_list args;

	finding->state = state;
	va_start(args, format);
	if (vasprintf(&finding->message, format, args) < 0)
		finding->message = NULL;
	va_end(args);
}

/*
 * The kernel and its module.
 */

/* @without is what views cannot have if the trial failed. */
static void find_trial(struct finding *f, const struct trial *t, const char *what,
		       const char *without, const char *since)
{
	switch (t->verdict) {
	case TRIAL_WORKED:
		find(f, OK, "%s work: tried on %s", what, t->text);
		break;
	case TRIAL_FAILED:
		find(f, WARNING, "%s do not work, tried on %s: views cannot have %s; Linux has "
				 "them since %s", what, t->text, without, since);
		break;
	case TRIAL_NOT_MADE:
		find(f, WARNING, "%s were not tried: %s", what, t->text);
		break;
	}
}

static void check_id_maps(struct patient *p, struct finding *f)
{
	find_trial(f, &p->trials.idmap, "id maps", "one", "5.12");
}

static void check_overlays(struct patient *p, struct finding *f)
{
	find_trial(f, &p->trials.overlay, "overlays over id maps",
		   "an id map together with a label or missing mount points", "5.19");
}

static void check_mprotect(struct patient *p, struct finding *f)
{
	const char *release = p->kernel.release;

	if (limits_fixes_mprotect(release))
		find(f, OK, "kernel %s checks mprotect() against a view's own label, going by its "
			    "version",
		     release);
	else
		find(f, WARNING, "kernel %s may not check mprotect() against a view's own label "
				 "(CVE-2026-46054), going by its version, as that cannot be tried: "
				 "update it to 6.12.117 or 7.0, unless your distribution has the "
				 "fix under an older version",
		     release);
}

/* Whether modprobe would find the module for the running kernel. */
static bool is_installed(const char *release)
{
	cleanup_fclose FILE *list = NULL;
	cleanup_free char *path = NULL, *line = NULL;
	size_t size = 0;

	if (asprintf(&path, "/lib/modules/%s/modules.dep", release) < 0) {
		path = NULL;
		return false;
	}
	list = fopen(path, "re");
	while (list && getline(&line, &size, list) > 0) {
		line[strcspn(line, ":")] = '\0';
		if (strstr(line, "/dm-rootview.ko"))
			return true;
	}
	return false;
}

/* The version of the module that is loaded, in @version; "" if it does not say. */
static void read_module_version(char version[static 32])
{
	cleanup_fclose FILE *file = fopen("/sys/module/dm_rootview/version", "re");

	if (!file || fscanf(file, "%31s", version) != 1)
		version[0] = '\0';
}

static void check_loaded_module(struct finding *f)
{
	char version[32];

	read_module_version(version);
	if (streq(version, ROOTVIEW_VERSION))
		find(f, OK, "dm-rootview %s is loaded", version);
	else
		find(f, WARNING, "dm-rootview %s is loaded, and rootviewctl is " ROOTVIEW_VERSION
				 ": install them from one release, remove all origins, then "
				 "\"modprobe -r dm-rootview && modprobe dm-rootview\"",
		     *version ? version : "of no known version");
}

static void check_module(struct patient *p, struct finding *f)
{
	if (access("/sys/module/dm_rootview", F_OK) == 0)
		check_loaded_module(f);
	else if (is_installed(p->kernel.release))
		find(f, WARNING, "dm-rootview is not loaded: \"modprobe dm-rootview\" does it");
	else
		find(f, PROBLEM, "dm-rootview is not there for kernel %s: install its headers, "
				 "then \"dkms autoinstall\" or \"make install-dkms\"",
		     p->kernel.release);
}

/*
 * The daemon, and what it knows.
 */

static void check_daemon(struct patient *p, struct finding *f)
{
	cleanup_daemon struct rootview *c = NULL;
	cleanup_free char *why = NULL;
	struct rootview_call *call;

	if (command_try(p->options->socket, PATIENCE_USEC, rootview_call_list_origins(&call), &call,
			&p->origins, &c, &why) < 0)
		find(f, PROBLEM, "%s: \"systemctl enable --now rootviewd.socket\" starts it, and "
				 "root may ask it",
		     why ?: "out of memory");
	else
		find(f, OK, "rootviewd answers");
}

static void check_namespace(struct patient *p, struct finding *f)
{
	static const char unit[] = "rootviewd.service";
	cleanup_free char *settings = NULL;

	(void)p;
	if (mount_namespace_settings(unit, &settings) < 0)
		find(f, OK, "no systemd that can be asked gives rootviewd a mount name space");
	else if (*settings)
		find(f, PROBLEM, "%s has a mount name space of its own, so that nobody else would "
				 "see a view: \"systemctl edit %s\", and remove %s",
		     unit, unit, settings);
	else
		find(f, OK, "%s has no mount name space of its own", unit);
}

static void check_origins(struct patient *p, struct finding *f)
{
	size_t n = rootview_reply_count(p->origins);

	if (!p->origins) {
		find(f, WARNING, "read errors are not known without rootviewd");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		uint64_t errors;

		if (rootview_reply_number(p->origins, i, "readErrors", &errors) == 0 &&
		    errors > 0) {
			find(f, PROBLEM, "%" PRIu64 " reads of origin \"%s\" failed: look for "
						    "its block device %s in the kernel's log, "
						    "and replace what it is on",
			     errors, rootview_reply_name(p->origins, i),
			     rootview_reply_backing(p->origins, i));
			return;
		}
	}
	find(f, OK, "no origin has failed reads");
}

/* By hand it can be done; the daemon refuses it. */
static void check_twins(struct patient *p, struct finding *f)
{
	struct rootview_reply *all = p->origins;
	size_t n = rootview_reply_count(all);

	if (!all) {
		find(f, WARNING, "whether two origins are one device is not known without "
				 "rootviewd");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < i; j++) {
			if (!streq(rootview_reply_backing(all, i), rootview_reply_backing(all, j)))
				continue;
			find(f, PROBLEM, "origins \"%s\" and \"%s\" are one device, %s: they share "
					 "neither superblock nor page cache; remove one",
			     rootview_reply_name(all, j), rootview_reply_name(all, i),
			     rootview_reply_backing(all, i));
			return;
		}
	}
	find(f, OK, "each origin is a device of its own");
}

/*
 * SELinux.
 */

static void check_selinux(struct patient *p, struct finding *f)
{
	(void)p;
	if (is_selinux_enabled() != 1)
		find(f, WARNING, "SELinux is off: views have no labels, and these keep no "
				 "containers apart; install a policy and boot with "
				 "\"security=selinux selinux=1\"");
	else if (security_getenforce() != 1)
		find(f, WARNING, "SELinux is permissive and stops nobody: \"setenforce 1\", and "
				 "SELINUX=enforcing in /etc/selinux/config");
	else
		find(f, OK, "SELinux is enforcing");
}

/* The context in the loaded policy, whether that has levels or not; NULL if it has no such type. */
static const char *context(const char *with_level, const char *without)
{
	if (security_check_context(with_level) == 0)
		return with_level;
	return security_check_context(without) == 0 ? without : NULL;
}

/* Whether a container may be started from a program in a view; negative if it cannot be known. */
static int may_enter(const char *container, const char *files)
{
	security_class_t class = string_to_security_class("file");
	access_vector_t entrypoint = class ? string_to_av_perm(class, "entrypoint") : 0;
	struct av_decision decision;

	if (!entrypoint ||
	    security_compute_av(container, files, class, entrypoint, &decision) < 0)
		return -1;
	return (decision.allowed & entrypoint) != 0;
}

static void check_entrypoint(struct patient *p, struct finding *f)
{
	static const char advice[] =
		"\"semodule -i " ROOTVIEW_DATADIR "/selinux/rootview.cil\"";
	const char *container, *files;
	int may;

	(void)p;
	if (is_selinux_enabled() != 1) {
		find(f, OK, "without SELinux, any program in a view can start a container");
		return;
	}
	container = context("system_u:system_r:container_t:s0", "system_u:system_r:container_t");
	files = context("system_u:object_r:container_ro_file_t:s0",
			"system_u:object_r:container_ro_file_t");
	if (!container || !files) {
		find(f, WARNING, "the policy has no %s: install its part for containers (such as "
				 "container-selinux), then %s",
		     container ? "container_ro_file_t" : "container_t", advice);
		return;
	}
	may = may_enter(container, files);
	if (may > 0)
		find(f, OK, "container_t may be entered by container_ro_file_t");
	else if (may < 0)
		find(f, WARNING, "the policy cannot be asked about container_t: %m");
	else
		find(f, security_getenforce() == 1 ? PROBLEM : WARNING,
		     "container_t may not be entered by container_ro_file_t, so that no "
		     "container in container_t starts from a view: %s mends it",
		     advice);
}

/*
 * Block devices.
 */

#define cleanup_task cleanup_with(destroy_task)

static void destroy_task(struct dm_task **task)
{
	if (*task)
		dm_task_destroy(*task);
}

/* The library would say on stderr what becomes a finding. */
__attribute__((__format__(__printf__, 5, 6)))
static void ignore_log(int level, const char *file, int line, int error, const char *format, ...)
{
	(void)level;
	(void)file;
	(void)line;
	(void)error;
	(void)format;
}

static bool is_pool(const char *name)
{
	cleanup_task struct dm_task *task = dm_task_create(DM_DEVICE_TABLE);
	char *type = NULL, *table = NULL;
	uint64_t start, length;

	if (!task || !dm_task_set_name(task, name) || !dm_task_run(task))
		return false;
	dm_get_next_target(task, NULL, &start, &length, &type, &table);
	return type && streq(type, "thin-pool");
}

/* Whether the device is a thin pool with its data or metadata on a loop device. */
static bool is_pool_on_loop(const char *name, dev_t device)
{
	char number[32];

	snprintf(number, sizeof(number), "%u:%u", major(device), minor(device));
	return is_pool(name) && lies_on_loop(number);
}

static void check_pools(struct patient *p, struct finding *f)
{
	cleanup_task struct dm_task *task = NULL;
	const struct dm_names *names;

	(void)p;
	dm_log_with_errno_init(ignore_log);
	task = dm_task_create(DM_DEVICE_LIST);
	if (!task || !dm_task_run(task)) {
		find(f, WARNING, "device-mapper cannot be asked for thin pools: load dm-mod, and "
				 "run this as root");
		return;
	}
	/* Without a device there is one entry, of number 0. */
	for (names = dm_task_get_names(task); names && names->dev;
	     names = (const void *)((const char *)names + names->next)) {
		if (is_pool_on_loop(names->name, names->dev)) {
			find(f, WARNING, "thin pool %s is on a loop device, which is slow and "
					 "fragile: put it on a disk or on LVM",
			     names->name);
			return;
		}
		if (names->next == 0)
			break;
	}
	find(f, OK, "no thin pool is on a loop device");
}

static unsigned int percent(uint64_t used, uint64_t total)
{
	return total ? used * 100 / total : 100;
}

static void check_pool_status(const struct storage *storage, const struct pool_status *st,
			      struct finding *f)
{
	unsigned int data = percent(st->data_used, st->data_total);
	unsigned int metadata = percent(st->metadata_used, st->metadata_total);

	if (st->needs_check || st->read_only)
		find(f, PROBLEM, "thin pool %s is read-only%s: stop who uses it, then "
				 "\"lvchange -an %s/%s\" and \"lvconvert --repair %s/%s\"",
		     storage->pool, st->needs_check ? " and needs to be checked" : "",
		     storage->vg, storage->lv, storage->vg, storage->lv);
	else if (st->out_of_space)
		find(f, PROBLEM, "thin pool %s is full: \"rootview-storage-setup --grow\"",
		     storage->pool);
	else if (data >= NEARLY_FULL || metadata >= NEARLY_FULL)
		find(f, WARNING, "thin pool %s is nearly full, %u %% of its data and %u %% of its "
				 "metadata: \"rootview-storage-setup --grow\"",
		     storage->pool, data, metadata);
	else if (st->on_loop)
		find(f, WARNING, "thin pool %s is on a loop device, which is slow and loses data: "
				 "make one on a disk",
		     storage->pool);
	else
		find(f, OK, "thin pool %s is active, %u %% of its data and %u %% of its metadata "
			    "are used",
		     storage->pool, data, metadata);
}

static void check_pool(struct patient *p, struct finding *f)
{
	struct layer_error error = { 0 };
	struct pool_status status;
	struct storage storage;
	struct pool pool;
	char why[STORAGE_ERROR_SIZE];

	(void)p;
	if (storage_read(STORAGE_CONFIG, &storage, why) < 0)
		find(f, PROBLEM, "%s", why);
	else if (!storage_is_set(&storage))
		find(f, OK, "no thin pool is set up by rootview-storage-setup");
	else if (!storage.pool[0])
		find(f, PROBLEM,
		     "the thin pool is not finished: \"rootview-storage-setup\" does it");
	else if (pool_open(&pool, storage.pool, "doctor", &error) < 0 ||
		 pool_status(&pool, &status, &error) < 0)
		find(f, PROBLEM, "%s: \"rootview-storage-setup\" activates it, or says why not",
		     error.message);
	else
		check_pool_status(&storage, &status, f);
}

/*
 * Mounts.
 */

static void check_mounts(struct patient *p, struct finding *f)
{
	cleanup_fclose FILE *table = fopen("/proc/self/mountinfo", "re");
	size_t n = 0;
	int c;

	(void)p;
	if (!table) {
		find(f, PROBLEM, "/proc/self/mountinfo: %m: mount /proc");
		return;
	}
	while ((c = getc(table)) != EOF)
		n += c == '\n';
	if (n > MANY_MOUNTS)
		find(f, WARNING, "%zu mounts make every container slow to start: give "
				 "views to engines by their shared path, or as descriptors",
		     n);
	else
		find(f, OK, "%zu mounts are not too many", n);
}

/*
 * All of it.
 */

static const struct check {
	const char *name;
	void (*run)(struct patient *patient, struct finding *finding);
} checks[] = {
	{ "id-maps",	check_id_maps },
	{ "overlays",	check_overlays },
	{ "mprotect",	check_mprotect },
	{ "module",	check_module },
	{ "daemon",	check_daemon },
	{ "namespace",	check_namespace },
	{ "selinux",	check_selinux },
	{ "entrypoint",	check_entrypoint },
	{ "thin-pools",	check_pools },
	{ "pool",	check_pool },
	{ "mounts",	check_mounts },
	{ "origins",	check_origins },	/* behind "daemon" */
	{ "one-device",	check_twins },		/* likewise */
};

static void print_finding(const char *check, const struct finding *f)
{
	static const char *const colours[] = { "\033[32m", "\033[33m", "\033[31m" };
	bool coloured = isatty(STDOUT_FILENO);

	printf("%s%-7s%s  %-10s  %s\n", coloured ? colours[f->state] : "", state_names[f->state],
	       coloured ? "\033[0m" : "", check, f->message);
}

static int append_finding(sd_json_variant **all, const char *check, const struct finding *f)
{
	cleanup_json sd_json_variant *object = NULL;

	if (sd_json_buildo(&object, SD_JSON_BUILD_PAIR_STRING("check", check),
			   SD_JSON_BUILD_PAIR_STRING("state", state_names[f->state]),
			   SD_JSON_BUILD_PAIR_STRING("message", f->message)) < 0)
		return -1;
	return sd_json_variant_append_array(all, object);
}

/* Returns an exit status, or a negative one if memory is short. */
static int run_check(const struct check *check, struct patient *patient, sd_json_variant **all)
{
	struct finding finding = {};
	int r = 0;

	check->run(patient, &finding);
	if (!finding.message)
		return -1;
	if (patient->options->json)
		r = append_finding(all, check->name, &finding);
	else
		print_finding(check->name, &finding);
	free(finding.message);
	return r < 0 ? -1 : finding.state == PROBLEM;
}

int doctor(const struct options *options, char *args[], int n)
{
	cleanup_json sd_json_variant *all = NULL;
	cleanup_reply struct rootview_reply *origins = NULL;
	struct patient patient = { .options = options };
	int status = EXIT_SUCCESS;

	(void)args;
	(void)n;
	uname(&patient.kernel);
	trials_make(&patient.trials);
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		int r = run_check(&checks[i], &patient, &all);

		if (r < 0) {
			status = -out_of_memory();
			break;
		}
		status |= r;
	}
	origins = patient.origins;
	if (status < 0)
		return EXIT_FAILURE;
	if (options->json)
		print_json(all);
	return status;
}
