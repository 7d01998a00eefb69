/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the commands of rootviewctl are given, and what they have in common.
 */
#ifndef ROOTVIEW_COMMAND_H
#define ROOTVIEW_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <systemd/sd-json.h>

#include "librootview/rootview.h"
#include "util.h"

#define EXIT_USAGE	2
#define EXIT_OWN	125	/* of exec: it is rootviewctl that failed, not the command */
#define EXIT_CANNOT_RUN	126
#define EXIT_NOT_FOUND	127

#define cleanup_json cleanup_with(sd_json_variant_unrefp)
#define cleanup_daemon cleanup_with(disconnect_daemon)
#define cleanup_reply cleanup_with(free_reply)
#define cleanup_request cleanup_with(free_request)

static inline void disconnect_daemon(struct rootview **c)
{
	rootview_disconnect(*c);
}

static inline void free_reply(struct rootview_reply **reply)
{
	rootview_reply_free(*reply);
}

static inline void free_request(struct rootview_request **request)
{
	rootview_request_free(*request);
}

/* The options.  What was not given is NULL. */
struct options {
	const char *socket;
	bool json;
	unsigned int given;		/* a bit for each, see main.c */

	struct rootview_request *request; /* what views are asked for with, but their names */
	bool lists;			/* which has ready-made lists */
	const char *label;		/* of an origin */
	const char *path;
	const char *userns;
	const char *at;
	bool views;			/* are deleted with their origin */
};

/* Runs a command with its @n arguments, NULL behind them.  Returns an exit status. */
typedef int (*command_t)(const struct options *options, char *args[], int n);

int origin_add(const struct options *options, char *args[], int n);
int origin_remove(const struct options *options, char *args[], int n);
int origin_list(const struct options *options, char *args[], int n);
int view_create(const struct options *options, char *args[], int n);
int view_delete(const struct options *options, char *args[], int n);
int view_list(const struct options *options, char *args[], int n);
int view_inspect(const struct options *options, char *args[], int n);
int view_mount(const struct options *options, char *args[], int n);
int view_unmount(const struct options *options, char *args[], int n);
int view_check(const struct options *options, char *args[], int n);
int view_stats(const struct options *options, char *args[], int n);
int monitor(const struct options *options, char *args[], int n);
int exec(const struct options *options, char *args[], int n);
int doctor(const struct options *options, char *args[], int n);

/* Say on stderr what is wrong, and return the exit status for that; @why may be NULL. */
int usage_error(const char *problem, const char *word, const char *why);
int out_of_memory(void);
__attribute__((__format__(__printf__, 1, 2))) int command_failed(const char *format, ...);

/* Prints @value for a program, on one line unless that is for a person. */
void print_json(sd_json_variant *value);

/* The same of an answer.  Returns an exit status. */
int print_reply(struct rootview_reply *reply);

/* Why @error, which rootview_connect() has returned, came of @socket: a phrase. */
const char *connect_message(int error);

/*
 * Prints the refusal that @c has had last: a sentence on stderr, and for a program its
 * name and parameters.  Returns an exit status.
 */
int print_refusal(const struct options *options, struct rootview *c);

/* Adds the refusal that @c has had last, as a Refusal of the interface, to @object. */
int add_refusal(sd_json_variant **object, struct rootview *c);

/*
 * Runs the call that a function of the library has put into *@call, returning @built,
 * on a connection of its own.  Returns 0 and the answer, for the caller to free; or an
 * exit status after a sentence, and the refusal if that is wanted as JSON.
 */
int command_ask(const struct options *options, int built, struct rootview_call **call,
		struct rootview_reply **ret);

/* The same; and the answer is printed if it is wanted as JSON. */
int command_call(const struct options *options, int built, struct rootview_call **call,
		 struct rootview_reply **ret);

/*
 * The same without a word: it takes at most @usec microseconds, unless that is 0.  Returns
 * 0 or a negative errno, with a sentence in *@why, for the caller to free, which is NULL if
 * memory is short; if that is -EREMOTEIO, *@c is the connection that was refused on, for
 * the caller to disconnect, and otherwise NULL.
 */
int command_try(const char *socket, uint64_t usec, int built, struct rootview_call **call,
		struct rootview_reply **ret, struct rootview **c, char **why);

/*
 * Looks for the view @name of @origin.  Returns 0 and an answer with it alone, for the caller
 * to free; or an exit status after a sentence.
 */
int view_find(const struct options *options, const char *origin, const char *name,
	      struct rootview_reply **ret);

/*
 * Gets a mount of the view @name of @origin that is attached nowhere.  Returns a descriptor
 * for the caller to close, or -1 after a sentence.
 */
int view_open(const struct options *options, const char *origin, const char *name);

/* Attaches that at @path.  Returns an exit status, after a sentence if it failed. */
int view_attach(int fd, const char *path);

/* Where that is, from the root on, for the caller to free; NULL if memory is short. */
char *view_path(const char *path);

#endif
