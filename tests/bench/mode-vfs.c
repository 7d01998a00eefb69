// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * vfs: a copy of the image's files for each container.
 */
#include "bench.h"
#include "util.h"

/* As many copies as fit on the disk, and do not take for ever. */
#define MOST 10

static char *home(const struct bench *b)
{
	return text("%s/store/vfs", b->work);
}

static void prepare(struct bench *b)
{
	cleanup_free char *folder = home(b);

	make_folder(folder, 0710);
}

static void create(struct bench *b, size_t i, size_t n)
{
	cleanup_free char *image = text("%s/store/image", b->work);
	cleanup_free char *folder = text("%s/store/vfs/%zu", b->work, i);
	cleanup_free char *files = files_label(i), *context = text("--context=%s", files);
	char *argv[8] = { "cp", "-dR", "--preserve=mode,ownership,timestamps,links", image, folder,
			  b->labels ? context : NULL };

	(void)n;
	run_program(argv);
	b->containers[i].root = steal_ptr(&folder);
}

static void delete(struct bench *b, size_t i, size_t n)
{
	(void)n;
	remove_tree(b->containers[i].root);
}

static void finish(struct bench *b)
{
	cleanup_free char *folder = home(b);

	remove_tree(folder);
}

const struct mode mode_vfs = {
	.name = "vfs", .most = MOST,
	.prepare = prepare, .create = create, .delete = delete, .finish = finish,
};
