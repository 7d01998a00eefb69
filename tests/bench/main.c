// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * rootview-bench: options, and the order in which all is measured.
 *
 * Called by tests/bench/containers, which makes what it works on.
 */
#include <getopt.h>

#include "bench.h"
#include "results.h"
#include "util.h"

static const char help[] =
	"Usage: rootview-bench OPTION...\n"
	"Creates and deletes containers in each mode; prints an array of results as JSON.\n"
	"\n"
	"  --containers N    how many (default: 1000)\n"
	"  --levels LIST     of storage, container, docker (default: the first two)\n"
	"  --modes LIST      of those that --list prints (default: all)\n"
	"  --rounds N        how often all of it is done (default: 3)\n"
	"  --batch N         views in one call of rootview-batch, up to 1024 (default: 100)\n"
	"  --labels          give the containers SELinux labels\n"
	"  --work FOLDER     to work in; there \"store\" is on a file system of the disk, and\n"
	"                    \"store/image\" the image's files; config.json is a container's\n"
	"  --pool DEVICE     a thin pool, in which number 0 is the image, not active\n"
	"  --origin DEVICE   a snapshot of the image\n"
	"  --disk DEVICE     the disk below all of it\n"
	"  --list            print the names of the modes, and exit\n";

static const struct mode *const all_modes[] = {
	&mode_dm_rw,
	&mode_overlay2,
	&mode_vfs,
	&mode_rootview_attached,
	&mode_rootview_detached,
	&mode_rootview_shared,
	&mode_rootview_batch,
	&mode_docker_overlay2,
	&mode_docker_writable,
	&mode_docker_attached,
	&mode_docker_shared,
};

static const struct level all_levels[] = {
	{ .name = "storage" },
	{ .name = "container", .start = crun_start, .end = crun_delete },
	{ .name = "docker", .docker = true, .start = docker_start },
};

#define MODES ARRAY_SIZE(all_modes)
#define LEVELS ARRAY_SIZE(all_levels)
#define BATCH_MOST 1024

struct options {
	size_t containers;
	size_t rounds;
	bool modes[MODES];
	bool levels[LEVELS];
};

static size_t number(const char *option, const char *value)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (*value < '0' || *value > '9' || *end || n < 1 || n > 1000000)
		die(0, "--%s: \"%s\" is no number from 1 to 1000000", option, value);
	return n;
}

static const char *mode_name(size_t i)
{
	return all_modes[i]->name;
}

static const char *level_name(size_t i)
{
	return all_levels[i].name;
}

/* Sets those of @chosen whose names are in @list, and no others.  A name may be that of many. */
static void choose(const char *list, const char *(*name)(size_t i), bool *chosen, size_t n)
{
	cleanup_free char *copy = text("%s", list);
	char *rest = copy, *word;
	bool found;

	memset(chosen, 0, n * sizeof(*chosen));
	while ((word = strsep(&rest, ","))) {
		found = false;
		for (size_t i = 0; i < n; i++) {
			if (!streq(name(i), word))
				continue;
			chosen[i] = true;
			found = true;
		}
		if (!found)
			die(0, "there is no \"%s\" to be measured (see --help)", word);
	}
}

static void print_modes(void)
{
	for (size_t i = 0; i < MODES; i++)
		printf("%s%s\n", all_modes[i]->name, all_modes[i]->docker ? " (docker)" : "");
}

