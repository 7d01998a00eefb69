/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A table for people: a header and rows, in columns as wide as they need to be.
 */
#ifndef ROOTVIEW_TABLE_H
#define ROOTVIEW_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct table;

/* @headers are @n titles that outlive the table.  NULL if memory is short. */
struct table *table_new(const char *const *headers, size_t n);
void table_free(struct table *t);

/*
 * Fills the next cell, from left to right and row by row, with a copy of @text;
 * NULL or an empty one shows as "-".  A failure is remembered for table_print().
 */
void table_add(struct table *t, const char *text);

/* Prints all complete rows.  Returns 0 or a negative errno. */
int table_print(const struct table *t, FILE *to);

#endif
