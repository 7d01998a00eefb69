// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What kernels cannot do; kernel-limits.h is the contract.
 */
#include "kernel-limits.h"

#include <sys/utsname.h>

#include "util.h"

struct release {
	unsigned int major, minor, patch;
};

/* Of what is no release, nothing is expected. */
static struct release parse(const char *text)
{
	struct release r = {};

	if (sscanf(text, "%u.%u.%u", &r.major, &r.minor, &r.patch) < 2)
		return (struct release){};
	return r;
}

bool limits_fixes_mprotect(const char *release)
{
	struct release r = parse(release);

	return r.major >= 7 || (r.major == 6 && r.minor == 12 && r.patch >= 117);
}

const char *limits_label_warning(void)
{
	struct utsname name;

	if (uname(&name) < 0 || limits_fixes_mprotect(name.release))
		return NULL;
	return "this kernel may not check mprotect() of a view's files against the view's own "
	       "label (CVE-2026-46054): a container that may execute files of the origin's label "
	       "can make pages of its view executable";
}
