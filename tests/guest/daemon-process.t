#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Views that go with a process, and what the processes of a cgroup read.
# variants: (debug)
# guest: --timeout 600
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

make_image web
web=$disk
mount "$web" /mnt
head -c 4M /dev/urandom >/mnt/second
umount /mnt
start_daemon
call AddOrigin "{\"name\":\"web\",\"device\":\"$web\"}" >/dev/null

# begin: a process that does nothing, whose id is then in $process.
begin()
{
	sleep 1000 >/dev/null 2>&1 &
	process=$!
}

# end PROCESS
end()
{
	kill -s KILL "$1"
	wait "$1" 2>/dev/null || true
}

# tie VIEW PROCESS
tie()
{
	call CreateView "{\"origin\":\"web\",\"name\":\"$1\",\"process\":$2}"
}

names()
{
	call ListViews '{"origin":"web"}' | jq -r '[.views[].name] | sort | join(" ")'
}

# deleted VIEW: also for the kernel.
deleted()
{
	! dmsetup message web 0 view_list | grep -q "^[0-9]* $1 " &&
		! names | grep -qw "$1"
}

# Processes.

begin
first=$process
begin
is "a view is tied to a process" "$(tie a "$first" | jq .view.process)" "$first"
tie b "$process" >/dev/null
tie c "$process" >/dev/null
call CreateView '{"origin":"web","name":"free"}' >/dev/null
is "the list says to which" "$(call ListViews | jq -c '[.views[] | [.name, .process]]')" \
	"[[\"a\",$first],[\"b\",$process],[\"c\",$process],[\"free\",null]]"
end "$first"
eventually "when that ends, the view is deleted" deleted a
is "and no other" "$(names)" "b c free"
ok "who deletes one oneself need not wait for the process" rootviewctl delete web b
end "$process"
eventually "its other view goes with it" deleted c
is "the one that belongs to none stays" "$(names)" free

refused_call "a process that has ended" io.rootview.NoSuchProcess '"message":"there is no process' \
	CreateView "{\"origin\":\"web\",\"name\":\"x\",\"process\":$first}"
refused_call "no process at all" io.rootview.NoSuchProcess . \
	CreateView '{"origin":"web","name":"x","process":0}'
refused_call "a negative one" io.rootview.NoSuchProcess . \
	CreateView '{"origin":"web","name":"x","process":-1}'
is "of what was refused nothing is left" "$(names) $(dmsetup message web 0 view_list | wc -l)" \
	"free 1"

# A daemon that was not there.

begin
tie a "$process" >/dev/null
first=$process
begin
tie b "$process" >/dev/null
kill_daemon KILL
end "$first"
start_daemon
eventually "a process that ended while there was no daemon takes its view with it" deleted a
is "one that did not, does not" "$(names)" "b free"
end "$process"
eventually "until it ends" deleted b

# take_id PROCESS: starts another one with the id of one that has ended.
take_id()
{
	local _
	for _ in {1..200}; do
		echo $(($1 - 1)) >/proc/sys/kernel/ns_last_pid
		begin
		[ "$process" != "$1" ] || return 0
		end "$process"
	done
	return 1
}
begin
tie a "$process" >/dev/null
kill_daemon KILL
first=$process
end "$first"
take_id "$first" || true
is "another process gets the id of one that ended" "$process" "$first"
start_daemon
eventually "it is not taken for it: the view goes" deleted a
is "a view can be tied to the new one" "$(tie d "$process" | jq .view.process)" "$process"
kill_daemon KILL
start_daemon
is "that view stays as long as the process, whoever had the id before" "$(names)" "d free"
end "$process"
eventually "and goes with it" deleted d

# Cgroups.

cgroups=/sys/fs/cgroup
[ "$(stat --file-system --format=%T "$cgroups")" = cgroup2fs ] || mount -t cgroup2 none "$cgroups"
echo +io >"$cgroups/cgroup.subtree_control"
mkdir -p "$cgroups/one/child" "$cgroups/two"
echo +io >"$cgroups/one/cgroup.subtree_control"

