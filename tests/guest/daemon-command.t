#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The command rootviewctl: everything that it does, as a person sees it and as a
# script does.
# variants: (debug address)
# guest: --timeout 300
set -uo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

# failing DESCRIPTION STATUS SENTENCE ARGUMENT...: rootviewctl ends with that
# status, and says that, a regular expression, on stderr.
failing()
{
	local description=$1 wanted=$2 sentence=$3 status=0 output
	shift 3
	output=$(rootviewctl "$@" 2>&1 >/dev/null) || status=$?
	is "$description: status" "$status" "$wanted"
	like "$description: sentence" "$output" "$sentence"
}

# in_json FILTER ARGUMENT...: what jq finds in the answer as JSON.
in_json()
{
	local filter=$1
	shift
	rootviewctl --json "$@" | jq -r "$filter"
}

make_image web
start_daemon
context=system_u:object_r:container_file_t:s0

mapfile -t many < <(seq -f 'm%g' 1500)

# Origins.

is "origin add says nothing" "$(rootviewctl origin add web "$disk" 2>&1)" ""
is "as JSON it shows the origin" \
	"$(make_image db && in_json .origin.name origin add db "$disk" --label native)" db
is "with the label that was asked for" \
	"$(in_json '.origins[] | select(.name == "db") | .native' origin list)" true
like "origin list is a table" "$(rootviewctl origin list)" \
	$'^ORIGIN  VIEWS  TYPE .*\n(web|db) .*\n(web|db) '
failing "an origin whose device is not there" 1 'rootviewctl: .*/none' origin add none /none
is "origin remove as JSON" "$(in_json . origin remove db)" "{}"
rootviewctl origin add db "$(losetup --noheadings --output NAME --associated /tmp/db.img)"
rootviewctl create db "${many[@]}" >/dev/null
failing "origin remove with views" 1 'origin "db" has 1500 views' origin remove db
is "with --views they go first" "$(rootviewctl origin remove db --views 2>&1)" ""
failing "with --views and no origin" 1 'rootviewctl: .*none' origin remove none --views
is "after which there is one" "$(in_json '.origins | length' origin list)" 1

# Creating.

shared=$(rootviewctl create web a)
is "create prints the path" "$shared" /run/rootview/origins/web/plain
is "of each of several views, which is the same for all that ask for the same" \
	"$(rootviewctl create web b c d | uniq -c | xargs)" "3 $shared"
is "where its files are" "$(cat "$shared/etc/greeting")" hello
is "and nothing of one that is a device alone" "$(rootviewctl create web u --device-only)" ""
rootviewctl create web s s2 t >/dev/null
mkdir /tmp/there
is "--path attaches it there" "$(rootviewctl create web p --path /tmp/there)" /tmp/there
is "where its files are" "$(cat /tmp/there/etc/greeting)" hello
mkdir /tmp/relative
is "a relative one, too" "$(cd /tmp && rootviewctl create web r --path relative)" /tmp/relative
ln -s there /tmp/link
failing "a symbolic link" 1 '/tmp/link: .* cannot be mounted there: a symbolic link is on the way' \
	create web l --path /tmp/link
is "leaves no view behind" "$(in_json '[.views[].name | select(. == "l")] | length' list web)" 0
failing "one path for two views" 2 '--path is for one view, and not also for "y"' \
	create web x y --path /tmp/there

points=$(rootviewctl create web points --mount-point /data --mount-point /data/x:file \
	--list docker --label "$context:c1,c2")
ok "--mount-point supplies a folder" test -d "$points/data"
ok "and a file" test -f "$points/data/x"
ok "--list supplies what docker wants" test -f "$points/.dockerenv"
like "--label labels the files" "$(stat --format=%C "$points/etc/greeting")" ":c1,c2$"

ids=$(rootviewctl create web ids --id-map 0:100000:65536)
is "--id-map has the files belong to somebody else" \
	"$(stat --format=%u:%g "$ids/etc/greeting")" 100000:100000
