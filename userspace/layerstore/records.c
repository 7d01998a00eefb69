// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a store knows of its layers; records.h is the contract.
 */
#include "records.h"

#include <sqlite3.h>
#include <stdarg.h>

#include "util.h"

#define VERSION "1"

struct records {
	sqlite3 *db;
};

/*
 * In exclusive mode there is no shared memory beside the file, and the lock is
 * the process's until it ends; FULL has every commit on the disk.
 */
static const char setup[] =
	"PRAGMA locking_mode = EXCLUSIVE;"
	"PRAGMA journal_mode = WAL;"
	"PRAGMA synchronous = FULL;"
	"PRAGMA foreign_keys = ON;"
	"BEGIN IMMEDIATE;"
	"CREATE TABLE IF NOT EXISTS setting ("
	"	key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS layer ("
	"	number INTEGER PRIMARY KEY CHECK (number BETWEEN 0 AND 0xffffff),"
	"	id TEXT NOT NULL UNIQUE,"
	"	parent INTEGER REFERENCES layer,"
	"	state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),"
	"	size INTEGER NOT NULL,"
	"	active INTEGER NOT NULL DEFAULT 0);"
	"CREATE INDEX IF NOT EXISTS children ON layer (parent);"
	"CREATE TABLE IF NOT EXISTS note ("
	"	layer INTEGER NOT NULL REFERENCES layer ON DELETE CASCADE,"
	"	key TEXT NOT NULL, value TEXT NOT NULL,"
	"	PRIMARY KEY (layer, key)) WITHOUT ROWID;"
	"INSERT OR IGNORE INTO setting VALUES ('version', '" VERSION "');"
	"COMMIT";

#define COLUMNS "l.number, l.state, l.size, l.active, l.id, p.id"
#define TABLES "layer l LEFT JOIN layer p ON p.number = l.parent"

#define cleanup_statement cleanup_with(finalize)

static void finalize(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement);
}

static int database_failed(struct records *records, struct layer_error *error)
{
	return layer_failed(error, LAYER_FAILED, "the layers' database %s: %s",
			    sqlite3_db_filename(records->db, NULL), sqlite3_errmsg(records->db));
}

static int bind(sqlite3_stmt *statement, const char *types, va_list ap)
{
	int r = SQLITE_OK;

	for (int i = 0; types[i] && r == SQLITE_OK; i++) {
		const char *text = types[i] == 's' ? va_arg(ap, const char *) : NULL;

		if (types[i] == 's')
			r = sqlite3_bind_text(statement, i + 1, text, -1, SQLITE_TRANSIENT);
		else
			r = sqlite3_bind_int64(statement, i + 1, va_arg(ap, int64_t));
	}
	return r;
}

/* @types has a letter for each parameter of @sql: s for a string, i for an int64_t. */
static sqlite3_stmt *prepare(struct records *records, const char *sql, const char *types,
			     va_list ap, struct layer_error *error)
{
	sqlite3_stmt *statement = NULL;

	if (sqlite3_prepare_v2(records->db, sql, -1, &statement, NULL) == SQLITE_OK &&
	    bind(statement, types, ap) == SQLITE_OK)
		return statement;
	database_failed(records, error);
	sqlite3_finalize(statement);
	return NULL;
}

static sqlite3_stmt *query(struct records *records, struct layer_error *error, const char *sql,
			   const char *types, ...)
{
	sqlite3_stmt *statement;
	va_list ap;

	va_start(ap, types);
	statement = prepare(records, sql, types, ap, error);
	va_end(ap);
	return statement;
}

/* Returns what sqlite3_step() says: it fails with that the caller knows the meaning of. */
static int change(struct records *records, struct layer_error *error, const char *sql,
		  const char *types, ...)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	va_list ap;
	int r;

	va_start(ap, types);
	statement = prepare(records, sql, types, ap, error);
	va_end(ap);
	if (!statement)
		return -1;
	r = sqlite3_step(statement);
	if (r != SQLITE_DONE)
		database_failed(records, error);
	return r == SQLITE_DONE ? 0 : sqlite3_extended_errcode(records->db);
}

