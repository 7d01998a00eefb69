// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * rvfail: makes each allocation fail in turn that the kernel makes in an operation on
 * the module, for tests/debug/allocations.t.
 *
 *	rvfail BACKING SECTORS OPERATION...
 *
 * BACKING is the block device under the origin, SECTORS its size; the module is loaded.
 * The n-th allocation fails, for n from 1 until the operation has made all of its own
 * (/proc/thread-self/fail-nth, Documentation/fault-injection of the kernel).
 * After each it is looked at whether what the operation answered is what has happened,
 * and whether nothing is left once it was undone.  Prints for each OPERATION
 *
 *	OPERATION allocations=N refused=R wrong=W
 *
 * where R is how often it said that there was no memory; otherwise it did without.  What
 * was wrong is on stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include <linux/dm-ioctl.h>
#include <linux/rootview.h>

#define DEVICE "failing"
#define LABEL "system_u:object_r:container_ro_file_t:s0"

enum { FEW = 3, SOME = 40, MANY = 300 };

static const char *backing;
static unsigned long long sectors;
static int control, faults, listener = -1, family;
static unsigned int events;	/* that the listener has got since it was last asked */
static bool lost;		/* ... or it was told that it has not got all */
static unsigned int listed;	/* by the last list */
static char buffer[256 << 10];

static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("rvfail: ", stderr);
	vfprintf(stderr, format, args);
	fprintf(stderr, ": %s\n", strerror(errno));
	va_end(args);
	exit(2);
}

static void must(int result, const char *what)
{
	if (result >= 0)
		return;
	errno = -result;
	die("%s", what);
}

/*
 * Device-mapper.
 */

/* Answers stay in the buffer. */
static int dm(unsigned int command, unsigned int flags, const void *data, size_t size)
{
	struct dm_ioctl *io = (struct dm_ioctl *)buffer;

	*io = (struct dm_ioctl){
		.version = { DM_VERSION_MAJOR, 0, 0 },
		.data_size = sizeof(buffer),
		.data_start = sizeof(*io),
		.flags = flags,
		.name = DEVICE,
		.target_count = 1,
	};
	if (size)
		memcpy(buffer + sizeof(*io), data, size);
	return ioctl(control, command, io) < 0 ? -errno : 0;
}

static const char *dm_answer(void)
{
	const struct dm_ioctl *io = (const struct dm_ioctl *)buffer;

	return buffer + io->data_start;
}

static unsigned int device_flags(void)
{
	return dm(DM_DEV_STATUS, 0, NULL, 0) < 0 ? 0 : ((struct dm_ioctl *)buffer)->flags;
}

static int load(void)
{
	struct {
		struct dm_target_spec spec;
		char params[256];
	} table = { .spec = { .length = sectors, .target_type = "rootview" } };

	snprintf(table.params, sizeof(table.params), "%s", backing);
	return dm(DM_TABLE_LOAD, DM_READONLY_FLAG, &table, sizeof(table));
}

static int clear(void)
{
	return dm(DM_TABLE_CLEAR, 0, NULL, 0);
}

static int resume(void)
{
	return dm(DM_DEV_SUSPEND, DM_READONLY_FLAG, NULL, 0);
}

static int remove_device(void)
{
	return dm(DM_DEV_REMOVE, 0, NULL, 0);
}

static int message(const char *format, ...)
{
	struct {
		struct dm_target_msg msg;
		char text[8192];
	} m = {};
	va_list args;

	va_start(args, format);
	vsnprintf(m.text, sizeof(m.text), format, args);
	va_end(args);
	return dm(DM_TARGET_MSG, 0, &m, sizeof(m));
}

static int list_by_message(void)
{
	int r = message("view_list");
	const char *at = dm_answer();

	listed = 0;
	if (r < 0)
		return r;
	for (at = strchr(at, '\n'); at; at = strchr(at + 1, '\n'))
		listed++;
	return 0;
}