unshare --user --map-users=0:200000:65536 --map-groups=0:200000:65536 sleep 1000 &
sleeper=$!
mapped()
{
	grep -q 200000 "/proc/$sleeper/uid_map" && grep -q 200000 "/proc/$sleeper/gid_map"
}
eventually "a process has a user namespace" mapped
is "--userns does the same" "$(stat --format=%u:%g \
	"$(rootviewctl create web ns --userns "/proc/$sleeper/ns/user")/etc/greeting")" 200000:200000
is "also for several views" "$(rootviewctl create web ns1 ns2 --userns "/proc/$sleeper/ns/user" |
	xargs -I{} stat --format=%u {}/etc/greeting | paste -sd ' ')" "200000 200000"
failing "--userns with both" 1 'both an id map and a user namespace' \
	create web x --userns "/proc/$sleeper/ns/user" --id-map 0:1:1
failing "--userns that is not there" 1 '/none: No such file' create web x --userns /none

rootviewctl create web mortal mortal2 --process "$sleeper" >/dev/null
is "--process is noted" "$(in_json .process inspect web mortal)" "$sleeper"
kill "$sleeper"
gone()
{
	! rootviewctl inspect web mortal && ! rootviewctl inspect web mortal2
}
eventually "at the end of that process, its views are deleted" gone

mkdir /sys/fs/cgroup/pod
echo "+io" >/sys/fs/cgroup/cgroup.subtree_control
cold=$(rootviewctl create web cold --cgroup /sys/fs/cgroup/pod)
is "--cgroup is noted" "$(in_json .cgroup inspect web cold)" /pod

# Many.

is "1500 views at once" "$(rootviewctl create web "${many[@]}" | wc -l)" 1500
is "are deleted at once" "$(rootviewctl delete web "${many[@]}")" ""
is "300 that are devices alone" "$(in_json '.results | length' create web "${many[@]:0:300}" \
	--device-only)" 300
is "are deleted, as JSON" "$(in_json '[.results[].name] | length' delete web "${many[@]:0:300}")" 300
failing "one of three that is taken already" 1 'rootviewctl: .*has a view "a" already' \
	create web n1 a n2
is "the others are created" "$(in_json '[.views[].name | select(startswith("n1") or
	startswith("n2"))] | length' list web)" 2
failing "one of three that is absent" 1 'rootviewctl: .*has no view "absent"' \
	delete web n1 absent n2
is "the others are deleted" "$(in_json '[.views[].name | select(. == "n1" or . == "n2")] |
	length' list web)" 0
failing "several views of no origin" 1 'rootviewctl: .*none' create none x y
is "which as JSON has no results, and why" \
	"$(rootviewctl --json create none x y 2>/dev/null | jq -c '[.results, .error]')" \
	'[[],"io.rootview.NoSuchOrigin"]'
# On a terminal.
in_terminal()
{
	script --quiet --return --command "$*" /dev/null </dev/null
}
is "no progress is shown if it is quick" \
	"$(in_terminal 'rootviewctl create web q1 q2 >/dev/null; rootviewctl delete web q1 q2')" ""
kill -STOP "$daemon"
in_terminal "rootviewctl create web ${many[*]:0:1100} --device-only" >/tmp/progress &
slow=$!
sleep 3
kill -CONT "$daemon"
wait "$slow"
like "if it is slow, it is, and then wiped" "$(cat /tmp/progress)" \
	$'^\r\\[#{37}\\.{3}\\] 1024 of 1100\r\033\\[K$'
rootviewctl delete web "${many[@]:0:1100}"

# Requests that are too large for one message together.

long=/$(printf '%0250d/' {1..12})
is "many views with long mount points" \
	"$(rootviewctl create web "${many[@]:0:300}" --device-only --mount-point "${long}1" \
		--mount-point "${long}2" --mount-point "${long}3" --mount-point "${long}4" \
		--mount-point "${long}5" --mount-point "${long}6" 2>&1)" ""
