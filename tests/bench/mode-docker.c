// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Docker on its own overlay2, and on rootview-graphdriver.  A mode has daemons of
 * its own, and imports the image: what is measured begins with that in the store.
 */
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-json.h>
#include <time.h>

#include "bench.h"
#include "util.h"

#define IMAGE "bench"

/* Where dockerd looks for drivers. */
#define PLUGINS "/run/docker/plugins"
#define DRIVER_SOCKET PLUGINS "/rootview.sock"

/* Of a hundredth of a second each. */
#define START_TRIES 6000

#define cleanup_json cleanup_with(sd_json_variant_unrefp)

/* Waits until the program has made its socket. */
static void wait_for_socket(const char *path, pid_t pid, const char *name)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	for (int i = 0; access(path, F_OK) < 0; i++) {
		if (i == START_TRIES || waitpid(pid, NULL, WNOHANG) != 0)
			die(0, "%s does not start", name);
		nanosleep(&pause, NULL);
	}
}

static pid_t start_daemon(const struct bench *b, const char *path, char *const argv[])
{
	cleanup_free char *log = text("%s/%s.log", b->work, argv[0]);
	pid_t pid;

	unlink(path);
	pid = start_program(log, argv);
	wait_for_socket(path, pid, argv[0]);
	return pid;
}

static void start_containerd(struct bench *b)
{
	cleanup_free char *path = text("%s/containerd.toml", b->work);
	cleanup_free char *socket = text("%s/containerd.sock", b->work);
	cleanup_free char *config = text("version = 2\n"
		"root = \"%s/store/containerd\"\n"
		"state = \"%s/containerd\"\n"
		"disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n", b->work, b->work);

	write_file(path, config);
	b->containerd = start_daemon(b, socket,
				     (char *[]){ "containerd", "--config", path,
						 "--address", socket, NULL });
}

static void start_driver(struct bench *b)
{
	(void)mkdir("/run/docker", 0700);
	(void)mkdir(PLUGINS, 0755);
	b->driver = start_daemon(b, DRIVER_SOCKET, (char *[]){ "rootview-graphdriver", NULL });
}

/* It listens early, and answers when it is ready. */
static void start_dockerd(struct bench *b, char *name, char *const options[], size_t n)
{
	cleanup_free char *path = text("%s/docker.sock", b->work), *host = text("unix://%s", path);
	cleanup_free char *containerd = text("%s/containerd.sock", b->work);
	cleanup_free char *root = text("%s/store/docker", b->work);
	cleanup_free char *state = text("%s/docker", b->work);
	cleanup_free char *pid_file = text("%s/docker.pid", b->work);
	char *all[32] = {
		"dockerd", "--host", host, "--containerd", containerd, "--data-root", root,
		"--exec-root", state, "--pidfile", pid_file, "--iptables=false", "--bridge=none",
		"--storage-driver", name, b->labels ? "--selinux-enabled" : "--debug=false",
	};
	size_t used = 0;

	while (all[used])
		used++;
	memcpy(all + used, options, n * sizeof(*options));
	b->dockerd = start_daemon(b, path, all);
	free(docker_call(b, "GET", "/_ping", ""));
}

static void import_image(const struct bench *b)
{
	cleanup_free char *command = text("tar --create --directory '%s/store/image' . | "
					  "docker --host 'unix://%s/docker.sock' import - " IMAGE,
					  b->work, b->work);

	run_program((char *[]){ "sh", "-c", command, NULL });
}

static void start_overlay2(struct bench *b)
{
	start_containerd(b);
	start_dockerd(b, "overlay2", NULL, 0);
	import_image(b);
}

/* A container's file system is as large as the image's volume. */
static void start_rootview(struct bench *b)
{
	cleanup_free char *pool = text("rootview.pool=%s", b->pool);

	start_containerd(b);
	rootviewd_start(b);
	start_driver(b);
	start_dockerd(b, "rootview",
		      (char *[]){ "--experimental", "--storage-opt", pool,
				  "--storage-opt", "rootview.size=1G" }, 5);
	import_image(b);
}

static char *id_of(const char *answer)
{
	cleanup_json sd_json_variant *v = NULL;

	if (sd_json_parse(answer, 0, &v, NULL, NULL) < 0)
		die(0, "dockerd: no JSON: %s", answer);
	return text("%s", sd_json_variant_string(sd_json_variant_by_key(v, "Id")));
}

static void create(struct bench *b, size_t i, const char *options)
{
	cleanup_free char *path = text("/containers/create?name=rvb-%zu", i);
	cleanup_free char *body = text("{\"Image\":\"" IMAGE "\",\"Cmd\":[\"/pause\"],"
				       "\"HostConfig\":{\"NetworkMode\":\"none\"%s}}", options);
	cleanup_free char *answer = docker_call(b, "POST", path, body);

	b->containers[i].id = id_of(answer);
}

static void create_writable(struct bench *b, size_t i, size_t n)
{
	(void)n;
	create(b, i, "");
}

static void create_read_only(struct bench *b, size_t i, size_t n)
{
	(void)n;
	create(b, i, ",\"ReadonlyRootfs\":true");
}

static void create_shared(struct bench *b, size_t i, size_t n)
{
	(void)n;
	create(b, i, ",\"ReadonlyRootfs\":true,\"StorageOpt\":{\"shared-rootfs\":\"true\"}");
}

void docker_start(struct bench *b, size_t i)
{
	const char *id = b->containers[i].id;
	cleanup_free char *path = text("/containers/%s/start", id);
	cleanup_free char *pid_file =
		text("%s/containerd/io.containerd.runtime.v2.task/moby/%s/init.pid", b->work, id);

	free(docker_call(b, "POST", path, ""));
	wait_until_pausing(pid_file);
}

static void delete(struct bench *b, size_t i, size_t n)
{
	cleanup_free char *path = text("/containers/%s?force=1", b->containers[i].id);

	(void)n;
	free(docker_call(b, "DELETE", path, ""));
}

static void finish_overlay2(struct bench *b)
{
	free(docker_call(b, "DELETE", "/images/" IMAGE, ""));
	end_program(b->dockerd, "dockerd");
	end_program(b->containerd, "containerd");
}

static void finish_rootview(struct bench *b)
{
	finish_overlay2(b);
	end_program(b->driver, "rootview-graphdriver");
	unlink(DRIVER_SOCKET);
	rootviewd_stop(b);
}

const struct mode mode_docker_overlay2 = {
	.name = "overlay2", .docker = true, .start = start_overlay2,
	.create = create_writable, .delete = delete, .finish = finish_overlay2,
};

const struct mode mode_docker_writable = {
	.name = "rootview-writable", .docker = true, .start = start_rootview,
	.create = create_writable, .delete = delete, .finish = finish_rootview,
};

const struct mode mode_docker_attached = {
	.name = "rootview-attached", .docker = true, .start = start_rootview,
	.create = create_read_only, .delete = delete, .settle = rootviewd_settle,
	.finish = finish_rootview,
};

const struct mode mode_docker_shared = {
	.name = "rootview-shared", .docker = true, .start = start_rootview,
	.create = create_shared, .delete = delete, .settle = rootviewd_settle,
	.finish = finish_rootview,
};
