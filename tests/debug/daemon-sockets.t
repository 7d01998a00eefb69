#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Clients by the hundred go in the middle of whatever they do, the kernel tells of more than
# the daemon's socket can hold, and more clients come than there are descriptors: it goes
# on, and its descriptors, its children and its memory are as before.
# variants: address (thread)
# guest: --timeout 600
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

# It counts what the daemon has allocated; nothing fails.
truncate --size=1K /tmp/starve
rootviewd()
{
	exec env STARVE_FILE=/tmp/starve LD_PRELOAD=/usr/libexec/rootview-tests/starve.so \
		ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" rootviewd "$@"
}

held()
{
	perl -e 'read STDIN, my $n, 8; print unpack "q", $n' </tmp/starve
}

# What the daemon has open, without numbers; and its children.
descriptors()
{
	find "/proc/$daemon/fd" -type l -printf '%l\n' | sed 's/^\(socket\|pipe\):.*/\1/' | sort
	echo "children:$(cat "/proc/$daemon/task/$daemon/children")"
}

make_image web
start_daemon
call AddOrigin "{\"name\":\"web\",\"device\":\"$disk\"}" >/dev/null
call CreateView '{"origin":"web","name":"stays"}' >/dev/null

# A table of libsystemd's grows when more children run at once than before, and stays so:
# here, and not when it happens to be.
asking=()
for name in hung{1..4}; do
	make_disk "$name" 1
	dmsetup create "$name" --table "0 2048 linear $disk 0"
	dmsetup suspend --nolockfs --noflush "$name"
	call AddOrigin "{\"name\":\"on-$name\",\"device\":\"/dev/mapper/$name\"}" >/dev/null &
	asking+=($!)
done
eventually "as many jobs run as there are hanging disks" jobs_run "${#asking[@]}"
for name in hung{1..4}; do
	dmsetup resume "$name"
done
# There is nothing on these disks.
wait "${asking[@]}" || true
dmsetup remove hung{1..4}

# Some views, so that answers are long.
for i in {1..40}; do
	echo "CreateView {\"origin\":\"web\",\"name\":\"shared$i\"}"
done | perl -Itests/guest -MVarlink -e Varlink::filter >/dev/null
names=$(dmsetup message web 0 view_list | cut -d ' ' -f 2 | sort)
mounts=$(mounted)
before=$(descriptors)

# What the rude ones have had made.
delete_rude()
{
	rootviewctl list >/dev/null
	dmsetup message web 0 view_list | awk '$2 ~ /^rude/ { print $2 }' >/tmp/rude
	[ -s /tmp/rude ] || return 0
	while read -r name; do
		echo "DeleteView {\"origin\":\"web\",\"name\":\"$name\"}"
	done </tmp/rude | perl -Itests/guest -MVarlink -e Varlink::filter >/dev/null
}

as_before()
{
	delete_rude
	[ "$(dmsetup message web 0 view_list | cut -d ' ' -f 2 | sort)" = "$names" ] &&
		[ "$(mounted)" = "$mounts" ] && [ "$(descriptors)" = "$before" ]
}

# With ThreadSanitizer each child leaves an allocation to its parent's count.
no_more_held()
{
	[ "${SANITIZER:-}" = thread ] || [ "$(held)" -le "$1" ]
}

# rude MANNER CLIENTS [MILLISECONDS]
rude()
{
	rvrude "$socket" "$@"
	eventually "$1: the daemon goes on, with all as it was" as_before
}

# The second time, nothing is there for the first time.
for wait in 0 100; do
	memory=$(held)
	rude half 200 $wait
	rude unheard 200 $wait
	rude unread 50 $wait
	rude job 20 $wait
	rude batch 5 $wait
	rude descriptors 100 $wait
	rude stray 100 $wait
	rude closed 100 $wait
	rude watch 50 $wait
done
eventually "the second time it holds no more memory than after the first" no_more_held "$memory"

# Those who watch do not read, while much happens.
rvrude "$socket" watch 20 3000 &
watching=$!
sleep 0.5
rvnl churn web 200 >/dev/null
wait "$watching"
eventually "a watcher that does not read is in nobody's way" as_before

# More clients than descriptors.
rootviewctl list >/dev/null
memory=$(held)
prlimit --pid "$daemon" --nofile=60:
# now: hundredths of a second.  On a busy host all takes longer.
now() { awk '{ print int($1 * 100) }' /proc/uptime; }
began=$(now)
ticks=$(awk '{ print $14 + $15 }' "/proc/$daemon/stat")
rvrude "$socket" unheard 300 2000
ticks=$(($(awk '{ print $14 + $15 }' "/proc/$daemon/stat") - ticks))
ok "while clients wait to be accepted, the daemon does not go round and round" \
	test $((ticks * 4)) -lt $((($(now) - began) * 3))
ok "when they have gone, others are served" rootviewctl list
prlimit --pid "$daemon" --nofile=1024:
eventually "with all as it was" as_before
eventually "... without holding more memory" no_more_held "$memory"

# More events than fit into the daemon's socket.
kill -s STOP "$daemon"
rvnl churn web 12000 >/dev/null
rvnl many web rude 50 >/dev/null
kill -s CONT "$daemon"
is "who asks then hears of all views" \
	"$(rootviewctl --json list web | jq '[.views[] | select(.name | startswith("rude"))] | length')" 50
is "all of them have a path" "$(rootviewctl --json list web |
	jq '[.views[] | select(.name | startswith("rude")) | select(.path)] | length')" 50
like "events were really lost" "$(cat "$log")" "events of the kernel were lost"
eventually "when they are deleted, all is as it was" as_before
eventually "... without holding more memory" no_more_held "$memory"

for i in {1..40}; do
	rootviewctl delete web "shared$i"
done
ok "the view that was there all the time is deleted" rootviewctl delete web stays
ok "and its origin" rootviewctl origin remove web
nothing_left
done_testing
