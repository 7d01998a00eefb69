#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The module is unloaded again and again while all that uses it goes on.
# guest: --timeout 400
set -uo pipefail
. "${0%/*}/../tap.sh"
. "${0%/*}/../origins.sh"

enough=/tmp/enough
workers=()

# work COMMAND...: again and again, whatever becomes of it, until there was enough.
work() {
	while [ ! -e $enough ]; do
		"$@"
	done > /dev/null 2>&1 &
	workers+=($!)
}

# One origin's life: most of it may fail, as the other one or rmmod comes first.
live() {
	local device=img$1 begun=$SECONDS

	dmsetup create -r "$device" --table "0 32768 rootview /dev/mapper/backing"
	rvnl many "$device" view 20
	rvnl batch "$device" +a +b -view1 -view2 -a
	dmsetup reload -r "$device" --table "0 32768 rootview /dev/mapper/backing"
	dd if="/dev/mapper/$device" of=/dev/null bs=64k count=16 iflag=direct &
	dmsetup resume "$device"
	dmsetup reload -r "$device" --table "0 32768 rootview /dev/mapper/backing"
	dmsetup clear "$device"
	((RANDOM % 2)) || dmsetup remove --force "$device"
	wait
	dmsetup remove "$device"
	# The module is used for most of a life, and what is not used can be unloaded.
	sleep $((RANDOM % (2 * (SECONDS - begun) + 4)))
}

ask() {
	rvnl origin
	rvnl views img1
	rvnl views img2
	rvnl stress img1 2 20
}

slice backing 0 16
modprobe dm-rootview
work live 1
work live 2
work ask
work timeout 2 rvnl monitor 30

unloaded=0 refused=0 other=0
while ((SECONDS < 60 || unloaded < 3 || refused < 5)) && ((SECONDS < 300)); do
	modprobe dm-rootview
	said=$(rmmod dm_rootview 2>&1)
	case $? in
	0) unloaded=$((unloaded + 1)) ;;
	*) [[ $said == *"in use"* ]] && refused=$((refused + 1)) || other=$((other + 1)) ;;
	esac
done
touch $enough
wait "${workers[@]}"

ok "it was unloaded while others used it ($unloaded times)" test $unloaded -ge 3
ok "... and refused to while it was used ($refused times)" test $refused -ge 5
diag "$other times it was not there, or not yet"
for device in img1 img2; do
	! dmsetup info $device > /dev/null 2>&1 || dmsetup remove --force $device
done
ok "what it was used for is gone" eventually eval '! dmsetup ls | grep -q ^img'
modprobe dm-rootview
is "no origin is left" "$(rvnl origin)" ""
is "nothing uses it" "$(lsmod | awk '$1 == "dm_rootview" { print $3 }')" 0
ok "it can be unloaded" rmmod dm_rootview
ok "... and the backing device removed" dmsetup remove backing
done_testing
