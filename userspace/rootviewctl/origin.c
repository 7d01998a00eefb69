// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The commands about origins; command.h is the contract.
 */
#include "command.h"
#include "show.h"

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

int origin_remove(const struct options *options, char *args[], int n)
{
	cleanup_reply struct rootview_reply *reply = NULL;
	struct rootview_call *call;

	(void)n;
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
