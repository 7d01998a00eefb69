# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the tests of the daemon share.  Sourced by daemon-*.t, behind tap.sh.

socket=/run/rootview/io.rootview
daemon=
status=
log=/tmp/rootviewd.log

modprobe loop
# Under the debugging kernel all takes ten times as long, a third of it to look after every
# allocation; those that the module makes for the daemon its own tests see to.
[ ! -e /sys/kernel/debug/kmemleak ] || echo off >/sys/kernel/debug/kmemleak

# few N: so many of something that takes long, or a tenth under the debugging kernel.
few()
{
	[[ $(uname -r) == *-debug ]] && echo $(($1 / 10)) || echo "$1"
}

# start_daemon [OPTION...]: returns when it answers.  What no view needs goes at
# once, unless an option says otherwise.
start_daemon()
{
	rootviewd --debug --grace 0 "$@" >>"$log" 2>&1 &
	daemon=$!
	local end=$((SECONDS + ${patience:?}))
	while ((SECONDS <= end)); do
		! rootviewctl list >/dev/null 2>&1 || return 0
		kill -0 "$daemon" 2>/dev/null || break
		sleep 0.1
	done
	diag "rootviewd does not answer: $(tail -n 5 "$log")"
	exit 1
}

# kill_daemon SIGNAL: its exit status is then in $status.
kill_daemon()
{
	status=0
	kill -s "$1" "$daemon"
	wait "$daemon" 2>/dev/null || status=$?
}

# make_disk NAME MIB: a blank block device, whose path is then in $disk.
make_disk()
{
	truncate --size="$2M" "/tmp/$1.img"
	disk=$(losetup --find --show "/tmp/$1.img")
}

# fill_disk DEVICE: puts some files on its file system.
fill_disk()
{
	local mount
	mount=$(mktemp -d)
	mount "$1" "$mount"
	mkdir "$mount/etc" "$mount/bin"
	echo hello >"$mount/etc/greeting"
	cp /bin/true "$mount/bin/"
	head -c 4M /dev/urandom >"$mount/big"
	umount "$mount"
	rmdir "$mount"
}

# make_image NAME: a disk with an ext4 and files on it, whose path is in $disk.
make_image()
{
	make_disk "$1" 64
	mkfs.ext4 -q "$disk"
	fill_disk "$disk"
}

# call METHOD [PARAMETERS]: the answer as JSON, or the error's name and
# parameters.  It is another client than ours that asks.
call()
{
	varlinkctl call --json=short "$socket" "io.rootview.$1" "${2:-{\}}" 2>&1
}

# create_with VIEW MORE, of the origin web; MORE is JSON: further parameters.  Its
# path is then in $path.
create_with()
{
	local answer
	answer=$(call CreateView "{\"origin\":\"web\",\"name\":\"$1\",$2}") ||
		diag "view $1: $answer"
	# shellcheck disable=SC2034 # for whoever calls this
	path=$(jq -r .view.path <<<"$answer")
}

# refused_call DESCRIPTION ERROR REGULAR_EXPRESSION METHOD PARAMETERS: the call
# fails with that error, and all that comes with it matches.
refused_call()
{
	local description=$1 error=$2 expression=$3 output
	shift 3
	if output=$(call "$@"); then
		fail "$description" "succeeded: $output"
	elif [[ $output != *"failed: $error"* ]]; then
		fail "$description" "wanted: $error" "got: $output"
	else
		like "$description" "$output" "$expression"
	fi
}

# mounted: every path below the runtime folder on which something is mounted.
mounted()
{
	awk '$5 ~ "^/run/rootview/" { print $5 }' /proc/self/mountinfo | sort
}

# no_mount_in FOLDER: of the runtime folder.
no_mount_in()
{
	! mounted | grep -q "^/run/rootview/$1"
}

# sectors_read DEVICE: sectors read from it so far.
sectors_read()
{
	local number
	number=$(stat --dereference --format='%Hr:%Lr' "$1")
	awk '{ print $3 }' "/sys/dev/block/$number/stat"
}

# eventually DESCRIPTION COMMAND...: the command succeeds before patience ends.
eventually()
{
	local description=$1 end=$((SECONDS + ${patience:?}))
	shift
	until "$@" >/dev/null 2>&1; do
		if ((SECONDS > end)); then
			fail "$description" "never succeeded: $*"
			return
		fi
		sleep 0.1
	done
	pass "$description"
}

# path_of ORIGIN/VIEW: where it is mounted; nothing if it is not.
path_of()
{
	call ListViews "{\"origin\":\"${1%%/*}\",\"name\":\"${1#*/}\"}" | jq -r '.views[].path // empty'
}

# mounted_views: what all views are, and whether they are mounted, wherever that is.
mounted_views()
{
	call ListViews | jq -c '.views[] | [(.path != null), del(.path)]'
}

is_mounted()
{
	local path
	path=$(path_of "$1" 2>/dev/null) && mountpoint --quiet "$path"
}

nothing_is_mounted()
{
	[ -z "$(mounted)" ]
}

# What was unmounted stays there for a moment, and its folder a little longer.
trash_is_empty()
{
	[ -z "$(ls /run/rootview/trash)" ]
}

# jobs_run N: the daemon works on so many requests.
jobs_run()
{
	[ "$(pgrep --count --parent "$daemon")" -ge "$1" ]
}

# nothing_left: the daemon, with no origins left, leaves nothing behind.
nothing_left()
{
	eventually "with no origin left, nothing is mounted" nothing_is_mounted
	eventually "nor is anything in the trash" trash_is_empty
	is "and the runtime folder has only the socket and empty folders" \
		"$(cd /run/rootview && find . -mindepth 1 | sort | paste -sd ' ')" \
		"./added ./io.rootview ./lock ./origins ./trash"
	kill_daemon TERM
	is "SIGTERM ends the daemon with status 0" "$status" 0
	is "of which no mount is left" "$(grep rootview /proc/self/mountinfo)" ""
	is "and no file" "$(find /run/rootview -mindepth 1)" ""
	is "and no device" "$(dmsetup ls --target rootview)" "No devices found"
}
