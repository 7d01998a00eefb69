// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Jobs; job.h is the contract.
 */
#include "job.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "device.h"
#include "util.h"

struct job {
	TAILQ_ENTRY(job) next;	/* of those that wait */
	bool waits;
	pid_t pid;		/* 0 before there is a child */
	bool counts;		/* among those that have one */
	job_work_t work;
	int results;		/* a file in memory: a struct outcome, and the text */
	job_done_t done;	/* NULL when nobody is to be told any more */
	job_over_t over;
	void *userdata;
	sd_event_source *exit;
	sd_event_source *timer;
};

struct outcome {
	int r;
	struct failure failure;
};

/*
 * A text that is no longer is always handed over, however short memory is: a job that has
 * changed something tells of it by such a one.
 */
#define SHORT_TEXT 4096

static unsigned int limit = JOB_SECONDS;

static size_t running;
static TAILQ_HEAD(, job) waiting = TAILQ_HEAD_INITIALIZER(waiting);

void job_set_limit(unsigned int seconds)
{
	limit = seconds;
}

static void job_free(struct job *job)
{
	sd_event_source_disable_unref(job->exit);
	sd_event_source_disable_unref(job->timer);
	close_fd(&job->results);
	free(job);
}

/*
 * The child.
 */

static int write_all(int fd, const void *data, size_t size, off_t offset)
{
	const char *p = data;
	ssize_t n;

	for (; size; p += n, offset += n, size -= n) {
		n = pwrite(fd, p, size, offset);
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
	}
	return 0;
}

static void leave_everything(pid_t parent, int go, int results)
{
	eventfd_t ignored;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	/* Half of a job is undone by whoever comes next: see reconcile.c. */
	if (!dies_with(parent))
		_exit(EXIT_FAILURE);
	/* Nothing is begun that nobody watches. */
	if (eventfd_read(go, &ignored) < 0)
		_exit(EXIT_FAILURE);
	device_forget_control();
	/* Among them are the lock, and devices that nobody else could remove then. */
	if (dup3(results, 3, O_CLOEXEC) < 0 && results != 3)
		_exit(EXIT_FAILURE);
	close_range(4, ~0U, 0);
}