is "are all there" "$(dmsetup message web 0 view_list | grep -c ' m[0-9]* ')" 300
rootviewctl delete web "${many[@]:0:300}"

# Refusals, for programs.

is "a refusal as JSON has the error's name" \
	"$(rootviewctl --json create web a 2>/dev/null | jq -c '[.error, .parameters.name]')" \
	'["io.rootview.ViewExists","a"]'
is "and its sentence" "$(rootviewctl --json delete web none 2>/dev/null | jq -r .message)" \
	"$(rootviewctl delete web none 2>&1 | cut -d ' ' -f 2-)"
is "one of several, too" "$(in_json '.results[1].refusal.error' delete web none none2 2>/dev/null)" \
	io.rootview.NoSuchView
is "with its parameters" "$(in_json '.results[1].refusal.parameters.name' \
	delete web none none2 2>/dev/null)" none2
is "that of a list" "$(rootviewctl --json list none 2>/dev/null | jq -r .error)" \
	io.rootview.NoSuchOrigin

# Looking.

make_image other
other=$disk
like "list is a table" "$(rootviewctl list web)" \
	$'^ORIGIN  VIEW  +ID  +AGE  +LABEL  +PATH\n'
is "the label of one that asked for none is the origin's" \
	"$(rootviewctl list web | awk '$2 == "u" { print $(NF - 1) }')" \
	"$(stat --format=%C "$shared/etc/greeting")"
rootviewctl origin add other "$other" --label native
rootviewctl create other a >/dev/null
is "or the image has it" "$(rootviewctl list other | awk '$2 == "a" { print $(NF - 1) }')" native
rootviewctl origin remove other --views
like "with the path of each, or its device" \
	"$(rootviewctl list | awk '{ print $2 ":" $NF }' | paste -sd ' ')" "a:$shared .*u:/dev/mapper/web"
inspected=$(rootviewctl inspect web points)
like "inspect tells the origin" "$inspected" $'^origin: web\nname: points\nid: [0-9]+\nage: '
like "the path" "$inspected" $'\n'"path: $points"$'\ndevice: /dev/mapper/web\n'
like "or that there is none" "$(rootviewctl inspect web u)" $'\ndevice only: yes\n'
like "the label" "$inspected" $'\nlabel: '"$context:c1,c2"$'\n'
like "or that of the origin" "$(rootviewctl inspect web a)" \
	$'\n'"label: $(stat --format=%C "$shared/etc/greeting") \\(the origin's\\)"
like "the mount points" "$inspected" $'\nmount point: /data\nmount point: /data/x:file\n'
like "links, too" "$inspected" $'\nmount point: /etc/mtab -> '
like "the ids" "$(rootviewctl inspect web ids)" \
	$'\nuser ids: 0:100000:65536\ngroup ids: 0:100000:65536$'
is "as JSON it is the view" "$(rootviewctl --json inspect web a | jq -cS .)" \
	"$(call ListViews | jq -cS '.views[] | select(.name == "a")')"
failing "inspect, absent" 1 'origin "web" has no view "absent"' inspect web absent
failing "inspect, no origin" 1 'rootviewctl: .*"none"' inspect none a

echo 3 >/proc/sys/vm/drop_caches
bash -c "echo \$\$ >/sys/fs/cgroup/pod/cgroup.procs && exec cat '$cold/big'" >/dev/null
like "stats tells who read how much" "$(rootviewctl stats web cold)" \
	$'^ORIGIN  VIEW  READS  READ  +CGROUP\nweb     cold  [1-9][0-9]* +[0-9.]+ MiB  +/pod$'
ok "as JSON" test "$(in_json '.stats[0].readBytes' stats)" -ge 4194304
mkdir -p /sys/fs/cgroup/pod/without /sys/fs/cgroup/gone
rootviewctl create web gone --cgroup /gone >/dev/null
rootviewctl create web without --cgroup /pod/without >/dev/null
rmdir /sys/fs/cgroup/gone
like "a cgroup that is gone is said to be" "$(rootviewctl stats web gone)" \
	$'\nweb     gone  -      -     /gone is gone$'
