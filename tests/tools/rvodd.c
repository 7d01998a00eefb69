// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * rvodd: asks and reads as programs seldom do, for the module's tests.
 *
 *	rvodd willneed DEVICE		asks the kernel to read ahead
 *	rvodd misaligned DEVICE		a direct read to an address that no disk can take
 *	rvodd refusals DEVICE N		sends so many messages that are none
 *	rvodd poll MS COMMAND		runs COMMAND while it waits for dm events, and so long after
 *	rvodd says-why			whether a dump that is refused can say why, on this kernel
 *	rvodd views ORIGIN COMMAND	dumps the views, and runs COMMAND after the first part
 *	rvodd origins			dumps the origins, and hears events meanwhile
 *	rvodd unanswered ORIGIN VIEW [HOLD]
 *					creates the view while there is no room for an answer
 *
 * It calls itself "rvodd-late" just before the request that matters, for tests/tools/hold to
 * hold that and nothing before it.
 *
 * Dumps are printed in the order in which messages come: "view NAME", "origin NAME GENERATION",
 * "removed NAME GENERATION" for the event; in the end "done", or "interrupted".
 *
 * Of "unanswered" it prints what receiving reported first, and what became of the request:
 * "told=ENOBUFS answer=none".  HOLD is the folder of rvhold's parameters: when that holds the
 * answer, room is made, and the answer let go.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include <linux/dm-ioctl.h>
#include <linux/genetlink.h>
#include <linux/rootview.h>

enum { ANSWER = 4711, FILLERS = 64 };

static int fd = -1, family;
static char buffer[256 << 10];

static void die(const char *what)
{
	fprintf(stderr, "rvodd: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int open_device(const char *path, int flags)
{
	int device = open(path, O_RDONLY | O_CLOEXEC | flags);

	if (device < 0)
		die(path);
	return device;
}

static int read_ahead(const char *path)
{
	errno = posix_fadvise(open_device(path, 0), 0, 256 << 10, POSIX_FADV_WILLNEED);
	if (errno)
		die("posix_fadvise");
	return 0;
}

static int read_misaligned(const char *path)
{
	static char page[8192] __attribute__((aligned(4096)));
	ssize_t size = pread(open_device(path, O_DIRECT), page + 1, 4096, 0);

	puts(size < 0 ? strerrorname_np(errno) : "read");
	return 0;
}

/*
 * Device-mapper.
 */

static int dm(int control, unsigned int command, const char *device, const char *text)
{
	struct dm_ioctl *io = (struct dm_ioctl *)buffer;
	struct dm_target_msg *msg = (struct dm_target_msg *)(io + 1);

	*io = (struct dm_ioctl){
		.version = { DM_VERSION_MAJOR, 0, 0 },
		.data_size = 4096,
		.data_start = sizeof(*io),
	};
	snprintf(io->name, sizeof(io->name), "%s", device);
	msg->sector = 0;
	strcpy(msg->message, text);
	return ioctl(control, command, io);
}

static int open_control(void)
{
	int control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);

	if (control < 0)
		die("device-mapper");
	return control;
}

static int send_bad_messages(const char *device, int n)
{
	int control = open_control();

	while (n--) {
		if (dm(control, DM_TARGET_MSG, device, "view_rename x") == 0 || errno != EINVAL)
			die("a message that is none");
	}
	return 0;
}

/* As multipathd and dmeventd do. */
static int poll_events(int ms, const char *command)
{
	struct pollfd control = { .fd = open_control(), .events = POLLIN };

	if (dm(control.fd, DM_DEV_ARM_POLL, "", ""))
		die("DM_DEV_ARM_POLL");
	/* A command that fails may be what shall wake. */
	if (system(command) < 0)
		die(command);
	puts(poll(&control, 1, ms) > 0 ? "woken" : "quiet");
	return 0;
}

/*
 * Netlink.
 */

static void open_netlink(bool listen, int room)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	struct timeval limit = { .tv_sec = 150 };
	struct nl_sock *sock = nl_socket_alloc();
	int group;

	if (!sock || genl_connect(sock))
		die("netlink");
	family = genl_ctrl_resolve(sock, ROOTVIEW_GENL_NAME);
	group = genl_ctrl_resolve_grp(sock, ROOTVIEW_GENL_NAME, ROOTVIEW_MCGRP_EVENTS);
	if (family < 0 || group < 0)
		die("no netlink family");
	nl_socket_free(sock);

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)) < 0)
		die("socket");
	if (listen &&
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		die("cannot listen");
}