static _Noreturn void run_child(pid_t parent, int go, int results, job_work_t work, void *userdata)
{
	struct outcome outcome = {};
	char *text = NULL;
	int r = 0;

	leave_everything(parent, go, results);
	outcome.r = work(userdata, &text, &outcome.failure);
	if (outcome.r == 0 && text)
		r = write_all(3, text, strlen(text) + 1, sizeof(outcome));
	if (r < 0)
		outcome.r = failed_step(&outcome.failure, "a job", "tell its result", -r, NULL);
	_exit(write_all(3, &outcome, sizeof(outcome), 0) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

/*
 * The daemon.
 */

static void tell_outcome(struct job *job, int r, const char *text, const struct failure *f)
{
	job_done_t done = job->done;

	job->done = NULL;
	if (done)
		done(job->userdata, r, text, f);
}

/* Tells of a text of @size bytes, behind the outcome. */
static void tell_text(struct job *job, size_t size)
{
	size_t all_size = sizeof(struct outcome) + size;
	char text[SHORT_TEXT], *all;
	struct failure f;

	if (size <= sizeof(text) &&
	    pread(job->results, text, size, sizeof(struct outcome)) == (ssize_t)size) {
		tell_outcome(job, 0, text, NULL);
		return;
	}
	all = mmap(NULL, all_size, PROT_READ, MAP_PRIVATE, job->results, 0);
	if (all == MAP_FAILED) {
		failed_step(&f, "a job", "read its result", errno, NULL);
		tell_outcome(job, -1, NULL, &f);
		return;
	}
	tell_outcome(job, 0, all + sizeof(struct outcome), NULL);
	munmap(all, all_size);
}

static void start_waiting(sd_event *loop);

/* It takes up no place any more. */
static void make_room(struct job *job)
{
	if (job->counts)
		running--;
	job->counts = false;
}

static void end_job(struct job *job)
{
	make_room(job);
	if (job->over)
		job->over(job->userdata);
	job_free(job);
}

static int on_exit_of_child(sd_event_source *source, const siginfo_t *info, void *userdata)
{
	sd_event *loop = sd_event_source_get_event(source);
	struct job *job = userdata;
	struct outcome outcome;
	struct failure f;
	struct stat st;

	if (info->si_code != CLD_EXITED || info->si_status != 0 ||
	    pread(job->results, &outcome, sizeof(outcome), 0) != sizeof(outcome) ||
	    fstat(job->results, &st) < 0) {
		failed_step(&f, "a job", "finish it", 0,
			    info->si_code == CLD_EXITED ? "it failed" : "it was killed");
		tell_outcome(job, -1, NULL, &f);
	} else if (outcome.r == 0 && st.st_size > (off_t)sizeof(outcome)) {
		tell_text(job, st.st_size - sizeof(outcome));
	} else {
		tell_outcome(job, outcome.r, NULL, &outcome.failure);
	}
	end_job(job);
	start_waiting(loop);
	return 0;
}

/* It is never begun. */
static void give_up(struct job *job, const struct failure *f)
{
	tell_outcome(job, -1, NULL, f);
	end_job(job);
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct job *job = userdata;
	struct failure f;
	char reason[96];

	(void)usec;
	if (!job->pid) {
		failed_step(&f, "a job", "begin it", 0, "nobody wants it any more");
		give_up(job, &f);
		return 0;
	}
	(void)kill(job->pid, SIGKILL);
	snprintf(reason, sizeof(reason),
		 "it has not answered for %u s: slow, suspended or broken", limit);
	failed_step(&f, "the origin's device", "read it", 0, reason);
	/* The child itself goes when the disk lets it. */
	tell_outcome(job, -1, NULL, &f);
	make_room(job);
	start_waiting(sd_event_source_get_event(source));
	return 0;
}

/* All that can be had before there is a child. */
static int prepare_job(struct job *job, sd_event *loop)
{
	job->results = memfd_create("rootviewd-job", MFD_CLOEXEC);
	if (job->results < 0 ||
	    fallocate(job->results, FALLOC_FL_KEEP_SIZE, 0,
		      sizeof(struct outcome) + SHORT_TEXT) < 0)
		return -errno;
	if (sd_event_add_time_relative(loop, &job->timer, CLOCK_MONOTONIC, 0, 0, on_timeout,
				       job) < 0)
		return -ENOMEM;
	return sd_event_source_set_enabled(job->timer, SD_EVENT_OFF);
}

/* The child waits to be told to go, so it can be ended and waited for, whatever its disk does. */
static int fork_child(struct job *job, sd_event *loop)
{
	cleanup_close int go = eventfd(0, EFD_CLOEXEC);
	pid_t self = getpid(), pid;
	int r;

	if (go < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		run_child(self, go, job->results, job->work, job->userdata);
	r = sd_event_add_child(loop, &job->exit, pid, WEXITED, on_exit_of_child, job);
	if (r >= 0)
		r = sd_event_source_set_time_relative(job->timer, limit * 1000000ULL);
	if (r >= 0)
		r = sd_event_source_set_enabled(job->timer, SD_EVENT_ONESHOT);
	if (r >= 0 && eventfd_write(go, 1) < 0)
		r = -errno;
	if (r >= 0) {
		job->pid = pid;
		job->counts = true;
		running++;
		return 0;
	}
	job->exit = sd_event_source_disable_unref(job->exit);
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}

static void start_waiting(sd_event *loop)
{
	struct failure f;
	struct job *job;

	while (running < JOBS_MAX && (job = TAILQ_FIRST(&waiting))) {
		int r;

		TAILQ_REMOVE(&waiting, job, next);
		job->waits = false;
		r = fork_child(job, loop);
		if (r == 0)
			continue;
		failed_step(&f, "a job", "start it", -r, NULL);
		give_up(job, &f);
	}
}

int job_start(struct job **ret, sd_event *loop, job_work_t work, job_done_t done,
	      job_over_t over, void *userdata, struct failure *f)
{
	struct job *job = calloc(1, sizeof(*job));
	int r = -ENOMEM;

	if (job) {
		*job = (struct job){
			.results = -1, .work = work, .done = done, .over = over,
			.userdata = userdata,
		};
		r = prepare_job(job, loop);
	}
	if (r >= 0 && running < JOBS_MAX) {
		r = fork_child(job, loop);
	} else if (r >= 0) {
		TAILQ_INSERT_TAIL(&waiting, job, next);
		job->waits = true;
	}
	if (r >= 0) {
		*ret = job;
		return 0;
	}
	if (job)
		job_free(job);
	return failed_step(f, "a job", "start it", -r, NULL);
}

void job_cancel(struct job *job)
{
	if (job && job->pid)
		(void)kill(job->pid, SIGKILL);
	if (!job || !job->waits)
		return;
	TAILQ_REMOVE(&waiting, job, next);
	job->waits = false;
	(void)sd_event_source_set_time_relative(job->timer, 0);
	(void)sd_event_source_set_enabled(job->timer, SD_EVENT_ONESHOT);
}

/*
 * Closing.
 */

struct closing {
	LIST_ENTRY(closing) next;
	dev_t dev;
	sd_event_source *exit;
};

static LIST_HEAD(, closing) closings = LIST_HEAD_INITIALIZER(closings);

static int on_closed(sd_event_source *source, const siginfo_t *info, void *userdata)
{
	struct closing *closing = userdata;

	(void)source;
	(void)info;
	LIST_REMOVE(closing, next);
	sd_event_source_disable_unref(closing->exit);
	free(closing);
	return 0;
}

void job_close(sd_event *loop, int fd, dev_t dev)
{
	struct closing *closing = calloc(1, sizeof(*closing));
	cleanup_close int go = eventfd(0, EFD_CLOEXEC);
	pid_t self = getpid(), pid = go < 0 || !closing ? -1 : fork();
	eventfd_t ignored;

	if (pid == 0) {
		/*
		 * It may have to stay for long, and must hold nothing else; nor the device, if
		 * there is nobody who would tell it to go.
		 */
		if (dies_with(self) && dup2(go, 0) == 0 && dup2(fd, 1) == 1 &&
		    close_range(2, ~0U, 0) == 0)
			/* Only then is it the last one. */
			(void)eventfd_read(0, &ignored);
		_exit(EXIT_SUCCESS);
	}
	if (pid > 0 && sd_event_add_child(loop, &closing->exit, pid, WEXITED, on_closed,
					  closing) >= 0) {
		closing->dev = dev;
		LIST_INSERT_HEAD(&closings, closing, next);
		closing = NULL;
	}
	close(fd);
	if (pid > 0)
		(void)eventfd_write(go, 1);
	free(closing);
}

bool job_is_closing(dev_t dev)
{
	struct closing *closing;

	LIST_FOREACH(closing, &closings, next)
		if (closing->dev == dev)
			return true;
	return false;
}
