/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The socket: Varlink calls in, service calls out, answers and errors back.
 */
#ifndef ROOTVIEW_SERVER_H
#define ROOTVIEW_SERVER_H

#include <systemd/sd-event.h>

#include "failure.h"
#include "service.h"

struct server;

/*
 * Serves @service, which must outlive the server, in the loop @event: on the
 * socket that the service manager handed over, or else on one made at @path,
 * for root and, if there is one, the group "rootview".
 */
int server_new(struct server **ret, struct service *service, sd_event *event, const char *path,
	       struct failure *f);

/* Closes all connections; removes the socket, if it was made here. */
void server_free(struct server *server);

#endif
