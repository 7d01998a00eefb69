// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A table for people; table.h is the contract.
 */
#include "table.h"

#include "util.h"

struct table {
	const char *const *headers;
	size_t columns;
	char **cells;
	size_t n;
	int error;
};

struct table *table_new(const char *const *headers, size_t n)
{
	struct table *t = calloc(1, sizeof(*t));

	if (t) {
		t->headers = headers;
		t->columns = n;
	}
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}

void table_add(struct table *t, const char *text)
{
	char **cells, *copy;

	if (t->error)
		return;
	copy = strdup(text && *text ? text : "-");
	/* A row at a time. */
	cells = t->n % t->columns ? t->cells :
		reallocarray(t->cells, t->n + t->columns, sizeof(*cells));
	if (cells)
		t->cells = cells;
	if (!copy || !cells) {
		free(copy);
		t->error = -ENOMEM;
		return;
	}
	t->cells[t->n++] = copy;
}

static int width(const struct table *t, size_t column)
{
	size_t max = strlen(t->headers[column]);

	for (size_t i = column; i < t->n; i += t->columns)
		if (strlen(t->cells[i]) > max)
			max = strlen(t->cells[i]);
	return max;
}

/* The last column is not filled up: nobody wants blanks at the end of a line. */
static void print_row(FILE *to, const char *const *cells, const int *widths, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++)
		fprintf(to, "%-*s  ", widths[i], cells[i]);
	fprintf(to, "%s\n", cells[n - 1]);
}

int table_print(const struct table *t, FILE *to)
{
	cleanup_free int *widths = calloc(t->columns, sizeof(*widths));

	if (t->error || !widths)
		return t->error ?: -ENOMEM;
	for (size_t i = 0; i < t->columns; i++)
		widths[i] = width(t, i);
	print_row(to, t->headers, widths, t->columns);
	for (size_t i = 0; i + t->columns <= t->n; i += t->columns)
		print_row(to, (const char *const *)t->cells + i, widths, t->columns);
	return 0;
}
