/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * HTTP on a Unix socket, as Docker speaks it to its plugins: a POST for each call,
 * JSON both ways, but for calls of which one way is a stream of bytes.
 */
#ifndef ROOTVIEW_GRAPHDRIVER_HTTP_H
#define ROOTVIEW_GRAPHDRIVER_HTTP_H

/* What is behind the '?' of a request; "" where there is nothing. */
struct http_query {
	const char *id;
	const char *parent;
};

struct protocol_request;

/*
 * A call; one of the first three functions is not NULL.  They are called by many
 * threads at a time.  What they return is JSON, to be freed, or NULL if memory is short.
 */
struct http_method {
	const char *url;
	/* With the whole request, ended by a zero. */
	char *(*call)(const struct http_method *method, const char *request);
	/* With a descriptor to read the request from, as long as it comes. */
	char *(*receive)(const struct http_query *query, int fd);
	/*
	 * With a descriptor to write the answer to.  Returns "" if it is complete, and JSON
	 * if it is not: who has already got a part of it is hung up on.
	 */
	char *(*send)(const char *request, int fd);
	/* For @call, which knows what a request is. */
	char *(*run)(const struct protocol_request *request);
};

struct http;

/*
 * Serves the listening socket @fd, which stays the caller's, until http_stop().
 * @methods end with one without a URL.  Returns NULL, with errno, if it cannot.
 */
struct http *http_start(int fd, const struct http_method *methods);

/* Waits for the calls that are under way. */
void http_stop(struct http *http);

#endif
