#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Workers that create, delete, dump and read while the device is suspended, resumed and reloaded.
#
# kernels: all
set -uo pipefail
. "${0%/*}/../tap.sh"
. "${0%/*}/../origins.sh"

# Under the debugging kernel an operation takes ten times as long, at the least.  On the
# other kernels it is the interfaces that differ, not what the module does with them.
case $(uname -r) in
*-debug) many=10000 ;;
6.12.*) many=100000 ;;
*) many=25000 ;;
esac

modprobe dm-rootview
slice backing 0 16
table="0 32768 rootview /dev/mapper/backing"
dmsetup create -r img --table "$table"

# Both end by themselves: what a killed shell has started would go on, and might
# suspend the device once more.
while [ ! -e /tmp/enough ]; do
	dd if=/dev/mapper/img of=/dev/null bs=64k iflag=direct status=none
done & reader=$!
while [ ! -e /tmp/enough ]; do
	dmsetup suspend --noflush img && dmsetup resume img
	dmsetup load -r img --table "$table" && dmsetup resume img
	sleep 0.05
done & disturber=$!

result=$(rvnl stress img 8 $((many / 8)))
touch /tmp/enough
wait "$disturber" "$reader"

like "8 workers have done $many operations" "$result" "^operations=$many created=[0-9]+ deleted=[0-9]+ failed=0$"
read -r _ created deleted _ <<< "$result"
created=${created#created=} deleted=${deleted#deleted=}
is "the counter of views created adds up" "$(status_field img created)" "$created"
is "... and that of deleted ones" "$(status_field img deleted)" "$deleted"
is "... and that of views" "$(status_field img views)" $((created - deleted))
is "... and the dump" "$(rvnl views img | wc -l)" $((created - deleted))
is "... and the generation" "$(status_field img generation)" $((1 + created + deleted))
ok "the device can be removed" eventually dmsetup remove img

dmsetup create -r img --table "$table"
ok "$many views can be created" many_views img "$many"
is "... and dumped" "$(rvnl views img | wc -l)" "$many"
is "... and listed" "$(dmsetup message img 0 view_list | wc -l)" "$many"
ok "... and are gone with their device" dmsetup remove img
ok "the module can be unloaded" rmmod dm_rootview
done_testing
