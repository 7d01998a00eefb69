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

void variant_forget_mount(struct variant *v)
{
	free(v->path);
	free(v->folder);
	free(v->files_label);
	v->path = NULL;
	v->folder = NULL;
	v->files_label = NULL;
}

void variant_free(struct variant *v)
{
	if (!v)
		return;
	variant_forget_mount(v);
	free(v->key);
	free(v->label);
	mount_points_free(&v->points);
	free(v->map);
	free(v->map_text);
	free(v->missing_text);
	mount_points_free(&v->missing);
	free(v);
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
	    !plan_plain(type, device, order->label, &plan)) {
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

/* The label of all files of a mount that has one for all. */
static int read_files_label(const char *path, char **ret)
{
	char *label;

	if (lgetfilecon_raw(path, &label) < 0)
		return -errno;
	*ret = strdup(label);
	freecon(label);
	return *ret ? 0 : -ENOMEM;
}

/* That of an overlay was written down; there is no such file if it has none. */
static int read_folder_label(const char *folder, char **ret)
{
	struct path path;
	int r;

	snprintf(path.s, sizeof(path.s), "%s/" LABEL, folder);
	r = runtime_read_line(path.s, ret);
	return r == -ENOENT ? 0 : r;
}

int variant_describe(struct variant *v, const char *path, const char *folder, const char *type,
		     bool labelled)
{
	cleanup_free char *at = strdup(path), *in = folder ? strdup(folder) : NULL;
	cleanup_free char *label = NULL;
	struct stat st;
	int r = 0;

	if (!at || (folder && !in))
		return -ENOMEM;
	if (stat(path, &st) < 0)
		return -errno;
	if (label_enabled() && folder)
		r = read_folder_label(folder, &label);
	else if (label_enabled() && labelled)
		r = read_files_label(path, &label);
	if (r < 0)
		return r;
	snprintf(v->type, sizeof(v->type), "%s", type);
	v->path = steal_ptr(&at);
	v->folder = steal_ptr(&in);
	v->files_label = steal_ptr(&label);
	v->dev = st.st_dev;
	return 0;
}

bool variant_is_there(const struct variant *v)
{
	struct stat st;

	/* What cannot be looked at now is no less there. */
	return stat(v->path, &st) < 0 ? errno != ENOENT : st.st_dev == v->dev;
}

/* What its folder tells of one that was found. */
static int read_texts(struct variant *v, const char *folder)
{
	char **const texts[] = { &v->missing_text, &v->map_text };
	static const char *const names[] = { POINTS, MAP };
	struct path path;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		int r;

		snprintf(path.s, sizeof(path.s), "%s/%s", folder, names[i]);
		r = runtime_read_line(path.s, texts[i]);
		if (r == -ENOENT)
			*texts[i] = strdup("");
		if (r < 0 && r != -ENOENT)
			return r;
		if (!*texts[i])
			return -ENOMEM;
	}
	return 0;
}

int variant_find(struct variant *v, const char *path, const char *folder, dev_t dev,
		 bool labelled)
{
	char type[FILESYSTEM_TYPE_SIZE];
	struct stat st;
	int r = mount_is_there(path);

	if (r <= 0)
		return r;
	if (stat(path, &st) < 0)
		return is_shortage(errno) ? -errno : 0;
	if (dev && st.st_dev != dev)
		return 0;
	r = filesystem_type_at(path, type);
	if (r == 0 && folder)
		r = read_texts(v, folder);
	if (r == 0)
		r = variant_describe(v, path, folder, type, labelled);
	/* What cannot be described, though nothing is wanting, is not ours. */
	if (r < 0)
		return is_shortage(-r) ? r : 0;
	return 1;
}

/*
 * Dropping.
 */

static void unmount_to_trash(const struct context *context, const char *path)
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
			unmount_to_trash(context, layer.s);
	}
	runtime_sweep_variant(path);
	/* Memory or a descriptor may have been wanting for it. */
	if (access(path, F_OK) == 0)
		context_try_again(context);
}

void variant_unmount(const struct context *context, struct variant *v)
{
	/* Somebody else may have unmounted it. */
	if (variant_is_there(v))
		unmount_to_trash(context, v->path);
	if (v->folder)
		drop_folder(context, v->folder);
	variant_forget_mount(v);
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
		unmount_to_trash(context, mount.s);
	if (!is_plain)
		drop_folder(context, order->folder.s);
}
