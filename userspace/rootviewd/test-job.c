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
#include <signal.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_have_their_turn),
		cmocka_unit_test(no_more_than_so_many_are_at_work),
		cmocka_unit_test(those_that_hang_take_no_place),
	};

	return cmocka_run_group_tests(tests, make_loop, free_loop);
}
