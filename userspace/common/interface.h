/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Varlink interface io.rootview: what `varlinkctl introspect` shows, and
 * the names that the daemon and its clients must spell alike.
 */
#ifndef ROOTVIEW_INTERFACE_H
#define ROOTVIEW_INTERFACE_H

#include <systemd/sd-varlink-idl.h>

#include "util.h"

#define ROOTVIEW_RUNTIME_DIR	"/run/rootview"
#define ROOTVIEW_SOCKET_NAME	"io.rootview"
#define ROOTVIEW_SOCKET		ROOTVIEW_RUNTIME_DIR "/" ROOTVIEW_SOCKET_NAME

#define ROOTVIEW_INTERFACE	"io.rootview"
#define ROOTVIEW_METHOD(name)	ROOTVIEW_INTERFACE "." name
#define ROOTVIEW_ERROR(name)	ROOTVIEW_INTERFACE "." name

/* The values of MountPointKind; whoever numbers them does so in this order. */
#define ROOTVIEW_KINDS		{ "directory", "file", "link", "tmpfs" }

/* Views in one CreateViews or DeleteViews. */
#define ROOTVIEW_VIEWS_MAX	1024

/* Bytes that sd-varlink lets a message have. */
#define ROOTVIEW_MESSAGE_SIZE	(16 * 1024 * 1024)

/*
 * Bytes of JSON that the views of one CreateViews may have together, and likewise what
 * other methods are asked for: so much that the answer always fits into a message.  It
 * repeats them, says the kind of each mount point (at most 2.4 times the bytes), and adds
 * up to 6 KiB to each view: paths, ready-made lists, the id map of a user namespace.
 */
#define ROOTVIEW_REQUESTS_SIZE	(ROOTVIEW_MESSAGE_SIZE / 4)

/* As sd-json writes it, RFC 8259: the bytes of a string, with quotes and what has to be escaped. */
static inline size_t json_string_size(const char *s)
{
	size_t n = 2;

	for (; *s; s++) {
		if ((unsigned char)*s < ' ')
			n += strchr("\b\f\n\r\t", *s) ? 2 : 6;
		else
			n += *s == '"' || *s == '\\' ? 2 : 1;
	}
	return n;
}

/*
 * The bytes that the JSON has in a message, or a negative errno; without writing it, as each view
 * of a batch is measured.
 */
static inline ssize_t json_size(sd_json_variant *json)
{
	const size_t n = sd_json_variant_elements(json);
	cleanup_free char *text = NULL;
	ssize_t size = n ? 2 + n - 1 : 2, r;

	if (sd_json_variant_is_string(json))
		return json_string_size(sd_json_variant_string(json));
	if (sd_json_variant_is_unsigned(json))
		return snprintf(NULL, 0, "%" PRIu64, sd_json_variant_unsigned(json));
	if (!sd_json_variant_is_array(json) && !sd_json_variant_is_object(json)) {
		r = sd_json_variant_format(json, 0, &text);
		return r < 0 ? r : (ssize_t)strlen(text);
	}
	/* Those of an object are names and values in turn. */
	for (size_t i = 0; i < n; i++) {
		r = json_size(sd_json_variant_by_index(json, i));
		if (r < 0)
			return r;
		size += r;
	}
	return size;
}

/* What the path of a cgroup begins with for everybody but the daemon. */
#define ROOTVIEW_CGROUPS	"/sys/fs/cgroup"

extern const sd_varlink_interface vl_interface_io_rootview;

#endif
