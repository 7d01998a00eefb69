// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sockets that are listened on; listener.h is the contract.
 */
#include "listener.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "log.h"
#include "util.h"

#define SOCKET_GROUP "rootview"

/* Until the next try, when a connection could not be accepted. */
#define PAUSE_USEC 100000

struct listener {
	sd_event_source **sockets;
	size_t n;
	sd_event_source *pause;
	bool warned;
	char *path;		/* of the socket, if it was made here */
	listener_accepted_t accepted;
	void *userdata;
};

/* Not to be asked again and again whether there still is somebody who cannot be accepted. */
static void pause_all(struct listener *l, int error)
{
	if (!l->warned)
		log_warning("clients have to wait until they can be accepted: %s", strerror(error));
	l->warned = true;
	for (size_t i = 0; i < l->n; i++)
		(void)sd_event_source_set_enabled(l->sockets[i], SD_EVENT_OFF);
	(void)sd_event_source_set_time_relative(l->pause, PAUSE_USEC);
	(void)sd_event_source_set_enabled(l->pause, SD_EVENT_ONESHOT);
}

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct listener *l = userdata;
	int r = 0;

	(void)source;
	(void)usec;
	for (size_t i = 0; r >= 0 && i < l->n; i++)
		r = sd_event_source_set_enabled(l->sockets[i], SD_EVENT_ON);
	if (r < 0)
		pause_all(l, -r);
	return 0;
}

static int on_connection(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	int connection = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct listener *l = userdata;

	(void)source;
	(void)revents;
	if (connection >= 0) {
		l->warned = false;
		l->accepted(l->userdata, connection);
	} else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
		pause_all(l, errno);
	}
	return 0;
}

/* Consumes @fd, also on failure. */
static int add_socket(struct listener *l, sd_event *loop, int fd)
{
	void *sockets = reallocarray(l->sockets, l->n + 1, sizeof(*l->sockets));
	int r = sockets ? 0 : -ENOMEM;

	if (sockets) {
		l->sockets = sockets;
		r = sd_event_add_io(loop, &l->sockets[l->n], fd, EPOLLIN, on_connection, l);
	}
	if (r >= 0)
		r = sd_event_source_set_io_fd_own(l->sockets[l->n++], true);
	else
		close(fd);
	return r;
}

static int make_socket(const char *path)
{
	cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct group *group;
	mode_t before;
	int r;

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	/* An older daemon's is replaced: the lock on the runtime folder is ours. */
	(void)unlink(path);
	before = umask(0117);
	r = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(before);
	if (r < 0)
		return -errno;
	group = getgrnam(SOCKET_GROUP);
	if ((group && chown(path, -1, group->gr_gid) < 0) || listen(fd, SOMAXCONN) < 0)
		return -errno;
	return steal_fd(&fd);
}

static int listen_at(struct listener *l, sd_event *loop, const char *path)
{
	int fd;

	l->path = strdup(path);
	if (!l->path)
		return -ENOMEM;
	fd = make_socket(path);
	return fd < 0 ? fd : add_socket(l, loop, fd);
}

static int listen_on_inherited(struct listener *l, sd_event *loop, int n)
{
	for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++) {
		int r;

		/* A client may have gone before it is accepted. */
		if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
			return -errno;
		r = add_socket(l, loop, fd);
		if (r < 0)
			return r;
	}
	return 0;
}

int listener_new(struct listener **ret, sd_event *loop, const char *path,
		 listener_accepted_t accepted, void *userdata)
{
	struct listener *l = calloc(1, sizeof(*l));
	int n, r;

	if (!l)
		return -ENOMEM;
	*l = (struct listener){ .accepted = accepted, .userdata = userdata };
	r = sd_event_add_time_relative(loop, &l->pause, CLOCK_MONOTONIC, 0, 0, on_pause_over, l);
	if (r >= 0)
		r = sd_event_source_set_enabled(l->pause, SD_EVENT_OFF);
	n = r < 0 ? r : sd_listen_fds(1);
	r = n < 0 ? n : n > 0 ? listen_on_inherited(l, loop, n) : listen_at(l, loop, path);
	if (r < 0) {
		listener_free(l);
		return r;
	}
	*ret = l;
	return 0;
}

void listener_free(struct listener *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->n; i++)
		sd_event_source_disable_unref(l->sockets[i]);
	sd_event_source_disable_unref(l->pause);
	if (l->path)
		(void)unlink(l->path);
	free(l->sockets);
	free(l->path);
	free(l);
}
