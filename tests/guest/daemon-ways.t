#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The ways to get a view: attached at a default or a given path, shared,
# detached, unmounted; what each costs the host's mount table, and from each to
# each other.
# variants: (debug)
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

context=system_u:object_r:container_file_t:s0

# create VIEW [MORE], of the origin web; MORE is JSON: further parameters.
create()
{
	call CreateView "{\"origin\":\"web\",\"name\":\"$1\"${2:+,$2}}"
}

# mount_view VIEW [MORE]
mount_view()
{
	call MountView "{\"origin\":\"web\",\"name\":\"$1\"${2:+,$2}}"
}

unmount_view()
{
	call UnmountView "{\"origin\":\"web\",\"name\":\"$1\"}"
}

delete()
{
	call DeleteView "{\"origin\":\"web\",\"name\":\"$1\"}" >/dev/null
}

# What a view's answer says of where it is.
where()
{
	jq -r '[.view.mount, .view.path // "-", .descriptor // "-"] | join(" ")'
}

# What is mounted where views are.
view_mounts()
{
	awk '$5 ~ "^/run/rootview/views/|^/tmp/" { print $5 }' /proc/self/mountinfo
}

# more_mounts: how many mounts the host has more than at first.
more_mounts()
{
	echo $(($(wc -l </proc/self/mountinfo) - mounts))
}

has_more_mounts()
{
	[ "$(more_mounts)" = "$1" ]
}

make_image web
start_daemon
call AddOrigin "{\"name\":\"web\",\"device\":\"$disk\"}" >/dev/null
plain=/run/rootview/origins/web/plain
mkdir /tmp/given
mounts=$(wc -l </proc/self/mountinfo)

# Each way.

is "a view is attached at the default path" "$(create a | where)" \
	"attached /run/rootview/views/web/a -"
is "which is one mount more" "$(more_mounts)" 1
is "another at a given path" "$(create g '"path":"/tmp/given"' | where)" "attached /tmp/given -"
is "it is there" "$(cat /tmp/given/etc/greeting)" hello
nok "and not at the default path" test -e /run/rootview/views/web/g
is "that is one more" "$(more_mounts)" 2
is "one is shared" "$(create s '"mount":"shared"' | where)" "shared $plain -"
is "so is the next, at the same path" "$(create s2 '"mount":"shared"' | where)" "shared $plain -"
is "the files are there" "$(cat "$plain/etc/greeting")" hello
is "one is detached, and comes as a descriptor" "$(create d '"mount":"detached"' | where)" \
	"detached - 0"
is "one is not mounted" "$(create u '"mount":"unmounted"' | where)" "unmounted - -"
is "none of these is in the mount table" "$(more_mounts)" 2
is "the kernel has all of them" "$(dmsetup message web 0 view_list | wc -l)" 6
device=$(call ListViews | jq -r '.views[] | select(.name == "u").device')
is "the unmounted one has a device, with the image" \
	"$(head -c 1M "$device" | sha256sum)" "$(head -c 1M "$disk" | sha256sum)"
is "one with a label is shared with its kind only" \
	"$(create l '"mount":"shared","label":"'$context:c1'"' | where)" \
	"shared /run/rootview/origins/web/variants/1/mount -"
is "and has it" "$(stat --format=%C /run/rootview/origins/web/variants/1/mount/big)" "$context:c1"
is "the mount is that of its variant" "$(more_mounts)" 3
delete l
eventually "which goes with it" has_more_mounts 2
for view in s s2 d u; do
	delete "$view"
done
is "these left the mount table alone to the end" "$(more_mounts)" 2
delete g
eventually "the one at the given path is unmounted" has_more_mounts 1
is "its folder, which is not the daemon's, stays" "$(find /tmp/given)" /tmp/given

# From each to each other.

ways=(
	'"mount":"attached"|attached /run/rootview/views/web/a -|1'
	'"mount":"attached","path":"/tmp/given"|attached /tmp/given -|1'
	"\"mount\":\"shared\"|shared $plain -|0"
	'"mount":"detached"|detached - 0|0'
	'"mount":"unmounted"|unmounted - -|0'
)

