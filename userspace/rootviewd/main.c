// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * rootviewd: read-only views of shared root file systems, for containers.
 *
 *	server.c	calls, listener.c the socket, answer.c the answers, service.c what is
 *			asked for
 *	spec.c		what a view is asked for with; mountpoints.c, idmap.c parts of it
 *	mirror.c	the kernel's registry, followed; reconcile.c compares all of it
 *	view.c		views
 *	workshop.c	what is made of origins, and dropped again; variants.c what there is
 *			for one origin, variant.c one of them, origin.c the origin itself
 *	job.c		what has to wait for a disk; trash.c what is unmounted
 *	plan.c		what to mount: decisions alone
 *	kernel.c	the module, over netlink.c and message.c
 *	device.c	device-mapper
 *	process.c	processes that views are tied to; cgroup.c what they read
 *	skeleton.c	what supplies mount points
 *	runtime.c	the runtime folder
 *	mount.c		mounting; filesystem.c, label.c help
 *	failure.c	what went wrong; log.c what is told of it
 *
 * A part calls those below it, never those above.
 */
#include <getopt.h>
#include <signal.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "context.h"
#include "device.h"
#include "interface.h"
#include "job.h"
#include "kernel.h"
#include "log.h"
#include "mirror.h"
#include "mount-namespace.h"
#include "plan.h"
#include "runtime.h"
#include "server.h"
#include "service.h"
#include "trash.h"
#include "util.h"

static const char help[] =
	"Usage: rootviewd [OPTION...]\n"
	"Serves read-only views of shared root file systems.\n"
	"\n"
	"  --runtime-dir DIR  mount below DIR (default: " ROOTVIEW_RUNTIME_DIR ")\n"
	"  --socket PATH      listen there (default: DIR/" ROOTVIEW_SOCKET_NAME ")\n"
	"  --grace SECONDS    keep what no view needs for so long, 0 to 3600 (default: 5)\n"
	"  --device-timeout SECONDS\n"
	"                     give up what waits for an origin's device after so long,\n"
	"                     1 to 3600 (default: 60)\n"
	"  --types LIST       mount file systems of these types only, separated by commas\n"
	"                     (default: " PLAN_TYPES ")\n"
	"  --debug            log more\n"
	"  --help             show this text and exit\n"
	"  --version          show the version and exit\n"
	"\n"
	"A socket handed over by the service manager is used instead of one of its own.\n"
	"The exit status is 0 after SIGTERM or SIGINT, 1 after a failure, 2 for bad usage.\n"
	"Views and mounts stay when it ends; the next one goes on with them.\n";

#define SECONDS_MAX 3600U

struct options {
	const char *runtime_dir;
	char *socket;
	unsigned int grace;		/* seconds */
	unsigned int device_timeout;	/* seconds */
	const char *types;
};

/* Whether each of @list is a type that can be mounted; says so if not. */
static bool check_types(const char *list)
{
	cleanup_free char *copy = strdup(list);
	char *rest = copy, *type;

	while (rest && (type = strsep(&rest, ","))) {
		if (plan_is_listed(type, PLAN_TYPES))
			continue;
		fprintf(stderr, "rootviewd: --types: \"%s\" is none of " PLAN_TYPES "\n", type);
		return false;
	}
	if (!copy)
		fprintf(stderr, "rootviewd: --types: %s\n", strerror(errno));
	return copy;
}

/* Whether @text, what @option was given, is a number of seconds, of at least @min. */
static bool parse_seconds(const char *option, const char *text, unsigned int min, unsigned int *ret)
{
	unsigned long seconds;
	char *end;

	seconds = strtoul(text, &end, 10);
	if (end == text || *end || text[0] == '-' || seconds < min || seconds > SECONDS_MAX) {
		fprintf(stderr, "rootviewd: %s: \"%s\" is no number from %u to %u\n", option, text,
			min, SECONDS_MAX);
		return false;
	}
	*ret = seconds;
	return true;
}