static void send_request(int cmd, int flags, unsigned int seq, const char *origin, const char *view)
{
	struct nl_msg *msg = nlmsg_alloc();
	struct nlattr *nest;

	if (!msg || !genlmsg_put(msg, 0, seq, family, 0, NLM_F_REQUEST | flags, cmd,
				 ROOTVIEW_GENL_VERSION))
		die("message");
	if (origin) {
		nest = nla_nest_start(msg, ROOTVIEW_A_ORIGIN);
		nla_put_string(msg, ROOTVIEW_ORIGIN_A_NAME, origin);
		nla_nest_end(msg, nest);
	}
	if (view) {
		nest = nla_nest_start(msg, ROOTVIEW_A_VIEW);
		nla_put_string(msg, ROOTVIEW_VIEW_A_NAME, view);
		nla_nest_end(msg, nest);
	}
	if (send(fd, nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len, 0) < 0)
		die("send");
	nlmsg_free(msg);
}

static void be_late(void)
{
	prctl(PR_SET_NAME, "rvodd-late");
}

static const char *name_in(struct nlattr *nest, int type)
{
	struct nlattr *name = nest ? nla_find(nla_data(nest), nla_len(nest), type) : NULL;

	return name ? nla_get_string(name) : "?";
}

static void print_origin(const char *what, struct nlattr *nest)
{
	struct nlattr *n = nest ? nla_find(nla_data(nest), nla_len(nest),
					   ROOTVIEW_ORIGIN_A_GENERATION) : NULL;

	printf("%s %s %llu\n", what, name_in(nest, ROOTVIEW_ORIGIN_A_NAME),
	       n ? (unsigned long long)nla_get_u64(n) : 0);
}

static void print_message(struct nlmsghdr *nlh)
{
	struct nlattr *tb[ROOTVIEW_A_MAX + 1];

	if (genlmsg_parse(nlh, 0, tb, ROOTVIEW_A_MAX, NULL))
		die("attributes");
	switch (genlmsg_hdr(nlh)->cmd) {
	case ROOTVIEW_CMD_VIEW_GET:
		printf("view %s\n", name_in(tb[ROOTVIEW_A_VIEW], ROOTVIEW_VIEW_A_NAME));
		break;
	case ROOTVIEW_CMD_ORIGIN_GET:
		print_origin("origin", tb[ROOTVIEW_A_ORIGIN]);
		break;
	case ROOTVIEW_CMD_ORIGIN_REMOVED:
		print_origin("removed", tb[ROOTVIEW_A_ORIGIN]);
		break;
	}
}

/* Prints one part of a dump, or events; whether it was the last. */
static bool print_part(void)
{
	static bool interrupted;
	ssize_t size = recv(fd, buffer, sizeof(buffer), 0);
	struct nlmsghdr *nlh;
	int left = (int)size;

	if (size < 0)
		die("receive");
	for (nlh = (struct nlmsghdr *)buffer; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left)) {
		interrupted |= nlh->nlmsg_flags & NLM_F_DUMP_INTR;
		if (nlh->nlmsg_type == NLMSG_ERROR) {
			errno = -((const struct nlmsgerr *)nlmsg_data(nlh))->error;
			die("dump");
		}
		if (nlh->nlmsg_type == NLMSG_DONE) {
			puts(interrupted ? "interrupted" : "done");
			return true;
		}
		print_message(nlh);
	}
	return false;
}

static int dump_views(const char *origin, const char *command)
{
	bool last;

	/* Not much of the dump is made before it is taken. */
	open_netlink(false, 16 << 10);
	send_request(ROOTVIEW_CMD_VIEW_GET, NLM_F_DUMP, 1, origin, NULL);
	last = print_part();
	fflush(stdout);
	if (last || system(command))
		die("the first part was the last, or the command failed");
	while (!print_part())
		;
	return 0;
}

static int dump_origins(void)
{
	open_netlink(true, 256 << 10);
	be_late();
	send_request(ROOTVIEW_CMD_ORIGIN_GET, NLM_F_DUMP, 1, NULL, NULL);
	while (!print_part())
		;
	return 0;
}

/*
 * Whether what refuses a dump before it begins can give a reason depends on the kernel.  Its own
 * family of families tries: it marks the attribute that names a command which is not there.
 */
