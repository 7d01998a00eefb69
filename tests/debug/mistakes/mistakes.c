// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A module that makes one of these mistakes when it is loaded, so that a test sees
 * the debugging kernel find it.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static char *which = "";
module_param(which, charp, 0);

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(spinning);

struct thing {
	struct timer_list timer;
	unsigned int number;
};

static struct thing __rcu *shared;

static void read_without_lock(void)
{
	pr_info("%p\n", rcu_dereference(shared));
}

static void sleep_in_atomic(void)
{
	spin_lock(&spinning);
	might_sleep();
	spin_unlock(&spinning);
}

static void lock_both(struct mutex *outer, struct mutex *inner)
{
	mutex_lock(outer);
	mutex_lock(inner);
	mutex_unlock(inner);
	mutex_unlock(outer);
}

static void lock_in_either_order(void)
{
	lock_both(&first, &second);
	lock_both(&second, &first);
}

static void use_after_free(void)
{
	struct thing *thing = kzalloc(sizeof(*thing), GFP_KERNEL);

	kfree(thing);
	OPTIMIZER_HIDE_VAR(thing);
	pr_info("%u\n", READ_ONCE(thing->number));
}

static void shift_too_far(void)
{
	unsigned int number = 40;

	OPTIMIZER_HIDE_VAR(number);
	pr_info("%d\n", 1 << number);
}

static void never(struct timer_list *timer)
{
}

static void free_with_timer(void)
{
	struct thing *thing = kzalloc(sizeof(*thing), GFP_KERNEL);

	timer_setup(&thing->timer, never, 0);
	mod_timer(&thing->timer, jiffies + 3600 * HZ);
	kfree(thing);
}

static void leak(void)
{
	int i;

	/* One of them may still be in a register or on a stack. */
	for (i = 0; i < 16; i++)
		kmalloc(sizeof(struct thing), GFP_KERNEL);
}

static const struct {
	const char *name;
	void (*make)(void);
} mistakes[] = {
	{ "read-without-lock", read_without_lock },
	{ "sleep-in-atomic", sleep_in_atomic },
	{ "lock-in-either-order", lock_in_either_order },
	{ "use-after-free", use_after_free },
	{ "shift-too-far", shift_too_far },
	{ "free-with-timer", free_with_timer },
	{ "leak", leak },
};

static int __init mistakes_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(mistakes); i++) {
		if (!strcmp(which, mistakes[i].name)) {
			mistakes[i].make();
			return 0;
		}
	}
	return -EINVAL;
}

static void __exit mistakes_exit(void)
{
}

module_init(mistakes_init);
module_exit(mistakes_exit);
MODULE_DESCRIPTION("mistakes for a debugging kernel to find");
MODULE_LICENSE("GPL");
