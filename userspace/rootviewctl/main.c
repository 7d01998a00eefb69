// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * rootviewctl: asks rootviewd for things, on behalf of a person or a script.
 */
#include <getopt.h>

#include "client.h"
#include "interface.h"
#include "show.h"
#include "util.h"

#define EXIT_USAGE 2

#define cleanup_json cleanup_with(sd_json_variant_unrefp)

static const char help[] =
	"Usage: rootviewctl [OPTION...] COMMAND\n"
	"Manages read-only views of shared root file systems.\n"
	"\n"
	"  origin add NAME DEVICE        expose a block device read-only, as an origin\n"
	"  origin remove NAME            take an origin without views away\n"
	"  origin list                   show all origins\n"
	"  create ORIGIN VIEW            create and mount a view; prints its path\n"
	"  delete ORIGIN VIEW            delete a view\n"
	"  list [ORIGIN]                 show the views of all origins, or of one\n"
	"\n"
	"  --label LABEL    with create: SELinux label of the view's files\n"
	"  --json           print the daemon's answer as JSON\n"
	"  --socket PATH    ask the daemon there (default: " ROOTVIEW_SOCKET ")\n"
	"  --help           show this text and exit\n"
	"  --version        show the version and exit\n"
	"\n"
	"The exit status is 0 if all went well; 1 if the daemon refused or could not be\n"
	"reached, with one sentence on stderr; 2 if the command line makes no sense.\n";

struct options {
	const char *socket;
	const char *label;
	bool json;
};

/* Runs a command with @args, of which there are as many as it wants.  Returns an exit status. */
typedef int (*command_t)(const struct options *options, char *args[]);

static int usage_error(const char *problem, const char *word)
{
	fprintf(stderr, "rootviewctl: %s \"%s\"; see rootviewctl --help\n", problem, word);
	return EXIT_USAGE;
}

/* Consumes @parameters. */
static int call(const struct options *options, const char *method, sd_json_variant *parameters,
		sd_json_variant **ret)
{
	int r = client_call(options->socket, method, parameters, ret);

	sd_json_variant_unref(parameters);
	if (r == 0 && options->json)
		sd_json_variant_dump(*ret, SD_JSON_FORMAT_PRETTY_AUTO | SD_JSON_FORMAT_COLOR_AUTO |
				     SD_JSON_FORMAT_NEWLINE, stdout, NULL);
	return r;
}

static int out_of_memory(void)
{
	fputs("rootviewctl: out of memory\n", stderr);
	return EXIT_FAILURE;
}

static int origin_add(const struct options *options, char *args[])
{
	/* The daemon has another working directory.  What does not exist, it says. */
	cleanup_free char *device = realpath(args[1], NULL);
	cleanup_json sd_json_variant *answer = NULL;
	sd_json_variant *parameters;

	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("name", args[0]),
			   SD_JSON_BUILD_PAIR_STRING("device", device ?: args[1])) < 0)
		return out_of_memory();
	return call(options, ROOTVIEW_METHOD("AddOrigin"), parameters, &answer) < 0;
}

static int origin_remove(const struct options *options, char *args[])
{
	cleanup_json sd_json_variant *answer = NULL;
	sd_json_variant *parameters;

	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("name", args[0])) < 0)
		return out_of_memory();
	return call(options, ROOTVIEW_METHOD("RemoveOrigin"), parameters, &answer) < 0;
}

static int origin_list(const struct options *options, char *args[])
{
	cleanup_json sd_json_variant *answer = NULL;

	(void)args;
	if (call(options, ROOTVIEW_METHOD("ListOrigins"), NULL, &answer) < 0)
		return EXIT_FAILURE;
	if (!options->json && show_origins(sd_json_variant_by_key(answer, "origins")) < 0)
		return out_of_memory();
	return EXIT_SUCCESS;
}

static int create(const struct options *options, char *args[])
{
	cleanup_json sd_json_variant *answer = NULL;
	sd_json_variant *parameters, *path;

	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("origin", args[0]),
			   SD_JSON_BUILD_PAIR_STRING("name", args[1]),
			   SD_JSON_BUILD_PAIR_CONDITION(!!options->label, "label",
							SD_JSON_BUILD_STRING(options->label))) < 0)
		return out_of_memory();
	if (call(options, ROOTVIEW_METHOD("CreateView"), parameters, &answer) < 0)
		return EXIT_FAILURE;
	path = sd_json_variant_by_key(sd_json_variant_by_key(answer, "view"), "path");
	if (!options->json && sd_json_variant_is_string(path))
		puts(sd_json_variant_string(path));
	return EXIT_SUCCESS;
}

static int delete(const struct options *options, char *args[])
{
	cleanup_json sd_json_variant *answer = NULL;
	sd_json_variant *parameters;

	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("origin", args[0]),
			   SD_JSON_BUILD_PAIR_STRING("name", args[1])) < 0)
		return out_of_memory();
	return call(options, ROOTVIEW_METHOD("DeleteView"), parameters, &answer) < 0;
}

static int list(const struct options *options, char *args[])
{
	cleanup_json sd_json_variant *answer = NULL;
	sd_json_variant *parameters = NULL;

	if (args[0] &&
	    sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("origin", args[0])) < 0)
		return out_of_memory();
	if (call(options, ROOTVIEW_METHOD("ListViews"), parameters, &answer) < 0)
		return EXIT_FAILURE;
	if (!options->json && show_views(sd_json_variant_by_key(answer, "views")) < 0)
		return out_of_memory();
	return EXIT_SUCCESS;
}

static const struct command {
	const char *noun;	/* NULL if the verb stands alone */
	const char *verb;
	int min, max;		/* arguments */
	bool takes_label;
	command_t run;
} commands[] = {
	{ "origin", "add",	2, 2, false, origin_add },
	{ "origin", "remove",	1, 1, false, origin_remove },
	{ "origin", "list",	0, 0, false, origin_list },
	{ NULL,	    "create",	2, 2, true,  create },
	{ NULL,	    "delete",	2, 2, false, delete },
	{ NULL,	    "list",	0, 1, false, list },
};

/* @args end with NULL. */
static int run(const struct options *options, char *args[], int n)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *c = &commands[i];
		int words = c->noun ? 2 : 1;

		if (n < words || !streq(args[words - 1], c->verb) ||
		    (c->noun && !streq(args[0], c->noun)))
			continue;
		if (n - words < c->min)
			return usage_error("too few arguments for", c->verb);
		if (n - words > c->max)
			return usage_error("too many arguments for", c->verb);
		if (options->label && !c->takes_label)
			return usage_error("--label makes no sense with", c->verb);
		return c->run(options, args + words);
	}
	if (n == 0)
		return usage_error("no command given; one is", "list");
	return usage_error("no such command:", args[n > 1 && streq(args[0], "origin")]);
}

int main(int argc, char *argv[])
{
	static const struct option long_options[] = {
		{ "label", required_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{ "socket", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{}
	};
	struct options options = { .socket = ROOTVIEW_SOCKET };
	int c;

	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) >= 0) {
		switch (c) {
		case 'l':
			options.label = optarg;
			break;
		case 'j':
			options.json = true;
			break;
		case 's':
			options.socket = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_SUCCESS;
		case 'v':
			puts("rootviewctl " ROOTVIEW_VERSION);
			return EXIT_SUCCESS;
		default:
			return EXIT_USAGE;
		}
	}
	return run(&options, argv + optind, argc - optind);
}
