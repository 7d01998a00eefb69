// SPDX-License-Identifier: GPL-2.0-only
/*
 * A recording of the reads that reach the target; record.h says what for.
 *
 * Writers take a position with one atomic and share nothing else.  Each entry
 * carries the position that it was written for, stored last, by which a reader
 * knows whether it holds what he looks for, and whether it still did when he
 * had read it (the scheme of a sequence lock, an entry at a time).
 */
#include "record.h"

#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/overflow.h>

struct entry {
	u64 stamp;	/* its position plus one; 0 while it is being written */
	struct rootview_read read;
};

struct rootview_recording {
	atomic64_t next;
	u32 mask;
	struct entry entries[];
};

struct rootview_recording *rootview_recording_new(u32 entries)
{
	struct rootview_recording *rec;

	entries = roundup_pow_of_two(entries);
	rec = kvzalloc(struct_size(rec, entries, entries), GFP_KERNEL);
	if (rec)
		rec->mask = entries - 1;
	return rec;
}

u32 rootview_recording_size(const struct rootview_recording *rec)
{
	return rec->mask + 1;
}

void rootview_record(struct rootview_recording *rec, const struct bio *bio)
{
	u64 position = atomic64_inc_return(&rec->next) - 1;
	struct entry *e = &rec->entries[position & rec->mask];

	WRITE_ONCE(e->stamp, 0);
	smp_wmb(); /* pairs with smp_rmb() in copy_entry() */
	WRITE_ONCE(e->read.sector, bio->bi_iter.bi_sector);
	WRITE_ONCE(e->read.boot_ns, ktime_get_boottime_ns());
	WRITE_ONCE(e->read.sectors, bio_sectors(bio));
	smp_store_release(&e->stamp, position + 1); /* pairs with the acquire there */
}

/* Returns the stamp that the copy can be trusted to have had, or 0. */
static u64 copy_entry(const struct entry *e, struct rootview_read *read)
{
	u64 stamp = smp_load_acquire(&e->stamp); /* pairs with the release in rootview_record() */

	read->sector = READ_ONCE(e->read.sector);
	read->boot_ns = READ_ONCE(e->read.boot_ns);
	read->sectors = READ_ONCE(e->read.sectors);
	read->reserved = 0;
	smp_rmb(); /* pairs with smp_wmb() in rootview_record() */
	return READ_ONCE(e->stamp) == stamp ? stamp : 0;
}

u32 rootview_recording_read(struct rootview_recording *rec, u64 *position, u64 *lost,
			    struct rootview_read *reads, u32 max)
{
	u64 end = atomic64_read(&rec->next);
	u64 size = (u64)rec->mask + 1;
	u64 at = *position;
	u32 n = 0;

	*lost = 0;
	if (at >= end) {
		*position = end;
		return 0;
	}
	if (end - at > size) {
		*lost = end - size - at;
		at += *lost;
	}
	*position = at;
	while (at < end && n < max) {
		if (copy_entry(&rec->entries[at & rec->mask], &reads[n]) == at + 1) {
			at++;
			n++;
			continue;
		}
		/*
		 * It is being written and comes with the next call, or it was
		 * overwritten.  Then it is lost, but what was read stays in one
		 * piece, and the next call counts it.
		 */
		if (n || atomic64_read(&rec->next) - at <= size)
			break;
		++*lost;
		*position = ++at;
	}
	return n;
}
