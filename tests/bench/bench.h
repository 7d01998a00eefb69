/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rootview-bench: what containers cost with different storage drivers.
 *
 *	main.c		options, and the order in which all is measured
 *	round.c		one measurement: N containers of one mode, created and deleted
 *	measure.c	clock, disk, memory, mounts
 *	results.c	what the rounds come to, as JSON
 *	crun.c		whole containers
 *	docker.c	Docker's API
 *	mode-*.c	the modes
 *	util.c		files, programs, labels
 *
 * Whatever fails ends the program: half a measurement is none.
 */
#ifndef ROOTVIEW_BENCH_H
#define ROOTVIEW_BENCH_H

#include <rootview.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One container's root file system, as its mode has made it. */
struct container {
	char *root;	/* where it is mounted; NULL if nowhere */
	int mount;	/* the mount, if that is attached nowhere; or -1 */
	char *id;	/* Docker's, of the container; NULL if it has none */
};

struct bench {
	/* Where things are; see the usage in main.c. */
	const char *work;
	const char *pool;
	const char *origin;
	const char *disk;
	size_t batch;
	/* Containers have SELinux labels. */
	bool labels;

	struct rootview *daemon;
	pid_t daemon_pid;
	pid_t containerd, driver, dockerd;
	struct container *containers;
};

/*
 * A way to provide root file systems.  @start starts what always runs on a machine
 * that uses this way, and is not measured; @prepare does what the image needs once;
 * @finish undoes both.  Containers are numbered from 0; @create and @delete do @n of
 * them, beginning with @first; @n is 1 without @batches.  @settle waits for what
 * deletions have left to the background.  @start, @prepare and @settle may be NULL.
 * What is @docker belongs to the level of that name, all else to the others.
 */
struct mode {
	const char *name;
	bool batches;
	bool docker;
	size_t most;	/* containers that fit; 0 for any number */
	void (*start)(struct bench *b);
	void (*prepare)(struct bench *b);
	void (*create)(struct bench *b, size_t first, size_t n);
	void (*delete)(struct bench *b, size_t first, size_t n);
	void (*settle)(void);
	void (*finish)(struct bench *b);
};

extern const struct mode mode_dm_rw;
extern const struct mode mode_overlay2;
extern const struct mode mode_vfs;
extern const struct mode mode_rootview_attached;
extern const struct mode mode_rootview_shared;
extern const struct mode mode_rootview_detached;
extern const struct mode mode_rootview_batch;
extern const struct mode mode_docker_overlay2;
extern const struct mode mode_docker_writable;
extern const struct mode mode_docker_attached;
extern const struct mode mode_docker_shared;

/*
 * What is done beside what the mode does, and measured with it: @start, after its
 * create, returns when the container runs; @end comes before its delete.  Either may
 * be NULL.
 */
struct level {
	const char *name;
	bool docker;
	void (*start)(struct bench *b, size_t i);
	void (*end)(struct bench *b, size_t i);
};

/* Says what failed and, if @error is not 0, why; ends the program. */
void die(int error, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/* As asprintf(). */
char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As calloc(). */
void *new_array(size_t n, size_t size);

/* The option by which container @i's files get a label of its own, or "". */
char *label_option(const struct bench *b, size_t i);

/* The label that container @i's process gets. */
char *process_label(size_t i);

/* The label that container @i's own files get. */
char *files_label(size_t i);

/* Runs a program and waits for it; its input and output are /dev/null. */
void run_program(char *const argv[]);

/* The same, where @mount is on a folder that only this program sees. */
void run_program_with(int mount, const char *folder, char *const argv[]);

/*
 * Starts a program that is to run until end_program(), or until we end.  It writes into
 * the file @log.
 */
pid_t start_program(const char *log, char *const argv[]);

/* Asks it to end, and waits until it has ended well. */
void end_program(pid_t pid, const char *name);

void make_folder(const char *path, mode_t mode);
void write_file(const char *path, const char *content);

/* Removes all below @path, and it. */
void remove_tree(const char *path);

/* Waits until the process whose id is in the file does what a container does: sleep. */
void wait_until_pausing(const char *pid_file);

/* A rootviewd of our own, at the usual place. */
void rootviewd_start(struct bench *b);
void rootviewd_stop(struct bench *b);

/* Waits until nothing is left of the mounts that views have had. */
void rootviewd_settle(void);

/* Starts a container on the root file system that its mode has created; ends it. */
void crun_start(struct bench *b, size_t i);
void crun_delete(struct bench *b, size_t i);

/*
 * Asks dockerd for something; returns what the answer has beyond its head, which is
 * the caller's.
 */
char *docker_call(const struct bench *b, const char *method, const char *path, const char *body);

/* Starts a container that its mode has created by Docker. */
void docker_start(struct bench *b, size_t i);

#endif