like "likewise one that counts nothing" "$(rootviewctl stats web without)" \
	' -  +-  +/pod/without has no io.stat$'
rootviewctl delete web gone without
rmdir /sys/fs/cgroup/pod/without
is "only of that origin" "$(in_json '.stats | length' stats web)" 1

# Checking mount points.

is "check prints what the image lacks" \
	"$(rootviewctl check web /etc /data /etc/greeting:file /data/x:file)" $'/data\n/data/x:file'
is "as JSON" "$(in_json '.missing[].path' check web /etc /data)" /data
like "of a list" "$(rootviewctl check web --list docker)" $'(^|\n)/.dockerenv:file(\n|$)'
is "and nothing if nothing is missing" "$(rootviewctl check web /etc)" ""
failing "check of nothing" 2 'too few arguments for "check": it needs a path, or --list' check web
like "which help does not promise" "$(rootviewctl --help)" $'\n  check ORIGIN PATH\\[:file\\]...'
failing "check of a relative path" 2 'a mount point cannot be "etc"' check web etc

# At paths.

mkdir -p /tmp/elsewhere/inner /tmp/other
chown -R nobody /tmp/elsewhere
for view in a s t points ids; do
	is "mount has view $view at a path" "$(rootviewctl mount web "$view" /tmp/elsewhere/inner)" \
		/tmp/elsewhere/inner
	is "with its files" "$(cat /tmp/elsewhere/inner/etc/greeting)" hello
	is "unmount takes it away" "$(rootviewctl unmount web "$view" /tmp/elsewhere/inner 2>&1)" ""
	nok "of which nothing is left" mountpoint --quiet /tmp/elsewhere/inner
done
is "a relative path" "$(cd /tmp && rootviewctl mount web a elsewhere/inner)" /tmp/elsewhere/inner
failing "a symbolic link on the way" 1 'link/inner: .* a symbolic link is on the way' \
	mount web a "$(ln -s elsewhere /tmp/elsewhere-link; echo /tmp/elsewhere-link/inner)"
failing "a folder that is not there" 1 '/tmp/none: the view .* No such file' mount web a /tmp/none
failing "unmount where another view is" 1 \
	'/tmp/elsewhere/inner: view "points" cannot .*: something else is mounted' \
	unmount web points /tmp/elsewhere/inner
failing "unmount where nothing is" 1 'nothing is mounted there' unmount web a /tmp/other
failing "unmount of what others use" 1 "$shared: this mount is rootviewd's own" \
	unmount web s "$shared"
ok "which is still there" mountpoint --quiet "$shared"
rootviewctl create web short >/dev/null
rootviewctl mount web short /tmp/other >/dev/null
rootviewctl delete web short
is "a view that is deleted stays at its path" "$(cat /tmp/other/etc/greeting)" hello
umount /tmp/other
rootviewctl unmount web a /tmp/elsewhere/inner
failing "mount at no path" 2 'too few arguments for "mount"' mount web a
failing "mount of a device alone" 1 'view "u" of origin "web" is a device alone' mount web u /tmp/other
is "as JSON, mount is an object" "$(cd /tmp && in_json .path mount web a other)" /tmp/other
is "create is the view, wherever that is mounted" \
	"$(in_json .view.name create web json --path /tmp/elsewhere/inner)" json
is "unmount is empty" "$(in_json . unmount web json /tmp/elsewhere/inner)" "{}"
rootviewctl unmount web a /tmp/other

# Events.

rootviewctl monitor >/tmp/events &
monitor=$!
rootviewctl --json monitor >/tmp/events.json &
json_monitor=$!
eventually "monitor is ready" grep -q ready /tmp/events
eventually "as JSON, too" grep -q ready /tmp/events.json
rootviewctl create web event >/dev/null
rootviewctl delete web event
eventually "monitor has a line for each event, at once" \
	grep -qx "viewDeleted web event" /tmp/events
