/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What kernels cannot do for views, and what cannot be tried: it is judged by their release.
 *
 * A release says little where fixes are backported, and so nothing is
 * refused because of it: what is here only makes a sentence for people.
 */
#ifndef ROOTVIEW_KERNEL_LIMITS_H
#define ROOTVIEW_KERNEL_LIMITS_H

#include <stdbool.h>

/*
 * Whether a kernel with that release, such as "6.12.117+deb13-amd64", checks
 * mprotect() through an overlay against the label of the view: CVE-2026-46054,
 * fixed in 6.12.117 and in 7.0.
 */
bool limits_fixes_mprotect(const char *release);

/*
 * A sentence about what the running kernel does not do well for a view with a
 * label of its own; NULL if there is nothing to say.
 */
const char *limits_label_warning(void);

#endif
