#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Mount points that an image lacks: the case that stopped the shared root file
# systems of 2016.  They are there for who asked for them and for nobody else,
# the image is not written, and its pages stay shared.
# variants: (debug)
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

context=system_u:object_r:container_file_t:s0

delete()
{
	local view
	for view; do
		rootviewctl delete web "$view"
	done
}

# What CheckMountPoints says is missing, in short.
missing()
{
	call CheckMountPoints "{\"origin\":\"web\",$1}" |
		jq -r '[.missing[] | .kind[:1] + " " + .path + (.target // "" | sub("^(?=.)"; "->"))]
			| join(", ")'
}

# All that a folder has and how it is, but neither labels nor sizes of folders.
listing()
{
	(
		cd "$1"
		find . -mindepth 1 -printf '%p %y%m %U:%G %l %T@ ' \
			\( -type f -printf '%s\n' -o -printf '\n' \)
		getfattr --dump --recursive --physical --match='^(user|trusted\.test)' . 2>/dev/null |
			paste -sd ' ' | sed 's/  /\n/g'
	) | sort
}

# What a view has more than the plain one, without times; "<" is what it lacks.
added()
{
	diff <(listing "$plain") <(listing "$1") | sed -n 's/^>/+/p; s/^</-/p' |
		awk '{ print $1, $2, $3, $4 }'
}

# Overlays that variants are.
overlays()
{
	awk '$5 ~ "/variants/[0-9]+/mount$" && / - overlay / { print $1 }' /proc/self/mountinfo |
		sort
}

# An image with all kinds of things in the way, and a shell.
make_disk web 64
mkfs.ext4 -q "$disk"
image=$(mktemp -d)
mount "$disk" "$image"
(
	cd "$image"
	mkdir -p bin lib64 etc/app srv/real/keep odd tmp
	cp /bin/busybox bin/
	for name in sh ls cat sleep; do
		ln -s busybox "bin/$name"
	done
	echo hello >etc/greeting
	head -c 4M /dev/urandom >big
	echo 127.0.0.1 >etc/hosts
	ln -s ../run/x/stub.conf etc/resolv.conf
	ln -s /srv/real absolute
	ln -s srv/real relative
	ln -s ../../../../../srv upwards
	ln -s loop loop
	echo kept >srv/real/keep/file
	chown 5:7 odd etc/app
	chmod 2751 odd
	chmod 1777 tmp
	setfattr -n user.colour -v blue odd
	setfattr -n trusted.test -v x etc/app
	touch -d '2001-02-03 04:05:06.789' odd etc/app etc srv srv/real .
)
umount "$image"
sum=$(sha256sum <"$disk")

start_daemon
call AddOrigin "{\"name\":\"web\",\"device\":\"$disk\"}" >/dev/null
plain=$(rootviewctl create web plain)

# The case of 2016: one container with a volume on a directory that the image
# lacks, and another one without.

# run NAME VIEW MOUNTS SCRIPT: a container that goes on running.
run()
{
	local bundle=/tmp/bundles/$1 categories=$5
	mkdir -p "$bundle"
	crun spec --bundle "$bundle"
	jq --arg root "$2" --argjson mounts "$3" --arg script "$4; echo ended; sleep 1000" \
		--arg label "system_u:system_r:container_t:s0:$categories" \
		--arg files "$context:$categories" '
		.root = { path: $root, readonly: true } |
		.process.terminal = false |
		.process.args = [ "/bin/sh", "-c", $script ] |
		.process.selinuxLabel = $label | .linux.mountLabel = $files |
		.mounts += $mounts' "$bundle/config.json" >"$bundle/new"
	mv "$bundle/new" "$bundle/config.json"
	: >"$bundle/output"
	chcon "$context:$categories" "$bundle/output"
	crun --cgroup-manager=cgroupfs run --detach --bundle "$bundle" "$1" \
		</dev/null >"$bundle/output" 2>&1 || diag "$(cat "$bundle/output")"
}

has_ended()
{
	grep -q '^ended$' "/tmp/bundles/$1/output"
}

mkdir -p /tmp/volume
echo "from the volume" >/tmp/volume/file
echo "from the host" >/tmp/config
chcon -R "$context:c1,c2" /tmp/volume /tmp/config
create_with one '"lists":["podman"],"mountPoints":[{"path":"/data/volume"},
	{"path":"/etc/app/config","kind":"file"}]'
