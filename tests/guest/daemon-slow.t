#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Slow, hanging and dead disks hold nobody up who works with another origin.
# What is asserted is order: a slow request is still without an answer when
# others, made later, have theirs.
# variants: (debug address)
# guest: --timeout 600
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

modprobe dm-delay

make_image web
web=$disk
make_image slow
slow=$disk
make_image dead
dead=$disk
sectors=$(blockdev --getsz "$web")

# backing NAME TARGET...: puts another target beneath an origin.
backing()
{
	local name=$1
	shift
	dmsetup load "$name" --table "0 $sectors $*"
	dmsetup resume --noflush "$name"
}

# ask NAME METHOD PARAMETERS: in the background; the answer is in /tmp/NAME when
# it has come.
ask()
{
	rm -f "/tmp/$1"
	{
		varlinkctl call --json=short --timeout=3600 "$socket" "io.rootview.$2" "$3" \
			>"/tmp/$1.part" 2>&1 || true
		mv "/tmp/$1.part" "/tmp/$1"
	} &
}

# waits NAME...: none of these has an answer yet.
waits()
{
	local name
	for name; do
		[ ! -e "/tmp/$name" ] || return 1
	done
}

# answer NAME: when it comes.
answer()
{
	while waits "$1"; do
		sleep 0.1
	done
	cat "/tmp/$1"
}

variant='^/run/rootview/origins/slow/variants/[0-9]+/mount$'

# events: that the stream has told of so far, a line each.
events()
{
	tr -d '\036' </tmp/stream
}

# The origin web is served in every way meanwhile.
serves_others()
{
	local what=$1 label=system_u:object_r:container_file_t:s0:c$2
	shift 2
	is "$what, a view is created" \
		"$(call CreateView '{"origin":"web","name":"a"}' | jq -r .view.path)" \
		/run/rootview/origins/web/plain
	is "$what, one with a label of its own" \
		"$(call CreateView "{\"origin\":\"web\",\"name\":\"b\",\"label\":\"$label\"}" |
			jq -r .view.label)" "$label"
	like "$what, one with a mount point that the image lacks" \
		"$(call CreateView '{"origin":"web","name":"c","mountPoints":[{"path":"/data"}]}' |
			jq -r .view.path)" '^/run/rootview/origins/web/variants/[0-9]+/mount$'
	is "$what, all views are listed" "$(call ListViews '{"origin":"web"}' |
		jq -r '[.views[].name] | join(" ")')" "a b c"
	is "$what, views are deleted" "$(call DeleteViews '{"origin":"web","names":["a","b","c"]}' |
		jq '[.results[] | select(.refusal)] | length')" 0
	eventually "$what, events come" last_event_is_of c
	if waits "$@"; then
		pass "$what: the slow request was not answered before"
	else
		fail "$what: the slow request was not answered before" \
			"$(for name; do tail -n 1 "/tmp/$name"; done)"
	fi
}
last_event_is_of()
{
	[ "$(events | tail -n 1 | jq -r '.event | .type + .name')" = "viewDeleted$1" ]
}

# start_and_watch SECONDS: for so long a disk may hang; on a busy machine all takes long.
watcher=
start_and_watch()
{
	[ -z "$watcher" ] || wait "$watcher" 2>/dev/null || true
	start_daemon --device-timeout "$1"
	varlinkctl call --more --timeout=3600 --json=short "$socket" io.rootview.Monitor '{}' \
		>/tmp/stream 2>&1 &
	watcher=$!
}

start_and_watch 3600
call AddOrigin "{\"name\":\"web\",\"device\":\"$web\"}" >/dev/null

# A slow disk: each of many reads takes two seconds.

dmsetup create slowdisk --table "0 $sectors delay $slow 0 2000"
ask add AddOrigin '{"name":"slow","device":"/dev/mapper/slowdisk"}'
eventually "an origin on a slow disk is being added" jobs_run 1
serves_others "with a slow disk" 1 add
ask early CreateView '{"origin":"slow","name":"early"}'
sleep 0.5
ok "a view of the slow origin has to wait" waits add early
backing slowdisk linear "$slow" 0
is "when the disk is quick again, the origin is there" "$(answer add | jq -r .origin.fileSystem)" ext4
like "and the view, or it came too early" "$(answer early)" \
	'"path":"/run/rootview/origins/slow/plain"|NoSuchOrigin'
call DeleteView '{"origin":"slow","name":"early"}' >/dev/null 2>&1 || true

# A disk that does not answer at all.

