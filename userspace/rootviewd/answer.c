// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Answers as JSON; answer.h is the contract.
 */
#include "answer.h"

#include <libdevmapper.h>
#include <sys/sysmacros.h>

#include "interface.h"
#include "util.h"

void answer_done(struct answer *answer)
{
	sd_json_variant_unref(answer->array);
}

/* Consumes @element. */
static void append(struct answer *answer, int r, sd_json_variant *element)
{
	if (r >= 0 && answer->error >= 0)
		r = sd_json_variant_append_array(&answer->array, element);
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

void answer_add_origin(struct origin *o, void *answer)
{
	const struct variant *plain = o->variants;
	const char *type = plain ? plain->type : NULL;
	const char *label = plain ? plain->label : NULL;
	char path[PATH_MAX], number[32], backing[32];
	sd_json_variant *element = NULL;
	int r;

	snprintf(path, sizeof(path), "%s/%s", dm_dir(), o->name);
	r = sd_json_buildo(
		&element,
		SD_JSON_BUILD_PAIR_STRING("name", o->name),
		SD_JSON_BUILD_PAIR_STRING("device", path),
		SD_JSON_BUILD_PAIR_STRING("number", format_dev(o->dev, number)),
		SD_JSON_BUILD_PAIR_STRING("backing", format_dev(o->counters.backing, backing)),
		SD_JSON_BUILD_PAIR_UNSIGNED("sectors", o->counters.sectors),
		OPTIONAL_STRING("fileSystem", type),
		OPTIONAL_STRING("label", label),
		SD_JSON_BUILD_PAIR_UNSIGNED("generation", o->counters.generation),
		SD_JSON_BUILD_PAIR_UNSIGNED("views", o->counters.views),
		SD_JSON_BUILD_PAIR_UNSIGNED("viewsCreated", o->counters.created),
		SD_JSON_BUILD_PAIR_UNSIGNED("viewsDeleted", o->counters.deleted),
		SD_JSON_BUILD_PAIR_UNSIGNED("reads", o->counters.reads),
		SD_JSON_BUILD_PAIR_UNSIGNED("readSectors", o->counters.read_sectors),
		SD_JSON_BUILD_PAIR_UNSIGNED("refusedRequests", o->counters.refused),
		SD_JSON_BUILD_PAIR_UNSIGNED("readErrors", o->counters.errors));
	append(answer, r, element);
}

void answer_add_view(struct view *v, void *answer)
{
	struct path path = view_path(v);
	sd_json_variant *element = NULL;
	int r;

	r = sd_json_buildo(
		&element,
		SD_JSON_BUILD_PAIR_STRING("origin", v->origin->name),
		SD_JSON_BUILD_PAIR_STRING("name", v->name),
		SD_JSON_BUILD_PAIR_UNSIGNED("id", v->id),
		OPTIONAL_STRING("label", v->label),
		SD_JSON_BUILD_PAIR_CONDITION(!!v->variant, "path", SD_JSON_BUILD_STRING(path.s)),
		SD_JSON_BUILD_PAIR_UNSIGNED("createdUSec", v->created_ns / 1000));
	append(answer, r, element);
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
	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT(name, answer->array));
}

/*
 * Failures.
 */

/* For requests about an origin alone, its name is the request's "name". */
static const char *origin_of(const struct answer_subject *subject)
{
	return subject->origin ?: subject->name;
}

int answer_failure(sd_varlink *link, const struct failure *f,
		   const struct answer_subject *subject)
{
	const char *origin = origin_of(subject);
	const char *type = f->file_system[0] ? f->file_system : NULL;

#define ERROR(error, ...)                                                  \
	sd_varlink_errorbo(link, ROOTVIEW_ERROR(error), __VA_ARGS__,       \
			   SD_JSON_BUILD_PAIR_STRING("message", f->message))
#define STRING(name, value) SD_JSON_BUILD_PAIR_STRING(name, value)

	switch (f->kind) {
	case FAILURE_ORIGIN_EXISTS:
		return ERROR("OriginExists", STRING("name", origin));
	case FAILURE_NO_SUCH_ORIGIN:
		return ERROR("NoSuchOrigin", STRING("name", origin));
	case FAILURE_ORIGIN_BUSY:
		return ERROR("OriginBusy", STRING("name", origin),
			     SD_JSON_BUILD_PAIR_UNSIGNED("views", f->views));
	case FAILURE_NO_SUCH_DEVICE:
		return ERROR("NoSuchDevice", STRING("device", subject->device));
	case FAILURE_NO_SUCH_VIEW:
		return ERROR("NoSuchView", STRING("origin", origin),
			     STRING("name", subject->name));
	case FAILURE_VIEW_EXISTS:
		return ERROR("ViewExists", STRING("origin", origin),
			     STRING("name", subject->name));
	case FAILURE_INVALID_NAME:
		return ERROR("InvalidName", STRING("name", subject->name));
	case FAILURE_INVALID_LABEL:
		return ERROR("InvalidLabel", STRING("label", subject->label));
	case FAILURE_LABELS_UNAVAILABLE:
		return ERROR("LabelsUnavailable", STRING("label", subject->label));
	case FAILURE_UNSUPPORTED_FILE_SYSTEM:
		return ERROR("UnsupportedFileSystem", STRING("origin", origin),
			     OPTIONAL_STRING("fileSystem", type));
	case FAILURE_NEEDS_RECOVERY:
		return ERROR("NeedsRecovery", STRING("origin", origin),
			     STRING("fileSystem", f->file_system));
	case FAILURE_OPERATION_FAILED:
		break;
	}
	return ERROR("OperationFailed", STRING("object", f->object), STRING("step", f->step),
		     STRING("reason", f->reason));
#undef ERROR
#undef STRING
}
