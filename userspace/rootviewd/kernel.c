// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The module's registry over generic netlink; kernel.h is the contract.
 */
#include "kernel.h"

#include <linux/genetlink.h>
#include <linux/rootview.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>

#include "message.h"
#include "netlink.h"
#include "util.h"

#define EVENT_BUFFER_SIZE	(32 * 1024)
#define REQUEST_SIZE		(16 * 1024)

/* Room for a burst of events while a request is being carried out. */
#define EVENTS_QUEUE_SIZE	(8 * 1024 * 1024)

/* Under constant change a dump may never be whole: give up, and try again later. */
#define DUMP_TRIES		20

struct kernel {
	struct nl_sock *requests;
	struct nl_sock *events;
	int family;		/* 0 while the module is not there */
	struct nl_msg *request;	/* the one that is being made; so that none wants for memory */
	struct netlink_batch batch;	/* likewise */

	char *withheld;		/* the last answer to ask_view() */
	char *buffer;		/* what was received and not yet handed out */
	struct nlmsghdr *next;
	int rest;
};

/*
 * The family.
 */

/* Returns 0 or a negative error of libnl's. */
static int join_group(struct kernel *k, const char *family, const char *group)
{
	int id = genl_ctrl_resolve_grp(k->requests, family, group);

	return id < 0 ? id : nl_socket_add_membership(k->events, id);
}

/* The kernel loads the module that serves a family when somebody asks for it. */
static int find_family(struct kernel *k, struct failure *f)
{
	int family, r;

	if (k->family)
		return 0;
	family = genl_ctrl_resolve(k->requests, ROOTVIEW_GENL_NAME);
	if (family < 0)
		return failed_step(f, "kernel module dm-rootview", "reach it", 0,
				   "it is not loaded, and the kernel found none to load; try "
				   "\"modprobe dm-rootview\"");
	r = join_group(k, ROOTVIEW_GENL_NAME, ROOTVIEW_MCGRP_EVENTS);
	if (r < 0)
		return failed_step(f, "kernel module dm-rootview", "listen to its events", 0,
				   r == -NLE_PERM ? "that takes CAP_SYS_ADMIN" : nl_geterror(r));
	k->family = family;
	return 0;
}

int kernel_open(struct kernel **ret, struct failure *f)
{
	struct kernel *k = calloc(1, sizeof(*k));
	int size = EVENTS_QUEUE_SIZE;
	int r = -ENOMEM;

	if (!k)
		return failed_step(f, "netlink", "open its sockets", ENOMEM, NULL);
	k->buffer = malloc(EVENT_BUFFER_SIZE);
	k->withheld = malloc(REQUEST_SIZE);
	k->request = nlmsg_alloc_size(REQUEST_SIZE);
	if (!k->buffer || !k->withheld || !k->request)
		goto failed;
	r = netlink_open(&k->requests);
	if (r == 0)
		r = netlink_open(&k->events);
	if (r < 0)
		goto failed;
	/* Without the privilege it stays small, and events are lost sooner. */
	(void)setsockopt(nl_socket_get_fd(k->events), SOL_SOCKET, SO_RCVBUFFORCE, &size,
			 sizeof(size));
	/* Tells when the module comes and goes. */
	r = join_group(k, "nlctrl", "notify") < 0 ? -EPROTONOSUPPORT : 0;
	if (r < 0)
		goto failed;
	if (find_family(k, f) < 0) {
		kernel_close(k);
		return -1;
	}
	*ret = k;
	return 0;

failed:
	kernel_close(k);
	return failed_step(f, "netlink", "open its sockets", -r, NULL);
}

void kernel_close(struct kernel *k)
{
	if (!k)
		return;
	if (k->requests)
		nl_socket_free(k->requests);
	if (k->events)
		nl_socket_free(k->events);
	nlmsg_free(k->request);
	free(k->withheld);
	free(k->buffer);
	free(k);
}

