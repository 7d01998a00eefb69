// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mistake: makes one, for tests/debug/sanitizers.t to see it found.  It is built with each
 * sanitizer, as mistake-address and mistake-thread.
 *
 *	mistake-SANITIZER KIND
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/wait.h>

static void use_after_free(void)
{
	char *volatile p = malloc(8);

	free(p);
	p[0] = 1;
}

static void write_behind(void)
{
	char *p = malloc(8);
	volatile int end = 8;

	p[end] = 1;
	free(p);
}

static void index_too_far(void)
{
	volatile char text[8];
	volatile int end = sizeof(text);

	text[end] = 1;
}

static void shift_too_far(void)
{
	volatile int by = 32;

	printf("%d\n", 1 << by);
}

static void leak(void)
{
	void *volatile p = malloc(8);

	p = NULL;
	(void)p;
}

/* As the daemon's jobs: nobody but the report tells of it. */
static void use_after_free_in_child(void)
{
	if (fork() == 0) {
		use_after_free();
		_exit(0);
	}
	wait(NULL);
}

static int shared;

static void *count(void *unused)
{
	shared++;
	return unused;
}

static void race(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, count, NULL);
	/* Now it has counted, but nothing says so. */
	usleep(100000);
	count(NULL);
	pthread_join(thread, NULL);
}

static const struct {
	const char *name;
	void (*make)(void);
} kinds[] = {
	{ "use-after-free", use_after_free },
	{ "write-behind", write_behind },
	{ "index-too-far", index_too_far },
	{ "shift-too-far", shift_too_far },
	{ "leak", leak },
	{ "use-after-free-in-child", use_after_free_in_child },
	{ "race", race },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, argv[1]))
			continue;
		kinds[i].make();
		return 0;
	}
	fputs("usage: mistake-SANITIZER KIND\n", stderr);
	return 2;
}