static bool is_taken(int result)
{
	return result == SQLITE_CONSTRAINT_UNIQUE || result == SQLITE_CONSTRAINT_PRIMARYKEY ||
	       result == SQLITE_CONSTRAINT_ROWID;
}

static int check_version(struct records *records, const char *path, struct layer_error *error)
{
	cleanup_free char *version = NULL;

	if (records_get_setting(records, "version", &version, error) < 0)
		return -1;
	if (!streq_null(version, VERSION))
		return layer_failed(error, LAYER_INVALID,
				    "the layers' database %s is of version %s; this program knows "
				    "version " VERSION, path, version ?: "none");
	return 0;
}

int records_open(const char *path, struct records **ret, struct layer_error *error)
{
	struct records *records = calloc(1, sizeof(*records));
	int r;

	if (!records)
		return layer_failed(error, LAYER_FAILED, "%s: out of memory", path);
	r = sqlite3_open_v2(path, &records->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW,
			    NULL);
	if (r == SQLITE_OK)
		r = sqlite3_exec(records->db, setup, NULL, NULL, NULL);
	if (r == SQLITE_BUSY)
		layer_failed(error, LAYER_IN_USE,
			     "another process has the layers' database %s open", path);
	else if (r != SQLITE_OK)
		layer_failed(error, LAYER_FAILED, "the layers' database %s: %s", path,
			     records->db ? sqlite3_errmsg(records->db) : "out of memory");
	if (r != SQLITE_OK || check_version(records, path, error) < 0) {
		records_close(records);
		return -1;
	}
	*ret = records;
	return 0;
}

void records_close(struct records *records)
{
	if (!records)
		return;
	sqlite3_close(records->db);
	free(records);
}

int records_add(struct records *records, const struct record *record, struct layer_error *error)
{
	struct record parent;
	int r;

	if (!record->has_parent) {
		r = change(records, error,
			   "INSERT INTO layer (number, id, state, size, active) "
			   "VALUES (?, ?, ?, ?, ?)", "isiii",
			   (int64_t)record->number, record->id, (int64_t)record->state,
			   (int64_t)record->size, (int64_t)record->active);
	} else {
		if (records_find(records, record->parent, &parent, error) < 0)
			return -1;
		r = change(records, error, "INSERT INTO layer VALUES (?, ?, ?, ?, ?, ?)", "isiiii",
			   (int64_t)record->number, record->id, (int64_t)parent.number,
			   (int64_t)record->state, (int64_t)record->size, (int64_t)record->active);
	}
	if (is_taken(r))
		return layer_failed(error, LAYER_EXISTS,
				    "there is a layer \"%s\", or one of number %u, already",
				    record->id, record->number);
	return r ? -1 : 0;
}

static void copy_column(sqlite3_stmt *row, int column, char ret[static LAYER_ID_MAX + 1])
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	snprintf(ret, LAYER_ID_MAX + 1, "%s", text ?: "");
}

static void read_row(sqlite3_stmt *row, struct record *ret)
{
	*ret = (struct record){
		.number = sqlite3_column_int64(row, 0),
		.state = sqlite3_column_int64(row, 1),
		.size = sqlite3_column_int64(row, 2),
		.active = sqlite3_column_int64(row, 3),
		.has_parent = sqlite3_column_type(row, 5) != SQLITE_NULL,
	};
	copy_column(row, 4, ret->id);
	copy_column(row, 5, ret->parent);
}

int records_find(struct records *records, const char *id, struct record *ret,
		 struct layer_error *error)
{
	cleanup_statement sqlite3_stmt *row =
		query(records, error, "SELECT " COLUMNS " FROM " TABLES " WHERE l.id = ?", "s", id);
	int r = row ? sqlite3_step(row) : SQLITE_ERROR;

