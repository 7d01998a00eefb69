#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What a container may do with views, as SELinux and the mounts see it: read and
# run what is in its own, not look into another's, write nowhere.  And the three
# kinds of labels that an origin can have.
# variants: (debug)
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

context=system_u:object_r:container_file_t:s0
container=system_u:system_r:container_t:s0

# create ORIGIN VIEW [OPTION...]: its path is then in $path.
create()
{
	path=$(rootviewctl create "$@")
}

# contained CATEGORIES SCRIPT: a process of a container, whose output is then in
# $output.  SELinux lets it write to no pipe of ours.
contained()
{
	local status=0
	rm -f /tmp/output
	: >/tmp/output
	chcon "$context:$1" /tmp/output
	runcon "$container:$1" "$own/bin/sh" -c "$2" </dev/null >/tmp/output 2>&1 || status=$?
	output=$(cat /tmp/output)
	return "$status"
}

# can DESCRIPTION SCRIPT, cannot DESCRIPTION REGULAR_EXPRESSION SCRIPT: it
# succeeds, or fails and its output matches; in a container of categories c1,c2.
can()
{
	if contained c1,c2 "$2"; then
		pass "$1"
	else
		fail "$1" "script: $2" "output: $output"
	fi
}

cannot()
{
	if contained c1,c2 "$3"; then
		fail "$1" "succeeded: $3" "$output"
	else
		like "$1" "$output" "$2"
	fi
}

make_disk web 64
mkfs.ext4 -q "$disk"
image=$(mktemp -d)
mount "$disk" "$image"
(
	cd "$image"
	mkdir -p bin etc/conf tmp var/data
	cp /bin/busybox bin/
	ln -s busybox bin/sh
	echo hello >etc/greeting
	printf '#!/bin/true\n' >etc/script
	chmod 755 etc/script
	chmod 666 etc/greeting
	chmod 777 var/data
	chmod 1777 tmp
	mkfifo tmp/pipe
	mknod tmp/null c 1 3
	chmod 666 tmp/null
	chcon -R system_u:object_r:container_ro_file_t:s0 .
	chcon -R system_u:object_r:etc_t:s0 etc
	chcon system_u:object_r:shadow_t:s0 etc/greeting
)
umount "$image"
web=$disk
sum=$(sha256sum <"$web")

# Every way to write, from every place; each line is one that was not refused.
# The folders are of different owners and modes, and one is a mount point that
# the image lacks.
# shellcheck disable=SC2016 # for the container's shell
attempts='
	b=$view/bin/busybox
	try() { if "$@" 2>/dev/null; then echo "WRITTEN: $*"; else tried=$((tried + 1)); fi; }
	tried=0
	for folder in "$view" "$view/etc" "$view/etc/conf" "$view/tmp" "$view/var/data" \
		"$view/added"; do
		try $b touch "$folder/new"
		try $b mkdir "$folder/new"
		try $b mkfifo "$folder/new"
		try $b mknod "$folder/new" c 1 3
		try $b ln -s target "$folder/new"
		try $b ln "$view/etc/greeting" "$folder/new"
		try $b cp "$view/etc/greeting" "$folder/new"
		try $b chmod 777 "$folder"
		try $b chown 1:1 "$folder"
		try $b touch "$folder"
		try $b mv "$folder" "$folder.old"
		try $b rmdir "$folder"
		try $b chattr +i "$folder"
	done
	for file in "$view/etc/greeting" "$view/bin/busybox" "$view/added/file"; do
		try eval "echo x >>$file"
		try eval "echo x 1<>$file"
		try $b truncate -s 0 "$file"
		try $b chmod 777 "$file"
		try $b chown 1:1 "$file"
		try $b rm -f "$file"
		try $b mv "$file" "$file.old"
		try $b mv "$file" "$view/tmp/moved"
		try $b ln "$file" "$view/tmp/linked"
	done
	try eval "echo x >$view/tmp/null"
	try $b mount -o remount,rw "$view"
	try $b umount "$view"
	echo "tried $tried"'
