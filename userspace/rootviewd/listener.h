/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where clients come in: sockets that are listened on.
 *
 * sd-varlink would do it, but gives a socket up for good when it could not accept a
 * connection once, because descriptors or memory were short.  Here clients wait in the
 * socket's queue then, until they can be accepted.
 */
#ifndef ROOTVIEW_LISTENER_H
#define ROOTVIEW_LISTENER_H

#include <systemd/sd-event.h>

struct listener;

/* Takes a connection, which is never inherited and never waits. */
typedef void (*listener_accepted_t)(void *userdata, int fd);

/*
 * Listens on the sockets that the service manager handed over, or else on one made at
 * @path, for root and, if there is one, the group "rootview".  Returns a negative errno.
 */
int listener_new(struct listener **ret, sd_event *loop, const char *path,
		 listener_accepted_t accepted, void *userdata);

/* Closes the sockets; removes the one that was made here. */
void listener_free(struct listener *l);

#endif
