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

#include "util.h"

#define EXIT_USAGE	2
#define EXIT_CANNOT_RUN	126
#define EXIT_NOT_FOUND	127

#define cleanup_json cleanup_with(sd_json_variant_unrefp)

/*
 * The options, as those of struct request's fields that hold what the daemon is
 * sent.  What was not given is NULL.  Lists and ranges are arrays.
 */
struct options {
	const char *socket;
	bool json;
	unsigned int given;		/* a bit for each, see main.c */

	const char *label;
	const char *mount;
	const char *path;
	const char *userns;
	const char *cgroup;
	const char *at;
	sd_json_variant *mount_points;
	sd_json_variant *lists;
	sd_json_variant *id_map;	/* of IdRange, for both users and groups */
	sd_json_variant *process;	/* a number */
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

/* Say on stderr what is wrong, and return the exit status for that. */
int usage_error(const char *problem, const char *word);
int out_of_memory(void);
__attribute__((__format__(__printf__, 1, 2))) int command_failed(const char *format, ...);

/* Prints @value for a program, on one line unless that is for a person. */
void print_json(sd_json_variant *value);

/*
 * Calls @method of the daemon, prints the answer if that is wanted as JSON, and
 * consumes @parameters.  Returns 0, or -1 after a sentence on stderr.
 */
int command_call(const struct options *options, const char *method, sd_json_variant *parameters,
		 sd_json_variant **ret);

/* The same of a list, which @method answers with as the field @field. */
int command_list(const struct options *options, const char *method, sd_json_variant *parameters,
		 const char *field, sd_json_variant **ret);

/*
 * Looks for the view @name of @origin.  Returns 0 and a reference, or -1 after a
 * sentence on stderr.
 */
int view_find(const struct options *options, const char *origin, const char *name,
	      sd_json_variant **ret);

#endif