# 6 folders in 13 ways, 3 files in 9, and three more.
all="tried 108"

start_daemon
is "SELinux is enforcing" "$(getenforce)" Enforcing
call AddOrigin "{\"name\":\"web\",\"device\":\"$web\"}" >/dev/null

# Two containers of different categories, and a view that all may read.

points='[{"path":"/added"},{"path":"/added/file","kind":"file"}]'
for view in own:c1,c2 others:c3,c4; do
	call CreateView "{\"origin\":\"web\",\"name\":\"${view%:*}\",\"mountPoints\":$points,
		\"label\":\"$context:${view#*:}\"}" >/dev/null
done
call CreateView "{\"origin\":\"web\",\"name\":\"shared\",\"mountPoints\":$points}" >/dev/null
own=$(path_of web/own)
others=$(path_of web/others)
shared=$(path_of web/shared)

can "a container runs a shell from its own view" 'read -r label </proc/self/attr/current ||
	[ -n "$label" ]; echo "$label"'
is "it is one of these categories" "$output" "$container:c1,c2"
can "it reads files" "$own/bin/busybox cat $own/etc/greeting"
is "as they are in the image" "$output" hello
can "it lists folders" "$own/bin/busybox ls -lR $own"
can "it runs programs" "$own/bin/busybox true"
can "it maps them" "$own/bin/busybox sha256sum $own/bin/busybox"
can "it sees what the image lacks" "$own/bin/busybox stat $own/added/file"
can "it reads a view that all share" "$own/bin/busybox cat $shared/etc/greeting"
can "and runs programs from that" "$shared/bin/busybox true"

denied='Permission denied'
cannot "it cannot read a file in a view of other categories" "$denied" \
	"$own/bin/busybox cat $others/etc/greeting"
cannot "nor a new one" "$denied" "$own/bin/busybox cat $others/added/file"
cannot "nor list a folder" "$denied" "$own/bin/busybox ls $others/etc"
cannot "nor its top" "$denied" "$own/bin/busybox ls $others"
cannot "nor run a program" "$denied" "$others/bin/busybox true"
cannot "nor enter it" "$denied|can't cd" "cd $others"
cannot "nor stat anything in it" "$denied" "$own/bin/busybox stat $others/etc/greeting"
cannot "nor through a link of its own file system" "$denied" \
	"$own/bin/busybox cat /proc/self/root$others/etc/greeting"
ok "a container of these categories can" runcon "$container:c3,c4" "$others/bin/busybox" \
	cat "$others/etc/greeting"
nok "which cannot run anything from the first" runcon "$container:c3,c4" "$own/bin/busybox" true

# Writing.

for view in own shared; do
	path=${!view}
	contained c1,c2 "view=$path; $attempts" || true
	is "of all that a container may try to write, nothing is: $view" "$output" "$all"
	is "nor if root tries who is in no container: $view" \
		"$(sh -c "view=$path; ${attempts/try \$b umount*/}echo \"tried \$tried\"")" "tried 107"
	is "the files are as they were: $view" "$(cat "$path/etc/greeting"; ls -A "$path")" \
		"$(printf '%s\n' hello added bin etc lost+found tmp var)"
done

# A process with a file open keeps it, whatever becomes of the view.

exec 3<"$own/etc/greeting"
rootviewctl delete web own
is "who has a file open may go on reading" "$(cat <&3)" hello
exec 3<&-
rootviewctl delete web others
rootviewctl delete web shared
rootviewctl origin remove web

# Labels as stored in the image.

origin=$(call AddOrigin "{\"name\":\"web\",\"device\":\"$web\",\"label\":\"native\"}")
is "an origin can keep the labels of the image" "$(jq -c '.origin | [.native, .label]' \
	<<<"$origin")" '[true,null]'
