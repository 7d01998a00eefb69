// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Taking acknowledgements and the module's messages apart, malformed ones too.
 */
#include "netlink.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <limits.h>
#include <cmocka.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/rootview.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#include "message.h"
#include "util.h"

#define cleanup_msg cleanup_with(free_msg)

static void free_msg(struct nl_msg **msg)
{
	nlmsg_free(*msg);
}

/* An acknowledgement as the kernel sends it, of a request of @repeated bytes. */
static struct nl_msg *make_ack(int error, int flags, const char *sentence, size_t repeated)
{
	struct nl_msg *msg = nlmsg_alloc();
	struct nlmsghdr *head = nlmsg_put(msg, 0, 1, NLMSG_ERROR, 0, flags);
	struct nlmsgerr *e;
	char *rest;

	assert_non_null(head);
	e = nlmsg_reserve(msg, sizeof(*e), 0);
	memset(e, 0, sizeof(*e));
	e->error = error;
	e->msg.nlmsg_len = NLMSG_HDRLEN + repeated;
	if (!(flags & NLM_F_CAPPED) && repeated) {
		rest = nlmsg_reserve(msg, NLMSG_ALIGN(repeated), 0);
		memset(rest, 0xff, NLMSG_ALIGN(repeated));
	}
	if (sentence)
		assert_int_equal(nla_put_string(msg, NLMSGERR_ATTR_MSG, sentence), 0);
	return msg;
}

static void success(void **state)
{
	cleanup_msg struct nl_msg *msg = make_ack(0, NLM_F_CAPPED, NULL, 20);
	char why[NETLINK_WHY_SIZE] = "x";

	(void)state;
	assert_int_equal(netlink_parse_ack(nlmsg_hdr(msg), why), 0);
	assert_string_equal(why, "");
}

static void refusal_with_a_sentence(void **state)
{
	cleanup_msg struct nl_msg *msg =
		make_ack(-EEXIST, NLM_F_CAPPED | NLM_F_ACK_TLVS, "view name is taken", 20);
	char why[NETLINK_WHY_SIZE];

	(void)state;
	assert_int_equal(netlink_parse_ack(nlmsg_hdr(msg), why), -EEXIST);
	assert_string_equal(why, "view name is taken");
}

static void sentence_behind_a_repeated_request(void **state)
{
	cleanup_msg struct nl_msg *msg = make_ack(-EINVAL, NLM_F_ACK_TLVS, "no name", 21);
	char why[NETLINK_WHY_SIZE];

	(void)state;
	assert_int_equal(netlink_parse_ack(nlmsg_hdr(msg), why), -EINVAL);
	assert_string_equal(why, "no name");
}

static void long_sentence_is_cut(void **state)
{
	char sentence[2 * NETLINK_WHY_SIZE], why[NETLINK_WHY_SIZE];
	cleanup_msg struct nl_msg *msg = NULL;

	(void)state;
	memset(sentence, 'x', sizeof(sentence) - 1);
	sentence[sizeof(sentence) - 1] = '\0';
	msg = make_ack(-EINVAL, NLM_F_CAPPED | NLM_F_ACK_TLVS, sentence, 20);
	assert_int_equal(netlink_parse_ack(nlmsg_hdr(msg), why), -EINVAL);
	assert_int_equal(strlen(why), NETLINK_WHY_SIZE - 1);
}

static void short_message_is_refused(void **state)
{
	struct nlmsghdr head = { .nlmsg_len = NLMSG_HDRLEN, .nlmsg_type = NLMSG_ERROR };
	char why[NETLINK_WHY_SIZE];

	(void)state;
	assert_int_equal(netlink_parse_ack(&head, why), -EBADMSG);
	head.nlmsg_type = NLMSG_DONE;
	assert_int_equal(netlink_parse_ack(&head, why), 0);
}

/* A request that claims to be repeated, and is not. */
static void lying_length_is_harmless(void **state)
{
	cleanup_msg struct nl_msg *msg = make_ack(-EINVAL, NLM_F_ACK_TLVS, NULL, 0);
	struct nlmsgerr *e = nlmsg_data(nlmsg_hdr(msg));
	char why[NETLINK_WHY_SIZE];

	(void)state;
	e->msg.nlmsg_len = 0xfffffff0;
	assert_int_equal(netlink_parse_ack(nlmsg_hdr(msg), why), -EINVAL);
	assert_string_equal(why, "");
	e->msg.nlmsg_len = 3;
	assert_int_equal(netlink_parse_ack(nlmsg_hdr(msg), why), -EINVAL);
}

