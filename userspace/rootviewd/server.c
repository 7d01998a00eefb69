// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The socket; server.h is the contract, common/interface.c the reference of the
 * methods.
 */
#include "server.h"

#include <grp.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-varlink.h>

#include "answer.h"
#include "interface.h"
#include "log.h"
#include "util.h"

#ifndef ROOTVIEW_VERSION
#error "the Makefile defines ROOTVIEW_VERSION"
#endif

#define SOCKET_GROUP "rootview"

struct server {
	sd_varlink_server *varlink;
	char *path;		/* of the socket, if it was made here */
};

/* The arguments of a call; all methods have theirs among these. */
struct request {
	const char *name;
	const char *origin;
	const char *device;
	const char *label;
};

#define FIELD(field, flags)                                                      \
	{ #field, SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,         \
	  offsetof(struct request, field), (flags) }

static int refuse(sd_varlink *link, const struct request *request, const struct failure *f)
{
	const struct answer_subject subject = {
		.name = request->name,
		.origin = request->origin,
		.device = request->device,
		.label = request->label,
	};

	log_debug("refused: %s", f->message);
	return answer_failure(link, f, &subject);
}

/* Who asked, for the log of what was changed. */
static void log_change(sd_varlink *link, const char *what, const struct request *request)
{
	uid_t uid = -1;
	pid_t pid = 0;

	(void)sd_varlink_get_peer_uid(link, &uid);
	(void)sd_varlink_get_peer_pid(link, &pid);
	log_info("%s %s%s%s, asked for by process %d of user %u", what, request->origin ?: "",
		 request->origin ? "/" : "", request->name, pid, uid);
}

/*
 * Origins.
 */

static int method_add_origin(sd_varlink *link, sd_json_variant *parameters,
			     sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		FIELD(name, SD_JSON_MANDATORY), FIELD(device, SD_JSON_MANDATORY), {}
	};
	struct service *service = userdata;
	struct request request = {};
	struct failure f;
	int r;

	(void)flags;
	r = sd_varlink_dispatch(link, parameters, fields, &request);
	if (r != 0)
		return r;
	if (service_add_origin(service, request.name, request.device, &f) < 0)
		return refuse(link, &request, &f);
	log_change(link, "added origin", &request);

	cleanup_answer struct answer answer = {};

	if (service_list_origins(service, request.name, answer_add_origin, &answer, &f) < 0)
		return refuse(link, &request, &f);
	return answer_one(link, "origin", &answer);
}

static int method_remove_origin(sd_varlink *link, sd_json_variant *parameters,
				sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = { FIELD(name, SD_JSON_MANDATORY), {} };
	struct request request = {};
	struct failure f;
	int r;

	(void)flags;
	r = sd_varlink_dispatch(link, parameters, fields, &request);
	if (r != 0)
		return r;
	if (service_remove_origin(userdata, request.name, &f) < 0)
		return refuse(link, &request, &f);
	log_change(link, "removed origin", &request);
	return sd_varlink_reply(link, NULL);
}

static int method_list_origins(sd_varlink *link, sd_json_variant *parameters,
			       sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = { {} };
	cleanup_answer struct answer answer = {};
	struct request request = {};
	struct failure f;
	int r;

	(void)flags;
	r = sd_varlink_dispatch(link, parameters, fields, &request);
	if (r != 0)
		return r;
	if (service_list_origins(userdata, NULL, answer_add_origin, &answer, &f) < 0)
		return refuse(link, &request, &f);
	return answer_all(link, "origins", &answer);
}

/*
 * Views.
 */

static int method_create_view(sd_varlink *link, sd_json_variant *parameters,
			      sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		FIELD(origin, SD_JSON_MANDATORY), FIELD(name, SD_JSON_MANDATORY),
		FIELD(label, SD_JSON_NULLABLE), {}
	};
	cleanup_answer struct answer answer = {};
	struct request request = {};
	struct failure f;
	struct view *view;
	int r;

	(void)flags;
	r = sd_varlink_dispatch(link, parameters, fields, &request);
	if (r != 0)
		return r;
	if (service_create_view(userdata, request.origin, request.name, request.label, &view,
				&f) < 0)
		return refuse(link, &request, &f);
	log_change(link, "created view", &request);
	answer_add_view(view, &answer);
	return answer_one(link, "view", &answer);
}

