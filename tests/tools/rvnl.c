// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * rvnl: speaks the netlink protocol of dm-rootview, for the module's tests.
 *
 * It shares no code with the daemon, so that a misreading of the protocol on
 * one side shows.  Every message received is printed as one line of NAME=VALUE;
 * a refusal as one line "ERRNO: sentence" on stderr, with exit status 1.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include <linux/rootview.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

static const char usage[] =
	"rvnl origin [ORIGIN]            one origin; all of them\n"
	"rvnl create ORIGIN [VIEW]       with -l LABEL, -b BLOB\n"
	"rvnl delete ORIGIN [VIEW]\n"
	"rvnl view   ORIGIN [VIEW]       one view\n"
	"rvnl views  [ORIGIN]            all views; of one origin\n"
	"rvnl count  [ORIGIN]            how many views, by a dump\n"
	"rvnl many   ORIGIN PREFIX N     creates PREFIX1 .. PREFIXN\n"
	"rvnl batch  ORIGIN +VIEW.. -VIEW..  creates and deletes\n"
	"rvnl churn  ORIGIN N            creates and deletes one view, N times\n"
	"rvnl stress ORIGIN WORKERS N    each worker does N operations at random\n"
	"rvnl monitor N                  prints N events, after the line \"listening\"\n"
	"rvnl raw    CMD                 a request without attributes\n"
	"-d MAJOR:MINOR names an origin, -i ID a view; ORIGIN or VIEW is then \"-\".\n";

static struct nl_sock *sock;
static int family;
static int intr_seen;

static struct {
	unsigned int dev;
	unsigned long long id;
	bool has_id;
	const char *label;
	const char *blob;
} opt;

static void die(const char *what, int error)
{
	fprintf(stderr, "rvnl: %s: %s\n", what, nl_geterror(error));
	exit(2);
}

static const char *command_name(int cmd)
{
	static const char *const names[] = {
		[ROOTVIEW_CMD_ORIGIN_GET] = "origin",
		[ROOTVIEW_CMD_VIEW_CREATE] = "create",
		[ROOTVIEW_CMD_VIEW_DELETE] = "delete",
		[ROOTVIEW_CMD_VIEW_GET] = "view",
		[ROOTVIEW_CMD_ORIGIN_FAILED] = "origin-failed",
		[ROOTVIEW_CMD_ORIGIN_ADDED] = "origin-added",
		[ROOTVIEW_CMD_ORIGIN_REMOVED] = "origin-removed",
		[ROOTVIEW_CMD_VIEW_CREATED] = "view-created",
		[ROOTVIEW_CMD_VIEW_DELETED] = "view-deleted",
	};

	return cmd >= 0 && cmd <= ROOTVIEW_CMD_MAX && names[cmd] ? names[cmd] : "unknown";
}

static void print_origin(struct nlattr *nest)
{
	static const char *const names[ROOTVIEW_ORIGIN_A_MAX + 1] = {
		[ROOTVIEW_ORIGIN_A_ID] = "origin-id",
		[ROOTVIEW_ORIGIN_A_GENERATION] = "generation",
		[ROOTVIEW_ORIGIN_A_SIZE] = "size",
		[ROOTVIEW_ORIGIN_A_VIEWS] = "views",
		[ROOTVIEW_ORIGIN_A_CREATED] = "created",
		[ROOTVIEW_ORIGIN_A_DELETED] = "deleted",
		[ROOTVIEW_ORIGIN_A_READS] = "reads",
		[ROOTVIEW_ORIGIN_A_READ_SECTORS] = "read-sectors",
		[ROOTVIEW_ORIGIN_A_REFUSED] = "refused",
		[ROOTVIEW_ORIGIN_A_ERRORS] = "errors",
	};
	struct nlattr *tb[ROOTVIEW_ORIGIN_A_MAX + 1];
	int i;

	if (nla_parse_nested(tb, ROOTVIEW_ORIGIN_A_MAX, nest, NULL))
		die("origin attributes", NLE_PARSE_ERR);
	for (i = 1; i <= ROOTVIEW_ORIGIN_A_MAX; i++) {
		if (!tb[i])
			continue;
		if (i == ROOTVIEW_ORIGIN_A_NAME)
			printf(" origin=%s", nla_get_string(tb[i]));
		else if (i == ROOTVIEW_ORIGIN_A_DEV || i == ROOTVIEW_ORIGIN_A_BACKING_DEV)
			printf(" %s=%u:%u", i == ROOTVIEW_ORIGIN_A_DEV ? "dev" : "backing",
			       major(nla_get_u32(tb[i])), minor(nla_get_u32(tb[i])));
		else if (names[i])
			printf(" %s=%llu", names[i], (unsigned long long)nla_get_u64(tb[i]));
	}
}

