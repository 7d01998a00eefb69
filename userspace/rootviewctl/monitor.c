// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The command that prints events as they happen; command.h is the contract.
 */
#include <poll.h>

#include "command.h"
#include "show.h"

struct watch {
	const struct options *options;
	struct rootview_call *call;
	bool ended;		/* and whoever ended it said why */
};

static void print_event(const struct options *options, struct rootview_reply *reply)
{
	cleanup_json sd_json_variant *answer = NULL;
	const char *json;

	if (!options->json) {
		show_event(reply, stdout);
		return;
	}
	json = rootview_reply_json(reply);
	if (json && sd_json_parse(json, 0, &answer, NULL, NULL) >= 0)
		sd_json_variant_dump(sd_json_variant_by_key(answer, "event"),
				     SD_JSON_FORMAT_NEWLINE, stdout, NULL);
}

static void on_event(struct rootview *c, int error, struct rootview_reply *reply, void *userdata)
{
	struct watch *watch = userdata;

	if (error < 0) {
		watch->ended = true;
		if (error == -EREMOTEIO)
			print_refusal(watch->options, c);
		else
			command_failed("%s: rootviewd has ended the connection",
				       watch->options->socket);
		return;
	}
	print_event(watch->options, reply);
	rootview_reply_free(reply);
	/* Who reads the lines from a pipe must not wait for the next ones. */
	if (fflush(stdout) < 0) {
		command_failed("standard output: %m");
		watch->ended = true;
		(void)rootview_cancel(c, watch->call);
	}
}

static void read_stream(struct rootview *c, const struct watch *watch)
{
	while (rootview_process(c) == 0 && !watch->ended) {
		struct pollfd link = {
			.fd = rootview_get_fd(c), .events = rootview_get_events(c),
		};

		(void)poll(&link, 1, -1);
	}
}

int monitor(const struct options *options, char *args[], int n)
{
	cleanup_daemon struct rootview *c = NULL;
	struct watch watch = { .options = options };
	int r;

	(void)args;
	(void)n;
	r = rootview_connect(options->socket, &c);
	if (r < 0)
		return command_failed("%s: %s", options->socket, connect_message(r));
	r = rootview_call_monitor(&watch.call);
	if (r == 0)
		r = rootview_submit(c, watch.call, on_event, &watch);
	if (r < 0)
		return command_failed("%s: %s", options->socket, strerror(-r));
	read_stream(c, &watch);
	return EXIT_FAILURE;
}
