// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mount name spaces; mount-namespace.h is the contract.
 */
#include "mount-namespace.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-login.h>

#include "util.h"

#define MANAGER		"org.freedesktop.systemd1"
#define MANAGER_SOCKET	"unix:path=/run/systemd/private"

/*
 * /proc/1/ns/mnt is for those alone who may trace process 1; its mount table is for all.  Ids
 * of mounts are unique among all name spaces, and a mount is in one.
 */
int mount_namespace_is_common(void)
{
	cleanup_fclose FILE *table = NULL;
	cleanup_free char *line = NULL;
	struct statx st;
	size_t size = 0;

	if (statx(AT_FDCWD, "/", 0, STATX_MNT_ID, &st) < 0)
		return -errno;
	if (!(st.stx_mask & STATX_MNT_ID))
		return -EOPNOTSUPP;
	table = fopen("/proc/1/mountinfo", "re");
	if (!table)
		return -errno;
	while ((errno = 0, getline(&line, &size, table)) > 0) {
		uint64_t id;

		if (sscanf(line, "%" SCNu64 " ", &id) == 1 && id == st.stx_mnt_id)
			return 1;
	}
	return -errno;
}

/*
 * What systemd's exec_needs_mount_namespace() looks at: properties by their D-Bus types, and
 * what a string is if nothing was set.
 */
static const struct setting {
	const char *name;
	const char *type;
	const char *unset;
} settings[] = {
	{ "PrivateMounts",		"b", NULL },
	{ "PrivateTmp",			"b", NULL },
	{ "PrivateDevices",		"b", NULL },
	{ "PrivateIPC",			"b", NULL },
	{ "DynamicUser",		"b", NULL },
	{ "ProtectKernelTunables",	"b", NULL },
	{ "ProtectKernelModules",	"b", NULL },
	{ "ProtectKernelLogs",		"b", NULL },
	{ "ProtectControlGroups",	"b", NULL },
	{ "ProtectSystem",		"s", "no" },
	{ "ProtectHome",		"s", "no" },
	{ "ProtectProc",		"s", "default" },
	{ "ProcSubset",			"s", "all" },
	{ "RootDirectory",		"s", "" },
	{ "RootImage",			"s", "" },
	{ "MountFlags",			"t", NULL },
	{ "ReadWritePaths",		"as", NULL },
	{ "ReadOnlyPaths",		"as", NULL },
	{ "InaccessiblePaths",		"as", NULL },
	{ "ExecPaths",			"as", NULL },
	{ "NoExecPaths",		"as", NULL },
	{ "BindPaths",			"a(ssbt)", NULL },
	{ "BindReadOnlyPaths",		"a(ssbt)", NULL },
	{ "TemporaryFileSystem",	"a(ss)", NULL },
	{ "MountImages",		"a(ssba(ss))", NULL },
	{ "ExtensionImages",		"a(sba(ss))", NULL },
	{ "ExtensionDirectories",	"as", NULL },
};

/* Whether the value that @reply is at differs from that of a unit which sets nothing. */
static int is_set(const struct setting *s, sd_bus_message *reply)
{
	const char *text;
	uint64_t number;
	int r, flag;

	switch (*s->type) {
	case 'b':
		r = sd_bus_message_read(reply, "b", &flag);
		return r < 0 ? r : flag;
	case 's':
		r = sd_bus_message_read(reply, "s", &text);
		return r < 0 ? r : *text && !streq(text, s->unset);
	case 't':
		r = sd_bus_message_read(reply, "t", &number);
		return r < 0 ? r : number && number != MS_SHARED;
	default:
		r = sd_bus_message_enter_container(reply, 'a', s->type + 1);
		return r < 0 ? r : !sd_bus_message_at_end(reply, 0);
	}
}

/* A systemd that does not know the setting has not got it set. */
static int ask(sd_bus *bus, const char *path, const struct setting *s)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int r;

	r = sd_bus_get_property(bus, MANAGER, path, MANAGER ".Service", s->name, &error, &reply,
				s->type);
	if (r >= 0)
		r = is_set(s, reply);
	else if (sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_PROPERTY))
		r = 0;
	sd_bus_message_unref(reply);
	sd_bus_error_free(&error);
	return r;
}

static int ask_for_all(sd_bus *bus, const char *path, FILE *to)
{
	bool first = true;

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		int r = ask(bus, path, &settings[i]);

		if (r < 0)
			return r;
		if (r > 0)
			fprintf(to, "%s%s=", first ? "" : ", ", settings[i].name);
		first = first && r == 0;
	}
	return 0;
}

/* systemd's own socket: there need not be a message bus. */
static int open_manager(sd_bus **ret)
{
	sd_bus *bus;
	int r = sd_bus_new(&bus);

	if (r < 0)
		return r;
	r = sd_bus_set_address(bus, MANAGER_SOCKET);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0)
		sd_bus_unref(bus);
	else
		*ret = bus;
	return r;
}

int mount_namespace_settings(const char *unit, char **ret)
{
	cleanup_free char *path = NULL, *text = NULL;
	size_t size = 0;
	FILE *to = NULL;
	sd_bus *bus;
	int r;

	r = open_manager(&bus);
	if (r < 0)
		return r;
	r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path);
	if (r >= 0) {
		to = open_memstream(&text, &size);
		r = to ? ask_for_all(bus, path, to) : -errno;
	}
	if (to && fclose(to) != 0 && r >= 0)
		r = -errno;
	sd_bus_flush_close_unref(bus);
	if (r < 0)
		return r;
	*ret = steal_ptr(&text);
	return 0;
}

int mount_namespace_own_settings(char **ret)
{
	cleanup_free char *unit = NULL;
	int r = sd_pid_get_unit(0, &unit);

	return r < 0 ? r : mount_namespace_settings(unit, ret);
}