one=$path
create_with two '"lists":["podman"]'
two=$path
# shellcheck disable=SC2016 # for the container's shell
script='cat /data/volume/file /etc/app/config; echo back >/data/volume/answer;
	ls -d /data /etc/app/*; cat /etc/greeting;
	read -r label </proc/self/attr/current || [ -n "$label" ]; echo "$label"'
run one "$one" '[
	{"destination":"/data/volume","type":"bind","source":"/tmp/volume","options":["rbind","rw"]},
	{"destination":"/etc/app/config","type":"bind","source":"/tmp/config",
		"options":["bind","ro"]}]' "$script" c1,c2
run two "$two" '[]' "$script" c3,c4
eventually "a container runs with a volume where the image has no directory" has_ended one
eventually "at the same time as one without" has_ended two
is "the first sees its volume" "$(cat /tmp/bundles/one/output)" \
	"from the volume
from the host
/data
/etc/app/config
hello
system_u:system_r:container_t:s0:c1,c2
ended"
is "and writes to it" "$(cat /tmp/volume/answer)" back
nok "the other one has no such directory" grep -e '^/data$' -e config$ -e volume$ \
	/tmp/bundles/two/output
like "and complains of that alone" "$(cat /tmp/bundles/two/output)" \
	"can't open '/data/volume/file'.*hello.*c3,c4"
nok "nor has the plain view" test -e "$plain/data"
for name in one two; do
	is "container $name still runs" "$(crun state "$name" | jq -r .status)" running
	crun delete --force "$name"
done
delete one two
overlays_are()
{
	[ "$(overlays | wc -l)" = "$1" ]
}
eventually "with their views, what they were made of goes" overlays_are 0

# What is missing, without making anything.

eventually "and no trash is left" trash_is_empty
table=$(cat /proc/self/mountinfo)
folders=$(find /run/rootview/origins/web -xdev)
is "CheckMountPoints: what the image has is not missing" \
	"$(missing '"mountPoints":[{"path":"/srv/real/keep"},{"path":"/etc/hosts","kind":"file"}]')" ""
points='"mountPoints":[{"path":"/data/volume"},{"path":"/etc/app/config","kind":"file"},
	{"path":"/odd/deep/er"},{"path":"/srv/real/keep"},{"path":"/absolute/x"},
	{"path":"/relative/y"},{"path":"/upwards/z"},{"path":"/tmp/in"},
	{"path":"/etc/resolv.conf","kind":"file"},{"path":"/etc/greeting","kind":"file"},
	{"path":"/etc/mtab","kind":"link","target":"/proc/mounts"}]'
is "it follows symbolic links inside the image" "$(missing "$points")" \
	"d /data/volume, f /etc/app/config, l /etc/mtab->/proc/mounts, d /odd/deep/er, f /run/x/stub.conf, d /srv/real/x, d /srv/real/y, d /srv/z, d /tmp/in"
is "it knows what docker mounts" "$(missing '"lists":["docker"]')" \
	"f /.dockerenv, d /dev, f /dev/console, d /dev/mqueue, d /dev/pts, d /dev/shm, f /etc/hostname, l /etc/mtab->/proc/mounts, d /proc, f /run/x/stub.conf, d /sys, d /sys/fs/cgroup"
like "and podman" "$(missing '"lists":["podman"]')" "f /run/.containerenv, d /run/secrets"
like "and kubernetes" "$(missing '"lists":["kubernetes"]')" \
	"d /var/run/secrets/kubernetes.io/serviceaccount"
is "all of that made no mount" "$(cat /proc/self/mountinfo)" "$table"
is "no folder" "$(find /run/rootview/origins/web -xdev)" "$folders"
is "and no variant" "$(call ListOrigins | jq '.origins[0].variants')" 1

# What is added, and that nothing else changes.

create_with p "$points"
p=$path
is "a view has what was missing, and all else as it was: owners, modes, times, xattrs, contents" \
	"$(added "$p")" "+ ./data d755 0:0
+ ./data/volume d755 0:0
+ ./etc/app/config f644 0:0
+ ./etc/mtab l777 0:0
+ ./odd/deep d755 0:0
+ ./odd/deep/er d755 0:0
+ ./run d755 0:0
+ ./run/x d755 0:0
+ ./run/x/stub.conf f644 0:0
+ ./srv/real/x d755 0:0
+ ./srv/real/y d755 0:0
+ ./srv/z d755 0:0
+ ./tmp/in d755 0:0"
# That the listing would tell.
is "a directory on the way, for one" "$(stat --format='%a %u:%g %Y' "$p/odd"; getfattr \
	--only-values -n user.colour "$p/odd")" $'2751 5:7 981173106\nblue'
is "and one deeper down" "$(getfattr --only-values --absolute-names -n trusted.test "$p/etc/app")" x
is "and the top folder" "$(stat --format='%a %u:%g %y' "$p")" "$(stat --format='%a %u:%g %y' "$plain")"
is "new files are empty" "$(stat --format=%s "$p/etc/app/config" "$p/run/x/stub.conf")" $'0\n0'
is "the link leads where it shall" "$(readlink "$p/etc/mtab")" /proc/mounts
is "what hides behind an absolute link is inside" "$(cat "$p/srv/real/keep/file")" kept
is "the files are the same" "$(stat --format=%i "$p/big")" "$(stat --format=%i "$plain/big")"
is "they have the origin's label, old and new" "$(stat --format=%C "$p/big" "$p/data" | uniq -c |
	awk '{ print $1, $2 }')" "2 $(stat --format=%C "$plain/big")"
is "the answer says what was asked for" \
	"$(call ListViews | jq -r '.views[] | select(.name == "p").mountPoints | length')" 11
nok "nobody writes there" touch "$p/data/volume/x"
refused "nor to a file" EROFS truncate --size=1 "$p/etc/app/config"

# One overlay for each kind, and no more.

overlays=$(overlays)
is "it is one overlay" "$(wc -l <<<"$overlays")" 1
create_with q "\"mountPoints\":$(jq -c '.mountPoints | reverse' <<<"{$points}")"
is "another view that asks for the same has the same" "$(stat --format=%d "$path")" \
	"$(stat --format=%d "$p")"
create_with r '"mountPoints":[{"path":"/absolute/x"}]'
r=$path
create_with r2 '"mountPoints":[{"path":"/srv/real/keep"},{"path":"/srv//real/./x/"}]'
is "also if it says it another way" "$(stat --format=%d "$path")" "$(stat --format=%d "$r")"
isnt "one that asks for something else has another" "$(stat --format=%d "$r")" \
	"$(stat --format=%d "$p")"
is "without what it did not ask for" "$(added "$r")" "+ ./srv/real/x d755 0:0"
create_with s '"mountPoints":[{"path":"/srv/real/keep"},{"path":"/etc/hosts","kind":"file"}]'
is "one that asks for what is there has the plain one" "$(stat --format=%d "$path")" \
	"$(stat --format=%d "$plain")"
create_with t "\"label\":\"$context:c1,c2\",$points"
t=$path
is "with a label, all files have that" "$(stat --format=%C "$t/big" "$t/data" "$t/odd/deep/er" |
	sort -u)" "$context:c1,c2"
is "and it has the same in it" "$(added "$t")" "$(added "$p")"
create_with i '"mountPoints":[{"path":"/data"}],"idMap":{
	"uid":[{"inside":0,"outside":5000,"count":1000}],
	"gid":[{"inside":0,"outside":5000,"count":1000}]}'
i=$path
is "with an id map, too" "$(stat --format=%u:%g "$i/data" "$i/odd")" $'5000:5000\n5005:5007'
is "that makes four, one for each kind" "$(overlays | wc -l)" 4
is "and the plain one" "$(call ListOrigins | jq '.origins[0].variants')" 5

# overlayfs allows two layers of itself: the other one is the container engine's.
mkdir -p /tmp/engine/{upper,work,merged}
ok "an engine can lay its own overlay over it" mount -t overlay \
	-o "lowerdir=$t,upperdir=/tmp/engine/upper,workdir=/tmp/engine/work" overlay \
	/tmp/engine/merged
is "and finds the files" "$(cat /tmp/engine/merged/etc/greeting)" hello
umount /tmp/engine/merged

# One page cache.

echo 3 >/proc/sys/vm/drop_caches
before=$(sectors_read /dev/mapper/web)
cat "$p/big" >/dev/null
first=$(($(sectors_read /dev/mapper/web) - before))
cat "$plain/big" "$r/big" "$t/big" "$i/big" >/dev/null
ok "the first to read a file reads it from the disk" test "$first" -ge 8192
is "no other one does: mount points, labels or id maps" \
	"$(($(sectors_read /dev/mapper/web) - before - first))" 0

# Requests that cannot be.

views=$(call ListViews)
overlays=$(overlays)

# bad DESCRIPTION ERROR EXPRESSION MORE
bad()
{
	refused_call "$1" "io.rootview.$2" "$3" CreateView \
		"{\"origin\":\"web\",\"name\":\"x\",$4}"
	refused_call "  by CheckMountPoints, too" "io.rootview.$2" "$3" CheckMountPoints \
		"{\"origin\":\"web\",$4}"
}

bad "a directory where the image has a file" InvalidMountPoint '"path":"/etc/greeting"' \
	'"mountPoints":[{"path":"/etc/greeting"}]'
bad "a file where it has a directory" InvalidMountPoint '"path":"/etc"' \
	'"mountPoints":[{"path":"/etc","kind":"file"}]'
bad "one below a file" InvalidMountPoint '"path":"/etc/greeting/x"' \
	'"mountPoints":[{"path":"/etc/greeting/x"}]'
bad "one through a loop of links" InvalidMountPoint '"path":"/loop/x"' \
	'"mountPoints":[{"path":"/loop/x"}]'
bad "two that exclude each other" InvalidMountPoint '"path":"/new' \
	'"mountPoints":[{"path":"/new","kind":"file"},{"path":"/new/x"}]'
bad "one with .." InvalidMountPoint 'holds' '"mountPoints":[{"path":"/etc/../x"}]'
bad "a relative one" InvalidMountPoint 'not absolute' '"mountPoints":[{"path":"x"}]'
bad "the root folder" InvalidMountPoint 'root folder' '"mountPoints":[{"path":"/"}]'
bad "a list that is none" InvalidRequest 'docker, podman, kubernetes and containerd' '"lists":["dokcer"]'
bad "too many" TooMany '"what":"mountPoints","limit":1024' \
	"\"mountPoints\":$(jq -nc '[range(1025) | {path: "/\(.)"}]')"
is "no view came of these" "$(call ListViews)" "$views"
is "no mount" "$(overlays)" "$overlays"
is "no record" "$(dmsetup message web 0 view_list | wc -l)" "$(jq '.views | length' <<<"$views")"
delete p q r r2 s t i

eventually "with their views all of them go" overlays_are 0
is "and their folders" "$(ls /run/rootview/origins/web/variants)" ""

# A request that is too long for a record in the kernel.

many=$(jq -nc '[range(1000) | {path: "/volumes/\(. % 10)/number-\(.)-with-a-long-name-that-goes-on-and-on-and-on"}]')
ok "a request of 1000 mount points is too large for a record" test "${#many}" -gt $((16 * 4096))
create_with many "\"mountPoints\":$many"
many_path=$path
create_with many2 "\"mountPoints\":$many,\"label\":\"$context:c5\""
many2_path=$path
# All that the request asks for is there, and nothing else is new.
all=$(jq -r '.[].path' <<<"$many" | sort)
volumes()
{
	find "$1/volumes" -mindepth 2 -type d -printf '/volumes/%P\n' | sort
}
is "all of them are there" "$(volumes "$many_path")" "$all"
is "also with a label" "$(volumes "$many2_path")" "$all"
views=$(mounted_views)
mounts=$(mounted)
views_are_back()
{
	[ "$(mounted_views)" = "$views" ]
}
kill_daemon KILL
start_daemon
eventually "after SIGKILL the daemon knows them all" views_are_back
is "and mounts nothing else" "$(mounted)" "$mounts"
kill_daemon KILL
umount --lazy /run/rootview/origins/web/variants/*/mount
start_daemon
eventually "what was unmounted meanwhile is mounted again" views_are_back
many_path=$(path_of web/many)
many2_path=$(path_of web/many2)
is "with all mount points" "$(volumes "$many_path")" "$all"
is "with a label, too" "$(stat --format=%C "$many2_path/volumes/1/"* | uniq)" "$context:c5"
create_with many3 "\"mountPoints\":$many"
is "another view with as many shares it" "$(stat --format=%d "$path")" \
	"$(stat --format=%d "$many_path")"
delete many
is "which goes on when the first one went" "$(volumes "$path")" "$all"
views=$(mounted_views)
kill_daemon KILL
umount --lazy /run/rootview/origins/web/variants/*/mount
start_daemon
eventually "also over a restart" views_are_back
is "with all of them" "$(volumes "$(path_of web/many3)")" "$all"
delete many2 many3 plain

is "the image was never written" "$(blockdev --flushbufs "$disk"; sha256sum <"$disk")" "$sum"
rootviewctl origin remove web
nothing_left
done_testing
