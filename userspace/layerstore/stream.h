/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Layers as tar streams, as the OCI image specification has them: what a layer
 * removes from those below it is said by whiteouts.
 * https://github.com/opencontainers/image-spec/blob/main/layer.md
 *
 * A file's SELinux label is in no stream: layers are mounted with a label for all.
 */
#ifndef ROOTVIEW_LAYER_STREAM_H
#define ROOTVIEW_LAYER_STREAM_H

#include <stdint.h>

#include "error.h"

/*
 * Unpacks the tar stream @fd, plain or compressed by gzip, bzip2, xz or zstd, into
 * the directory @root, which may have in it what layers below have left.
 *
 * An entry takes the place of what has its name; a directory that is there already
 * keeps what is in it.  ".wh.NAME" removes NAME, ".wh..wh..opq" all that was in its
 * directory and that this stream did not put there; other names that begin with
 * ".wh..wh." are nobody's files.  Symbolic links on the way are followed as if @root
 * were the root directory; sockets are left out.  Blocks of zeros become holes.
 *
 * The stream is read to its end.  The bytes of its regular files are put into
 * @ret_size.  Returns 0, or -1: LAYER_INVALID for a stream that is damaged, ends too
 * early, or has a name in it that leads out of @root; LAYER_FAILED for the rest, such
 * as a full file system.  What was unpacked till then stays.
 *
 * Not all damage can be seen: tar has no checksum of a file's data, libarchive may not
 * check gzip's, and a stream may lack its end mark, as some writers leave it out.
 * Whoever knows a digest should check that.
 */
int stream_unpack(int root, int fd, uint64_t *ret_size, struct layer_error *error);

/*
 * Writes to @fd, as a tar stream, by what the tree in the directory @upper differs
 * from that in @lower, or all of it if @lower is -1; see compare_trees().  The same
 * trees give the same bytes.  A file whose own name begins with ".wh." is written as it
 * is, and says then that something is gone.
 *
 * Returns 0, or -1 and LAYER_FAILED; what was written of the stream has no end mark then.
 */
int stream_pack(int lower, int upper, int fd, struct layer_error *error);

/* The bytes of the regular files that stream_pack() would write. */
int stream_size(int lower, int upper, uint64_t *ret_size, struct layer_error *error);

/* Names in a stream that say what is gone. */
#define WHITEOUT_PREFIX	".wh."
#define WHITEOUT_META	".wh..wh."
#define WHITEOUT_OPAQUE	".wh..wh..opq"

#endif
