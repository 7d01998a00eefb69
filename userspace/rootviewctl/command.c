// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the commands have in common; command.h is the contract.
 */
#include "command.h"

#include <stdarg.h>

#include "interface.h"

int usage_error(const char *problem, const char *word, const char *why)
{
	fprintf(stderr, "rootviewctl: %s \"%s\"%s%s; see rootviewctl --help\n", problem, word,
		why ? ": " : "", why ?: "");
	return EXIT_USAGE;
}

int out_of_memory(void)
{
	fputs("rootviewctl: out of memory\n", stderr);
	return EXIT_FAILURE;
}

int command_failed(const char *format, ...)
{
	va_list args;

	fputs("rootviewctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_FAILURE;
}

/*
 * JSON.
 */

void print_json(sd_json_variant *value)
{
	sd_json_variant_dump(value, SD_JSON_FORMAT_PRETTY_AUTO | SD_JSON_FORMAT_COLOR_AUTO |
			     SD_JSON_FORMAT_NEWLINE, stdout, NULL);
}

int add_refusal(sd_json_variant **object, struct rootview *c)
{
	cleanup_json sd_json_variant *parameters = NULL;
	const char *json = rootview_error_json(c);
	int r = 0;

	if (json)
		r = sd_json_parse(json, 0, &parameters, NULL, NULL);
	if (r >= 0)
		r = sd_json_variant_set_field_string(object, "error", rootview_error_name(c));
	if (r >= 0)
		r = sd_json_variant_set_field_string(object, "message", rootview_error_message(c));
	if (r >= 0 && parameters)
		r = sd_json_variant_set_field(object, "parameters", parameters);
	return r < 0 ? r : 0;
}

int print_refusal(const struct options *options, struct rootview *c)
{
	cleanup_json sd_json_variant *object = NULL;

	if (options->json) {
		if (add_refusal(&object, c) < 0)
			return out_of_memory();
		print_json(object);
	}
	return command_failed("%s", rootview_error_message(c));
}

int print_reply(struct rootview_reply *reply)
{
	cleanup_json sd_json_variant *value = NULL;
	const char *json = rootview_reply_json(reply);

	if (!json || sd_json_parse(json, 0, &value, NULL, NULL) < 0)
		return out_of_memory();
	print_json(value);
	return EXIT_SUCCESS;
}

/*
 * Calls.
 */

const char *connect_message(int error)
{
	if (error == -ENOENT || error == -ECONNREFUSED)
		return "no rootviewd serves this socket";
	return strerror(-error);
}

/* What cannot be asked for at all. */
static const char *build_message(int error)
{
	switch (error) {
	case -EINVAL:
		return "a name or a value is empty";
	case -EUCLEAN:
		return "a name or a value is not UTF-8";
	case -E2BIG:
		return "that is more than one request can hold";
	default:
		return strerror(-error);
	}
}

static int explain(char **why, const char *what, const char *reason, int error)
{
	if (asprintf(why, "%s%s%s", what, *what ? ": " : "", reason) < 0)
		*why = NULL;
	return error;
}

static int run_call(struct rootview *c, const char *socket, uint64_t usec,
		    struct rootview_call *call, struct rootview_reply **ret, char **why)
{
	int r = rootview_set_timeout(c, usec);

	if (r < 0) {
		rootview_call_free(call);
		return explain(why, socket, strerror(-r), r);
	}
	r = rootview_run(c, call, ret);
	if (r == -EREMOTEIO)
		return explain(why, "", rootview_error_message(c), r);
	if (r == -ECONNRESET)
		return explain(why, socket, "rootviewd has ended the connection", r);
	return r < 0 ? explain(why, socket, rootview_error_message(c), r) : 0;
}

int command_try(const char *socket, uint64_t usec, int built, struct rootview_call **call,
		struct rootview_reply **ret, struct rootview **c, char **why)
{
	cleanup_daemon struct rootview *connection = NULL;
	int r;

	*c = NULL;
	if (built < 0)
		return explain(why, "", build_message(built), built);
	r = rootview_connect(socket, &connection);
	if (r < 0) {
		rootview_call_free(*call);
		return explain(why, socket, connect_message(r), r);
	}
	r = run_call(connection, socket, usec, *call, ret, why);
	if (r == -EREMOTEIO)
		*c = steal_ptr(&connection);
	return r;
}

int command_ask(const struct options *options, int built, struct rootview_call **call,
		struct rootview_reply **ret)
{
	cleanup_daemon struct rootview *c = NULL;
	cleanup_free char *why = NULL;
	int r;

	/* A file system may take its time to be mounted: no time-out. */
	r = command_try(options->socket, 0, built, call, ret, &c, &why);
	if (r == 0)
		return EXIT_SUCCESS;
	if (c)
		return print_refusal(options, c);
	command_failed("%s", why ?: "out of memory");
	return built < 0 && built != -ENOMEM ? EXIT_USAGE : EXIT_FAILURE;
}

int command_call(const struct options *options, int built, struct rootview_call **call,
		 struct rootview_reply **ret)
{
	int status = command_ask(options, built, call, ret);

	return status == EXIT_SUCCESS && options->json ? print_reply(*ret) : status;
}
