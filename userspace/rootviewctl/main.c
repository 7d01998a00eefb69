// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * rootviewctl: asks rootviewd for things, on behalf of a person or a script.
 */
#include <getopt.h>

#include "command.h"
#include "interface.h"
#include "value.h"

static const char help[] =
	"Usage: rootviewctl [OPTION...] COMMAND\n"
	"Manages read-only views of shared root file systems.\n"
	"\n"
	"  origin add NAME DEVICE        expose a block device read-only, as an origin\n"
	"  origin remove NAME            take an origin without views away\n"
	"  origin list                   show all origins\n"
	"  create ORIGIN VIEW...         create views; prints the path if it is one: views that\n"
	"                                ask for the same share one mount\n"
	"  delete ORIGIN VIEW...         delete views\n"
	"  list [ORIGIN]                 show the views of all origins, or of one\n"
	"  inspect ORIGIN VIEW           show all that is known of a view\n"
	"  mount ORIGIN VIEW PATH        mount a view on that folder, which may be anywhere, with\n"
	"                                no symbolic link on the way; the mount stays until it\n"
	"                                is taken away, even if the view is deleted\n"
	"  unmount ORIGIN VIEW PATH      take such a mount away; whoever uses it goes on\n"
	"  check ORIGIN PATH[:file]...   print those mount points that the image lacks\n"
	"  stats [ORIGIN [VIEW]]         show what the views' cgroups read from the disk\n"
	"  monitor                       print events as they happen, until interrupted\n"
	"  exec ORIGIN VIEW COMMAND [ARGUMENT...]\n"
	"                                run a command that finds the view in the folder\n"
	"                                $ROOTVIEW_PATH, where nobody else sees it\n"
	"  doctor                        check the machine, and tell how to mend it\n"
	"\n"
	"With create, for each of the views:\n"
	"  --device-only      do not mount it: what cannot be mounted, or need not be\n"
	"  --path PATH        mount it on that folder, as \"mount\" does\n"
	"  --label LABEL      SELinux label of its files.  Also with origin add, for views\n"
	"                     that have none: a label, or \"native\" for those of the image\n"
	"  --mount-point PATH[:file|:tmpfs]\n"
	"                     supply a folder, a file, or a folder that all may write to once\n"
	"                     a tmpfs is on it, to mount on if the image lacks it; may be\n"
	"                     given often.  A path that ends in \":file\" itself is written\n"
	"                     PATH:directory or PATH:file.\n"
	"  --list NAME        supply the mount points that docker, podman, kubernetes or\n"
	"                     containerd (ctr, nerdctl) wants; may be given often.  Also with\n"
	"                     check, beside paths or in their place.\n"
	"  --id-map INSIDE:OUTSIDE:COUNT\n"
	"                     that many users and groups of the image, from INSIDE on, are\n"
	"                     those from OUTSIDE on here; may be given often\n"
	"  --userns PATH      the same, as a user namespace has it: /proc/PID/ns/user\n"
	"  --cgroup PATH      its container's cgroup, for stats: /sys/fs/cgroup/POD or /POD\n"
	"  --process PID      delete it when that process ends\n"
	"\n"
	"  --views            with origin remove: delete its views first\n"
	"  --at FOLDER        with exec: where the command finds the view (default: /mnt);\n"
	"                     the folder must exist, and stays as it is for everybody else\n"
	"  --json             print the daemon's answer as JSON, each event on a line of its\n"
	"                     own; a refusal is an object with \"error\", its name, \"message\"\n"
	"                     and \"parameters\".  Not with exec\n"
	"  --socket PATH      ask the daemon there (default: " ROOTVIEW_SOCKET ")\n"
	"  --help             show this text and exit\n"
	"  --version          show the version and exit\n"
	"\n"
	"The exit status is 0 if all went well; 1 if the daemon refused or could not be\n"
	"reached, with one sentence on stderr, or one for each view that it refused; 2 if\n"
	"the command line makes no sense.  That of doctor is 1 if there is a problem; a\n"
	"warning is none.  That of exec is the command's; 127 if it is not found, 126 if it\n"
	"cannot be run otherwise, and 125 for all else.\n";