static int number_of_views(void)
{
	must(list_by_message(), "view_list");
	return (int)listed;
}

/*
 * Netlink: libnl makes the messages, and system calls of our own send them.
 */

/*
 * One request, or several that go in one sendmsg(), made beforehand, on a socket of their own: a
 * dump that failed stays under way.
 */
static struct nl_msg *request[2 * FEW];
static unsigned int asked;
static int requests = -1;

static void close_request(void)
{
	if (requests >= 0)
		close(requests);
	requests = -1;
	while (asked)
		nlmsg_free(request[--asked]);
}

static void add_request(int cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();
	struct nlattr *nest;

	if (!msg || !genlmsg_put(msg, 0, 1, family, 0, NLM_F_REQUEST | flags, cmd, 1))
		die("message");
	nest = nla_nest_start(msg, ROOTVIEW_A_ORIGIN);
	nla_put_string(msg, ROOTVIEW_ORIGIN_A_NAME, DEVICE);
	nla_nest_end(msg, nest);
	request[asked++] = msg;
}

/* Into the last one. */
static void put_view(bool whole, const char *format, ...)
{
	struct nl_msg *msg = request[asked - 1];
	struct nlattr *nest = nla_nest_start(msg, ROOTVIEW_A_VIEW);
	char name[ROOTVIEW_NAME_MAX + 1];
	va_list args;

	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	nla_put_string(msg, ROOTVIEW_VIEW_A_NAME, name);
	if (whole) {
		nla_put_string(msg, ROOTVIEW_VIEW_A_LABEL, LABEL);
		nla_put_string(msg, ROOTVIEW_VIEW_A_BLOB, "a blob");
	}
	nla_nest_end(msg, nest);
}

/* Several requests in one sendmsg() delete a few, and then create a few. */
static unsigned int created, deleted;

/* Whether a message is the last one of an answer; what it says is counted, or the error. */
static bool take(const struct nlmsghdr *nlh, int *error)
{
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		*error = ((const struct nlmsgerr *)nlmsg_data(nlh))->error;
		return true;
	}
	if (nlh->nlmsg_type == NLMSG_DONE) {
		*error = *(const int *)nlmsg_data(nlh);
		return true;
	}
	if (genlmsg_hdr((struct nlmsghdr *)nlh)->cmd == ROOTVIEW_CMD_VIEW_CREATE)
		created++;
	if (genlmsg_hdr((struct nlmsghdr *)nlh)->cmd == ROOTVIEW_CMD_VIEW_DELETE)
		deleted++;
	listed++;
	return !(nlh->nlmsg_flags & NLM_F_MULTI);
}

/* Until there is an answer to each request; the first error among them. */
static int receive(int fd)
{
	unsigned int answered = 0;
	struct nlmsghdr *nlh;
	int first = 0, left;
	ssize_t size;

	for (;;) {
		size = recv(fd, buffer, sizeof(buffer), 0);
		if (size < 0)
			return -errno;
		left = (int)size;
		for (nlh = (struct nlmsghdr *)buffer; nlmsg_ok(nlh, left);
		     nlh = nlmsg_next(nlh, &left)) {
			int error = 0;

			if (!take(nlh, &error))
				continue;
			first = first ? first : error;
			if (++answered == asked)
				return first;
		}
	}
}

