// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The daemon's socket from the other side; client.h is the contract.
 */
#include "client.h"

#include <systemd/sd-varlink.h>

#include "command.h"
#include "util.h"

#define TRY_USEC (10 * 1000000ULL)

#define cleanup_varlink cleanup_with(sd_varlink_close_unrefp)

static int explain(char **why, const char *what, const char *reason)
{
	if (asprintf(why, "%s: %s", what, reason) < 0)
		*why = NULL;
	return -1;
}

/* The daemon's errors carry a sentence; the protocol's own only have a name. */
static int explain_error(char **why, const char *method, const char *error,
			 sd_json_variant *parameters)
{
	sd_json_variant *message = sd_json_variant_by_key(parameters, "message");

	if (!sd_json_variant_is_string(message))
		return explain(why, method, error);
	*why = strdup(sd_json_variant_string(message));
	return -1;
}

static int complain(const char *why)
{
	fprintf(stderr, "rootviewctl: %s\n", why ?: "out of memory");
	return -1;
}

static int open_socket(const char *socket, uint64_t timeout, sd_varlink **ret, char **why)
{
	cleanup_varlink sd_varlink *link = NULL;
	int r;

	r = sd_varlink_connect_address(&link, socket);
	if (r == -ENOENT || r == -ECONNREFUSED)
		return explain(why, socket, "no rootviewd serves this socket");
	if (r >= 0)
		r = sd_varlink_set_relative_timeout(link, timeout);
	if (r < 0)
		return explain(why, socket, strerror(-r));
	*ret = steal_ptr(&link);
	return 0;
}

/* The answer belongs to @link. */
static int ask(sd_varlink *link, const char *method, sd_json_variant *parameters,
	       sd_json_variant **ret, char **why)
{
	const char *error = NULL;
	int r;

	r = sd_varlink_call(link, method, parameters, ret, &error);
	if (r < 0)
		return explain(why, method, strerror(-r));
	if (error)
		return explain_error(why, method, error, *ret);
	return 0;
}

static int allow_descriptors(sd_varlink *link, int send, const int *receive)
{
	int r = 0;

	if (receive)
		r = sd_varlink_set_allow_fd_passing_input(link, true);
	if (r >= 0 && send >= 0)
		r = sd_varlink_set_allow_fd_passing_output(link, true);
	if (r >= 0 && send >= 0)
		r = sd_varlink_push_dup_fd(link, send);
	return r;
}

static int take_descriptor(sd_varlink *link, sd_json_variant *answer)
{
	sd_json_variant *index = sd_json_variant_by_key(answer, "descriptor");

	if (!sd_json_variant_is_unsigned(index))
		return -1;
	return sd_varlink_take_fd(link, sd_json_variant_unsigned(index));
}

int client_call_with(const char *socket, const char *method, sd_json_variant *parameters, int send,
		     int *receive, sd_json_variant **ret)
{
	cleanup_varlink sd_varlink *link = NULL;
	cleanup_free char *why = NULL;
	sd_json_variant *answer;
	int r;

	/* A file system may take its time to be mounted: no time-out. */
	if (open_socket(socket, UINT64_MAX, &link, &why) < 0)
		return complain(why);
	r = allow_descriptors(link, send, receive);
	if (r < 0) {
		explain(&why, method, strerror(-r));
		return complain(why);
	}
	if (ask(link, method, parameters, &answer, &why) < 0)
		return complain(why);
	if (receive)
		*receive = take_descriptor(link, answer);
	*ret = sd_json_variant_ref(answer);
	return 0;
}

int client_call(const char *socket, const char *method, sd_json_variant *parameters,
		sd_json_variant **ret)
{
	return client_call_with(socket, method, parameters, -1, NULL, ret);
}

/*
 * Lists.
 */

