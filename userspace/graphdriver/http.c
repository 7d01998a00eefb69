// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * HTTP for plugins; http.h is the contract.
 *
 * libmicrohttpd has a thread for each connection.  A stream is passed on by a pipe or a
 * pair of sockets, at whose other end another thread is: the functions of the calls need
 * to know nothing of HTTP, and who sends too fast has to wait.
 */
#include "http.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "util.h"

/* Requests are some names, paths and options. */
#define REQUEST_MAX	(1024 * 1024)

#define CONTENT_TYPE	"application/vnd.docker.plugins.v1.2+json"

struct http {
	struct MHD_Daemon *daemon;
	const struct http_method *methods;
};

/* One request and its answer. */
struct exchange {
	const struct http_method *method;
	char *request;
	size_t size;
	bool too_large;

	/* Of a stream. */
	pthread_t thread;
	bool running;
	int ours, theirs;	/* ends of the pipe or pair */
	struct http_query query;
	char *answer;
};

static void free_exchange(struct exchange *e)
{
	close_fd(&e->ours);
	if (e->running)
		pthread_join(e->thread, NULL);
	close_fd(&e->theirs);
	free(e->request);
	free(e->answer);
	free(e);
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned int status,
			      const char *text)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result r;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, CONTENT_TYPE);
	r = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result answer_json(struct MHD_Connection *connection, unsigned int status,
				   const char *json)
{
	return json ? answer(connection, status, json) :
	       answer(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "{\"Err\":\"out of memory\"}");
}

/*
 * Streams.
 */

static void *run_receive(void *userdata)
{
	struct exchange *e = userdata;

	e->answer = e->method->receive(&e->query, e->theirs);
	/* Who still writes learns that nobody reads. */
	close_fd(&e->theirs);
	return NULL;
}

static void *run_send(void *userdata)
{
	struct exchange *e = userdata;

	e->answer = e->method->send(e->request, e->theirs);
	close_fd(&e->theirs);
	return NULL;
}

/* From now on both ends are the exchange's. */
static int start_stream(struct exchange *e, int ours, int theirs, void *(*run)(void *userdata))
{
	e->ours = ours;
	e->theirs = theirs;
	if (pthread_create(&e->thread, NULL, run, e))
		return -1;
	e->running = true;
	return 0;
}

static int start_sending(struct exchange *e)
{
	int ends[2];

	return pipe2(ends, O_CLOEXEC) < 0 ? -1 : start_stream(e, ends[0], ends[1], run_send);
}

/*
 * A socket that is closed with something in it unread lets the other end read an error
 * and no end.  So a byte lies in ours until all has come: what is cut off is no stream.
 */
static int start_receiving(struct exchange *e)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	if (write(ends[1], "", 1) == 1)
		return start_stream(e, ends[0], ends[1], run_receive);
	close(ends[0]);
	close(ends[1]);
	return -1;
}

static void all_has_come(struct exchange *e)
{
	char byte;

	if (e->ours >= 0 && read(e->ours, &byte, 1) != 1)
		fprintf(stderr, "rootview-graphdriver: a stream's end: %s\n", strerror(errno));
}

static void end_stream(struct exchange *e)
{
	close_fd(&e->ours);
	pthread_join(e->thread, NULL);
	e->running = false;
}

/* If the other end is closed, the rest is not wanted: its answer says why. */
static void pass_on(struct exchange *e, const char *data, size_t size)
{
	while (e->ours >= 0 && size > 0) {
		ssize_t n = write(e->ours, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			close_fd(&e->ours);
			return;
		}
		data += n;
		size -= n;
	}
}

static ssize_t read_stream(void *userdata, uint64_t position, char *buffer, size_t size)
{
	struct exchange *e = userdata;
	ssize_t n;

	(void)position;
	do
		n = read(e->ours, buffer, size);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return n;
	if (e->running)
		end_stream(e);
	return n == 0 && e->answer && !*e->answer ? MHD_CONTENT_READER_END_OF_STREAM :
	       MHD_CONTENT_READER_END_WITH_ERROR;
}

/* An error before the first byte can still be told; a later one breaks the stream. */
static enum MHD_Result answer_stream(struct MHD_Connection *connection, struct exchange *e)
{
	struct pollfd first = { .events = POLLIN };
	struct MHD_Response *response;
	enum MHD_Result r;

