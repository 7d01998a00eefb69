#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What comes between two steps of the module or of device-mapper: a call of the kernel's is held
# there (tests/tools/hold), and something else is done meanwhile.
#
# kernels: all
set -uo pipefail
. "${0%/*}/../tap.sh"
. "${0%/*}/../origins.sh"
. "${0%/*}/../hold.sh"

can_hold || skip_all "this kernel lets no call be held, or there was nothing to build rvhold with"
modprobe dm-rootview
slice backing 0 16
slice other 16 16
dd if=/dev/urandom of=/dev/mapper/backing bs=1M count=16 status=none
dd if=/dev/urandom of=/dev/mapper/other bs=1M count=16 status=none
table="0 32768 rootview /dev/mapper/backing"
other="0 32768 rootview /dev/mapper/other"
views() { dmsetup message "$1" 0 view_list | cut -d' ' -f2 | paste -sd' '; }

# waits PID: it has ended, or waits for a lock.
waits() {
	local state

	read -r _ _ state _ 2> /dev/null < "/proc/$1/stat" || return 0
	[ "$state" = D ] || [ "$state" = Z ]
}

# A table with another origin, loaded while the first one is about to become live: nothing holds
# the device to an origin yet.

dmsetup create -r img --notable
dmsetup load -r img --table "$table"
hold dm_swap_table dmsetup
dmsetup resume img & resuming=$!
ok "the first table is about to be live" eventually is_held
ok "... when one with another origin is loaded" dmsetup load -r img --table "$other"
let_go
wait "$resuming"
rvnl create img view > /dev/null
mark_log
refused_with "the other one is refused when it is resumed" "Invalid argument" dmsetup resume img
logged "... with a sentence" "rootview: .*origin or size differs from that of the live table"
is "... and leaves the view" "$(rvnl views img | grep -c 'view=view ')" 1
dmsetup load -r img --table "$table"
ok "one with the right origin is not refused" timeout 60 dmsetup resume img
ok "... and is read" cmp /dev/mapper/backing /dev/mapper/img
is "... and has the view" "$(views img)" view

# A device that is being removed has no name any more, and its last one may be another's.

number=$(dmsetup info --columns --noheadings --options major,minor --separator : img)
hold dm_destroy dmsetup
dmsetup remove img & removing=$!
ok "a device is being removed" eventually is_held
refused_with "... when it is not found by its last name" "^ENODEV: no such origin" rvnl view img view
refused_with "... nor by its number" "^ENODEV: no such origin" rvnl -d "$number" view - view
dmsetup create -r img --table "$other"
rvnl create img new > /dev/null
is "... but another that has taken the name is" "$(views img)" new
like "... by netlink as well" "$(rvnl views img)" "^view origin=img .* view=new [^
]*$"
let_go
wait "$removing"
is "... and stays when the first has gone" "$(rvnl origin | grep -o 'origin=[a-z]*' | paste -sd' ') $(views img)" \
	"origin=img new"

# An origin that goes while a dump has found it already: what is told of it is how it was before
# its end.  The event may be there first, as a dump is put together before it is sent.

hold genlmsg_put rvodd-late
rvodd origins > /tmp/dumped & dumping=$!
ok "a dump of origins is under way" eventually is_held
dmsetup remove img & removing=$!
ok "... when an origin is removed" eventually waits "$removing"
let_go
wait "$dumping" "$removing"
is "... nothing is told of what is behind its end" "$(awk '
	$1 == "removed" && $2 == "img" { end = $3 }
	$1 == "origin" && $2 == "img" { told = $3 }
	END { print (end && told >= end) }' /tmp/dumped)" 0
ok "... which comes behind the dump, or the dump says that something changed" \
	eval '! grep -q "^removed img " /tmp/dumped || [ "$(tail -n 1 /tmp/dumped)" = interrupted ]'

# The same before the dump has looked at anything.

dmsetup create -r img --table "$table"
hold rootview_last_id rvodd-late
rvodd origins > /tmp/dumped & dumping=$!
ok "a dump of origins begins" eventually is_held
dmsetup remove img
let_go
wait "$dumping"
is "... and says that the only one went before it was told" "$(grep -v '^removed' /tmp/dumped)" interrupted

# An answer for which there was no room, until there is when the end of the request is told.

dmsetup create -r img --table "$table"
hold netlink_ack rvodd-late
like "a change whose answer is lost is no failed one" \
	"$(rvodd unanswered img unheard /sys/module/rvhold/parameters)" "^told=ENOBUFS answer=done$"
let_go
is "... as it is made" "$(views img)" unheard

dmsetup remove img
is "no origin is left" "$(rvnl origin)" ""
ok "the module can be unloaded" rmmod dm_rootview
done_testing
