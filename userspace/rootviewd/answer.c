// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Answers as JSON; answer.h is the contract.
 */
#include "answer.h"

#include <libdevmapper.h>
#include <sys/sysmacros.h>

#include "cgroup.h"
#include "interface.h"
#include "kernel-limits.h"
#include "text.h"
#include "util.h"

void answer_done(struct answer *answer)
{
	sd_json_variant_unref(answer->array);
}

void answer_begin_part(struct answer *answer)
{
	answer->array = sd_json_variant_unref(answer->array);
	answer->size = 0;
	answer->more = false;
}

/* Whether the view, or the origin where @view is 0, belongs to this part of the list. */
static bool is_next(struct answer *answer, uint64_t origin, uint64_t view)
{
	if (origin < answer->origin || (origin == answer->origin && view <= answer->view))
		return false;
	if (answer->room && answer->size >= answer->room) {
		answer->more = true;
		return false;
	}
	answer->origin = origin;
	answer->view = view;
	return true;
}

static int measure_element(struct answer *answer, sd_json_variant *element)
{
	ssize_t size = answer->room ? json_size(element) : 0;

	if (size < 0)
		return size;
	answer->size += size;
	return 0;
}

/* Consumes @element. */
static void append_element(struct answer *answer, int r, sd_json_variant *element)
{
	if (r >= 0 && answer->error >= 0)
		r = sd_json_variant_append_array(&answer->array, element);
	if (r >= 0)
		r = measure_element(answer, element);
	if (r < 0 && answer->error >= 0)
		answer->error = r;
	sd_json_variant_unref(element);
}

static const char *format_dev(dev_t dev, char buffer[static 32])
{
	snprintf(buffer, 32, "%u:%u", major(dev), minor(dev));
	return buffer;
}

#define OPTIONAL_STRING(name, s) \
	SD_JSON_BUILD_PAIR_CONDITION(!!(s), name, SD_JSON_BUILD_STRING(s))

static const char *error_name(enum failure_kind kind)
{
	static const char *const names[] = {
		[FAILURE_OPERATION_FAILED] = ROOTVIEW_ERROR("OperationFailed"),
		[FAILURE_ORIGIN_EXISTS] = ROOTVIEW_ERROR("OriginExists"),
		[FAILURE_NO_SUCH_ORIGIN] = ROOTVIEW_ERROR("NoSuchOrigin"),
		[FAILURE_ORIGIN_BUSY] = ROOTVIEW_ERROR("OriginBusy"),
		[FAILURE_NO_SUCH_DEVICE] = ROOTVIEW_ERROR("NoSuchDevice"),
		[FAILURE_NO_SUCH_VIEW] = ROOTVIEW_ERROR("NoSuchView"),
		[FAILURE_VIEW_EXISTS] = ROOTVIEW_ERROR("ViewExists"),
		[FAILURE_INVALID_NAME] = ROOTVIEW_ERROR("InvalidName"),
		[FAILURE_INVALID_LABEL] = ROOTVIEW_ERROR("InvalidLabel"),
		[FAILURE_LABELS_UNAVAILABLE] = ROOTVIEW_ERROR("LabelsUnavailable"),
		[FAILURE_UNSUPPORTED_FILE_SYSTEM] = ROOTVIEW_ERROR("UnsupportedFileSystem"),
		[FAILURE_NEEDS_RECOVERY] = ROOTVIEW_ERROR("NeedsRecovery"),
		[FAILURE_INVALID_REQUEST] = ROOTVIEW_ERROR("InvalidRequest"),
		[FAILURE_INVALID_MOUNT_POINT] = ROOTVIEW_ERROR("InvalidMountPoint"),
		[FAILURE_INVALID_ID_MAP] = ROOTVIEW_ERROR("InvalidIdMap"),
		[FAILURE_NO_SUCH_CGROUP] = ROOTVIEW_ERROR("NoSuchCgroup"),
		[FAILURE_NO_SUCH_PROCESS] = ROOTVIEW_ERROR("NoSuchProcess"),
		[FAILURE_NOT_SUPPORTED] = ROOTVIEW_ERROR("NotSupported"),
		[FAILURE_TOO_MANY] = ROOTVIEW_ERROR("TooMany"),
	};

	return names[kind];
}

/*
 * Failures.
 */