int kernel_events_fd(struct kernel *k)
{
	return nl_socket_get_fd(k->events);
}

/*
 * Requests.
 */

/* Begins k->request anew. */
static int new_request(struct kernel *k, int cmd, int flags, struct failure *f)
{
	if (find_family(k, f) < 0)
		return -1;
	nlmsg_hdr(k->request)->nlmsg_len = NLMSG_HDRLEN;
	(void)genlmsg_put(k->request, NL_AUTO_PORT, NL_AUTO_SEQ, k->family, 0, flags, cmd,
			  ROOTVIEW_GENL_VERSION);
	return 0;
}

/* One that may have been renamed is told by its number, @dev, and @name is NULL. */
static bool put_origin(struct nl_msg *msg, const char *name, dev_t dev)
{
	struct nlattr *nest = nla_nest_start(msg, ROOTVIEW_A_ORIGIN);

	if (!nest || (name && nla_put_string(msg, ROOTVIEW_ORIGIN_A_NAME, name) < 0) ||
	    (dev && nla_put_u32(msg, ROOTVIEW_ORIGIN_A_DEV, dev) < 0))
		return false;
	nla_nest_end(msg, nest);
	return true;
}

static bool put_view(struct nl_msg *msg, const struct kernel_request *request)
{
	struct nlattr *nest = nla_nest_start(msg, ROOTVIEW_A_VIEW);

	if (!nest || nla_put_string(msg, ROOTVIEW_VIEW_A_NAME, request->name) < 0 ||
	    (request->label && nla_put_string(msg, ROOTVIEW_VIEW_A_LABEL, request->label) < 0) ||
	    (request->blob &&
	     nla_put(msg, ROOTVIEW_VIEW_A_BLOB, strlen(request->blob), request->blob) < 0) ||
	    (request->id && nla_put_u64(msg, ROOTVIEW_VIEW_A_ID, request->id) < 0))
		return false;
	nla_nest_end(msg, nest);
	return true;
}

/* How many views an origin can have; 0 if that is not known. */
static uint64_t max_views(void)
{
	char text[32] = "";
	FILE *file = fopen("/sys/module/dm_rootview/parameters/max_views", "re");

	if (file) {
		(void)!fgets(text, sizeof(text), file);
		fclose(file);
	}
	return strtoull(text, NULL, 10);
}

int kernel_explain(const char *origin, const struct kernel_request *request,
		   const struct kernel_result *result, struct failure *f)
{
	char object[256];

	switch (result->error) {
	case EEXIST:
		return failed(f, FAILURE_VIEW_EXISTS, "origin \"%s\" has a view \"%s\" already",
			      origin, request->name);
	case ENOENT:
		return failed(f, FAILURE_NO_SUCH_VIEW, "origin \"%s\" has no view \"%s\"", origin,
			      request->name);
	case ENOSPC:
		return failed_too_many(f, "views", max_views(),
				       "the kernel refuses view \"%s\" of origin \"%s\": %s",
				       request->name, origin, *result->reason ? result->reason :
				       strerror(result->error));
	case EINVAL:
	case ENAMETOOLONG:
		return failed(f, FAILURE_INVALID_NAME, "the kernel refuses view \"%s\": %s",
			      request->name,
			      *result->reason ? result->reason : strerror(result->error));
	default:
		snprintf(object, sizeof(object), "view %s of origin %s", request->name, origin);
		return failed_step(f, object, request->delete ? "delete it" : "create it",
				   result->error, result->reason);
	}
}

static void take_answer(void *userdata, size_t i, struct nlmsghdr *message, int error,
			const char *why)
{
	struct kernel_result *result = (struct kernel_result *)userdata + i;
	struct nlattr *tb[ROOTVIEW_A_MAX + 1];
	struct kernel_view view;

	if (message && genlmsg_parse(message, 0, tb, ROOTVIEW_A_MAX, NULL) == 0 &&
	    message_parse_view(tb[ROOTVIEW_A_VIEW], &view)) {
		result->id = view.id;
		return;
	}
	result->error = error ? -error : EBADMSG;
	snprintf(result->reason, sizeof(result->reason), "%s", why);
}

