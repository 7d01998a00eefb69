/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Accounts: how much of what there is for all clients each user has.
 *
 * Who is not root gets more of a thing only while at least as much of it is left as they then
 * have.  So one user takes half at most, a second one a quarter, and there always is some left
 * for the next; root, by whom engines run, may have all that is left.
 */
#ifndef ROOTVIEW_ACCOUNT_H
#define ROOTVIEW_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum account_thing {
	ACCOUNT_CONNECTIONS,	/* that are served */
	ACCOUNT_SOCKETS,	/* connections, served or not */
	ACCOUNT_REQUESTS,	/* that are not answered */
	ACCOUNT_THINGS,
};

struct accounts {
	size_t most[ACCOUNT_THINGS];	/* how many there are for all; set once */
	size_t used[ACCOUNT_THINGS];
	size_t n;
	struct account {
		uid_t uid;
		size_t used[ACCOUNT_THINGS];
	} *list;
};

/* Gives the user one more; false if there is none for them, or memory is short. */
bool account_take(struct accounts *all, uid_t uid, enum account_thing thing);

/* Takes one back that was given. */
void account_return(struct accounts *all, uid_t uid, enum account_thing thing);

void accounts_free(struct accounts *all);

#endif