/* For requests about an origin alone, its name is the request's "name". */
static const char *origin_of(const struct answer_subject *subject)
{
	return subject->origin ?: subject->name;
}

/* The parameters of the error, but its message. */
static int describe_failure(const struct failure *f, const struct answer_subject *subject,
			    sd_json_variant **ret)
{
	const char *object = f->object[0] ? f->object : NULL;
	const char *origin = origin_of(subject);
	const char *type = f->file_system[0] ? f->file_system : NULL;

#define BUILD(...) sd_json_buildo(ret, __VA_ARGS__)
#define STRING(name, value) SD_JSON_BUILD_PAIR_STRING(name, value)

	switch (f->kind) {
	case FAILURE_ORIGIN_EXISTS:
		return BUILD(STRING("name", object ?: origin));
	case FAILURE_NO_SUCH_ORIGIN:
		return BUILD(STRING("name", origin));
	case FAILURE_ORIGIN_BUSY:
		return BUILD(STRING("name", origin),
			     SD_JSON_BUILD_PAIR_UNSIGNED("views", f->views));
	case FAILURE_NO_SUCH_DEVICE:
		return BUILD(OPTIONAL_STRING("device", subject->device));
	case FAILURE_NO_SUCH_VIEW:
		return BUILD(STRING("origin", origin), OPTIONAL_STRING("name", subject->name),
			     SD_JSON_BUILD_PAIR_CONDITION(!!subject->id, "id",
							  SD_JSON_BUILD_UNSIGNED(subject->id)));
	case FAILURE_VIEW_EXISTS:
		return BUILD(STRING("origin", origin), STRING("name", subject->name));
	case FAILURE_INVALID_NAME:
		return BUILD(STRING("name", subject->name));
	case FAILURE_INVALID_LABEL:
	case FAILURE_LABELS_UNAVAILABLE:
		return BUILD(STRING("label", subject->label));
	case FAILURE_UNSUPPORTED_FILE_SYSTEM:
	case FAILURE_NEEDS_RECOVERY:
		return BUILD(STRING("origin", origin), OPTIONAL_STRING("fileSystem", type));
	case FAILURE_INVALID_REQUEST:
		return BUILD(STRING("parameter", f->object));
	case FAILURE_INVALID_MOUNT_POINT:
		return BUILD(STRING("path", f->object));
	case FAILURE_NO_SUCH_CGROUP:
		return BUILD(STRING("cgroup", f->object));
	case FAILURE_NOT_SUPPORTED:
		return BUILD(STRING("feature", f->object));
	case FAILURE_TOO_MANY:
		return BUILD(STRING("what", f->object),
			     SD_JSON_BUILD_PAIR_UNSIGNED("limit", f->views));
	case FAILURE_INVALID_ID_MAP:
	case FAILURE_NO_SUCH_PROCESS:
		*ret = NULL;
		return 0;
	case FAILURE_OPERATION_FAILED:
		break;
	}
	return BUILD(STRING("object", f->object), STRING("step", f->step),
		     STRING("reason", f->reason));
#undef BUILD
#undef STRING
}

int answer_failure(sd_varlink *link, const struct failure *f,
		   const struct answer_subject *subject)
{
	sd_json_variant *parameters = NULL;
	int r;

	r = describe_failure(f, subject, &parameters);
	if (r >= 0)
		r = sd_json_variant_set_field_string(&parameters, "message", f->message);
	if (r >= 0)
		r = sd_varlink_error(link, error_name(f->kind), parameters);
	sd_json_variant_unref(parameters);
	return r;
}

/* Of a part of a batch. */
static int build_refusal(const struct failure *f, const struct answer_subject *subject,
			 sd_json_variant **ret)
{
	sd_json_variant *parameters = NULL;
	int r;

	r = describe_failure(f, subject, &parameters);
	if (r >= 0)
		r = sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("error", error_name(f->kind)),
				   SD_JSON_BUILD_PAIR_STRING("message", f->message),
				   SD_JSON_BUILD_PAIR_CONDITION(
					   !!parameters, "parameters",
					   SD_JSON_BUILD_VARIANT(parameters)));
	sd_json_variant_unref(parameters);
	return r;
}

/*
 * Origins and views.
 */

/*
 * Names and labels that were given by hand, with dmsetup, may be anything; JSON is UTF-8.
 * Returns @s, or else a copy in @buffer without what is not.
 */
