/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading JSON that others write, in which anything may be missing or of another type.
 */
#ifndef ROOTVIEW_GRAPHDRIVER_JSON_H
#define ROOTVIEW_GRAPHDRIVER_JSON_H

#include <systemd/sd-json.h>

#include "util.h"

#define cleanup_json cleanup_with(sd_json_variant_unrefp)

/* The string @key of an object; "" if there is none. */
static inline const char *json_string(sd_json_variant *v, const char *key)
{
	sd_json_variant *value = sd_json_variant_is_object(v) ? sd_json_variant_by_key(v, key) :
				 NULL;

	return sd_json_variant_is_string(value) ? sd_json_variant_string(value) : "";
}

/* Whether it is a list that is not empty. */
static inline bool json_has_elements(sd_json_variant *v)
{
	return sd_json_variant_is_array(v) && sd_json_variant_elements(v) > 0;
}

#endif
