// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A store of layers; layerstore.h is the contract.
 *
 * What is not on the disk is a list of the layers that are in use: mounted for a
 * front end at FOLDER/mnt/ID, or mounted nowhere (see volume_mount()) while an
 * operation looks at them or fills them.  The latter end with the process, so
 * there is nothing of them to be cleaned up but the device.
 */
#include "layerstore.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "lock.h"
#include "pool.h"
#include "records.h"
#include "stream.h"
#include "util.h"
#include "volume.h"

#define DEFAULT_PREFIX	"rootview-layer"
#define DEFAULT_SIZE	(10 * 1024ull * 1024 * 1024)

/*
 * The numbers of the pool's volumes are divided among the stores that share it.
 * The first of a store's range is that of its base: who has made that, has the
 * range.
 */
#define RANGE		0x40000u
#define N_RANGES	((POOL_NUMBER_MAX + 1) / RANGE)

/* What must be free before anything is begun: this part of all, or so many bytes. */
#define RESERVE_PART	20
#define RESERVE_MOST	(1024ull * 1024 * 1024)

/* A layer whose POOL_MOUNT device is mounted. */
struct use {
	struct use *next;
	uint32_t number;
	bool attached;		/* at its path; else only @mount has it */
	bool found;		/* left mounted by an earlier process, and not yet taken over */
	bool read_only;
	int mount;		/* or -1 */
	unsigned int mounts;	/* of layerstore_mount() */
	unsigned int looks;	/* operations that look at it */
	char *context;
};

struct layerstore {
	struct pool pool;
	struct records *records;
	char *folder, *context;
	char fs_type[LAYER_FS_TYPE_SIZE];
	uint32_t first, last;	/* numbers of volumes */
	struct use *uses;
};

/*
 * For all stores, as libdevmapper is for one thread.  It is not held while files
 * are read and written, which takes long; a use keeps the layer there meanwhile.
 */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t look_ended = PTHREAD_COND_INITIALIZER;

/*
 * Records and uses
 */