/* The bits of struct options' "given". */
enum {
	LABEL		= 1 << 0,
	DEVICE_ONLY	= 1 << 1,
	PATH		= 1 << 2,
	MOUNT_POINT	= 1 << 3,
	LIST		= 1 << 4,
	ID_MAP		= 1 << 5,
	USERNS		= 1 << 6,
	CGROUP		= 1 << 7,
	PROCESS		= 1 << 8,
	AT		= 1 << 9,
	JSON		= 1 << 10,
	VIEWS		= 1 << 11,
	N_BITS		= 12,

	CREATE		= LABEL | DEVICE_ONLY | PATH | MOUNT_POINT | LIST | ID_MAP | USERNS |
			  CGROUP | PROCESS,
};

/* What getopt_long() returns for an option with a bit is its number, behind all characters. */
#define BIT_BASE 256

static const struct option long_options[] = {
	{ "label", required_argument, NULL, BIT_BASE },
	{ "device-only", no_argument, NULL, BIT_BASE + 1 },
	{ "path", required_argument, NULL, BIT_BASE + 2 },
	{ "mount-point", required_argument, NULL, BIT_BASE + 3 },
	{ "list", required_argument, NULL, BIT_BASE + 4 },
	{ "id-map", required_argument, NULL, BIT_BASE + 5 },
	{ "userns", required_argument, NULL, BIT_BASE + 6 },
	{ "cgroup", required_argument, NULL, BIT_BASE + 7 },
	{ "process", required_argument, NULL, BIT_BASE + 8 },
	{ "at", required_argument, NULL, BIT_BASE + 9 },
	{ "json", no_argument, NULL, BIT_BASE + 10 },
	{ "views", no_argument, NULL, BIT_BASE + 11 },
	{ "socket", required_argument, NULL, 's' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },
	{}
};

static const struct command {
	const char *noun;	/* NULL if the verb stands alone */
	const char *verb;
	int min, max;		/* arguments; -1 for any number */
	unsigned int allowed;	/* bits */
	command_t run;
} commands[] = {
	{ "origin", "add",	2, 2,  JSON | LABEL, origin_add },
	{ "origin", "remove",	1, 1,  JSON | VIEWS, origin_remove },
	{ "origin", "list",	0, 0,  JSON, origin_list },
	{ NULL,	    "create",	2, -1, JSON | CREATE, view_create },
	{ NULL,	    "delete",	2, -1, JSON, view_delete },
	{ NULL,	    "list",	0, 1,  JSON, view_list },
	{ NULL,	    "inspect",	2, 2,  JSON, view_inspect },
	{ NULL,	    "mount",	3, 3,  JSON, view_mount },
	{ NULL,	    "unmount",	3, 3,  JSON, view_unmount },
	{ NULL,	    "check",	1, -1, JSON | LIST, view_check },
	{ NULL,	    "stats",	0, 2,  JSON, view_stats },
	{ NULL,	    "monitor",	0, 0,  JSON, monitor },
	{ NULL,	    "exec",	3, -1, AT, exec },
	{ NULL,	    "doctor",	0, 0,  JSON, doctor },
};

static int check_options(const struct options *options, const struct command *c)
{
	unsigned int wrong = options->given & ~c->allowed;
	char problem[64];

	for (size_t i = 0; i < N_BITS; i++) {
		if (wrong & (1u << i)) {
			snprintf(problem, sizeof(problem), "--%s makes no sense with",
				 long_options[i].name);
			return usage_error(problem, c->verb, NULL);
		}
	}
	return 0;
}

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
			return usage_error("too few arguments for", c->verb, NULL);
		if (c->max >= 0 && n - words > c->max)
			return usage_error("too many arguments for", c->verb, NULL);
		return check_options(options, c) ?: c->run(options, args + words, n - words);
	}
	if (n == 0)
		return usage_error("no command given; one is", "list", NULL);
	return usage_error("no such command:", args[n > 1 && streq(args[0], "origin")], NULL);
}

/*
 * Takes the value of an option with a bit.  Returns 0 or a negative errno; of -EINVAL,
 * *@why may say what it should be.
 */
