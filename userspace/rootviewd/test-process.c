// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Processes that views are tied to.
 */
#include "process.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "util.h"

#define REST "1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 "

static void start_is_found_behind_any_name(void **state)
{
	const struct {
		const char *line;
		uint64_t start;
	} cases[] = {
		{ "1 (init) S " REST "33 0 0\n", 33 },
		{ "1 (init) S " REST "33", 33 },
		{ "1 (init) S " REST "33\n", 33 },
		{ "1 () S " REST "0 1\n", 0 },
		{ "1 (a b) S " REST "7 1\n", 7 },
		{ "1 (a) S 1 1) S " REST "7 1\n", 7 },
		{ "1 (a\nb) ( ) R " REST "7 1\n", 7 },
		{ "1 (x) S " REST "18446744073709551615 1\n", UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t start;

		assert_int_equal(process_parse_start(cases[i].line, &start), 0);
		assert_int_equal(start, cases[i].start);
	}
}

static void other_lines_are_refused(void **state)
{
	const char *const lines[] = {
		"", "\n", ")", "1", "1 (init", "1 (init)", "1 (init) S", "1 (init) S " REST,
		"1 (init) S " REST "\n", "1 (init) S " REST "-1 0\n", "1 (init) S " REST "+1 0\n",
		"1 (init) S " REST "x 0\n", "1 (init) S " REST "1x 0\n",
		"1 (init) S " REST "18446744073709551616 0\n", "1 init S " REST "33 0\n",
	};
	uint64_t start;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_int_equal(process_parse_start(lines[i], &start), -EBADMSG);
}

static pid_t start_sleeper(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		pause();
		_exit(0);
	}
	return pid;
}

static void end_sleeper(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void finds_this_process(void **state)
{
	uint64_t start, again;
	int fd;

	(void)state;
	assert_int_equal(process_start(getpid(), &start), 0);
	assert_int_equal(process_start(getpid(), &again), 0);
	assert_int_equal(start, again);
	fd = process_open(getpid(), start);
	assert_true(fd >= 0);
	assert_int_equal(process_of_pidfd(fd), getpid());
	close(fd);
}

static void another_start_is_another_process(void **state)
{
	uint64_t start;

	(void)state;
	assert_int_equal(process_start(getpid(), &start), 0);
	assert_int_equal(process_open(getpid(), start + 1), -ESRCH);
	assert_int_equal(process_open(getpid(), 0), -ESRCH);
}

static void its_end_is_noticed(void **state)
{
	pid_t pid = start_sleeper();
	struct pollfd p = { .events = POLLIN };
	uint64_t start;

	(void)state;
	assert_int_equal(process_start(pid, &start), 0);
	p.fd = process_open(pid, start);
	assert_true(p.fd >= 0);
	assert_int_equal(poll(&p, 1, 0), 0);
	end_sleeper(pid);
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_int_equal(process_of_pidfd(p.fd), -ESRCH);
	assert_int_equal(process_open(pid, start), -ESRCH);
	assert_int_equal(process_start(pid, &start), -ESRCH);
	close(p.fd);
}

static void a_zombie_has_ended(void **state)
{
	pid_t pid = start_sleeper();
	siginfo_t info;
	uint64_t start;
	int fd;

	(void)state;
	assert_int_equal(process_start(pid, &start), 0);
	fd = process_open(pid, start);
	assert_true(fd >= 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(process_of_pidfd(fd), -ESRCH);
	assert_int_equal(process_open(pid, start), -ESRCH);
	assert_int_equal(process_start(pid, &start), -ESRCH);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(fd);
}

static void ids_of_no_process(void **state)
{
	const pid_t ids[] = { 0, -1, INT32_MIN, INT32_MAX };
	uint64_t start;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		assert_int_equal(process_start(ids[i], &start), -ESRCH);
		assert_int_equal(process_open(ids[i], 0), -ESRCH);
	}
}

static void other_descriptors_are_refused(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(process_of_pidfd(ends[0]), -EBADF);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(process_of_pidfd(ends[0]), -EBADF);
	assert_int_equal(process_of_pidfd(-1), -EBADF);
	assert_int_equal(process_of_pidfd(INT32_MAX), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_is_found_behind_any_name),
		cmocka_unit_test(other_lines_are_refused),
		cmocka_unit_test(finds_this_process),
		cmocka_unit_test(another_start_is_another_process),
		cmocka_unit_test(its_end_is_noticed),
		cmocka_unit_test(a_zombie_has_ended),
		cmocka_unit_test(ids_of_no_process),
		cmocka_unit_test(other_descriptors_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