	if (r == SQLITE_DONE)
		return layer_failed(error, LAYER_NO_SUCH, "there is no layer \"%s\"", id);
	if (r != SQLITE_ROW)
		return row ? database_failed(records, error) : -1;
	read_row(row, ret);
	return 0;
}

int records_set_state(struct records *records, uint32_t number, enum record_state state,
		      struct layer_error *error)
{
	return change(records, error, "UPDATE layer SET state = ? WHERE number = ?", "ii",
		      (int64_t)state, (int64_t)number) ? -1 : 0;
}

int records_set_active(struct records *records, uint32_t number, bool active,
		       struct layer_error *error)
{
	return change(records, error, "UPDATE layer SET active = ? WHERE number = ?", "ii",
		      (int64_t)active, (int64_t)number) ? -1 : 0;
}

int records_forget(struct records *records, uint32_t number, struct layer_error *error)
{
	int r = change(records, error, "DELETE FROM layer WHERE number = ?", "i", (int64_t)number);

	if (r == SQLITE_CONSTRAINT_FOREIGNKEY)
		return layer_failed(error, LAYER_HAS_CHILDREN,
				    "the layer of number %u has children", number);
	return r ? -1 : 0;
}

/* Puts the integer that @row has into @ret, and whether it has one into @found. */
static int take_integer(struct records *records, sqlite3_stmt *row, bool *found, int64_t *ret,
			struct layer_error *error)
{
	int r = row ? sqlite3_step(row) : SQLITE_ERROR;

	*found = r == SQLITE_ROW && sqlite3_column_type(row, 0) != SQLITE_NULL;
	*ret = *found ? sqlite3_column_int64(row, 0) : 0;
	if (r == SQLITE_ROW || r == SQLITE_DONE)
		return 0;
	return row ? database_failed(records, error) : -1;
}

/* The one behind the highest; only when there is none left, one of the gaps. */
int records_free_number(struct records *records, uint32_t first, uint32_t last, uint32_t *ret,
			struct layer_error *error)
{
	cleanup_statement sqlite3_stmt *highest =
		query(records, error, "SELECT max(number) FROM layer WHERE number BETWEEN ? AND ?",
		      "ii", (int64_t)first, (int64_t)last);
	cleanup_statement sqlite3_stmt *gap = NULL;
	int64_t number;
	bool found;

	if (take_integer(records, highest, &found, &number, error) < 0)
		return -1;
	*ret = found ? number + 1 : first;
	if (*ret <= last)
		return 0;
	/* There is none before the first: it is looked at by itself. */
	gap = query(records, error,
		    "SELECT min(n) FROM (SELECT number + 1 AS n FROM layer UNION SELECT ?) "
		    "WHERE n BETWEEN ? AND ? AND n NOT IN (SELECT number FROM layer)",
		    "iii", (int64_t)first, (int64_t)first, (int64_t)last);
	if (take_integer(records, gap, &found, &number, error) < 0)
		return -1;
	if (!found)
		return layer_failed(error, LAYER_FAILED,
				    "the store cannot have more than %u layers", last - first + 1);
	*ret = number;
	return 0;
}

int records_count_children(struct records *records, uint32_t number, uint64_t *ret,
			   struct layer_error *error)
{
	cleanup_statement sqlite3_stmt *row =
		query(records, error, "SELECT count(*) FROM layer WHERE parent = ?", "i",
		      (int64_t)number);
	int64_t count;
	bool found;

	if (take_integer(records, row, &found, &count, error) < 0)
		return -1;
	*ret = count;
	return 0;
}

static int append(struct record **list, size_t *n, sqlite3_stmt *row)
{
	/* Doubled each time: those of a power of two are full. */
	if ((*n & (*n - 1)) == 0) {
		void *more = reallocarray(*list, *n ? 2 * *n : 1, sizeof(**list));

		if (!more)
			return -1;
		*list = more;
	}
	read_row(row, &(*list)[(*n)++]);
	return 0;
}

