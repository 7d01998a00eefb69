// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A variant; variant.h is the contract.
 */
#include "variant.h"

#include <selinux/selinux.h>
#include <sys/stat.h>

#include "label.h"
#include "log.h"
#include "mount.h"
#include "plan.h"
#include "skeleton.h"
#include "util.h"

/* Describes the variant that is mounted at @path; NULL, with errno, if it cannot. */
static struct variant *describe(const char *path, const char *folder, const char *type)
{
	struct variant *v = calloc(1, sizeof(*v));
	struct stat st;
	char *label;

	if (!v)
		return NULL;
	snprintf(v->type, sizeof(v->type), "%s", type);
	v->path = strdup(path);
	v->folder = folder ? strdup(folder) : NULL;
	if (!v->path || (folder && !v->folder) || stat(path, &st) < 0)
		goto failed;
	v->dev = st.st_dev;
	if (label_enabled()) {
		/* With a label for the whole mount, this is what every file has. */
		if (lgetfilecon_raw(path, &label) < 0)
			goto failed;
		v->label = strdup(label);
		freecon(label);
		if (!v->label)
			goto failed;
	}
	return v;

failed:
	variant_free(v);
	return NULL;
}

void variant_free(struct variant *v)
{
	if (!v)
		return;
	free(v->label);
	free(v->path);
	free(v->folder);
	free(v);
}

void variant_drop(struct variant *v)
{
	int r;

	if (!v)
		return;
	r = mount_detach(v->path);
	if (r < 0)
		log_warning("%s: cannot unmount it: %s", v->path, strerror(-r));
	(void)rmdir(v->path);
	if (v->folder)
		runtime_sweep_label(v->folder);
	variant_free(v);
}

/* Mounts what is planned at @path, a folder that is made for it. */
static int make(const char *origin, const struct plan_mount *plan, const char *path,
		const char *folder, struct variant **ret, struct failure *f)
{
	char why[MOUNT_WHY_SIZE];
	struct variant *v;
	int r;

	r = runtime_make_folder(path);
	if (r < 0)
		return failed_step(f, path, "make this folder", -r, NULL);
	r = mount_plan(plan, path, why);
	if (r < 0) {
		(void)rmdir(path);
		/* See plan.c: this is how xfs says that its log is dirty. */
		if (r == -EROFS && streq(plan->type, "xfs"))
			return filesystem_needs_recovery(plan->type, origin, f);
		return failed_step(f, origin, "mount its file system", -r, why);
	}
	v = describe(path, folder, plan->type);
	if (!v) {
		failed_step(f, origin, "look at its file system", errno, NULL);
		(void)mount_detach(path);
		(void)rmdir(path);
		return -1;
	}
	*ret = v;
	return 0;
}

int variant_make_plain(const struct runtime *rt, const char *origin, int fd, const char *device,
		       struct variant **ret, struct failure *f)
{
	struct path path = runtime_origin(rt, origin, "plain");
	cleanup_free char *label = NULL;
	char type[FILESYSTEM_TYPE_SIZE];
	struct plan_mount plan;

	if (label_of_shared_files(&label, f) < 0 || filesystem_probe(fd, origin, type, f) < 0)
		return -1;
	if (!plan_plain(type, device, label, &plan)) {
		failed(f, FAILURE_UNSUPPORTED_FILE_SYSTEM,
		       "origin \"%s\" has a file system of type %s; ext4, xfs, erofs and squashfs "
		       "can be shared", origin, type);
		snprintf(f->file_system, sizeof(f->file_system), "%s", type);
		return -1;
	}
	return make(origin, &plan, path.s, NULL, ret, f);
}

/* Makes a folder labels/N with the first number that is not taken. */
static int make_label_folder(const struct runtime *rt, const char *origin, struct path *ret)
{
	int r = runtime_make_folder(runtime_origin(rt, origin, "labels").s);

	for (unsigned int n = 0; r == 0; n++) {
		*ret = runtime_label(rt, origin, n);
		if (mkdir(ret->s, 0700) == 0)
			return 0;
		if (errno != EEXIST)
			r = -errno;
	}
	return r;
}

int variant_make_labelled(const struct runtime *rt, const char *origin,
			  const struct variant *plain, const char *label, struct variant **ret,
			  struct failure *f)
{
	cleanup_free char *layers = NULL;
	struct path folder, top, path;
	struct plan_mount plan;
	int r;

	r = make_label_folder(rt, origin, &folder);
	if (r < 0)
		return failed_step(f, origin, "make a folder for the label", -r, NULL);
	top = runtime_join(&folder, "top");
	path = runtime_join(&folder, "mount");
	/* Each character may need an escape. */
	layers = malloc(4 * PATH_MAX);
	r = layers ? skeleton_make(top.s, plain->path) : -ENOMEM;
	if (r < 0 || !plan_layers(top.s, plain->path, layers, 4 * PATH_MAX)) {
		failed_step(f, origin, "make an upper layer for the label", -r, NULL);
		goto failed;
	}
	plan_labelled(layers, label, &plan);
	if (make(origin, &plan, path.s, folder.s, ret, f) < 0)
		goto failed;
	return 0;

failed:
	runtime_sweep_label(folder.s);
	return -1;
}

/*
 * Finding what is mounted.
 */

struct search {
	struct mountinfo *table;
	struct variant *found;
};

static struct variant *claim(struct search *search, const char *path, const char *folder,
			     const char *type, dev_t dev)
{
	struct mountinfo_entry *entry = mountinfo_find(search->table, path);
	struct variant *v;

	if (!entry || (dev && entry->dev != dev) || (type && !streq(entry->type, type)))
		return NULL;
	v = describe(path, folder, entry->type);
	if (v)
		entry->claimed = true;
	return v;
}

static void claim_label(const struct path *folder, void *userdata)
{
	struct search *search = userdata;
	struct variant *v;

	v = claim(search, runtime_join(folder, "mount").s, folder->s, "overlay", 0);
	if (v) {
		/* Behind the first, which is the plain one. */
		v->next = search->found->next;
		search->found->next = v;
	}
}

struct variant *variant_find_mounted(const struct runtime *rt, const char *origin, dev_t dev,
				     struct mountinfo *table)
{
	struct path path = runtime_origin(rt, origin, "plain");
	struct search search = { .table = table };

	search.found = claim(&search, path.s, NULL, NULL, dev);
	if (search.found)
		runtime_each_entry(runtime_origin(rt, origin, "labels").s, claim_label, &search);
	return search.found;
}
