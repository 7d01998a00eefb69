#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The daemon ends, in every way, and the next one goes on where it was: the
# kernel's registry is the truth, and mounts are made to match.
# variants: (debug)
set -euo pipefail
. tests/tap.sh
. tests/guest/daemon.sh

context=system_u:object_r:container_file_t:s0

make_image web
web=$disk
make_image db
db=$disk

# Everything that a view is; its mount's number in the kernel tells a new mount.
views()
{
	call ListViews | jq -c '.views[] | [.origin, .name, .id, .label, .path]'
}
mount_ids()
{
	awk '$5 ~ "^/run/rootview" { print $1, $5 }' /proc/self/mountinfo | sort
}

start_daemon
call AddOrigin "{\"name\":\"web\",\"device\":\"$web\"}" >/dev/null
call AddOrigin "{\"name\":\"db\",\"device\":\"$db\"}" >/dev/null
for view in a b c; do
	rootviewctl create web "$view" >/dev/null
done
rootviewctl create --label "$context:c1,c2" web d >/dev/null
rootviewctl create --label "$context:c1,c2" web e >/dev/null
rootviewctl create --label "$context:c3" db f >/dev/null
views=$(views)
mounts=$(mount_ids)

kill_daemon TERM
is "SIGTERM ends it with status 0" "$status" 0
is "mounts stay" "$(mount_ids)" "$mounts"
start_daemon
is "the next one has the same views" "$(views)" "$views"
is "and has made no mount again" "$(mount_ids)" "$mounts"
refused "and holds the device" EBUSY dmsetup remove web

kill_daemon KILL
start_daemon
is "after SIGKILL, too, the views are the same" "$(views)" "$views"
is "and the mounts" "$(mount_ids)" "$mounts"

# While there is no daemon, the world goes on.

kill_daemon KILL
dmsetup message web 0 view_delete a				# gone
dmsetup message web 0 view_create g				# new
dmsetup message web 0 view_delete b				# another of the same name,
dmsetup message web 0 view_create b "$context:c1,c2"		# with another label
dmsetup message web 0 view_delete d				# the other way round
dmsetup message web 0 view_create d
dmsetup message db 0 view_delete f				# the last one with its label
stray=/run/rootview/origins/web/variants/9
mkdir -p $stray/{mount,skeleton,lower}
mount -t tmpfs stray $stray/skeleton				# nothing of ours
mount --bind /run/rootview/origins/web/plain $stray/lower	# nor that
start_daemon

is "one that was created is mounted" "$(cat "$(path_of web/g)/etc/greeting")" hello
is "one that was replaced has its new label" "$(stat --format=%C "$(path_of web/b)/big")" \
	"$context:c1,c2"
isnt "also the other way round" "$(stat --format=%C "$(path_of web/d)/big")" \
	"$context:c1,c2"
eventually "a label that nobody has any more is gone" no_mount_in origins/db/variants
nok "what somebody else mounted there is unmounted" test -e $stray
is "all views are mounted, and nothing else" "$(mounted | grep -v db)" \
	"$(call ListViews | jq -r '.views[].path' | sort -u)"
is "these are all" "$(dmsetup message web 0 view_list | wc -l)" 5

# Between two steps of its own: folders without mounts, mounts without folders.

kill_daemon KILL
mkdir -p /run/rootview/origins/web/variants/7/{skeleton,mount}
umount --lazy /run/rootview/origins/db/plain
mkdir /run/rootview/trash/{5,6}
mount -t tmpfs trash /run/rootview/trash/6
start_daemon
nok "a label's folder left half made is removed" test -e /run/rootview/origins/web/variants/7
is "the trash is emptied" "$(ls /run/rootview/trash)" ""
eventually "an origin without its mount is mounted again" mountpoint -q /run/rootview/origins/db/plain

# Origins that went, or came, meanwhile.

kill_daemon KILL
umount --lazy /run/rootview/origins/db/plain
ok "without the daemon, an origin that nobody uses can be removed" dmsetup remove db
dmsetup create -r db --table "0 $(blockdev --getsz "$web") rootview $web"
dmsetup message db 0 view_create h
start_daemon
eventually "a view that was made meanwhile is mounted" is_mounted db/h
is "another origin of the same name is not taken for it" \
	"$(sha256sum <"$(path_of db/h)/big")" "$(sha256sum <"$(path_of web/c)/big")"

# Socket activation, and telling the service manager.

rootviewctl delete db h
eventually "an origin that was made by hand is let go" dmsetup remove db
for view in b c d e g; do
	rootviewctl delete web "$view"
done
rootviewctl origin remove web
kill_daemon TERM
rm -f "$socket"
systemd-socket-activate --listen="$socket" rootviewd >>"$log" 2>&1 &
daemon=$!
eventually "a socket that was handed over is served" rootviewctl list
eventually "an origin is added over it" rootviewctl origin add web "$web"
kill_daemon TERM
ok "and the socket left alone at the end" test -S "$socket"
start_daemon
rootviewctl origin remove web

nothing_left
done_testing
