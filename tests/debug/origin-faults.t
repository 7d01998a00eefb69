#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What becomes of an origin when what is beneath it fails: read errors, a device that is
# taken away, a thin pool that is full, read-only, or failed.  The registry goes on.
set -uo pipefail
. "${0%/*}/../tap.sh"
. "${0%/*}/../origins.sh"

views=100
modprobe dm-rootview
modprobe dm-thin-pool

# take_origin BACKING: the origin img on that, mounted, with views.
take_origin() {
	dmsetup create -r img --table "0 $(blockdev --getsz "$1") rootview $1"
	mount -t ext4 -o ro,noload /dev/mapper/img /mnt
	many_views img $views
}

drop_origin() {
	ok "... the origin can be unmounted" umount /mnt
	ok "... and removed" eventually dmsetup remove img
	is "... and nothing of it is left" "$(rvnl origin) $(lsmod | awk '$1 == "dm_rootview" { print $3 }')" " 0"
}

make_files() {
	mke2fs -q -t ext4 -O ^has_journal "$1"
	mount "$1" /mnt
	head -c 20M /dev/urandom > /mnt/file
	sum=$(sha256sum < /mnt/file)
	umount /mnt
}

# read_file: what the file holds, from the disk.
read_file() {
	echo 3 > /proc/sys/vm/drop_caches
	sha256sum 2>&1 < /mnt/file
}

# The registry answers, changes, and tells what it holds.
registry_goes_on() {
	ok "... a view can be created" rvnl create img another
	is "... all are told of" "$(rvnl views img | wc -l)" $((views + 1))
	is "... and counted" "$(status_field img views)" $((views + 1))
	ok "... and one deleted" dmsetup message img 0 view_delete another
}

reads_go_on() {
	is "... reads go on" "$(read_file)" "$sum"
	registry_goes_on
}

reads_fail() {
	like "... reads fail" "$(read_file)" "Input/output error"
	registry_goes_on
}

# listen 1000, then announced DESCRIPTION N: how often an origin failed since.
announced() {
	sleep 1
	is "$1" "$(grep -c '^origin-failed' "$listen_file")" "$2"
	kill "$listen_pid"
	wait "$listen_pid" 2> /dev/null
	rm "$listen_file"
}

diag "read errors"
slice disk 0 64
make_files /dev/mapper/disk
table=$(dmsetup table disk)
take_origin /dev/mapper/disk
reads_go_on
listen 1000
errors=$(status_field img errors)
exchange disk "0 131072 error"
reads_fail
reads_fail
ok "... they are counted" test "$(status_field img errors)" -gt "$errors"
announced "... and announced, once" 1
exchange disk "$table"
reads_go_on

diag "reads that the block layer fails, one in two"
fault=/sys/kernel/debug/fail_make_request
make_it_fail=/sys/block/dm-$(dmsetup info -c --noheadings -o minor disk)/make-it-fail
echo 1 > "$make_it_fail"
echo 0 > $fault/verbose
echo "-1" > "$fault/times"
echo 50 > $fault/probability
reads_fail
echo 0 > $fault/probability
echo 0 > "$make_it_fail"
reads_go_on

diag "the device beneath is removed by force"
# It is in use, so that what is removed is what it has.
dmsetup remove --force --noflush disk 2> /dev/null
is "it is" "$(dmsetup table disk)" "0 131072 error "
reads_fail
drop_origin
dmsetup remove disk 2> /dev/null

diag "the origin itself is removed by force, while it is mounted"
slice disk 0 64
take_origin /dev/mapper/disk
listen 1000
dmsetup remove --force --noflush img 2> /dev/null
like "reads fail" "$(read_file)" "Input/output error"
announced "nothing failed: it is gone" 0
is "and so are its views" "$(rvnl origin)" ""
umount /mnt
dmsetup remove img 2> /dev/null
dmsetup remove disk

diag "a thin pool"
slice metadata 0 16
slice data 16 96
dd if=/dev/zero of=/dev/mapper/metadata bs=1M count=16 status=none
pool() {
	echo "0 196608 thin-pool /dev/mapper/metadata /dev/mapper/data 128 0 $*"
}
pool_is() {
	like "... the pool is: $1" "$(dmsetup status pool)" " $1 "
}
dmsetup create pool --table "$(pool 1 error_if_no_space)"
dmsetup message pool 0 "create_thin 0"
dmsetup create thin --table "0 131072 thin /dev/mapper/pool 0"
make_files /dev/mapper/thin
dmsetup message pool 0 "create_thin 1"
dmsetup create greedy --table "0 262144 thin /dev/mapper/pool 1"
dmsetup suspend thin
dmsetup message pool 0 "create_snap 2 0"
dmsetup resume thin
dmsetup create snap --table "0 131072 thin /dev/mapper/pool 2"
take_origin /dev/mapper/snap
reads_go_on

refused_with "it gets full, and says so" "No space|Input/output" \
	dd if=/dev/zero of=/dev/mapper/greedy bs=1M oflag=direct status=none
pool_is out_of_data_space
reads_go_on

diag "full, and who writes waits"
echo 10 > /sys/module/dm_thin_pool/parameters/no_space_timeout
exchange pool "$(pool 0)"
dd if=/dev/zero of=/dev/mapper/greedy bs=1M seek=100 count=4 oflag=direct status=none \
	2> /tmp/dd & writer=$!
sleep 2
ok "somebody waits" kill -0 $writer
reads_go_on
wait $writer
isnt "he is refused in the end" $? 0
reads_go_on

diag "read-only"
exchange pool "$(pool 1 read_only)"
pool_is ro
reads_go_on

diag "failed"
exchange pool "$(pool 1 error_if_no_space)"
listen 1000
exchange metadata "0 32768 error"
dmsetup message pool 0 "create_thin 3" 2> /dev/null
# Asking may be what it fails at, which it answers with "Error".
pool_is_failed() {
	[[ $(dmsetup status pool) == *Fail* ]]
}
ok "the pool is failed" eventually pool_is_failed
reads_fail
announced "... which is announced" 1
drop_origin
ok "what was beneath it can be removed" dmsetup remove snap greedy thin pool data metadata

diag "the disk is unplugged"
slice disk 0 64
make_files /dev/mapper/disk
take_origin /dev/mapper/disk
scratch=$(readlink -f "/sys/block/${ROOTVIEW_SCRATCH##*/}/device/..")
ok "it can be" sh -c "echo 1 > $scratch/remove"
gone_disk() {
	[ ! -e "/sys/block/${ROOTVIEW_SCRATCH##*/}" ]
}
ok "it is gone" eventually gone_disk
reads_fail
drop_origin
ok "the device of the disk can be removed" dmsetup remove disk
ok "the module can be unloaded" rmmod dm_rootview
done_testing