static int take_value(struct options *options, unsigned int bit, const char *value,
		      const char **why)
{
	switch (bit) {
	case LABEL:
		options->label = value;
		return rootview_request_set_label(options->request, value);
	case DEVICE_ONLY:
		return rootview_request_set_device_only(options->request, true);
	case PATH:
		options->path = value;
		return 0;
	case MOUNT_POINT:
		return value_mount_point(options->request, value, why);
	case LIST:
		options->lists = true;
		return rootview_request_add_list(options->request, value);
	case ID_MAP:
		return value_id_range(options->request, value, why);
	case USERNS:
		options->userns = value;
		return 0;
	case CGROUP:
		return rootview_request_set_cgroup(options->request, value_cgroup(value));
	case PROCESS:
		return value_process(options->request, value, why);
	case AT:
		options->at = value;
		return 0;
	case JSON:
		options->json = true;
		return 0;
	case VIEWS:
		options->views = true;
	}
	return 0;
}

static int take_option(struct options *options, int number, const char *value)
{
	const char *why = NULL;
	char problem[64];
	int r;

	options->given |= 1u << number;
	r = take_value(options, 1u << number, value, &why);
	if (r == -ENOMEM)
		return out_of_memory();
	if (r == 0)
		return EXIT_SUCCESS;
	if (r == -EUCLEAN)
		why = "it is not UTF-8";
	snprintf(problem, sizeof(problem), "--%s cannot be", long_options[number].name);
	return usage_error(problem, value, why ?: "it is empty");
}

/* What is no option: the command and its arguments, NULL behind them. */
struct words {
	char **args;
	int n;
};

/* Whether the next word is the command that "exec" runs: what follows is its own, options, too. */
static bool is_complete(const struct words *words)
{
	return words->n == 3 && streq(words->args[0], "exec");
}

/*
 * Sorts the command line into options and words.  Returns an exit status, or -1 if there
 * is nothing more to do, and all is well.
 */
static int read_line(int argc, char *argv[], struct options *options, struct words *words)
{
	int status = EXIT_SUCCESS, c;

	/* A word comes as an option, too: with the code 1. */
	while (status == EXIT_SUCCESS &&
	       (c = getopt_long(argc, argv, "-h", long_options, NULL)) >= 0) {
		switch (c) {
		case 1:
			if (is_complete(words)) {
				optind--;
				return EXIT_SUCCESS;
			}
			words->args[words->n++] = optarg;
			break;
		case 's':
			options->socket = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return -1;
		case 'v':
			puts("rootviewctl " ROOTVIEW_VERSION);
			return -1;
		case '?':
			status = EXIT_USAGE;
			break;
		default:
			status = take_option(options, c - BIT_BASE, optarg);
		}
	}
	return status;
}

/* Whether the command is "exec": only it may tell by its status that it failed by itself. */
static bool is_exec(int argc, char *argv[], const struct words *words)
{
	int c = 0;

	opterr = 0;
	while (words->n == 0 && c >= 0 && c != 1)
		c = getopt_long(argc, argv, "-h", long_options, NULL);
	return words->n > 0 ? streq(words->args[0], "exec") : c == 1 && streq(optarg, "exec");
}

static int run_line(int argc, char *argv[], struct options *options, struct words *words)
{
	int status;

	if (!options->request || !words->args)
		return out_of_memory();
	status = read_line(argc, argv, options, words);
	if (status < 0)
		return EXIT_SUCCESS;
	if (status == EXIT_SUCCESS) {
		while (optind < argc)
			words->args[words->n++] = argv[optind++];
		status = run(options, words->args, words->n);
	}
	if (status != EXIT_SUCCESS && status < EXIT_OWN && is_exec(argc, argv, words))
		return EXIT_OWN;
	return status;
}

int main(int argc, char *argv[])
{
	struct options options = { .socket = ROOTVIEW_SOCKET, .request = rootview_request_new() };
	struct words words = { .args = calloc(argc + 1, sizeof(*words.args)) };
	int status = run_line(argc, argv, &options, &words);

	rootview_request_free(options.request);
	free(words.args);
	return status;
}