/* Puts as many as are sent at once into k->batch.  Returns how many, or -1. */
static ssize_t fill_batch(struct kernel *k, const char *origin,
			  const struct kernel_request *requests, size_t n, struct failure *f)
{
	struct genlmsghdr *head;
	bool fits;
	size_t i = 0;
	int size;

	/* Up to the view, they differ in their command alone. */
	if (new_request(k, ROOTVIEW_CMD_VIEW_CREATE, 0, f) < 0)
		return -1;
	head = nlmsg_data(nlmsg_hdr(k->request));
	fits = put_origin(k->request, origin, 0);
	size = nlmsg_hdr(k->request)->nlmsg_len;
	netlink_batch_begin(k->requests, &k->batch);
	while (fits && i < n) {
		nlmsg_hdr(k->request)->nlmsg_len = size;
		head->cmd = requests[i].delete ? ROOTVIEW_CMD_VIEW_DELETE :
						 ROOTVIEW_CMD_VIEW_CREATE;
		fits = put_view(k->request, &requests[i]) &&
		       netlink_batch_add(&k->batch, k->request);
		i += fits;
	}
	if (i == 0)
		return failed_step(f, origin, "change its views", EMSGSIZE, NULL);
	return i;
}

/* Carries out as many as are sent at once.  Returns how many, or -1. */
static ssize_t send_batch(struct kernel *k, const char *origin,
			  const struct kernel_request *requests, size_t n,
			  struct kernel_result *results, struct failure *f)
{
	ssize_t added = fill_batch(k, origin, requests, n, f);
	int r;

	if (added < 0)
		return -1;
	r = netlink_batch_call(k->requests, &k->batch, take_answer, results);
	for (ssize_t i = 0; i < added; i++) {
		if (results[i].error != ENODEV)
			continue;
		/* It is no refusal of this view. */
		results[i].error = 0;
		r = -ENODEV;
	}
	if (r == 0)
		return added;
	if (r == -ENODEV)
		return failed(f, FAILURE_NO_SUCH_ORIGIN, "there is no origin \"%s\"", origin);
	return failed_step(f, origin, "change its views", -r, NULL);
}

int kernel_batch(struct kernel *k, const char *origin, const struct kernel_request *requests,
		 size_t n, struct kernel_result *results, struct failure *f)
{
	memset(results, 0, n * sizeof(*results));
	while (n) {
		ssize_t done = send_batch(k, origin, requests, n, results, f);

		if (done < 0)
			return -1;
		requests += done;
		results += done;
		n -= done;
	}
	return 0;
}

int kernel_delete_view(struct kernel *k, const char *origin, const char *name, uint64_t id,
		       struct failure *f)
{
	struct kernel_request request = { .delete = true, .name = name, .id = id };
	struct kernel_result result;

	if (kernel_batch(k, origin, &request, 1, &result, f) < 0)
		return -1;
	return result.error ? kernel_explain(origin, &request, &result, f) : 0;
}

int kernel_has_origin(struct kernel *k, const char *name, struct failure *f)
{
	char why[NETLINK_WHY_SIZE];
	int r;

	if (new_request(k, ROOTVIEW_CMD_ORIGIN_GET, 0, f) < 0)
		return -1;
	/* Whatever it says against the name, no origin has that. */
	if (!put_origin(k->request, name, 0))
		return 0;
	r = netlink_call(k->requests, k->request, NULL, NULL, why);
	if (r < 0 && is_shortage(-r))
		return failed_step(f, name, "look for it among the kernel's origins", -r, why);
	return r == 0;
}

/*
 * Dumps.
 */

