// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The locale for libarchive; utf8.h is the contract.
 */
#include "utf8.h"

int utf8_begin(struct utf8 *utf8, struct layer_error *error)
{
	utf8->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
	if (!utf8->locale)
		return layer_failed(error, LAYER_FAILED, "this machine has no locale C.UTF-8");
	utf8->old = uselocale(utf8->locale);
	return 0;
}

void utf8_end(struct utf8 *utf8)
{
	uselocale(utf8->old);
	freelocale(utf8->locale);
}
