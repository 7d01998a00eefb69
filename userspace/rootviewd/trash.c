// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The trash; trash.h is the contract.
 */
#include "trash.h"

#include <sys/stat.h>
#include <time.h>

#include "job.h"
#include "log.h"
#include "mount.h"
#include "util.h"

/*
 * It is emptied when nothing has been put into it for so long, but for no longer than
 * that: what deletions come one after the other gathers, on a slow machine as well.
 */
#define GATHER_USEC	50000
#define GATHER_MAX_USEC	1000000

/* A mount table that is read meanwhile should not be much longer for it. */
#define GATHER_MAX	1024

struct trash {
	const struct runtime *runtime;
	sd_event *loop;
	sd_event_source *timer;
	unsigned int number;	/* of the folder in use */
	size_t n;		/* what is in it */
	uint64_t latest;	/* when it is to be emptied, on the monotonic clock */
};

static struct path folder_path(const struct trash *trash)
{
	return runtime_trash(trash->runtime, trash->number);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	trash_flush(userdata);
	return 0;
}

static void empty_folder(const char *folder)
{
	int r = mount_detach(folder);

	if (r < 0)
		log_warning("%s: cannot unmount it: %s", folder, strerror(-r));
	(void)rmdir(folder);
}

static void empty_one(const struct path *path, void *userdata)
{
	(void)userdata;
	empty_folder(path->s);
}

static int empty_all(const struct trash *trash)
{
	return runtime_each_entry(runtime_trash(trash->runtime, 0).s, empty_one, NULL);
}

struct trash *trash_new(const struct runtime *rt, sd_event *loop)
{
	struct trash *trash = calloc(1, sizeof(*trash));

	if (!trash)
		return NULL;
	trash->runtime = rt;
	trash->loop = loop;
	if (sd_event_add_time_relative(loop, &trash->timer, CLOCK_MONOTONIC, 0, 0, on_timer,
				       trash) < 0 ||
	    sd_event_source_set_enabled(trash->timer, SD_EVENT_OFF) < 0 ||
	    /* What a daemon had begun to empty when it was killed. */
	    empty_all(trash) < 0) {
		trash_free(trash);
		return NULL;
	}
	return trash;
}

void trash_free(struct trash *trash)
{
	if (!trash)
		return;
	/* Also what a job is about to empty: that ends with the daemon. */
	(void)empty_all(trash);
	sd_event_source_disable_unref(trash->timer);
	free(trash);
}

static int begin_folder(struct trash *trash)
{
	struct path folder;
	int r;

	if (trash->n)
		return 0;
	trash->number++;
	folder = folder_path(trash);
	r = runtime_make_folder(folder.s);
	if (r == 0)
		r = mount_tmpfs(folder.s);
	if (r < 0)
		(void)rmdir(folder.s);
	return r;
}

static void set_timer(struct trash *trash)
{
	uint64_t now;

	(void)sd_event_now(trash->loop, CLOCK_MONOTONIC, &now);
	if (trash->n == 1)
		trash->latest = now + GATHER_MAX_USEC;
	now += GATHER_USEC;
	(void)sd_event_source_set_time(trash->timer, now < trash->latest ? now : trash->latest);
	(void)sd_event_source_set_enabled(trash->timer, SD_EVENT_ONESHOT);
}

static int move_mount_into(struct trash *trash, const char *path)
{
	struct path folder, to;
	char name[32];
	int r = begin_folder(trash);

	if (r < 0)
		return r;
	folder = folder_path(trash);
	snprintf(name, sizeof(name), "%zu", ++trash->n);
	set_timer(trash);
	to = runtime_join(&folder, name);
	if (mkdir(to.s, 0700) < 0)
		return -errno;
	return mount_move(path, to.s);
}

void trash_put(struct trash *trash, const char *path)
{
	int r = move_mount_into(trash, path);

	/* EINVAL: it is below a shared mount, or is no mount at all. */
	if (r < 0)
		r = mount_detach(path);
	if (r < 0)
		log_warning("%s: cannot unmount it: %s", path, strerror(-r));
	if (trash->n >= GATHER_MAX)
		trash_flush(trash);
}

/*
 * Emptying.
 */

static int empty_in_child(void *userdata, char **ret_text, struct failure *f)
{
	(void)ret_text;
	(void)f;
	empty_folder(userdata);
	return 0;
}

static void emptied(void *userdata, int r, const char *text, const struct failure *f)
{
	(void)text;
	if (r < 0) {
		log_warning("the trash: %s", f->message);
		empty_folder(userdata);
	}
	free(userdata);
}

void trash_flush(struct trash *trash)
{
	char *folder;
	struct failure f;
	struct job *job;

	if (!trash->n)
		return;
	(void)sd_event_source_set_enabled(trash->timer, SD_EVENT_OFF);
	trash->n = 0;
	folder = strdup(folder_path(trash).s);
	if (!folder ||
	    job_start(&job, trash->loop, empty_in_child, emptied, NULL, folder, &f) < 0) {
		empty_folder(folder_path(trash).s);
		free(folder);
	}
}