struct dump {
	int (*each_origin)(const struct kernel_origin *origin, void *userdata);
	int (*each_view)(const struct kernel_origin *origin, const struct kernel_view *view,
			 void *userdata);
	void *userdata;
};

static int dump_one(struct nlmsghdr *message, void *userdata)
{
	struct nlattr *tb[ROOTVIEW_A_MAX + 1];
	struct kernel_origin origin;
	struct dump *dump = userdata;
	struct kernel_view view;

	if (genlmsg_parse(message, 0, tb, ROOTVIEW_A_MAX, NULL) < 0 ||
	    !message_parse_origin(tb[ROOTVIEW_A_ORIGIN], &origin))
		return -EBADMSG;
	if (dump->each_origin)
		return dump->each_origin(&origin, dump->userdata);
	if (!message_parse_view(tb[ROOTVIEW_A_VIEW], &view))
		return -EBADMSG;
	return dump->each_view(&origin, &view, dump->userdata);
}

static int dump_all(struct kernel *k, int cmd, struct dump *dump,
		    void (*restart)(void *userdata), struct failure *f)
{
	char why[NETLINK_WHY_SIZE] = "";
	int r = -EINTR;

	for (int i = 0; r == -EINTR && i < DUMP_TRIES; i++) {
		if (i)
			restart(dump->userdata);
		if (new_request(k, cmd, NLM_F_DUMP, f) < 0)
			return -1;
		r = netlink_call(k->requests, k->request, dump_one, dump, why);
	}
	if (r < 0)
		return failed_step(f, "the kernel's registry", "read it", -r, why);
	return 0;
}

int kernel_dump_origins(struct kernel *k,
			int (*each)(const struct kernel_origin *origin, void *userdata),
			void (*restart)(void *userdata), void *userdata, struct failure *f)
{
	struct dump dump = { .each_origin = each, .userdata = userdata };

	return dump_all(k, ROOTVIEW_CMD_ORIGIN_GET, &dump, restart, f);
}

int kernel_dump_views(struct kernel *k,
		      int (*each)(const struct kernel_origin *origin,
				  const struct kernel_view *view, void *userdata),
		      void (*restart)(void *userdata), void *userdata, struct failure *f)
{
	struct dump dump = { .each_view = each, .userdata = userdata };

	return dump_all(k, ROOTVIEW_CMD_VIEW_GET, &dump, restart, f);
}

/*
 * Events.
 */

/* Of the notices about families, those about ours. */
static enum kernel_event_type parse_notice(struct kernel *k, struct nlmsghdr *message)
{
	struct nlattr *tb[CTRL_ATTR_MAX + 1];
	struct failure ignored;

	if (!genlmsg_valid_hdr(message, 0) ||
	    genlmsg_parse(message, 0, tb, CTRL_ATTR_MAX, NULL) < 0 ||
	    !tb[CTRL_ATTR_FAMILY_NAME] ||
	    !streq(nla_get_string(tb[CTRL_ATTR_FAMILY_NAME]), ROOTVIEW_GENL_NAME))
		return KERNEL_NOTHING;

	switch (genlmsg_hdr(message)->cmd) {
	case CTRL_CMD_DELFAMILY:
		k->family = 0;
		return KERNEL_MODULE_UNLOADED;
	case CTRL_CMD_NEWFAMILY:
		/* It may have gone again; then a notice of that follows. */
		(void)find_family(k, &ignored);
		return KERNEL_MODULE_LOADED;
	default:
		return KERNEL_NOTHING;
	}
}

static int keep_view(struct nlmsghdr *message, void *userdata)
{
	struct kernel *k = userdata;

	if (message->nlmsg_len > REQUEST_SIZE)
		return -EMSGSIZE;
	memcpy(k->withheld, message, message->nlmsg_len);
	return 0;
}

/*
 * Asks for what an event may not tell of its view, which stays as it is if it has gone
 * meanwhile.  Returns false if it cannot be asked for.
 */
