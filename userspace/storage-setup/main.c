// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * rootview-storage-setup: makes the thin pool that layers are kept in.
 *
 *	device.c	a block device: who uses it, what is on it
 *	lvm.c		LVM's commands
 *	pool.c		the volume group and the pool, step by step
 *
 * What is to be made is recorded in the configuration file before it is made:
 * common/storage.h.
 */
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "device.h"
#include "pool.h"
#include "say.h"
#include "util.h"

static void usage(FILE *to)
{
	fputs("Usage: rootview-storage-setup [OPTION]...\n"
	      "\n"
	      "Makes a thin pool for rootview's layers by LVM, activates it, and remembers it.\n"
	      "Without options it makes or activates what the configuration file says.  What\n"
	      "is there already is left as it is; what was interrupted is finished.\n"
	      "\n"
	      "  --device DEVICE       a spare disk: all of it becomes a volume group\n"
	      "  --wipe                ... though it holds data; never if it is in use\n"
	      "  --vg NAME             the pool is in that volume group; with --device, the\n"
	      "                        new one's name (default: rootview)\n"
	      "  --pool NAME           the pool's name in it (default: rootview-pool)\n"
	      "  --size SIZE|N%        of a new pool; N% of what is free (default: 90%)\n"
	      "  --metadata-size SIZE  of a new pool (default: 1/128 of its size)\n"
	      "  --grow [SIZE|N%]      make the pool larger: up to SIZE, or by N% of what is\n"
	      "                        free (default: 90%)\n"
	      "  --config FILE         default: " STORAGE_CONFIG "\n"
	      "  --version\n"
	      "  --help\n"
	      "\n"
	      "The file has lines of KEY=value: DEVICE, VG, LV, SIZE and METADATA_SIZE, which\n"
	      "may be written by hand, and then POOL, the path for dockerd's rootview.pool, and\n"
	      "UUID, by which the pool is known again.\n"
	      "\n"
	      "The exit status is 0 if the pool is active, 1 if not, with a sentence on stderr,\n"
	      "and 2 if the command line makes no sense.\n", to);
}

static int refuse_usage(void)
{
	usage(stderr);
	return 2;
}

struct options {
	const char *config;
	const char *device, *vg, *lv, *size, *metadata_size;	/* NULL: not given */
	const char *grow_to;					/* the same */
	bool grow, wipe;
};

