// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A variant; variant.h is the contract.
 */
#include "variant.h"

#include <fcntl.h>
#include <selinux/selinux.h>
#include <sys/stat.h>

#include "device.h"
#include "label.h"
#include "mount.h"
#include "plan.h"
#include "skeleton.h"
#include "util.h"

/* Of a folder of a variant. */
#define MOUNT		"mount"
#define LOWER		"lower"
#define SKELETON	"skeleton"
#define ROOT		"root"		/* of the skeleton, on its tmpfs */
#define PLAIN		"../../plain"	/* the origin's own file system, seen from there */
#define POINTS		"points"
#define MAP		"map"
#define LABEL		"label"

void variant_free(struct variant *v)
{
	if (!v)
		return;
	free(v->label);
	free(v->points);
	free(v->map);
	free(v->path);
	free(v->folder);
	free(v);
}

void variant_free_all(struct variant *list)
{
	while (list) {
		struct variant *v = list;

		list = v->next;
		variant_free(v);
	}
}

/*
 * Making.
 */

static int mount_at(const struct variant_order *order, const struct plan_mount *plan,
		    const char *path, struct failure *f)
{
	char why[MOUNT_WHY_SIZE];
	int r;

	r = runtime_make_folder(path);
	if (r < 0)
		return failed_step(f, path, "make this folder", -r, NULL);
	r = mount_plan(plan, path, why);
	if (r == 0)
		return 0;
	(void)rmdir(path);
	/* See plan.c: this is how xfs says that its log is dirty. */
	if (r == -EROFS && streq(plan->type, "xfs"))
		return filesystem_needs_recovery(plan->type, order->origin, f);
	return failed_step(f, order->origin, "mount its file system", -r, why);
}

int variant_mount_plain(const struct variant_order *order, char type[static FILESYSTEM_TYPE_SIZE],
			struct failure *f)
{
	struct path path = runtime_origin(order->runtime, order->origin, "plain");
	char device[PATH_MAX];
	struct plan_mount plan;
	cleanup_close int fd = device_open(order->origin, order->number, device, f);

	if (fd < 0 || filesystem_probe(fd, order->origin, type, f) < 0)
		return -1;
	if (!plan_is_listed(type, order->types) ||
	    !plan_plain(type, order->device, order->label, &plan)) {
		failed(f, FAILURE_UNSUPPORTED_FILE_SYSTEM,
		       "origin \"%s\" has a file system of type %s; this daemon mounts %s",
		       order->origin, type, order->types);
		snprintf(f->file_system, sizeof(f->file_system), "%s", type);
		return -1;
	}
	return mount_at(order, &plan, path.s, f);
}

/* Mounts a clone of the plain one at @path, with its files owned as ordered. */
static int mount_map(const struct variant_order *order, const char *path, struct failure *f)
{
	cleanup_close int userns = idmap_open(order->idmap, f);
	int r;

	if (userns < 0)
		return -1;
	r = runtime_make_folder(path);
	if (r == 0)
		r = mount_idmapped(order->plain->path, userns, path);
	if (r == 0)
		return 0;
	(void)rmdir(path);
	if (r == -EINVAL || r == -EOPNOTSUPP)
		return failed_about(f, FAILURE_NOT_SUPPORTED, "idMap",
				    "the running kernel cannot map the ids of a file system of type %s",
				    order->plain->type);
	return failed_step(f, order->origin, "map the ids of its files", -r, NULL);
}

/*
 * Makes the skeleton, on a tmpfs of its own.  Once there is an overlay, that alone holds it: what
 * the overlay was given out to loses nothing when we remove what is ours.
 */
static int make_skeleton(const struct variant_order *order, const char *lower, struct failure *f)
{
	struct path place = runtime_join(&order->folder, SKELETON);
	const struct idmap *map = order->idmap;
	int r;

	r = runtime_make_folder(place.s);
	if (r == 0)
		r = mount_tmpfs(place.s);
	if (r < 0)
		return failed_step(f, place.s, "mount a tmpfs there", -r, NULL);
	return skeleton_make(runtime_join(&place, ROOT).s, lower, order->points,
			     map ? idmap_root(&map->uid) : 0, map ? idmap_root(&map->gid) : 0,
			     !order->label && label_enabled(), f);
}

