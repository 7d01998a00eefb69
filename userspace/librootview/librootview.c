// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The connection; rootview.h is the contract.
 *
 * One call at a time is on its way, the others wait here: descriptors that come
 * along can then only be those of its answer.
 */
#include "call.h"

#include <fcntl.h>
#include <systemd/sd-varlink.h>

#include "interface.h"
#include "util.h"

struct rootview {
	sd_varlink *link;
	struct rootview_call *first;	/* the one that was sent, if @sent */
	bool sent;
	bool in_callback;
	bool closed;
	int error;			/* of the last call that ended; and, if the daemon said: */
	char *error_name;
	char *error_message;
	sd_json_variant *error_parameters;
	char *error_json;		/* the same as text, once that was asked for */
};

/*
 * Errors.
 */

static void set_error(struct rootview *c, int error, char *name, char *message,
		      sd_json_variant *parameters)
{
	free(c->error_name);
	free(c->error_message);
	free(c->error_json);
	sd_json_variant_unref(c->error_parameters);
	c->error = error;
	c->error_name = name;
	c->error_message = message;
	c->error_parameters = sd_json_variant_ref(parameters);
	c->error_json = NULL;
}

static int failed_here(struct rootview *c, int error)
{
	set_error(c, error, NULL, NULL, NULL);
	return error;
}

/* The daemon's errors carry a sentence; the protocol's own at most a parameter's name. */
static char *message_of(const char *name, sd_json_variant *parameters)
{
	const char *message = json_text(parameters, "message");
	const char *parameter = json_text(parameters, "parameter");
	char *s;

	if (message || !parameter)
		return strdup(message ?: name);
	return asprintf(&s, "%s: %s", name, parameter) < 0 ? NULL : s;
}

static int failed_there(struct rootview *c, const char *name, sd_json_variant *parameters)
{
	set_error(c, -EREMOTEIO, strdup(name), message_of(name, parameters), parameters);
	return -EREMOTEIO;
}

/* What sd-varlink puts into the place of an answer that will not come. */
static int failed_between(struct rootview *c, const char *name)
{
	if (streq(name, SD_VARLINK_ERROR_DISCONNECTED))
		return failed_here(c, -ECONNRESET);
	if (streq(name, SD_VARLINK_ERROR_TIMEOUT))
		return failed_here(c, -ETIMEDOUT);
	return failed_here(c, -EPROTO);
}

const char *rootview_error_name(struct rootview *c)
{
	return c->error_name;
}

const char *rootview_error_message(struct rootview *c)
{
	return c->error_message ? c->error_message : strerror(-c->error);
}

const char *rootview_error_text(struct rootview *c, const char *parameter)
{
	return json_text(c->error_parameters, parameter);
}

int rootview_error_number(struct rootview *c, const char *parameter, uint64_t *ret)
{
	return json_number(c->error_parameters, parameter, ret);
}

const char *rootview_error_json(struct rootview *c)
{
	if (c->error_parameters && !c->error_json)
		(void)sd_json_variant_format(c->error_parameters, 0, &c->error_json);
	return c->error_json;
}

/*
 * Calls on their way.
 */

static void call_back(struct rootview *c, const struct rootview_call *call, int error,
		      struct rootview_reply *reply)
{
	if (!call->callback) {
		rootview_reply_free(reply);
		return;
	}
	c->in_callback = true;
	call->callback(c, error, reply, call->userdata);
	c->in_callback = false;
}

static struct rootview_call *dequeue(struct rootview *c)
{
	struct rootview_call *call = c->first;

	c->first = call->next;
	c->sent = false;
	return call;
}

/* Ends the first call, which has no answer. */
static void end_first(struct rootview *c, int error)
{
	struct rootview_call *call = dequeue(c);

	call_back(c, call, failed_here(c, error), NULL);
	rootview_call_free(call);
}

static int new_reply(sd_varlink *link, sd_json_variant *parameters, struct rootview_reply **ret)
{
	struct rootview_reply *reply = calloc(1, sizeof(*reply));

	if (!reply)
		return -ENOMEM;
	reply->parameters = sd_json_variant_ref(parameters);
	while (reply->n_fds < CALL_FDS_MAX) {
		int fd = sd_varlink_take_fd(link, reply->n_fds);

		if (fd < 0)
			break;
		reply->fds[reply->n_fds++] = fd;
	}
	*ret = reply;
	return 0;
}

