#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The registry of views hangs on the mapped device: what it survives, and what it does not.
#
# kernels: all
set -uo pipefail
. "${0%/*}/../tap.sh"
. "${0%/*}/../origins.sh"

modprobe dm-rootview
slice backing 0 64
slice other 64 64
table="0 131072 rootview /dev/mapper/backing"
views() { dmsetup message "$1" 0 view_list | cut -d' ' -f2 | paste -sd' '; }

dmsetup create -r img --table "$table"
dmsetup message img 0 view_create a
dmsetup message img 0 view_create b
ids=$(dmsetup message img 0 view_list)

# What it survives

dmsetup suspend img
dmsetup resume img
is "views survive suspend and resume" "$(dmsetup message img 0 view_list)" "$ids"
dmsetup suspend --noflush img
dmsetup resume img
is "... with noflush too" "$(dmsetup message img 0 view_list)" "$ids"
dmsetup load -r img --table "$table"
dmsetup clear img
is "a load that is cleared leaves them alone" "$(dmsetup message img 0 view_list)" "$ids"
dmsetup load -r img --table "$table"
dmsetup resume img
is "they survive a reload" "$(dmsetup message img 0 view_list)" "$ids"
dmsetup load -r img --table "$table"
dmsetup load -r img --table "$table"
dmsetup resume img
is "... and two loads before one resume" "$(dmsetup message img 0 view_list)" "$ids"
ok "a view can be created while a table waits to be resumed" sh -c \
	"dmsetup load -r img --table '$table' && dmsetup message img 0 view_create c"
dmsetup resume img
is "... and is there after the resume" "$(views img)" "a b c"
dmsetup message img 0 view_delete c
below=$(dmsetup table backing)
events=$(events_of img)
exchange backing "0 131072 error"
dd if=/dev/mapper/img of=/dev/null bs=4k count=1 iflag=direct 2> /dev/null
raised() { [ "$(events_of img)" = $((events + 1)) ]; }
ok "dm events go on after a reload" eventually raised
exchange backing "$below"
ok "reload with I/O in flight" sh -c "
	dd if=/dev/mapper/img of=/dev/null bs=64k iflag=direct status=none & pid=\$!
	for i in 1 2 3 4 5 6 7 8; do
		dmsetup load -r img --table '$table' && dmsetup resume img || exit 1
		dmsetup suspend --noflush img && dmsetup resume img || exit 1
	done
	wait \$pid"
is "... leaves the views" "$(views img)" "a b"

# What it refuses

mark_log
refused_with "a reload with another origin" "Invalid argument" \
	dmsetup load -r img --table "0 131072 rootview /dev/mapper/other"
logged "... with a sentence" "origin or size differs"
refused_with "a reload with another size" "Invalid argument" \
	dmsetup load -r img --table "0 65536 rootview /dev/mapper/backing"
refused_with "a reload with another target type" "Invalid argument" sh -c \
	"dmsetup load -r img --table '0 131072 linear /dev/mapper/backing 0' && dmsetup resume img"
is "... all leave the views" "$(views img)" "a b"
dmsetup create -r fresh --notable
dmsetup load -r fresh --table "0 131072 rootview /dev/mapper/other"
ok "an origin that was never resumed is not held to" \
	dmsetup load -r fresh --table "$table"
dmsetup remove fresh

# Ids and devices

dmsetup message img 0 view_delete a
dmsetup message img 0 view_create a
new=$(dmsetup message img 0 view_list | sed -n 's/ a -$//p')
older=$(sed -n 's/ a -$//p' <<< "$ids")
ok "an id is never used again" test "$new" -gt "$older"

# More than dmsetup's first buffer holds: it asks again with a larger one.
name=$(printf 'n%.0s' {1..120})
rvnl many img "$name" 300 > /dev/null
is "a list that is longer than the first buffer is whole" "$(dmsetup message img 0 view_list | grep -c " ${name}[0-9]* -$")" 300
# shellcheck disable=SC2046 # words
rvnl batch img $(seq -f "-$name%g" 300) > /dev/null

