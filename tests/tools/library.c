// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * librootview as a graph driver uses it: every call once, by the installed
 * header and library alone.  Prints plain lines for the test to compare.
 *
 *	library COMMAND [ARGUMENT]...
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <rootview.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct rootview *connection;

/* Errors of the library itself end the program. */
static void must(const char *what, int r)
{
	if (r == 0)
		return;
	fprintf(stderr, "library: %s: %s\n", what, strerror(-r));
	exit(2);
}

/* Runs a call; a refusal is printed, and ends the program. */
static struct rootview_reply *run(struct rootview_call *call)
{
	struct rootview_reply *reply;
	int r = rootview_run(connection, call, &reply);

	if (r == 0)
		return reply;
	printf("%s: %s: %s\n", strerrorname_np(-r),
	       rootview_error_name(connection) ? rootview_error_name(connection) : "-",
	       rootview_error_message(connection));
	exit(1);
}

static const char *or_dash(const char *s)
{
	return s ? s : "-";
}

/* A line for each item: name, path and label, or the name and the error. */
static void print(struct rootview_reply *reply)
{
	for (size_t i = 0; i < rootview_reply_count(reply); i++) {
		if (rootview_reply_error_name(reply, i))
			printf("%s refused %s\n", rootview_reply_name(reply, i),
			       rootview_reply_error_name(reply, i));
		else
			printf("%s %s %s\n", rootview_reply_name(reply, i),
			       or_dash(rootview_reply_path(reply, i)),
			       or_dash(rootview_reply_label(reply, i)));
	}
	rootview_reply_free(reply);
}

static struct rootview_request *new_request(const char *name)
{
	struct rootview_request *request = rootview_request_new();

	if (!request)
		abort();
	must("name", rootview_request_set_name(request, name));
	return request;
}

static struct rootview_reply *create(const char *origin, struct rootview_request *request)
{
	struct rootview_call *call;

	must("create", rootview_call_create(&call, origin, &request, 1));
	rootview_request_free(request);
	return run(call);
}

