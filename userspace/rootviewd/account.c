// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Accounts; account.h is the contract.
 */
#include "account.h"

#include "util.h"

static struct account *find_account(struct accounts *all, uid_t uid)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].uid == uid)
			return &all->list[i];
	return NULL;
}

static struct account *add_account(struct accounts *all, uid_t uid)
{
	struct account *list = reallocarray(all->list, all->n + 1, sizeof(*list));

	if (!list)
		return NULL;
	all->list = list;
	list[all->n] = (struct account){ .uid = uid };
	return &list[all->n++];
}

static bool has_none(const struct account *account)
{
	for (size_t i = 0; i < ACCOUNT_THINGS; i++)
		if (account->used[i])
			return false;
	return true;
}

bool account_take(struct accounts *all, uid_t uid, enum account_thing thing)
{
	struct account *account = find_account(all, uid);
	size_t has = account ? account->used[thing] : 0;
	size_t left = all->most[thing] - all->used[thing];

	if (left == 0 || (uid != 0 && has + 1 > left - 1))
		return false;
	if (!account)
		account = add_account(all, uid);
	if (!account)
		return false;
	account->used[thing]++;
	all->used[thing]++;
	return true;
}

void account_return(struct accounts *all, uid_t uid, enum account_thing thing)
{
	struct account *account = find_account(all, uid);

	account->used[thing]--;
	all->used[thing]--;
	if (has_none(account))
		*account = all->list[--all->n];
}

void accounts_free(struct accounts *all)
{
	free(all->list);
}