dmsetup create -r twin --table "$table"
dmsetup message twin 0 view_create a
is "two devices on one origin are two registries" "$(views twin) / $(views img)" "a / b a"
dmsetup rename twin renamed
like "a renamed device is found by its new name" "$(rvnl views renamed)" "origin=renamed .* view=a "
dmsetup remove renamed

# Removal

exec 7< /dev/mapper/img
refused_with "a device that is open is not removed" "Device or resource busy" dmsetup remove img
exec 7<&-
generation=$(status_field img generation)
listen 2
dmsetup remove img
dmsetup create -r img --table "$table"
heard
like "removing a device is one event, however many views go with it" "$events_heard" \
	"^origin-removed origin=img [^
]* generation=$((generation + 1))
origin-added origin=img [^
]* generation=1$"

dmsetup message img 0 view_create left
exec 7< /dev/mapper/img
listen 1
dmsetup wipe_table img
heard
like "so is wiping the table of an open device" "$events_heard" \
	"^origin-removed origin=img .*generation=3$"
is "... and leaves no registry" "$(rvnl origin)" ""
ok "... and the table can be loaded again" sh -c \
	"dmsetup load -r img --table '$table' && dmsetup resume img"
is "... with an empty registry" "$(views img)" ""
dmsetup message img 0 view_create left
ok "remove --force of an open device does not hang" sh -c "timeout 20 dmsetup remove --force img; true"
is "... and leaves no registry" "$(rvnl origin)" ""
exec 7<&-
dmsetup remove img 2> /dev/null

dmsetup create -r img --table "$table"
dmsetup message img 0 view_create a
exec 7< /dev/mapper/img
dmsetup remove --deferred img
like "a deferred removal waits for the last opener" "$(rvnl views img)" "view=a "
exec 7<&-
ok "... and then happens" eventually gone_now img

dmsetup create -r img --table "$table"
dmsetup load -r img --table "$table"
dmsetup message img 0 view_create a
ok "a device with a table waiting can be removed" dmsetup remove img
is "no registry is left" "$(rvnl origin)" ""

# Other kinds of origin

as_origin() { # KIND DEVICE
	ok "the origin may be $1" dmsetup create -r img --table "0 8192 rootview $2"
	ok "... and is read" cmp -n 4194304 "$2" /dev/mapper/img
	dmsetup remove img
}
# Some kernels (RHEL's) make none by themselves.
modprobe loop max_loop=8
head -c 8M /dev/urandom > /tmp/file
loop=$(losetup --find --show /tmp/file)
as_origin "a loop device" "$loop"
veritysetup format --root-hash-file /tmp/root-hash "$loop" /tmp/hashes > /dev/null
veritysetup open --root-hash-file /tmp/root-hash "$loop" verified /tmp/hashes
as_origin "a verity device" /dev/mapper/verified
veritysetup close verified
losetup -d "$loop"

slice pool-meta 0 4
slice pool-data 4 60
dd if=/dev/zero of=/dev/mapper/pool-meta bs=4k count=1 status=none
dmsetup create pool --table "0 122880 thin-pool /dev/mapper/pool-meta /dev/mapper/pool-data 128 0"
dmsetup message pool 0 "create_thin 0"
dmsetup create volume --table "0 16384 thin /dev/mapper/pool 0"
dd if=/tmp/file of=/dev/mapper/volume bs=1M status=none
dmsetup suspend volume
dmsetup message pool 0 "create_snap 1 0"
dmsetup resume volume
dmsetup create snapshot --table "0 16384 thin /dev/mapper/pool 1"
as_origin "a thin snapshot" /dev/mapper/snapshot
for device in snapshot volume pool pool-data pool-meta backing other; do
	dmsetup remove "$device"
done

printf 'start=2048, size=16384\n' | sfdisk -q "$ROOTVIEW_SCRATCH"
partx -u "$ROOTVIEW_SCRATCH" || partx -a "$ROOTVIEW_SCRATCH"
as_origin "a partition" "${ROOTVIEW_SCRATCH}1"
ok "the module can be unloaded" rmmod dm_rootview
done_testing
