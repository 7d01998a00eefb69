#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Id maps: whom the files of a view belong to, alone and together with labels
# and mount points; that nothing is written or read again for it.
# variants: (debug)
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

context=system_u:object_r:container_file_t:s0

# A map of both kinds of ids, of the ids below COUNT to those from FIRST on.
map()
{
	local range="{\"inside\":0,\"outside\":$1,\"count\":$2}"
	printf '{"uid":[%s],"gid":[%s]}' "$range" "$range"
}

# owner_of FILE: as "ls -n" says.
owner_of()
{
	# shellcheck disable=SC2012 # this is the point
	ls -nd "$1" | awk '{ print $3 ":" $4 }'
}

make_image web
mkdir /tmp/image
mount "$disk" /tmp/image
chown 5:7 /tmp/image/etc
touch /tmp/image/etc/{high,first}
chown 70000:70000 /tmp/image/etc/high
chown 65535:1 /tmp/image/etc/first
mkdir -m 1777 /tmp/image/tmp
umount /tmp/image
sum=$(sha256sum <"$disk")

start_daemon
call AddOrigin "{\"name\":\"web\",\"device\":\"$disk\"}" >/dev/null
plain=$(rootviewctl create web plain)

# A map alone.

# Where other users than root get to.
mkdir /tmp/a /tmp/m
create_with a "\"idMap\":$(map 100000 65536)"
a=$(rootviewctl mount web a /tmp/a)
is "root's files belong to whom the map says" "$(owner_of "$a/big")" 100000:100000
is "so does the top folder" "$(owner_of "$a")" 100000:100000
is "another user's folder to another" "$(owner_of "$a/etc")" 100005:100007
is "the last id of the map is in it" "$(owner_of "$a/etc/first")" 165535:100001
is "who is not in the map is nobody" "$(owner_of "$a/etc/high")" 65534:65534
is "the plain view is as before" "$(owner_of "$plain/etc")" 5:7
is "files, sizes, modes and times are the image's" "$(find "$a" -printf '%P %y%m %s %T@\n' | sort)" \
	"$(find "$plain" -printf '%P %y%m %s %T@\n' | sort)"
is "the answer has the map" "$(call ListViews | jq -c '.views[] | select(.name == "a").idMap')" \
	"$(map 100000 65536)"
