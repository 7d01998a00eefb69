#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The device-mapper target: its table, the read-only contract, messages and the status line.
#
# kernels: all
set -uo pipefail
. "${0%/*}/../tap.sh"
. "${0%/*}/../origins.sh"

modprobe dm-rootview
slice backing 0 16
dd if=/dev/urandom of=/dev/mapper/backing bs=1M count=16 status=none

# Reads

ok "a read-only table is accepted" \
	dmsetup create -r img --table "0 32768 rootview /dev/mapper/backing"
ok "it reads what the origin holds" cmp /dev/mapper/backing /dev/mapper/img
is "reads are counted in sectors" "$(status_field img read_sectors)" 32768
is "the device is read-only" "$(blockdev --getro /dev/mapper/img)" 1

# Whatever is not a read

# The block core of some kernels (RHEL 9.0's) warns once of whatever writes to a device that is
# read-only, before the device sees it; and a warning ends the guest.  Every request that is no
# read, and that gets as far as a target, is such a write.  So the one warning is spent here, on a
# device that is not ours.
spend_warning() {
	local console

	read -r console _ < /proc/sys/kernel/printk
	dmesg --console-level 1
	echo 0 > /proc/sys/kernel/panic_on_warn
	dmsetup create -r plain --table "0 8 zero"
	dmsetup create over --table "0 8 linear /dev/mapper/plain 0"
	dd if=/dev/zero of=/dev/mapper/over bs=4k count=1 oflag=direct 2> /dev/null
	dmsetup remove over
	dmsetup remove plain
	echo 1 > /proc/sys/kernel/panic_on_warn
	dmesg --console-level "$console"
}
spend_warning

refused_with "a program cannot open it for writing" "Operation not permitted|Permission denied|Read-only" \
	dd if=/dev/zero of=/dev/mapper/img bs=4k count=1 conv=notrunc
dmsetup create above --table "0 32768 linear /dev/mapper/img 0"
before=$(sha256sum < /dev/mapper/backing)
refused_with "a write from above fails" "Input/output error" \
	dd if=/dev/zero of=/dev/mapper/above bs=4k count=1 oflag=direct
refused_with "a discard from above fails" "Operation not supported|Input/output error" \
	blkdiscard /dev/mapper/above
is "the origin is what it was" "$(sha256sum < /dev/mapper/backing)" "$before"
cmp_at_least() { [ "$1" -ge "$2" ]; }
ok "refused requests are counted" cmp_at_least "$(status_field img refused)" 1
is "they are no read errors" "$(status_field img errors)" 0
dmsetup remove above

# Bad tables: the errno, and a sentence in the kernel log

bad_table() { # DESCRIPTION ERRNO SENTENCE TABLE [OPTION...]
	local what=$1 errno=$2 sentence=$3 table=$4
	shift 4
	mark_log
	refused_with "$what is refused" "$errno" dmsetup create "$@" bad --table "$table"
	logged "... with a sentence" "rootview: $sentence"
	gone "... and nothing is left of it" bad
}
bad_table "a writable table" "Read-only file system" "table is writable" \
	"0 32768 rootview /dev/mapper/backing"
bad_table "an origin that does not exist" "No such file or directory|No such device" \
	"origin device cannot be opened" "0 32768 rootview /dev/no-such-device" -r
bad_table "an origin that is no device" "Block device required|No such device|Not a block|Inval" \
	"origin device cannot be opened" "0 32768 rootview /etc/passwd" -r
bad_table "a table without an origin" "Invalid argument" "origin device is missing" \
	"0 32768 rootview" -r
bad_table "an unknown feature" "Invalid argument" "unknown feature argument" \
	"0 32768 rootview /dev/mapper/backing 1 spin" -r
bad_table "one argument too many" "Invalid argument" "too many arguments" \
	"0 32768 rootview /dev/mapper/backing 0 0" -r
refused_with "a table larger than the origin is refused" "Invalid argument" \
	dmsetup create -r bad --table "0 32776 rootview /dev/mapper/backing"
gone "... and nothing is left of it" bad
refused_with "a second target in the table is refused" "Invalid argument" \
	dmsetup create -r bad < <(printf '%s\n' "0 16384 rootview /dev/mapper/backing" "16384 8 zero")
gone "... and nothing is left of it" bad

# The table line round-trips

for arguments in /dev/mapper/backing "/dev/mapper/backing 0" "$(stat -c %Hr:%Lr "$(readlink -f /dev/mapper/backing)")"; do
	dmsetup create -r again --table "0 32768 rootview $arguments"
	table=$(dmsetup table again)
	ok "what dmsetup prints for '$arguments' can be loaded again" \
		dmsetup load -r again --table "$table"
	dmsetup resume again
	is "... and prints the same" "$(dmsetup table again)" "$table"
	dmsetup remove again
done

# Messages

