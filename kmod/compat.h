/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The differences between kernels that the module has to know, all of them.
 *
 * The rest of the module stays inside the part of each interface that never
 * moved.  Each item tests a macro of the interface itself and never a version:
 * distributions backport interfaces under old version numbers.
 */
#ifndef ROOTVIEW_COMPAT_H
#define ROOTVIEW_COMPAT_H

#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <net/genetlink.h>

/* blk_mode_t took the place of fmode_t with "block: replace fmode_t with a block-specific type". */
#ifndef BLK_OPEN_READ
#define BLK_OPEN_READ FMODE_READ
#endif

/* A third kind of status, for measurement by IMA, came with 5.15. */
#ifndef DMEMIT_TARGET_NAME_VERSION
#define STATUSTYPE_IMA (STATUSTYPE_TABLE + 1)
#define DMEMIT_TARGET_NAME_VERSION(type) DMEMIT("target_name=%s", (type)->name)
#endif

/* A malformed request had no status of its own in 6.1. */
#ifndef BLK_STS_INVAL
#define BLK_STS_INVAL BLK_STS_NOTSUPP
#endif

/*
 * Where this flag exists, whoever joins a multicast group can be asked for a
 * capability.  Where it does not (a bit-field alone is nothing that could be
 * tested here), anybody in the initial network namespace hears the events, and
 * these must not tell labels and blobs.
 */
#ifdef GENL_MCAST_CAP_SYS_ADMIN
#define ROOTVIEW_MCGRP_ADMIN .flags = GENL_MCAST_CAP_SYS_ADMIN,
#define ROOTVIEW_EVENT_DETAIL ROOTVIEW_ALL
#else
#define ROOTVIEW_MCGRP_ADMIN
#define ROOTVIEW_EVENT_DETAIL ROOTVIEW_WITHHELD
#endif

#endif /* ROOTVIEW_COMPAT_H */