# read_in CGROUP PATH: cold.
read_in()
{
	echo 3 >/proc/sys/vm/drop_caches
	# shellcheck disable=SC2016 # for the other shell
	bash -c 'echo $$ >"$1/cgroup.procs" && exec cat "$2"' sh "$cgroups$1" "$2" | wc -c
}

# stats VIEW: reads and bytes.
stats()
{
	call GetStats "{\"origin\":\"web\",\"name\":\"$1\"}" |
		jq -r '.stats[0] | "\(.reads) \(.readBytes)"'
}

refused_call "a cgroup that is not there" io.rootview.NoSuchCgroup '"cgroup":"/absent"' \
	CreateView '{"origin":"web","name":"x","cgroup":"/absent"}'
refused_call "a file" io.rootview.NoSuchCgroup '"cgroup":"/cgroup.procs"' \
	CreateView '{"origin":"web","name":"x","cgroup":"/cgroup.procs"}'
refused_call "what is outside" io.rootview.NoSuchCgroup '"cgroup":"/one/../../../etc"' \
	CreateView '{"origin":"web","name":"x","cgroup":"/one/../../../etc"}'

is "a view has a cgroup" \
	"$(call CreateView '{"origin":"web","name":"one","cgroup":"/one"}' | jq -r .view.cgroup)" /one
call CreateView '{"origin":"web","name":"two","cgroup":"/two"}' >/dev/null
call CreateView '{"origin":"web","name":"child","cgroup":"/one/child"}' >/dev/null
is "only views that named one have numbers" \
	"$(call GetStats | jq -r '[.stats[].name] | sort | join(" ")')" "child one two"
is "at first they are zero" "$(stats one), $(stats two)" "0 0, 0 0"

is "a process in the cgroup reads a file of its view" \
	"$(read_in /two "$(path_of web/two)/big")" 4194304
read -r reads bytes < <(stats two)
diag "$reads reads, $bytes bytes"
ok "it has paid for reads" test "$reads" -gt 0
ok "for the whole file" test "$bytes" -ge 4194304
ok "and not for much more" test "$bytes" -lt $((2 * 4194304))
is "the other view's have not" "$(stats one)" "0 0"

is "a process in a child cgroup reads another file" \
	"$(read_in /one/child "$(path_of web/one)/second")" 4194304
read -r reads bytes < <(stats one)
ok "that counts for the cgroup above" test "$bytes" -ge 4194304 -a "$bytes" -lt $((2 * 4194304))
is "and for its own" "$(stats child)" "$reads $bytes"
before=$(stats two)
cat "$(path_of web/two)/second" >/dev/null
is "what somebody else reads counts for none of them" "$(stats one)" "$reads $bytes"
is "nor for the other" "$(stats two)" "$before"
is "a view of the list can be asked for alone" \
	"$(call GetStats '{"origin":"web","name":"two"}' | jq -c '[.stats[] | [.origin, .name, .cgroup]]')" \
	'[["web","two","/two"]]'
is "one without a cgroup has none" "$(call GetStats '{"origin":"web","name":"free"}')" '{"stats":[]}'

kill_daemon KILL
start_daemon
is "the next daemon knows the cgroup, too" "$(stats one)" "$reads $bytes"
rmdir "$cgroups/two"
is "a cgroup that has gone has no numbers" \
	"$(call GetStats '{"origin":"web","name":"two"}' | jq -c '.stats[0] | [.name, .reads, .readBytes]')" \
	'["two",null,null]'

for view in one two child free; do
	ok "the view $view is deleted" rootviewctl delete web "$view"
done
rmdir "$cgroups/one/child" "$cgroups/one"
ok "and the origin" rootviewctl origin remove web
nothing_left
done_testing
