// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * rvfuzz: asks the module for whatever may be asked, looking for what it has not done
 * before, for tests/debug/fuzz.t.
 *
 *	rvfuzz BACKING SECTORS JOURNAL SECONDS [SEED]
 *	rvfuzz BACKING SECTORS JOURNAL replay
 *
 * BACKING is the block device under the origins, SECTORS its size; the module is loaded.
 * An input is a string of bytes.  Each byte decides something about the next netlink
 * request, device-mapper message, table operation or read; so any string is an input, and
 * one that was changed a little still is.  An input that makes the module run where none
 * did before, as KCOV tells (Documentation/dev-tools/kcov.rst of the kernel), is kept, and
 * later ones are made of those that were kept.
 *
 * Two processes do so at once, each with an origin of its own, and one that they share.
 * Before an input runs it is written into the last MiB of JOURNAL, a disk, as after a panic
 * there is nobody left to ask: a ring of the latest inputs for each process.  "replay" runs
 * what is there.
 *
 * Prints "NAME accepted=N refused=N" for each operation, and in the end
 *
 *	inputs=N kept=N places=N wrong=N
 *
 * where places are pairs of program counters that followed each other.  What was wrong is
 * on stderr: a refusal by netlink that gives no reason, an answer to who lacks CAP_SYS_ADMIN,
 * counters that do not add up, a device that cannot be removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include <linux/capability.h>
#include <linux/dm-ioctl.h>
#include <linux/kcov.h>
#include <linux/rootview.h>

#define SHARED "fuzz-shared"

enum {
	WORKERS = 2,
	PLACES = 1 << 16,
	TRACE = 1 << 17,	/* program counters of one input */
	KEPT = 8192,		/* inputs at the most */
	RING = 256,		/* inputs in a worker's part of the journal */
	LIFE = 1000,		/* inputs until an origin is made anew */
	JOURNAL = 1 << 20,
};

/* As it is in the journal, in a sector of its own. */
struct input {
	uint32_t number;	/* from 1 on, for each worker */
	uint32_t size;
	uint8_t bytes[504];
} __attribute__((aligned(512)));

enum {
	NETLINK,	/* the first of them, one for each command */
	BATCH = NETLINK + ROOTVIEW_CMD_VIEW_GET + 1,	/* again, those that came with others */
	UNPRIVILEGED,					/* ... without CAP_SYS_ADMIN */
	MESSAGE,
	LOAD,
	RESUME,
	SUSPEND,
	CLEAR,
	STATUS,
	REMOVE,
	RENAME,
	READ,
	OPERATIONS,
};

static const char *const operations[OPERATIONS] = {
	[NETLINK] = "other",
	[ROOTVIEW_CMD_ORIGIN_GET] = "origin-get",
	[ROOTVIEW_CMD_VIEW_CREATE] = "view-create",
	[ROOTVIEW_CMD_VIEW_DELETE] = "view-delete",
	[ROOTVIEW_CMD_VIEW_GET] = "view-get",
	[BATCH] = "batch",
	[UNPRIVILEGED] = "unprivileged",
	[MESSAGE] = "message",
	[LOAD] = "load",
	[RESUME] = "resume",
	[SUSPEND] = "suspend",
	[CLEAR] = "clear",
	[STATUS] = "status",
	[REMOVE] = "remove",
	[RENAME] = "rename",
	[READ] = "read",
};

/* What the workers share. */
static struct {
	unsigned int inputs, kept, places, wrong;
	unsigned int accepted[OPERATIONS], refused[OPERATIONS];
	uint8_t seen[PLACES];
	struct input corpus[KEPT];
} *all;

static const char *backing;
static unsigned long long sectors;
static int control, journal, family, group;

/* Of this worker. */
static int worker, requests = -1;
static char own[32];
static uint64_t *trace;
static struct input input;	/* the one that runs */
static uint32_t at;		/* how far it has been read */
static char answers[64 << 10];

