// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * rootview in its ways, each asked for over the daemon's socket.  A mode has
 * a daemon of its own.
 */
#include <dirent.h>
#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include "bench.h"
#include "util.h"

#define ORIGIN "bench"
#define TRASH "/run/rootview/trash"

/* Of a hundredth of a second each. */
#define START_TRIES 1000

/* Runs the call that a function has put into @call, returning @built. */
static struct rootview_reply *run(struct bench *b, int built, struct rootview_call **call)
{
	struct rootview_reply *reply = NULL;
	int r = built < 0 ? built : rootview_run(b->daemon, *call, &reply);

	if (r < 0)
		die(-r, "rootviewd: %s", rootview_error_message(b->daemon));
	for (size_t i = 0; i < rootview_reply_count(reply); i++) {
		if (rootview_reply_error_name(reply, i))
			die(0, "rootviewd: %s", rootview_reply_error_message(reply, i));
	}
	return reply;
}

static void connect_to_daemon(struct bench *b)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	int r;

	for (int i = 0; (r = rootview_connect(NULL, &b->daemon)) < 0; i++) {
		if (i == START_TRIES)
			die(-r, "rootviewd does not start");
		nanosleep(&pause, NULL);
	}
}

void rootviewd_stop(struct bench *b)
{
	rootview_disconnect(b->daemon);
	end_program(b->daemon_pid, "rootviewd");
}

/* Each time anew: what one mode has made it keep is not to be there for the next. */
void rootviewd_start(struct bench *b)
{
	cleanup_free char *log = text("%s/rootviewd.log", b->work);

	b->daemon_pid = start_program(log, (char *[]){ "rootviewd", NULL });
	connect_to_daemon(b);
}

static void prepare(struct bench *b)
{
	struct rootview_call *call;

	rootview_reply_free(run(b, rootview_call_add_origin(&call, ORIGIN, b->origin, NULL),
				&call));
}

static void finish(struct bench *b)
{
	struct rootview_call *call;

	rootview_reply_free(run(b, rootview_call_remove_origin(&call, ORIGIN), &call));
	rootviewd_stop(b);
}

static char *view_name(size_t i)
{
	return text("container-%zu", i);
}

static struct rootview_request *new_request(size_t i)
{
	struct rootview_request *request = rootview_request_new();
	cleanup_free char *name = view_name(i);

	if (!request || rootview_request_set_name(request, name) < 0)
		die(ENOMEM, "a request");
	return request;
}

static void create_shared(struct bench *b, size_t first, size_t n)
{
	struct rootview_request **requests = new_array(n, sizeof(*requests));
	struct rootview_reply *reply;
	struct rootview_call *call;

	for (size_t i = 0; i < n; i++)
		requests[i] = new_request(first + i);
	reply = run(b, rootview_call_create(&call, ORIGIN, requests, n), &call);
	for (size_t i = 0; i < n; i++) {
		rootview_request_free(requests[i]);
		b->containers[first + i].root = text("%s", rootview_reply_path(reply, i));
	}
	rootview_reply_free(reply);
	free(requests);
}

static int open_view(struct bench *b, size_t i)
{
	cleanup_free char *name = view_name(i);
	struct rootview_reply *reply;
	struct rootview_call *call;
	int fd;

	reply = run(b, rootview_call_open(&call, ORIGIN, name, 0), &call);
	fd = rootview_reply_take_fd(reply, 0);
	if (fd < 0)
		die(-fd, "the mount of %s", name);
	rootview_reply_free(reply);
	return fd;
}

static void create_detached(struct bench *b, size_t first, size_t n)
{
	create_shared(b, first, n);
	for (size_t i = first; i < first + n; i++) {
		free(b->containers[i].root);
		b->containers[i].root = NULL;
		b->containers[i].mount = open_view(b, i);
	}
}

static void create_attached(struct bench *b, size_t first, size_t n)
{
	create_detached(b, first, n);
	for (size_t i = first; i < first + n; i++) {
		struct container *c = &b->containers[i];
		int r;

		c->root = text("%s/view-%zu", b->work, i);
		if (mkdir(c->root, 0700) < 0)
			die(errno, "%s", c->root);
		r = rootview_attach(c->mount, c->root);
		if (r < 0)
			die(-r, "%s", c->root);
		close_fd(&c->mount);
	}
}

static void delete(struct bench *b, size_t first, size_t n)
{
	char **names = new_array(n, sizeof(*names));
	struct rootview_call *call;

	for (size_t i = 0; i < n; i++) {
		names[i] = view_name(first + i);
		close_fd(&b->containers[first + i].mount);
	}
	rootview_reply_free(run(b, rootview_call_delete(&call, ORIGIN, (const char **)names, n),
				&call));
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static void delete_attached(struct bench *b, size_t first, size_t n)
{
	for (size_t i = first; i < first + n; i++) {
		const char *root = b->containers[i].root;

		if (umount2(root, MNT_DETACH) < 0 || rmdir(root) < 0)
			die(errno, "%s", root);
	}
	delete(b, first, n);
}

static int is_entry(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Views' mounts are moved there at once, and unmounted together, in the background. */
void rootviewd_settle(void)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	struct dirent **entries;
	int n;

	while ((n = scandir(TRASH, &entries, is_entry, NULL)) > 0) {
		while (n > 0)
			free(entries[--n]);
		free(entries);
		nanosleep(&pause, NULL);
	}
	if (n < 0)
		die(errno, TRASH);
	free(entries);
}

const struct mode mode_rootview_attached = {
	.name = "rootview-attached",
	.start = rootviewd_start, .prepare = prepare,
	.create = create_attached, .delete = delete_attached,
	.settle = rootviewd_settle, .finish = finish,
};

const struct mode mode_rootview_shared = {
	.name = "rootview-shared",
	.start = rootviewd_start, .prepare = prepare, .create = create_shared, .delete = delete,
	.settle = rootviewd_settle, .finish = finish,
};

const struct mode mode_rootview_detached = {
	.name = "rootview-detached",
	.start = rootviewd_start, .prepare = prepare, .create = create_detached, .delete = delete,
	.settle = rootviewd_settle, .finish = finish,
};

const struct mode mode_rootview_batch = {
	.name = "rootview-batch", .batches = true,
	.start = rootviewd_start, .prepare = prepare, .create = create_shared, .delete = delete,
	.settle = rootviewd_settle, .finish = finish,
};