static int can_say_why(void)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)buffer;
	const struct nlmsgerr *error = NLMSG_DATA(nlh);
	struct nl_msg *msg = nlmsg_alloc();
	int one = 1;
	ssize_t size;

	open_netlink(false, 16 << 10);
	if (!msg || !genlmsg_put(msg, 0, 1, GENL_ID_CTRL, 0, NLM_F_REQUEST | NLM_F_DUMP,
				 CTRL_CMD_GETPOLICY, 2))
		die("message");
	nla_put_string(msg, CTRL_ATTR_FAMILY_NAME, "nlctrl");
	nla_put_u32(msg, CTRL_ATTR_OP, 255);
	if (setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)) < 0 ||
	    send(fd, nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len, 0) < 0)
		die("send");
	size = recv(fd, buffer, sizeof(buffer), 0);
	if (size < (ssize_t)NLMSG_LENGTH(sizeof(*error)) || nlh->nlmsg_type != NLMSG_ERROR ||
	    !error->error)
		die("a command that is not there has a policy");
	puts(nlh->nlmsg_flags & NLM_F_ACK_TLVS ? "yes" : "no");
	return 0;
}

/*
 * An answer that finds no room.
 */

static const char *told = "nothing", *answer = "none";

/* Takes what is there. */
static void drain(void)
{
	struct nlmsghdr *nlh;
	int left, error;
	ssize_t size;

	for (;;) {
		size = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		if (size < 0 && errno == EAGAIN)
			return;
		if (size < 0) {
			told = strerrorname_np(errno);
			continue;
		}
		left = (int)size;
		for (nlh = (struct nlmsghdr *)buffer; nlmsg_ok(nlh, left);
		     nlh = nlmsg_next(nlh, &left)) {
			if (nlh->nlmsg_seq == ANSWER && nlh->nlmsg_type == NLMSG_ERROR) {
				error = -((const struct nlmsgerr *)nlmsg_data(nlh))->error;
				answer = error ? strerrorname_np(error) : "done";
			}
		}
	}
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "we");
	if (!file || fputs(text, file) < 0 || fclose(file))
		die(path);
}

static bool file_says(const char *folder, const char *name, char c)
{
	char path[256];
	FILE *file;
	int got;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "re");
	if (!file)
		die(path);
	got = fgetc(file);
	fclose(file);
	return got == c;
}

/* In a process of its own, as the one that asks is held. */
static void make_room_when_held(const char *folder)
{
	while (!file_says(folder, "held", 'Y'))
		usleep(20000);
	drain();
	printf("told=%s ", told);
	fflush(stdout);
	write_file(folder, "released", "Y");
	_exit(0);
}

static int ask_without_room(const char *origin, const char *view, const char *folder)
{
	int i;

	open_netlink(false, 4096);
	for (i = 0; i < FILLERS; i++)
		send_request(ROOTVIEW_CMD_ORIGIN_GET, 0, 1, origin, NULL);
	if (folder && !fork())
		make_room_when_held(folder);
	be_late();
	send_request(ROOTVIEW_CMD_VIEW_CREATE, NLM_F_ACK, ANSWER, origin, view);
	if (folder)
		wait(NULL);
	drain();
	if (!folder)
		printf("told=%s ", told);
	printf("answer=%s\n", answer);
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (!strcmp(verb, "willneed") && argc == 3)
		return read_ahead(argv[2]);
	if (!strcmp(verb, "misaligned") && argc == 3)
		return read_misaligned(argv[2]);
	if (!strcmp(verb, "refusals") && argc == 4)
		return send_bad_messages(argv[2], atoi(argv[3]));
	if (!strcmp(verb, "poll") && argc == 4)
		return poll_events(atoi(argv[2]), argv[3]);
	if (!strcmp(verb, "says-why") && argc == 2)
		return can_say_why();
	if (!strcmp(verb, "views") && argc == 4)
		return dump_views(argv[2], argv[3]);
	if (!strcmp(verb, "origins") && argc == 2)
		return dump_origins();
	if (!strcmp(verb, "unanswered") && argc >= 4)
		return ask_without_room(argv[2], argv[3], argc > 4 ? argv[4] : NULL);
	fputs("usage: rvodd willneed|misaligned DEVICE | refusals DEVICE N | poll MS COMMAND |\n"
	      "       says-why | views ORIGIN COMMAND | origins | unanswered ORIGIN VIEW [HOLD]\n",
	      stderr);
	return 2;
}
