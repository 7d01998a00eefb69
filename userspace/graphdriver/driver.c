// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Docker's graph driver; driver.h is the contract.
 *
 * The image that views are of is an origin of rootviewd, named as the image's layer,
 * from the first view on until that layer is removed: so a container that comes and
 * goes costs a view, and nothing else.
 */
#include "driver.h"

#include <ctype.h>
#include <pthread.h>
#include "librootview/rootview.h"
#include <search.h>
#include <sys/stat.h>

#include "util.h"

/* Notes on layers.  The first is on an image's, and goes on with the view's id. */
#define NOTE_VIEW	"view:"
#define NOTE_WRITABLE	"writable"

/* What Docker puts into every "-init" layer; rootviewd has a list of it. */
#define MOUNT_POINTS	"docker"

#define INIT_SUFFIX	"-init"

/* A view of an image, as Docker has it: a layer of its own. */
struct shared {
	char *id;
	char *image;
};

static struct {
	pthread_mutex_t mutex;
	char *home;
	struct layerstore *store;
	struct rootview *daemon;
	void *views;		/* a tree of struct shared, by id */
	size_t n_views;
} driver = { .mutex = PTHREAD_MUTEX_INITIALIZER };

#define cleanup_unlock cleanup_with(unlock)

static void unlock(pthread_mutex_t **locked)
{
	pthread_mutex_unlock(*locked);
}

static pthread_mutex_t *lock(void)
{
	pthread_mutex_lock(&driver.mutex);
	return &driver.mutex;
}

/* Of functions that hold the lock until they return. */
#define LOCKED cleanup_unlock __attribute__((__unused__)) pthread_mutex_t *locked = lock()

static int out_of_memory(struct layer_error *error)
{
	return layer_failed(error, LAYER_FAILED, "out of memory");
}

/*
 * Views.
 */

static int compare(const void *a, const void *b)
{
	const struct shared *x = a, *y = b;

	return strcmp(x->id, y->id);
}

static void free_shared(void *p)
{
	struct shared *s = p;

	free(s->id);
	free(s->image);
	free(s);
}

static struct shared *find(const char *id)
{
	struct shared key = { .id = (char *)id };
	void *node = tfind(&key, &driver.views, compare);

	return node ? *(struct shared **)node : NULL;
}

static int add(const char *id, const char *image)
{
	struct shared *s = calloc(1, sizeof(*s));

	if (!s)
		return -1;
	*s = (struct shared){ .id = strdup(id), .image = strdup(image) };
	if (!s->id || !s->image || !tsearch(s, &driver.views, compare)) {
		free_shared(s);
		return -1;
	}
	driver.n_views++;
	return 0;
}

static void forget(struct shared *s)
{
	tdelete(s, &driver.views, compare);
	free_shared(s);
	driver.n_views--;
}

static int note_view(const char *image, const char *id, const char *value,
		     struct layer_error *error)
{
	cleanup_free char *key = NULL;

	if (asprintf(&key, NOTE_VIEW "%s", id) < 0)
		return out_of_memory(error);
	return layerstore_set(driver.store, image, key, value, error);
}

static int load_view(const char *image, const char *key, const char *value, void *userdata)
{
	struct layer_error *error = userdata;

	(void)value;
	return add(after_prefix(key, NOTE_VIEW), image) < 0 ? out_of_memory(error) : 0;
}

/*
 * rootviewd.
 */

static int refused(const char *about, int r, struct layer_error *error)
{
	return layer_failed(error, LAYER_FAILED, "rootviewd, \"%s\": %s", about,
			    r == -EREMOTEIO ? rootview_error_message(driver.daemon) : strerror(-r));
}

static int connect_daemon(struct layer_error *error)
{
	int r;

	if (driver.daemon)
		return 0;
	r = rootview_connect(NULL, &driver.daemon);
	return r < 0 ? layer_failed(error, LAYER_FAILED, "rootviewd does not answer: %s",
				    strerror(-r)) : 0;
}

