/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inside of the library's objects: what its files know of each other.
 */
#ifndef ROOTVIEW_CALL_H
#define ROOTVIEW_CALL_H

#include <stdbool.h>
#include <systemd/sd-json.h>

#include "rootview.h"

#define cleanup_json cleanup_with(sd_json_variant_unrefp)

/* What the kernel lets one message carry: SCM_MAX_FD. */
#define CALL_FDS_MAX 253

/* Everything but the descriptors is kept as the JSON that it becomes. */
struct rootview_request {
	sd_json_variant *fields;
	sd_json_variant *mount_points;
	sd_json_variant *lists;
	sd_json_variant *uids;
	sd_json_variant *gids;
	int user_namespace;	/* of the caller, or -1; likewise: */
	int pidfd;
};

/* A call, in the queue of its connection or not yet. */
struct rootview_call {
	struct rootview_call *next;
	const char *method;
	sd_json_variant *parameters;
	bool stream;
	const char *list;	/* the array of a reply that comes in parts; NULL if none */
	sd_json_variant *parts;	/* what of it has come */
	int parts_error;	/* or why that could not be kept, a negative errno */
	int fds[CALL_FDS_MAX];	/* owned, to be sent along; -1 where sent */
	int sources[CALL_FDS_MAX]; /* what they were duplicated from */
	size_t n_fds;
	size_t n_answer_fds;	/* at most so many come with the answer */
	rootview_callback callback; /* NULL if cancelled */
	void *userdata;
};

/* What came back. */
struct rootview_reply {
	sd_json_variant *parameters;
	char *json;		/* the same as text, once that was asked for */
	int fds[CALL_FDS_MAX];	/* owned; -1 where taken */
	size_t n_fds;
};

/* Values of a JSON object; what is not there, or of another type, is NULL or -ENOENT. */
const char *json_text(sd_json_variant *object, const char *key);
int json_number(sd_json_variant *object, const char *key, uint64_t *ret);

/* sd-json's functions return 1 for what they have changed, too. */
static inline int negative_or_zero(int n)
{
	return n < 0 ? n : 0;
}

#endif
