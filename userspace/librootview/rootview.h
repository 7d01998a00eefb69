/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * librootview: rootviewd for graph drivers and container engines.
 *
 * An *origin* is a block device with one image's root file system; a *view* is
 * one container's named use of it.  rootviewd creates views, mounts them and
 * gives them out; `varlinkctl introspect` on its socket shows what it can do,
 * with all ranges and limits.  This library speaks to that socket.
 *
 * To do something, build a call, then run it, which waits for the answer:
 *
 *	struct rootview *c;
 *	struct rootview_request *request = rootview_request_new();
 *	struct rootview_call *call;
 *	struct rootview_reply *reply;
 *
 *	rootview_connect(NULL, &c);
 *	rootview_request_set_name(request, "container-7");
 *	rootview_call_create(&call, "web", &request, 1);
 *	if (rootview_run(c, call, &reply) < 0)
 *		die("%s", rootview_error_message(c));
 *	printf("mounted at %s\n", rootview_reply_path(reply, 0));
 *
 * or submit it, and have a function called when the answer is there.
 *
 * Conventions:
 *  - A function that returns int returns 0, or a negative errno.  -EINVAL is an
 *    argument that makes no sense; -EUCLEAN a text that is not UTF-8; -ENOMEM
 *    may come from everywhere.  What else may come is said at the function.
 *  - Objects may not be NULL unless that is said; strings that a function needs
 *    and are NULL or empty make no sense.
 *  - Strings that are passed are copied.  Strings that are returned belong to
 *    the object that was asked, and live as long as it does.
 *  - Functions with `_free` take NULL, and errno stays as it was.
 *  - No object may be used by two threads at a time.  The library has no
 *    state besides its objects, no threads, and touches no signal handlers.
 *  - After fork() without exec, a connection is the parent's alone.
 */
#ifndef ROOTVIEW_H
#define ROOTVIEW_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version that a program was compiled with, and that of the library that it runs with. */
#define ROOTVIEW_VERSION_MAJOR 0
#define ROOTVIEW_VERSION_MINOR 1
#define ROOTVIEW_VERSION_PATCH 0
const char *rootview_version(void);	/* "MAJOR.MINOR.PATCH" */

/* A connection to rootviewd. */
struct rootview;
/* What one view is asked for with.  May be used for many calls. */
struct rootview_request;
/* A call that has been built.  Is used up by rootview_run() or rootview_submit(). */
struct rootview_call;
/* What rootviewd answered: a list of items, such as views. */
struct rootview_reply;

/* What a mount point is made as, if the image lacks it. */
enum rootview_kind {
	ROOTVIEW_DIRECTORY,
	ROOTVIEW_FILE,
	ROOTVIEW_LINK,		/* a symbolic link; nothing is mounted on it */
	ROOTVIEW_TMPFS,		/* a directory of mode 01777, which a tmpfs there takes over */
};

/* Which ids a range is of. */
enum rootview_ids {
	ROOTVIEW_UIDS = 1,
	ROOTVIEW_GIDS = 2,
	ROOTVIEW_UIDS_AND_GIDS = 3,
};

/*
 * Connections.
 */

/*
 * Connects to the socket @path, or to rootviewd's own if that is NULL.  @ret
 * is for rootview_disconnect().  -ENOENT or -ECONNREFUSED: no rootviewd serves
 * it; -EACCES: not for this user; or another error of connect(2).
 */
int rootview_connect(const char *path, struct rootview **ret);

/*
 * Closes and frees @c, which may be NULL.  Calls that are under way are
 * forgotten: their callbacks are not called; what rootviewd does for them, it
 * still does.  Not from within a callback.
 */
void rootview_disconnect(struct rootview *c);

/*
 * How long an answer may take from now on, in microseconds; 0 for as long as it
 * takes, which is how a connection begins.  When it has passed, the call fails
 * with -ETIMEDOUT and the connection is closed: later calls fail with -ENOTCONN.
 * -EBUSY while a call is under way.
 */
int rootview_set_timeout(struct rootview *c, uint64_t usec);