static void die(const char *what)
{
	fprintf(stderr, "rvfuzz: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void wrong(const char *format, ...)
{
	va_list args;

	if (__atomic_fetch_add(&all->wrong, 1, __ATOMIC_RELAXED) >= 20)
		return;
	va_start(args, format);
	fprintf(stderr, "worker %d, input %u: ", worker, input.number);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

static void count(int operation, int r)
{
	__atomic_fetch_add(r < 0 ? &all->refused[operation] : &all->accepted[operation], 1,
			   __ATOMIC_RELAXED);
}

/* The next byte of the input; what is behind its end is 0. */
static unsigned int next(void)
{
	return at < input.size ? input.bytes[at++] : 0;
}

/* Once in 16 times. */
static bool rarely(void)
{
	return next() % 16 == 15;
}

/*
 * Strings.
 */

static const char label[] = "system_u:object_r:container_ro_file_t:s0";

/* Fills TEXT with SIZE bytes at the most and ends it; what is in it the input says. */
static void odd_string(char *text, size_t size)
{
	size_t n = next() % 64, i;

	for (i = 0; i < n && i + 1 < size; i++)
		text[i] = (char)next();
	text[i] = '\0';
}

static void long_string(char *text, size_t length)
{
	memset(text, 'x', length);
	text[length] = '\0';
}

static void some_name(char text[static 256])
{
	unsigned int which = next() % 24;

	if (which < 16)
		sprintf(text, "v%u", which);
	else if (which < 18)
		strcpy(text, "");
	else if (which == 18)
		strcpy(text, "..");
	else if (which == 19)
		strcpy(text, "a/b");
	else if (which < 22)
		long_string(text, ROOTVIEW_NAME_MAX + which - 20);
	else
		odd_string(text, 256);
}

static void some_label(char text[static 8192])
{
	unsigned int which = next() % 8;

	if (which < 4)
		strcpy(text, label);
	else if (which < 6)
		long_string(text, ROOTVIEW_LABEL_MAX + which - 4);
	else
		odd_string(text, 8192);
}

/*
 * Device-mapper.
 */

/* Answers stay there. */
static char dm_buffer[64 << 10];

static int dm(const char *device, unsigned int command, unsigned int flags, const void *data,
	      size_t size)
{
	struct dm_ioctl *io = (struct dm_ioctl *)dm_buffer;

	*io = (struct dm_ioctl){
		.version = { DM_VERSION_MAJOR, 0, 0 },
		.data_size = sizeof(dm_buffer),
		.data_start = sizeof(*io),
		.flags = flags,
		.target_count = 1,
	};
	strcpy(io->name, device);
	if (size)
		memcpy(dm_buffer + sizeof(*io), data, size);
	return ioctl(control, command, io) < 0 ? -errno : 0;
}

static const char *dm_answer(void)
{
	return dm_buffer + ((struct dm_ioctl *)dm_buffer)->data_start;
}

static uint64_t device_number(const char *device)
{
	return dm(device, DM_DEV_STATUS, 0, NULL, 0) < 0 ?
		0 : ((struct dm_ioctl *)dm_buffer)->dev;
}

static unsigned int device_flags(const char *device)
{
	return dm(device, DM_DEV_STATUS, 0, NULL, 0) < 0 ?
		0 : ((struct dm_ioctl *)dm_buffer)->flags;
}

static int load(const char *device, const char *type, unsigned long long length,
		unsigned int flags, const char *params)
{
	struct {
		struct dm_target_spec spec;
		char params[512];
	} table = { .spec = { .length = length } };

	strcpy(table.spec.target_type, type);
	snprintf(table.params, sizeof(table.params), "%s", params);
	return dm(device, DM_TABLE_LOAD, flags, &table, sizeof(table));
}

static int send_message(const char *device, const char *text)
{
	struct {
		struct dm_target_msg msg;
		char text[16384];
	} m = {};

	snprintf(m.text, sizeof(m.text), "%s", text);
	return dm(device, DM_TARGET_MSG, 0, &m, sizeof(m));
}

static void must(const char *device, int r, const char *what)
{
	if (r < 0)
		wrong("%s cannot be %s: %s", device, what, strerror(-r));
}

static void make_device(const char *device)
{
	must(device, dm(device, DM_DEV_CREATE, DM_READONLY_FLAG, NULL, 0), "created");
	must(device, load(device, "rootview", sectors, DM_READONLY_FLAG, backing), "loaded");
	must(device, dm(device, DM_DEV_SUSPEND, DM_READONLY_FLAG, NULL, 0), "resumed");
}

static void close_requests(void)
{
	if (requests >= 0)
		close(requests);
	requests = -1;
}

static void make_own(void)
{
	snprintf(own, sizeof(own), "fuzz%d", worker);
	make_device(own);
}

static void remove_own(void)
{
	close_requests();
	if (device_number(own))
		must(own, dm(own, DM_DEV_REMOVE, 0, NULL, 0), "removed");
}

/* One of the two. */
static const char *some_device(void)
{
	return next() % 4 == 3 ? SHARED : own;
}

static void do_message(void)
{
	static const char *const verbs[] = {
		"view_create", "view_delete", "view_create", "view_list", "view_rename",
		"VIEW_CREATE",
	};
	static const char *const numbers[] = { "0", "1", "300", "1048576", "1048577", "-1", "x" };
	const char *device = some_device();
	unsigned int words = 1 + next() % 4;
	char text[16384], word[8192];
	size_t size;

	strcpy(text, verbs[next() % (sizeof(verbs) / sizeof(verbs[0]))]);
	if (rarely())
		odd_string(text, sizeof(text));
	size = strlen(text);
	while (--words) {
		unsigned int kind = next() % 8;

		if (kind < 4)
			some_name(word);
		else if (kind < 6)
			some_label(word);
		else
			strcpy(word, numbers[next() % (sizeof(numbers) / sizeof(numbers[0]))]);
		if (size + strlen(word) + 2 > sizeof(text))
			break;
		size += (size_t)sprintf(text + size, " %s", word);
	}
	count(MESSAGE, send_message(device, text));
}

static void do_load(void)
{
	const char *device = some_device(), *type = rarely() ? "zero" : "rootview";
	uint64_t other;
	char params[512];

	switch (next() % 8) {
	case 5:
		snprintf(params, sizeof(params), "%s %u", backing, next() % 3);
		break;
	case 6:
		/* Upon another origin, or upon itself. */
		other = device_number(some_device());
		snprintf(params, sizeof(params), "%u:%u", major(other), minor(other));
		break;
	case 7:
		odd_string(params, sizeof(params));
		break;
	default:
		snprintf(params, sizeof(params), "%s", backing);
	}
	count(LOAD, load(device, type, rarely() ? next() * 8 : sectors,
			 rarely() ? 0 : DM_READONLY_FLAG, params));
}

static void do_suspend(void)
{
	/* Whoever reads the shared one then would wait for ever. */
	count(SUSPEND, dm(own, DM_DEV_SUSPEND,
			  DM_SUSPEND_FLAG | (next() % 2 ? DM_NOFLUSH_FLAG : 0), NULL, 0));
}

static void do_remove(void)
{
	/* It takes long. */
	if (next() % 32 == 31) {
		count(REMOVE, dm(own, DM_DEV_REMOVE, next() % 2 ? DM_DEFERRED_REMOVE : 0, NULL, 0));
		if (!device_number(own))
			make_own();
	}
}

static void do_rename(void)
{
	char name[32];

	snprintf(name, sizeof(name), "fuzz%d%s", worker, next() % 2 ? "-renamed" : "");
	if (dm(own, DM_DEV_RENAME, 0, name, sizeof(name)) == 0) {
		count(RENAME, 0);
		strcpy(own, name);
	} else {
		count(RENAME, -1);
	}
}

static void do_read(void)
{
	static char page[16384] __attribute__((aligned(4096)));
	const char *device = some_device();
	uint64_t number = device_number(device);
	unsigned int flags = device_flags(device);
	size_t size = 512UL << next() % 6;
	char node[32];
	int fd;

	if ((flags & DM_SUSPEND_FLAG) || !(flags & DM_ACTIVE_PRESENT_FLAG))
		return;
	/* Nobody else makes its node. */
	snprintf(node, sizeof(node), "/dev/fuzz%d-read", worker);
	unlink(node);
	if (mknod(node, S_IFBLK | 0600, number) < 0)
		die("node");
	fd = open(node, (rarely() ? O_RDWR : O_RDONLY) | O_DIRECT | O_CLOEXEC);
	count(READ, fd < 0 ? -1 : (int)pread(fd, page, size, 4096L * next()));
	if (fd >= 0)
		close(fd);
}

/*
 * Netlink: messages are put together here, as libnl makes no wrong ones.
 */

static struct {
	struct nlmsghdr nlh;
	struct genlmsghdr genl;
	char attrs[16 << 10];
} message;

/* The latest requests, by their sequence number: whatever comes back carries it. */
static struct {
	uint8_t cmd;
	bool with_others;
	bool unprivileged;
} asked[256];
static uint8_t last_seq;

static char *end_of_message(void)
{
	return (char *)&message + message.nlh.nlmsg_len;
}

static void put(unsigned int type, const void *data, size_t size)
{
	struct nlattr *attr = (struct nlattr *)end_of_message();

	if (message.nlh.nlmsg_len + NLA_HDRLEN + NLA_ALIGN(size) > sizeof(message))
		return;
	*attr = (struct nlattr){ .nla_type = type, .nla_len = NLA_HDRLEN + size };
	memset(attr + 1, 0, NLA_ALIGN(size));
	memcpy(attr + 1, data, size);
	message.nlh.nlmsg_len += NLA_HDRLEN + NLA_ALIGN(size);
}

static void put_string(unsigned int type, const char *text)
{
	/* A string need not end. */
	put(type, text, strlen(text) + !rarely());
}

static struct nlattr *begin_nest(unsigned int type)
{
	struct nlattr *nest = (struct nlattr *)end_of_message();

	put(type | (rarely() ? 0 : NLA_F_NESTED), NULL, 0);
	return nest;
}

static void end_nest(struct nlattr *nest)
{
	nest->nla_len = (uint16_t)(end_of_message() - (char *)nest);
}

static void put_odd(void)
{
	unsigned int type = next() % 16;
	char data[64];
	size_t size = next() % sizeof(data), i;

	for (i = 0; i < size; i++)
		data[i] = (char)next();
	put(type, data, size);
}

static void put_origin(void)
{
	struct nlattr *nest = begin_nest(ROOTVIEW_A_ORIGIN);
	const char *device = some_device();
	unsigned int how = next() % 8;
	uint32_t number;

	if (how < 6)
		put_string(ROOTVIEW_ORIGIN_A_NAME, device);
	if (how == 5 || how == 6) {
		number = (uint32_t)device_number(some_device());
		put(ROOTVIEW_ORIGIN_A_DEV, &number, sizeof(number));
	}
	if (rarely())
		put_odd();
	end_nest(nest);
}

static void put_view(void)
{
	static char text[8192], blob[ROOTVIEW_BLOB_MAX + 256];
	struct nlattr *nest = begin_nest(ROOTVIEW_A_VIEW);
	unsigned int has = next();
	uint64_t id;

	if ((has & 7) != 7) {
		some_name(text);
		put_string(ROOTVIEW_VIEW_A_NAME, text);
	}
	if (has & 8) {
		some_label(text);
		put_string(ROOTVIEW_VIEW_A_LABEL, text);
	}
	if (has & 16)
		put(ROOTVIEW_VIEW_A_BLOB, blob, next() * 17);
	if ((has & 96) == 96) {
		id = next();
		if (id > 250)
			id = -id;
		put(ROOTVIEW_VIEW_A_ID, &id, sizeof(id));
	}
	if (rarely())
		put_odd();
	end_nest(nest);
}

/* A refusal says why: but for those of the kernel's own that come before us. */
static void look_at_error(const struct nlmsghdr *nlh, int cmd)
{
	const struct nlmsgerr *error = NLMSG_DATA(nlh);
	const struct nlattr *attr = (const struct nlattr *)(error + 1);
	int left = (int)nlh->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*error));

	if (error->error == -EOPNOTSUPP || error->error == -EBUSY || error->error == -ENOMEM ||
	    error->error == -ENOBUFS)
		return;
	for (; nla_ok(attr, left); attr = nla_next(attr, &left)) {
		if (nla_type(attr) == NLMSGERR_ATTR_MSG && nla_len(attr) > 1)
			return;
	}
	wrong("command %d was refused without a reason: %s", cmd, strerror(-error->error));
}

static void look_at_answer(const struct nlmsghdr *nlh)
{
	uint8_t seq = (uint8_t)nlh->nlmsg_seq;
	int cmd = asked[seq].cmd, error;

	if (nlh->nlmsg_type != NLMSG_ERROR && nlh->nlmsg_type != NLMSG_DONE) {
		/* Events have no such number. */
		if (seq && asked[seq].unprivileged)
			wrong("command %d was answered without privileges", cmd);
		return;
	}
	/* The end of a dump begins like an error. */
	error = ((const struct nlmsgerr *)NLMSG_DATA(nlh))->error;
	count(NETLINK + (cmd <= ROOTVIEW_CMD_VIEW_GET ? cmd : 0), error);
	if (asked[seq].with_others)
		count(BATCH, error);
	if (asked[seq].unprivileged) {
		count(UNPRIVILEGED, error);
		if (!error)
			wrong("command %d was done without privileges", cmd);
	}
	if (nlh->nlmsg_type == NLMSG_ERROR && error)
		look_at_error(nlh, cmd);
}

/* Takes so many messages at the most: what is left of a dump stays under way. */
static void receive(unsigned int n)
{
	const struct nlmsghdr *nlh;
	ssize_t size;

	while (n--) {
		size = recv(requests, answers, sizeof(answers), MSG_DONTWAIT);
		if (size < 0 && errno != ENOBUFS)
			return;
		for (nlh = (const struct nlmsghdr *)answers; size > 0 && NLMSG_OK(nlh, size);
		     nlh = NLMSG_NEXT(nlh, size))
			look_at_answer(nlh);
	}
}

static void open_requests(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int one = 1;

	requests = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (requests < 0 || bind(requests, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setsockopt(requests, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)) < 0 ||
	    setsockopt(requests, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)) < 0)
		die("netlink");
	if (next() % 2 &&
	    setsockopt(requests, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		die("cannot listen");
}

/* Whether this process has CAP_SYS_ADMIN in effect. */
static void be_privileged(bool privileged)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		die("capget");
	if (privileged)
		data[0].effective |= 1U << CAP_SYS_ADMIN;
	else
		data[0].effective &= ~(1U << CAP_SYS_ADMIN);
	if (syscall(SYS_capset, &header, data) < 0)
		die("capset");
}

static void make_request(bool with_others, bool unprivileged)
{
	static const uint16_t dumps[] = { 0, 0, NLM_F_DUMP, NLM_F_ECHO };
	unsigned int cmd = 1 + next() % ROOTVIEW_CMD_VIEW_GET;

	if (rarely())
		cmd = next();
	/* 0 is the events' number. */
	last_seq += 1 + (last_seq == 255);
	asked[last_seq].cmd = cmd;
	asked[last_seq].with_others = with_others;
	asked[last_seq].unprivileged = unprivileged;
	message.nlh = (struct nlmsghdr){
		.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN),
		.nlmsg_type = family,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | dumps[next() % 4],
		.nlmsg_seq = last_seq,
	};
	message.genl = (struct genlmsghdr){ .cmd = cmd, .version = ROOTVIEW_GENL_VERSION };

	if (!rarely())
		put_origin();
	if (!rarely())
		put_view();
	if (rarely())
		put_odd();
	if (rarely() && message.nlh.nlmsg_len > NLMSG_LENGTH(GENL_HDRLEN)) {
		size_t where = NLMSG_LENGTH(GENL_HDRLEN) + next() * 4 + next() % 4;

		if (where < message.nlh.nlmsg_len)
			((char *)&message)[where] = (char)next();
	}
}