static bool ask_view(struct kernel *k, const struct kernel_origin *origin,
		     struct kernel_view *view)
{
	const struct kernel_request request = { .name = view->name, .id = view->id };
	struct nlattr *tb[ROOTVIEW_A_MAX + 1];
	char why[NETLINK_WHY_SIZE];
	struct failure ignored;
	int r;

	if (new_request(k, ROOTVIEW_CMD_VIEW_GET, 0, &ignored) < 0 ||
	    !put_origin(k->request, NULL, origin->dev) || !put_view(k->request, &request))
		return false;
	r = netlink_call(k->requests, k->request, keep_view, k, why);
	if (r == -ENOENT || r == -ENODEV)
		return true;
	return r == 0 &&
	       genlmsg_parse((struct nlmsghdr *)k->withheld, 0, tb, ROOTVIEW_A_MAX, NULL) == 0 &&
	       message_parse_view(tb[ROOTVIEW_A_VIEW], view);
}

static enum kernel_event_type parse_event(struct kernel *k, struct nlmsghdr *message,
					  struct kernel_event *ret)
{
	static const enum kernel_event_type types[ROOTVIEW_CMD_MAX + 1] = {
		[ROOTVIEW_CMD_ORIGIN_ADDED]	= KERNEL_ORIGIN_ADDED,
		[ROOTVIEW_CMD_ORIGIN_REMOVED]	= KERNEL_ORIGIN_REMOVED,
		[ROOTVIEW_CMD_ORIGIN_FAILED]	= KERNEL_ORIGIN_FAILED,
		[ROOTVIEW_CMD_VIEW_CREATED]	= KERNEL_VIEW_CREATED,
		[ROOTVIEW_CMD_VIEW_DELETED]	= KERNEL_VIEW_DELETED,
	};
	struct nlattr *tb[ROOTVIEW_A_MAX + 1];
	enum kernel_event_type type;
	int cmd;

	if (message->nlmsg_type == GENL_ID_CTRL)
		return parse_notice(k, message);
	if (message->nlmsg_type != k->family || !genlmsg_valid_hdr(message, 0) ||
	    genlmsg_parse(message, 0, tb, ROOTVIEW_A_MAX, NULL) < 0)
		return KERNEL_NOTHING;
	cmd = genlmsg_hdr(message)->cmd;
	type = cmd <= ROOTVIEW_CMD_MAX ? types[cmd] : KERNEL_NOTHING;
	if (type == KERNEL_NOTHING)
		return type;
	/* What cannot be understood cannot be followed either. */
	if (!message_parse_origin(tb[ROOTVIEW_A_ORIGIN], &ret->origin))
		return KERNEL_EVENTS_LOST;
	if ((type == KERNEL_VIEW_CREATED || type == KERNEL_VIEW_DELETED) &&
	    !message_parse_view(tb[ROOTVIEW_A_VIEW], &ret->view))
		return KERNEL_EVENTS_LOST;
	if (ret->view.withheld && !ask_view(k, &ret->origin, &ret->view))
		return KERNEL_EVENTS_LOST;
	return type;
}

void kernel_read_event(struct kernel *k, struct kernel_event *ret)
{
	*ret = (struct kernel_event){ .type = KERNEL_NOTHING };

	while (ret->type == KERNEL_NOTHING) {
		if (!k->next || !nlmsg_ok(k->next, k->rest)) {
			ssize_t n = netlink_receive(k->events, k->buffer, EVENT_BUFFER_SIZE);

			k->next = NULL;
			if (n < 0)
				ret->type = KERNEL_EVENTS_LOST;
			if (n <= 0)
				return;
			k->next = (struct nlmsghdr *)k->buffer;
			k->rest = n;
		}
		ret->type = parse_event(k, k->next, ret);
		k->next = nlmsg_next(k->next, &k->rest);
	}
}
