// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The file that remembers the thin pool; storage.h is the contract.
 */
#include "storage.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include "util.h"

static const char header[] =
	"# The thin pool of rootview's layers, by rootview-storage-setup.\n";

static const struct key {
	const char *name;
	size_t offset;
} keys[] = {
	{ "DEVICE",		offsetof(struct storage, device) },
	{ "VG",			offsetof(struct storage, vg) },
	{ "LV",			offsetof(struct storage, lv) },
	{ "SIZE",		offsetof(struct storage, size) },
	{ "METADATA_SIZE",	offsetof(struct storage, metadata_size) },
	{ "POOL",		offsetof(struct storage, pool) },
	{ "UUID",		offsetof(struct storage, uuid) },
};

__attribute__((format(printf, 2, 3)))
static int failed(char *error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(error, STORAGE_ERROR_SIZE, format, ap);
	va_end(ap);
	return -1;
}

bool storage_is_set(const struct storage *storage)
{
	return storage->device[0] || storage->vg[0];
}

static bool is_comment(const char *line)
{
	size_t n = strspn(line, " \t");

	return line[n] == '#' || line[n] == '\n' || !line[n];
}

/* Cuts @line.  Returns what is wrong with it, or NULL. */
static const char *parse_line(char *line, struct storage *ret)
{
	char *value = strchr(line, '='), *to;
	size_t n;

	if (!value)
		return "is not KEY=value";
	*value++ = '\0';
	n = strcspn(value, " \t\r\n");
	if (value[n + strspn(value + n, " \t\r\n")])
		return "has white space in its value";
	value[n] = '\0';
	if (n >= STORAGE_VALUE_SIZE)
		return "is too long";
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!streq(line, keys[i].name))
			continue;
		to = (char *)ret + keys[i].offset;
		if (*to)
			return "is there twice";
		memcpy(to, value, n + 1);
		return NULL;
	}
	return "has no key that is known";
}

int storage_read(const char *path, struct storage *ret, char error[static STORAGE_ERROR_SIZE])
{
	cleanup_fclose FILE *file = fopen(path, "re");
	cleanup_free char *line = NULL;
	size_t size = 0;

	memset(ret, 0, sizeof(*ret));
	if (!file)
		return errno == ENOENT ? 0 : failed(error, "%s: %s", path, strerror(errno));
	for (int n = 1; getline(&line, &size, file) >= 0; n++) {
		const char *fault = is_comment(line) ? NULL : parse_line(line, ret);

		if (fault)
			return failed(error, "%s: line %d %s", path, n, fault);
	}
	return feof(file) ? 0 : failed(error, "%s: %s", path, strerror(errno));
}

static void copy_comments(const char *path, FILE *to)
{
	cleanup_fclose FILE *from = fopen(path, "re");
	cleanup_free char *line = NULL;
	size_t size = 0;

	if (!from)
		fputs(header, to);
	while (from && getline(&line, &size, from) >= 0)
		if (is_comment(line))
			fputs(line, to);
}

/* Returns 0 or -1 and errno. */
static int write_to(const char *new, const char *path, const struct storage *storage)
{
	cleanup_close int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
				    0644);
	cleanup_fclose FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (!file)
		return -1;
	fd = -1;
	copy_comments(path, file);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *value = (const char *)storage + keys[i].offset;

		if (*value)
			fprintf(file, "%s=%s\n", keys[i].name, value);
	}
	return fflush(file) || ferror(file) || fsync(fileno(file)) ? -1 : 0;
}

static int sync_folder(const char *path)
{
	cleanup_free char *copy = strdup(path);
	cleanup_close int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return fd < 0 ? -1 : fsync(fd);
}

int storage_write(const char *path, const struct storage *storage,
		  char error[static STORAGE_ERROR_SIZE])
{
	char new[PATH_MAX];

	if (snprintf(new, sizeof(new), "%s.new", path) >= (int)sizeof(new))
		errno = ENAMETOOLONG;
	else if (write_to(new, path, storage) == 0 && rename(new, path) == 0 &&
		 sync_folder(path) == 0)
		return 0;
	return failed(error, "cannot write %s: %s", path, strerror(errno));
}
