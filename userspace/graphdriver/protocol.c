// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Docker's calls; protocol.h is the contract.
 *
 * An answer has "Err", if it was refused, or what was asked for.
 */
#include "protocol.h"

#include "driver.h"
#include "json.h"
#include "text.h"
#include "util.h"

#define OPTIONS_MAX 64

/* Two blocks of zeros are a tar stream's end. */
static const char EMPTY_TAR[1024];

/* Answers. */

static char *to_text(sd_json_variant *v)
{
	char *text;

	return sd_json_variant_format(v, 0, &text) < 0 ? NULL : text;
}

static char *answer_error(struct layer_error *error)
{
	cleanup_json sd_json_variant *v = NULL;

	text_make_utf8(error->message);
	return sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("Err", error->message)) < 0 ?
	       NULL : to_text(v);
}

static char *refuse(const char *why)
{
	struct layer_error error;

	layer_failed(&error, LAYER_INVALID, "%s", why);
	return answer_error(&error);
}

static char *answer_nothing(int r, struct layer_error *error)
{
	return r < 0 ? answer_error(error) : strdup("{}");
}

static char *answer_size(int r, uint64_t size, struct layer_error *error)
{
	cleanup_json sd_json_variant *v = NULL;

	if (r < 0)
		return answer_error(error);
	return sd_json_buildo(&v, SD_JSON_BUILD_PAIR_UNSIGNED("Size", size)) < 0 ?
	       NULL : to_text(v);
}

/* Requests. */

/* What Docker may send; what it does not is "". */
struct protocol_request {
	sd_json_variant *json;
	const char *id, *parent, *label, *home;
	struct layerstore *store;	/* of calls that need it */
};

#define cleanup_request cleanup_with(free_request)

static void free_request(struct protocol_request *r)
{
	sd_json_variant_unref(r->json);
}

static void take_strings(struct protocol_request *r)
{
	r->id = json_string(r->json, "ID");
	r->parent = json_string(r->json, "Parent");
	r->label = json_string(r->json, "MountLabel");
	r->home = json_string(r->json, "Home");
}

/* Returns false if it is no JSON. */
static bool parse(const char *text, struct protocol_request *ret)
{
	*ret = (struct protocol_request){ .json = NULL };
	/* Plugin.Activate comes without content. */
	if (sd_json_parse(*text ? text : "{}", 0, &ret->json, NULL, NULL) < 0 ||
	    !sd_json_variant_is_object(ret->json))
		return false;
	take_strings(ret);
	return true;
}

static const char *or_null(const char *s)
{
	return *s ? s : NULL;
}

static char *refuse_text(void)
{
	return refuse("the request is no JSON object");
}

static char *call(const struct http_method *method, const char *text)
{
	cleanup_request struct protocol_request request;

	return parse(text, &request) ? method->run(&request) : refuse_text();
}

/* The same for calls that make no sense before GraphDriver.Init. */
static char *call_on_store(const struct http_method *method, const char *text)
{
	cleanup_request struct protocol_request request;
	struct layer_error error;

	if (!parse(text, &request))
		return refuse_text();
	request.store = driver_store(&error);
	return request.store ? method->run(&request) : answer_error(&error);
}

/* Calls. */

static char *activate(const struct protocol_request *r)
{
	(void)r;
	return strdup("{\"Implements\":[\"GraphDriver\"]}");
}

static int init_by(const struct protocol_request *r, struct layer_error *error)
{
	const char *options[OPTIONS_MAX + 1] = { NULL };
	sd_json_variant *list;

	/* A layer's files belong to whom its stream says: remapping would need a store apart. */
	if (json_has_elements(sd_json_variant_by_key(r->json, "UIDMaps")) ||
	    json_has_elements(sd_json_variant_by_key(r->json, "GIDMaps")))
		return layer_failed(error, LAYER_INVALID,
				    "dockerd's userns-remap is not possible with this driver");
	list = sd_json_variant_by_key(r->json, "Opts");
	for (size_t i = 0; sd_json_variant_is_array(list) &&
	     i < sd_json_variant_elements(list); i++) {
		sd_json_variant *option = sd_json_variant_by_index(list, i);

		if (i == OPTIONS_MAX || !sd_json_variant_is_string(option))
			return layer_failed(error, LAYER_INVALID, "these options make no sense");
		options[i] = sd_json_variant_string(option);
	}
	return driver_init(r->home, options, error);
}

static const char *note_path;

/* A driver without a note works as well, as long as it lives. */
static void note_init(sd_json_variant *json)
{
	cleanup_free char *new = NULL;
	cleanup_fclose FILE *f = NULL;

	if (!note_path || asprintf(&new, "%s.new", note_path) < 0)
		return;
	f = fopen(new, "we");
	if (!f || sd_json_variant_dump(json, SD_JSON_FORMAT_NEWLINE, f, NULL) < 0 ||
	    fflush(f) != 0 || rename(new, note_path) < 0)
		fprintf(stderr, "rootview-graphdriver: %s: %s\n", note_path, strerror(errno));
}

