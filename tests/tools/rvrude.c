// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * rvrude: clients of rootviewd that do not behave, for tests/debug/daemon-sockets.t above all.
 *
 *	rvrude SOCKET MANNER CLIENTS [MILLISECONDS]
 *
 * So many of them connect, do the same, wait for as long, and are all gone at once.
 *	half		sends the first part of a call
 *	unheard		calls, and does not wait for the answer
 *	unread		asks for many long answers, and reads none
 *	job		asks for a view, each for one that has to be mounted first
 *	batch		asks for many views at once
 *	watch		watches, and reads no event
 *	descriptors	sends some along with a call that asks for none
 *	stray		sends some with the first byte of a call, and no more
 *	closed		ends its own direction, and waits
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#define CLIENTS_MAX 1000
#define SENT_DESCRIPTORS 20

static void die(const char *what)
{
	fprintf(stderr, "rvrude: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int open_link(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		die(path);
	return fd;
}

/* Not more than the socket takes: nobody is waited for. */
static void send_bytes(int fd, const char *bytes, size_t size)
{
	(void)send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void send_call(int fd, const char *method, const char *parameters)
{
	char text[64 << 10];
	int size = snprintf(text, sizeof(text),
			    "{\"method\":\"io.rootview.%s\",\"parameters\":{%s}%s}",
			    method, parameters, strcmp(method, "Monitor") ? "" : ",\"more\":true");

	send_bytes(fd, text, size + 1);
}

static void send_descriptors(int fd, const char *bytes, size_t size)
{
	char ancillary[CMSG_SPACE(SENT_DESCRIPTORS * sizeof(int))] = "";
	struct iovec iov = { (char *)bytes, size };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = ancillary, .msg_controllen = sizeof(ancillary),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int fds[SENT_DESCRIPTORS], i;

	for (i = 0; i < SENT_DESCRIPTORS; i++)
		fds[i] = STDIN_FILENO;
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(cmsg), fds, sizeof(fds));
	(void)sendmsg(fd, &msg, MSG_NOSIGNAL);
}

static void half(int fd, int number)
{
	static const char text[] = "{\"method\":\"io.rootview.ListViews\",\"parameters\":{}}";

	send_bytes(fd, text, 1 + number % (sizeof(text) - 1));
}

static void unheard(int fd, int number)
{
	(void)number;
	send_call(fd, "ListViews", "");
}

static void unread(int fd, int number)
{
	int i;

	(void)number;
	for (i = 0; i < 50; i++)
		send_call(fd, "ListViews", "");
}

static void job(int fd, int number)
{
	char parameters[256];

	snprintf(parameters, sizeof(parameters),
		 "\"origin\":\"web\",\"name\":\"rude%d\",\"mountPoints\":[{\"path\":\"/rude/%d\"}]",
		 number, number);
	send_call(fd, "CreateView", parameters);
}

static void batch(int fd, int number)
{
	char parameters[8192];
	int size = 0, i;

	size = snprintf(parameters, sizeof(parameters), "\"origin\":\"web\",\"views\":[");
	for (i = 0; i < 50; i++)
		size += snprintf(parameters + size, sizeof(parameters) - size,
				 "%s{\"name\":\"rude%d-%d\",\"deviceOnly\":%s}", i ? "," : "",
				 number, i, i % 2 ? "false" : "true");
	snprintf(parameters + size, sizeof(parameters) - size, "]");
	send_call(fd, "CreateViews", parameters);
}

static void watch(int fd, int number)
{
	(void)number;
	send_call(fd, "Monitor", "");
}

static void descriptors(int fd, int number)
{
	static const char text[] = "{\"method\":\"io.rootview.ListOrigins\",\"parameters\":{}}";

	(void)number;
	send_descriptors(fd, text, sizeof(text));
}

static void stray(int fd, int number)
{
	(void)number;
	send_descriptors(fd, "{", 1);
}

static void closed(int fd, int number)
{
	unheard(fd, number);
	shutdown(fd, SHUT_WR);
}

static const struct {
	const char *name;
	void (*run)(int fd, int number);
} manners[] = {
	{ "half", half },
	{ "unheard", unheard },
	{ "unread", unread },
	{ "job", job },
	{ "batch", batch },
	{ "watch", watch },
	{ "descriptors", descriptors },
	{ "stray", stray },
	{ "closed", closed },
};

int main(int argc, char **argv)
{
	struct rlimit limit = { CLIENTS_MAX + 100, CLIENTS_MAX + 100 };
	static int fds[CLIENTS_MAX];
	size_t manner = 0;
	int n, i;

	while (argc > 2 && manner < sizeof(manners) / sizeof(manners[0]) &&
	       strcmp(manners[manner].name, argv[2]))
		manner++;
	n = argc > 3 ? atoi(argv[3]) : 0;
	if (manner == sizeof(manners) / sizeof(manners[0]) || n < 1 || n > CLIENTS_MAX) {
		fputs("usage: rvrude SOCKET MANNER CLIENTS [MILLISECONDS]\n", stderr);
		return 2;
	}
	setrlimit(RLIMIT_NOFILE, &limit);
	for (i = 0; i < n; i++)
		fds[i] = open_link(argv[1]);
	for (i = 0; i < n; i++)
		manners[manner].run(fds[i], i);
	if (argc > 4)
		usleep(atoi(argv[4]) * 1000);
	return 0;
}