static int check_id(const char *id, struct layer_error *error)
{
	const char *fault = NULL;

	if (!*id || streq(id, ".") || streq(id, ".."))
		fault = "is no name of a file";
	else if (strlen(id) > LAYER_ID_MAX)
		fault = "is too long";
	else if (strchr(id, '/'))
		fault = "holds a '/'";
	for (const char *c = id; *c && !fault; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			fault = "holds a control character";
	return fault ? layer_failed(error, LAYER_INVALID, "the layer's id \"%.64s\" %s", id,
				    fault) : 0;
}

/* A layer that is complete; NULL is the base. */
static int find(struct layerstore *store, const char *id, struct record *ret,
		struct layer_error *error)
{
	if (id && check_id(id, error) < 0)
		return -1;
	if (records_find(store->records, id ?: RECORD_BASE, ret, error) < 0)
		return -1;
	if (ret->state == RECORD_APPLYING)
		return layer_failed(error, LAYER_IN_USE, "layer \"%s\" is being filled", ret->id);
	/* What could not be removed, which is tried again at the next start. */
	if (ret->state != RECORD_READY)
		return layer_failed(error, LAYER_NO_SUCH, "layer \"%s\" has been removed", ret->id);
	return 0;
}

static struct use *find_use(struct layerstore *store, uint32_t number)
{
	struct use *use = store->uses;

	while (use && use->number != number)
		use = use->next;
	return use;
}

static struct use *add_use(struct layerstore *store, uint32_t number, const char *context,
			   bool read_only, struct layer_error *error)
{
	struct use *use = calloc(1, sizeof(*use));
	char *copy = context ? strdup(context) : NULL;

	if (!use || (context && !copy)) {
		free(use);
		free(copy);
		layer_out_of_memory(error);
		return NULL;
	}
	*use = (struct use){ .next = store->uses, .number = number, .read_only = read_only,
			     .mount = -1, .context = copy };
	store->uses = use;
	return use;
}

static void drop_use(struct layerstore *store, struct use *use)
{
	struct use **at = &store->uses;

	while (*at != use)
		at = &(*at)->next;
	*at = use->next;
	close_fd(&use->mount);
	free(use->context);
	free(use);
}

static int mount_path(struct layerstore *store, const char *id, char ret[static PATH_MAX],
		      struct layer_error *error)
{
	if (snprintf(ret, PATH_MAX, "%s/mnt/%s", store->folder, id) >= PATH_MAX)
		return layer_failed(error, LAYER_INVALID, "layer \"%s\": its path is too long", id);
	return 0;
}

/*
 * Mounts the layer nowhere, for a use that is new.  Who uses a layer that others
 * have as a device gets a device of his own, as read-only as theirs.
 */
static struct use *begin_use(struct layerstore *store, const struct record *record,
			     const char *context, bool read_only, struct layer_error *error)
{
	struct layer_error ignored;
	char device[PATH_MAX];
	struct use *use;

	if (record->active && !read_only) {
		layer_failed(error, LAYER_IN_USE, "layer \"%s\" is active as a read-only device",
			     record->id);
		return NULL;
	}
	if (pool_activate(&store->pool, record->number, POOL_MOUNT, record->size, record->active,
			  device, error) < 0)
		return NULL;
	use = add_use(store, record->number, context, read_only, error);
	if (use)
		use->mount = volume_mount(device, store->fs_type, context, read_only, error);
	if (use && use->mount >= 0)
		return use;
	if (use)
		drop_use(store, use);
	pool_deactivate(&store->pool, record->number, POOL_MOUNT, &ignored);
	return NULL;
}

/* A device that stays, as somebody has it open, is there for the next use. */
static int end_use(struct layerstore *store, const struct record *record, struct use *use,
		   struct layer_error *error)
{
	struct layer_error ignored;
	char path[PATH_MAX];

	if (use->attached && (mount_path(store, record->id, path, error) < 0 ||
			      volume_detach(path, error) < 0))
		return -1;
	drop_use(store, use);
	pool_deactivate(&store->pool, record->number, POOL_MOUNT, &ignored);
	return 0;
}

/* Lets an operation look at the layer's root folder.  Returns a descriptor or -1. */
static int begin_look(struct layerstore *store, const struct record *record,
		      struct layer_error *error)
{
	struct use *use = find_use(store, record->number);
	struct layer_error ignored;
	char path[PATH_MAX];
	int root;

	if (!use)
		use = begin_use(store, record, store->context, true, error);
	if (!use)
		return -1;
	if (use->attached && mount_path(store, record->id, path, error) < 0)
		return -1;
	root = use->attached ? volume_open_path(path, error) :
			       volume_open_mount(use->mount, error);
	if (root >= 0)
		use->looks++;
	else if (!use->attached && !use->looks)
		end_use(store, record, use, &ignored);
	return root;
}

static void end_look(struct layerstore *store, const struct record *record, int *root)
{
	struct use *use = find_use(store, record->number);
	struct layer_error ignored;

	close_fd(root);
	use->looks--;
	if (use->looks || use->mounts || use->found)
		return;
	end_use(store, record, use, &ignored);
	pthread_cond_broadcast(&look_ended);
}

/*
 * The pool's space
 */

static int pool_is_full(struct layerstore *store, const char *of, uint64_t used, uint64_t total,
			struct layer_error *error)
{
	return layer_failed(error, LAYER_POOL_FULL,
			    "thin pool %s is full: %lu of %lu MiB of its %s are in use",
			    store->pool.name, used >> 20, total >> 20, of);
}

static bool is_short(uint64_t used, uint64_t total)
{
	uint64_t reserve = total / RESERVE_PART;

	return total - used < (reserve < RESERVE_MOST ? reserve : RESERVE_MOST);
}

static int check_space(struct layerstore *store, struct layer_error *error)
{
	struct pool_status status;

	if (pool_status(&store->pool, &status, error) < 0)
		return -1;
	if (status.out_of_space || is_short(status.data_used, status.data_total))
		return pool_is_full(store, "data", status.data_used, status.data_total, error);
	if (is_short(status.metadata_used, status.metadata_total))
		return pool_is_full(store, "metadata", status.metadata_used, status.metadata_total,
				    error);
	if (status.read_only || status.needs_check)
		return layer_failed(error, LAYER_FAILED, "thin pool %s is read-only%s",
				    store->pool.name,
				    status.needs_check ? ": it must be checked" : "");
	return 0;
}

/* Whatever has failed, it did so because the pool is full, if that is so. */
static void blame_pool(struct layerstore *store, struct layer_error *error)
{
	struct layer_error ignored;
	struct pool_status status;

	if (pool_status(&store->pool, &status, &ignored) == 0 && status.out_of_space)
		pool_is_full(store, "data", status.data_used, status.data_total, error);
}

/*
 * Making and removing
 */

/* Removes what there is of a layer; while anything is left of it there is its record. */
static int discard(struct layerstore *store, uint32_t number, struct layer_error *error)
{
	if (pool_deactivate(&store->pool, number, POOL_MOUNT, error) < 0 ||
	    pool_deactivate(&store->pool, number, POOL_ORIGIN, error) < 0 ||
	    pool_delete(&store->pool, number, error) < 0)
		return -1;
	return records_forget(store->records, number, error);
}

/* Makes the volume, of a number that nobody has. */
static int make_snapshot(struct layerstore *store, struct record *record,
			 const struct record *parent, struct layer_error *error)
{
	struct layer_error ignored;
	int r;

	for (uint32_t from = store->first;; from = record->number + 1) {
		if (records_free_number(store->records, from, store->last, &record->number,
					error) < 0 ||
		    records_add(store->records, record, error) < 0)
			return -1;
		r = pool_snapshot(&store->pool, record->number, parent->number, error);
		if (r == 0)
			return 0;
		if (r != -EEXIST) {
			discard(store, record->number, &ignored);
			return -1;
		}
		/* The pool has more than this database knows of: nothing is lost by that. */
		if (records_forget(store->records, record->number, error) < 0)
			return -1;
	}
}

static int grow(struct layerstore *store, const struct record *record, struct layer_error *error)
{
	struct use *use = begin_use(store, record, store->context, false, error);
	struct layer_error ignored;
	int root, r;

	if (!use)
		return -1;
	root = volume_open_mount(use->mount, error);
	r = root < 0 ? -1 : volume_grow(root, store->fs_type, record->size, error);
	if (r == 0 && syncfs(root) < 0)
		r = layer_failed(error, LAYER_FAILED, "layer \"%s\" cannot be written: %s",
				 record->id, strerror(errno));
	close_fd(&root);
	end_use(store, record, use, &ignored);
	return r;
}

static int create(struct layerstore *store, struct record *record, const struct record *parent,
		  struct layer_error *error)
{
	struct layer_error ignored;

	if (make_snapshot(store, record, parent, error) < 0)
		return -1;
	if (record->size > parent->size && grow(store, record, error) < 0)
		blame_pool(store, error);
	else if (records_set_state(store->records, record->number, RECORD_READY, error) == 0)
		return 0;
	discard(store, record->number, &ignored);
	return -1;
}

/* Before there is a snapshot for nothing. */
static int check_free(struct layerstore *store, const char *id, struct layer_error *error)
{
	struct record record;

	if (records_find(store->records, id, &record, error) < 0)
		return error->code == LAYER_NO_SUCH ? 0 : -1;
	/* What could not be removed, as somebody had its device open, may go now. */
	if (record.state == RECORD_MAKING || record.state == RECORD_REMOVING)
		return discard(store, record.number, error);
	return layer_failed(error, LAYER_EXISTS, "there is a layer \"%s\" already", id);
}

int layerstore_create(struct layerstore *store, const char *id, const char *parent, uint64_t size,
		      struct layer_error *error)
{
	struct record record = { .state = RECORD_MAKING, .has_parent = true };
	struct record from;
	LOCKED(mutex);

	if (check_id(id, error) < 0 || find(store, parent, &from, error) < 0)
		return -1;
	if (check_free(store, id, error) < 0)
		return -1;
	if (size && size < from.size)
		return layer_failed(error, LAYER_INVALID, "layer \"%s\" cannot have %lu bytes: its "
				    "parent has %lu", id, size, from.size);
	if (check_space(store, error) < 0)
		return -1;
	snprintf(record.id, sizeof(record.id), "%s", id);
	snprintf(record.parent, sizeof(record.parent), "%s", from.id);
	/* Of a page each are the blocks of all file systems here, or smaller. */
	record.size = size ? size & ~4095ull : from.size;
	return create(store, &record, &from, error);
}

static int check_children(struct layerstore *store, const struct record *record,
			  struct layer_error *error)
{
	uint64_t n;

	if (records_count_children(store->records, record->number, &n, error) < 0)
		return -1;
	return n ? layer_failed(error, LAYER_HAS_CHILDREN,
				"layer \"%s\" is the parent of %lu others", record->id, n) : 0;
}

/* Whether nobody has the layer mounted, as a device, or looks at it. */
static int check_unused(struct layerstore *store, const struct record *record,
			struct layer_error *error)
{
	struct use *use = find_use(store, record->number);

	if (use)
		return layer_failed(error, LAYER_IN_USE, "layer \"%s\" is %s", record->id,
				    use->attached ? "mounted" : "being read");
	if (record->active)
		return layer_failed(error, LAYER_IN_USE, "layer \"%s\" is active as a device",
				    record->id);
	return 0;
}

int layerstore_remove(struct layerstore *store, const char *id, struct layer_error *error)
{
	struct record record;
	LOCKED(mutex);

	/* While it has its device, it can still be told that it is in use. */
	if (find(store, id, &record, error) < 0 || check_unused(store, &record, error) < 0 ||
	    check_children(store, &record, error) < 0 ||
	    pool_deactivate(&store->pool, record.number, POOL_MOUNT, error) < 0 ||
	    records_set_state(store->records, record.number, RECORD_REMOVING, error) < 0)
		return -1;
	return discard(store, record.number, error);
}

bool layerstore_exists(struct layerstore *store, const char *id)
{
	struct layer_error error;
	struct record record;
	LOCKED(mutex);

	return find(store, id, &record, &error) == 0 || error.code == LAYER_IN_USE;
}

/*
 * Mounting
 */

static int check_mount(const struct use *use, const char *id, const char *context, bool read_only,
		       struct layer_error *error)
{
	if (use->read_only && !read_only)
		return layer_failed(error, LAYER_IN_USE, "layer \"%s\" is mounted read-only", id);
	if (!use->found && !streq_null(use->context, context))
		return layer_failed(error, LAYER_IN_USE,
				    "layer \"%s\" is mounted with another SELinux context", id);
	return 0;
}

static struct use *mount_at(struct layerstore *store, const struct record *record,
			    const char *context, bool read_only, const char *path,
			    struct layer_error *error)
{
	struct use *use = begin_use(store, record, context, read_only, error);
	struct layer_error ignored;

	if (!use)
		return NULL;
	if (volume_attach(use->mount, path, error) < 0) {
		end_use(store, record, use, &ignored);
		return NULL;
	}
	close_fd(&use->mount);
	use->attached = true;
	return use;
}

/* What it was mounted with, only the process knew that has done it. */
static int take_over(struct use *use, const char *context, struct layer_error *error)
{
	if (context) {
		use->context = strdup(context);
		if (!use->context)
			return layer_out_of_memory(error);
	}
	use->found = false;
	return 0;
}

int layerstore_mount(struct layerstore *store, const char *id, const char *context, bool read_only,
		     char path[static PATH_MAX], struct layer_error *error)
{
	struct record record;
	struct use *use;
	LOCKED(mutex);

	if (find(store, id, &record, error) < 0 || mount_path(store, id, path, error) < 0)
		return -1;
	/* Somebody looks at it by a mount of another kind. */
	while ((use = find_use(store, record.number)) && !use->mounts && !use->found) {
		pthread_cond_wait(&look_ended, &mutex);
		if (find(store, id, &record, error) < 0)
			return -1;
	}
	if (use && check_mount(use, id, context, read_only, error) < 0)
		return -1;
	if (!use)
		use = mount_at(store, &record, context, read_only, path, error);
	if (!use || (use->found && take_over(use, context, error) < 0))
		return -1;
	use->mounts++;
	return 0;
}

int layerstore_unmount(struct layerstore *store, const char *id, struct layer_error *error)
{
	struct record record;
	struct use *use;
	LOCKED(mutex);

	if (find(store, id, &record, error) < 0)
		return -1;
	use = find_use(store, record.number);
	if (!use || (!use->mounts && !use->found))
		return layer_failed(error, LAYER_INVALID, "layer \"%s\" is not mounted", id);
	/* Others have it, too; or who looks at it now is the last to leave. */
	if (use->mounts > 1 || use->looks) {
		use->mounts -= use->mounts > 0;
		use->found = false;
		return 0;
	}
	return end_use(store, &record, use, error);
}

/* Mounts it for a moment, so that its journal is empty. */
static int recover_journal(struct layerstore *store, const struct record *record,
			   struct layer_error *error)
{
	struct use *use = find_use(store, record->number);

	if (use && !use->read_only)
		return layer_failed(error, LAYER_IN_USE, "layer \"%s\" is mounted writable",
				    record->id);
	if (use)
		return 0;
	use = begin_use(store, record, store->context, false, error);
	return use ? end_use(store, record, use, error) : -1;
}

int layerstore_activate(struct layerstore *store, const char *id, char device[static PATH_MAX],
			struct layer_error *error)
{
	struct record record;
	LOCKED(mutex);

	if (find(store, id, &record, error) < 0 ||
	    (!record.active && recover_journal(store, &record, error) < 0) ||
	    pool_activate(&store->pool, record.number, POOL_ORIGIN, record.size, true, device,
			  error) < 0)
		return -1;
	return records_set_active(store->records, record.number, true, error);
}

int layerstore_deactivate(struct layerstore *store, const char *id, struct layer_error *error)
{
	struct record record;
	LOCKED(mutex);

	if (find(store, id, &record, error) < 0 ||
	    pool_deactivate(&store->pool, record.number, POOL_ORIGIN, error) < 0)
		return -1;
	return records_set_active(store->records, record.number, false, error);
}

/*
 * Archives
 */

/* Returns the use that it is filled by, and its root folder in @root. */
static struct use *begin_apply(struct layerstore *store, const char *id, struct record *record,
			       int *root, struct layer_error *error)
{
	struct layer_error ignored;
	struct use *use;
	LOCKED(mutex);

	if (find(store, id, record, error) < 0 || check_unused(store, record, error) < 0 ||
	    check_children(store, record, error) < 0 || check_space(store, error) < 0 ||
	    records_set_state(store->records, record->number, RECORD_APPLYING, error) < 0)
		return NULL;
	use = begin_use(store, record, store->context, false, error);
	*root = use ? volume_open_mount(use->mount, error) : -1;
	if (*root >= 0)
		return use;
	if (use)
		end_use(store, record, use, &ignored);
	discard(store, record->number, &ignored);
	return NULL;
}

static int end_apply(struct layerstore *store, const struct record *record, struct use *use,
		     int *root, int result, struct layer_error *error)
{
	struct layer_error ignored;
	LOCKED(mutex);

	close_fd(root);
	if (result < 0)
		blame_pool(store, error);
	end_use(store, record, use, &ignored);
	if (result == 0 &&
	    records_set_state(store->records, record->number, RECORD_READY, error) == 0)
		return 0;
	discard(store, record->number, &ignored);
	return -1;
}

int layerstore_apply(struct layerstore *store, const char *id, int fd, uint64_t *ret_size,
		     struct layer_error *error)
{
	struct record record;
	struct use *use;
	int root, r;

	use = begin_apply(store, id, &record, &root, error);
	if (!use)
		return -1;
	r = stream_unpack(root, fd, ret_size, error);
	if (r == 0 && syncfs(root) < 0)
		r = layer_failed(error, LAYER_FAILED, "layer \"%s\" cannot be written: %s", id,
				 strerror(errno));
	return end_apply(store, &record, use, &root, r, error);
}

/* Two layers that are looked at; the first may be none. */
struct pair {
	struct record lower, upper;
	int lower_root, upper_root;
};

static int begin_pair(struct layerstore *store, const char *id, const char *parent, bool whole,
		      struct pair *pair, struct layer_error *error)
{
	LOCKED(mutex);

	pair->lower_root = -1;
	if (find(store, id, &pair->upper, error) < 0 ||
	    (!whole && find(store, parent, &pair->lower, error) < 0))
		return -1;
	pair->upper_root = begin_look(store, &pair->upper, error);
	if (pair->upper_root < 0)
		return -1;
	if (whole)
		return 0;
	pair->lower_root = begin_look(store, &pair->lower, error);
	if (pair->lower_root >= 0)
		return 0;
	end_look(store, &pair->upper, &pair->upper_root);
	return -1;
}

static void end_pair(struct layerstore *store, struct pair *pair)
{
	LOCKED(mutex);

	if (pair->lower_root >= 0)
		end_look(store, &pair->lower, &pair->lower_root);
	end_look(store, &pair->upper, &pair->upper_root);
}

int layerstore_diff(struct layerstore *store, const char *id, const char *parent, int fd,
		    struct layer_error *error)
{
	struct pair pair;
	int r;

	if (begin_pair(store, id, parent, !parent, &pair, error) < 0)
		return -1;
	r = stream_pack(pair.lower_root, pair.upper_root, fd, error);
	end_pair(store, &pair);
	return r < 0 ? -1 : 0;
}

int layerstore_changes(struct layerstore *store, const char *id, const char *parent,
		       int (*each)(const char *path, enum change kind, void *userdata),
		       void *userdata, struct layer_error *error)
{
	struct pair pair;
	int r;

	if (begin_pair(store, id, parent, false, &pair, error) < 0)
		return -1;
	r = compare_trees(pair.lower_root, pair.upper_root, each, userdata, error);
	end_pair(store, &pair);
	return r;
}

int layerstore_diff_size(struct layerstore *store, const char *id, const char *parent,
			 uint64_t *ret, struct layer_error *error)
{
	struct pair pair;
	int r;

	if (begin_pair(store, id, parent, false, &pair, error) < 0)
		return -1;
	r = stream_size(pair.lower_root, pair.upper_root, ret, error);
	end_pair(store, &pair);
	return r;
}

/*
 * What is known
 */

int layerstore_set(struct layerstore *store, const char *id, const char *key, const char *value,
		   struct layer_error *error)
{
	LOCKED(mutex);

	return check_id(id, error) < 0 ? -1 :
	       records_set_note(store->records, id, key, value, error);
}

int layerstore_get(struct layerstore *store, const char *id, const char *key, char **ret,
		   struct layer_error *error)
{
	LOCKED(mutex);

	return check_id(id, error) < 0 ? -1 :
	       records_get_note(store->records, id, key, ret, error);
}

int layerstore_each_note(struct layerstore *store, const char *prefix,
			 int (*each)(const char *id, const char *key, const char *value,
				     void *userdata),
			 void *userdata, struct layer_error *error)
{
	LOCKED(mutex);

	return records_each_note(store->records, prefix, each, userdata, error);
}

static int list(struct layerstore *store, struct record **ret, size_t *ret_n,
		struct layer_error *error)
{
	LOCKED(mutex);

	return records_list(store->records, ret, ret_n, error);
}

static bool is_layer(const struct record *record)
{
	return record->has_parent &&
	       (record->state == RECORD_READY || record->state == RECORD_APPLYING);
}

int layerstore_each(struct layerstore *store,
		    int (*each)(const char *id, const char *parent, void *userdata),
		    void *userdata, struct layer_error *error)
{
	cleanup_free struct record *records = NULL;
	size_t n = 0;
	int r = list(store, &records, &n, error);

	for (size_t i = 0; r == 0 && i < n; i++)
		if (is_layer(&records[i]))
			r = each(records[i].id, *records[i].parent ? records[i].parent : NULL,
				 userdata);
	return r;
}

int layerstore_info(struct layerstore *store, const char *id, struct layer_info *ret,
		    struct layer_error *error)
{
	struct record record;
	struct use *use;
	LOCKED(mutex);

	if (check_id(id, error) < 0 || records_find(store->records, id, &record, error) < 0)
		return -1;
	use = find_use(store, record.number);
	*ret = (struct layer_info){ .number = record.number, .size = record.size,
				    .active = record.active, .mounted = use && use->attached };
	snprintf(ret->parent, sizeof(ret->parent), "%s", record.parent);
	if (use || record.active)
		pool_device_name(&store->pool, record.number,
				 record.active ? POOL_ORIGIN : POOL_MOUNT, ret->device);
	return mount_path(store, id, ret->path, error);
}

int layerstore_status(struct layerstore *store, struct layerstore_status *ret,
		      struct layer_error *error)
{
	cleanup_free struct record *records = NULL;
	struct pool_status status;
	size_t n;
	LOCKED(mutex);

	if (pool_status(&store->pool, &status, error) < 0 ||
	    records_list(store->records, &records, &n, error) < 0)
		return -1;
	*ret = (struct layerstore_status){
		.block_size = status.block_size,
		.data_used = status.data_used,
		.data_total = status.data_total,
		.metadata_used = status.metadata_used,
		.metadata_total = status.metadata_total,
		.on_loop = status.on_loop,
		.out_of_space = status.out_of_space,
		.read_only = status.read_only,
		.needs_check = status.needs_check,
		.waits_when_full = status.waits_when_full,
	};
	for (size_t i = 0; i < n; i++)
		ret->layers += is_layer(&records[i]);
	snprintf(ret->pool, sizeof(ret->pool), "%s", store->pool.name);
	snprintf(ret->fs_type, sizeof(ret->fs_type), "%s", store->fs_type);
	return 0;
}

/*
 * The base
 */

static int make_base_volume(struct layerstore *store, const struct record *base, const char *uuid,
			    int lock, struct layer_error *error)
{
	char device[PATH_MAX];
	int r;

	if (pool_activate(&store->pool, base->number, POOL_MOUNT, base->size, false, device,
			  error) < 0)
		return -1;
	r = volume_make(device, store->fs_type, uuid, lock, error);
	if (r < 0)
		blame_pool(store, error);
	if (pool_deactivate(&store->pool, base->number, POOL_MOUNT, error) < 0)
		r = -1;
	return r;
}

/* Takes a range of numbers for this store: one whose first nobody has. */
static int claim_range(struct layerstore *store, struct record *base, struct layer_error *error)
{
	int r = -EEXIST;

	for (uint32_t i = 0; r == -EEXIST && i < N_RANGES; i++) {
		base->number = i * RANGE;
		if (records_add(store->records, base, error) < 0)
			return -1;
		r = pool_create(&store->pool, base->number, error);
		if (r < 0 && records_forget(store->records, base->number, error) < 0)
			return -1;
	}
	return r < 0 ? -1 : 0;
}

/* Its uuid is known before there is anything, as discard_base() needs it. */
static int make_base(struct layerstore *store, uint64_t size, int lock, struct layer_error *error)
{
	struct record base = { .state = RECORD_MAKING, .size = size & ~4095ull };
	char uuid[VOLUME_UUID_SIZE];
	struct layer_error ignored;

	if (check_space(store, error) < 0 || volume_new_uuid(uuid, error) < 0 ||
	    records_set_setting(store->records, "uuid", uuid, error) < 0 ||
	    records_set_setting(store->records, "fs_type", store->fs_type, error) < 0 ||
	    records_set_setting(store->records, "pool", store->pool.name, error) < 0 ||
	    claim_range(store, &base, error) < 0)
		return -1;
	if (make_base_volume(store, &base, uuid, lock, error) == 0 &&
	    records_set_state(store->records, base.number, RECORD_READY, error) == 0)
		return 0;
	discard(store, base.number, &ignored);
	return -1;
}

/*
 * Removes a base that was begun: but only if it is not another store's by now or
 * was all the time.  Only who holds the pool's lock has one without a file system.
 */
static int discard_base(struct layerstore *store, const struct record *base,
			struct layer_error *error)
{
	cleanup_free char *ours = NULL;
	char device[PATH_MAX], uuid[VOLUME_UUID_SIZE];
	struct layer_error ignored;
	bool is_there;

	if (records_get_setting(store->records, "uuid", &ours, error) < 0)
		return -1;
	is_there = pool_activate(&store->pool, base->number, POOL_PROBE, base->size, true, device,
				 &ignored) == 0;
	if (is_there && (volume_read_uuid(device, uuid, error) < 0 ||
			 pool_deactivate(&store->pool, base->number, POOL_PROBE, error) < 0))
		return -1;
	if (is_there && (!*uuid || streq_null(uuid, ours)))
		return discard(store, base->number, error);
	return records_forget(store->records, base->number, error);
}

static int lock_pool(struct layerstore *store, struct layer_error *error)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "/dev/mapper/%s", store->pool.name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX) == 0)
		return fd;
	layer_failed(error, LAYER_FAILED, "cannot lock %s: %s", path, strerror(errno));
	close_fd(&fd);
	return -1;
}