/* Returns an exit status, or -1 to go on. */
static int parse_options(int argc, char *argv[], struct options *ret)
{
	static const struct option options[] = {
		{ "runtime-dir", required_argument, NULL, 'r' },
		{ "socket", required_argument, NULL, 's' },
		{ "grace", required_argument, NULL, 'g' },
		{ "device-timeout", required_argument, NULL, 'T' },
		{ "types", required_argument, NULL, 't' },
		{ "debug", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{}
	};
	const char *socket = NULL;
	int c;

	*ret = (struct options){
		.runtime_dir = ROOTVIEW_RUNTIME_DIR, .grace = 5, .device_timeout = JOB_SECONDS,
		.types = PLAN_TYPES,
	};
	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case 'r':
			ret->runtime_dir = optarg;
			break;
		case 's':
			socket = optarg;
			break;
		case 'g':
			if (!parse_seconds("--grace", optarg, 0, &ret->grace))
				return 2;
			break;
		case 'T':
			if (!parse_seconds("--device-timeout", optarg, 1, &ret->device_timeout))
				return 2;
			break;
		case 't':
			if (!check_types(optarg))
				return 2;
			ret->types = optarg;
			break;
		case 'd':
			log_set_level(7);
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_SUCCESS;
		case 'v':
			puts("rootviewd " ROOTVIEW_VERSION);
			return EXIT_SUCCESS;
		default:
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "rootviewd: it takes no argument \"%s\"\n", argv[optind]);
		return 2;
	}
	if (socket ? asprintf(&ret->socket, "%s", socket) < 0 :
		     asprintf(&ret->socket, "%s/" ROOTVIEW_SOCKET_NAME, ret->runtime_dir) < 0) {
		fprintf(stderr, "rootviewd: cannot keep the socket's path: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	return -1;
}

static int make_loop(sd_event **ret, struct failure *f)
{
	int r = sd_event_default(ret);

	sigset_t child;

	/* For jobs: see job.c. */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	if (r >= 0)
		r = sd_event_set_watchdog(*ret, 1);
	if (r >= 0)
		r = sd_event_add_signal(*ret, NULL, SIGTERM | SD_EVENT_SIGNAL_PROCMASK, NULL, NULL);
	if (r >= 0)
		r = sd_event_add_signal(*ret, NULL, SIGINT | SD_EVENT_SIGNAL_PROCMASK, NULL, NULL);
	return r < 0 ? failed_step(f, "rootviewd", "make an event loop", -r, NULL) : 0;
}

/* Whether others will see what is mounted here. */
static int check_namespace(struct failure *f)
{
	static const char object[] = "the daemon's mount name space", step[] = "serve from it";
	cleanup_free char *settings = NULL, *reason = NULL;
	int r = mount_namespace_is_common();

	if (r > 0)
		return 0;
	if (r < 0) {
		log_warning("it cannot be seen whether others will see what is mounted here: %s",
			    strerror(-r));
		return 0;
	}
	if (mount_namespace_own_settings(&settings) < 0 || !*settings)
		return failed_step(f, object, step, 0,
				   "it is not that of process 1, which would see none of the mounts");
	if (asprintf(&reason, "nobody else would see the mounts; these settings of the unit are to "
			      "be removed: %s", settings) < 0)
		return failed_step(f, object, step, ENOMEM, NULL);
	return failed_step(f, object, step, 0, reason);
}

static int run_loop(sd_event *loop, struct failure *f)
{
	int r;

	(void)sd_notify(0, "READY=1");
	r = sd_event_loop(loop);
	(void)sd_notify(0, "STOPPING=1");
	return r < 0 ? failed_step(f, "rootviewd", "run its event loop", -r, NULL) : 0;
}

int main(int argc, char *argv[])
{
	struct runtime runtime = { .lock_fd = -1 };
	struct server *server = NULL;
	struct mirror *mirror = NULL;
	struct kernel *kernel = NULL;
	struct trash *trash = NULL;
	struct work_list works = LIST_HEAD_INITIALIZER(works);
	struct context context;
	struct service service = {};
	struct options options;
	sd_event *loop = NULL;
	struct failure f;
	int status;

	status = parse_options(argc, argv, &options);
	if (status >= 0)
		return status;
	umask(0022);
	/* A log that nobody reads any more is no reason to end. */
	signal(SIGPIPE, SIG_IGN);
	/* Origins, tied processes and connections have one each. */
	raise_descriptor_limit();
	device_init();
	job_set_limit(options.device_timeout);

	status = EXIT_FAILURE;
	if (make_loop(&loop, &f) < 0)
		goto out;
	if (check_namespace(&f) < 0)
		goto out;
	if (kernel_open(&kernel, &f) < 0)
		goto out;
	if (runtime_open(&runtime, options.runtime_dir, &f) < 0)
		goto out;
	device_sweep();
	trash = trash_new(&runtime, loop);
	if (!trash) {
		failed_step(&f, "rootviewd", "start", ENOMEM, NULL);
		goto out;
	}
	context = (struct context){
		.runtime = &runtime,
		.loop = loop,
		.trash = trash,
		.works = &works,
		.grace_usec = options.grace * 1000000ULL,
		.types = options.types,
	};
	if (mirror_new(&mirror, kernel, &context, &f) < 0)
		goto out;
	if (service_init(&service, kernel, mirror, &context, &f) < 0)
		goto out;
	if (server_new(&server, &service, loop, options.socket, &f) < 0)
		goto out;
	if (run_loop(loop, &f) < 0)
		goto out;
	status = EXIT_SUCCESS;

out:
	if (status != EXIT_SUCCESS)
		log_error("%s", f.message);
	server_free(server);
	service_done(&service);
	mirror_free(mirror);
	trash_free(trash);
	if (runtime.lock_fd >= 0)
		runtime_close(&runtime);
	kernel_close(kernel);
	sd_event_unref(loop);
	free(options.socket);
	return status;
}
