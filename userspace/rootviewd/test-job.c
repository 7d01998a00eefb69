// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Jobs: how many there are at a time, and how they end.
 */
#include "job.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "util.h"

static sd_event *loop;

static int make_loop(void **state)
{
	sigset_t child;

	(void)state;
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	return sd_event_new(&loop) < 0;
}

static int free_loop(void **state)
{
	(void)state;
	loop = sd_event_unref(loop);
	return 0;
}

/* What became of one. */
struct outcome {
	int r;
	char text[16];
	char message[1024];
	size_t done, over;
};

static void note_done(void *userdata, int r, const char *text, const struct failure *f)
{
	struct outcome *outcome = userdata;

	assert_int_equal(outcome->over, 0);
	outcome->done++;
	outcome->r = r;
	if (text)
		snprintf(outcome->text, sizeof(outcome->text), "%s", text);
	if (r < 0)
		snprintf(outcome->message, sizeof(outcome->message), "%s", f->message);
}

static void note_over(void *userdata)
{
	struct outcome *outcome = userdata;

	assert_int_equal(outcome->done, 1);
	outcome->over++;
}

static void run_until_over(struct outcome *outcomes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		while (!outcomes[i].over)
			assert_true(sd_event_run(loop, 10000000) > 0);
}

static int tell_hello(void *userdata, char **ret_text, struct failure *f)
{
	(void)userdata;
	(void)f;
	*ret_text = strdup("hello");
	return 0;
}

static int hang(void *userdata, char **ret_text, struct failure *f)
{
	(void)userdata;
	(void)ret_text;
	(void)f;
	pause();
	return 0;
}

static void all_have_their_turn(void **state)
{
	static struct outcome outcomes[3 * JOBS_MAX];
	struct failure f;
	struct job *job;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
		assert_int_equal(job_start(&job, loop, tell_hello, note_done, note_over,
					   &outcomes[i], &f), 0);
	run_until_over(outcomes, ARRAY_SIZE(outcomes));
	for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++) {
		assert_int_equal(outcomes[i].r, 0);
		assert_string_equal(outcomes[i].text, "hello");
	}
}

static size_t count_children(void)
{
	cleanup_fclose FILE *file = fopen("/proc/thread-self/children", "re");
	size_t n = 0;
	int pid;

	assert_non_null(file);
	while (fscanf(file, "%d", &pid) == 1)
		n++;
	return n;
}

static void no_more_than_so_many_are_at_work(void **state)
{
	static struct outcome outcomes[JOBS_MAX + 2];
	struct job *jobs[ARRAY_SIZE(outcomes)];
	struct failure f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
		assert_int_equal(job_start(&jobs[i], loop, i < JOBS_MAX ? hang : tell_hello,
					   note_done, note_over, &outcomes[i], &f), 0);
	assert_int_equal(count_children(), JOBS_MAX);
	/* One that has not begun never does. */
	job_cancel(jobs[JOBS_MAX]);
	job_cancel(jobs[JOBS_MAX]);
	run_until_over(&outcomes[JOBS_MAX], 1);
	assert_int_equal(outcomes[JOBS_MAX].r, -1);
	assert_int_equal(outcomes[JOBS_MAX + 1].done, 0);
	/* Where one ends, the next begins. */
	job_cancel(jobs[0]);
	run_until_over(&outcomes[0], 1);
	run_until_over(&outcomes[JOBS_MAX + 1], 1);
	assert_int_equal(outcomes[JOBS_MAX + 1].r, 0);
	for (size_t i = 1; i < JOBS_MAX; i++)
		job_cancel(jobs[i]);
	run_until_over(outcomes, JOBS_MAX);
	for (size_t i = 0; i < JOBS_MAX; i++)
		assert_int_equal(outcomes[i].r, -1);
}

static void those_that_hang_take_no_place(void **state)
{
	static struct outcome outcomes[JOBS_MAX + 1];
	struct failure f;
	struct job *job;

	(void)state;
	job_set_limit(1);
	for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
		assert_int_equal(job_start(&job, loop, i < JOBS_MAX ? hang : tell_hello, note_done,
					   note_over, &outcomes[i], &f), 0);
	run_until_over(outcomes, ARRAY_SIZE(outcomes));
	job_set_limit(JOB_SECONDS);
	for (size_t i = 0; i < JOBS_MAX; i++)
		assert_string_equal(outcomes[i].message,
				    "the origin's device: cannot read it: it has not answered for "
				    "1 s: slow, suspended or broken");
	assert_string_equal(outcomes[JOBS_MAX].text, "hello");
}

/* A process that dies when it writes: so between the child's beginning and its being told to go. */
static void die_at_write(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = ARRAY_SIZE(rules), .filter = rules };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(EXIT_FAILURE);
}

/* What a child is to close is closed as well if the daemon is killed before it says so. */
static void nobody_keeps_what_is_to_be_closed(void **state)
{
	struct pollfd end;
	int fds[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		die_at_write();
		job_close(loop, fds[1], 0);
		_exit(EXIT_SUCCESS);
	}
	close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
	end = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	assert_int_equal(poll(&end, 1, 10000), 1);
	assert_true(end.revents & POLLHUP);
	close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_have_their_turn),
		cmocka_unit_test(no_more_than_so_many_are_at_work),
		cmocka_unit_test(those_that_hang_take_no_place),
		cmocka_unit_test(nobody_keeps_what_is_to_be_closed),
	};

	return cmocka_run_group_tests(tests, make_loop, free_loop);
}