static int find_base(struct layerstore *store, uint64_t size, struct record *ret,
		     struct layer_error *error)
{
	cleanup_close int locked = -1;
	int r = records_find(store->records, RECORD_BASE, ret, error);

	if (r < 0 && error->code != LAYER_NO_SUCH)
		return -1;
	if (r == 0 && ret->state == RECORD_READY)
		return 0;
	locked = lock_pool(store, error);
	if (locked < 0 || (r == 0 && discard_base(store, ret, error) < 0) ||
	    make_base(store, size, locked, error) < 0)
		return -1;
	return records_find(store->records, RECORD_BASE, ret, error);
}

/* The store has the pool and the type of file system that it was made with. */
static int open_base(struct layerstore *store, uint64_t size, struct layer_error *error)
{
	cleanup_free char *pool = NULL, *type = NULL;
	struct record base;

	if (find_base(store, size, &base, error) < 0 ||
	    records_get_setting(store->records, "pool", &pool, error) < 0 ||
	    records_get_setting(store->records, "fs_type", &type, error) < 0)
		return -1;
	if (!streq_null(pool, store->pool.name))
		return layer_failed(error, LAYER_INVALID,
				    "the layers of %s are in the thin pool %s, not in %s",
				    store->folder, pool ?: "?", store->pool.name);
	snprintf(store->fs_type, sizeof(store->fs_type), "%s", type ?: "");
	store->first = base.number;
	store->last = base.number + RANGE - 1;
	return 0;
}