/* One request, or several in one sendmsg(). */
static void do_netlink(void)
{
	static char all[64 << 10];
	unsigned int n = next() % 4 == 3 ? 2 + next() % 6 : 1, i;
	bool unprivileged = rarely();
	size_t size = 0;

	for (i = 0; i < n; i++) {
		make_request(n > 1, unprivileged);
		if (size + message.nlh.nlmsg_len > sizeof(all))
			break;
		memcpy(all + size, &message, message.nlh.nlmsg_len);
		size += NLMSG_ALIGN(message.nlh.nlmsg_len);
	}
	if (requests < 0 || rarely()) {
		close_requests();
		open_requests();
	}
	if (unprivileged)
		be_privileged(false);
	if (send(requests, all, size, 0) < 0)
		count(NETLINK, -1);
	if (unprivileged)
		be_privileged(true);
	receive(rarely() ? next() % 4 : 1000);
}

/*
 * Inputs.
 */

static void run_input(void)
{
	unsigned int operation, n = 0;

	for (at = 0; n < 32 && at < input.size; n++) {
		operation = next() % 32;
		if (operation < 16)
			do_netlink();
		else if (operation < 22)
			do_message();
		else if (operation == 22)
			do_load();
		else if (operation == 23)
			count(RESUME, dm(some_device(), DM_DEV_SUSPEND, DM_READONLY_FLAG, NULL, 0));
		else if (operation == 24)
			do_suspend();
		else if (operation == 25)
			count(CLEAR, dm(some_device(), DM_TABLE_CLEAR, 0, NULL, 0));
		else if (operation < 28)
			count(STATUS, dm(some_device(), DM_TABLE_STATUS,
					 next() % 2 ? DM_STATUS_TABLE_FLAG : 0, NULL, 0));
		else if (operation == 28)
			do_remove();
		else if (operation == 29)
			do_rename();
		else
			do_read();
	}
}

