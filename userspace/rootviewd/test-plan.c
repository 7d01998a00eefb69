// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is decided about mounts.
 */
#include "plan.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "util.h"

/* "ro,source=/dev/x" and so on, in the order of the plan. */
static const char *spell(const struct plan_mount *plan)
{
	static char text[1024];
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < plan->n_options; i++) {
		const char *value = plan->options[i].value;

		n += snprintf(text + n, sizeof(text) - n, "%s%s%s%s", i ? ";" : "",
			      plan->options[i].key, value ? "=" : "", value ?: "");
	}
	return text;
}

static void no_journal_is_replayed(void **state)
{
	struct plan_mount plan;

	(void)state;
	assert_true(plan_plain("ext4", "/dev/x", NULL, &plan));
	assert_string_equal(plan.type, "ext4");
	assert_string_equal(spell(&plan), "source=/dev/x;ro;noload;errors=remount-ro;"
			    "nowarn_on_error");
}

static void xfs_checks_its_log_itself(void **state)
{
	struct plan_mount plan;

	(void)state;
	assert_true(plan_plain("xfs", "/dev/x", NULL, &plan));
	assert_string_equal(spell(&plan), "source=/dev/x;ro;nouuid");
}

static void read_only_types_need_no_more_than_ro(void **state)
{
	struct plan_mount plan;

	(void)state;
	assert_true(plan_plain("erofs", "/dev/x", NULL, &plan));
	assert_string_equal(spell(&plan), "source=/dev/x;ro");
	assert_true(plan_plain("squashfs", "/dev/x", NULL, &plan));
	assert_string_equal(spell(&plan), "source=/dev/x;ro");
}

/* Quotes around commas are the business of mount(2); fsconfig() wants none. */
static void label_is_one_value_without_quotes(void **state)
{
	struct plan_mount plan;

	(void)state;
	assert_true(plan_plain("ext4", "/dev/x", "u:r:t:s0:c1,c2", &plan));
	assert_string_equal(spell(&plan), "source=/dev/x;ro;noload;errors=remount-ro;"
			    "nowarn_on_error;context=u:r:t:s0:c1,c2");
}

static void other_types_are_refused(void **state)
{
	const char *const types[] = { "btrfs", "vfat", "ext3", "", "overlay", "LVM2_member" };
	struct plan_mount plan;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		assert_false(plan_plain(types[i], "/dev/x", NULL, &plan));
}

static void labelled_variant_is_an_overlay(void **state)
{
	struct plan_mount plan;

	(void)state;
	plan_overlay("/top:/plain", "u:r:t:s0:c1,c2", &plan);
	assert_string_equal(plan.type, "overlay");
	assert_string_equal(spell(&plan),
			    "source=rootview;ro;lowerdir=/top:/plain;redirect_dir=nofollow;"
			    "metacopy=off;context=u:r:t:s0:c1,c2");
}

static void only_whole_elements_are_listed(void **state)
{
	(void)state;
	assert_true(plan_is_listed("ext4", PLAN_TYPES));
	assert_true(plan_is_listed("xfs", PLAN_TYPES));
	assert_true(plan_is_listed("squashfs", PLAN_TYPES));
	assert_false(plan_is_listed("ext", PLAN_TYPES));
	assert_false(plan_is_listed("fs", PLAN_TYPES));
	assert_false(plan_is_listed("btrfs", PLAN_TYPES));
	assert_false(plan_is_listed("xfs", "ext4"));
	assert_false(plan_is_listed("xfs", ""));
}

/* What may be listed is what there is a plan for. */
static void every_listed_type_has_a_plan(void **state)
{
	cleanup_free char *copy = strdup(PLAN_TYPES);
	struct plan_mount plan;
	char *rest = copy;
	char *type;

	(void)state;
	while ((type = strsep(&rest, ",")))
		assert_true(plan_plain(type, "/dev/x", NULL, &plan));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_journal_is_replayed),
		cmocka_unit_test(xfs_checks_its_log_itself),
		cmocka_unit_test(read_only_types_need_no_more_than_ro),
		cmocka_unit_test(label_is_one_value_without_quotes),
		cmocka_unit_test(other_types_are_refused),
		cmocka_unit_test(only_whole_elements_are_listed),
		cmocka_unit_test(every_listed_type_has_a_plan),
		cmocka_unit_test(labelled_variant_is_an_overlay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
