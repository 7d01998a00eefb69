// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Docker's graph driver; driver.h is the contract.
 *
 * Docker tells a driver of no container that it is read-only, and wants each Get of one
 * to answer the same path.  So a container begins with a layer of its own, of which
 * little is used; at the Get with which it is started, what Docker has written down of
 * it tells.  Then a view takes the layer's place, at its path, and the layer goes.  It
 * stays where there is any doubt: a container that starts slowly is better than none.
 *
 * The image that views are of is an origin of rootviewd, named as the image's layer,
 * from the first view on until that layer is removed: so a container that comes and
 * goes costs a view, and nothing else.
 */
#include "driver.h"

#include <fcntl.h>
#include <poll.h>
#include <search.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "container.h"
#include "librootview/rootview.h"
#include "lock.h"
#include "storage.h"
#include "text.h"
#include "util.h"

/*
 * Notes on layers.  The first two are on an image's, and go on with the view's id; their
 * values are the path that the view has of its own, or empty, and the mount points that
 * it was asked for with.
 */
#define NOTE_VIEW	"view:"
#define NOTE_POINTS	"mount-points:"
#define NOTE_WRITABLE	"writable"

/* What Docker puts into every "-init" layer; rootviewd has a list of it. */
#define MOUNT_POINTS	"docker"

#define INIT_SUFFIX	"-init"

/* A view of an image, as Docker has it: a layer of its own. */
struct shared {
	char *id;
	char *image;
	char *path;	/* of its own; NULL: one that all such views share */
	char *mount_points;	/* NULL: none */
};

static struct {
	pthread_mutex_t mutex;
	char *home, *pool;
	struct layerstore *store;
	struct rootview *daemon;
	void *views;		/* a tree of struct shared, by id */
	size_t n_views;
} driver = { .mutex = PTHREAD_MUTEX_INITIALIZER };

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
	free(s->path);
	free(s->mount_points);
	free(s);
}

static struct shared *find(const char *id)
{
	struct shared key = { .id = (char *)id };
	void *node = tfind(&key, &driver.views, compare);

	return node ? *(struct shared **)node : NULL;
}

/* Of an empty text there is none; @good becomes false if memory is short. */
static char *copy(const char *text, bool *good)
{
	char *copied = *text ? strdup(text) : NULL;

	*good = *good && (copied || !*text);
	return copied;
}

