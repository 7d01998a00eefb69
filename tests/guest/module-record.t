#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Recording the reads that reach the target.
#
# kernels: all
set -uo pipefail
. "${0%/*}/../tap.sh"
. "${0%/*}/../origins.sh"

modprobe dm-rootview
slice backing 0 64
dmsetup create -r img --table "0 131072 rootview /dev/mapper/backing"
# read_blocks FIRST LAST: a request for each block of 4 KiB.
read_blocks() {
	dd if=/dev/mapper/img of=/dev/null bs=4k skip="$1" count=$(($2 - $1 + 1)) iflag=direct \
		status=none
}
read_block() { read_blocks "$1" "$1"; }
sectors() { tr ' ' '\n' | sed -n 's/^\([0-9]*\)+8@.*/\1/p' | paste -sd' '; }

read_block 7
is "nothing is recorded by default" "$(status_field img recording) $(rvnl recording img)" "0 "
ok "a message begins a recording" dmsetup message img 0 record 60
is "the ring is a power of two" "$(status_field img recording)" 64
read_block 3
read_block 11
read_block 5
like "reads are recorded in their order" "$(rvnl recording img)" \
	"position=0 lost=0 reads=3 24\+8@[0-9]+ 88\+8@[0-9]+ 40\+8@[0-9]+$"
is "a dump goes on from where one stopped" "$(rvnl recording img 2 | sectors)" 40
is "... which may be the end" "$(rvnl recording img 3)" ""
read_blocks 100 199
like "what was overwritten is counted" "$(rvnl recording img 1 | cut -d@ -f1)" "position=39 lost=38 reads=64 1088\+8"
is "the newest are kept" "$(rvnl recording img | sectors)" "$(seq -s' ' $((136 * 8)) 8 $((199 * 8)))"
ok "a message ends a recording" dmsetup message img 0 record 0
read_block 3
is "... and nothing more is recorded" "$(rvnl recording img | sectors | wc -w)" 64
like "netlink begins another" "$(rvnl record img 4096)" "recording=4096$"
is "... from the start" "$(rvnl recording img)" ""
dmsetup load -r img --table "$(dmsetup table img)"
dmsetup resume img
read_blocks 0 999
is "it survives a reload, and is longer than a message" "$(rvnl recording img | sectors | wc -w)" 1000

# Readers of the record, the disk and the switch at once
for i in 1 2 3 4; do
	read_blocks 0 4000 &
done
ok "recording is switched and read while reads go on" sh -c '
	for i in $(seq 40); do
		rvnl record img $((1 << i % 8)) > /dev/null && rvnl recording img > /dev/null &&
		dmsetup message img 0 record 0 || exit 1
	done'
wait
dmsetup message img 0 record 64
ok "a device is removed with its recording" dmsetup remove img
ok "the module can be unloaded" rmmod dm_rootview
done_testing
