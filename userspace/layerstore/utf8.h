/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The locale in which libarchive is called: it takes names for text of the locale,
 * and refuses or marks those that are none.
 */
#ifndef ROOTVIEW_LAYER_UTF8_H
#define ROOTVIEW_LAYER_UTF8_H

#include <locale.h>

#include "error.h"

struct utf8 {
	locale_t locale, old;
};

/* Gives this thread the locale C.UTF-8 until utf8_end(); -1 if the machine has none. */
int utf8_begin(struct utf8 *utf8, struct layer_error *error);
void utf8_end(struct utf8 *utf8);

#endif
