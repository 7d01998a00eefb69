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

/*
 * The same with descriptors: a copy of @send goes along as the one with index 0,
 * unless it is -1; and if @receive is not NULL, the one that the answer calls its
 * "descriptor" is stored there for the caller to close, or -1 if there is none.
 */
int client_call_with(const char *socket, const char *method, sd_json_variant *parameters, int send,
		     int *receive, sd_json_variant **ret);

/*
 * As client_call(), of a list of any length: it comes in parts, whose arrays @field are
 * joined in the answer.
 */
int client_list(const char *socket, const char *method, sd_json_variant *parameters,
		const char *field, sd_json_variant **ret);

/*
 * As client_list(), of a daemon that may be sick: it has ten seconds, and the
 * sentence goes to *@why, for the caller to free; that is NULL if memory is short.
 */
int client_try_list(const char *socket, const char *method, sd_json_variant *parameters,
		    const char *field, sd_json_variant **ret, char **why);

/*
 * Calls @method, whose answers are a stream, and @see for each of them, until that
 * returns something else than 0 or the connection ends.  Always returns -1, after
 * a sentence on stderr unless it was @see that wanted the end.
 */
int client_observe(const char *socket, const char *method, int (*see)(sd_json_variant *, void *),
		   void *userdata);

#endif