static void origin_is_read(void **state)
{
	cleanup_msg struct nl_msg *msg = nlmsg_alloc();
	struct nlattr *nest = nla_nest_start(msg, ROOTVIEW_A_ORIGIN);
	struct kernel_origin origin;

	(void)state;
	nla_put_string(msg, ROOTVIEW_ORIGIN_A_NAME, "web");
	/* As makedev() has it: the minor's low byte, the major, the rest of the minor. */
	nla_put_u32(msg, ROOTVIEW_ORIGIN_A_DEV, 3 << 20 | 253 << 8 | 2);
	nla_put_u64(msg, ROOTVIEW_ORIGIN_A_ID, 7);
	assert_false(message_parse_origin(nest, &origin));
	nla_put_u64(msg, ROOTVIEW_ORIGIN_A_GENERATION, 1ULL << 40);
	nla_nest_end(msg, nest);

	assert_true(message_parse_origin(nest, &origin));
	assert_string_equal(origin.name, "web");
	assert_true(origin.dev == makedev(253, 0x302));
	assert_int_equal(origin.id, 7);
	assert_int_equal(origin.generation, 1ULL << 40);
	assert_int_equal(origin.views, 0);
	assert_false(message_parse_origin(NULL, &origin));
}

static void view_is_read(void **state)
{
	cleanup_msg struct nl_msg *msg = nlmsg_alloc();
	struct nlattr *nest = nla_nest_start(msg, ROOTVIEW_A_VIEW);
	struct kernel_view view;

	(void)state;
	nla_put_string(msg, ROOTVIEW_VIEW_A_NAME, "a");
	nla_put_u32(msg, ROOTVIEW_VIEW_A_ID, 9);	/* too short */
	nla_nest_end(msg, nest);
	assert_false(message_parse_view(nest, &view));

	nest = nla_nest_start(msg, ROOTVIEW_A_VIEW);
	nla_put_string(msg, ROOTVIEW_VIEW_A_NAME, "a");
	nla_put_u64(msg, ROOTVIEW_VIEW_A_ID, 9);
	nla_nest_end(msg, nest);
	assert_true(message_parse_view(nest, &view));
	assert_string_equal(view.name, "a");
	assert_int_equal(view.id, 9);
	assert_null(view.label);
	assert_false(view.withheld);

	nest = nla_nest_start(msg, ROOTVIEW_A_VIEW);
	nla_put_string(msg, ROOTVIEW_VIEW_A_NAME, "a");
	nla_put_u64(msg, ROOTVIEW_VIEW_A_ID, 9);
	nla_put_flag(msg, ROOTVIEW_VIEW_A_WITHHELD);
	nla_nest_end(msg, nest);
	assert_true(message_parse_view(nest, &view));
	assert_true(view.withheld);
}

/* The most negative number has no positive one: a fuzzer found that. */
static void impossible_error_is_refused(void **state)
{
	static const struct {
		int error;
		int result;
	} cases[] = {
		{ 0, 0 }, { -EEXIST, -EEXIST }, { -4095, -4095 }, { -4096, -EBADMSG },
		{ EEXIST, -EBADMSG }, { INT_MIN, -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_msg struct nl_msg *msg = make_ack(cases[i].error, NLM_F_CAPPED, NULL, 20);
		char why[NETLINK_WHY_SIZE];

		assert_int_equal(netlink_parse_ack(nlmsg_hdr(msg), why), cases[i].result);
	}
}

#define cleanup_sock cleanup_with(free_sock)

static void free_sock(struct nl_sock **sock)
{
	if (*sock)
		nl_socket_free(*sock);
}

static void set_room(struct nl_sock *sock, int bytes)
{
	assert_int_equal(setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVBUF, &bytes,
				    sizeof(bytes)), 0);
}

/* As many as may be sent at once, in one piece. */
static void batch_is_full(void **state)
{
	cleanup_msg struct nl_msg *small = nlmsg_alloc_size(64);
	cleanup_msg struct nl_msg *large = nlmsg_alloc_size(NETLINK_BATCH_SIZE);
	cleanup_free struct netlink_batch *batch = calloc(1, sizeof(*batch));
	cleanup_sock struct nl_sock *sock = NULL;

	(void)state;
	assert_non_null(batch);
	assert_int_equal(netlink_open(&sock), 0);
	nlmsg_put(small, 0, 0, 20, 1, 0);
	nlmsg_put(large, 0, 0, 20, NETLINK_BATCH_SIZE - NLMSG_HDRLEN - 20, 0);
	netlink_batch_begin(sock, batch);
	for (size_t i = 0; i < NETLINK_BATCH_MAX; i++)
		assert_true(netlink_batch_add(batch, small));
	assert_false(netlink_batch_add(batch, small));
	/* A length that is no multiple of four takes up the next one. */
	assert_int_equal(batch->size, NETLINK_BATCH_MAX * 20);

	netlink_batch_begin(sock, batch);
	assert_true(netlink_batch_add(batch, large));
	assert_true(netlink_batch_add(batch, small));
	assert_false(netlink_batch_add(batch, small));
	assert_int_equal(batch->n, 2);

	/* The kernel doubles it. */
	set_room(sock, 8 * 1024);
	netlink_batch_begin(sock, batch);
	assert_int_equal(batch->max, 8);
	set_room(sock, 1);
	netlink_batch_begin(sock, batch);
	assert_int_equal(batch->max, 1);
}