static const struct option long_options[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "wipe", no_argument, NULL, 'w' },
	{ "vg", required_argument, NULL, 'g' },
	{ "pool", required_argument, NULL, 'p' },
	{ "size", required_argument, NULL, 's' },
	{ "metadata-size", required_argument, NULL, 'm' },
	{ "grow", optional_argument, NULL, 'G' },
	{ "config", required_argument, NULL, 'c' },
	{ "version", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* Returns -1 to go on, or an exit status. */
static int parse_options(int argc, char *argv[], struct options *ret)
{
	int c;

	while ((c = getopt_long(argc, argv, "+", long_options, NULL)) >= 0) {
		switch (c) {
		case 'd':
			ret->device = optarg;
			break;
		case 'w':
			ret->wipe = true;
			break;
		case 'g':
			ret->vg = optarg;
			break;
		case 'p':
			ret->lv = optarg;
			break;
		case 's':
			ret->size = optarg;
			break;
		case 'm':
			ret->metadata_size = optarg;
			break;
		case 'G':
			ret->grow = true;
			ret->grow_to = optarg;
			if (!optarg && argv[optind] && argv[optind][0] != '-')
				ret->grow_to = argv[optind++];
			break;
		case 'c':
			ret->config = optarg;
			break;
		case 'v':
			puts("rootview-storage-setup " ROOTVIEW_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			return refuse_usage();
		}
	}
	return optind < argc ? refuse_usage() : -1;
}

/* Sets what the file does not say; otherwise it refuses what is another pool. */
static int merge(const struct setup *s, const char *option, const char *given, const char *key,
		 bool fixed, char to[static STORAGE_VALUE_SIZE])
{
	if (!given || streq(given, to))
		return 0;
	if (s->storage.uuid[0])
		return complain("--%s %s: %s has %s=%s; there is one pool, which only grows, by "
				"--grow", option, given, s->config, key, to);
	if (*to && fixed)
		return complain("--%s %s: %s has %s=%s, and that may be begun; remove that file to "
				"make another pool", option, given, s->config, key, to);
	if (strlen(given) >= STORAGE_VALUE_SIZE || given[strcspn(given, " \t\r\n")])
		return complain("--%s: the value is too long, or has white space", option);
	strcpy(to, given);
	return 0;
}

/* As others may call the device by another name. */
static int merge_device(struct setup *s, const char *given)
{
	char *to = s->storage.device;

	if (given && *to && device_is_same(given, to))
		return 0;
	if (given && !*to && storage_is_set(&s->storage))
		return complain("--device %s: %s has VG=%s and no DEVICE; there is one pool", given,
				s->config, s->storage.vg);
	return merge(s, "device", given, "DEVICE", true, to);
}

static int check_storage(struct setup *s)
{
	struct storage *storage = &s->storage;

	if (!storage_is_set(storage))
		return complain("%s does not say where to make a pool: see --device and --vg in "
				"--help", s->config);
	if (!storage->vg[0])
		strcpy(storage->vg, "rootview");
	if (!storage->lv[0])
		strcpy(storage->lv, "rootview-pool");
	if (storage->device[0] && storage->device[0] != '/')
		return complain("\"%s\" is no path of a device", storage->device);
	if (!lvm_is_name(storage->vg) || !lvm_is_name(storage->lv))
		return complain("\"%s/%s\" is no name of a volume", storage->vg, storage->lv);
	if (storage->size[0] && !pool_is_size(storage->size))
		return complain("\"%s\" is no size, such as 20G or 50%%", storage->size);
	if (storage->metadata_size[0] && (!pool_is_size(storage->metadata_size) ||
					  strchr(storage->metadata_size, '%')))
		return complain("\"%s\" is no size, such as 512M", storage->metadata_size);
	return 0;
}

static int read_storage(struct setup *s, const struct options *o)
{
	struct storage *storage = &s->storage;
	char error[STORAGE_ERROR_SIZE];

	if (storage_read(s->config, storage, error) < 0)
		return complain("%s", error);
	s->recorded = storage_is_set(storage);
	if (merge_device(s, o->device) < 0 || merge(s, "vg", o->vg, "VG", true, storage->vg) < 0 ||
	    merge(s, "pool", o->lv, "LV", true, storage->lv) < 0 ||
	    merge(s, "size", o->size, "SIZE", false, storage->size) < 0 ||
	    merge(s, "metadata-size", o->metadata_size, "METADATA_SIZE", false,
		  storage->metadata_size) < 0)
		return -1;
	if (o->grow_to && !pool_is_size(o->grow_to))
		return complain("\"%s\" is no size, such as 20G or 50%%", o->grow_to);
	return check_storage(s);
}

/* Keeps others of us out, until we end.  The file's folder is made for that. */
static int lock_config(const char *path)
{
	cleanup_free char *copy = strdup(path);
	const char *folder = copy ? dirname(copy) : NULL;
	int fd;

	if (!folder || (mkdir(folder, 0755) < 0 && errno != EEXIST))
		return complain("%s cannot be made: %s", folder ?: path, strerror(errno));
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return complain("%s cannot be locked: %s", folder, strerror(errno));
	return 0;
}

static int setup(struct setup *s, const struct options *o)
{
	struct lvm_volume volume;

	if (lock_config(s->config) < 0 || read_storage(s, o) < 0 || pool_ensure_group(s) < 0 ||
	    pool_ensure(s, &volume) < 0)
		return -1;
	if (o->grow && pool_grow(s, o->grow_to) < 0)
		return -1;
	device_warn_of_loop(s->storage.pool);
	printf("%s is ready%s\n", s->storage.pool, s->changed ? "" : "; nothing had to be done");
	return 0;
}

int main(int argc, char *argv[])
{
	struct options options = { .config = STORAGE_CONFIG };
	struct setup s = { 0 };
	int r = parse_options(argc, argv, &options);

	if (r >= 0)
		return r;
	s.config = options.config;
	s.wipe = options.wipe;
	/* LVM speaks of descriptors that whoever has started us has left open. */
	setenv("LVM_SUPPRESS_FD_WARNINGS", "1", 1);
	umask(022);
	return setup(&s, &options) < 0;
}