/* Size, owner and content of a file below a detached mount. */
static void print_file(int mount, const char *path)
{
	char text[64];
	struct stat st;
	ssize_t n;
	int fd;

	if (fstatat(mount, path, &st, 0) < 0)
		must("fstatat", -errno);
	fd = openat(mount, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	if (n < 0)
		must("read", -errno);
	printf("%lld %u:%u %.*s", (long long)st.st_size, st.st_uid, st.st_gid, (int)n, text);
	close(fd);
}

static int take_mount(struct rootview_reply *reply)
{
	int fd = rootview_reply_take_fd(reply, 0);

	if (fd < 0)
		must("take", fd);
	if (rootview_reply_take_fd(reply, 0) != -ENOENT)
		must("take twice", -EEXIST);
	if (!(fcntl(fd, F_GETFD) & FD_CLOEXEC))
		must("close on exec", -EBADF);
	rootview_reply_free(reply);
	return fd;
}

static int open_view(char **arg)
{
	struct rootview_call *call;

	must("open", rootview_call_open(&call, arg[0], arg[1], 0));
	return take_mount(run(call));
}

/* create ORIGIN NAME [device-only] */
static void do_create(char **arg)
{
	struct rootview_request *request = new_request(arg[1]);

	if (arg[2])
		must("device only", rootview_request_set_device_only(request, 1));
	print(create(arg[0], request));
}

/* opened ORIGIN NAME FILE [USER_NAMESPACE]: reads a file of a new view. */
static void do_opened(char **arg)
{
	struct rootview_request *request = new_request(arg[1]);
	struct rootview_call *call;
	int fd = -1;

	if (arg[3]) {
		fd = open(arg[3], O_RDONLY | O_CLOEXEC);
		must("user namespace", rootview_request_set_user_namespace(request, fd));
	}
	must("create", rootview_call_create(&call, arg[0], &request, 1));
	rootview_request_free(request);
	/* The call has its own. */
	if (fd >= 0)
		close(fd);
	rootview_reply_free(run(call));
	fd = open_view(arg);
	print_file(fd, arg[2]);
	close(fd);
}

/* mapped ORIGIN NAME OUTSIDE FILE: as opened, with ids mapped by a range. */
static void do_mapped(char **arg)
{
	struct rootview_request *request = new_request(arg[1]);

	must("range", rootview_request_add_id_range(request, ROOTVIEW_UIDS_AND_GIDS, 0,
						    atoi(arg[2]), 65536));
	rootview_reply_free(create(arg[0], request));
	print_file(open_view(arg), arg[3]);
}

/* tied ORIGIN NAME CGROUP PID [pidfd] */
static void do_tied(char **arg)
{
	struct rootview_request *request = new_request(arg[1]);

	must("cgroup", rootview_request_set_cgroup(request, arg[2]));
	if (arg[4])
		must("pidfd", rootview_request_set_pidfd(
				      request, syscall(SYS_pidfd_open, atoi(arg[3]), 0)));
	else
		must("process", rootview_request_set_process(request, atoi(arg[3])));
	print(create(arg[0], request));
}

/* labelled ORIGIN NAME LABEL */
static void do_labelled(char **arg)
{
	struct rootview_request *request = new_request(arg[1]);

	must("label", rootview_request_set_label(request, arg[2]));
	print(create(arg[0], request));
}

/* batch ORIGIN NAME...: reads /etc/greeting of those that came about. */
static void do_batch(char **arg)
{
	struct rootview_request *requests[128];
	struct rootview_reply *reply;
	struct rootview_call *call;
	size_t n = 0;

	for (; arg[n + 1]; n++)
		requests[n] = new_request(arg[n + 1]);
	must("create", rootview_call_create(&call, arg[0], requests, n));
	reply = run(call);
	for (size_t i = 0; i < rootview_reply_count(reply); i++) {
		char *view[] = { arg[0], arg[i + 1] };

		if (!rootview_reply_error_name(reply, i)) {
			int fd = open_view(view);

			printf("%s ", rootview_reply_name(reply, i));
			print_file(fd, "etc/greeting");
			close(fd);
		}
		rootview_request_free(requests[i]);
	}
	print(reply);
}

/* delete ORIGIN NAME... */
static void do_delete(char **arg)
{
	struct rootview_call *call;
	size_t n = 0;

	while (arg[n + 1])
		n++;
	must("delete", rootview_call_delete(&call, arg[0], (const char *const *)arg + 1, n));
	print(run(call));
}

/* list [ORIGIN] */
static void do_list(char **arg)
{
	struct rootview_call *call;

	must("list", rootview_call_list(&call, arg[0], NULL));
	print(run(call));
}

/* stats [ORIGIN [NAME]]: a line for each view that has a cgroup. */
static void do_stats(char **arg)
{
	struct rootview_reply *reply;
	struct rootview_call *call;
	uint64_t reads, bytes;

	must("stats", rootview_call_stats(&call, arg[0], arg[0] ? arg[1] : NULL));
	reply = run(call);
	for (size_t i = 0; i < rootview_reply_count(reply); i++) {
		printf("%s %s %s", rootview_reply_origin(reply, i), rootview_reply_name(reply, i),
		       rootview_reply_cgroup(reply, i));
		if (rootview_reply_number(reply, i, "reads", &reads) == 0 &&
		    rootview_reply_number(reply, i, "readBytes", &bytes) == 0)
			printf(" %s", reads > 0 && bytes >= 512 * reads ? "reads" : "none");
		printf("\n");
	}
	rootview_reply_free(reply);
}

/* count [ORIGIN]: views in the list. */
static void do_count(char **arg)
{
	struct rootview_reply *reply;
	struct rootview_call *call;

	must("list", rootview_call_list(&call, arg[0], NULL));
	reply = run(call);
	printf("%zu\n", rootview_reply_count(reply));
	rootview_reply_free(reply);
}

/* json: the answer about the origins as a whole. */
static void do_json(char **arg)
{
	struct rootview_reply *reply;
	struct rootview_call *call;

	(void)arg;
	must("list", rootview_call_list_origins(&call));
	reply = run(call);
	printf("%s\n", rootview_reply_json(reply));
	rootview_reply_free(reply);
}

/* add NAME DEVICE [LABEL] */
static void do_add(char **arg)
{
	struct rootview_reply *reply;
	struct rootview_call *call;

	must("add", rootview_call_add_origin(&call, arg[0], arg[1], arg[2]));
	reply = run(call);
	printf("%s %s %s\n", rootview_reply_name(reply, 0), rootview_reply_device(reply, 0),
	       or_dash(rootview_reply_label(reply, 0)));
	rootview_reply_free(reply);
}

/* remove NAME */
static void do_remove(char **arg)
{
	struct rootview_call *call;

	must("remove", rootview_call_remove_origin(&call, arg[0]));
	print(run(call));
}

/* busy NAME: removes an origin that cannot be removed, and prints what the refusal says. */
static void do_busy(char **arg)
{
	struct rootview_call *call;
	uint64_t views;

	must("remove", rootview_call_remove_origin(&call, arg[0]));
	if (rootview_run(connection, call, NULL) != -EREMOTEIO)
		abort();
	must("views", rootview_error_number(connection, "views", &views));
	printf("%s %s %llu\n", rootview_error_name(connection),
	       or_dash(rootview_error_text(connection, "name")), (unsigned long long)views);
	if (rootview_error_text(connection, "views") ||
	    rootview_error_number(connection, "name", &views) != -ENOENT)
		abort();
	printf("%s\n", rootview_error_json(connection));
	must("list", rootview_call_list_origins(&call));
	rootview_reply_free(run(call));
	if (rootview_error_text(connection, "name") || rootview_error_json(connection))
		abort();
}

static void print_attached(int r)
{
	if (r < 0)
		printf("%s: %s\n", strerrorname_np(-r), rootview_attach_message(r));
}

/* attach ORIGIN NAME PATH */
static void do_attach(char **arg)
{
	print_attached(rootview_attach(open_view(arg), arg[2]));
}

/* detach ORIGIN NAME PATH: by another descriptor than the one that was attached. */
static void do_detach(char **arg)
{
	print_attached(rootview_detach(open_view(arg), arg[2]));
}

/* check ORIGIN LIST PATH...: what is missing. */
static void do_check(char **arg)
{
	struct rootview_request *request = rootview_request_new();
	struct rootview_reply *reply;
	struct rootview_call *call;

	if (*arg[1])
		must("list", rootview_request_add_list(request, arg[1]));
	for (char **path = arg + 2; *path; path++)
		must("mount point", rootview_request_add_mount_point(request, *path,
								     ROOTVIEW_FILE, NULL));
	must("check", rootview_call_check(&call, arg[0], request));
	rootview_request_free(request);
	reply = run(call);
	for (size_t i = 0; i < rootview_reply_count(reply); i++)
		printf("%s %d %s\n", rootview_reply_path(reply, i), rootview_reply_kind(reply, i),
		       or_dash(rootview_reply_target(reply, i)));
	rootview_reply_free(reply);
}

/*
 * A loop of the caller's own.
 */

static size_t to_come;

static int milliseconds_until(uint64_t usec)
{
	struct timespec now;
	uint64_t now_usec;

	if (usec == UINT64_MAX)
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &now);
	now_usec = now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
	return usec <= now_usec ? 0 : (usec - now_usec + 999) / 1000;
}

