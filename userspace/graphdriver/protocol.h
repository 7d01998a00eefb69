/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Docker's protocol for graph driver plugins: the calls, as JSON.
 * https://github.com/moby/moby/blob/v26.1.5/daemon/graphdriver/proxy.go
 */
#ifndef ROOTVIEW_GRAPHDRIVER_PROTOCOL_H
#define ROOTVIEW_GRAPHDRIVER_PROTOCOL_H

#include "http.h"

/* All of them, ended by one without a URL. */
extern const struct http_method protocol_methods[];

/*
 * dockerd says once, when it starts, where the store is; a driver that was started anew
 * since is told nothing.  So GraphDriver.Init is noted in the file @path, and what a
 * driver before this one has noted there is done again, if it can be; call it before the
 * first call comes.  @path stays the caller's.
 */
void protocol_resume(const char *path);

#endif