static int method_delete_view(sd_varlink *link, sd_json_variant *parameters,
			      sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		FIELD(origin, SD_JSON_MANDATORY), FIELD(name, SD_JSON_MANDATORY), {}
	};
	struct request request = {};
	struct failure f;
	int r;

	(void)flags;
	r = sd_varlink_dispatch(link, parameters, fields, &request);
	if (r != 0)
		return r;
	if (service_delete_view(userdata, request.origin, request.name, &f) < 0)
		return refuse(link, &request, &f);
	log_change(link, "deleted view", &request);
	return sd_varlink_reply(link, NULL);
}

static int method_list_views(sd_varlink *link, sd_json_variant *parameters,
			     sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = { FIELD(origin, SD_JSON_NULLABLE), {} };
	cleanup_answer struct answer answer = {};
	struct request request = {};
	struct failure f;
	int r;

	(void)flags;
	r = sd_varlink_dispatch(link, parameters, fields, &request);
	if (r != 0)
		return r;
	if (service_list_views(userdata, request.origin, answer_add_view, &answer, &f) < 0)
		return refuse(link, &request, &f);
	return answer_all(link, "views", &answer);
}

/*
 * The socket itself.
 */

static int describe(sd_varlink_server *varlink, struct service *service)
{
	int r;

	r = sd_varlink_server_set_info(varlink, "rootview", "rootviewd", ROOTVIEW_VERSION, NULL);
	if (r < 0)
		return r;
	r = sd_varlink_server_add_interface(varlink, &vl_interface_io_rootview);
	if (r < 0)
		return r;
	sd_varlink_server_set_userdata(varlink, service);
	return sd_varlink_server_bind_method_many(
		varlink,
		ROOTVIEW_METHOD("AddOrigin"), method_add_origin,
		ROOTVIEW_METHOD("RemoveOrigin"), method_remove_origin,
		ROOTVIEW_METHOD("ListOrigins"), method_list_origins,
		ROOTVIEW_METHOD("CreateView"), method_create_view,
		ROOTVIEW_METHOD("DeleteView"), method_delete_view,
		ROOTVIEW_METHOD("ListViews"), method_list_views);
}

static int make_socket(struct server *server, const char *path)
{
	struct group *group;
	int r;

	/* An older daemon's is replaced: the lock on the runtime folder is ours. */
	r = sd_varlink_server_listen_address(server->varlink, path, 0660);
	if (r < 0)
		return r;
	server->path = strdup(path);
	if (!server->path)
		return -ENOMEM;
	errno = 0;
	group = getgrnam(SOCKET_GROUP);
	if (group && chown(path, -1, group->gr_gid) < 0)
		return -errno;
	return 0;
}

static int listen_on(struct server *server, const char *path)
{
	int n = sd_listen_fds(1);

	if (n < 0)
		return n;
	if (n == 0)
		return make_socket(server, path);
	for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++) {
		int r = sd_varlink_server_listen_fd(server->varlink, fd);

		if (r < 0)
			return r;
	}
	return 0;
}

int server_new(struct server **ret, struct service *service, sd_event *event, const char *path,
	       struct failure *f)
{
	struct server *server = calloc(1, sizeof(*server));
	int r = -ENOMEM;

	if (!server)
		goto failed;
	r = sd_varlink_server_new(&server->varlink, SD_VARLINK_SERVER_INHERIT_USERDATA);
	if (r >= 0)
		r = describe(server->varlink, service);
	if (r >= 0)
		r = listen_on(server, path);
	if (r >= 0)
		r = sd_varlink_server_attach_event(server->varlink, event,
						   SD_EVENT_PRIORITY_NORMAL);
	if (r < 0)
		goto failed;
	*ret = server;
	return 0;

failed:
	server_free(server);
	return failed_step(f, path, "serve on this socket", -r, NULL);
}

void server_free(struct server *server)
{
	if (!server)
		return;
	if (server->varlink)
		(void)sd_varlink_server_shutdown(server->varlink);
	sd_varlink_server_unref(server->varlink);
	if (server->path)
		(void)unlink(server->path);
	free(server->path);
	free(server);
}
