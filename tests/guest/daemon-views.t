#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The daemon's main job, asked for by two clients: rootviewctl, and systemd's
# varlinkctl, which knows nothing of rootview.
# variants: (debug)
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

make_image web
start_daemon

# The interface.

idl=$(varlinkctl introspect "$socket" io.rootview)
like "the interface can be read from the socket" "$idl" "interface io.rootview"
for method in AddOrigin RemoveOrigin ListOrigins CreateView OpenView DeleteView ListViews; do
	like "it has the method $method" "$idl" "method $method\("
done
like "with comments" "$idl" "# Creates a view and mounts it"
like "varlinkctl info names the program" "$(varlinkctl info "$socket")" "rootviewd"
is "the socket is for root and one group" "$(stat --format='%a %U' "$socket")" "660 root"

# An origin.

is "no origins at first" "$(call ListOrigins)" '{"origins":[]}'
origin=$(call AddOrigin "{\"name\":\"web\",\"device\":\"$disk\"}")
is "an origin is added" "$(jq -r .origin.name <<<"$origin")" web
is "its file system is found" "$(jq -r .origin.fileSystem <<<"$origin")" ext4
is "its backing device is named by number" "$(jq -r .origin.backing <<<"$origin")" \
	"$(stat --format='%Hr:%Lr' "$disk")"
is "its own by number, too" "$(jq -r .origin.number <<<"$origin")" \
	"$(dmsetup info --columns --noheadings --separator=: -o major,minor web)"
is "the device is read-only" "$(blockdev --getro /dev/mapper/web)" 1
is "and has our uuid" "$(dmsetup info --columns --noheadings -o uuid web)" ROOTVIEW-web
is "all of the disk is in it" "$(blockdev --getsz /dev/mapper/web)" "$(blockdev --getsz "$disk")"
is "its file system is mounted, and nothing else" "$(mounted)" \
	/run/rootview/origins/web/plain
like "read-only, without device nodes" \
	"$(findmnt --noheadings --output OPTIONS /run/rootview/origins/web/plain)" '^ro,nodev'
is "no other user gets there" "$(stat --format=%a /run/rootview/origins)" 700

# Views.

view=$(call CreateView '{"origin":"web","name":"a"}')
path=$(jq -r .view.path <<<"$view")
is "a view is created, at the path of all like it" "$path" /run/rootview/origins/web/plain
is "it has the image's files" "$(cat "$path/etc/greeting")" hello
ok "programs run from it" "$path/bin/true"
nok "nobody writes to it" touch "$path/x"
nok "nor to a file in it" truncate --size=0 "$path/etc/greeting"
is "the kernel has it, with the same id" "$(dmsetup message web 0 view_list)" \
	"$(jq -r .view.id <<<"$view") a -"
is "it was created just now" "$(jq --argjson now "$(cut -d. -f1 /proc/uptime)" \
	'.view.createdUSec / 1000000 - $now | fabs < 60' <<<"$view")" true

is "rootviewctl create prints the path" "$(rootviewctl create web b)" "$path"
mkdir /tmp/b
is "a view is mounted elsewhere by its user" "$(rootviewctl mount web b /tmp/b)" /tmp/b
is "views of one origin share files" "$(stat --format='%d:%i' /tmp/b/big)" \
	"$(stat --format='%d:%i' "$path/big")"
is "the mounts stay out of other mount namespaces" \
	"$(findmnt --noheadings --output PROPAGATION "$path")" private

# The page cache is shared: what one has read, the other finds in memory.

echo 3 >/proc/sys/vm/drop_caches
before=$(sectors_read /dev/mapper/web)
cat "$path/big" >/dev/null
first=$(($(sectors_read /dev/mapper/web) - before))
cat /tmp/b/big >/dev/null
second=$(($(sectors_read /dev/mapper/web) - before - first))
ok "the first view reads a file from the disk" test "$first" -ge 8192
is "the second does not" "$second" 0
is "the origin's counter says how much was read" \
	"$(call ListOrigins | jq '.origins[0].readSectors')" "$(sectors_read /dev/mapper/web)"

# Lists.

is "ListViews has both" "$(call ListViews '{"origin":"web"}' | jq -r '[.views[].name] | join(" ")')" \
	"a b"
