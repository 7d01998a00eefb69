/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text that others have written: names of files, sentences that were cut off, sizes.
 */
#ifndef ROOTVIEW_TEXT_H
#define ROOTVIEW_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* Puts a '?' in the place of each byte that is no UTF-8: JSON can hold nothing else. */
void text_make_utf8(char *text);

/* The same for each control character, so that it is one line, and does nothing to a terminal. */
void text_make_line(char *text);

/* Takes a number of bytes, with or without one of k, m, g, t behind it, of whatever case. */
bool text_parse_size(const char *text, uint64_t *ret);

#endif