/* Out of one that was kept, most of the time. */
static void make_input(void)
{
	unsigned int kept = __atomic_load_n(&all->kept, __ATOMIC_ACQUIRE), n, i;
	const struct input *other;

	if (!kept || random() % 16 == 0) {
		input.size = 8 + random() % 120;
		for (i = 0; i < input.size; i++)
			input.bytes[i] = random();
		return;
	}
	other = &all->corpus[random() % kept];
	input.size = other->size;
	memcpy(input.bytes, other->bytes, sizeof(input.bytes));
	for (n = 1 + random() % 6; n; n--) {
		unsigned int where = random() % input.size, size = 1 + random() % 32;

		switch (random() % 5) {
		case 0:
			input.bytes[where] ^= 1 << random() % 8;
			break;
		case 1:
			input.bytes[where] = random();
			break;
		case 2:	/* something goes */
			if (size >= input.size - where)
				break;
			memmove(input.bytes + where, input.bytes + where + size,
				input.size - where - size);
			input.size -= size;
			break;
		case 3:	/* something comes twice */
			if (size > input.size - where || input.size + size > sizeof(input.bytes))
				break;
			memmove(input.bytes + where + size, input.bytes + where,
				input.size - where);
			input.size += size;
			break;
		case 4:	/* the rest is another's */
			other = &all->corpus[random() % kept];
			if (where < other->size) {
				memcpy(input.bytes + where, other->bytes + where,
				       other->size - where);
				input.size = other->size;
			}
			break;
		}
	}
}

