// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * rootview-graphdriver: Docker's graph driver of that name.
 *
 *	http.c		HTTP on a Unix socket
 *	protocol.c	Docker's calls, as JSON
 *	driver.c	what they mean: layers, containers, views
 *	container.c	what Docker has written down of a container
 *
 * Layers are in userspace/layerstore, which knows nothing of Docker.
 */
#include <getopt.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include "driver.h"
#include "http.h"
#include "protocol.h"
#include "util.h"

#define SOCKET "/run/docker/plugins/rootview.sock"
#define NOTE "/run/rootview-graphdriver.init"

static void usage(FILE *to)
{
	fputs("Usage: rootview-graphdriver [OPTION]...\n"
	      "\n"
	      "Serves dockerd, which has to be started with\n"
	      "\n"
	      "  dockerd --experimental --storage-driver rootview\n"
	      "\n"
	      "  --socket PATH   where (default: " SOCKET ")\n"
	      "  --note PATH     where it notes, for the next driver, what dockerd says once\n"
	      "                  (default: " NOTE ")\n"
	      "  --version\n"
	      "  --help\n"
	      "\n"
	      "What dockerd's --storage-opt can say:\n"
	      "  rootview.pool=PATH    the thin pool, an active one (default: the one that\n"
	      "                        rootview-storage-setup has made)\n"
	      "  rootview.fs=TYPE      ext4 (default) or xfs, for a new store\n"
	      "  rootview.size=SIZE    of a layer's file system (default: 10G)\n"
	      "And that of \"docker run\":\n"
	      "  " DRIVER_SHARED "=true    share the image's own file system, read-only\n"
	      "  " DRIVER_MOUNT_POINTS "=/A:/B    ... with these directories to mount on\n"
	      "  size=SIZE             of this container's file system\n", to);
}

static int refuse_usage(void)
{
	usage(stderr);
	return 2;
}

static int fail(const char *what)
{
	fprintf(stderr, "rootview-graphdriver: %s: %s\n", what, strerror(errno));
	return -1;
}

/* Only root may speak to it, whatever the umask is. */
static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return fail(path);
	}
	strcpy(address.sun_path, path);
	if (fd < 0 || (unlink(path) < 0 && errno != ENOENT) || fchmod(fd, 0600) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 128) < 0)
		return fail(path);
	return steal_fd(&fd);
}

static const struct option options[] = {
	{ "socket", required_argument, NULL, 's' },
	{ "note", required_argument, NULL, 'n' },
	{ "version", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

int main(int argc, char *argv[])
{
	const char *path = SOCKET, *note = NOTE;
	cleanup_close int fd = -1;
	struct http *http;
	sigset_t end;
	int c, signal_number;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (c) {
		case 's':
			path = optarg;
			break;
		case 'n':
			note = optarg;
			break;
		case 'v':
			puts("rootview-graphdriver " ROOTVIEW_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			return refuse_usage();
		}
	}
	if (optind < argc)
		return refuse_usage();
	/* Before there are other threads, which are not to get them. */
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigaddset(&end, SIGINT);
	sigprocmask(SIG_BLOCK, &end, NULL);
	signal(SIGPIPE, SIG_IGN);
	umask(022);

	fd = sd_listen_fds(1) == 1 ? SD_LISTEN_FDS_START : listen_at(path);
	if (fd < 0)
		return 1;
	protocol_resume(note);
	http = http_start(fd, protocol_methods);
	if (!http)
		return fail(path), 1;
	sd_notify(0, "READY=1");
	sigwait(&end, &signal_number);
	sd_notify(0, "STOPPING=1");
	http_stop(http);
	driver_close();
	return 0;
}