is "in order" "$(cat /tmp/events)" $'ready\nviewCreated web event\nviewDeleted web event'
eventually "as JSON" grep -q viewDeleted /tmp/events.json
is "each is an object on one line" \
	"$(jq -r '.type + " " + (.origin // "-") + " " + (.name // "-")' /tmp/events.json)" \
	$'ready - -\nviewCreated web event\nviewDeleted web event'
is "three lines" "$(wc -l </tmp/events.json)" 3
kill "$monitor" "$json_monitor"

# Running a command.

eventually "what was deleted is unmounted" trash_is_empty
before=$(sort /proc/self/mountinfo)
# shellcheck disable=SC2016 # for the shell that is run
for view in a s t; do
	is "exec with view $view" "$(rootviewctl exec web "$view" -- \
		sh -c 'cat "$ROOTVIEW_PATH/etc/greeting"; echo "$ROOTVIEW_PATH"')" $'hello\n/mnt'
done
ok "exec runs a program that is in a view" rootviewctl exec web t -- /mnt/bin/true
nok "and nobody else sees it" test -e /mnt/bin/true
is "the host's mount table is as it was" "$(sort /proc/self/mountinfo)" "$before"
# shellcheck disable=SC2016 # for the shell that is run
is "--at puts it elsewhere" "$(mkdir -p /tmp/at && cd /tmp &&
	rootviewctl --at at exec web t -- sh -c 'echo $ROOTVIEW_PATH; cat at/etc/greeting')" \
	$'/tmp/at\nhello'
is "the folder is as it was" "$(ls /tmp/at)" ""
rootviewctl exec web t -- sleep 1000 &
running=$!
eventually "while it runs" sh -c "grep -q ' /mnt ' /proc/$running/mountinfo"
is "the host's mount table is as it was" "$(sort /proc/self/mountinfo)" "$before"
kill -KILL "$running"
wait "$running" 2>/dev/null
is "also after it was killed" "$(sort /proc/self/mountinfo)" "$before"
rootviewctl exec web t -- sh -c 'exit 42'
is "the command's status is returned" "$?" 42
failing "no such command" 127 'rootviewctl: /none: No such file' exec web t -- /none
failing "what is no program" 126 'rootviewctl: /etc: Permission denied' exec web t -- /etc
umount --lazy "$shared"
is "a view that somebody else unmounted is mounted again" \
	"$(rootviewctl exec web t -- cat /mnt/etc/greeting)" hello
is "and no other time" "$(mounted | grep -c plain)" 1
failing "a view that is a device alone" 125 'view "u" of origin "web" is a device alone' \
	exec web u -- true
# shellcheck disable=SC2016 # for the shell that is run
failing "who writes to the view" 1 'Read-only file system' \
	exec web t sh -c 'exec touch "$ROOTVIEW_PATH/leak"'
rootviewctl create web leaving >/dev/null
mkfifo /tmp/go
rootviewctl exec web leaving sh -c 'echo in; read -r _; cat /mnt/etc/greeting' \
	</tmp/go >/tmp/inside &
running=$!
exec {go}>/tmp/go
eventually "a command runs" grep -q in /tmp/inside
rootviewctl delete web leaving
echo >&"$go"
exec {go}>&-
wait "$running"
is "whose view stays though it is deleted" "$(cat /tmp/inside)" $'in\nhello'
failing "a folder that is not there" 125 '/tmp/none: .*No such file' \
	exec --at /tmp/none web t -- true
failing "no such view" 125 'has no view "absent"' exec web absent -- true
failing "nothing to run" 125 'too few arguments for "exec"' exec web t
failing "exec as JSON" 125 '--json makes no sense with "exec"' --json exec web t -- true
failing "exec with an option that is none" 125 "unrecognized option '--none'" --none exec web t true
failing "exec without a daemon" 125 'no rootviewd serves this socket' --socket /none exec web t true
is "the command's options are its own" "$(rootviewctl exec web t ls --almost-all -1 /mnt/etc)" \
	greeting
