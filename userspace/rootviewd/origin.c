// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An origin; origin.h is the contract.
 */
#include "origin.h"

#include <inttypes.h>

#include "device.h"
#include "job.h"
#include "label.h"
#include "util.h"

/* What AddOrigin asked for is there before the device is, and as long. */
static int read_label(struct origin *o)
{
	int r;

	r = runtime_read_line(runtime_added(o->context->runtime, o->added_as).s, &o->label);
	return r == -ENOENT ? 0 : r;
}

struct origin *origin_new(const struct context *context, const struct kernel_origin *from)
{
	static uint64_t serial;
	struct origin *o = calloc(1, sizeof(*o));
	int ours;

	if (!o)
		return NULL;
	o->fd = -1;
	o->context = context;
	o->id = from->id;
	o->serial = ++serial;
	o->generation = from->generation;
	o->dev = from->dev;
	o->name = strdup(from->name);
	ours = device_is_ours(from->name, &o->added_as);
	if (ours < 0 || !o->name || variants_init(&o->variants) < 0 ||
	    (ours && read_label(o) < 0)) {
		origin_free(o);
		return NULL;
	}
	return o;
}

static void let_go(struct origin *o)
{
	if (o->fd >= 0 && o->doubtful)
		job_close(o->context->loop, steal_fd(&o->fd), o->dev);
	close_fd(&o->fd);
	o->doubtful = false;
}

void origin_free(struct origin *o)
{
	if (!o)
		return;
	variants_free(&o->variants);
	let_go(o);
	free(o->added_as);
	free(o->label);
	free(o->name);
	free(o);
}

int origin_hold(struct origin *o, struct failure *f)
{
	/* That is over when the disk has answered; it may be soon. */
	if (o->fd < 0 && job_is_closing(o->dev))
		return failed_step(f, o->name, "open its device", EAGAIN, NULL);
	if (o->fd < 0)
		o->fd = device_open(o->name, o->dev, o->device.s, f);
	return o->fd < 0 ? -1 : 0;
}

void origin_take_hold(struct origin *o, struct origin *from)
{
	o->fd = steal_fd(&from->fd);
	o->doubtful = from->doubtful;
	device_find(o->name, o->dev, o->device.s);
}

void origin_relax(struct origin *o)
{
	if (!o->n_views)
		let_go(o);
}

bool origin_is_native(const struct origin *o)
{
	return label_is_native(o->label);
}

/* Its name is part of paths; of those of dmsetup, the kernel refuses '/' only. */
bool origin_has_paths(const struct origin *o)
{
	return !streq(o->name, ".") && !streq(o->name, "..");
}

int origin_check_name(const struct origin *o, struct failure *f)
{
	if (origin_has_paths(o))
		return 0;
	return failed(f, FAILURE_INVALID_NAME, "an origin named \"%s\" cannot be mounted", o->name);
}

/*
 * Folders.
 */

int origin_has_folders(const struct origin *o)
{
	cleanup_free char *id = NULL;
	int r;

	r = runtime_read_line(runtime_origin(o->context->runtime, o->name, "id").s, &id);
	if (r < 0)
		return is_shortage(-r) ? r : 0;
	return strtoull(id, NULL, 10) == o->id;
}

int origin_make_folders(const struct origin *o, struct failure *f)
{
	const struct runtime *rt = o->context->runtime;
	struct path folder = runtime_origin(rt, o->name, NULL);
	char id[32];
	int r;

	if (origin_check_name(o, f) < 0)
		return -1;
	snprintf(id, sizeof(id), "%" PRIu64, o->id);
	r = runtime_make_folder(folder.s);
	if (r == 0)
		r = runtime_make_folder(runtime_variant(rt, o->name, -1).s);
	/* It comes last: whoever finds it believes all the rest. */
	if (r == 0)
		r = runtime_write_line(runtime_join(&folder, "id").s, id);
	if (r == 0)
		return 0;
	if (!o->variants.plain->path && !o->work)
		runtime_sweep_origin(rt, o->name);
	return failed_step(f, folder.s, "make this folder", -r, NULL);
}

struct path origin_new_folder(struct origin *o, int64_t *ret_number)
{
	struct path path;

	do {
		path = runtime_variant(o->context->runtime, o->name, ++o->next_folder);
	} while (access(path.s, F_OK) == 0);
	if (ret_number)
		*ret_number = o->next_folder;
	return path;
}

int origin_keep_wanted(struct origin *o, const struct mount_points *points, int64_t *ret,
		       struct failure *f)
{
	cleanup_free char *text = mount_points_to_text(points);
	struct path folder = origin_new_folder(o, ret);
	int r;

	if (!text)
		return failed_step(f, folder.s, "write down mount points", ENOMEM, NULL);
	if (origin_make_folders(o, f) < 0)
		return -1;
	r = runtime_make_folder(folder.s);
	if (r == 0)
		r = runtime_write_line(runtime_join(&folder, "wanted").s, text);
	if (r == 0)
		return 0;
	origin_forget_wanted(o, *ret);
	return failed_step(f, folder.s, "write in this folder", -r, NULL);
}

void origin_forget_wanted(struct origin *o, int64_t folder)
{
	struct path path = runtime_variant(o->context->runtime, o->name, folder);

	(void)unlink(runtime_join(&path, "wanted").s);
	runtime_sweep_variant(path.s);
	if (!o->variants.plain->path && !o->work)
		runtime_sweep_origin(o->context->runtime, o->name);
}
