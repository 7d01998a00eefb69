// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The commands about origins; command.h is the contract.
 */
#include "command.h"
#include "interface.h"
#include "show.h"

#define NO_SUCH_VIEW ROOTVIEW_ERROR("NoSuchView")

int origin_add(const struct options *options, char *args[], int n)
{
	/* The daemon has another working directory.  What does not exist, it says. */
	cleanup_free char *device = realpath(args[1], NULL);
	cleanup_reply struct rootview_reply *reply = NULL;
	struct rootview_call *call;

	(void)n;
	return command_call(options, rootview_call_add_origin(&call, args[0], device ?: args[1],
							      options->label),
			    &call, &reply);
}

/* Deletes @n views.  Those that somebody else has deleted meanwhile are none. */
static int delete_views(const struct options *options, const char *origin,
			const char *const *names, size_t n)
{
	cleanup_reply struct rootview_reply *reply = NULL;
	cleanup_daemon struct rootview *c = NULL;
	cleanup_free char *why = NULL;
	struct rootview_call *call;
	int status = EXIT_SUCCESS;
	int r = command_try(options->socket, 0, rootview_call_delete(&call, origin, names, n),
			    &call, &reply, &c, &why);

	if (r < 0)
		return c && streq_null(rootview_error_name(c), NO_SUCH_VIEW) ? EXIT_SUCCESS :
			command_failed("%s", why ?: "out of memory");
	for (size_t i = 0; i < rootview_reply_count(reply); i++) {
		const char *error = rootview_reply_error_name(reply, i);

		if (error && !streq(error, NO_SUCH_VIEW))
			status = command_failed("%s", rootview_reply_error_message(reply, i));
	}
	return status;
}

static int delete_all_views(const struct options *options, const char *origin)
{
	cleanup_reply struct rootview_reply *reply = NULL;
	const char *names[ROOTVIEW_VIEWS_MAX];
	struct rootview_call *call;
	int status = command_ask(options, rootview_call_list(&call, origin, NULL), &call, &reply);
	size_t total = rootview_reply_count(reply);

	for (size_t i = 0, n; i < total && status == EXIT_SUCCESS; i += n) {
		n = total - i < ARRAY_SIZE(names) ? total - i : ARRAY_SIZE(names);
		for (size_t k = 0; k < n; k++)
			names[k] = rootview_reply_name(reply, i + k);
		status = delete_views(options, origin, names, n);
	}
	return status;
}

int origin_remove(const struct options *options, char *args[], int n)
{
	cleanup_reply struct rootview_reply *reply = NULL;
	struct rootview_call *call;
	int status = options->views ? delete_all_views(options, args[0]) : EXIT_SUCCESS;

	(void)n;
	if (status != EXIT_SUCCESS)
		return status;
	return command_call(options, rootview_call_remove_origin(&call, args[0]), &call, &reply);
}

int origin_list(const struct options *options, char *args[], int n)
{
	cleanup_reply struct rootview_reply *reply = NULL;
	struct rootview_call *call;
	int status;

	(void)args;
	(void)n;
	status = command_call(options, rootview_call_list_origins(&call), &call, &reply);
	if (status == EXIT_SUCCESS && !options->json && show_origins(reply) < 0)
		return out_of_memory();
	return status;
}
