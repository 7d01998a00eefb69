#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What was given out outlives everything but its users: a container goes on to run from a view
# with a label, with mount points that the image lacks, with an id map, and with all three, when
# the view is deleted, the origin is to be removed, what the kernel caches is dropped, and the
# daemon is killed and started again.
# variants: (debug)
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

label='"label":"system_u:object_r:container_file_t:s0:c1,c2"'
points='"mountPoints":[{"path":"/added"},{"path":"/etc/added/file","kind":"file"}]'
map='"idMap":{"uid":[{"inside":0,"outside":100000,"count":65536}],
	"gid":[{"inside":0,"outside":100000,"count":65536}]}'

make_image web
mount "$disk" /mnt
mkdir /mnt/tmp
cp /bin/busybox /mnt/bin/
ln -s busybox /mnt/bin/sleep
umount /mnt
start_daemon
call AddOrigin "{\"name\":\"web\",\"device\":\"$disk\"}" >/dev/null

# start_container VIEW: with its root on the view at $path, in a mount namespace of its own.
declare -A containers
start_container()
{
	unshare --mount --propagation private sh -c \
		"mount --bind '$path' /mnt && exec chroot /mnt /bin/sleep 10000" </dev/null >/dev/null 2>&1 &
	containers[$1]=$!
}

# within VIEW COMMAND...: a new program in the container.
within()
{
	local container=${containers[$1]}
	shift
	nsenter --target "$container" --mount --root --wd=/ -- /bin/busybox "$@"
}

runs()
{
	grep -q '^/bin/sleep' "/proc/${containers[$1]}/cmdline"
}

# whole VIEW WHEN: the container lists its root, starts programs, reads, and mounts.
whole()
{
	local root="bin big etc lost+found tmp"

	case $1 in
	points | all) root="added $root" ;;
	esac
	is "$1: lists its root $2" "$(within "$1" ls / | sort | paste -sd' ')" \
		"$(tr ' ' '\n' <<<"$root" | sort | paste -sd' ')"
	is "$1: starts programs and reads $2" "$(within "$1" cat /etc/greeting)" hello
	case $1 in
	points | all)
		ok "$1: mounts where the image has nothing $2" within "$1" mount -t tmpfs tmpfs /added
		ok "$1: ... and on a file $2" within "$1" mount --bind /etc/greeting /etc/added/file
		;;
	esac
}

all_whole()
{
	for view in label points map all; do
		whole "$view" "$1"
	done
}

create_with label "$label"
start_container label
create_with points "$points"
start_container points
create_with map "$map"
start_container map
create_with all "$label,$points,$map"
start_container all
for view in label points map all; do
	eventually "$view: a container runs from it" runs "$view"
done
all_whole "at first"
is "the id map is in force" "$(within all stat -c %u /etc/added /bin | paste -sd' ')" \
	"100000 100000"
like "and the label" "$(stat --format=%C "/proc/${containers[all]}/root/bin")" \
	"container_file_t:s0:c1,c2"

is "what the overlays are made of is nowhere in the mount table" \
	"$(mounted | grep -c '/skeleton' || true)" 0

for view in label points map all; do
	call DeleteView "{\"origin\":\"web\",\"name\":\"$view\"}" >/dev/null
done
eventually "without views their variants go" no_mount_in origins/web/variants
echo 3 >/proc/sys/vm/drop_caches
all_whole "when its view was deleted"

refused_call "an origin that containers run from is not removed" io.rootview.OriginBusy "" \
	RemoveOrigin '{"name":"web"}'
echo 3 >/proc/sys/vm/drop_caches
all_whole "when its origin was to be removed"
is "and the origin has changed nothing" \
	"$(call ListOrigins | jq -r '.origins[] | "\(.name) \(.fileSystem)"')" "web ext4"

kill_daemon KILL
start_daemon
echo 3 >/proc/sys/vm/drop_caches
all_whole "when the daemon was killed and started"
kill_daemon TERM
all_whole "when it was ended"
start_daemon

for view in label points map all; do
	kill "${containers[$view]}"
	wait "${containers[$view]}" 2>/dev/null || true
done
gone_when_removed()
{
	call RemoveOrigin '{"name":"web"}'
}
eventually "the origin can be removed when the last of them has ended" gone_when_removed
is "and then its device is gone" "$(dmsetup ls | grep -c web || true)" 0
kill_daemon TERM
done_testing
