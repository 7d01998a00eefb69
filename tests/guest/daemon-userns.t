#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The process that enters a user namespace to read its map: whoever is root there can do
# nothing to it, and there is one for each namespace that came along, not for each view.
# What it does is seen by strace.
# variants: (debug)
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

make_image web
start_daemon
rootviewctl origin add web "$disk"
unshare --user --map-users=0:200000:1000 --map-groups=0:200000:1000 sleep infinity &
sleeper=$!
entered()
{
	[ "$(readlink "/proc/$sleeper/ns/user")" != "$(readlink /proc/self/ns/user)" ] &&
		grep -q 200000 "/proc/$sleeper/gid_map"
}
eventually "there is a user namespace" entered

strace --follow-forks --attach="$daemon" --output=/tmp/trace \
	--trace=prctl,close_range,dup2,setns,read,exit_group 2>/tmp/strace &
strace=$!
eventually "the daemon is watched" grep -q attached /tmp/strace
path=$(rootviewctl create web mapped --userns "/proc/$sleeper/ns/user")
is "a view gets the namespace's map" "$(stat --format=%u:%g "$path/etc")" 200000:200000
seq --format='view%g' 200 >/tmp/names
# shellcheck disable=SC2046 # many words
rootviewctl create web $(cat /tmp/names) --userns "/proc/$sleeper/ns/user" >/dev/null
kill "$strace"
wait "$strace" || true

is "a namespace is entered once for each descriptor" "$(grep -c 'setns(.*CLONE_NEWUSER' /tmp/trace)" 2
inmate=$(awk '/setns\(.*CLONE_NEWUSER/ { print $1; exit }' /tmp/trace)
# steps: what it does, one word each, up to the end of what matters.
steps=$(awk -v pid="$inmate" '$1 == pid' /tmp/trace | sed -n \
	-e 's/.*PR_SET_DUMPABLE, \(SUID_DUMP_DISABLE\|0\)).* = 0.*/undumpable/p' \
	-e 's/.*PR_SET_PDEATHSIG, SIGKILL).* = 0.*/dies/p' \
	-e 's/.*close_range(\([0-9]*\), 4294967295, .*/closes-from-\1/p' \
	-e 's/.*setns(.*/enters/p' | paste -sd ' ')
like "who enters cannot be traced, dies with the daemon, and has no descriptor but two, before" \
	"$steps" "^undumpable dies closes-from-2 enters"
like "and again afterwards" "$steps" "enters undumpable dies$"
kill "$sleeper"

# shellcheck disable=SC2046 # many words
rootviewctl delete web mapped $(cat /tmp/names)
rootviewctl origin remove web
nothing_left
done_testing
