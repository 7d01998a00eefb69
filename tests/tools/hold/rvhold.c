// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * rvhold: holds one call of a function of the kernel's until it is let go, so that a test
 * can do something else just then.
 *
 *	modprobe rvhold function=NAME comm=PROCESS
 *
 * The first call of NAME by a process of that name is held: "held" among the module's
 * parameters is Y from then on.  It goes on when Y is written to "released", or after two
 * minutes.  NAME may sleep, and has six arguments at the most, none of them on the stack.
 */
#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/string.h>

static char *function = "";
module_param(function, charp, 0444);

static char *comm = "";
module_param(comm, charp, 0444);

static bool held;
module_param(held, bool, 0444);

static bool released;
module_param(released, bool, 0644);

static atomic_t begun = ATOMIC_INIT(0);
static struct kprobe probe;

typedef long (*function_fn)(long a, long b, long c, long d, long e, long f);

/* Runs in place of the function, and calls it in the end. */
static long hold(long a, long b, long c, long d, long e, long f)
{
	unsigned long end = jiffies + 120 * HZ;
	long r;

	WRITE_ONCE(held, true);
	while (!READ_ONCE(released) && time_before(jiffies, end))
		msleep(20);
	r = ((function_fn)probe.addr)(a, b, c, d, e, f);
	module_put(THIS_MODULE);
	return r;
}

static int before_call(struct kprobe *p, struct pt_regs *regs)
{
	if (strcmp(current->comm, comm) || atomic_cmpxchg(&begun, 0, 1))
		return 0;
	__module_get(THIS_MODULE);
	instruction_pointer_set(regs, (unsigned long)hold);
	return 1;
}

/* Without one the probe would be made a jump, which always comes back. */
static void after_call(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}

static int __init rvhold_init(void)
{
	probe.symbol_name = function;
	probe.pre_handler = before_call;
	probe.post_handler = after_call;
	return register_kprobe(&probe);
}

static void __exit rvhold_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(rvhold_init);
module_exit(rvhold_exit);
MODULE_DESCRIPTION("holds a call until it is let go");
MODULE_LICENSE("GPL");
