/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What all origins and views of one daemon share.
 */
#ifndef ROOTVIEW_CONTEXT_H
#define ROOTVIEW_CONTEXT_H

#include <stdint.h>
#include <systemd/sd-event.h>

#include "kernel.h"
#include "runtime.h"
#include "trash.h"

/* All borrowed. */
struct context {
	const struct runtime *runtime;
	sd_event *loop;
	struct trash *trash;
	struct kernel *kernel;
	uint64_t grace_usec;	/* how long a variant stays that no view needs */
	const char *types;	/* of file systems that are mounted, separated by commas */
};

#endif