/*
 * Runs the call that a function has put into @call, returning @built.  Returns 0 or a
 * negative errno; a daemon that was started anew meanwhile is another one's to meet.
 */
static int run(int built, struct rootview_call **call, struct rootview_reply **ret)
{
	int r = built < 0 ? built : rootview_run(driver.daemon, *call, ret);

	if (r == -ENOTCONN || r == -ECONNRESET) {
		rootview_disconnect(driver.daemon);
		driver.daemon = NULL;
	}
	return r;
}

/* Whether rootviewd refused for that reason. */
static bool is_refusal(int r, const char *name)
{
	const char *is = r == -EREMOTEIO ? rootview_error_name(driver.daemon) : NULL;

	return is && streq(is, name);
}

#define NO_SUCH_ORIGIN	"io.rootview.NoSuchOrigin"
#define NO_SUCH_VIEW	"io.rootview.NoSuchView"
#define ORIGIN_EXISTS	"io.rootview.OriginExists"

static int need_origin(const char *image, struct layer_error *error)
{
	struct rootview_call *call;
	char device[PATH_MAX];
	int r;

	if (layerstore_activate(driver.store, image, device, error) < 0)
		return -1;
	r = run(rootview_call_add_origin(&call, image, device, NULL), &call, NULL);
	return r < 0 && !is_refusal(r, ORIGIN_EXISTS) ? refused(image, r, error) : 0;
}

static struct rootview_request *new_request(const struct shared *s, bool with_list)
{
	struct rootview_request *request = rootview_request_new();

	if (request && rootview_request_set_name(request, s->id) == 0 &&
	    rootview_request_set_mount(request, ROOTVIEW_SHARED) == 0 &&
	    (!with_list || rootview_request_add_list(request, MOUNT_POINTS) == 0))
		return request;
	rootview_request_free(request);
	return NULL;
}

static int take_path(struct rootview_reply *reply, const struct shared *s,
		     char path[static PATH_MAX], struct layer_error *error)
{
	const char *found = rootview_reply_path(reply, 0);
	int r = 0;

	if (found)
		snprintf(path, PATH_MAX, "%s", found);
	else
		r = layer_failed(error, LAYER_FAILED, "rootviewd gave no path for \"%s\"", s->id);
	rootview_reply_free(reply);
	return r;
}

static int create_view(const struct shared *s, char path[static PATH_MAX],
		       struct layer_error *error)
{
	struct rootview_request *request = new_request(s, true);
	struct rootview_reply *reply;
	struct rootview_call *call;
	int r;

	if (!request)
		return out_of_memory(error);
	r = need_origin(s->image, error);
	if (r == 0) {
		r = run(rootview_call_create(&call, s->image, &request, 1), &call, &reply);
		r = r < 0 ? refused(s->id, r, error) : take_path(reply, s, path, error);
	}
	rootview_request_free(request);
	return r;
}

/* A view that is there already is so since before this process, or a first Get. */
static int get_view(const struct shared *s, char path[static PATH_MAX], struct layer_error *error)
{
	struct rootview_request *request;
	struct rootview_reply *reply;
	struct rootview_call *call;
	int r;

	if (connect_daemon(error) < 0)
		return -1;
	request = new_request(s, false);
	if (!request)
		return out_of_memory(error);
	r = run(rootview_call_mount(&call, s->image, request), &call, &reply);
	rootview_request_free(request);
	if (r == 0)
		return take_path(reply, s, path, error);
	if (is_refusal(r, NO_SUCH_ORIGIN) || is_refusal(r, NO_SUCH_VIEW))
		return create_view(s, path, error);
	return refused(s->id, r, error);
}