is "of all origins, too" "$(call ListViews | jq -r '[.views[].path] | join(" ")')" \
	"$path $path"
is "null is as good as absent" "$(call ListViews '{"origin":null}' | jq '.views | length')" 2
is "ListOrigins counts them" "$(call ListOrigins | jq '.origins[0].views')" 2
like "rootviewctl list is a table" "$(rootviewctl list web)" \
	$'^ORIGIN  VIEW .*\nweb     a .* /run/rootview/origins/web/plain\nweb     b '
like "rootviewctl origin list, too" "$(rootviewctl origin list)" \
	$'^ORIGIN  VIEWS  TYPE .*\nweb     2      ext4  64.0 MiB'
is "rootviewctl list --json is the daemon's answer" "$(rootviewctl --json list | jq -cS .)" \
	"$(call ListViews | jq -cS .)"

# What views are made of is unmounted by somebody else.

umount --lazy /run/rootview/origins/web/plain
is "it is mounted again for the next view" "$(cat "$(rootviewctl create web c)/etc/greeting")" hello
is "just once" "$(mounted | grep -c /plain)" 1
is "who was given another goes on" "$(cat /tmp/b/etc/greeting)" hello
umount --lazy /run/rootview/origins/web/plain
is "and for one that is opened" "$(call OpenView '{"origin":"web","name":"a"}' | jq -r .view.path)" \
	"$path"
is "where all find it" "$(cat "$path/etc/greeting")" hello
ok "the next view is deleted" rootviewctl delete web c

# Deleting.

exec 3</tmp/b/big
is "DeleteView answers with nothing" "$(call DeleteView '{"origin":"web","name":"a"}')" '{}'
ok "rootviewctl delete" rootviewctl delete web b
is "what was mounted elsewhere stays" "$(cat /tmp/b/etc/greeting)" hello
umount --lazy /tmp/b
is "who has a file open may go on reading" "$(head -c 4M <&3 | wc -c)" 4194304
exec 3<&-
is "the kernel has no views left" "$(dmsetup message web 0 view_list)" ""
is "a deleted name can be taken again" "$(rootviewctl create web a)" "$path"
isnt "with another id" "$(call ListViews | jq '.views[0].id')" "$(jq .view.id <<<"$view")"
ok "and deleted again" rootviewctl delete web a

# A view that is a device alone.

view=$(call CreateView '{"origin":"web","name":"vm","deviceOnly":true}')
is "a view can be a device alone" "$(jq -c '[.view.deviceOnly, .view.path]' <<<"$view")" '[true,null]'
is "which has the image" "$(head -c 1M "$(jq -r .view.device <<<"$view")" | sha256sum)" \
	"$(head -c 1M "$disk" | sha256sum)"
refused_call "there is no mount of it" io.rootview.InvalidRequest 'is a device alone' \
	OpenView '{"origin":"web","name":"vm"}'
ok "it is deleted" rootviewctl delete web vm

# Who asks for views, and goes while they are made.

ok "clients that do not wait for an answer" rvrude "$socket" job 3
eventually "the last of their views is mounted" is_mounted web/rude2
is "the daemon goes on" "$(rootviewctl --json list | jq '.views | length')" 3
for i in 0 1 2; do
	ok "a view that nobody heard of can be deleted" rootviewctl delete web "rude$i"
done

ok "the origin is removed" rootviewctl origin remove web
is "the disk is free again" "$(dmsetup ls --target rootview)" "No devices found"
ok "and as it was" e2fsck -fn "$disk"

# A second origin, by rootviewctl alone.

# A name with all kinds of characters.
odd="{\"x'y\"}\\:,"
ok "rootviewctl origin add" rootviewctl origin add a.b:c@d "$disk"
is "a view with an odd name" "$(rootviewctl create a.b:c@d "$odd" \
	--label system_u:object_r:container_file_t:s0:c1,c2)" \
	/run/rootview/origins/a.b:c@d/variants/1/mount
is "its files are there" "$(cat /run/rootview/origins/a.b:c@d/variants/1/mount/etc/greeting)" hello
ok "it is deleted" rootviewctl delete a.b:c@d "$odd"
ok "and its origin" rootviewctl origin remove a.b:c@d

nothing_left
done_testing
