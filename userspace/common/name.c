// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which names and labels are good; name.h is the contract.
 */
#include "name.h"

#include "util.h"

#define STRINGIFY_RAW(x) #x
#define STRINGIFY(x) STRINGIFY_RAW(x)

/* What device-mapper's tools and udev pass through unchanged. */
static const char origin_characters[] =
	"abcdefghijklmnopqrstuvwxyz"
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	"0123456789"
	"#+-.:=@_";

static bool is_visible_ascii(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s >= 0x7f)
			return false;
	return true;
}

static bool is_dots(const char *s)
{
	return streq(s, ".") || streq(s, "..");
}

const char *origin_name_fault(const char *name)
{
	if (!*name)
		return "is empty";
	if (strlen(name) > ORIGIN_NAME_MAX)
		return "is longer than " STRINGIFY(ORIGIN_NAME_MAX) " bytes";
	if (is_dots(name))
		return "is \".\" or \"..\"";
	if (strchr(name, '/'))
		return "holds a '/'";
	if (name[strspn(name, origin_characters)])
		return "holds a character that is neither an ASCII letter or digit nor one of "
		       "#+-.:=@_";
	return NULL;
}

const char *view_name_fault(const char *name)
{
	if (!*name)
		return "is empty";
	if (strlen(name) > ROOTVIEW_NAME_MAX)
		return "is longer than " STRINGIFY(ROOTVIEW_NAME_MAX) " bytes";
	if (is_dots(name))
		return "is \".\" or \"..\"";
	if (strchr(name, '/'))
		return "holds a '/'";
	if (!is_visible_ascii(name))
		return "holds a character that is not visible ASCII";
	return NULL;
}

const char *label_fault(const char *label)
{
	if (!*label)
		return "is empty";
	if (strlen(label) > ROOTVIEW_LABEL_MAX)
		return "is longer than " STRINGIFY(ROOTVIEW_LABEL_MAX) " bytes";
	if (!is_visible_ascii(label))
		return "holds a character that is not visible ASCII";
	return NULL;
}
