// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Text that others have written; text.h is the contract.
 */
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* How many bytes of UTF-8 begin at @s; 0 if these are none. */
static size_t sequence(const unsigned char *s)
{
	size_t n = *s < 0x80 ? 1 : *s >= 0xc2 && *s < 0xe0 ? 2 : *s >= 0xe0 && *s < 0xf0 ? 3 :
		   *s >= 0xf0 && *s < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, and what is beyond Unicode. */
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] >= 0xa0) ||
	    (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] >= 0x90))
		return 0;
	return n;
}

void text_make_utf8(char *text)
{
	unsigned char *s = (unsigned char *)text;

	while (*s) {
		size_t n = sequence(s);

		if (!n)
			*s = '?';
		s += n ?: 1;
	}
}

void text_make_line(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

bool text_parse_size(const char *text, uint64_t *ret)
{
	static const char units[] = "kmgt";
	const char *unit;
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)*text) || errno)
		return false;
	unit = *end ? strchr(units, tolower((unsigned char)*end)) : NULL;
	/* As in "10GB" and "10GiB". */
	if (unit && (!end[1] || !strcasecmp(end + 1, "b") || !strcasecmp(end + 1, "ib"))) {
		int shift = 10 * (unit - units + 1);

		if (*ret > UINT64_MAX >> shift)
			return false;
		*ret <<= shift;
		return true;
	}
	return !*end;
}