static const char *utf8(const char *s, char buffer[static PATH_MAX])
{
	const char *at = s;

	while (at && *at && (unsigned char)*at < 0x80)
		at++;
	if (!at || !*at)
		return s;
	snprintf(buffer, PATH_MAX, "%s", s);
	text_make_utf8(buffer);
	return buffer;
}

void answer_add_origin(struct origin *o, void *answer)
{
	const struct variant *plain = o->variants.plain;
	const char *type = plain->path ? plain->type : NULL;
	const char *label = plain->files_label;
	char path[PATH_MAX], name[PATH_MAX], number[32], backing[32];
	sd_json_variant *element = NULL;
	int r;

	if (!is_next(answer, o->id, 0))
		return;
	snprintf(path, sizeof(path), "%s/%s", dm_dir(), o->name);
	text_make_utf8(path);
	r = sd_json_buildo(
		&element,
		SD_JSON_BUILD_PAIR_STRING("name", utf8(o->name, name)),
		SD_JSON_BUILD_PAIR_STRING("device", path),
		SD_JSON_BUILD_PAIR_STRING("number", format_dev(o->dev, number)),
		SD_JSON_BUILD_PAIR_STRING("backing", format_dev(o->counters.backing, backing)),
		SD_JSON_BUILD_PAIR_UNSIGNED("sectors", o->counters.sectors),
		OPTIONAL_STRING("fileSystem", type),
		OPTIONAL_STRING("label", label),
		SD_JSON_BUILD_PAIR_BOOLEAN("native", origin_is_native(o)),
		SD_JSON_BUILD_PAIR_UNSIGNED("variants", variants_count(&o->variants)),
		SD_JSON_BUILD_PAIR_UNSIGNED("generation", o->counters.generation),
		SD_JSON_BUILD_PAIR_UNSIGNED("views", o->counters.views),
		SD_JSON_BUILD_PAIR_UNSIGNED("viewsCreated", o->counters.created),
		SD_JSON_BUILD_PAIR_UNSIGNED("viewsDeleted", o->counters.deleted),
		SD_JSON_BUILD_PAIR_UNSIGNED("reads", o->counters.reads),
		SD_JSON_BUILD_PAIR_UNSIGNED("readSectors", o->counters.read_sectors),
		SD_JSON_BUILD_PAIR_UNSIGNED("refusedRequests", o->counters.refused),
		SD_JSON_BUILD_PAIR_UNSIGNED("readErrors", o->counters.errors));
	append_element(answer, r, element);
}

/* What the running kernel cannot do for it. */
static int warnings_of(const struct view *v, sd_json_variant **ret)
{
	const char *warning = v->label ? limits_label_warning() : NULL;

	return !warning ? 0 : sd_json_variant_append_arraybo(
		ret, SD_JSON_BUILD_PAIR_STRING("warning", "mprotectUnchecked"),
		SD_JSON_BUILD_PAIR_STRING("message", warning));
}

static int build_view(struct view *v, sd_json_variant **ret)
{
	sd_json_variant *points = NULL, *map = NULL, *warnings = NULL;
	const char *path = view_path(v);
	char device[PATH_MAX], shown_path[PATH_MAX];
	char origin[PATH_MAX], name[PATH_MAX], label[PATH_MAX];
	int r = 0;

	snprintf(device, sizeof(device), "%s/%s", dm_dir(), v->origin->name);
	text_make_utf8(device);
	if (view_points(v)->n)
		r = mount_points_to_json(view_points(v), &points);
	if (r >= 0 && view_idmap(v))
		r = idmap_to_json(view_idmap(v), &map);
	if (r >= 0)
		r = warnings_of(v, &warnings);
	if (r >= 0)
		r = sd_json_buildo(
			ret,
			SD_JSON_BUILD_PAIR_STRING("origin", utf8(v->origin->name, origin)),
			SD_JSON_BUILD_PAIR_STRING("name", utf8(v->name, name)),
			SD_JSON_BUILD_PAIR_UNSIGNED("id", v->id),
			OPTIONAL_STRING("label", utf8(v->label, label)),
			SD_JSON_BUILD_PAIR_BOOLEAN("deviceOnly", !!v->spec),
			OPTIONAL_STRING("path", utf8(path, shown_path)),
			SD_JSON_BUILD_PAIR_STRING("device", device),
			SD_JSON_BUILD_PAIR_CONDITION(!!points, "mountPoints",
						     SD_JSON_BUILD_VARIANT(points)),
			SD_JSON_BUILD_PAIR_CONDITION(!!map, "idMap", SD_JSON_BUILD_VARIANT(map)),
			OPTIONAL_STRING("cgroup", v->cgroup),
			SD_JSON_BUILD_PAIR_CONDITION(!!v->process, "process",
						     SD_JSON_BUILD_UNSIGNED(v->process)),
			SD_JSON_BUILD_PAIR_CONDITION(!!warnings, "warnings",
						     SD_JSON_BUILD_VARIANT(warnings)),
			SD_JSON_BUILD_PAIR_UNSIGNED("createdUSec", v->created_ns / 1000));
	sd_json_variant_unref(points);
	sd_json_variant_unref(map);
	sd_json_variant_unref(warnings);
	return r;
}