/*
 * Layers are named from the variant's folder, which is made the working directory: an option of
 * fsconfig() holds 255 bytes, and the names of two origins may be longer.
 */
static int mount_overlay(const struct variant_order *order, const char *lower, const char *path,
			 struct failure *f)
{
	char layers[64];
	struct plan_mount plan;

	if (chdir(order->folder.s) < 0)
		return failed_step(f, order->folder.s, "go there", errno, NULL);
	if (make_skeleton(order, lower, f) < 0)
		return -1;
	snprintf(layers, sizeof(layers), "%s:%s", SKELETON "/" ROOT, lower);
	plan_overlay(layers, order->label, &plan);
	return mount_at(order, &plan, path, f);
}

/* Takes away what an overlay was made of, and holds itself. */
static void detach_layers(const struct variant_order *order)
{
	static const char *const layers[] = { LOWER, SKELETON };

	for (size_t i = 0; i < ARRAY_SIZE(layers); i++) {
		struct path path = runtime_join(&order->folder, layers[i]);

		(void)mount_detach(path.s);
		(void)rmdir(path.s);
	}
}

static int write_texts(const struct variant_order *order, struct failure *f)
{
	int r = 0;

	if (*order->points_text)
		r = runtime_write_line(runtime_join(&order->folder, POINTS).s,
				       order->points_text);
	if (r == 0 && *order->map_text)
		r = runtime_write_line(runtime_join(&order->folder, MAP).s, order->map_text);
	if (r == 0 && order->label)
		r = runtime_write_line(runtime_join(&order->folder, LABEL).s, order->label);
	return r < 0 ? failed_step(f, order->folder.s, "write in this folder", -r, NULL) : 0;
}

int variant_mount_other(const struct variant_order *order, struct failure *f)
{
	struct path path = runtime_join(&order->folder, MOUNT);
	struct path lower = runtime_join(&order->folder, LOWER);
	int r;

	r = runtime_make_folder(order->folder.s);
	if (r < 0)
		return failed_step(f, order->folder.s, "make this folder", -r, NULL);
	r = write_texts(order, f);
	if (r == 0 && !order->overlay)
		r = mount_map(order, path.s, f);
	if (r == 0 && order->overlay) {
		if (order->idmap)
			r = mount_map(order, lower.s, f);
		if (r == 0)
			r = mount_overlay(order, order->idmap ? LOWER : PLAIN, path.s, f);
		detach_layers(order);
	}
	if (r < 0)
		runtime_sweep_variant(order->folder.s);
	return r;
}

/*
 * Finding what is mounted.
 */

/* What a folder has no file for is empty. */
static int read_text(const char *folder, const char *name, char **ret)
{
	struct path path;
	int r;

	if (folder) {
		snprintf(path.s, sizeof(path.s), "%s/%s", folder, name);
		r = runtime_read_line(path.s, ret);
		if (r != -ENOENT)
			return r;
	}
	*ret = strdup("");
	return *ret ? 0 : -ENOMEM;
}

/* The label of all files of a mount that has one for all. */
static int read_label(const char *path, char **ret)
{
	char *label;

	if (lgetfilecon_raw(path, &label) < 0)
		return -errno;
	*ret = strdup(label);
	freecon(label);
	return *ret ? 0 : -ENOMEM;
}

static int read_folder(struct variant *v, const char *folder)
{
	cleanup_free char *label = NULL;
	int r;

	r = read_text(folder, POINTS, &v->points);
	if (r == 0)
		r = read_text(folder, MAP, &v->map);
	if (r == 0)
		r = read_text(folder, LABEL, &label);
	if (r == 0 && *label && label_enabled())
		v->label = steal_ptr(&label);
	return r;
}

int variant_describe(const char *path, const char *folder, const char *type, bool labelled,
		     struct variant **ret)
{
	struct variant *v = calloc(1, sizeof(*v));
	struct stat st;
	int r;