static int delete_view(const struct shared *s, struct layer_error *error)
{
	struct rootview_call *call;
	int r;

	if (connect_daemon(error) < 0)
		return -1;
	r = run(rootview_call_delete(&call, s->image, (const char *const *)&s->id, 1), &call, NULL);
	return r < 0 && !is_refusal(r, NO_SUCH_ORIGIN) && !is_refusal(r, NO_SUCH_VIEW) ?
	       refused(s->id, r, error) : 0;
}

/* Of an image that is to be removed. */
static int remove_origin(const char *image, struct layer_error *error)
{
	struct rootview_call *call;
	int r;

	if (connect_daemon(error) < 0)
		return -1;
	r = run(rootview_call_remove_origin(&call, image), &call, NULL);
	if (r < 0 && !is_refusal(r, NO_SUCH_ORIGIN))
		return refused(image, r, error);
	return layerstore_deactivate(driver.store, image, error);
}

/*
 * Options.
 */

bool driver_parse_size(const char *text, uint64_t *ret)
{
	static const char units[] = "kmgt";
	const char *unit;
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)*text) || errno)
		return false;
	unit = *end ? strchr(units, tolower((unsigned char)*end)) : NULL;
	/* As in "10GB" and "10GiB". */
	if (unit && (!end[1] || !strcasecmp(end + 1, "b") || !strcasecmp(end + 1, "ib"))) {
		int shift = 10 * (unit - units + 1);

		if (*ret > UINT64_MAX >> shift)
			return false;
		*ret <<= shift;
		return true;
	}
	return !*end;
}

static int take_option(const char *option, struct layerstore_options *to, struct layer_error *error)
{
	const char *pool = after_prefix(option, "rootview.pool=");
	const char *type = after_prefix(option, "rootview.fs=");
	const char *size = after_prefix(option, "rootview.size=");

	if (pool)
		to->pool = pool;
	else if (type)
		to->fs_type = type;
	else if (!size || !driver_parse_size(size, &to->size))
		return layer_failed(error, LAYER_INVALID,
				    "the option \"%s\" makes no sense to this driver", option);
	return 0;
}

/*
 * The driver.
 */

static void close_all(void)
{
	tdestroy(driver.views, free_shared);
	if (driver.store)
		layerstore_close(driver.store);
	if (driver.daemon)
		rootview_disconnect(driver.daemon);
	free(driver.home);
	driver.views = NULL;
	driver.n_views = 0;
	driver.store = NULL;
	driver.daemon = NULL;
	driver.home = NULL;
}

int driver_init(const char *home, const char *const *options, struct layer_error *error)
{
	struct layerstore_options store = { .folder = home };
	LOCKED;

	for (; *options; options++)
		if (take_option(*options, &store, error) < 0)
			return -1;
	if (!store.pool)
		return layer_failed(error, LAYER_NO_POOL, "no thin pool is given: "
				    "dockerd needs --storage-opt rootview.pool=/dev/mapper/POOL");
	if (driver.home && streq(driver.home, home))
		return 0;
	close_all();
	driver.home = strdup(home);
	if (!driver.home)
		return out_of_memory(error);
	if (layerstore_open(&store, &driver.store, error) == 0 &&
	    layerstore_each_note(driver.store, NOTE_VIEW, load_view, error, error) == 0)
		return 0;
	close_all();
	return -1;
}

void driver_close(void)
{
	LOCKED;

	close_all();
}

struct layerstore *driver_store(void)
{
	LOCKED;

	return driver.store;
}

size_t driver_views(void)
{
	LOCKED;

	return driver.n_views;
}

static int check_open(struct layer_error *error)
{
	if (driver.store)
		return 0;
	return layer_failed(error, LAYER_FAILED, "the driver was not initialised");
}

static int create_shared(const struct driver_request *request, const char *image,
			 struct layer_error *error)
{
	if (!request->writable || !*image)
		return layer_failed(error, LAYER_INVALID,
				    "\"%s\" has no image that it could share", request->id);
	if (find(request->id) || layerstore_exists(driver.store, request->id))
		return layer_failed(error, LAYER_EXISTS, "there is a layer \"%s\" already",
				    request->id);
	if (note_view(image, request->id, "", error) < 0)
		return -1;
	return add(request->id, image) < 0 ? out_of_memory(error) : 0;
}

