/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What all origins and views of one daemon share.
 */
#ifndef ROOTVIEW_CONTEXT_H
#define ROOTVIEW_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "runtime.h"
#include "trash.h"

LIST_HEAD(work_list, work);

/* All borrowed. */
struct context {
	const struct runtime *runtime;
	sd_event *loop;
	struct trash *trash;
	uint64_t grace_usec;	/* how long a variant stays that no view needs */
	const char *types;	/* of file systems that are mounted, separated by commas */
	struct work_list *works;	/* of workshop.c: all that a job is for */
	sd_event_source *retry;	/* of mirror.c, for what failed and has to be tried again */
};

#define RETRY_USEC 1000000

/* Whether something has failed that will be tried again. */
static inline bool context_will_try_again(const struct context *context)
{
	return sd_event_source_get_enabled(context->retry, NULL) > 0;
}

/* Sees to it that what failed, and nobody asked for, is tried again soon. */
static inline void context_try_again(const struct context *context)
{
	/* Whoever fails again and again must not put it off. */
	if (context_will_try_again(context))
		return;
	(void)sd_event_source_set_time_relative(context->retry, RETRY_USEC);
	(void)sd_event_source_set_enabled(context->retry, SD_EVENT_ONESHOT);
}

#endif