/* Until all answers that are to come are there, or the connection has ended. */
static void loop(void)
{
	int r = 0;

	while (to_come > 0 && r == 0) {
		struct pollfd poll_fd = {
			.fd = rootview_get_fd(connection),
			.events = rootview_get_events(connection),
		};
		uint64_t usec;

		must("timeout", rootview_get_timeout(connection, &usec));
		if (poll(&poll_fd, 1, milliseconds_until(usec)) < 0)
			must("poll", -errno);
		r = rootview_process(connection);
	}
	if (r < 0)
		printf("the connection ended with %s\n", strerrorname_np(-r));
}

static void on_deleted(struct rootview *c, int error, struct rootview_reply *reply, void *userdata)
{
	printf("%s deleted %s\n", (const char *)userdata,
	       or_dash(error ? rootview_error_name(c) : NULL));
	rootview_reply_free(reply);
	to_come--;
}

/* Every view that was created is opened, read and deleted again, by calls out of callbacks. */
static void on_opened(struct rootview *c, int error, struct rootview_reply *reply, void *userdata)
{
	const char *name = userdata;
	struct rootview_call *call;
	int fd;

	to_come--;
	must("open", error);
	fd = rootview_reply_take_fd(reply, 0);
	printf("%s ", rootview_reply_name(reply, 0));
	print_file(fd, "etc/greeting");
	close(fd);
	must("delete", rootview_call_delete(&call, rootview_reply_origin(reply, 0), &name, 1));
	if (rootview_run(c, NULL, NULL) != -EINVAL || rootview_process(c) != -EBUSY)
		abort();
	must("submit", rootview_submit(c, call, on_deleted, userdata));
	to_come++;
	rootview_reply_free(reply);
}

