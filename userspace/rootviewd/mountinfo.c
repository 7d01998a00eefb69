// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is mounted below a folder; mountinfo.h is the contract.
 */
#include "mountinfo.h"

#include <sys/sysmacros.h>

#include "util.h"

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* The kernel writes blanks, newlines and backslashes as \ooo. */
static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		if (s[0] == '\\' && is_octal(s[1]) && is_octal(s[2]) && is_octal(s[3])) {
			*to++ = (s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0');
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

/*
 *	36 35 98:0 /root /path rw,noatime shared:1 - ext3 /dev/root rw,errors=continue
 *
 * Any number of fields may stand between the options and the "-".
 */
int mountinfo_parse_line(const char *line, struct mountinfo_entry *ret)
{
	cleanup_free char *path = NULL, *type = NULL;
	unsigned int major, minor;
	const char *rest;
	int n = 0;

	errno = 0;
	if (sscanf(line, "%*u %*u %u:%u %*s %ms %n", &major, &minor, &path, &n) < 3 || !n)
		return errno == ENOMEM ? -ENOMEM : -EBADMSG;
	rest = strstr(line + n, " - ");
	if (!rest || sscanf(rest, " - %ms", &type) != 1)
		return errno == ENOMEM ? -ENOMEM : -EBADMSG;
	unescape(path);
	*ret = (struct mountinfo_entry){
		.path = steal_ptr(&path),
		.dev = makedev(major, minor),
		.type = steal_ptr(&type),
	};
	return 0;
}

static void entry_free(struct mountinfo_entry *entry)
{
	free(entry->path);
	free(entry->type);
}

static bool is_below(const char *path, const char *folder)
{
	const char *rest = after_prefix(path, folder);

	return rest && (*rest == '\0' || *rest == '/');
}

/* Consumes what @entry points to, even on failure. */
static int append(struct mountinfo *table, struct mountinfo_entry *entry)
{
	/* Powers of two, so that a long table is not copied for each line. */
	if ((table->n & (table->n - 1)) == 0) {
		size_t room = table->n ? 2 * table->n : 1;
		void *entries = reallocarray(table->entries, room, sizeof(*entry));

		if (!entries) {
			entry_free(entry);
			return -ENOMEM;
		}
		table->entries = entries;
	}
	table->entries[table->n++] = *entry;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct mountinfo_entry *x = a, *y = b;

	return strcmp(x->path, y->path);
}

int mountinfo_read(const char *file, const char *folder, struct mountinfo *ret)
{
	cleanup_fclose FILE *stream = fopen(file, "re");
	struct mountinfo table = { .entries = NULL };
	cleanup_free char *line = NULL;
	struct mountinfo_entry entry;
	size_t size = 0;
	int r = 0;

	if (!stream)
		return -errno;
	while (r == 0 && getline(&line, &size, stream) >= 0) {
		r = mountinfo_parse_line(line, &entry);
		if (r < 0)
			break;
		if (is_below(entry.path, folder))
			r = append(&table, &entry);
		else
			entry_free(&entry);
	}
	/* A table that was read in part would tell that the rest is not mounted. */
	if (r == 0 && !feof(stream))
		r = errno == ENOMEM ? -ENOMEM : -EIO;
	if (r < 0) {
		mountinfo_free(&table);
		return r;
	}
	if (table.n)
		qsort(table.entries, table.n, sizeof(*table.entries), compare);
	*ret = table;
	return 0;
}

void mountinfo_free(struct mountinfo *table)
{
	for (size_t i = 0; i < table->n; i++)
		entry_free(&table->entries[i]);
	free(table->entries);
	*table = (struct mountinfo){ .entries = NULL };
}

struct mountinfo_entry *mountinfo_find(struct mountinfo *table, const char *path)
{
	struct mountinfo_entry key = { .path = (char *)path };
	struct mountinfo_entry *first = table->entries;
	struct mountinfo_entry *found;

	found = first ? bsearch(&key, first, table->n, sizeof(key), compare) : NULL;
	if (!found)
		return NULL;
	if ((found > first && streq(found[-1].path, path)) ||
	    (found + 1 < first + table->n && streq(found[1].path, path)))
		return NULL;
	return found;
}
