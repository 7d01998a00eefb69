#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# More happens in the kernel than the daemon can hear of: it finds out, and
# catches up.
# variants: (debug thread) address
# guest: --timeout 600
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

many=20000

make_image web
start_daemon
# It reads each string to its end, and that of an answer of megabytes is far.
[ -z "${SANITIZER:-}" ] || ASAN_OPTIONS+=:strict_string_checks=0
call AddOrigin "{\"name\":\"web\",\"device\":\"$disk\"}" >/dev/null
rootviewctl create web before >/dev/null

# A daemon that stands still loses what does not fit into its socket's buffer.
kill -s STOP "$daemon"
rvnl many web v "$many" >/dev/null
dmsetup message web 0 view_delete before
kill -s CONT "$daemon"

# rootviewctl waits as long as it takes, which is long on a busy machine.
is "all views are there" "$(rootviewctl --json list | jq '.views | length')" "$many"
is "all of them are mounted" \
	"$(rootviewctl --json list | jq '[.views[] | select(.path)] | length')" "$many"
is "which are one mount" "$(mounted)" /run/rootview/origins/web/plain
is "the last one has its files" "$(cat "$(path_of "web/v$many")/etc/greeting")" hello
refused_call "the one that was deleted meanwhile is gone" io.rootview.NoSuchView before \
	ListViews '{"origin":"web","name":"before"}'
like "events were really lost" "$(cat "$log")" "events of the kernel were lost"

kill -s STOP "$daemon"
dmsetup message web 0 view_create after
dmsetup wipe_table --force web
kill -s CONT "$daemon"
is "an origin that went with all its views is gone" "$(rootviewctl --json origin list)" '{"origins":[]}'
# What is unmounted stays in the trash for a moment.
eventually "no mount is left" nothing_is_mounted
eventually "and no hold on the device" dmsetup remove web
nothing_left
done_testing
