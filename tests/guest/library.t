#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# librootview against a real daemon: every call once, synchronously and out of a
# loop of the program's own.  tests/tools/library.c is that program; it was built
# by what is installed.
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

library=/usr/libexec/rootview-tests/library

lib()
{
	timeout 60 "$library" "$@" 2>&1
}

# refused_lib DESCRIPTION ERROR REGULAR_EXPRESSION ARGUMENT...: the call fails
# with that error, and a message that matches.
refused_lib()
{
	local description=$1 error=$2 expression=$3 output status=0
	shift 3
	output=$(lib "$@") || status=$?
	like "$description" "$status $output" \
		"^1 EREMOTEIO: io\.rootview\.$error: .*($expression)"
}

# no_view NAME
no_view()
{
	! rootviewctl list web | grep -q " $1 "
}

# What is installed.

exported=$(nm --dynamic --defined-only --with-symbol-versions /usr/lib/librootview.so |
	awk '$2 == "T" { print $3 }')
declared=$(grep -oE '\brootview_[a-z_]+\(' /usr/include/rootview.h | tr -d '(' | sort -u)
isnt "the header has functions" "$declared" ""
is "the library exports exactly these" "$(cut -d@ -f1 <<<"$exported" | sort)" "$declared"
is "all in its first version" "$(cut -d@ -f3 <<<"$exported" | sort -u)" LIBROOTVIEW_0
is "and nothing else" "$(nm --dynamic --defined-only /usr/lib/librootview.so |
	awk '$2 != "T" && $2 != "A"')" ""
like "its soname" "$(readelf --dynamic /usr/lib/librootview.so)" 'soname: \[librootview\.so\.0\]'
is "it needs nothing but libsystemd and libc" \
	"$(readelf --dynamic /usr/lib/librootview.so | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' |
		sort | paste -sd ' ')" "libc.so.6 libsystemd.so.0"
nok "no type of another library is in the header" grep -E 'sd_|systemd' /usr/include/rootview.h

# Without a daemon.

is "without a daemon, there is no connection" "$(lib list)" \
	"library: connect: No such file or directory"

make_image web
start_daemon

# Origins.

is "no views at first" "$(lib list)" ""
is "an origin is added" "$(lib add web "$disk" native)" "web /dev/mapper/web -"
refused_lib "not twice" OriginExists "web" add web "$disk"
refused_lib "not of no device" NoSuchDevice "/dev/none" add other /dev/none
is "JSON has everything" "$(lib json)" "$(call ListOrigins)"

# Views.

plain=/run/rootview/origins/web/plain
is "a view is created" "$(lib create web a)" "a $plain -"
is "and is there" "$(cat "$plain/etc/greeting")" hello
refused_lib "not twice" ViewExists "a" create web a
refused_lib "not on another origin" NoSuchOrigin "nowhere" create nowhere a
refused_lib "nor by a bad name" InvalidName "a/b" create web a/b
refused_lib "nor with a label, without SELinux or of no policy" \
	"$([ -d /sys/fs/selinux/policy_capabilities ] && echo InvalidLabel || echo LabelsUnavailable)" \
	"label|SELinux" labelled web x no-such-label
is "another one like it has the same path" "$(lib create web c)" "c $plain -"
is "one that is a device alone has none" "$(lib create web d device-only)" "d - -"
before=$(cat /proc/self/mountinfo)
is "the files of one that is opened can be read" "$(lib opened web e etc/greeting)" "6 0:0 hello"
is "and nothing was mounted" "$(cat /proc/self/mountinfo)" "$before"
refused_lib "there is no mount of a device alone" InvalidRequest "device alone" attach web d /srv
refused_lib "nor of a view that is not there" NoSuchView none attach web none /srv
is "all of them are listed" "$(lib list web | cut -d ' ' -f 1 | paste -sd ,)" "a,c,d,e"
is "for all origins, too" "$(lib list)" "$(lib list web)"
refused_lib "but not for others" NoSuchOrigin nowhere list nowhere

