/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Varlink interface io.rootview: what `varlinkctl introspect` shows, and
 * the names that the daemon and its clients must spell alike.
 */
#ifndef ROOTVIEW_INTERFACE_H
#define ROOTVIEW_INTERFACE_H

#include <systemd/sd-varlink-idl.h>

#define ROOTVIEW_RUNTIME_DIR	"/run/rootview"
#define ROOTVIEW_SOCKET_NAME	"io.rootview"
#define ROOTVIEW_SOCKET		ROOTVIEW_RUNTIME_DIR "/" ROOTVIEW_SOCKET_NAME

#define ROOTVIEW_INTERFACE	"io.rootview"
#define ROOTVIEW_METHOD(name)	ROOTVIEW_INTERFACE "." name
#define ROOTVIEW_ERROR(name)	ROOTVIEW_INTERFACE "." name

extern const sd_varlink_interface vl_interface_io_rootview;

#endif