static void keep_input(void)
{
	unsigned int n;

	n = __atomic_load_n(&all->kept, __ATOMIC_ACQUIRE);
	do {
		if (n == KEPT)
			return;
		/* Whoever reads it before it is whole has just another input. */
		all->corpus[n] = input;
	} while (!__atomic_compare_exchange_n(&all->kept, &n, n + 1, false, __ATOMIC_RELEASE,
					      __ATOMIC_ACQUIRE));
}

static bool new_places(void)
{
	uint64_t n = __atomic_load_n(&trace[0], __ATOMIC_RELAXED), last = 0, i;
	unsigned int found = 0;

	for (i = 1; i <= n; i++) {
		uint8_t *seen = &all->seen[(trace[i] ^ last * 0x9e3779b1) % PLACES];

		if (!*seen)
			found++;
		*seen = 1;
		last = trace[i];
	}
	if (found)
		__atomic_fetch_add(&all->places, found, __ATOMIC_RELAXED);
	return found;
}

/* Of the own origin, which nobody else changes. */
static void check_views(void)
{
	unsigned long long views, created, deleted, listed = 0;
	const char *text;

	if (dm(own, DM_TABLE_STATUS, 0, NULL, 0) < 0 ||
	    sscanf(dm_answer() + sizeof(struct dm_target_spec), "2 %*u %llu %llu %llu", &views,
		   &created, &deleted) != 3)
		return;
	if (views != created - deleted)
		wrong("%llu views, %llu created, %llu deleted", views, created, deleted);
	if (send_message(own, "view_list") < 0 ||
	    (((struct dm_ioctl *)dm_buffer)->flags & DM_BUFFER_FULL_FLAG))
		return;
	for (text = strchr(dm_answer(), '\n'); text; text = strchr(text + 1, '\n'))
		listed++;
	if (listed != views)
		wrong("%llu views, but %llu are listed", views, listed);
}