/*
 * Why the last call that ended failed, if rootviewd said so: the error's name,
 * such as "io.rootview.NoSuchView", and a sentence for people.  The message is
 * never NULL; the name is NULL if the call was fine or failed on this side.
 * They live until the next call on @c ends.  Of one refusal among several, see
 * rootview_reply_error_name().
 */
const char *rootview_error_name(struct rootview *c);
const char *rootview_error_message(struct rootview *c);

/*
 * What the same error is about, by the names that the interface has for its
 * parameters: the "origin" and the "name" of io.rootview.NoSuchView, the "limit" of
 * io.rootview.TooMany.  NULL and -ENOENT without that parameter, or where it is of
 * the other type.  The last has all of them, as a JSON object; NULL if there are
 * none, or no memory.
 */
const char *rootview_error_text(struct rootview *c, const char *parameter);
int rootview_error_number(struct rootview *c, const char *parameter, uint64_t *ret);
const char *rootview_error_json(struct rootview *c);

/*
 * Requests.  Setters may be called in any order; the last one counts.
 */

/* An empty request, to be freed; NULL if there is no memory. */
struct rootview_request *rootview_request_new(void);

/* Another one with all that @r has at this moment, to be freed; NULL if there is no memory. */
struct rootview_request *rootview_request_copy(const struct rootview_request *r);

void rootview_request_free(struct rootview_request *r);

/* Of the view: 1 to 127 visible ASCII characters without '/'.  Every new view needs one. */
int rootview_request_set_name(struct rootview_request *r, const char *name);

/* SELinux label of all its files, instead of the origin's. */
int rootview_request_set_label(struct rootview_request *r, const char *label);

/* Whether it is a device alone, and not mounted: what cannot be mounted, or need not be. */
int rootview_request_set_device_only(struct rootview_request *r, int device_only);

/*
 * Adds a path that the container will mount on, absolute in the container.
 * @target is where a ROOTVIEW_LINK leads to, and NULL for the other kinds.
 */
int rootview_request_add_mount_point(struct rootview_request *r, const char *path,
				     enum rootview_kind kind, const char *target);

/* Adds a ready-made list of mount points: "docker", "podman", "kubernetes" or "containerd". */
int rootview_request_add_list(struct rootview_request *r, const char *list);

/*
 * Adds a range to the id map: @count ids (at least 1), stored in the image as
 * @inside and the following, are seen by the host as @outside and the following.
 * A map needs ranges of user and of group ids, up to 32 each, that do not
 * overlap; whether it is complete is looked at by rootviewd.
 */
int rootview_request_add_id_range(struct rootview_request *r, enum rootview_ids ids,
				  uint32_t inside, uint32_t outside, uint32_t count);

/*
 * The user namespace whose id map the view shall have, as a descriptor.  It
 * stays the caller's, and must be open until the call has been built; it may
 * be closed then.
 */
int rootview_request_set_user_namespace(struct rootview_request *r, int fd);

/* The container's cgroup, as in /proc/PID/cgroup: "/POD", for example. */
int rootview_request_set_cgroup(struct rootview_request *r, const char *cgroup);

/* The process at whose end the view is deleted, by id. */
int rootview_request_set_process(struct rootview_request *r, pid_t pid);

/* The same, by pidfd; for the descriptor the same holds as for a user namespace. */
int rootview_request_set_pidfd(struct rootview_request *r, int fd);

/*
 * Calls.  Each of these builds one, and puts it into @ret; it is then either
 * handed to rootview_run() or rootview_submit(), or freed.
 */

/* Frees a call that was neither run nor submitted. */
void rootview_call_free(struct rootview_call *call);

/*
 * Creates @n views (1 to 1024) on the origin.  A single one fails as a call, with
 * nothing left of it.  Of several, each stands for itself: the call succeeds, and
 * the reply has an item for each, in the same order; see
 * rootview_reply_error_name().  The
 * requests may have 253 different descriptors among them, and several of them
 * together 4 MiB as JSON (-E2BIG): with hundreds of mount points each, call for
 * fewer at a time.  A descriptor that is not open: -EBADF; no room for its
 * duplicate: -EMFILE.
 */
int rootview_call_create(struct rootview_call **ret, const char *origin,
			 struct rootview_request *const *requests, size_t n);