static void print_view(struct nlattr *nest)
{
	struct nlattr *tb[ROOTVIEW_VIEW_A_MAX + 1];

	if (nla_parse_nested(tb, ROOTVIEW_VIEW_A_MAX, nest, NULL))
		die("view attributes", NLE_PARSE_ERR);
	if (tb[ROOTVIEW_VIEW_A_NAME])
		printf(" view=%s", nla_get_string(tb[ROOTVIEW_VIEW_A_NAME]));
	if (tb[ROOTVIEW_VIEW_A_ID])
		printf(" id=%llu", (unsigned long long)nla_get_u64(tb[ROOTVIEW_VIEW_A_ID]));
	if (tb[ROOTVIEW_VIEW_A_CREATED_NS])
		printf(" created-ns=%llu",
		       (unsigned long long)nla_get_u64(tb[ROOTVIEW_VIEW_A_CREATED_NS]));
	if (tb[ROOTVIEW_VIEW_A_LABEL])
		printf(" label=%s", nla_get_string(tb[ROOTVIEW_VIEW_A_LABEL]));
	if (tb[ROOTVIEW_VIEW_A_WITHHELD])
		printf(" withheld");
	if (tb[ROOTVIEW_VIEW_A_BLOB])
		printf(" blob=%.*s", nla_len(tb[ROOTVIEW_VIEW_A_BLOB]),
		       (char *)nla_data(tb[ROOTVIEW_VIEW_A_BLOB]));
}

static int on_message(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct nlattr *tb[ROOTVIEW_A_MAX + 1];
	int *left = arg;

	if (nlh->nlmsg_type != family)
		return NL_OK;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		intr_seen = 1;
	if (genlmsg_parse(nlh, 0, tb, ROOTVIEW_A_MAX, NULL))
		die("message", NLE_PARSE_ERR);
	fputs(command_name(genlmsg_hdr(nlh)->cmd), stdout);
	if (tb[ROOTVIEW_A_ORIGIN])
		print_origin(tb[ROOTVIEW_A_ORIGIN]);
	if (tb[ROOTVIEW_A_VIEW])
		print_view(tb[ROOTVIEW_A_VIEW]);
	putchar('\n');
	fflush(stdout);
	if (left)
		--*left;
	return NL_OK;
}

/* libnl's own error handler throws the extended ack away. */
static int on_error(struct sockaddr_nl *nla, struct nlmsgerr *err, void *arg)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)((char *)err - NLMSG_HDRLEN);
	int skip = sizeof(*err);
	const char *sentence = "";
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];

	(void)nla;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += err->msg.nlmsg_len - NLMSG_HDRLEN;
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS &&
	    !nla_parse(tb, NLMSGERR_ATTR_MAX, (struct nlattr *)((char *)err + NLMSG_ALIGN(skip)),
		       nlh->nlmsg_len - NLMSG_HDRLEN - NLMSG_ALIGN(skip), NULL) &&
	    tb[NLMSGERR_ATTR_MSG])
		sentence = nla_get_string(tb[NLMSGERR_ATTR_MSG]);
	fprintf(stderr, "%s: %s%s\n", strerrorname_np(-err->error), sentence,
		nlh->nlmsg_flags & NLM_F_ACK_TLVS && tb[NLMSGERR_ATTR_OFFS] ? " [attribute]" : "");
	*(int *)arg = 1;
	return NL_STOP;
}