create web a
native=$path
labels()
{
	stat --format='%n %C' "$native/etc" "$native/etc/greeting" "$native/bin/busybox" |
		sed "s,^$native,,"
}
labels="/etc system_u:object_r:etc_t:s0
/etc/greeting system_u:object_r:shadow_t:s0
/bin/busybox system_u:object_r:container_ro_file_t:s0"
is "its views have these" "$(labels)" "$labels"
own=$native
can "a container runs what they allow" "$own/bin/busybox true"
cannot "and does not read what they forbid" "$denied" \
	"$own/bin/busybox cat $own/etc/greeting"
create web b --label "$context:c1,c2"
is "a view's own label still covers all" \
	"$(stat --format=%C "$path/etc" "$path/etc/greeting" | uniq)" "$context:c1,c2"
like "mount points can be added" "$(call CreateView '{"origin":"web","name":"c","mountPoints":[
	{"path":"/etc/conf/added"},{"path":"/etc/added","kind":"file"}]}')" '"path":'
path=$(path_of web/c)
is "they get the label of their folder" \
	"$(stat --format=%C "$path/etc/conf/added" "$path/etc/added" "$path/etc" | uniq)" \
	system_u:object_r:etc_t:s0
is "and all else has its own" \
	"$(stat --format=%C "$path/etc/greeting" "$path/bin/busybox" | paste -sd ' ')" \
	"system_u:object_r:shadow_t:s0 system_u:object_r:container_ro_file_t:s0"

native=$path
origins=$(call ListOrigins | jq -c '.origins[] | [.native, .label, .variants]')
kill_daemon KILL
start_daemon
is "a restart keeps that" \
	"$(call ListOrigins | jq -c '.origins[] | [.native, .label, .variants]')" "$origins"
rootviewctl delete web a
create web a
native=$path
is "also for views made later" "$(labels)" "$labels"
kill_daemon KILL
umount --lazy /run/rootview/origins/web/variants/*/mount /run/rootview/origins/web/plain
start_daemon
eventually "and for those whose mounts went meanwhile" is_mounted web/c
native=$(path_of web/c)
is "with the same labels" "$(labels)" "$labels"
for view in a b c; do
	rootviewctl delete web "$view"
done
rootviewctl origin remove web

# A label that is the origin's own.

origin=$(call AddOrigin "{\"name\":\"web\",\"device\":\"$web\",\"label\":\"$context:c9,c1\"}")
is "an origin can have another label" "$(jq -c '.origin | [.native, .label]' <<<"$origin")" \
	"[false,\"$context:c1,c9\"]"
create web a
is "its views have it" "$(stat --format=%C "$path/etc/greeting")" "$context:c1,c9"
create web b --label "$context:c1,c9"
is "a view that asks for it gets the plain one" "$path" "$(path_of web/a)"
create web c --label "$context:c2"
is "one that asks for another gets another" "$(stat --format=%C "$path/etc/greeting")" "$context:c2"
kill_daemon KILL
umount --lazy /run/rootview/origins/web/variants/*/mount /run/rootview/origins/web/plain
start_daemon
eventually "after a restart they are mounted" is_mounted web/c
eventually "all of them" is_mounted web/a
is "with these labels" \
	"$(stat --format=%C "$(path_of web/a)/etc/greeting" "$(path_of web/c)/etc/greeting")" \
	"$context:c1,c9
$context:c2"
for view in a b c; do
	rootviewctl delete web "$view"
done
rootviewctl origin remove web
for label in nonsense "$context:c4711" system_u:object_r:no_such_type_t:s0 ""; do
	refused_call "an origin cannot have the label \"$label\"" io.rootview.InvalidLabel '"label":' \
		AddOrigin "{\"name\":\"web\",\"device\":\"$web\",\"label\":\"$label\"}"
done
is "of these nothing is left" "$(dmsetup ls --target rootview)" "No devices found"
is "the image was never written" "$(sha256sum <"$web")" "$sum"

nothing_left
done_testing