/* Deletes the @n views (1 to 1024) of those names, in the same manner. */
int rootview_call_delete(struct rootview_call **ret, const char *origin,
			 const char *const *names, size_t n);

/*
 * Deletes the @n views (1 to 1024) of those ids, in the same manner: never one that has
 * got the name of another.
 */
int rootview_call_delete_ids(struct rootview_call **ret, const char *origin, const uint64_t *ids,
			     size_t n);

/*
 * Asks for a new mount of a view, which is attached nowhere: see rootview_reply_take_fd().
 * The view is that of the name, or of the id; NULL and 0 are none, and of both, both
 * must be the view's.  It is as good as any other that was given out, and outlives the view.
 */
int rootview_call_open(struct rootview_call **ret, const char *origin, const char *name,
		       uint64_t id);

/* Lists the views of @origin, or of all if that is NULL; or the one of that name, if not NULL. */
int rootview_call_list(struct rootview_call **ret, const char *origin, const char *name);

/*
 * Asks what was read by the cgroup of each view that has one: of @origin, or of all
 * if that is NULL; or of its view @name alone, if that is not NULL.  The items of the
 * reply are statistics: see rootview_reply_number().
 */
int rootview_call_stats(struct rootview_call **ret, const char *origin, const char *name);

/*
 * Asks which of the mount points and lists of @request the image lacks; whatever
 * else it has does not count.  The items of the reply are those mount points.
 */
int rootview_call_check(struct rootview_call **ret, const char *origin,
			struct rootview_request *request);

/*
 * Makes the block device @device an origin; its item is in the reply.  @label
 * is a SELinux context, "native", or NULL for the policy's.
 */
int rootview_call_add_origin(struct rootview_call **ret, const char *name, const char *device,
			     const char *label);

/* Takes an origin without views away. */
int rootview_call_remove_origin(struct rootview_call **ret, const char *name);

/* Lists the origins. */
int rootview_call_list_origins(struct rootview_call **ret);

/*
 * A stream of life-cycle events, a reply with one item each, of which the first
 * is "ready".  It can only be submitted, and keeps its connection to itself:
 * calls that follow on the same connection wait until it ends, that is, for good.
 */
int rootview_call_monitor(struct rootview_call **ret);

/*
 * Carries out @call, which is used up whatever happens, and waits for the answer,
 * which is then in @ret, for rootview_reply_free(); @ret may be NULL.
 *  -EREMOTEIO	rootviewd refused: see rootview_error_name()
 *  -EBUSY	submitted calls are under way, or this is one's callback
 *  -ECONNRESET	rootviewd went away; the call may or may not have been carried out
 *  -ENOTCONN	the connection was closed before, by another such error
 *  -ETIMEDOUT	see rootview_set_timeout()
 *  -EPROTO	what answers is no rootviewd
 *  -EMFILE, -ENFILE	there is no room for the descriptors of the answer: the call was
 *		not carried out, and the connection goes on
 *  -EINVAL	a call that can only be submitted, or NULL
 */
int rootview_run(struct rootview *c, struct rootview_call *call, struct rootview_reply **ret);

/*
 * What became of a submitted call.  @error is 0, or what rootview_run() would
 * have returned; @reply is NULL on errors, and belongs to the callback, which
 * has to free it at some time.  rootview_error_name() and _message() tell of
 * this call until the callback returns.  Of a stream this is called again and
 * again, and for the last time with an error.
 *
 * A callback may submit calls; it may neither run one, nor process, nor
 * disconnect the connection.
 */
typedef void (*rootview_callback)(struct rootview *c, int error, struct rootview_reply *reply,
				  void *userdata);

/*
 * Carries out @call, which is used up whatever happens, without waiting.  Calls
 * are carried out one after the other.  If 0 is returned, @callback is called,
 * from within rootview_process() only; otherwise it is not: -ENOTCONN if the
 * connection is closed.
 */
int rootview_submit(struct rootview *c, struct rootview_call *call, rootview_callback callback,
		    void *userdata);