/*
 * Recovery
 */

/* Folders of layers that are not mounted; others stay. */
static void remove_folders(const char *path)
{
	cleanup_closedir DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
			unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
}

/* A layer that is mounted is so for a container that has outlived the process. */
static int adopt_mount(struct layerstore *store, const struct record *record,
		       struct layer_error *error)
{
	struct statvfs st;
	char path[PATH_MAX];
	struct use *use;

	if (mount_path(store, record->id, path, error) < 0)
		return -1;
	if (!volume_is_attached(path))
		return 0;
	use = add_use(store, record->number, NULL,
		      statvfs(path, &st) == 0 && st.f_flag & ST_RDONLY, error);
	if (!use)
		return -1;
	use->attached = true;
	use->found = true;
	return 0;
}

/* Devices that nothing needs; which origins are needed, recover() knows. */
static void remove_device(uint32_t number, enum pool_role role, void *userdata)
{
	struct layerstore *store = userdata;
	struct layer_error ignored;

	if (role == POOL_PROBE || (role == POOL_MOUNT && !find_use(store, number)))
		pool_deactivate(&store->pool, number, role, &ignored);
}

/* Whatever the process before us was doing with that layer has been done, or undone. */
static int recover_layer(struct layerstore *store, const struct record *record,
			 struct layer_error *error)
{
	struct layer_error ignored;
	char device[PATH_MAX];

