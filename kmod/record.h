/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A recording of the reads that reach the target: a ring of fixed size, which
 * overwrites its oldest entry.  Of a read-only device, a list of blocks is a
 * plan that can be replayed before the next first start.
 *
 * A recording counts the reads from its beginning; an entry's number in that
 * count is its position.
 */
#ifndef ROOTVIEW_RECORD_H
#define ROOTVIEW_RECORD_H

#include <linux/bio.h>
#include <linux/types.h>
#include <uapi/linux/rootview.h>

struct rootview_recording;

/**
 * rootview_recording_new() - an empty recording
 * @entries: 1 to ROOTVIEW_RECORDING_MAX; rounded up to a power of two
 *
 * Return: for the caller to free with kvfree(), or NULL.
 */
struct rootview_recording *rootview_recording_new(u32 entries);

u32 rootview_recording_size(const struct rootview_recording *rec);

/** rootview_record() - write one read down; any context, any number at once */
void rootview_record(struct rootview_recording *rec, const struct bio *bio);

/**
 * rootview_recording_read() - read a part of it, while it may be written
 * @rec: the recording
 * @position: the first one that is of interest; on return, that of @reads[0],
 *	or behind the last one written when there is none
 * @lost: on return, how many from the old to the new position were overwritten
 * @reads: room for @max of them
 * @max: at least 1
 *
 * Return: how many were read.
 */
u32 rootview_recording_read(struct rootview_recording *rec, u64 *position, u64 *lost,
			    struct rootview_read *reads, u32 max);

#endif /* ROOTVIEW_RECORD_H */