static void open_socket(void)
{
	int one = 1, buffer = 16 << 20;

	sock = nl_socket_alloc();
	if (!sock || genl_connect(sock))
		die("socket", NLE_NOMEM);
	setsockopt(nl_socket_get_fd(sock), SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	/* Events come faster than they can be printed. */
	setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer));
	nl_socket_enable_msg_peek(sock);
	family = genl_ctrl_resolve(sock, ROOTVIEW_GENL_NAME);
	if (family < 0)
		die("family " ROOTVIEW_GENL_NAME, family);
}

static struct nl_msg *request(int cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc_size(32768);

	if (!msg || !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, flags, cmd,
				 ROOTVIEW_GENL_VERSION))
		die("request", NLE_NOMEM);
	return msg;
}

static void put_origin(struct nl_msg *msg, const char *name)
{
	struct nlattr *nest;

	if (!name)
		return;
	nest = nla_nest_start(msg, ROOTVIEW_A_ORIGIN);
	if (strcmp(name, "-"))
		nla_put_string(msg, ROOTVIEW_ORIGIN_A_NAME, name);
	if (opt.dev)
		nla_put_u32(msg, ROOTVIEW_ORIGIN_A_DEV, opt.dev);
	nla_nest_end_keep_empty(msg, nest);
}

static void put_view(struct nl_msg *msg, int attr, const char *name)
{
	struct nlattr *nest;

	if (!name)
		return;
	nest = nla_nest_start(msg, attr);
	if (strcmp(name, "-"))
		nla_put_string(msg, ROOTVIEW_VIEW_A_NAME, name);
	if (opt.has_id)
		nla_put_u64(msg, ROOTVIEW_VIEW_A_ID, opt.id);
	if (opt.label)
		nla_put_string(msg, ROOTVIEW_VIEW_A_LABEL, opt.label);
	if (opt.blob)
		nla_put(msg, ROOTVIEW_VIEW_A_BLOB, strlen(opt.blob), opt.blob);
	nla_nest_end_keep_empty(msg, nest);
}

/* Requests ask for an ack, dumps end with a message of their own. */
static int on_end(struct nl_msg *msg, void *arg)
{
	if (nlmsg_hdr(msg)->nlmsg_flags & NLM_F_DUMP_INTR)
		intr_seen = 1;
	*(bool *)arg = true;
	return NL_STOP;
}

/* Sends, prints what comes back, and answers with the exit status. */
static int exchange(struct nl_msg *msg)
{
	struct nl_cb *cb = nl_cb_clone(nl_socket_get_cb(sock));
	bool ended = false;
	int refused = 0;
	int r;

	nl_cb_err(cb, NL_CB_CUSTOM, on_error, &refused);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_message, NULL);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_end, &ended);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_end, &ended);
	r = nl_send_auto(sock, msg);
	nlmsg_free(msg);
	while (r >= 0 && !ended && !refused)
		r = nl_recvmsgs(sock, cb);
	nl_cb_put(cb);
	if (r < 0 && !refused && r != -NLE_DUMP_INTR)
		die("exchange", r);
	if (r == -NLE_DUMP_INTR || intr_seen) {
		intr_seen = 0;
		fputs("interrupted\n", stderr);
		return 3;
	}
	return refused;
}

static int do_request(int cmd, int flags, const char *origin, const char *view)
{
	struct nl_msg *msg = request(cmd, flags);

	put_origin(msg, origin);
	put_view(msg, ROOTVIEW_A_VIEW, view);
	return exchange(msg);
}