	if (record->state != RECORD_READY)
		return discard(store, record->number, error);
	if (record->active)
		return pool_activate(&store->pool, record->number, POOL_ORIGIN, record->size, true,
				     device, error);
	pool_deactivate(&store->pool, record->number, POOL_ORIGIN, &ignored);
	return 0;
}

static int recover(struct layerstore *store, struct layer_error *error)
{
	cleanup_free struct record *records = NULL;
	size_t n;

	if (records_list(store->records, &records, &n, error) < 0)
		return -1;
	for (size_t i = 1; i < n; i++)
		if (records[i].state == RECORD_READY &&
		    adopt_mount(store, &records[i], error) < 0)
			return -1;
	if (pool_each_device(&store->pool, store->first, store->last, remove_device, store,
			     error) < 0)
		return -1;
	for (size_t i = n; i-- > 1;)
		/* What somebody has open can be removed another time. */
		if (recover_layer(store, &records[i], error) < 0 && error->code != LAYER_IN_USE)
			return -1;
	return 0;
}

/*
 * Opening
 */

/* In no other mount namespace than those made later is anything of it seen. */
static int make_private(const char *path, struct layer_error *error)
{
	if (volume_is_attached(path))
		return 0;
	if (mount(path, path, NULL, MS_BIND, NULL) == 0 &&
	    mount(NULL, path, NULL, MS_PRIVATE, NULL) == 0)
		return 0;
	return layer_failed(error, LAYER_FAILED, "cannot mount at %s: %s", path, strerror(errno));
}