drop()
{
	echo 3 >/proc/sys/vm/drop_caches
}
# Labels of its own do not need the disk; what the image lacks does.
dmsetup suspend --nolockfs --noflush slowdisk
drop
ask hang CreateView '{"origin":"slow","name":"hang","mountPoints":[{"path":"/etc/none"}]}'
ask check CheckMountPoints '{"origin":"slow","lists":["docker"]}'
eventually "requests that need a disk that hangs are begun" jobs_run 1
serves_others "with a hanging disk" 2 hang check
is "the origin itself is listed" "$(call ListOrigins | jq -r '[.origins[].name] | sort | join(" ")')" \
	"slow web"
is "views of it that need nothing of the disk can be made" \
	"$(call CreateView '{"origin":"slow","name":"record","deviceOnly":true}' | jq -r .view.name)" \
	record
is "and deleted" "$(call DeleteView '{"origin":"slow","name":"record"}')" '{}'
ok "still there is no answer" waits hang check
dmsetup resume slowdisk
hang=$(answer hang | jq -r .view.path)
like "when the disk is there again, the view is" "$hang" "$variant"
is "and the other answer" "$(answer check | jq '.missing | length > 0')" true
is "the mount point is supplied" "$(stat --format=%F "$hang/etc/none")" directory
ok "the view is deleted" rootviewctl delete slow hang

# An origin has one job at a time, whatever it is for.

drop
dmsetup suspend --nolockfs --noflush slowdisk
ask hang CreateView '{"origin":"slow","name":"hang","mountPoints":[{"path":"/bin/none"}]}'
for i in 1 2 3; do
	ask "check$i" CheckMountPoints "{\"origin\":\"slow\",\"mountPoints\":[{\"path\":\"/bin/$i\"}]}"
done
eventually "a view is being made of a disk that hangs" jobs_run 1
is "others are served" "$(call ListOrigins | jq '.origins | length')" 2
sleep 0.5
is "and there is one job for all that is asked for" "$(pgrep --count --parent "$daemon")" 1
is "the name of the view is not free" "$(call CreateViews '{"origin":"slow","views":[{"name":"hang"}]}' |
	jq -r '.results[0].refusal.error')" io.rootview.ViewExists
is "a view that is being made is not there yet" "$(call DeleteViews '{"origin":"slow","names":["hang"]}' |
	jq -r '.results[0].refusal.error')" io.rootview.NoSuchView
ok "nothing was answered" waits hang check1 check2 check3
dmsetup resume slowdisk
like "when the disk is there again, the view is" "$(answer hang | jq -r .view.path)" "$variant"
is "and the others are answered" "$(for i in 1 2 3; do answer "check$i"; done |
	jq -r '.missing[].path' | paste -sd ' ')" "/bin/1 /bin/2 /bin/3"
call DeleteView '{"origin":"slow","name":"hang"}' >/dev/null
no_jobs()
{
	! pgrep --parent "$daemon"
}
eventually "what was at work ends" no_jobs

# The daemon is killed while one hangs.

hang=$(rootviewctl create slow hang --mount-point /etc/third)
dmsetup suspend --nolockfs --noflush slowdisk
drop
ask check CheckMountPoints '{"origin":"slow","mountPoints":[{"path":"/bin/none"}]}'
ask half CreateView '{"origin":"slow","name":"half","mountPoints":[{"path":"/sbin/none"}]}'
eventually "the image is being looked at" jobs_run 1
job=$(pgrep --parent "$daemon")
kill_daemon KILL
start_and_watch 3600
ok "a killed daemon has a successor at once, while its job still hangs" kill -0 "$job"
ask again OpenView '{"origin":"slow","name":"hang"}'
serves_others "with a new daemon" 3 again
dmsetup resume slowdisk
is "which has the view when the disk is there again" "$(answer again | jq -r .view.path)" "$hang"
is "once" "$(mounted | grep -cE "$variant")" 1
is "and not the one that was not made" "$(dmsetup message slow 0 view_list | cut -d' ' -f2)" hang
ok "that is deleted" rootviewctl delete slow hang

# How long one may hang.

kill_daemon TERM
start_and_watch 2
dmsetup suspend --nolockfs --noflush slowdisk
drop
for i in 1 2; do
	ask "behind$i" CheckMountPoints "{\"origin\":\"slow\",\"mountPoints\":[{\"path\":\"/bin/$i\"}]}"
done
eventually "a job hangs" jobs_run 1
refused_call "a request that needs a disk that hangs for too long is refused" \
	io.rootview.OperationFailed 'it has not answered for' CreateView \
	'{"origin":"slow","name":"hang","mountPoints":[{"path":"/etc/fifth"}]}'
refused_call "so is the next one, while the child of the first still hangs" \
	io.rootview.OperationFailed 'has not answered for a job before' CheckMountPoints \
	'{"origin":"slow","mountPoints":[{"path":"/bin/sixth"}]}'
