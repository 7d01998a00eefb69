#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What one caller can make the kernel hold: a limit of views for each origin, and an account of
# their memory.
#
# kernels: all
set -uo pipefail
. "${0%/*}/../tap.sh"
. "${0%/*}/../origins.sh"

modprobe dm-rootview
limit=/sys/module/dm_rootview/parameters/max_views
slice backing 0 16
dmsetup create -r img --table "0 32768 rootview /dev/mapper/backing"
dmsetup create -r other --table "0 32768 rootview /dev/mapper/backing"

# The limit

is "an origin may have a million views by default" "$(cat $limit)" 1000000
echo 3 > $limit
many_views img 3
listen 1
before=$(dmsetup status img) ids=$(dmsetup message img 0 view_list)
sentence="origin has as many views as the parameter max_views allows"
refused_with "one more than the parameter says is refused by netlink" \
	"^ENOSPC: $sentence \[attribute\]" rvnl create img more
mark_log
refused_with "... and by a message" "No space left on device" dmsetup message img 0 view_create more
logged "... with a sentence" "rootview: img: view_create \"more\": $sentence"
refused_with "a name that is taken is refused as such" "^EEXIST: view name is taken" rvnl create img many1
is "what was refused has changed nothing" "$(dmsetup status img) $(dmsetup message img 0 view_list)" "$before $ids"
ok "... and nobody was told of it" kill -0 "$listen_pid"
ok "another origin has a limit of its own" rvnl create other a
heard
like "... with its own view" "$events_heard" "^view-created origin=other .*view=a "
rvnl delete img many2 > /dev/null
ok "in place of one that went another can be created" rvnl create img instead
echo 4 > $limit
ok "a higher limit helps" dmsetup message img 0 view_create more
refused_with "... as far as it goes" "^ENOSPC" rvnl create img much-more
echo 0 > $limit
is "those that are there already stay" "$(status_field img views)" 4
ok "... and can be deleted" rvnl delete img more
refused_with "... but none can come" "^ENOSPC" rvnl create img none
echo 1000000 > $limit
ok "the limit can be given when the module is loaded" sh -c "
	dmsetup remove img && dmsetup remove other && rmmod dm_rootview && modprobe dm-rootview max_views=1"
dmsetup create -r img --table "0 32768 rootview /dev/mapper/backing"
rvnl create img a > /dev/null
refused_with "... and holds" "^ENOSPC" rvnl create img b
echo 1000000 > $limit

# The account

cgroups=/sys/fs/cgroup
if grep -qw memory $cgroups/cgroup.controllers; then
	echo +memory > $cgroups/cgroup.subtree_control
	mkdir $cgroups/payer
	# KiB that the kernel holds for it.
	charged() {
		awk '$1 == "slab_unreclaimable" { print int($2 / 1024) }' $cgroups/payer/memory.stat
	}
	paid() { # COMMAND...: by the payer
		bash -c "echo \$\$ > $cgroups/payer/cgroup.procs && exec \"\$@\"" bash "$@"
	}
	# What goes away is seen a little later.
	more_than() { [ "$(charged)" -gt "$1" ]; }
	less_than() { [ "$(charged)" -lt "$1" ]; }
	paid true
	before=$(charged)
	paid rvnl -b "$(printf '%04096d' 0)" many img paid 1000 > /dev/null
	ok "who has views created pays for their memory" eventually more_than $((before + 4000))
	diag "a thousand views with 4 KiB each: $(($(charged) - before)) KiB"
	by_message() {
		local i

		for i in {1..100}; do
			dmsetup message img 0 view_create "message$i" "$(printf '%04095d' 0)"
		done
	}
	before=$(charged)
	export -f by_message
	paid bash -c by_message
	ok "... by messages, too" eventually more_than $((before + 400))
	dmsetup remove img
	ok "... until they go" eventually less_than 1000
	rmdir $cgroups/payer
else
	ok_skip "who has views created pays for their memory" "this kernel has no memory controller"
	dmsetup remove img
fi
ok "the module can be unloaded" rmmod dm_rootview
done_testing