static int open_folder(struct layerstore *store, const char *folder, struct layer_error *error)
{
	char path[PATH_MAX];

	if (folder[0] != '/')
		return layer_failed(error, LAYER_INVALID, "\"%s\" is no absolute path", folder);
	store->folder = strdup(folder);
	if (!store->folder)
		return layer_out_of_memory(error);
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return layer_failed(error, LAYER_FAILED, "cannot make the folder %s: %s", folder,
				    strerror(errno));
	if (snprintf(path, sizeof(path), "%s/layers.sqlite", folder) >= (int)sizeof(path))
		return layer_failed(error, LAYER_INVALID, "the path of a store is too long");
	/* It has the lock: what follows is nobody else's. */
	if (records_open(path, &store->records, error) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/mnt", folder);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return layer_failed(error, LAYER_FAILED, "cannot make the folder %s: %s", path,
				    strerror(errno));
	if (make_private(path, error) < 0)
		return -1;
	remove_folders(path);
	return 0;
}

static int open_store(struct layerstore *store, const struct layerstore_options *options,
		      struct layer_error *error)
{
	const char *type = options->fs_type ?: "ext4";

	if (!volume_type_is_known(type))
		return layer_failed(error, LAYER_INVALID,
				    "layers can be ext4 or xfs, and not \"%s\"", type);
	snprintf(store->fs_type, sizeof(store->fs_type), "%s", type);
	if (options->context) {
		store->context = strdup(options->context);
		if (!store->context)
			return layer_out_of_memory(error);
	}
	if (pool_open(&store->pool, options->pool, options->prefix ?: DEFAULT_PREFIX, error) < 0 ||
	    open_folder(store, options->folder, error) < 0 ||
	    open_base(store, options->size ?: DEFAULT_SIZE, error) < 0)
		return -1;
	return recover(store, error);
}

static void free_store(struct layerstore *store)
{
	char path[PATH_MAX];

	while (store->uses)
		drop_use(store, store->uses);
	/* It stays while a layer is mounted in it. */
	if (store->records && snprintf(path, sizeof(path), "%s/mnt", store->folder) > 0)
		umount2(path, UMOUNT_NOFOLLOW);
	records_close(store->records);
	free(store->folder);
	free(store->context);
	free(store);
}

int layerstore_open(const struct layerstore_options *options, struct layerstore **ret,
		    struct layer_error *error)
{
	struct layerstore *store = calloc(1, sizeof(*store));
	LOCKED(mutex);

	if (!store)
		return layer_out_of_memory(error);
	if (open_store(store, options, error) < 0) {
		free_store(store);
		return -1;
	}
	*ret = store;
	return 0;
}

void layerstore_close(struct layerstore *store)
{
	LOCKED(mutex);

	if (store)
		free_store(store);
}
