// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Docker's API.  Its command would take longer to start than what is measured.
 */
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "bench.h"
#include "util.h"

/* That of the oldest Docker that there is a driver for here, which newer ones speak, too. */
#define API "/v1.41"

static FILE *dial(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r+");

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (!f || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die(errno, "connect to %s", path);
	return f;
}

/* By HTTP/1.0 an answer is in one piece, and ends with the connection. */
char *docker_call(const struct bench *b, const char *method, const char *path, const char *body)
{
	cleanup_free char *socket_path = text("%s/docker.sock", b->work), *answer = NULL;
	cleanup_fclose FILE *f = dial(socket_path);
	const char *content;
	size_t size = 0;
	int status;

	fprintf(f, "%s " API "%s HTTP/1.0\r\nHost: docker\r\nContent-Type: application/json\r\n"
		"Content-Length: %zu\r\n\r\n%s", method, path, strlen(body), body);
	if (fflush(f) || getdelim(&answer, &size, '\0', f) < 0)
		die(errno, "dockerd: %s %s", method, path);
	content = strstr(answer, "\r\n\r\n");
	if (!content || sscanf(answer, "HTTP/%*s %d", &status) != 1 || status / 100 != 2)
		die(0, "dockerd: %s %s: %s", method, path, answer);
	return text("%s", content + strlen("\r\n\r\n"));
}
