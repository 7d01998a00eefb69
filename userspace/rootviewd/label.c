// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * SELinux labels; label.h is the contract.
 */
#include "label.h"

#include <selinux/context.h>
#include <selinux/selinux.h>

#include "name.h"
#include "util.h"

/* A string that fsconfig() takes, such as the value of context=. */
#define LABEL_MOUNT_MAX 255

bool label_enabled(void)
{
	return is_selinux_enabled() == 1;
}

char *label_parse_contexts(FILE *file, const char *key)
{
	cleanup_free char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, file) >= 0) {
		cleanup_free char *name = NULL, *value = NULL;

		/* A comment does not match: '#' would have to belong to the name. */
		if (sscanf(line, " %m[^= \t\n] = \"%m[^\"\n]\"", &name, &value) == 2 &&
		    streq(name, key))
			return steal_ptr(&value);
	}
	return NULL;
}

int label_of_shared_files(char **ret, struct failure *f)
{
	cleanup_fclose FILE *file = NULL;
	const char *path;
	char reason[512];
	char *label;

	if (!label_enabled()) {
		*ret = NULL;
		return 0;
	}
	path = selinux_lxc_contexts_path();
	file = path ? fopen(path, "re") : NULL;
	if (!file) {
		snprintf(reason, sizeof(reason), "%s: %s", path ? path : "no policy is installed",
			 strerror(errno));
		return failed_step(f, "SELinux", "find the label of files that containers share", 0,
				   reason);
	}
	errno = 0;
	label = label_parse_contexts(file, "ro_file");
	if (!label) {
		snprintf(reason, sizeof(reason), "%s has no entry \"ro_file\"", path);
		return failed_step(f, "SELinux", "find the label of files that containers share",
				   errno, errno == ENOMEM ? NULL : reason);
	}
	*ret = label;
	return 0;
}

int label_check(const char *label, char **ret, struct failure *f)
{
	const char *fault;
	char *canonical, *copy;
	size_t length;

	if (!label_enabled())
		return failed(f, FAILURE_LABELS_UNAVAILABLE,
			      "SELinux is off, so no view can have the label \"%.128s\"", label);
	fault = label_fault(label);
	if (fault)
		return failed(f, FAILURE_INVALID_LABEL, "the label \"%.128s\" %s", label, fault);
	if (security_check_context_raw(label) < 0) {
		if (is_shortage(errno))
			return failed_step(f, label, "ask SELinux about this label", errno, NULL);
		return failed(f, FAILURE_INVALID_LABEL,
			      "the label \"%.128s\" is not valid in the loaded SELinux policy",
			      label);
	}
	if (security_canonicalize_context_raw(label, &canonical) < 0)
		return failed_step(f, label, "ask SELinux for the spelling of this label", errno,
				   NULL);
	length = strlen(canonical);
	copy = strdup(canonical);
	freecon(canonical);
	if (length > LABEL_MOUNT_MAX) {
		free(copy);
		return failed(f, FAILURE_INVALID_LABEL,
			      "the label \"%.128s...\" has %zu bytes, and the kernel takes %d for a "
			      "mount: choose fewer categories, or ranges of them (c1.c9)", label,
			      length, LABEL_MOUNT_MAX);
	}
	if (!copy)
		return failed_step(f, label, "check the label", ENOMEM, NULL);
	*ret = copy;
	return 0;
}

static bool same_type(const char *a, const char *b)
{
	context_t x = context_new(a), y = context_new(b);
	bool same = x && y && streq(context_type_get(x), context_type_get(y));

	context_free(x);
	context_free(y);
	return same;
}

bool label_is_none(const char *label)
{
	char *none;
	bool same;

	if (security_get_initial_context_raw("unlabeled", &none) < 0)
		return false;
	/* A file made on an unlabelled file system has its type, and its maker's user. */
	same = security_check_context_raw(label) < 0 || same_type(label, none);
	freecon(none);
	return same;
}
