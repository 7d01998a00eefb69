/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a store knows of its layers: a database in one file, which no other
 * process can have open.
 *
 * Each function that changes something has it on the disk when it returns.  All
 * return 0, or -1 after filling @error.  To be called by one thread at a time.
 */
#ifndef ROOTVIEW_LAYER_RECORDS_H
#define ROOTVIEW_LAYER_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "layerstore.h"

/* What must be done with a layer after a crash depends on it. */
enum record_state {
	RECORD_MAKING,		/* its device may be there: it goes */
	RECORD_READY,		/* stays */
	RECORD_APPLYING,	/* holds anything: goes */
	RECORD_REMOVING,	/* goes */
};

/* The layer that all others come from has the id "". */
#define RECORD_BASE ""

struct record {
	uint32_t number;		/* of the device in the pool */
	enum record_state state;
	uint64_t size;			/* bytes */
	bool active;			/* somebody else uses its device */
	bool has_parent;		/* all but the base do */
	char id[LAYER_ID_MAX + 1];
	char parent[LAYER_ID_MAX + 1];
};

struct records;

/* LAYER_IN_USE if another process has it open. */
int records_open(const char *path, struct records **ret, struct layer_error *error);
void records_close(struct records *records);

/* LAYER_EXISTS if its id or its number is another's, LAYER_NO_SUCH if the parent is none. */
int records_add(struct records *records, const struct record *record, struct layer_error *error);

/* LAYER_NO_SUCH if there is none. */
int records_find(struct records *records, const char *id, struct record *ret,
		 struct layer_error *error);

int records_set_state(struct records *records, uint32_t number, enum record_state state,
		      struct layer_error *error);
int records_set_active(struct records *records, uint32_t number, bool active,
		       struct layer_error *error);

/* Its notes go with it.  LAYER_HAS_CHILDREN if it is a parent. */
int records_forget(struct records *records, uint32_t number, struct layer_error *error);

/* A number of [@first, @last] that no record has. */
int records_free_number(struct records *records, uint32_t first, uint32_t last, uint32_t *ret,
			struct layer_error *error);

int records_count_children(struct records *records, uint32_t number, uint64_t *ret,
			   struct layer_error *error);

/* All of them, parents before their children; the caller frees @ret. */
int records_list(struct records *records, struct record **ret, size_t *ret_n,
		 struct layer_error *error);

/* Of the store as a whole; the caller frees @ret, which is NULL if there is none. */
int records_set_setting(struct records *records, const char *key, const char *value,
			struct layer_error *error);
int records_get_setting(struct records *records, const char *key, char **ret,
			struct layer_error *error);

/* Of one layer.  NULL as value removes a note; LAYER_NO_SUCH if there is no such layer. */
int records_set_note(struct records *records, const char *id, const char *key, const char *value,
		     struct layer_error *error);
int records_get_note(struct records *records, const char *id, const char *key, char **ret,
		     struct layer_error *error);

/* Calls @each for the notes whose keys begin with @prefix; ends with what it returns if not 0. */
int records_each_note(struct records *records, const char *prefix,
		      int (*each)(const char *id, const char *key, const char *value,
				  void *userdata),
		      void *userdata, struct layer_error *error);

#endif
