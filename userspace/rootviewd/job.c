// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Jobs; job.h is the contract.
 */
#include "job.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "device.h"
#include "util.h"

struct job {
	pid_t pid;
	int results;		/* a file in memory: a struct outcome, and the text */
	job_done_t done;	/* NULL when nobody is to be told any more */
	void *userdata;
	sd_event_source *exit;
	sd_event_source *timer;
};

struct outcome {
	int r;
	struct failure failure;
};

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

static void write_all(int fd, const void *data, size_t size)
{
	const char *p = data;
	ssize_t n;

	for (; size; p += n, size -= n) {
		n = write(fd, p, size);
		if (n <= 0)
			_exit(EXIT_FAILURE);
	}
}

static void leave_everything(pid_t parent, int results)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	/* Half of a job is undone by whoever comes next: see reconcile.c. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(EXIT_FAILURE);
	device_forget_control();
	/* Among them are the lock, and devices that nobody else could remove then. */
	if (dup3(results, 3, O_CLOEXEC) < 0 && results != 3)
		_exit(EXIT_FAILURE);
	close_range(4, ~0U, 0);
}

static _Noreturn void run(pid_t parent, int results, job_work_t work, void *userdata)
{
	struct outcome outcome = {};
	char *text = NULL;

	leave_everything(parent, results);
	outcome.r = work(userdata, &text, &outcome.failure);
	write_all(3, &outcome, sizeof(outcome));
	if (outcome.r == 0 && text)
		write_all(3, text, strlen(text) + 1);
	_exit(EXIT_SUCCESS);
}

/*
 * The daemon.
 */

static void tell(struct job *job, int r, const char *text, const struct failure *f)
{
	job_done_t done = job->done;

	job->done = NULL;
	if (done)
		done(job->userdata, r, text, f);
}

static int on_exit_of_child(sd_event_source *source, const siginfo_t *info, void *userdata)
{
	struct job *job = userdata;
	struct outcome outcome;
	struct failure f;
	struct stat st;
	char *all;

	(void)source;
	all = fstat(job->results, &st) == 0 && st.st_size >= (off_t)sizeof(outcome) ?
		mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, job->results, 0) : MAP_FAILED;
	if (info->si_code != CLD_EXITED || info->si_status != 0 || all == MAP_FAILED) {
		failed_step(&f, "a job", "finish it", 0,
			    info->si_code == CLD_EXITED ? "it failed" : "it was killed");
		tell(job, -1, NULL, &f);
	} else {
		memcpy(&outcome, all, sizeof(outcome));
		tell(job, outcome.r,
		     st.st_size > (off_t)sizeof(outcome) ? all + sizeof(outcome) : NULL,
		     &outcome.failure);
	}
	if (all != MAP_FAILED)
		munmap(all, st.st_size);
	job_free(job);
	return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct job *job = userdata;
	struct failure f;

	(void)source;
	(void)usec;
	(void)kill(job->pid, SIGKILL);
	failed_step(&f, "the origin's device", "read it", 0,
		    "it has not answered for a minute: slow, suspended or broken");
	/* The child itself goes when the disk lets it. */
	tell(job, -1, NULL, &f);
	return 0;
}

int job_start(struct job **ret, sd_event *loop, job_work_t work, job_done_t done, void *userdata,
	      struct failure *f)
{
	struct job *job = calloc(1, sizeof(*job));
	pid_t self = getpid();
	int r = -ENOMEM;

	if (!job)
		goto failed;
	*job = (struct job){ .done = done, .userdata = userdata };
	job->results = memfd_create("rootviewd-job", MFD_CLOEXEC);
	job->pid = job->results < 0 ? -1 : fork();
	if (job->pid < 0) {
		r = -errno;
		goto failed;
	}
	if (job->pid == 0)
		run(self, job->results, work, userdata);
	r = sd_event_add_child(loop, &job->exit, job->pid, WEXITED, on_exit_of_child, job);
	if (r >= 0)
		r = sd_event_add_time_relative(loop, &job->timer, CLOCK_MONOTONIC,
					       JOB_SECONDS * 1000000ULL, 0, on_timeout, job);
	if (r < 0) {
		(void)kill(job->pid, SIGKILL);
		goto failed;
	}
	*ret = job;
	return 0;

failed:
	if (job)
		job_free(job);
	return failed_step(f, "a job", "start it", -r, NULL);
}

void job_cancel(struct job *job)
{
	if (!job)
		return;
	job->done = NULL;
	(void)kill(job->pid, SIGKILL);
}