static void on_created(struct rootview *c, int error, struct rootview_reply *reply, void *userdata)
{
	const char *name = userdata;
	struct rootview_call *call;

	if (error) {
		printf("%s %s %s\n", name, strerrorname_np(-error),
		       or_dash(rootview_error_name(c)));
		to_come--;
		return;
	}
	must("open", rootview_call_open(&call, rootview_reply_origin(reply, 0), NULL,
					rootview_reply_id(reply, 0)));
	must("submit", rootview_submit(c, call, on_opened, userdata));
	rootview_reply_free(reply);
}

/* async ORIGIN NAME...: a call for each, all submitted at once. */
static void do_async(char **arg)
{
	struct rootview_call *call;

	for (char **name = arg + 1; *name; name++) {
		struct rootview_request *request = new_request(*name);

		must("create", rootview_call_create(&call, arg[0], &request, 1));
		rootview_request_free(request);
		must("submit", rootview_submit(connection, call, on_created, *name));
		to_come++;
	}
	must("list", rootview_call_list_origins(&call));
	if (rootview_run(connection, call, NULL) != -EBUSY)
		abort();
	loop();
}

static void on_full(struct rootview *c, int error, struct rootview_reply *reply, void *userdata)
{
	(void)c;
	(void)reply;
	(void)userdata;
	printf("called back: %s\n", error ? strerrorname_np(-error) : "-");
	to_come--;
}

/*
 * full ORIGIN NAME: takes descriptors of the view until there is no room, also in a loop;
 * reads by the first of them; and takes another one, with room for that.
 */
static void do_full(char **arg)
{
	const struct rlimit limit = { 64, 64 };
	struct rootview_reply *reply;
	struct rootview_call *call;
	int fds[64], r;
	size_t n = 0;

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		must("setrlimit", -errno);
	for (;;) {
		must("open", rootview_call_open(&call, arg[0], arg[1], 0));
		r = rootview_run(connection, call, &reply);
		if (r < 0)
			break;
		fds[n++] = rootview_reply_take_fd(reply, 0);
		rootview_reply_free(reply);
	}
	printf("%s %s %s\n", n > 50 ? "many" : "few", strerrorname_np(-r),
	       rootview_error_message(connection));
	must("open", rootview_call_open(&call, arg[0], arg[1], 0));
	must("submit", rootview_submit(connection, call, on_full, NULL));
	to_come = 1;
	loop();
	/* One to read with, and one more. */
	close(fds[--n]);
	close(fds[--n]);
	print_file(fds[0], "etc/greeting");
	fds[n] = open_view(arg);
	print_file(fds[n], "etc/greeting");
}

static void on_cancelled(struct rootview *c, int error, struct rootview_reply *reply,
			 void *userdata)
{
	(void)c;
	(void)error;
	(void)reply;
	printf("%s was called back\n", (const char *)userdata);
}

static void on_listed(struct rootview *c, int error, struct rootview_reply *reply, void *userdata)
{
	(void)c;
	(void)userdata;
	must("list", error);
	print(reply);
	to_come--;
}

/*
 * cancel ORIGIN NAME NAME: two calls, of which the first was sent, are cancelled, and a third
 * one is not: it lists what is there.
 */
static void do_cancel(char **arg)
{
	struct rootview_call *calls[2], *list;

	for (size_t i = 0; i < 2; i++) {
		struct rootview_request *request = new_request(arg[i + 1]);

		must("create", rootview_call_create(&calls[i], arg[0], &request, 1));
		rootview_request_free(request);
		must("submit", rootview_submit(connection, calls[i], on_cancelled, arg[i + 1]));
	}
	must("list", rootview_call_list(&list, arg[0], NULL));
	if (rootview_cancel(connection, list) != -ENOENT)
		abort();
	must("submit", rootview_submit(connection, list, on_listed, NULL));
	if (rootview_cancel(connection, calls[0]) != -EINPROGRESS ||
	    rootview_cancel(connection, calls[0]) != -ENOENT)
		abort();
	must("cancel", rootview_cancel(connection, calls[1]));
	to_come = 1;
	loop();
}

static struct rootview_call *stream;

/* Of a stream, what was to come has come. */
static void on_enough(struct rootview *c, int error, struct rootview_reply *reply, void *userdata)
{
	(void)userdata;
	must("stream", error);
	printf("%s\n", rootview_reply_event(reply, 0));
	rootview_reply_free(reply);
	if (rootview_cancel(c, stream) != -EINPROGRESS)
		abort();
}