# change_to WAY: as MountView answers; with ListViews, the mount table and the
# paths of the other ways.
change_to()
{
	local request wanted more
	IFS='|' read -r request wanted more <<<"$1"
	is "to $request" "$(mount_view a "$request" | where)" "$wanted"
	is "  as the list says" "$(call ListViews | jq '{view: .views[0]}' | where)" \
		"${wanted% *} -"
	eventually "  with $more mounts of its own" has_more_mounts "$more"
	is "  in the right place" "$(view_mounts)" \
		"$([ "$more" = 0 ] || cut -d ' ' -f 2 <<<"$wanted")"
}

# A walk along all of the twenty ways from one to another, once.
for to in 1 0 2 0 3 0 4 1 2 1 3 1 4 2 3 2 4 3 4 0; do
	change_to "${ways[to]}"
done

mount_view a '"mount":"attached","path":"/tmp/given"' >/dev/null
is "UnmountView" "$(unmount_view a | where)" "unmounted - -"
eventually "takes the mount away" has_more_mounts 0
is "again is no error" "$(unmount_view a | where)" "unmounted - -"
is "the kernel still has the view" "$(dmsetup message web 0 view_list | cut -d ' ' -f 2)" a
is "MountView without a way: as it was created" "$(mount_view a | where)" \
	"attached /run/rootview/views/web/a -"
create g '"path":"/tmp/given"' >/dev/null
unmount_view g >/dev/null
is "also with a path" "$(mount_view g | where)" "attached /tmp/given -"
exec 3</tmp/given/big
unmount_view g >/dev/null
is "who has a file open may go on reading" "$(head -c 4M <&3 | wc -c)" 4194304
exec 3<&-
mount_view g >/dev/null

# Paths that will not do.

mkdir -p /tmp/paths/{empty,real/empty,full/folder}
touch /tmp/paths/file
ln -s real /tmp/paths/link
ln -s empty /tmp/paths/last
eventually "two views are left" has_more_mounts 2
views=$(call ListViews)
# The mount table without the mounts' numbers.
mount_table()
{
	cut -d ' ' -f 3- /proc/self/mountinfo | sort
}
table=$(mount_table)