static int add(const char *id, const char *image, const char *path, const char *mount_points)
{
	struct shared *s = calloc(1, sizeof(*s));
	bool good = s;

	if (!s)
		return -1;
	*s = (struct shared){
		.id = copy(id, &good), .image = copy(image, &good), .path = copy(path, &good),
		.mount_points = copy(mount_points, &good),
	};
	if (!good || !tsearch(s, &driver.views, compare)) {
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

static int note(const char *image, const char *prefix, const char *id, const char *value,
		struct layer_error *error)
{
	cleanup_free char *key = NULL;

	if (asprintf(&key, "%s%s", prefix, id) < 0)
		return layer_out_of_memory(error);
	return layerstore_set(driver.store, image, key, value, error);
}

static int note_view(const char *image, const char *id, const char *value,
		     struct layer_error *error)
{
	return note(image, NOTE_VIEW, id, value, error);
}

static int load_view(const char *image, const char *key, const char *value, void *userdata)
{
	struct layer_error *error = userdata;

	return add(after_prefix(key, NOTE_VIEW), image, value, "") < 0 ?
	       layer_out_of_memory(error) : 0;
}

static int load_points(const char *image, const char *key, const char *value, void *userdata)
{
	struct shared *s = find(after_prefix(key, NOTE_POINTS));

	(void)image;
	/* A driver died before it had noted the view, which nobody knows of then. */
	if (!s)
		return 0;
	s->mount_points = strdup(value);
	return s->mount_points ? 0 : layer_out_of_memory(userdata);
}

/*
 * rootviewd.
 */

static int refused(const char *about, int r, struct layer_error *error)
{
	return layer_failed(error, LAYER_FAILED, "rootviewd, \"%s\": %s", about,
			    r == -EREMOTEIO ? rootview_error_message(driver.daemon) : strerror(-r));
}

/* Nothing comes unasked: who has something to read on it, reads that it has ended. */
static bool is_connected(void)
{
	struct pollfd idle = { .fd = rootview_get_fd(driver.daemon), .events = POLLIN };

	return poll(&idle, 1, 0) == 0;
}

/* rootviewd may have been started anew since the last call. */
static int connect_daemon(struct layer_error *error)
{
	int r;

	if (driver.daemon && is_connected())
		return 0;
	rootview_disconnect(driver.daemon);
	driver.daemon = NULL;
	r = rootview_connect(NULL, &driver.daemon);
	return r < 0 ? layer_failed(error, LAYER_FAILED, "rootviewd does not answer: %s",
				    strerror(-r)) : 0;
}

/* Runs the call that a function has put into @call, returning @built; 0 or a negative errno. */
static int run(int built, struct rootview_call **call, struct rootview_reply **ret)
{
	return built < 0 ? built : rootview_run(driver.daemon, *call, ret);
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

/* With what Docker and the container will mount on. */
static struct rootview_request *new_request(const struct shared *s,
					    const struct container *container,
					    const char *label)
{
	struct rootview_request *request = rootview_request_new();
	bool good = request && rootview_request_set_name(request, s->id) == 0 &&
		    rootview_request_add_list(request, MOUNT_POINTS) == 0 &&
		    (!*label || rootview_request_set_label(request, label) == 0);

	for (size_t i = 0; good && i < container->n_points; i++) {
		const struct container_point *point = &container->points[i];

		good = rootview_request_add_mount_point(request, point->path, point->is_file ?
							ROOTVIEW_FILE : ROOTVIEW_DIRECTORY,
							NULL) == 0;
	}
	if (good)
		return request;
	rootview_request_free(request);
	return NULL;
}

/*
 * Attaches @view at the path that Docker's layer would have, unless that is done: Docker may ask
 * again and again, also after this process was started anew.
 */
static int attach_view(const struct shared *s, int view, struct layer_error *error)
{
	struct statx wanted, there;
	int r = 0;

	if (mkdir(s->path, 0700) < 0 && errno != EEXIST)
		return layer_failed(error, LAYER_FAILED, "cannot make the folder %s: %s", s->path,
				    strerror(errno));
	if (statx(view, "", AT_EMPTY_PATH, 0, &wanted) < 0 ||
	    statx(AT_FDCWD, s->path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &there) < 0)
		r = -errno;
	else if (!(there.stx_attributes & STATX_ATTR_MOUNT_ROOT) ||
		 there.stx_dev_major != wanted.stx_dev_major ||
		 there.stx_dev_minor != wanted.stx_dev_minor)
		r = rootview_attach(view, s->path);
	return r < 0 ? layer_failed(error, LAYER_FAILED, "cannot mount a view at %s: %s", s->path,
				    rootview_attach_message(r)) : 0;
}

/* Consumes @reply, of a view that was opened. */
static int take_view(const struct shared *s, struct rootview_reply *reply,
		     char path[static PATH_MAX], struct layer_error *error)
{
	const char *found = s->path ?: rootview_reply_path(reply, 0);
	cleanup_close int view = rootview_reply_take_fd(reply, 0);
	int r = 0;

	if (view < 0 || !found)
		r = layer_failed(error, LAYER_FAILED, "rootviewd gave no mount for \"%s\"", s->id);
	else
		snprintf(path, PATH_MAX, "%s", found);
	if (r == 0 && s->path)
		r = attach_view(s, view, error);
	rootview_reply_free(reply);
	return r;
}

static int create_view(const struct shared *s, const struct container *container,
		       const char *label, struct layer_error *error)
{
	struct rootview_request *request = new_request(s, container, label);
	struct rootview_call *call;
	int r;

	if (!request)
		return layer_failed(error, LAYER_FAILED, "\"%s\" cannot be asked for as a view",
				    s->id);
	r = need_origin(s->image, error);
	if (r == 0) {
		r = run(rootview_call_create(&call, s->image, &request, 1), &call, NULL);
		r = r < 0 ? refused(s->id, r, error) : 0;
	}
	rootview_request_free(request);
	return r;
}

/* A view that is there already is so since before this process, or a first Get. */
static int get_view(const struct shared *s, const struct container *container,
		    const char *label, char path[static PATH_MAX], struct layer_error *error)
{
	struct rootview_reply *reply;
	struct rootview_call *call;
	int r;

	if (connect_daemon(error) < 0)
		return -1;
	r = run(rootview_call_open(&call, s->image, s->id, 0), &call, &reply);
	if (is_refusal(r, NO_SUCH_ORIGIN) || is_refusal(r, NO_SUCH_VIEW)) {
		if (create_view(s, container, label, error) < 0)
			return -1;
		r = run(rootview_call_open(&call, s->image, s->id, 0), &call, &reply);
	}
	return r < 0 ? refused(s->id, r, error) : take_view(s, reply, path, error);
}

static int delete_view(const struct shared *s, struct layer_error *error)
{
	struct rootview_call *call;
	int r;

	if (connect_daemon(error) < 0)
		return -1;
	r = run(rootview_call_delete(&call, s->image, (const char *const *)&s->id, 1), &call, NULL);
	if (r < 0 && !is_refusal(r, NO_SUCH_ORIGIN) && !is_refusal(r, NO_SUCH_VIEW))
		return refused(s->id, r, error);
	if (!s->path)
		return 0;
	/* It may be nothing but a folder: after a reboot, for one. */
	if (umount2(s->path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL &&
	    errno != ENOENT)
		return layer_failed(error, LAYER_FAILED, "cannot unmount %s: %s", s->path,
				    strerror(errno));
	(void)rmdir(s->path);
	return 0;
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

static int take_option(const char *option, struct layerstore_options *to, struct layer_error *error)
{
	const char *pool = after_prefix(option, "rootview.pool=");
	const char *type = after_prefix(option, "rootview.fs=");
	const char *size = after_prefix(option, "rootview.size=");

	if (pool)
		to->pool = pool;
	else if (type)
		to->fs_type = type;
	else if (!size || !text_parse_size(size, &to->size))
		return layer_failed(error, LAYER_INVALID,
				    "the option \"%s\" makes no sense to this driver", option);
	return 0;
}

/* What rootview-storage-setup has made; @storage has it then. */
static int take_configured_pool(struct storage *storage, struct layerstore_options *to,
				struct layer_error *error)
{
	char why[STORAGE_ERROR_SIZE];

	if (storage_read(STORAGE_CONFIG, storage, why) < 0)
		return layer_failed(error, LAYER_NO_POOL, "%s", why);
	if (!*storage->pool)
		return layer_failed(error, LAYER_NO_POOL, "no thin pool is given: make one by "
				    "rootview-storage-setup, or start dockerd with "
				    "--storage-opt rootview.pool=/dev/mapper/POOL");
	to->pool = storage->pool;
	return 0;
}

/*
 * The driver.
 */

static void close_all(void)
{
	tdestroy(driver.views, free_shared);
	layerstore_close(driver.store);
	rootview_disconnect(driver.daemon);
	free(driver.home);
	free(driver.pool);
	driver.views = NULL;
	driver.n_views = 0;
	driver.store = NULL;
	driver.daemon = NULL;
	driver.home = NULL;
	driver.pool = NULL;
}

/* Of containers that have a view, but had not lost their layers when a driver died. */
static void remove_replaced(const void *node, VISIT which, void *userdata)
{
	const struct shared *s = *(struct shared *const *)node;
	struct layer_error error;

	(void)userdata;
	if ((which == postorder || which == leaf) && layerstore_exists(driver.store, s->id))
		(void)layerstore_remove(driver.store, s->id, &error);
}

int driver_init(const char *home, const char *const *options, struct layer_error *error)
{
	struct layerstore_options store = { .folder = home };
	struct storage storage;
	LOCKED(driver.mutex);

	for (; *options; options++)
		if (take_option(*options, &store, error) < 0)
			return -1;
	if (!store.pool && take_configured_pool(&storage, &store, error) < 0)
		return -1;
	if (driver.home && streq(driver.home, home) && streq(driver.pool, store.pool))
		return 0;
	close_all();
	driver.home = strdup(home);
	driver.pool = strdup(store.pool);
	if (!driver.home || !driver.pool) {
		close_all();
		return layer_out_of_memory(error);
	}
	if (layerstore_open(&store, &driver.store, error) < 0 ||
	    layerstore_each_note(driver.store, NOTE_VIEW, load_view, error, error) != 0 ||
	    layerstore_each_note(driver.store, NOTE_POINTS, load_points, error, error) != 0) {
		close_all();
		return -1;
	}
	/* A container's comes before its "-init", which is its parent. */
	twalk_r(driver.views, remove_replaced, NULL);
	return 0;
}

void driver_close(void)
{
	LOCKED(driver.mutex);

	close_all();
}

size_t driver_views(void)
{
	LOCKED(driver.mutex);

	return driver.n_views;
}

static int check_open(struct layer_error *error)
{
	if (driver.store)
		return 0;
	return layer_failed(error, LAYER_FAILED, "the driver was not initialised");
}

struct layerstore *driver_store(struct layer_error *error)
{
	LOCKED(driver.mutex);

	return check_open(error) < 0 ? NULL : driver.store;
}

static bool are_mount_points(const char *list)
{
	struct container container = { .n_points = 0 };
	bool good = container_add_directories(&container, list) == 0;

	container_free(&container);
	return good;
}

static int create_shared(const struct driver_request *request, const char *image,
			 struct layer_error *error)
{
	const char *points = request->mount_points;

	if (!request->writable || !*image)
		return layer_failed(error, LAYER_INVALID,
				    "\"%s\" has no image that it could share", request->id);
	if (find(request->id) || layerstore_exists(driver.store, request->id))
		return layer_failed(error, LAYER_EXISTS, "there is a layer \"%s\" already",
				    request->id);
	if (*points && !are_mount_points(points))
		return layer_failed(error, LAYER_INVALID, "the storage option "
				    DRIVER_MOUNT_POINTS "=%s is no list of absolute paths", points);
	if ((*points && note(image, NOTE_POINTS, request->id, points, error) < 0) ||
	    note_view(image, request->id, "", error) < 0)
		return -1;
	return add(request->id, image, "", points) < 0 ? layer_out_of_memory(error) : 0;
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
	LOCKED(driver.mutex);

	if (check_open(error) < 0)
		return -1;
	parent = find(request->parent);
	if (!parent && !request->shared && *request->mount_points)
		return layer_failed(error, LAYER_INVALID, "the storage option "
				    DRIVER_MOUNT_POINTS " is for " DRIVER_SHARED "=true");
	if (parent || request->shared)
		return create_shared(request, parent ? parent->image : request->parent, error);
	return create_layer(request, error);
}

static int remove_shared(struct shared *s, struct layer_error *error)
{
	if (delete_view(s, error) < 0 || note_view(s->image, s->id, NULL, error) < 0 ||
	    (s->mount_points && note(s->image, NOTE_POINTS, s->id, NULL, error) < 0))
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
	LOCKED(driver.mutex);

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
	LOCKED(driver.mutex);

	return driver.store && (find(id) || layerstore_exists(driver.store, id));
}

bool driver_is_view(const char *id)
{
	LOCKED(driver.mutex);

	return find(id);
}

static bool is_init(const char *id)
{
	size_t n = strlen(id), suffix = strlen(INIT_SUFFIX);

	return n > suffix && streq(id + n - suffix, INIT_SUFFIX);
}

static int get_layer(const char *id, const char *label, char path[static PATH_MAX],
		     struct layer_error *error)
{
	cleanup_free char *writable = NULL;

	if (layerstore_get(driver.store, id, NOTE_WRITABLE, &writable, error) < 0)
		return -1;
	return layerstore_mount(driver.store, id, *label ? label : NULL, !writable, path, error);
}

/*
 * Containers that turn out to be read-only.
 */

/* What every container may read has the label that views have, as long as nobody chose another. */
static const char *label_of_its_own(const char *label)
{
	return strstr(label, ":container_file_t:") || strstr(label, ":svirt_sandbox_file_t:") ?
	       "" : label;
}

/* The image of a container that has both of its layers still, unused; else -1. */
static int find_image(const char *id, struct layer_info *layer, struct layer_info *init,
		      struct layer_error *error)
{
	return layerstore_info(driver.store, id, layer, error) == 0 && !layer->mounted &&
	       is_init(layer->parent) &&
	       layerstore_info(driver.store, layer->parent, init, error) == 0 && !init->mounted &&
	       *init->parent ? 0 : -1;
}

/* First the notes: a layer without them would be another container's that has a view, too. */
static int replace_layers(const char *id, const struct layer_info *layer,
			  const struct layer_info *init, struct layer_error *error)
{
	if (note_view(init->parent, id, layer->path, error) < 0 ||
	    note_view(init->parent, layer->parent, "", error) < 0)
		return -1;
	if (add(id, init->parent, layer->path, "") < 0 ||
	    add(layer->parent, init->parent, "", "") < 0)
		return layer_out_of_memory(error);
	return layerstore_remove(driver.store, id, error) < 0 ?
	       -1 : layerstore_remove(driver.store, layer->parent, error);
}

/* Returns whether there is a view now, at the path that the layer would have. */
static bool become_view(const char *id, const char *label, char path[static PATH_MAX])
{
	struct layer_info layer, init;
	struct container container;
	struct layer_error error;
	struct shared view;
	int r;

	if (find_image(id, &layer, &init, &error) < 0 ||
	    container_read(driver.home, id, &container) < 0)
		return false;
	view = (struct shared){ .id = (char *)id, .image = init.parent, .path = layer.path };
	r = container.read_only ?
	    get_view(&view, &container, label_of_its_own(label), path, &error) : -1;
	container_free(&container);
	if (r < 0)
		return false;
	/* The view is there; layers that cannot be removed now are at the next start. */
	(void)replace_layers(id, &layer, &init, &error);
	return true;
}

/* After a reboot there are no views. */
static int get_shared(const struct shared *s, const char *label, char path[static PATH_MAX],
		      struct layer_error *error)
{
	struct container container = { .n_points = 0 };
	int r;

	if (s->path)
		(void)container_read(driver.home, s->id, &container);
	else if (s->mount_points)
		(void)container_add_directories(&container, s->mount_points);
	r = get_view(s, &container, s->path ? label_of_its_own(label) : "", path, error);
	container_free(&container);
	return r;
}

int driver_get(const char *id, const char *label, char path[static PATH_MAX],
	       struct layer_error *error)
{
	struct shared *s;
	LOCKED(driver.mutex);

	if (check_open(error) < 0)
		return -1;
	s = find(id);
	if (s)
		return get_shared(s, label, path, error);
	return become_view(id, label, path) ? 0 : get_layer(id, label, path, error);
}

/* Of what is not mounted, Docker may say it all the same: after a restart, for one. */
static int put_layer(const char *id, struct layer_error *error)
{
	struct layer_info info;

	if (layerstore_info(driver.store, id, &info, error) < 0)
		return -1;
	return info.mounted ? layerstore_unmount(driver.store, id, error) : 0;
}

/*
 * A container's view stays until it is removed: who counts, as Docker wants drivers to,
 * would have to know after a restart how many have it.  An "-init" layer is done with.
 */
int driver_put(const char *id, struct layer_error *error)
{
	struct shared *s;
	LOCKED(driver.mutex);

	if (check_open(error) < 0)
		return -1;
	s = find(id);
	if (!s)
		return put_layer(id, error);
	return is_init(id) ? delete_view(s, error) : 0;
}
