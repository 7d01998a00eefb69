/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text that others have written: names of files, sentences that were cut off.
 */
#ifndef ROOTVIEW_TEXT_H
#define ROOTVIEW_TEXT_H

/* Puts a '?' in the place of each byte that is no UTF-8: JSON can hold nothing else. */
void text_make_utf8(char *text);

#endif