	if (start_sending(e) < 0)
		return answer_json(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, NULL);
	first.fd = e->ours;
	while (poll(&first, 1, -1) < 0 && errno == EINTR)
		;
	if (!(first.revents & POLLIN)) {
		end_stream(e);
		if (!e->answer || *e->answer)
			return answer_json(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, e->answer);
		return answer(connection, MHD_HTTP_OK, "");
	}
	/* The exchange lives until the request is completed. */
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 65536, read_stream, e, NULL);
	if (!response)
		return MHD_NO;
	r = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return r;
}

/*
 * Requests.
 */

static const char *query_value(struct MHD_Connection *connection, const char *key)
{
	return MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, key) ?: "";
}

static struct exchange *begin(const struct http *http, struct MHD_Connection *connection,
			      const char *url)
{
	struct exchange *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->ours = -1;
	e->theirs = -1;
	for (e->method = http->methods; e->method->url && !streq(e->method->url, url); e->method++)
		;
	if (!e->method->receive)
		return e;
	e->query.id = query_value(connection, "id");
	e->query.parent = query_value(connection, "parent");
	if (start_receiving(e) == 0)
		return e;
	free_exchange(e);
	return NULL;
}

static bool take(struct exchange *e, const char *data, size_t size)
{
	char *request;

	if (e->method->receive) {
		pass_on(e, data, size);
		return true;
	}
	e->too_large = e->too_large || size > REQUEST_MAX - e->size;
	if (e->too_large)
		return true;
	request = realloc(e->request, e->size + size + 1);
	if (!request)
		return false;
	memcpy(request + e->size, data, size);
	e->request = request;
	e->size += size;
	request[e->size] = 0;
	return true;
}

static enum MHD_Result carry_out(struct MHD_Connection *connection, struct exchange *e)
{
	if (!e->method->url)
		return answer(connection, MHD_HTTP_NOT_FOUND,
			      "{\"Err\":\"there is no such call\"}");
	if (e->too_large)
		return answer(connection, MHD_HTTP_CONTENT_TOO_LARGE,
			      "{\"Err\":\"the request is larger than 1 MiB\"}");
	if (e->method->send)
		return answer_stream(connection, e);
	if (e->method->receive) {
		all_has_come(e);
		end_stream(e);
	} else {
		e->answer = e->method->call(e->method, e->request ?: "");
	}
	return answer_json(connection, MHD_HTTP_OK, e->answer);
}

/* Called when a request begins, for each part of its content, and when it is complete. */
static enum MHD_Result handle(void *userdata, struct MHD_Connection *connection, const char *url,
			      const char *verb, const char *version, const char *data,
			      size_t *size, void **context)
{
	struct exchange *e = *context;

	(void)version;
	if (!e) {
		if (!streq(verb, MHD_HTTP_METHOD_POST))
			return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
				      "{\"Err\":\"calls are POST requests\"}");
		*context = begin(userdata, connection, url);
		return *context ? MHD_YES : MHD_NO;
	}
	if (*size > 0) {
		bool taken = take(e, data, *size);

		*size = 0;
		return taken ? MHD_YES : MHD_NO;
	}
	return carry_out(connection, e);
}

static void completed(void *userdata, struct MHD_Connection *connection, void **context,
		      enum MHD_RequestTerminationCode code)
{
	(void)userdata, (void)connection, (void)code;
	if (*context)
		free_exchange(*context);
	*context = NULL;
}

struct http *http_start(int fd, const struct http_method *methods)
{
	struct http *http = calloc(1, sizeof(*http));

	if (!http)
		return NULL;
	http->methods = methods;
	/* Docker's Host header may be empty, which is no proper HTTP/1.1. */
	http->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
					MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ITC, 0, NULL, NULL,
					handle, http,
					MHD_OPTION_LISTEN_SOCKET, fd,
					MHD_OPTION_CLIENT_DISCIPLINE_LVL, -3,
					MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
					MHD_OPTION_END);
	if (http->daemon)
		return http;
	free(http);
	return NULL;
}

void http_stop(struct http *http)
{
	/* Else it would close the socket. */
	MHD_quiesce_daemon(http->daemon);
	MHD_stop_daemon(http->daemon);
	free(http);
}
