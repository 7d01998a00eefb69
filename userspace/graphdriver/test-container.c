// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What Docker has written down of containers, and what it may not have.
 */
#include "container.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <limits.h>
#include <sys/stat.h>

#include "test.h"
#include "util.h"

/* A data root with two containers, of which the second one is what tests are about. */
struct place {
	char dir[32];
	char home[64];
};

static void put(const struct place *p, const char *path, const char *text)
{
	char full[PATH_MAX];
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", p->dir, path);
	for (char *slash = full + strlen(p->dir) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		(void)mkdir(full, 0755);
		*slash = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->dir, "/var/tmp/container-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->home, sizeof(p->home), "%s/driver", p->dir);
	put(p, "image/driver/layerdb/mounts/other/mount-id", "layer-1");
	put(p, "image/driver/layerdb/mounts/named/mount-id", "layer-12");
	put(p, "containers/other/hostconfig.json", "{}");
	put(p, "containers/other/config.v2.json", "{}");
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	test_remove_folder(p->dir);
	free(p);
	return 0;
}

static int read_with(const struct place *p, const char *host, const char *config,
		     struct container *ret)
{
	put(p, "containers/named/hostconfig.json", host);
	put(p, "containers/named/config.v2.json", config);
	return container_read(p->home, "layer-12", ret);
}

/* The points as text: files end with "!". */
static const char *points(const struct container *c)
{
	static char text[1024];

	text[0] = 0;
	for (size_t i = 0; i < c->n_points; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s%s",
			 c->points[i].path, c->points[i].is_file ? "!" : "");
	return text;
}

static void test_read_only(void **state)
{
	struct place *p = *state;
	struct container c;

	assert_int_equal(read_with(p, "{\"ReadonlyRootfs\":true,\"Init\":false}", "{}", &c), 0);
	assert_true(c.read_only);
	assert_string_equal(points(&c), "");
	container_free(&c);
	assert_int_equal(read_with(p, "{\"ReadonlyRootfs\":false}", "{}", &c), 0);
	assert_false(c.read_only);
	container_free(&c);
	/* That it was not told so does not mean that dockerd was not. */
	assert_int_equal(read_with(p, "{\"ReadonlyRootfs\":\"true\",\"Init\":null}", "{}", &c), 0);
	assert_false(c.read_only);
	assert_string_equal(points(&c), " /sbin/docker-init!");
	container_free(&c);
}

static void test_points(void **state)
{
	struct place *p = *state;
	struct container c;
	char config[1024];

	snprintf(config, sizeof(config),
		 "{\"Config\":{\"WorkingDir\":\"/work\"},\"MountPoints\":{"
		 "\"/a/file\":{\"Source\":\"%s/containers/other/hostconfig.json\"},"
		 "\"/a/folder\":{\"Source\":\"%s\"},\"/volume\":{\"Source\":\"\"}},"
		 "\"SecretReferences\":null}", p->dir, p->dir);
	assert_int_equal(read_with(p, "{\"Init\":false,\"Tmpfs\":{\"/t\":\"size=1m\"},\"Mounts\":["
				   "{\"Type\":\"tmpfs\",\"Target\":\"/m\"},"
				   "{\"Type\":\"bind\",\"Target\":\"/b\"}]}", config, &c), 0);
	assert_string_equal(points(&c), " /a/file! /a/folder /volume /t /m /work");
	container_free(&c);
	assert_int_equal(read_with(p, "{\"Init\":false}", "{\"Config\":{\"WorkingDir\":\"/\"}}",
				   &c), 0);
	assert_string_equal(points(&c), "");
	container_free(&c);
}

static void test_doubt(void **state)
{
	struct place *p = *state;
	struct container c;

	assert_int_equal(container_read(p->home, "layer", &c), -1);
	assert_int_equal(container_read(p->home, "layer-123", &c), -1);
	/* Nothing of it is written yet. */
	assert_int_equal(container_read(p->home, "layer-12", &c), -1);
	assert_int_equal(read_with(p, "{\"ReadonlyRootfs\":true", "{}", &c), -1);
	assert_int_equal(read_with(p, "", "{}", &c), -1);
	assert_int_equal(read_with(p, "[]", "{}", &c), -1);
	assert_int_equal(read_with(p, "{}", "7", &c), -1);
	assert_int_equal(read_with(p, "{}", "{\"SecretReferences\":[{}]}", &c), -1);
	assert_int_equal(read_with(p, "{}", "{\"ConfigReferences\":[{}]}", &c), -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_read_only), TEST(test_points), TEST(test_doubt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