is "those of exec come before it" "$(rootviewctl exec web t --at /srv cat /srv/etc/greeting)" hello
is "even one that it has, too" "$(rootviewctl exec web t echo --json --help)" "--json --help"

# The command line.

failing "an id map that is none" 2 '--id-map cannot be "0:x:5": it is INSIDE:OUTSIDE:COUNT' \
	create web x --id-map 0:x:5
failing "an id map of nobody" 2 '--id-map cannot be "0:1:0": it is of at least one id' \
	create web x --id-map 0:1:0
failing "a process that is none" 2 '--process cannot be "self": it is the id' \
	create web x --process self
failing "a relative mount point" 2 '--mount-point cannot be "x": it is a path .* begins with "/"' \
	create web x --mount-point x
failing "an empty label" 2 '--label cannot be "": it is empty' create web x --label ""
failing "a label that is no text" 2 'it is not UTF-8; see' \
	create web x --label $'\xff'
failing "an empty name" 2 'rootviewctl: a name or a value is empty' create web ""
failing "a name that is no text" 2 'rootviewctl: a name or a value is not UTF-8' \
	create web $'a\xff'
failing "a list that is none" 1 'rootviewctl: .*nonsense' create web x --list nonsense
for option in --device-only --path=/x --mount-point=/x --list=docker --id-map=0:0:1 \
	--userns=/x --cgroup=/x --process=1 --at=/x --label=x --views; do
	failing "$option where none belongs" 2 "${option%%=*} makes no sense with \"list\"" \
		list "$option"
done
help=$(rootviewctl --help)
for word in origin create delete list inspect mount unmount check stats monitor exec doctor \
	--label --device-only --path --mount-point --list --id-map --userns --cgroup --process --at --views \
	--json --socket; do
	like "--help has $word" "$help" "[[:blank:]]$word "
done
is "its lines are not too long" "$(awk 'length > 88' <<<"$help")" ""

# The doctor.

state_of()
{
	rootviewctl --json doctor | jq -r ".[] | select(.check == \"$1\") | .state"
}
doctor=$(rootviewctl doctor)
diag "$doctor"
is "doctor has a line for each check" "$(wc -l <<<"$doctor")" \
	"$(rootviewctl --json doctor | jq length)"
is "each has a state and a name" "$(grep -vE '^(ok|warning|problem) +[a-z-]+  +.' <<<"$doctor")" ""
is "without colours" "$(grep -c $'\033' <<<"$doctor")" 0
like "which are for a terminal" "$(in_terminal rootviewctl doctor)" $'\033\\[32mok '
for check in id-maps overlays module daemon thin-pools mounts origins one-device; do
	is "doctor is content with: $check" "$(state_of "$check")" ok
done
like "with the version of the module" "$(rootviewctl doctor)" \
	"dm-rootview $(rootviewctl --version | cut -d ' ' -f 2) is loaded"
rootviewctl --json doctor >/tmp/doctor.json
is "the status tells of problems" "$?" \
	"$(jq 'if any(.[]; .state == "problem") then 1 else 0 end' /tmp/doctor.json)"
rootviewctl --socket /none doctor >/tmp/doctor
is "without a daemon, the status is 1" "$?" 1
like "which is the problem" "$(cat /tmp/doctor)" \
	$'(^|\n)problem  daemon +/none: no rootviewd serves this socket: "systemctl'

# The guest has the rule until now.
is "doctor is content with the policy" "$(state_of entrypoint)" ok
cp /etc/selinux/default/without-rootview /etc/selinux/default/policy/policy.*
load_policy
is "doctor finds that the policy lacks a rule" "$(state_of entrypoint)" problem
like "and knows what helps" "$(rootviewctl doctor)" \
	'"semodule -i (/[^ ]*/share/rootview/selinux/rootview\.cil)"'
