#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The stream of events: in order, with generations; and what comes when more
# happened than the daemon could hear of.
# variants: (debug)
# guest: --timeout 600
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

stream=/tmp/stream

# watch: its events go to $stream, a line each.
watch()
{
	varlinkctl call --more --timeout=600 --json=short "$socket" io.rootview.Monitor '{}' >"$stream" 2>&1 &
	watcher=$!
	eventually "$1" has ready
}

# has TYPE [N]: at least so many of them have come.
has()
{
	[ "$(grep -c "\"type\":\"$1\"" "$stream")" -ge "${2:-1}" ]
}

# events: a line of JSON each.  told: a line of words each.
events()
{
	tr -d '\036' <"$stream" | jq -c .event
}
told()
{
	events | jq -r '[.type, .origin, .name, .generation] | map(. // "-") | join(" ")'
}

# registry, listed: every view, with its id, by the kernel and by the daemon.
registry()
{
	dmsetup message web 0 view_list | cut -d' ' -f1,2 | sort
}
listed()
{
	call ListViews | jq -r '.views[] | "\(.id) \(.name)"' | sort
}

make_image web
web=$disk
start_daemon
refused_call "without a wish for more there is no stream" org.varlink.service.ExpectedMore . \
	Monitor '{}'
watch "a stream begins with ready"
is "and with nothing else" "$(events)" '{"type":"ready"}'

call AddOrigin "{\"name\":\"web\",\"device\":\"$web\"}" >/dev/null
# Of a view that is refused, the stream tells nothing: it was never there.
refused_call "a view that cannot be is refused" io.rootview.InvalidMountPoint . CreateView \
	'{"origin":"web","name":"never","mountPoints":[{"path":"/etc/greeting/below"}]}'
call CreateView '{"origin":"web","name":"a"}' >/tmp/a
call CreateView '{"origin":"web","name":"b","deviceOnly":true}' >/dev/null
dmsetup message web 0 view_create c
call DeleteView '{"origin":"web","name":"a"}' >/dev/null
dmsetup message web 0 view_delete c
call CreateViews '{"origin":"web","views":[{"name":"d"},{"name":"b"},{"name":"e"}]}' >/dev/null
call DeleteViews '{"origin":"web","names":["e","d","b"]}' >/dev/null
call RemoveOrigin '{"name":"web"}' >/dev/null
eventually "the last event comes" has originRemoved
is "each thing that happened is told, in order, with its number" "$(told)" "ready - - -
originAdded web - 1
viewCreated web a 2
viewCreated web b 3
viewCreated web c 4
viewDeleted web a 5
viewDeleted web c 6
viewCreated web d 7
viewCreated web e 8
viewDeleted web e 9
viewDeleted web d 10
viewDeleted web b 11
originRemoved web - 12"
is "a view is told of by its id, too" \
	"$(events | jq -c 'select(.name == "a") | .id' | sort -u)" \
	"$(jq .view.id /tmp/a)"
kill "$watcher"
wait "$watcher" || true

# A request that is refused is no event; who comes later hears of what is new only.

call AddOrigin "{\"name\":\"web\",\"device\":\"$web\"}" >/dev/null
call CreateView '{"origin":"web","name":"old"}' >/dev/null
watch "the next stream begins"
call CreateView '{"origin":"web","name":"old"}' >/dev/null || true
call DeleteView '{"origin":"web","name":"none"}' >/dev/null || true
call CreateView '{"origin":"web","name":"new"}' >/dev/null
eventually "what is new comes" has viewCreated
is "what was before does not, nor what was refused" "$(told)" "ready - - -
viewCreated web new 3"

# A second one that watches.

varlinkctl call --more --timeout=600 --json=short "$socket" io.rootview.Monitor '{}' >/tmp/second 2>&1 &
second=$!
eventually "a second stream" grep -q ready /tmp/second
call DeleteView '{"origin":"web","name":"new"}' >/dev/null
eventually "gets events, too" grep -q viewDeleted /tmp/second
eventually "and the first still does" has viewDeleted
kill "$second"
wait "$second" || true
call CreateView '{"origin":"web","name":"new"}' >/dev/null
eventually "when the second has gone, the first goes on" has viewCreated 2

# Lost events: while the daemon stands still, the buffer of its socket overflows.

kill -s STOP "$daemon"
diag "$(rvnl stress web 4 10000)"
dmsetup message web 0 view_delete old
dmsetup message web 0 view_delete new
dmsetup message web 0 view_create new
kill -s CONT "$daemon"
eventually "events that were lost are told of" has lost
is "with nothing about them" "$(events | grep lost | sort -u)" \
	'{"type":"lost"}'
like "the log has it as well" "$(cat "$log")" "events of the kernel were lost"
same()
{
	[ "$(listed)" = "$(registry)" ]
}
eventually "the daemon has the kernel's views again" same
is "with the one that has another's name" "$(listed | cut -d' ' -f2 | grep -x -e old -e new)" new
diag "$(registry | wc -l) views are there"
all_have_paths()
{
	[ "$(call ListViews | jq '[.views[] | select(.path)] | length')" = "$(registry | wc -l)" ]
}
eventually "and all of them are mounted" all_have_paths
before=$(told | wc -l)
call CreateView '{"origin":"web","name":"after"}' >/dev/null
eventually "events come again" grep -q '"name":"after"' "$stream"
is "in their places: no number comes twice, or before a lesser one" \
	"$(events | jq -r '.generation // empty' | sort --numeric-sort --unique --check 2>&1)" ""
is "the last event has the origin's number" "$(told | tail -n 1)" \
	"viewCreated web after $(call ListOrigins | jq '.origins[0].generation')"
ok "which is the only one since" test "$(told | wc -l)" = $((before + 1))

# The end of the daemon is the end of the stream.

registry | sed 's/.* //' | xargs -n 500 | while read -r names; do
	call DeleteViews "{\"origin\":\"web\",\"names\":[$(sed 's/[^ ]*/"&"/g; s/ /,/g' <<<"$names")]}" \
		>/dev/null
done
is "all views are deleted" "$(registry)" ""
call RemoveOrigin '{"name":"web"}' >/dev/null
nothing_left
watcher_ended()
{
	! kill -0 "$watcher"
}
eventually "with the daemon the stream ends" watcher_ended
done_testing
