#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every allocation of every operation on the module fails in turn: it is refused or done,
# and nothing is left of it.
# guest: --timeout 450
set -uo pipefail
. "${0%/*}/../tap.sh"
. "${0%/*}/../origins.sh"

debugfs=/sys/kernel/debug
for kind in failslab fail_page_alloc; do
	echo 0 > $debugfs/$kind/ignore-gfp-wait
	echo 0 > $debugfs/$kind/verbose
done
echo 0 > $debugfs/fail_page_alloc/min-order

# While there is another device, the kernel makes no slab for a device's bios, and so
# cannot fail half way through that, when it leaks a name (sysfs_slab_add(), 6.12).
slice backing 0 16
backing=/dev/mapper/backing
modprobe dm-rootview

# sweep OPERATION ALLOCATIONS REFUSED: it makes so many at least, and is refused so often at least.
sweep() {
	local said allocations refused

	said=$(rvfail "$backing" 32768 "$1" 2>&1)
	like "$1: it does what it says, whatever fails" "$said" \
		"^$1 allocations=[0-9]+ refused=[0-9]+ wrong=0$"
	read -r _ allocations refused _ <<< "${said##*$'\n'}"
	ok "... for $2 allocations at least, $3 of which it needs" \
		test "${allocations#*=}" -ge "$2" -a "${refused#*=}" -ge "$3"
	diag "$SECONDS s: $said"
}

# How often one is refused varies, as what needs pages may do with fewer at a time, or with
# pages that are not in one piece; that an operation gets what it asks for then is no mistake.
sweep load 100 20
sweep reload 50 15
sweep clear 0 0
sweep resume 4 0
sweep replace 2 0
sweep remove 10 0
sweep status 1 0
sweep message-create 6 1
sweep message-delete 4 0
sweep message-list 2 0
sweep origin 6 1
sweep origins 6 1
sweep create 10 3
sweep delete 8 1
sweep view 6 1
sweep views 10 2
sweep batch 20 2

# within FUNCTION COMMAND...: every allocation fails that the function makes, as some that
# fail once are tried again.
within() {
	local start end status

	cd "$debugfs/failslab" || return
	read -r start end < <(sort /proc/kallsyms | awk -v "name=$1" '
		start && $1 != start { print start, $1; exit }
		$3 == name { start = $1 }')
	echo "0x$start" > require-start
	echo "0x$end" > require-end
	echo 1 > task-filter
	echo "-1" > ./times
	echo 100 > probability
	(echo 1 > /proc/self/make-it-fail; exec "${@:2}")
	status=$?
	echo 0 > probability
	cd - > /dev/null || return
	return "$status"
}

# The module's own are among those above, but which is the n-th one varies.
table="0 32768 rootview /dev/mapper/backing"
for lack in "target:rootview_ctr" "registry:rootview_registry_get"; do
	mark_log
	refused_with "a table without memory for the ${lack%:*}" "Cannot allocate memory" \
		within "${lack#*:}" dmsetup create -r img --table "$table"
	logged "... is refused" "rootview: no memory for the ${lack%:*}"
	gone "... and there is no device" img
done
ok "... but can be loaded" dmsetup create -r img --table "$table"
mark_log
refused_with "a view without memory" "Cannot allocate memory" \
	within rootview_view_create dmsetup message img 0 view_create view
logged "... is refused" 'img: view_create "view": no memory for the view'
is "... and is not there" "$(status_field img views) $(dmsetup message img 0 view_list)" "0 "
ok "... and can be created" dmsetup message img 0 view_create view
dmsetup remove img
ok "the module can be unloaded" rmmod dm_rootview
dmsetup remove backing
done_testing
