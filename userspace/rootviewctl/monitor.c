// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The command that prints events as they happen; command.h is the contract.
 */
#include "client.h"
#include "command.h"
#include "interface.h"
#include "show.h"

/* Who reads the lines from a pipe must not wait for the next ones. */
static int print_event(sd_json_variant *answer, void *userdata)
{
	const struct options *options = userdata;
	sd_json_variant *event = sd_json_variant_by_key(answer, "event");

	if (options->json)
		sd_json_variant_dump(event, SD_JSON_FORMAT_NEWLINE, stdout, NULL);
	else
		show_event(event, stdout);
	if (fflush(stdout) == 0)
		return 0;
	return command_failed("standard output: %m");
}

int monitor(const struct options *options, char *args[], int n)
{
	(void)args;
	(void)n;
	client_observe(options->socket, ROOTVIEW_METHOD("Monitor"), print_event, (void *)options);
	return EXIT_FAILURE;
}