/*
 * Forgets a submitted call whose callback was not called for the last time: it will not
 * be called any more, and @call is gone.  0: the call was not sent, and
 * is not carried out.  -EINPROGRESS: it was sent; rootviewd carries it out, and its
 * answer is thrown away.  A stream ends by that, and its connection with it.
 * -ENOENT: @c has no such call.
 */
int rootview_cancel(struct rootview *c, struct rootview_call *call);

/*
 * For the caller's own event loop: poll(2) the descriptor of rootview_get_fd()
 * (which stays the library's) for the events of rootview_get_events(), at most
 * until rootview_get_timeout(), then call rootview_process(), and begin again.
 * Events and timeout change with every submitted call and with every round.
 */

/* The descriptor, the same as long as the connection lives; or a negative errno. */
int rootview_get_fd(struct rootview *c);

/* POLLIN and POLLOUT, as they are needed now; or a negative errno. */
int rootview_get_events(struct rootview *c);

/* In microseconds of CLOCK_MONOTONIC; 0 for at once, UINT64_MAX if nothing is waited for. */
int rootview_get_timeout(struct rootview *c, uint64_t *ret);

/*
 * Does all that can be done without waiting, calling callbacks.  -ENOTCONN when
 * the connection is closed, and then all its calls have ended; -EBUSY within a
 * callback.
 */
int rootview_process(struct rootview *c);

/*
 * Replies.  Items are numbered from 0; an item that does not exist, and a
 * property that it does not have, is NULL, 0 or what is said.
 */

void rootview_reply_free(struct rootview_reply *reply);

/* How many items: views, results of a batch, origins, mount points, statistics, or one event. */
size_t rootview_reply_count(struct rootview_reply *reply);

/* Why this one of several was refused; both are NULL if it was not. */
const char *rootview_reply_error_name(struct rootview_reply *reply, size_t i);
const char *rootview_reply_error_message(struct rootview_reply *reply, size_t i);

/* What that is about, as rootview_error_text() and rootview_error_number() have it. */
const char *rootview_reply_error_text(struct rootview_reply *reply, size_t i,
				      const char *parameter);
int rootview_reply_error_number(struct rootview_reply *reply, size_t i, const char *parameter,
				uint64_t *ret);

/* The name of the view, or of the origin where items are origins. */
const char *rootview_reply_name(struct rootview_reply *reply, size_t i);

/* The name of the view's origin. */
const char *rootview_reply_origin(struct rootview_reply *reply, size_t i);

/* The view's number, never used again while the kernel module is loaded. */
uint64_t rootview_reply_id(struct rootview_reply *reply, size_t i);

/* Where the view is mounted; or the path of a mount point. */
const char *rootview_reply_path(struct rootview_reply *reply, size_t i);

/* The label that the view has of its own; or that of an item which is an origin. */
const char *rootview_reply_label(struct rootview_reply *reply, size_t i);

/* The cgroup of the view, as it was given. */
const char *rootview_reply_cgroup(struct rootview_reply *reply, size_t i);

/* The process at whose end the view is deleted; 0 if there is none. */
pid_t rootview_reply_process(struct rootview_reply *reply, size_t i);

/* When the view was created, in microseconds of CLOCK_BOOTTIME. */
uint64_t rootview_reply_created(struct rootview_reply *reply, size_t i);

/*
 * Mount point @k that the view was asked for with, lists included; -ENOENT behind the
 * last, -EPROTO for one of a kind that is unknown here.  @target is NULL unless it is a link.
 */
int rootview_reply_mount_point(struct rootview_reply *reply, size_t i, size_t k, const char **path,
			       enum rootview_kind *kind, const char **target);

/* Range @k of the view's id map, of the one kind of @ids; -ENOENT behind the last, or -EPROTO. */
int rootview_reply_id_range(struct rootview_reply *reply, size_t i, enum rootview_ids ids, size_t k,
			    uint32_t *inside, uint32_t *outside, uint32_t *count);

/*
 * A number that the interface has for the item, by its name there.  Of statistics:
 * "reads" and "readBytes", which are absent where they cannot be known; of an origin:
 * "sectors", "variants", "generation", "views", "viewsCreated", "viewsDeleted", "reads",
 * "readSectors", "refusedRequests", "readErrors"; of an event: "generation".  -ENOENT
 * without it.
 */