int records_list(struct records *records, struct record **ret, size_t *ret_n,
		 struct layer_error *error)
{
	/* A number that was free may be lower than that of the parent. */
	cleanup_statement sqlite3_stmt *row =
		query(records, error,
		      "WITH RECURSIVE t (number, depth) AS ("
		      "	SELECT number, 0 FROM layer WHERE parent IS NULL UNION ALL"
		      "	SELECT layer.number, depth + 1 FROM t JOIN layer ON parent = t.number) "
		      "SELECT " COLUMNS " FROM t CROSS JOIN " TABLES " WHERE l.number = t.number "
		      "ORDER BY depth, l.number", "");
	cleanup_free struct record *list = NULL;
	size_t n = 0;
	int r = SQLITE_ERROR;

	if (!row)
		return -1;
	while ((r = sqlite3_step(row)) == SQLITE_ROW)
		if (append(&list, &n, row) < 0)
			return layer_out_of_memory(error);
	if (r != SQLITE_DONE)
		return database_failed(records, error);
	*ret = steal_ptr(&list);
	*ret_n = n;
	return 0;
}

/* Puts a copy of the string that @row has, or NULL, into @ret. */
static int take_string(struct records *records, sqlite3_stmt *row, char **ret,
		       struct layer_error *error)
{
	int r = row ? sqlite3_step(row) : SQLITE_ERROR;

	*ret = NULL;
	if (r == SQLITE_DONE)
		return 0;
	if (r != SQLITE_ROW)
		return row ? database_failed(records, error) : -1;
	*ret = strdup((const char *)sqlite3_column_text(row, 0) ?: "");
	return *ret ? 0 : layer_out_of_memory(error);
}

int records_set_setting(struct records *records, const char *key, const char *value,
			struct layer_error *error)
{
	return change(records, error, "INSERT OR REPLACE INTO setting VALUES (?, ?)", "ss", key,
		      value) ? -1 : 0;
}

int records_get_setting(struct records *records, const char *key, char **ret,
			struct layer_error *error)
{
	cleanup_statement sqlite3_stmt *row =
		query(records, error, "SELECT value FROM setting WHERE key = ?", "s", key);

	return take_string(records, row, ret, error);
}

int records_set_note(struct records *records, const char *id, const char *key, const char *value,
		     struct layer_error *error)
{
	struct record record;
	int r;

	if (records_find(records, id, &record, error) < 0)
		return -1;
	if (value)
		r = change(records, error, "INSERT OR REPLACE INTO note VALUES (?, ?, ?)", "iss",
			   (int64_t)record.number, key, value);
	else
		r = change(records, error, "DELETE FROM note WHERE layer = ? AND key = ?", "is",
			   (int64_t)record.number, key);
	return r ? -1 : 0;
}

int records_get_note(struct records *records, const char *id, const char *key, char **ret,
		     struct layer_error *error)
{
	cleanup_statement sqlite3_stmt *row = NULL;
	struct record record;

	if (records_find(records, id, &record, error) < 0)
		return -1;
	row = query(records, error, "SELECT value FROM note WHERE layer = ? AND key = ?", "is",
		    (int64_t)record.number, key);
	return take_string(records, row, ret, error);
}

int records_each_note(struct records *records, const char *prefix,
		      int (*each)(const char *id, const char *key, const char *value,
				  void *userdata),
		      void *userdata, struct layer_error *error)
{
	cleanup_statement sqlite3_stmt *row =
		query(records, error,
		      "SELECT id, key, value FROM note JOIN layer ON layer = number "
		      "WHERE substr(key, 1, length(?1)) = ?1 ORDER BY number, key", "s", prefix);
	int r;

	if (!row)
		return -1;
	while ((r = sqlite3_step(row)) == SQLITE_ROW) {
		r = each((const char *)sqlite3_column_text(row, 0) ?: "",
			 (const char *)sqlite3_column_text(row, 1) ?: "",
			 (const char *)sqlite3_column_text(row, 2) ?: "", userdata);
		if (r != 0)
			return r;
	}
	return r == SQLITE_DONE ? 0 : database_failed(records, error);
}
