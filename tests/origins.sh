# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the module's tests share: origins on the scratch disk, the status line, the kernel log.

# slice NAME START SIZE: a linear device over a part of the scratch disk, both in MiB.
slice() {
	dmsetup create "$1" --table "0 $(($3 * 2048)) linear $ROOTVIEW_SCRATCH $(($2 * 2048))"
}

# exchange DEVICE TABLE: another table for it, whatever waits in it fails.
exchange() {
	dmsetup reload "$1" --table "$2"
	dmsetup suspend --noflush --nolockfs "$1"
	dmsetup resume "$1"
}

# events_of DEVICE: how many dm events it has raised.
events_of() {
	dmsetup info -c --noheadings -o events "$1"
}

# status_field DEVICE FIELD: one number of the target's status line.
status_field() {
	local fields=(version generation views created deleted reads read_sectors refused errors)
	local values i

	read -ra values < <(dmsetup status "$1")
	for i in "${!fields[@]}"; do
		# The first three words are device-mapper's own.
		[ "${fields[i]}" != "$2" ] || echo "${values[i + 3]}"
	done
}

# many_views DEVICE N [PREFIX]: creates N views, by netlink.
many_views() {
	rvnl many "$1" "${3:-many}" "$2" > /dev/null
}

# refused_with DESCRIPTION REGEX COMMAND...: the command fails, and what it says matches.
refused_with() {
	local description=$1 regex=$2 output
	shift 2
	if output=$("$@" 2>&1); then
		fail "$description" "succeeded: $*" "$output"
	else
		like "$description" "$output" "$regex"
	fi
}

# mark_log, then logged DESCRIPTION REGEX: what the kernel has said since.
mark_log() {
	log_mark="mark $RANDOM$RANDOM"
	echo "$log_mark" > /dev/kmsg
}

logged() {
	like "$1" "$(dmesg | sed "1,/$log_mark/d")" "$2"
}

# gone DESCRIPTION DEVICE: there is no such device-mapper device.
gone() {
	is "$1" "$(dmsetup ls | grep -c "^$2[[:space:]]")" 0
}

# gone_now DEVICE, eventually COMMAND...: wait for what happens in the background, 10 s at most.
gone_now() {
	! dmsetup info "$1" > /dev/null 2>&1
}

# listen N, then heard: the next N events of the module end up in $events_heard.
listen() {
	listen_file=$(mktemp)
	rvnl monitor "$1" > "$listen_file" &
	listen_pid=$!
	eventually grep -q listening "$listen_file"
}

heard() {
	# shellcheck disable=SC2034 # the caller looks at it
	if eventually listener_ended; then
		events_heard=$(sed 1d "$listen_file")
	else
		kill "$listen_pid"
		events_heard="(timed out) $(sed 1d "$listen_file")"
	fi
	rm -f "$listen_file"
}

listener_ended() {
	! kill -0 "$listen_pid" 2> /dev/null
}