/* Puts the array of one more reply of a list behind those that came before it. */
static void keep_part(struct rootview_call *call, sd_json_variant *parameters)
{
	sd_json_variant *part = sd_json_variant_by_key(parameters, call->list);
	int r = call->parts_error;

	for (size_t i = 0; i < sd_json_variant_elements(part) && r >= 0; i++)
		r = sd_json_variant_append_array(&call->parts, sd_json_variant_by_index(part, i));
	call->parts_error = negative_or_zero(r);
}

/* Makes the last reply of a list what it would be if it had come alone. */
static int take_reply(sd_varlink *link, struct rootview_call *call, sd_json_variant *parameters,
		      struct rootview_reply **ret)
{
	cleanup_json sd_json_variant *all = sd_json_variant_ref(parameters);
	int r;

	if (call->parts || call->parts_error) {
		keep_part(call, parameters);
		r = call->parts_error ?:
			sd_json_variant_set_field(&all, call->list, call->parts);
		if (r < 0)
			return r;
	}
	return new_reply(link, all, ret);
}

static int on_reply(sd_varlink *link, sd_json_variant *parameters, const char *error_name,
		    sd_varlink_reply_flags_t flags, void *userdata)
{
	struct rootview *c = userdata;
	bool last = !(flags & SD_VARLINK_REPLY_CONTINUES);
	struct rootview_call *call = last ? dequeue(c) : c->first;
	struct rootview_reply *reply = NULL;
	int r;

	if (!last && call->list) {
		keep_part(call, parameters);
		return 0;
	}
	if (flags & SD_VARLINK_REPLY_LOCAL)
		r = failed_between(c, error_name);
	else if (error_name)
		r = failed_there(c, error_name, parameters);
	else
		r = failed_here(c, take_reply(link, call, parameters, &reply));
	call_back(c, call, r, reply);
	if (last)
		rootview_call_free(call);
	return 0;
}

static int send_call(struct rootview *c, struct rootview_call *call)
{
	for (size_t i = 0; i < call->n_fds; i++) {
		int r = sd_varlink_push_fd(c->link, call->fds[i]);

		if (r < 0)
			return r;
		call->fds[i] = -1;
	}
	return call->stream || call->list ?
		sd_varlink_observe(c->link, call->method, call->parameters) :
		sd_varlink_invoke(c->link, call->method, call->parameters);
}

/*
 * Whether the process may have as many descriptors more as come with the answer.  The
 * kernel leaves out those that it may not, and an answer without them is none: the
 * connection would end.
 */
static int check_room(struct rootview *c, const struct rootview_call *call)
{
	int fds[CALL_FDS_MAX], link = sd_varlink_get_fd(c->link), r = 0;
	size_t n;

	for (n = 0; n < call->n_answer_fds && n < ARRAY_SIZE(fds); n++) {
		fds[n] = fcntl(link, F_DUPFD_CLOEXEC, 0);
		if (fds[n] < 0) {
			r = -errno;
			break;
		}
	}
	while (n > 0)
		close_fd(&fds[--n]);
	return r;
}

/*
 * Sends the first call unless it has been.  Returns 1 if it was sent now, or cannot be
 * and has ended; it may do so if @process.  A call that is stuck half-way must not mix with
 * the next one: the end.
 */
static int send_first(struct rootview *c, bool process)
{
	int r;

	if (c->sent || !c->first)
		return 0;
	r = check_room(c, c->first);
	if (r < 0) {
		if (process)
			end_first(c, r);
		return process;
	}
	r = send_call(c, c->first);
	if (r < 0) {
		sd_varlink_close(c->link);
		return r;
	}
	c->sent = true;
	return 1;
}

/* Ends all calls that are left; only that which was sent may have been carried out. */
static void end_calls(struct rootview *c)
{
	c->closed = true;
	while (c->first)
		end_first(c, c->sent ? -ECONNRESET : -ENOTCONN);
}

int rootview_process(struct rootview *c)
{
	int r, sent;

	if (c->in_callback)
		return -EBUSY;
	do {
		r = sd_varlink_process(c->link);
		sent = r < 0 ? 0 : send_first(c, true);
	} while (r > 0 || sent != 0);
	if (r == 0)
		return 0;
	sd_varlink_close(c->link);
	end_calls(c);
	return -ENOTCONN;
}

static void enqueue(struct rootview *c, struct rootview_call *call)
{
	struct rootview_call **end = &c->first;

	while (*end)
		end = &(*end)->next;
	*end = call;
}