static void parse_options(int argc, char *argv[], struct bench *b, struct options *o)
{
	static const struct option options[] = {
		{ "containers", required_argument, NULL, 'n' },
		{ "levels", required_argument, NULL, 'l' },
		{ "modes", required_argument, NULL, 'm' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "batch", required_argument, NULL, 'b' },
		{ "labels", no_argument, NULL, 's' },
		{ "work", required_argument, NULL, 'w' },
		{ "pool", required_argument, NULL, 'p' },
		{ "origin", required_argument, NULL, 'o' },
		{ "disk", required_argument, NULL, 'd' },
		{ "list", no_argument, NULL, 'i' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	int c, which = 0;

	while ((c = getopt_long(argc, argv, "h", options, &which)) >= 0) {
		switch (c) {
		case 'n':
			o->containers = number(options[which].name, optarg);
			break;
		case 'l':
			choose(optarg, level_name, o->levels, LEVELS);
			break;
		case 'm':
			choose(optarg, mode_name, o->modes, MODES);
			break;
		case 'r':
			o->rounds = number(options[which].name, optarg);
			break;
		case 'b':
			b->batch = number(options[which].name, optarg);
			break;
		case 's':
			b->labels = true;
			break;
		case 'w':
			b->work = optarg;
			break;
		case 'p':
			b->pool = optarg;
			break;
		case 'o':
			b->origin = optarg;
			break;
		case 'd':
			b->disk = optarg;
			break;
		case 'i':
			print_modes();
			exit(EXIT_SUCCESS);
		case 'h':
			fputs(help, stdout);
			exit(EXIT_SUCCESS);
		default:
			exit(2);
		}
	}
	if (optind < argc || !b->work || !b->pool || !b->origin || !b->disk ||
	    b->batch > BATCH_MOST)
		die(0, "bad usage (see --help)");
}

static bool is_wanted(const struct options *o, size_t level, size_t mode)
{
	return o->levels[level] && o->modes[mode] &&
	       all_levels[level].docker == all_modes[mode]->docker;
}

static void report_progress(const char *level, const char *mode, size_t round,
			    const struct round *result)
{
	fprintf(stderr, "round %zu: %s, %s: %zu containers, %.3f ms to create, %.3f ms to delete\n",
		round + 1, level, mode, result->n, results_median(result->create_ms, result->n),
		results_median(result->delete_ms, result->n));
}

/* By level and mode, one for each round; NULL for what is not measured. */
struct all_rounds {
	struct round *of[LEVELS][MODES];
};

static void measure(struct bench *b, const struct options *o, size_t level, size_t mode,
		    size_t round, struct round *ret)
{
	const struct mode *m = all_modes[mode];
	size_t n = m->most && m->most < o->containers ? m->most : o->containers;

	round_run(b, m, &all_levels[level], n, ret);
	report_progress(all_levels[level].name, m->name, round, ret);
}

/* A round has every mode once: what drifts with time falls on all of them. */
static void measure_all(struct bench *b, const struct options *o, struct all_rounds *rounds)
{
	for (size_t round = 0; round < o->rounds; round++)
		for (size_t level = 0; level < LEVELS; level++)
			for (size_t mode = 0; mode < MODES; mode++)
				if (rounds->of[level][mode])
					measure(b, o, level, mode, round,
						&rounds->of[level][mode][round]);
}

static void print_results(const struct options *o, struct all_rounds *rounds)
{
	sd_json_variant *results = NULL;

	for (size_t level = 0; level < LEVELS; level++)
		for (size_t mode = 0; mode < MODES; mode++)
			if (rounds->of[level][mode])
				results_add(&results, all_modes[mode]->name,
					    all_levels[level].name,
					    rounds->of[level][mode], o->rounds);
	sd_json_variant_dump(results, SD_JSON_FORMAT_NEWLINE, stdout, NULL);
	sd_json_variant_unref(results);
}

static void free_rounds(struct round *rounds, size_t n)
{
	for (size_t i = 0; rounds && i < n; i++)
		round_free(&rounds[i]);
	free(rounds);
}

int main(int argc, char *argv[])
{
	struct options o = { .containers = 1000, .rounds = 3 };
	struct bench b = { .batch = 100 };
	struct all_rounds rounds = {};
	bool any = false;

	memset(o.modes, true, sizeof(o.modes));
	for (size_t level = 0; level < LEVELS; level++)
		o.levels[level] = !all_levels[level].docker;
	parse_options(argc, argv, &b, &o);
	/* Detached views have one each. */
	raise_descriptor_limit();
	measure_disk(b.disk);

	for (size_t level = 0; level < LEVELS; level++)
		for (size_t mode = 0; mode < MODES; mode++)
			if (is_wanted(&o, level, mode)) {
				rounds.of[level][mode] = new_array(o.rounds, sizeof(struct round));
				any = true;
			}
	if (!any)
		die(0, "none of these levels has any of these modes (see --help)");
	measure_all(&b, &o, &rounds);
	print_results(&o, &rounds);
	for (size_t level = 0; level < LEVELS; level++)
		for (size_t mode = 0; mode < MODES; mode++)
			free_rounds(rounds.of[level][mode], o.rounds);
	return EXIT_SUCCESS;
}