int rootview_reply_number(struct rootview_reply *reply, size_t i, const char *name, uint64_t *ret);

/* Of an origin: the number of its device and of the one that it reads, MAJOR:MINOR each. */
const char *rootview_reply_device_number(struct rootview_reply *reply, size_t i);
const char *rootview_reply_backing(struct rootview_reply *reply, size_t i);

/* Of an origin: the type of its file system, NULL if it is not mounted. */
const char *rootview_reply_file_system(struct rootview_reply *reply, size_t i);

/* Of an origin: 1 if its files have the labels that the image stores, or 0. */
int rootview_reply_is_native(struct rootview_reply *reply, size_t i);

/* Path of the read-only block device of the view or origin. */
const char *rootview_reply_device(struct rootview_reply *reply, size_t i);

/* Whether the view is a device alone: 1 or 0. */
int rootview_reply_is_device_only(struct rootview_reply *reply, size_t i);

/* Of a mount point, an enum rootview_kind; -ENOENT without one, -EPROTO for one unknown here. */
int rootview_reply_kind(struct rootview_reply *reply, size_t i);

/* Of a mount point that is a link: where it leads to. */
const char *rootview_reply_target(struct rootview_reply *reply, size_t i);

/* What the running kernel cannot do for the view: sentence @k, NULL behind the last. */
const char *rootview_reply_warning(struct rootview_reply *reply, size_t i, size_t k);

/* The name of the same warning, for programs: "mprotectUnchecked". */
const char *rootview_reply_warning_name(struct rootview_reply *reply, size_t i, size_t k);

/*
 * The type of an event: "ready", "originAdded", "originRemoved", "originFailed",
 * "viewCreated", "viewDeleted", "lost" (list everything again), or one that came
 * later.  Its name and id are those of the view.  An origin that is removed takes
 * its views along: no event tells of each.
 */
const char *rootview_reply_event(struct rootview_reply *reply, size_t i);

/*
 * The descriptor of the mount of a view that was opened, closed on exec.  It is the caller's
 * from then on; what is not taken is closed with the reply.  -ENOENT if the item
 * has none, or it was taken already.
 */
int rootview_reply_take_fd(struct rootview_reply *reply, size_t i);

/* All of the answer as JSON, for what has no function here; NULL if there is no memory. */
const char *rootview_reply_json(struct rootview_reply *reply);

/*
 * Mounts, put at a path.  This is done in the mount namespace of the caller and
 * with its rights; rootviewd has no part in it, and takes nothing away again.
 */

/*
 * Attaches @mount, as rootview_reply_take_fd() gives it, at the directory @path,
 * whose content is hidden as long as that lasts.  No symbolic link is followed, at
 * no place of the path; the folders on the way may be anybody's.  @mount stays the
 * caller's: to be closed, or to be kept for rootview_detach().
 *  -EBADF	@mount is of no mount that is attached nowhere: it may have been attached before
 *  -ELOOP	a symbolic link is on the way
 *  -ENOTDIR, -ENOENT, -EACCES	as open(2) has them
 *  -EPERM	the caller has no CAP_SYS_ADMIN in its mount namespace
 *  -ENOSPC	there are too many mounts
 *  -EOPNOTSUPP	the kernel is older than 5.8
 * Nothing has happened then.
 */
int rootview_attach(int mount, const char *path);

/*
 * Takes away what is mounted at @path, the topmost if it is several, if that is the
 * mount @mount; or, where @mount is attached nowhere, one with the same files: who has
 * not kept the descriptor gets another one of the same view.  Whoever uses
 * something in it goes on.  The path is looked up as above.
 *  -EXDEV	something else is mounted there
 *  -EINVAL	nothing is mounted there
 *  -EBADF	@mount is no descriptor of a mount
 *  -EOPNOTSUPP	the kernel is older than 5.8, or /proc is not mounted
 * and the errors of looking the path up.  Nothing has happened then.
 */
int rootview_detach(int mount, const char *path);

/* What these two returned, as a phrase to be put behind the path; never NULL. */
const char *rootview_attach_message(int error);

#ifdef __cplusplus
}
#endif

#endif