static int on_counted(struct nl_msg *msg, void *arg)
{
	int *n = arg;

	*n += nlmsg_hdr(msg)->nlmsg_type == family;
	return NL_OK;
}

static int do_count(const char *origin)
{
	struct nl_msg *msg = request(ROOTVIEW_CMD_VIEW_GET, NLM_F_DUMP);
	int n = 0, r;

	if (origin)
		put_origin(msg, origin);
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_counted, &n);
	r = nl_send_auto(sock, msg);
	nlmsg_free(msg);
	if (r < 0 || nl_recvmsgs_default(sock) < 0)
		return 1;
	printf("%d\n", n);
	return 0;
}

/* All in one sendmsg(); each is answered for itself. */
static int do_batch(const char *origin, char **ops)
{
	static char all[1 << 20];
	struct nl_cb *cb = nl_cb_clone(nl_socket_get_cb(sock));
	int left = 0, refused;
	size_t size = 0;
	bool ended;

	nl_cb_err(cb, NL_CB_CUSTOM, on_error, &refused);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_message, NULL);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_end, &ended);
	for (; *ops; ops++, left++) {
		struct nl_msg *msg = request(**ops == '-' ? ROOTVIEW_CMD_VIEW_DELETE :
							    ROOTVIEW_CMD_VIEW_CREATE, NLM_F_ACK);

		put_origin(msg, origin);
		put_view(msg, ROOTVIEW_A_VIEW, *ops + 1);
		nl_complete_msg(sock, msg);
		if (nlmsg_hdr(msg)->nlmsg_len > sizeof(all) - size)
			die("batch", NLE_MSGSIZE);
		memcpy(all + size, nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len);
		size += NLMSG_ALIGN(nlmsg_hdr(msg)->nlmsg_len);
		nlmsg_free(msg);
	}
	nl_sendto(sock, all, size);
	for (; left; left--) {
		ended = false;
		refused = 0;
		while (!ended && !refused && nl_recvmsgs(sock, cb) >= 0)
			;
	}
	nl_cb_put(cb);
	return 0;
}

static int do_many(const char *origin, const char *prefix, int n)
{
	char name[256];
	int i, r = 0;

	for (i = 1; i <= n && !r; i++) {
		snprintf(name, sizeof(name), "%s%d", prefix, i);
		r = do_request(ROOTVIEW_CMD_VIEW_CREATE, NLM_F_ACK, origin, name);
	}
	return r;
}

static int do_churn(const char *origin, int n)
{
	while (n-- > 0) {
		if (do_request(ROOTVIEW_CMD_VIEW_CREATE, NLM_F_ACK, origin, "churn") ||
		    do_request(ROOTVIEW_CMD_VIEW_DELETE, NLM_F_ACK, origin, "churn"))
			return 1;
	}
	return 0;
}

struct tally {
	unsigned long operations, created, deleted, failed;
};

/* Every worker has names of its own, so it knows what each operation must answer. */
static void stress_worker(const char *origin, int worker, int n, struct tally *tally)
{
	enum { NAMES = 64 };
	bool there[NAMES] = {};
	char name[32];

	srandom(worker);
	open_socket();
	for (; n > 0; n--) {
		int which = random() % NAMES;
		int refused;

		tally->operations++;
		snprintf(name, sizeof(name), "w%d-%d", worker, which);
		if (random() % 256 == 0) {
			do_request(ROOTVIEW_CMD_VIEW_GET, NLM_F_DUMP, origin, NULL);
		} else if (random() % 2) {
			refused = do_request(ROOTVIEW_CMD_VIEW_CREATE, NLM_F_ACK, origin, name);
			tally->failed += refused != there[which];
			tally->created += !refused;
			there[which] = true;
		} else {
			refused = do_request(ROOTVIEW_CMD_VIEW_DELETE, NLM_F_ACK, origin, name);
			tally->failed += refused == there[which];
			tally->deleted += !refused;
			there[which] = false;
		}
	}
}