bad_message() { # DESCRIPTION ERRNO SENTENCE MESSAGE...
	local what=$1 errno=$2 sentence=$3
	shift 3
	mark_log
	refused_with "$what is refused" "$errno" dmsetup message img 0 "$@"
	logged "... with a sentence" "rootview: img: .*$sentence"
}
ok "a message creates a view" dmsetup message img 0 view_create first
ok "a message creates one with a label" \
	dmsetup message img 0 view_create second system_u:object_r:container_ro_file_t:s0
like "a message lists them" "$(dmsetup message img 0 view_list)" \
	'^[0-9]+ first -
[0-9]+ second system_u:object_r:container_ro_file_t:s0$'
bad_message "a name that is taken" "File exists" "view name is taken" view_create first
bad_message "an empty name" "Invalid argument" "usage: view_create" view_create
bad_message "a name with a slash" "Invalid argument" "view name holds a '/'" view_create a/b
bad_message "the name .." "Invalid argument" 'view name is "." or ".."' view_create ..
bad_message "a name with an escape" "Invalid argument" "not visible ASCII" view_create $'a\033b'
bad_message "a name that is too long" "File name too long" "longer than 127 bytes" \
	view_create "$(printf '%0128d' 0)"
bad_message "a label that is too long" "File name too long" "label is longer than 4095 bytes" \
	view_create third "$(printf '%04096d' 0)"
ok "a name of 127 bytes is accepted" dmsetup message img 0 view_create "$(printf '%0127d' 0)"
ok "a message deletes a view" dmsetup message img 0 view_delete first
bad_message "deleting a view that is not there" "No such file or directory" "no such view" \
	view_delete first
bad_message "an unknown message" "Invalid argument" "unknown message" view_rename second third
is "refused requests have created nothing" "$(status_field img views)" 2

ok "a thousand views are listed whole" many_views img 1000
is "... each on a line" "$(dmsetup message img 0 view_list | wc -l)" 1002

# The status line

like "the status line is short and has its version" "$(dmsetup status img)" \
	'^0 32768 rootview 2 [0-9]+ 1002 1003 1 [0-9]+ [0-9]+ [0-9]+ 0$'

# The log does not grow with what somebody does wrong

mark_log
rvodd refusals img 1000
refusals=$(dmesg | sed "1,/$log_mark/d" | grep -c 'rootview: img: view_rename "x": unknown message')
ok "of a thousand bad messages the log has a few ($refusals)" \
	test "$refusals" -le 100

# Dm events: who waits for any device's is woken for an origin, and not for each of its views

quiet() { # DESCRIPTION COMMAND...
	is "$1 wakes nobody" "$(rvodd poll 0 "${*:2}")" quiet
}
is "an origin that comes raises its dm event" "$(events_of img)" 1
quiet "a view that is created by a message" dmsetup message img 0 view_create event
quiet "a view that is deleted by a message" dmsetup message img 0 view_delete event
quiet "a view that is created by netlink" "rvnl create img event > /dev/null"
quiet "a view that is deleted by netlink" "rvnl delete img event > /dev/null"
is "... and they raise no dm event" "$(events_of img)" 1

# Reads that fail

slice below 0 16
below=$(dmsetup table below)
dmsetup create -r failing --table "0 32768 rootview /dev/mapper/below"
listen 1
before=$(status_field failing reads)
dmsetup suspend --noflush below
rvodd willneed /dev/mapper/failing
ok "read-ahead from a suspended disk is tried" test "$(status_field failing reads)" -gt "$before"
is "... and, as it fails, is no read error" "$(status_field failing errors)" 0
dmsetup resume below
diag "a direct read to an odd address: $(rvodd misaligned /dev/mapper/failing)"
is "a malformed read is no read error" "$(status_field failing errors)" 0
ok "the disk is read as it always was" cmp /dev/mapper/below /dev/mapper/failing
ok "nobody was told of a failure" kill -0 "$listen_pid"
exchange below "0 32768 error"
read_failing() {
	dd if=/dev/mapper/failing of=/dev/null bs=4k count=1 iflag=direct 2>&1
}
woken=$(rvodd poll 20000 "dd if=/dev/mapper/failing of=/dev/null bs=4k count=1 iflag=direct 2> /dev/null")
is "the first read error wakes who waits for dm events" "$woken" woken
heard
like "... and is announced" "$events_heard" "^origin-failed origin=failing .*generation=2"
is "... and raises the dm event" "$(events_of failing)" 2
refused_with "a read error is handed on" "Input/output error" read_failing
ok "... and counted" cmp_at_least "$(status_field failing errors)" 2
is "... but announced no more" "$(status_field failing generation)" 2
exchange below "$below"
dmsetup suspend failing
dmsetup resume failing
ok "a disk that is well again is read" cmp /dev/mapper/below /dev/mapper/failing
dmsetup remove failing
dmsetup remove below

# The end

ok "the device can be removed" dmsetup remove img
refused_with "rmmod is refused while a device exists" "in use" sh -c \
	'dmsetup create -r img --table "0 32768 rootview /dev/mapper/backing" && rmmod dm_rootview'
dmsetup remove img
ok "rmmod works when none does" rmmod dm_rootview
done_testing