static int open_netlink(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	struct timeval limit = { .tv_sec = 60 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	/* Without an address no event comes.  An answer that never comes is an error. */
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		die("socket");
	return fd;
}

static void open_request(int cmd, int flags)
{
	close_request();
	requests = open_netlink();
	add_request(cmd, flags);
}

static int send_request(void)
{
	struct iovec parts[2 * FEW];
	struct msghdr all = { .msg_iov = parts, .msg_iovlen = asked };
	unsigned int i;

	for (i = 0; i < asked; i++) {
		parts[i].iov_base = nlmsg_hdr(request[i]);
		parts[i].iov_len = nlmsg_hdr(request[i])->nlmsg_len;
	}
	listed = 0;
	created = 0;
	deleted = 0;
	if (sendmsg(requests, &all, 0) < 0)
		return -errno;
	return receive(requests);
}

static void look_at_events(void)
{
	struct nlmsghdr *nlh;
	ssize_t size;
	int left;

	events = 0;
	lost = false;
	for (;;) {
		size = recv(listener, buffer, sizeof(buffer), MSG_DONTWAIT);
		if (size < 0 && errno == ENOBUFS) {
			lost = true;
			continue;
		}
		if (size < 0)
			return;
		left = (int)size;
		for (nlh = (struct nlmsghdr *)buffer; nlmsg_ok(nlh, left);
		     nlh = nlmsg_next(nlh, &left))
			events++;
	}
}

static void listen_to_events(void)
{
	struct nl_sock *sock = nl_socket_alloc();
	int group, size = 8 << 20;

	if (!sock || genl_connect(sock))
		die("netlink");
	family = genl_ctrl_resolve(sock, ROOTVIEW_GENL_NAME);
	group = genl_ctrl_resolve_grp(sock, ROOTVIEW_GENL_NAME, ROOTVIEW_MCGRP_EVENTS);
	if (family < 0 || group < 0)
		die("no netlink family");
	nl_socket_free(sock);
	listener = open_netlink();
	if (setsockopt(listener, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0 ||
	    setsockopt(listener, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		die("cannot listen");
}

/*
 * What the device is before and after an operation.
 */

enum state {
	GONE,
	BARE,	/* without a table, but with a disk: making that is not looked at here */
	LIVE,
};

static void bring_to(enum state state)
{
	bool there = dm(DM_DEV_STATUS, 0, NULL, 0) == 0;
	bool live = device_flags() & DM_ACTIVE_PRESENT_FLAG;

	if (there)
		must(clear(), "clear");
	if (there && (state == GONE || (state == BARE && live))) {
		must(remove_device(), "remove");
		there = false;
		live = false;
	}
	if (!there && state != GONE) {
		must(dm(DM_DEV_CREATE, DM_READONLY_FLAG, NULL, 0), "device");
		must(load(), "table");
		must(clear(), "clear");
	}
	if (!live && state == LIVE) {
		must(load(), "table");
		must(resume(), "resume");
	}
}

/* So many, view0 and so on. */
static void want_views(int wanted)
{
	char *line, *name, *list;
	int i;

	if (number_of_views() == wanted && (!wanted || strstr(dm_answer(), " view0 ")))
		return;
	list = strdup(dm_answer());
	for (line = strtok_r(list, "\n", &name); line; line = strtok_r(NULL, "\n", &name)) {
		line = strchr(line, ' ') + 1;
		must(message("view_delete %.*s", (int)strcspn(line, " "), line), "view_delete");
	}
	free(list);
	for (i = 0; i < wanted; i++)
		must(message("view_create view%d " LABEL, i), "view_create");
}

/*
 * Operations: before one, what it needs is made; it returns 0 or a negative errno; and
 * what has happened must be what it returned.
 */

static void prepare_nothing(void)
{
}

static void have_none(void)
{
	want_views(0);
}

static void have_views(void)
{
	want_views(SOME);
}

/* As each is told of, and each time all has to be made again. */
static void have_few(void)
{
	want_views(FEW);
}

static void have_table(void)
{
	must(load(), "table");
}

static void ask_for_views(void)
{
	want_views(MANY);
	open_request(ROOTVIEW_CMD_VIEW_GET, NLM_F_DUMP);
}

static void ask_for_origin(void)
{
	open_request(ROOTVIEW_CMD_ORIGIN_GET, 0);
}

static void ask_for_origins(void)
{
	open_request(ROOTVIEW_CMD_ORIGIN_GET, NLM_F_DUMP);
}

static void ask_to_create(void)
{
	want_views(0);
	open_request(ROOTVIEW_CMD_VIEW_CREATE, 0);
	put_view(true, "view");
}

static void ask_to_delete(void)
{
	want_views(FEW);
	open_request(ROOTVIEW_CMD_VIEW_DELETE, 0);
	put_view(false, "view0");
}

static void ask_for_view(void)
{
	want_views(FEW);
	open_request(ROOTVIEW_CMD_VIEW_GET, 0);
	put_view(false, "view0");
}

static void ask_for_batch(void)
{
	int i;

	want_views(FEW);
	open_request(ROOTVIEW_CMD_VIEW_DELETE, 0);
	put_view(false, "view0");
	for (i = 1; i < FEW; i++) {
		add_request(ROOTVIEW_CMD_VIEW_DELETE, 0);
		put_view(false, "view%d", i);
	}
	for (i = 0; i < FEW; i++) {
		add_request(ROOTVIEW_CMD_VIEW_CREATE, 0);
		put_view(true, "new%d", i);
	}
}

static int create_by_message(void)
{
	return message("view_create view " LABEL);
}

static int delete_by_message(void)
{
	return message("view_delete view0");
}

static int ask_for_status(void)
{
	return dm(DM_TABLE_STATUS, 0, NULL, 0);
}

/* What has to be, given what the operation returned. */

static const char *is_loaded(int r)
{
	bool there = device_flags() & DM_INACTIVE_PRESENT_FLAG;

	return there == !r ? NULL : "the table is there though refused, or it is not though loaded";
}

static const char *is_cleared(int r)
{
	bool there = device_flags() & DM_INACTIVE_PRESENT_FLAG;

	return there == !!r ? NULL : "the table is there though cleared, or it is not";
}

static const char *is_live(int r)
{
	bool live = device_flags() & DM_ACTIVE_PRESENT_FLAG;

	if (live == !!r)
		return "the table is live though refused, or not though resumed";
	return r < 0 || lost || events == 1 ? NULL : "nobody was told of the origin";
}

static const char *is_replaced(int r)
{
	if (!(device_flags() & DM_ACTIVE_PRESENT_FLAG))
		return "no table is live any more";
	if (!r && (device_flags() & DM_INACTIVE_PRESENT_FLAG))
		return "nothing was replaced";
	return NULL;
}

static const char *is_removed(int r)
{
	bool there = dm(DM_DEV_STATUS, 0, NULL, 0) == 0;

	if (there == !r)
		return "the device is there though removed, or not though refused";
	/* One, however many views went with it. */
	return there || lost || events == 1 ? NULL : "nobody was told that it went";
}

/* Checks how many views there are, and that everybody was told who had to be. */
static const char *has_views(unsigned int wanted, unsigned int changes)
{
	if (number_of_views() != (int)wanted)
		return "there are more or fewer views than was answered";
	return lost || events == changes ? NULL : "an event is missing";
}

static const char *is_created(int r)
{
	return has_views(!r, !r);
}

static const char *one_is_deleted(int r)
{
	return has_views(FEW - !r, !r);
}

static const char *batch_is_done(int r)
{
	if (r == 0 && listed != 2 * FEW)
		return "an answer is missing";
	return has_views(FEW + created - deleted, created + deleted);
}

static const char *one_is_told(int r)
{
	return r < 0 || listed == 1 ? NULL : "the answer is missing";
}

static const char *all_are_told(int r)
{
	return r < 0 || listed == MANY ? NULL : "not all views are told of";
}

static const char *all_are_listed(int r)
{
	return r < 0 || listed == SOME ? NULL : "not all views are listed";
}

static const char *says_so(int r)
{
	(void)r;
	return NULL;
}

static const struct operation {
	const char *name;
	enum state from;
	void (*prepare)(void);
	int (*run)(void);
	const char *(*wrong)(int result);
} operations[] = {
	{ "load", BARE, prepare_nothing, load, is_loaded },
	{ "reload", LIVE, prepare_nothing, load, is_loaded },
	{ "clear", LIVE, have_table, clear, is_cleared },
	{ "resume", BARE, have_table, resume, is_live },
	{ "replace", LIVE, have_table, resume, is_replaced },
	{ "remove", LIVE, have_few, remove_device, is_removed },
	{ "status", LIVE, prepare_nothing, ask_for_status, says_so },
	{ "message-create", LIVE, have_none, create_by_message, is_created },
	{ "message-delete", LIVE, have_few, delete_by_message, one_is_deleted },
	{ "message-list", LIVE, have_views, list_by_message, all_are_listed },
	{ "origin", LIVE, ask_for_origin, send_request, one_is_told },
	{ "origins", LIVE, ask_for_origins, send_request, one_is_told },
	{ "create", LIVE, ask_to_create, send_request, is_created },
	{ "delete", LIVE, ask_to_delete, send_request, one_is_deleted },
	{ "view", LIVE, ask_for_view, send_request, one_is_told },
	{ "views", LIVE, ask_for_views, send_request, all_are_told },
	{ "batch", LIVE, ask_for_batch, send_request, batch_is_done },
};

static void arm(unsigned int n)
{
	char text[16];
	int size = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(faults, text, size, 0) != size)
		die("fail-nth");
}

/* Whether what was armed has failed. */
static bool disarm(void)
{
	char text[16] = "";

	if (pread(faults, text, sizeof(text) - 1, 0) < 0)
		die("fail-nth");
	arm(0);
	return strtol(text, NULL, 10) == 0;
}

static int references(void)
{
	FILE *file = fopen("/sys/module/dm_rootview/refcnt", "re");
	int n = -1;

	if (!file || fscanf(file, "%d", &n) != 1)
		die("refcnt");
	fclose(file);
	return n;
}

/* Back to how it was before: for what is left, the module would be used more often. */
static const char *undo(const struct operation *op)
{
	close_request();
	bring_to(op->from);
	return references() == (op->from == LIVE) ? NULL : "the module is used by what is gone";
}

static bool is_refusal(int r)
{
	return r == -ENOMEM || r == -ENOBUFS;
}

static void sweep(const struct operation *op)
{
	unsigned int n = 0, refused = 0, wrong = 0;
	const char *what, *also;
	bool failed;
	int r;

	bring_to(op->from);
	do {
		op->prepare();
		look_at_events();
		arm(++n);
		r = op->run();
		failed = disarm();
		look_at_events();
		what = op->wrong(r);
		if (r < 0 && !(failed && is_refusal(r)))
			what = strerror(-r);
		also = undo(op);
		if ((what || also) && wrong++ < 5)
			fprintf(stderr, "%s, allocation %u, returned %d: %s%s%s\n", op->name, n, r,
				what ? what : "", what && also ? "; " : "", also ? also : "");
		if (r < 0)
			refused++;
	} while (failed);
	printf("%s allocations=%u refused=%u wrong=%u\n", op->name, n - 1, refused, wrong);
	fflush(stdout);
}

static const struct operation *find_operation(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		if (!strcmp(operations[i].name, name))
			return &operations[i];
	}
	fprintf(stderr, "rvfail: there is no operation \"%s\"\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	int i;

	if (argc < 4) {
		fputs("usage: rvfail BACKING SECTORS OPERATION...\n", stderr);
		return 2;
	}
	backing = argv[1];
	sectors = strtoull(argv[2], NULL, 10);
	control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	faults = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (control < 0 || faults < 0)
		die("device-mapper or fail-nth");
	/* Page faults of our own are no part of an operation. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		die("mlockall");
	listen_to_events();
	for (i = 3; i < argc; i++)
		sweep(find_operation(argv[i]));
	bring_to(GONE);
	return 0;
}
