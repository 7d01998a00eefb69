#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What is done with dmsetup, behind the daemon's back: it follows.
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

make_image web
table="0 $(blockdev --getsz "$disk") rootview $disk"
start_daemon

# Views on the daemon's own origin.

call AddOrigin "{\"name\":\"web\",\"device\":\"$disk\"}" >/dev/null
dmsetup message web 0 view_create a
eventually "a view made with dmsetup is mounted" is_mounted web/a
is "and has its files" "$(cat "$(path_of web/a)/etc/greeting")" hello
refused "dmsetup remove is refused while it exists" EBUSY dmsetup remove web
dmsetup message web 0 view_create b system_u:object_r:container_file_t:s0:c7
eventually "one with a label, too" is_mounted web/b
is "which its files have" "$(stat --format=%C "$(path_of web/b)/big")" \
	system_u:object_r:container_file_t:s0:c7
dmsetup message web 0 view_delete a
is_gone()
{
	[ "$(call ListViews | jq -r '.views[].name')" = b ]
}
eventually "one deleted with dmsetup is gone" is_gone
dmsetup message web 0 view_create bad nonsense
is "one with a label that is none is not mounted" \
	"$(call ListViews | jq -r '.views[] | select(.name == "bad") | .path')" null
like "which the log explains" "$(cat "$log")" "view bad of origin web is not mounted: .*nonsense"
ok "it can be deleted through the daemon" rootviewctl delete web bad
ok "and so can the others" rootviewctl delete web b
ok "and the origin" rootviewctl origin remove web

# An origin that was made by hand.

dmsetup create -r hand --table "$table"
is "the daemon knows an origin made by hand" "$(call ListOrigins | jq -r '.origins[].name')" hand
is "and leaves it alone while it has no views" "$(mounted)" ""
ok "so it can be removed" dmsetup remove hand
is "of which the daemon hears" "$(call ListOrigins)" '{"origins":[]}'

# The file system must not go while a look is taken at it; it goes after that at once.
dmsetup create -r hand --table "$table"
is "what the image lacks can be asked for all the same" "$(for _ in {1..20}; do
		call CheckMountPoints '{"origin":"hand","mountPoints":[{"path":"/etc"},{"path":"/no"}]}'
	done | jq -r '.missing[].path' | sort | uniq -c | xargs)" "20 /no"
eventually "of which no mount is left" nothing_is_mounted

dmsetup message hand 0 view_create a
eventually "its first view mounts it" is_mounted hand/a
refused "and keeps it" EBUSY dmsetup remove hand
is "the daemon makes a second view" "$(cat "$(rootviewctl create hand b)/etc/greeting")" hello
dmsetup message hand 0 view_delete a
rootviewctl delete hand b
eventually "when the last has gone, so have all mounts" nothing_is_mounted
eventually "and dmsetup can remove it again" dmsetup remove hand

# A view that is a device alone, or cannot be mounted, keeps its origin, too, also when the last
# one that was mounted has gone.

dmsetup create -r hand --table "$table"
call CreateView '{"origin":"hand","name":"device","deviceOnly":true}' >/dev/null
rootviewctl create hand mounted >/dev/null
rootviewctl delete hand mounted
eventually "with the last one that was mounted, all mounts go" nothing_is_mounted
refused "but a device alone keeps its origin" EBUSY dmsetup remove hand
rootviewctl delete hand device
eventually "until it goes, too" dmsetup remove hand

make_disk blank 8
dmsetup create -r blank --table "0 $(blockdev --getsz "$disk") rootview $disk"
dmsetup message blank 0 view_create a
refused_call "a view on an origin that cannot be mounted" io.rootview.UnsupportedFileSystem \
	'"origin":"blank"' CreateView '{"origin":"blank","name":"b"}'
is "of which nothing is left" "$(dmsetup message blank 0 view_list | cut -d ' ' -f 2)" a
refused "a view without a mount keeps its origin" EBUSY dmsetup remove blank
dmsetup message blank 0 view_delete a
eventually "until it is deleted" dmsetup remove blank

# Force.

dmsetup create -r hand --table "$table"
rootviewctl create hand a >/dev/null
cat "$(path_of hand/a)/big" >/dev/null
dmsetup wipe_table --force hand
eventually "when a table is taken away under a view, the mount goes" nothing_is_mounted
is "and the origin" "$(call ListOrigins)" '{"origins":[]}'
is "and all its folders" "$(find /run/rootview/origins -mindepth 1)" ""
eventually "then dmsetup can remove the device" dmsetup remove hand

# Renaming.

dmsetup create -r old --table "$table"
rootviewctl create old a >/dev/null
dmsetup rename old new
rootviewctl create new b >/dev/null
is "after a renaming, the paths have the new name" "$(call ListViews | jq -r '.views[].path')" \
	$'/run/rootview/origins/new/plain\n/run/rootview/origins/new/plain'
is "and nothing is left of the old one" "$(mounted | grep -c old)" 0
rootviewctl delete new a
rootviewctl delete new b
ok "it is removed through the daemon" rootviewctl origin remove new

# The name of an origin is given to another device behind the daemon's back.

rootviewctl origin add web /dev/loop0
dmsetup rename web web2
dmsetup create web --table "0 8 zero"
refused_call "a device that has an origin's name is not taken for it" io.rootview.NoSuchOrigin \
	'another device has that name' RemoveOrigin '{"name":"web"}'
ok "and not removed" dmsetup info --noheadings --columns web
dmsetup remove web
ok "the origin is removed by its own name" rootviewctl origin remove web2

# A user of the device that is no view.

rootviewctl origin add web "/dev/loop0"
exec 3</dev/mapper/web
refused_call "an origin whose device somebody has open stays" io.rootview.OriginBusy \
	'"name":"web","views":0,"message":"origin \\"web\\" has no views, but' \
	RemoveOrigin '{"name":"web"}'
eventually "as it was" mountpoint -q /run/rootview/origins/web/plain
exec 3<&-
ok "and can be removed when the device is free" rootviewctl origin remove web

nothing_left
done_testing
