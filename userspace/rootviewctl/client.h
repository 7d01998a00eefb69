/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's socket from the other side: one connection, one call.
 */
#ifndef ROOTVIEW_CLIENT_H
#define ROOTVIEW_CLIENT_H

#include <systemd/sd-json.h>

/*
 * Calls @method, such as "io.rootview.ListViews", on the daemon at @socket.
 * @parameters may be NULL.  Returns 0, and the answer for the caller to
 * unreference; or -1 after a sentence on stderr.
 */
int client_call(const char *socket, const char *method, sd_json_variant *parameters,
		sd_json_variant **ret);

#endif