int rootview_submit(struct rootview *c, struct rootview_call *call,
		    rootview_callback callback, void *userdata)
{
	if (!call || !callback || c->closed) {
		rootview_call_free(call);
		return c->closed ? -ENOTCONN : -EINVAL;
	}
	call->callback = callback;
	call->userdata = userdata;
	enqueue(c, call);
	/*
	 * Within a callback, the answer before this one is not done with yet.  An
	 * error is told by rootview_process(), which finds the link closed, or
	 * the call still there.
	 */
	if (!c->in_callback)
		(void)send_first(c, false);
	return 0;
}

int rootview_cancel(struct rootview *c, struct rootview_call *call)
{
	struct rootview_call **at = &c->first;

	while (*at && *at != call)
		at = &(*at)->next;
	if (!*at || !call->callback)
		return -ENOENT;
	if (call != c->first || !c->sent) {
		*at = call->next;
		rootview_call_free(call);
		return 0;
	}
	call->callback = NULL;
	/* Nothing else ends a stream. */
	if (call->stream)
		sd_varlink_close(c->link);
	return -EINPROGRESS;
}

struct outcome {
	bool done;
	int error;
	struct rootview_reply *reply;
};

static void keep_outcome(struct rootview *c, int error, struct rootview_reply *reply,
			 void *userdata)
{
	struct outcome *outcome = userdata;

	(void)c;
	*outcome = (struct outcome){ true, error, reply };
}

static int run_fault(struct rootview *c, const struct rootview_call *call)
{
	if (!call || call->stream)
		return -EINVAL;
	return c->first || c->in_callback ? -EBUSY : 0;
}

int rootview_run(struct rootview *c, struct rootview_call *call, struct rootview_reply **ret)
{
	struct outcome outcome = {};
	int r = run_fault(c, call);

	if (r < 0) {
		rootview_call_free(call);
		return failed_here(c, r);
	}
	r = rootview_submit(c, call, keep_outcome, &outcome);
	if (r < 0)
		return failed_here(c, r);
	/* Whatever happens to the connection, processing ends the call. */
	while (rootview_process(c) == 0 && !outcome.done)
		if (sd_varlink_wait(c->link, UINT64_MAX) < 0)
			sd_varlink_close(c->link);
	if (outcome.error == 0 && ret)
		*ret = outcome.reply;
	else
		rootview_reply_free(outcome.reply);
	return outcome.error;
}

/*
 * The connection.
 */

const char *rootview_version(void)
{
	return ROOTVIEW_VERSION;
}

static int set_up(struct rootview *c, const char *path)
{
	int r = sd_varlink_connect_address(&c->link, path);

	if (r >= 0)
		r = sd_varlink_set_allow_fd_passing_input(c->link, true);
	if (r >= 0)
		r = sd_varlink_set_allow_fd_passing_output(c->link, true);
	if (r >= 0)
		r = sd_varlink_bind_reply(c->link, on_reply);
	if (r < 0)
		return r;
	sd_varlink_set_userdata(c->link, c);
	return rootview_set_timeout(c, 0);
}

int rootview_connect(const char *path, struct rootview **ret)
{
	struct rootview *c;
	int r;

	if (!ret || (path && !*path))
		return -EINVAL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	r = set_up(c, path ? path : ROOTVIEW_SOCKET);
	if (r < 0) {
		rootview_disconnect(c);
		return r;
	}
	*ret = c;
	return 0;
}

void rootview_disconnect(struct rootview *c)
{
	int saved = errno;

	if (!c)
		return;
	sd_varlink_close_unref(c->link);
	while (c->first)
		rootview_call_free(dequeue(c));
	set_error(c, 0, NULL, NULL, NULL);
	free(c);
	errno = saved;
}

int rootview_set_timeout(struct rootview *c, uint64_t usec)
{
	if (c->first)
		return -EBUSY;
	return negative_or_zero(sd_varlink_set_relative_timeout(c->link, usec ? usec : UINT64_MAX));
}

int rootview_get_fd(struct rootview *c)
{
	return sd_varlink_get_fd(c->link);
}

int rootview_get_events(struct rootview *c)
{
	return sd_varlink_get_events(c->link);
}

int rootview_get_timeout(struct rootview *c, uint64_t *ret)
{
	if (!ret)
		return -EINVAL;
	/* What could not be sent is for rootview_process() to tell. */
	if (c->first && !c->sent) {
		*ret = 0;
		return 0;
	}
	return negative_or_zero(sd_varlink_get_timeout(c->link, ret));
}
