// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * overlay2: what Docker's driver makes of one read-only layer (below "l/", with a
 * short name) and a writable one for each container, and takes away again.  The
 * second layer that Docker makes for each container, ID-init, is left out.
 */
#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "bench.h"
#include "util.h"

#define IMAGE_LINK "l/IMAGEIMAGEIMAGEIMAGEIMAGEI"

static char *home(const struct bench *b)
{
	return text("%s/store/overlay2", b->work);
}

/* Identities are as long as Docker's. */
static char *layer(const struct bench *b, size_t i)
{
	return text("%s/store/overlay2/%064zx", b->work, i);
}

static void link_layer(const char *target, const char *place)
{
	if (symlink(target, place) < 0)
		die(errno, "link %s", place);
}

static void make_folder_in(const char *folder, const char *name, mode_t mode)
{
	cleanup_free char *path = text("%s/%s", folder, name);

	make_folder(path, mode);
}

static void write_file_in(const char *folder, const char *name, const char *content)
{
	cleanup_free char *path = text("%s/%s", folder, name);

	write_file(path, content);
}

static void prepare(struct bench *b)
{
	cleanup_free char *folder = home(b), *image = text("%s/" IMAGE_LINK, folder);

	make_folder(folder, 0710);
	make_folder_in(folder, "l", 0710);
	link_layer("../../image", image);
}

/* The driver's Create() of a layer over the image's. */
static void create_layer(const struct bench *b, size_t i, const char *folder)
{
	cleanup_free char *name = text("%026zX", i);
	cleanup_free char *place = text("%s/store/overlay2/l/%s", b->work, name);
	cleanup_free char *target = text("../%064zx/diff", i);

	make_folder(folder, 0710);
	make_folder_in(folder, "diff", 0755);
	link_layer(target, place);
	write_file_in(folder, "link", name);
	make_folder_in(folder, "work", 0700);
	write_file_in(folder, "lower", IMAGE_LINK);
}

/* Its Get(). */
static char *mount_layer(const struct bench *b, size_t i, const char *folder)
{
	cleanup_free char *label = label_option(b, i), *all = home(b);
	cleanup_free char *options =
		text("index=off,lowerdir=%s/" IMAGE_LINK ",upperdir=%s/diff,workdir=%s/work%s%s",
		     all, folder, folder, *label ? "," : "", label);
	cleanup_free char *merged = text("%s/merged", folder);
	cleanup_free char *work = text("%s/work/work", folder);

	make_folder(merged, 0700);
	if (mount("overlay", merged, "overlay", 0, options) < 0)
		die(errno, "mount %s (%s)", merged, options);
	if (chown(work, 0, 0) < 0)
		die(errno, "%s", work);
	return steal_ptr(&merged);
}

static void create(struct bench *b, size_t i, size_t n)
{
	cleanup_free char *folder = layer(b, i);

	(void)n;
	create_layer(b, i, folder);
	b->containers[i].root = mount_layer(b, i, folder);
}

/* Its Put() and its Remove(). */
static void delete(struct bench *b, size_t i, size_t n)
{
	cleanup_free char *folder = layer(b, i);
	cleanup_free char *place = text("%s/store/overlay2/l/%026zX", b->work, i);
	const char *merged = b->containers[i].root;

	(void)n;
	if (umount2(merged, MNT_DETACH) < 0 || rmdir(merged) < 0)
		die(errno, "unmount %s", merged);
	if (unlink(place) < 0)
		die(errno, "remove %s", place);
	remove_tree(folder);
}

static void finish(struct bench *b)
{
	cleanup_free char *folder = home(b);

	remove_tree(folder);
}

const struct mode mode_overlay2 = {
	.name = "overlay2",
	.prepare = prepare, .create = create, .delete = delete, .finish = finish,
};