static int join(sd_json_variant *parts, const char *field, sd_json_variant **ret)
{
	cleanup_json sd_json_variant *all = NULL;
	int r = 0;

	for (size_t i = 0; i < sd_json_variant_elements(parts); i++) {
		sd_json_variant *part = sd_json_variant_by_key(sd_json_variant_by_index(parts, i),
							       field);

		for (size_t j = 0; j < sd_json_variant_elements(part) && r >= 0; j++)
			r = sd_json_variant_append_array(&all,
							 sd_json_variant_by_index(part, j));
	}
	if (r < 0)
		return r;
	return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_CONDITION(!all, field,
								SD_JSON_BUILD_EMPTY_ARRAY),
			      SD_JSON_BUILD_PAIR_CONDITION(!!all, field,
							   SD_JSON_BUILD_VARIANT(all)));
}

static int list(const char *socket, uint64_t timeout, const char *method,
		sd_json_variant *parameters, const char *field, sd_json_variant **ret, char **why)
{
	cleanup_varlink sd_varlink *link = NULL;
	sd_json_variant *parts;
	const char *error = NULL;
	int r;

	if (open_socket(socket, timeout, &link, why) < 0)
		return -1;
	r = sd_varlink_collect(link, method, parameters, &parts, &error);
	if (r >= 0 && error)
		return explain_error(why, method, error, parts);
	if (r >= 0)
		r = join(parts, field, ret);
	return r < 0 ? explain(why, method, strerror(-r)) : 0;
}

int client_list(const char *socket, const char *method, sd_json_variant *parameters,
		const char *field, sd_json_variant **ret)
{
	cleanup_free char *why = NULL;

	if (list(socket, UINT64_MAX, method, parameters, field, ret, &why) < 0)
		return complain(why);
	return 0;
}

int client_try_list(const char *socket, const char *method, sd_json_variant *parameters,
		    const char *field, sd_json_variant **ret, char **why)
{
	return list(socket, TRY_USEC, method, parameters, field, ret, why);
}

/*
 * Streams.
 */

struct stream {
	const char *method;
	int (*see)(sd_json_variant *answer, void *userdata);
	void *userdata;
	bool ended;		/* and whoever ended it said why */
};

static int on_reply(sd_varlink *link, sd_json_variant *parameters, const char *error,
		    sd_varlink_reply_flags_t flags, void *userdata)
{
	struct stream *stream = userdata;
	cleanup_free char *why = NULL;

	(void)link;
	/* The end of the connection comes as an error, too: the loop sees it by itself. */
	if (flags & SD_VARLINK_REPLY_LOCAL)
		return 0;
	if (error) {
		explain_error(&why, stream->method, error, parameters);
		complain(why);
		stream->ended = true;
	} else if (stream->see(parameters, stream->userdata) != 0) {
		stream->ended = true;
	}
	return 0;
}

static int read_stream(sd_varlink *link, const struct stream *stream)
{
	int r = 0;

	while (r >= 0 && !stream->ended) {
		r = sd_varlink_process(link);
		if (r == 0)
			r = sd_varlink_wait(link, UINT64_MAX);
	}
	return r;
}

int client_observe(const char *socket, const char *method, int (*see)(sd_json_variant *, void *),
		   void *userdata)
{
	struct stream stream = { .method = method, .see = see, .userdata = userdata };
	cleanup_varlink sd_varlink *link = NULL;
	cleanup_free char *why = NULL;
	int r;

	if (open_socket(socket, UINT64_MAX, &link, &why) < 0)
		return complain(why);
	sd_varlink_set_userdata(link, &stream);
	r = sd_varlink_bind_reply(link, on_reply);
	if (r >= 0)
		r = sd_varlink_observe(link, method, NULL);
	if (r >= 0)
		r = read_stream(link, &stream);
	if (stream.ended)
		return -1;
	/* Whatever it is that a connection which ended is said to be. */
	explain(&why, socket, "rootviewd has ended the connection");
	return complain(why);
}