void answer_add_view(struct view *v, void *answer)
{
	sd_json_variant *element = NULL;
	int r;

	if (!is_next(answer, v->origin->id, v->id))
		return;
	r = build_view(v, &element);
	append_element(answer, r, element);
}

int answer_view(sd_varlink *link, struct view *v, int descriptor)
{
	sd_json_variant *view = NULL;
	int r;

	r = build_view(v, &view);
	if (r >= 0)
		r = sd_varlink_replybo(
			link, SD_JSON_BUILD_PAIR_VARIANT("view", view),
			SD_JSON_BUILD_PAIR_CONDITION(descriptor >= 0, "descriptor",
						     SD_JSON_BUILD_INTEGER(descriptor)));
	sd_json_variant_unref(view);
	return r;
}

void answer_add_result(const struct view_result *result, const struct answer_subject *subject,
		       struct view *v, struct answer *answer)
{
	sd_json_variant *element = NULL, *view = NULL, *refusal = NULL;
	int r = 0;

	if (result->bad)
		r = build_refusal(&result->failure, subject, &refusal);
	else if (v)
		r = build_view(v, &view);
	if (r >= 0)
		r = sd_json_buildo(
			&element, OPTIONAL_STRING("name", result->name),
			SD_JSON_BUILD_PAIR_CONDITION(!!view, "view", SD_JSON_BUILD_VARIANT(view)),
			SD_JSON_BUILD_PAIR_CONDITION(!!refusal, "refusal",
						     SD_JSON_BUILD_VARIANT(refusal)));
	sd_json_variant_unref(view);
	sd_json_variant_unref(refusal);
	append_element(answer, r, element);
}

void answer_add_stats(struct view *v, void *answer)
{
	sd_json_variant *element = NULL;
	struct cgroup_reads reads = {};
	char origin[PATH_MAX], name[PATH_MAX];
	bool known;
	int r;

	if (!v->cgroup || !is_next(answer, v->origin->id, v->id))
		return;
	known = cgroup_read_io(v->cgroup, v->origin->dev, &reads) == 0;
	r = sd_json_buildo(
		&element, SD_JSON_BUILD_PAIR_STRING("origin", utf8(v->origin->name, origin)),
		SD_JSON_BUILD_PAIR_STRING("name", utf8(v->name, name)),
		SD_JSON_BUILD_PAIR_STRING("cgroup", v->cgroup),
		SD_JSON_BUILD_PAIR_CONDITION(known, "reads", SD_JSON_BUILD_UNSIGNED(reads.reads)),
		SD_JSON_BUILD_PAIR_CONDITION(known, "readBytes",
					     SD_JSON_BUILD_UNSIGNED(reads.bytes)));
	append_element(answer, r, element);
}

int answer_one(sd_varlink *link, const char *name, struct answer *answer)
{
	if (answer->error < 0)
		return answer->error;
	return sd_varlink_replybo(
		link, SD_JSON_BUILD_PAIR_VARIANT(name,
						 sd_json_variant_by_index(answer->array, 0)));
}

int answer_all(sd_varlink *link, const char *name, struct answer *answer)
{
	if (answer->error < 0)
		return answer->error;
	if (!answer->array)
		return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_EMPTY_ARRAY(name));
	if (answer->more)
		return sd_varlink_notifybo(link, SD_JSON_BUILD_PAIR_VARIANT(name, answer->array));
	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT(name, answer->array));
}
