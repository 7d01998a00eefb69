#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# With udevd, which makes the device nodes, and opens every new device for a
# moment to look at it.
# variants: (debug)
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

unset DM_DISABLE_UDEV
/usr/lib/systemd/systemd-udevd 2>/tmp/udevd.log &
udevd=$!
eventually "udevd runs" test -S /run/udev/control
udevadm control --ping

make_image web
start_daemon
for i in {1..10}; do
	rootviewctl origin add web "$disk"
	rootviewctl create web a >/dev/null
	rootviewctl delete web a
	[ -L /dev/mapper/web ] || diag "round $i: /dev/mapper/web is not udev's"
	rootviewctl origin remove web
done
pass "an origin comes and goes ten times while udev looks at it"
is "which never takes long" "$(grep -c 'udev has not answered' "$log")" 0
is "no semaphore is left waiting for udev" "$(dmsetup udevcookies | grep -c 0x)" 0

rootviewctl origin add web "$disk"
is "the node is udev's" "$(readlink /dev/mapper/web)" "../$(basename "$(realpath /dev/mapper/web)")"

# Its file system has the uuid of the device below: a link by that must not lead to it.
uuid=$(blkid -o value -s UUID -p "$disk")
for event in add change; do
	udevadm trigger --action="$event" --name-match="$(realpath /dev/mapper/web)"
	udevadm settle
	is "no link leads to it (event: $event)" "$(find /dev/disk -lname "*/$(basename "$(realpath /dev/mapper/web)")")" ""
done
udevadm trigger --action=change --name-match="$disk"
udevadm settle
like "while udev would make some" "$(find /dev/disk/by-uuid -printf '%f %l\n')" "$uuid .*/loop"

# A udevd that hangs holds nobody up for ever.
kill -s STOP "$udevd"
ok "a view needs no udev" rootviewctl create web a
ok "nor does its end" rootviewctl delete web a
ok "an origin is removed though udev does not answer" rootviewctl origin remove web
like "which the log tells" "$(cat "$log")" "web: udev has not answered for 10 s"
is "and nothing waits for it any more" "$(dmsetup udevcookies | grep -c 0x)" 0
kill -s CONT "$udevd"
udevadm settle
is "nor when it goes on" "$(dmsetup udevcookies | grep -c 0x)" 0

nothing_left
kill "$udevd"
done_testing
