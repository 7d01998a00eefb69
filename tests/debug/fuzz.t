#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The module is asked for whatever may be asked, by what seeks what it has not done yet.
#
# For 300 seconds, or as many as FUZZ says: make check-debug TESTS=fuzz FUZZ=3600.
#
# What was asked of it last before a panic is kept with what the guest counted, and is asked
# again by: tests/vm/run --kernel debug --with FILE -- tests/debug/fuzz.t replay /run/FILE
# guest: --timeout 200
set -uo pipefail
. "${0%/*}/../tap.sh"
. "${0%/*}/../origins.sh"

how=${FUZZ:-300}
journal=$ROOTVIEW_SCRATCH
if [ "${1:-}" = replay ]; then
	how=replay
	journal=$(losetup --find --show "$2")
fi

slice backing 0 16
modprobe dm-rootview
said=$(rvfuzz /dev/mapper/backing 32768 "$journal" "$how" 2>&1)
status=$?
diag "$said"
is "it ended well" "$status" 0
like "nothing was wrong" "${said##*$'\n'}" "^inputs=[1-9][0-9]* kept=[0-9]+ places=[0-9]+ wrong=0$"

# Otherwise it would not be where mistakes could be.
if [ "$how" != replay ]; then
	for operation in origin-get view-create view-delete view-get batch message load; do
		is "$operation was done, and refused" "$(grep -c \
			"^$operation accepted=[1-9][0-9]* refused=[1-9]" <<< "$said")" 1
	done
	for operation in resume suspend clear status remove rename read; do
		is "$operation was done" \
			"$(grep -c "^$operation accepted=[1-9]" <<< "$said")" 1
	done
	is "who lacks privileges was refused" \
		"$(grep -c '^unprivileged accepted=0 refused=[1-9]' <<< "$said")" 1
	kept=${said##*kept=} places=${said##*places=}
	ok "much was found" test "${kept%% *}" -ge 50 -a "${places%% *}" -ge 500
fi

is "no origin is left" "$(rvnl origin)" ""
is "nothing uses the module" "$(lsmod | awk '$1 == "dm_rootview" { print $3 }')" 0
ok "it can be unloaded" rmmod dm_rootview
ok "... and the backing device removed" dmsetup remove backing
done_testing