	if (!v)
		return -ENOMEM;
	snprintf(v->type, sizeof(v->type), "%s", type);
	v->path = strdup(path);
	v->folder = folder ? strdup(folder) : NULL;
	r = v->path && (v->folder || !folder) ? read_folder(v, folder) : -ENOMEM;
	if (r == 0 && stat(path, &st) < 0)
		r = -errno;
	if (r == 0 && !folder && labelled && label_enabled())
		r = read_label(path, &v->label);
	if (r < 0) {
		variant_free(v);
		return r;
	}
	v->dev = st.st_dev;
	*ret = v;
	return 0;
}

bool variant_is_there(const struct variant *v)
{
	struct stat st;

	return stat(v->path, &st) == 0 && st.st_dev == v->dev;
}

/* What cannot be described, though nothing is wanting, is not ours: that is no failure. */
static int claim(struct mountinfo *table, const char *path, const char *folder, dev_t dev,
		 bool labelled, struct variant **ret)
{
	struct mountinfo_entry *entry = mountinfo_find(table, path);
	int r;

	*ret = NULL;
	if (!entry || (dev && entry->dev != dev))
		return 0;
	r = variant_describe(path, folder, entry->type, labelled, ret);
	entry->claimed = r == 0;
	return is_shortage(-r) ? r : 0;
}

int variant_find_plain(const struct runtime *rt, const char *origin, dev_t dev, bool labelled,
		       struct mountinfo *table, struct variant **ret)
{
	return claim(table, runtime_origin(rt, origin, "plain").s, NULL, dev, labelled, ret);
}

struct search {
	struct mountinfo *table;
	struct variant *found;
	int r;
};

static void claim_other(const struct path *folder, void *userdata)
{
	struct search *search = userdata;
	struct variant *v = NULL;

	if (search->r == 0)
		search->r = claim(search->table, runtime_join(folder, MOUNT).s, folder->s, 0,
				  false, &v);
	if (!v)
		return;
	v->next = search->found;
	search->found = v;
}

int variant_find_others(const struct runtime *rt, const char *origin, struct mountinfo *table,
			struct variant **ret)
{
	struct search search = { .table = table };
	int r;

	r = runtime_each_entry(runtime_variant(rt, origin, -1).s, claim_other, &search);
	if (r == 0)
		r = search.r;
	if (r < 0)
		variant_free_all(search.found);
	else
		*ret = search.found;
	return r;
}

/*
 * Dropping.
 */

static void unmount(const struct context *context, const char *path)
{
	trash_put(context->trash, path);
	(void)rmdir(path);
}

static void drop_folder(const struct context *context, const char *path)
{
	static const char *const layers[] = { LOWER, SKELETON };
	struct path folder, layer;

	/* There are such where a job was killed. */
	snprintf(folder.s, sizeof(folder.s), "%s", path);
	for (size_t i = 0; i < ARRAY_SIZE(layers); i++) {
		layer = runtime_join(&folder, layers[i]);
		if (access(layer.s, F_OK) == 0)
			unmount(context, layer.s);
	}
	runtime_sweep_variant(path);
	/* Memory or a descriptor may have been wanting for it. */
	if (access(path, F_OK) == 0)
		context_try_again(context);
}

void variant_drop(const struct context *context, struct variant *v)
{
	if (!v)
		return;
	/* Somebody else may have unmounted it. */
	if (variant_is_there(v))
		unmount(context, v->path);
	if (v->folder)
		drop_folder(context, v->folder);
	variant_free(v);
}

void variant_undo(const struct context *context, const struct variant_order *order)
{
	const bool is_plain = !*order->folder.s;
	struct path mount;

	if (!order->runtime)
		return;
	mount = is_plain ? runtime_origin(order->runtime, order->origin, "plain") :
			   runtime_join(&order->folder, MOUNT);
	/* Most often nothing was made. */
	if (access(mount.s, F_OK) == 0)
		unmount(context, mount.s);
	if (!is_plain)
		drop_folder(context, order->folder.s);
}
