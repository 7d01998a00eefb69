// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What to mount, and how; plan.h is the contract.
 */
#include "plan.h"

#include "util.h"

static void add_option(struct plan_mount *plan, const char *key, const char *value)
{
	plan->options[plan->n_options].key = key;
	plan->options[plan->n_options].value = value;
	plan->n_options++;
}

/*
 * What each type needs beside "ro".  No journal is ever replayed:
 *
 * ext4 would write; "noload" makes it leave the journal alone.  Whether the
 * journal is clean was looked up in the superblock before.
 *
 * xfs gets no "norecovery", on purpose: without it, xfs itself checks its log,
 * and on a device that is read-only, as ours are, refuses with EROFS if the log
 * is dirty, and otherwise mounts without a write.  There is no other sound way
 * to learn whether an xfs log is clean.  Copies of one xfs have one uuid, of
 * which it accepts one at a time unless told otherwise.
 *
 * erofs and squashfs have no journal.
 *
 * Nothing in an image decides about the host.  An ext4's superblock can ask for a panic, or
 * for a warning, which is one with kernel.panic_on_warn=1, when a block of it is bad; what
 * is asked for here wins over it.  With "noload", the external journal that it may name is
 * not opened.  Those of xfs and squashfs ask for nothing: what decides there are options and
 * sysctls.  What an erofs asks for is looked up before, in filesystem.c.
 */
static const struct {
	const char *type;
	struct plan_option options[PLAN_TYPE_OPTIONS_MAX];
} types[] = {
	{ "ext4",	{ { "noload", NULL }, { "errors", "remount-ro" },
			  { "nowarn_on_error", NULL } } },
	{ "xfs",	{ { "nouuid", NULL } } },
	{ "erofs",	{} },
	{ "squashfs",	{} },
};

bool plan_is_listed(const char *type, const char *list)
{
	const size_t n = strlen(type);

	for (; list; list = strchr(list, ','), list = list ? list + 1 : NULL)
		if (strncmp(list, type, n) == 0 && (list[n] == ',' || list[n] == '\0'))
			return true;
	return false;
}

bool plan_plain(const char *type, const char *source, const char *label, struct plan_mount *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!streq(types[i].type, type))
			continue;
		*ret = (struct plan_mount){ .type = types[i].type };
		add_option(ret, "source", source);
		add_option(ret, "ro", NULL);
		for (size_t k = 0; k < PLAN_TYPE_OPTIONS_MAX && types[i].options[k].key; k++)
			add_option(ret, types[i].options[k].key, types[i].options[k].value);
		/* fsconfig() takes the value as it is: quotes are for mount(2) alone. */
		if (label)
			add_option(ret, "context", label);
		return true;
	}
	return false;
}

void plan_overlay(const char *layers, const char *label, struct plan_mount *ret)
{
	*ret = (struct plan_mount){ .type = "overlay" };
	add_option(ret, "source", "rootview");
	add_option(ret, "ro", NULL);
	add_option(ret, "lowerdir", layers);
	/*
	 * It shows what the image shows, and nothing that overlayfs' attributes
	 * in an image of unknown origin ask for.
	 */
	add_option(ret, "redirect_dir", "nofollow");
	add_option(ret, "metacopy", "off");
	if (label)
		add_option(ret, "context", label);
}