static int do_stress(const char *origin, int workers, int n)
{
	struct tally *tallies = mmap(NULL, workers * sizeof(*tallies), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct tally sum = {};
	int i;

	if (tallies == MAP_FAILED)
		die("memory", NLE_NOMEM);
	for (i = 0; i < workers; i++) {
		if (fork())
			continue;
		/* What is asked for and answered does not matter here, only whether. */
		if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
			_exit(1);
		stress_worker(origin, i, n, &tallies[i]);
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	for (i = 0; i < workers; i++) {
		sum.operations += tallies[i].operations;
		sum.created += tallies[i].created;
		sum.deleted += tallies[i].deleted;
		sum.failed += tallies[i].failed;
	}
	printf("operations=%lu created=%lu deleted=%lu failed=%lu\n", sum.operations,
	       sum.created, sum.deleted, sum.failed);
	return 0;
}

static int do_monitor(int n)
{
	int group = genl_ctrl_resolve_grp(sock, ROOTVIEW_GENL_NAME, ROOTVIEW_MCGRP_EVENTS);
	int r;

	if (group < 0)
		die("multicast group", group);
	nl_socket_disable_seq_check(sock);
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_message, &n);
	r = nl_socket_add_membership(sock, group);
	if (r < 0)
		die("join", r);
	puts("listening");
	fflush(stdout);
	while (n > 0) {
		r = nl_recvmsgs_default(sock);
		if (r < 0)
			die("receive", r);
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int first, second;
	const char *verb, *a, *b;
	int c;

	while ((c = getopt(argc, argv, "+d:i:l:b:")) != -1) {
		switch (c) {
		case 'd':
			if (sscanf(optarg, "%u:%u", &first, &second) != 2)
				goto usage;
			opt.dev = makedev(first, second);
			break;
		case 'i':
			opt.id = strtoull(optarg, NULL, 0);
			opt.has_id = true;
			break;
		case 'l':
			opt.label = optarg;
			break;
		case 'b':
			opt.blob = optarg;
			break;
		default:
			goto usage;
		}
	}
	if (optind == argc)
		goto usage;
	verb = argv[optind];
	a = optind + 1 < argc ? argv[optind + 1] : NULL;
	b = optind + 2 < argc ? argv[optind + 2] : NULL;

	open_socket();
	if (!strcmp(verb, "origin"))
		return do_request(ROOTVIEW_CMD_ORIGIN_GET, a ? NLM_F_ACK : NLM_F_DUMP, a, NULL);
	if (!strcmp(verb, "create"))
		return do_request(ROOTVIEW_CMD_VIEW_CREATE, NLM_F_ACK, a, b);
	if (!strcmp(verb, "delete"))
		return do_request(ROOTVIEW_CMD_VIEW_DELETE, NLM_F_ACK, a, b);
	if (!strcmp(verb, "view"))
		return do_request(ROOTVIEW_CMD_VIEW_GET, NLM_F_ACK, a, b);
	if (!strcmp(verb, "views"))
		return do_request(ROOTVIEW_CMD_VIEW_GET, NLM_F_DUMP, a, NULL);
	if (!strcmp(verb, "many") && a && b && optind + 3 < argc)
		return do_many(a, b, atoi(argv[optind + 3]));
	if (!strcmp(verb, "count"))
		return do_count(a);
	if (!strcmp(verb, "batch") && a)
		return do_batch(a, argv + optind + 2);
	if (!strcmp(verb, "churn") && a && b)
		return do_churn(a, atoi(b));
	if (!strcmp(verb, "stress") && a && b && optind + 3 < argc)
		return do_stress(a, atoi(b), atoi(argv[optind + 3]));
	if (!strcmp(verb, "monitor") && a)
		return do_monitor(atoi(a));
	if (!strcmp(verb, "raw") && a)
		return do_request(atoi(a), NLM_F_ACK, NULL, NULL);
usage:
	fputs(usage, stderr);
	return 2;
}
