// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The daemon's socket from the other side; client.h is the contract.
 */
#include "client.h"

#include <systemd/sd-varlink.h>

#include "util.h"

#define cleanup_varlink cleanup_with(sd_varlink_close_unrefp)

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "rootviewctl: %s: %s\n", what, why);
	return -1;
}

/* The daemon's errors carry a sentence; the protocol's own only have a name. */
static int complain_of_error(const char *method, const char *error, sd_json_variant *parameters)
{
	sd_json_variant *message = sd_json_variant_by_key(parameters, "message");

	if (!sd_json_variant_is_string(message))
		return complain(method, error);
	fprintf(stderr, "rootviewctl: %s\n", sd_json_variant_string(message));
	return -1;
}

int client_call(const char *socket, const char *method, sd_json_variant *parameters,
		sd_json_variant **ret)
{
	cleanup_varlink sd_varlink *link = NULL;
	sd_json_variant *answer;
	const char *error = NULL;
	int r;

	r = sd_varlink_connect_address(&link, socket);
	if (r == -ENOENT || r == -ECONNREFUSED)
		return complain(socket, "no rootviewd serves this socket");
	if (r < 0)
		return complain(socket, strerror(-r));
	/* A file system may take its time to be mounted: no time-out. */
	(void)sd_varlink_set_relative_timeout(link, UINT64_MAX);
	r = sd_varlink_call(link, method, parameters, &answer, &error);
	if (r < 0)
		return complain(method, strerror(-r));
	if (error)
		return complain_of_error(method, error, answer);
	*ret = sd_json_variant_ref(answer);
	return 0;
}