/* The kernel's own family tells of families by their names, of itself too. */
static void add_question(struct netlink_batch *batch, const char *family)
{
	cleanup_msg struct nl_msg *msg = nlmsg_alloc_size(256);

	assert_non_null(genlmsg_put(msg, 0, 0, GENL_ID_CTRL, 0, 0, CTRL_CMD_GETFAMILY, 1));
	assert_int_equal(nla_put_string(msg, CTRL_ATTR_FAMILY_NAME, family), 0);
	assert_true(netlink_batch_add(batch, msg));
}

struct told {
	size_t n;
	char what[NETLINK_BATCH_MAX];	/* '+' is an answer, '-' a refusal, '\0' none */
};

static void tell(void *userdata, size_t i, struct nlmsghdr *message, int error, const char *why)
{
	struct told *told = userdata;

	assert_true(i < NETLINK_BATCH_MAX);
	assert_int_equal(told->what[i], 0);
	assert_int_equal(!!message, error == 0);
	assert_non_null(why);
	if (message)
		assert_int_equal(message->nlmsg_type, GENL_ID_CTRL);
	else
		assert_int_equal(error, -ENOENT);
	told->what[i] = message ? '+' : '-';
	told->n++;
}

/* Each third is refused.  Returns what the call does. */
static int ask(struct nl_sock *sock, struct netlink_batch *batch, size_t n, struct told *told)
{
	memset(told, 0, sizeof(*told));
	for (size_t i = 0; i < n; i++)
		add_question(batch, i % 3 ? "nlctrl" : "rootview-test");
	return netlink_batch_call(sock, batch, tell, told);
}

static void assert_told(const struct told *told, size_t n)
{
	assert_int_equal(told->n, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(told->what[i], i % 3 ? '+' : '-');
}

static void each_of_a_batch_is_answered(void **state)
{
	cleanup_free struct netlink_batch *batch = calloc(1, sizeof(*batch));
	cleanup_sock struct nl_sock *sock = NULL;
	struct told told;

	(void)state;
	assert_non_null(batch);
	assert_int_equal(netlink_open(&sock), 0);
	for (int round = 0; round < 3; round++) {
		netlink_batch_begin(sock, batch);
		assert_int_equal(ask(sock, batch, NETLINK_BATCH_MAX, &told), 0);
		assert_told(&told, NETLINK_BATCH_MAX);
	}

	/* With little room it takes more calls, and nothing is lost either. */
	set_room(sock, 1);
	for (int round = 0; round < 3; round++) {
		netlink_batch_begin(sock, batch);
		assert_int_equal(ask(sock, batch, batch->max, &told), 0);
		assert_told(&told, batch->max);
	}
}

/* The room that there was is taken away. */
static void lost_answers_are_told(void **state)
{
	cleanup_free struct netlink_batch *batch = calloc(1, sizeof(*batch));
	cleanup_sock struct nl_sock *sock = NULL;
	struct told told;

	(void)state;
	assert_non_null(batch);
	assert_int_equal(netlink_open(&sock), 0);
	for (int round = 0; round < 3; round++) {
		set_room(sock, 128 * 1024);
		netlink_batch_begin(sock, batch);
		set_room(sock, 1);
		assert_int_equal(ask(sock, batch, 100, &told), -ENOBUFS);
		assert_in_range(told.n, 1, 50);
		/* What was answered before is told, and what was lost is nobody else's. */
		assert_told(&told, told.n);
		assert_int_equal(strnlen(told.what, sizeof(told.what)), told.n);
	}
	set_room(sock, 128 * 1024);
	netlink_batch_begin(sock, batch);
	assert_int_equal(ask(sock, batch, 100, &told), 0);
	assert_told(&told, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(success),
		cmocka_unit_test(refusal_with_a_sentence),
		cmocka_unit_test(sentence_behind_a_repeated_request),
		cmocka_unit_test(long_sentence_is_cut),
		cmocka_unit_test(short_message_is_refused),
		cmocka_unit_test(lying_length_is_harmless),
		cmocka_unit_test(origin_is_read),
		cmocka_unit_test(view_is_read),
		cmocka_unit_test(impossible_error_is_refused),
		cmocka_unit_test(batch_is_full),
		cmocka_unit_test(each_of_a_batch_is_answered),
		cmocka_unit_test(lost_answers_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