static char *init(const struct protocol_request *r)
{
	struct layer_error error;
	int done = init_by(r, &error);

	if (done == 0)
		note_init(r->json);
	return answer_nothing(done, &error);
}

void protocol_resume(const char *path)
{
	cleanup_request struct protocol_request request = { .json = NULL };
	struct layer_error error;

	note_path = path;
	if (sd_json_parse_file(NULL, path, 0, &request.json, NULL, NULL) < 0)
		return;
	take_strings(&request);
	if (init_by(&request, &error) < 0)
		fprintf(stderr, "rootview-graphdriver: %s: %s\n", path, error.message);
}

static char *capabilities(const struct protocol_request *r)
{
	(void)r;
	return strdup("{\"Capabilities\":{\"ReproducesExactDiffs\":false}}");
}

/* A container's options; Docker takes any, and a misspelt one is not to be passed over. */
static int take_options(sd_json_variant *options, struct driver_request *request,
			struct layer_error *error)
{
	if (!sd_json_variant_is_object(options))
		return 0;
	/* Keys and values, in turn. */
	for (size_t i = 0; i < sd_json_variant_elements(options); i += 2) {
		const char *key = sd_json_variant_string(sd_json_variant_by_index(options, i));
		sd_json_variant *v = sd_json_variant_by_index(options, i + 1);
		const char *value = sd_json_variant_is_string(v) ? sd_json_variant_string(v) : "";

		if (streq(key, DRIVER_SHARED) && (streq(value, "true") || streq(value, "false")))
			request->shared = streq(value, "true");
		else if (streq(key, DRIVER_MOUNT_POINTS) && *value)
			request->mount_points = value;
		else if (!streq(key, "size") || !text_parse_size(value, &request->size))
			return layer_failed(error, LAYER_INVALID,
					    "the storage option %s=%s makes no sense", key, value);
	}
	return 0;
}

static char *create_as(const struct protocol_request *r, bool writable)
{
	struct driver_request request = {
		.id = r->id, .parent = r->parent, .writable = writable, .mount_points = "",
	};
	struct layer_error error;
	int done;

	done = take_options(sd_json_variant_by_key(r->json, "StorageOpt"), &request, &error);
	if (done == 0)
		done = driver_create(&request, &error);
	return answer_nothing(done, &error);
}

static char *create(const struct protocol_request *r)
{
	return create_as(r, false);
}

static char *create_read_write(const struct protocol_request *r)
{
	return create_as(r, true);
}

static char *remove_layer(const struct protocol_request *r)
{
	struct layer_error error;

	return answer_nothing(driver_remove(r->id, &error), &error);
}

static char *get(const struct protocol_request *r)
{
	cleanup_json sd_json_variant *v = NULL;
	struct layer_error error;
	char path[PATH_MAX];

	if (driver_get(r->id, r->label, path, &error) < 0)
		return answer_error(&error);
	return sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("Dir", path)) < 0 ? NULL : to_text(v);
}

static char *put(const struct protocol_request *r)
{
	struct layer_error error;

	return answer_nothing(driver_put(r->id, &error), &error);
}

static char *exists(const struct protocol_request *r)
{
	return strdup(driver_exists(r->id) ? "{\"Exists\":true}" : "{\"Exists\":false}");
}

/* dockerd ends; another one may come. */
static char *cleanup(const struct protocol_request *r)
{
	(void)r;
	return strdup("{}");
}

static char *metadata(const struct protocol_request *r)
{
	cleanup_json sd_json_variant *v = NULL, *answer = NULL;
	struct layer_error error;
	struct layer_info info;
	char number[16], size[32];

	/* A container that shares its image has no device. */
	if (layerstore_info(r->store, r->id, &info, &error) < 0)
		return driver_exists(r->id) ? strdup("{\"Metadata\":{}}") : answer_error(&error);
	snprintf(number, sizeof(number), "%u", info.number);
	snprintf(size, sizeof(size), "%lu", info.size);
	if (sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("DeviceId", number),
			   SD_JSON_BUILD_PAIR_STRING("DeviceName", info.device),
			   SD_JSON_BUILD_PAIR_STRING("DeviceSize", size)) < 0 ||
	    sd_json_buildo(&answer, SD_JSON_BUILD_PAIR_VARIANT("Metadata", v)) < 0)
		return NULL;
	return to_text(answer);
}

/* Appends a line that "docker info" shows. */
static int add_line(sd_json_variant **list, const char *name, const char *value)
{
	cleanup_json sd_json_variant *line = NULL;
	char *const pair[] = { (char *)name, (char *)value, NULL };
	int r = sd_json_variant_new_array_strv(&line, (char **)pair);

	return r < 0 ? r : sd_json_variant_append_array(list, line);
}

static int add_use(sd_json_variant **list, const char *name, uint64_t used, uint64_t total)
{
	char value[64];

	snprintf(value, sizeof(value), "%.1f of %.1f GiB", used / 0x1p30, total / 0x1p30);
	return add_line(list, name, value);
}

static int add_number(sd_json_variant **list, const char *name, uint64_t number)
{
	char value[32];

	snprintf(value, sizeof(value), "%lu", number);
	return add_line(list, name, value);
}

