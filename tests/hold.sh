# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Holding a call of the kernel's (tests/tools/hold), to do something else just then.

# can_hold: whether the kernel lets calls be held; the debugging kernel has no kprobes.
can_hold()
{
	modinfo rvhold >/dev/null 2>&1 && grep -q ' register_kprobe$' /proc/kallsyms
}

# hold FUNCTION PROCESS, then is_held, then let_go: the first call of the kernel's function by
# a process of that name waits.
hold()
{
	modprobe rvhold function="$1" comm="$2"
}

is_held()
{
	grep -q Y /sys/module/rvhold/parameters/held
}

let_go()
{
	echo Y >/sys/module/rvhold/parameters/released
	until rmmod rvhold 2>/dev/null; do
		sleep 0.1
	done
}
