/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What dockerd has written down of a container, in its data root.
 *
 * It tells a graph driver none of this; but it writes it before the Get with which a
 * container is started, and in 20.10 to 26.1 in the same places.
 */
#ifndef ROOTVIEW_GRAPHDRIVER_CONTAINER_H
#define ROOTVIEW_GRAPHDRIVER_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>

struct container_point {
	char *path;
	bool is_file;
};

struct container {
	bool read_only;
	/* What is mounted in it, and where its process starts: its image may lack them. */
	struct container_point *points;
	size_t n_points;
};

/*
 * Reads about the container whose layer is @id, of the driver whose folder is @home.
 * Returns 0, with @ret for container_free(), or -1 if there is nothing to be found, or
 * anything that is not understood: who is in doubt does as if it were any container.
 */
int container_read(const char *home, const char *id, struct container *ret);

/*
 * Adds directories from a list of absolute paths, which ':' parts.  Returns 0, or -1 if
 * it is no such list, or memory is short; what was added till then stays.
 */
int container_add_directories(struct container *container, const char *list);

void container_free(struct container *container);

#endif