# Refusals, as data.

is "a refusal has its parameters" "$(lib busy web | head -n 1)" "io.rootview.OriginBusy web 4"
is "as JSON, too" "$(lib busy web | tail -n 1 | jq -c '[.name, .views]')" '["web",4]'

# Attaching, which the caller does.

mkdir -p /srv/at/inner /srv/other
ln -s at /srv/link
chown -R nobody /srv/at
is "a view is attached to a folder, of whoever that is" "$(lib attach web e /srv/at/inner)" ""
is "where its files are" "$(cat /srv/at/inner/etc/greeting)" hello
is "no symbolic link is followed" "$(lib attach web e /srv/link/inner)" \
	"ELOOP: a symbolic link is on the way, and none is followed"
is "nothing else is taken away" "$(mount -t tmpfs none /srv/other && lib detach web e /srv/other)" \
	"EXDEV: something else is mounted there"
ok "which is still there" mountpoint --quiet /srv/other
umount /srv/other
is "nor where nothing is" "$(lib detach web e /srv/other)" "EINVAL: nothing is mounted there"
exec {inside}</srv/at/inner/etc/greeting
is "the view is" "$(lib detach web e /srv/at/inner)" ""
nok "so that its folder has no mount" mountpoint --quiet /srv/at/inner
is "and who uses it goes on" "$(cat <&"$inside")" hello
exec {inside}<&-
is "a folder that is not there" "$(lib attach web e /srv/none)" "ENOENT: No such file or directory"
is "in a mount namespace of the caller's own, nobody else sees it" \
	"$(unshare --mount --propagation private sh -c \
		"$library attach web e /srv/at/inner && cat /srv/at/inner/etc/greeting")" hello
nok "indeed" test -e /srv/at/inner/etc/greeting

# As many descriptors as there may be.

is "who may have no more of them is told, and keeps what there is" "$(lib full web e)" \
	$'many EMFILE Too many open files\ncalled back: EMFILE\n6 0:0 hello\n6 0:0 hello'

# Mount points.

is "the image lacks what it lacks" "$(lib check web '' /etc/greeting /no/such)" "/no/such 1 -"
like "what an engine wants, too" "$(lib check web docker)" $'(^|\n)/etc/mtab 2 /proc/mounts($|\n)'
refused_lib "there is no such list" "InvalidRequest" "list" check web no-engine

# Deleting, and batches.

is "a view is deleted" "$(lib delete web a)" ""
refused_lib "and no more" NoSuchView "a" delete web a
is "many are deleted, each for itself" "$(lib delete web c none)" \
	$'c - -\nnone refused io.rootview.NoSuchView'
is "many are created, each for itself" "$(lib batch web f d g)" \
	"f 6 0:0 hello
g 6 0:0 hello
f $plain -
d refused io.rootview.ViewExists
g $plain -"
is "nothing was mounted for them" "$(cat /proc/self/mountinfo)" "$before"
is "they are deleted" "$(lib delete web d e f g | wc -l)" 4

# Whose files they are.

unshare --user sleep 600 &
sleeper=$!
for _ in {1..50}; do
	[ "$(readlink "/proc/$sleeper/ns/user")" = "$(readlink /proc/self/ns/user)" ] || break
	sleep 0.1
done
echo 0 200000 65536 >"/proc/$sleeper/uid_map"
echo 0 300000 65536 >"/proc/$sleeper/gid_map"
is "a user namespace says whose files they are" \
	"$(lib opened web mapped etc/greeting "/proc/$sleeper/ns/user")" "6 200000:300000 hello"
is "and so does a range" "$(lib mapped web ranged 400000 etc/greeting)" "6 400000:400000 hello"
status=0
output=$(lib opened web x etc/greeting /dev/null) || status=$?
like "a descriptor of something else is refused" "$status $output" \
	'^1 EREMOTEIO: io\.rootview\.Invalid'