static off_t journal_of(int number, unsigned int slot)
{
	return lseek(journal, 0, SEEK_END) - JOURNAL +
		(off_t)(number * RING + slot) * (off_t)sizeof(struct input);
}

static void trace_module(void)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, KCOV_INIT_TRACE, (unsigned long)TRACE))
		die("KCOV");
	trace = mmap(NULL, TRACE * sizeof(*trace), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (trace == MAP_FAILED || ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC))
		die("KCOV");
}

static void run_one(void)
{
	__atomic_store_n(&trace[0], 0, __ATOMIC_RELAXED);
	run_input();
	if (new_places())
		keep_input();
	__atomic_fetch_add(&all->inputs, 1, __ATOMIC_RELAXED);
}

static void fuzz(unsigned int seconds, unsigned int seed)
{
	time_t end = time(NULL) + seconds;
	uint32_t number;

	srandom(seed * WORKERS + worker);
	for (number = 1; time(NULL) < end; number++) {
		make_input();
		input.number = number;
		if (pwrite(journal, &input, sizeof(input), journal_of(worker, number % RING)) < 0)
			die("journal");
		run_one();
		if (number % 16 == 0)
			check_views();
		if (number % LIFE == 0) {
			remove_own();
			make_own();
		}
	}
}

static int by_number(const void *a, const void *b)
{
	const struct input *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static void replay(void)
{
	static struct input ring[RING];
	unsigned int i;

	if (pread(journal, ring, sizeof(ring), journal_of(worker, 0)) != sizeof(ring))
		die("journal");
	qsort(ring, RING, sizeof(ring[0]), by_number);
	for (i = 0; i < RING; i++) {
		if (!ring[i].number || ring[i].size > sizeof(ring[i].bytes))
			continue;
		input = ring[i];
		run_one();
		check_views();
	}
}

static int wait_for_workers(void)
{
	int status, result = 0;

	while (wait(&status) > 0)
		result |= status;
	return result;
}

static void find_family(void)
{
	struct nl_sock *sock = nl_socket_alloc();

	if (!sock || genl_connect(sock))
		die("netlink");
	family = genl_ctrl_resolve(sock, ROOTVIEW_GENL_NAME);
	group = genl_ctrl_resolve_grp(sock, ROOTVIEW_GENL_NAME, ROOTVIEW_MCGRP_EVENTS);
	if (family < 0 || group < 0)
		die("no netlink family");
	nl_socket_free(sock);
}

int main(int argc, char **argv)
{
	int result, i;

	if (argc < 5) {
		fputs("usage: rvfuzz BACKING SECTORS JOURNAL SECONDS [SEED]\n"
		      "       rvfuzz BACKING SECTORS JOURNAL replay\n", stderr);
		return 2;
	}
	backing = argv[1];
	sectors = strtoull(argv[2], NULL, 10);
	control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	journal = open(argv[3], O_RDWR | O_DIRECT | O_CLOEXEC);
	if (control < 0 || journal < 0)
		die("device-mapper or journal");
	all = mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED)
		die("memory");
	find_family();
	make_device(SHARED);

	for (i = 0; i < WORKERS; i++) {
		if (fork())
			continue;
		worker = i;
		trace_module();
		make_own();
		if (!strcmp(argv[4], "replay"))
			replay();
		else
			fuzz(atoi(argv[4]), argc > 5 ? atoi(argv[5]) : (int)time(NULL));
		remove_own();
		exit(0);
	}
	result = wait_for_workers();
	must(SHARED, dm(SHARED, DM_DEV_REMOVE, 0, NULL, 0), "removed");

	for (i = 0; i < OPERATIONS; i++)
		printf("%s accepted=%u refused=%u\n", operations[i], all->accepted[i],
		       all->refused[i]);
	printf("inputs=%u kept=%u places=%u wrong=%u\n", all->inputs, all->kept, all->places,
	       all->wrong);
	return result ? 2 : 0;
}
