// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A recipe; recipe.h is the contract.
 */
#include "recipe.h"

#include <search.h>

#include "origin.h"
#include "util.h"

static int compare(const void *a, const void *b)
{
	const struct recipe *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static void recipe_free(struct recipe *r)
{
	free(r->key);
	free(r->label);
	mount_points_free(&r->points);
	free(r->map);
	free(r->map_text);
	free(r->missing_text);
	mount_points_free(&r->missing);
	free(r);
}

static char *map_text(const struct idmap *map)
{
	sd_json_variant *json = NULL;
	char *text = NULL;

	if (!map)
		return strdup("");
	if (idmap_to_json(map, &json) >= 0 && sd_json_variant_format(json, 0, &text) < 0)
		text = NULL;
	sd_json_variant_unref(json);
	return text;
}

struct recipe *recipe_get(struct origin *o, const char *label, struct spec *spec)
{
	cleanup_free char *points = mount_points_to_text(&spec->points);
	struct recipe *r = calloc(1, sizeof(*r));
	struct recipe **found;

	if (!r)
		return NULL;
	*r = (struct recipe){ .origin = o };
	r->map_text = map_text(spec->idmap);
	r->label = label ? strdup(label) : NULL;
	if (!points || !r->map_text || (label && !r->label) ||
	    asprintf(&r->key, "%s\n%s\n%s", label ?: "", points, r->map_text) < 0)
		goto failed;
	found = tsearch(r, &o->recipes, compare);
	if (!found)
		goto failed;
	if (*found != r) {
		recipe_free(r);
		return *found;
	}
	r->points = spec->points;
	spec->points = (struct mount_points){};
	r->map = spec->idmap;
	spec->idmap = NULL;
	/* Without mount points there is nothing to look for in the image. */
	if (!r->points.n)
		r->missing_text = strdup("");
	if (r->points.n || r->missing_text)
		return r;
	tdelete(r, &o->recipes, compare);
failed:
	recipe_free(r);
	return NULL;
}

void recipe_release(struct recipe *r)
{
	if (r->views || r->variant || r->queued)
		return;
	tdelete(r, &r->origin->recipes, compare);
	recipe_free(r);
}

/*
 * Recipes of a variant that goes.
 */

struct forgetting {
	struct variant *variant;
	struct recipe *useless;		/* chained by @next, as none of them is queued */
};

static void forget(const void *node, VISIT which, void *userdata)
{
	struct forgetting *forgetting = userdata;
	struct recipe *r;

	if (which != postorder && which != leaf)
		return;
	r = *(struct recipe *const *)node;
	if (!r->variant || (forgetting->variant && r->variant != forgetting->variant))
		return;
	r->variant = NULL;
	if (!r->views && !r->queued) {
		r->next = forgetting->useless;
		forgetting->useless = r;
	}
}

void recipe_forget_variant(struct origin *o, struct variant *v)
{
	struct forgetting forgetting = { .variant = v };

	twalk_r(o->recipes, forget, &forgetting);
	while (forgetting.useless) {
		struct recipe *r = forgetting.useless;

		forgetting.useless = r->next;
		recipe_release(r);
	}
}

/*
 * Which variant.
 */

const char *recipe_label(const struct recipe *r)
{
	return r->label ?: r->origin->plain->label;
}

bool recipe_needs_overlay(const struct recipe *r)
{
	return *r->missing_text || !streq_null(recipe_label(r), r->origin->plain->label);
}

static bool is_plain(const struct recipe *r)
{
	return !*r->map_text && !recipe_needs_overlay(r);
}

struct variant *recipe_find_variant(struct recipe *r)
{
	const struct variant *plain = r->origin->plain;
	struct variant *v;

	if (r->variant)
		return r->variant;
	if (!plain || !r->missing_text)
		return NULL;
	if (is_plain(r))
		return r->variant = r->origin->plain;
	for (v = r->origin->others; v; v = v->next)
		if (streq_null(v->label, recipe_label(r)) &&
		    streq(v->points, r->missing_text) && streq(v->map, r->map_text))
			break;
	r->variant = v;
	return v;
}

int recipe_set_missing(struct recipe *r, const char *text)
{
	struct mount_points missing;
	char *copy = strdup(text);

	if (!copy || mount_points_from_text(text, &missing) < 0) {
		free(copy);
		return -1;
	}
	free(r->missing_text);
	r->missing_text = copy;
	mount_points_free(&r->missing);
	r->missing = missing;
	return 0;
}