is "all that waited are answered" "$(for i in 1 2; do answer "behind$i"; done | grep -c 'it has not answered for')" 2
ticks()
{
	awk '{ print $14 + $15 }' "/proc/$daemon/stat"
}
before=$(ticks)
sleep 2
ok "the daemon has nothing to do meanwhile" test $(($(ticks) - before)) -lt 50
dmsetup resume slowdisk
eventually "what was at work ends" no_jobs
is "of the refused view nothing is left" "$(dmsetup message slow 0 view_list)" ""
is "and the next one is answered" "$(call CheckMountPoints \
	'{"origin":"slow","mountPoints":[{"path":"/bin/sixth"}]}' | jq -r '.missing[].path')" /bin/sixth
kill_daemon TERM
start_and_watch 3600

# What is made late of an origin cannot hit another one that has its name by then.

dmsetup create latedisk --table "0 $sectors linear $dead 0"
dmsetup suspend --nolockfs --noflush latedisk
dmsetup create -r late --table "0 $sectors rootview /dev/mapper/latedisk"
dmsetup message late 0 view_create v
eventually "an origin of a disk that hangs is being mounted" jobs_run 1
dmsetup rename late earlier
dmsetup create -r late --table "0 $sectors rootview $dead"
dmsetup message late 0 view_create v
is "one that has its name now is another" "$(call ListViews | jq -r '[.views[].origin] | sort | join(" ")')" \
	"earlier late"
dmsetup resume latedisk
# are_mounted: each at its place, and once.
are_mounted()
{
	local name
	for name in earlier late; do
		[ "$(mounted | grep -c "/$name/plain$")" = 1 ] || return 1
		[ "$(stat --format=%d "/run/rootview/origins/$name/plain")" = \
			"$((0x$(stat --format=%t "/dev/mapper/$name") << 8 | 0x$(stat --format=%T "/dev/mapper/$name")))" ] ||
			return 1
	done
}
eventually "when the disk is there again, both are mounted, each at its place" are_mounted
sleep 1
ok "and stay so" are_mounted
for name in earlier late; do
	dmsetup message "$name" 0 view_delete v
done
no_devices()
{
	dmsetup remove earlier late latedisk >/dev/null 2>&1
	! dmsetup ls | grep -qE '^(earlier|late|latedisk)\b'
}
eventually "and go with their views" no_devices
is "of their folders nothing is left" "$(ls /run/rootview/origins)" "slow
web"

# A dead disk: every read fails.

dmsetup create deaddisk --table "0 $sectors error"
refused_call "an origin on a dead disk is refused" io.rootview.OperationFailed \
	'"object":"dead".*Input/output error' \
	AddOrigin '{"name":"dead","device":"/dev/mapper/deaddisk"}'
is "and leaves nothing" "$(dmsetup ls --target rootview | cut -f1 | sort | paste -sd ' ')" "slow web"
backing deaddisk linear "$dead" 0
call AddOrigin '{"name":"dead","device":"/dev/mapper/deaddisk"}' >/dev/null
call CreateView '{"origin":"dead","name":"old"}' >/dev/null
backing deaddisk error
drop
dmsetup suspend --nolockfs --noflush slowdisk
ask hang CreateView '{"origin":"slow","name":"hang","mountPoints":[{"path":"/etc/fourth"}]}'
eventually "while one hangs" jobs_run 1
refused_call "a request that needs a dead disk is refused" io.rootview.OperationFailed \
	'Input/output error' CreateView \
	'{"origin":"dead","name":"new","mountPoints":[{"path":"/etc/none"}]}'
refused_call "so is a question about it" io.rootview.OperationFailed 'Input/output error' \
	CheckMountPoints '{"origin":"dead","mountPoints":[{"path":"/bin/none"}]}'
is "of the refused view nothing is left" \
	"$(dmsetup message dead 0 view_list | cut -d' ' -f2)" old
serves_others "with a dead disk and a hanging one" 4 hang
eventually "a disk that fails is told of" grep -q '"type":"originFailed","origin":"dead"' /tmp/stream
ok "a view of the dead origin can be deleted" rootviewctl delete dead old
ok "and the origin be removed" rootviewctl origin remove dead
dmsetup resume slowdisk
like "the one that hung is answered in the end" "$(answer hang | jq -r .view.path)" "$variant"

ok "its view is deleted" rootviewctl delete slow hang
ok "the slow origin is removed" rootviewctl origin remove slow
ok "the quick one, too" rootviewctl origin remove web
ok "the disks are free" dmsetup remove slowdisk deaddisk
nothing_left
wait "$watcher" 2>/dev/null || true
done_testing
