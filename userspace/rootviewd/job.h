/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Jobs: whatever may have to wait for an origin's disk, done by a child.
 *
 * Mounting reads the disk, and so does looking into an image; a disk may be slow
 * or dead, and its readers cannot be killed.  The daemon itself never does that:
 * it forks, and goes on serving.  A child and not a thread, because a thread that
 * hangs keeps its process, and with it the lock on the runtime folder, even after
 * kill -9.
 */
#ifndef ROOTVIEW_JOB_H
#define ROOTVIEW_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "failure.h"

struct job;

/* After so many seconds a job has failed, unless something else is set. */
#define JOB_SECONDS 60

/* Sets that, for all jobs that are started from now on. */
void job_set_limit(unsigned int seconds);

/*
 * Does the work, in the child.  It has a copy of all memory, none of the
 * daemon's descriptors but 0 to 2, and must not use the kernel's registry or the
 * event loop.  On success it may put a text into *@ret_text, to be freed.
 */
typedef int (*job_work_t)(void *userdata, char **ret_text, struct failure *f);

/*
 * Called in the daemon when the job is over; @r is what the work returned, and
 * -1 also if it came to no end.  @text is NULL if there is none, and valid
 * during the call, as is @f.
 */
typedef void (*job_done_t)(void *userdata, int r, const char *text, const struct failure *f);

/* Called after that, when there is no child any more, which a job that hangs has for longer. */
typedef void (*job_over_t)(void *userdata);

/* So many have a child at a time; others wait for their turn.  Those that hang do not count. */
#define JOBS_MAX 64

/*
 * Starts a job, or has it wait for its turn.  @userdata must stay until @over is called, or @done
 * where that is NULL, and so must *@ret; neither is called before this returns, nor if it fails,
 * which is with OPERATION_FAILED.
 */
int job_start(struct job **ret, sd_event *loop, job_work_t work, job_done_t done,
	      job_over_t over, void *userdata, struct failure *f);

/*
 * Closes the descriptor @fd of the block device @dev, which may have something on its way yet that
 * nobody waits for any more: then whoever closes it last has to wait, and that shall be a child.
 */
void job_close(sd_event *loop, int fd, dev_t dev);

/* Whether a child still does: whoever opened the device now would have to wait as well. */
bool job_is_closing(dev_t dev);

/*
 * Ends it.  It may have done all of its work: what became of it is told as ever, when it
 * is over.  NULL is no job.
 */
void job_cancel(struct job *job);

#endif
