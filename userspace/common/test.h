/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What unit tests share.  To be included behind <cmocka.h>.
 */
#ifndef ROOTVIEW_TEST_H
#define ROOTVIEW_TEST_H

#include <ftw.h>
#include <stdio.h>

static inline int test_remove_one(const char *path, const struct stat *st, int type,
				  struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

/* Removes a temporary folder and all below it. */
static inline void test_remove_folder(const char *path)
{
	assert_int_equal(nftw(path, test_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