# bad_path DESCRIPTION PATH SENTENCE: for a new view, and for one that is there.
bad_path()
{
	local path=/tmp/paths/$2
	[[ $2 != [.=]* ]] || path=${2#=}
	refused_call "$1 is no path for a new view" io.rootview.InvalidPath "$3" \
		CreateView "{\"origin\":\"web\",\"name\":\"bad\",\"path\":\"$path\"}"
	refused_call "nor for one that is there" io.rootview.InvalidPath "$3" MountView \
		"{\"origin\":\"web\",\"name\":\"a\",\"mount\":\"attached\",\"path\":\"$path\"}"
	is "which is as it was, and nothing else is there" "$(call ListViews)" "$views"
}

bad_path "one with .." "full/../empty" 'holds'
bad_path "a relative one" "=paths/empty" 'not absolute'
bad_path "an empty one" "=" 'not absolute'
bad_path "the root folder" "=/" '"path"'
bad_path "one through a symbolic link" link/empty 'symbolic link'
bad_path "a symbolic link" last 'symbolic link'
bad_path "a file" file 'Not a directory'
bad_path "a folder with something in it" full 'not empty'
bad_path "one that is not there" missing 'No such file'
bad_path "a very long one" "$(printf 'x%.0s' {1..4096})" '4095'
bad_path "another view" "=/tmp/given" 'not empty'
refused_call "a path for a way without one" io.rootview.InvalidRequest '"parameter":"path"' \
	CreateView '{"origin":"web","name":"bad","mount":"shared","path":"/tmp/paths/empty"}'
refused_call "a way that is none" org.varlink.service.InvalidParameter '"parameter":"mount"' \
	CreateView '{"origin":"web","name":"bad","mount":"sideways"}'
is "the kernel has no other view" "$(dmsetup message web 0 view_list | wc -l)" 2
is "there is one note" "$(find /run/rootview/mounts -type l | wc -l)" 1

same_table()
{
	[ "$(mount_table)" = "$table" ]
}
eventually "the mount table is as before" same_table

# A restart keeps all of it.

mkdir /tmp/other
create s '"mount":"shared"' >/dev/null
create d '"mount":"detached"' >/dev/null
create u '"mount":"unmounted"' >/dev/null
create to-path >/dev/null
mount_view to-path '"mount":"attached","path":"/tmp/other"' >/dev/null
create to-shared '"path":"/tmp/paths/empty"' >/dev/null
mount_view to-shared '"mount":"shared"' >/dev/null
create to-none >/dev/null
unmount_view to-none >/dev/null
create to-default '"mount":"detached"' >/dev/null
mount_view to-default '"mount":"attached"' >/dev/null
eventually "all views are where they shall be" has_more_mounts 4
views=$(call ListViews)
table=$(sort /proc/self/mountinfo)
kill_daemon KILL
start_daemon
is "after SIGKILL each view is given out as before" "$(call ListViews)" "$views"
is "and no mount was made again" "$(sort /proc/self/mountinfo)" "$table"
is "the detached one comes again" "$(mount_view d | where)" "detached - 0"
is "the way of creation is not forgotten" "$(mount_view to-none | where)" \
	"attached /run/rootview/views/web/to-none -"
unmount_view to-none >/dev/null
kill_daemon KILL
umount /tmp/given /tmp/other /run/rootview/views/web/to-default
start_daemon
is "what was unmounted meanwhile is mounted again" \
	"$(cat {/tmp/given,/tmp/other,/run/rootview/views/web/to-default}/etc/greeting | uniq -c)" \
	"      3 hello"
is "and nothing else" "$(more_mounts)" 4
is "as the list says" "$(call ListViews)" "$views"

kill_daemon KILL
umount /tmp/other
touch /tmp/other/file
start_daemon
nok "a path that was filled meanwhile is not mounted on" mountpoint --quiet /tmp/other
is "the kernel has that view" "$(dmsetup message web 0 view_list | grep -c ' to-path ')" 1
kill_daemon KILL
rm /tmp/other/file
start_daemon
is "and what MountView made of it is not forgotten" "$(cat /tmp/other/etc/greeting)" hello
is "nor of any other" "$(call ListViews)" "$views"

kill_daemon KILL
dmsetup message web 0 view_delete g
dmsetup message web 0 view_delete to-path
dmsetup message web 0 view_delete to-shared
start_daemon
nok "a view at a given path, deleted while there was no daemon, is unmounted" \
	mountpoint --quiet /tmp/given
nok "also where MountView put it" mountpoint --quiet /tmp/other
is "their folders stay" "$(ls -d /tmp/given /tmp/other)" $'/tmp/given\n/tmp/other'
eventually "no mount of them is left" has_more_mounts 2
is "and no note" "$(find /run/rootview/mounts -type l -printf '%l\n' |
	grep -e given -e other -e shared || true)" ""

for view in a s d u to-none to-default; do
	delete "$view"
done
eventually "all views are gone" has_more_mounts 0

# The grace period.

variant_mount()
{
	awk '$5 ~ "/variants/[0-9]+/mount$" { print $1, $3 }' /proc/self/mountinfo
}

variant_is_gone()
{
	[ -z "$(variant_mount)" ]
}

kill_daemon TERM
start_daemon --grace 4
create l "\"label\":\"$context:c1,c2\"" >/dev/null
variant=$(variant_mount)
is "a label is one mount" "$(wc -l <<<"$variant")" 1
delete l
sleep 1
is "with a grace period it outlives its last view" "$(variant_mount)" "$variant"
path=$(create l2 "\"label\":\"$context:c1,c2\"" | jq -r .view.path)
is "the next view of that label is made of it" "$(variant_mount)" "$variant"
is "and has its device" "$(stat --format=%Hd:%Ld "$path")" "${variant#* }"
sleep 5
is "a view in use ends the grace period" "$(variant_mount)" "$variant"
delete l2
SECONDS=0
eventually "after its last view it goes" variant_is_gone
ok "but not at once" test "$SECONDS" -ge 3

call RemoveOrigin '{"name":"web"}' >/dev/null
nothing_left
done_testing