/* stop: cancels a stream in its callback. */
static void do_stop(char **arg)
{
	(void)arg;
	must("monitor", rootview_call_monitor(&stream));
	must("submit", rootview_submit(connection, stream, on_enough, NULL));
	to_come = 1;
	loop();
}

static void on_event(struct rootview *c, int error, struct rootview_reply *reply, void *userdata)
{
	(void)userdata;
	to_come--;
	if (error) {
		printf("the stream ended with %s: %s\n", strerrorname_np(-error),
		       rootview_error_message(c));
		return;
	}
	printf("%s %s %s\n", rootview_reply_event(reply, 0),
	       or_dash(rootview_reply_origin(reply, 0)), or_dash(rootview_reply_name(reply, 0)));
	fflush(stdout);
	rootview_reply_free(reply);
}

static void on_never(struct rootview *c, int error, struct rootview_reply *reply, void *userdata)
{
	(void)c;
	(void)reply;
	(void)userdata;
	printf("a call behind it ended with %s\n", strerrorname_np(-error));
}

/* monitor COUNT: so many events, and a call behind them that is never sent. */
static void do_monitor(char **arg)
{
	struct rootview_call *call;

	must("monitor", rootview_call_monitor(&call));
	if (rootview_run(connection, call, NULL) != -EINVAL)
		abort();
	must("monitor", rootview_call_monitor(&call));
	must("submit", rootview_submit(connection, call, on_event, NULL));
	must("list", rootview_call_list_origins(&call));
	must("submit", rootview_submit(connection, call, on_never, NULL));
	to_come = atoi(arg[0]);
	loop();
}

/* timeout: of a daemon that does not answer.  Asynchronously, and then synchronously. */
static void do_timeout(char **arg)
{
	struct rootview_call *call;
	int r;

	(void)arg;
	must("timeout", rootview_set_timeout(connection, 200000));
	must("monitor", rootview_call_monitor(&call));
	must("submit", rootview_submit(connection, call, on_event, NULL));
	if (rootview_set_timeout(connection, 0) != -EBUSY)
		abort();
	to_come = 2;
	loop();
	must("list", rootview_call_list_origins(&call));
	r = rootview_run(connection, call, NULL);
	printf("and later calls with %s\n", strerrorname_np(-r));
	rootview_disconnect(connection);
	must("connect", rootview_connect(NULL, &connection));
	must("timeout", rootview_set_timeout(connection, 200000));
	must("list", rootview_call_list_origins(&call));
	print(run(call));
}

/* gone PID: the daemon is killed with the connection open. */
static void do_gone(char **arg)
{
	char command[64];

	snprintf(command, sizeof(command), "kill -9 %s; sleep 0.5", arg[0]);
	if (system(command) != 0)
		abort();
	do_list((char *[]){ NULL });
}

static const struct {
	const char *name;
	int arguments;
	void (*function)(char **arg);
} commands[] = {
	{ "add", 2, do_add },
	{ "async", 2, do_async },
	{ "attach", 3, do_attach },
	{ "batch", 2, do_batch },
	{ "busy", 1, do_busy },
	{ "cancel", 3, do_cancel },
	{ "check", 2, do_check },
	{ "count", 0, do_count },
	{ "create", 2, do_create },
	{ "delete", 2, do_delete },
	{ "detach", 3, do_detach },
	{ "full", 2, do_full },
	{ "gone", 1, do_gone },
	{ "json", 0, do_json },
	{ "labelled", 3, do_labelled },
	{ "list", 0, do_list },
	{ "mapped", 4, do_mapped },
	{ "monitor", 1, do_monitor },
	{ "opened", 3, do_opened },
	{ "remove", 1, do_remove },
	{ "stats", 0, do_stats },
	{ "stop", 0, do_stop },
	{ "tied", 4, do_tied },
	{ "timeout", 0, do_timeout },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(argv[1], commands[i].name) != 0 || argc - 2 < commands[i].arguments)
			continue;
		must("connect", rootview_connect(getenv("ROOTVIEW_SOCKET"), &connection));
		commands[i].function(argv + 2);
		rootview_disconnect(connection);
		return 0;
	}
	fprintf(stderr, "library: what?\n");
	return 2;
}