static const char *state_of(const struct layerstore_status *status)
{
	return status->out_of_space ? "out of space" : status->needs_check ? "needs a check" :
	       status->read_only ? "read-only" : "writable";
}

static char *status(const struct protocol_request *r)
{
	cleanup_json sd_json_variant *list = NULL, *answer = NULL;
	struct layerstore_status st;
	struct layer_error error;

	if (layerstore_status(r->store, &st, &error) < 0)
		return answer_error(&error);
	if (add_line(&list, "Pool", st.pool) < 0 ||
	    add_line(&list, "Pool State", state_of(&st)) < 0 ||
	    add_line(&list, "Backing Filesystem", st.fs_type) < 0 ||
	    add_use(&list, "Data Space Used", st.data_used, st.data_total) < 0 ||
	    add_use(&list, "Metadata Space Used", st.metadata_used, st.metadata_total) < 0 ||
	    add_number(&list, "Layers", st.layers) < 0 ||
	    add_number(&list, "Views", driver_views()) < 0 ||
	    add_line(&list, "On Loop Device", st.on_loop ?
		     "yes: slow, and not safe; use rootview-storage-setup" : "no") < 0 ||
	    sd_json_buildo(&answer, SD_JSON_BUILD_PAIR_VARIANT("Status", list)) < 0)
		return NULL;
	return to_text(answer);
}

/* Layers as streams. */

struct changes {
	sd_json_variant *list;
	int error;
};

static int add_change(const char *path, enum change kind, void *userdata)
{
	cleanup_json sd_json_variant *v = NULL;
	cleanup_free char *text = strdup(path);
	struct changes *changes = userdata;

	if (!text)
		return changes->error = -ENOMEM;
	/* JSON has no other names. */
	text_make_utf8(text);
	changes->error = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("Path", text),
					SD_JSON_BUILD_PAIR_UNSIGNED("Kind", kind));
	if (changes->error >= 0)
		changes->error = sd_json_variant_append_array(&changes->list, v);
	return changes->error < 0 ? changes->error : 0;
}

static char *list_changes(const struct protocol_request *r)
{
	cleanup_json sd_json_variant *answer = NULL;
	struct changes changes = { .list = NULL };
	struct layer_error error;
	int done;

	if (driver_is_view(r->id))
		return strdup("{}");
	done = layerstore_changes(r->store, r->id, or_null(r->parent), add_change, &changes,
				  &error);
	if (done == 0)
		changes.error = sd_json_buildo(&answer, SD_JSON_BUILD_PAIR_VARIANT("Changes",
										   changes.list));
	sd_json_variant_unref(changes.list);
	return changes.error < 0 ? NULL : done < 0 ? answer_error(&error) : to_text(answer);
}

static char *diff_size(const struct protocol_request *r)
{
	struct layer_error error;
	uint64_t size;
	int done;

	if (driver_is_view(r->id))
		return strdup("{}");
	done = layerstore_diff_size(r->store, r->id, or_null(r->parent), &size, &error);
	return answer_size(done, size, &error);
}

static char *apply_diff(const struct http_query *query, int fd)
{
	struct layerstore *store;
	struct layer_error error;
	uint64_t size = 0;
	int r;

	store = driver_store(&error);
	if (!store)
		return answer_error(&error);
	r = layerstore_apply(store, query->id, fd, &size, &error);
	return answer_size(r, size, &error);
}

static char *diff(const char *text, int fd)
{
	cleanup_request struct protocol_request asked;
	struct layerstore *store;
	struct layer_error error;

	if (!parse(text, &asked))
		return refuse_text();
	store = driver_store(&error);
	if (!store)
		return answer_error(&error);
	if (driver_is_view(asked.id))
		return strdup(write(fd, EMPTY_TAR, sizeof(EMPTY_TAR)) < 0 ? "{}" : "");
	return layerstore_diff(store, asked.id, or_null(asked.parent), fd, &error) < 0 ?
	       answer_error(&error) : strdup("");
}

const struct http_method protocol_methods[] = {
	{ "/Plugin.Activate", call, .run = activate },
	{ "/GraphDriver.Init", call, .run = init },
	{ "/GraphDriver.Capabilities", call, .run = capabilities },
	{ "/GraphDriver.Create", call, .run = create },
	{ "/GraphDriver.CreateReadWrite", call, .run = create_read_write },
	{ "/GraphDriver.Remove", call, .run = remove_layer },
	{ "/GraphDriver.Get", call, .run = get },
	{ "/GraphDriver.Put", call, .run = put },
	{ "/GraphDriver.Exists", call, .run = exists },
	{ "/GraphDriver.Status", call_on_store, .run = status },
	{ "/GraphDriver.GetMetadata", call_on_store, .run = metadata },
	{ "/GraphDriver.Cleanup", call, .run = cleanup },
	{ "/GraphDriver.Diff", .send = diff },
	{ "/GraphDriver.Changes", call_on_store, .run = list_changes },
	{ "/GraphDriver.ApplyDiff", .receive = apply_diff },
	{ "/GraphDriver.DiffSize", call_on_store, .run = diff_size },
	{ .url = NULL },
};