ok "which is installed" test -f "${BASH_REMATCH[1]}"
prefix=${BASH_REMATCH[1]%/share/*}

truncate --size=16M /tmp/meta.img
truncate --size=64M /tmp/data.img
meta=$(losetup --find --show /tmp/meta.img)
data=$(losetup --find --show /tmp/data.img)
# As LVM does, with a device between.
dmsetup create data --table "0 131072 linear $data 0"
dmsetup create pool --table "0 131072 thin-pool $meta /dev/mapper/data 128 0"
is "doctor finds a thin pool on a loop device" "$(state_of thin-pools)" warning
like "and names it" "$(rootviewctl doctor)" 'thin pool pool is on a loop device'
dmsetup remove pool
dmsetup remove data

mapfile -t many < <(seq -f 'm%g' 3001)
mkdir /tmp/mounts
mount -t tmpfs none /tmp/mounts
mkdir "${many[@]/#//tmp/mounts/}"
for folder in "${many[@]}"; do
	echo "none /tmp/mounts/$folder tmpfs"
done >/tmp/fstab
mount --all --fstab /tmp/fstab
is "doctor finds too many mounts" "$(state_of mounts)" warning
like "which are no problem" "$(rootviewctl doctor)" '30[0-9]+ mounts make every container slow'
umount --lazy /tmp/mounts

# Completion.

# completed LINE: what is offered at its end.
completed()
{
	COMP_LINE=$1 COMP_POINT=${#1} COMPREPLY=()
	_rootviewctl
	printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd ' '
}
ok "bash finds the completion" test -f "$prefix/share/bash-completion/completions/rootviewctl"
# shellcheck disable=SC1091 # as it is installed
. "$prefix/share/bash-completion/completions/rootviewctl"
like "it is registered" "$(complete -p rootviewctl)" '-F _rootviewctl rootviewctl'
is "it completes commands" "$(completed 'rootviewctl m')" "monitor mount"
is "of origin, too" "$(completed 'rootviewctl origin ')" "add list remove"
is "options" "$(completed 'rootviewctl create --m')" --mount-point
is "folders" "$(completed 'rootviewctl unmount web a /tmp/elsewh' | tr ' ' '\n' | head -n 1)" /tmp/elsewhere
is "only those of the command" "$(completed 'rootviewctl delete --')" "--json --socket"
is "origins" "$(completed 'rootviewctl --json delete w')" web
is "views" "$(completed 'rootviewctl inspect web s')" "s s2"
is "of a delete, several" "$(completed 'rootviewctl delete web a s')" "s s2"
is "behind options with values" "$(completed 'rootviewctl exec --at /mnt web poi')" points
is "with a colon" "$(rootviewctl create web x:y >/dev/null; completed 'rootviewctl inspect web x:')" y
is "by the socket that the line has" "$(completed 'rootviewctl --socket /none inspect web ')" ""
is "nothing where there is nothing" "$(completed 'rootviewctl doctor ')" ""
is "files for the command" "$(completed 'rootviewctl exec web t cat /etc/hostn')" /etc/hostname
# Where a sanitized one is in front of it, both would be found.
is "commands that exec runs" \
	"$(PATH=/usr/bin completed 'rootviewctl exec web t rootviewc')" rootviewctl
is "behind \"--\", too" \
	"$(PATH=/usr/bin completed 'rootviewctl exec web t -- rootviewc')" rootviewctl

# The end.

is "what was mounted at paths is taken away" \
	"$(rootviewctl unmount web p /tmp/there && rootviewctl unmount web r /tmp/relative)" ""
mapfile -t views < <(in_json '.views[].name' list web)
ok "all views are deleted" rootviewctl delete web "${views[@]}"
ok "and the origin" rootviewctl origin remove web
rmdir /sys/fs/cgroup/pod
nothing_left
done_testing
