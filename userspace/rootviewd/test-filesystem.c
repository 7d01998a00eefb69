// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is seen of a file system before it is mounted.
 */
#include "filesystem.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>

#include "util.h"

/* An image of @size bytes, on which @command is run, for the caller to close. */
static int make_image(const char *command, off_t size)
{
	char path[] = "/tmp/test-filesystem.XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);
	char line[256];

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	snprintf(line, sizeof(line), "%s %s >/dev/null 2>&1", command, path);
	assert_int_equal(system(line), 0);
	unlink(path);
	return fd;
}

static void type_is_found(void **state)
{
	cleanup_close int fd = make_image("mke2fs -q -t ext4", 8 << 20);
	char type[FILESYSTEM_TYPE_SIZE];
	struct failure f;

	(void)state;
	assert_int_equal(filesystem_probe(fd, "web", type, &f), 0);
	assert_string_equal(type, "ext4");
}

static void nothing_is_unsupported(void **state)
{
	cleanup_close int fd = make_image("true", 8 << 20);
	char type[FILESYSTEM_TYPE_SIZE];
	struct failure f;

	(void)state;
	assert_int_equal(filesystem_probe(fd, "web", type, &f), -1);
	assert_int_equal(f.kind, FAILURE_UNSUPPORTED_FILE_SYSTEM);
	assert_string_equal(f.file_system, "");
	assert_non_null(strstr(f.message, "\"web\""));
}

/* debugfs sets the flag that an interrupted mount leaves. */
static void dirty_journal_is_seen(void **state)
{
	cleanup_close int fd = make_image("mke2fs -q -t ext4", 8 << 20);
	char type[FILESYSTEM_TYPE_SIZE], line[128];
	uint8_t superblock[SUPERBLOCK_SIZE];
	struct failure f;

	(void)state;
	assert_int_equal(pread(fd, superblock, sizeof(superblock), SUPERBLOCK_OFFSET),
			 sizeof(superblock));
	assert_false(filesystem_ext4_is_dirty(superblock));
	snprintf(line, sizeof(line),
		 "debugfs -w -R 'feature needs_recovery' /proc/%d/fd/%d >/dev/null 2>&1", getpid(),
		 fd);
	assert_int_equal(system(line), 0);
	assert_int_equal(filesystem_probe(fd, "web", type, &f), -1);
	assert_int_equal(f.kind, FAILURE_NEEDS_RECOVERY);
	assert_string_equal(f.file_system, "ext4");
	assert_non_null(strstr(f.message, "mount the original device writable once"));
}

/* Changes one byte of the superblock: bits that are in @mask become those of @bits. */
static void change(int fd, off_t offset, uint8_t mask, uint8_t bits)
{
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, SUPERBLOCK_OFFSET + offset), 1);
	byte = (byte & ~mask) | bits;
	assert_int_equal(pwrite(fd, &byte, 1, SUPERBLOCK_OFFSET + offset), 1);
}

static void erofs_that_names_devices_is_refused(void **state)
{
	cleanup_close int fd = make_image("make() { mkfs.erofs --quiet $1 /etc/opt; }; make", 0);
	char type[FILESYSTEM_TYPE_SIZE];
	struct failure f;

	(void)state;
	assert_int_equal(filesystem_probe(fd, "web", type, &f), 0);
	assert_string_equal(type, "erofs");
	/* No checksum; a table of devices, of one device. */
	change(fd, 0x08, 0x01, 0);
	change(fd, 0x50, 0x08, 0x08);
	change(fd, 0x56, 0xff, 1);
	assert_int_equal(filesystem_probe(fd, "web", type, &f), -1);
	assert_int_equal(f.kind, FAILURE_UNSUPPORTED_FILE_SYSTEM);
	assert_string_equal(f.file_system, "erofs");
	assert_non_null(strstr(f.message, "names further devices"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(type_is_found),
		cmocka_unit_test(nothing_is_unsupported),
		cmocka_unit_test(dirty_journal_is_seen),
		cmocka_unit_test(erofs_that_names_devices_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
