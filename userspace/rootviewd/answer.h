/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Answers: origins, views and failures as the JSON of the io.rootview interface.
 */
#ifndef ROOTVIEW_ANSWER_H
#define ROOTVIEW_ANSWER_H

#include <systemd/sd-varlink.h>

#include "failure.h"
#include "origin.h"
#include "service.h"
#include "view.h"

/* What a request named; NULL for what it did not. */
struct answer_subject {
	const char *name;
	const char *origin;
	const char *device;
	const char *label;
	uint64_t id;		/* 0 if none */
};

/* An array that is being filled; all zero at the start. */
struct answer {
	sd_json_variant *array;
	int error;		/* the first one, a negative errno; what follows is left out */

	/* Of a list in parts: */
	size_t room;		/* a part that has so many bytes is full; 0 for all in one */
	size_t size;		/* what this part has */
	uint64_t origin, view;	/* ids of what was added last; what is not behind is left out */
	bool more;		/* something was left out because the part is full */
};

#define cleanup_answer __attribute__((__cleanup__(answer_done)))
void answer_done(struct answer *answer);

/* Empties it for the next part. */
void answer_begin_part(struct answer *answer);

/* Add one element, in the order of ids; @answer is a struct answer. */
void answer_add_origin(struct origin *o, void *answer);
void answer_add_view(struct view *v, void *answer);

/*
 * Send the only element, or all of them, as the field @name; all as one part of
 * several if there is more to come.  Return what a Varlink method is to return.
 */
int answer_one(sd_varlink *link, const char *name, struct answer *answer);
int answer_all(sd_varlink *link, const char *name, struct answer *answer);

/* What became of a part of a batch, about @subject; @v is NULL if it has no view. */
void answer_add_result(const struct view_result *result, const struct answer_subject *subject,
		       struct view *v, struct answer *answer);

/* What the cgroup of a view read; nothing for a view without one. */
void answer_add_stats(struct view *v, void *answer);

/*
 * Send a view and, if @descriptor is not -1, the index of its mount among the
 * descriptors that come along.
 */
int answer_view(sd_varlink *link, struct view *v, int descriptor);

/* Sends the error that a failure of a request about @subject is. */
int answer_failure(sd_varlink *link, const struct failure *f,
		   const struct answer_subject *subject);

#endif