static int create_layer(const struct driver_request *request, struct layer_error *error)
{
	const char *parent = *request->parent ? request->parent : NULL;
	struct layer_error ignored;

	if (layerstore_create(driver.store, request->id, parent, request->size, error) < 0)
		return -1;
	if (!request->writable ||
	    layerstore_set(driver.store, request->id, NOTE_WRITABLE, "", error) == 0)
		return 0;
	layerstore_remove(driver.store, request->id, &ignored);
	return -1;
}

int driver_create(const struct driver_request *request, struct layer_error *error)
{
	struct shared *parent;
	LOCKED;

	if (check_open(error) < 0)
		return -1;
	parent = find(request->parent);
	if (parent || request->shared)
		return create_shared(request, parent ? parent->image : request->parent, error);
	return create_layer(request, error);
}

static int remove_shared(struct shared *s, struct layer_error *error)
{
	if (delete_view(s, error) < 0 || note_view(s->image, s->id, NULL, error) < 0)
		return -1;
	forget(s);
	return 0;
}

/* Docker is content if there is no such layer. */
int driver_remove(const char *id, struct layer_error *error)
{
	struct layer_error ignored;
	struct layer_info info;
	struct shared *s;
	LOCKED;

	if (check_open(error) < 0)
		return -1;
	s = find(id);
	if (s)
		return remove_shared(s, error);
	if (layerstore_info(driver.store, id, &info, error) < 0)
		return error->code == LAYER_NO_SUCH ? 0 : -1;
	if (info.active && remove_origin(id, error) < 0)
		return -1;
	/* dockerd 26.1 forgets the Put of an export; nothing uses what it removes. */
	while (info.mounted && layerstore_unmount(driver.store, id, &ignored) == 0)
		;
	return layerstore_remove(driver.store, id, error);
}

bool driver_exists(const char *id)
{
	LOCKED;

	return driver.store && (find(id) || layerstore_exists(driver.store, id));
}

bool driver_is_view(const char *id)
{
	LOCKED;

	return find(id);
}

static int get_layer(const char *id, const char *label, char path[static PATH_MAX],
		     struct layer_error *error)
{
	cleanup_free char *writable = NULL;

	if (layerstore_get(driver.store, id, NOTE_WRITABLE, &writable, error) < 0)
		return -1;
	return layerstore_mount(driver.store, id, *label ? label : NULL, !writable, path, error);
}

int driver_get(const char *id, const char *label, char path[static PATH_MAX],
	       struct layer_error *error)
{
	struct shared *s;
	LOCKED;

	if (check_open(error) < 0)
		return -1;
	s = find(id);
	return s ? get_view(s, path, error) : get_layer(id, label, path, error);
}

/* Of what is not mounted, Docker may say it all the same: after a restart, for one. */
static int put_layer(const char *id, struct layer_error *error)
{
	struct layer_info info;

	if (layerstore_info(driver.store, id, &info, error) < 0)
		return -1;
	return info.mounted ? layerstore_unmount(driver.store, id, error) : 0;
}

static bool is_init(const char *id)
{
	size_t n = strlen(id), suffix = strlen(INIT_SUFFIX);

	return n > suffix && streq(id + n - suffix, INIT_SUFFIX);
}

/*
 * A container's view stays until it is removed: who counts, as Docker wants drivers to,
 * would have to know after a restart how many have it.  An "-init" layer is done with.
 */
int driver_put(const char *id, struct layer_error *error)
{
	struct shared *s;
	LOCKED;

	if (check_open(error) < 0)
		return -1;
	s = find(id);
	if (!s)
		return put_layer(id, error);
	return is_init(id) ? delete_view(s, error) : 0;
}
