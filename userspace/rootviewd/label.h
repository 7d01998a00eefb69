/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SELinux labels: whether there are any, which one shared files get, and
 * whether a label that somebody asks for is valid.
 */
#ifndef ROOTVIEW_LABEL_H
#define ROOTVIEW_LABEL_H

#include <stdbool.h>
#include <stdio.h>

#include "failure.h"
#include "util.h"

/* Asked for in place of a label: each file keeps the one that the image stores. */
#define LABEL_NATIVE "native"

/* Whether @label, which may be NULL, asks for that. */
static inline bool label_is_native(const char *label)
{
	return label && streq(label, LABEL_NATIVE);
}

/* Whether SELinux is on; enforcing or permissive makes no difference here. */
bool label_enabled(void);

/*
 * Finds the label that the loaded policy has for files that containers share
 * and never write.  On success *@ret is to be freed by the caller, and NULL if
 * SELinux is off.
 */
int label_of_shared_files(char **ret, struct failure *f);

/*
 * Checks a label against the loaded policy.  On success *@ret is the same label
 * in the one spelling that the kernel uses, to be freed by the caller.  Fails
 * with LABELS_UNAVAILABLE or INVALID_LABEL; the latter also for one that has more bytes than a
 * mount can be given.
 */
int label_check(const char *label, char **ret, struct failure *f);

/*
 * Whether @label is what a file without one is said to have, or is unknown to the
 * loaded policy, which comes to the same.
 */
bool label_is_none(const char *label);

/*
 * Reads the value of @key from a file in the form of the policy's lxc_contexts:
 * lines of KEY = "VALUE", and comments that begin with '#'.  Returns NULL if it
 * is not there, and a value for the caller to free otherwise.
 */
char *label_parse_contexts(FILE *file, const char *key);

#endif
