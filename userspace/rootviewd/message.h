/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The module's messages, taken apart.
 */
#ifndef ROOTVIEW_MESSAGE_H
#define ROOTVIEW_MESSAGE_H

#include "kernel.h"

struct nlattr;

/*
 * Read a nested ROOTVIEW_A_ORIGIN or ROOTVIEW_A_VIEW attribute.  The strings in
 * @ret point into it.  Return false if it is NULL, malformed, or lacks one of
 * the attributes that every message has.
 */
bool message_parse_origin(struct nlattr *nest, struct kernel_origin *ret);
bool message_parse_view(struct nlattr *nest, struct kernel_view *ret);

#endif
