// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How much each user gets.
 */
#include "account.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "util.h"

#define MOST 1024

/* Takes until there is no more; how many there were. */
static size_t take_all(struct accounts *all, uid_t uid)
{
	size_t n = 0;

	while (account_take(all, uid, ACCOUNT_CONNECTIONS))
		n++;
	return n;
}

static void root_may_have_all(void **state)
{
	struct accounts all = { .most = { [ACCOUNT_CONNECTIONS] = MOST } };

	(void)state;
	assert_int_equal(take_all(&all, 0), MOST);
	assert_false(account_take(&all, 1000, ACCOUNT_CONNECTIONS));
	accounts_free(&all);
}

static void others_leave_something(void **state)
{
	struct accounts all = { .most = { [ACCOUNT_CONNECTIONS] = MOST } };
	size_t n;

	(void)state;
	n = take_all(&all, 1000);
	assert_true(n >= MOST / 2 - 1 && n <= MOST / 2);
	n = take_all(&all, 1001);
	assert_true(n >= MOST / 4 - 1 && n <= MOST / 4);
	assert_int_equal(take_all(&all, 0), MOST - all.list[0].used[0] - all.list[1].used[0]);
	accounts_free(&all);
}

static void what_is_returned_can_be_had_again(void **state)
{
	struct accounts all = { .most = { MOST, MOST, MOST } };
	size_t n;

	(void)state;
	n = take_all(&all, 1000);
	assert_true(account_take(&all, 1001, ACCOUNT_REQUESTS));
	for (size_t i = 0; i < n; i++)
		account_return(&all, 1000, ACCOUNT_CONNECTIONS);
	/* Who has nothing has no account. */
	assert_int_equal(all.n, 1);
	assert_int_equal(all.list[0].uid, 1001);
	assert_int_equal(take_all(&all, 1000), n);
	accounts_free(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_may_have_all),
		cmocka_unit_test(others_leave_something),
		cmocka_unit_test(what_is_returned_can_be_had_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
