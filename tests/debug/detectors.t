#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The debugging kernel finds the mistakes that it is there for: each is made once.
set -uo pipefail
. "${0%/*}/../tap.sh"
. "${0%/*}/../origins.sh"

# What is made on purpose ends no guest, and is not seen by who looks at its log.
dmesg --console-level 1
echo 1 > /sys/module/printk/parameters/console_no_auto_verbose
echo 0 > /proc/sys/kernel/panic_on_warn

# found MISTAKE REGEX
found() {
	mark_log
	modprobe mistakes which="$1"
	logged "$1 is found" "$2"
	rmmod mistakes
}

# Lockdep ends with what it finds, and with whatever KASAN finds.
found read-without-lock "suspicious RCU usage"
found sleep-in-atomic "BUG: sleeping function called from invalid context"
found lock-in-either-order "possible circular locking dependency"
found use-after-free "BUG: KASAN: slab-use-after-free in use_after_free"
found shift-too-far "UBSAN: shift-out-of-bounds"
found free-with-timer "ODEBUG: free active .* object type: timer_list"

leaks=/sys/kernel/debug/kmemleak
modprobe mistakes which=leak
sleep 6
echo scan > $leaks
echo scan > $leaks
like "leak is found" "$(cat $leaks)" "unreferenced object.*mistakes"
echo clear > $leaks

# Faults: the n-th allocation of a process, of those that it makes to become another.
echo 0 > /sys/kernel/debug/failslab/ignore-gfp-wait
fail_once() {
	local n

	for n in {1..20}; do
		sh -c "echo $n > /proc/self/fail-nth; exec true" || return
	done
}
refused_with "an allocation fails when it shall" "Cannot allocate memory" fail_once

# What ran of our module.

modprobe dm-rootview
is "KCOV is there" "$(stat -c %F /sys/kernel/debug/kcov)" "regular empty file"
ok "GCOV knows the module's files" test -e "$(find /sys/kernel/debug/gcov -name target.gcda)"
done_testing