is "both are deleted" "$(lib delete web mapped ranged | wc -l)" 2

# Processes.

mkdir /sys/fs/cgroup/tied
is "a view is tied to a pidfd" "$(lib tied web tied /tied "$sleeper" pidfd)" \
	"tied $plain -"
sleep 600 &
other=$!
is "and one to an id" "$(lib tied web other /tied "$other")" \
	"other $plain -"
kill "$sleeper"
wait "$sleeper" || true
eventually "it goes with its process" no_view tied
ok "the other does not" is_mounted web/other
kill "$other"
wait "$other" || true
eventually "but with its own" no_view other

# What was read.

[ "$(stat --file-system --format=%T /sys/fs/cgroup)" = cgroup2fs ] ||
	mount -t cgroup2 none /sys/fs/cgroup
echo +io >/sys/fs/cgroup/cgroup.subtree_control
mkdir -p /sys/fs/cgroup/reader /sys/fs/cgroup/gone
lib tied web one /reader $$ >/dev/null
lib tied web two /gone $$ >/dev/null
bash -c 'echo $$ >/sys/fs/cgroup/reader/cgroup.procs && exec cat '"$plain/big" |
	wc -c >/dev/null
rmdir /sys/fs/cgroup/gone
is "counters of all views are those of the ones with a cgroup" "$(lib stats)" \
	$'web one /reader reads\nweb two /gone'
is "one can be asked for" "$(lib stats web one)" "web one /reader reads"
refused_lib "if it is there" NoSuchView none stats web none
lib delete web one two >/dev/null

# A loop of the program's own.

mkdir -p /srv/taken
rootviewctl create web taken >/dev/null
is "many calls at a time are answered one after the other" \
	"$(lib async web h taken i | sort)" \
	$'h 6 0:0 hello\nh deleted -\ni 6 0:0 hello\ni deleted -\ntaken EREMOTEIO io.rootview.ViewExists'

is "what was cancelled is not called back, and carried out only if it was sent" \
	"$(lib cancel web sent unsent | sort)" "sent $plain -
taken $plain -"
lib delete web sent >/dev/null
is "a stream can be stopped by its own callback" "$(lib stop)" \
	$'ready\nthe connection ended with ENOTCONN'

lib monitor 4 >/tmp/events &
monitor=$!
eventually "a stream of events begins" grep -q '^ready - -$' /tmp/events
lib batch web k l >/dev/null
lib delete web k >/dev/null
wait "$monitor"
is "and has all of them" "$(cat /tmp/events)" \
	$'ready - -\nviewCreated web k\nviewCreated web l\nviewDeleted web k'

# Daemons that do not answer, or go away.

kill -STOP "$daemon"
is "no answer in time is an error, for all calls on the connection" "$(lib timeout)" \
	"the stream ended with ETIMEDOUT: Connection timed out
the connection ended with ENOTCONN
and later calls with ENOTCONN
ETIMEDOUT: -: Connection timed out"
kill -CONT "$daemon"

lib monitor 9 >/tmp/events &
monitor=$!
eventually "another stream begins" grep -q '^ready - -$' /tmp/events
is "a daemon that is gone is an error" "$(lib gone "$daemon")" \
	"ECONNRESET: -: Connection reset by peer"
wait "$monitor"
is "and ends streams, and what waits behind them" "$(cat /tmp/events)" \
	"ready - -
the stream ended with ECONNRESET: Connection reset by peer
a call behind it ended with ENOTCONN
the connection ended with ENOTCONN"
wait "$daemon" 2>/dev/null || true

start_daemon
is "the next daemon knows the views" "$(lib list | cut -d ' ' -f 1 | sort | paste -sd ' ')" \
	"l taken"
is "which are deleted" "$(lib delete web l taken | wc -l)" 2
is "and the origin removed" "$(lib remove web)" ""

nothing_left
done_testing