create_with b "\"idMap\":{\"uid\":[{\"inside\":5,\"outside\":300005,\"count\":5},
	{\"inside\":0,\"outside\":300000,\"count\":5}],
	\"gid\":[{\"inside\":7,\"outside\":1,\"count\":1},{\"inside\":0,\"outside\":9,\"count\":1}]}"
b=$path
is "a map of several ranges, another at the same time" "$(owner_of "$b/etc") $(owner_of "$b/big")" \
	"300005:1 300000:9"
is "comes back in its one form" \
	"$(call ListViews | jq -c '.views[] | select(.name == "b").idMap.uid')" \
	'[{"inside":0,"outside":300000,"count":10}]'
is "the first one is as before" "$(owner_of "$a/etc")" 100005:100007

# With a label, and with mount points.

create_with l "\"idMap\":$(map 100000 65536),\"label\":\"$context:c1,c2\""
l=$path
is "with a label: the label" "$(stat --format=%C "$l/big")" "$context:c1,c2"
is "and the owner" "$(owner_of "$l/etc") $(owner_of "$l/big")" "100005:100007 100000:100000"
create_with m "\"idMap\":$(map 100000 65536),\"label\":\"$context:c1,c2\",\"mountPoints\":[
	{\"path\":\"/etc/volume/deep\"},{\"path\":\"/etc/config\",\"kind\":\"file\"},
	{\"path\":\"/data\"},{\"path\":\"/etc/link\",\"kind\":\"link\",\"target\":\"x\"}]"
m=$(rootviewctl mount web m /tmp/m)
is "with mount points, too: these" \
	"$(cd "$m" && stat --format='%n %a %u %g %C' etc/volume etc/volume/deep etc/config data)" \
	"etc/volume 755 100000 100000 $context:c1,c2
etc/volume/deep 755 100000 100000 $context:c1,c2
etc/config 644 100000 100000 $context:c1,c2
data 755 100000 100000 $context:c1,c2"
is "and a link" "$(owner_of "$m/etc/link") $(readlink "$m/etc/link")" "100000:100000 x"
is "all belong to the mapped root, and the image's files to whom they did" \
	"$(owner_of "$m") $(owner_of "$m/etc") $(owner_of "$m/etc/greeting") $(owner_of "$m/etc/high")" \
	"100000:100000 100005:100007 100000:100000 65534:65534"
is "modes are kept" "$(stat --format='%a %Y' "$m/tmp")" "$(stat --format='%a %Y' "$plain/tmp")"
create_with n "\"idMap\":$(map 300000 1000),\"mountPoints\":[{\"path\":\"/etc/volume/deep\"}]"
n=$path
is "another map, another root" "$(owner_of "$n/etc/volume") $(owner_of "$n/etc")" \
	"300000:300000 300005:300007"
create_with o "\"idMap\":{\"uid\":[{\"inside\":5,\"outside\":5,\"count\":5}],
	\"gid\":[{\"inside\":5,\"outside\":5,\"count\":5}]},\"mountPoints\":[{\"path\":\"/data\"}]"
is "of a map without root, they are nobody's" "$(owner_of "$path/data") $(owner_of "$path/etc")" \
	"65534:65534 5:7"
create_with c "\"idMap\":$(map 100000 65536),\"label\":\"$context:c1,c2\""
is "views with the same map and label share the variant" "$(stat --format=%d "$path")" \
	"$(stat --format=%d "$l")"
is "what is an overlay is one alone" \
	"$(awk '$5 ~ "/variants/[0-9]+/mount$" && / - overlay / { print $5 }' \
		/proc/self/mountinfo | wc -l)" 4

# One page cache.

echo 3 >/proc/sys/vm/drop_caches
before=$(sectors_read /dev/mapper/web)
cat "$m/big" >/dev/null
first=$(($(sectors_read /dev/mapper/web) - before))
cat "$plain/big" "$a/big" "$b/big" "$l/big" "$n/big" >/dev/null
ok "the first to read a file reads it from the disk" test "$first" -ge 8192
is "no other one does, whatever its map" \
	"$(($(sectors_read /dev/mapper/web) - before - first))" 0

# Nobody writes, neither root nor who owns the files.

for view in "$a" "$m"; do
	for user in 0 100000 100005; do
		for command in "touch $view/x" "touch $view/tmp/x" "truncate --size=0 $view/big" \
			"chmod 777 $view/etc" "mkdir $view/etc/x" "rm -f $view/big"; do
			# shellcheck disable=SC2086 # a command and its arguments
			refused "user $user: $command" EROFS \
				setpriv --reuid "$user" --regid 100000 --clear-groups $command
		done
	done
done

# A restart.

# What a view is, its mount's number in the kernel included.
state()
{
	call ListViews
	awk '$5 ~ "^/run/rootview" { print $1, $5 }' /proc/self/mountinfo | sort
}
owners()
{
	local view
	for view in a b l m n; do
		find "$(path_of "web/$view")" -printf '%P %y%m %U %G\n' | sort
	done
}
views=$(mounted_views)
state=$(state)
owners=$(owners)
kill_daemon KILL
start_daemon
views_are_back()
{
	[ "$(mounted_views)" = "$views" ]
}
eventually "after SIGKILL the views are the same" views_are_back
is "and the mounts" "$(state)" "$state"
kill_daemon KILL
umount --lazy /run/rootview/origins/web/variants/*/mount
start_daemon
eventually "what was unmounted meanwhile is mounted again" views_are_back
is "and belongs to whom it did" "$(owners)" "$owners"

# Maps that are none.

views=$(call ListViews)
table=$(awk '{ print $5 }' /proc/self/mountinfo)

# bad_map SENTENCE UID-RANGES [GID-RANGES]
bad_map()
{
	refused_call "refused: $1" io.rootview.InvalidIdMap "$1" CreateView \
		"{\"origin\":\"web\",\"name\":\"x\",\"idMap\":{\"uid\":$2,\"gid\":${3:-$2}}}"
}

good='{"inside":0,"outside":1000,"count":10}'
bad_map "overlaps an earlier one inside" "[$good,{\"inside\":9,\"outside\":2000,\"count\":1}]"
bad_map "overlaps an earlier one outside" "[$good,{\"inside\":10,\"outside\":1009,\"count\":9}]"
bad_map "has no range of user ids" "[]"
bad_map "has no range of group ids" "[$good]" "[]"
bad_map "is empty" '[{"inside":0,"outside":0,"count":0}]'
bad_map "holds ids of" '[{"inside":0,"outside":4294967295,"count":1}]'
bad_map "holds ids of" '[{"inside":0,"outside":1,"count":4294967295}]'
bad_map "is no id" '[{"inside":-1,"outside":1,"count":1}]'
bad_map "more than 32" \
	"$(jq -nc '[range(33) | {inside: (. * 2), outside: (. * 2), count: 1}]')"
is "no view came of it" "$(call ListViews)" "$views"
is "no mount" "$(awk '{ print $5 }' /proc/self/mountinfo)" "$table"
is "the kernel has no more" "$(dmsetup message web 0 view_list | wc -l)" 8

umount /tmp/a /tmp/m
for view in plain a b l m n o c; do
	rootviewctl delete web "$view"
done
rootviewctl origin remove web
is "the image is as it was" "$(sha256sum <"$disk")" "$sum"
nothing_left
done_testing
